"""Damaged files of a run: said in one line, or done again; never another number."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import TableError
from isthmus.study.result import Result
from isthmus.study.store import RunFolder


@pytest.mark.parametrize(
    "damage", [b"", b'{"a": 2}', b'{"a": 1', b"\xff\xfe", b'{"a": 2}\n' + 64 * b"0", b'{"a": 2}\n']
)
def test_a_damaged_piece_of_work_is_not_done(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A piece whose content is not what was written counts as not done, and that is said."""
    store = RunFolder(tmp_path)
    store.put("features", "key", {"a": 1})
    assert store.get("features", "key") == {"a": 1}
    whole = (tmp_path / ".work" / "features" / "key.json").read_bytes()
    seal = whole.partition(b"\n")[2]
    (tmp_path / ".work" / "features" / "key.json").write_bytes(damage if b"\n" in damage else damage + b"\n" + seal)
    assert store.get("features", "key") is None
    assert "it is done again" in caplog.text


@pytest.mark.parametrize("name", ["plan.lock.toml", "provenance.json", "predictions.csv"])
def test_a_damaged_file_of_a_run_is_named(tmp_path: Path, name: str) -> None:
    """The report says which file, and what to do."""
    for file in ("plan.lock.toml", "cases.csv", "predictions.csv", "metrics.csv"):
        (tmp_path / file).write_text("a,b\n1,2\n" if file.endswith("csv") else "")
    (tmp_path / "provenance.json").write_text("{}")
    (tmp_path / name).write_bytes(b"\xff\xfe{")
    with pytest.raises(TableError, match=rf"{name}: damaged, or edited since the run"):
        Result.load(tmp_path)
