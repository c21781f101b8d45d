"""Masks grown from a few clicks beside drawn ones: `docs/evidence/semi-automatic-masks.md`.

    python benchmarks/semi_automatic_masks.py sts OUT       the 26 MR T1 lesions of $ISTHMUS_DATA or ../shared/data
    python benchmarks/semi_automatic_masks.py lesions OUT   synthetic lesions

writes one folder of masks a method, and `<method>_moved`, from clicks moved by up to 5 mm; `isthmus segment assess` compares the folders.

The rule for the clicks, made from the drawn mask because nobody clicked: inside, the deepest voxel, then four times the voxel at least
4 mm deep that is farthest from those before (fewer in a thin lesion); outside, eight voxels 8 to 12 mm from the lesion, each farthest
from those before, the first nearest to the first click. The box: the lesion's with 12 mm around it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from isthmus.image.box import bounding_box, widened
from isthmus.image.image import Image
from isthmus.image.io import from_array, read_image, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import write_origin
from isthmus.roi.read import read_roi
from isthmus.segment import Seeds, compare_masks, grow_recorded

METHODS = ("growcut", "geodesic", "chan_vese", "region", "confidence", "threshold")
MOVED = ("growcut", "geodesic")  # repeated from other clicks
INSIDE, OUTSIDE = 5, 8


def clicks(mask: np.ndarray, spacing: tuple[float, ...], *, moved: int | None = None) -> Seeds:
    """By the rule above; `moved`: the seed of a random step of up to 5 mm that stays in the lesion, or between 6 and 14 mm outside."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    away = ndimage.distance_transform_edt(~mask, sampling=spacing)
    first = np.array(np.unravel_index(depth.argmax(), mask.shape))
    inside = _apart([first], np.argwhere(depth >= min(4.0, depth.max())), INSIDE, spacing)
    around = np.argwhere((away >= 8) & (away <= 12))
    nearest = around[np.linalg.norm((around - first) * spacing, axis=1).argmin()]
    outside = _apart([nearest], around, OUTSIDE, spacing)
    if moved is not None:
        draw = np.random.default_rng(moved)
        inside = [_stepped(place, mask, spacing, draw) for place in inside]
        outside = [_stepped(place, (away >= 6) & (away <= 14), spacing, draw) for place in outside]
    return Seeds.at_voxels([p.tolist() for p in inside], [p.tolist() for p in outside])


def _apart(chosen: list[np.ndarray], places: np.ndarray, count: int, spacing: tuple[float, ...]) -> list[np.ndarray]:
    while len(chosen) < count:
        distances = np.min([np.linalg.norm((places - one) * spacing, axis=1) for one in chosen], axis=0)
        if distances.max() < 3:
            break
        chosen.append(places[distances.argmax()])
    return chosen


def _stepped(place: np.ndarray, where: np.ndarray, spacing: tuple[float, ...], draw: np.random.Generator) -> np.ndarray:
    for _ in range(100):
        step = draw.normal(size=3)
        step *= 5 * draw.random() ** (1 / 3) / np.linalg.norm(step)
        new = np.round(place + step / spacing).astype(int)
        if (new >= 0).all() and (new < where.shape).all() and where[tuple(new)]:
            return new
    return place


def run(name: str, image: Image, mask: np.ndarray, out: Path) -> None:
    spacing = image.geometry.spacing_mm
    tight = bounding_box(mask)
    assert tight is not None
    k, j, i = (int(np.ceil(12 / step)) for step in spacing)
    box = widened(tight, (k, j, i), mask.shape)[0]
    for method in METHODS:
        for moved in (None, 7) if method in MOVED else (None,):
            started = time.process_time()
            seeds = clicks(mask, spacing, moved=moved)
            found, origin = grow_recorded(image, seeds, method=method, box=box, denoise_mm=1.0)
            path = out / (method if moved is None else f"{method}_moved") / f"{name}.nii.gz"
            write_labels(LabelImage(found.astype(np.uint8), image.geometry), path)
            write_origin(origin, path)
            dice = compare_masks(mask, found, spacing).dice
            print(f"{name} {path.parent.name}: Dice {dice:.3f}, {time.process_time() - started:.1f} s", flush=True)
    write_labels(LabelImage(mask.astype(np.uint8), image.geometry), out / "drawn" / f"{name}.nii.gz")
    write_image(image, out / "images" / f"{name}.nii.gz")


def lesions(count: int = 12) -> list[tuple[str, Image, np.ndarray]]:
    """Lobulated lesions, 60 against 20 in tissue whose values vary by 8 over some 6 mm, noise 12; slices of 1 to 3 mm, pixels of 0.8."""
    found = []
    for number in range(count):
        draw = np.random.default_rng(100 + number)
        spacing = (float(draw.choice([1.0, 2.0, 3.0])), 0.8, 0.8)
        shape = (int(66 / spacing[0]), 80, 80)
        places = (np.indices(shape).T * spacing).T - ((np.array(shape) - 1) * spacing / 2)[:, None, None, None]
        radius = draw.uniform(8, 16, 3)
        field = ndimage.gaussian_filter(draw.normal(size=shape), [4 / s for s in spacing])
        mask = ((places / radius[:, None, None, None]) ** 2).sum(0) + 0.5 * field / field.std() <= 1
        mask = ndimage.binary_opening(mask, iterations=1)
        labels, _ = ndimage.label(mask)
        mask = labels == labels[tuple(n // 2 for n in shape)]
        tissue = ndimage.gaussian_filter(draw.normal(size=shape), [3 / s for s in spacing])
        values = 20 + 40 * ndimage.gaussian_filter(mask.astype(float), [0.8 / s for s in spacing])
        values += 8 * tissue / tissue.std() + draw.normal(0, 12, shape)
        found.append((f"lesion_{number:02d}", from_array(values.astype(np.float32), spacing), mask))
    return found


def main(arguments: list[str]) -> None:
    if arguments[0] == "lesions":
        for name, image, mask in lesions():
            run(name, image, mask, Path(arguments[1]))
        return
    data = Path(os.environ.get("ISTHMUS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    for folder in sorted((data / "sts").glob("STS_*")):
        image = read_image(folder / "MR_T1_image.nii.gz")
        run(folder.name, image, read_roi(folder / "MR_T1_mask.nii.gz", image).mask, Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
