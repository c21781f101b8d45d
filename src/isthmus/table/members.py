"""Models inside a model: whole fitted pipelines whose risks are columns of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.log_odds import log_odds
from isthmus.table.outcome import Task

__all__ = ["Members", "risk_columns"]


@dataclass(frozen=True, eq=False)
class Members:
    """The models whose risks a model takes, fitted on all its training rows.

    Parameters
    ----------
    pipelines : tuple of Pipeline
    columns : tuple of tuples of str
        What each of them takes from the rows, context included.
    names : tuple of tuples of str
        The columns each of them gives.
    own : tuple of str
        What the model itself takes from the rows besides, context included.
    task : {"binary", "multiclass", "ordinal", "survival"}
    inside : DataFrame, optional
        What the training rows got from models that had not seen them; not in a model file.
    """

    pipelines: tuple[Any, ...]
    columns: tuple[tuple[str, ...], ...]
    names: tuple[tuple[str, ...], ...]
    own: tuple[str, ...]
    task: Task
    inside: pd.DataFrame | None = None

    def risks(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that the models give of some rows; each row on its own."""
        parts = []
        for pipeline, columns, names in zip(self.pipelines, self.columns, self.names, strict=True):
            predicted = pipeline.predict_proba(X[list(columns)])
            found = (
                predicted
                if self.task in ("multiclass", "ordinal")
                else predicted[:, 0 if self.task == "survival" else 1]
            )
            parts.append(risk_columns(self.task, found, names, X.index))
        return pd.concat(parts, axis=1)

    def joined(self, X: pd.DataFrame, *, training: bool = False) -> pd.DataFrame:
        """The rows as the model's own steps are to see them. With `training` X are the rows it was trained on, by their index."""
        risks = self.risks(X) if not training or self.inside is None else self.inside.loc[X.index]
        return pd.concat([X[list(self.own)], risks], axis=1)


def risk_columns(task: Task, risks: Any, names: Sequence[str], index: pd.Index[Any]) -> pd.DataFrame:
    """Log odds of risks, shape (n,) or (n, classes); a risk score of a time to an event as it is."""
    values = np.asarray(risks, dtype=np.float64).reshape(len(index), -1)
    return pd.DataFrame(values if task == "survival" else log_odds(values), index=index, columns=list(names))
