"""The checklists: how many items, what they weigh, and that answers follow the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from isthmus.report.checklists import CHECKLISTS, answered, score, write_checklists
from isthmus.report.checklists._item import AUTHOR, NO, NOT_APPLICABLE, PARTLY, YES, Answer, Checklist, Facts, Item, yes
from isthmus.study.result import Result
from report.fake_run import make_run

KINDS = (YES, PARTLY, NO, NOT_APPLICABLE, AUTHOR)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A ready table, one model, no external patients."""
    return Result.load(
        make_run(
            tmp_path_factory.mktemp("few") / "run",
            models=("a",), external=False, images=False, null_study=False, table_one=False, exclusions=False,
        )
    )  # fmt: skip


def _answer(result: Result, checklist: str, item: str) -> Answer:
    found = next(one for one in CHECKLISTS[checklist].items if one.item == item)
    return found.answer(Facts(result))


@pytest.mark.parametrize(
    ("checklist", "count"), [("tripod_ai", 52), ("clear", 58), ("metrics", 30), ("rqs", 16), ("rqs_2", 0), ("ibsi", 84)]
)
def test_how_many_items(checklist: str, count: int) -> None:
    """As many as published: TRIPOD+AI 52 sub-items, CLEAR 58, METRICS 30, RQS 16, IBSI 76 with 8 more parts; RQS 2.0 is empty."""
    numbers = [one.item for one in CHECKLISTS[checklist].items]
    assert (len(numbers), len(set(numbers))) == (count, count)


@pytest.mark.parametrize(
    ("checklist", "last"), [("tripod_ai", 27), ("clear", 58), ("metrics", 30), ("rqs", 16), ("ibsi", 76)]
)
def test_no_item_is_missing(checklist: str, last: int) -> None:
    """The numbers run without a gap, in order."""
    numbers = [int(one.item.rstrip("abcdefg")) for one in CHECKLISTS[checklist].items]
    assert (sorted(set(numbers)), numbers) == (list(range(1, last + 1)), sorted(numbers))


def test_metrics_weights() -> None:
    """The weights of METRICS add up to 1.0000."""
    assert sum(one.weight for one in CHECKLISTS["metrics"].items) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("item", "weight"), [("1", 0.0368), ("3", 0.0919), ("11", 0.0622), ("18", 0.0599), ("27", 0.0749), ("30", 0.0075)]
)
def test_a_weight(item: str, weight: float) -> None:
    """Weights stand at their items."""
    assert next(one for one in CHECKLISTS["metrics"].items if one.item == item).weight == weight


def test_rqs_points() -> None:
    """The most points are 36; the least are those of no reduction and no validation."""
    items = CHECKLISTS["rqs"].items
    assert (sum(one.weight for one in items), sum(one.lowest for one in items)) == (36, -8)


@pytest.mark.parametrize("checklist", list(CHECKLISTS))
def test_answers_are_of_five_kinds(full_run: Result, few: Result, checklist: str) -> None:
    """Every answer is one of the five words."""
    found = {one.answer(Facts(run)).answer for run in (full_run, few) for one in CHECKLISTS[checklist].items}
    assert found <= set(KINDS)


@pytest.mark.parametrize("kind", ["full", "few", "multiclass_run", "survival_run", "ordinal_run"])
def test_evidence_exists(kind: str, full_run: Result, few: Result, request: pytest.FixtureRequest) -> None:
    """Every file that an answer names is in the run, and a yes names one."""
    run = {"full": full_run, "few": few}.get(kind) or request.getfixturevalue(kind)
    answers = [one.answer(Facts(run)) for checklist in CHECKLISTS.values() for one in checklist.items]
    missing = {one.file for one in answers if one.file and not (run.folder / one.file).is_file()}
    assert (missing, [one for one in answers if one.answer in (YES, PARTLY) and not one.file]) == (set(), [])


