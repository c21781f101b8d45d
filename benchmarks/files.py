"""How much faster than PyRadiomics from compressed files on disk: paths in, all 107 features out.

PyRadiomics is given the paths, and reads them with SimpleITK. Both engines are pinned to one core, run in turn in the same minutes, and are
timed by their own CPU time. Reported are medians, the ratio of the medians, where our time goes, and the largest relative difference
between the values.

    python benchmarks/files.py --pyradiomics VENV/bin/python

With `--scaling cases.csv` instead: cases per minute of `isthmus extract --cases` with one worker and with two, in turn.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import ONE_THREAD, Peer, machine, relative

ROOT = Path(__file__).resolve().parents[1]
CASES = {
    "brain1": ("pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd"),
    "ibsi_ct": ("ibsi/ct_phantom/nifti/image/phantom.nii.gz", "ibsi/ct_phantom/nifti/mask/mask.nii.gz"),
    "sts_027_mr": ("sts/STS_027/MR_T1_image.nii.gz", "sts/STS_027/MR_T1_mask.nii.gz"),
}

# What the other interpreter runs: one line in (two paths), one line of JSON out.
PEER = r"""
import json, logging, os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])}) if hasattr(os, "sched_setaffinity") else None
import numpy, SimpleITK, radiomics
from radiomics import featureextractor
radiomics.logger.setLevel(logging.ERROR)
SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
print(json.dumps([radiomics.__version__, numpy.__version__, SimpleITK.Version_VersionString()]), flush=True)
extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, binWidth=25, label=1)
for line in sys.stdin:
    image, mask = json.loads(line)
    start = time.process_time()
    values = extractor.execute(image, mask)
    spent = time.process_time() - start
    print(json.dumps([spent, {name: float(value) for name, value in values.items()}]), flush=True)
"""


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of CPU time, and the result."""
    start = time.process_time()
    result = work()
    return (time.process_time() - start) * 1e3, result


def measure(name: str, data: Path, peer: Peer, repeats: int, inner: int) -> dict[str, float]:
    """Times of one case and the largest difference."""
    from isthmus.features.profiles import pyradiomics
    from isthmus.image.io import read_image
    from isthmus.roi import read_roi

    image_path, mask_path = (data / path for path in CASES[name])
    settings = pyradiomics.Settings()
    columns = [meta.column for meta in pyradiomics.columns(settings)]
    ours: list[tuple[float, float, float]] = []
    theirs: list[float] = []
    for turn in range(repeats + 1):
        for _ in range(inner):
            reading, image = timed(lambda: read_image(image_path))
            masking, roi = timed(lambda image=image: read_roi(mask_path, image, label=1))
            computing, values = timed(lambda image=image, roi=roi: pyradiomics.compute(image, roi, settings))
            if turn:  # the first turn warms both up
                ours.append((reading, masking, computing))
        spent, expected = peer.ask([str(image_path), str(mask_path)])  # type: ignore[misc]
        if turn:
            theirs.append(spent * 1e3)
    total = statistics.median(sum(parts) for parts in ours)
    return {
        "voxels": roi.n_voxels,
        "theirs": statistics.median(theirs),
        "image": statistics.median(parts[0] for parts in ours),
        "mask": statistics.median(parts[1] for parts in ours),
        "features": statistics.median(parts[2] for parts in ours),
        "ours": total,
        "ratio": statistics.median(theirs) / total,
        "difference": max(relative(float(v), expected[column]) for column, v in zip(columns, values, strict=True)),
    }


def scaling(cases: Path, repeats: int) -> None:
    """Cases per minute with one worker and with two, and the processor time the machine gave to others meanwhile."""
    n_cases = sum(1 for line in cases.read_text(encoding="utf-8").splitlines() if line) - 1
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for workers in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                out = str(Path(folder) / "features.csv")
                command = [
                    sys.executable,
                    "-m",
                    "isthmus",
                    "extract",
                    "--cases",
                    str(cases),
                    "--out",
                    out,
                    "--workers",
                    str(workers),
                ]
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                rates[workers].append(60 * n_cases / (time.perf_counter() - start))
    best = {workers: max(found) for workers, found in rates.items()}
    print(f"{datetime.date.today()}; {machine()}; {n_cases} cases; load {os.getloadavg()[0]:.1f} at the end")
    for workers, found in rates.items():
        print(
            f"{workers} worker(s): {', '.join(f'{rate:.0f}' for rate in found)} cases per minute, at best {best[workers]:.0f}"
        )
    print(f"two against one: {best[2] / best[1]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", help="python of an environment that has PyRadiomics 3.0.1")
    parser.add_argument("--data", type=Path, default=os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--repeats", type=int, default=5, help="runs of PyRadiomics")
    parser.add_argument("--inner", type=int, default=7, help="our runs between two of theirs")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--scaling", type=Path, help="a case table: measure one worker against two instead")
    arguments = parser.parse_args()
    os.environ.update(ONE_THREAD)
    if arguments.scaling:
        scaling(arguments.scaling, arguments.repeats)
        return
    if arguments.pyradiomics is None:
        parser.error("--pyradiomics or --scaling is needed")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})

    import numpy as np

    from isthmus.image.io import inflate

    peer = Peer(arguments.pyradiomics, arguments.core, program=PEER)
    radiomics, their_numpy, their_itk = peer.versions  # type: ignore[misc]
    print(f"{datetime.date.today()}; {machine()}; one core; Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"PyRadiomics {radiomics} with NumPy {their_numpy}, SimpleITK {their_itk}")
    print(f"Streams unpacked by {'zlib' if inflate._libdeflate is None else 'libdeflate'}")
    print()
    print(
        "| case | ROI voxels | PyRadiomics, ms | Isthmus, ms | of it image, mask, features | ratio | largest relative difference |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in arguments.cases:
        r = measure(name, Path(arguments.data), peer, arguments.repeats, arguments.inner)
        print(
            f"| {name} | {r['voxels']:,} | {r['theirs']:.0f} | {r['ours']:.1f} | "
            f"{r['image']:.1f}, {r['mask']:.1f}, {r['features']:.1f} | {r['ratio']:.0f} | {r['difference']:.1e} |"
        )


if __name__ == "__main__":
    main()
