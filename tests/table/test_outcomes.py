"""What happened to each patient is derived from the table, and whatever is doubtful is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.table.outcomes import contrast, contrasts, derive_outcome
from isthmus.table.reading import read_frame
from isthmus.table.settings import OutcomeSettings


def table(values: list[str | None], **more: list[str | None]) -> pd.DataFrame:
    columns = {"patient": [f"P{i}" for i in range(len(values))], "y": values, **more}
    return pd.DataFrame(columns, dtype="str", index=pd.Index(range(2, len(values) + 2), name="file_row"))


def derived(frame: pd.DataFrame, **settings: Any) -> Any:
    return derive_outcome(frame, OutcomeSettings(**{"outcome": "y", **settings}), frame["patient"])


@pytest.mark.parametrize(
    ("values", "settings", "expected", "classes"),
    [
        (["1", "0", "1"], {}, [1, 0, 1], ("0", "1")),
        (["True", "False", "true"], {}, [1, 0, 1], ("False", "True")),
        (["YES", "no", "no"], {}, [1, 0, 0], ("no", "YES")),
        (["1.0", "0.0", "1"], {}, [1, 0, 1], ("0.0", "1")),
        (["benign", "malignant", "benign"], {"positive": "malignant"}, [0, 1, 0], ("benign", "malignant")),
        (["1", "2", "1"], {"positive": 2}, [0, 1, 0], ("1", "2")),
        (["1", "2.0", "1"], {"positive": 2}, [0, 1, 0], ("1", "2.0")),
        (["1", "0", "0"], {"positive": 0}, [0, 1, 1], ("1", "0")),
        (["True", "False", "False"], {"positive": False}, [0, 1, 1], ("True", "False")),
        (["5", "7", "3"], {"outcome": "y > 5"}, [0, 1, 0], ("no", "yes")),
    ],
)
def test_binary(
    values: list[str | None], settings: dict[str, Any], expected: list[int], classes: tuple[str, ...]
) -> None:
    """The usual spellings, a named positive class and an expression give 0 and 1."""
    outcome = derived(table(values), **settings).outcome
    assert (outcome.values.tolist(), outcome.classes) == (expected, classes)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (
            ["a", "b", "b", "c"],
            {},
            r"the 3 values 'a' \(1 patient: P0\), 'b' \(2 patients: P1, P2\), 'c' .*task = \"multiclass\".*positive = ",
        ),
        (["0", "1", "2"], {}, r"'2' \(1 patient: P2\); expected 1, true or yes .*multiclass"),
        (["a", "b", "c"], {"positive": "a"}, "besides positive = 'a' expected one other value"),
        (["a", "b", "b"], {}, "positive = 'b'"),
        (["a", "b"], {"positive": "z"}, r"positive = 'z' does not occur; the values are 'a' \(1 patient: P0\)"),
        (["1", "1", "1"], {}, r"all 3 patients have one class \('0': 0, '1': 3\)"),
        (["0", "no", "0"], {}, "all 3 patients have one class"),
        (["bad", "bad"], {}, r"all 2 patients have one class \('not bad': 0, 'bad': 2\)"),
        (["bad", "bad"], {"positive": "bad"}, "all 2 patients have one class"),
        (["7", "8"], {"outcome": "y > 5"}, r"all 2 patients have one class \('no': 0, 'yes': 2\)"),
        ([None, None], {}, r"no patient has one \(all 2 are missing\)"),
        (["a", "b", "c", "d"], {"task": "multiclass", "order": ["a", "b", "c"]}, "'d' .* not in order"),
        (["a", "b", "c"], {"task": "multiclass", "order": ["a", "b", "c", "d"]}, "no patient has 'd'"),
        (["a", "b", "b"], {"task": "multiclass"}, 'for two classes write task = "binary"'),
        (["1", "0"], {"task": "survival", "time": "t"}, "time 't': negative or infinite for P0"),
    ],
)
def test_unusable_outcomes_are_refused(values: list[str | None], settings: dict[str, Any], message: str) -> None:
    """A third value, one class, a class nobody has: refused with values and counts and what to write."""
    with pytest.raises(TableError, match=message):
        derived(table(values, t=["-1"] * len(values)), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"outcome": "yy"}, "unknown column 'yy'. Did you mean 'y'"),
        ({"outcome": "lung metastasis"}, "neither a column of the table nor an expression"),
        ({"task": "survival"}, "needs time"),
        ({"task": "survival", "time": "tt"}, "time: unknown column 'tt'"),
        ({"time": "t"}, 'belongs to task = "survival"'),
        ({"task": "ordinal"}, "needs order"),
        ({"order": ["a", "b"]}, "order = .* belongs to multiclass and ordinal"),
        ({"task": "multiclass", "positive": "a"}, "positive = .* belongs to binary and survival"),
        ({"task": "multiclass", "order": ["a", "a"]}, "names a class twice"),
    ],
)
def test_plans_that_do_not_go_together(settings: dict[str, Any], message: str) -> None:
    """What the plan says about the outcome must go together; the message names the key."""
    with pytest.raises(PlanError, match=message):
        derived(table(["1", "0"], t=["1", "2"]), **settings)


def test_missing_outcome_is_an_exclusion() -> None:
    """A patient without an outcome leaves with a reason, the others stay."""
    result = derived(table(["1", None, "0"]))
    assert result.exclusions.to_dict("records") == [
        {"row": "P1", "patient": "P1", "step": "outcome", "reason": "outcome 'y' is missing"}
    ]


def test_contradictory_rows_name_the_patient() -> None:
    """Two rows of one patient with different outcomes are an error, not a choice."""
    frame = table(["1", "0", "1"]).assign(patient=["A", "B", "B"])
    with pytest.raises(TableError, match="contradict each other: B: 0, 1"):
        derived(frame)


def test_rows_of_one_patient_share_the_outcome() -> None:
    """A row without the outcome takes it from the patient's other row; spellings that say the same do not contradict."""
    frame = table(["1", None, "1.0", "0"]).assign(patient=["A", "A", "A", "B"])
    assert derived(frame).outcome.values.to_dict() == {"A": 1, "B": 0}


