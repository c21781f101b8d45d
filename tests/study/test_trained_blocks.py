"""Networks trained inside the folds of a plan: on training rows only, in the model file, and honest where the signal is none."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from habitat.making import lesion
from isthmus.deep import CROPS, Crops
from isthmus.errors import PlanError, TableError
from isthmus.image.crop import read_grey_png
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.report.manuscript import draft
from isthmus.study import Plan
from isthmus.study.apply import apply_model
from isthmus.study.blocks import with_objects
from isthmus.study.data import prepare
from isthmus.study.evaluate import BUILD, candidate_of, null_study
from isthmus.study.model import Model
from isthmus.study.network_pictures import network_paths
from isthmus.study.plan import with_default_steps
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.study.store import RunFolder
from isthmus.table import FeatureTable
from isthmus.table.memory import Memory, Rows, content_key
from study.structured import write_blob_study

SIMPLE = {"estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5}
RANDOM = {"origin": "random"}
DOCUMENT: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "metastasis"},
    "features": [
        {"name": "first", "image": "ct", "families": ["firstorder"]},
        {"name": "net", "kind": "deep", "image": "ct", "crop": {"combine": "attention"}},
        {
            "name": "code",
            "kind": "deep",
            "image": "ct",
            "encoder": {"network": "autoencoder_128", "weights": RANDOM},
            "crop": {"size": 16},
            "train": {"epochs": 1},
        },
        {"name": "frozen", "kind": "deep", "image": "ct", "train": False},
    ],
    "deep": {
        "encoder": {"network": "resnet10_narrow", "weights": RANDOM},
        "crop": {"size": 24, "slices": 2},
        "train": {"epochs": 2, "batch": 8},
    },
    "models": [
        {
            "name": "end to end",
            "blocks": ["net"],
            "steps": [{"name": "network", "block": "net", "makes": "score", "folds": 2}, "impute", "scale"],
            **SIMPLE,
        },
        {
            "name": "fused",
            "blocks": ["first", "net"],
            "steps": ["impute", "scale", {"name": "pca", "components": 3}],
            **SIMPLE,
        },
        {"name": "code", "blocks": ["code"], "steps": ["impute", "scale", {"name": "pca", "components": 3}], **SIMPLE},
        {"name": "frozen", "blocks": ["frozen"], "steps": ["impute", "scale"], **SIMPLE},
    ],
    "validate": {"folds": 2, "repeats": 1, "bootstrap": 100, "external": {"centre": ["B"]}},
    "audit": {"permutations": 0, "controls": []},
    "report": {"pictures": 3, "embedding": "none"},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four patients of two centres, one of them with two images. Do not change them."""
    folder = tmp_path_factory.mktemp("cohort")
    write_blob_study(folder, patients=24, second_centre=16, shape=(8, 26, 28))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_study(Plan.parse(DOCUMENT, base=folder), tmp_path_factory.mktemp("study") / "run", workers=2)


def external(result: Result, model: str) -> pd.Series:
    rows = result.predictions
    found = rows[(rows["model"] == model) & (rows["split"] == "external")]
    return found.set_index("patient")["probability"]


def test_every_model_predicts_everyone(run: Result) -> None:
    """Out of fold and on the external centre: the network itself, its features beside others, an autoencoder's code, a frozen one."""
    counts = run.predictions.groupby(["model", "split"])["patient"].nunique().unstack()
    assert (counts == [16, 8] if list(counts.columns) == ["cv", "external"] else counts > 0).all().all()
    assert set(counts.index) == {"end to end", "fused", "code", "frozen"}


def test_the_lock_file_is_the_same_plan(run: Result, folder: Path) -> None:
    """Which blocks are trained and which are frozen survives: the document of the lock file is its own document."""
    lock = Plan.read(run.folder / "plan.lock.toml").document()
    assert [block.get("train") is not None and block["train"] is not False for block in lock["features"]] == [
        False,
        True,
        True,
        False,
    ]
    assert Plan.parse(lock, base=folder).document() == lock


