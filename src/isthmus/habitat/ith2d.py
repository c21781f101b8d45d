"""The two-dimensional ITHscore: pixels of the largest slice, clustered by the texture around them.

References
----------
Li, Qiu, Zhang et al., European Radiology 2022, doi:10.1007/s00330-022-09055-0.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MaskError, UndefinedFeatureWarning
from isthmus.features import measure_labels
from isthmus.habitat.components import Array, by_brightness, cluster, complete, from_zero_to_one, reduced
from isthmus.habitat.measure import counting
from isthmus.habitat.score import fragment_score
from isthmus.habitat.settings import Ith2dSettings, SupervoxelSettings
from isthmus.habitat.supervoxels import prepared, region_box
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.roi.roi import Roi
from isthmus.stats.seeds import child_seed

__all__ = ["Ith2d", "ith2d", "largest_slice", "pixel_features"]


@dataclass(frozen=True, eq=False)
class Ith2d:
    """The score of a lesion's largest slice.

    Parameters
    ----------
    score : float
        The mean of `scores`; NaN where none could be computed, and `reasons` says why.
    scores : mapping
        Number of clusters -> score: the multi-resolution curve.
    maps : mapping
        Number of clusters -> map of the clusters, shape (1, j, i): 0 outside, inside 1 ... k from the darkest to the brightest.
    image : Image
        The slice, on the grid of the maps.
    slice_index : int
        k of the slice in the image that came.
    """

    score: float
    scores: Mapping[int, float]
    maps: Mapping[int, NDArray[np.int32]]
    image: Image
    slice_index: int
    reasons: Mapping[str, str] = field(default_factory=dict)


def largest_slice(mask: NDArray[np.bool_]) -> int:
    """k of the slice with the most voxels of the mask; the first of several."""
    return int(np.argmax(mask.sum(axis=(1, 2))))


def ith2d(
    image: Image, roi: Roi, settings: Ith2dSettings | None = None, *, patient: str = "", workers: int = 1
) -> Ith2d:
    """The score of the largest slice of a lesion.

    Raises
    ------
    MaskError
        The lesion is empty.
    ImageReadError
        An intensity inside the lesion is NaN or infinite.
    """
    settings = settings or Ith2dSettings()
    compat = settings.variant == "compat"
    if not roi.mask.any():
        raise MaskError(f"region {roi.name!r} holds no voxel; there is no largest slice. Is the label right?")
    k = largest_slice(roi.mask)
    cut = (slice(k, k + 1), slice(0, roi.mask.shape[1]), slice(0, roi.mask.shape[2]))
    geometry = roi.geometry.part(cut)
    flat, region = (
        replace(image, values=image.values[cut], geometry=geometry, instances={}),
        replace(roi, mask=roi.mask[cut], geometry=geometry),
    )
    box = region_box(region, settings.radius)
    plane = None if compat else (0.0, settings.spacing_mm, settings.spacing_mm)
    inside, lesion = prepared(flat, region, box, SupervoxelSettings(window=settings.window, spacing_mm=plane))
    if compat:  # windows hold what lies beside the lesion, too
        around = flat.values[box] if settings.window is None else np.clip(flat.values[box], *settings.window)
        inside = replace(inside, values=around)
    mask = lesion.mask[0]
    features = pixel_features(
        inside.values[0], mask, inside.geometry.spacing_mm, settings, whole=compat, workers=workers
    )
    filled = complete(features)
    points = from_zero_to_one(filled) if compat else reduced(filled)
    area = inside.geometry.spacing_mm[1] * inside.geometry.spacing_mm[2]
    least = 2.0 if compat else settings.least_mm2 / area
    scores, maps, reasons = {}, {}, {}
    for clusters in settings.clusters:
        if len(points) <= clusters:
            scores[clusters] = float("nan")
            reasons[f"ith2d_k{clusters}"] = (
                f"{len(points)} pixels in the largest slice; more than {clusters} are needed"
            )
            continue
        seed = child_seed(settings.seed, "ith2d", patient, clusters)
        found, _, _ = cluster(points, clusters, starts=settings.starts, seed=seed)
        painted = np.zeros(lesion.mask.shape, dtype=np.int32)
        painted[lesion.mask] = by_brightness(found, inside.values[lesion.mask].astype(np.float64))[found]
        maps[clusters] = painted
        scores[clusters] = fragment_score(painted[0], least - 1e-9)
    return Ith2d(float(np.mean(list(scores.values()))), scores, maps, inside, k, reasons)


def pixel_features(
    values: NDArray[Any],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    settings: Ith2dSettings,
    *,
    whole: bool,
    workers: int = 1,
) -> Array:
    """The 93 features of the window around every pixel of a lesion, shape (pixels, 93), in one call of the engine.

    Parameters
    ----------
    values : array, shape (j, i)
    mask : bool array, shape (j, i)
    spacing_mm : tuple of 3 floats
        (k, j, i).
    settings : Ith2dSettings
    whole : bool
        The window holds all its pixels inside the image instead of those of the lesion only.
    workers : int
        Threads. Never changes a number.
    """
    side = 2 * settings.radius + 1
    allowed = np.ones_like(mask) if whole else mask

    def windows(array: NDArray[Any]) -> NDArray[Any]:
        view = np.lib.stride_tricks.sliding_window_view(np.pad(array, settings.radius), (side, side))
        return np.ascontiguousarray(view[mask])

    # every window is a slice of its own: regions of one label never meet those of another
    tiles, held = windows(np.where(allowed, values, 0)), windows(allowed)
    labels = np.where(held, np.arange(1, len(tiles) + 1)[:, None, None], 0).astype(np.int32)
    stack = Image(tiles, Geometry(tiles.shape, spacing_mm))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)
        frame = measure_labels(stack, labels, "pyradiomics", counting(settings.bin_width, None), workers=workers)
    return frame.to_numpy(dtype=np.float64)
