"""Checklists that a run answers about itself: TRIPOD+AI, CLEAR, METRICS, RQS and IBSI's reporting items.

Each item is answered by a small function that looks at the stored result; what the software cannot know is marked for the author. To add a
checklist, write its module and name it in `CHECKLISTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from isthmus.report.checklists import clear, ibsi, metrics, rqs, tripod_ai
from isthmus.report.checklists._item import AUTHOR, NO, NOT_APPLICABLE, PARTLY, YES, Answer, Checklist, Facts
from isthmus.report.references import reference, text
from isthmus.report.tables._view import View
from isthmus.report.word import Document
from isthmus.study.result import Result

__all__ = ["CHECKLISTS", "Answered", "answered", "score", "write_checklists"]

CHECKLISTS: Mapping[str, Checklist] = MappingProxyType(
    {
        one.name: one
        for one in (
            tripod_ai.CHECKLIST,
            clear.CHECKLIST,
            metrics.CHECKLIST,
            rqs.CHECKLIST,
            rqs.VERSION_2,
            ibsi.CHECKLIST,
        )
    }
)
"""Name -> checklist, in the order of the report."""

COLUMNS = ["item", "section", "question", "answer", "evidence", "note"]


@dataclass(frozen=True)
class Answered:
    """A checklist with its answers: how many of each kind, the score in words, and the table."""

    title: str
    counts: dict[str, int]
    score: str
    note: str
    view: View

    @property
    def summary(self) -> str:
        """`24 yes, 9 partly, ...`."""
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)


def answered(result: Result) -> dict[str, Answered]:
    """Every checklist, answered from the stored result; nothing depends on what a report wrote before."""
    facts = Facts(result)
    found = {}
    for name, checklist in CHECKLISTS.items():
        answers = [item.answer(facts) for item in checklist.items]
        kinds = [one.answer for one in answers]
        counts = {kind: kinds.count(kind) for kind in (YES, PARTLY, NO, NOT_APPLICABLE, AUTHOR)}
        frame = _frame(checklist, answers)
        groups = {
            i: section
            for i, section in enumerate(frame["section"])
            if i == 0 or section != frame["section"].iloc[i - 1]
        }
        shown = frame.drop(columns="section").set_axis(["Item", "Question", "Answer", "Evidence", "Note"], axis=1)
        view = View(shown, checklist.note, groups)
        found[name] = Answered(checklist.title, counts, _in_words(checklist, answers), checklist.note, view)
    return found


def score(checklist: Checklist, answers: list[Answer]) -> tuple[float, float] | None:
    """Lowest and highest score: everything open fails, or passes. None where the checklist defines no score.

    Weights: percent of the weights that apply; an item that may not apply counts against the lowest. Points: their sum.
    """
    if checklist.scoring == "weights":
        applies = [
            (item.weight, one.answer)
            for item, one in zip(checklist.items, answers, strict=True)
            if one.answer != NOT_APPLICABLE
        ]
        whole = sum(weight for weight, _ in applies)
        met = sum(weight for weight, kind in applies if kind == YES)
        still = sum(weight for weight, kind in applies if kind in (AUTHOR, PARTLY))
        return (100 * met / whole, 100 * (met + still) / whole) if whole else None
    if checklist.scoring == "points":
        points = [one.points or (0.0, 0.0) for one in answers]
        return sum(low for low, _ in points), sum(high for _, high in points)
    return None


def _in_words(checklist: Checklist, answers: list[Answer]) -> str:
    limits = score(checklist, answers)
    if limits is None:
        return ""
    if checklist.scoring == "weights":
        return f"provisional score {limits[0]:.1f} % to {limits[1]:.1f} % of the weights that apply"
    most = sum(item.weight for item in checklist.items)
    return f"provisional score {limits[0]:g} to {limits[1]:g} of {most:g} points"


def _frame(checklist: Checklist, answers: list[Answer]) -> pd.DataFrame:
    rows = [
        (item.item, item.section, item.question, one.answer, one.evidence, one.note)
        for item, one in zip(checklist.items, answers, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    if checklist.scoring == "weights":
        frame["question"] = [f"{item.question} (weight {item.weight:.4f})" for item in checklist.items]
    if checklist.scoring == "points":
        frame["note"] = [_with_points(one) for one in answers]
    return frame


def _with_points(one: Answer) -> str:
    low, high = one.points or (0.0, 0.0)
    points = f"{low:g} points" if low == high else f"{low:g} to {high:g} points"
    return f"{points}; {one.note}" if one.note else points


def write_checklists(result: Result, folder: Path) -> None:
    """Write `<checklist>.csv` and `.docx` for each, and `scores.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = Facts(result)
    rows = []
    for (name, one), checklist in zip(answered(result).items(), CHECKLISTS.values(), strict=True):
        answers = [item.answer(facts) for item in checklist.items]
        _frame(checklist, answers).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        limits = score(checklist, answers)
        rows.append((name, *one.counts.values(), *(limits or (None, None)), checklist.scoring))
        document = Document(one.title)
        document.heading(one.title, 0)
        said = [f"{one.summary}." if one.summary else "", f"Score: {one.score}." if one.score else "", one.note]
        document.paragraph(" ".join(part for part in said if part))
        document.paragraph(text(reference(checklist.reference)))
        if checklist.items:
            document.table(one.view)
        document.save(folder / f"{name}.docx")
    columns = ["checklist", "yes", "partly", "no", "not_applicable", "author", "lowest", "highest", "score"]
    pd.DataFrame(rows, columns=columns).to_csv(
        folder / "scores.csv", index=False, lineterminator="\n", float_format="%.4g"
    )
