"""FDG-PET and CT of head and neck cancer with survival: how uneven the uptake is and how much of the tumour is dead tell who dies, and the
stage a little.

Everybody has a time. Some are lost before five years, so that their state at five years is not known.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.ct import grids, soft, write_scan
from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.pet import PET_SCANNERS, pet_scan
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.scanner import SCANNERS, acquire

__all__ = ["HEAD_NECK_EFFECTS", "LOST", "SIZES", "make_head_neck_cohort", "render_head_neck"]

HEAD_NECK_EFFECTS = MappingProxyType({"uptake": 1.4, "necrosis": 1.0, "extent": 0.5})
"""Planted log odds ratios of death within five years per standard deviation: how uneven the uptake is, how much of the tumour is dead, and
how far it has spread, which the stage tells."""

LOST = 0.12
"""Share of each set whose follow-up ends, alive, before five years."""

_FIVE_YEARS = 60.0
_SCANNERS = MappingProxyType(dict(zip("ABC", SCANNERS, strict=True)))
_REACH_MM = (26.0, 27.0, 27.0)
_FAT, _MUSCLE, _TUMOUR, _DEAD, _AIR = -95.0, 55.0, 85.0, 25.0, -960.0


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A", "B", "C"), train), PlantedSet("internal", ("A", "B", "C"), test))


SIZES = MappingProxyType(
    {"full": _sets((110, 65), (47, 28)), "demo": _sets((54, 38), (32, 22)), "tiny": _sets((11, 10), (6, 6))}
)
"""Patients who live and who die within five years, those lost among them. Full: 250, of whom 220 are known at five years, as many as the
study has; how many die, and how the sets divide them, is ours."""


def make_head_neck_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """PET and CT around the tumour on their own grids, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: survival depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, dead (0, 1), months (to death or the end of follow-up), stage (I to IV), age_years, sex,
        image:ct, mask:ct, image:pet, mask:pet.
    """
    patients = draw_patients("head and neck", sizes, HEAD_NECK_EFFECTS, signal=signal, seed=seed)
    patients = pd.concat([_followed(part, seed) for _, part in patients.groupby("split", sort=False)])
    return write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*HEAD_NECK_EFFECTS, "risk", "lost"],
        workers=workers,
    )


def _followed(part: pd.DataFrame, seed: int) -> pd.DataFrame:
    """dead, months and who is lost, of one set: whoever has more risk dies earlier."""
    rng = np.random.default_rng(child_seed(seed, "head and neck follow-up", str(part["split"].iloc[0])))
    n = len(part)
    early = 1 / (1 + np.exp(-(part["risk"].to_numpy() + rng.logistic(size=n))))
    months = np.where(part["outcome"] == 1, 2 + (_FIVE_YEARS - 3) * (1 - early), rng.uniform(_FIVE_YEARS + 1, 110, n))
    lost = np.isin(np.arange(n), rng.choice(n, round(LOST * n), replace=False))
    months = np.where(lost, np.minimum(months, _FIVE_YEARS) * rng.uniform(0.2, 0.95, n), months)
    dead = np.where(lost, 0, part["outcome"])
    return part.assign(months=np.round(months, 1), dead=dead, lost=lost.astype(int))


def render_head_neck(
    uptake: float, necrosis: float, axes: Axes, rng: np.random.Generator
) -> tuple[Volume, Volume, Volume]:
    """Hounsfield units, standardised uptake values, and the share of each voxel that is tumour.

    Parameters
    ----------
    uptake, necrosis : float
        Standardised latents.
    axes : tuple of 3 arrays
        Coordinates (z, y, x), millimetres; (0, 0, 0) is the middle of the tumour.
    rng : Generator
    """
    z, y, x = np.meshgrid(*axes, indexing="ij")
    muscle = smooth_field(rng, axes, 9.0) > -0.3
    hu = np.where(muscle, _MUSCLE, _FAT) + 9 * smooth_field(rng, axes, 2.5)
    suv = np.where(muscle, 1.1, 0.5) + 0.1 * smooth_field(rng, axes, 6.0)
    side = rng.choice([-1.0, 1.0])
    airway = np.hypot(y - 3, x - side * 24) < 8 + 0.5 * smooth_field(rng, axes, 8.0)
    radius = 15.0 * float(np.exp(rng.normal(0, 0.14)))
    depth = radius * (1 + 0.12 * smooth_field(rng, axes, 0.45 * radius)) - np.sqrt(z**2 + y**2 + x**2)
    mass = soft(depth)
    course = smooth_field(rng, axes, 4.5)
    gone = soft(4 * (smooth_field(rng, axes, 3.5) - 1.5 + 0.4 * necrosis)) * soft(depth - 2)
    tissue = _TUMOUR + 11 * smooth_field(rng, axes, 1.8)
    tissue = tissue + gone * (_DEAD - tissue)
    taken = float(rng.uniform(7, 11)) * np.clip(1 + 0.22 * float(np.exp(0.5 * uptake)) * course, 0.15, None)
    taken = taken * (1 - 0.6 * gone)
    hu = np.where(airway, _AIR, hu)
    suv = np.where(airway, 0.2, suv)
    hu = hu + mass * (tissue - hu)
    suv = suv + mass * (taken - suv)
    return hu.astype(np.float32), suv.astype(np.float32), mass.astype(np.float32)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """Both scans of a patient; his row of the case table."""
    name, centre = patient["patient"], patient["centre"]
    rng = np.random.default_rng(child_seed(seed, "head and neck scan", name))
    scanner, camera = _SCANNERS[centre], PET_SCANNERS[centre]
    grid, axes = grids(scanner, _REACH_MM)
    hu, suv, tumour = render_head_neck(patient["uptake"], patient["necrosis"], axes, rng)
    ct = acquire(hu, tumour, axes, scanner, rng, grid)
    pet = pet_scan(suv, tumour, axes, camera, rng)
    files: dict[str, str] = {}
    for kind, scan, quantity, sidecar in (("ct", ct, "HU", scanner.sidecar), ("pet", pet, "SUV", camera.sidecar)):
        image, mask = write_scan(folder, f"{name}_{kind}", scan, sidecar, quantity=quantity)
        files |= {f"image:{kind}": image, f"mask:{kind}": mask}
    spread = patient["extent"] + rng.normal(0, 0.6)
    return {
        "patient": name, "split": patient["split"], "centre": centre, "dead": patient["dead"], "months": patient["months"],
        "stage": "IV" if spread > 0.3 else "III" if spread > -0.5 else "II" if spread > -1.2 else "I",
        "age_years": int(np.clip(np.round(rng.normal(61, 9)), 30, 90)), "sex": "male" if rng.random() < 0.77 else "female",
        **files,
    }  # fmt: skip
