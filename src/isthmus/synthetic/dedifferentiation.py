"""A synthetic cohort of the thyroid study on dedifferentiation: anaplastic or poorly differentiated (ATC/PDTC), papillary (PTC) and
follicular (FTC) carcinomas on contrast-enhanced CT.

The clinical shares, ages and sizes are those the study printed (Moon et al., Sci Rep 2023) where it printed them, ours
where it did not. What the image shows is planted: ATC/PDTC are larger, rounder and of coarser, more varied tissue, with
more dead tissue; how far apart the groups lie is written in `GROUPS` and stands, patient by patient, in `truth.csv`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.anatomy import TRACHEA_WALL_MM, render_anatomy
from isthmus.synthetic.lesion import plan_lesion
from isthmus.synthetic.scanner import Scanner, acquire

__all__ = ["DEMO_SIZES", "GROUPS", "SIZES", "STUDY_SIZES", "Group", "make_dedifferentiation_cohort"]

STUDY_SIZES = MappingProxyType({"ATC/PDTC": 32, "PTC": 58, "FTC": 40})
DEMO_SIZES = MappingProxyType({"ATC/PDTC": 10, "PTC": 14, "FTC": 10})
SIZES = MappingProxyType(
    {"full": STUDY_SIZES, "demo": DEMO_SIZES, "tiny": MappingProxyType({"ATC/PDTC": 5, "PTC": 4, "FTC": 4})}
)
"""Patients of each group: of the study, and of a cohort that runs in seconds."""

HALF_HEIGHT_MM = 52.0
_SMALLEST_MM, _LARGEST_MM = 31.0, 84.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is true of the patients of one group.

    Parameters
    ----------
    age : tuple of 4 floats
        Mean, sd, lowest and highest, in years.
    size : tuple of 3 floats
        Mean, sd and lowest longest diameter, in millimetres.
    shares : mapping
        Column -> share of patients in whom it is present; nodal findings are shares of all patients.
    texture, shape : float
        Mean of the standardised latent heterogeneity and irregularity (sd 1).
    """

    age: tuple[float, float, float, float]
    size: tuple[float, float, float]
    shares: Mapping[str, float]
    texture: float
    shape: float


GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "ATC/PDTC": Group(
            age=(60.9, 18.7, 14, 85), size=(61.0, 15.0, 35.0), texture=0.9, shape=-0.5,
            shares={
                "male": 0.34, "both_lobes": 0.34, "non_smooth_margin": 0.81, "extrathyroidal_growth": 0.69, "necrosis": 0.875,
                "calcification": 0.56, "organ_invasion": 0.531, "vascular_invasion": 0.281, "nodal_metastasis": 0.719,
                "nodal_necrosis": 0.531, "nodal_calcification": 0.19, "nodal_vascular_invasion": 0.188, "distant_metastasis": 0.469,
            },
        ),
        "PTC": Group(
            age=(44.2, 15.5, 18, 91), size=(45.0, 11.0, 30.5), texture=-0.2, shape=0.4,
            shares={
                "male": 0.28, "both_lobes": 0.19, "non_smooth_margin": 0.72, "extrathyroidal_growth": 0.52, "necrosis": 0.534,
                "calcification": 0.69, "organ_invasion": 0.155, "vascular_invasion": 0.034, "nodal_metastasis": 0.638,
                "nodal_necrosis": 0.121, "nodal_calcification": 0.33, "nodal_vascular_invasion": 0.017, "distant_metastasis": 0.0,
            },
        ),
        "FTC": Group(
            age=(47.8, 16.0, 18, 82), size=(46.0, 12.0, 30.5), texture=-0.4, shape=-0.1,
            shares={
                "male": 0.22, "both_lobes": 0.05, "non_smooth_margin": 0.18, "extrathyroidal_growth": 0.08, "necrosis": 0.45,
                "calcification": 0.30, "organ_invasion": 0.02, "vascular_invasion": 0.0, "nodal_metastasis": 0.05,
                "nodal_necrosis": 0.02, "nodal_calcification": 0.0, "nodal_vascular_invasion": 0.0, "distant_metastasis": 0.0,
            },
        ),
    }
)  # fmt: skip
"""The truth of each group; texture and shape are ours, and so are the shares of FTC and those no text of the study prints."""

_NODAL = ("nodal_necrosis", "nodal_calcification", "nodal_vascular_invasion")

_SCANNERS = tuple(
    Scanner(
        manufacturer=vendor, model=model, kernel=kernel, kvp=kvp,
        pixels=128, slices=51, pixel_mm=0.9375, slice_spacing_mm=2.0, slice_thickness_mm=2.0,
        blur_mm=blur, noise_hu=noise, grain_mm=0.9, sharpening=0.3, offset_hu=0.0,
    )
    for vendor, model, kernel, kvp, blur, noise in (
        ("Synthetic Vendor 1", "Neckscan 64", "soft-2", 100, 0.65, 10.0),
        ("Synthetic Vendor 3", "Spectra 128", "medium-4", 120, 0.55, 9.0),
    )
)  # fmt: skip


