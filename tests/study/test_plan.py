"""The plan: what it accepts, and what it says when it does not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import LeakageError, PlanError
from isthmus.study import Plan
from isthmus.study.plan import with_default_steps
from isthmus.study.schema import plan_schema

IMAGES: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "lung_metastasis"},
    "features": [{"name": "pet", "image": "pet", "profile": "pyradiomics"}],
    "models": [{"name": "pet-only", "blocks": ["pet"], "estimator": "lightgbm"}],
}
TABLE: dict[str, Any] = {
    "table": {"path": "x.csv", "id": "ID", "outcome": "Target"},
    "validate": {"folds": 5, "repeats": 5, "seed": 1},
}


def changed(document: dict[str, Any], section: str, **keys: Any) -> dict[str, Any]:
    return {**document, section: {**document.get(section, {}), **keys}}


@pytest.mark.parametrize("document", [IMAGES, TABLE])
def test_the_smallest_plans_are_whole(document: dict[str, Any]) -> None:
    """The two smallest plans of the design need nothing more."""
    assert Plan.parse(document).models


def test_default_models_are_three() -> None:
    """Without [[models]], LASSO, random forest and LightGBM are built on all blocks."""
    plan = Plan.parse(TABLE)
    assert [model.estimator for model in plan.models] == ["lasso", "random_forest", "lightgbm"]


LIKE = [
    {"name": "one", "estimator": "lightgbm", "tuning": {"leaves": [2, 4]}},
    {"name": "two", "like": "one", "settings": {"rounds": 9}},
]


def test_a_model_like_another_takes_what_it_does_not_say() -> None:
    """Its own keys win; the lock file says them all and `like` no more."""
    document = Plan.parse({**TABLE, "models": LIKE}).document()["models"]
    assert document[1] == {**document[0], "name": "two", "settings": {"rounds": 9}}


@pytest.mark.parametrize(
    ("like", "message"),
    [("onne", r"like = 'onne': no such model. Did you mean 'one'"), ("two", r"itself like 'one'; name that one")],
)
def test_a_model_is_like_one_that_says_what_it_is(like: str, message: str) -> None:
    """Of a name that is not there, and of a chain."""
    with pytest.raises(PlanError, match=message):
        Plan.parse({**TABLE, "models": [*LIKE, {"name": "three", "like": like}]})


@pytest.mark.parametrize("document", [IMAGES, TABLE])
def test_lock_file_is_the_same_plan(document: dict[str, Any]) -> None:
    """The plan with every default resolved reads back as itself."""
    lock = Plan.parse(document).document()
    assert Plan.parse(tomllib.loads(Plan.parse(document).dump())).document() == lock


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed(TABLE, "validate", fold=3), r"\[validate\] unknown key 'fold'. Did you mean 'folds'\?"),
        ({**TABLE, "validation": {}}, r"unknown section 'validation'. Did you mean 'validate'\?"),
        ({**TABLE, "pathology": {}}, r"\[pathology\]"),
        ({**TABLE, "habitat": {}}, r"\[habitat\] has no effect: no \[\[features\]\] block has one of the kinds"),
        (changed(TABLE, "validate", folds=1), r"\[validate\] folds: .*expected at least 2 \(came: 1\)"),
        ({"table": {"path": "x.csv"}}, r"\[table\] 'outcome' is missing"),
        ({"validate": {}}, r"either \[cohort\].* or \[table\]"),
        ({**IMAGES, "table": TABLE["table"]}, r"not both"),
        ({"cohort": IMAGES["cohort"]}, r"nothing to model"),
        ({**IMAGES, "models": [{"name": "a", "blocks": ["pett"]}]}, r"'a': unknown block 'pett'. Did you mean 'pet'\?"),
        ({**IMAGES, "models": [{"name": "a"}, {"name": "a"}]}, r"\[\[models\]\] name: 'a' occurs twice"),
        ({**IMAGES, "report": {"final": "b"}}, r"\[report\] final = 'b': no such model"),
        ({**IMAGES, "features": [{"name": "pet", "image": "pet", "binwidth": 1}]}, r"'pet' unknown key 'binwidth'. Did you mean"),
        ({**IMAGES, "features": [{"name": "pet", "image": "pet", "profile": "ibsii"}]}, r"unknown profile 'ibsii'"),
        ({**TABLE, "models": [{"name": "a", "estimator": "lgbm"}]}, r"estimator 'lgbm' is not known"),
        ({**TABLE, "models": [{"name": "a", "steps": ["scael"]}]}, r"step 'scael' is not known. Did you mean 'scale'\?"),
        (changed(TABLE, "validate", threshold="yuden"), r"threshold = 'yuden' is not a rule"),
        (changed(TABLE, "table", task="survivl"), r"\[table\] task"),
    ],
)  # fmt: skip
def test_a_wrong_plan_says_what_to_do(document: dict[str, Any], message: str) -> None:
    """Each error names the section and the key, and what was expected."""
    with pytest.raises(PlanError, match=message):
        Plan.parse(document)


def test_a_missing_file_says_how_to_start(tmp_path: Path) -> None:
    """No plan file: the message names `isthmus init`."""
    with pytest.raises(PlanError, match="isthmus init"):
        Plan.read(tmp_path / "plan.toml")


def test_broken_toml_says_where(tmp_path: Path) -> None:
    """A file that is not TOML is refused with the line."""
    (tmp_path / "plan.toml").write_text("[cohort]\ntable = cases.csv\n")
    with pytest.raises(PlanError, match="not valid TOML.*line 2"):
        Plan.read(tmp_path / "plan.toml")


def test_image_and_roi_hold_for_all_blocks_and_can_be_overridden() -> None:
    """[image] and [roi] are defaults of every block; the block's own key wins."""
    features = [{"name": "a", "image": "a"}, {"name": "b", "image": "b", "spacing_mm": [3, 3, 3]}]
    plan = Plan.parse(
        {**IMAGES, "models": [], "features": features, "image": {"spacing_mm": [1, 1, 1]}} | {"models": [{"name": "m"}]}
    )
    spacings = [plan.profile_settings(block).model_dump()["spacing_mm"] for block in plan.features]
    assert spacings == [(1.0, 1.0, 1.0), (3.0, 3.0, 3.0)]


