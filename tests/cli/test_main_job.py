"""The commands, as a user types them, on a cohort of images."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Cli = Callable[..., int]


def test_check_finds_nothing_wrong(cohort: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """A good cohort passes, and the summary counts its patients."""
    assert cli("check", cohort / "plan.toml", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "30 patients" in found["summary"]


def test_run_leaves_a_self_contained_report(finished_run: Path) -> None:
    """From images to report.html, with features and acquisition beside it."""
    html = (finished_run / "report.html").read_text(encoding="utf-8")
    assert "<svg" in html
    assert (finished_run / "features" / "radiomics.parquet").is_file()
    assert "slice_thickness_mm" in pd.read_csv(finished_run / "acquisition.csv").columns


def test_every_case_is_accounted_for(finished_run: Path) -> None:
    """cases.csv has every row of the case table."""
    cases = pd.read_csv(finished_run / "cases.csv")
    assert len(cases) == 30
    assert set(cases["status"]) == {"included"}


def test_a_second_run_does_not_overwrite(
    finished_run: Path, good_cohort: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    """Running into a finished folder without --resume is refused."""
    assert cli("run", good_cohort / "plan.toml", "--out", finished_run) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_apply_equals_the_run(finished_run: Path, good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """The model file on the same images gives the run's own predictions, to the last bit."""
    out = tmp_path / "predictions.csv"
    assert cli("apply", finished_run / "model.isthmus", "--cases", good_cohort / "cases.csv", "--out", out) == 0
    ours = pd.read_csv(out)
    assert list(ours.columns) == ["patient", "model", "probability", "class", "reason"]
    theirs = pd.read_csv(finished_run / "predictions.csv").query("split in ['train', 'external']").set_index("patient")
    assert (ours.set_index("patient")["probability"].loc[theirs.index] == theirs["probability"]).all()


