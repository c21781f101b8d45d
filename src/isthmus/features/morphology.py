"""The 29 values of IBSI's morphology (HCUG): geometry from the core, spatial autocorrelation by Fourier transform.

What each feature is, and where it has no value, docs/reference/morphology.md tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features._autocorrelation import geary_c, moran_i, weighted_sums
from isthmus.image import Spacing
from isthmus.image.box import bounding_box

__all__ = ["TAGS", "compute"]

# IBSI's short names, in the order of its reference values
TAGS = (*_core.morphology_names(), "morph_moran_i", "morph_geary_c")
_OF_INTENSITIES = [TAGS.index("morph_com"), TAGS.index("morph_integ_int")]


def compute(
    image: NDArray[Any], morphological: NDArray[np.bool_], intensity: NDArray[np.bool_], spacing_mm: Spacing
) -> NDArray[np.float64]:
    """Values of the 29 features, in the order of `TAGS`.

    Parameters
    ----------
    image : array, shape (k, j, i)
        int16, int32, float32 or float64; only intensities inside `intensity` are read.
    morphological, intensity : bool arrays of the same shape
        The morphological mask, and the intensity mask (re-segmented; it may be empty).
    spacing_mm : tuple of 3 floats
        (k, j, i).

    Returns
    -------
    array, shape (29,)
        NaN where a feature is not defined: axes and their ratios for a single voxel; densities of the approximate ellipsoid for a
        region in one plane; the centre of mass shift where the intensities sum to 0; Moran's I and Geary's C where all
        intensities are equal; whatever needs intensities where the intensity mask is empty.

    Raises
    ------
    ValueError
        The morphological mask is empty, shapes differ, or intensities inside the intensity mask are NaN or infinite.
    """
    if not image.shape == morphological.shape == intensity.shape:
        raise ValueError(
            f"image {image.shape}, morphological mask {morphological.shape} and intensity mask {intensity.shape}: "
            "their shapes must be equal"
        )
    box = bounding_box(morphological | intensity)
    if box is None:
        raise ValueError("the morphological mask is empty")
    image, intensity = image[box], np.ascontiguousarray(intensity[box])
    region = _core.Region(np.ascontiguousarray(morphological[box]), spacing_mm)
    if not intensity.any():
        # geometry alone: any intensities will do, what depends on them is taken out
        values = _core.morphology(region, region, _core.Sample(region, np.zeros(image.shape, np.float32)))
        values[_OF_INTENSITIES] = np.nan
        return np.append(values, [np.nan, np.nan])
    inside = _core.Region(intensity, spacing_mm)
    values = _core.morphology(region, inside, _core.Sample(inside, image))
    sums = weighted_sums(image, intensity, spacing_mm)
    return np.append(values, [moran_i(sums), geary_c(sums)])
