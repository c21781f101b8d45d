"""A small study on images of lesions with known structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

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
