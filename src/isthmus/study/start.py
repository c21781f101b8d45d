"""`isthmus init FOLDER`: a case table and a commented plan from a folder of images and masks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from isthmus.cohort.folder import find_cases
from isthmus.errors import PlanError
from isthmus.study.store import write_bytes

__all__ = ["plan_text", "start_study"]


def start_study(folder: Path, out: Path) -> list[str]:
    """Write `cases.csv` and `plan.toml` to `out`; the lines to show the user.

    Raises
    ------
    PlanError
        The folder holds no image with a mask, or the files are there already.
    """
    if not folder.is_dir():
        raise PlanError(f"{folder}: no such folder. Give the folder that holds the images and masks.")
    cases, unplaced = find_cases(folder)
    if cases.empty:
        raise PlanError(
            f"{folder}: no image with a mask was found. Expected <patient>/image.nii.gz with <patient>/mask.nii.gz, "
            "<patient>_ct.nii.gz with <patient>_ct_mask.nii.gz, or a DICOM folder with an RTSTRUCT per patient."
        )
    taken = [name for name in ("cases.csv", "plan.toml") if (out / name).exists()]
    if taken:
        raise PlanError(
            f"{out} already has {' and '.join(taken)}; nothing is overwritten. Choose another folder with --out."
        )
    images = [name.removeprefix("image:") for name in cases.columns if name.startswith("image:")]
    table = _relative(cases, out)
    if "outcome" not in table.columns:
        table.insert(list(table.columns).index("patient") + 1, "outcome", "")
    write_bytes(out / "cases.csv", table.to_csv(index=False).encode())
    write_bytes(out / "plan.toml", plan_text(images).encode())
    lines = [f"{out / 'cases.csv'}: {len(cases)} cases; images: {', '.join(images)}"]
    lines += [f"not placed: {what}" for what in unplaced]
    return [
        *lines,
        f"{out / 'plan.toml'}: fill in the column outcome of the table, look through the plan, then: isthmus check {out / 'plan.toml'}",
    ]


def _relative(cases: pd.DataFrame, out: Path) -> pd.DataFrame:
    """Paths relative to the table where they lie below it, absolute otherwise."""
    base = out.resolve()
    table = cases.copy()
    for column in [name for name in table.columns if name.startswith(("image:", "mask:"))]:
        table[column] = table[column].map(lambda cell: _shorten(cell, base), na_action="ignore")
    return table


def _shorten(cell: str | Path, base: Path) -> str:
    if not str(cell):
        return ""
    path = Path(cell).resolve()
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def plan_text(images: list[str]) -> str:
    """A commented plan for these images."""
    blocks = "\n".join(_BLOCK.format(name=name) for name in images)
    return _PLAN.format(blocks=blocks)


_BLOCK = """[[features]]
name = "{name}"                        # the block's name, for [[models]] blocks
image = "{name}"                       # columns image:{name} and mask:{name} of the case table
profile = "pyradiomics"
bin_width = 25                         # in the image's own units: 25 for CT (HU), 0.25 for PET (SUV)
# spacing_mm = [1, 1, 1]               # resample (k, j, i) when voxel sizes differ between patients
# filters = ["none", "stationary_wavelet", {{ name = "recursive_log", sigma_mm = [1, 2, 3] }}]
# ring_mm = [0, 5]                     # the tissue around the lesion instead of the lesion
"""

_PLAN = """# A study from scans to report. Check it: isthmus check plan.toml   Run it: isthmus run plan.toml --out runs/first

[cohort]
table = "cases.csv"
outcome = "outcome"                    # a column of the table (1/0, yes/no), or an expression: "nodes_positive > 5"
# positive = "malignant"               # where the classes have names

# [cohort.exclude]                     # drawn in the flow of cases, with these reasons
# "tumour below 5 mm" = "size_mm < 5"

# [clinical]                           # a second block from columns of the table
# columns = ["age_years", "sex"]

{blocks}
# Without [[models]]: LASSO logistic regression, random forest and LightGBM on all blocks.

[validate]
folds = 5
repeats = 5
seed = 1
# external = {{ centre = ["B"] }}        # patients of this centre are touched by no choice

[report]
title = "My study"
"""