def test_applying_the_file_gives_the_study_s_predictions(run: Result, folder: Path) -> None:
    """The network travels in the model file: the external predictions again, to the bit, from images and without weights."""
    applied = apply_model(Model.load(run.folder / "model.isthmus"), folder / "cases.csv", workers=1)
    ours = applied.predictions.set_index("patient")["probability"]
    study = external(run, "end to end")
    pd.testing.assert_series_equal(ours.loc[study.index], study, check_exact=True)


def test_two_workers_give_the_same_bits(run: Result, folder: Path, tmp_path: Path) -> None:
    """Training in two processes is training in one."""
    document = deepcopy(DOCUMENT)
    document["features"], document["models"] = document["features"][:2], document["models"][:1]
    again = run_study(Plan.parse(document, base=folder), tmp_path / "run", workers=1)
    one, two = (
        result.predictions[result.predictions["model"] == "end to end"].reset_index(drop=True)
        for result in (run, again)
    )
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_learning_curves_are_written(run: Result) -> None:
    """One row an epoch of each network, in two folds and in the final fit, and which epoch was kept."""
    curves = pd.read_csv(run.folder / "tables" / "learning_curves.csv")
    assert curves.groupby("model").size().to_dict() == {"end to end": 6, "fused": 6, "code": 3}
    assert curves.groupby(["model", "fold"], dropna=False)["kept"].sum().eq(1).all()


def test_models_of_one_block_have_the_same_network(run: Result) -> None:
    """Its seed is the block's and the fold's, not the model's: whoever trains it first has trained it for the others."""
    curves = run.tables["learning_curves"]
    own, other = (curves[curves["model"] == name]["training_loss"].tolist() for name in ("end to end", "fused"))
    assert own == other


def test_maps_are_of_networks_that_had_not_seen_the_patient(run: Result) -> None:
    """Training patients: trained without them; the other centre's: the final network."""
    maps = run.tables["network_maps"].merge(run.cases[["patient", "split"]], on="patient")
    assert maps["note"].isna().all(), maps["note"]
    assert maps["unseen"].all()
    assert maps.groupby("split")["trained"].unique().str.join(";").to_dict() == {
        "external": "on all training patients",
        "train": "without the training patients shown",
    }


def test_a_kept_map_goes_from_0_to_1(run: Result) -> None:
    """It covers the slice that is kept beside it, and its largest value over all slices is 1."""
    for row in run.tables["network_maps"].to_dict("records"):
        files = {kind: (run.folder / path).read_bytes() for kind, path in network_paths("net", row["row"]).items()}
        values = read_grey_png(files["map"], row["map_low"], row["map_high"])
        assert 0 <= np.nanmin(values) <= np.nanmax(values) <= 1
        assert values.shape == read_grey_png(files["pixels"], row["low"], row["high"]).shape


def test_the_manuscript_says_how_it_was_trained(run: Result) -> None:
    """Inside the folds, from random numbers, and how a training score comes about."""
    text = " ".join(draft(run).markdown("A study").replace("\\", "").split())
    assert "trained anew on the training patients of every fold" in text
    assert "2 inner folds" in text


# ---------------------------------------------------------------------- what it learns from


@pytest.fixture(scope="module")
def rows(folder: Path) -> tuple[Plan, Rows]:
    """The development rows of the network alone."""
    plan = Plan.parse(DOCUMENT, base=folder)
    data = prepare(plan, workers=1, store=None)
    candidate = candidate_of(plan, data, with_default_steps(plan, plan.model("end to end")))
    who = candidate.patients.to_numpy()
    events = data.outcome.array(pd.Index(who)).astype(np.int64)
    return plan, Rows(candidate.X, events, who, content_key(candidate.X))


