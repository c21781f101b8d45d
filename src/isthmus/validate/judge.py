"""Metrics and comparisons of predictions, whatever the outcome is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from isthmus.stats import corrected, multiclass
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import adjust_p
from isthmus.stats.seeds import child_seed
from isthmus.stats.survival.concordance import harrell_c, pairs, weighted_concordance
from isthmus.table.outcome import Outcome
from isthmus.validate.compare import COLUMNS, compare
from isthmus.validate.performance import performance
from isthmus.validate.performance_classes import class_performance, probability_columns
from isthmus.validate.performance_survival import survival_performance
from isthmus.validate.sample import prepare_rows
from isthmus.validate.scoring import MEASURES
from isthmus.validate.settings import ValidateSettings

__all__ = ["comparisons", "metrics"]

_NAN = float("nan")


def metrics(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, outcome: Outcome, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Every number of every model on every split: model, split, metric, estimate, lower, upper, method."""
    if outcome.task == "binary":
        return performance(predictions, thresholds, settings=settings, seed=seed)
    if outcome.task == "survival":
        return survival_performance(predictions, settings=settings, seed=seed)
    ordered = outcome.task == "ordinal"
    return class_performance(predictions, outcome.classes, ordered=ordered, settings=settings, seed=seed)


def comparisons(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, outcome: Outcome, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Test every pair of models on every split they did not train on; the columns of `compare`.

    Other outcomes than binary ones: on cv the corrected resampled t-test of the folds' measure (`validate.scoring`),
    elsewhere the bootstrap of the paired difference over patients.
    """
    if outcome.task == "binary":
        return compare(predictions, thresholds, settings=settings, seed=seed)
    names = ["time", "risk"] if outcome.task == "survival" else probability_columns(outcome.classes)
    frame = prepare_rows(predictions, names).dropna(subset=["probability"])
    rows = []
    for split in ("cv", "internal", "external"):
        part = frame[frame["split"] == split]
        models = [m for m in dict.fromkeys(predictions["model"]) if (part["model"] == m).any()]
        for a, b in combinations(models, 2):
            first, second = (part[part["model"] == m].set_index(["repeat", "patient"]) for m in (a, b))
            both = first.index.intersection(second.index)
            pair = (first.loc[both], second.loc[both])
            test = _corrected_t if split == "cv" else _paired_bootstrap
            rng_seed = child_seed(seed, "comparisons", a, b, split)
            name, difference, limits, result = test(pair, outcome, names, settings, rng_seed)
            df = _NAN if result.df is None else result.df
            found = (result.statistic, result.p, _NAN, df, difference, *limits, result.method)
            rows.append((a, b, split, name, *found))
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"p_adjusted": "float64"})
    for _, index in table.groupby(["split", "test"]).groups.items():
        table.loc[index, "p_adjusted"] = adjust_p(table.loc[index, "p"].to_numpy(dtype=np.float64), settings.adjust)
    return table


Pair = tuple[pd.DataFrame, pd.DataFrame]


def _measure(table: pd.DataFrame, outcome: Outcome, names: list[str], weights: Array) -> Array:
    """The measure of the task under many sets of patient weights (draws, n)."""
    if outcome.task == "survival":
        return weighted_concordance(*pairs(table["time"], table["outcome"], table["risk"]), weights)
    codes, p = table["outcome"].to_numpy(dtype=np.int64), table[names].to_numpy(dtype=np.float64)
    if outcome.task == "ordinal":
        return multiclass.ordinal_c(codes, multiclass.expected_class(p), weights)
    return np.asarray(multiclass.weighted_class_auc(codes, p, weights).mean(axis=1))


def _one(table: pd.DataFrame, outcome: Outcome, names: list[str]) -> float:
    if outcome.task == "survival":
        return harrell_c(table["time"], table["outcome"], table["risk"])
    return float(_measure(table, outcome, names, np.ones((1, len(table))))[0])


def _corrected_t(
    pair: Pair, outcome: Outcome, names: list[str], settings: ValidateSettings, seed: int
) -> tuple[str, float, tuple[float, float], Comparison]:
    a, b = (table.reset_index() for table in pair)
    folds = a.groupby(["repeat", "fold"], sort=True).indices
    differences = np.array(
        [_one(a.iloc[rows], outcome, names) - _one(b.iloc[rows], outcome, names) for rows in folds.values()]
    )
    n, test = a["patient"].nunique(), float(np.mean([len(rows) for rows in folds.values()]))
    found = differences[np.isfinite(differences)]
    mean = float(found.mean()) if found.size else _NAN
    limits = (_NAN, _NAN)
    if test >= n:
        result = Comparison(_NAN, _NAN, "corrected resampled t; not computed: one fold holds every patient")
    else:
        result = corrected.corrected_resampled_t(differences, test_train_ratio=test / (n - test))
        bounds = corrected.corrected_interval(
            differences, test_train_ratio=test / (n - test), confidence=settings.confidence
        )
        limits = (bounds.lower, bounds.upper)
    method = f"{result.method}; {MEASURES[outcome.task]}"
    return "corrected resampled t", mean, limits, Comparison(result.statistic, result.p, method, result.df)


def _paired_bootstrap(
    pair: Pair, outcome: Outcome, names: list[str], settings: ValidateSettings, seed: int
) -> tuple[str, float, tuple[float, float], Comparison]:
    """Difference of the measure over resampled patients; p from a normal with the bootstrap's standard error."""
    from scipy import stats

    a, b = (table.reset_index() for table in pair)
    difference = _one(a, outcome, names) - _one(b, outcome, names)
    n, rng = len(a), np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=settings.bootstrap).astype(np.float64)
    drawn = _measure(a, outcome, names, weights) - _measure(b, outcome, names, weights)
    method = f"paired bootstrap over patients, {settings.bootstrap} draws, normal; {MEASURES[outcome.task]}"
    error = float(np.nanstd(drawn, ddof=1))
    if not np.isfinite(difference) or not error > 1e-12:
        same = abs(difference) <= 1e-12
        value = (
            Comparison(0.0, 1.0, f"{method}; no difference at all")
            if same
            else Comparison(_NAN, _NAN, f"{method}; not computed: the difference is not defined or has no variance")
        )
        return "paired bootstrap", difference, (_NAN, _NAN), value
    z = difference / error
    tail = 0.5 - settings.confidence / 2
    limits = (float(np.nanquantile(drawn, tail)), float(np.nanquantile(drawn, 1 - tail)))
    return "paired bootstrap", difference, limits, Comparison(float(z), float(2 * stats.norm.sf(abs(z))), method)
