"""How much faster than PyRadiomics: feature maps, and many regions of one label map; arrays in memory in, numbers out.

Both engines are pinned to one core and timed by their own CPU time, ours before and after the other. Every voxel of every map is
compared.

    python benchmarks/maps.py --pyradiomics VENV/bin/python

The other interpreter is that of `engine.py`.
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
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import UndefinedFeatureWarning
from isthmus.features import measure_labels
from isthmus.features.maps import maps
from isthmus.features.profiles import pyradiomics
from isthmus.image import Image
from isthmus.image.io import read_image
from isthmus.roi import Roi, read_roi

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ["firstorder", "glcm"]
ALL = [*FAMILIES, "glrlm", "glszm", "gldm", "ngtdm"]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)

# What the other interpreter runs: a job as JSON in, CPU seconds out, values into a file.
PEER = r"""
import json, logging, os, sys, time, warnings
job = json.loads(sys.argv[1])
os.sched_setaffinity(0, {job["core"]}) if hasattr(os, "sched_setaffinity") else None
import numpy, SimpleITK, radiomics
from radiomics import featureextractor
warnings.simplefilter("ignore")
radiomics.logger.setLevel(logging.CRITICAL)
SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, binWidth=25, **job["settings"])
image = SimpleITK.GetImageFromArray(numpy.load(job["image"]))
mask = SimpleITK.GetImageFromArray(numpy.load(job["mask"]))
for grid in (image, mask):
    grid.SetSpacing(job["spacing"])
if job["labels"]:
    extractor.execute(image, mask, label=job["labels"][0])
    start = time.process_time()
    rows = [list(map(float, extractor.execute(image, mask, label=label).values())) for label in job["labels"]]
    spent = time.process_time() - start
    numpy.save(job["out"], rows)
else:
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(**job["features"])
    start = time.process_time()
    made = extractor.execute(image, mask, voxelBased=True)
    spent = time.process_time() - start
    numpy.savez(job["out"], **{name: SimpleITK.GetArrayFromImage(x) for name, x in made.items()})
print(json.dumps(spent))
"""


def ask(python: str, image: Image, mask: NDArray[Any], **job: Any) -> tuple[float, Any]:
    """CPU seconds of PyRadiomics, and its values."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/image.npy", image.values)
        np.save(f"{folder}/mask.npy", mask.astype(np.int32))
        spacing = list(image.geometry.spacing_mm[::-1])
        out = f"{folder}/out.{'npy' if job.get('labels') else 'npz'}"
        whole = {"labels": [], "features": {}, "image": f"{folder}/image.npy", "mask": f"{folder}/mask.npy", "out": out}
        told = json.dumps({**whole, "spacing": spacing, "core": core(), **job})
        done = subprocess.run(
            [python, "-c", PEER, told], check=True, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}
        )
        found = np.load(out)
        return json.loads(done.stdout), found if job.get("labels") else dict(found)


