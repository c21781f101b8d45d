"""Results: flow, performance, comparisons, features, null study and controls; only what stands in the files of the run."""

from __future__ import annotations

import math
from typing import Any

from isthmus.report.facts import confidence, final_model, measure, split_name, splits, task, threshold_origin
from isthmus.report.figures.class_roc import class_columns
from isthmus.report.manuscript.draft import Draft, listed, name
from isthmus.report.manuscript.validation_methods import TESTS
from isthmus.report.wording import metric_name

__all__ = ["write"]

_TOP = 5
"""Features and comparisons that a sentence names; the tables hold all."""


def write(d: Draft) -> None:
    """From the patients to the controls."""
    d.heading("Patients")
    _flow(d)
    if d.said("features") or d.rows("tables/reliability.csv") or d.rows("tables/harmonisation.csv"):
        _features(d)
    for split in [one for one in splits(d.result) if one != "train"]:
        d.heading(_HEADINGS.get(split, f"Validation on the patients of another site ({name(split_name(split))})"))
        _performance(d, split)
    if len(d.result.comparisons):
        d.heading("Comparison of models")
        _comparisons(d)
    if len(d.result.selected):
        d.heading("Predictors of the final model")
        _selected(d)
    _more(d)
    _doubts(d)


_HEADINGS = {
    "cv": "Internal validation",
    "internal": "Validation on the internal test set",
    "external": "External validation",
}
_PLACES = {"cv": "In cross-validation", "internal": "In the internal test set", "external": "In the external patients"}


# ---------------------------------------------------------------------- patients


def _flow(d: Draft) -> None:
    found = d.rows("patients of cases.csv")
    lost = [row for row in found if row["status"] != "included"]
    d.paragraph(
        f"Of {d.patients()} patients in the case table, {d.patients(status='included')} were analysed and "
        f"{d.patients(status='excluded')} excluded (figures/flow.svg)."
        if lost
        else f"All {d.patients()} patients in the case table were analysed (figures/flow.svg).",
        _reasons(d, lost),
    )
    d.paragraph(
        *(_set(d, one) for one in ("train", "internal", "external")),
        "Their characteristics are in Table 1 (tables/table1.docx)." if d.rows("tables/table1.csv") else "",
    )
    if d.rows("tables/sample_size.csv"):
        d.paragraph(*_size(d))


def _reasons(d: Draft, lost: list[dict[Any, Any]]) -> str:
    if not lost:
        return ""
    pairs = list(dict.fromkeys((row["step"], row["reason"]) for row in lost))
    if len(pairs) > 6:
        steps = list(dict.fromkeys(row["step"] for row in lost))
        counts = [f"{d.patients(status='excluded', step=one)} at the step {name(one)}" for one in steps]
        return f"Patients left {listed(counts)}; every reason is in tables/exclusions.docx."
    counts = [
        f"{name(_first(str(reason)))} (n = {d.patients(status='excluded', step=step, reason=reason)})"
        for step, reason in pairs
    ]
    return f"{'Reason' if len(pairs) == 1 else 'Reasons'} for exclusion: {'; '.join(counts)}."


def _first(reason: str) -> str:
    """What happened; what to do about it is for the person who ran the study."""
    return reason.split(". ", maxsplit=1)[0].rstrip(".")


_SETS = {"train": "development set", "internal": "internal test set", "external": "external validation set"}


def _set(d: Draft, split: str) -> str:
    rows = d.rows("patients of cases.csv", status="included", split=split)
    if not rows:
        return ""
    said = {"status": "included", "split": split}
    if task(d.result) in ("binary", "survival"):
        code = next((row["outcome"] for row in rows if _is(row["outcome"], 1)), None)
        what = "with the outcome" if task(d.result) == "binary" else "with the event"
        events = f"{d.patients(**said, outcome=code)} {what}" if code is not None else f"none {what}"
        counts = events
    else:
        parts = []
        for position, label in enumerate(class_columns(d.result)):
            code = next((row["outcome"] for row in rows if _is(row["outcome"], position)), None)
            parts.append(f"{d.patients(**said, outcome=code) if code is not None else 'none'} of class {name(label)}")
        counts = listed(parts)
    return f"The {_SETS[split]} held {d.patients(**said)} patients ({counts})."


def _is(value: Any, wanted: int) -> bool:
    try:
        return float(value) == wanted
    except (TypeError, ValueError):
        return False


def _size(d: Draft) -> list[str]:
    file, final = "tables/sample_size.csv", final_model(d.result)
    if not all(d.known(file, column, model=final) for column in ("candidates", "supported", "needed")):
        return []
    texts = [
        f"The final model had {d.cell(file, 'candidates', 'd', model=final)} candidate parameters, while the "
        f"development set supports "
        f"{d.cell(file, 'supported', 'd', model=final)}; for all of them "
        f"{d.cell(file, 'needed', 'd', model=final)} patients would be needed."
    ]
    if d.known(file, "selected", model=final) and d.known(file, "events_per_selected", model=final):
        texts.append(
            f"It selected {d.cell(file, 'selected', 'd', model=final)}, that is, "
            f"{d.cell(file, 'events_per_selected', '.1f', model=final)} "
            "events per selected predictor."
        )
    return texts


