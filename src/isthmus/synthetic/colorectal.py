"""Venous CT of colorectal carcinoma, mucinous or not, two centres: pools of mucin and how uneven the solid part is tell, size does not."""

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
    hu += _soft(inner + 3 - bowel) * (_WALL - hu)
    filled = np.where(lumen_y < rng.uniform(-4, 2), _GAS, _STOOL + 12 * smooth_field(rng, axes, 2.0))
    radii = rng.uniform(11, 15), rng.uniform(8.5, 11.5), rng.uniform(8.5, 11.5)
    away = np.sqrt((z / radii[0]) ** 2 + (y / radii[1]) ** 2 + (x / radii[2]) ** 2)
    mass = _soft((1 + 0.12 * smooth_field(rng, axes, 5.0) - away) * radii[1])
    tissue = _TUMOUR + 9 * float(np.exp(0.5 * texture)) * smooth_field(rng, axes, 1.8)
    pool = smooth_field(rng, axes, 2.8) < -1.2 + 0.5 * pools
    tissue = tissue + 0.75 * pool * (_MUCIN - tissue)
    hu = np.where(bowel < inner, filled, hu)
    hu += mass * (tissue - hu)
    return hu.astype(np.float32), mass.astype(np.float32)


def _soft(inside_mm: Any) -> Any:
    """From 0 to 1 over a millimetre at a border."""
    return np.clip(inside_mm + 0.5, 0, 1)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], _SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "colorectal scan", name))
    grid = [axis[np.abs(axis) <= reach] for axis, reach in zip(scanner_grid(scanner), _REACH_MM, strict=True)]
    fine = [np.arange(np.floor(axis[0]) - 4, np.ceil(axis[-1]) + 5, dtype=np.float32) for axis in grid]
    axes: Axes = (fine[0], fine[1], fine[2])
    hu, tumour = render_colorectal(patient["pools"], patient["texture"], axes, rng)
    scan = acquire(hu, tumour, axes, scanner, rng, (grid[0], grid[1], grid[2]))
    geometry = Geometry(shape=scan.values.shape, spacing_mm=scan.spacing_mm, origin_mm=scan.origin_mm)
    image, mask = f"images/{name}_ct.nii.gz", f"masks/{name}_ct.nii.gz"
    write_image(Image(scan.values, geometry, "HU"), folder / image)
    write_labels(LabelImage(scan.mask, geometry), folder / mask)
    if patient["twice"]:
        reader = np.random.default_rng(child_seed(seed, "colorectal reader", name))
        again = redrawn(scan.mask.astype(np.uint8), scan.spacing_mm, reader, error_mm=1.0)
        write_labels(LabelImage(again, geometry), folder / second_file(mask))
    facts = {**scanner.sidecar, "SeriesDescription": "Abdomen, venous phase, synthetic"}
    (folder / "images" / f"{name}_ct.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "mucinous": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(68, 11.5)), 38, 96)), "sex": "male" if rng.random() < 0.55 else "female",
        "image:ct": image, "mask:ct": mask,
    }  # fmt: skip
