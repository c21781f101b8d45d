"""A full disk, a folder that may not be written: one line, exit code 2, and the run goes on when there is room."""

from __future__ import annotations

import errno
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from isthmus.cli.app import app
from isthmus.cli.outcome import WRONG, run_command
from isthmus.errors import OutputError
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.io import write_image, write_labels
from isthmus.study import Plan
from isthmus.study.extraction import Block, CaseFiles, extract_cases
from isthmus.study.run import run_study
from isthmus.study.store import RunFolder
from isthmus.table import writing
from study.tables import PLAN, write_study

SMALL = PLAN[: PLAN.index('[[models]]\nname = "trees"')] + PLAN[PLAN.index("[validate]") :]
SMALL = SMALL.replace("repeats = 2", "repeats = 1").replace("permutations = 2", "permutations = 1")
MAY_DIFFER = {"provenance.json", "run.log.jsonl"}


def cli(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """`isthmus ARGUMENTS` in this process."""
    monkeypatch.setattr(sys, "argv", ["isthmus", *map(str, arguments)])
    return run_command(app)


def contents(run: Path) -> dict[str, bytes]:
    """What a run must hold whatever happened to it."""
    files = (path for path in run.rglob("*") if path.is_file() and ".work" not in path.parts)
    return {str(path.relative_to(run)): path.read_bytes() for path in files if path.name not in MAY_DIFFER}


def failing_after(count: int, error: int) -> Callable[[Path, bytes], None]:
    """Writing that works so many times, and then leaves half a file and an error of the system."""
    real, left = writing._replace, iter(range(count))

    def write(path: Path, content: bytes) -> None:
        if next(left, None) is not None:
            real(path, content)
            return
        path.with_name(f".{path.name}.half.unfinished").write_bytes(content[: len(content) // 2])
        raise OSError(error, "No space left on device" if error == errno.ENOSPC else "Read-only file system")

    return write


def test_a_disk_that_fills_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run stopped at random writes by a full disk says so in one line and exit code 2, and --resume ends in the same bytes."""
    plan = write_study(tmp_path / "data", plan=SMALL)
    run_study(Plan.read(plan), tmp_path / "undisturbed", workers=1)
    draw, out = random.Random(4), tmp_path / "run"
    for attempt, (least, most) in enumerate(((1, 3), (5, 12), (15, 25))):
        with monkeypatch.context() as full:
            full.setattr(writing, "_replace", failing_after(draw.randint(least, most), errno.ENOSPC))
            arguments = ["run", plan, "--out", out, "--workers", 1, *(["--resume"] if attempt else [])]
            assert cli(full, *arguments) == WRONG
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
        assert len(said) == 1
        assert "No space left on device). Make room; --resume continues a run." in said[0]
    run_study(Plan.read(plan), out, resume=True, workers=1)
    assert contents(out) == contents(tmp_path / "undisturbed")


def test_a_full_disk_takes_no_case_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case whose features cannot be kept stops the work: it is not excluded, as every other one would be after it."""
    geometry = Geometry((6, 8, 8), (1.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape, dtype=np.uint8)
    mask[1:5, 2:6, 2:6] = 1
    write_image(
        Image(np.random.default_rng(1).normal(40, 20, mask.shape).astype(np.float32), geometry), tmp_path / "i.nii"
    )
    write_labels(LabelImage(mask, geometry), tmp_path / "m.nii")
    case = CaseFiles("P1", "P1", {"ct": tmp_path / "i.nii"}, {"ct": tmp_path / "m.nii"})
    from isthmus.features import PROFILES

    block = Block("ct", "ct", "ct", "pyradiomics", PROFILES["pyradiomics"].Settings())
    monkeypatch.setattr(writing, "_replace", failing_after(0, errno.ENOSPC))
    with pytest.raises(OutputError, match="cannot be written"):
        extract_cases([case], [block], workers=1, store=RunFolder(tmp_path / "run"))


def test_a_folder_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A read-only place is said in one line before anything is read."""
    plan = write_study(tmp_path / "data", plan=SMALL)
    monkeypatch.setattr(writing, "_replace", failing_after(0, errno.EROFS))
    assert cli(monkeypatch, "run", plan, "--out", tmp_path / "run") == WRONG
    error = capsys.readouterr().err
    assert error.count("error:") == 1
    assert "Read-only file system). Check that the folder may be written" in error


def test_what_a_kill_leaves_is_tidied(tmp_path: Path) -> None:
    """Half a file of a killed process is removed; files of the user that begin with a dot are not."""
    (tmp_path / "tables").mkdir()
    left, users = tmp_path / "tables" / ".metrics.csv.abc.unfinished", tmp_path / ".hidden"
    left.write_text("half")
    users.write_text("mine")
    RunFolder(tmp_path).tidy()
    assert (left.exists(), users.exists()) == (False, True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB in memory; only where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or mount(folder, "size=64k"):
        pytest.skip("no right to mount a disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def mount(folder: Path, options: str) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.slow
def test_a_real_disk_that_is_full(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a real full disk, enlarged a little whenever the run has stopped, the study ends as on a large one."""
    plan = write_study(tmp_path / "data", plan=SMALL)
    assert cli(monkeypatch, "run", plan, "--out", tmp_path / "undisturbed", "--workers", 1) == 0
    capsys.readouterr()
    out, size, stops = small_disk / "run", 64, 0
    while cli(monkeypatch, "run", plan, "--out", out, "--workers", 1, *(["--resume"] if stops else [])) != 0:
        said = [line for line in capsys.readouterr().err.splitlines() if " INFO " not in line and "WARNING" not in line]
        assert len(said) == 1
        assert "Make room" in said[0]
        size, stops = 2 * size, stops + 1
        assert mount(small_disk, f"remount,size={size}k") == 0
    ours, theirs = contents(out), contents(tmp_path / "undisturbed")
    for run in (ours, theirs):
        del run["report.html"]  # says when it was made
    assert stops > 2
    assert ours == theirs


@pytest.mark.slow
def test_a_read_only_disk(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk mounted read-only: one line and exit code 2."""
    assert mount(small_disk, "remount,ro") == 0
    plan = write_study(tmp_path / "data", plan=SMALL)
    assert cli(monkeypatch, "run", plan, "--out", small_disk / "run") == WRONG
    error = capsys.readouterr().err
    assert error.count("error:") == 1
    assert "Traceback" not in error
