"""Nomograms of the reference tables, under the names their expected numbers have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.stats.logistic import logistic_regression
from isthmus.stats.nomogram import Nomogram, level_axis, make_nomogram, number_axis, pretty

_ENDS = {"age": (10, 45), "lwt": (80, 260), "smoke": (0, 1), "ht": (0, 1), "ui": (0, 1)}
"""Of the axes R drew for low birth weight."""


def of_four(d: pd.DataFrame) -> dict[str, float]:
    """Four predictors of the synthetic patients: axes with ticks chosen by our own rule, and the axis of the log odds."""
    names = ["age", "size_cm", "invasion", "rad_score"]
    intercept, *slopes = logistic_regression(d[names], d["y"]).table["coefficient"]
    axes = [
        number_axis(name, slope, (0.0, 1.0) if name == "invasion" else pretty(d[name].min(), d[name].max()))
        for name, slope in zip(names, slopes, strict=True)
    ]
    made = make_nomogram(axes, intercept)
    found: dict[str, float] = {}
    for axis in axes:
        for place, tick in enumerate(axis.ticks):
            found |= {f"{axis.name}.x.{place}": float(tick), f"{axis.name}.points.{place}": made.points(axis, tick)}
    log_odds = intercept + d[names].to_numpy() @ np.array(slopes)
    ticks = pretty(log_odds.min(), log_odds.max())
    totals = made.total(1 / (1 + np.exp(-ticks)))
    for place, (tick, total) in enumerate(zip(ticks, totals, strict=True)):
        found |= {f"total_lp.lp.{place}": float(tick), f"total_lp.points.{place}": float(total)}
    return found


def coefficients(folder: Path) -> dict[str, float]:
    """Of low birth weight on age, weight, race, smoking, hypertension, irritability."""
    w = pd.read_csv(folder / "birthwt.csv")
    X = pd.DataFrame({"age": w["age"], "lwt": w["lwt"]})
    X = X.assign(**{f"race={code}": (w["race"] == code).astype(float) for code in (2, 3)})
    table = logistic_regression(X.join(w[["smoke", "ht", "ui"]]), w["low"]).table
    return dict(zip(table["term"].replace("(intercept)", "Intercept"), table["coefficient"], strict=True))


def of_birth_weight(beta: dict[str, float], asked: pd.DataFrame) -> list[float]:
    """Points of each line `axis, value` asked for, under these coefficients."""
    axes = [number_axis(name, beta[name], _ENDS[name]) for name in _ENDS]
    axes.append(level_axis("race", {"1": 0.0, "2": beta["race=2"], "3": beta["race=3"]}))
    made = make_nomogram(axes, beta["Intercept"])
    return [_points(made, str(axis), value) for axis, value in zip(asked["axis"], asked["value"], strict=True)]


def _points(made: Nomogram, axis: str, value: float) -> float:
    if axis == "total_points":
        return value
    if axis == "predicted_probability":
        return float(made.total(value))
    found = next(one for one in made.axes if one.name == axis)
    return made.points(found, f"{value:g}" if axis == "race" else value)
