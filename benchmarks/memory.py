"""How much memory the engine takes beyond the image and the mask, and how its time grows with the region.

Every job runs in a process of its own: it reads or makes the image, does the job once on a tiny image (so that modules and the
interpreter's own tables are there), forgets the peak, does the job, and reads the peak of its resident memory again. The figure to
look at is the growth in bytes per voxel of the region's bounding box, and that it does not grow with the image around it.

    python benchmarks/memory.py                        (all jobs on all cases, Linux only)
    python benchmarks/memory.py --growth 7             (CPU time per voxel of regions of 1e3 to 1e7 voxels)
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import json
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine import CASES as FILES
from isthmus.errors import UndefinedFeatureWarning
from isthmus.features.maps import KernelSettings, feature_maps
from isthmus.features.profiles import ibsi, pyradiomics
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

ROOT = Path(__file__).resolve().parents[1]
LESION = "lesion"  # 5 ml in a CT of 512 x 512 x 1000 voxels
CASES = ("ibsi_ct", "sts_027_mr", LESION)
LOG_AND_WAVELET = ("none", {"name": "recursive_log", "sigma_mm": (1, 2, 3, 4, 5)}, "stationary_wavelet")

Job = Callable[[Image, Roi], Any]


def maps(image: Image, roi: Roi) -> None:
    settings = pyradiomics.Settings(families=("firstorder", "glcm"), bin_width=bin_width(image, roi))
    for _ in feature_maps(image, roi, settings, KernelSettings()):
        pass


def original(image: Image, roi: Roi) -> None:
    pyradiomics.compute(image, roi, pyradiomics.Settings(bin_width=bin_width(image, roi)))


def filtered(image: Image, roi: Roi) -> None:
    pyradiomics.compute(image, roi, pyradiomics.Settings(filters=LOG_AND_WAVELET, bin_width=bin_width(image, roi)))


def every_type(image: Image, roi: Roi) -> None:
    pointwise = ("square", "square_root", "logarithm", "exponential", "gradient", "lbp2d", "lbp3d")
    settings = pyradiomics.Settings(filters=(*LOG_AND_WAVELET, *pointwise), bin_width=bin_width(image, roi))
    pyradiomics.compute(image, roi, settings)


def convolved(image: Image, roi: Roi) -> None:
    filters = (
        {"name": "mean", "support": 5},
        {"name": "log", "sigma_mm": 3},
        {"name": "laws", "kernels": "L5E5E5"},
        {"name": "wavelet", "wavelet": "coif1", "subband": "LLH"},
    )
    ibsi.compute(image, roi, ibsi.Settings(filters=filters, families=("intensity_statistics", "glcm")))


def every_ibsi(image: Image, roi: Roi) -> None:
    ibsi.compute(image, roi, ibsi.Settings())


JOBS: dict[str, Job] = {
    "107 features": original,
    "1,316 features": filtered,
    "ibsi, all families": every_ibsi,
    "every PyRadiomics image type": every_type,
    "ibsi, mean, LoG, Laws, wavelet": convolved,
    "42 voxel maps": maps,
}


def bin_width(image: Image, roi: Roi) -> float:
    """25, or a thirty-second of the region's range where that is wider."""
    inside = image.values[roi.mask]
    return max(25.0, float(np.ptp(inside)) / 32)


def ball(voxels: int, dtype: type = np.int16) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Textured intensities and a ball of about so many voxels in its box."""
    radius = (voxels * 3 / 4 / np.pi) ** (1 / 3)
    n = int(radius) + 1
    k, j, i = np.ogrid[-n : n + 1, -n : n + 1, -n : n + 1]
    mask = k * k + j * j + i * i <= radius * radius
    rng = np.random.default_rng(1)
    values = rng.normal(0, 60, mask.shape)
    for axis in range(3):  # neighbours alike, as in tissue
        values += np.roll(values, 1, axis)
    return values.astype(dtype), mask


def read(case: str) -> tuple[Image, Roi]:
    if case != LESION:
        from isthmus.image.io import read_image
        from isthmus.roi import read_roi

        image = read_image(data() / FILES[case][0])
        return image, read_roi(data() / FILES[case][1], image)
    shape = (1000, 512, 512)
    values, mask = np.full(shape, -1000, np.int16), np.zeros(shape, bool)
    inner, region = ball(10_000)
    place = tuple(slice(n // 2, n // 2 + m) for n, m in zip(shape, inner.shape, strict=True))
    values[place], mask[place] = inner, region
    geometry = Geometry(shape, (0.79, 0.79, 0.79))
    return Image(values, geometry, "HU"), Roi(mask, geometry)


def data() -> Path:
    return Path(os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared" / "data"))


def resident(field: str) -> int:
    """VmRSS or VmHWM of this process, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status: this benchmark needs Linux")