def test_multiclass_codes_follow_the_order() -> None:
    """A multi-class outcome is coded by position in `order`."""
    result = derived(table(["c", "a", "b"]), task="multiclass", order=["c", "a", "b"])
    assert result.outcome.values.tolist() == [0, 1, 2]


def test_ordinal_keeps_its_order() -> None:
    """An ordinal outcome keeps its classes from lowest to highest."""
    result = derived(table(["high", "low", "mid"]), task="ordinal", order=["low", "mid", "high"])
    assert result.outcome.values.tolist() == [2, 0, 1]


def test_survival_has_times() -> None:
    """A survival outcome holds event and time; a patient without a time is excluded."""
    result = derived(table(["1", "0", "1"], t=["5.5", "7", None]), task="survival", time="t")
    assert (result.outcome.time.tolist(), result.exclusions["patient"].tolist()) == ([5.5, 7.0], ["P2"])


def test_sources_are_barred() -> None:
    """The columns that make the outcome are barred as predictors, the time too."""
    frame = table(["1", "6"], nodes=["3", "9"], t=["1", "2"])
    result = derived(frame, outcome="y > 5 and nodes > 3", task="survival", time="t")
    assert result.barred == {"y", "nodes", "t"}


def test_contrast_is_a_binary_outcome_of_two_classes() -> None:
    """A vs B holds the patients of the two classes, A being the event."""
    outcome = derived(table(["a", "b", "c", "a"]), task="multiclass").outcome
    sub = contrast(outcome, "a", "c")
    assert (sub.values.to_dict(), sub.classes) == ({"P0": 1, "P2": 0, "P3": 1}, ("c", "a"))


def test_unknown_contrast_is_refused() -> None:
    """A contrast of a class that does not exist names the classes."""
    settings = OutcomeSettings(outcome="y", task="multiclass", contrasts={"A vs Z": ("a", "z")})
    outcome = derived(table(["a", "b", "c"]), task="multiclass").outcome
    with pytest.raises(PlanError, match="no class 'z'; its classes are 'a', 'b', 'c'"):
        contrasts(outcome, settings)


def test_order_of_rows_changes_nothing() -> None:
    """Reordering the rows of the table leaves the outcome as it is."""
    frame = table(["1", "0", None, "yes", "no"] * 5)
    shuffled = frame.iloc[np.random.default_rng(3).permutation(len(frame))]
    pd.testing.assert_series_equal(derived(frame).outcome.values, derived(shuffled).outcome.values)


def test_sarcoma_outcome(shared_data: Path) -> None:
    """The sarcoma cohort has 10 events in 26 patients."""
    outcome = derived(read_frame(shared_data / "sts" / "outcome.csv").frame, outcome="lung_metastasis").outcome
    assert (outcome.n_events, len(outcome.values)) == (10, 26)


def test_thyroid_outcome(shared_data: Path) -> None:
    """The thyroid table has 183 N1 and 159 N0 patients, also when derived by an expression."""
    frame = read_frame(shared_data / "thyroid" / "tcga_thca_clinical.csv").frame
    outcome = derived(frame[frame["pathologic_n"] != "nx"], outcome="pathologic_n in ['n1', 'n1a', 'n1b']").outcome
    assert outcome.values.value_counts().to_dict() == {1: 183, 0: 159}


def test_the_commonest_spelling_names_the_class() -> None:
    """Several people filled the table in: the report calls the class what most of them called it."""
    classes = derived(table(["Yes", "1", "Yes", "no", "No", "no", "FALSE"])).outcome.classes
    assert classes == ("no", "Yes")
