"""An MR study of meningiomas before surgery: T1 with contrast and T2, five centres, the grade that a pathologist found.

Nobody's data. The grade follows how uneven the tumour's tissue and outline are, which the images alone show, and a little its size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import EXTERNAL_CENTRE, MR_SCANNERS
from isthmus.synthetic.planted import draw_classes, each_patient
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers
from isthmus.synthetic.tumour3d import Meningioma, render_meningioma

__all__ = ["DEMO_SIZE", "MENINGIOMA_EFFECTS", "SIZES", "STUDY_SIZE", "make_meningioma"]

STUDY_SIZE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"A": (593, 507), "B": (431, 369), "C": (270, 230), "D": (227, 193), "E": (379, 324)}
)
"""Patients of grade 1, and of grades 2 and 3, at each centre: 1,900 and 1,623 as the study says; how centres divide it does not say."""
DEMO_SIZE: Mapping[str, tuple[int, int]] = MappingProxyType({"A": (24, 20), "B": (19, 17), "E": (21, 19)})
SIZES = MappingProxyType({"full": STUDY_SIZE, "demo": DEMO_SIZE, "tiny": MappingProxyType({"A": (5, 5), "E": (4, 4)})})

MENINGIOMA_EFFECTS: Mapping[str, float] = MappingProxyType({"texture": 1.7, "outline": 0.9, "size": 0.3})
"""Planted log odds ratios per standard deviation. Age and sex have none."""

_THIRD = 0.12  # of those above grade 1: grade 3
_NAMES = {"t1": "t1c", "t2": "t2"}


def make_meningioma(
    folder: str | Path,
    *,
    sizes: Mapping[str, tuple[int, int]] = DEMO_SIZE,
    seed: int = 1,
    signal: float = 1.0,
    workers: int = 1,
    effects: Mapping[str, float] = MENINGIOMA_EFFECTS,
) -> Path:
    """Images, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : mapping
        Centre -> patients of low and of high grade, met exactly.
    seed : int
    signal : float
        Multiplies every planted effect; 0: the grade depends on nothing, the images stay as they are.
    workers : int
        Threads; 0: one per core.
    effects : mapping
        Log odds ratios of texture, outline and size.

    Returns
    -------
    Path
        `cases.csv`: patient, centre, who_grade (1, 2, 3), age_years, sex, image:t1c, image:t2, mask:tumour. Beside it `truth.csv`.
    """
    folder = Path(folder)
    truth = pd.concat(
        [_centre(centre, counts, seed, signal, effects) for centre, counts in sizes.items()], ignore_index=True
    )
    truth["split"] = np.where(truth["centre"] == EXTERNAL_CENTRE, "external", "train")
    truth["twice"] = drawn_twice(truth)
    each_patient(folder, truth, lambda into, one: _write(into, one, seed), workers=workers)
    cases = truth[["patient", "centre", "who_grade", "age_years", "sex"]].copy()
    for name in _NAMES.values():
        cases[f"image:{name}"] = [f"images/{patient}_{name}.nii.gz" for patient in cases["patient"]]
    cases["mask:tumour"] = [f"masks/{patient}.nii.gz" for patient in cases["patient"]]
    cases.to_csv(folder / "cases.csv", index=False)
    write_readers(folder / "cases.csv", truth["twice"], "mask:tumour")
    truth["outcome"] = (truth["who_grade"] > 1).astype(int)
    truth[["patient", "centre", "split", *MENINGIOMA_EFFECTS, "risk", "outcome"]].to_csv(
        folder / "truth.csv", index=False, float_format="%.10g"
    )
    return folder / "cases.csv"


def _centre(
    centre: str, counts: tuple[int, int], seed: int, signal: float, effects: Mapping[str, float]
) -> pd.DataFrame:
    """Latent parts and grades of one centre."""
    rng = np.random.default_rng(child_seed(seed, "meningioma", centre))
    n = sum(counts)
    texture, outline, size = np.clip(rng.standard_normal((3, n)), -2.2, 2.2)
    parts = {"texture": texture, "outline": outline, "size": size}
    risk = signal * sum(effect * parts[name] for name, effect in effects.items())
    high = draw_classes(risk + np.zeros(n), counts, rng)
    return pd.DataFrame(
        {
            "patient": [f"{centre}{number + 1:04d}" for number in range(n)],
            "centre": centre,
            **parts,
            "risk": risk,
            "who_grade": np.where(high == 0, 1, np.where(rng.random(n) < _THIRD, 3, 2)),
            "age_years": np.clip(rng.normal(57, 13, n), 20, 88).round(),
            "sex": np.where(rng.random(n) < 0.68, "Female", "Male"),
        }
    )


def _write(folder: Path, row: Mapping[str, Any], seed: int) -> None:
    """The files of one patient."""
    patient, scanner = row["patient"], MR_SCANNERS[row["centre"]]
    rng = np.random.default_rng(child_seed(seed, "meningioma scan", patient))
    tumour = Meningioma(
        diameter_mm=float(30.0 * np.exp(0.22 * row["size"])),
        irregularity=float(0.07 * np.exp(0.4 * row["outline"])),
        unevenness=float(0.16 * np.exp(0.40 * row["texture"])),
        grain_mm=float(2.8 * np.exp(-0.15 * row["texture"])),
        necrosis=float(rng.uniform(0.0, 0.12)),
        oedema_mm=float(rng.uniform(0.5, 6.0)),
    )
    scans = render_meningioma(tumour, scanner, rng)
    for contrast, name in _NAMES.items():
        write_image(Image(scans.values[contrast], scans.geometry), folder / "images" / f"{patient}_{name}.nii.gz")
        told = {"t1": "T1-weighted with contrast", "t2": "T2-weighted"}[contrast]
        sidecar = json.dumps(scanner.sidecar(told), indent=1) + "\n"
        (folder / "images" / f"{patient}_{name}.json").write_text(sidecar, encoding="utf-8")
    mask = f"masks/{patient}.nii.gz"
    write_labels(LabelImage(scans.labels, scans.geometry), folder / mask)
    if row["twice"]:
        again = redrawn(scans.labels, scans.geometry.spacing_mm, rng)
        write_labels(LabelImage(again, scans.geometry), folder / second_file(mask))
