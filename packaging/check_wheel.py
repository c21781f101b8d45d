"""Is the installed Isthmus whole? Run it with the Python it was installed for, anywhere but in the checkout.

    python packaging/check_wheel.py [--against features.csv]

Four things, each said on a line:

- every file of `src/isthmus` beside this script is installed, byte for byte: pages and the vendored viewer, recipes, templates, tables
  (left out where the script was copied away from its checkout);
- the features of a small lesion made here. With `--against` they must equal that file's to the last bit; without, they are written to a
  file whose name is printed;
- where the extra `web` is installed, `isthmus app` is started and its pages and viewer are fetched;
- where the extra `deep` is installed, one forward pass of a small network with random weights.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import numpy as np
import pandas as pd

SOURCE = Path(__file__).resolve().parents[1] / "src" / "isthmus"
VIEWER = "app/pages/vendor/niivue.umd.js"
PAGES = ("", "start/", "review/", "reading/", "results/", "calculator/", "shared/style.css", "review/review.js")
QUIET = {**os.environ, "PYTHONUNBUFFERED": "1"}


def lesion() -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """A ball with a gradient and noise, its mask, and the spacing in mm."""
    rng = np.random.default_rng(4)
    k, j, i = np.mgrid[:24, :32, :28]
    mask = ((k - 12) * 1.5) ** 2 + (j - 15) ** 2 + (i - 14) ** 2 < 81
    values = (40 + 3 * i + 25 * rng.standard_normal(mask.shape)).astype(np.float32)
    return values, mask.astype(np.uint8), (1.5, 1.0, 1.0)


def absent(package: Path, source: Path) -> list[str]:
    """Files of the source that the package lacks or holds otherwise, and the viewer and the compiled part if there are none."""
    files = {
        file.relative_to(source).as_posix()
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in {".so", ".pyd", ".pyc"}
    }
    lacking = [
        name
        for name in sorted(files | {VIEWER})
        if not (package / name).is_file()
        or (name in files and (package / name).read_bytes() != (source / name).read_bytes())
    ]
    compiled = [file.name for file in package.glob("_core.*") if file.suffix in {".so", ".pyd"}]
    return lacking if len(compiled) == 1 else [*lacking, f"one compiled part (there: {', '.join(compiled) or 'none'})"]


def check_files() -> str:
    """Of the package; what was found."""
    import isthmus

    package = Path(isthmus.__file__).resolve().parent
    if not SOURCE.is_dir():
        return f"files of {package} not compared: {SOURCE} is not here"
    lacking = absent(package, SOURCE)
    if VIEWER in lacking:
        raise SystemExit(
            f"{package / VIEWER}: the viewer of `isthmus app` is not in this wheel; build it after `python web/vendor.py --required`"
        )
    if lacking:
        raise SystemExit(f"{package} is not what {SOURCE} holds; lacking or different: {', '.join(lacking)}")
    return f"{sum(1 for file in package.rglob('*') if file.suffix != '.pyc' and file.is_file())} files, all of {SOURCE}"


def check_features(against: Path | None) -> str:
    """Shape, first order and texture, with PyRadiomics' definitions."""
    import isthmus

    values, mask, spacing = lesion()
    measured = isthmus.extract((values, spacing), (mask, spacing), profile="pyradiomics")
    found = pd.to_numeric(measured, errors="coerce").dropna()
    if len(found) < 100:
        raise SystemExit(f"{len(found)} features; at least 100 expected")
    if against is None:
        out = Path(tempfile.gettempdir()) / "isthmus-features.csv"
        found.to_csv(out, float_format="%.17g")
        return f"{len(found)} features, written to {out}"
    expected = pd.read_csv(against, index_col=0, dtype=str).iloc[:, 0].map(float)
    if list(found.index) != list(expected.index):
        raise SystemExit(f"{len(found)} features; {against} holds {len(expected)}, or others")
    here, there = found.to_numpy(dtype=float), expected.to_numpy(dtype=float)
    apart = here != there
    if apart.any():
        ulps = np.abs(here - there)[apart] / np.spacing(np.maximum(np.abs(here), np.abs(there)))[apart]
        listed = ", ".join(f"{name} by {ulp:.0f} ulp" for name, ulp in zip(found.index[apart], ulps, strict=True))
        raise SystemExit(f"{len(found)} features, {apart.sum()} DIFFERENT: {listed}")
    return f"{len(found)} features, equal to the last bit"


def check_app() -> str:
    """`isthmus app` serves its pages, the viewer among them."""
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn", "multipart")):
        return "app not opened: the extra `web` is not installed"
    with tempfile.TemporaryDirectory() as study:
        command = [sys.executable, "-m", "isthmus", "app", "--study", study, "--no-browser"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=QUIET, cwd=study) as server:
            try:
                assert server.stdout is not None
                said = next((line for line in server.stdout if "127.0.0.1" in line), "")
                if not said:
                    raise SystemExit(f"`isthmus app` ended with status {server.wait()}")
                address = said.split()[-1]
                opener = urllib.request.build_opener(
                    urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
                )
                opener.open(address, timeout=60).close()
                base = address.partition("?")[0]
                lengths = {}
                for page in (*PAGES, "vendor/niivue.umd.js"):
                    with opener.open(base + page, timeout=60) as answer:
                        lengths[page] = len(answer.read())
            finally:
                server.terminate()
    return f"app: {len(lengths)} pages and scripts served, the viewer {lengths['vendor/niivue.umd.js']} bytes"


def check_deep() -> str:
    """`isthmus deep extract`: a 3-D DenseNet with random weights on the lesion."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "monai", "safetensors")):
        return "no forward pass: the extra `deep` is not installed"
    import nibabel

    values, mask, spacing = lesion()
    with tempfile.TemporaryDirectory() as folder:
        for name, voxels in (("image", values), ("mask", mask)):
            there = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([*spacing[::-1], 1.0]))
            nibabel.save(there, Path(folder) / f"{name}.nii.gz")
        command = [sys.executable, "-m", "isthmus", "deep", "extract"]
        command += ["--image", "image.nii.gz", "--mask", "mask.nii.gz", "--out", "deep.csv"]
        command += ["--weights", "random", "--network", "densenet121", "--set", "encoder.dims=3"]
        done = subprocess.run(command, cwd=folder, env=QUIET, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"`isthmus deep extract` ended with status {done.returncode}: {done.stderr.strip()}")
        found = pd.read_csv(Path(folder) / "deep.csv").select_dtypes("number").to_numpy(dtype=float)
    if not np.isfinite(found).all() or found.size < 100 or np.ptp(found) == 0:
        raise SystemExit(f"`isthmus deep extract`: {found.size} values, not all of them numbers, or all the same")
    return f"network: {found.size} values"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args()
    import isthmus

    if Path(isthmus.__file__).resolve().is_relative_to(SOURCE):
        print("this is the checkout's own package, not an installed one")
        return 2
    checks: list[Callable[[], str]] = [check_files, lambda: check_features(given.against), check_app, check_deep]
    for check in checks:
        print(check(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
