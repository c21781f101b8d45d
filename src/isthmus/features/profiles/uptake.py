"""Conventional features of uptake: mean uptake of regions over that of a reference, and how the sides differ.

The regions are labels of one mask (caudate and putamen of either side), the reference another label of it (occipital cortex, which binds
nothing in particular). Values are read from the image as it is: no discretisation, no resampling.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from isthmus.errors import CaseError, UndefinedFeatureWarning
from isthmus.features.measured import GreyLevels, Measured, Response
from isthmus.image import Image
from isthmus.image.box import bounding_box
from isthmus.roi import Roi
from isthmus.settings import Section
from isthmus.table import ColumnMeta

__all__ = ["NAME", "Settings", "columns", "compute", "grey_levels", "measured"]

NAME = "uptake"

_SIDES = ("left", "right")


class Settings(Section):
    """regions: name -> label of the mask; a structure with two sides is two regions, `<structure>_left` and `<structure>_right`.
    reference: the label whose uptake is unspecific.
    """

    regions: dict[str, int | str] = Field(min_length=1)
    reference: int | str

    @field_validator("regions")
    @classmethod
    def _apart(cls, regions: dict[str, int | str]) -> dict[str, int | str]:
        if len(set(regions.values())) < len(regions):
            raise ValueError("two regions have the same label")
        return regions

    @property
    def label(self) -> tuple[int | str, ...]:
        """What is read of the mask."""
        return (*dict.fromkeys([*self.regions.values(), self.reference]),)


def structures(regions: Mapping[str, Any]) -> list[str]:
    """Those with both sides, in the order of their left."""
    names = [name.removesuffix("_left") for name in regions if name.endswith("_left")]
    return [name for name in names if f"{name}_right" in regions]


def columns(settings: Settings) -> tuple[ColumnMeta, ...]:
    """The facts of every column: binding ratios of the regions, asymmetry of each structure, ratios of neighbouring structures."""
    both = structures(settings.regions)
    ratios = [(f"sbr_{name}", "SpecificBindingRatio", f"{name} over reference, less 1") for name in settings.regions]
    sides = [(f"asymmetry_{name}", "Asymmetry", f"{name}: difference of the sides by their mean") for name in both]
    between = [
        (f"{second}_to_{first}", "Ratio", f"{second} to {first}, both sides") for first, second in pairwise(both)
    ]
    return tuple(
        ColumnMeta(column, filter="original", family="uptake", feature=feature, parameter=parameter)
        for column, feature, parameter in (*ratios, *sides, *between)
    )


def compute(image: Image, roi: Roi, settings: Settings) -> NDArray[np.float64]:
    """Values in the order of `columns(settings)`.

    Parameters
    ----------
    image : Image
        Uptake, in counts or any unit that the reference divides away.
    roi : Roi
        Read with every label of the settings (`Roi.parts`).
    settings : Settings

    Returns
    -------
    array, shape (number of columns,)
        NaN where a mean to divide by is not above 0; one UndefinedFeatureWarning names the columns.

    Raises
    ------
    CaseError
        The labels are not known any more (a ring, a margin or a perturbation was made of the region).
    """
    means = {name: _mean(image, roi, label) for name, label in settings.regions.items()}
    reference = _mean(image, roi, settings.reference)
    found: dict[str, float] = {}
    binding = {name: _over(mean, reference) - 1.0 for name, mean in means.items()}
    found |= {f"sbr_{name}": value for name, value in binding.items()}
    both = structures(settings.regions)
    middle = {}
    for name in both:
        left, right = (binding[f"{name}_{side}"] for side in _SIDES)
        middle[name] = (left + right) / 2
        found[f"asymmetry_{name}"] = _over(abs(left - right), middle[name])
    found |= {f"{second}_to_{first}": _over(middle[second], middle[first]) for first, second in pairwise(both)}
    values = np.array([found[meta.column] for meta in columns(settings)], dtype=np.float64)
    if np.isnan(values).any():
        missing = [meta.column for meta, value in zip(columns(settings), values, strict=True) if np.isnan(value)]
        message = (
            f"region {roi.name!r}: not defined and missing (a mean to divide by is not above 0): {', '.join(missing)}"
        )
        warnings.warn(UndefinedFeatureWarning(message), stacklevel=2)
    return values


def measured(image: Image, roi: Roi, settings: Settings) -> Measured:
    """The image and all regions together, in their box."""
    box = bounding_box(roi.mask)
    assert box is not None  # a region that was read has a voxel
    values, mask = image.values[box], roi.mask[box]
    seen = Image(values, image.geometry.part(box), image.quantity)
    return Measured(seen, mask, mask, iter([Response("original", values)]))


def grey_levels(image: Image, roi: Roi, settings: Settings) -> GreyLevels | None:
    """None: nothing is discretised."""
    return None


def _mean(image: Image, roi: Roi, label: int | str) -> float:
    if label not in roi.parts:
        raise CaseError(
            f"the profile 'uptake' needs label {label!r} as it was drawn, and region {roi.name!r} does not know it any more. Leave "
            "margins, rings and perturbations out of this block, or name the label in regions or reference"
        )
    inside = image.values[roi.parts[label]]
    return float(inside.astype(np.float64).mean())


def _over(value: float, by: float) -> float:
    return value / by if by > 0 else float("nan")
