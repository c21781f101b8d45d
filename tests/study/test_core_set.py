"""The core set of a small cohort: iTED that comes out again and is not the volume in other words, chosen without the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.habitat import ited_columns
from isthmus.study import Plan
from isthmus.study.run import run_study
from study.structured import write_structured_study

STEADY = ("ited_firstorder_Mean", "ited_firstorder_Median", "ited_firstorder_90Percentile")
DOCUMENT: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "two_tissues"},
    "features": [{"name": "ited", "kind": "ited", "image": "ct"}],
    "habitat": {"supervoxels": {"volume_mm3": 60, "least_supervoxels": 15}, "features": {"bin_width": 10}},
    "select": {"reliability": {"repeats": "again.csv", "volume_below": 0.9}},
    "models": [
        {"name": "m", "steps": ["impute", "scale"], "estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5}
    ],
    "validate": {"folds": 2, "repeats": 1, "bootstrap": 100},
    "audit": {"permutations": 0, "controls": []},
    "report": {"pictures": 0, "embedding": "none"},
    "compute": {"workers": 1},
}


def again(patients: list[str]) -> pd.DataFrame:
    """Three measurements of every patient: three features come out again, the others are noise."""
    rng = np.random.default_rng(2)
    names = ited_columns(whole=False)
    truth = rng.normal(size=(len(patients), len(names)))
    noise = np.where(np.isin(names, STEADY), 0.1, 3.0)
    parts = [
        pd.DataFrame(truth + noise * rng.normal(size=truth.shape), columns=names).assign(
            patient=patients, repeat=str(repeat)
        )
        for repeat in range(3)
    ]
    return pd.concat(parts)


def test_the_core_set_of_ited(tmp_path: Path) -> None:
    """Of the columns that the block makes in the fold only those that come out again are left; the volume is looked at behind that."""
    cases = write_structured_study(tmp_path, patients=12)
    again(cases["patient"].tolist()).to_csv(tmp_path / "again.csv", index=False)
    result = run_study(Plan.parse(DOCUMENT, base=tmp_path), tmp_path / "run")
    judged = result.tables["reliability"].set_index("feature")
    assert set(judged.index[judged["kept"]]) == set(STEADY)
    assert set(result.selected["feature"]) <= set(STEADY)
    assert len(result.selected) > 0
