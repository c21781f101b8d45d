"""The radiomics quality score 1.0 (Lambin and colleagues, Nature Reviews Clinical Oncology 2017): 16 items, at most 36 points.

Version 2.0 (2025) is an empty slot: its items were not available to us, and none are invented.
"""

from __future__ import annotations

from dataclasses import replace

from isthmus.report.checklists import _answers as a
from isthmus.report.checklists._item import YES, Answer, Checklist, Facts, Item, asked, no, partly, yes

__all__ = ["CHECKLIST", "VERSION_2"]


def _points(answer: Answer, lowest: float, highest: float) -> Answer:
    return replace(answer, points=(lowest, highest))


def _protocol(f: Facts) -> Answer:
    return _points(a.protocol(f), 0, 2)


def _segmentations(f: Facts) -> Answer:
    found = a.segmentation_reliability(f)
    if found.answer == YES:
        return _points(
            asked("repeats were analysed; say whether they are of several segmentations", found.file, found.value), 0, 1
        )
    return _points(found, 0, 0)


def _reduction(f: Facts) -> Answer:
    found = a.reduction(f)
    return _points(found, 3, 3) if found.answer == YES else _points(found, -3, -3)


def _multivariable(f: Facts) -> Answer:
    mixed = [
        m["name"]
        for m in f.plan.get("models", [])
        if "clinical" in (m.get("blocks") or f.result.blocks) and len(m.get("blocks") or f.result.blocks) > 1
    ]
    return (
        _points(yes("plan.lock.toml", f"model {', '.join(mixed)}"), 1, 1)
        if mixed
        else _points(no("plan.lock.toml", "no model of both"), 0, 0)
    )


def _cut_off(f: Facts) -> Answer:
    if f.task == "survival" and f.has("risk_groups"):
        return _points(yes("tables/risk_groups.csv", "groups cut on training predictions"), 1, 1)
    if f.task == "binary" and len(f.result.thresholds):
        return _points(yes("tables/thresholds.csv", "thresholds fixed on training predictions"), 1, 1)
    return _points(no("plan.lock.toml", "no threshold"), 0, 0)


def _discrimination(f: Facts) -> Answer:
    return _points(yes("metrics.csv", "discrimination with intervals, by resampling"), 2, 2)


def _calibration(f: Facts) -> Answer:
    found = a.calibration(f)
    return _points(found, 2, 2) if found.answer == YES else _points(found, 0, 0)


def _validation(f: Facts) -> Answer:
    if f.external:
        where = f.included.loc[f.included["split"] == "external", "centre"]
        sites = len(set(where) - {""}) or 1
        return _points(
            partly(
                "metrics.csv", f"external patients of {sites} centres", "more points where several institutes took part"
            ),
            3,
            5,
        )
    if f.internal:
        return _points(yes("metrics.csv", "a test set of the same source"), 2, 2)
    return _points(
        no("metrics.csv", "cross-validation only", "resampling is no validation in a data set of its own"), -5, -5
    )


def _utility(f: Facts) -> Answer:
    found = a.utility(f)
    return _points(found, 2, 2) if found.answer == YES else _points(found, 0, 0)


def _open(f: Facts) -> Answer:
    return _points(
        asked("a point each for scans, segmentations, code, and features with settings", "plan.lock.toml"), 0, 4
    )


def _author(highest: float, note: str = "") -> object:
    return lambda _: _points(asked(note), 0, highest)


def _item(number: int, question: str, answer: object, lowest: float, highest: float) -> Item:
    return Item(str(number), f"{lowest:g} to {highest:g} points", question, answer, highest, lowest)  # type: ignore[arg-type]


CHECKLIST = Checklist(
    "rqs",
    "Radiomics quality score 1.0",
    "lambin2017",
    (
        _item(1, "Is the imaging protocol documented, and a public one?", _protocol, 0, 2),
        _item(2, "Are there several segmentations of each region?", _segmentations, 0, 1),
        _item(3, "Were differences of scanners studied on a phantom?", _author(1), 0, 1),
        _item(4, "Imaging at several time points?", _author(1), 0, 1),
        _item(5, "Reduction of features, or correction for many tests?", _reduction, -3, 3),
        _item(6, "A multivariable analysis with non-radiomic predictors?", _multivariable, 0, 1),
        _item(7, "Biological correlates?", _author(1), 0, 1),
        _item(8, "Analyses of cut-offs?", _cut_off, 0, 1),
        _item(9, "Statistics of discrimination, with resampling?", _discrimination, 0, 2),
        _item(10, "Statistics of calibration, with resampling?", _calibration, 0, 2),
        _item(11, "A prospective study, registered?", _author(7), 0, 7),
        _item(12, "Validation in data of their own?", _validation, -5, 5),
        _item(13, "Compared with a gold standard?", _author(2), 0, 2),
        _item(14, "Potential clinical utility (decision curve)?", _utility, 0, 2),
        _item(15, "Cost-effectiveness?", _author(1), 0, 1),
        _item(16, "Open science and data?", _open, 0, 4),
    ),
    scoring="points",
    note="Points as far as the run shows them; at most 36.",
)

VERSION_2 = Checklist(
    "rqs_2",
    "Radiomics quality score 2.0",
    "lambin2017",
    (),
    note="Empty on purpose: the items of version 2.0 (Lambin and colleagues, 2025) were not available to us, and "
    "we do not invent them.",
)
