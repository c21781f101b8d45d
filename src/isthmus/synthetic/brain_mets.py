"""A study of brain metastases before stereotactic radiosurgery: T1 with contrast, clinical columns, local failure afterwards.

Nobody's data. Failure follows the dose and the primary tumour, which a table tells, and how uneven the rim of the metastasis is and how
much of it is a dead core, which the image alone shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.image import Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import MR_SCANNERS
from isthmus.synthetic.metastasis import Metastasis, render_metastasis
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort

__all__ = ["BRAIN_METS_EFFECTS", "SIZES", "make_brain_mets"]

BRAIN_METS_EFFECTS = MappingProxyType({"rim": 1.3, "core": 0.8, "underdosed": 1.2, "resistant": 0.9})
"""Planted log odds ratios per standard deviation: two of the image, two of the table (low dose; a primary tumour that resists it)."""

_PRIMARIES = ("lung", "breast", "renal", "melanoma")  # from the least resistant


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A",), train), PlantedSet("internal", ("A",), test))


SIZES = MappingProxyType(
    {"full": _sets((72, 31), (18, 8)), "demo": _sets((60, 43), (15, 11)), "tiny": _sets((7, 5), (3, 3))}
)
"""Patients without and with local failure. Full: 103 and 26 as in the study; how many fail is ours. Demo: the same patients, more of whom
fail."""


def make_brain_mets(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Images, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing, images and columns stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, local_failure (0, 1), age_years, sex, karnofsky, primary, metastases, dose_gy, image:t1c, mask:t1c.
        Beside it `truth.csv`.
    """
    patients = draw_patients("brain-mets", sizes, BRAIN_METS_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*BRAIN_METS_EFFECTS, "risk"],
        workers=workers,
    )


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], MR_SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "brain-mets scan", name))
    lesion = Metastasis(
        diameter_mm=float(rng.uniform(13.0, 21.0)),
        irregularity=float(rng.uniform(0.05, 0.11)),
        core=float(np.clip(0.42 + 0.12 * patient["core"], 0.1, 0.72)),
        unevenness=float(0.22 * np.exp(0.5 * patient["rim"])),
        oedema_mm=float(rng.uniform(0.5, 5.0)),
    )
    scan = render_metastasis(lesion, scanner, rng)
    image, mask = f"images/{name}_t1c.nii.gz", f"masks/{name}_t1c.nii.gz"
    write_image(Image(scan.values, scan.geometry), folder / image)
    write_labels(LabelImage(scan.labels, scan.geometry), folder / mask)
    sidecar = json.dumps(scanner.sidecar("T1-weighted with contrast"), indent=1) + "\n"
    (folder / "images" / f"{name}_t1c.json").write_text(sidecar, encoding="utf-8")
    primary = _PRIMARIES[int(np.searchsorted([-0.4, 0.5, 1.1], patient["resistant"] + rng.normal(0.0, 0.25)))]
    return {
        "patient": name, "split": patient["split"], "local_failure": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(62, 10)), 28, 88)), "sex": "male" if rng.random() < 0.48 else "female",
        "karnofsky": int(rng.choice([70, 80, 90, 100], p=[0.15, 0.3, 0.4, 0.15])), "primary": primary,
        "metastases": int(rng.choice([1, 2, 3, 4, 5], p=[0.4, 0.25, 0.15, 0.1, 0.1])),
        "dose_gy": float(np.clip(np.round(21.0 - 2.0 * patient["underdosed"] + rng.normal(0.0, 0.7)), 15, 25)),
        "image:t1c": image, "mask:t1c": mask,
    }  # fmt: skip
