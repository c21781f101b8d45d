"""CT of non-small cell lung cancer, adenocarcinoma or squamous cell carcinoma, one centre and a public collection of another scanner: how
uneven the solid part is and how much ground glass lies around it tell, size does not."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.ct import grids, soft, write_scan
from isthmus.synthetic.fields import Axes, Volume, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.scanner import SCANNERS, acquire

__all__ = ["LUNG_EFFECTS", "SIZES", "make_lung_cohort", "render_lung"]

LUNG_EFFECTS = MappingProxyType({"uneven": 1.8, "solid": 1.3})
"""Planted log odds ratios of squamous cell carcinoma per standard deviation: how uneven the solid part is, and how little ground glass lies
around it."""

_SCANNERS = MappingProxyType({"A": SCANNERS[0], "B": SCANNERS[2], "public": SCANNERS[1]})
_REACH_MM = (24.0, 25.0, 25.0)
_AIR, _VESSEL, _GLASS, _SOLID, _DEAD = -860.0, 40.0, -480.0, 45.0, 5.0


def _sets(train: tuple[int, int], internal: tuple[int, int], external: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (
        PlantedSet("train", ("A", "B"), train),
        PlantedSet("internal", ("A", "B"), internal),
        PlantedSet("external", ("public",), external),
    )


SIZES = MappingProxyType(
    {
        "full": _sets((82, 84), (28, 28), (24, 24)),
        "demo": _sets((60, 60), (28, 28), (24, 24)),
        "tiny": _sets((8, 8), (3, 3), (3, 3)),
    }
)
"""Patients with adenocarcinoma and with squamous cell carcinoma. Full: 110 and 112 in 3 to 1, 24 and 24 outside, as the study says."""


def make_lung_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """CT around the tumour, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the kind depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, histology (ADC, SCC), age_years, sex, image:ct, mask:ct.
    """
    patients = draw_patients("lung", sizes, LUNG_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*LUNG_EFFECTS, "risk"],
        workers=workers,
    )


def render_lung(uneven: float, solid: float, axes: Axes, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """A tumour in the lung in Hounsfield units, and the share of each voxel that is tumour, ground glass with it.

    Parameters
    ----------
    uneven, solid : float
        Standardised latents.
    axes : tuple of 3 arrays
        Coordinates (z, y, x), millimetres; (0, 0, 0) is the middle of the tumour.
    rng : Generator
    """
    z, y, x = np.meshgrid(*axes, indexing="ij")
    hu = _AIR + 25 * smooth_field(rng, axes, 4.0)
    course = smooth_field(rng, axes, 7.0)
    hu += np.exp(-0.5 * (course / 0.06) ** 2) * (_VESSEL - hu) * 0.8  # vessels run where a smooth field crosses 0
    radius = 12.0 * float(np.exp(rng.normal(0, 0.12)))
    outline = radius * (1 + 0.13 * smooth_field(rng, axes, 0.4 * radius))
    depth = outline - np.sqrt(z**2 + y**2 + x**2)
    glass_mm = 3.0 * float(np.exp(-0.5 * solid))
    tissue = _SOLID + 26 * float(np.exp(0.6 * uneven)) * smooth_field(rng, axes, 2.0)
    dead = smooth_field(rng, axes, 3.0) < -1.5 + 0.25 * uneven
    tissue = tissue + dead * (_DEAD - _SOLID)
    glass = _GLASS + 60 * smooth_field(rng, axes, 1.5)
    share = soft(depth)
    hu += share * (glass - hu)
    hu += soft(depth - glass_mm) * (tissue - hu)
    return hu.astype(np.float32), share.astype(np.float32)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], _SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "lung scan", name))
    grid, axes = grids(scanner, _REACH_MM)
    hu, tumour = render_lung(patient["uneven"], patient["solid"], axes, rng)
    scan = acquire(hu, tumour, axes, scanner, rng, grid)
    facts = {key: value for key, value in scanner.sidecar.items() if not key.startswith("Contrast")}
    facts["SeriesDescription"] = "Chest, synthetic"
    image, mask = write_scan(folder, f"{name}_ct", scan, facts)
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"],
        "histology": "SCC" if patient["outcome"] else "ADC",
        "age_years": int(np.clip(np.round(rng.normal(67, 9)), 35, 90)), "sex": "male" if rng.random() < 0.65 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