def _features(d: Draft) -> None:
    texts = []
    rows = d.rows("tables/reliability.csv")
    if rows:
        kept = next((str(row["kept"]) for row in rows if str(row["kept"]).lower() == "true"), None)
        count = d.number_of_rows("tables/reliability.csv", kept=kept) if kept else "none"
        texts.append(
            f"Of {d.number_of_rows('tables/reliability.csv')} judged features, {count} repeated well enough to "
            f"be kept in the final fit "
            "(tables/reliability.docx)."
        )
    for row in d.rows("tables/harmonisation.csv")[:1]:
        where = {key: row[key] for key in ("models", "batch", "measure")}
        texts.append(
            f"On patients it was not fitted on, harmonisation of {name(row['models'])} over {name(row['batch'])} changed the "
            f"{name(row['measure'])} from "
            f"{d.cell('tables/harmonisation.csv', 'before', **where)} to "
            f"{d.cell('tables/harmonisation.csv', 'after', **where)}, where "
            f"{d.cell('tables/harmonisation.csv', 'no_effect', **where)} would be seen without any effect of the "
            f"batch (tables/harmonisation.docx)."
        )
    if texts:
        d.heading("Features")
        d.paragraph(*texts)


# ---------------------------------------------------------------------- performance

_DECISIONS = {
    "binary": ("sensitivity", "specificity", "ppv", "npv"),
    "multiclass": ("balanced_accuracy", "mcc"),
    "ordinal": ("balanced_accuracy", "quadratic_kappa"),
    "survival": ("uno_c", "hazard_ratio_groups"),
}
_CALIBRATION = {
    "binary": ("calibration_slope", "calibration_in_the_large", "o_e", "ici", "brier"),
    "multiclass": ("brier",),
    "ordinal": ("brier",),
    "survival": ("calibration_slope", "o_e", "ici", "brier", "ipa"),
}


def _performance(d: Draft, split: str) -> None:
    final, first = final_model(d.result), measure(d.result)
    place = _PLACES.get(split, f"In {name(split_name(split))}")
    known = [model for model in d.result.models() if _known(d, model, split, first)]
    if not known:
        d.paragraph(f"{place}, {_the(_word(first))} could not be computed.")
        return
    values = [f"{_estimate(d, model, split, first)} for {name(model)}" for model in known]
    d.paragraph(
        f"{place}, {_the(_word(first))} ({_level(d)} confidence interval) was {listed(values)} (tables/metrics.docx)."
    )
    for what, text in ((_DECISIONS, _decided(d, split)), (_CALIBRATION, "For its predicted probabilities")):
        found = [
            f"{_the(_word(full))} was {_estimate(d, final, split, full)}"
            for full in _present(d, final, split, what[task(d.result)])
        ]
        if found and final in known:
            d.paragraph(f"{text}, {listed(found)}.")
    if split == "cv" and task(d.result) in ("binary", "survival"):
        d.paragraph("Calibration curves and net benefit are drawn in the report (report.html).")


def _decided(d: Draft, split: str) -> str:
    whose = f"the final model ({name(final_model(d.result))})"
    if task(d.result) == "survival":
        return f"For {whose}"
    if task(d.result) != "binary":
        return f"When every patient was assigned the most probable class of {whose}"
    if split == "cv" and threshold_origin(d.result) != "fixed in the plan":
        return f"At the thresholds of the folds, for {whose}"
    threshold = ""
    if d.known("metrics.csv", "estimate", model=final_model(d.result), split=split, metric="threshold"):
        cut = d.cell("metrics.csv", "estimate", ".3f", model=final_model(d.result), split=split, metric="threshold")
        threshold = f" of {cut}"
    return f"At the threshold{threshold} {threshold_origin(d.result)}, for {whose}"


def _present(d: Draft, model: str, split: str, metrics: tuple[str, ...]) -> list[str]:
    """These metrics, where the run has them; of a time to event their names end in the time."""
    names = [str(row["metric"]) for row in d.rows("metrics.csv", model=model, split=split)]
    return [
        full for one in metrics for full in names if full.partition(":")[0] == one and _known(d, model, split, full)
    ]


def _known(d: Draft, model: str, split: str, metric: str) -> bool:
    return d.known("metrics.csv", "estimate", model=model, split=split, metric=metric)


