"""Ultrasound of papillary carcinoma with and without central lymph node metastasis, two centres: the risk lies in the echotexture of the
nodule and in that of the tissue around it, and in nothing that a table tells."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.stats.seeds import child_seed
from isthmus.synthetic.pictures import write_picture
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.ultrasound import MACHINES, Nodule, render_frame

__all__ = ["CLNM_EFFECTS", "SIZES", "make_clnm_cohort"]

CLNM_EFFECTS = MappingProxyType({"nodule": 1.6, "rim": 1.6})
"""Planted log odds ratios per standard deviation: of the nodule's echotexture, and of that around it."""


def _sets(train: tuple[int, int], internal: tuple[int, int], external: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (
        PlantedSet("train", ("A",), train),
        PlantedSet("internal", ("A",), internal),
        PlantedSet("external", ("B",), external),
    )


SIZES = MappingProxyType(
    {
        "full": _sets((119, 87), (51, 37), (64, 47)),
        "demo": _sets((58, 42), (23, 17), (35, 25)),
        "tiny": _sets((8, 8), (2, 2), (2, 2)),
    }
)
"""Patients without and with metastasis. Full: 294 and 111 patients as in the study, its 171 events in proportion, 7 to 3 at centre A."""


def make_clnm_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """One frame a patient and its mask as PNG, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing, the frames stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, clnm (0, 1), age_years, sex, image:us, mask:us.
    """
    patients = draw_patients("clnm", sizes, CLNM_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder, patients, lambda into, one: [_write(into, one, seed)], truth=[*CLNM_EFFECTS, "risk"], workers=workers
    )


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The frame of a patient; his row of the case table."""
    name = patient["patient"]
    rng = np.random.default_rng(child_seed(seed, "clnm frame", name))
    machine = MACHINES[patient["centre"]]
    nodule = Nodule(
        size_mm=float(np.clip(9 * np.exp(0.25 * rng.standard_normal()), 6, 14)),
        heterogeneity_db=4.0 * float(np.exp(0.6 * patient["nodule"])),
        grain_mm=1.0,
        calcifications=2.0,
        irregularity=float(rng.uniform(0.04, 0.12)),
        rim_mm=3.0,
        rim_db=4.0 * float(np.exp(0.6 * patient["rim"])),
    )
    frame = render_frame(nodule, machine, rng)
    image, mask = write_picture(folder, f"{name}_us", frame, modality="US", machine=machine.name)
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "clnm": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(46.6, 12.7)), 18, 80)), "sex": "female" if rng.random() < 0.686 else "male",
        "image:us": image, "mask:us": mask,
    }  # fmt: skip
