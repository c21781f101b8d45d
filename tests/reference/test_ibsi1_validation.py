"""IBSI 1 validation: features of CT, MR and PET of soft-tissue sarcomas against what five teams agree on."""

from __future__ import annotations

import csv
import gzip
import warnings
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import UndefinedFeatureWarning
from isthmus.features.ibsi import FAMILIES, TEXTURES
from isthmus.features.profiles import ibsi
from isthmus.image.io import read_image
from isthmus.roi import read_roi

FAST = ("STS_003", "STS_008")
# tags end so in the table of values: one matrix of the volume, or all directions merged
SUFFIXES = {"3d": "3D", "3d_mrg": "3D_comb"}


def fbs(width: float) -> dict[str, Any]:
    return {"method": "fbs", "bin_width": width}


COMMON: dict[str, Any] = {"interpolation": "cubic_spline", "aggregations": ("IAZD", "KOBO")}
SETTINGS: dict[str, dict[str, Any]] = {
    "CT": {
        "spacing_mm": (1.0, 1.0, 1.0),
        "rounding": "nearest_integer",
        "resegment_range": (-200.0, 200.0),
        "discretisation": fbs(10),
        "ivh_discretisation": {"method": "none"},
    },
    "MR_T1": {
        "spacing_mm": (1.0, 1.0, 1.0),
        "rounding": "none",
        "resegment_range": (0.0, float("inf")),
        "discretisation": fbs(10),
        "ivh_discretisation": fbs(1),
    },
    "PET": {
        "spacing_mm": (3.0, 3.0, 3.0),
        "rounding": "none",
        "resegment_range": (0.0, float("inf")),
        "discretisation": fbs(0.25),
        "ivh_discretisation": fbs(0.1),
    },
}


@cache
def agreed(data: Path) -> dict[tuple[str, str], dict[str, float]]:
    """(patient, modality) -> tag -> median of five teams, where their values lie within half a per cent of each other."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with gzip.open(data / "sts" / "ibsi1_validation_values.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            close = row["rel_spread5"] and float(row["rel_spread5"]) < 0.005 and int(row["n_teams5"]) >= 3
            if close and row["family"] in FAMILIES:
                found[row["patient"], row["modality"]][row["tag"]] = float(row["consensus_median5"])
    return found


@cache
def measured(data: Path, patient: str, modality: str) -> dict[str, float]:
    folder = data / "sts" / patient
    image = read_image(folder / f"{modality}_image.nii.gz")
    roi = read_roi(folder / f"{modality}_mask.nii.gz", image, label=1)
    settings = ibsi.Settings(**COMMON, **SETTINGS[modality])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        values = ibsi.compute(image, roi, settings)
    found = {}
    for meta, value in zip(ibsi.columns(settings), values, strict=True):
        tag = meta.column
        if meta.family in TEXTURES:
            ours = next(end for end in sorted(SUFFIXES, key=len, reverse=True) if tag.endswith(f"_{end}"))
            tag = f"{tag.removesuffix(ours)}{SUFFIXES[ours]}"
        found[tag] = float(value)
    return found


def compared(data: Path, patients: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many values were compared, and those further than 1 % from the median."""
    total, off = 0, []
    for (patient, modality), values in agreed(data).items():
        if patient not in patients or not (data / "sts" / patient / f"{modality}_image.nii.gz").is_file():
            continue
        for tag, median in values.items():
            ours = measured(data, patient, modality)[tag]
            total += 1
            if not abs(ours - median) <= 0.01 * abs(median):
                off.append(f"{patient} {modality} {tag}: {ours:.6g}, five teams {median:.6g}")
    return total, off


def report(total: int, off: list[str]) -> str:
    return (
        f"{total - len(off)} of {total} values ({1 - len(off) / total:.2%}) within 1 % of five teams' median\n"
        + "\n".join(off)
    )


def test_two_patients_agree_with_five_teams(shared_data: Path) -> None:
    """Where the teams agree within half a per cent, every value lies within one per cent of their median."""
    total, off = compared(shared_data, FAST)
    print("\n" + report(total, off))
    assert total > 700
    assert not off, report(total, off)


@pytest.mark.slow
def test_every_patient_agrees_with_five_teams(shared_data: Path) -> None:
    """All patients whose images are there."""
    total, off = compared(shared_data, tuple({patient for patient, _ in agreed(shared_data)}))
    print("\n" + report(total, off))
    assert not off, report(total, off)
