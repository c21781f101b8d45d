"""The package as a whole: its public names, its start-up time, the contracts between its rooms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import isthmus
from isthmus.errors import PlanError, TableError

ROOT = Path(__file__).resolve().parents[1]


def test_public_names_exist() -> None:
    """Everything in __all__ can be reached."""
    for name in isthmus.__all__:
        assert getattr(isthmus, name) is not None


def test_public_names_are_offered() -> None:
    """The Tab key of a notebook lists them though they are loaded when first used."""
    assert dir(isthmus) == sorted(isthmus.__all__)


def test_paths_are_taken_for_plans_and_runs(tmp_path: Path) -> None:
    """A path that is wrong is a sentence, not an attribute that a text lacks."""
    with pytest.raises(PlanError, match="no such plan file"):
        isthmus.run(tmp_path / "none.toml", out=tmp_path / "run")
    with pytest.raises(TableError, match="no such folder"):
        isthmus.report(str(tmp_path / "none"))


def test_report_can_be_called_before_and_after_its_room_is_imported() -> None:
    """isthmus.report is a function to users, whichever way it was imported first."""
    code = "import isthmus, isthmus.report; assert callable(isthmus.report); from isthmus.report import write_report"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_does_not_import_heavy_modules() -> None:
    """`isthmus --help` must stay quick: no pandas, scikit-learn, SimpleITK or matplotlib behind it."""
    code = (
        "import sys; sys.argv = ['isthmus', '--help']\n"
        "from isthmus.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'sklearn', 'SimpleITK', 'matplotlib', 'scipy', 'lightgbm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_import_contracts() -> None:
    """Top may import lower, siblings do not import each other, the statistical half never imports the imaging half."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_room_is_in_the_contract() -> None:
    """A new folder of the package must be given its layer."""
    text = (ROOT / "pyproject.toml").read_text()
    rooms = [path.name for path in (ROOT / "src" / "isthmus").iterdir() if (path / "__init__.py").is_file()]
    assert all(room in text.split("layers = [")[1].split("]")[0] for room in rooms)
