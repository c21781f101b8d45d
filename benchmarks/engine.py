"""How much faster than PyRadiomics: arrays in memory in, numbers out; all features or a part of them.

`--job original`: the 107 features of the unfiltered image. `filters`: those, and 93 of each of 5 LoG and 8 wavelet images (1,316).
`resample`: to 1 mm by cubic splines, then 107. `resample-filters`: to 1 mm, then 1,316.

Both engines are pinned to one core, run in turn in the same minutes, and are timed by their own CPU time. Reported are medians, the
ratio of the medians, and the largest relative difference between the values; with `--instructions all` once for every
instruction set of this machine.

    python benchmarks/engine.py --pyradiomics VENV/bin/python --instructions all
    python benchmarks/engine.py --pyradiomics VENV/bin/python --part intensities      (the 93 of every filtered image)
    python benchmarks/engine.py --pyradiomics VENV/bin/python --part shape

The other interpreter needs PyRadiomics 3.0.1: `pip install setuptools wheel numpy versioneer`, then
`pip install --no-build-isolation pyradiomics==3.0.1`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
CASES = {
    "ibsi_ct": ("ibsi/ct_phantom/nifti/image/phantom.nii.gz", "ibsi/ct_phantom/nifti/mask/mask.nii.gz"),
    "brain1": ("pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd"),
    "sts_003_ct": ("sts/STS_003/CT_image.nii.gz", "sts/STS_003/CT_mask.nii.gz"),
    "sts_027_mr": ("sts/STS_027/MR_T1_image.nii.gz", "sts/STS_027/MR_T1_mask.nii.gz"),
    "sts_005_mr": ("sts/STS_005/MR_T1_image.nii.gz", "sts/STS_005/MR_T1_mask.nii.gz"),
}
RESAMPLED = {"setting": {"resampledPixelSpacing": [1, 1, 1]}}
FILTERED = {"imageType": {"Original": {}, "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}, "Wavelet": {}}}
JOBS: dict[str, dict[str, Any]] = {
    "original": {},
    "filters": FILTERED,
    "resample": RESAMPLED,
    "resample-filters": {**RESAMPLED, **FILTERED},
}
INTENSITIES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
PARTS = {"all": ("shape", *INTENSITIES), "intensities": INTENSITIES, "shape": ("shape",)}
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)

# What the other interpreter runs: one line in (two paths and the parameters, or "run"), one line of JSON out.
PEER = r"""
import json, logging, os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])}) if hasattr(os, "sched_setaffinity") else None
import numpy, SimpleITK, radiomics
from radiomics import featureextractor
radiomics.logger.setLevel(logging.ERROR)
SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
print(json.dumps([radiomics.__version__, numpy.__version__, SimpleITK.Version_VersionString()]), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if question != "run":
        paths, parameters = question
        image, mask = (SimpleITK.ReadImage(path) for path in paths)
        extractor = featureextractor.RadiomicsFeatureExtractor(parameters, additionalInfo=False)
        print(0, flush=True)
        continue
    start = time.process_time()
    values = extractor.execute(image, mask)
    spent = time.process_time() - start
    print(json.dumps([spent, {name: float(value) for name, value in values.items()}]), flush=True)
"""


class Peer:
    """PyRadiomics in its own interpreter, on the same core."""

    def __init__(self, python: str, core: int, program: str = PEER) -> None:
        self.process = subprocess.Popen(
            [python, "-c", program, str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        self.versions = self._answer()

    def _answer(self) -> object:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the other interpreter stopped; does it have PyRadiomics?")
        return json.loads(line)

    def ask(self, question: object) -> object:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self._answer()


def relative(value: float, expected: float) -> float:
    """Relative difference; absolute differences below 1e-12 count as none."""
    difference = abs(value - expected)
    return 0.0 if difference < 1e-12 else difference / abs(expected)


@contextmanager
def instruction_set(name: str) -> Iterator[None]:
    """The profile always takes the best set; within this block it takes the named one."""
    from isthmus import _core

    kernels = ("shape", "features", "recursive_log", "StationaryWavelet32", "StationaryWavelet64", "resample_cubic")
    with mock.patch.multiple(
        _core, **{kernel: partial(getattr(_core, kernel), instructions=name) for kernel in kernels}
    ):
        yield


def measure_case(
    name: str, parameters: dict[str, Any], data: Path, peer: Peer, repeats: int, inner: int, instructions: list[str]
) -> dict[str, dict[str, float]]:
    """Times and the largest difference of one case, by instruction set."""
    from isthmus.features import read_parameters
    from isthmus.features.profiles import pyradiomics
    from isthmus.image.io import read_image
    from isthmus.roi import read_roi

    image_path, mask_path = (data / path for path in CASES[name])
    image = read_image(image_path)
    roi = read_roi(mask_path, image, label=1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "parameters.json"
        file.write_text(json.dumps(parameters))
        settings = read_parameters(file)
    columns = [meta.column for meta in pyradiomics.columns(settings)]
    peer.ask([[str(image_path), str(mask_path)], parameters])
    ours: dict[str, list[float]] = {chosen: [] for chosen in instructions}
    found: dict[str, Any] = {}
    theirs: list[float] = []
    expected: dict[str, float] = {}
    pyradiomics.compute(image, roi, settings)
    for _ in range(repeats):
        for chosen in instructions:
            with instruction_set(chosen):
                for _ in range(inner):
                    start = time.process_time()
                    found[chosen] = pyradiomics.compute(image, roi, settings)
                    ours[chosen].append(time.process_time() - start)
        spent, expected = peer.ask("run")  # type: ignore[misc]
        theirs.append(spent)
    return {
        chosen: {
            "voxels": roi.n_voxels,
            "theirs": statistics.median(theirs) * 1e3,
            "ours": statistics.median(ours[chosen]) * 1e3,
            "ratio": statistics.median(theirs) / statistics.median(ours[chosen]),
            "ratio of minima": min(theirs) / min(ours[chosen]),
            "difference": max(
                relative(float(value), expected[column]) for column, value in zip(columns, found[chosen], strict=True)
            ),
        }
        for chosen in instructions
    }


def machine() -> str:
    """The processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", required=True, help="python of an environment that has PyRadiomics 3.0.1")
    parser.add_argument("--data", type=Path, default=os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--job", choices=JOBS, default="original")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["brain1", "ibsi_ct", "sts_027_mr", "sts_003_ct"])
    parser.add_argument("--part", choices=PARTS, default="all", help="which families; intensities: all but shape")
    parser.add_argument("--repeats", type=int, default=5, help="runs of PyRadiomics")
    parser.add_argument("--inner", type=int, default=7, help="our runs between two of theirs")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument(
        "--instructions",
        default="best",
        help="base, avx2, avx512, the best this machine runs (default), or all of them",
    )
    arguments = parser.parse_args()
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})

    import numpy as np

    from isthmus import _core

    parameters = {**JOBS[arguments.job], "featureClass": dict.fromkeys(PARTS[arguments.part])}
    peer = Peer(arguments.pyradiomics, arguments.core)
    radiomics, their_numpy, their_itk = peer.versions  # type: ignore[misc]
    print(f"{datetime.date.today()}; {machine()}; one core; Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"PyRadiomics {radiomics} with NumPy {their_numpy}, SimpleITK {their_itk}")
    print()
    available = _core.instruction_sets()
    instructions = available if arguments.instructions == "all" else [arguments.instructions]
    if unknown := set(instructions) - {"best", *available}:
        parser.error(f"--instructions {unknown.pop()}: this machine has {', '.join(available)}")
    results = {
        name: measure_case(
            name, parameters, Path(arguments.data), peer, arguments.repeats, arguments.inner, instructions
        )
        for name in arguments.cases
    }
    for chosen in instructions:
        print(f"Instruction set: {chosen}{f' ({available[-1]})' if chosen == 'best' else ''}")
        print()
        print("| case | ROI voxels | PyRadiomics, ms | Isthmus, ms | ratio | largest relative difference |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, by_set in results.items():
            r = by_set[chosen]
            print(
                f"| {name} | {r['voxels']:,} | {r['theirs']:.0f} | {r['ours']:.2f} | {r['ratio']:.0f} | {r['difference']:.1e} |"
            )
        print()


if __name__ == "__main__":
    main()