def _estimate(d: Draft, model: str, split: str, metric: str) -> str:
    where = {"model": model, "split": split, "metric": metric}
    text = d.cell("metrics.csv", "estimate", ".2f", **where)
    if not d.known("metrics.csv", "lower", **where) or not d.known("metrics.csv", "upper", **where):
        return f"{text} (no interval)"
    row = d.rows("metrics.csv", **where)[0]
    if math.isinf(float(row["lower"])) or math.isinf(float(row["upper"])):
        return f"{text} (no interval)"
    return (
        f"{text} ({d.cell('metrics.csv', 'lower', '.2f', **where)} to {d.cell('metrics.csv', 'upper', '.2f', **where)})"
    )


def _word(metric: str) -> str:
    """A metric inside a sentence: lower case, unless it is an abbreviation or a person."""
    base, _, of = metric.partition(":")
    words = metric_name(base)
    proper = words.split()[0] in ("AUC", "F1", "F2", "F3", "G-mean", "C-index", "Uno's", "Brier", "Matthews", "Hand")
    text = _WORDS.get(base) or (words if proper else words[0].lower() + words[1:])
    return f"{text} at time {name(of)}" if of else text


_WORDS = {
    "macro_auc": "macro AUC",
    "o_e": "ratio of observed to expected events",
    "hazard_ratio_groups": "hazard ratio of the high against the low risk group",
}


def _the(word: str) -> str:
    return word if word.startswith("Uno's") else f"the {word}"


def _level(d: Draft) -> str:
    if d.said("validate.confidence"):
        return f"{d.setting('validate.confidence', 'percent')} %"
    return f"{100 * confidence(d.result):.0f} %"


def _comparisons(d: Draft) -> None:
    adjusted = "p_adjusted" in d.rows("comparisons.csv")[0]
    column, word = ("p_adjusted", "adjusted p") if adjusted else ("p", "p")
    texts = []
    for split in [one for one in splits(d.result) if one != "train"]:
        rows = d.rows("comparisons.csv", split=split)
        if not rows:
            continue
        test = next((str(row["test"]) for row in rows if not _gone(row.get(column))), None)
        chosen = [row for row in rows if str(row["test"]) == test and not _gone(row.get(column))]
        parts = []
        for row in chosen[:_TOP]:
            where = {key: row[key] for key in ("model_a", "model_b", "split", "test")}
            p = d.cell("comparisons.csv", column, "p", **where)
            parts.append(
                f"{name(row['model_a'])} and {name(row['model_b'])} ({_difference(d, where)}{word} "
                f"{_equals(p, row[column])})"
            )
        if parts:
            rest = "; the other pairs are in the table" if len(chosen) > _TOP else ""
            texts.append(
                f"{_PLACES.get(split, name(split_name(split)))}, by {_test(str(test))}: {listed(parts)}{rest}."
            )
    if texts:
        d.paragraph(*texts, "All tests and pairs are in tables/comparisons.docx.")
    else:
        d.paragraph("No comparison could be computed; the reasons are in comparisons.csv.")


def _test(test: str) -> str:
    return next((words for key, words, _ in TESTS if test.lower().startswith(key.lower())), name(test))


def _difference(d: Draft, where: dict[str, Any]) -> str:
    if not d.known("comparisons.csv", "difference", **where):
        return ""
    ranked = str(where["test"]).lower().startswith(("corrected resampled t", "delong", "paired bootstrap"))
    what = f" in {_word(measure(d.result))}" if ranked else ""
    text = f"difference{what} {d.cell('comparisons.csv', 'difference', '.3f', **where)}"
    if d.known("comparisons.csv", "lower", **where) and d.known("comparisons.csv", "upper", **where):
        text += (
            f", {d.cell('comparisons.csv', 'lower', '.3f', **where)} to "
            f"{d.cell('comparisons.csv', 'upper', '.3f', **where)}"
        )
    return f"{text}; "


def _equals(p: str, value: Any) -> str:
    """`p = 0.013`, but `p <0.001`."""
    return p if float(value) < 0.001 or float(value) >= 0.9995 else f"= {p}"


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


# ---------------------------------------------------------------------- predictors


def _selected(d: Draft) -> None:
    final = final_model(d.result)
    rows = [row for row in d.rows("selected.csv", model=final) if not _gone(row.get("frequency"))]
    if not rows:
        d.paragraph(f"The predictors of {name(final)} are in selected.csv.")
        return
    top = sorted(rows, key=lambda row: (-float(row["frequency"]), str(row["feature"])))[:_TOP]
    parts = [
        f"{name(row['feature'])} "
        f"({d.cell('selected.csv', 'frequency', 'percent', model=final, feature=row['feature'])} %)"
        for row in top
    ]
    lead = "The predictors of the final model and the share of folds in which they were chosen were" if len(rows) <= _TOP else (
        "The predictors that the final model chose most often, with the share of folds that chose them, were"
    )  # fmt: skip
    texts = [f"{lead} {listed(parts)} (tables/selected.docx)."]
    file = "tables/stability.csv"
    if d.known(file, "stability", model=final):
        interval = (
            f" ({d.cell(file, 'lower', '.2f', model=final)} to {d.cell(file, 'upper', '.2f', model=final)})"
            if d.known(file, "lower", model=final) and d.known(file, "upper", model=final)
            else ""
        )
        texts.append(
            f"The stability of its selection over the folds (Nogueira's index; chance gives zero, full agreement "
            f"one) was "
            f"{d.cell(file, 'stability', '.2f', model=final)}{interval}."
        )
    d.paragraph(*texts, _explained(d))


