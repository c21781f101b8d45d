"""Is the installed Isthmus whole? Run it with the Python it was installed for, anywhere but in the checkout.

    python packaging/check_wheel.py [--against features.csv]

Extracts the features of a small lesion made here. With `--against` they must equal that file's to the last bit; without, they are written
to a file whose name is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import isthmus


def features() -> pd.Series:
    """Of a ball with a gradient and noise: shape, first order, texture, with PyRadiomics' definitions."""
    rng = np.random.default_rng(4)
    k, j, i = np.mgrid[:24, :32, :28]
    mask = ((k - 12) * 1.5) ** 2 + (j - 15) ** 2 + (i - 14) ** 2 < 81
    values = (40 + 3 * i + 25 * rng.standard_normal(mask.shape)).astype(np.float32)
    return isthmus.extract((values, (1.5, 1.0, 1.0)), (mask.astype(np.uint8), (1.5, 1.0, 1.0)), profile="pyradiomics")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args()
    if Path(isthmus.__file__).resolve().is_relative_to(Path(__file__).resolve().parents[1] / "src"):
        print("this is the checkout's own package, not an installed one")
        return 2
    viewer = Path(isthmus.__file__).parent / "app" / "pages" / "vendor" / "niivue.umd.js"
    if not viewer.is_file():
        print(
            f"{viewer}: the viewer of `isthmus app` is not in this wheel; build it after `python web/vendor.py --required`"
        )
        return 1
    found = pd.to_numeric(features(), errors="coerce").dropna()
    if given.against is None:
        out = Path(tempfile.gettempdir()) / "isthmus-features.csv"
        found.to_csv(out, float_format="%.17g")
        print(f"{len(found)} features, written to {out}; compiled part {isthmus.__file__}")
        return int(len(found) < 100)
    expected = pd.read_csv(given.against, index_col=0).iloc[:, 0]
    same = list(found.index) == list(expected.index) and np.array_equal(found.to_numpy(), expected.to_numpy())
    print(f"{len(found)} features, {'equal to the last bit' if same else 'DIFFERENT'}")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
