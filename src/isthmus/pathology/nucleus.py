"""The 28 features of one nucleus, in micrometres.

25 describe shape, outline, intensity and texture as the CRIT study names them (its text says 28; its code computes 25); three are added so
that there are 28: mean and SD of the haematoxylin density, and the equivalent diameter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.pathology.stain import BACKGROUND, RUIFROK, Array, Pixels, Stains, haematoxylin_density

__all__ = ["NUCLEAR_FEATURES", "features_of_labels", "nuclear_features"]

NUCLEAR_FEATURES = (
    "area", "area_bbox", "eccentricity", "circularity", "elongation", "extent", "major_axis_length", "minor_axis_length", "perimeter",
    "solidity", "curve_mean", "curve_max", "curve_min", "curve_std", "intensity_mean", "intensity_std", "intensity_max", "intensity_min",
    "intensity_skewness", "intensity_kurtosis", "intensity_entropy", "contrast", "homogeneity", "energy", "correlation",
    "haematoxylin_mean", "haematoxylin_std", "equivalent_diameter",
)  # fmt: skip


def nuclear_features(
    mask: NDArray[np.bool_], rgb: Pixels, mpp: float, *, stains: Stains = RUIFROK, background: float = BACKGROUND
) -> dict[str, float]:
    """The features of one nucleus.

    Parameters
    ----------
    mask : bool array, shape (j, i)
        One nucleus, whole; without holes.
    rgb : uint8 array, shape (j, i, 3)
        The slide under it.
    mpp : float
        Micrometres per pixel.
    stains : Stains
        Of the slide; fixed vectors unless given.
    background : float
        Intensity of glass.

    Returns
    -------
    dict
        Lengths in um, areas in um2, curvature in 1/um (positive where the outline is convex). Intensity (0 to 255) and texture are those of
        the haematoxylin alone, the image that is left when the other stain is taken away. Texture counts pairs of pixels inside the
        nucleus; correlation is NaN where they have one grey level. A feature that needs more pixels than there are is NaN.

    Raises
    ------
    MaskError
        The mask is empty.
    """
    if not mask.any():
        raise MaskError("a nucleus without pixels")
    row = features_of_labels(mask.astype(np.int32), rgb, mpp, stains=stains, background=background)[0]
    return dict(zip(NUCLEAR_FEATURES, row.tolist(), strict=True))


def features_of_labels(
    labels: NDArray[np.int32],
    rgb: Pixels,
    mpp: float,
    *,
    stains: Stains = RUIFROK,
    background: float = BACKGROUND,
    workers: int = 1,
) -> Array:
    """The features of every nucleus of a picture: one row a label from 1 to the largest, columns as NUCLEAR_FEATURES.

    Parameters
    ----------
    labels : int32 array, shape (j, i)
        0 where there is no nucleus.
    rgb : uint8 array, shape (j, i, 3)

    The rest as in `nuclear_features`, whose values these are; a label without pixels is a row of NaN.
    """
    if labels.shape != rgb.shape[:2]:
        raise GeometryMismatchError(f"labels of shape {labels.shape} over a picture of shape {rgb.shape[:2]}")
    inside = labels > 0
    density, image = np.zeros(labels.shape), np.zeros(labels.shape, dtype=np.uint8)
    density[inside] = haematoxylin_density(rgb[inside], stains, background)
    image[inside] = np.clip(np.rint(255 * np.exp(-density[inside])), 0, 255).astype(np.uint8)
    count = int(labels.max(initial=0))
    return np.asarray(_core.nuclear_features(np.ascontiguousarray(labels), count, image, density, mpp, workers))
