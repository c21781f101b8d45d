"""What a model is given: predictors, whose rows they are, and the outcome."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import LeakageError, TableError
from isthmus.table.memory import Rows, content_key, extend_key
from isthmus.table.outcome import Outcome
from isthmus.table.steps import object_context, text_columns, without_context

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings
    from isthmus.validate.fusion import Fused

__all__ = ["Build", "Design"]


class Build(Protocol):
    """Makes the unfitted pipeline of a model: `models.build` with its registry of steps filled in.

    This room does not import its siblings; the study hands it in, as
    `functools.partial(models.build, steps={**models.STEPS, **select.STEPS})`.
    """

    def __call__(self, spec: ModelSettings, columns: pd.DataFrame, *, seed: int) -> Any: ...


@dataclass(frozen=True, eq=False)
class Design:
    """The predictors of a model and the outcome they are to predict.

    Parameters
    ----------
    X : DataFrame
        Predictors, one row an observation; several rows of one patient are allowed. Kept in order of patient, then
        of content.
    patients : Series or array, one per row of X
    outcome : Outcome
        Of each patient; it may hold more patients than X.
    shown : DataFrame, optional
        What the rows look like when they are predicted, where that is not what they look like in training (a simulated shift): the rows and
        columns of X.
    fused : Fused, optional
        Whose risks the model takes, and what else of the columns.
    shared : bool
        Another model takes the risks of this one.
    """

    X: pd.DataFrame
    patients: Any
    outcome: Outcome
    shown: pd.DataFrame | None = None
    fused: Fused | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        who = np.asarray(self.patients).astype(str).astype(object)
        object.__setattr__(self, "patients", who)
        if len(who) != len(self.X):
            raise TableError(f"design: {len(self.X)} rows of predictors but {len(who)} patients")
        if not len(without_context(self.X).columns) and not object_context(self.X):
            raise TableError("design: no predictors; give the model a block with columns")
        if not self.X.columns.is_unique:
            twice = list(dict.fromkeys(map(str, self.X.columns[self.X.columns.duplicated()])))
            raise TableError(f"design: columns occur twice: {', '.join(twice[:5])}")
        if self.outcome.name in self.X.columns:
            raise LeakageError(f"the outcome '{self.outcome.name}' is among the predictors (rule L10). Take it out.")
        unknown = sorted(set(who) - set(map(str, self.outcome.patients)))
        if unknown:
            raise TableError(f"design: no outcome for {len(unknown)} patient(s): {', '.join(unknown[:5])}")
        if self.shown is not None and not (
            self.shown.shape == self.X.shape and (self.shown.columns == self.X.columns).all()
        ):
            raise TableError(f"design: what is shown has shape {self.shown.shape}, the predictors have {self.X.shape}")
        self._check_finite()
        self._put_in_order()

    def _put_in_order(self) -> None:
        """Rows by patient, then by content: sums and random draws must not depend on the order of a spreadsheet."""
        who = self.patients
        keys = [who.astype(str)]
        if len(np.unique(keys[0])) < len(who):
            keys.insert(0, pd.util.hash_pandas_object(_plain(self.X), index=False).to_numpy())
        order = np.lexsort(keys)
        # a copy: a table read from a file is one block of memory per column, and every step would walk over a thousand;
        # names as plain objects: every step lists them, which is slow for Arrow strings
        X = self.X.iloc[order].copy()
        X.columns = pd.Index(list(X.columns), dtype=object)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "patients", who[order])
        if self.shown is not None:
            object.__setattr__(self, "shown", self.shown.iloc[order].set_axis(X.columns, axis=1))

    def _check_finite(self) -> None:
        text = set(text_columns(self.X))
        numeric = [column for column in self.X.columns if column not in text]
        infinite = np.isinf(self.X[numeric].to_numpy(dtype=np.float64, na_value=np.nan)).any(axis=0)
        if infinite.any():
            names = [str(name) for name, bad in zip(numeric, infinite, strict=True) if bad]
            raise TableError(
                f"design: infinite values in {len(names)} column(s): {', '.join(names[:5])}. "
                "Make them missing or leave the column out."
            )

    @cached_property
    def key(self) -> bytes:
        """Stands for the content of `X`."""
        return content_key(self.X)

    def rows(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows of a mask, with the outcome of their patients."""
        key = extend_key(self.key, np.packbits(mask).tobytes())
        return Rows(self.X[mask].reset_index(drop=True), self.events(mask), self.patients[mask], key)

    def unseen(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows of a mask as they look when they are predicted."""
        if self.shown is None:
            return self.rows(mask)
        key = extend_key(content_key(self.shown), np.packbits(mask).tobytes())
        return Rows(self.shown[mask].reset_index(drop=True), self.events(mask), self.patients[mask], key)

    def mask(self, patients: Collection[str]) -> NDArray[np.bool_]:
        """Which rows belong to these patients; a patient without a row is an error."""
        wanted = set(patients)
        rows = np.fromiter((patient in wanted for patient in self.patients), dtype=bool, count=len(self.patients))
        missing = sorted(wanted - set(self.patients[rows]))
        if missing:
            raise TableError(f"design: no row for {len(missing)} patient(s) of the split: {', '.join(missing[:5])}")
        return rows

    def events(self, rows: NDArray[np.bool_]) -> NDArray[Any]:
        """The outcome of the patient of each of these rows: codes, or events and times."""
        place = pd.Index([str(patient) for patient in self.outcome.patients]).get_indexer(self.patients[rows])
        return np.asarray(self.outcome.target()[place])


def _plain(X: pd.DataFrame) -> pd.DataFrame:
    """The rows with the digests of objects in their place."""
    digests = {name: [getattr(cell, "digest", b"").hex() for cell in X[name]] for name in object_context(X)}
    return X.assign(**digests) if digests else X
