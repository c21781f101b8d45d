"""A whole synthetic study on disk: images, masks, case table, plan, and the truth apart from them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.anatomy import TRACHEA_WALL_MM, render_anatomy
from isthmus.synthetic.lesion import Lesion, plan_lesion
from isthmus.synthetic.plan import OUTCOME, plan_text
from isthmus.synthetic.scanner import Acquisition, acquire, scanner_of
from isthmus.synthetic.truth import attainable_auc, auc, draw_truth

__all__ = ["SyntheticCase", "SyntheticCohort", "make_case", "make_cohort"]

CLINICAL = ("age_years", "sex", "tumour_size_mm", "extrathyroidal_extension", "tsh_miu_l")
NUMERIC = ("age_years", "tumour_size_mm", "tsh_miu_l")
ENDINGS = ("nii.gz", "nii", "nrrd", "mha")


@dataclass(frozen=True, eq=False)
class SyntheticCase:
    """One patient in memory: the lesion as planned, and image and mask as the centre's scanner gives them."""

    lesion: Lesion
    acquisition: Acquisition


@dataclass(frozen=True, eq=False)
class SyntheticCohort:
    """Where a synthetic study lies, and what is true in it.

    Parameters
    ----------
    folder : Path
        Holds everything below, `images/` and `masks/`.
    plan, table : Path
        `plan.toml` and `cases.csv`.
    truth : DataFrame
        One row per patient: the parts of the risk, the risk itself, what was planted (also in `truth.csv`, which no
        plan names).
    signal : float
        0 for a null cohort.
    """

    folder: Path
    plan: Path
    table: Path
    truth: pd.DataFrame
    signal: float

    @property
    def oracle_auc(self) -> float:
        """AUC of the true risk in these patients; not a number when all have one outcome."""
        return auc(self.truth["risk"].to_numpy(), self.truth["outcome"].to_numpy())

    @property
    def attainable_auc(self) -> float:
        """AUC of the true risk in an endless cohort with this signal."""
        return attainable_auc(self.signal)


def make_cohort(
    folder: str | Path,
    *,
    patients: int = 60,
    centres: tuple[str, ...] = ("A", "B"),
    signal: float = 1.0,
    seed: int = 1,
    null: bool = False,
    formats: tuple[str, ...] = ("nii.gz",),
    workers: int = 1,
) -> SyntheticCohort:
    """A study to run: neck CT of several centres with thyroid lesions, a case table and a plan.

    The outcome, distant metastasis, is drawn from a known risk (see `isthmus.synthetic.truth`). The first centre trains,
    the others are external in the plan; they differ in noise, kernel, slice thickness and calibration. On one machine a
    patient is the same, to the last bit of every file, for any number of patients and workers (another processor may
    round a voxel in a million to the neighbouring value); the signal changes outcomes, never images.

    Parameters
    ----------
    folder : path
        Made if absent. Files of an earlier cohort in it are overwritten.
    patients : int
    centres : tuple of str
    signal : float
        0 or more. At 1 the true risk reaches an AUC of about 0.90, at 0 of 0.5.
    seed : int
    null : bool
        The outcome depends on nothing.
    formats : tuple of str
        Endings of the image files, taken in turn: "nii.gz", "nii", "nrrd", "mha".
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    SyntheticCohort

    Raises
    ------
    ValueError
        An argument is out of its range; the message says which.
    """
    from threadpoolctl import threadpool_limits

    unknown = [ending for ending in formats if ending not in ENDINGS]
    if unknown or not formats:
        raise ValueError(f"formats = {formats!r}: expected some of {', '.join(ENDINGS)}")
    folder = Path(folder)
    truth = draw_truth(patients, centres=centres, signal=signal, seed=seed, null=null)
    drawn: Any = truth.to_dict("records")
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)

    def write(index: int) -> dict[str, Any]:
        ending = formats[index % len(formats)]
        return _write_case(folder, drawn[index], index, centres=centres, seed=seed, ending=ending)

    # one thread of BLAS per case: its sums then have one order, whatever the machine
    with threadpool_limits(limits=1), ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        rows = list(pool.map(write, range(patients)))
    planted = pd.DataFrame([row["planted"] for row in rows])
    truth = pd.concat([truth.drop(columns=list(CLINICAL)), planted], axis=1)
    truth.to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    table = folder / "cases.csv"
    pd.DataFrame([row["table"] for row in rows]).to_csv(table, index=False)
    plan = folder / "plan.toml"
    plan.write_text(plan_text(centres, clinical=CLINICAL, numeric=NUMERIC, seed=seed), encoding="utf-8")
    return SyntheticCohort(folder=folder, plan=plan, table=table, truth=truth, signal=0.0 if null else signal)


def make_case(patient: Mapping[str, Any], index: int, *, centres: tuple[str, ...], seed: int) -> SyntheticCase:
    """Image and mask of one patient, in memory.

    Parameters
    ----------
    patient : mapping
        A row of `draw_truth`.
    index : int
        Its place in the cohort, 0 for the first.
    centres : tuple of str
    seed : int
        As for `draw_truth`.
    """
    rng = np.random.default_rng(child_seed(seed, "image", index))
    lesion = plan_lesion(
        rng,
        texture=patient["texture"],
        shape=patient["shape"],
        diameter_mm=patient["lesion_diameter_mm"],
        extends=patient["extrathyroidal_extension"] == "yes",
        medial_mm=TRACHEA_WALL_MM,
    )
    anatomy = render_anatomy(lesion, rng, age_years=patient["age_years"])
    scanner = scanner_of(patient["centre"], centres)
    return SyntheticCase(lesion, acquire(anatomy.hu, anatomy.lesion, anatomy.axes, scanner, rng))


def _write_case(
    folder: Path, patient: Mapping[str, Any], index: int, *, centres: tuple[str, ...], seed: int, ending: str
) -> dict[str, Any]:
    """Files of one patient; returns its rows of the case table and of the truth."""
    case = make_case(patient, index, centres=centres, seed=seed)
    seen = case.acquisition
    name = patient["patient"]
    image, mask = f"images/{name}_ct.{ending}", f"masks/{name}_ct.{ending}"
    geometry = Geometry(shape=seen.values.shape, spacing_mm=seen.spacing_mm, origin_mm=seen.origin_mm)
    write_image(Image(seen.values, geometry, "HU"), folder / image)
    write_labels(LabelImage(seen.mask, geometry), folder / mask)
    sidecar = scanner_of(patient["centre"], centres).sidecar
    (folder / "images" / f"{name}_ct.json").write_text(json.dumps(sidecar, indent=1) + "\n", encoding="utf-8")
    lesion = case.lesion
    planted = {
        "lesion_volume_ml": float(seen.mask.sum() * geometry.voxel_volume_mm3 / 1000.0),
        "irregularity": lesion.irregularity,
        "amplitude_hu": lesion.amplitude_hu,
        "correlation_mm": lesion.correlation_mm,
        "necrotic_fraction": lesion.necrotic_fraction,
        "calcifications": lesion.calcifications,
    }
    table = {
        "patient": name,
        "centre": patient["centre"],
        OUTCOME: patient["outcome"],
        **{column: patient[column] for column in CLINICAL},
        "image:ct": image,
        "mask:ct": mask,
    }
    return {"table": table, "planted": planted}
