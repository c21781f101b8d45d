"""Leave out features that do not come out again when a lesion is measured again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, PlanError, TableError, first_few
from isthmus.select.repeats import KEYS, Measured, arrange, read_repeats
from isthmus.stats.agreement import cosine_similarity, icc, icc_class
from isthmus.stats.agreement.icc import form_name
from isthmus.table.steps import Array, Step

__all__ = ["ENOUGH", "THRESHOLDS", "Reliability", "mean_cosine"]

ENOUGH = 30
"""With fewer cases the width of the intervals is told."""

THRESHOLDS = (0.75, 0.80, 0.90)


class Reliability(Step):
    """Features whose intraclass correlation over repeated measurements reaches `at_least`.

    Only repeats of the training rows' patients, and of patients who are not in the study, are looked at (rule L13): what a
    test patient's repeats say about a feature is not known here. A feature that is the same in every repeat has no reliability
    and is dropped; a column the table does not hold is not judged and stays.

    Parameters
    ----------
    repeats : str
        The table of repeats (`isthmus.select.repeats`).
    form : str
        Of the ICC: "2,1" other readers, or perturbations that stand for them; "3,1" the same reader again; "1,1" random pairs.
    at_least : float
    on : {"lower", "estimate"}
        What must reach `at_least`: the lower confidence limit, or the ICC itself.
    confidence : float
    cosine_at_least : float, optional
        What the mean cosine similarity of a feature's centred repeats must reach, too.

    Attributes
    ----------
    judged_ : dict
        Feature -> [ICC, lower limit, upper limit, cosine similarity of the centred repeats, cases]; undefined ones are absent.
    cases_ : int
        Lesions whose repeats were used.
    """

    name = "reliability"
    kind = "unsupervised"
    needs_groups: ClassVar[bool] = True
    learned = ("judged_", "cases_")

    def __init__(
        self,
        repeats: str = "",
        form: str = "2,1",
        at_least: float = 0.75,
        on: str = "lower",
        confidence: float = 0.95,
        cosine_at_least: float | None = None,
    ) -> None:
        self.repeats = repeats
        self.form = form
        self.at_least = at_least
        self.on = on
        self.confidence = confidence
        self.cosine_at_least = cosine_at_least

    def check_settings(self) -> None:
        form_name(self.form)
        if not self.repeats:
            raise PlanError(
                "step 'reliability' needs repeats = \"FILE\", a table of repeated measurements; `isthmus extract --perturb` writes one"
            )
        for key in ("at_least", "confidence", "cosine_at_least"):
            value = getattr(self, key)
            if value is None and key == "cosine_at_least":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
                raise PlanError(f"step 'reliability': {key} = {value!r}; expected a number between 0 and 1")
        if self.on not in ("lower", "estimate"):
            raise PlanError(f"step 'reliability': on = {self.on!r}; expected 'lower' or 'estimate'")

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        table = read_repeats(self.repeats)
        columns = [str(column) for column in frame.columns if column in table.columns and column not in KEYS]
        if not columns:
            raise PlanError(
                f"step 'reliability': none of the {len(frame.columns)} features is in {Path(self.repeats).name}; it holds "
                f"{first_few([name for name in table.columns if name not in KEYS])}"
            )
        mine = set() if groups is None else set(np.asarray(groups).astype(str))
        rows = table[table["patient"].isin(list(mine)) | table["outside"]]
        if not len(rows):
            raise TableError(
                f"step 'reliability': {Path(self.repeats).name} holds no repeats of the training patients, nor of patients outside "
                "the study. The repeats of test patients may not be used (rule L13)."
            )
        self.judged_: dict[str, list[float]] = {}
        self.cases_ = 0
        for measured in arrange(rows, columns):
            self._judge(measured)
        self._warn_of_few()
        flat = "the same value in every repeat, or fewer than two cases: no reliability"
        for column in columns:
            if column not in self.judged_:
                self.dropped_[column] = flat
            elif (reached := self.judged_[column][1 if self.on == "lower" else 0]) < self.at_least:
                what = (
                    f"{self.confidence:.0%} lower limit of ICC({self.form})"
                    if self.on == "lower"
                    else f"ICC({self.form})"
                )
                self.dropped_[column] = f"{what} {reached:.3f} < {self.at_least:g} over {self.cases_} cases"
            elif self.cosine_at_least is not None and (cosine := self.judged_[column][3]) < self.cosine_at_least:
                self.dropped_[column] = (
                    f"cosine of centred repeats {cosine:.3f} < {self.cosine_at_least:g} over {self.cases_} cases"
                )

    def _judge(self, measured: Measured) -> None:
        subjects, repeats, _ = measured.values.shape
        if subjects < 2 or repeats < 2:
            return
        found = icc(measured.values, self.form, confidence=self.confidence)
        cosine = mean_cosine(measured.values)
        self.cases_ = max(self.cases_, subjects)
        for index in np.flatnonzero(np.isfinite(found.estimate)):
            limits = (found.lower[index], found.upper[index])
            if (
                found.estimate[index] == 1 and np.isnan(limits).all()
            ):  # no error at all: F is infinite, and both limits are 1
                limits = (1.0, 1.0)
            numbers = (found.estimate[index], *limits, cosine[index])
            self.judged_[measured.columns[index]] = [float(number) for number in (*numbers, subjects)]
        if measured.left_out:
            warnings.warn(
                f"reliability: {measured.left_out} case(s) lack one of the {repeats} repeats and are left out",
                IsthmusWarning,
                stacklevel=2,
            )

    def _warn_of_few(self) -> None:
        if self.cases_ < ENOUGH and self.judged_:
            width = float(np.median([upper - lower for _, lower, upper, _, _ in self.judged_.values()]))
            warnings.warn(
                f"reliability: {self.cases_} cases with repeats; fewer than {ENOUGH} leave the ICC uncertain (median width of its "
                f"{self.confidence:.0%} interval here: {width:.2f})",
                IsthmusWarning,
                stacklevel=2,
            )

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[self._names_out()]

    def table(self) -> pd.DataFrame:
        """feature, icc, lower, upper, class of the lower limit, cosine, cases, kept, and whether each usual threshold would keep it, by
        limit and by ICC; the least reliable first."""
        rows = []
        for column, why in self.dropped_.items():
            if column not in self.judged_:
                rows.append({"feature": column, "kept": False, "reason": why})
        for column, (estimate, lower, upper, cosine, cases) in self.judged_.items():
            row = {
                "feature": column, "icc": estimate, "lower": lower, "upper": upper, "class": icc_class(lower),
                "cosine": cosine, "cases": int(cases),
                "kept": column not in self.dropped_, "reason": self.dropped_.get(column, ""),
            }  # fmt: skip
            for threshold in THRESHOLDS:
                row[f"lower_{threshold:.2f}"] = lower >= threshold
                row[f"icc_{threshold:.2f}"] = estimate >= threshold
            rows.append(row)
        flags = [f"{what}_{threshold:.2f}" for what in ("lower", "icc") for threshold in THRESHOLDS]
        names = ["feature", "icc", "lower", "upper", "class", "cosine", "cases", "kept", *flags, "reason"]
        table = pd.DataFrame(rows, columns=names)
        table[flags] = table[flags].astype("boolean").fillna(False).astype(bool)
        return table.sort_values(["icc", "feature"], na_position="first", kind="stable").reset_index(drop=True)

    def to_state(self) -> dict[str, Any]:
        """As every step; of the table of repeats only the name, since a model file has no use for where it lay."""
        state = super().to_state()
        settings: Mapping[str, Any] = state["settings"]
        return {**state, "settings": {"dict": [_nameless(pair) for pair in settings["dict"]]}}


def _nameless(pair: list[Any]) -> list[Any]:
    key, value = pair
    return [key, Path(value).name] if key == "repeats" and isinstance(value, str) else pair


def mean_cosine(values: Array) -> Array:
    """Mean over pairs of repeats of the cosine similarity of centred measurements."""
    pairs = [
        cosine_similarity(values[:, one], values[:, other], centred=True)
        for one, other in combinations(range(values.shape[1]), 2)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature that never varies: NaN
        return np.asarray(np.nan_to_num(np.nanmean(pairs, axis=0), nan=0.0), dtype=np.float64)
