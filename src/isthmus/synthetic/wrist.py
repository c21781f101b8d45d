"""Radiographs of wrists with and without a fracture of the radius, three centres: a line across the bone and a step in its borders tell."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.pictures import outline, write_picture
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.radiograph import Array, Radiograph, Unit, exposed, trabeculae
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers

__all__ = ["SIZES", "WRIST_EFFECTS", "WRIST_UNITS", "make_wrist_cohort", "render_wrist"]

WRIST_EFFECTS = MappingProxyType({"line": 2.0, "step": 1.2})
"""Planted log odds ratios per standard deviation: how clearly a line crosses the radius, and how far the bone beyond it has moved."""

WRIST_UNITS = MappingProxyType(
    {
        "A": Unit(name="Lumen 2", pixel_mm=0.40, blur_mm=0.28, gamma=1.0, exposure=1.0, noise=3.0),
        "B": Unit(name="Osteo DR", pixel_mm=0.42, blur_mm=0.32, gamma=1.1, exposure=1.08, noise=4.0),
        "C": Unit(name="Carpa", pixel_mm=0.38, blur_mm=0.30, gamma=0.92, exposure=0.94, noise=3.5),
    }
)


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A", "B", "C"), train), PlantedSet("internal", ("A", "B", "C"), test))


SIZES = MappingProxyType(
    {"full": _sets((1166, 1310), (500, 561)), "demo": _sets((56, 64), (35, 40)), "tiny": _sets((12, 12), (4, 4))}
)
"""Wrists without and with a fracture. Full: 1,666 and 1,871 images, 7 to 3, as the study says; one image a patient is ours."""


def make_wrist_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """One radiograph a patient and the region of the distal radius as PNG, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: who has a fracture depends on nothing, the radiographs stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, fracture (0, 1), image:xray, mask:xray. Beside it `readers.csv`: the patients whom a second
        reader has drawn, too.
    """
    patients = draw_patients("wrist", sizes, WRIST_EFFECTS, signal=signal, seed=seed)
    patients["twice"] = drawn_twice(patients)
    table = write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*WRIST_EFFECTS, "risk"],
        workers=workers,
    )
    write_readers(table, patients["twice"], "mask:xray")
    return table


def render_wrist(
    line: float, step: float, unit: Unit, rng: np.random.Generator, *, rows: int = 120, columns: int = 100
) -> Radiograph:
    """Radius and ulna, fingers up, and the region of the distal radius.

    Parameters
    ----------
    line, step : float
        Standardised latents: below -1.2 there is no line at all.
    unit : Unit
    rng : Generator
    rows, columns : int
    """
    y, x = np.meshgrid(np.arange(rows) * unit.pixel_mm, np.arange(columns) * unit.pixel_mm, indexing="ij")
    height, width = y[-1, -1], x[-1, -1]
    across = height * rng.uniform(0.36, 0.5) + rng.uniform(-0.35, 0.35) * (x - 0.36 * width)
    across += (
        0.8 * np.cumsum(rng.standard_normal(columns))[None, :] * np.sqrt(unit.pixel_mm / width)
    )  # its jagged course
    beyond = 1 / (1 + np.exp((y - across) / 0.4))
    moved = max(0.0, 0.5 + 0.7 * step) * beyond
    radius = _bone(x - 0.36 * width - moved, 6.5 + 4.0 * np.exp(-y / 9.0), rng, unit)
    ulna = _bone(x - 0.78 * width, 4.0 + 1.2 * np.exp(-y / 6.0), rng, unit) * (y > 5)
    gap = 0.16 * max(0.0, line + 1.2) * np.exp(-0.5 * ((y - across) / 0.6) ** 2)
    crushed = 0.06 * max(0.0, line + 1.2) * np.exp(-0.5 * ((y - across - 1.8) / 0.9) ** 2)
    path = 0.35 + radius * (1 - gap + crushed) + ulna
    edge = 6.5 + 4.0 * np.exp(-y / 9.0)
    mask = (np.abs(x - 0.36 * width) < edge + 0.5) & (y > 0.12 * height) & (y < 0.78 * height)
    return Radiograph(exposed(path, unit, rng), mask, unit.pixel_mm)


def _bone(off_axis: Array, half: Array, rng: np.random.Generator, unit: Unit) -> Array:
    """What the beam crosses of a shaft: a dense shell, and trabeculae inside."""
    inside = np.sqrt(np.clip(1 - (off_axis / half) ** 2, 0, None))
    core = np.sqrt(np.clip(1 - (off_axis / (half - 1.3)) ** 2, 0, None))
    plates = trabeculae(rng, (off_axis.shape[0], off_axis.shape[1]), 1.6 / unit.pixel_mm, 0.4)
    return np.asarray(1.1 * (inside - 0.75 * core) + 0.35 * core * plates)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The radiograph of a patient; his row of the case table."""
    from PIL import Image as Pillow

    name, unit = patient["patient"], WRIST_UNITS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "wrist radiograph", name))
    shown = render_wrist(patient["line"], patient["step"], unit, rng)
    image, mask = write_picture(folder, f"{name}_xray", shown, modality="DX", machine=unit.name)
    if patient["twice"]:
        reader = np.random.default_rng(child_seed(seed, "wrist reader", name))
        again = redrawn(outline(shown)[np.newaxis], (1.0, shown.pixel_mm, shown.pixel_mm), reader, error_mm=0.4)[0]
        Pillow.fromarray(again).save(folder / second_file(mask))
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "fracture": patient["outcome"],
        "image:xray": image, "mask:xray": mask,
    }  # fmt: skip