def _explained(d: Draft) -> str:
    """The columns that moved the final model's predictions most."""
    file = f"tables/explanation_{final_model(d.result)}.csv"
    rows = [row for row in d.rows(file) if not _gone(row.get("mean_abs"))]
    if not rows:
        return ""
    top = sorted(rows, key=lambda row: (-float(row["mean_abs"]), str(row["feature"])))[:_TOP]
    parts = [f"{name(row['feature'])} ({d.cell(file, 'mean_abs', '.3f', feature=row['feature'])})" for row in top]
    return f"In held-out patients the largest mean absolute Shapley values were those of {listed(parts)} (tables/explanation.docx)."


def _more(d: Draft) -> None:
    """Optimism, centres left out, subgroups."""
    final, texts = final_model(d.result), []
    where = {"model": final, "metric": "auc"}
    if d.known("tables/optimism.csv", "corrected", **where):
        texts.append(
            f"The apparent AUC of the final model was "
            f"{d.cell('tables/optimism.csv', 'apparent', '.2f', **where)}; corrected for optimism it was "
            f"{d.cell('tables/optimism.csv', 'corrected', '.2f', **where)} (tables/optimism.docx)."
        )
    for label in ("all centres", "a new centre"):
        row = {"model": final, "centre": label}
        if not d.known("tables/centres.csv", "lower", **row):
            continue
        limits = (
            f"{d.cell('tables/centres.csv', 'lower', '.2f', **row)} to "
            f"{d.cell('tables/centres.csv', 'upper', '.2f', **row)}"
        )
        if label == "all centres":
            area = d.cell("tables/centres.csv", "auc", ".2f", **row)
            texts.append(
                f"With each centre left out in turn, the summary AUC of the final model was {area} ({limits}; "
                f"tables/centres.docx)."
            )
        else:
            texts.append(f"The prediction interval of the AUC in a new centre was {limits}.")
    if d.rows("tables/subgroups.csv"):
        texts.append("Performance in subgroups is given in tables/subgroups.docx.")
    if texts:
        d.heading("Optimism, centres and subgroups")
        d.paragraph(*texts)


def _doubts(d: Draft) -> None:
    final, texts = final_model(d.result), []
    file = "tables/null_study.csv"
    if d.known(file, "null_mean", model=final):
        p = d.cell(file, "p", "p", model=final)
        value = d.rows(file, model=final)[0]["p"]
        interval = (
            f" (central range {d.cell(file, 'null_lower', '.2f', model=final)} to "
            f"{d.cell(file, 'null_upper', '.2f', model=final)})"
            if d.known(file, "null_lower", model=final) and d.known(file, "null_upper", model=final)
            else ""
        )
        texts.append(
            f"In the null study, on {d.cell(file, 'permutations', 'd', model=final)} permuted outcomes, the "
            f"final model had a mean {_word(measure(d.result))} of "
            f"{d.cell(file, 'null_mean', '.2f', model=final)}{interval}; the study's own value was "
            f"{d.cell(file, 'auc', '.2f', model=final)} (p {_equals(p, value)})."
        )
    for row in d.rows("tables/controls.csv"):
        if _gone(row.get("auc")) or _gone(row.get("difference")) or row["model"] != final:
            continue
        where = {key: row[key] for key in ("kind", "variant", "model")}
        limits = (
            f", {d.cell('tables/controls.csv', 'difference_lower', '.2f', **where)} to "
            f"{d.cell('tables/controls.csv', 'difference_upper', '.2f', **where)}"
            if not _gone(row.get("difference_lower")) and not _gone(row.get("difference_upper"))
            else ""
        )
        texts.append(
            f"{_KINDS[row['kind']]} {name(row['variant'])}, the {_word(measure(d.result))} was "
            f"{d.cell('tables/controls.csv', 'auc', '.2f', **where)} (difference to the study "
            f"{d.cell('tables/controls.csv', 'difference', '.2f', **where)}{limits})."
        )
    if texts:
        d.heading("Checks of the result")
        d.paragraph(*texts)


_KINDS = {"control": "With the control", "shift": "On images disturbed by", "sensitivity": "With the setting"}
