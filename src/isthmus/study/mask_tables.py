"""What the agreement of many masks comes to: means and medians, limits of agreement of the volume, grades of editing, lesions found, groups
compared. From one table, a row a case, to tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.stats.agreement import bland_altman
from isthmus.stats.classification import proportion_interval
from isthmus.stats.clustered import clustered_intervals
from isthmus.stats.effect_sizes import cliffs_delta
from isthmus.stats.groups import adjust_p
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.stats.unpaired import brunner_munzel, permuted_difference, relative_effect

__all__ = ["ALL", "GRADES", "KEYS", "agreement_limits", "detection", "groups_compared", "modifications", "summary"]

GRADES = ("none", "minor", "moderate", "major")
KEYS = ("case", "patient", "group")
ALL = "all"
"""The group of every case together."""

_COMPARED = (
    "dice",
    "jaccard",
    "hd95_mm",
    "assd_mm",
    "surface_dice",
    "volume_difference_percent",
    "volume_log_ratio",
    "modified",
    "acceptable",
)
_SCALES = {"ml": "volume_difference_ml", "percent": "volume_difference_percent", "ratio": "volume_log_ratio"}


def summary(cases: pd.DataFrame, *, draws: int, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """One row a group and metric: mean and median with intervals over patients, spread, and how many cases have none.

    Parameters
    ----------
    cases : DataFrame
        `case`, `patient`, `group`, and a column a metric.
    """
    rows = []
    for group, part in _parts(cases):
        values = part.drop(columns=list(KEYS))
        array = values.to_numpy(np.float64)
        n = array.shape[1]

        def both(chosen: np.ndarray, array: np.ndarray = array) -> np.ndarray:
            picked = array[chosen]
            known = np.isfinite(picked).sum(axis=0)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.where(known > 0, np.nansum(picked, axis=0) / known, np.nan)
            median = np.full(picked.shape[1], np.nan)
            median[known > 0] = np.nanmedian(picked[:, known > 0], axis=0)
            return np.concatenate([mean, median])

        found = clustered_intervals(
            both, part["patient"], draws=draws, seed=child_seed(seed, f"summary {group}"), confidence=confidence
        )
        for at, metric in enumerate(values.columns):
            known = array[np.isfinite(array[:, at]), at]
            quartiles = np.quantile(known, [0.25, 0.75]) if known.size else (np.nan, np.nan)
            rows.append(
                {
                    "group": group, "metric": metric, "n": known.size, "missing": len(part) - known.size,
                    **_columns("mean", found[at]), "sd": known.std(ddof=1) if known.size > 1 else np.nan,
                    **_columns("median", found[n + at]), "q1": quartiles[0], "q3": quartiles[1],
                    "minimum": known.min() if known.size else np.nan, "maximum": known.max() if known.size else np.nan,
                    "method": found[at].method,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def agreement_limits(cases: pd.DataFrame, *, draws: int, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """Bland-Altman of the volume, one row a group and scale: in ml, in percent of the reference, and as a ratio (from its logarithm, whose
    limits hold for small and for large lesions).

    Intervals by Bland and Altman's formula where every patient is one case; else by the bootstrap over patients.
    """
    rows = []
    z = stats.norm.ppf(0.5 + confidence / 2)
    for group, part in _parts(cases):
        for scale, metric in _SCALES.items():
            known = part[np.isfinite(part[metric])]
            values = known[metric].to_numpy(np.float64)
            if values.size < 2:
                continue
            if known["patient"].is_unique:
                one = bland_altman(np.zeros_like(values), values, confidence=confidence)
                bias = (one.bias, one.bias_lower, one.bias_upper)
                low, high = (one.lower, *one.lower_limits), (one.upper, *one.upper_limits)
                three = [tuple(float(x[0]) for x in some) for some in (bias, low, high)]
                method = "Bland and Altman 1986"
            else:

                def limits(chosen: np.ndarray, values: np.ndarray = values) -> tuple[float, float, float]:
                    mean = values[chosen].mean()
                    sd = values[chosen].std(ddof=1) if chosen.size > 1 else np.nan
                    return mean, mean - z * sd, mean + z * sd

                found = clustered_intervals(
                    limits,
                    known["patient"],
                    draws=draws,
                    seed=child_seed(seed, f"{group} {scale}"),
                    confidence=confidence,
                )
                three = [(one.estimate, one.lower, one.upper) for one in found]
                method = found[0].method
            inside = float(((values >= three[1][0]) & (values <= three[2][0])).mean())
            if scale == "ratio":
                three = [tuple(float(np.exp(x)) for x in some) for some in three]
            names = ("bias", "lower_limit", "upper_limit")
            row = {
                f"{name}{end}": x
                for name, some in zip(names, three, strict=True)
                for end, x in zip(("", "_lower", "_upper"), some, strict=True)
            }
            rows.append({"group": group, "scale": scale, "n": values.size, **row, "inside": inside, "method": method})
    return pd.DataFrame(rows)


def modifications(cases: pd.DataFrame, *, draws: int, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """How much an editor changed: one row a group and grade (none, minor, moderate, major), and `modified`, `acceptable`, with shares.

    Wilson's intervals where every patient is one case; else by the bootstrap over patients.
    """
    rows = []
    for group, part in _parts(cases):
        grade = part["modification"].to_numpy(np.float64)
        marks = np.column_stack(
            [*(grade == place for place in range(len(GRADES))), grade > 0, part["acceptable"].to_numpy(np.float64)]
        ).astype(np.float64)

        def shares(chosen: np.ndarray, marks: np.ndarray = marks) -> np.ndarray:
            found: np.ndarray = marks[chosen].mean(axis=0)
            return found

        if part["patient"].is_unique:
            found = [proportion_interval(float(n), len(part), confidence) for n in marks.sum(axis=0)]
        else:
            found = clustered_intervals(
                shares,
                part["patient"],
                draws=draws,
                seed=child_seed(seed, f"modification {group}"),
                confidence=confidence,
            )
        for at, name in enumerate((*GRADES, "modified", "acceptable")):
            row = {"group": group, "grade": name, "n": int(marks[:, at].sum()), "of": len(part)}
            rows.append({**row, **_columns("share", found[at]), "method": found[at].method})
    return pd.DataFrame(rows)


def detection(cases: pd.DataFrame, *, draws: int, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """Lesions found, one row a group: sensitivity and precision over all lesions, false ones a case, with intervals over patients."""
    rows = []
    for group, part in _parts(cases):
        counts = part[["lesions_detected", "lesions_missed", "lesions_false"]].to_numpy(np.float64)

        def rates(chosen: np.ndarray, counts: np.ndarray = counts) -> tuple[float, float, float]:
            hit, missed, false = counts[chosen].sum(axis=0)
            sensitivity = hit / (hit + missed) if hit + missed else np.nan
            precision = hit / (hit + false) if hit + false else np.nan
            return sensitivity, precision, false / len(chosen)

        found = clustered_intervals(
            rates, part["patient"], draws=draws, seed=child_seed(seed, f"lesions {group}"), confidence=confidence
        )
        hit, missed, false = (int(n) for n in counts.sum(axis=0))
        row = {
            "group": group,
            "cases": len(part),
            "lesions": hit + missed,
            "detected": hit,
            "missed": missed,
            "false": false,
        }
        for name, one in zip(("sensitivity", "precision", "false_per_case"), found, strict=True):
            row |= _columns(name, one)
        rows.append(row)
    return pd.DataFrame(rows)


def groups_compared(
    cases: pd.DataFrame, *, draws: int, seed: int, confidence: float = 0.95, metrics: Sequence[str] = _COMPARED
) -> pd.DataFrame:
    """Every two groups in every metric, unpaired: Brunner-Munzel, permuted means, Cliff's delta, difference of the means.

    A patient with several cases counts once, with their mean. `p_holm` adjusts Brunner-Munzel's p over the metrics of two groups.
    """
    table = cases.assign(modified=(cases["modification"] > 0).astype(np.float64))
    names = [name for name in dict.fromkeys(table["group"]) if name]
    blocks = []
    for first, second in itertools.combinations(names, 2):
        rows = []
        for metric in metrics:
            means = table.groupby(["group", "patient"], sort=False)[metric].mean()
            a, b = (means[name].dropna().to_numpy(np.float64) for name in (first, second))
            if min(a.size, b.size) < 2:
                continue
            tested = brunner_munzel(a, b)
            rng = np.random.default_rng(child_seed(seed, f"{first} {second} {metric}"))
            permuted = permuted_difference(a, b, rng=rng)
            is_second = np.repeat([False, True], [a.size, b.size])
            values = np.concatenate([a, b])

            def difference(chosen: np.ndarray, values: np.ndarray = values, second: np.ndarray = is_second) -> float:
                picked, mine = values[chosen], second[chosen]
                return float(picked[mine].mean() - picked[~mine].mean()) if 0 < mine.sum() < mine.size else np.nan

            (apart,) = clustered_intervals(
                difference,
                np.arange(values.size),
                draws=draws,
                seed=child_seed(seed, f"difference {metric}"),
                confidence=confidence,
            )
            rows.append(
                {
                    "metric": metric, "first": first, "second": second, "n_first": a.size, "n_second": b.size,
                    "mean_first": a.mean(), "mean_second": b.mean(), **_columns("difference", apart),
                    **_columns("relative_effect", relative_effect(a, b, confidence)),
                    **_columns("cliffs_delta", cliffs_delta(b, a, confidence)),
                    "brunner_munzel": tested.statistic, "df": np.nan if tested.df is None else tested.df, "p": tested.p,
                    "p_permutation": permuted.p, "method": f"{tested.method}; {permuted.method}",
                }
            )  # fmt: skip
        if rows:
            block = pd.DataFrame(rows)
            blocks.append(block.assign(p_holm=adjust_p(block["p"], "holm")))
    return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame()


def _parts(cases: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Every group that has a name, and all cases together."""
    names = [name for name in dict.fromkeys(cases["group"]) if name]
    found = [(name, cases[cases["group"] == name].reset_index(drop=True)) for name in names] if len(names) > 1 else []
    return [*found, (ALL, cases.reset_index(drop=True))]


def _columns(name: str, one: Interval) -> dict[str, float]:
    return {name: one.estimate, f"{name}_lower": one.lower, f"{name}_upper": one.upper}
