"""The recipe crit end to end, on a handful of synthetic patients: images, blocks, models, tables."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.image.io import read_image, read_labels
from isthmus.stats.groups import adjust_p, mann_whitney
from isthmus.study import Plan, Result
from isthmus.study.biology_tables import check_biology, joined_patients
from isthmus.study.recipes import demo_text, recipe_text, run_recipe_demo
from isthmus.study.recipes.crit.published import MODELS, PRIMARY
from isthmus.study.run import run_study
from isthmus.synthetic.biology import PLANTED
from isthmus.synthetic.cohorts import cohort_sizes
from isthmus.synthetic.crit_cohort import (
    DEMO_SIZE,
    STUDY_SIZE,
    STUDY_TISSUE,
    CritSize,
    draw_patients,
    draw_tissue,
    make_crit_cohort,
    structured_lesion,
)

TINY = cohort_sizes("crit")["tiny"]
KEPT = ("Clinical", "3D_ITHscore", PRIMARY, "Volume")


def tiny(models: tuple[str, ...] = KEPT, **validate: Any) -> dict[str, Any]:
    """The small plan with fewer trials and folds, and only some of its models."""
    text = demo_text("crit")
    for old, new in (("draws = 6", "draws = 2"), ("low = 60, high = 150", "low = 10, high = 20")):
        assert old in text
        text = text.replace(old, new)
    document = tomllib.loads(text)
    document["models"] = [model for model in document["models"] if not models or model["name"] in models]
    document["validate"] |= {"folds": 3, "inner_folds": 2, "bootstrap": 100, "subgroups": [], **validate}
    document["report"] |= {"pictures": 0, "maps": 0, "embedding": "none"}
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crit")
    make_crit_cohort(folder, sizes=TINY, workers=2)
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    document = tiny()
    del document["explain"]
    return run_study(Plan.parse(document, base=folder), folder / "run", workers=1)


# ---- the plan


def test_the_plan_has_the_fifteen_combinations_and_three_comparators():
    """Each with the blocks of its name, all like the first."""
    plan = Plan.parse(tomllib.loads(recipe_text("crit")))
    blocks = {model.name: tuple(model.blocks) for model in plan.models}
    assert {name: blocks[name] for name in MODELS} == dict(MODELS)
    assert set(blocks) - set(MODELS) == {"CRIT, pre-operative", "CRIT, elastic net", "Volume"}
    first = plan.model("Clinical")
    for name in MODELS:
        assert plan.model(name).model_copy(update={"name": "", "blocks": []}) == first.model_copy(
            update={"name": "", "blocks": []}
        )


def test_the_primary_model_is_named_in_the_plan():
    """Clinical, radiomics and iTED: the study's CRIT."""
    assert Plan.parse(tomllib.loads(recipe_text("crit"))).final == PRIMARY


# ---- the cohort


def test_the_cohort_has_the_sizes_asked_for(folder):
    """Patients, events and manual masks of both centres, exactly."""
    cases = pd.read_csv(folder / "cases.csv")
    counts = cases.groupby("centre")["M_stage"].agg(["size", lambda m: int((m == "M1").sum())]).to_numpy().tolist()
    assert counts == [[20, 7], [8, 3]]
    assert cases.groupby(["centre", "mask_origin"]).size().to_dict() == {
        ("A", "ai_edited"): 6, ("A", "manual"): 14, ("B", "ai_edited"): 8,
    }  # fmt: skip


def test_the_study_size_is_that_of_the_study():
    """881 with 6.4 non-events to one event, 145 with 15 events."""
    (a, b), (events_a, events_b) = STUDY_SIZE.patients, STUDY_SIZE.events
    assert (a, b, events_b, round((a - events_a) / events_a, 1)) == (881, 145, 15, 6.4)


