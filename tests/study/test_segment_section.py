"""[segment] of a plan: the run draws the masks that are missing, and notes whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.image import Geometry, Image
from isthmus.image.io import read_labels, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.report.checklists import answered
from isthmus.report.manuscript import draft
from isthmus.report.tables import masks
from isthmus.report.warnings import warnings_for
from isthmus.roi.origin import MaskOrigin, read_origin, write_origin
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.run import excluded_by_error, run_shard, run_study

LIGHT = {"folds": 2, "repeats": 1, "inner_folds": 2, "bootstrap": 100}
FEATURES = ["shape_VoxelVolume", "firstorder_Mean", "firstorder_Entropy", "glcm_Contrast"]
UNDRAWN = ("p08", "p09", "p10", "p11")


def _lesion(folder: Path, number: int) -> None:
    """A bright ball in noise, brighter where the outcome is 1; its mask by hand, and for two of them a file that says so."""
    rng = np.random.default_rng(number)
    k, j, i = np.ogrid[:8, :20, :20]
    inside = ((k - 4) * 2) ** 2 + (j - 10) ** 2 + (i - 10) ** 2 <= (16 + 3 * (number % 4))
    values = rng.normal(0, 8, inside.shape) + inside * (90 + 30 * (number % 2))
    geometry = Geometry(inside.shape, (2.0, 1.0, 1.0))
    write_image(Image(np.round(values).astype(np.int16), geometry), folder / f"p{number:02d}.nii.gz")
    if f"p{number:02d}" not in UNDRAWN:
        path = folder / f"p{number:02d}_mask.nii.gz"
        write_labels(LabelImage(inside.astype(np.uint8), geometry), path)
        if number < 2:
            write_origin(MaskOrigin.of(inside, "manual"), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve patients, eight masks, clicks for three of the other four; the last one's click lies outside the image."""
    folder = tmp_path_factory.mktemp("study")
    for number in range(12):
        _lesion(folder, number)
    names = [f"p{number:02d}" for number in range(12)]
    pd.DataFrame({
        "patient": names, "y": [number % 2 for number in range(12)], "image:mr": [f"{name}.nii.gz" for name in names],
        "mask:mr": [None if name in UNDRAWN else f"{name}_mask.nii.gz" for name in names],
    }).to_csv(folder / "cases.csv", index=False)  # fmt: skip
    (folder / "seeds.csv").write_text("case,k,j,i\np08,4,10,10\np09,4,10,10\np10,4,10,10\np11,4,10,99\n")
    return folder


def _document(**segment: Any) -> dict[str, Any]:
    said = {"method": "threshold", "seeds": "seeds.csv", "settings": {"rule": "fixed", "lower": 50}, **segment}
    return {
        "cohort": {"table": "cases.csv", "outcome": "y"},
        "segment": {key: value for key, value in said.items() if value is not None},
        "features": [{"name": "mr", "image": "mr", "profile": "pyradiomics", "features": FEATURES, "bin_width": 10}],
        "models": [{"name": "logistic", "estimator": "logistic", "settings": {"C": 1.0}}],
        "validate": LIGHT,
        "audit": {"permutations": 0},
    }  # fmt: skip


@pytest.fixture(scope="module")
def found(folder: Path) -> Result:
    return run_study(Plan.parse(_document(), base=folder), folder / "run", workers=1)


def test_the_masks_that_were_missing_are_drawn(folder: Path, found: Result) -> None:
    """Beside each its origin: grown by this method; nothing is drawn for those that have one."""
    origins = {path.name[:3]: read_origin(path) for path in (folder / "run" / "masks").glob("*.nii.gz")}
    kinds = {name: (origin.kind, origin.facts["method"]) for name, origin in origins.items() if origin}
    assert kinds == dict.fromkeys(UNDRAWN[:3], ("semi-automatic", "threshold"))


def test_a_mask_that_cannot_be_drawn_is_an_exclusion(found: Result) -> None:
    """The case is named with the step and the reason, the others go on, and the run says that a case failed."""
    row = found.cases.set_index("row").loc["p11"]
    assert (row["status"], row["step"], "lies outside the image" in row["reason"], excluded_by_error(found)) == (
        "excluded", "segment", True, True,
    )  # fmt: skip


def test_every_case_says_where_its_mask_comes_from(found: Result) -> None:
    """What the file beside the mask says, unknown without one, and what the run drew; nothing where there is no mask."""
    said = found.cases.set_index("row")["mask_origin"].fillna("").to_dict()
    assert said == {
        **{f"p{n:02d}": "manual" if n < 2 else "unknown" for n in range(8)}, **dict.fromkeys(UNDRAWN[:3], "semi-automatic"), "p11": "",
    }  # fmt: skip


def test_features_are_measured_on_the_drawn_masks(folder: Path, found: Result) -> None:
    """The voxels counted in the mask times their volume is the feature."""
    values = pd.read_parquet(folder / "run" / "features" / "mr.parquet").set_index("patient")
    volume = values.loc["p08", "original_shape_VoxelVolume"]
    assert volume == pytest.approx(2.0 * (read_labels(folder / "run" / "masks" / "p08.nii.gz").values > 0).sum())


