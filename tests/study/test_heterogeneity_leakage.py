"""Blocks of supervoxels learn nothing of what they may not: other patients of a fold, outcomes that mean nothing, external images."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat import NAMES, SUPERVOXELS, SupervoxelTable
from isthmus.image import Image
from isthmus.image.io import read_image, write_image
from isthmus.models.settings import ModelSettings
from isthmus.report.tables import TABLES
from isthmus.study import Plan
from isthmus.study.evaluate import BUILD
from isthmus.study.run import run_study
from study.structured import write_structured_study

KINDS = ("ited", "ithscore", "habitat")
HABITAT: dict[str, Any] = {
    "supervoxels": {"volume_mm3": 60, "least_supervoxels": 15},
    "features": {"bin_width": 10},
    "ith2d": {"clusters": [3], "starts": 1},
    "ith3d": {"resamples": 0, "permutations": 5, "starts": 2, "clusters": 2},
    "cohort": {"clusters": 2, "starts": 2},
}
STEPS = ["impute", "scale", {"name": "univariate", "k": 3}]


def document(**changed: Any) -> dict[str, Any]:
    """One block and one model of each kind."""
    return {
        "cohort": {"table": "cases.csv", "outcome": "two_tissues"},
        "features": [{"name": kind, "kind": kind, "image": "ct"} for kind in KINDS],
        "habitat": HABITAT,
        "models": [
            {"name": kind, "blocks": [kind], "steps": STEPS, "estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5}
            for kind in KINDS
        ],
        "validate": {"folds": 2, "repeats": 1, "bootstrap": 100},
        "audit": {"permutations": 0, "controls": []},
        "report": {"pictures": 0, "embedding": "none"},
        "compute": {"workers": 1},
        **changed,
    }  # fmt: skip


def test_six_patients_go_through(tmp_path: Path) -> None:
    """A study of six patients of 1 to 3 ml: all kinds of blocks, every table, in seconds."""
    write_structured_study(tmp_path, patients=6)
    plan = document(validate={"folds": 3, "repeats": 1, "bootstrap": 100})
    result = run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run")
    assert set(result.predictions["model"]) == set(KINDS)
    added = result.tables["ited_added"]
    assert (len(added), set(added["block"]), set(added["n"])) == (len(NAMES), {"ited"}, {6})
    shown = TABLES["ited_added"].view(result)
    assert shown is not None
    assert "of 93 features add something" in next(iter((shown.groups or {}).values()))
    # habitats are made in the folds; iTED is measured of each case as well
    assert set(result.tables["volume_dependence"]["block"]) == {"ited", "ithscore"}


# ---------------------------------------------------------------------- steps, without images


def drawn(n: int, seed: int = 7) -> pd.DataFrame:
    """Supervoxels of patients that differ in nothing but chance."""
    rng = np.random.default_rng(seed)
    cells = []
    for patient in range(n):
        count = int(rng.integers(12, 20))
        chain = np.column_stack([np.arange(count - 1), np.arange(1, count), np.full(count - 1, 9)])
        values = rng.lognormal(0, 0.4, (count, len(NAMES))) + 2 * (np.arange(count) < count * rng.uniform())[:, None]
        cells.append(SupervoxelTable(f"p{patient}", values, rng.integers(50, 500, count).astype(float), contacts=chain))
    return pd.DataFrame({"other": rng.normal(size=n), SUPERVOXELS: pd.Series(cells, dtype=object)})


def spec(kind: str, steps: list[Any] | None = None) -> ModelSettings:
    made = {"name": "habitat", "clusters": 2, "starts": 2} if kind == "habitat" else {"name": kind}
    return ModelSettings(
        name=kind, estimator="logistic", settings={"C": 0.1}, steps=[made, *(STEPS if steps is None else steps)]
    )


def digest(model: Any) -> str:
    """Stands for everything the fitted pipeline holds."""
    states = [step.to_state() for _, step in model.chain if hasattr(step, "to_state")]
    return hashlib.sha256(json.dumps(states, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("kind", ["ited", "habitat"])
def test_test_rows_teach_nothing(kind: str) -> None:
    """The pipeline of a fold has the same hash whatever stands in the rows outside its training part: other supervoxels, or a feature
    that there equals the outcome. The planted violation, that feature in the training rows, changes it."""
    table, events = drawn(14), np.arange(14) % 2
    train = np.arange(14) < 10
    other = table.copy()
    other.loc[~train, "other"] = events[~train]
    other[SUPERVOXELS] = [*table.loc[train, SUPERVOXELS], *drawn(14, seed=8).loc[~train, SUPERVOXELS]]
    planted = table.assign(other=np.where(train, events, table["other"]))
    found = [digest(BUILD(spec(kind), X, seed=1).fit(X[train], events[train])) for X in (table, other, planted)]
    assert found[0] == found[1] != found[2]


@pytest.fixture(scope="module")
def shuffled(images: Path) -> pd.DataFrame:
    """The null study: the same plan on forty shuffled outcomes."""
    plan = document(audit={"permutations": 40, "controls": []})
    return run_study(Plan.parse(plan, base=images), images / "null").tables["null_study"].set_index("model")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_shuffled_outcomes_give_half(kind: str, shuffled: pd.DataFrame) -> None:
    """The out-of-fold AUC of shuffled outcomes is 0.5 within what forty of them allow."""
    row = shuffled.loc[kind]
    assert abs(row["null_mean"] - 0.5) < 2.7 * row["mcse"]
    assert row["null_lower"] < 0.5 < row["null_upper"]


@pytest.mark.slow
def test_what_is_there_is_found(shuffled: pd.DataFrame) -> None:
    """The check above is of blocks that can learn: whether a lesion has two tissues is found by iTED."""
    assert (shuffled.loc["ited", "auc"] > 0.75, shuffled.loc["ited", "p"] < 0.05) == (True, True)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-two lesions of 2 to 6 ml."""
    folder = tmp_path_factory.mktemp("leakage")
    write_structured_study(folder, patients=32, millilitres=(2.0, 6.0))
    return folder


@pytest.mark.slow
def test_external_images_touch_nothing(images: Path) -> None:
    """Other images of the external centre change its predictions and nothing else: folds, thresholds, features, model."""
    plan = document(validate={**document()["validate"], "external": {"centre": ["B"]}})
    first = run_study(Plan.parse(plan, base=images), images / "before")
    for path in sorted(images.glob("p*_ct.nii.gz"))[-10:]:
        image = read_image(path)
        write_image(Image(image.values[:, ::-1].copy() + 20, image.geometry, quantity="HU"), path)
    second = run_study(Plan.parse(plan, base=images), images / "after")
    inside = [r.predictions.query("split != 'external'").reset_index(drop=True) for r in (first, second)]
    outside = [r.predictions.query("split == 'external'")["probability"].to_numpy() for r in (first, second)]
    pd.testing.assert_frame_equal(*inside, check_exact=True)
    assert (outside[0] != outside[1]).any()
    for name in ("thresholds", "tuning", "dropped", "ited_added", "volume_dependence"):
        path = f"tables/{name}.csv"
        assert (first.folder / path).read_bytes() == (second.folder / path).read_bytes(), name
    pd.testing.assert_frame_equal(first.selected, second.selected, check_exact=True)