def test_masks_hold_the_gland_and_the_lesion(folder):
    """Labels 1 and 11, on the grid of the image, and nothing else."""
    for patient in ("A0001", "B0001"):
        image, mask = (
            read(folder / f"{kind}s/{patient}_ct.nii.gz")
            for kind, read in (("image", read_image), ("mask", read_labels))
        )
        assert mask.geometry.shape == image.geometry.shape
        assert mask.geometry.origin_mm == image.geometry.origin_mm
        assert set(np.unique(mask.values)) == {0, 1, 11}


def test_some_patients_have_tissue(folder):
    """Tables of nuclei, proteins and the eight markers that the plan reads, joined by patient; one of the study's size."""
    plan = Plan.parse(tiny(), base=folder)
    check_biology(plan)
    joined = joined_patients(plan, pd.read_csv(folder / "cases.csv")["patient"])
    assert joined == {"nuclei": (20, 20), "proteins": (20, 20), "stains": (20, 20), "nuclei_of_twelve": (12, 12)}


def test_the_small_cohort_has_slides(folder):
    """Of the twelve patients; nuclei of a patient whose image shows more risk differ more. The study's size has none."""
    slides = pd.read_csv(folder / "slides.csv")
    assert slides["patient"].tolist() == pd.read_csv(folder / "nuclei_of_twelve.csv")["patient"].tolist()
    assert all((folder / path).is_file() for path in slides["slide"])
    assert not STUDY_SIZE.slides
    assert Plan.parse(tomllib.loads(demo_text("crit", full=True))).pathology is None


def test_twelve_patients_show_nothing_and_sixty_something():
    """Groups by a risk with error, 20 cohorts: planted features found (false discovery rate 5 %) among twelve hardly, among sixty often."""
    found = {n: np.mean([share_of_planted(seed, n) for seed in range(20)]) for n in (STUDY_TISSUE, 60)}
    assert found[STUDY_TISSUE] < 0.1
    assert found[60] > 0.4


def share_of_planted(seed: int, patients: int) -> float:
    """Of the nuclei's planted features those that differ between the halves of the patients by risk."""
    truth = draw_patients(DEMO_SIZE, seed=seed)[1].set_index("patient")
    nuclei = draw_tissue(truth.reset_index(), patients, seed=seed).nuclei
    logit = np.log(truth["risk"] / (1 - truth["risk"]))
    risk = (logit + 0.6 * logit.std() * np.random.default_rng(seed).normal(size=len(logit)))[nuclei.index]
    high = (risk >= risk.median()).to_numpy()
    q = adjust_p(
        [mann_whitney(nuclei.loc[high, name], nuclei.loc[~high, name]).p for name in nuclei], "benjamini-hochberg"
    )
    return float((q[nuclei.columns.isin(PLANTED["nuclei"])] < 0.05).mean())


def test_without_signal_images_stay_and_the_outcome_changes(tmp_path):
    """The null cohort is the same patients, to the last bit, with one risk for all."""
    few = CritSize((3, 1), (1, 1), 2)
    for name, signal in (("planted", 1.0), ("null", 0.0)):
        make_crit_cohort(tmp_path / name, sizes=few, signal=signal)
    risks = {
        name: pd.read_csv(tmp_path / name / "truth.csv").query("centre == 'A'")["risk"].nunique()
        for name in ("planted", "null")
    }
    assert risks == {"planted": 3, "null": 1}
    one, other = (read_image(tmp_path / name / "images/A0001_ct.nii.gz").values for name in ("planted", "null"))
    assert np.array_equal(one, other)


def test_more_structure_is_more_kinds_of_tissue_in_smaller_patches():
    """From one homogeneous kind to three interwoven ones, at the same size."""
    low, middle, high = (
        structured_lesion(np.random.default_rng(1), structure=s, texture=0.0, diameter_mm=25.0)
        for s in (-1.5, 0.0, 1.5)
    )
    assert (low.populations, middle.populations, high.populations) == (1, 2, 3)
    assert low.patch_mm > middle.patch_mm > high.patch_mm


# ---- the run (slow: the tables of a run, without images, are in test_recipe_crit_parts.py)