def test_the_table_of_origins_counts_the_masks_by_outcome(found: Result) -> None:
    """Each way once, with how many of either class."""
    table = found.tables["masks"]
    assert table[["origin", "method", "masks", "y = 0", "y = 1"]].to_numpy().tolist() == [
        ["manual", "case table", 2, 1, 1], ["semi-automatic", "threshold", 3, 2, 1], ["unknown", "case table", 6, 3, 3],
    ]  # fmt: skip


def test_a_run_that_goes_on_draws_nothing_again(folder: Path, found: Result) -> None:
    """Resumed: the same bytes, written then; even a mask whose case failed before is looked at again."""
    drawn = sorted((folder / "run" / "masks").glob("*.nii.gz"))
    before = [path.stat().st_mtime_ns for path in drawn]
    run_study(Plan.parse(_document(), base=folder), folder / "run", resume=True, workers=1)
    assert [path.stat().st_mtime_ns for path in drawn] == before


def test_check_says_how_many_would_be_drawn(folder: Path) -> None:
    """And draws nothing; a case that no click belongs to would be left out."""
    clicks = (folder / "seeds.csv").read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(clicks[:-1]) + "\n")
    path = folder / "plan.toml"
    path.write_text(Plan.parse(_document(seeds="few.csv"), base=folder).dump())
    said = check_plan(path, workers=1)
    parts = ("masks of 4 of 12 cases would be drawn by threshold from the clicks of few.csv", "case p11: no seed")
    assert (said.exit_code, [part in said.as_text() for part in parts]) == (1, [True, True])


def test_the_report_says_whose_the_masks_were(found: Result) -> None:
    """In a table, in the methods and in the checklists; and that masks of several origins may mislead."""
    view = masks.view(found)
    clear = answered(found)["clear"].view.frame.set_index("Item").loc["19"]
    assert (
        view is not None and view.frame["Masks"].tolist()[1] == "grown from clicks",
        any("were not all drawn in one way" in one.text for one in warnings_for(found)),
        "The masks of 3 cases were grown from clicks by the method" in draft(found).markdown("A study"),
        "3 semi-automatic (threshold)" in str(clear.to_dict()),
    ) == (True,) * 4  # fmt: skip


def test_all_masks_are_drawn_where_the_plan_says_so(folder: Path, tmp_path: Path) -> None:
    """missing = false: those of the table are not even read; without a click no mask."""
    plan = Plan.parse(_document(missing=False), base=folder)
    (folder / "all.csv").write_text("case,k,j,i\n" + "".join(f"p{n:02d},4,10,10\n" for n in range(11)))
    said = plan.model_copy(update={"segment": plan.segment.model_copy(update={"seeds": "all.csv"})})  # type: ignore[union-attr]
    said._base = folder
    cases = run_study(said, tmp_path / "run", workers=1).cases
    assert cases["mask_origin"].fillna("").value_counts().to_dict() == {"semi-automatic": 11, "": 1}


def test_shards_draw_the_masks_of_their_own_cases(folder: Path, tmp_path: Path) -> None:
    """Two parts, and the run that collects them draws nothing again."""
    plan = Plan.parse(_document(), base=folder)
    for part in ("1/2", "2/2"):
        run_shard(plan, tmp_path / "run", part, workers=1)
    drawn = sorted((tmp_path / "run" / "masks").glob("*.nii.gz"))
    before = [path.stat().st_mtime_ns for path in drawn]
    run_study(plan, tmp_path / "run", resume=True, workers=1)
    assert (len(drawn), [path.stat().st_mtime_ns for path in drawn]) == (3, before)


def test_a_folder_of_other_masks_is_not_written_into(folder: Path, tmp_path: Path) -> None:
    """Masks by hand that lie in RUN/masks stay."""
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "p08.nii.gz").write_text("by hand")
    with pytest.raises(PlanError, match="nothing is overwritten"):
        run_study(Plan.parse(_document(), base=folder), tmp_path, workers=1)
    assert (tmp_path / "masks" / "p08.nii.gz").read_text() == "by hand"


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ({"model": "m"}, "say who draws"),
        ({"method": None}, "say who draws"),
        ({"seeds": None}, "needs seeds"),
        ({"method": "thresholds"}, "method 'thresholds' is not known"),
        ({"settings": {"lowest": 3}}, "lowest"),
        ({"overlap": 0.3}, "overlap belongs to a network"),
        ({"mask": "ct"}, r"mask = 'ct': no block uses it"),
        ({"imge": "mr"}, "Did you mean 'image'"),
    ],
)
def test_what_cannot_be_drawn_is_said(segment: dict[str, Any], message: str) -> None:
    """When the plan is read, with the key."""
    with pytest.raises(PlanError, match=message):
        Plan.parse(_document(**segment))


def test_a_network_that_is_not_there_is_an_error(folder: Path, tmp_path: Path) -> None:
    """Named with the section, and the run that could not begin does not stand in the way."""
    pytest.importorskip("torch")
    document = _document(method=None, seeds=None, settings=None, model="nowhere")
    with pytest.raises(PlanError, match=r"\[segment\] .*training\.json is missing"):
        run_study(Plan.parse(document, base=folder), tmp_path / "run", workers=1)
