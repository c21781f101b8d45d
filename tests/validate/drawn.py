"""Small designs with a known signal, drawn for the tests of the learning half."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from isthmus import models, select
from isthmus.table import Outcome
from isthmus.validate.nested import Design

STEPS = {**models.STEPS, **select.STEPS}
SMALL = {"quantile_forest": {"trees": 30, "tuning_trees": 10}}
"""Settings of estimators whose defaults are for whole studies."""
build = functools.partial(models.build, steps=STEPS)


def design(rng: np.random.Generator, *, n: int = 60, p: int = 8, signal: float = 2.0, rows: int = 1) -> Design:
    """`n` patients with `rows` rows each; the first two columns carry the signal, the others are noise."""
    patients = np.array([f"P{index:03d}" for index in range(n)])
    events = (np.arange(n) % 3 == 0).astype(int)
    own = rng.normal(size=(n, p))
    own[:, :2] += signal * (events[:, None] - 0.5)
    values = np.repeat(own, rows, axis=0) + (0.1 * rng.normal(size=(n * rows, p)) if rows > 1 else 0.0)
    X = pd.DataFrame(values, columns=[f"f{index}" for index in range(p)])
    outcome = Outcome("metastasis", "binary", pd.Series(events, index=patients))
    return Design(X, np.repeat(patients, rows), outcome)