def make_dedifferentiation_cohort(
    folder: str | Path,
    *,
    sizes: Mapping[str, int] = DEMO_SIZES,
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Images, masks and the case table of a cohort with these numbers of patients.

    A patient is the same, to the last bit, in a small cohort and in a large one, and for any number of workers.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : mapping
        Patients of each of `GROUPS`.
    signal : float
        Share of patients who look like their group; others look like any, and at 0 nothing tells the groups apart.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, histology, the clinical columns, image:ct, mask:ct. Beside it `truth.csv`: what was planted.
    """
    from threadpoolctl import threadpool_limits

    unknown = sorted(set(sizes) - set(GROUPS))
    if unknown or not sizes:
        raise ValueError(f"sizes = {dict(sizes)!r}: expected patients of {', '.join(GROUPS)}")
    folder = Path(folder)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # dealt in turns, so that the order of the table tells nothing about the group
    wanted = [(number, name) for name, count in sizes.items() for number in range(count)]
    wanted.sort(key=lambda one: (one[0], list(sizes).index(one[1])))

    def write(one: tuple[int, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        return _write_patient(folder, group=one[1], number=one[0], seed=seed, sizes=sizes, signal=signal)

    with threadpool_limits(limits=1), ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        rows = list(pool.map(write, wanted))
    table = folder / "cases.csv"
    pd.DataFrame([row for row, _ in rows]).to_csv(table, index=False)
    pd.DataFrame([truth for _, truth in rows]).to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    return table


def _write_patient(
    folder: Path, *, group: str, number: int, seed: int, sizes: Mapping[str, int], signal: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Files of one patient; returns the row of the case table and that of the truth."""
    patient = f"{group.split('/', maxsplit=1)[0]}{number + 1:03d}"
    looks = group
    if signal < 1:
        any_group = np.random.default_rng(child_seed(seed, "looks like", patient))
        share = np.array(list(sizes.values())) / sum(sizes.values())
        looks = group if any_group.uniform() < signal else str(any_group.choice(list(sizes), p=share))
    clinical, latent = draw_patient(looks, np.random.default_rng(child_seed(seed, "clinical", patient)))
    rng = np.random.default_rng(child_seed(seed, "image", patient))
    lesion = plan_lesion(
        rng,
        texture=latent["texture"],
        shape=latent["shape"],
        diameter_mm=latent["diameter_mm"],
        extends=clinical["growth"] == "extrathyroidal",
        medial_mm=TRACHEA_WALL_MM,
    )
    dead = float(rng.uniform(0.06, 0.30)) if clinical["necrosis"] == "present" else 0.0
    grains = int(2 + rng.poisson(4.0)) if clinical["calcification"] == "present" else 0
    lesion = replace(lesion, necrotic_fraction=dead, calcifications=grains)
    anatomy = render_anatomy(lesion, rng, age_years=clinical["age_years"], half_height_mm=HALF_HEIGHT_MM)
    scanner = _SCANNERS[int(rng.integers(len(_SCANNERS)))]
    seen = acquire(anatomy.hu, anatomy.lesion, anatomy.axes, scanner, rng)
    geometry = Geometry(shape=seen.values.shape, spacing_mm=seen.spacing_mm, origin_mm=seen.origin_mm)
    image, mask = f"images/{patient}_ct.nii.gz", f"masks/{patient}_ct.nii.gz"
    write_image(Image(seen.values, geometry, "HU"), folder / image)
    write_labels(LabelImage(seen.mask, geometry), folder / mask)
    sidecar = json.dumps(scanner.sidecar, indent=1) + "\n"
    (folder / "images" / f"{patient}_ct.json").write_text(sidecar, encoding="utf-8")
    row = {"patient": patient, "histology": group, **clinical, "image:ct": image, "mask:ct": mask}
    planted = {
        "patient": patient, "histology": group, **latent,
        "lesion_volume_ml": float(seen.mask.sum() * geometry.voxel_volume_mm3 / 1000.0),
        "irregularity": lesion.irregularity, "amplitude_hu": lesion.amplitude_hu, "correlation_mm": lesion.correlation_mm,
        "necrotic_fraction": dead, "calcifications": grains,
    }  # fmt: skip
    return row, planted


def draw_patient(group: str, rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, float]]:
    """The clinical values of one patient of a group, and what the image is made from."""
    truth = GROUPS[group]
    mean, sd, youngest, oldest = truth.age
    age = int(np.clip(np.round(rng.normal(mean, sd)), youngest, oldest))
    size_mean, size_sd, smallest = truth.size
    spread = np.sqrt(np.log1p((size_sd / size_mean) ** 2))
    diameter = float(np.clip(size_mean * np.exp(spread * rng.normal() - spread**2 / 2), smallest, _LARGEST_MM))
    texture, shape = (float(m + np.clip(rng.normal(), -2.2, 2.2)) for m in (truth.texture, truth.shape))
    has = {name: bool(rng.uniform() < share) for name, share in truth.shares.items()}
    inside = truth.shares["nodal_metastasis"]
    for name in _NODAL:  # only nodes that are there can be necrotic
        has[name] = has["nodal_metastasis"] and bool(rng.uniform() < truth.shares[name] / inside)
    measured = max(_SMALLEST_MM, diameter + rng.normal(0, 1.0))

    def said(name: str, yes: str = "present", no: str = "absent") -> str:
        return yes if has[name] else no

    clinical = {
        "age_years": age,
        "sex": said("male", "male", "female"),
        "size_cm": float(np.round(measured / 10, 1)),
        "lobes": said("both_lobes", "two", "one"),
        "margin": said("non_smooth_margin", "non-smooth", "smooth"),
        "growth": said("extrathyroidal_growth", "extrathyroidal", "intrathyroidal"),
        **{
            name: said(name)
            for name in (
                "necrosis", "calcification", "organ_invasion", "vascular_invasion", "nodal_metastasis", *_NODAL,
                "distant_metastasis",
            )
        },
    }  # fmt: skip
    return clinical, {"texture": texture, "shape": shape, "diameter_mm": diameter}
