"""What somebody meets in the first hour: slips of the pen, the wrong file, no arguments. One line that says what to do."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import Image as Picture
from typer.main import get_command

from isthmus.cli.app import app
from isthmus.cli.contents import EXAMPLES

Cli = Callable[..., int]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ultrasound-like picture and its mask."""
    folder = tmp_path_factory.mktemp("case")
    y, x = np.mgrid[:60, :80]
    lesion = (y - 30) ** 2 / 200 + (x - 40) ** 2 / 300 < 1
    speckle = np.random.default_rng(0).gamma(2, 12, lesion.shape)
    Picture.fromarray((60 + 60 * lesion + speckle).clip(0, 255).astype(np.uint8)).save(folder / "us.png")
    Picture.fromarray((lesion * 255).astype(np.uint8)).save(folder / "mask.png")
    (folder / "p.yaml").write_text("setting:\n  binWidth: 10\nimageType:\n  Original: {}\n")
    (folder / "bad.yaml").write_text("setting: [\n")
    return folder


def extract(cli: Cli, case: Path, out: Path, *more: str) -> int:
    return cli("extract", "--image", case / "us.png", "--mask", case / "mask.png", "--out", out / "f.csv", *more)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "binwidth=3"], "unknown key 'binwidth'. Did you mean 'bin_width'?"),
        (["--set", "bin_width=abc"], "bin_width: expected a number (came: 'abc')"),
        (["--set", 'filters=["wavelt"]'], "filter 'wavelt' is not known. Did you mean 'wavelet'?"),
        (["--set", "filters=wavelet"], 'filters: expected a list of filters, such as ["none"'),
        (["--set", 'families=["glmc"]'], "families: expected 'shape'"),
        (["--set", 'features=["glcm_Contras"]'], "Did you mean 'glcm_Contrast'?"),
        (["--set", "clip=[3,1]"], "--set clip = [3.0, 1.0]: the first number must lie below the second"),
        (["--set", "ring_mm=[5]"], "ring_mm"),
        (["--profile", "pyradiomic"], "Did you mean 'pyradiomics'?"),
        (["--profile", "ibsi", "--set", "bin_width=25"], 'discretisation = { method = "fbs", bin_width = 25 }'),
        (["--profile", "ibsi", "--set", 'discretisation={method="fbs"}'], 'method = "fbs" needs bin_width'),
        (["--profile", "ibsi", "--params", "p.yaml"], "goes with --profile pyradiomics"),
        (["--params", "bad.yaml"], "not a YAML or JSON file"),
        (["--params", "none.yaml"], "cannot be read"),
        (["--perturb", "rotation_deg=[4]"], "Did you mean 'rotations_deg'?"),
    ],
)
def test_a_slip_is_one_line_that_helps(
    arguments: list[str], message: str, case: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Exit code 2, and the sentence that is needed; no words of a library."""
    monkeypatch.chdir(case)
    assert extract(cli, case, tmp_path, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Value error" not in err
    assert "Input should be" not in err
    assert len(err.strip().splitlines()) == 1


def test_known_settings_are_listed_once(
    case: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`resample_mask` is a key of the profile and of [image]."""
    extract(cli, case, tmp_path, "--set", "binwidth=3")
    assert capsys.readouterr().err.count("resample_mask") == 1


def test_without_a_command_the_help_is_no_error(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """`isthmus` alone prints what it can do, on stdout, without the word error."""
    assert cli() == 2
    said = capsys.readouterr()
    assert "A study:" in said.out
    assert said.err == ""


def test_a_picture_is_named_without_its_ending(case: Path, cli: Cli, tmp_path: Path) -> None:
    """us.png is case `us`, and its saved images are named so."""
    assert extract(cli, case, tmp_path, "--save-images", str(tmp_path / "seen")) == 0
    assert pd.read_csv(tmp_path / "f.csv")["patient"].tolist() == ["us"]
    assert (tmp_path / "seen" / "us_original.nii.gz").exists()


def test_a_map_that_cannot_be_made_is_one_name(
    case: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not 93 names of missing features."""
    filters = 'filters=["none", { name = "recursive_log", sigma_mm = [90] }]'
    assert extract(cli, case, tmp_path, "--set", filters) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "not defined" in line]
    assert len(warned) == 1
    assert "log-sigma-90-mm-3D (all 93 features)" in warned[0]
    assert "log-sigma-90-mm-3D_glcm" not in warned[0]


def test_help_loads_nothing_heavy() -> None:
    """So `isthmus --help` takes a quarter of a second."""
    heavy = ("numpy", "pandas", "pydantic", "SimpleITK", "matplotlib", "sklearn")
    code = f"import sys, isthmus.cli.app, isthmus.cli.outcome; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_help_lists_every_command_once() -> None:
    """In the order of use: a command that was added and not described there would be hidden."""
    from isthmus.cli.contents import CONTENTS

    listed = [name for part in CONTENTS.values() for name in part]
    assert sorted(listed) == sorted(get_command(app).commands)


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_of_the_help_is_a_command(example: str) -> None:
    """Its words are read without complaint by the command they name."""
    command, words = get_command(app), shlex.split(example.split(">", maxsplit=1)[0])
    while hasattr(command, "commands"):
        command = command.get_command(None, words.pop(0))
    command.make_context(command.name, words)


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("table = “cases.csv”", "Typographic quotes"),
        ('table = "cases.csv', "A quote is missing"),
        ('table = "C:\\Users\\me.csv"', "A path has /"),
        ("folds = 3\nfolds = 4", "The key stands there twice"),
        ("bin_width = 0,5", "Numbers have a decimal point: 0.5"),
        ("normalise = True", "Write true"),
        ("folds 3", "A line of a plan is: key = value"),
        ("name = ct", "Text needs quotes"),
    ],
)
def test_a_plan_that_is_not_toml(line: str, cure: str, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """The line is shown, and the slip that is likely in it."""
    (tmp_path / "plan.toml").write_text(line + "\n", encoding="utf-8")
    assert cli("run", tmp_path / "plan.toml", "--out", tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert (cure in said, "The line is: " in said) == (True, True)


def test_words_of_a_wrong_number_are_ours(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not those of the library that reads the arguments."""
    assert cli("run", tmp_path / "plan.toml", "--out", tmp_path / "run", "--workers", "two") == 2
    assert "'--workers': a whole number was expected. See: " in capsys.readouterr().err


def test_an_image_in_the_place_of_a_mask(case: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Columns that were exchanged would otherwise measure the voxels whose value happens to be 1."""
    values = np.arange(4096, dtype=np.int16).reshape(16, 16, 16)
    for name, array in (("ct", values), ("mask", (values > 4000).astype(np.int16))):
        sitk.WriteImage(sitk.GetImageFromArray(array), tmp_path / f"{name}.nii.gz")
    swapped = ("--image", tmp_path / "mask.nii.gz", "--mask", tmp_path / "ct.nii.gz")
    assert cli("extract", *swapped, "--out", tmp_path / "f.csv") == 2
    assert "that is an image, not a mask" in capsys.readouterr().err
