"""Blocks of a frozen network through a whole study: measured once, reduced in the folds, written down, applied with the same weights."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.weights import save
from isthmus.errors import LeakageError, PlanError, WeightsError
from isthmus.report.manuscript import draft
from isthmus.study import Plan
from isthmus.study.apply import apply_model
from isthmus.study.card import plain_text
from isthmus.study.check import check_plan
from isthmus.study.model import Model
from isthmus.study.result import Result
from isthmus.study.run import run_study
from study.structured import write_blob_study

SIMPLE = {"estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5}
DOCUMENT: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "metastasis"},
    "features": [
        {"name": "first", "image": "ct", "families": ["firstorder"]},
        {"name": "deep", "kind": "deep", "image": "ct"},
        {
            "name": "untrained",
            "kind": "deep",
            "image": "ct",
            "encoder": {"weights": {"origin": "random"}, "layer": "layer3"},
            "crop": {"shape": "box"},
        },
    ],
    "deep": {
        "encoder": {
            "network": "resnet10_narrow",
            "weights": {"origin": "file", "path": "w.safetensors", "source": "a test"},
        },
        "crop": {"size": 32, "margin_mm": 2, "slices": 2},
    },
    "models": [
        {"name": "deep", "blocks": ["deep"], "steps": ["impute", "scale", {"name": "pca", "components": 3}], **SIMPLE},
        {"name": "all", "steps": ["impute", "scale"], **SIMPLE},
    ],
    "validate": {"folds": 2, "repeats": 1, "bootstrap": 100, "external": {"centre": ["B"]}},
    "audit": {"permutations": 0, "controls": []},
    "report": {"pictures": 0, "embedding": "none"},
    "compute": {"workers": 1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen patients of two centres, and a file of weights. Do not change them."""
    folder = tmp_path_factory.mktemp("cohort")
    write_blob_study(folder, patients=18, second_centre=12, shape=(10, 28, 30))
    save(build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, seed=3), folder / "w.safetensors")
    return folder