FILTERED = {"use": ["none", {"name": "recursive_log", "sigma_mm": [1, 2.5], "bin_width": 10}]}


def test_filters_hold_for_all_blocks_and_a_block_may_choose_its_own() -> None:
    """[filters] reaches every block's profile; `filters` inside a block wins."""
    blocks = [{"name": "a", "image": "ct"}, {"name": "b", "image": "ct", "filters": ["square"]}]
    plan = Plan.parse({**IMAGES, "features": blocks, "models": [{"name": "m"}], "filters": FILTERED})
    named = [[one["name"] for one in plan.profile_settings(block).model_dump()["filters"]] for block in plan.features]
    assert named == [["none", "recursive_log"], ["square"]]


def test_the_lock_file_of_a_plan_with_filters_is_the_same_plan() -> None:
    """Filters, their settings and their own bin widths read back."""
    plan = Plan.parse({**IMAGES, "filters": FILTERED})
    assert Plan.parse(tomllib.loads(plan.dump())).document() == plan.document()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (["sqare"], r"\[filters\] use: filter 'sqare' is not known. Did you mean 'square'"),
        (
            [{"name": "square", "bin_with": 2}],
            r"\[filters\] use, for .*'pet'.* no setting 'bin_with'. Did you mean 'bin_width'",
        ),
        ("square", r"\[filters\] use: expected a list of filters"),
        ([], r"\[filters\] use: expected a list of filters"),
    ],
)
def test_wrong_filters_are_said_at_their_section(use: object, message: str) -> None:
    """Section, key, what came and what was meant."""
    with pytest.raises(PlanError, match=message):
        Plan.parse({**IMAGES, "filters": {"use": use}})


def test_filters_without_features_are_an_error() -> None:
    """A section without effect is not passed over in silence."""
    with pytest.raises(PlanError, match=r"\[filters\] has no effect"):
        Plan.parse({**TABLE, "filters": {"use": ["square"]}})


