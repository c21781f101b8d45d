"""Blocks of supervoxels through a whole study: measured once, learned in folds, stored, applied."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.habitat import Habitats, Ited
from isthmus.study import Plan
from isthmus.study import supervoxels as measuring
from isthmus.study.apply import apply_model, apply_to_file
from isthmus.study.data import StudyData, prepare
from isthmus.study.evaluate import BUILD, candidate_of
from isthmus.study.model import Model
from isthmus.study.plan import with_default_steps
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.study.schema import plan_schema
from isthmus.study.store import RunFolder
from isthmus.table.memory import Memory
from isthmus.validate.develop import develop
from isthmus.validate.settings import FoldSettings
from study.structured import write_blob_study

SMALL, ABSENT = "P01", "P02"
HABITAT: dict[str, Any] = {
    "supervoxels": {"volume_mm3": 250, "least_supervoxels": 10},
    "ited": {"resamples": 0},
    "ith2d": {"clusters": [3], "starts": 1},
    "ith3d": {"resamples": 0, "permutations": 5, "starts": 2, "clusters": 2},
    "cohort": {"clusters": 2, "starts": 2},
}
SIMPLE = {"steps": ["impute", "scale"], "estimator": "logistic", "settings": {"C": 0.01}, "threshold": 0.5}
DOCUMENT: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "metastasis"},
    "features": [
        {"name": "first", "image": "ct", "families": ["firstorder"]},
        {"name": "ited", "kind": "ited", "image": "ct"},
        {"name": "ith", "kind": "ithscore", "image": "ct"},
        {"name": "hab", "kind": "habitat", "image": "ct"},
        {"name": "ring", "kind": "ited", "image": "ct", "ring_mm": [0, 4]},
    ],
    "habitat": HABITAT,
    "models": [
        {"name": "all", **SIMPLE},
        {"name": "ited", "blocks": ["ited"], **SIMPLE},
        {"name": "two", "blocks": ["hab", "ith"], **SIMPLE},
    ],
    "validate": {"folds": 2, "repeats": 1, "bootstrap": 100, "external": {"centre": ["B"]}},
    "audit": {"permutations": 0, "controls": []},
    "report": {"pictures": 0, "embedding": "none"},
    "compute": {"workers": 1},
}


def small(mask: np.ndarray) -> np.ndarray:
    """Twelve voxels."""
    found = np.zeros_like(mask)
    found[5, 14:17, 14:18] = True
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen patients of two centres; one has no mask, the lesion of another is twelve voxels. Do not change them."""
    folder = tmp_path_factory.mktemp("cohort")
    study = write_blob_study(folder, patients=18, second_centre=12, shape=(10, 28, 30), masks={SMALL: small})
    study.loc[study["patient"] == ABSENT, "mask:ct"] = "nowhere.nii"
    study.to_csv(folder / "cases.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return Plan.parse(DOCUMENT, base=folder)


@pytest.fixture(scope="module")
def run(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_study(plan, tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="module")
def data(plan: Plan, run: Result) -> StudyData:
    return prepare(plan, workers=1, store=RunFolder(run.folder))


@pytest.fixture(scope="module")
def model(run: Result) -> Model:
    return Model.load(run.folder / "model.isthmus")


# ---------------------------------------------------------------------- the run


def test_every_model_predicts_every_patient(run: Result) -> None:
    """Also the one whose lesion could not be cut: his values are imputed."""
    kept = run.cases.loc[run.cases["status"] == "included", "patient"]
    counts = run.predictions.dropna(subset=["probability"]).groupby("model")["patient"].nunique()
    assert counts.to_dict() == dict.fromkeys(("all", "ited", "two"), len(kept))


def test_a_case_without_a_mask_is_left_out(run: Result) -> None:
    """As with any other block, with the reason."""
    out = run.cases[run.cases["status"] == "excluded"]
    assert out["reason"].str.contains("nowhere.nii").tolist() == [True]


@pytest.mark.parametrize("block", ["ited", "hab"])
def test_a_lesion_too_small_is_missing_and_not_zero(run: Result, block: str) -> None:
    """Its values are NaN in the file of the block, and a note says why."""
    values = run.values(block).set_index("patient").loc[SMALL]
    notes = run.tables["notes"]
    said = notes[(notes["patient"] == SMALL) & (notes["block"] == block)]["note"].str.cat(sep="; ")
    assert (values.isna().all(), "no supervoxels: " in said, "supervoxel needs 25" in said) == (True, True, True)


def test_no_other_patient_lacks_a_value(run: Result) -> None:
    """Of the 93 values and of the scores; 0 is an answer (one component suffices), not a failure: nobody has it everywhere."""
    ited = run.values("ited").set_index("patient").drop(index=SMALL)[[f"ited_{name}" for name in measuring.NAMES]]
    ith = run.values("ith").set_index("patient").drop(index=SMALL)[["ith3d_coherence", "ith3d_fragment", "ith2d"]]
    both = pd.concat([ited, ith], axis=1)
    assert (both.isna().to_numpy().sum(), (ited != 0).any(axis=1).all()) == (0, True)


def test_names_are_qualified_by_the_block(run: Result, data: StudyData) -> None:
    """Two blocks of one kind make columns of their own; a model chooses from those of all its blocks."""
    chosen = set(run.selected.loc[run.selected["model"] == "all", "feature"])
    known = {*data.matrix(["first", "ith"], "train")[0], *data.made(["ited", "hab", "ring"])}
    prefixes = {name.partition(".")[0] for name in chosen}
    assert (chosen <= known, prefixes) == (True, {"first", "ited", "ith", "hab", "ring"})


def test_candidates_are_counted_before_they_are_made(run: Result) -> None:
    """93 of a block of iTED, not none; habitats by their number."""
    counts = run.tables["sample_size"].set_index("model")["candidates"]
    assert (counts["ited"], counts["two"]) == (93, 12 + 9)


def test_supervoxels_are_measured_once_a_region(run: Result) -> None:
    """Three kinds share those of the lesion; the ring has its own."""
    cases = int((run.cases["status"] == "included").sum())
    assert len(list((run.folder / ".work" / "supervoxels").iterdir())) == 2 * cases


def test_a_resumed_run_takes_them_from_the_store(
    plan: Plan, run: Result, data: StudyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the features gone and the supervoxels there nothing is measured again, and they are the same to the bit."""
    shutil.copytree(run.folder / ".work" / "supervoxels", tmp_path / ".work" / "supervoxels")
    monkeypatch.setattr(measuring, "measure", None)
    again = prepare(plan, workers=1, store=RunFolder(tmp_path))
    found = [[table and table.digest for table in one.blocks["ring"].objects] for one in (data, again)]
    assert found[0] == found[1]


def test_two_workers_give_the_same_bits(plan: Plan, run: Result, tmp_path: Path) -> None:
    """Measuring, folds and predictions."""
    other = run_study(plan, tmp_path / "run", workers=2)
    pd.testing.assert_frame_equal(other.predictions, run.predictions, check_exact=True)


# ---------------------------------------------------------------------- folds


def test_what_a_fold_learns_does_not_depend_on_other_patients(plan: Plan, data: StudyData) -> None:
    """Rule L1: with other supervoxels in the test rows, the steps fitted on the training rows are the same."""
    candidate = candidate_of(plan, data, with_default_steps(plan, plan.model("all")))
    train = np.arange(len(candidate.X)) < len(candidate.X) // 2
    changed = candidate.X.copy()
    for column in [name for name in changed.columns if name.startswith("@supervoxels")]:
        others = changed[column].to_numpy(copy=True)
        others[~train] = others[~train][::-1]
        changed[column] = others
    events = (np.arange(train.sum()) % 2).astype(int)
    states = [
        [step.to_state() for _, step in BUILD(candidate.spec, X, seed=1).fit(X[train], events).chain]
        for X in (candidate.X, changed)
    ]
    assert states[0] == states[1]


def test_models_with_other_predictors_share_what_is_learned_of_supervoxels(
    plan: Plan, data: StudyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of a fold: one fit of each step of a block, and one transform of the same rows."""
    calls: list[str] = []
    fit, make = Ited._fit, Ited.make
    monkeypatch.setattr(Ited, "_fit", lambda self, *given: (calls.append(f"fit {self.block}"), fit(self, *given))[1])
    monkeypatch.setattr(Ited, "make", lambda self, read: (calls.append(f"make {self.block}"), make(self, read))[1])
    memory = Memory()
    for name in ("all", "ited"):
        candidate = candidate_of(plan, data, with_default_steps(plan, plan.model(name)))
        design = candidate.design(data.outcome_of("train"))
        half = np.arange(len(design.X)) % 2 == 0
        fitted = BUILD(candidate.spec, design.X, seed=1).fit_rows(design.rows(half), memory)
        fitted.predict_rows(design.rows(~half), memory)
    assert sorted(calls) == ["fit ited", "fit ring", *["make ited"] * 2, *["make ring"] * 2]


def test_inner_folds_are_those_of_every_model(plan: Plan, data: StudyData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that choose a threshold have the same inner folds: the second learns nothing of supervoxels anew."""
    calls: list[str] = []
    fit = Habitats._fit
    monkeypatch.setattr(Habitats, "_fit", lambda self, *given: (calls.append(self.block), fit(self, *given))[1])
    memory, counts = Memory(), []
    for number, blocks in enumerate((["hab"], ["hab", "ith"])):
        model = plan.model("two").model_copy(update={"name": f"m{number}", "blocks": blocks, "threshold": "youden"})
        candidate = candidate_of(plan, data, with_default_steps(plan, model))
        design = candidate.design(data.outcome_of("train"))
        settings = FoldSettings(inner_folds=2)
        develop(
            candidate.spec,
            design.rows(np.ones(len(design.X), bool)),
            build=BUILD,
            settings=settings,
            seed=number,
            memory=memory,
        )
        counts.append(len(calls))
    assert counts == [3, 3]


def test_the_memory_changes_no_number(plan: Plan, data: StudyData) -> None:
    """Predictions with and without it."""
    candidate = candidate_of(plan, data, with_default_steps(plan, plan.model("all")))
    design = candidate.design(data.outcome_of("train"))
    half = np.arange(len(design.X)) % 2 == 0
    found = [
        BUILD(candidate.spec, design.X, seed=1)
        .fit_rows(design.rows(half), memory)
        .predict_rows(design.rows(~half), memory)
        for memory in (None, Memory())
    ]
    assert np.array_equal(found[0], found[1])


# ---------------------------------------------------------------------- the model file


def test_apply_gives_what_the_run_predicted(model: Model, run: Result, folder: Path) -> None:
    """The external patients, from their images, to the last bit."""
    seen = run.predictions[(run.predictions["model"] == "all") & (run.predictions["split"] == "external")]
    table = pd.read_csv(folder / "cases.csv", dtype="str")
    found = apply_model(model, table[table["patient"].isin(seen["patient"])], root=str(folder), workers=1).predictions
    assert found.set_index("patient")["probability"].to_dict() == seen.set_index("patient")["probability"].to_dict()


def test_one_patient_alone_gets_the_same_bits(model: Model, run: Result, folder: Path) -> None:
    """As in the batch."""
    seen = run.predictions[(run.predictions["model"] == "all") & (run.predictions["split"] == "external")].iloc[:1]
    table = pd.read_csv(folder / "cases.csv", dtype="str")
    alone = apply_model(model, table[table["patient"].isin(seen["patient"])], root=str(folder), workers=1)
    assert alone.predictions["probability"].tolist() == seen["probability"].tolist()


def test_totals_of_another_site(model: Model, folder: Path, tmp_path: Path) -> None:
    """`--aggregate-only` compares the columns made of supervoxels with those of training."""
    apply_to_file(model, folder / "cases.csv", tmp_path / "sent.csv", aggregate_only=True, workers=1)
    sent = pd.read_csv(tmp_path / "sent.csv")
    compared = sent[(sent["part"] == "drift") & (sent["name"] == "inputs")]["n"]
    assert compared.item() > 50


def test_the_file_says_what_its_blocks_are(model: Model) -> None:
    """Kind and settings; what steps learned is in the pipeline; of training supervoxels there are quartiles only."""
    kinds = {block["name"]: block["kind"] for block in model.manifest["blocks"]}
    state = next(block["state"] for block in model.manifest["blocks"] if block["name"] == "hab")
    assert kinds == {"first": "features", "ited": "ited", "ith": "ithscore", "hab": "habitat", "ring": "ited"}
    assert (state["cohort"]["clusters"], state["supervoxels"]["volume_mm3"]) == (2, 250.0)


def test_its_plan_is_the_plan(model: Model, plan: Plan) -> None:
    """Settings of blocks and steps survive the file."""
    assert model.plan.document() == Plan.parse(plan.document(), base=plan.base).document()


# ---------------------------------------------------------------------- what a plan may not say


def changed(**keys: Any) -> dict[str, Any]:
    """The plan with one block of supervoxels, with these keys."""
    return {
        **DOCUMENT,
        "features": [{"name": "b", "kind": "ited", "image": "ct", **keys}],
        "models": [{"name": "m", **SIMPLE}],
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (changed(kind="itet"), r"kind: expected 'radiomics', 'ited', 'ithscore', 'habitat' or 'deep' \(came: 'itet'\)"),
        (changed(profile="pyradiomics"), r"profile belongs to kind = \"radiomics\", the kind is \"ited\""),
        (changed(filters=["none"]), r"filters belong to kind = \"radiomics\""),
        (changed(supervoxel={}), r"'b': unknown key 'supervoxel'. Did you mean 'supervoxels'"),
        (changed(cohort={"clusters": 3}), r"cohort does not concern kind = \"ited\""),
        (changed(ited={"component": 3}), r"'b' ited: unknown key 'component'. Did you mean 'components'"),
        (changed(ited=3), r"ited = 3; expected a table"),
        ({**changed(), "habitat": {"supervoxels": {"volume": 3}}}, r"\[habitat\] supervoxels: unknown key 'volume'"),
        (
            {**changed(), "models": [{"name": "m", **SIMPLE, "steps": ["habitat", "impute", "scale"]}]},
            r"step 'habitat' has nothing to read. Blocks of this model with such a step: ited",
        ),
        (
            {**changed(), "models": [{"name": "m", **SIMPLE, "steps": ["impute", "ited"]}]},
            r"step 'ited' makes columns that 'impute' before it would not see. Put it first",
        ),
        ({**changed(), "audit": {"sensitivity": {"ited.components": [2]}}}, r"ited.components is a setting of a step"),
        ({**changed(), "audit": {"sensitivity": {"bin_width": [10]}}}, r"bin_width = 10 changes no block"),
    ],
)  # fmt: skip
def test_a_wrong_plan_says_so(document: dict[str, Any], said: str) -> None:
    """Every mistake names the block, the part and the key."""
    with pytest.raises(PlanError, match=said):
        Plan.parse(document)


def test_a_block_overrides_a_part() -> None:
    """Key by key; the window of the supervoxels holds for the two-dimensional score, unless that has its own."""
    document = changed(kind="ithscore", supervoxels={"window": [-100, 200]}, ith2d={"bin_width": 10})
    plan = Plan.parse(document)
    settings = plan.habitat_settings(plan.features[0])
    assert (settings.supervoxels.volume_mm3, settings.supervoxels.window) == (250, (-100, 200))
    assert (settings.ith2d.window, settings.ith2d.bin_width, settings.ith2d.clusters) == ((-100, 200), 10, (3,))


def test_one_block_needs_no_name() -> None:
    """In a study with one block the step reads `@supervoxels`, and columns have no prefix."""
    plan = Plan.parse(changed())
    steps = with_default_steps(plan, plan.models[0]).steps
    assert steps is not None
    assert steps[0].model_dump().get("block", "") == ""  # type: ignore[union-attr]


def test_a_setting_of_supervoxels_can_be_tried_at_other_values() -> None:
    """[audit] sensitivity: `PART.KEY`, in blocks that have the part."""
    plan = Plan.parse({**DOCUMENT, "audit": {"permutations": 0, "sensitivity": {"supervoxels.volume_mm3": [300]}}})
    other = plan.changed("supervoxels.volume_mm3", 300)
    assert [block.overrides.get("supervoxels", {}).get("volume_mm3") for block in other.features] == [
        None,
        300,
        300,
        300,
        300,
    ]


def test_supervoxels_of_several_lesions_have_no_mean(folder: Path, tmp_path: Path) -> None:
    """Of two rows of a patient the larger can be taken, or both kept; their mean is refused."""
    table = pd.read_csv(folder / "cases.csv", dtype="str").drop(index=[1, 2]).iloc[:4]
    for column in ("image:ct", "mask:ct"):
        table[column] = [str(folder / cell) for cell in table[column]]
    table["metastasis"], table["lesion"], table["centre"] = ["0", "0", "1", "1"], list("abab"), "A"
    table["patient"] = ["P1", "P1", "P2", "P2"]
    table.to_csv(tmp_path / "cases.csv", index=False)
    document = {**changed(), "validate": {"folds": 2}}
    document["features"][0]["supervoxels"] = {"volume_mm3": 2000, "least_supervoxels": 5}
    with pytest.raises(TableError, match=r'P1 has several rows .* Say aggregate = "largest"'):
        prepare(Plan.parse(document, base=tmp_path), workers=1, store=None)


def test_an_editor_knows_the_parts() -> None:
    """The schema lists [habitat], and its parts among the keys of a block."""
    schema = plan_schema()
    block = schema["$defs"]["FeatureBlock"]["properties"]
    assert (
        "habitat" in schema["properties"],
        {"supervoxels", "features", "ited", "ith2d", "ith3d", "cohort"} <= set(block),
    ) == (True, True)
