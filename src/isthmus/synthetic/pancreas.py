"""CT of the pancreas in the portal venous phase: autoimmune pancreatitis against ductal carcinoma, the whole gland outlined.

Nobody's data. A carcinoma is likelier where a part of the gland takes up little contrast, where its duct is wide and where its surface
keeps its lobes; age and sex have no effect, though in life they have.
"""

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

__all__ = ["PANCREAS_EFFECTS", "SIZES", "make_pancreas", "render_pancreas"]

PANCREAS_EFFECTS = MappingProxyType({"focus": 2.0, "duct": 1.2, "lobes": 1.2})
"""Planted log odds ratios of carcinoma per standard deviation: contrast of the dark focus, width of the duct, depth of the lobes."""

SIZES = MappingProxyType(
    {
        "full": (PlantedSet("train", ("A",), (44, 42)),),
        "demo": (PlantedSet("train", ("A",), (44, 42)),),
        "tiny": (PlantedSet("train", ("A",), (8, 7)),),
    }
)
"""Patients with autoimmune pancreatitis and with carcinoma: 44 and 42 as in the study, of which no test set is kept apart."""

_REACH_MM = (20.0, 24.0, 50.0)
_FAT, _GLAND, _DUCT, _LIVER, _BLOOD = -100.0, 100.0, 12.0, 110.0, 170.0


def make_pancreas(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Contrast CT around the gland, masks, the case table and the truth.

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
        `cases.csv`: patient, diagnosis ("AIP", "PDAC"), age_years, sex, image:ct, mask:ct (the whole gland). Beside it `truth.csv`.
    """
    patients = draw_patients("pancreas", sizes, PANCREAS_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder, patients, lambda into, one: [_write(into, one, seed)], truth=[*PANCREAS_EFFECTS, "risk"], workers=workers
    )  # fmt: skip


def render_pancreas(
    focus: float, duct: float, lobes: float, axes: Axes, rng: np.random.Generator
) -> tuple[Volume, Volume]:
    """The gland and its surroundings in Hounsfield units, and the share of each voxel that is gland (duct and focus are part of it).

    Parameters
    ----------
    focus, duct, lobes : float
        Standardised latents.
    axes : tuple of 3 arrays
        Coordinates (z, y, x), millimetres; (0, 0, 0) is the middle of the gland, x runs from its tail to its head.
    rng : Generator
    """
    z, y, x = (axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :])
    bend, tilt = rng.uniform(7, 12), rng.uniform(-0.1, 0.1)
    middle_y, middle_z = bend * (x / 40) ** 2 - 3 + 2 * np.sin(x / 14), tilt * x
    thick = rng.uniform(8.0, 10.5) * (1 + 0.22 * np.tanh((x - 18) / 9))  # the head is thicker
    across = np.hypot((y - middle_y), 1.15 * (z - middle_z))
    surface = smooth_field(rng, axes, 3.2)
    ends = 40.0 - np.abs(x)
    depth = np.minimum(thick * (1 + 0.10 * np.exp(0.35 * lobes) * surface) - across, ends)
    share = soft(depth)
    hu = _FAT + 9 * smooth_field(rng, axes, 4.0)
    vein = np.hypot(y - middle_y - thick - 4, z - middle_z + 3) < 4.0
    hu = np.where(vein, _BLOOD, hu)
    hu = np.where((x > 34 + 4 * surface) & (y < -8), _LIVER + 8 * smooth_field(rng, axes, 2.5), hu)
    tissue = _GLAND + 12 * smooth_field(rng, axes, 1.8)
    place, wide = rng.uniform(-12, 26), rng.uniform(8, 11)
    blob = np.sqrt((x - place) ** 2 + (y - middle_y) ** 2 + (z - middle_z) ** 2) + 2.5 * smooth_field(rng, axes, 4.0)
    tissue = tissue - 22 * np.exp(0.5 * focus) * soft((wide - blob) / 2)
    width = 1.3 * np.exp(0.35 * duct)
    tissue = tissue + (_DUCT - tissue) * soft(width - across) * (
        x < place
    )  # it widens behind what narrows it, towards the tail
    hu = hu + share * (tissue - hu)
    return hu.astype(np.float32), share.astype(np.float32)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], SCANNERS[0]
    rng = np.random.default_rng(child_seed(seed, "pancreas scan", name))
    grid, axes = grids(scanner, _REACH_MM)
    hu, gland = render_pancreas(patient["focus"], patient["duct"], patient["lobes"], axes, rng)
    scan = acquire(hu, gland, axes, scanner, rng, grid)
    facts = {**scanner.sidecar, "SeriesDescription": "Abdomen, portal venous phase, synthetic"}
    image, mask = write_scan(folder, f"{name}_ct", scan, facts)
    return {
        "patient": name, "diagnosis": "PDAC" if patient["outcome"] else "AIP",
        "age_years": int(np.clip(np.round(rng.normal(63, 11)), 25, 90)), "sex": "male" if rng.random() < 0.65 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
