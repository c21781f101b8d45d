"""How much faster than SimpleITK and PyWavelets the filters and resampling are, and than PyRadiomics the job of 1,316 features.

Everything runs on one core, in turn in the same minutes, timed by CPU time; reported are medians, their ratio and the ratio
of the minima, for every instruction set of this machine. Voxels are compared with the peer's, bit for bit, before anything is timed.

    python benchmarks/filters.py                                    # filters and resampling
    python benchmarks/filters.py --pyradiomics VENV/bin/python      # the 1,316 features, too (see engine.py for the environment)
    python benchmarks/filters.py --memory                           # what a lesion of 5 ml in a CT of 512 x 512 x 1000 costs
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import engine

CASES = ("brain1", "ibsi_ct", "sts_027_mr")
SIGMAS = (1.0, 2.0, 3.0, 4.0, 5.0)
LOG = {"name": "recursive_log", "sigma_mm": SIGMAS}


def spent(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e3


def compared(theirs: list[float], ours: list[float]) -> str:
    """The median, and in brackets the ratio of the medians and that of the minima."""
    middle = statistics.median(ours)
    shown = f"{middle:.2f}" if middle < 100 else f"{middle:.0f}"
    return f"{shown} ({statistics.median(theirs) / middle:.0f}; {min(theirs) / min(ours):.0f})"


def exhausted(maps: Iterator[Any]) -> None:
    for _ in maps:
        pass


def jobs(image: Any, roi: Any) -> dict[str, tuple[Callable[[], Any], Callable[[], Any], bool]]:
    """Each job by its name: ours, the peer's, and whether their voxels have the same bits."""
    import numpy as np
    import pywt
    import SimpleITK

    from isthmus import _core
    from isthmus.features.profiles import pyradiomics_grid
    from isthmus.features.profiles.pyradiomics import Settings
    from isthmus.filters import parse_filter, response_maps

    def to_itk(values: Any) -> Any:
        made = SimpleITK.GetImageFromArray(np.ascontiguousarray(values))
        made.SetSpacing([float(s) for s in image.geometry.spacing_mm[::-1]])
        made.SetOrigin(image.geometry.origin_mm)
        made.SetDirection([float(d) for d in image.geometry.direction[:, ::-1].ravel()])
        return made

    low, high, _ = _core.bounding_box(np.ascontiguousarray(roi.mask))
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    everything = tuple(slice(0, n) for n in image.values.shape)
    source, mask = to_itk(image.values), to_itk(roi.mask.view(np.uint8))
    laplacian = SimpleITK.LaplacianRecursiveGaussianImageFilter()
    laplacian.SetNormalizeAcrossScale(True)
    laplacian.SetSigma(2.0)
    padded = np.pad(image.values, [(0, n % 2) for n in image.values.shape], "wrap")

    def filtered(given: Any, where: Any) -> Callable[[], None]:
        settings = parse_filter(given)
        return lambda: exhausted(response_maps(image, where, settings))

    def bands() -> dict[str, Any]:
        return pywt.swtn(padded, "coif1", 1, axes=(2, 1, 0))[0]

    exact = {"name": "recursive_log", "sigma_mm": (2.0,), "margin_sigma": "image"}
    whole = next(response_maps(image, everything, parse_filter(exact)))
    same_log = bool((whole == SimpleITK.GetArrayFromImage(laplacian.Execute(source))).all())
    theirs = bands()
    names = ["".join(letters) for letters in itertools.product("ad", repeat=3)]
    ours = response_maps(image, box, parse_filter("stationary_wavelet"))
    same_bands = all(
        bool((theirs[name][box] == band).all()) for name, band in zip([*names[1:], names[0]], ours, strict=True)
    )
    found: dict[str, tuple[Callable[[], Any], Callable[[], Any], bool]] = {
        "wavelet coif1, 8 bands in the box": (filtered("stationary_wavelet", box), bands, same_bands),
        "LoG 2 mm, all voxels of the image": (filtered(exact, everything), lambda: laplacian.Execute(source), same_log),
        "LoG 2 mm, box, whole image read": (filtered(exact, box), lambda: laplacian.Execute(source), same_log),
        "LoG 2 mm, box, margin 15 sigma": (
            filtered({"name": "recursive_log", "sigma_mm": (2.0,)}, box),
            lambda: laplacian.Execute(source),
            same_log,
        ),
    }
    for spacing in (1.0, 2.0):
        settings = Settings(spacing_mm=(spacing,) * 3)
        values, resampled, grid = pyradiomics_grid.resample(image, roi, settings)

        def by_itk(geometry: Any = grid) -> list[Any]:
            answers = []
            for moving, interpolator in ((source, SimpleITK.sitkBSpline), (mask, SimpleITK.sitkNearestNeighbor)):
                peer = SimpleITK.ResampleImageFilter()
                peer.SetOutputSpacing([float(s) for s in geometry.spacing_mm[::-1]])
                peer.SetOutputDirection(source.GetDirection())
                peer.SetOutputOrigin(geometry.origin_mm)
                peer.SetSize([int(n) for n in geometry.shape[::-1]])
                peer.SetInterpolator(interpolator)
                answers.append(peer.Execute(moving))
            return answers

        same = all(
            bool((SimpleITK.GetArrayFromImage(answer) == mine).all())
            for answer, mine in zip(by_itk(), (values, resampled), strict=True)
        )
        run = partial(pyradiomics_grid.resample, image, roi, settings)
        found[f"B-spline and mask to {spacing:g} mm"] = (run, by_itk, same)
    return found


