"""A small finished study for the rooms: synthetic CT of two centres, clinical columns and shape, two models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.image.io import from_array, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.study.plan import Plan
from isthmus.study.run import run_study

PLAN = """
[cohort]
table = "hospital/cases.csv"
outcome = "metastasis"

[clinical.columns.age_years]
type = "number"
unit = "years"
label = "Age"
range = [0, 120]

[clinical.columns.extrathyroidal_extension]
type = "yes/no"
label = "Extension"

[[features]]
name = "ct"
image = "ct"
profile = "pyradiomics"
families = ["shape"]

[[models]]
name = "both"
estimator = "logistic"
steps = ["impute", "encode", "scale"]
settings = { C = 0.1 }

[[models]]
name = "forest"
estimator = "random_forest"
blocks = ["clinical"]
settings = { trees = 20 }

[validate]
folds = 2
repeats = 1
bootstrap = 100

[audit]
permutations = 0
controls = []

[report]
title = "A small study"
pictures = 0
maps = 0
embedding = "none"
"""


@dataclass(frozen=True)
class Finished:
    """A study folder, its run, and the case table."""

    study: Path
    run: Path
    cases: Path


def small_hospital(folder: Path, patients: int = 24) -> Path:
    """Scans of ellipsoids in noise with their masks, and the case table: larger lesions and older patients have the event more often."""
    rng = np.random.default_rng(3)
    rows = []
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    k, j, i = np.indices((12, 32, 32)) - np.array([6, 16, 16])[:, None, None, None]
    for number in range(patients):
        radius, age = rng.uniform(4, 12), rng.uniform(30, 85)
        mask = (k * 2) ** 2 + j**2 + (i * rng.uniform(0.8, 1.3)) ** 2 <= radius**2
        image = from_array(np.where(mask, 90, 20) + rng.normal(0, 12, mask.shape), (2.0, 1.0, 1.0))
        files = {"image:ct": f"images/P{number:04d}.nii.gz", "mask:ct": f"masks/P{number:04d}.nii.gz"}
        write_image(image, folder / files["image:ct"])
        write_labels(LabelImage(mask.astype(np.int32), image.geometry), folder / files["mask:ct"])
        event = int(rng.random() < 1 / (1 + np.exp(-(radius - 8) / 2 - (age - 57) / 20)))
        facts = {
            "centre": "AB"[number % 2],
            "metastasis": event,
            "age_years": round(age),
            "extrathyroidal_extension": rng.choice(["no", "yes"]),
        }
        rows.append({"patient": f"P{number:04d}", **facts, **files})
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)
    return folder / "cases.csv"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A study folder with scans and a finished run (without its report's figures)."""
    study = tmp_path_factory.mktemp("study")
    small_hospital(study / "hospital")
    (study / "plan.toml").write_text(PLAN)
    run_study(Plan.read(study / "plan.toml"), study / "runs" / "first", workers=1)
    (study / "runs" / "first" / "report.html").write_text(
        "<!doctype html><title>Report</title><script>document.title='ran'</script>"
    )
    return Finished(study, study / "runs" / "first", study / "hospital" / "cases.csv")
