"""A study of Parkinson's disease: 123I-ioflupane SPECT and MR at year 0, Hoehn-Yahr stages at years 0 and 4.

Nobody's data. Stages follow how much of the putamen's binding is lost, which conventional uptake ratios measure, and how patchy what
remains is, which the image alone shows; those of year 4 also the gradient along the putamen. Three masks: drawn on MR, and of the SPECT by
a value and by a threshold (`striatum.of_uptake`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import MR_SCANNERS
from isthmus.synthetic.planted import draw_classes, each_patient
from isthmus.synthetic.striatum import BY_UPTAKE, Striatum, of_uptake, render_striatum

__all__ = [
    "DEMO_SIZE", "SIZES", "STUDY_SIZE", "YEAR_0_EFFECTS", "YEAR_4_EFFECTS", "ParkinsonSize", "make_parkinson",
]  # fmt: skip


@dataclass(frozen=True)
class ParkinsonSize:
    """Patients of stages 0, 1, 2 at year 0, and of 0, 1, 2 or more at year 4; both sum to the patients."""

    year_0: tuple[int, int, int]
    year_4: tuple[int, int, int]


STUDY_SIZE = ParkinsonSize((53, 48, 60), (49, 30, 82))
"""161 subjects, as the study says; how they divide into stages its abstract does not say."""
DEMO_SIZE = ParkinsonSize((36, 32, 36), (33, 24, 47))
SIZES = MappingProxyType({"full": STUDY_SIZE, "demo": DEMO_SIZE, "tiny": ParkinsonSize((5, 4, 5), (4, 4, 6))})

YEAR_0_EFFECTS: Mapping[str, float] = MappingProxyType({"loss": 1.5, "patches": 1.5})
YEAR_4_EFFECTS: Mapping[str, float] = MappingProxyType({"loss": 1.3, "patches": 1.3, "gradient": 0.8})
"""Planted log odds ratios per standard deviation, of a higher stage. Age and sex have none."""


def make_parkinson(
    folder: str | Path,
    *,
    sizes: ParkinsonSize = DEMO_SIZE,
    seed: int = 1,
    signal: float = 1.0,
    workers: int = 1,
) -> Path:
    """Images, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : ParkinsonSize
        Met exactly.
    seed : int
    signal : float
        Multiplies every planted effect; 0: the stages depend on nothing (and not on one another), the images stay as they are.
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, hys_year_0, hys_year_4 (0, 1, 2: 2 or more), age_years, sex, image:spect, image:t1 (on the grid of the
        SPECT), mask:mri, mask:spect_v, mask:spect_t (11, 50 caudate, 12, 51 putamen, 100 occipital). Beside it `truth.csv`.
    """
    folder = Path(folder)
    truth = _draw(sizes, seed, signal)
    each_patient(folder, truth, lambda into, one: _write(into, one, seed), workers=workers)
    cases = truth[["patient", "hys_year_0", "hys_year_4", "age_years", "sex"]].copy()
    for name in ("spect", "t1"):
        cases[f"image:{name}"] = [f"images/{patient}_{name}.nii.gz" for patient in cases["patient"]]
    for name in ("mri", *BY_UPTAKE):
        cases[f"mask:{name}"] = [f"masks/{patient}_{name}.nii.gz" for patient in cases["patient"]]
    cases.to_csv(folder / "cases.csv", index=False)
    truth["split"] = "train"
    truth["outcome"] = truth["hys_year_0"]
    named = ["patient", "split", "outcome", *YEAR_4_EFFECTS, "risk_year_0", "risk_year_4", "hys_year_0", "hys_year_4"]
    truth[named].to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    return folder / "cases.csv"


def _draw(sizes: ParkinsonSize, seed: int, signal: float) -> pd.DataFrame:
    """Latent parts and stages."""
    rng = np.random.default_rng(child_seed(seed, "parkinson", "patients"))
    n = sum(sizes.year_0)
    loss, patches, gradient = np.clip(rng.standard_normal((3, n)), -2.2, 2.2)
    parts = {"loss": loss, "patches": patches, "gradient": gradient}
    risks = {
        year: signal * sum(effect * parts[name] for name, effect in effects.items()) + np.zeros(n)
        for year, effects in (("0", YEAR_0_EFFECTS), ("4", YEAR_4_EFFECTS))
    }
    return pd.DataFrame(
        {
            "patient": [f"P{number + 1:04d}" for number in range(n)],
            **parts,
            "risk_year_0": risks["0"],
            "risk_year_4": risks["4"],
            "hys_year_0": draw_classes(risks["0"], sizes.year_0, rng),
            "hys_year_4": draw_classes(risks["4"], sizes.year_4, rng),
            "age_years": np.clip(rng.normal(62, 10, n), 33, 85).round(),
            "sex": np.where(rng.random(n) < 0.36, "Female", "Male"),
        }
    )


def _write(folder: Path, row: Mapping[str, Any], seed: int) -> None:
    """The files of one patient."""
    patient, scanner = row["patient"], MR_SCANNERS["A"]
    rng = np.random.default_rng(child_seed(seed, "parkinson scan", patient))
    striatum = Striatum(
        caudate=float(2.9 * np.exp(-0.12 * row["loss"])),
        putamen=float(2.4 * np.exp(-0.26 * row["loss"])),
        gradient=float(0.35 + 0.2 * row["gradient"]),
        asymmetry=float(rng.normal(0.0, 0.15)),
        patchiness=float(0.30 * np.exp(0.5 * row["patches"])),
        patch_mm=5.5,
    )
    scans = render_striatum(striatum, rng, scanner)
    for name, values in (("spect", scans.spect), ("t1", scans.mri)):
        write_image(Image(values, scans.geometry), folder / "images" / f"{patient}_{name}.nii.gz")
    facts = {"Modality": "NM", "Radiopharmaceutical": "123I-ioflupane", "SeriesDescription": "DaTSCAN, synthetic"}
    said = {"spect": facts, "t1": scanner.sidecar("T1-weighted, on the grid of the SPECT")}
    for name, sidecar in said.items():
        text = json.dumps(sidecar, indent=1) + "\n"
        (folder / "images" / f"{patient}_{name}.json").write_text(text, encoding="utf-8")
    masks = {"mri": scans.labels, **{how: of_uptake(scans, how) for how in BY_UPTAKE}}
    for name, labels in masks.items():
        write_labels(LabelImage(labels, scans.geometry), folder / "masks" / f"{patient}_{name}.nii.gz")
