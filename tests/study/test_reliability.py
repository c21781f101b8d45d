"""[select] reliability through a whole study, from tables and from perturbed images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import isthmus
from isthmus.errors import PlanError
from isthmus.image.io import from_array, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.report.tables.reliability import lesions_view
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.extract import extract_to_file
from isthmus.study.run import run_study
from isthmus.synthetic import make_cohort
from study.structured import write_blob_study
from study.tables import feature_table, write_study

PLAN = """
[table]
path = "features.csv"
outcome = "outcome"
ignore = ["centre"]

[select]
reliability = { repeats = "repeats.csv", on = "estimate" }

[[models]]
name = "m"
estimator = "logistic"
settings = { C = 1.0 }

[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 100

[audit]
permutations = 0
"""


def repeats(table: pd.DataFrame, seed: int = 4) -> pd.DataFrame:
    """Two more measurements of everybody; x7 does not come out again."""
    rng = np.random.default_rng(seed)
    names = [f"x{n}" for n in range(8)]
    noise = np.where(np.arange(8) == 7, 3.0, 0.1)
    parts = []
    for repeat in "12":
        again = table[["patient", *names]].assign(repeat=repeat)
        again[names] += noise * rng.normal(size=(len(table), 8))
        parts.append(again)
    return pd.concat(parts)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A feature table of sixty, and their repeats."""
    folder = tmp_path_factory.mktemp("reliable")
    table = feature_table()
    repeats(table).to_csv(folder / "repeats.csv", index=False)
    return run_study(Plan.read(write_study(folder, table, PLAN)), folder / "run", workers=1)


def test_the_unreliable_feature_is_in_no_model(finished: Result) -> None:
    """Dropped with the reason, in the final model and in every fold."""
    assert "x7" not in set(finished.selected["feature"])
    dropped = finished.tables["dropped"].set_index(finished.tables["dropped"].columns[1]).loc["x7"]
    assert "reliability: ICC(2,1)" in " ".join(dropped.astype(str))


def test_the_table_has_every_feature_and_threshold(finished: Result) -> None:
    """ICC, limits, cosine and what 0.75, 0.80 and 0.90 would keep."""
    table = finished.tables["reliability"].set_index("feature")
    assert (len(table), table.loc["x7", "kept"], table.loc["x0", "lower_0.90"]) == (8, False, True)


def test_the_report_has_the_section(finished: Result) -> None:
    """Counts per threshold, and the features."""
    page = isthmus.report(finished).read_text()
    assert "do the features come out again?" in page
    assert "7 of 8" in page


def test_the_repeats_are_part_of_the_record(finished: Result) -> None:
    """Their hash is among the inputs."""
    assert "repeats.csv" in finished.provenance["inputs"]


def test_the_model_file_holds_no_path_of_this_machine(finished: Result) -> None:
    """What is sent elsewhere does not say where the run lay."""
    import zipfile

    with zipfile.ZipFile(finished.folder / "model.isthmus") as archive:
        text = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", errors="ignore")
    assert str(finished.folder) not in text


def test_held_out_patients_repeats_change_nothing_in_their_fold(tmp_path: Path) -> None:
    """L13 through a study: spoil the repeats of one fold's test patients; what that fold learned stays the same."""
    table = feature_table()
    results = {}
    honest = repeats(table)
    for name in ("honest", "spoilt"):
        folder = tmp_path / name
        folder.mkdir()
        mine = honest.copy()
        if name == "spoilt":
            folds = results["honest"].predictions.query("split == 'cv'")
            test = set(folds.loc[folds["fold"] == 1, "patient"])
            rows = mine["patient"].isin(test)
            mine.loc[rows, "x0"] += np.random.default_rng(1).normal(0, 50, rows.sum())
        mine.to_csv(folder / "repeats.csv", index=False)
        results[name] = run_study(Plan.read(write_study(folder, table, PLAN)), folder / "run", workers=1)
    first = [r.predictions.query("split == 'cv' and fold == 1")["probability"].tolist() for r in results.values()]
    others = [r.predictions.query("split == 'cv' and fold == 2")["probability"].tolist() for r in results.values()]
    assert first[0] == first[1]
    assert others[0] != others[1]  # where they train, they count


def test_two_blocks_need_to_say_whose_repeats_they_are() -> None:
    """One table and two blocks of features: whose?"""
    document = {
        "cohort": {"table": "c.csv", "outcome": "y"},
        "features": [{"name": "ct", "image": "ct"}, {"name": "mr", "image": "mr"}],
        "select": {"reliability": {"repeats": "r.csv"}},
    }
    with pytest.raises(PlanError, match="Say whose it is"):
        Plan.parse(document)


def test_check_says_that_the_table_is_not_there(tmp_path: Path) -> None:
    """Before a night is spent on the images."""
    found = check_plan(write_study(tmp_path, feature_table(), PLAN))
    assert any("no such table of repeats" in str(problem) for problem in found.problems)


def test_a_block_that_does_not_exist_is_an_error() -> None:
    """A misspelt block."""
    document = {
        "cohort": {"table": "c.csv", "outcome": "y"},
        "features": [{"name": "ct", "image": "ct"}],
        "select": {"reliability": {"repeats": {"mr": "r.csv"}}},
    }
    with pytest.raises(PlanError, match="unknown block 'mr'"):
        Plan.parse(document)


@pytest.mark.slow
def test_from_perturbed_images_to_a_model(tmp_path: Path) -> None:
    """`isthmus extract --perturb`, then a plan that names what it wrote: features that move with contour and noise are gone."""
    make_cohort(tmp_path, patients=12, seed=3, workers=2)
    cases = pd.read_csv(tmp_path / "cases.csv", dtype="str")
    cases["metastasis"] = [str(n % 2) for n in range(len(cases))]
    cases.to_csv(tmp_path / "cases.csv", index=False)
    extract_to_file(
        tmp_path / "repeats.parquet",
        cases=tmp_path / "cases.csv",
        perturb=["contours=true", "noise=true"],
        workers=2,
    )
    plan = """
    [cohort]
    table = "cases.csv"
    outcome = "metastasis"
    [[features]]
    name = "ct"
    image = "ct"
    [select]
    reliability = { repeats = "repeats.parquet", form = "1,1", on = "estimate" }
    [[models]]
    name = "m"
    estimator = "logistic"
    settings = { C = 1.0 }
    [validate]
    folds = 2
    repeats = 1
    inner_folds = 2
    bootstrap = 100
    [audit]
    permutations = 0
    """
    (tmp_path / "plan.toml").write_text(plan)
    result = run_study(Plan.read(tmp_path / "plan.toml"), tmp_path / "run", workers=1)
    table = result.tables["reliability"]
    assert 20 < table["kept"].astype(str).eq("True").sum() < len(table)
    assert table["icc"].dropna().max() > 0.95


# ---- masks drawn again


AGAIN = """
[cohort]
table = "cases.csv"
outcome = "outcome"

[[features]]
name = "ct"
image = "ct"
families = ["firstorder"]
bin_width = 25

[select]
reliability = { repeats = "readers.csv", on = "estimate", at_least = 0.5 }

[[models]]
name = "m"
estimator = "logistic"
settings = { C = 1.0 }

[validate]
folds = 2
repeats = 1
bootstrap = 100

[audit]
permutations = 0
controls = []

[report]
pictures = 0
embedding = "none"
"""


@pytest.fixture
def drawn_again(tmp_path: Path) -> Path:
    """Twelve balls of different intensity, each drawn twice: the second reader draws wider."""
    rng = np.random.default_rng(5)
    places = np.indices((12, 16, 16)).transpose(1, 2, 3, 0) - np.array([5.5, 7.5, 7.5])
    distance = np.sqrt((places**2).sum(axis=-1))
    rows, readers = [], []
    for number in range(12):
        values = np.where(distance < 4.5, 100.0 + 40 * number, 0.0) + rng.normal(0, 10, distance.shape)
        image = from_array(values.astype(np.float32), (1.0, 1.0, 1.0))
        write_image(image, tmp_path / f"{number}.nii.gz")
        for reader, radius in ((1, 3.2), (2, 4.0)):
            drawn = LabelImage((distance < radius).astype(np.uint8), image.geometry)
            write_labels(drawn, tmp_path / f"{number}_{reader}.nii.gz")
            files = {"image:ct": f"{number}.nii.gz", "mask:ct": f"{number}_{reader}.nii.gz"}
            readers.append({"patient": f"p{number:02d}", "repeat": reader, **files})
        rows.append({**readers[-2], "outcome": number % 2})
    pd.DataFrame(rows).drop(columns="repeat").to_csv(tmp_path / "cases.csv", index=False)
    pd.DataFrame(readers).to_csv(tmp_path / "readers.csv", index=False)
    (tmp_path / "plan.toml").write_text(AGAIN, encoding="utf-8")
    return tmp_path


def test_masks_drawn_again_are_measured(drawn_again: Path):
    """The mean comes out again in the wider outline, the sum of squares, which grows with it, less."""
    run_study(Plan.read(drawn_again / "plan.toml"), drawn_again / "run", workers=1)
    icc = pd.read_csv(drawn_again / "run" / "tables" / "reliability.csv").set_index("feature")["icc"]
    assert icc["original_firstorder_Mean"] > 0.99
    assert icc["original_firstorder_TotalEnergy"] < icc["original_firstorder_Mean"]


def test_lesions_measured_again_in_two_blocks_are_one_row_each(drawn_again: Path):
    """The same patients and repeats twice, once a block: both blocks are judged, on twelve lesions."""
    text = (drawn_again / "plan.toml").read_text(encoding="utf-8")
    other = '[[features]]\nname = "coarse"\nimage = "ct"\nfamilies = ["firstorder"]\nbin_width = 50\n\n[select]'
    both = '{ ct = "readers.csv", coarse = "readers.csv" }'
    text = text.replace("[select]", other).replace('repeats = "readers.csv"', f"repeats = {both}")
    (drawn_again / "plan.toml").write_text(text, encoding="utf-8")
    run_study(Plan.read(drawn_again / "plan.toml"), drawn_again / "run", workers=1)
    table = pd.read_csv(drawn_again / "run" / "tables" / "reliability.csv")
    blocks = table["feature"].str.partition(".")[0]
    assert table.groupby(blocks)["cases"].agg(["size", "min"]).to_dict("index") == {
        "ct": {"size": 18, "min": 12},
        "coarse": {"size": 18, "min": 12},
    }


def test_check_leaves_masks_drawn_again_to_the_run(drawn_again: Path):
    """A case table is no table of features."""
    found = check_plan(drawn_again / "plan.toml", workers=1).problems
    assert [problem.what for problem in found if problem.severity == "error"] == []


def test_repeats_without_the_mask_of_the_block_are_refused(drawn_again: Path):
    """The column that is missing is named."""
    table = pd.read_csv(drawn_again / "readers.csv").rename(columns={"mask:ct": "mask:pet"})
    table.to_csv(drawn_again / "readers.csv", index=False)
    with pytest.raises(PlanError, match="mask:ct"):
        run_study(Plan.read(drawn_again / "plan.toml"), drawn_again / "run", workers=1)


def test_a_frozen_network_from_perturbed_lesions_to_a_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`isthmus deep extract --perturb`, then a plan that names what it wrote: features that do not come out again are in no model, each has
    its ICC and class, each lesion its cosine; lesions below the limit are named and stay."""
    pytest.importorskip("torch")
    from isthmus.study.deep import deep_extract_settings, deep_to_file

    write_blob_study(tmp_path, patients=12, second_centre=12, shape=(6, 20, 22))
    said = {"network": "resnet10_narrow", "weights": "random"}
    deep_to_file(
        tmp_path / "repeats.parquet",
        deep_extract_settings(**said, settings=["crop.size=16", "encoder.layer=layer2"]),
        cases=tmp_path / "cases.csv",
        perturb=["rotations_deg=[-3,3]"],
        workers=1,
    )
    plan = """
    [cohort]
    table = "cases.csv"
    outcome = "metastasis"
    [[features]]
    name = "deep"
    kind = "deep"
    image = "ct"
    [deep]
    encoder = { network = "resnet10_narrow", layer = "layer2", weights = { origin = "random" } }
    crop = { size = 16 }
    [select]
    reliability = { repeats = "repeats.parquet", on = "estimate", at_least = 0.5, lesion_cosine = 0.6 }
    [[models]]
    name = "m"
    estimator = "logistic"
    settings = { C = 1.0 }
    [validate]
    folds = 2
    repeats = 1
    inner_folds = 2
    bootstrap = 100
    [audit]
    permutations = 0
    controls = []
    [report]
    pictures = 0
    embedding = "none"
    """
    (tmp_path / "plan.toml").write_text(plan)
    result = run_study(Plan.read(tmp_path / "plan.toml"), tmp_path / "run", workers=1)
    features, lesions = result.tables["reliability"], result.tables["lesion_reliability"]
    kept = features["kept"].astype(str) == "True"
    alone = pd.read_csv(tmp_path / "repeats.reliability.csv").set_index("feature")
    assert (len(features), 0 < kept.sum() < 16) == (16, True)
    weighed = result.selected.loc[result.selected[["coefficient", "importance"]].notna().any(axis=1), "feature"]
    assert set(weighed) == set(features.loc[kept, "feature"])
    assert features.set_index("feature")["class"].fillna("").to_dict() == alone["class"].fillna("").to_dict()
    cosine = pd.read_csv(tmp_path / "repeats.cosine.csv").set_index("row")["centred_mean"]
    np.testing.assert_allclose(lesions.set_index("lesion")["centred_mean"], cosine.loc[lesions["lesion"]], atol=1e-6)
    low = lesions["low"].astype(str) == "True"
    assert low.tolist() == (lesions["centred_mean"].astype(float) < 0.6).tolist()
    assert 0 < low.sum() < 12
    assert f"{low.sum()} of 12 lesions" in caplog.text
    view = lesions_view(result)
    assert view is not None
    assert (view.frame["Low"] == "yes").sum() == low.sum()
