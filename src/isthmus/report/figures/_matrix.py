"""The patients and their columns, as figures of the data see them: one row a patient, every number of every block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.report.facts import final_model, model_settings, outcome_name, patients, task
from isthmus.report.figures._canvas import EVENT, NON_EVENT, colours
from isthmus.report.figures.class_roc import class_columns
from isthmus.study.blocks import qualified
from isthmus.study.result import Result
from isthmus.study.supervoxels import predicts

__all__ = ["Matrix", "group_colours", "group_names", "matrix", "model_blocks", "spearman"]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers of the patients in the study.

    Parameters
    ----------
    values : DataFrame (n, p)
        By patient, columns named as in a design matrix; the mean of a patient's images where there are several.
    patients : DataFrame
        By patient: `centre`, `split`, `outcome` (its code).
    columns : DataFrame
        By column: `block`, `image`, `filter`, `family`.
    """

    values: pd.DataFrame
    patients: pd.DataFrame
    columns: pd.DataFrame

    @property
    def training(self) -> pd.DataFrame:
        """The rows of the development set."""
        return self.values[(self.patients["split"] == "train").to_numpy()]


def matrix(result: Result, blocks: Sequence[str] | None = None) -> Matrix:
    """The numbers of some blocks (default: all) of the patients in the study; without a column where the run holds no values."""
    people = patients(result)
    people = people[people["status"] == "included"].set_index("patient")[["centre", "split", "outcome"]]
    people = people.assign(outcome=pd.to_numeric(people["outcome"], errors="coerce")).sort_index()
    parts, facts = [], []
    for block in result.blocks if blocks is None else blocks:
        table = result.values(block)
        if not len(table):
            continue
        about = result.blocks[block].set_index("column").reindex(columns=["image", "filter", "family"]).fillna("")
        shown = (
            result.blocks[block]
            .set_index("column")
            .index[[predicts(row) for row in result.blocks[block].to_dict("records")]]
        )
        names = [name for name in shown if name in table and pd.api.types.is_numeric_dtype(table[name])]
        numbers = table[names].to_numpy(dtype=np.float64)
        own = pd.DataFrame(np.where(np.isfinite(numbers), numbers, np.nan), index=table["patient"], columns=names)
        own = own.groupby(level=0).mean() if own.index.has_duplicates else own
        new = [qualified(block, name, several=len(result.blocks) > 1) for name in names]
        parts.append(own.reindex(people.index).set_axis(new, axis=1))
        facts.append(about.loc[names].set_axis(new, axis=0).assign(block=block))
    if not parts:
        return Matrix(pd.DataFrame(index=people.index), people, pd.DataFrame(columns=["image", "filter", "family"]))
    return Matrix(pd.concat(parts, axis=1), people, pd.concat(facts))


def model_blocks(result: Result) -> list[str]:
    """The blocks of the final model, as far as the run holds them."""
    wanted = model_settings(result, final_model(result)).get("blocks") or list(result.blocks)
    return [block for block in wanted if block in result.blocks]


def group_names(result: Result) -> dict[int, str]:
    """Outcome code -> the words for the group."""
    if task(result) == "binary":
        return {0: f"without {outcome_name(result)}", 1: f"with {outcome_name(result)}"}
    if task(result) == "survival":
        return {0: "no event seen", 1: "event"}
    return dict(enumerate(class_columns(result)))


def group_colours(names: Sequence[str]) -> dict[str, str]:
    """Group -> its colour; of two groups the second is the one with the event."""
    if len(names) == 2:
        return dict(zip(names, (NON_EVENT, EVENT), strict=True))
    return {name: colour for name, (colour, _) in colours(names).items()}


def spearman(values: pd.DataFrame) -> NDArray[np.float64]:
    """Spearman correlations of columns, shape (p, p), medians in the place of missing values; 0 with a constant column."""
    table = values.to_numpy(dtype=np.float64, copy=True)
    table[:, np.isnan(table).all(axis=0)] = 0.0
    filled = stats.rankdata(np.where(np.isnan(table), np.nanmedian(table, axis=0), table), axis=0)
    filled = filled - filled.mean(axis=0)
    norm = np.sqrt((filled**2).sum(axis=0))
    scaled = filled / np.where(norm > 0, norm, 1.0)
    return np.clip(scaled.T @ scaled, -1.0, 1.0)
