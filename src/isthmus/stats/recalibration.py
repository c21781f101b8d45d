"""Maps from the risk a model gives to the risk that was observed, learned on rows the model did not see.

Every map rises (a higher risk never becomes the lower one), so recalibration changes no ranking but for ties.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from isthmus.errors import IsthmusWarning, TableError
from isthmus.stats.binary import Array
from isthmus.stats.calibration import linear_predictor

__all__ = ["Recalibration", "RecalibrationKind", "prior_shift", "recalibrate"]

RecalibrationKind = Literal["logistic", "intercept", "isotonic", "temperature"]

_STEEPEST = 20.0  # where the inner predictions separate the classes the likelihood has no maximum; nobody is that sure
_LEAST_RISK = 0.001  # forests say 0 and 1; on the logit scale one such patient would decide the slope
_ISOTONIC_ENOUGH = 1000
_ISOTONIC_LEAST = 100


@dataclass(frozen=True, eq=False)
class Recalibration:
    """A fitted map.

    Parameters
    ----------
    kind : {"logistic", "intercept", "isotonic", "temperature"}
    intercept, slope : float
        logit(risk) -> intercept + slope * logit(risk); not used by "isotonic".
    knots, levels : arrays
        "isotonic": straight lines between these points, level outside them.
    """

    kind: RecalibrationKind
    intercept: float = 0.0
    slope: float = 1.0
    knots: Array | None = None
    levels: Array | None = None

    def apply(self, risk: ArrayLike) -> Array:
        """The recalibrated risks, each from its own value."""
        values = np.asarray(risk, dtype=np.float64)
        if self.kind == "isotonic":
            assert self.knots is not None
            assert self.levels is not None
            return np.asarray(np.interp(values, self.knots, self.levels), dtype=np.float64)
        return np.asarray(special.expit(self.intercept + self.slope * linear_predictor(values)[0]), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        if self.kind == "isotonic":
            assert self.knots is not None
            assert self.levels is not None
            return {"kind": self.kind, "knots": self.knots.tolist(), "levels": self.levels.tolist()}
        return {"kind": self.kind, "intercept": self.intercept, "slope": self.slope}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The map again."""
        if value["kind"] not in get_args(RecalibrationKind):
            raise ValueError(f"recalibration {value['kind']!r}")
        if value["kind"] == "isotonic":
            return cls("isotonic", knots=np.asarray(value["knots"], float), levels=np.asarray(value["levels"], float))
        return cls(value["kind"], float(value["intercept"]), float(value["slope"]))


def recalibrate(
    kind: RecalibrationKind, events: ArrayLike, risk: ArrayLike, weights: ArrayLike | None = None
) -> Recalibration:
    """Learn a map from out-of-fold risks.

    Parameters
    ----------
    kind : {"logistic", "intercept", "isotonic", "temperature"}
        Intercept and slope (Platt 1999; Cox 1958), the intercept alone, a rising step-wise map, or one slope
        ("temperature").
    events : array of 0 and 1, shape (n,)
    risk : array, shape (n,)
        Of rows that the model which gave them had not seen. While the map is learned, held between 0.001 and 0.999.
    weights : array, shape (n,), optional
        Of rows; for several rows of a patient, one over their number.

    Raises
    ------
    TableError
        One class only, or "isotonic" with fewer than 100 patients in a class (it needs about 1,000 events: with fewer
        than that it warns).
    """
    y = np.asarray(events, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not 0 < (w @ y) < w.sum():
        raise TableError("recalibration: all patients have the same outcome; both classes must occur")
    if kind == "isotonic":
        return _isotonic(y, np.asarray(risk, dtype=np.float64), w)
    lp = linear_predictor(np.clip(np.asarray(risk, dtype=np.float64), _LEAST_RISK, 1 - _LEAST_RISK))[0]
    if kind == "intercept":
        return Recalibration(kind, _intercept(y, lp, w), 1.0)
    return _logistic(kind, y, lp, w)


def _intercept(y: Array, offset: Array, w: Array) -> float:
    """The constant that makes the mean risk the observed share."""

    def excess(a: float) -> float:
        return float(w @ (special.expit(a + offset) - y))

    edge = float(np.abs(offset).max()) + 40.0
    return float(optimize.brentq(excess, -edge, edge, xtol=1e-12))


def _logistic(kind: RecalibrationKind, y: Array, lp: Array, w: Array) -> Recalibration:
    """Slope (and intercept) by maximum likelihood, the slope between 0 and 20."""

    def intercept(slope: float) -> float:
        return _intercept(y, slope * lp, w) if kind == "logistic" else 0.0

    def gradient(slope: float) -> float:
        return float(w @ ((y - special.expit(intercept(slope) + slope * lp)) * lp))

    if gradient(0.0) <= 0:
        warnings.warn(
            "recalibration: the inner predictions do not rise with the outcome, so every patient gets the same risk",
            IsthmusWarning,
            stacklevel=3,
        )
        slope = 0.0
    elif gradient(_STEEPEST) >= 0:
        slope = _STEEPEST
    else:
        slope = float(optimize.brentq(gradient, 0.0, _STEEPEST, xtol=1e-12))
    return Recalibration(kind, intercept(slope), slope)


def _isotonic(y: Array, risk: Array, w: Array) -> Recalibration:
    from sklearn.isotonic import IsotonicRegression

    fewest = min(float(w @ y), float(w @ (1 - y)))
    if fewest < _ISOTONIC_LEAST:
        raise TableError(
            f"calibration = 'isotonic': the smaller class has {fewest:.0f} training patients; this map needs about 1,000 and "
            f"at least {_ISOTONIC_LEAST}. Use calibration = 'logistic'."
        )
    if fewest < _ISOTONIC_ENOUGH:
        warnings.warn(
            f"calibration = 'isotonic' on {fewest:.0f} patients of the smaller class: below about 1,000 it follows chance",
            IsthmusWarning,
            stacklevel=3,
        )
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(risk, y, sample_weight=w)
    return Recalibration(
        "isotonic", knots=fitted.X_thresholds_.astype(float), levels=fitted.y_thresholds_.astype(float)
    )


def prior_shift(probability: Array, population: ArrayLike, learned_from: ArrayLike) -> Array:
    """Probabilities carried from the class shares a model learned from to those of the population.

    Parameters
    ----------
    probability : array, shape (n, K)
    population, learned_from : arrays, shape (K,)
        Shares of the classes.

    Returns
    -------
    array, shape (n, K)
        For two classes: odds x (pi / (1 - pi)) x ((1 - pi_s) / pi_s) (Elkan 2001; Saerens et al. 2002).
    """
    ratio = np.asarray(population, dtype=np.float64) / np.asarray(learned_from, dtype=np.float64)
    odds = probability * ratio
    # summed column after column: a row alone gets the bits it gets in a batch
    total = np.zeros(len(odds))
    for column in odds.T:
        total += column
    shifted: NDArray[np.float64] = odds / total[:, None]
    return shifted
