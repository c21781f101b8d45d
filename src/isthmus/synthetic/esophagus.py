"""CT of oesophageal carcinoma of low or high grade, several centres: the wall's tissue tells the grade, its thickness and length do not."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers
from isthmus.synthetic.scanner import SCANNERS, acquire, scanner_grid

__all__ = ["ESOPHAGUS_EFFECTS", "SIZES", "make_esophagus_cohort", "render_esophagus"]

ESOPHAGUS_EFFECTS = MappingProxyType({"texture": 1.8, "patches": 1.0})
"""Planted log odds ratios per standard deviation: how uneven the tumour's tissue is, and how much of it takes up little contrast."""

_SCANNERS = MappingProxyType(dict(zip("ABC", SCANNERS, strict=False)))
_REACH_MM = (22.0, 26.0, 26.0)
_FAT, _MUSCLE, _BLOOD, _BONE, _AIR = -95.0, 50.0, 170.0, 320.0, -950.0


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A", "B", "C"), train), PlantedSet("internal", ("A", "B", "C"), test))


SIZES = MappingProxyType(
    {"full": _sets((896, 896), (384, 384)), "demo": _sets((40, 40), (30, 30)), "tiny": _sets((8, 8), (3, 3))}
)
"""Patients of low and high grade. Full: 2,560 as in the study, 7 to 3; how many have which grade is ours."""


def make_esophagus_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Contrast CT around the tumour, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, high_grade (0, 1), age_years, sex, image:ct, mask:ct. Beside it `readers.csv`:
        the patients whom a second reader has drawn, too.
    """
    patients = draw_patients("esophagus", sizes, ESOPHAGUS_EFFECTS, signal=signal, seed=seed)
    patients["twice"] = drawn_twice(patients)
    table = write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*ESOPHAGUS_EFFECTS, "risk"],
        workers=workers,
    )
    write_readers(table, patients["twice"], "mask:ct")
    return table


def render_esophagus(texture: float, patches: float, axes: Axes, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """The middle of the chest in Hounsfield units, and the share of each voxel that is tumour.

    Parameters
    ----------
    texture, patches : float
        Standardised latents.
    axes : tuple of 3 arrays
        Coordinates (z, y, x), millimetres; (0, 0, 0) is the middle of the tumour.
    rng : Generator
    """
    z, y, x = np.meshgrid(*axes, indexing="ij")
    hu = _FAT + 8 * smooth_field(rng, axes, 3.0)
    aorta = (y - 15) ** 2 + (x + 13) ** 2 < 9.5**2
    spine = (y - 27) ** 2 + (x - 2) ** 2 < 14**2
    hu = np.where(spine, _BONE + 40 * smooth_field(rng, axes, 2.0), hu)
    hu = np.where(aorta, _BLOOD, hu)
    angle = np.arctan2(y, x)
    half, thick = rng.uniform(12, 17), rng.uniform(6, 9)
    uneven = sum(rng.normal(0, 0.5) / k * np.cos(k * angle + 0.12 * z + rng.uniform(0, 2 * np.pi)) for k in range(1, 5))
    inner = 2.5 + 0.6 * smooth_field(rng, axes, 6.0)
    profile = np.sqrt(np.clip(1 - (z / half) ** 2, 0, None))
    outer = inner + 2.5 + (thick + uneven) * profile
    radius = np.hypot(y, x)
    wall = _soft(outer - radius) * _soft(radius - inner)
    tissue = 78 + 10 * np.exp(0.55 * texture) * smooth_field(rng, axes, 1.8)
    dark = smooth_field(rng, axes, 2.6) < -1.1 + 0.45 * patches
    tissue = tissue - 35 * dark
    tumour = wall * (profile > 0.25)
    hu += wall * (np.where(profile > 0.25, tissue, _MUSCLE) - hu)
    hu = np.where(radius < inner, _AIR, hu)
    return hu.astype(np.float32), tumour.astype(np.float32)


def _soft(inside_mm: Any) -> Any:
    """From 0 to 1 over a millimetre at a border."""
    return np.clip(inside_mm + 0.5, 0, 1)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], _SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "esophagus scan", name))
    grid = [axis[np.abs(axis) <= reach] for axis, reach in zip(scanner_grid(scanner), _REACH_MM, strict=True)]
    fine = [np.arange(np.floor(axis[0]) - 4, np.ceil(axis[-1]) + 5, dtype=np.float32) for axis in grid]
    axes: Axes = (fine[0], fine[1], fine[2])
    hu, tumour = render_esophagus(patient["texture"], patient["patches"], axes, rng)
    scan = acquire(hu, tumour, axes, scanner, rng, (grid[0], grid[1], grid[2]))
    geometry = Geometry(shape=scan.values.shape, spacing_mm=scan.spacing_mm, origin_mm=scan.origin_mm)
    image, mask = f"images/{name}_ct.nii.gz", f"masks/{name}_ct.nii.gz"
    write_image(Image(scan.values, geometry, "HU"), folder / image)
    write_labels(LabelImage(scan.mask, geometry), folder / mask)
    if patient["twice"]:
        reader = np.random.default_rng(child_seed(seed, "esophagus reader", name))
        again = redrawn(scan.mask.astype(np.uint8), scan.spacing_mm, reader, error_mm=1.2)
        write_labels(LabelImage(again, geometry), folder / second_file(mask))
    facts = {**scanner.sidecar, "SeriesDescription": "Chest, venous phase, synthetic"}
    (folder / "images" / f"{name}_ct.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "high_grade": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(64, 9)), 30, 90)), "sex": "male" if rng.random() < 0.75 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
