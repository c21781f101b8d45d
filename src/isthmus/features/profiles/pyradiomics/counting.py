"""The features of one response map inside a region, counted as its settings say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import CaseError
from isthmus.features._workspace import workspace
from isthmus.features.profiles.pyradiomics.layout import CORE_ORDER, aggregation
from isthmus.features.profiles.pyradiomics.settings import AXES, CountingSettings
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names

__all__ = ["bin_edges", "count"]

_MOST_BINS = 4_000_000


def count(
    region: _core.Region,
    sample: _core.Sample,
    values: NDArray[Any],
    mask: NDArray[np.bool_],
    families: tuple[str, ...],
    voxel_volume: float,
    counting: CountingSettings,
) -> NDArray[np.float64]:
    """Values of the families (in the core's order) of a map inside a region.

    Raises
    ------
    CaseError
        More grey levels than can be counted.
    """
    edges = bin_edges(values.dtype, sample.minimum, sample.maximum, counting)
    fast = families if _by_default(counting) else tuple(family for family in families if family == "firstorder")
    try:
        result = _core.features(region, sample, edges, family_bits(fast), workspace())
        if fast != families:
            textures = _textures(region, _core.digitise(sample, edges), families[len(fast) :], counting)
            result = np.concatenate([result, *textures])
    except ValueError as error:
        raise CaseError(str(error)) from error
    if counting.voxel_array_shift and "firstorder" in families:
        _shift_energy(result, values[mask], counting.voxel_array_shift, voxel_volume)
    return result


def family_bits(families: tuple[str, ...]) -> int:
    """The families as the core's fast path is told them."""
    return sum(1 << CORE_ORDER.index(family) for family in families)


def _by_default(counting: CountingSettings) -> bool:
    """In space, at distance 1, directions averaged: what the fast path counts."""
    return (
        counting.slice_axis is None
        and counting.distances == (1,)
        and counting.symmetric_glcm
        and counting.weighting is None
        and counting.gldm_alpha == 0
    )


def _textures(
    region: _core.Region, levels: NDArray[np.uint32], families: tuple[str, ...], counting: CountingSettings
) -> list[NDArray[np.float64]]:
    """Texture families under any settings."""
    return _core.texture(
        region,
        levels,
        [(family, aggregation(family, counting)) for family in families],
        slice_axis=AXES.index(counting.slice_axis or "k"),
        distances=list(counting.distances),
        symmetric=counting.symmetric_glcm,
        weighting=counting.weighting or "none",
        alpha=float(counting.gldm_alpha),
        rules="pyradiomics",
        workspace=workspace(),
    )


def _shift_energy(
    firstorder: NDArray[np.float64], intensities: NDArray[Any], shift: float, voxel_volume: float
) -> None:
    """Energy, TotalEnergy and RootMeanSquared of intensities moved by a constant, in place."""
    place = {name: number for number, name in enumerate(feature_names("firstorder"))}
    energy = float(np.sum((intensities.astype(np.float64) + shift) ** 2))
    firstorder[place["Energy"]] = energy
    firstorder[place["TotalEnergy"]] = energy * voxel_volume
    firstorder[place["RootMeanSquared"]] = np.sqrt(energy / intensities.size)


def bin_edges(dtype: np.dtype[Any], minimum: float, maximum: float, settings: CountingSettings) -> NDArray[np.float64]:
    """Edges of the grey level bins, in the arithmetic of the image's own type, as PyRadiomics computes them with NumPy 2.

    Raises
    ------
    CaseError
        So many bins, or bins so narrow for numbers of this size, that they cannot be told apart.
    """
    # integers as double: the sum of an int16 and two bin widths must not overflow
    kind = np.dtype(np.float64) if dtype.kind in "iu" else dtype
    low, high = kind.type(minimum), kind.type(maximum)
    if settings.bin_count is not None:
        try:
            with np.errstate(over="ignore"):
                edges = np.histogram_bin_edges(np.array([low, high]), settings.bin_count).astype(np.float64)
        except ValueError as error:  # NumPy's: "Too many bins for data range"
            raise CaseError(
                f"{settings.bin_count} bins between {minimum:g} and {maximum:g} have no width that {kind} can hold. "
                "Rescale the image, or set a bin_width"
            ) from error
        edges[-1] += 1  # so that the largest intensity falls into the last bin
        return _ascending(edges, minimum, maximum, f"bin_count {settings.bin_count}")
    width = settings.bin_width
    bins = (maximum - minimum) / width
    if bins > _MOST_BINS:
        raise CaseError(
            f"bin width {width:g} cuts the region's intensities, {minimum:g} to {maximum:g}, into {bins:.3g} bins; "
            f"at most {_MOST_BINS} are possible. Choose a wider bin_width, or bin_count"
        )
    edges = np.arange(low - low % width, high + 2 * width, width).astype(np.float64)
    if len(edges) == 1:
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    return _ascending(edges, minimum, maximum, f"bin_width {width:g}")


def _ascending(edges: NDArray[np.float64], minimum: float, maximum: float, setting: str) -> NDArray[np.float64]:
    """The edges, once it is sure that they bound bins."""
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise CaseError(
            f"{setting}: with intensities from {minimum:g} to {maximum:g} the bins are narrower than the distance between two "
            "numbers of that size. Choose wider bins, or rescale the image"
        )
    return edges
