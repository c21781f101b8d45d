"""Categories of the step 'representatives' from the facts of the columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.models.settings import ModelSettings
from isthmus.study import Plan
from isthmus.study.blocks import BlockData
from isthmus.study.categories import with_categories
from isthmus.study.run import run_study
from isthmus.table.features import ColumnMeta
from study.tables import feature_table, write_study


def block(*columns: ColumnMeta) -> BlockData:
    values = pd.DataFrame(np.zeros((2, len(columns))), columns=[meta.column for meta in columns])
    return BlockData(values, pd.Series(["P1", "P2"]), columns)


CT = block(
    ColumnMeta("a", filter="original", family="glcm"),
    ColumnMeta("b", filter="wavelet", family="glcm"),
    ColumnMeta("c", filter="original", family="shape"),
)
CLINICAL = block(ColumnMeta("age", family="clinical"))


def categories(spec: ModelSettings) -> object:
    assert spec.steps is not None
    return spec.steps[-1].settings.get("categories")  # type: ignore[union-attr]


def test_families_apart_by_filter_and_without_clinical_columns():
    """Where there are several filters the name of a category has the filter in front."""
    spec = ModelSettings(name="m", steps=["impute", "representatives"])
    assert categories(with_categories(spec, {"ct": CT, "clinical": CLINICAL}, ["ct", "clinical"])) == {
        "original glcm": ["ct.a"],
        "wavelet glcm": ["ct.b"],
        "original shape": ["ct.c"],
    }


def test_what_the_plan_says_stays():
    """Categories of the plan are not touched."""
    step = {"name": "representatives", "categories": {"mine": "a"}}
    spec = ModelSettings.model_validate({"name": "m", "steps": [step]})
    assert categories(with_categories(spec, {"ct": CT}, ["ct"])) == {"mine": "a"}


def test_a_study_with_representatives_and_its_stability(tmp_path: Path) -> None:
    """A ready table with categories by pattern runs to its model file; stability.csv has a row a model, the report a table."""
    plan = (
        '[table]\npath = "features.csv"\nid = "patient"\noutcome = "outcome"\ncentre = "centre"\n'
        '[[models]]\nname = "categories"\nestimator = "logistic"\n'
        'steps = ["impute", { name = "representatives", categories = { first = ["x0", "x1", "x2"], second = ["x4", "x5"] } }, "scale"]\n'
        '[[models]]\nname = "few"\nestimator = "lasso"\n'
        'steps = ["impute", "scale", { name = "stability", base = { name = "univariate", k = 2 }, samples = 20 }]\n'
        "[validate]\nfolds = 3\nrepeats = 1\ninner_folds = 3\nbootstrap = 100\n[audit]\npermutations = 0\n"
    )
    path = write_study(tmp_path, feature_table(60), plan)
    result = run_study(Plan.read(path), tmp_path / "run", workers=1)
    assert result.tables["stability"]["model"].tolist() == ["categories", "few"]


@pytest.mark.slow
def test_a_study_with_umap_says_whether_its_values_are_stable(tmp_path: Path) -> None:
    """tables/representatives.csv has a row a category, and calls stable what is 0.9 or more."""
    table = feature_table(80, 11)
    rng = np.random.default_rng(0)
    for column in ("x1", "x2"):
        table[column] = table["x0"] + 0.05 * rng.standard_normal(80)
    plan = (
        '[table]\npath = "features.csv"\nid = "patient"\noutcome = "outcome"\ncentre = "centre"\n'
        '[[models]]\nname = "umap"\nestimator = "logistic"\nsteps = ["impute", { name = "representatives", method = "umap", '
        'categories = { one = ["x0", "x1", "x2"], many = ["x3", "x4", "x5", "x6", "x7", "x8", "x9"] } }, "scale"]\n'
        "[validate]\nfolds = 3\nrepeats = 1\ninner_folds = 2\nbootstrap = 100\nthreshold = 0.5\n[audit]\npermutations = 0\n"
    )
    result = run_study(Plan.read(write_study(tmp_path, table, plan)), tmp_path / "run", workers=1)
    found = result.tables["representatives"].set_index("category")
    assert found.index.tolist() == ["one", "many"]
    assert ((found["stability"] >= 0.9) == (found["verdict"] == "stable")).all()