def test_apply_says_why_a_probability_is_missing(finished_run: Path, cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """A case that cannot be read has no probability and a reason; the others are predicted; exit code 1."""
    (cohort / "images" / "P0002_ct.nii.gz").unlink()
    out = tmp_path / "predictions.csv"
    assert cli("apply", finished_run / "model.isthmus", "--cases", cohort / "cases.csv", "--out", out) == 1
    table = pd.read_csv(out, keep_default_na=False).set_index("patient")
    assert table.loc["P0002", "probability"] == ""
    assert "P0002_ct.nii.gz" in table.loc["P0002", "reason"]
    assert (table.drop("P0002")["reason"] == "").all()


def test_aggregate_only_names_no_patient(finished_run: Path, good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """The second hospital sends totals only, and the first merges them into its report."""
    out = tmp_path / "siteC.csv"
    assert (
        cli(
            "apply",
            finished_run / "model.isthmus",
            "--cases",
            good_cohort / "cases.csv",
            "--out",
            out,
            "--aggregate-only",
        )
        == 0
    )
    assert "P0001" not in out.read_text()
    copy = tmp_path / "run"
    shutil.copytree(finished_run, copy)
    assert cli("report", copy, "--external", out) == 0
    assert "external (siteC)" in (copy / "metrics.csv").read_text()
    assert "siteC" in (copy / "report.html").read_text(encoding="utf-8")


def test_report_again_without_images(finished_run: Path, cli: Cli, tmp_path: Path) -> None:
    """The report is a function of the run folder: the images may be gone."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(finished_run, copy)
    (copy / "report.html").unlink()
    assert cli("report", copy) == 0
    assert (copy / "report.html").read_bytes() == (finished_run / "report.html").read_bytes()


def test_report_of_no_run(tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is no run is refused in words."""
    assert cli("report", tmp_path) == 2
    assert "not the folder of a finished run" in capsys.readouterr().err


def test_a_damaged_model_file_is_refused(
    finished_run: Path, good_cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One flipped byte: refused with the reason."""
    content = bytearray((finished_run / "model.isthmus").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "bad.isthmus").write_bytes(content)
    assert (
        cli("apply", tmp_path / "bad.isthmus", "--cases", good_cohort / "cases.csv", "--out", tmp_path / "p.csv") == 2
    )
    assert "damaged" in capsys.readouterr().err


def test_extract_many_equals_the_run(finished_run: Path, good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """`extract --cases` gives the features the run used, and the facts of every column."""
    out = tmp_path / "features.csv"
    assert cli("extract", "--cases", good_cohort / "cases.csv", "--out", out) == 0
    ours, theirs = pd.read_csv(out), pd.read_parquet(finished_run / "features" / "radiomics.parquet")
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True, check_dtype=False)
    facts = pd.read_csv(tmp_path / "features.columns.csv")
    assert list(facts["column"]) == [name for name in ours.columns if name != "patient"]


def test_extract_one_goes_on_after_a_bad_case(cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """One bad case never stops the others; its reason is in a table; exit code 1."""
    (cohort / "masks" / "P0003_ct.nii.gz").write_bytes(b"not a mask")
    assert cli("extract", "--cases", cohort / "cases.csv", "--out", tmp_path / "f.parquet", "--workers", 2) == 1
    assert len(pd.read_parquet(tmp_path / "f.parquet")) == 29
    assert pd.read_csv(tmp_path / "f.exclusions.csv")["patient"].tolist() == ["P0003"]


def test_extract_takes_a_pyradiomics_parameter_file(good_cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """--params: bin width, label and feature classes of a PyRadiomics file are obeyed."""
    params = tmp_path / "params.yaml"
    params.write_text(
        "setting:\n  binWidth: 10\n  label: 1\nimageType:\n  Original: {}\nfeatureClass:\n  firstorder:\n    - Entropy\n"
    )
    image, mask = good_cohort / "images" / "P0001_ct.nii.gz", good_cohort / "masks" / "P0001_ct.nii.gz"
    assert cli("extract", "--image", image, "--mask", mask, "--params", params, "--out", tmp_path / "f.csv") == 0
    assert list(pd.read_csv(tmp_path / "f.csv").columns) == ["patient", "original_firstorder_Entropy"]
    assert pd.read_csv(tmp_path / "f.columns.csv")["discretisation"].tolist() == ["FBS 10"]


def test_init_makes_a_study_of_a_folder(
    cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`init` finds images and masks and writes a case table and a plan that `check` understands."""
    folder = tmp_path / "scans"
    for image in sorted((cohort / "images").glob("*.nii.gz"))[:12]:
        patient = image.name.partition("_")[0]
        (folder / patient).mkdir(parents=True)
        shutil.copy(image, folder / patient / "ct.nii.gz")
        shutil.copy(cohort / "masks" / image.name, folder / patient / "ct_mask.nii.gz")
    assert cli("init", folder) == 0
    table = pd.read_csv(folder / "cases.csv")
    assert len(table) == 12
    table["outcome"] = [0, 1] * 6
    table.to_csv(folder / "cases.csv", index=False)
    capsys.readouterr()
    assert cli("check", folder / "plan.toml") == 0
    assert "12 patients" in capsys.readouterr().out


def test_shards_are_collected(cohort: Path, finished_run: Path, cli: Cli, tmp_path: Path) -> None:
    """Two shards extract half the cases each; a run with --resume collects them and gives the same numbers."""
    out = tmp_path / "run"
    assert cli("run", cohort / "plan.toml", "--out", out, "--shard", "1/2") == 0
    assert cli("run", cohort / "plan.toml", "--out", out, "--shard", "2/2") == 0
    assert len(list((out / ".work" / "features").iterdir())) == 30
    assert cli("run", cohort / "plan.toml", "--out", out, "--resume") == 0
    assert (out / "metrics.csv").read_bytes() == (finished_run / "metrics.csv").read_bytes()


def test_killed_and_resumed_is_the_same(good_cohort: Path, finished_run: Path, tmp_path: Path) -> None:
    """A run whose processes are killed in the middle (SIGKILL, no clean-up) is finished by --resume, byte for byte the same, and its
    figures are there as journals want them."""
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-c",
        "from isthmus.cli import main; main()",
        "run",
        str(good_cohort / "plan.toml"),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob(".work/features/*.json"))) < 10 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in (
        "cases.csv",
        "predictions.csv",
        "metrics.csv",
        "selected.csv",
        "model.isthmus",
        "features/radiomics.parquet",
    ):
        assert (out / name).read_bytes() == (finished_run / name).read_bytes(), name
    assert {path.suffix for path in (out / "figures").glob("roc*")} == {".csv", ".svg", ".png", ".pdf"}


def test_interrupt_exits_with_3(
    good_cohort: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C: exit code 3 and the words that --resume continues."""
    from isthmus.study import run as run_module

    def stopped(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "prepare", stopped)
    assert cli("run", good_cohort / "plan.toml", "--out", tmp_path / "run") == 3
    assert "--resume" in capsys.readouterr().err
