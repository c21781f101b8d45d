"""Periapical radiographs of women after the menopause, with and without osteoporosis, at three centres: the trabeculae tell, and no column
that may be a predictor does."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.pictures import outline, write_picture
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.radiograph import UNITS, Jaw, render_radiograph
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers

__all__ = ["OSTEOPOROSIS_EFFECTS", "SIZES", "make_osteoporosis_cohort"]

OSTEOPOROSIS_EFFECTS = MappingProxyType({"sparse": 1.7, "thin": 0.8})
"""Planted log odds ratios per standard deviation: how far apart trabeculae stand, and how little of the bone they fill."""


def _sets(train: tuple[int, int], internal: tuple[int, int], external: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (
        PlantedSet("train", ("A", "B"), train),
        PlantedSet("internal", ("A", "B"), internal),
        PlantedSet("external", ("C",), external),
    )


SIZES = MappingProxyType(
    {
        "full": _sets((1413, 761), (303, 163), (809, 436)),
        "demo": _sets((54, 36), (18, 12), (30, 20)),
        "tiny": _sets((14, 12), (3, 2), (12, 9)),
    }
)
"""Women without and with osteoporosis. Full: 3,885 radiographs as in the study; how they are dealt to sets and classes is ours."""


def make_osteoporosis_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """One radiograph a woman and its region of bone as PNG, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing, the radiographs stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, t_score (at most -2.5: osteoporosis), age_years, bmi, vitamin_d_ng_ml, image:xray, mask:xray.
        Beside it `readers.csv`: the women whom a second reader has drawn, too.
    """
    patients = draw_patients("osteoporosis", sizes, OSTEOPOROSIS_EFFECTS, signal=signal, seed=seed)
    patients["twice"] = drawn_twice(patients)
    table = write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*OSTEOPOROSIS_EFFECTS, "risk"],
        workers=workers,
    )
    write_readers(table, patients["twice"], "mask:xray")
    return table


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The radiograph of a woman; her row of the case table."""
    from PIL import Image as Pillow

    name = patient["patient"]
    rng = np.random.default_rng(child_seed(seed, "osteoporosis radiograph", name))
    unit = UNITS[patient["centre"]]
    jaw = Jaw(
        spacing_mm=1.0 * float(np.exp(0.3 * patient["sparse"])),
        share=float(np.clip(0.42 - 0.07 * patient["thin"], 0.2, 0.65)),
        cortex=float(rng.uniform(0.55, 0.65)),
    )
    shown = render_radiograph(jaw, unit, rng)
    image, mask = write_picture(folder, f"{name}_xray", shown, modality="IO", machine=unit.name)
    if patient["twice"]:
        reader = np.random.default_rng(child_seed(seed, "osteoporosis reader", name))
        again = redrawn(outline(shown)[np.newaxis], (1.0, shown.pixel_mm, shown.pixel_mm), reader, error_mm=0.3)[0]
        Pillow.fromarray(again).save(folder / second_file(mask))
    clinical = {
        "age_years": int(np.clip(np.round(rng.normal(62, 7)), 48, 85)),
        "bmi": float(np.round(rng.normal(26, 3.8), 1)),
        "vitamin_d_ng_ml": float(np.round(np.exp(rng.normal(3.1, 0.4)), 1)),
    }
    # how far beyond the limit says nothing more than the outcome
    beyond = float(np.abs(rng.normal(0, 0.9)))
    t_score = -2.5 - beyond if patient["outcome"] else -2.4 + beyond
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "t_score": round(t_score, 1), **clinical,
        "image:xray": image, "mask:xray": mask,
    }  # fmt: skip
