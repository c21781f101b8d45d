"""No name, number, birth date or UID of a patient reaches what a study from DICOM leaves behind: planted, run, searched for."""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from cohort.deidentify.making import PLANTED, found_in, write_study
from image.io.test_segmentation import write_seg
from isthmus.image.io import find_series
from isthmus.report import write_report
from isthmus.study import Plan
from isthmus.study.check import check_plan
from isthmus.study.run import run_study

PATIENTS = 16

PLAN = """
[cohort]
table = "cases.csv"
outcome = "metastasis"

[[features]]
name = "ct"
image = "ct"
profile = "pyradiomics"
families = ["firstorder"]

[[models]]
name = "radiomics"
blocks = ["ct"]
estimator = "logistic"
settings = { C = 1.0 }
steps = ["impute", "scale"]

[validate]
folds = 2
repeats = 1
bootstrap = 100

[audit]
permutations = 0
"""


def planted_cohort(folder: Path) -> list[str]:
    """Patients from DICOM with outlines or a SEG, some of them broken in ways that messages describe; all UIDs used."""
    rng = np.random.default_rng(2)
    uids: list[str] = []
    rows = []
    for number in range(PATIENTS):
        case = f"C-{number:02d}"
        uids += write_study(
            folder / case, name=f"QXPLANTED{number}^VRONIKA", number=f"QXNR4711{number:02d}", seed=number
        )
        mask = folder / case / "RT"
        if number in (3, 4):
            source = [pydicom.dcmread(file) for file in find_series(folder / case / "CT").files]
            voxels = np.zeros((len(source), *source[0].pixel_array.shape), dtype=np.uint8)
            voxels[2:6, 3:9, 3:9] = 1
            shutil.rmtree(mask)
            mask.mkdir()
            for slice_ in source:
                slice_.StudyTime, slice_.StudyID, slice_.SeriesNumber = "", "QXPLANTED", 1
            write_seg(mask / "seg.dcm", source, voxels)
        rows.append({"patient": case, "metastasis": number % 2, "image:ct": f"{case}/CT", "mask:ct": f"{case}/RT"})
    (folder / "C-00" / "CT" / "slice06.dcm").unlink()  # the fifth of eight: a gap
    uids += write_study(folder / "extra", name="QXPLANTED^VRONIKA", number="QXNR4711", seed=int(rng.integers(99)))
    for file in (folder / "extra" / "CT").iterdir():  # two series in one folder
        shutil.copy(file, folder / "C-01" / "CT" / f"b{file.name}")
    shutil.copy(next((folder / "C-02" / "CT").iterdir()), folder / "C-02" / "CT" / "twice.dcm")
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return uids


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], str]:
    """A finished run, what to look for in it, and what was said and logged on the way."""
    pytest.importorskip("highdicom", reason="the independent writer of SEG files (extra `test`)")
    folder = tmp_path_factory.mktemp("planted")
    uids = planted_cohort(folder)
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("isthmus").addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            said.append(check_plan(folder / "plan.toml", workers=1).as_text())
            result = run_study(Plan.read(folder / "plan.toml"), folder / "run", workers=1)
            write_report(result)
    finally:
        logging.getLogger("isthmus").removeHandler(handler)
    text = "\n".join([*said, *(str(one.message) for one in caught)])
    return folder / "run", [*PLANTED, *(uid[-12:] for uid in uids)], text


def test_no_file_of_a_run_names_a_patient(searched: tuple[Path, list[str], str]) -> None:
    """Tables, features, figures, report, model file, unpacked: nothing planted is in them."""
    run, words, _ = searched
    assert found_in(run, words) == []


def test_no_message_names_a_patient(searched: tuple[Path, list[str], str]) -> None:
    """Neither what check says, nor warnings, nor the log."""
    _, words, text = searched
    assert [word for word in words if word.lower() in text.lower()] == []


def test_the_broken_cases_are_explained(searched: tuple[Path, list[str], str]) -> None:
    """The three broken series are exclusions by pseudonym: the messages that could have named a patient were written."""
    cases = pd.read_csv(searched[0] / "cases.csv")
    assert sorted(cases.loc[cases["status"] == "excluded", "patient"]) == ["C-00", "C-01", "C-02"]


def test_the_planted_strings_can_be_found(searched: tuple[Path, list[str], str]) -> None:
    """The same search finds them in the images."""
    assert found_in(searched[0].parent / "C-05", searched[1])
