"""`tables/learning_curves.csv`: how the networks of the models learned, in every fold and on all training patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from isthmus.study.store import RunFolder
from isthmus.validate.develop import learning
from isthmus.validate.results import FittedModel, FoldResult

__all__ = ["COLUMNS", "write_learning_curves"]

COLUMNS = [
    "model", "block", "step", "repeat", "fold", "stage", "epoch", "training_loss", "validation_loss", "validation_auc", "kept",
]  # fmt: skip


def write_learning_curves(
    folds: Mapping[str, Sequence[FoldResult]], finals: Mapping[str, FittedModel], store: RunFolder
) -> None:
    """One row an epoch, `kept` marks the one whose network was taken; the final model has no repeat and no fold."""
    rows = []
    for model, final in finals.items():
        for result in folds.get(model, ()):
            rows += [
                {"model": model, "repeat": result.repeat, "fold": result.fold, **epoch} for epoch in result.learning
            ]
        rows += [{"model": model, **epoch} for epoch in learning(final.pipeline)]
    if rows:
        table = pd.DataFrame(rows).reindex(columns=COLUMNS)
        store.write("tables/learning_curves.csv", table.astype({"repeat": "Int64", "fold": "Int64"}))
