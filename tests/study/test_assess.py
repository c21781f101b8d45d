"""`isthmus segment assess`: pairs of files and folders, labels, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import CaseError, PlanError, TableError
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.study.assess import AssessSettings, assess_to_file, readers_to_file


def save(path: Path, width: int, *, label: int = 1, beside: int = 0, spacing: float = 1.0) -> Path:
    values = np.zeros((4, 12, 12), dtype=np.int16)
    values[1:3, 2 : 2 + width, 2:8] = label
    if beside:
        values[:, 11] = beside
    path.parent.mkdir(exist_ok=True)
    write_labels(LabelImage(values, Geometry(values.shape, (2.0, spacing, spacing))), path)
    return path


def table(out: Path) -> pd.DataFrame:
    return pd.read_csv(out).pivot(index="case", columns="metric", values="value")


def test_two_files_are_compared(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6), save(tmp_path / "b.nii.gz", 4)
    assert assess_to_file(a, b, tmp_path / "out.csv") == 0
    row = table(tmp_path / "out.csv").loc["b"]
    assert row["dice"] == pytest.approx(0.8)
    assert (row["modification"], row["acceptable"]) == (2, 0)


def test_folders_are_matched_by_name_and_what_is_alone_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for case in ("p1", "p2"):
        save(tmp_path / "a" / f"{case}.nii.gz", 6)
    for case in ("p2", "p3"):
        save(tmp_path / "b" / f"{case}.mha", 6)
    assert assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv") == 2
    assert list(table(tmp_path / "out.csv").index) == ["p2"]
    assert "case p1: no mask of this name in" in caplog.text
    assert "case p3: no mask of this name in" in caplog.text


def test_several_labels_are_not_taken_as_one_lesion(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6, label=11, beside=2), save(tmp_path / "b.nii.gz", 6, label=11, beside=2)
    with pytest.raises(CaseError, match="holds the labels 2, 11; say which is the lesion with --label"):
        assess_to_file(a, b, tmp_path / "out.csv")
    assess_to_file(a, b, tmp_path / "out.csv", chosen=AssessSettings(label=11))
    assert table(tmp_path / "out.csv").loc["b", "volume_ml"] == pytest.approx(2 * 6 * 6 * 2 / 1000)


def test_a_mask_without_the_label_is_an_empty_one(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6, label=11), save(tmp_path / "b.nii.gz", 0)
    assess_to_file(a, b, tmp_path / "out.csv", chosen=AssessSettings(label=11))
    assert table(tmp_path / "out.csv").loc["b", "dice"] == 0


def test_other_grids_are_refused_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for case, spacing in (("p1", 1.0), ("p2", 0.5)):
        save(tmp_path / "a" / f"{case}.nii.gz", 6)
        save(tmp_path / "b" / f"{case}.nii.gz", 6, spacing=spacing)
    assert assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv") == 1
    assert "case p2: the masks lie on different grids" in caplog.text


def test_folders_without_a_common_name_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a" / "p1.nii.gz", 6)
    save(tmp_path / "b" / "q1.nii.gz", 6)
    with pytest.raises(PlanError, match="has the name of one in"):
        assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv")


def test_a_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="two mask files or two folders"):
        assess_to_file(save(tmp_path / "a.nii.gz", 6), tmp_path, tmp_path / "out.csv")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six cases: masks of three readers (the third draws wider), images, a table of cases; two lesions in p0."""
    folder = tmp_path_factory.mktemp("masks")
    draw = np.random.default_rng(1)
    rows = ["case,patient,group,minutes"]
    for n in range(6):
        for reader, width in (("a", 5), ("b", 5 + n % 2), ("c", 6)):
            (folder / reader).mkdir(exist_ok=True)
            values = np.zeros((5, 16, 16), dtype=np.uint8)
            values[1:4, 2 : 2 + width + n % 3, 2 : 8 + n] = 11
            values[:, 15] = 2  # context that is no lesion
            if n == 0 and reader == "a":
                values[1:4, 12:14, 12:15] = 11
            geometry = Geometry(values.shape, (2.0, 1.0, 1.0))
            write_labels(LabelImage(values, geometry), folder / reader / f"p{n}.nii.gz")
        image = Image((draw.normal(20, 5, values.shape) + 3 * n * (values == 11)).astype(np.float32), geometry)
        write_image(image, folder / "images" / f"p{n}.nii.gz")
        rows.append(f"p{n},q{min(n, 4)},{'xy'[n >= 3]},{n + 1}")
    (folder / "cases.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.usefixtures("printed")
def test_folders_are_summed_up_and_drawn(cohort: Path, tmp_path: Path) -> None:
    """Beside the contract's table: summaries, lesions, groups, features, figures and a page that names the main numbers."""
    from isthmus.report.masks.page import mask_page

    out = tmp_path / "found.csv"
    chosen = AssessSettings(label=11, images=cohort / "images", draws=100, workers=1)
    assert (
        assess_to_file(cohort / "a", cohort / "b", out, chosen=chosen, cases=cohort / "cases.csv", draw=mask_page) == 0
    )
    long = pd.read_csv(out)
    assert list(long.columns) == ["case", "metric", "value"]
    assert table(out).loc["p3", "edit_minutes"] == 4
    made = {path.name for path in tmp_path.iterdir()}
    names = ("summary", "volume", "modification", "detection", "lesions", "groups", "features")
    assert {f"found.{name}.csv" for name in names} <= made
    assert {"mask_overlap.png", "mask_grades.svg", "mask_volume.pdf", "mask_features.svg"} <= {
        path.name for path in (tmp_path / "figures").iterdir()
    }
    page = (tmp_path / "found.html").read_text()
    assert "Of 7 lesions 6 were found" in page
    assert "measures the editing" in page


def test_lesions_have_a_row_each(cohort: Path, tmp_path: Path) -> None:
    """The one that only the reference has is missed."""
    assess_to_file(cohort / "a", cohort / "b", tmp_path / "f.csv", chosen=AssessSettings(label=11, draws=50))
    lesions = pd.read_csv(tmp_path / "f.lesions.csv")
    missed = lesions[lesions["kind"] == "missed"].iloc[0]
    assert (missed["case"], missed["volume_reference_ml"]) == ("p0", pytest.approx(0.036))
    assert len(lesions) == 7


def test_features_that_other_masks_leave_alone_have_an_icc_of_one(cohort: Path, tmp_path: Path) -> None:
    """A mask against itself; with other masks they have less."""
    found = {}
    for name in ("a", "c"):
        chosen = AssessSettings(label=11, images=cohort / "images", draws=50, workers=1)
        assess_to_file(cohort / "a", cohort / name, tmp_path / "f.csv", chosen=chosen)
        found[name] = pd.read_csv(tmp_path / "f.features.csv").set_index("feature")["icc"].dropna()
    assert (found["a"] == 1).all()
    assert found["c"].median() < 0.999


def test_readers_are_compared_two_by_two(cohort: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every pair of three readers, the ICC of the volume over all, and the generalised conformity index of a case by hand."""
    from isthmus.report.masks.page import mask_page

    out = tmp_path / "readers.csv"
    folders = [cohort / name for name in "abc"]
    assert (
        readers_to_file(
            folders, out, chosen=AssessSettings(label=11, draws=50), cases=cohort / "cases.csv", draw=mask_page
        )
        == 0
    )
    long = pd.read_csv(out)
    assert list(long.columns) == ["case", "first", "second", "metric", "value"]
    assert set(zip(long["first"], long["second"], strict=True)) == {("a", "b"), ("a", "c"), ("b", "c")}
    summed = pd.read_csv(tmp_path / "readers.summary.csv")
    assert set(summed["group"]) == {"a / b", "a / c", "b / c"}
    every = pd.read_csv(tmp_path / "readers.readers.csv").set_index("measure")
    jaccard = long[long["metric"] == "jaccard"].groupby("case")["value"].mean()
    assert every.loc["generalised conformity index", "estimate"] == pytest.approx(jaccard.mean(), abs=0.03)
    assert 0 < every.loc["ICC(2,1) of the volume", "estimate"] < 1
    assert "Agreement of 3 readers" in (tmp_path / "readers.html").read_text()


def test_a_case_that_a_reader_lacks_is_said(cohort: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And left out for all."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for n in range(3 if name == "a" else 2):
            (tmp_path / name / f"p{n}.nii.gz").write_bytes((cohort / name / f"p{n}.nii.gz").read_bytes())
    assert (
        readers_to_file([tmp_path / "a", tmp_path / "b"], tmp_path / "r.csv", chosen=AssessSettings(label=11, draws=50))
        == 1
    )
    assert "case p2: no mask of this name of b" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [("patient\nq", "no column case"), ("case\np1\np1", "p1 stands there twice"), ("case\np1", "no row of p0, p2")],
)
def test_a_table_of_cases_that_does_not_fit_is_refused(cohort: Path, tmp_path: Path, text: str, message: str) -> None:
    """With what is wrong."""
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        assess_to_file(
            cohort / "a",
            cohort / "b",
            tmp_path / "f.csv",
            chosen=AssessSettings(label=11),
            cases=tmp_path / "cases.csv",
        )


def test_settings_are_checked() -> None:
    """Tolerance and least IoU."""
    with pytest.raises(PlanError, match="--tolerance -1: millimetres"):
        AssessSettings(tolerance_mm=-1)
    with pytest.raises(PlanError, match="--least-iou 2: from 0 to 1"):
        AssessSettings(least_iou=2)
    with pytest.raises(PlanError, match="at least two folders"):
        readers_to_file([Path("a")], Path("out.csv"))
