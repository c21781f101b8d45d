"""The tables of the recipe crit on a ready table, and its rules against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from isthmus.errors import PlanError
from isthmus.report.figures._canvas import pens
from isthmus.report.recipes import crit
from isthmus.report.recipes.crit.page import what_the_sensitivity_hides
from isthmus.stats.classification import proportion_interval
from isthmus.stats.groups import adjust_p
from isthmus.study import Plan, Result
from isthmus.study.recipes.crit import check
from isthmus.study.recipes.crit import published as said
from isthmus.study.recipes.crit.risk_groups import patient_risks, risk_groups
from isthmus.study.recipes.crit.score import points, screening_score, stability_points
from isthmus.study.run import run_study

NAMES = ("Clinical", "Radiomics", "Clinical+Radiomics+iTED", "Comparator")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Three models with names of the study and one with another, on a table of two centres."""
    folder = tmp_path_factory.mktemp("crit")
    rng = np.random.default_rng(4)
    n, events = 110, np.r_[np.arange(70) % 4 == 0, np.arange(40) % 5 == 0].astype(int)
    table = pd.DataFrame(rng.normal(size=(n, 5)) + events[:, None] * [1.2, 0.8, 0.0, 0.0, 0.4], columns=list("abcde"))
    table.insert(0, "ID", [f"p{i:03d}" for i in range(n)])
    table.assign(centre=["A"] * 70 + ["B"] * 40, Target=events).to_csv(folder / "features.csv", index=False)
    models = [
        {"name": name, "estimator": "logistic", "steps": ["impute", "scale", {"name": "univariate", "k": k}]}
        for name, k in zip(NAMES, (1, 2, 4, 5), strict=True)
    ]
    plan = {
        "table": {"path": "features.csv", "id": "ID", "outcome": "Target", "centre": "centre"},
        "models": models,
        "validate": {
            "folds": 3, "repeats": 2, "bootstrap": 100, "external": {"centre": ["B"]}, "threshold": {"sensitivity": 0.9},
            "decision_curve": {"lowest": 0.02, "highest": 0.40},
        },
        "audit": {"permutations": 0, "controls": []},
        "report": {"final": "Clinical+Radiomics+iTED", "recipe": {"name": "crit"}, "pictures": 0, "maps": 0, "embedding": "none"},
    }  # fmt: skip
    return run_study(Plan.parse(plan, base=folder), folder / "run", workers=1)


def table(result: Result, name: str) -> pd.DataFrame:
    return result.tables[f"crit_{name}"]


# ---- what was printed


def test_fourteen_of_fifteen_print_as_the_sensitivity():
    """Of all counts of 15, only 14 rounds to 93.3 %."""
    assert said.counts_that_fit(said.RATES["sensitivity"], 15) == [14]


def test_wilson_interval_of_fourteen_of_fifteen():
    """(0.702, 0.988), as the specification has it."""
    interval = proportion_interval(14, 15)
    assert (round(interval.lower, 3), round(interval.upper, 3)) == (0.702, 0.988)


def test_the_true_negatives_that_fit_the_printed_npv():
    """With one event missed among 145 patients with 15 events, 98.9 % is 86 to 94 true negatives."""
    assert said.fitting_negatives(patients=145, events=15, found=14) == list(range(86, 95))


@pytest.mark.parametrize("words", ["14 of 15 events", "0.702 to 0.988", "86 to 94 true negatives"])
def test_the_sentence_on_the_printed_sensitivity(words):
    """The page says what the headline hides."""
    assert words in what_the_sensitivity_hides()


def test_fifteen_combinations_are_all_of_four_blocks():
    """Every non-empty set of the four blocks, once."""
    assert len({frozenset(blocks) for blocks in said.MODELS.values()}) == len(said.MODELS) == 15


@pytest.mark.parametrize(("weights", "count"), [(said.WEIGHTS_CODE, 11), (said.WEIGHTS_README, 12)])
def test_weights_sum_to_one(weights, count):
    """Eleven components in the code, twelve in the description."""
    assert (len(weights), round(sum(weights.values()), 12)) == (count, 1.0)


# ---- the score


def rows(split: str = "cv", **columns: list[float]) -> pd.DataFrame:
    """Two models that differ in the named metrics alone."""
    same = {metric: [0.9, 0.9] for metric in said.WEIGHTS_CODE}
    return pd.DataFrame({"model": ["a", "b"], "split": split, "n": 100, **same, **columns})


def test_a_metric_on_which_all_agree_gives_half_the_points():
    """It tells the models apart by nothing."""
    assert (points(rows())["mcc"] == 50.0).all()


@pytest.mark.parametrize(
    ("metric", "better"), [("sensitivity", "b"), ("brier", "a"), ("likelihood_ratio_negative", "a")]
)
def test_points_go_to_the_better_model(metric, better):
    """Large values are good, except of the Brier score and the negative likelihood ratio."""
    found = points(rows(**{metric: [0.8, 0.95]}).set_index("model"))[metric]
    assert found.to_dict() == {"a": 100.0 * (better == "a"), "b": 100.0 * (better == "b")}


