"""What `packaging/check_wheel.py` asks of an installed package, and that a wheel built here holds all of it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "isthmus"


@pytest.fixture(scope="module")
def check_wheel() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_wheel", ROOT / "packaging" / "check_wheel.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(check_wheel: ModuleType, tmp_path: Path) -> Path:
    """A package as small as one can be: a page, the viewer, a compiled part."""
    here = tmp_path / "source"
    for name, text in (("app/pages/index.html", "<p>"), (check_wheel.VIEWER, "viewer"), ("_core.abi3.so", "core")):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text, encoding="utf-8")
    return Path(shutil.copytree(here, tmp_path / "package"))


def test_a_whole_package_lacks_nothing(check_wheel: ModuleType, package: Path) -> None:
    """Same files, same bytes."""
    assert check_wheel.absent(package, package.parent / "source") == []


def test_a_changed_file_and_a_lost_one_are_named(check_wheel: ModuleType, package: Path) -> None:
    """A page of another build, and a compiled part that did not come along."""
    (package / "app" / "pages" / "index.html").write_text("<b>", encoding="utf-8")
    (package / "_core.abi3.so").unlink()
    assert check_wheel.absent(package, package.parent / "source") == [
        "app/pages/index.html", "one compiled part (there: none)",
    ]  # fmt: skip


def test_two_compiled_parts_are_one_too_many(check_wheel: ModuleType, package: Path) -> None:
    """The checkout's own compiled part beside the built one would be imported first."""
    (package / "_core.cpython-311-x86_64-linux-gnu.so").write_bytes(b"old")
    (found,) = check_wheel.absent(package, package.parent / "source")
    assert "_core.cpython-311-x86_64-linux-gnu.so" in found


def test_the_viewer_is_missed_even_where_the_source_has_none(check_wheel: ModuleType, package: Path) -> None:
    """A wheel built before web/vendor.py ran."""
    for folder in (package, package.parent / "source"):
        (folder / check_wheel.VIEWER).unlink()
    assert check_wheel.absent(package, package.parent / "source") == [check_wheel.VIEWER]


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(check_wheel: ModuleType, tmp_path: Path) -> None:
    """Built as for a release but for the compiler (scikit-build-core's `wheel.cmake`): only the compiled part is missing."""
    subprocess.run([sys.executable, str(ROOT / "web" / "vendor.py"), "--required"], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    subprocess.run([*command, "-C", "wheel.cmake=false", "-C", "wheel.py-api=py3", str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("isthmus-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    assert check_wheel.absent(tmp_path / "installed" / "isthmus", SOURCE) == ["one compiled part (there: none)"]
