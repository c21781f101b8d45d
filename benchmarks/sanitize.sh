#!/bin/sh
# The engine's tests with AddressSanitizer and UndefinedBehaviorSanitizer: every read or write outside an array, every overflow of
# a signed number and every cast that loses its value ends the run. GCC, Linux; a build of its own in build/sanitize.
#
#     benchmarks/sanitize.sh [tests ...]        PYTHON=.venv/bin/python by default
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
build=build/sanitize
[ -f $build/CMakeCache.txt ] || cmake -S . -B $build -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DPython_EXECUTABLE="$(realpath -s "$python")" -Dnanobind_DIR="$($python -m nanobind --cmake_dir)" \
    -DCMAKE_CXX_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
    -DCMAKE_MODULE_LINKER_FLAGS="-fsanitize=address,undefined"
cmake --build $build -j 2
rm -rf $build/python
mkdir $build/python
cp -r src/isthmus $build/python/
rm -f $build/python/isthmus/_core*.so
cp $build/_core*.so $build/python/isthmus/
[ $# -gt 0 ] || set -- tests/oracle tests/features tests/filters tests/property/test_any_region.py \
    tests/property/test_engine_laws.py tests/property/test_filter_boxes.py tests/property/test_ibsi_laws.py \
    tests/property/test_morphology_laws.py tests/roi/test_supervoxels.py tests/roi/test_parts.py
# leaks are the interpreter's own; its allocator would hide what is read beyond an object; pytest swallows what is printed
rm -f $build/report.*
ASAN_OPTIONS=detect_leaks=0:log_path=$build/report UBSAN_OPTIONS=print_stacktrace=1:log_path=$build/report PYTHONMALLOC=malloc \
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)" PYTHONPATH=$build/python \
    "$python" -m pytest -q -p no:cacheprovider -m "not slow" "$@" || { cat $build/report.* 2>/dev/null; exit 1; }
