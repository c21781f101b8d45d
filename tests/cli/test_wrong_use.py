"""Wrong arguments, places that cannot be written, Ctrl-C: one message and the promised exit code, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.cli.outcome import run_command

Cli = Callable[..., int]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument 'PLAN'"),
        (["run", "plan.toml"], "Missing option '--out'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["check", "plan.toml", "--frob"], "No such option"),
        (["extract", "--out", "f.csv"], "--image and --mask"),
        (["extract", "--out", "f.xls", "--image", "a", "--mask", "b"], "ends in .csv or .parquet"),
        (["apply", "none.isthmus", "--cases", "c.csv", "--out", "p.csv"], "no such file"),
        (["report", "none"], "no such folder"),
    ],
)
def test_wrong_arguments_are_one_message(
    arguments: list[str], message: str, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one line on stderr."""
    assert cli(*arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_a_place_that_cannot_be_written(
    good_cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where a folder should be is said at once, before any image is read."""
    (tmp_path / "file").write_text("x")
    assert cli("extract", "--cases", good_cohort / "cases.csv", "--out", tmp_path / "file" / "f.csv") == 2
    assert cli("run", good_cohort / "plan.toml", "--out", tmp_path / "file") == 2
    err = capsys.readouterr().err
    assert err.count("cannot be made a folder") == 2
    assert "features:" not in err


def test_a_full_disk_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    """What the system says reaches the user with the file's name, and exit code 2, not the 1 of excluded cases."""
    import errno

    import typer

    app = typer.Typer()

    @app.command()
    def fill() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "RUN/predictions.csv")

    sys.argv[1:] = []
    assert run_command(app) == 2
    assert "RUN/predictions.csv: the disk is full" in capsys.readouterr().err


def test_ctrl_c_on_a_terminal_is_one_line(good_cohort: Path, tmp_path: Path) -> None:
    """The signal reaches the workers too: exit code 3, no traceback of theirs, and none of them is left."""
    out = tmp_path / "run"
    # a shell that started the tests in the background has the signal ignored, and that is inherited
    command = [
        sys.executable,
        "-c",
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from isthmus.cli import main; main()",
        "run",
        str(good_cohort / "plan.toml"),
        "--out",
        str(out),
        "--workers",
        "2",
    ]
    said = tmp_path / "stderr.txt"
    with said.open("w") as stream:
        process = subprocess.Popen(command, start_new_session=True, stderr=stream, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not list(out.glob(".work/features/*.json")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None, said.read_text()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=120) == 3
    assert [line for line in said.read_text().splitlines() if "INFO" not in line] == [
        "error: interrupted. What is finished is kept; the same command with --resume continues."
    ]
    deadline = time.monotonic() + 30
    while _alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(process.pid)


def _alive(session: int) -> list[str]:
    """Processes of a session that are not dead yet."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(of_session) == session and state != "Z":
            found.append(stat.parent.name)
    return found


def test_one_case_that_fails_is_said_once(
    good_cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A label that is not there: one line with the labels that are."""
    image, mask = (good_cohort / kind / "P0001_ct.nii.gz" for kind in ("images", "masks"))
    assert cli("extract", "--image", image, "--mask", mask, "--label", 4, "--out", tmp_path / "f.csv") == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert len(err) == 1
    assert "no voxel has label 4; labels present: 1" in err[0]


def test_the_image_is_no_mask(good_cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A CT has voxels of value 1; they are no lesion."""
    image = good_cohort / "images" / "P0001_ct.nii.gz"
    assert cli("extract", "--image", image, "--mask", image, "--out", tmp_path / "f.csv") == 2
    assert "image and mask are the same file" in capsys.readouterr().err
