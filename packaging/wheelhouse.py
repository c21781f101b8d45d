"""One archive that installs Isthmus without a network: all wheels for this platform and Python, a script, checksums.

    python packaging/wheelhouse.py [--extras ml,web] [--wheel dist/isthmus-....whl] [--out dist]

Run it with the Python the archive is for. Without `--wheel` the project is built. Every version is the one of `constraints.txt`; torch
(extra `deep`) therefore is the build that the constraints and this machine's pip settings lead to. One that brings GPU libraries stops
the script before anything is fetched: they are gigabytes nobody asked for.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GPU = ("nvidia", "triton", "cuda")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
VERSIONS = ["-c", str(ROOT / "constraints.txt")]


def refuse_gpu(extras: str) -> None:
    """Ask pip what torch would bring along, before the rest is fetched."""
    if "deep" not in extras.split(","):
        return
    command = [*PIP, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", *VERSIONS, "torch"]
    asked = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    heavy = gpu_libraries(one["metadata"]["name"] for one in json.loads(asked.stdout)["install"])
    if heavy:
        sys.exit(
            f"torch would bring GPU libraries ({', '.join(heavy[:3])}, ...): tell pip where PyTorch keeps its wheels for the "
            "processor, with PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS (docs/how-to/install-offline.md)"
        )


def gpu_libraries(names: Iterable[str]) -> list[str]:
    """Those of these packages or files that nobody without such a card needs."""
    return sorted(name for name in names if name.startswith(GPU))


def collect(folder: Path, extras: str, wheel: Path | None) -> None:
    """All wheels into `folder`."""
    refuse_gpu(extras)
    if wheel is None:
        subprocess.run([sys.executable, str(ROOT / "web" / "vendor.py"), "--required"], check=True)
        subprocess.run([*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
        wheel = next(folder.glob("isthmus-*.whl"))
    else:
        wheel = Path(shutil.copy(wheel, folder))
    wanted = f"isthmus[{extras}] @ {wheel.resolve().as_uri()}"
    # `pip wheel` and not `download`: what is published as source only is built here, where there is a compiler
    # `pip wheel` and not `download`: what is published as source only is built here, where there is a compiler
    subprocess.run([*PIP, "wheel", "--quiet", "--wheel-dir", str(folder), *VERSIONS, wanted], check=True)
    heavy = gpu_libraries(file.name for file in folder.iterdir())
    if heavy:
        sys.exit(f"GPU libraries came along: {', '.join(heavy[:3])}, ...")


def write(folder: Path, extras: str, out: Path) -> Path:
    """The archive of a folder that holds `wheels/`."""
    here = ROOT / "packaging" / "wheelhouse"
    for name in ("install.sh", "install.ps1"):
        shutil.copy(here / name, folder)
    shutil.copy(ROOT / "constraints.txt", folder)
    shutil.copy(ROOT / "docs" / "how-to" / "install-offline.md", folder / "README.md")
    system = f"{platform.system()}-{platform.machine()}"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    about = {"python_version": version, "system": system, "extras": extras}
    (folder / "about").write_text("".join(f"{name}='{value}'\n" for name, value in about.items()), encoding="utf-8")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    sums = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder).as_posix()}\n" for file in files
    ]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    release = next((folder / "wheels").glob("isthmus-*.whl")).name.split("-")[1]
    archive = out / f"isthmus-{release}-{system.lower()}-python{version}.tar"
    out.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:  # wheels are compressed already
        tar.add(folder, arcname=archive.stem)
    return archive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", default="ml", help="comma-separated, as in pyproject.toml")
    parser.add_argument("--wheel", type=Path, help="a wheel of Isthmus that was built already")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "house"
        (folder / "wheels").mkdir(parents=True)
        collect(folder / "wheels", given.extras, given.wheel)
        archive = write(folder, given.extras, given.out)
    print(f"{archive}: {archive.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
