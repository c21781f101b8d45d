"""The run folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.study.store import RunFolder, hash_path, write_bytes, write_table


def test_begin_refuses_a_second_run(tmp_path: Path) -> None:
    """A folder that holds a run is not overwritten without --resume."""
    RunFolder(tmp_path / "run").begin("a", resume=False)
    with pytest.raises(PlanError, match="already holds a run.*--resume"):
        RunFolder(tmp_path / "run").begin("a", resume=False)


def test_begin_refuses_another_plan(tmp_path: Path) -> None:
    """--resume with another plan does not overwrite a finished run."""
    store = RunFolder(tmp_path / "run")
    store.begin("a", resume=False)
    write_bytes(store.path / "provenance.json", b"{}")
    with pytest.raises(PlanError, match="finished run of another plan"):
        store.begin("b", resume=True)


def test_an_unfinished_run_takes_a_corrected_plan(tmp_path: Path) -> None:
    """Before the run is finished, --resume goes on with the corrected plan."""
    store = RunFolder(tmp_path / "run")
    assert store.begin("a", resume=False)
    assert not store.begin("b", resume=True)
    assert not store.begin("b", resume=True)


def test_an_abandoned_run_leaves_the_way_free(tmp_path: Path) -> None:
    """After abandon the same folder can begin again; finished pieces are still there."""
    store = RunFolder(tmp_path / "run")
    store.begin("a", resume=False)
    store.put("features", "k", 1)
    write_bytes(store.path / "cases.csv", b"x")
    store.abandon()
    assert store.begin("b", resume=False)
    assert store.get("features", "k") == 1


def test_begin_spares_files_of_the_user(tmp_path: Path) -> None:
    """The user's own cases.csv is never overwritten by the run's."""
    (tmp_path / "cases.csv").write_text("patient\n")
    with pytest.raises(PlanError, match=r"holds cases\.csv"):
        RunFolder(tmp_path).begin("a", resume=False)


def test_pieces_round_trip_exactly(tmp_path: Path) -> None:
    """Floats of a finished piece of work come back to the last bit."""
    store = RunFolder(tmp_path)
    store.put("folds", "k", {"p": [0.1 + 0.2, 1e-300]})
    assert store.get("folds", "k") == {"p": [0.1 + 0.2, 1e-300]}


def test_absent_piece_is_none(tmp_path: Path) -> None:
    """Work that was never finished is not there."""
    assert RunFolder(tmp_path).get("folds", "k") is None


def test_write_leaves_no_half_file(tmp_path: Path) -> None:
    """A failing write leaves the old file and no scraps."""
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "text")  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
    assert path.read_bytes() == b"old"


def test_tables_keep_every_digit(tmp_path: Path) -> None:
    """A float in a table reads back as the same float."""
    write_table(tmp_path / "t.csv", pd.DataFrame({"x": [0.1 + 0.2, 1 / 3]}))
    written = (tmp_path / "t.csv").read_text().split()[1:]
    assert [float(text) for text in written] == [0.1 + 0.2, 1 / 3]


def test_hash_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    """A DICOM folder's hash changes when a file is renamed."""
    (tmp_path / "a").write_bytes(b"1")
    first = hash_path(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert hash_path(tmp_path) != first
