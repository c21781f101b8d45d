"""The synthetic ultrasound study: its sets, its frames, its truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from isthmus.image.io import read_image
from isthmus.roi import read_roi
from isthmus.synthetic.lvlnm import STUDY_SETS, SyntheticLvlnm, make_lvlnm

SETS = {"train": (18, 6), "internal": (6, 2), "external": (8, 3)}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SyntheticLvlnm:
    return make_lvlnm(tmp_path_factory.mktemp("lvlnm"), sets=SETS, seed=3)


def test_the_sets_of_the_study_are_those_of_its_first_table() -> None:
    """854 patients, 120 of them with large-volume metastasis."""
    assert np.sum(list(STUDY_SETS.values()), axis=0).tolist() == [854, 120]


def test_each_set_has_its_patients_and_events(study: SyntheticLvlnm) -> None:
    found = study.truth.groupby("split")["outcome"].agg(["size", "sum"])
    assert {part: tuple(row) for part, row in found.iterrows()} == SETS


def test_the_outcome_is_more_than_five_nodes(study: SyntheticLvlnm) -> None:
    table = pd.read_csv(study.table).drop_duplicates("patient").set_index("patient")
    truth = study.truth.set_index("patient")["outcome"]
    assert ((table["nodes_metastatic"] > 5) == (truth == 1)).all()


def test_a_patient_has_one_to_three_frames_that_can_be_read(study: SyntheticLvlnm) -> None:
    table = pd.read_csv(study.table)
    assert set(table.groupby("patient").size()) == {1, 2, 3}
    row = table.iloc[0]
    image = read_image(study.folder / row["image:us"])
    roi = read_roi(study.folder / row["mask:us"], image, label=255)
    assert image.geometry.spacing_mm[1:] == (0.13, 0.13)
    assert roi.n_voxels > 100


def test_internal_and_external_patients_come_from_their_centres(study: SyntheticLvlnm) -> None:
    table = pd.read_csv(study.table)
    assert {part: sorted(set(rows["centre"])) for part, rows in table.groupby("split")} == {
        "train": ["A"],
        "internal": ["A"],
        "external": ["B", "C"],
    }


def test_signal_changes_outcomes_and_never_frames(study: SyntheticLvlnm, tmp_path: Path) -> None:
    null = make_lvlnm(tmp_path, sets=SETS, seed=3, signal=0.0)
    assert (null.truth["outcome"] != study.truth["outcome"]).any()
    for name in pd.read_csv(study.table)["image:us"].head(5):
        assert (null.folder / name).read_bytes() == (study.folder / name).read_bytes()


def test_only_the_image_shows_the_echotexture(study: SyntheticLvlnm) -> None:
    """Grey levels inside the nodule vary with it; no column of the table does."""
    table = pd.read_csv(study.table)
    truth = study.truth.set_index("patient")
    spread = {}
    for patient, rows in table.groupby("patient"):
        of_frames = []
        for row in rows.to_dict("records"):
            image = read_image(study.folder / row["image:us"])
            of_frames.append(image.values[read_roi(study.folder / row["mask:us"], image, label=255).mask].std())
        spread[patient] = float(np.mean(of_frames))
    seen = pd.Series(spread).loc[truth.index]
    assert stats.spearmanr(seen, truth["echotexture"]).statistic > 0.6


def test_the_truth_can_be_told_and_the_null_cannot(tmp_path: Path) -> None:
    """AUC of the true risk over 2,000 patients (no frames): above 0.78 with the signal, 0.5 within 0.04 without."""
    from isthmus.stats.roc import auc
    from isthmus.synthetic.lvlnm import _set

    for signal, low, high in ((1.0, 0.78, 0.9), (0.0, 0.46, 0.54)):
        drawn = _set("train", 2000, 400, signal, 1)
        risk = drawn["risk"] if signal else drawn["echotexture"]
        assert low < auc(drawn["outcome"].to_numpy(), risk.to_numpy()) < high


def test_a_set_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 events of 10 patients"):
        make_lvlnm(tmp_path, sets={"train": (10, 0)})


def test_a_plan_can_read_the_case_table(study: SyntheticLvlnm) -> None:
    """Several frames of a patient are told apart by `view`, as the case table wants it."""
    from isthmus.cohort.rows import read_case_rows

    assert len(read_case_rows(study.table)) == len(pd.read_csv(study.table))
