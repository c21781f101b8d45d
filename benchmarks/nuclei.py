"""How good the classical segmenter is on labelled tiles, beside Otsu and a watershed; how fast nuclei are found and measured.

python benchmarks/nuclei.py quality DATA     tables of docs/evidence/pathology.md
python benchmarks/nuclei.py features [PYTHON]   28 features against scikit-image (an interpreter that has it), same nuclei
python benchmarks/nuclei.py slide MEGAPIXELS    a synthetic slide: megapixels per second of one core, memory
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from isthmus import _core
from isthmus.pathology import calibrate, compare_nuclei, density, features_of_labels, segment_nuclei
from isthmus.pathology.tissue import grey, otsu

_PEER = """
import sys, time, numpy as np
from skimage.measure import regionprops
from skimage.feature import graycomatrix, graycoprops
saved = np.load(sys.argv[1]); labels, image = saved["labels"], saved["image"]
start = time.process_time()
for region in regionprops(labels, intensity_image=image):
    region.area, region.area_bbox, region.eccentricity, region.extent, region.axis_major_length, region.axis_minor_length
    region.perimeter, region.solidity, region.equivalent_diameter_area, region.intensity_mean, region.intensity_max, region.intensity_min
    values = image[region.slice][region.image].astype(float); values.std(); np.histogram(values, 256)
    levels = np.where(region.image, image[region.slice] // 32, 0).astype(np.uint8)
    matrix = graycomatrix(levels, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], levels=8, symmetric=True, normed=True)
    [graycoprops(matrix, name).mean() for name in ("contrast", "homogeneity", "energy", "correlation")]
print(time.process_time() - start)
"""


def baseline(rgb: np.ndarray) -> np.ndarray:
    """Otsu on brightness, opening, holes filled, watershed of the distances (summits of one pixel at least)."""
    dark = 255 - grey(rgb)
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(dark > otsu(dark), iterations=2))
    distance = ndimage.distance_transform_edt(mask).astype(np.float32)
    return _core.basins(distance, mask, 1.0, 0.0)


def ours(rgb: np.ndarray) -> np.ndarray:
    plane = density(rgb)
    return segment_nuclei(plane, calibrate([plane]))


def quality(data: Path) -> None:
    from PIL import Image

    index = pd.read_csv(data / "pathology" / "nuclei" / "index.csv")
    rows, spent, pixels = [], 0.0, 0
    for number, tile in enumerate(index["tile"]):
        rgb = np.asarray(Image.open(data / "pathology" / "nuclei" / "images" / f"{tile}.png").convert("RGB"))
        labels = np.asarray(Image.open(data / "pathology" / "nuclei" / "labels" / f"{tile}.png")).astype(np.int32)
        for name, method in (("default", ours), ("Otsu + watershed", baseline)):
            start = time.process_time()
            found = compare_nuclei(labels, method(rgb))
            if name == "default":
                spent, pixels = spent + time.process_time() - start, pixels + labels.size
            rows.append(
                {"tile": tile, "half": "chosen on" if number % 2 == 0 else "reported", "method": name} | vars(found)
            )
    table = pd.DataFrame(rows)
    measures = ["dice", "f1", "panoptic_quality", "aggregated_jaccard"]
    wide = table.pivot_table(index=["half", "tile"], columns="method", values=measures, sort=False)
    print(wide.round(3).to_string())
    print(table.groupby(["half", "method"])[measures].mean().round(3).to_string())
    print(table.groupby("method")[measures].mean().round(3).to_string())
    for (half, name), part in [
        *table.groupby(["half", "method"]),
        *[(("all", n), p) for n, p in table.groupby("method")],
    ]:
        pooled = 2 * part["matched"].sum() / (part["labelled"].sum() + part["found"].sum())
        print(f"{half}, {name}: F1 of all nuclei pooled {pooled:.3f}")
    print(f"{spent / pixels * 1e6:.2f} s of CPU per megapixel")


def features(python: str | None) -> None:
    draw = np.random.default_rng(1)
    noise = ndimage.gaussian_filter(draw.standard_normal((1500, 1500)), 5)
    labels = ndimage.label(noise > 0.055)[0].astype(np.int32)
    rgb = draw.integers(40, 220, (1500, 1500, 3)).astype(np.uint8)
    start = time.process_time()
    features_of_labels(labels, rgb, 0.5)
    own = time.process_time() - start
    print(f"{labels.max()} nuclei, 28 features with stain separation: {own:.3f} s of CPU")
    if python is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "nuclei.npz", labels=labels, image=rgb[..., 0])
        answer = subprocess.run(
            [python, "-c", _PEER, str(Path(folder) / "nuclei.npz")], check=True, capture_output=True, text=True
        )
    other = float(answer.stdout)
    print(
        f"scikit-image, regionprops and a co-occurrence matrix each: {other:.3f} s of CPU, {other / own:.0f} times as long"
    )


def slide(megapixels: float) -> None:
    from isthmus.study.pathology import nuclei_to_folder, pathology_settings, slides_given
    from isthmus.synthetic.slides import SlidePlan, write_slide

    side = int(np.sqrt(megapixels * 1e6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slide.tif"
        truth = write_slide(path, SlidePlan(rows=side, columns=side))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        nuclei_to_folder(Path(folder) / "out", slides_given(path, None), pathology_settings(), workers=1)
        spent = time.process_time() - start
        found = len(pd.read_parquet(Path(folder) / "out" / "nuclei.parquet"))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{side} x {side}: {found} nuclei of {len(truth)} planted; {side**2 / 1e6 / spent:.2f} megapixels per second of CPU"
    )
    print(f"most memory {most:.0f} MiB (before: {before / 1024:.0f} MiB)")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    {"quality": lambda: quality(Path(rest[0])), "features": lambda: features(rest[0] if rest else None),
     "slide": lambda: slide(float(rest[0]))}[what]()  # fmt: skip
