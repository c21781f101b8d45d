"""Every path goes through one check; nothing outside the study is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.app.paths import inside, inside_any
from isthmus.app.refusal import Refusal


@pytest.mark.parametrize("path", ["../a", "b/../../a", "/etc/passwd", "..", "a\0b", "link/secret", "link"])
def test_outside_is_refused(tmp_path: Path, path: str) -> None:
    """Dots, absolute paths, zero bytes and links do not lead out."""
    home, other = tmp_path / "study", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    (other / "secret").write_text("x")
    (home / "link").symlink_to(other)
    with pytest.raises(Refusal, match=r"outside the study|no path"):
        inside(home, path)


def test_a_neighbour_with_a_longer_name_is_outside(tmp_path: Path) -> None:
    """study-2 is not below study."""
    (tmp_path / "study").mkdir()
    with pytest.raises(Refusal, match="outside the study"):
        inside(tmp_path / "study", "../study-2/a")


@pytest.mark.parametrize("path", ["a", "sub/../a", "sub/a", "."])
def test_below_is_found(tmp_path: Path, path: str) -> None:
    """What lies below is its real path."""
    assert inside(tmp_path, path) == (tmp_path / path).resolve()


def test_one_of_several_folders(tmp_path: Path) -> None:
    """A file of the second folder is found by its absolute path."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    folders = (tmp_path / "one", tmp_path / "two")
    assert inside_any(folders, tmp_path / "two" / "x") == tmp_path / "two" / "x"
    with pytest.raises(Refusal, match="outside the study"):
        inside_any(folders, tmp_path / "three")
