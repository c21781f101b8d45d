"""isthmus.synthetic.cohort: a study on disk, the same for any number of patients and workers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from isthmus.image.io import read_acquisition, read_image, read_labels
from isthmus.synthetic import make_cohort
from isthmus.synthetic.cohort import SyntheticCohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> SyntheticCohort:
    return make_cohort(tmp_path_factory.mktemp("cohort"), patients=10)


@pytest.fixture(scope="module")
def table(cohort: SyntheticCohort) -> pd.DataFrame:
    return pd.read_csv(cohort.table, dtype={"patient": "str"})


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_same_files_for_any_workers_and_patients(cohort: SyntheticCohort, tmp_path: Path) -> None:
    """Four patients made by two threads are, byte for byte, the first four of the ten made by one."""
    few = make_cohort(tmp_path, patients=4, workers=2)
    whole = files(cohort.folder)
    part = {name: data for name, data in files(few.folder).items() if name.startswith(("images", "masks"))}
    assert part == {name: whole[name] for name in part}


def test_rows_do_not_depend_on_the_number_of_patients(cohort: SyntheticCohort, tmp_path: Path) -> None:
    """The case table of a smaller cohort is the beginning of the larger one's."""
    few = make_cohort(tmp_path, patients=2)
    assert cohort.table.read_text().startswith(few.table.read_text())


def test_seed_changes_the_patients(cohort: SyntheticCohort, tmp_path: Path) -> None:
    """Another seed gives another first patient."""
    other = make_cohort(tmp_path, patients=1, seed=2)
    name = "images/P0001_ct.nii.gz"
    assert (other.folder / name).read_bytes() != (cohort.folder / name).read_bytes()


def test_signal_changes_no_image(cohort: SyntheticCohort, tmp_path: Path) -> None:
    """A null cohort shows the same patients: only outcomes differ."""
    null = make_cohort(tmp_path, patients=1, null=True)
    name = "images/P0001_ct.nii.gz"
    assert (null.folder / name).read_bytes() == (cohort.folder / name).read_bytes()


def test_every_file_of_the_table_is_readable_on_one_grid(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """Image and mask of every row open and lie on one grid."""
    differences = [
        read_image(cohort.folder / row["image:ct"]).geometry.difference(
            read_labels(cohort.folder / row["mask:ct"]).geometry
        )
        for row in table.to_dict("records")
    ]
    assert differences == [None] * len(table)


def test_mask_lies_inside_the_body(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """No masked voxel is air: the lesion is neither outside the skin nor in the trachea."""
    lowest = [
        read_image(cohort.folder / row["image:ct"]).values[read_labels(cohort.folder / row["mask:ct"]).values > 0].min()
        for row in table.to_dict("records")
    ]
    assert min(lowest) > -300


def test_mask_is_one_lesion_of_the_stated_size(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """The lesion's height in the mask is the table's size, up to slices cut, bumps and the ruler."""
    error = []
    for row in table.to_dict("records"):
        mask = read_labels(cohort.folder / row["mask:ct"])
        slices = np.flatnonzero(mask.values.any(axis=(1, 2)))
        height = (slices[-1] - slices[0] + 1) * mask.geometry.spacing_mm[0]
        error.append(abs(height - row["tumour_size_mm"]) / row["tumour_size_mm"])
    assert max(error) < 0.3


def test_image_is_hounsfield_units_in_int16(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """CT numbers are whole, start at air and reach bone."""
    values = read_image(cohort.folder / table["image:ct"][0]).values
    assert values.dtype == np.int16
    assert values.min() < -950
    assert 400 < values.max() <= 3071


def test_centres_differ_in_what_their_scanners_say(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """Vendor, kernel and slice thickness of the sidecars are the centre's."""
    facts = pd.DataFrame([read_acquisition(cohort.folder / path) for path in table["image:ct"]])
    told = facts.groupby(table["centre"])[["vendor", "kernel", "slice_thickness_mm", "kvp"]]
    assert (told.nunique() == 1).all(axis=None)
    assert (told.first().nunique() == 2).all()


def test_centres_differ_in_noise(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """Neighbouring voxels of the air around the neck differ more at the second centre than at the first."""
    noise = pd.Series(
        [np.diff(read_image(cohort.folder / p).values[:, :4, :4], axis=2).std() for p in table["image:ct"]]
    )
    by_centre = noise.groupby(table["centre"])
    assert by_centre.min()["B"] > 1.3 * by_centre.max()["A"]


def test_truth_is_not_in_the_case_table(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """The case table shares only the patient, the centre with the truth: no plan can read the risk by accident."""
    assert set(table.columns) & set(cohort.truth.columns) == {"patient", "centre"}


def test_plan_names_only_columns_that_exist(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """Outcome, clinical columns and images of the plan stand in the case table."""
    plan = tomllib.loads(cohort.plan.read_text(encoding="utf-8"))
    named = [plan["cohort"]["outcome"], *plan["clinical"]["columns"]]
    named += [f"{kind}:{block['image']}" for block in plan["features"] for kind in ("image", "mask")]
    assert set(named) <= set(table.columns)


def test_plan_keeps_the_other_centres_external(tmp_path: Path) -> None:
    """With three centres, the first trains and the other two are external."""
    cohort = make_cohort(tmp_path, patients=1, centres=("Rome", "Wuhan", "Graz"))
    plan = tomllib.loads(cohort.plan.read_text(encoding="utf-8"))
    assert plan["validate"]["external"] == {"centre": ["Wuhan", "Graz"]}


@pytest.mark.parametrize("ending", ["nii", "nrrd", "mha"])
def test_formats_hold_the_same_voxels(cohort: SyntheticCohort, tmp_path: Path, ending: str) -> None:
    """The same patient in another format has the same values in the same place."""
    other = make_cohort(tmp_path, patients=1, formats=(ending,))
    ours = read_image(other.folder / f"images/P0001_ct.{ending}")
    assert ours.fingerprint == read_image(cohort.folder / "images/P0001_ct.nii.gz").fingerprint


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    """The message names what came and what is known."""
    with pytest.raises(ValueError, match=r"formats = \('dcm',\): expected some of nii.gz"):
        make_cohort(tmp_path, patients=1, formats=("dcm",))


def test_planted_texture_can_be_measured_in_the_images(cohort: SyntheticCohort, table: pd.DataFrame) -> None:
    """Through scanner, noise and file, the spread of values in the mask still follows the texture part."""
    spread = [
        read_image(cohort.folder / row["image:ct"]).values[read_labels(cohort.folder / row["mask:ct"]).values > 0].std()
        for row in table.to_dict("records")
    ]
    assert spearmanr(spread, cohort.truth["texture"]).statistic > 0.6
