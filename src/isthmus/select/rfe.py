"""Recursive feature elimination: fit, drop the columns with the smallest weights, fit again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_choice, check_number, keep_only, standardised
from isthmus.stats.constant import constant_columns
from isthmus.stats.roc import auc
from isthmus.table.steps import Array, Selector, deal_folds

__all__ = ["CrossValidatedEliminationSelector", "EliminationSelector"]

Base = Literal["svm", "logistic", "random_forest"]
_BASES = ("svm", "logistic", "random_forest")


class EliminationSelector(Selector):
    """The last k columns of a recursive elimination. Columns are standardised inside.

    Parameters
    ----------
    k : int
        How many columns stay.
    base : {"svm", "logistic", "random_forest"}
        Whose weights decide: the squared coefficients of a linear support vector machine (C = 1) or of a logistic
        regression (L2, C = 1), or the importances of a forest of 100 trees. Of equal weights the later column goes.
    share : float in (0, 1)
        Of the columns left, dropped at a time (at least one). Small values are slow.
    random_state : int
        Of the forest.

    References
    ----------
    Guyon, Weston, Barnhill and Vapnik, Mach Learn 2002;46:389.
    """

    name = "rfe"
    kind = "supervised"

    def __init__(self, k: int = 10, base: Base = "svm", share: float = 0.1, random_state: int = 0) -> None:
        self.k = k
        self.base = base
        self.share = share
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "k", self.k, least=1, whole=True)
        check_choice(self.name, "base", self.base, _BASES)
        check_number(self.name, "share", self.share, least=1e-6, most=0.9)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        rounds = _eliminate(standardised(values), outcome, self.k, self.share, self.base, self.random_state)
        return keep_only(names, rounds[-1], f"eliminated before {min(self.k, len(names))} were left")


class CrossValidatedEliminationSelector(Selector):
    """The columns left by a recursive elimination that stops where inner cross-validation finds the best mean AUC.

    The folds are grouped by patient and stratified by outcome; each has an elimination of its own. Of equal mean AUCs the
    smaller set wins.

    Parameters
    ----------
    least : int
        The smallest number of columns to consider.
    base, share, random_state
        As in `rfe`; the state deals patients to the folds too.
    folds : int

    Attributes
    ----------
    sizes_, auc_ : arrays
        The numbers of columns tried and their mean AUC.
    """

    name = "rfecv"
    kind = "supervised"
    needs_groups: ClassVar[bool] = True
    learned = ("sizes_", "auc_")

    def __init__(
        self, least: int = 1, base: Base = "svm", share: float = 0.2, folds: int = 5, random_state: int = 0
    ) -> None:
        self.least = least
        self.base = base
        self.share = share
        self.folds = folds
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "least", self.least, least=1, whole=True)
        check_choice(self.name, "base", self.base, _BASES)
        check_number(self.name, "share", self.share, least=1e-6, most=0.9)
        check_number(self.name, "folds", self.folds, least=2, whole=True)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.least),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        patients = np.arange(len(outcome)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, outcome, folds=self.folds, seed=self.random_state)
        areas = []
        for label in np.unique(folds):
            fit, held = folds != label, folds == label
            inside, outside = _standardised_pair(values[fit], values[held])
            rounds = _eliminate(inside, outcome[fit], self.least, self.share, self.base, self.random_state)
            areas.append(
                [
                    auc(outcome[held], _score(self.base, inside[:, r], outcome[fit], outside[:, r], self.random_state))
                    for r in rounds
                ]
            )
        mean = np.mean(areas, axis=0)
        rounds = _eliminate(standardised(values), outcome, self.least, self.share, self.base, self.random_state)
        best = len(mean) - 1 - int(np.argmax(np.round(mean[::-1], 12)))
        self.sizes_: Array = np.array([len(r) for r in rounds], dtype=np.float64)
        self.auc_: Array = mean
        return keep_only(names, rounds[best], f"eliminated before {len(rounds[best])} were left (AUC {mean[best]:.3f})")


def _eliminate(
    standard: Array, outcome: NDArray[np.int64], least: int, share: float, base: str, seed: int
) -> list[NDArray[np.intp]]:
    """The columns left after each round, all of them first."""
    left = np.arange(standard.shape[1])
    rounds = [left]
    while len(left) > least:
        weight = _weights(base, standard[:, left], outcome, seed)
        go = min(max(1, int(share * len(left))), len(left) - least)
        order = np.argsort(-weight, kind="stable")
        left = np.sort(left[order[: len(left) - go]])
        rounds.append(left)
    return rounds


def _model(base: str, seed: int) -> Any:
    if base == "svm":
        from sklearn.svm import SVC

        return SVC(kernel="linear", C=1.0)
    if base == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1.0, max_iter=1000)
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, n_jobs=1, random_state=seed)


def _weights(base: str, standard: Array, outcome: NDArray[np.int64], seed: int) -> Array:
    model = _model(base, seed).fit(standard, outcome)
    if base == "random_forest":
        return np.asarray(model.feature_importances_, dtype=np.float64)
    return np.asarray((model.coef_**2).sum(axis=0), dtype=np.float64)


def _score(base: str, standard: Array, outcome: NDArray[np.int64], held: Array, seed: int) -> Array:
    model = _model(base, seed).fit(standard, outcome)
    if base == "random_forest":
        return np.asarray(model.predict_proba(held)[:, 1], dtype=np.float64)
    return np.asarray(model.decision_function(held), dtype=np.float64)


def _standardised_pair(fit: Array, held: Array) -> tuple[Array, Array]:
    """Both in units of the first."""
    constant = constant_columns(fit)
    centre, spread = fit.mean(axis=0), np.where(constant, 1.0, fit.std(axis=0))
    inside, outside = (fit - centre) / spread, (held - centre) / spread
    inside[:, constant], outside[:, constant] = 0.0, 0.0
    return inside, outside