def test_the_schema_knows_the_filters() -> None:
    """An editor completes the names of filters in [filters] and in a block."""
    parts = plan_schema()["$defs"]
    lists = (parts["FiltersSettings"]["properties"]["use"], parts["FeatureBlock"]["properties"]["filters"])
    assert all("recursive_log" in json.dumps(one) for one in lists)


DICTIONARY = {
    "age": {"unit": "years", "when": "pre-operative"},
    "nodes": {"type": "number", "when": "post-operative"},
    "sex": {"levels": ["f", "m"], "reference": "m", "when": "pre-operative"},
}


def _timed(model: dict[str, Any], columns: Any = DICTIONARY, **clinical: Any) -> Plan:
    cohort = {"table": "cases.csv", "outcome": "m1"}
    return Plan.parse({"cohort": cohort, "clinical": {"columns": columns, **clinical}, "models": [model]})


def test_a_pre_operative_model_leaves_later_columns_out() -> None:
    """What the pathologist finds is not known before surgery."""
    plan = _timed({"name": "before", "when": "pre-operative"})
    assert plan.left_out(plan.models[0]) == {"nodes"}


def test_a_post_operative_model_has_everything() -> None:
    """After surgery both are known."""
    plan = _timed({"name": "after", "when": "post-operative"})
    assert plan.left_out(plan.models[0]) == frozenset()


def test_a_model_called_pre_operative_may_not_see_the_pathology() -> None:
    """The reference study's flaw: stages and nodes in a "pre-operative" model."""
    with pytest.raises(LeakageError, match="is called pre-operative but would see nodes"):
        _timed({"name": "Preoperative clinical"})


def test_a_timed_model_needs_the_time_of_every_column() -> None:
    """A column that does not say when it is known may be either."""
    with pytest.raises(PlanError, match=r"weight do not say when they are known"):
        _timed({"name": "before", "when": "pre-operative"}, {**DICTIONARY, "weight": {}})


def test_the_declared_reference_reaches_the_encoder() -> None:
    """The step 'encode' of a model on these columns leaves the declared reference out."""
    plan = _timed({"name": "m", "estimator": "logistic"})
    encode = next(step for step in with_default_steps(plan, plan.models[0]).steps or [] if step.name == "encode")
    assert encode.settings == {"reference": {"sex": "m"}, "drop_first": True}


@pytest.mark.parametrize(
    ("clinical", "said"),
    [
        ({"columns": ["age", "age"]}, r"\[clinical\]: columns: 'age' is named twice"),
        ({"columns": {"age": {"unti": "years"}}}, r"\[clinical\] columns.age: unknown key 'unti'. Did you mean 'unit'"),
        (
            {"columns": {"sex": {"levels": ["f"], "reference": "m"}}},
            r"columns.sex: reference = 'm' is not one of levels",
        ),
        ({"columns": ["age"], "dictionary": "krit"}, "dictionary = 'krit' is not known. Did you mean 'crit'"),
        ({"columns": ["age"], "inference": {"columns": ["aeg"]}}, "'aeg' is no predictor. Did you mean 'age'"),
        ({"columns": ["age"], "inference": {"models": ["x"]}}, "'x' is no model"),
        ({"columns": {"age": {"unit": "years"}}, "numeric": ["age"]}, "'age' has its type in"),
        ({"columns": ["age"], "inference": {"screning": 0.1}}, "unknown key 'screning'. Did you mean 'screening'"),
    ],
)
def test_what_is_wrong_with_a_data_dictionary_is_said(clinical: dict[str, Any], said: str) -> None:
    """Section, column and key."""
    with pytest.raises(PlanError, match=said):
        Plan.parse({"cohort": {"table": "cases.csv", "outcome": "m1"}, "clinical": clinical})


def test_the_lock_file_holds_the_whole_dictionary() -> None:
    """Written out and read again it is the same plan."""
    plan = Plan.parse(
        {
            "cohort": {"table": "cases.csv", "outcome": "m1"},
            "clinical": {"columns": ["Sex", "Age", "NE", "LYM"], "ratios": ["NLR"], "dictionary": "crit"},
        }
    )
    assert Plan.parse(tomllib.loads(plan.dump())).clinical == plan.clinical