@pytest.mark.slow
def test_blocks_have_the_columns_of_the_study(result):
    """107 radiomics features, 93 values of iTED, one score, one volume."""
    assert len(result.blocks["radiomics"]) == 107
    assert result.blocks["volume"]["feature"].tolist() == ["MeshVolume"]
    chosen = result.selected
    assert set(chosen.loc[chosen["model"] == "3D_ITHscore", "feature"]) <= {"3D_ITHscore.ith3d_coherence"}
    assert (
        chosen.loc[chosen["model"] == PRIMARY, "feature"]
        .str.startswith(("clinical.", "radiomics.", "iTED.ited_"))
        .all()
    )


@pytest.mark.slow
def test_the_balance_of_classes_was_chosen_in_every_fold(result):
    """One method a fold and model with boosted trees, by log-loss."""
    tuning = result.tables["tuning"]
    chosen = tuning[tuning["setting"] == "balance.method"]
    assert chosen.groupby("model").size().min() >= 3
    assert result.tables["trials"]["measure"].str.contains("log-loss|not possible").all()


@pytest.mark.slow
def test_every_table_is_written(result):
    """What the report draws from."""
    found = {name.removeprefix("crit_") for name in result.tables if name.startswith("crit_")}
    assert found == {
        "models",
        "score",
        "score_components",
        "added_value",
        "patients",
        "risk_groups",
        "published",
        "beside",
    }


@pytest.mark.slow
def test_the_nuclei_of_slides_stand_beside_the_risk_groups(result):
    """Twelve small slides, measured by the run; no group of the ready tables is missing either."""
    slides = pd.read_csv(result.folder / "pathology" / "summary.csv")
    assert (len(slides), slides["all_count"].min() > 50) == (12, True)
    said = result.tables["biology"]
    assert set(said["table"]) == {"nuclei", "proteins", "stains", "nuclei_of_twelve", "pathology"}
    groups = result.tables["biology_pathology_groups"].set_index("feature")
    assert groups.loc["all_area_cv", "family"] == "prespecified"


@pytest.mark.slow
def test_the_external_centre_is_judged_once_by_the_frozen_threshold(result):
    """All patients of B, at the threshold of the final model."""
    row = result.tables["crit_models"].query("split == 'external' and model == @PRIMARY").iloc[0]
    final = result.thresholds[(result.thresholds["model"] == PRIMARY) & result.thresholds["fold"].isna()]
    assert (row["n"], row["n_events"]) == (8, 3)
    assert row["threshold"] == pytest.approx(float(final["threshold"].iloc[0]))


# ---- slow


@pytest.mark.slow
def test_the_demo_finds_what_was_planted(tmp_path: Path):
    """All models of the small cohort, page included: the CRIT model's AUC lies above one half, out of fold and outside."""
    from isthmus.report import write_report

    run = run_recipe_demo("crit", tmp_path / "run")
    area = run.metrics[(run.metrics["model"] == PRIMARY) & (run.metrics["metric"] == "auc")].set_index("split")[
        "estimate"
    ]
    assert float(area["cv"]) > 0.6
    assert float(area["external"]) > 0.6
    assert "14 of 15 events" in write_report(run).read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_signal_no_model_finds_any(tmp_path: Path):
    """The outcome depends on nothing: the interval of every model's out-of-fold AUC holds 0.5 (Bonferroni over the 18 models)."""
    make_crit_cohort(tmp_path, sizes=CritSize((60, 24), (12, 6), 40), signal=0.0, workers=2)
    document = tiny(models=(), confidence=1 - 0.05 / 18, bootstrap=2000, repeats=2)
    del document["explain"]
    run = run_study(Plan.parse(document, base=tmp_path), tmp_path / "run", workers=2)
    area = run.metrics[(run.metrics["split"] == "cv") & (run.metrics["metric"] == "auc")].set_index("model")
    assert len(area) == 18
    assert area[(area["lower"] > 0.5) | (area["upper"] < 0.5)].index.tolist() == []