def fitted(plan: Plan, rows: Rows, model: str = "end to end", memory: Memory | None = None) -> Any:
    spec = with_default_steps(plan, plan.model(model))
    return BUILD(spec, rows.X, seed=3).fit_rows(rows, memory)


def network(pipeline: Any) -> str:
    return pipeline.makers[0][1].network_


def test_rows_outside_the_training_part_change_nothing(rows: tuple[Plan, Rows]) -> None:
    """The network of a fold has the same bits whatever images and outcomes its test rows have."""
    plan, every = rows
    train = np.arange(len(every.events)) % 3 > 0
    other = every.X.copy()
    column = f"{CROPS}:net"
    other[column] = [
        cell if kept else Crops(cell.patient, cell.values[::-1] + np.float16(1))
        for cell, kept in zip(every.X[column], train, strict=True)
    ]
    changed = Rows(other, np.where(train, every.events, 1 - every.events), every.patients, content_key(other))
    assert network(fitted(plan, every.take(train))) == network(fitted(plan, changed.take(train)))


def test_a_memory_tells_outcomes_apart(rows: tuple[Plan, Rows]) -> None:
    """A network trained on one outcome is not taken for that of another; of the same one it is."""
    plan, every = rows
    memory = Memory()
    one = fitted(plan, every, memory=memory)
    swapped = Rows(every.X, 1 - every.events, every.patients, every.key)
    assert network(fitted(plan, swapped, memory=memory)) != network(one)
    hits = memory.hits
    assert network(fitted(plan, every, memory=memory)) == network(one)
    assert memory.hits > hits


def test_training_scores_are_out_of_fold(rows: tuple[Plan, Rows]) -> None:
    """What the estimator learns from is not what the network says of the rows it was trained on."""
    plan, every = rows
    pipeline = BUILD(with_default_steps(plan, plan.model("end to end")), every.X, seed=3)
    pipeline.fit_steps(every)
    step = pipeline.makers[0][1]
    read = every.X[list(step.context)]
    assert not np.isclose(step.inside(read), step.make(read)).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": {"epochs": 0}}, "epochs"),
        ({"train": {"seed": 3}}, "seed"),
        ({"train": 3}, "expected a table"),
        ({"aggregate": "max"}, "or leave aggregate out"),
    ],
    ids=str,
)
def test_plans_that_cannot_be(folder: Path, change: dict[str, Any], said: str) -> None:
    """Each is refused before anything runs, naming the key."""
    wrong = deepcopy(DOCUMENT)
    wrong["features"][1] |= change
    with pytest.raises(PlanError, match=said):
        Plan.parse(wrong, base=folder)


def test_a_step_without_its_block(folder: Path) -> None:
    """A network that no block gives crops to is refused with what to add."""
    wrong = deepcopy(DOCUMENT)
    wrong["models"][3]["steps"] = [{"name": "network", "block": "frozen"}, "impute", "scale"]
    with pytest.raises(PlanError, match='kind = "deep" with train'):
        Plan.parse(wrong, base=folder)


def test_images_of_one_patient_become_one_row() -> None:
    """A block that combines rows puts the crops of all images of a patient together; supervoxels stay refused."""
    index = pd.Index(["r0", "r1", "r2"], name="row")
    table = FeatureTable(
        pd.DataFrame(index=index), pd.DataFrame({"patient": ["p", "q", "p"]}, index=index, dtype="str"), ()
    )
    cells = pd.Series([Crops(n, np.full((2, 8, 8), k, np.float16)) for k, n in enumerate("pqp")], index, dtype=object)
    block = with_objects(table, cells, (), "mean", pd.Series(1.0, index), CROPS)
    assert block.objects is not None
    assert [cell.values[:, 0, 0].tolist() for cell in block.objects] == [[0, 0, 2, 2], [1, 1]]
    assert block.patients.tolist() == ["p", "q"]
    with pytest.raises(TableError, match="supervoxels of several lesions have no mean"):
        with_objects(table, cells, (), "mean", pd.Series(1.0, index))