@pytest.fixture(scope="module")
def sha256(folder: Path) -> str:
    import hashlib

    return hashlib.sha256((folder / "w.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def document(sha256: str) -> dict[str, Any]:
    said = deepcopy(DOCUMENT)
    said["deep"]["encoder"]["weights"]["sha256"] = sha256
    return said


@pytest.fixture(scope="module")
def run(document: dict[str, Any], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_study(Plan.parse(document, base=folder), tmp_path_factory.mktemp("study") / "run", workers=1)


def test_blocks_and_their_records(run: Result, sha256: str) -> None:
    """Each block has its columns; the facts, the record beside them and the lock file name network, layer and the weights' hash."""
    deep, untrained = run.blocks["deep"], run.blocks["untrained"]
    assert (len(deep), set(deep["family"]), len(untrained), set(untrained["family"])) == (
        64,
        {"deep"},
        32,
        {"random projection"},
    )
    record = json.loads((run.folder / "features" / "deep.encoder.json").read_text())
    block = run.plan["features"][1]
    assert record["weights"]["sha256"] == block["encoder"]["weights"]["sha256"] == sha256
    assert (block["encoder"]["layer"], block["encoder"]["pooling"], block["crop"]["size"]) == ("avgpool", "avg", 32)


def test_the_lock_file_is_the_same_plan(run: Result, folder: Path) -> None:
    """Carried out again it measures the same: the document of the lock file is its own document."""
    lock = Plan.read(run.folder / "plan.lock.toml").document()
    assert Plan.parse(lock, base=folder).document() == lock


def test_applied_with_the_weights_by_their_hash(run: Result, folder: Path, sha256: str, tmp_path: Path) -> None:
    """A model file elsewhere: refused without the weights, refused with others, and with them the study's own predictions, to the bit."""
    model = Model.load(run.folder / "model.isthmus")
    other = tmp_path / "other.safetensors"
    save(build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, seed=4), other)
    for files, said in (((), "it is not here"), ((other,), "none of the files given with --weights has it")):
        with pytest.raises(WeightsError, match=f"(?s){sha256}.*{said}"):
            apply_model(model, folder / "cases.csv", workers=1, weights=files)
    moved = tmp_path / "renamed.safetensors"
    shutil.copy(folder / "w.safetensors", moved)
    applied = apply_model(model, folder / "cases.csv", workers=1, weights=(other, moved))
    ours = applied.predictions.set_index("patient")["probability"]
    rows = run.predictions
    study = rows[(rows["model"] == "deep") & (rows["split"] == "external")].set_index("patient")["probability"]
    assert len(study) == 6
    pd.testing.assert_series_equal(ours.loc[study.index], study, check_exact=True)


def test_the_card_names_the_weights(run: Result, sha256: str) -> None:
    """Whoever gets the model knows which file it needs, and from where."""
    text = plain_text(Model.load(run.folder / "model.isthmus").card)
    assert f"SHA-256 {sha256}, a test" in text.replace("\n", " ").replace("`", "")


def test_the_manuscript_says_what_was_measured(run: Result) -> None:
    """Network, layer, crops and whose weights; an untrained network is called one."""
    text = " ".join(draft(run).markdown("A study").replace("\\", "").split())
    assert "the output of the layer avgpool (averaged) of resnet10_narrow in 2 dimensions" in text
    assert (
        "on crops of 32 pixels a side around the region of interest with a margin of 2 mm, taken from the 2 largest slices of ct"
        in text
    )
    assert "Its weights were those of the file w.safetensors (a test), and were not changed." in text
    assert "32 features of a random projection by an untrained network" in text


def test_resumed_from_another_place(run: Result, document: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """What is stored belongs to the weights' hash, not to where they lie: moved files are not measured again."""
    from isthmus.study.data import case_files, cohort_of, plan_blocks
    from isthmus.study.extraction import _hash_files, _key, _Task

    shutil.copytree(folder, tmp_path / "moved")
    keys = []
    for base in (folder, tmp_path / "moved"):
        plan = Plan.parse(document, base=base)
        blocks = plan_blocks(plan)
        case = case_files(cohort_of(plan, None).rows)[0]
        hashes: dict[str, str] = {}
        _hash_files(case, blocks[1], hashes, {})
        keys.append([_key(_Task(case, blocks, None, "", False, False, None), block, hashes) for block in blocks])
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"deep": None}, "'encoder' is missing"),
        ({"network": "resnet"}, "none is called 'resnet'"),
        ({"layer": "layer9"}, "has no layer 'layer9'"),
        ({"sha256": None}, "encoder.weights.sha256 is missing; that of "),
        ({"block": {"profile": "ibsi"}}, 'profile belongs to kind = "radiomics"'),
        ({"block": {"bin_width": 5}}, "unknown key 'bin_width'"),
        ({"block": {"crop": {"sice": 3}}}, "unknown key 'sice'"),
        ({"only": "radiomics"}, "[deep] has no effect"),
    ],
    ids=str,
)
def test_plans_that_cannot_be(document: dict[str, Any], folder: Path, change: dict[str, Any], said: str) -> None:
    """Each is refused before anything runs, naming the block and the key."""
    wrong = deepcopy(document)
    encoder = wrong["deep"]["encoder"]
    if "deep" in change:
        del wrong["deep"]
        wrong["features"] = wrong["features"][:2]
    encoder |= {key: change[key] for key in ("network", "layer") if key in change}
    if "sha256" in change:
        del encoder["weights"]["sha256"]
    wrong["features"][1] |= change.get("block", {})
    if "only" in change:
        wrong["features"], wrong["models"] = wrong["features"][:1], wrong["models"][1:]
    with pytest.raises(PlanError) as told:
        Plan.parse(wrong, base=folder)
    assert said in str(told.value)


def test_wrong_weights_stop_a_check(document: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """`isthmus check` says so once, not once a case."""
    from isthmus.study import toml

    shutil.copytree(folder, tmp_path / "study")
    (tmp_path / "study" / "w.safetensors").write_bytes(b"another file")
    (tmp_path / "study" / "plan.toml").write_text(toml.dump(Plan.parse(document, base=folder).document()))
    found = check_plan(tmp_path / "study" / "plan.toml", workers=1)
    about = [problem for problem in found.problems if "It is not the file that was named" in problem.what]
    assert (len(about), found.exit_code) == (1, 2)


def test_weights_trained_on_the_study_are_refused(document: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """A file that says it was trained on patients of the study leaves nobody unseen; one trained on others is taken, and the record of
    either holds hashes, no names."""
    shutil.copytree(folder, tmp_path / "study")
    module = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, seed=3)
    said = deepcopy(document)
    for patients, known in (
        (["P03", "quartz-one", "P17"], "2 patients of this study (P03, P17)"),
        (["quartz-one", "quartz-two"], ""),
    ):
        sha256 = save(module, tmp_path / "study" / "w.safetensors", trained_on=patients)
        said["deep"]["encoder"]["weights"]["sha256"] = sha256
        plan = Plan.parse(said, base=tmp_path / "study")
        if known:
            with pytest.raises(LeakageError) as told:
                run_study(plan, tmp_path / "run", workers=1)
            assert known in str(told.value)
        else:
            from isthmus.study.data import prepare

            assert len(prepare(plan, workers=1, store=None).split) == 18
        assert b"quartz-one" not in (tmp_path / "study" / "w.safetensors").read_bytes()
