"""[explain]: which models are explained, and how closely."""

from __future__ import annotations

from pydantic import Field

from isthmus.settings import Section

__all__ = ["ExplainSettings"]


class ExplainSettings(Section):
    """What is explained, on held-out rows in each fold; the section's presence turns it on.

    models: names of models (empty: the one of [report] final).
    repeats: how many repeats of the outer folds are explained.
    background: for a model without an exact form, the number of k-means centres that stand for the training rows.
    passes: for such a model, pairs of random orders of the columns.
    permutations: times each column is shuffled for its permutation importance.
    correlated: columns whose Spearman correlation exceeds this are summed as a group.
    curves: columns of the final model that get partial dependence and accumulated local effects.
    """

    models: list[str] = Field(default=[])
    repeats: int = Field(default=1, ge=1)
    background: int = Field(default=20, ge=1, le=500)
    passes: int = Field(default=2, ge=1)
    permutations: int = Field(default=10, ge=1)
    correlated: float = Field(default=0.9, gt=0.0, le=1.0)
    curves: int = Field(default=5, ge=0)
