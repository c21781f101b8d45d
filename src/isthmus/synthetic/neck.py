"""Small neck CT with a label map: a thyroid lesion and what lies around it, for training and testing segmentation.

The anatomy is that of the other synthetic necks, drawn on a coarser grid, so that a patient takes a fraction of a second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.anatomy import TRACHEA_WALL_MM, render_anatomy
from isthmus.synthetic.lesion import plan_lesion
from isthmus.synthetic.planted import each_patient
from isthmus.synthetic.scanner import SCANNERS, acquire, outline
from isthmus.synthetic.truth import draw_truth

__all__ = ["LABELS", "NeckCase", "make_neck_case", "make_neck_cohort"]

LABELS: Mapping[str, int] = MappingProxyType(
    {
        "thyroid": 1, "trachea": 2, "carotid_left": 3, "carotid_right": 4, "vertebra_c5": 5, "vertebra_c6": 6, "vertebra_c7": 7,
        "vertebra_t1": 8, "clavicle_left": 9, "clavicle_right": 10, "lesion": 11,
    }
)  # fmt: skip
"""The structures and their values in a label map, as the CRIT study numbers them."""

_HALF_HEIGHT_MM, _HALF_WIDTH_MM = 31.0, 58.0


@dataclass(frozen=True, eq=False)
class NeckCase:
    """One patient in memory: Hounsfield units and label map (k, j, i), spacing (k, j, i), origin (x, y, z)."""

    values: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    @property
    def geometry(self) -> Geometry:
        return Geometry(shape=self.values.shape, spacing_mm=self.spacing_mm, origin_mm=self.origin_mm)


def make_neck_case(
    patient: Mapping[str, Any],
    index: int,
    *,
    seed: int,
    pixel_mm: float = 2.0,
    slice_mm: float = 3.0,
    lesion_hu: float | None = None,
) -> NeckCase:
    """Image and label map of one patient.

    Parameters
    ----------
    patient : mapping
        A row of `draw_truth`.
    index : int
        Its place in the cohort, 0 for the first.
    seed : int
    pixel_mm, slice_mm : float
        Spacing in the plane and between slices.
    lesion_hu : float, optional
        Mean of the lesion's tissue; unset, about 90, between muscle (62) and gland (165), which is hard to learn from few patients.
    """
    rng = np.random.default_rng(child_seed(seed, "neck", index))
    lesion = plan_lesion(
        rng, texture=patient["texture"], shape=patient["shape"], diameter_mm=patient["lesion_diameter_mm"],
        extends=patient["extrathyroidal_extension"] == "yes", medial_mm=TRACHEA_WALL_MM,
    )  # fmt: skip
    if lesion_hu is not None:
        lesion = replace(lesion, mean_hu=lesion_hu)
    z = np.arange(-_HALF_HEIGHT_MM - 2, _HALF_HEIGHT_MM + 3, slice_mm / 2, dtype=np.float32)
    x = np.arange(-_HALF_WIDTH_MM - 4, _HALF_WIDTH_MM + 5, pixel_mm, dtype=np.float32)
    anatomy = render_anatomy(lesion, rng, age_years=patient["age_years"], axes=(z, x, x.copy()), context=True)
    scanner = replace(
        SCANNERS[0], pixels=round(2 * _HALF_WIDTH_MM / pixel_mm), slices=round(2 * _HALF_HEIGHT_MM / slice_mm), pixel_mm=pixel_mm,
        slice_spacing_mm=slice_mm, slice_thickness_mm=slice_mm, blur_mm=0.6 * pixel_mm, grain_mm=0.9 * pixel_mm,
    )  # fmt: skip
    seen = acquire(anatomy.hu, anatomy.lesion, anatomy.axes, scanner, rng)
    labels = np.zeros(seen.values.shape, np.uint8)
    context = {**anatomy.context, "thyroid": anatomy.gland}
    for name in ("vertebra_c5", "vertebra_c6", "vertebra_c7", "vertebra_t1", "thyroid", "carotid_left", "carotid_right",
                 "trachea", "clavicle_left", "clavicle_right"):  # fmt: skip
        if name in context:
            labels[outline(context[name], anatomy.axes, scanner) > 0] = LABELS[name]
    labels[seen.mask > 0] = LABELS["lesion"]
    return NeckCase(seen.values, labels, seen.spacing_mm, seen.origin_mm)


def make_neck_cohort(
    folder: str | Path,
    *,
    patients: int = 20,
    seed: int = 1,
    signal: float = 1.0,
    pixel_mm: float = 2.0,
    slice_mm: float = 3.0,
    lesion_hu: float | None = None,
    workers: int = 1,
) -> Path:
    """A case table with its files: images, label maps, `labels.json` (names of their values) and `truth.csv`; the table's path.

    The column `metastasis` follows the lesion's texture, shape and size, as in `make_cohort`.
    """
    folder = Path(folder)
    truth = draw_truth(patients, centres=("A",), signal=signal, seed=seed, null=False)
    numbers = {name: index for index, name in enumerate(truth["patient"])}

    def write(folder: Path, patient: dict[str, Any]) -> dict[str, Any]:
        name = patient["patient"]
        case = make_neck_case(
            patient, numbers[name], seed=seed, pixel_mm=pixel_mm, slice_mm=slice_mm, lesion_hu=lesion_hu
        )
        image, mask = f"images/{name}_ct.nii.gz", f"masks/{name}_labels.nii.gz"
        write_image(Image(case.values, case.geometry, "HU"), folder / image)
        write_labels(LabelImage(case.labels, case.geometry), folder / mask)
        (folder / "images" / f"{name}_ct.json").write_text('{"Modality": "CT"}\n', encoding="utf-8")
        return {
            "patient": name, "centre": "A", "metastasis": patient["outcome"], "image:ct": image, "mask:ct": mask,
            "label:ct": LABELS["lesion"],
        }  # fmt: skip

    rows = each_patient(folder, truth, write, workers=workers)
    table = folder / "cases.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    truth.to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    (folder / "labels.json").write_text(json.dumps(dict(LABELS), indent=1) + "\n", encoding="utf-8")
    return table
