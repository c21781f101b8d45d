"""Code as users write it: checked by the type checker, never run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import isthmus


def features_of_one_case() -> float:
    values = np.zeros((10, 20, 20), dtype=np.int16)
    row: pd.Series[float] = isthmus.extract((values, (2.0, 1.0, 1.0)), (values > 0, (2.0, 1.0, 1.0)), bin_width=10.0)
    return float(row["original_glcm_Contrast"])


def study() -> Path:
    plan = isthmus.Plan.read("plan.toml")
    result = isthmus.run(plan, out="runs/x", workers=2)
    return isthmus.report(result)


def prediction() -> pd.DataFrame:
    model = isthmus.Model.load("runs/x/model.isthmus")
    return model.predict("cases.csv")