def filters_table(data: Path, repeats: int, sets: list[str]) -> None:
    from isthmus.image.io import read_image
    from isthmus.roi import read_roi

    print(f"| case | job | same bits | peer, ms | {' | '.join(f'{name}, ms (ratios)' for name in sets)} |")
    print("| --- | --- | --- | --- |" + " --- |" * len(sets))
    for case in CASES:
        image_path, mask_path = (data / path for path in engine.CASES[case])
        image = read_image(image_path)
        roi = read_roi(mask_path, image, label=1)
        for job, (ours, theirs, same) in jobs(image, roi).items():
            times: dict[str, list[float]] = {name: [] for name in ("peer", *sets)}
            for _ in range(repeats):
                times["peer"].append(spent(theirs))
                for name in sets:
                    with engine.instruction_set(name):
                        times[name] += [spent(ours) for _ in range(3)]
            peer = statistics.median(times["peer"])
            shown = [compared(times["peer"], times[name]) for name in sets]
            print(f"| {case} | {job} | {'yes' if same else 'NO'} | {peer:.0f} | {' | '.join(shown)} |", flush=True)
    print()


def job_table(data: Path, repeats: int, sets: list[str], python: str, core: int) -> None:
    peer = engine.Peer(python, core)
    print("PyRadiomics {} with NumPy {}, SimpleITK {}".format(*peer.versions))  # type: ignore[misc]
    for job in ("filters", "resample-filters"):
        print()
        print(f"Job: {job}")
        print()
        print(
            f"| case | PyRadiomics, ms | {' | '.join(f'{name}, ms (ratios)' for name in sets)} | largest relative difference |"
        )
        print("| --- | --- |" + " --- |" * len(sets) + " --- |")
        parameters = {**engine.JOBS[job], "featureClass": dict.fromkeys(engine.PARTS["all"])}
        for case in CASES:
            results = engine.measure_case(case, parameters, data, peer, repeats, 5, sets)
            shown = [f"{r['ours']:.1f} ({r['ratio']:.0f}; {r['ratio of minima']:.0f})" for r in results.values()]
            difference = max(r["difference"] for r in results.values())
            theirs = results[sets[0]]["theirs"]
            print(f"| {case} | {theirs:.0f} | {' | '.join(shown)} | {difference:.1e} |", flush=True)
    print()


GROWTH = r"""
import resource, sys
import numpy as np
from isthmus.filters import parse_filter, response_maps
from isthmus.image import Geometry, Image
shape = (1000, 512, 512)
image = Image(np.ones(shape, np.int16), Geometry(shape, (1.0, 0.7, 0.7)))
size = (17, 25, 25)
box = tuple(slice(n // 2, n // 2 + s) for n, s in zip(shape, size))
settings = parse_filter(eval(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in response_maps(image, box, settings):
    pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def memory_table() -> None:
    """Growth of the peak of a process that holds the image, filter by filter."""
    print("| filter | growth of the peak, MiB (image: 500 MiB) |")
    print("| --- | --- |")
    chosen: list[Any] = [{"name": "recursive_log", "sigma_mm": (sigma,)} for sigma in SIGMAS]
    chosen += ["stationary_wavelet", "square", "square_root", "logarithm", "exponential", "gradient"]
    for given in chosen:
        answer = subprocess.run([sys.executable, "-c", GROWTH, repr(given)], check=True, capture_output=True, text=True)
        label = given if isinstance(given, str) else f"{given['name']} {given['sigma_mm'][0]:g} mm"
        print(f"| {label} | {math.ceil(float(answer.stdout))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", help="python of an environment that has PyRadiomics 3.0.1")
    parser.add_argument("--memory", action="store_true", help="only the memory of a small lesion in a large CT")
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("ISTHMUS_DATA", engine.ROOT.parent / "shared" / "data")
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs of the peer")
    parser.add_argument("--core", type=int, default=0)
    arguments = parser.parse_args()
    os.environ.update(engine.ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})

    import numpy as np
    import pywt
    import SimpleITK

    from isthmus import _core

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    print(
        f"{datetime.date.today()}; {engine.machine()}; one core; Python {platform.python_version()}, NumPy {np.__version__}"
    )
    print(f"SimpleITK {SimpleITK.Version_VersionString()}, PyWavelets {pywt.__version__}")
    print()
    if arguments.memory:
        memory_table()
        return
    data, sets = Path(arguments.data), _core.instruction_sets()
    filters_table(data, arguments.repeats, sets)
    if arguments.pyradiomics:
        job_table(data, max(1, arguments.repeats // 2), sets, arguments.pyradiomics, arguments.core)


if __name__ == "__main__":
    main()
