"""Figures of networks: who is shown, what is said of each map, and that models which share a network share its curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from isthmus.report.figures import learning_curves, network_maps
from isthmus.study.result import Result
from report.figures.paper import draw


def texts(result: Result) -> list[str]:
    return [text for text, _ in draw(network_maps, network_maps.data(result)).texts]


def test_classes_stand_side_by_side(full_run: Result) -> None:
    """The left lane holds one class, the right the other; a row with a note has nothing to show."""
    table = network_maps.data(full_run)["network_maps"]
    assert [sorted({row["code"] for row in lane}) for lane in network_maps._lanes(table)] == [[0], [1]]


def test_a_map_of_a_patient_it_has_seen_says_so(full_run: Result) -> None:
    """One network had learned from its patient, and one map is flat."""
    said = texts(full_run)
    assert sum("SEEN IN TRAINING" in text for text in said) == 1
    assert sum("flat map" in text for text in said) == 1


def test_the_randomisation_check_is_shown(full_run: Result) -> None:
    """The mean rank correlation stands below the maps."""
    assert "With random weights instead: rank correlation with these maps 0.10" in texts(full_run)


def test_pictures_that_are_gone_are_no_figure(full_run: Result, tmp_path: Path) -> None:
    """The run folder no longer holds them."""
    assert not len(network_maps.data(replace(full_run, folder=tmp_path))["network_maps"])


def test_models_that_share_a_network_share_its_curves(full_run: Result) -> None:
    """Equal curves are one panel, named by both models."""
    table = learning_curves.data(full_run)["learning_curves"]
    assert table["models"].unique().tolist() == ["lasso, random-forest"]
    other = full_run.tables["learning_curves"]
    other = other.assign(training_loss=other["training_loss"] + (other["model"] == "lasso"))
    parted = replace(full_run, tables={**full_run.tables, "learning_curves": other})
    assert learning_curves.data(parted)["learning_curves"]["models"].unique().tolist() == ["lasso", "random-forest"]


def test_curves_of_an_older_run(full_run: Result) -> None:
    """Those of the final fit alone, without stage, repeat and fold, are still drawn."""
    table = full_run.tables["learning_curves"]
    older = table[table["fold"].isna()].drop(columns=["stage", "repeat", "fold"])
    found = learning_curves.data(replace(full_run, tables={**full_run.tables, "learning_curves": older}))
    assert len(found["learning_curves"]) == 5


def test_every_curve_is_drawn(full_run: Result) -> None:
    """Two folds and the final fit, training and validation, and the epochs kept."""
    data = learning_curves.data(full_run)
    assert data["learning_curves"].groupby(["repeat", "fold"], dropna=False).size().tolist() == [5, 5, 5]
    assert isinstance(data["learning_curves"], pd.DataFrame)
    assert "final: validation" in [text for text, _ in draw(learning_curves, data).texts]
