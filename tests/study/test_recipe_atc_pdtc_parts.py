"""The parts of the recipe on tables small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.models.settings import ModelSettings
from isthmus.stats.groups import fisher_exact, mann_whitney, student_t
from isthmus.study.blocks import BlockData, families_of
from isthmus.study.families import with_families
from isthmus.study.recipes.atc_pdtc import published
from isthmus.study.recipes.atc_pdtc.characteristics import characteristics
from isthmus.study.recipes.atc_pdtc.groups import members
from isthmus.study.recipes.atc_pdtc.important import curves_of
from isthmus.study.recipes.atc_pdtc.operating import _on_the_test_curve
from isthmus.study.recipes.atc_pdtc.representatives import represent
from isthmus.table import ColumnMeta
from isthmus.validate.splits import Split

HISTOLOGY = pd.Series(["ATC/PDTC"] * 4 + ["PTC"] * 5 + ["FTC"] * 3, index=[f"p{i}" for i in range(12)])


@pytest.fixture
def clinical() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    spread = ["present"] * 3 + ["absent"] * 9
    return pd.DataFrame({"age_years": rng.normal(50, 9, 12), "distant_metastasis": spread}, index=HISTOLOGY.index)


def test_dtc_is_ptc_and_ftc():
    """The differentiated carcinomas are both kinds together."""
    groups = members(HISTOLOGY)
    np.testing.assert_array_equal(groups["DTC"], groups["PTC"] | groups["FTC"])


@pytest.mark.parametrize("group", ["DTC", "PTC", "FTC"])
def test_numbers_are_compared_by_students_t(clinical, group):
    """p of a number is Student's, of ATC/PDTC against each group."""
    found = characteristics(clinical, HISTOLOGY, seed=1).set_index("variable").loc["age_years", f"p {group}"]
    groups = members(HISTOLOGY)
    assert found == student_t(clinical["age_years"][groups["ATC/PDTC"]], clinical["age_years"][groups[group]]).p


def test_categories_are_compared_by_fishers_test(clinical):
    """3 of 4 against 0 of 5."""
    found = characteristics(clinical, HISTOLOGY, seed=1).set_index("variable").loc["distant_metastasis", "p PTC"]
    assert found == pytest.approx(fisher_exact([[3, 0], [1, 5]]).p, abs=1e-15)


def test_shares_are_printed(clinical):
    """n (%) of the second level of two."""
    row = characteristics(clinical, HISTOLOGY, seed=1).set_index("variable").loc["distant_metastasis"]
    assert (row["level"], row["ATC/PDTC"], row["DTC"]) == ("present", "3 (75.0)", "0 (0.0)")


@pytest.mark.parametrize("model", published.PRINTED)
def test_printed_rates_agree_only_with_dtc_as_the_positive_class(model):
    """Accuracy from the printed sensitivity and specificity: right with 98 positives, wrong by more than 0.05 with 32."""
    rates = published.PRINTED[model]
    dtc, atc = ((a * rates["sensitivity"] + b * rates["specificity"]) / 130 for a, b in ((98, 32), (32, 98)))
    assert dtc == pytest.approx(rates["accuracy"], abs=0.001)
    assert abs(atc - rates["accuracy"]) > 0.05


def test_youden_on_the_test_curve():
    """The best corner of a curve by hand: sensitivity 1, specificity 3/4."""
    part = pd.DataFrame(
        {
            "patient": list("abcdef"), "repeat": 1, "fold": 1, "outcome": [1, 1, 0, 0, 0, 0],
            "probability": [0.9, 0.6, 0.7, 0.4, 0.3, 0.2],
        }
    )  # fmt: skip
    found = _on_the_test_curve(part)
    assert (found["sensitivity"], found["specificity"]) == (1.0, 0.75)
    assert found["ppv"] == pytest.approx(2 / 3, abs=1e-12)


def test_a_representative_tells_separated_groups_apart():
    """Two features that carry the group: Wilcoxon's p of the value is that of complete separation."""
    shift = (HISTOLOGY == "ATC/PDTC").to_numpy() * 20.0
    rng = np.random.default_rng(2)
    X = pd.DataFrame(
        {"a": shift + rng.normal(size=12), "b": shift + rng.normal(size=12), "c": 1.0}, index=HISTOLOGY.index
    )
    made = represent(X, {"glcm": ["a", "b"], "constant": ["c"]}, HISTOLOGY, umap_runs=0, seed=1)
    assert made.categories["category"].tolist() == ["glcm"]
    assert made.categories["p_DTC"].item() == mann_whitney(np.arange(8, 12), np.arange(8)).p


def test_a_curve_in_folds_learns_its_direction_from_training_rows():
    """In a fold whose training rows point the other way, the held-out AUC is below one half."""
    X = pd.DataFrame({"v": [1.0, 2, 3, 4, 4, 3, 2, 1]}, index=list("abcdefgh"))
    y = pd.Series([0, 0, 1, 1, 0, 0, 1, 1], index=X.index)
    split = Split(1, 1, tuple("abcd"), tuple("efgh"))
    assert curves_of(X, y, [split], ["v"])[1]["cross-validated"] == 0.0


def block(family: str, *columns: str, image: str = "ct") -> BlockData:
    rows = pd.Index(["p"], name="patient")
    metas = tuple(ColumnMeta(column=c, image=image, family=family, feature=c) for c in columns)
    return BlockData(pd.DataFrame(0.0, index=rows, columns=list(columns)), pd.Series(["p"], index=rows), metas)


def test_families_of_a_matrix():
    """Features by family; a clinical column is its own, under its own name."""
    blocks = {"radiomics": block("glcm", "x", "y"), "clinical": block("clinical", "age")}
    found = families_of(blocks, ["radiomics", "clinical"])
    assert found == {"glcm": ["radiomics.x", "radiomics.y"], "age": ["clinical.age"]}


def test_families_of_two_blocks_are_kept_apart():
    """The block's name stands in front where two blocks have the family."""
    blocks = {"mr": block("glcm", "x", image="mr"), "pet": block("glcm", "x", image="mr")}
    assert families_of(blocks, ["mr", "pet"]) == {"mr glcm": ["mr.x"], "pet glcm": ["pet.x"]}


def test_family_in_a_plan_becomes_its_columns():
    """`groups = "family"` is replaced by what the study knows."""
    spec = ModelSettings(name="m", estimator="quantile_forest", settings={"groups": "family"})
    assert with_families(spec, {"glcm": ["x"]}).settings["groups"] == {"glcm": ["x"]}
