"""The answer first: how good the final model is, in numbers and in words a clinician would use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from isthmus.report.facts import (
    confidence,
    estimate,
    final_model,
    final_threshold,
    measure,
    measure_name,
    model_settings,
    outcome_name,
    split_name,
    task,
    threshold_origin,
    unseen_splits,
)
from isthmus.report.wording import interval_text, listed, metric_name, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result
from isthmus.table import Task

__all__ = ["Answer", "Card", "answer", "honest", "question"]

_DECISIONS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "binary": ("sensitivity", "specificity"),
        "multiclass": ("balanced_accuracy",),
        "ordinal": ("balanced_accuracy", "quadratic_kappa"),
        "survival": ("hazard_ratio_groups",),
    }
)
_OF_CLASSES: Mapping[Task, str] = MappingProxyType(
    {
        "multiclass": "Macro AUC: of two patients, one of a class and one of another, averaged over the classes",
        "ordinal": "Ordinal C-index: of two patients of different classes",
    }
)


@dataclass(frozen=True)
class Card:
    """One headline number: what it is, where it was measured, the value, its limits, and the method of the limits."""

    title: str
    where: str
    value: str
    limits: str
    method: str


@dataclass(frozen=True)
class Answer:
    """The verdict in a sentence, the headline numbers, and what they mean."""

    verdict: str
    cards: tuple[Card, ...]
    meaning: tuple[str, ...]


def question(result: Result) -> str:
    """What the study asks, from the plan: the outcome, and what it is predicted from."""
    blocks = model_settings(result, final_model(result)).get("blocks") or list(result.blocks)
    what = f"time to {outcome_name(result)}" if task(result) == "survival" else outcome_name(result)
    named = ["the feature table" if block == "table" else str(block) for block in blocks]
    source = f" from {listed(named)}" if named else ""
    return f"Can {what} be predicted{source}?"


def honest(result: Result) -> Card | None:
    """The headline number of the strictest patients: an outside centre, else patients set aside, else cross-validation."""
    present = unseen_splits(result)
    sent = [split for split in present if split.startswith("external (")]
    for split in ("external", *sent, "internal", "cv"):
        if split in present and (found := _card(result, final_model(result), split, measure(result))) is not None:
            return found
    return None


def answer(result: Result) -> Answer:
    """The final model's performance on patients it had not seen."""
    model = final_model(result)
    present = unseen_splits(result)
    cards = [_card(result, model, split, measure(result)) for split in present]
    where = _decisive(result, model, present)
    if where is not None:
        cards += [_card(result, model, where, metric) for metric in _DECISIONS[task(result)]]
    return Answer(
        _verdict(result, model, present),
        tuple(c for c in cards if c is not None),
        _meaning(result, model, present, where),
    )


def _decisive(result: Result, model: str, present: list[str]) -> str | None:
    """The strictest split that has decisions to judge: outside patients before inside ones."""
    return next(
        (split for split in reversed(present) if estimate(result, model, split, _DECISIONS[task(result)][0])), None
    )


def _card(result: Result, model: str, split: str, metric: str) -> Card | None:
    found = estimate(result, model, split, metric)
    if found is None:
        return None
    title = metric_name(metric)
    if metric in ("sensitivity", "specificity"):
        cut = final_threshold(result, model) if split != "cv" else None
        title += f" at risk ≥ {number(cut)}" if cut is not None else " at the fold's threshold"
    if found.lower == found.lower:
        limits = f"{100 * confidence(result):.0f} % CI {number(found.lower)} to {number(found.upper)}"
    else:
        limits = "no interval"
    return Card(title, split_name(split), number(found.estimate), limits, found.method)


