"""The tables of the recipe lvlnm on a ready table, and what its print can mean against counts worked out by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from isthmus.errors import PlanError
from isthmus.models.building import resolve
from isthmus.report.figures._canvas import pens
from isthmus.report.recipes import lvlnm
from isthmus.report.recipes.lvlnm import choices
from isthmus.stats.groups import adjust_p
from isthmus.study import Plan, Result
from isthmus.study.recipes import demo_text, facts_of, recipe_text
from isthmus.study.recipes.lvlnm import CLASSIFIERS, NETWORKS, check
from isthmus.study.recipes.lvlnm.choice import optimism_of_choice
from isthmus.study.recipes.lvlnm.models import learned_from
from isthmus.study.recipes.lvlnm.printed import counts_behind, fitting_counts, smallest_fit
from isthmus.study.run import run_study
from isthmus.synthetic.lvlnm import STUDY_SETS

NAMES = ("Thy-DL-Radiomics", "LR", "KNN", "Clinical")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Three models with names of the study and one with another, on a table with an internal and an external set."""
    folder = tmp_path_factory.mktemp("lvlnm")
    rng = np.random.default_rng(4)
    events = (np.arange(120) % 3 == 0).astype(int)
    table = pd.DataFrame(rng.normal(size=(120, 4)) + events[:, None] * [0.9, 0.4, 0.0, 0.3], columns=list("abcd"))
    table.insert(0, "ID", [f"p{i:03d}" for i in range(120)])
    table["split"] = ["train"] * 60 + ["internal"] * 30 + ["external"] * 30
    table.assign(Target=events).to_csv(folder / "features.csv", index=False)
    models = [
        {"name": name, "estimator": "logistic", "steps": ["impute", "scale", {"name": "univariate", "k": k}]}
        for name, k in zip(NAMES, (4, 1, 2, 3), strict=True)
    ]
    plan = {
        "table": {"path": "features.csv", "id": "ID", "outcome": "Target", "split": "split"},
        "models": models,
        "validate": {"folds": 2, "repeats": 1, "inner_folds": 2, "bootstrap": 100},
        "audit": {"permutations": 0, "controls": []},
        "report": {"final": NAMES[0], "recipe": {"name": "lvlnm"}, "pictures": 0, "maps": 0, "embedding": "none"},
    }
    return run_study(Plan.parse(plan, base=folder), folder / "run", workers=1)


def table(result: Result, name: str) -> pd.DataFrame:
    return result.tables[f"lvlnm_{name}"]


# ---- what was printed


def test_the_synthetic_sets_are_those_of_the_print():
    """Patients and events of Table 1: 350 (35), 150 (22), 354 (63)."""
    assert {one.split: (one.patients, one.events) for one in facts_of("lvlnm").sets} == STUDY_SETS


def test_groups_of_the_text_are_not_its_patients():
    """414 + 340 + 120 is 874, as is 350 + 150 + 374; the parts of Table 1 sum to 854."""
    assert (414 + 340 + 120, 350 + 150 + 374, sum(n for n, _ in STUDY_SETS.values())) == (874, 874, 854)


@pytest.mark.parametrize(
    ("model", "split", "counts"),
    [
        ("Thy-Radiomics (ExtraTrees)", "internal", [31, 63, 11, 157]),
        ("AlexNet", "internal", [31, 83, 11, 137]),
        ("Thy-DL (DenseNet121)", "internal", [30, 61, 12, 159]),
        ("Thy-DL-Radiomics", "internal", [12, 38, 3, 97]),
        ("Thy-DL-Radiomics", "external", [35, 83, 7, 138]),
    ],
)
def test_the_fewest_cases_behind_a_print(model, split, counts):
    """Worked out by hand: 31 of 42 prints as 0.738, 157 of 220 as 0.714, and so on."""
    found = counts_behind(facts_of("lvlnm")).set_index(["published_model", "split"]).loc[(model, split)]
    assert found[["tp", "fp", "fn", "tn"]].tolist() == counts


def test_no_printed_set_of_rates_fits_table_1():
    """22 of 150 and 63 of 354: no model's sensitivity is a whole number of these over the events, with the other rates."""
    assert not counts_behind(facts_of("lvlnm"))["fits_patients"].any()


def test_262_frames_fit_all_six_models_of_the_internal_set():
    """42 positive of 262: the radiomics model and the five networks, whose predictive values repeat the sensitivity."""
    table = counts_behind(facts_of("lvlnm"))
    models = table[(table["split"] == "internal") & (table["published_model"] != "Thy-DL-Radiomics")]["published_model"]
    rates = {m: {} for m in models}
    for row in facts_of("lvlnm").printed:
        if row.model in rates and row.split == "internal" and row.metric not in ("auc", "npv"):
            rates[row.model][row.metric] = row.value
    assert len(rates) == 6
    assert all(any(True for _ in fitting_counts(said, 42, 220)) for said in rates.values())


def test_rates_of_known_counts_are_found_again():
    """Of 20 cases with 8 positive, 6 found and 3 called wrongly."""
    rates = {"accuracy": 0.75, "sensitivity": 0.75, "specificity": 0.75, "ppv": 0.667, "npv": 0.818, "f1": 0.706}
    assert (list(fitting_counts(rates, 8, 12)), smallest_fit(rates, 12)) == ([(6, 3, 2, 9)], None)


