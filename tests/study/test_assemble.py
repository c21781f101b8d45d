"""A study put together from a folder, a table and choices: what is guessed, what is matched, what is written."""

from pathlib import Path

import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.study import Plan
from isthmus.study.assemble import Choices, ImageChoice, assemble, guess_columns, joined_cases, look
from isthmus.table.reading import read_frame


def clinic(names=("P1", "P2", "P3", "P4")) -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {
            "Patient ID": list(names),
            "Hospital": ["A", "B"] * (n // 2),
            "M1": ["no", "yes"] * (n // 2),
            "follow_up_months": [str(3 + i) for i in range(n)],
            "age": [str(50 + i % 3) for i in range(n)],
            "remark": [f"text {i}" for i in range(n)],
        }
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four patients, each a folder with a CT and a mask (empty files: only names are looked at), and a table beside them."""
    for name in ("P1", "P2", "P3", "P4"):
        (tmp_path / "scans" / name).mkdir(parents=True)
        for file in ("ct.nii.gz", "ct_mask.nii.gz"):
            (tmp_path / "scans" / name / file).touch()
    clinic().to_csv(tmp_path / "scans" / "clinic.csv", index=False)
    return tmp_path / "scans"


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("Patient ID", "patient"),
        ("Hospital", "centre"),
        ("follow_up_months", "time"),
        ("age", "clinical"),
        ("remark", "ignore"),
    ],
)
def test_columns_are_guessed(column, role):
    """By what they are called and what they hold."""
    assert {guess.name: guess.role for guess in guess_columns(clinic())}[column] == role


def test_an_outcome_may_be_what_has_two_values():
    """A column of yes and no can be the outcome, whatever it is called; an age cannot."""
    found = {guess.name: guess.may_be_outcome for guess in guess_columns(clinic())}
    assert (found["M1"], found["age"]) == (True, False)


def test_a_folder_is_looked_at(folder):
    """Images with their masks, and the table beside them."""
    found = look(folder)
    assert (len(found.cases), found.images, [path.name for path in found.tables]) == (4, ["ct"], ["clinic.csv"])


def test_a_folder_without_images_says_why(tmp_path):
    """Nothing found is not an error but a reason."""
    assert "no image with a mask" in look(tmp_path).why


def test_patients_without_a_partner_are_named(folder):
    """Left out, and said so: images without a row, rows without images."""
    table = clinic(("P1", "P2", "P3", "P9"))
    joined, notes = joined_cases(look(folder).cases, table, "Patient ID")
    assert (len(joined), any("P4" in note for note in notes), any("P9" in note for note in notes)) == (3, True, True)


def test_names_that_differ_in_zeros_are_matched_and_said(folder):
    """p-01 is P1, and the user is told to look through it."""
    joined, notes = joined_cases(look(folder).cases, clinic(("p-01", "p-02", "p-03", "p-04")), "Patient ID")
    assert (joined["M1"].tolist(), "leading zeros" in notes[0]) == (["no", "yes", "no", "yes"], True)


def test_nobody_in_common_is_an_error(folder):
    """With the names of both sides."""
    with pytest.raises(TableError, match="X1.*P1"):
        joined_cases(look(folder).cases, clinic(("X1", "X2", "X3", "X4")), "Patient ID")


def test_a_patient_twice_is_an_error(folder):
    """One row a patient is expected."""
    with pytest.raises(TableError, match="more than once"):
        joined_cases(look(folder).cases, clinic(("P1", "P1", "P3", "P4")), "Patient ID")


def choices(folder, **more) -> Choices:
    said = {"images": str(folder), "table": str(folder / "clinic.csv"), "patient": "Patient ID", "outcome": "M1"}
    return Choices.model_validate({**said, "clinical": ["age"], **more})


def test_the_plan_is_one_that_the_command_reads(folder, tmp_path):
    """What is written is read again as a plan with the chosen columns, centre and settings."""
    made = assemble(
        choices(folder, centre="Hospital", external=["B"], blocks={"ct": ImageChoice(bin_width=10)}),
        out=tmp_path / "new",
    )
    plan = Plan.read(made.write(tmp_path / "new"))
    assert (plan.source.outcome, plan.validation.external.centre, plan.features[0].overrides["bin_width"]) == (
        "M1",
        ["B"],
        10,
    )


def test_the_case_table_holds_images_and_columns(folder, tmp_path):
    """One row a patient with both, under the name `patient`."""
    assemble(choices(folder), out=tmp_path / "new").write(tmp_path / "new")
    frame = read_frame(tmp_path / "new" / "cases.csv").frame
    assert {"patient", "M1", "age", "image:ct", "mask:ct"} <= set(frame.columns)


def test_nothing_is_overwritten(folder, tmp_path):
    """A second study in the same folder is refused."""
    made = assemble(choices(folder), out=tmp_path / "new")
    made.write(tmp_path / "new")
    with pytest.raises(PlanError, match="nothing is overwritten"):
        made.write(tmp_path / "new")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"clinical": ["age", "M1"]}, "outcome and cannot be a predictor"),
        ({"clinical": [], "blocks": {"ct": {"use": False}}}, "nothing to learn from"),
        ({"external": ["B"]}, "which centre"),
        ({"outcome": "M2"}, "no column 'M2'"),
    ],
)
def test_choices_that_make_no_study_are_refused(folder, tmp_path, more, match):
    """Before anything is written, in words."""
    with pytest.raises(PlanError, match=match):
        assemble(choices(folder, **more), out=tmp_path / "new")


def test_a_study_without_an_outside_centre_is_told_so(folder, tmp_path):
    """A careful colleague would say it."""
    assert any("cross-validation alone" in note for note in assemble(choices(folder), out=tmp_path / "new").notes)


def test_a_feature_table_needs_no_images(tmp_path):
    """A ready table becomes [table] with its column of patients."""
    clinic().to_csv(tmp_path / "features.csv", index=False)
    said = Choices(kind="features", table=str(tmp_path / "features.csv"), patient="Patient ID", outcome="M1")
    assert Plan.read(assemble(said, out=tmp_path / "new").write(tmp_path / "new")).table.id == "Patient ID"
