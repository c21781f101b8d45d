"""CT of oesophageal carcinoma of low or high grade, several centres: the wall's tissue tells the grade, its thickness and length do not."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.ct import grids, soft, write_scan
from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.readers import drawn_twice, write_readers
from isthmus.synthetic.scanner import SCANNERS, acquire

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
    wall = soft(outer - radius) * soft(radius - inner)
    tissue = 78 + 10 * np.exp(0.55 * texture) * smooth_field(rng, axes, 1.8)
    dark = smooth_field(rng, axes, 2.6) < -1.1 + 0.45 * patches
    tissue = tissue - 35 * dark
    tumour = wall * (profile > 0.25)
    hu += wall * (np.where(profile > 0.25, tissue, _MUSCLE) - hu)
    hu = np.where(radius < inner, _AIR, hu)
    return hu.astype(np.float32), tumour.astype(np.float32)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], _SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "esophagus scan", name))
    grid, axes = grids(scanner, _REACH_MM)
    hu, tumour = render_esophagus(patient["texture"], patient["patches"], axes, rng)
    scan = acquire(hu, tumour, axes, scanner, rng, grid)
    reader = np.random.default_rng(child_seed(seed, "esophagus reader", name))
    facts = {**scanner.sidecar, "SeriesDescription": "Chest, venous phase, synthetic"}
    image, mask = write_scan(folder, f"{name}_ct", scan, facts, again=(reader, 1.2) if patient["twice"] else None)
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "high_grade": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(64, 9)), 30, 90)), "sex": "male" if rng.random() < 0.75 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
