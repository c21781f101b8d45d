"""The answer first: how good the final model is, in numbers and in words a clinician would use."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.report.facts import (
    confidence,
    estimate,
    final_model,
    final_threshold,
    outcome_name,
    split_name,
    unseen_splits,
)
from isthmus.report.wording import interval_text, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["Answer", "Card", "answer"]


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


def answer(result: Result) -> Answer:
    """The final model's performance on patients it had not seen."""
    model = final_model(result)
    present = unseen_splits(result)
    cards = [_card(result, model, split, "auc") for split in present]
    where = _decisive(result, model, present)
    if where is not None:
        cards += [_card(result, model, where, metric) for metric in ("sensitivity", "specificity")]
    return Answer(
        _verdict(result, model, present),
        tuple(c for c in cards if c is not None),
        _meaning(result, model, present, where),
    )


def _decisive(result: Result, model: str, present: list[str]) -> str | None:
    """The strictest split that has a sensitivity: outside patients before inside ones."""
    return next((split for split in reversed(present) if estimate(result, model, split, "sensitivity")), None)


def _card(result: Result, model: str, split: str, metric: str) -> Card | None:
    found = estimate(result, model, split, metric)
    if found is None:
        return None
    title = {"auc": "AUC", "sensitivity": "Sensitivity", "specificity": "Specificity"}[metric]
    if metric != "auc":
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
    areas = {split: area for split in present if (area := estimate(result, model, split, "auc")) is not None}
    if not areas:
        return (
            f"No AUC could be computed for the final model ({model}) on unseen patients, so nothing is shown "
            f"about {outcome}."
        )
    better = {split: area.lower > 0.5 for split, area in areas.items()}
    outside = [split for split in areas if split != "cv"]
    if not any(better.values()):
        return f"The data do not show that the final model ({model}) predicts {outcome} better than chance."
    if not outside:
        return (
            f"{subject} predicts {outcome} better than chance in cross-validation; it has not been tried on "
            "outside patients."
        )
    if all(better.values()):
        return f"{subject} predicts {outcome} better than chance, in cross-validation and in patients from outside."
    if better.get("cv"):
        return (
            f"{subject} predicts {outcome} better than chance in cross-validation; the outside patients do "
            "not confirm it."
        )
    return f"{subject} does better than chance on outside patients but not in cross-validation: treat this as unproven."


def _meaning(result: Result, model: str, present: list[str], where: str | None) -> tuple[str, ...]:
    outcome, texts = outcome_name(result), []
    pairs = [
        f"{_hundred(area)} of 100 pairs in {_place(split)}"
        for split in present
        if (area := estimate(result, model, split, "auc")) is not None
    ]
    if pairs:
        texts.append(
            f"AUC: of two patients, one with {outcome} and one without, the model gives the higher risk "
            "to the right one in about "
            f"{' and '.join(pairs)}. A coin would do so in 50."
        )
    sensitivity = estimate(result, model, where, "sensitivity") if where else None
    specificity = estimate(result, model, where, "specificity") if where else None
    if where and sensitivity and specificity:
        texts.append(
            f"At the threshold fixed on training patients, in {_place(where)}: of 100 patients with "
            f"{outcome} it finds about "
            f"{_hundred(sensitivity)}; of 100 without, it correctly clears about {_hundred(specificity)}."
        )
    slope = estimate(result, model, where or "cv", "calibration_slope")
    if slope:
        texts.append(
            f"Calibration slope in {_place(where or 'cv')}: {interval_text(slope)} ({slope.method}). At "
            "1, differences between risks are "
            "neither exaggerated nor played down."
        )
    return tuple(texts)


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
