"""One archive that installs Isthmus without a network: all wheels for this platform and Python, a script, checksums.

    python packaging/wheelhouse.py [--extras ml,web] [--wheel dist/isthmus-....whl] [--out dist]

Run it with the Python the archive is for. Without `--wheel` the project is built. Every version is the one of `constraints.txt`; torch
(extra `deep`) therefore is the build that the
constraints and this machine's pip settings lead to, and anything that brings GPU libraries stops the script: they are gigabytes nobody
asked for.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GPU = ("nvidia_", "triton-", "cuda_")


def collect(folder: Path, extras: str, wheel: Path | None) -> None:
    """All wheels into `folder`."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if wheel is None:
        subprocess.run([sys.executable, str(ROOT / "web" / "vendor.py"), "--required"], check=True)
        subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
        wheel = next(folder.glob("isthmus-*.whl"))
    else:
        wheel = Path(shutil.copy(wheel, folder))
    wanted = f"isthmus[{extras}] @ {wheel.resolve().as_uri()}"
    # `pip wheel` and not `download`: what is published as source only is built here, where there is a compiler
    command = [*pip, "wheel", "--quiet", "--wheel-dir", str(folder), "-c", str(ROOT / "constraints.txt"), wanted]
    subprocess.run(command, check=True)
    heavy = sorted(file.name for file in folder.iterdir() if file.name.startswith(GPU))
    if heavy:
        sys.exit(
            f"GPU libraries came along ({', '.join(heavy[:3])}, ...): is the CPU build of torch where pip looks for wheels?"
        )


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
