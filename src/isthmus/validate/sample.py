"""The predictions to judge: checked, in a fixed order, and one sample of them per model and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome

__all__ = ["COLUMNS", "SPLITS", "Rows", "Sample", "prepare", "prepare_rows", "sample_of"]

SPLITS = ("train", "cv", "internal", "external")
COLUMNS = ("patient", "model", "split", "repeat", "fold", "outcome", "probability")

Rows = NDArray[np.intp]


def prepare(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions of a binary outcome checked and in a fixed order, so that the order of rows can never change a number.

    Raises
    ------
    TableError
        An outcome is not 0 or 1, or what `prepare_rows` refuses.
    """
    frame = prepare_rows(predictions)
    check_outcome(frame["outcome"].to_numpy())
    return frame


def prepare_rows(predictions: pd.DataFrame, numbers: Sequence[str] = (), *, keep: Sequence[str] = ()) -> pd.DataFrame:
    """The same for any outcome, with further columns of numbers and columns that are kept as they are.

    Raises
    ------
    TableError
        A column is missing, a probability lies outside [0, 1], a split is unknown, a cross-validated row has no repeat
        or fold, or a patient has two rows where there may be one, or two outcomes.
    """
    wanted = (*COLUMNS, *numbers, *keep)
    missing = [c for c in wanted if c not in predictions.columns]
    if missing:
        raise TableError(f"predictions lack the columns {', '.join(missing)}; expected {', '.join(wanted)}")
    frame = predictions.loc[:, list(wanted)].copy()
    for name in ("repeat", "fold", "outcome", "probability", *numbers):
        frame[name] = pd.to_numeric(frame[name]).astype(np.float64)
    frame["patient"] = frame["patient"].astype(str)
    unknown = sorted(set(frame["split"]) - set(SPLITS))
    if unknown:
        raise TableError(f"predictions of unknown splits {', '.join(map(str, unknown))}. Known: {', '.join(SPLITS)}")
    outside = frame[(frame["probability"] < 0) | (frame["probability"] > 1)]
    if len(outside):
        first = outside.iloc[0]
        raise TableError(
            f"model {first['model']}, patient {first['patient']}: probability {first['probability']} lies outside "
            "[0, 1]; these are not probabilities"
        )
    loose = frame[(frame["split"] == "cv") & (frame["repeat"].isna() | frame["fold"].isna())]
    if len(loose):
        first = loose.iloc[0]
        raise TableError(
            f"model {first['model']}, patient {first['patient']}: a cross-validated prediction without repeat or fold; "
            "number both"
        )
    twice = frame.duplicated(["patient", "model", "split", "repeat"])
    if twice.any():
        first = frame[twice].iloc[0]
        raise TableError(
            f"model {first['model']}, split {first['split']}: patient {first['patient']} has two predictions in one "
            "repeat; aggregate the rows of a patient first"
        )
    outcomes = frame.groupby(["patient", "split"])["outcome"].nunique()
    if (outcomes > 1).any():
        raise TableError(f"patient {outcomes[outcomes > 1].index[0][0]} has two different outcomes")
    return frame.sort_values(["repeat", "fold", "patient"], kind="stable", na_position="first", ignore_index=True)


@dataclass(frozen=True, eq=False)
class Sample:
    """The predictions of one model on one split, rows in order of repeat, fold, patient."""

    split: str
    event: NDArray[np.bool_]
    probability: Array
    called: NDArray[np.bool_]
    threshold: Array
    patient: Rows  # index of each row's patient
    repeats: tuple[Rows, ...]
    folds: tuple[tuple[Rows, ...], ...]  # per repeat
    missing: int  # rows without a probability, left out

    @cached_property
    def n(self) -> int:
        """Number of patients."""
        return int(self.patient.max()) + 1 if self.patient.size else 0

    @cached_property
    def rows_of_patient(self) -> Array:
        return np.bincount(self.patient, minlength=self.n).astype(np.float64)

    @cached_property
    def patient_event(self) -> NDArray[np.bool_]:
        """Outcome of each patient."""
        return self.mean_per_patient(self.event) > 0.5

    def mean_per_patient(self, values: NDArray[np.bool_] | Array) -> Array:
        """Mean of a patient's rows (repeats)."""
        return np.bincount(self.patient, values, minlength=self.n) / self.rows_of_patient

    @property
    def why_not(self) -> str:
        """Why nothing that compares the classes can be computed, or nothing."""
        events = int(self.patient_event.sum())
        if not self.n:
            return "not computed: no patients with a prediction"
        if events in {0, self.n}:
            return f"not computed: only one class ({events} events among {self.n} patients)"
        return ""


def sample_of(frame: pd.DataFrame, thresholds: pd.DataFrame | None, model: str, split: str) -> Sample:
    """Collect what one model predicted on one split, with the threshold that belongs to each row (None: NaN)."""
    there = frame["probability"].notna().to_numpy()
    rows = frame[there]
    nothing = np.full(len(rows), np.nan)
    cut = nothing if thresholds is None else _threshold_of_rows(rows, thresholds, model, split)
    probability = rows["probability"].to_numpy()
    by_repeat = rows.groupby("repeat", dropna=False, sort=True).indices if len(rows) else {}
    fold = rows["fold"].to_numpy()
    repeats = tuple(np.asarray(found, dtype=np.intp) for found in by_repeat.values())
    return Sample(
        split=split,
        event=rows["outcome"].to_numpy() == 1,
        probability=probability,
        called=probability >= cut,
        threshold=cut,
        patient=np.unique(rows["patient"].to_numpy(dtype=str), return_inverse=True)[1],
        repeats=repeats,
        folds=tuple(tuple(found[fold[found] == k] for k in np.unique(fold[found])) for found in repeats),
        missing=int((~there).sum()),
    )


def _threshold_of_rows(rows: pd.DataFrame, thresholds: pd.DataFrame, model: str, split: str) -> Array:
    """Threshold of each row: its outer fold's on cv, the final model's elsewhere."""
    own = thresholds[thresholds["model"] == model]
    repeat, fold = (pd.to_numeric(own[name]).astype(np.float64) for name in ("repeat", "fold"))
    if split != "cv":
        final = own[repeat.isna() & fold.isna()]
        if len(final) != 1:
            raise TableError(
                f"model {model}: {len(final)} thresholds of the final model; expected one row without repeat and fold"
            )
        return np.full(len(rows), float(final["threshold"].iloc[0]))
    table = dict(zip(zip(repeat, fold, strict=True), own["threshold"].astype(np.float64), strict=True))
    keys = list(zip(rows["repeat"], rows["fold"], strict=True))
    absent = sorted({key for key in keys if key not in table})
    if absent:
        raise TableError(f"model {model}: no threshold for repeat {absent[0][0]:g}, fold {absent[0][1]:g}")
    return np.array([table[key] for key in keys], dtype=np.float64)