@pytest.mark.parametrize(
    ("checklist", "item", "full", "less"),
    [
        ("metrics", "27", YES, NO),
        ("metrics", "14", YES, YES),
        ("metrics", "4", YES, AUTHOR),
        ("clear", "44", YES, AUTHOR),
        ("clear", "25", YES, AUTHOR),
        ("clear", "41", YES, NO),
        ("clear", "21", YES, AUTHOR),
        ("tripod_ai", "20c", YES, NOT_APPLICABLE),
        ("tripod_ai", "11", YES, YES),
        ("tripod_ai", "17", AUTHOR, AUTHOR),
        ("ibsi", "7", PARTLY, AUTHOR),
        ("ibsi", "19", NOT_APPLICABLE, AUTHOR),
        ("rqs", "6", YES, NO),
    ],
)
def test_answers_follow_the_run(full_run: Result, few: Result, checklist: str, item: str, full: str, less: str) -> None:
    """What a run has is answered yes; what it lacks is not."""
    assert (_answer(full_run, checklist, item).answer, _answer(few, checklist, item).answer) == (full, less)


def test_rqs_without_validation(few: Result) -> None:
    """Cross-validation alone costs five points, as the score has it."""
    assert _answer(few, "rqs", "12").points == (-5, -5)


def test_reliability_is_not_claimed(full_run: Result) -> None:
    """A run without judged features does not say that unreliable ones were removed."""
    tables = {name: table for name, table in full_run.tables.items() if name != "reliability"}
    assert _answer(replace(full_run, tables=tables), "metrics", "14").answer == NO


def _made(*kinds: str) -> tuple[Checklist, list[Answer]]:
    items = tuple(Item(str(i), "", "", lambda _: yes(""), 0.25) for i in range(len(kinds)))
    return Checklist("x", "X", "metrics2024", items, "weights"), [Answer(kind) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "limits"),
    [
        ((YES, YES, YES, YES), (100, 100)),
        ((YES, NO, AUTHOR, AUTHOR), (25, 75)),
        ((YES, NOT_APPLICABLE, NOT_APPLICABLE, NO), (50, 50)),
        ((NO, PARTLY, NO, NO), (0, 25)),
    ],
)
def test_limits_of_a_weighted_score(kinds: tuple[str, ...], limits: tuple[float, float]) -> None:
    """Open items fail at the lower limit and pass at the upper one; what does not apply leaves the score."""
    assert score(*_made(*kinds)) == pytest.approx(limits)


def test_limits_of_points(full_run: Result) -> None:
    """The limits of RQS are the sums of the items' limits, by hand."""
    answers = [one.answer(Facts(full_run)) for one in CHECKLISTS["rqs"].items]
    by_hand = (sum(one.points[0] for one in answers), sum(one.points[1] for one in answers))
    assert (score(CHECKLISTS["rqs"], answers), -8 <= by_hand[0] <= by_hand[1] <= 36) == (by_hand, True)


def test_no_score_where_none_is_defined(full_run: Result) -> None:
    """TRIPOD+AI, CLEAR and IBSI are not scored."""
    found = answered(full_run)
    assert [found[name].score for name in ("tripod_ai", "clear", "ibsi", "rqs_2")] == [""] * 4


def test_files(full_run: Result, tmp_path: Path) -> None:
    """A csv with the named columns and a docx for each, and the scores."""
    write_checklists(full_run, tmp_path)
    columns = {tuple(pd.read_csv(tmp_path / f"{name}.csv").columns) for name in CHECKLISTS}
    files = {path.name for path in tmp_path.iterdir()}
    wanted = {f"{name}.{ending}" for name in CHECKLISTS for ending in ("csv", "docx")} | {"scores.csv"}
    assert (columns, files) == ({("item", "section", "question", "answer", "evidence", "note")}, wanted)


def test_the_count_of_answers(full_run: Result) -> None:
    """The counts of a checklist are those of its table."""
    one = answered(full_run)["clear"]
    assert {kind: int((one.view.frame["Answer"] == kind).sum()) for kind in KINDS} == one.counts