# ---------------------------------------------------------------------- signal and none


TEXTURED: dict[str, Any] = {
    **DOCUMENT,
    "features": [{"name": "net", "kind": "deep", "image": "ct"}, DOCUMENT["features"][0]],
    "deep": {
        "encoder": {"network": "resnet10_narrow", "weights": RANDOM},
        "crop": {"size": 32, "slices": 2, "scale": "z_score"},
        "train": {"epochs": 25, "patience": 10, "augment": {"noise": 0.0, "probability": 0.5}},
    },
    "models": [
        {
            "name": "end to end",
            "blocks": ["net"],
            "steps": [{"name": "network", "block": "net", "makes": "score", "folds": 3}, "impute", "scale"],
            **SIMPLE,
        },
        {"name": "fused", "steps": ["impute", "scale", {"name": "pca", "components": 4}], **SIMPLE},
    ],
    "validate": {"folds": 3, "repeats": 1, "bootstrap": 200, "external": {"centre": ["B"]}},
}


@pytest.fixture(scope="module")
def textured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and ten patients of two centres whose lesions differ in how coarse their noise is, not in its mean or spread; of one in ten
    the outcome is the other."""
    folder = tmp_path_factory.mktemp("textured")
    rng = np.random.default_rng(8)
    rows = []
    for number in range(110):
        name = f"P{number:03d}"
        image, roi = lesion(shape=(6, 30 + number % 4, 32), seed=number)
        coarse = number % 2
        noise = gaussian_filter(rng.normal(size=image.values.shape), (0, 0.5 + coarse, 0.5 + coarse))
        noise = (noise - noise[roi.mask].mean()) / noise[roi.mask].std()
        values = np.where(roi.mask, 60 + 15 * noise, 30 + 5 * rng.normal(size=noise.shape))
        write_image(replace(image, values=np.rint(values).astype(np.int16)), folder / f"{name}.nii")
        write_labels(LabelImage(roi.mask.astype(np.uint8), roi.geometry), folder / f"{name}.mask.nii")
        outcome = coarse if rng.random() < 0.9 else 1 - coarse
        rows.append({"patient": name, "centre": "AB"[number >= 70], "metastasis": outcome})
    table = pd.DataFrame(rows)
    table["image:ct"], table["mask:ct"] = table["patient"] + ".nii", table["patient"] + ".mask.nii"
    table.to_csv(folder / "cases.csv", index=False)
    return folder


@pytest.mark.slow
def test_a_planted_texture_is_found_in_another_centre(textured: Path, tmp_path: Path) -> None:
    """The intervals of the network and of the fusion exclude 0.5 on the external set."""
    found = run_study(Plan.parse(TEXTURED, base=textured), tmp_path / "run", workers=2).metrics
    auc = found[(found["metric"] == "auc") & (found["split"] == "external")].set_index("model")
    assert (auc["lower"] > 0.5).all(), auc[["estimate", "lower", "upper"]]


@pytest.mark.slow
def test_permuted_outcomes_give_a_half(textured: Path, tmp_path: Path) -> None:
    """Over permutations of the outcome the mean out-of-fold AUC of either model is 0.5 within three standard errors, training included."""
    plan = Plan.parse(TEXTURED, base=textured)
    store = RunFolder(tmp_path)
    data = prepare(plan, workers=2, store=store)
    candidates = [candidate_of(plan, data, with_default_steps(plan, model)) for model in plan.models]
    train = data.outcome_of("train")
    null = null_study(
        candidates, train, data.centre.loc[train.patients], plan.validation, permutations=8, store=store, workers=2
    )
    found = null.groupby("model")["auc"].agg(["mean", "sem"])
    assert ((found["mean"] - 0.5).abs() < 3 * found["sem"].clip(lower=0.02)).all(), found
    assert found["mean"].between(0.4, 0.6).all(), found