def test_the_score_by_hand():
    """Sensitivity 0.6 against 0.9, all else equal: 0.30 x 0 + 0.70 x 50 halved for sensitivity below 0.70, and 0.30 x 100 + 0.70 x 50."""
    scores, _ = screening_score(rows(sensitivity=[0.6, 0.9]))
    assert scores["score"].tolist() == pytest.approx([35.0 * 0.5, 65.0])
    assert scores["rank"].tolist() == [2, 1]


def test_the_descriptions_weights_without_stability():
    """Sensitivity weighs 0.20 of the 0.99 that are left."""
    scores, _ = screening_score(rows(sensitivity=[0.8, 0.9]))
    assert scores["score_readme"].tolist() == pytest.approx([50 * 0.79 / 0.99, 100 * 0.20 / 0.99 + 50 * 0.79 / 0.99])


def test_the_external_centre_changes_no_honest_number():
    """Whatever is found there, score and rank stay; the published rule follows it."""
    inside = rows(sensitivity=[0.8, 0.9])
    better, worse = (pd.concat([inside, rows("external", sensitivity=values)]) for values in ([0.95, 0.8], [0.8, 0.95]))
    one, other = screening_score(better)[0], screening_score(worse)[0]
    honest = ["penalty", "score", "rank", "score_readme", "rank_readme"]
    pd.testing.assert_frame_equal(one[honest], other[honest])
    assert one["as_published"].tolist() != other["as_published"].tolist()


def test_the_published_score_by_hand():
    """Equal everywhere: 0.4 x 50 + 0.4 x 50 + 0.2 x stability of no change (0.9, times 0.35 + 0.25 + 0.15 + 0.15 + 0.10)."""
    both = pd.concat([rows(), rows("external")])
    assert screening_score(both)[0]["as_published"].tolist() == pytest.approx([58.0, 58.0])


@pytest.mark.parametrize(
    ("change", "metric", "expected"),
    [
        (0.0, "mcc", 0.9), (0.1, "mcc", 1.0), (0.15, "mcc", 0.7), (0.3, "mcc", 0.5), (0.9, "mcc", 0.3),
        (-0.1, "mcc", 0.7), (-0.1, "npv", 0.56), (-0.2, "mcc", 0.4), (-0.3, "mcc", 0.2), (-0.9, "sensitivity", 0.08),
    ],
)  # fmt: skip
def test_stability_points_by_hand(change, metric, expected):
    """Each branch of the study's rule."""
    assert stability_points(change, metric) == pytest.approx(expected)


def test_penalties_as_published_multiply():
    """External sensitivity 0.60 after 0.90: below 0.65 halves, a fall of more than 0.15 takes a fifth; NPV likewise."""
    both = pd.concat([rows(), rows("external", sensitivity=[0.6, 0.9], npv=[0.7, 0.9])])
    assert screening_score(both)[0]["penalty_as_published"].tolist() == pytest.approx([0.5 * 0.8 * 0.7 * 0.8, 1.0])


# ---- the tables of a run


def test_counts_give_the_rates(result):
    """TP, FP, FN and TN of every model and split are those behind its sensitivity, specificity and NPV."""
    found = table(result, "models")
    np.testing.assert_allclose(found["tp"] / (found["tp"] + found["fn"]), found["sensitivity"], atol=1e-9)
    np.testing.assert_allclose(found["tn"] / (found["tn"] + found["fp"]), found["specificity"], atol=1e-9)
    np.testing.assert_allclose(found[["tp", "fp", "fn", "tn"]].sum(axis=1), found["n"], atol=1e-9)


def test_every_model_stands_with_both_splits(result):
    """Comparators too, and which names the study knows."""
    found = table(result, "models")
    assert found.groupby("model")["split"].apply(list).to_dict() == {name: ["cv", "external"] for name in NAMES}
    assert found.loc[found["model"] == "Comparator", "in_study"].isna().all()


def test_only_the_studys_models_are_scored(result):
    """A comparator is no candidate."""
    assert table(result, "score")["model"].tolist() == list(NAMES[:3])


def test_added_value_is_signed_as_the_model_minus_the_clinical_one(result):
    """The difference of the DeLong row is the difference of the pooled AUCs, whichever side the comparison had."""
    found = table(result, "added_value")
    row = found[(found["split"] == "external") & (found["test"] == "AUC difference, DeLong")].set_index("model")
    auc = result.metrics[(result.metrics["split"] == "external") & (result.metrics["metric"] == "auc")].set_index(
        "model"
    )["estimate"]
    for model in NAMES[1:]:
        assert row.at[model, "difference"] == pytest.approx(auc[model] - auc["Clinical"], abs=1e-9)


