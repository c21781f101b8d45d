"""Small studies on images of lesions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from habitat.making import lesion as blob
from isthmus.image import LabelImage
from isthmus.image.io import write_image, write_labels
from isthmus.synthetic import STRUCTURES, make_structured_lesion


def write_structured_study(
    folder: Path, *, patients: int, millilitres: tuple[float, float] = (1.0, 3.0), contrast_hu: float = 50.0
) -> pd.DataFrame:
    """Images, masks and `cases.csv`: structures in turn, volumes over the range, the outcome is whether there are two tissues; a third of
    the patients come from a second centre."""
    rows = []
    volumes = np.geomspace(*millilitres, patients)[np.random.default_rng(2).permutation(patients)]
    for n in range(patients):
        structure = STRUCTURES[n % len(STRUCTURES)]
        lesion = make_structured_lesion(structure, float(volumes[n]), contrast_hu=contrast_hu, seed=n)
        write_image(lesion.image, folder / f"p{n:02d}_ct.nii.gz")
        write_labels(
            LabelImage(lesion.roi.mask.astype(np.uint8), lesion.roi.geometry), folder / f"p{n:02d}_mask.nii.gz"
        )
        rows.append(
            {
                "patient": f"p{n:02d}",
                "centre": "B" if n >= 2 * patients // 3 else "A",
                "two_tissues": int(structure in ("compact", "interleaved")),
                "image:ct": f"p{n:02d}_ct.nii.gz",
                "mask:ct": f"p{n:02d}_mask.nii.gz",
            }
        )
    cases = pd.DataFrame(rows)
    cases.to_csv(folder / "cases.csv", index=False)
    return cases


def write_blob_study(
    folder: Path, *, patients: int, second_centre: int, shape: tuple[int, int, int], masks: dict[str, Any] | None = None
) -> pd.DataFrame:
    """Images, masks and `cases.csv` of lesions of two tissues; every other patient has the outcome.

    `second_centre` is the first patient of centre B, `shape` that of the first image (the next are one and two rows longer, and again);
    `masks` makes another mask, for the patients it names, of the lesion's.
    """
    rows = []
    for number in range(patients):
        name = f"P{number:02d}"
        image, roi = blob(shape=(shape[0], shape[1] + number % 3, shape[2]), seed=number)
        mask = masks[name](roi.mask) if masks and name in masks else roi.mask
        write_image(image, folder / f"{name}.nii")
        write_labels(LabelImage(mask.astype(np.uint8), roi.geometry), folder / f"{name}.mask.nii")
        rows.append({"patient": name, "centre": "AB"[number >= second_centre], "metastasis": number % 2})
    table = pd.DataFrame(rows)
    table["image:ct"], table["mask:ct"] = table["patient"] + ".nii", table["patient"] + ".mask.nii"
    table.to_csv(folder / "cases.csv", index=False)
    return table
