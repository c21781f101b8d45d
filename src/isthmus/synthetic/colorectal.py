"""Venous CT of colorectal carcinoma, mucinous or not, two centres: pools of mucin and how uneven the solid part is tell, size does not."""

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

__all__ = ["COLORECTAL_EFFECTS", "SIZES", "make_colorectal_cohort", "render_colorectal"]

COLORECTAL_EFFECTS = MappingProxyType({"pools": 1.7, "texture": 0.9})
"""Planted log odds ratios per standard deviation: how much of the tumour is pools of mucin, and how uneven the rest is."""

_SCANNERS = MappingProxyType(dict(zip("AB", SCANNERS, strict=False)))
_REACH_MM = (22.0, 27.0, 27.0)
_FAT, _WALL, _TUMOUR, _MUCIN, _STOOL, _GAS = -100.0, 60.0, 88.0, 30.0, 10.0, -950.0


def _sets(train: tuple[int, int], internal: tuple[int, int], external: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (
        PlantedSet("train", ("A",), train),
        PlantedSet("internal", ("A",), internal),
        PlantedSet("external", ("B",), external),
    )


SIZES = MappingProxyType(
    {
        "full": _sets((94, 62), (38, 26), (31, 20)),
        "demo": _sets((60, 40), (30, 20), (30, 20)),
        "tiny": _sets((8, 8), (3, 3), (3, 3)),
    }
)
"""Patients without and with mucinous carcinoma. Full: 156, 64 and 51 with 163 and 108 of the kinds, as the study says; how the sets divide
the kinds is ours."""


def make_colorectal_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Venous CT around the tumour, masks, the case table and the truth.

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
        `cases.csv`: patient, split, centre, mucinous (0, 1), age_years, sex, image:ct, mask:ct. Beside it `readers.csv`: the patients whom
        a second reader has drawn, too.
    """
    patients = draw_patients("colorectal", sizes, COLORECTAL_EFFECTS, signal=signal, seed=seed)
    patients["twice"] = drawn_twice(patients)
    table = write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*COLORECTAL_EFFECTS, "risk"],
        workers=workers,
    )
    write_readers(table, patients["twice"], "mask:ct")
    return table


def render_colorectal(pools: float, texture: float, axes: Axes, rng: np.random.Generator) -> tuple[Volume, Volume]:
    """A piece of bowel in fat, in Hounsfield units, and the share of each voxel that is tumour.

    Parameters
    ----------
    pools, texture : float
        Standardised latents.
    axes : tuple of 3 arrays
        Coordinates (z, y, x), millimetres; (0, 0, 0) is the middle of the tumour.
    rng : Generator
    """
    z, y, x = np.meshgrid(*axes, indexing="ij")
    hu = _FAT + 9 * smooth_field(rng, axes, 3.0)
    side = rng.uniform(0, 2 * np.pi)  # of the lumen, as seen from the tumour
    reach = rng.uniform(9, 12)
    lumen_y, lumen_x = y - reach * np.sin(side), x - reach * np.cos(side)
    bowel = np.hypot(lumen_y, lumen_x)
    inner = 9 + 0.8 * smooth_field(rng, axes, 7.0)
    hu += soft(inner + 3 - bowel) * (_WALL - hu)
    filled = np.where(lumen_y < rng.uniform(-4, 2), _GAS, _STOOL + 12 * smooth_field(rng, axes, 2.0))
    radii = rng.uniform(11, 15), rng.uniform(8.5, 11.5), rng.uniform(8.5, 11.5)
    away = np.sqrt((z / radii[0]) ** 2 + (y / radii[1]) ** 2 + (x / radii[2]) ** 2)
    mass = soft((1 + 0.12 * smooth_field(rng, axes, 5.0) - away) * radii[1])
    tissue = _TUMOUR + 9 * float(np.exp(0.5 * texture)) * smooth_field(rng, axes, 1.8)
    pool = smooth_field(rng, axes, 2.8) < -1.2 + 0.5 * pools
    tissue = tissue + 0.75 * pool * (_MUCIN - tissue)
    hu = np.where(bowel < inner, filled, hu)
    hu += mass * (tissue - hu)
    return hu.astype(np.float32), mass.astype(np.float32)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], _SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "colorectal scan", name))
    grid, axes = grids(scanner, _REACH_MM)
    hu, tumour = render_colorectal(patient["pools"], patient["texture"], axes, rng)
    scan = acquire(hu, tumour, axes, scanner, rng, grid)
    reader = np.random.default_rng(child_seed(seed, "colorectal reader", name))
    facts = {**scanner.sidecar, "SeriesDescription": "Abdomen, venous phase, synthetic"}
    image, mask = write_scan(folder, f"{name}_ct", scan, facts, again=(reader, 1.0) if patient["twice"] else None)
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "mucinous": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(68, 11.5)), 38, 96)), "sex": "male" if rng.random() < 0.55 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
