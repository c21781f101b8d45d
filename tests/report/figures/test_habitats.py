"""Figures of habitats: who is shown, in which order, with which risk, and that colours keep their meaning."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.image.crop import read_label_png
from isthmus.report.facts import final_model, final_threshold, patient_predictions
from isthmus.report.figures import habitat_maps, habitats
from isthmus.study.result import Result
from report.figures.paper import draw


def test_lesions_without_a_picture_are_left_out(full_run: Result) -> None:
    """Eight lesions and their rings; the row with a note has nothing to show."""
    found = habitat_maps.data(full_run)["habitat_maps"]
    assert found.groupby("block", sort=False)["row"].nunique().to_dict() == {"het": 8, "ring": 8}


def test_risks_are_of_unseen_patients(full_run: Result) -> None:
    """Those of cross-validation, or of a test set; called high at the final threshold."""
    found = habitat_maps.data(full_run)["habitat_maps"]
    model = final_model(full_run)
    seen = pd.concat([patient_predictions(full_run, model, split) for split in ("cv", "external")])
    expected = seen.set_index("patient")["probability"].reindex(found["patient"])
    np.testing.assert_allclose(found["risk"], expected)
    high = found["risk"] >= final_threshold(full_run, model)
    assert found["called"].tolist() == ["high" if one else "low" for one in high]


def test_classes_stand_side_by_side(full_run: Result) -> None:
    """The left lane holds one class, the right the other, each by falling risk; who is shown does not depend on the risk."""
    table = habitat_maps.data(full_run)["habitat_maps"]
    part = table[table["block"] == "het"]
    lanes = habitat_maps._lanes(part, 2)
    assert [sorted({row["code"] for row in lane}) for lane in lanes] == [[0], [1]]
    for code, lane in enumerate(lanes):
        risks = [row["risk"] for row in lane]
        assert risks == sorted(risks, reverse=True)
        first = part[part["code"] == code].sort_values("order")["row"].head(2)
        assert {row["row"] for row in lane} == set(first)


def test_three_classes_follow_one_another(full_run: Result) -> None:
    """Of each the same number."""
    table = habitat_maps.data(full_run)["habitat_maps"]
    part = table[table["block"] == "het"].assign(code=[0, 0, 0, 1, 1, 1, 2, 2])
    shown = [row["code"] for lane in habitat_maps._lanes(part, 3) for row in lane]
    assert shown == [0, 0, 1, 1, 2, 2]


def test_what_is_said_of_a_lesion(full_run: Result) -> None:
    """Region, patient, group and risk; the ring has no clusters."""
    paper = draw(habitat_maps, habitat_maps.data(full_run))
    texts = [text for text, _ in paper.texts]
    assert {"het: lesion", "ring: ring of 0 to 5 mm around the lesion"} <= set(texts)
    assert [text for text in texts if text.startswith("habitat ")] == [f"habitat {n}" for n in (1, 2, 3, 1, 2)]
    table = habitat_maps.data(full_run)["habitat_maps"]
    first = table[table["block"] == "het"].sort_values("order").iloc[0]
    assert any(f"risk {first['risk']:.2f} ({first['called']})" in text for text in texts)


def test_pixels_of_the_csv_are_those_of_the_run(full_run: Result) -> None:
    """The labels are behind the figure, too."""
    row = habitat_maps.data(full_run)["habitat_maps"].iloc[0]
    labels = read_label_png(base64.b64decode(row["habitats"]))
    assert labels.max() <= row["habitats_count"]
    assert labels.any()


def test_pictures_that_are_gone_are_no_figure(full_run: Result, tmp_path: Path) -> None:
    """The profile is still there."""
    moved = replace(full_run, folder=tmp_path)
    assert not len(habitat_maps.data(moved)["habitat_maps"])
    assert len(habitats.data(moved)["profile"])


def test_the_profile_shows_what_has_a_rank(full_run: Result) -> None:
    """Twelve features of each block, mean intensity first; every habitat's number and share are written."""
    data = habitats.data(full_run)
    first = data["profile"].groupby("block")["feature"].agg(["first", "nunique"])
    assert first.to_numpy().tolist() == [["firstorder_Mean", 12]] * 2
    texts = [text for text, _ in draw(habitats, data).texts]
    assert texts.count("33 %") == 3
    assert [texts.count(f"habitat {n}") for n in (1, 2, 3)] == [2, 2, 1]


def test_training_is_told_from_others(full_run: Result) -> None:
    """The legend names the split and how many."""
    texts = [text for text, _ in draw(habitats, habitats.data(full_run)).texts]
    assert sum(text.endswith("(n = 20), training") for text in texts) == 4
    assert sum(text.endswith("(n = 20), external centre") for text in texts) == 4
