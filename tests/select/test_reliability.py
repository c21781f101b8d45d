"""The step `reliability`, and rule L13: whose repeats it looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import IsthmusWarning, PlanError, TableError
from isthmus.select.reliability import Reliability
from isthmus.stats.agreement import icc

NAMES = ["good", "fair", "poor", "flat"]


def draw(patients: list[str], seed: int, noise: tuple[float, ...] = (0.05, 0.45, 2.0)) -> pd.DataFrame:
    """Three repeats of each patient; `flat` never varies."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(len(patients), 3))
    parts = []
    for repeat in ("r1", "r2", "r3"):
        values = truth + np.asarray(noise) * rng.normal(size=truth.shape)
        parts.append(pd.DataFrame(values, columns=NAMES[:3]).assign(flat=1.0, patient=patients, repeat=repeat))
    return pd.concat(parts, ignore_index=True)


TRAIN, TEST = [f"train{i}" for i in range(40)], [f"test{i}" for i in range(40)]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Repeats of training and of test patients."""
    path = tmp_path / "repeats.csv"
    pd.concat([draw(TRAIN, 1), draw(TEST, 2)]).to_csv(path, index=False)
    return str(path)


@pytest.fixture
def X() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(3).normal(size=(40, 5)), columns=[*NAMES, "age"])


def test_features_below_the_threshold_go_with_the_reason(file, X):
    """By the lower limit: the poor one and, at 0.75, the fair one; a column without repeats stays."""
    step = Reliability(file).fit(X, groups=TRAIN)
    assert list(step.get_feature_names_out()) == ["good", "age"]
    assert "lower limit of ICC(2,1)" in step.dropped_["fair"]


def test_by_the_estimate_more_stay(file, X):
    """The point estimate of the fair one reaches 0.75."""
    step = Reliability(file, on="estimate").fit(X, groups=TRAIN)
    assert list(step.get_feature_names_out()) == ["good", "fair", "age"]


def test_the_cosine_may_ask_more(file, X):
    """The fair feature's ICC reaches 0.75, its cosine not 0.9; the good one's reaches both."""
    step = Reliability(file, on="estimate", cosine_at_least=0.9).fit(X, groups=TRAIN)
    assert list(step.get_feature_names_out()) == ["good", "age"]
    assert "cosine of centred repeats 0.795 < 0.9" in step.dropped_["fair"]


def test_a_cosine_lies_between_0_and_1(file, X):
    """Named, with what came."""
    with pytest.raises(PlanError, match=r"cosine_at_least = 1\.5; expected a number between 0 and 1"):
        Reliability(file, cosine_at_least=1.5).fit(X, groups=TRAIN)


def test_the_numbers_are_the_icc_of_the_training_patients(file, X):
    """The step adds nothing to `stats.agreement`."""
    step = Reliability(file, form="3,1").fit(X, groups=TRAIN)
    table = draw(TRAIN, 1)
    values = np.stack([table.loc[table["repeat"] == r, "fair"].to_numpy() for r in ("r1", "r2", "r3")], axis=1)
    found = icc(values, "3,1")
    assert step.judged_["fair"][:3] == pytest.approx([found.estimate[0], found.lower[0], found.upper[0]], rel=1e-9)


def test_repeats_of_test_patients_are_not_looked_at(file, X, tmp_path):
    """L13 planted: repeats of test patients that contradict those of training patients change nothing."""
    spoilt = tmp_path / "spoilt.csv"
    pd.concat([draw(TRAIN, 1), draw(TEST, 2, noise=(5.0, 0.01, 0.01))]).to_csv(spoilt, index=False)
    honest, other = (Reliability(path).fit(X, groups=TRAIN) for path in (file, str(spoilt)))
    assert (honest.judged_, honest.dropped_) == (other.judged_, other.dropped_)


def test_the_planted_violation_would_have_changed_the_choice(X, tmp_path):
    """The test above can fail: had the test patients' repeats counted, another feature would have gone."""
    spoilt = tmp_path / "spoilt.csv"
    pd.concat([draw(TRAIN, 1), draw(TEST, 2, noise=(5.0, 0.01, 0.01))]).to_csv(spoilt, index=False)
    assert "good" in Reliability(str(spoilt)).fit(X, groups=[*TRAIN, *TEST]).dropped_


def test_patients_outside_the_study_count(X, tmp_path):
    """A phantom or a pilot: marked outside, used in every fold."""
    path = tmp_path / "outside.csv"
    draw(TEST, 2).assign(outside="true").to_csv(path, index=False)
    assert Reliability(str(path)).fit(X, groups=TRAIN).cases_ == 40


def test_no_repeats_of_training_patients_is_an_error(X, tmp_path):
    """Rather than a filter that looks at test patients, none."""
    path = tmp_path / "test.csv"
    draw(TEST, 2).to_csv(path, index=False)
    with pytest.raises(TableError, match="rule L13"):
        Reliability(str(path)).fit(X, groups=TRAIN)


def test_a_feature_that_never_varies_is_dropped(file, X):
    """No variance, no reliability: not 1."""
    step = Reliability(file).fit(X, groups=TRAIN)
    assert "no reliability" in step.dropped_["flat"]


def test_a_feature_that_comes_out_the_same_has_limits_of_one(X, tmp_path):
    """Without any error F is infinite: the limits are numbers, so a model file can hold them."""
    table = draw(list(X.index), 1)
    table["good"] = table.groupby("patient")["good"].transform("first")
    table.to_csv(tmp_path / "same.csv", index=False)
    step = Reliability(str(tmp_path / "same.csv")).fit(X, None, X.index.to_numpy())
    assert step.judged_["good"][:3] == [1.0, 1.0, 1.0]


def test_few_cases_are_warned_of_with_the_width(file, X):
    """Twelve patients: the interval is told."""
    with pytest.warns(IsthmusWarning, match=r"12 cases with repeats.*median width"):
        Reliability(file, on="estimate").fit(X, groups=TRAIN[:12])


def test_the_table_holds_every_threshold(file, X):
    """One row a judged feature, the least reliable first; what each threshold would keep."""
    table = Reliability(file).fit(X, groups=TRAIN).table().set_index("feature")
    assert list(table.index) == ["flat", "poor", "fair", "good"]
    assert table.loc["good", ["lower_0.75", "lower_0.90", "icc_0.90"]].tolist() == [True, True, True]


def test_the_model_file_does_not_say_where_the_table_lay(file, X):
    """Only its name."""
    assert "repeats.csv" in str(Reliability(file).fit(X, groups=TRAIN).to_state()["settings"])
    assert str(Path(file).parent) not in str(Reliability(file).fit(X, groups=TRAIN).to_state())


def test_none_of_the_features_in_the_table_is_an_error(file):
    """A table of another study."""
    with pytest.raises(PlanError, match="none of the 1 features"):
        Reliability(file).fit(pd.DataFrame({"other": np.arange(40.0)}), groups=TRAIN)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs repeats"),
        ({"repeats": "x", "form": "5,1"}, "ICC form '5,1'"),
        ({"repeats": "x", "at_least": 1.5}, "between 0 and 1"),
        ({"repeats": "x", "on": "upper"}, "expected 'lower' or 'estimate'"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    """Each is an error of the plan."""
    with pytest.raises(PlanError, match=message):
        Reliability(**settings).check_settings()