def _verdict(result: Result, model: str, present: list[str]) -> str:
    outcome = outcome_name(result)
    subject = f"The final model ({model})"
    areas = {split: area for split in present if (area := estimate(result, model, split, measure(result))) is not None}
    if not areas:
        return (
            f"No {measure_name(result)} could be computed for the final model ({model}) on unseen patients, so nothing is shown "
            f"about {outcome}."
        )
    better = {split: area.lower > 0.5 for split, area in areas.items()}
    outside = [split for split in areas if split != "cv"]
    where = " and ".join(map(_place, outside))
    if not any(better.values()):
        return f"The data do not show that the final model ({model}) predicts {outcome} better than chance."
    if not outside:
        return (
            f"{subject} predicts {outcome} better than chance in cross-validation; it has not been tried on "
            "outside patients."
        )
    if all(better.values()):
        return f"{subject} predicts {outcome} better than chance, in cross-validation and in {where}."
    if better.get("cv"):
        failed = [split for split in outside if not better[split]]
        return (
            f"{subject} predicts {outcome} better than chance in cross-validation; {listed(map(_place, failed))} "
            f"{'does' if len(failed) == 1 else 'do'} not confirm it."
        )
    held = " and ".join(_place(split) for split in outside if better[split])
    return f"{subject} does better than chance in {held} but not in cross-validation: treat this as unproven."


def _meaning(result: Result, model: str, present: list[str], where: str | None) -> tuple[str, ...]:
    outcome, texts = outcome_name(result), []
    pairs = [
        f"{_hundred(area)} of 100 pairs in {_place(split)}"
        for split in present
        if (area := estimate(result, model, split, measure(result))) is not None
    ]
    if pairs and task(result) == "survival":
        texts.append(
            "C-index: of two patients of whom it is known who had the event first, the model gives that one the higher "
            f"risk in about {' and '.join(pairs)}. A coin would do so in 50."
        )
    elif pairs and task(result) != "binary":
        texts.append(
            f"{_OF_CLASSES[task(result)]}: the model puts the right one first in about {' and '.join(pairs)}. "
            "A coin would do so in 50."
        )
    elif pairs:
        texts.append(
            f"AUC: of two patients, one with {outcome} and one without, the model gives the higher risk "
            "to the right one in about "
            f"{' and '.join(pairs)}. A coin would do so in 50."
        )
    sensitivity = estimate(result, model, where, "sensitivity") if where else None
    specificity = estimate(result, model, where, "specificity") if where else None
    if where and sensitivity and specificity:
        texts.append(
            f"At the threshold {threshold_origin(result)}, in {_place(where)}: of 100 patients with "
            f"{outcome} it finds about "
            f"{_hundred(sensitivity)}; of 100 without, it correctly clears about {_hundred(specificity)}."
        )
    texts += _of_task(result, model, where or "cv")
    slope = estimate(result, model, where or "cv", "calibration_slope")
    if slope:
        texts.append(
            f"Calibration slope in {_place(where or 'cv')}: {interval_text(slope)} ({slope.method}). At "
            "1, differences between risks are "
            "neither exaggerated nor played down."
        )
    return tuple(texts)


def _of_task(result: Result, model: str, where: str) -> list[str]:
    """What else the numbers of this kind of outcome mean."""
    ratio = estimate(result, model, where, "hazard_ratio_groups")
    if ratio is not None:
        return [
            f"In {_place(where)}, patients of the highest risk group have the event at {interval_text(ratio)} times the rate "
            "of those in the lowest; the groups were cut on training patients."
        ]
    right = estimate(result, model, where, "balanced_accuracy")
    if task(result) != "binary" and right is not None:
        return [
            f"In {_place(where)}, when every patient is given his most probable class: averaged over the classes, "
            f"{_hundred(right)} of 100 patients get their own (balanced accuracy)."
        ]
    return []


def _hundred(value: Interval) -> str:
    text = f"{100 * value.estimate:.0f}"
    return (
        f"{text} ({100 * value.lower:.0f} to {100 * value.upper:.0f})"
        if value.lower == value.lower
        else f"{text} (no interval)"
    )


def _place(split: str) -> str:
    places = {"cv": "cross-validation", "internal": "the internal test set", "external": "the external centre"}
    return places.get(split, split_name(split))