def core() -> int:
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def timed(function: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        found = function()
        spent.append(time.process_time() - start)
    return spent, found


def load(data: Path, case: str) -> tuple[Image, Roi]:
    """A lesion in the box around it, as much image as any kernel reaches."""
    image = read_image(data / f"pyradiomics/{case}_image.nrrd")
    roi = read_roi(data / f"pyradiomics/{case}_label.nrrd", image)
    low, high, _ = _core.bounding_box(roi.mask)
    box = tuple(slice(max(a - 5, 0), min(b + 5, n)) for a, b, n in zip(low, high, roi.mask.shape, strict=True))
    geometry = image.geometry.part(box)  # type: ignore[arg-type]
    return Image(np.ascontiguousarray(image.values[box]), geometry), Roi(np.ascontiguousarray(roi.mask[box]), geometry)


def largest_difference(ours: dict[str, Image], theirs: dict[str, NDArray[Any]]) -> float:
    """Over all voxels of all maps, relative to the value or a millionth of the map's largest; NaN must meet NaN. PyRadiomics' MCC is
    left out where it failed (a map of zeros)."""
    worst = 0.0
    for name, image in ours.items():
        a, b = image.values, theirs[name]
        if name.endswith("MCC") and not b.any():
            continue
        if (np.isnan(a) != np.isnan(b)).any():
            return float("inf")
        scale = np.maximum(np.abs(b), 1e-6 * np.nanmax(np.abs(b)))
        with np.errstate(invalid="ignore", divide="ignore"):
            worst = max(worst, float(np.nanmax(np.where(a == b, 0, np.abs(a - b) / scale))))
    return worst


def map_rows(data: Path, python: str, instructions: list[str], cases: list[str]) -> list[str]:
    rows = []
    for case in cases:
        image, roi = load(data, case)
        for radius in (1, 2):
            for title, families, without in (
                ("first order + GLCM", FAMILIES, ()),
                ("the same without MCC", FAMILIES, ("MCC",)),
                ("all 93", ALL, ()),
            ):
                names = {f: [n for n in _core.feature_names(f) if n not in without] for f in families}
                features = [f"{family}_{name}" for family in families for name in names[family]]
                run = partial(maps, image, roi, features=features, kernel_radius=radius, grid="region")
                spent: dict[str, list[float]] = {}
                for chosen in instructions:
                    spent[chosen], found = with_set(chosen, run)
                theirs, expected = ask(python, image, roi.mask, features=names, settings={"kernelRadius": radius})
                for chosen in instructions:
                    spent[chosen] += with_set(chosen, run)[0]
                difference = largest_difference(found, expected)
                for chosen in instructions:
                    ours = statistics.median(spent[chosen])
                    rows.append(
                        f"| {case} ({roi.n_voxels}) | {radius} | {title} | {chosen} | {theirs:.2f} | {ours * 1e3:.1f} | "
                        f"{ours / roi.n_voxels * 1e6:.1f} | {theirs / ours:.0f} | {difference:.0e} |"
                    )
                    print(rows[-1], flush=True)
    return rows


def with_set(name: str, run: Callable[[], Any]) -> tuple[list[float], Any]:
    """The maps always take the best set; here they take the named one."""
    with mock.patch.object(_core, "voxel_maps", partial(_core.voxel_maps, instructions=name)):
        return timed(run, 3)


def supervoxels(data: Path, wanted: int) -> tuple[Image, NDArray[np.int32]]:
    """Blocks of 100 to 500 voxels inside the IBSI CT phantom's lesion."""
    image = read_image(data / "ibsi/ct_phantom/nifti/image/phantom.nii.gz")
    roi = read_roi(data / "ibsi/ct_phantom/nifti/mask/mask.nii.gz", image)
    k, j, i = np.indices(roi.mask.shape)
    block = ((k // 4) * 10000 + (j // 8) * 100 + i // 8 + 1) * roi.mask
    _, inverse, count = np.unique(block, return_inverse=True, return_counts=True)
    keep = (count >= 100) & (count <= 500)
    keep[0] = False
    number = np.where(keep & (np.cumsum(keep) <= wanted), np.cumsum(keep), 0)
    return image, number[inverse].reshape(block.shape).astype(np.int32)


def region_rows(data: Path, python: str, wanted: int) -> list[str]:
    image, labels = supervoxels(data, wanted)
    count = int(labels.max())
    together, found = timed(lambda: measure_labels(image, labels), 5)
    settings = pyradiomics.Settings()

    def alone() -> NDArray[np.float64]:
        regions = (Roi(labels == label, image.geometry) for label in range(1, count + 1))
        return np.array([pyradiomics.compute(image, roi, settings) for roi in regions])

    separately, again = timed(alone, 3)
    theirs, expected = ask(python, image, labels, labels=list(range(1, count + 1)), settings={})
    together += timed(lambda: measure_labels(image, labels), 5)[0]
    same = np.array_equal(found.to_numpy(), again, equal_nan=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = found.to_numpy()
        apart = np.abs(values - expected)
        difference = np.nanmax(np.where(apart < 1e-12, 0, apart / np.abs(expected)))
    each = [statistics.median(t) / count * 1e6 for t in (together, separately)] + [theirs / count * 1e6]
    sizes = np.bincount(labels.ravel())[1:]
    return [
        f"{count} regions of {sizes.min()} to {sizes.max()} voxels (mean {sizes.mean():.0f}), 107 features each, us per region:",
        "",
        "| in one call | one by one | PyRadiomics one by one | ratio | ratio to PyRadiomics |",
        "| ---: | ---: | ---: | ---: | ---: |",
        f"| {each[0]:.0f} | {each[1]:.0f} | {each[2]:.0f} | {each[1] / each[0]:.1f} | {each[2] / each[0]:.0f} |",
        "",
        f"One call gives the bits of one by one: {'yes' if same else 'NO'}; largest relative difference from PyRadiomics {difference:.0e}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", required=True, help="interpreter that has PyRadiomics 3.0.1")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared/data")))
    parser.add_argument("--instructions", default="best", help='"best", "all", or names separated by commas')
    parser.add_argument("--cases", default="brain1,breast1", help="of the maps; may be empty")
    parser.add_argument("--regions", type=int, default=300, help="supervoxels of the IBSI CT phantom")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core()})
    warnings.simplefilter("ignore", UndefinedFeatureWarning)
    sets = _core.instruction_sets() if given.instructions == "all" else given.instructions.split(",")
    print(
        f"{datetime.date.today()}; {platform.processor() or platform.machine()}; Python {sys.version.split()[0]}; one core\n"
    )
    print(
        "| case (voxels) | radius | maps | instructions | PyRadiomics s | Isthmus ms | us a voxel | ratio | largest difference |"
    )
    print("| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    map_rows(given.data, given.pyradiomics, sets, [case for case in given.cases.split(",") if case])
    print()
    print("\n".join(region_rows(given.data, given.pyradiomics, given.regions)))


if __name__ == "__main__":
    main()
