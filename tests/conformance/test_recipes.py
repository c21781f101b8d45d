"""Every recipe of a published study: its plan, its facts and its synthetic cohort say the same."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from isthmus.cohort.reading import check_cohort
from isthmus.deep.encoder import crop_size, feature_layer, pooled
from isthmus.deep.networks import get_network
from isthmus.features import PROFILES
from isthmus.models.building import resolve
from isthmus.models.registry import ESTIMATORS
from isthmus.report.wording import METRICS
from isthmus.study import Plan
from isthmus.study.check import check_plan
from isthmus.study.data import external, image_names, mask_names
from isthmus.study.plan import FeatureBlock, with_default_steps
from isthmus.study.recipes import RECIPES, STUDIES, demo_text, facts_of, recipe_text, recipe_with_facts
from isthmus.synthetic.cohorts import COHORTS, cohort_sizes, make_recipe_cohort

EVERY = pytest.mark.parametrize("name", STUDIES)
ON_IMAGES = pytest.mark.parametrize("name", [name for name in STUDIES if name not in ("atc-pdtc", "crit")])


@cache
def plan_of(name: str) -> Plan:
    return Plan.parse(tomllib.loads(recipe_text(name)))


@EVERY
def test_the_plan_names_its_own_recipe(name: str) -> None:
    """So that its report has the part beside the published study."""
    recipe = plan_of(name).report.recipe
    assert recipe is not None
    assert recipe.name == name


@EVERY
def test_every_printed_number_has_a_model_of_the_plan(name: str) -> None:
    """Of known metrics, and the models of printed p-values are there, too."""
    models = {model.name for model in plan_of(name).models}
    facts = facts_of(name)
    assert {row.here for row in facts.printed} <= models
    assert {one for row in facts.comparisons for one in (row.here, row.against)} <= models
    assert {row.metric for row in facts.printed} <= set(METRICS)


@EVERY
def test_it_says_what_it_does_otherwise_and_why(name: str) -> None:
    """Departures with reasons, and what was published."""
    facts = facts_of(name)
    assert facts.as_published
    assert facts.departures
    assert all(one.why.endswith(".") for one in facts.departures)
    assert "Otherwise, and why:" in recipe_with_facts(name)


@EVERY
def test_the_printed_plan_is_a_plan(name: str) -> None:
    """The facts stand in front as comments and change nothing."""
    assert tomllib.loads(recipe_with_facts(name)) == tomllib.loads(recipe_text(name))


@EVERY
def test_blocks_have_the_columns_of_the_study(name: str) -> None:
    """As many features as the text counts, from the settings of the plan."""
    plan = plan_of(name)
    blocks = {block.name: block for block in plan.features}
    wanted = facts_of(name).requires.columns
    assert {block: width(plan, blocks[block]) for block in wanted} == wanted


def width(plan: Plan, block: FeatureBlock) -> int:
    """Columns of a block that need no image to be counted."""
    if block.kind != "deep":
        return len(PROFILES[block.profile].columns(plan.profile_settings(block)))  # type: ignore[arg-type]
    import torch

    settings = plan.deep_settings(block)
    encoder, network = settings.encoder, get_network(settings.encoder.network)
    _, layer, pooling = feature_layer(encoder)
    size, channels = crop_size(network, encoder.dims, settings.crop), encoder.weights.input.channels
    seen: list[int] = []
    with torch.device("meta"):  # shapes without numbers
        module = network.build(encoder.dims, channels, 2, size).eval()
        module.get_submodule(layer.module).register_forward_hook(
            lambda module, inputs, output: seen.append(pooled(output, layer, pooling).shape[1])
        )
        crops = torch.zeros((1, 2, channels, *[size] * encoder.dims)[not network.sequence :])
        module(*((crops, torch.tensor([2])) if network.sequence else (crops,)))
    return seen[0]


@EVERY
def test_models_are_those_of_the_study(name: str) -> None:
    """Blocks, estimators and the order of the steps that the text names ("*": of every model)."""
    plan, wanted = plan_of(name), facts_of(name).requires
    for model in plan.models:
        if model.name in wanted.blocks:
            assert plan.blocks_of(model) == wanted.blocks[model.name]
        assert tuple(model.risks) == wanted.risks.get(model.name, tuple(model.risks))
        estimator = wanted.estimators.get(model.name, wanted.estimators.get("*"))
        assert estimator in (None, model.estimator)
        assert model.estimator in ESTIMATORS
        said = [step.name for step in resolve(with_default_steps(plan, model))]
        asked = wanted.steps.get(model.name, wanted.steps.get("*", ()))
        places = iter(said)
        assert all(step in places for step in asked), (model.name, said)
    named = {*wanted.blocks, *wanted.risks, *wanted.estimators, *wanted.steps} - {"*"}
    assert named <= {model.name for model in plan.models}


@EVERY
def test_validation_is_that_of_the_study(name: str) -> None:
    """Keys of [validate]."""
    said = plan_of(name).validation.model_dump(mode="json", exclude_none=True)
    wanted = facts_of(name).requires.validate_
    assert {key: said[key] for key in wanted} == wanted


@EVERY
def test_demo_plans_are_plans(name: str) -> None:
    """Every change of the demo finds its words, and both demos can be read."""
    for full in (False, True):
        Plan.parse(tomllib.loads(demo_text(name, full=full)))


def test_every_study_has_a_cohort_in_three_sizes() -> None:
    """Synthetic patients to try each recipe on, and no cohort without a recipe."""
    assert set(COHORTS) == set(STUDIES) <= set(RECIPES)
    for name in STUDIES:
        assert set(cohort_sizes(name)) == {"full", "demo", "tiny"}


@ON_IMAGES
def test_the_cohort_fits_the_plan(name: str, tmp_path: Path) -> None:
    """Its table has the columns the plan names, its files are there, and every set has every class."""
    table = make_recipe_cohort(name, tmp_path, size="tiny")
    plan = Plan.parse(tomllib.loads(demo_text(name)), base=tmp_path)
    assert plan.cohort is not None
    cohort, problems = check_cohort(
        plan.cohort, base=tmp_path, clinical=plan.clinical, images=image_names(plan, plan.features),
        masks=mask_names(plan, plan.features), external=external(plan),
    )  # fmt: skip
    assert [problem for problem in problems if problem.severity != "note"] == []
    assert cohort is not None
    truth = pd.read_csv(tmp_path / "truth.csv")
    assert truth.groupby("split")["outcome"].nunique().min() == truth["outcome"].nunique()
    assert len(pd.read_csv(table)) >= len(truth)


@pytest.mark.slow
@ON_IMAGES
def test_check_finds_nothing_to_correct(name: str, tmp_path: Path) -> None:
    """The images read, too."""
    make_recipe_cohort(name, tmp_path, size="tiny")
    (tmp_path / "plan.toml").write_text(demo_text(name), encoding="utf-8")
    found = check_plan(tmp_path / "plan.toml", workers=1).problems
    assert [problem for problem in found if problem.severity != "note"] == []


@pytest.mark.slow
@ON_IMAGES
def test_without_signal_images_stay(name: str, tmp_path: Path) -> None:
    """The null cohort is the same images, to the last bit: only who has the outcome changes."""
    for folder, signal in (("planted", 1.0), ("null", 0.0)):
        make_recipe_cohort(name, tmp_path / folder, size="tiny", signal=signal)
    images = sorted((tmp_path / "planted" / "images").iterdir())
    assert images
    assert all(one.read_bytes() == (tmp_path / "null" / "images" / one.name).read_bytes() for one in images)
