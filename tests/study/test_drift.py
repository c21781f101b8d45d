"""What `isthmus apply` says of patients who are not those of training, one by one and together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.study.apply import apply_model, apply_to_file
from isthmus.study.drift import COLUMNS
from isthmus.study.model import NOVELTY
from study.model_files import rows, small_model


def table(n: int = 120, seed: int = 30) -> pd.DataFrame:
    return rows(n=n, seed=seed)[0].reset_index()


def test_the_same_population_is_not_said_to_drift():
    """New patients of the same kind: no input is called different, few patients are called unlike."""
    applied = apply_model(small_model(), table())
    assert list(applied.drift.columns) == COLUMNS
    assert (applied.drift["p_adjusted"] > 0.05).all()
    assert (applied.notes["column"] == NOVELTY).sum() <= 6


def test_a_scanner_that_shifts_one_feature_is_found():
    """One input moved by one sd: it is found, what is said of the others stays."""
    moved = table().assign(f2=lambda t: t["f2"] + 1.0)
    before, drift = (apply_model(small_model(), one).drift.set_index("input") for one in (table(), moved))
    changed = drift.index[drift["p"] != before["p"]].tolist()
    assert changed == ["f2", NOVELTY]
    assert (drift.loc["f2", "p_adjusted"] < 0.001, drift.loc["f2", "psi"] > 0.25) == (True, True)


def test_values_that_go_missing_are_found():
    """A third of an input missing, where training had none: Fisher's p says so."""
    new = table()
    new.loc[::3, "f3"] = np.nan
    drift = apply_model(small_model(), new).drift.set_index("input")
    assert drift.index[drift["missing_p_adjusted"] < 0.05].tolist() == ["f3"]
    assert drift.loc["f3", "missing"] == pytest.approx(1 / 3)


def test_a_patient_unlike_all_others_has_a_note():
    """Every value inside its range, all together far away: only the note on all inputs tells."""
    X, _ = rows()
    corner = {
        name: float(X[name].quantile(q))
        for name, q in zip(["f0", "f1", "f2", "f3"], [0.99, 0.01, 0.99, 0.01], strict=True)
    }
    new = pd.DataFrame([{"patient": "far", **corner, "male": 1.0}])
    notes = apply_model(small_model(), new).notes
    assert notes["column"].tolist() == [NOVELTY]
    assert "distance" in notes["note"].iloc[0]


def test_few_rows_have_no_drift():
    """Nine patients have no distribution to compare."""
    assert apply_model(small_model(), table(n=9)).drift.empty


def test_tables_beside_the_predictions(tmp_path):
    """Notes and drift lie beside the predictions, go with the next run over the same file, and never with --aggregate-only."""
    moved = table().assign(f2=lambda t: t["f2"] + 9.0, y=rows(n=120, seed=30)[1])
    moved.to_csv(tmp_path / "cases.csv", index=False)
    out = tmp_path / "p.csv"
    apply_to_file(small_model(), tmp_path / "cases.csv", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "p.csv", "p.drift.csv", "p.notes.csv"]
    moved.iloc[:5].to_csv(tmp_path / "cases.csv", index=False)
    apply_to_file(small_model(), tmp_path / "cases.csv", out)
    assert not (tmp_path / "p.drift.csv").exists()
    moved.to_csv(tmp_path / "cases.csv", index=False)
    apply_to_file(small_model(), tmp_path / "cases.csv", tmp_path / "sent.csv", aggregate_only=True)
    assert [path.name for path in tmp_path.glob("sent*")] == ["sent.csv"]


def test_a_wrong_table_writes_nothing(tmp_path):
    """Without a column that the model needs, no file appears."""
    table().drop(columns="f0").to_csv(tmp_path / "cases.csv", index=False)
    with pytest.raises(TableError, match="lacks 1 of the model's"):
        apply_to_file(small_model(), tmp_path / "cases.csv", tmp_path / "p.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]
