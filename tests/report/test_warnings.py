"""Each rule speaks when it should, and only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from isthmus.report import warnings
from isthmus.report.facts import final_model
from isthmus.report.warnings import RULES, warnings_for
from isthmus.study.result import Result
from report.quiet_result import with_metric, with_null, without_split


def _fold_warnings(result: Result, *, folds: int, final: bool) -> Result:
    """A fit of the final model that warned in so many of 25 folds."""
    row = {"model": "one", "warning": "no column was chosen", "folds": folds, "of": 25, "final": final}
    return replace(result, tables={**result.tables, "fold_warnings": pd.DataFrame([row])})


def _cases(result: Result, **values: object) -> Result:
    return replace(result, cases=result.cases.assign(**values))


def _maps(result: Result, correlations: list[float]) -> Result:
    return replace(result, tables=result.tables | {"network_maps": pd.DataFrame({"spearman": correlations})})


def _masks(result: Result, second: str, unseen: int) -> Result:
    """Masks by hand, and others: of which kind, and how many of test patients who had trained other folds."""
    facts = {"method": "case table", "masks": 200, "held_out_cases": np.nan, "held_out_dice": np.nan}
    rows = [{**facts, "origin": kind, "unseen_out_of_fold": n} for kind, n in (("manual", 0), (second, unseen))]
    return replace(result, tables=result.tables | {"masks": pd.DataFrame(rows).assign(**{"y = yes": 50})})


def _external(result: Result, keep: Callable[[pd.DataFrame], pd.Series]) -> Result:
    table = result.predictions
    return replace(result, predictions=table[(table["split"] != "external") | keep(table)])


def _excluded(result: Result, count: int) -> Result:
    status = np.where(np.arange(400) < count, "excluded", "included")
    return _cases(result, status=status)


def _columns(result: Result, count: int) -> Result:
    return replace(result, blocks={"ct": pd.DataFrame({"column": [f"f{i}" for i in range(count)]})})


def _size(result: Result, *, candidates: int, supported: int) -> Result:
    """A run whose sample size was worked out."""
    row = {"model": final_model(result), "n": 400, "expected_auc": 0.75, "needed": 500}
    table = pd.DataFrame([{**row, "candidates": candidates, "supported": supported}])
    return replace(result, tables={**result.tables, "sample_size": table})


def _variant(result: Result, kind: str, variant: str, **values: float) -> Result:
    """One control, shift or setting of the final model."""
    row = {
        "kind": kind, "variant": variant, "model": "one", "patients": 200, "auc": 0.85, "lower": 0.8, "upper": 0.9, "auc_study": 0.85,
        "difference": 0.0, "difference_lower": -0.05, "difference_upper": 0.05, "flips": 0.0, "note": "",
    }  # fmt: skip
    return replace(result, tables={**result.tables, "controls": pd.DataFrame([{**row, **values}])})


_UNTRAINED = {"name": "deep", "kind": "deep", "encoder": {"weights": {"origin": "random"}}}


def _screened(result: Result) -> Result:
    """Odds ratios of variables that were chosen by their univariable p."""
    plan = {**result.plan, "clinical": {"inference": {"screening": 0.1}}}
    return replace(
        result, plan=plan, tables={**result.tables, "logistic_multivariable": pd.DataFrame({"term": ["age"]})}
    )


def _rule(result: Result, verdict: str) -> Result:
    row = {"rule": "L4", "what": "one patient on both sides", "verdict": verdict, "found": "P1 and p1"}
    return replace(result, tables={**result.tables, "audit": pd.DataFrame([row])})


SPOIL: dict[str, list[tuple[str, Callable[[Result], Result]]]] = {
    "no_better_than_chance": [("serious", lambda r: with_metric(r, "external", "auc", lower=0.5))],
    "no_interval": [("serious", lambda r: with_metric(r, "cv", "auc", lower=np.nan))],
    "null_study_inflated": [("serious", lambda r: with_null(r, verdict="leak suspected: null mean 0.520 is high"))],
    "fitting_warned": [
        ("caution", lambda r: _fold_warnings(r, folds=0, final=True)),
        ("caution", lambda r: _fold_warnings(r, folds=7, final=False)),
    ],
    "null_study_reaches": [
        ("serious", lambda r: with_null(r, p=0.06)),
        ("caution", lambda r: with_null(r, p=0.06, permutations=20)),
    ],
    "screened_variables": [("caution", _screened)],
    "odd_data": [("caution", lambda r: _rule(r, "look at this"))],
    "size_is_enough": [
        ("caution", lambda r: _variant(r, "control", "volume alone")),
        ("caution", lambda r: _variant(r, "control", "shuffled voxels", difference=-0.01)),
    ],
    "fragile_elsewhere": [
        ("caution", lambda r: _variant(r, "shift", "noise x 1", flips=0.11)),
        ("caution", lambda r: _variant(r, "shift", "noise x 1", difference=-0.1, difference_upper=-0.01)),
    ],
    "hangs_on_a_setting": [
        (
            "caution",
            lambda r: _variant(
                r, "sensitivity", "bin_width = 50", difference=-0.08, difference_lower=-0.12, difference_upper=-0.04
            ),
        )
    ],
    "few_events_per_candidate": [
        ("caution", lambda r: _columns(r, 11)),
        ("serious", lambda r: _columns(r, 101)),
    ],
    "more_than_n_supports": [
        ("caution", lambda r: _size(r, candidates=6, supported=5)),
        ("serious", lambda r: _size(r, candidates=60, supported=5)),
    ],
    "wide_interval": [("caution", lambda r: with_metric(r, "cv", "auc", lower=0.69))],
    "miscalibrated": [
        ("caution", lambda r: with_metric(r, "cv", "calibration_slope", estimate=0.7)),
        ("caution", lambda r: with_metric(r, "external", "calibration_slope", estimate=1.4)),
    ],
    "worse_elsewhere": [
        ("caution", lambda r: with_metric(r, "external", "auc", estimate=0.74)),
        ("caution", lambda r: with_metric(r, "external", "auc", estimate=0.96)),
    ],
    "small_external": [
        ("note", lambda r: _external(r, lambda t: t["patient"] < "P380")),
        ("caution", lambda r: _external(r, lambda t: t["patient"] < "P220")),
        ("serious", lambda r: _external(r, lambda t: t["outcome"] == 0)),
    ],
    "prevalence_shift": [("caution", lambda r: _external(r, lambda t: (t["outcome"] == 1) | (t["patient"] < "P240")))],
    "no_external": [("caution", lambda r: without_split(r, "external"))],
    "one_centre": [("caution", lambda r: _cases(r, centre="A")), ("caution", lambda r: _cases(r, centre=""))],
    "untrained_network": [("caution", lambda r: replace(r, plan=r.plan | {"features": [_UNTRAINED]}))],
    "maps_of_the_image": [("caution", lambda r: _maps(r, [0.4, 0.6]))],
    "many_excluded": [("caution", lambda r: _excluded(r, 41))],
    "unpredicted": [("caution", lambda r: _external(r, lambda t: t["patient"] != "P300"))],
    "unstable_selection": [("caution", lambda r: replace(r, selected=r.selected.assign(frequency=0.49)))],
    "optimistic_training": [("note", lambda r: with_metric(r, "train", "auc", estimate=0.96))],
    "lost_in_joins": [("note", lambda r: replace(r, tables=r.tables | {"join": r.tables["join"].assign(missing=3)}))],
    "horizon_from_data": [
        ("note", lambda r: replace(r, plan=r.plan | {"cohort": r.plan["cohort"] | {"task": "survival"}}))
    ],
    "masks_of_several_origins": [("caution", lambda r: _masks(r, "network", 0))],
    "unseen_trained_the_network": [("caution", lambda r: _masks(r, "manual", 2))],
    "null_study_off": [("note", lambda r: replace(r, tables={}))],
}


def test_a_good_result_is_left_alone(quiet: Result) -> None:
    """No rule fires where there is no reason."""
    assert warnings_for(quiet) == []


def test_every_rule_is_tried() -> None:
    """The table of this test names every rule."""
    assert sorted(rule.__name__ for rule in RULES) == sorted(SPOIL)


@pytest.mark.parametrize(("name", "level", "spoil"), [(name, *case) for name, cases in SPOIL.items() for case in cases])
def test_rule_fires(quiet: Result, name: str, level: str, spoil: Callable[[Result], Result]) -> None:
    """A result spoilt in one respect makes the rule for it speak once, at its level."""
    found = list(getattr(warnings, name)(spoil(quiet)))
    assert [warning.level for warning in found] == [level]


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("few_events_per_candidate", lambda r: _columns(r, 10)),
        ("more_than_n_supports", lambda r: _size(r, candidates=5, supported=5)),
        ("wide_interval", lambda r: with_metric(r, "cv", "auc", lower=0.71)),
        ("no_better_than_chance", lambda r: with_metric(r, "external", "auc", lower=0.51)),
        ("miscalibrated", lambda r: with_metric(r, "cv", "calibration_slope", estimate=0.81)),
        ("worse_elsewhere", lambda r: with_metric(r, "external", "auc", estimate=0.76)),
        ("many_excluded", lambda r: _excluded(r, 40)),
        (
            "null_study_inflated",
            lambda r: with_null(r, verdict="not judged: a null study needs 10 permutations or more"),
        ),
        ("null_study_inflated", lambda r: with_null(r, null_mean=0.45)),
        ("fitting_warned", lambda r: _fold_warnings(r, folds=6, final=False)),
        ("null_study_reaches", lambda r: with_null(r, p=0.05)),
        ("prevalence_shift", lambda r: _external(r, lambda t: (t["outcome"] == 1) | (t["patient"] < "P340"))),
        ("unstable_selection", lambda r: replace(r, selected=r.selected.assign(frequency=0.5))),
        ("odd_data", lambda r: _rule(r, "nothing found")),
        ("size_is_enough", lambda r: _variant(r, "control", "volume alone", difference=-0.02)),
        ("size_is_enough", lambda r: _variant(r, "control", "volume alone", auc_study=0.6)),
        ("size_is_enough", lambda r: _variant(r, "control", "clinical alone")),
        ("fragile_elsewhere", lambda r: _variant(r, "shift", "noise x 1", flips=0.1)),
        ("hangs_on_a_setting", lambda r: _variant(r, "sensitivity", "bin_width = 50", difference=-0.08)),
        ("small_external", lambda r: without_split(r, "external")),
        ("prevalence_shift", lambda r: without_split(r, "external")),
    ],
)
def test_rule_stays_silent_just_inside_its_limit(quiet: Result, name: str, close: Callable[[Result], Result]) -> None:
    """A result just good enough is not complained about."""
    assert list(getattr(warnings, name)(close(quiet))) == []


def test_the_serious_come_first(quiet: Result) -> None:
    """Warnings are sorted by level."""
    spoilt = with_metric(with_metric(quiet, "external", "auc", lower=0.4), "train", "auc", estimate=0.99)
    assert [w.level for w in warnings_for(spoilt)] == ["serious", "caution", "note"]


def test_evidence_names_the_numbers(quiet: Result) -> None:
    """The evidence holds estimate, limits and method."""
    (found,) = warnings.no_better_than_chance(with_metric(quiet, "external", "auc", lower=0.4))
    assert found.evidence == "External centre: AUC 0.85 (0.40 to 0.90), a method. The interval reaches 0.50."


def test_a_single_class_is_named(quiet: Result) -> None:
    """An external set without events says which class is missing."""
    (found,) = warnings.small_external(_external(quiet, lambda t: t["outcome"] == 0))
    assert "no patient with the outcome" in found.text
