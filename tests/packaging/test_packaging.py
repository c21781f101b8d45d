"""What is handed out says the same as pyproject.toml, and the offline installer refuses what it must."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"deflate": "python-deflate", "matplotlib": "matplotlib-base"}
"""Where conda-forge calls a package otherwise."""


def recipe() -> dict:
    return yaml.safe_load((PACKAGING / "conda" / "recipe.yaml").read_text(encoding="utf-8"))


def test_conda_needs_what_the_wheel_needs() -> None:
    """The recipe's run dependencies and floors are those of pyproject.toml."""
    ours = {re.sub(r"\s", "", text).lower() for text in recipe()["requirements"]["run"]}
    theirs = {f"python{PROJECT['requires-python']}"}
    for text in PROJECT["dependencies"]:
        name, floor = re.fullmatch(r"([A-Za-z0-9-]+)(>=.*)", text).groups()
        theirs.add(CONDA_NAMES.get(name, name).lower() + floor)
    assert ours == theirs


def test_conda_builds_with_what_is_pinned() -> None:
    """Version and build requirements agree."""
    host = {re.sub(r"\s", "", text) for text in recipe()["requirements"]["host"]}
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(document["build-system"]["requires"]) <= host
    assert recipe()["context"]["version"] == PROJECT["version"]


def test_wheels_for_every_platform() -> None:
    """cibuildwheel makes Linux (x86-64, Arm), macOS and Windows wheels, and no Python that pyproject.toml refuses."""
    wheels = tomllib.loads((PACKAGING / "wheels.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    assert (wheels["linux"]["archs"], wheels["macos"]["archs"], wheels["windows"]["archs"]) == (
        ["x86_64", "aarch64"], ["x86_64", "arm64"], ["AMD64"],
    )  # fmt: skip
    assert wheels["build"] == ["cp311-*", "cp312-*"]


def test_no_wheel_without_its_viewer() -> None:
    """cibuildwheel, `make wheel` and the wheelhouse put NiiVue into the package first, or stop; the sdist takes it along."""
    wheels = tomllib.loads((PACKAGING / "wheels.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert wheels["before-build"] == "python {project}/web/vendor.py --required"
    assert "web/vendor.py --required\n\t$(PIP) wheel" in makefile
    assert '"vendor.py"), "--required"]' in (PACKAGING / "wheelhouse.py").read_text(encoding="utf-8")
    assert "src/isthmus/app/pages/vendor/*" in document["tool"]["scikit-build"]["sdist"]["include"]


def test_conda_takes_the_viewer_that_git_ignores() -> None:
    """rattler-build copies what git knows; the folder of the viewer is named beside it."""
    viewer = recipe()["source"][1]
    assert (PACKAGING / "conda" / viewer["path"]).resolve() == ROOT / viewer["target_directory"]
    assert (viewer["target_directory"], viewer["use_gitignore"]) == ("src/isthmus/app/pages/vendor", False)


def test_windows_gets_the_compiler_that_the_core_knows() -> None:
    """Where CMakeLists.txt refuses Microsoft's, cibuildwheel asks for Clang and conda builds nothing."""
    wheels = tomllib.loads((PACKAGING / "wheels.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    assert wheels["windows"]["environment"]["CMAKE_GENERATOR_TOOLSET"] == "ClangCL"
    assert recipe()["build"]["skip"] == ["win"]
    assert 'CMAKE_CXX_COMPILER_ID STREQUAL "MSVC"' in (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def test_the_container_is_no_root_and_starts_isthmus() -> None:
    """Its last user is an ordinary one, and the entry point the command."""
    lines = (PACKAGING / "Containerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER isthmus"]
    assert 'ENTRYPOINT ["isthmus"]' in lines
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert [word for word in copied if not (ROOT / word).exists()] == []
    assert ".gitignore" in copied  # without it a compiled part in the checkout goes into the wheel


@pytest.mark.parametrize("file", sorted(file for file in PACKAGING.rglob("*") if file.is_file()), ids=lambda f: f.name)
def test_no_registry_is_named(file: Path) -> None:
    """Where packages come from is the business of the machine that builds."""
    assert not re.search(r"https?://|index-url|extra-index", file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheelhouse() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wheelhouse", PACKAGING / "wheelhouse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("brought", "refused"), [(["torch", "sympy"], False), (["torch", "nvidia-cublas"], True), (["triton"], True)]
)
def test_a_torch_with_gpu_libraries_is_refused_before_anything_is_fetched(
    wheelhouse: ModuleType, monkeypatch: pytest.MonkeyPatch, brought: list[str], refused: bool
) -> None:
    """pip says what it would install; libraries of a card among it stop the script."""
    report = json.dumps({"install": [{"metadata": {"name": name}} for name in brought]})
    monkeypatch.setattr(
        wheelhouse.subprocess, "run", lambda command, **how: subprocess.CompletedProcess(command, 0, report, "")
    )
    with pytest.raises(SystemExit, match="PIP_EXTRA_INDEX_URL") if refused else nullcontext():
        wheelhouse.refuse_gpu("ml,deep")


@pytest.fixture
def house(wheelhouse: ModuleType, tmp_path: Path) -> Path:
    """An archive, unpacked, whose one wheel is no wheel."""
    (tmp_path / "house" / "wheels").mkdir(parents=True)
    (tmp_path / "house" / "wheels" / "isthmus-9.9-cp312-abi3-any.whl").write_bytes(b"wheel")
    archive = wheelhouse.write(tmp_path / "house", "ml", tmp_path / "dist")
    shutil.unpack_archive(archive, tmp_path)
    return tmp_path / archive.stem


def install(house: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(house / "install.sh"), str(house.parent / "new")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHON": sys.executable, **more},
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the installer for Windows is install.ps1")
def test_a_damaged_wheel_is_not_installed(house: Path) -> None:
    """One byte changed on the way: the checksum says so, and nothing is made."""
    (house / "wheels" / "isthmus-9.9-cp312-abi3-any.whl").write_bytes(b"weel!")
    done = install(house)
    assert (done.returncode != 0, (house.parent / "new").exists()) == (True, False)
    assert "FAILED" in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the installer for Windows is install.ps1")
@pytest.mark.parametrize(
    ("key", "value", "said"), [("python_version", "2.7", "for Python 2.7"), ("system", "Plan-9", "for Plan-9")]
)
def test_another_machine_is_refused(house: Path, key: str, value: str, said: str) -> None:
    """Wheels of another Python or system are not tried."""
    about = (house / "about").read_text(encoding="utf-8")
    (house / "about").write_text(re.sub(f"{key}='.*'", f"{key}='{value}'", about), encoding="utf-8")
    done = install(house)
    assert (done.returncode, said in done.stderr) == (2, True)
