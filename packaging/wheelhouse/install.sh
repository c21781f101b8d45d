#!/bin/sh
# Installs Isthmus from the wheels beside this script, without a network: ./install.sh [FOLDER]   (default: ./isthmus)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-isthmus}
python=${PYTHON:-python3}
. "$here/about"
if ! "$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$python_version')"; then
    echo "These wheels are for Python $python_version; found $("$python" --version 2>&1). Choose one: PYTHON=/path/to/python$python_version ./install.sh" >&2
    exit 2
fi
if [ "$(uname -s)-$(uname -m)" != "$system" ]; then
    echo "These wheels are for $system; this is $(uname -s)-$(uname -m)" >&2
    exit 2
fi
if command -v sha256sum >/dev/null; then (cd "$here" && sha256sum --quiet -c SHA256SUMS); else (cd "$here" && shasum -a 256 --quiet -c SHA256SUMS); fi
if [ -e "$target" ]; then echo "$target exists already; name another folder: ./install.sh FOLDER" >&2; exit 2; fi
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" -c "$here/constraints.txt" "isthmus[$extras]"
"$target/bin/isthmus" doctor
echo "Done. The command is $target/bin/isthmus"