def test_added_value_is_corrected_over_the_models(result):
    """Holm over the three comparisons of a split and test, not over all six pairs."""
    found = table(result, "added_value")
    part = found[(found["split"] == "cv") & (found["test"] == "AUC difference, bootstrap")]
    assert part["p_holm"].tolist() == pytest.approx(adjust_p(part["p"].to_numpy(), "holm").tolist())


def test_development_patients_are_grouped_by_out_of_fold_risk(result):
    """The risk of each is the mean of his out-of-fold predictions, and no training prediction is among them."""
    found = table(result, "patients")
    mine = result.predictions[(result.predictions["model"] == NAMES[2]) & (result.predictions["split"] == "cv")]
    mean = mine.groupby(mine["patient"].astype(str))["probability"].mean()
    own = found[found["split"] == "cv"].set_index("patient")["risk"]
    np.testing.assert_allclose(own, mean.loc[own.index], atol=1e-9)
    assert set(found["split"]) == {"cv", "external"}


def test_groups_hold_every_patient_once(result):
    """Numbers of each rule and split sum to the patients, events to the events."""
    found = table(result, "risk_groups")
    sums = found.groupby(["rule", "split"])[["n", "events"]].sum()
    assert sums.xs("cv", level="split").to_numpy().tolist() == [[70, 18]] * 3
    assert sums.xs("external", level="split").to_numpy().tolist() == [[40, 8]] * 3


def test_cut_points_come_from_development_patients():
    """External risks, however large, move no limit."""
    one, other = (groups_of(shift) for shift in (0.0, 0.3))
    limits = ["rule", "group", "from", "to"]
    pd.testing.assert_frame_equal(one[limits], other[limits])


def groups_of(shift: float) -> pd.DataFrame:
    risks = [0.05, 0.1, 0.2, 0.3, 0.5, 0.6]
    predictions = pd.DataFrame(
        {
            "patient": [*"abcdef", *"uvwxyz"], "model": "m", "split": ["cv"] * 6 + ["external"] * 6, "repeat": [1.0] * 6 + [np.nan] * 6,
            "fold": [1.0] * 6 + [np.nan] * 6, "outcome": [0, 0, 1, 0, 1, 1] * 2, "probability": [*risks, *(risk + shift for risk in risks)],
        }
    )  # fmt: skip
    thresholds = pd.DataFrame({"model": "m", "repeat": [1.0, np.nan], "fold": [1.0, np.nan], "threshold": [0.25, 0.15]})
    return risk_groups(patient_risks(predictions, thresholds, "m"), threshold=0.15, confidence=0.95)


def test_groups_by_hand():
    """Fixed limits belong to the group below them; the threshold itself is high, in a fold by the fold's and outside by the final one."""
    found = {key: part[["n", "events"]].to_numpy().tolist() for key, part in groups_of(0.0).groupby(["rule", "split"])}
    assert found["fixed", "cv"] == [[3, 1], [2, 1], [1, 1]]
    assert found["threshold", "cv"] == [[3, 1], [3, 2]]
    assert found["threshold", "external"] == [[2, 0], [4, 3]]


def test_the_page_names_its_figures_and_tables(result):
    """Printed rates, models, added value, score and groups, each with a figure and a table."""
    shown = crit.parts(result)
    assert [part.figure for part in shown if part.figure] == list(crit.FIGURES)
    assert sum(part.view is not None for part in shown) == 6


def test_the_page_labels_what_is_optimistic(result):
    """The score as published stands under that label in its table."""
    views = [part.view for part in crit.parts(result) if part.view is not None]
    assert any("As published, optimistic" in view.frame.columns for view in views)


@pytest.mark.parametrize("name", list(crit.FIGURES))
def test_a_figure_is_drawn(result, name, tmp_path):
    """Something stands on the paper, and the same twice."""
    figure = crit.FIGURES[name]
    told = figure.data(result)
    sheets = []
    for take in ("one", "two"):
        with pens():
            fig = Figure(figsize=figure.size(told))
            figure.draw(told, fig.add_axes((0, 0, 1, 1)))
            fig.savefig(tmp_path / f"{take}.png", dpi=60)
        sheets.append((tmp_path / f"{take}.png").read_bytes())
    assert sheets[0] == sheets[1]
    assert sum(len(axes.lines) + len(axes.patches) for axes in fig.axes[0].child_axes) > 2


def test_models_without_a_name_of_the_study_are_refused():
    """Before anything is run, with the names."""
    plan = Plan.parse({"table": {"path": "x.csv", "outcome": "y"}, "report": {"recipe": {"name": "crit"}}})
    with pytest.raises(PlanError, match=r"no model has a name of the study.*Clinical\+Radiomics\+iTED"):
        check(plan)


def test_the_recipe_needs_two_classes(tmp_path: Path):
    """A survival plan is refused."""
    plan = Plan.parse({"table": {"path": "x.csv", "outcome": "y", "task": "survival", "time": "t"}})
    with pytest.raises(PlanError, match="two classes"):
        check(plan)
