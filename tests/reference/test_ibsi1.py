"""IBSI 1: every reference value with a consensus, six processing configurations, through the `ibsi` profiles.

Run with `-s` to see the table of counts.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from isthmus.features.ibsi import FAMILIES
from isthmus.features.profiles import get_profile
from isthmus.features.profiles.ibsi_chain import process
from isthmus.image import Image
from isthmus.image.io import read_image
from isthmus.image.resample import resample, resampled_geometry, rounded, sub_geometry
from isthmus.roi import Roi, read_roi
from isthmus.study.doctor import agrees

CONFIGURATIONS = {"digital_phantom": "ibsi-digital", **{letter: f"ibsi-{letter}" for letter in "ABCDE"}}
# codes that two features share by definition: the fraction tells them apart
PARAMETERS = {"ivh_v10": "0.10", "ivh_v90": "0.90", "ivh_i10": "0.10", "ivh_i90": "0.90"}


@cache
def rows(data: Path) -> tuple[dict[str, str], ...]:
    with (data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        return tuple(row for row in csv.DictReader(file) if row["reference_value"])


@cache
def phantom(data: Path, configuration: str) -> tuple[Image, Roi]:
    folder = data / "ibsi" / ("digital_phantom" if configuration == "digital_phantom" else "ct_phantom") / "nifti"
    image = read_image(folder / "image" / "phantom.nii.gz")
    return image, read_roi(folder / "mask" / "mask.nii.gz", image, label=1)


@cache
def measured(data: Path, configuration: str) -> dict[tuple[str, str, str, str], float]:
    """(family, IBSI code, aggregation, parameter of a shared code) -> value."""
    profile = get_profile(CONFIGURATIONS[configuration])
    settings = profile.Settings()
    values = profile.compute(*phantom(data, configuration), settings)
    shared = {"BC2M", "GBPN"}
    return {
        (meta.family, meta.ibsi_code, meta.aggregation, meta.parameter if meta.ibsi_code in shared else ""): float(
            value
        )
        for meta, value in zip(profile.columns(settings), values, strict=True)
    }


@dataclass
class Counts:
    """Values met and asked for, per family and configuration, and what missed."""

    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def table(self) -> str:
        lines = [f"{'IBSI 1':28}" + "".join(f"{name.replace('_phantom', ''):>10}" for name in CONFIGURATIONS)]
        for family in FAMILIES:
            cells = [f"{self.met[family, c]}/{self.asked[family, c]}" for c in CONFIGURATIONS]
            lines.append(f"{family:28}" + "".join(f"{cell:>10}" for cell in cells))
        sums = [
            f"{sum(self.met[f, c] for f in FAMILIES)}/{sum(self.asked[f, c] for f in FAMILIES)}" for c in CONFIGURATIONS
        ]
        lines.append(f"{'all':28}" + "".join(f"{cell:>10}" for cell in sums))
        return "\n".join([*lines, f"{sum(self.met.values())} of {sum(self.asked.values())} values", *self.missed])


@cache
def counted(data: Path) -> Counts:
    counts = Counts()
    for row in rows(data):
        if row["family"] == "diagnostics":
            continue
        configuration = row["configuration"]
        key = (row["family"], row["feature_ibsi_id"], row["aggregation_ibsi_id"], PARAMETERS.get(row["tag"], ""))
        value = measured(data, configuration).get(key, float("nan"))
        counts.asked[row["family"], configuration] += 1
        if agrees(value, row["reference_value"], float(row["tolerance"])):
            counts.met[row["family"], configuration] += 1
        else:
            counts.missed.append(
                f"{configuration} {row['family']} {row['tag']} {row['aggregation']}: {value:.6g}, "
                f"IBSI {row['reference_value']} within {row['tolerance']}"
            )
    return counts


def test_every_reference_value_is_met(shared_data: Path) -> None:
    """All values of all families in all configurations lie within their tolerance; one miss fails."""
    counts = counted(shared_data)
    print("\n" + counts.table())
    assert not counts.missed, "\n" + counts.table()


def test_the_count_of_reference_values(shared_data: Path) -> None:
    """1,804 values have a consensus: none was left out above."""
    assert sum(counted(shared_data).asked.values()) == 1804


# ---------------------------------------------------------------------- image and masks after each step


def of_image(image: Image, step: str) -> dict[str, float]:
    k, j, i = image.geometry.shape
    dk, dj, di = image.geometry.spacing_mm
    values = image.values.astype(np.float64)
    named = {"img_dim_z": k, "img_dim_y": j, "img_dim_x": i, "vox_dim_z": dk, "vox_dim_y": dj, "vox_dim_x": di}
    named |= {"mean_int": values.mean(), "min_int": values.min(), "max_int": values.max()}
    return {f"{name}_{step}_img": float(value) for name, value in named.items()}


def of_mask(kind: str, mask: np.ndarray, image: Image, grid: tuple[int, int, int], step: str) -> dict[str, float]:
    at = np.argwhere(mask)
    k, j, i = at.max(axis=0) - at.min(axis=0) + 1
    named = {"bb_dim_z": k, "bb_dim_y": j, "bb_dim_x": i, "vox_count": len(at)}
    if kind == "int":
        inside = image.values[mask].astype(np.float64)
        named |= {"dim_z": grid[0], "dim_y": grid[1], "dim_x": grid[2]}
        named |= {"mean_int": inside.mean(), "min_int": inside.min(), "max_int": inside.max()}
    return {f"{kind}_mask_{name}_{step}_roi": float(value) for name, value in named.items()}


@cache
def diagnostics(data: Path, configuration: str) -> dict[str, float]:
    image, roi = phantom(data, configuration)
    settings = get_profile(CONFIGURATIONS[configuration]).Settings()
    image = Image(rounded(image.values), image.geometry)
    spacing = settings.spacing_mm or (0.0, 0.0, 0.0)
    grid = resampled_geometry(image.geometry, spacing).shape
    after = process(image, roi, settings, whole=True)
    interpolated = resample(image, spacing, interpolation=settings.interpolation, rounding=True)
    np.testing.assert_array_equal(after.image.values, interpolated.values)
    boxed = Image(after.image.values[after.box], sub_geometry(after.image.geometry, after.box))
    found = of_image(image, "init") | of_image(interpolated, "interp")
    for kind in ("int", "morph"):
        found |= of_mask(kind, roi.mask, image, image.geometry.shape, "init")
        found |= of_mask(kind, after.morphological, boxed, grid, "interp")
        found |= of_mask(kind, after.intensity if kind == "int" else after.morphological, boxed, grid, "reseg")
    return found


@pytest.mark.parametrize("configuration", "ABCDE")
def test_image_and_masks_after_each_step(shared_data: Path, configuration: str) -> None:
    """Size, spacing, intensities, boxes and voxel counts after reading, interpolation and re-segmentation: all 60."""
    asked = [
        row for row in rows(shared_data) if row["family"] == "diagnostics" and row["configuration"] == configuration
    ]
    found = diagnostics(shared_data, configuration)
    missed = [
        f"{row['tag']}: {found.get(row['tag'])}, IBSI {row['reference_value']} within {row['tolerance']}"
        for row in asked
        if not agrees(found.get(row["tag"], float("nan")), row["reference_value"], float(row["tolerance"]))
    ]
    assert len(asked) == 60
    assert not missed, "\n".join(missed)