def child(job: str, case: str) -> None:
    """One measurement, printed as JSON."""
    image, roi = read(case)
    geometry = Geometry((12, 12, 12), (1, 1, 1))
    values, mask = ball(300)
    tiny = tuple(slice(0, n) for n in values.shape)
    small, region = np.zeros(geometry.shape, image.values.dtype), np.zeros(geometry.shape, bool)
    small[tiny], region[tiny] = values, mask
    JOBS[job](Image(small, geometry, image.quantity), Roi(region, geometry))
    box = np.argwhere(roi.mask)
    extent = box.max(axis=0) - box.min(axis=0) + 1
    n_voxels = len(box)
    del box
    ctypes.CDLL(None).malloc_trim(0)  # what reading left to the allocator does not count as there already
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before, start = resident("VmRSS"), time.process_time()
    JOBS[job](image, roi)
    seconds = time.process_time() - start
    print(
        json.dumps(
            {
                "voxels": n_voxels,
                "box": int(extent.prod()),
                "image": image.values.nbytes,
                "growth": resident("VmHWM") - before,
                "seconds": seconds,
            }
        )
    )


def table(cases: list[str], jobs: list[str]) -> None:
    print("| case | job | image, MB | ROI voxels | box voxels | growth, MB | bytes per box voxel | CPU, s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for case in cases:
        for job in jobs:
            command = [sys.executable, __file__, "--job", job, "--cases", case]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{case}, {job}:\n{done.stderr}")
            m = json.loads(done.stdout.splitlines()[-1])
            print(
                f"| {case} | {job} | {m['image'] / 1e6:.1f} | {m['voxels']:,} | {m['box']:,} | {m['growth'] / 1e6:.1f} "
                f"| {m['growth'] / m['box']:.0f} | {m['seconds']:.3f} |",
                flush=True,
            )


def growth(exponent: int) -> None:
    """CPU time of the 93 features of one map (no shape) and of IBSI's textures, in ns per voxel of the region."""
    families = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
    print("| ROI voxels | 93 features, ns per voxel | ibsi textures (3-D), ns per voxel |")
    print("| --- | --- | --- |")
    for power in range(3, exponent + 1):
        values, mask = ball(10**power)
        geometry = Geometry(values.shape, (1, 1, 1))
        image, roi, n = Image(values, geometry), Roi(mask, geometry), int(mask.sum())
        textures = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
        per_voxel = [
            fastest(profile, image, roi, settings, 3 if power > 5 else 9) / n
            for profile, settings in (
                (pyradiomics, pyradiomics.Settings(families=families)),
                (ibsi, ibsi.Settings(families=textures)),
            )
        ]
        print(f"| {n:,} | {per_voxel[0] * 1e9:.0f} | {per_voxel[1] * 1e9:.0f} |", flush=True)


def fastest(profile: Any, image: Image, roi: Roi, settings: Any, times: int) -> float:
    found = []
    for _ in range(times):
        start = time.process_time()
        profile.compute(image, roi, settings)
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--jobs", nargs="+", default=list(JOBS), choices=list(JOBS))
    parser.add_argument("--growth", type=int, metavar="POWER", help="regions of 10^3 to 10^POWER voxels")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    warnings.simplefilter("ignore", UndefinedFeatureWarning)
    if given.job:
        child(given.job, given.cases[0])
        return
    print(
        f"{datetime.date.today()}; {platform.machine()}; Python {platform.python_version()}, NumPy {np.__version__}\n"
    )
    if given.growth:
        growth(given.growth)
    else:
        table(given.cases, given.jobs)


if __name__ == "__main__":
    main()