# ---- the plan


def test_the_plan_has_the_studys_models():
    """Eight classifiers, five networks that give scores, the choice and the fusion; settings as the text has them."""
    plan = Plan.parse(tomllib.loads(recipe_text("lvlnm")))
    names = [model.name for model in plan.models]
    assert names == ["Thy-DL-Radiomics", "Thy-Radiomics", *CLASSIFIERS, *NETWORKS, "Sub-regions", "Clinical"]
    best = plan.model("Thy-Radiomics").settings
    assert (len(best["members"]), best["rule"], best["folds"]) == (8, "mean_less_sd", 5)
    steps = {step.name: step.settings for step in resolve(plan.model("Thy-DL-Radiomics"))}
    assert (steps["pca"], steps["lasso"]) == ({"components": 128, "blocks": ["Thy-DL"]}, {"rule": "min", "folds": 5})
    assert [learned_from(plan, name).split(",")[0] for name in NETWORKS] == [
        "alexnet", "densenet121", "inception_v3", "resnet50", "vit_b_16",
    ]  # fmt: skip


def test_the_demo_says_which_networks_are_untrained():
    """Four are frozen random numbers; that of Thy-DL learns from them in the folds."""
    plan = Plan.parse(tomllib.loads(demo_text("lvlnm")))
    said = {name: learned_from(plan, name) for name in NETWORKS}
    assert said.pop("Thy-DL") == "resnet10_narrow, trained in the folds from random numbers"
    assert all(words.endswith("random numbers, not trained") for words in said.values())


def test_models_without_a_name_of_the_study_are_refused():
    """Before anything is run, with the names."""
    plan = Plan.parse({"table": {"path": "x.csv", "outcome": "y"}, "report": {"recipe": {"name": "lvlnm"}}})
    with pytest.raises(PlanError, match=r"no model has a name of the study.*Thy-DL-Radiomics"):
        check(plan)


def test_the_recipe_needs_two_classes():
    """A survival plan is refused."""
    plan = Plan.parse({"table": {"path": "x.csv", "outcome": "y", "task": "survival", "time": "t"}})
    with pytest.raises(PlanError, match="two classes"):
        check(plan)


# ---- the tables of a run


def test_every_model_stands_with_every_unseen_set(result):
    """Out of fold, internal and external, with the patients of each."""
    found = table(result, "models")
    assert found.groupby("split", sort=False)["n"].first().to_dict() == {"cv": 60, "internal": 30, "external": 30}
    assert len(found) == 3 * len(NAMES)


def test_differences_are_signed_against_the_final_model(result):
    """DeLong's difference in the internal set is that of the two AUCs, Holm over the three pairs."""
    found = table(result, "against_final")
    part = found[found["split"] == "internal"].set_index("model")
    areas = result.metrics[(result.metrics["split"] == "internal") & (result.metrics["metric"] == "auc")]
    area = areas.set_index("model")["estimate"]
    for model in NAMES[1:]:
        assert part.at[model, "difference"] == pytest.approx(area[model] - area[NAMES[0]], abs=1e-9)
    assert part["p_holm"].tolist() == pytest.approx(adjust_p(part["p"].to_numpy(), "holm").tolist())


def test_both_rules_name_one_model(result):
    """The best out of fold and the best of the internal set, among the two classifiers of this run."""
    found = table(result, "choices")
    assert found["model"].tolist() == ["LR", "KNN"]
    assert found[["best_cv", "best_internal"]].sum().tolist() == [1, 1]
    assert found.loc[found["best_internal"], "internal"].item() == found["internal"].max()


def test_choosing_among_equals_is_optimistic():
    """Eight models of pure chance: the best of them on 22 of 150 patients has an AUC well above what it has in all of them."""
    rng = np.random.default_rng(1)
    outcome = (np.arange(150) < 22).astype(int)
    paid = optimism_of_choice(outcome, rng.random((150, 8)), seed=1)
    assert 0.02 < paid < 0.15


def test_a_single_model_is_no_choice():
    """On average its AUC in a bootstrap sample is that in all patients."""
    rng = np.random.default_rng(1)
    assert abs(optimism_of_choice((np.arange(150) < 50).astype(int), rng.random((150, 1)), seed=1)) < 0.01


def test_the_page_says_what_the_print_can_mean(result):
    """Frames, and predictive values that repeat the sensitivity."""
    words = " ".join(text for part in lvlnm.parts(result) for text in part.text)
    assert "262 with 42 positive, more than its 150 patients, fit 6 models at once" in words
    assert "repeat their sensitivities" in words


def test_the_figure_of_choices_is_drawn(result, tmp_path: Path):
    """A panel for the classifiers, the same twice."""
    told = choices.data(result)
    sheets = []
    for take in ("one", "two"):
        with pens():
            fig = Figure(figsize=choices.size(told))
            choices.draw(told, fig.add_axes((0, 0, 1, 1)))
            fig.savefig(tmp_path / f"{take}.png", dpi=60)
        sheets.append((tmp_path / f"{take}.png").read_bytes())
    assert sheets[0] == sheets[1]
    assert len(fig.axes[0].child_axes) == 1
