"""Numbers in print: an estimate with its interval, a p-value, a share."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from isthmus.stats.interval import Interval

__all__ = [
    "FACTS",
    "METRICS",
    "capitalised",
    "interval_text",
    "is_fact",
    "listed",
    "metric_name",
    "number",
    "p_value",
    "plural",
    "share",
    "shorten",
]

METRICS = {
    "n": "Patients",
    "n_events": "Patients with the outcome",
    "prevalence": "Share with the outcome",
    "auc": "AUC",
    "auc_corrected_t": "AUC, corrected resampled t",
    "auc_pooled": "AUC, predictions pooled over folds",
    "auc_fold_sd": "Spread of the AUC over folds (SD)",
    "auc_repeat_sd": "Spread of the AUC over repeats (SD)",
    "macro_auc": "Macro AUC (each class against the rest)",
    "ordinal_c": "Ordinal C-index",
    "weighted_auc": "AUC weighted by class size",
    "micro_auc": "Micro AUC",
    "hand_till_m": "Hand and Till's M",
    "c_index": "C-index",
    "uno_c": "Uno's C-index",
    "partial_auc": "Partial AUC, standardised",
    "pr_auc": "Area under the precision-recall curve",
    "threshold": "Threshold",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "ppv_at_prevalence": "Positive predictive value at the stated prevalence",
    "npv_at_prevalence": "Negative predictive value at the stated prevalence",
    "likelihood_ratio_positive": "Likelihood ratio, positive",
    "likelihood_ratio_negative": "Likelihood ratio, negative",
    "diagnostic_odds_ratio": "Diagnostic odds ratio",
    "f1": "F1",
    "macro_f1": "Macro F1",
    "quadratic_kappa": "Quadratic kappa",
    "mean_absolute_error": "Mean absolute error, in classes",
    "f2": "F2",
    "f3": "F3",
    "kappa": "Kappa of decision and outcome",
    "g_mean": "G-mean",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "scaled_brier": "Scaled Brier score",
    "log_loss": "Log loss",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "calibration_in_the_large": "Calibration in the large",
    "o_e": "Observed : expected events",
    "ici": "Integrated calibration index",
    "hosmer_lemeshow_p": "Hosmer-Lemeshow p",
    "ipa": "Index of prediction accuracy",
    "hazard_ratio_groups": "Hazard ratio, high against low risk group",
    "log_rank_p": "Log-rank p of the risk groups",
    "median_follow_up": "Median follow-up",
    "horizon": "Horizon",
}
"""Metric of metrics.csv -> the words for it. A metric that is not named here is printed under its own name."""

FACTS = ("n", "n_events", "threshold", "horizon", "median_follow_up", "log_rank_p", "hosmer_lemeshow_p")
"""What is counted, fixed or a spread itself, and so has no interval."""


_ENDINGS = {
    "_corrected_t": "{}, corrected resampled t",
    "_pooled": "{}, predictions pooled over folds",
    "_fold_sd": "Spread of the {} over folds (SD)",
}


def metric_name(metric: str) -> str:
    """The words for a metric."""
    base, _, of = metric.partition(":")
    for ending, words in _ENDINGS.items():
        if base.endswith(ending) and base not in METRICS:
            return words.format(METRICS.get(base.removesuffix(ending), base.removesuffix(ending)))
    words = METRICS.get(base, base.replace("_", " ").capitalize())
    return f"{words}, {of}" if of else words


def capitalised(words: str) -> str:
    """With a capital at the beginning, and the others left as they are (`str.capitalize` makes `Auc`)."""
    return words[:1].upper() + words[1:]


def is_fact(metric: str) -> bool:
    """Is it counted, fixed or a spread itself, and so has no interval?"""
    return metric.partition(":")[0] in FACTS or metric.endswith(("_fold_sd", "_repeat_sd"))


def number(value: object, digits: int = 2) -> str:
    """A number as it is printed; a missing one is a dash."""
    if value is None or isinstance(value, str) or not isinstance(value, (int, float, np.number)):
        return "–" if value is None else str(value)
    if math.isnan(float(value)):
        return "–"
    text = f"{float(value):.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def interval_text(interval: Interval | None, digits: int = 2) -> str:
    """`0.81 (0.70 to 0.92)`; where the limits cannot be given it says so."""
    if interval is None:
        return "–"
    if math.isnan(interval.lower) or math.isnan(interval.upper):
        return f"{number(interval.estimate, digits)} (no interval)"
    return f"{number(interval.estimate, digits)} ({number(interval.lower, digits)} to {number(interval.upper, digits)})"


def p_value(p: object) -> str:
    """A p-value: `0.013`, `<0.001`; never `0.000`."""
    if not isinstance(p, (int, float, np.number)) or math.isnan(float(p)):
        return "–"
    if float(p) < 0.001:
        return "<0.001"
    return f"{float(p):.3f}" if float(p) < 0.9995 else ">0.999"


def share(count: int, total: int) -> str:
    """`7 of 84 (8 %)`."""
    return f"{count} of {total} ({100 * count / total:.0f} %)" if total else f"{count} of {total}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(parts: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def shorten(text: str, length: int) -> str:
    """At most `length` characters; the middle goes, because names differ at their ends."""
    if len(text) <= length:
        return text
    keep = length - 1
    return text[: keep - keep // 2] + "…" + text[len(text) - keep // 2 :]
