"""A lesion from supervoxels to iTED with intervals, and how much faster its features are than PyRadiomics' of each supervoxel.

Both engines get the same supervoxels in memory, cropped to the lesion, and run on one core by their own CPU time, in turn; every value is
compared.

    python benchmarks/heterogeneity.py --pyradiomics VENV/bin/python

The other interpreter is that of `engine.py`. Without it only the own times are measured.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from isthmus.habitat import NAMES, Supervoxels, cut, ited, measure_supervoxels
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.roi import Roi

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)

PEER = r"""
import sys, time, logging
import numpy as np, SimpleITK as sitk
from radiomics import featureextractor
logging.getLogger("radiomics").setLevel(logging.ERROR)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
given = np.load(sys.argv[1])
image, labels = sitk.GetImageFromArray(given["values"]), sitk.GetImageFromArray(given["labels"])
for one in (image, labels):
    one.SetSpacing([float(s) for s in given["spacing"][::-1]])
extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25, additionalInfo=False)
extractor.disableAllFeatures()
for family in ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
    extractor.enableFeatureClassByName(family)
names, rows = [str(n) for n in given["names"]], []
start = time.process_time()
for label in range(1, int(given["labels"].max()) + 1):
    found = extractor.execute(image, labels, label=label)
    rows.append([float(found["original_" + name]) for name in names])
seconds = time.process_time() - start
np.savez(sys.argv[2], seconds=seconds, values=np.array(rows))
"""


def lesion(millilitres: float, seed: int = 1) -> tuple[Image, Roi]:
    """A ball of two tissues with texture and noise in voxels of 2.5 x 0.8 x 0.8 mm."""
    spacing = (2.5, 0.8, 0.8)
    radius = (millilitres * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    k_size, j_size, i_size = (int(2 * radius / s) + 6 for s in spacing)
    shape = (k_size, j_size, i_size)
    rng = np.random.default_rng(seed)
    at = [(x - (n - 1) / 2) * s for x, n, s in zip(np.indices(shape), shape, spacing, strict=True)]
    texture = gaussian_filter(rng.normal(0, 1, shape), (1, 2, 2))
    values = 60 + 15 * texture / texture.std() + 40 * (at[2] > 0) + rng.normal(0, 8, shape)
    geometry = Geometry(shape, spacing)
    inside = sum(x**2 for x in at) < radius**2
    return Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(inside, geometry)


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def peer(python: str, pieces: Supervoxels) -> tuple[float, np.ndarray]:
    """PyRadiomics' CPU time for all supervoxels, one after the other, and its values."""
    with tempfile.TemporaryDirectory() as folder:
        script, given, found = (Path(folder) / name for name in ("peer.py", "given.npz", "found.npz"))
        script.write_text(PEER, encoding="utf-8")
        np.savez(
            given,
            values=pieces.image.values,
            labels=pieces.labels,
            spacing=pieces.geometry.spacing_mm,
            names=np.array(NAMES),
        )
        subprocess.run(
            [python, script, given, found], check=True, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL
        )
        with np.load(found) as result:
            return float(result["seconds"]), result["values"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument("--volumes", type=float, nargs="+", default=[5.0, 30.0], help="of the lesions, ml")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(
        f"{datetime.date.today()}, {platform.processor() or platform.machine()}, Python {platform.python_version()}\n"
    )
    print(
        "| ml | supervoxels | cut, s | 93 features, s | iTED, 1000 resamples, s | PyRadiomics, s | times faster | largest difference |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for volume in args.volumes:
        image, roi = lesion(volume)
        pieces = cut(image, roi)
        table = measure_supervoxels(pieces, patient="bench")
        cutting = seconds(lambda i=image, r=roi: cut(i, r), args.repeats)
        before = seconds(lambda p=pieces: measure_supervoxels(p), args.repeats)
        dispersing = seconds(lambda t=table: ited(t), 1)
        others = ("", "", "")
        if args.pyradiomics:
            taken, values = peer(args.pyradiomics, pieces)
            own = statistics.mean([before, seconds(lambda p=pieces: measure_supervoxels(p), args.repeats)])
            far = np.abs(table.values - values) / np.maximum(np.abs(values), 1e-6)
            others = (f"{taken:.2f}", f"{taken / own:.0f}", f"{np.nanmax(far):.1e}")
        print(
            f"| {volume:g} | {pieces.count} | {cutting:.3f} | {before:.4f} | {dispersing:.2f} | {' | '.join(others)} |"
        )


if __name__ == "__main__":
    main()
