"""The linear model of a protein: a mean of every group, and what else differs between samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from isthmus.errors import TableError, did_you_mean, first_few
from isthmus.stats.binary import Array
from isthmus.table.reading import number

__all__ = ["Design", "contrast_groups", "covariate_columns", "make_design"]


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of the model (samples, p): first one a group, then those of covariates; and the contrast A - B."""

    columns: pd.DataFrame
    groups: tuple[str, ...]
    first: str
    second: str

    @property
    def contrast(self) -> Array:
        return np.array([float(name == self.first) - float(name == self.second) for name in self.columns.columns])

    @property
    def extra(self) -> Array:
        """The columns of covariates, centred."""
        part = self.columns.iloc[:, len(self.groups) :].to_numpy(dtype=np.float64)
        centred: Array = part - part.mean(axis=0)
        return centred


def contrast_groups(text: str | None, groups: Sequence[str]) -> tuple[str, str]:
    """A and B of `A-B`; a group's name may hold a minus. With two groups and no contrast, the later name minus the earlier.

    Raises
    ------
    TableError
        A group is unknown, or there are more than two and nothing was said.
    """
    known = sorted(dict.fromkeys(groups))
    if text is None:
        if len(known) != 2:
            raise TableError(
                f"{len(known)} groups ({first_few(known)}): which two are to be compared? --contrast A-B (A minus B)"
            )
        return known[1], known[0]
    pieces = text.split("-")
    pairs = [("-".join(pieces[:at]).strip(), "-".join(pieces[at:]).strip()) for at in range(1, len(pieces))]
    fitting = [(a, b) for a, b in pairs if a in known and b in known and a != b]
    if len(fitting) != 1:
        a = pairs[0][0] if pairs else text
        hint = did_you_mean(a if a not in known else pairs[0][1], known) if pairs else f" Known: {', '.join(known)}."
        raise TableError(f"contrast {text!r}: expected A-B, two groups of the table with a minus between them.{hint}")
    return fitting[0]


def covariate_columns(samples: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Numbers as they are, text as one column a level but the first.

    Raises
    ------
    TableError
        A column does not exist, misses a value, or has a level a sample.
    """
    parts = []
    for name in names:
        if name not in samples.columns:
            raise TableError(f"no column {name!r} in the table of groups.{did_you_mean(name, samples.columns)}")
        cells = samples[name]
        if cells.isna().any():
            raise TableError(
                f"column {name!r} is empty for {int(cells.isna().sum())} samples: {first_few(samples.index[cells.isna()])}; fill it in, or "
                "take these samples out of the table of groups"
            )
        found = [number(str(cell)) for cell in cells]
        if all(value is not None for value in found):
            parts.append(pd.DataFrame({name: np.array(found, dtype=np.float64)}, index=samples.index))
            continue
        levels = sorted(map(str, cells.unique()))
        parts.append(
            pd.DataFrame(
                {f"{name}={level}": (cells == level).to_numpy(dtype=np.float64) for level in levels[1:]},
                index=samples.index,
            )
        )
    return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=samples.index)


def make_design(samples: pd.DataFrame, contrast: str | None, covariates: Sequence[str], batch: str | None) -> Design:
    """The model of all samples of the table: every group, every covariate, the batch as a category.

    Raises
    ------
    TableError
        As `contrast_groups` and `covariate_columns`; or group and covariates cannot be told apart.
    """
    first, second = contrast_groups(contrast, list(samples["group"]))
    groups = tuple(sorted(samples["group"].unique()))
    columns = pd.DataFrame(
        {name: (samples["group"] == name).to_numpy(dtype=np.float64) for name in groups}, index=samples.index
    )
    extra = covariate_columns(samples, covariates)
    if batch is not None:
        if batch in covariates:
            raise TableError(f"{batch!r} is both a covariate and the batch; name it once")
        if batch not in samples.columns:
            raise TableError(f"no column {batch!r} in the table of groups.{did_you_mean(batch, samples.columns)}")
        # a batch is a category also where it is a number
        labelled = samples.assign(
            **{batch: samples[batch].where(samples[batch].isna(), "batch " + samples[batch].astype(str))}
        )
        extra = pd.concat([extra, covariate_columns(labelled, [batch])], axis=1)
    columns = pd.concat([columns, extra], axis=1)
    x = columns.to_numpy()
    rank = int(np.linalg.matrix_rank(x))
    if len(x) - rank < 1:
        raise TableError(
            f"{len(x)} samples for a model of {x.shape[1]} columns; no degree of freedom is left. Name fewer covariates"
        )
    design = Design(columns, groups, first, second)
    weights = design.contrast
    seen = np.linalg.lstsq(x.T @ x, weights, rcond=None)[0]
    if np.abs(x.T @ x @ seen - weights).max() > 1e-8:
        raise TableError(
            f"{first} and {second} cannot be told apart from {', '.join([*covariates, *([batch] if batch else [])])}: each occurs in "
            "one of the two groups only. Leave the covariate out, or measure both groups in each batch"
        )
    return design
