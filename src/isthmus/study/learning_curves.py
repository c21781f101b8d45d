"""`tables/learning_curves.csv`: how the networks of the final models learned."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from isthmus.deep.step import TrainedInFold
from isthmus.study.store import RunFolder
from isthmus.validate.results import FittedModel

__all__ = ["write_learning_curves"]


def write_learning_curves(finals: Mapping[str, FittedModel], store: RunFolder) -> None:
    """One row an epoch, `kept` marks the one whose network the model has."""
    parts = []
    for model, final in finals.items():
        for _, step in final.pipeline.makers:
            if isinstance(step, TrainedInFold):
                # seconds are left out: they differ from run to run
                curve = step.curve_.drop(columns="seconds")
                kept = curve["epoch"] == step.best_
                parts.append(curve.assign(model=model, block=step.block, step=step.name, kept=kept))
    if parts:
        table = pd.concat(parts, ignore_index=True)
        store.write("tables/learning_curves.csv", table[["model", "block", "step", *curve.columns, "kept"]])
