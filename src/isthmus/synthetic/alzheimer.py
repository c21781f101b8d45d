"""An MR study of the stages of Alzheimer's disease: hippocampi on coronal T1 images, clinical columns, four ordered stages.

Nobody's data. Stages follow clinical columns, how much of the hippocampi is left (which a volume measures) and how uneven their tissue
is (which the image alone shows).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import EXTERNAL_CENTRE, MR_SCANNERS
from isthmus.synthetic.hippocampus import Hippocampi, render_hippocampi
from isthmus.synthetic.planted import draw_classes, each_patient
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers

__all__ = ["ALZHEIMER_EFFECTS", "DEMO_SIZE", "SIZES", "STAGES", "STUDY_SIZE", "make_alzheimer"]

STAGES = ("Non-Demented", "Very Mild Demented", "Mild Demented", "Moderate Demented")

STUDY_SIZE: Mapping[str, tuple[int, int, int, int]] = MappingProxyType(
    {"A": (320, 210, 130, 50), "B": (290, 195, 115, 45), "C": (322, 217, 131, 45), "E": (400, 265, 156, 65)}
)
"""Patients of each stage at each centre: 2,956 in all, as the study says; how they divide it does not say."""
DEMO_SIZE: Mapping[str, tuple[int, int, int, int]] = MappingProxyType(
    {"A": (16, 13, 11, 8), "B": (14, 12, 9, 7), "E": (14, 12, 10, 8)}
)
SIZES = MappingProxyType(
    {"full": STUDY_SIZE, "demo": DEMO_SIZE, "tiny": MappingProxyType({"A": (3, 3, 3, 3), "E": (2, 2, 2, 2)})}
)

ALZHEIMER_EFFECTS: Mapping[str, float] = MappingProxyType(
    {"texture": 1.6, "atrophy": 1.0, "cognition": 0.9, "apoe_e4": 0.5}
)
"""Planted log odds ratios per standard deviation (`apoe_e4`: per allele). Sex and education have none."""


def make_alzheimer(
    folder: str | Path,
    *,
    sizes: Mapping[str, tuple[int, int, int, int]] = DEMO_SIZE,
    seed: int = 1,
    signal: float = 1.0,
    workers: int = 1,
) -> Path:
    """Images, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : mapping
        Centre -> patients of each stage, met exactly.
    seed : int
    signal : float
        Multiplies every planted effect; 0: the stage depends on nothing, the images stay as they are.
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, centre, stage, age_years, sex, education_years, mmse, apoe_e4, image:t1, mask:t1 (17 and 53, the left and the
        right hippocampus). Beside it `truth.csv`.
    """
    folder = Path(folder)
    truth = pd.concat([_centre(centre, counts, seed, signal) for centre, counts in sizes.items()], ignore_index=True)
    truth["split"] = np.where(truth["centre"] == EXTERNAL_CENTRE, "external", "train")
    truth["twice"] = drawn_twice(truth)
    each_patient(folder, truth, lambda into, one: _write(into, one, seed), workers=workers)
    cases = truth[["patient", "centre", "stage", "age_years", "sex", "education_years", "mmse", "apoe_e4"]].copy()
    for kind in ("image", "mask"):
        cases[f"{kind}:t1"] = [f"{kind}s/{patient}_t1.nii.gz" for patient in cases["patient"]]
    cases.to_csv(folder / "cases.csv", index=False)
    write_readers(folder / "cases.csv", truth["twice"], "mask:t1")
    truth["outcome"] = truth["stage"].map({name: place for place, name in enumerate(STAGES)})
    truth[["patient", "centre", "split", *ALZHEIMER_EFFECTS, "risk", "outcome"]].to_csv(
        folder / "truth.csv", index=False, float_format="%.10g"
    )
    return folder / "cases.csv"


def _centre(centre: str, counts: tuple[int, int, int, int], seed: int, signal: float) -> pd.DataFrame:
    """Latent parts, clinical columns and stages of one centre."""
    rng = np.random.default_rng(child_seed(seed, "alzheimer", centre))
    n = sum(counts)
    texture, atrophy, cognition = np.clip(rng.standard_normal((3, n)), -2.2, 2.2)
    alleles = rng.choice([0, 1, 2], p=[0.55, 0.37, 0.08], size=n)
    parts = {"texture": texture, "atrophy": atrophy, "cognition": cognition, "apoe_e4": alleles}
    risk = signal * sum(effect * parts[name] for name, effect in ALZHEIMER_EFFECTS.items())
    stage = draw_classes(risk + np.zeros(n), counts, rng)
    return pd.DataFrame(
        {
            "patient": [f"{centre}{number + 1:04d}" for number in range(n)],
            "centre": centre,
            **parts,
            "risk": risk,
            "stage": np.array(STAGES)[stage],
            "age_years": np.clip(rng.normal(74, 7, n) + 1.5 * atrophy, 55, 95).round(),
            "sex": np.where(rng.random(n) < 0.55, "Female", "Male"),
            "education_years": np.clip(rng.normal(13, 3, n), 4, 22).round(),
            "mmse": np.clip(26.0 - 2.6 * cognition + rng.normal(0, 1.4, n), 5, 30).round(),
        }
    )


def _write(folder: Path, row: Mapping[str, Any], seed: int) -> None:
    """The files of one patient."""
    patient, scanner = row["patient"], MR_SCANNERS[row["centre"]]
    rng = np.random.default_rng(child_seed(seed, "alzheimer scan", patient))
    pair = Hippocampi(
        shrinkage=0.08 * row["atrophy"],
        unevenness=0.075 * float(np.exp(0.45 * row["texture"])),
        grain_mm=2.6 * float(np.exp(-0.15 * row["texture"])),
        asymmetry=float(rng.normal(0.0, 0.04)),
    )
    scan = render_hippocampi(pair, scanner, rng)
    write_image(Image(scan.values, scan.geometry), folder / "images" / f"{patient}_t1.nii.gz")
    mask = f"masks/{patient}_t1.nii.gz"
    write_labels(LabelImage(scan.labels, scan.geometry), folder / mask)
    if row["twice"]:
        again = redrawn(scan.labels, scan.geometry.spacing_mm, rng)
        write_labels(LabelImage(again, scan.geometry), folder / second_file(mask))
    sidecar = json.dumps(scanner.sidecar("T1-weighted, coronal"), indent=1) + "\n"
    (folder / "images" / f"{patient}_t1.json").write_text(sidecar, encoding="utf-8")
