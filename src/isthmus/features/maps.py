"""Voxel-wise feature maps: any first-order or texture feature in a kernel that slides over a region, as PyRadiomics computes it.

Grey levels are made once, with the edges of the whole region; the kernel around a voxel is a cube (a square inside slices) cut at
the border of the image and, unless told otherwise, of the region.

References
----------
van Griethuysen et al., Cancer Research 77(21), 2017, doi:10.1158/0008-5472.CAN-17-0339 (version 3.0.1, voxel-based extraction).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from isthmus import _core
from isthmus.errors import CaseError, PlanError, UndefinedFeatureWarning, did_you_mean, first_few
from isthmus.features._intensities import check_intensities
from isthmus.features.extract import image_of, mask_reading, roi_of, settings_of
from isthmus.features.profiles import pyradiomics
from isthmus.features.profiles.pyradiomics.processing import prepare
from isthmus.features.profiles.pyradiomics.settings import AXES, CountingSettings
from isthmus.filters import Box, filter_labels, response_maps, widened
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.settings import Section
from isthmus.settings.messages import setting_messages

__all__ = ["FeatureMap", "KernelSettings", "feature_maps", "kernel_and_settings", "map_names", "maps", "on_grid_of"]

FAMILIES = tuple(_core.family_names()[1:])  # all but shape
_PLACE = {
    (family, feature): place
    for place, (family, feature) in enumerate((f, name) for f in FAMILIES for name in _core.feature_names(f))
}


class KernelSettings(Section):
    """The kernel of feature maps. In brackets: PyRadiomics' name.

    kernel_radius (kernelRadius): voxels to each side of the middle. masked_kernel (maskedKernel): only voxels of the region belong
    to a kernel; otherwise all of the image, and the grey levels are those of the region's box with the kernel's margin.
    initial_value (initValue): of the map outside the region. memory_limit_gb: more is refused before anything is computed.
    """

    kernel_radius: int = Field(default=1, ge=1, le=15)
    masked_kernel: bool = True
    initial_value: float = 0.0
    memory_limit_gb: float = Field(default=16.0, gt=0)


def maps(
    image: Any,
    mask: Any,
    profile: str = "pyradiomics",
    *,
    label: int | str | None = None,
    params: str | Path | None = None,
    grid: Literal["image", "region"] = "image",
    workers: int = 1,
    **settings: Any,
) -> dict[str, Image]:
    """Feature maps of one lesion.

    Parameters
    ----------
    image, mask : path, SimpleITK image, or tuple (array, spacing)
        As for `isthmus.extract`.
    profile : str
        Only "pyradiomics" has maps.
    label : int or str, optional
        The mask's value, or the name of an RTSTRUCT's ROI; default: the parameter file's label, else 1.
    params : path, optional
        A PyRadiomics parameter file (YAML or JSON), its part `voxelSetting` included.
    grid : {"image", "region"}
        Maps as large as the image, to lay over it, or only the region's box with the kernel's margin. After resampling, "image" is
        the new grid.
    workers : int
        Threads. Never changes a number.
    **settings
        Of the profile (`features=["glcm_Contrast"]`, `bin_width=10`, `slice_axis="k"`) and of `KernelSettings`
        (`kernel_radius=2`, `masked_kernel=False`); they win over `params`.

    Returns
    -------
    dict of str to Image
        float64 maps by PyRadiomics' names (`original_glcm_Contrast`). NaN where a feature is not defined for a kernel, with one
        UndefinedFeatureWarning.

    Raises
    ------
    CaseError
        The files cannot be read, the mask is empty, too small or on another grid, or the maps need more than `memory_limit_gb`.
    PlanError
        A setting is unknown or has no meaning for maps.

    Examples
    --------
    >>> import numpy as np
    >>> voxels = np.arange(64, dtype=np.int16).reshape(4, 4, 4)
    >>> found = maps((voxels, (1, 1, 1)), (voxels > 7, (1, 1, 1)), features=["firstorder_Mean"], bin_width=8)
    >>> float(found["original_firstorder_Mean"].values[2, 2, 2])
    42.0
    """
    chosen, kernel = kernel_and_settings(profile, settings, params)
    picture = image_of(image)
    roi = roi_of(mask, picture, chosen.label if label is None else label, mask_reading(chosen))
    found = {}
    for name, made in feature_maps(picture, roi, chosen, kernel, keep=grid, workers=workers):
        found[name] = on_grid_of(made) if grid == "image" else made.region
    return found


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A map over the region's box (`region`), where the box lies in the grid of `whole`, the value outside, and the voxels (in the
    box) it was computed at."""

    region: Image
    box: Box
    whole: Image
    initial_value: float
    at: NDArray[np.bool_]


def on_grid_of(made: FeatureMap, dtype: type[np.floating[Any]] = np.float64) -> Image:
    """The map as large as the image it was computed from."""
    values = np.full(made.whole.values.shape, made.initial_value, dtype=dtype)
    with np.errstate(over="ignore"):  # whoever asks for single precision looks for infinities
        values[made.box] = made.region.values
    return Image(values, made.whole.geometry)


def kernel_and_settings(
    profile: str, given: Mapping[str, Any], params: str | Path | None = None
) -> tuple[Any, KernelSettings]:
    """Settings of the profile and of the kernel from keyword arguments over a parameter file."""
    if profile != pyradiomics.NAME:
        raise PlanError(f"profile {profile!r} has no feature maps; {pyradiomics.NAME!r} has")
    kernel: dict[str, Any] = {}
    if params is not None:
        from isthmus.features.parameters import read_voxel_settings

        kernel = read_voxel_settings(params)
    known = [*KernelSettings.model_fields, *pyradiomics.Settings.model_fields]
    for key in given:
        if key not in known:
            raise PlanError(f"feature maps have no setting {key!r}.{did_you_mean(key, known)}")
    own = {key: given[key] for key in given if key in KernelSettings.model_fields}
    try:
        resolved = KernelSettings(**{**kernel, **own})
    except ValidationError as error:
        said = setting_messages(error, {**kernel, **own}, known_keys=lambda _: known, where="feature maps:")
        raise PlanError("\n".join(said)) from error
    chosen = settings_of(profile, {key: value for key, value in given.items() if key not in own}, params)
    return chosen, resolved


def map_names(settings: Any) -> list[str]:
    """The names of the maps these settings ask for, in the profile's order; shape features have none."""
    return [name for _, _, wanted in _parts(settings) for names in wanted.values() for name in names]


def feature_maps(
    image: Image,
    roi: Roi,
    settings: Any,
    kernel: KernelSettings,
    *,
    keep: Literal["image", "region"] | None = None,
    largest_slice: bool = False,
    workers: int = 1,
) -> Iterator[tuple[str, FeatureMap]]:
    """One map after the other; at any time the maps of one response map exist, over the region's box with the kernel's margin.

    `keep` says that the caller keeps all maps, in which size: they count for the memory limit. With `largest_slice`, maps are computed
    in the slice k only in which the region is largest (the first of equals), with the values they have there in the whole map.
    """
    parts = _parts(settings)
    ready = prepare(image, roi, settings)
    reach = (kernel.kernel_radius,) * 3
    box, inner = widened(ready.box, reach, ready.image.values.shape)
    shape = tuple(part.stop - part.start for part in box)
    kept = 0 if keep is None else ready.image.values.size if keep == "image" else int(np.prod(shape))
    _check_memory(shape, parts, kernel, kept)
    targets = np.zeros(shape, dtype=bool)
    targets[inner] = ready.mask
    held = targets.copy() if kernel.masked_kernel else np.ones(shape, dtype=bool)
    if largest_slice:
        targets[np.arange(shape[0]) != int(targets.sum(axis=(1, 2)).argmax())] = False
    undefined: dict[str, int] = {}
    for filter_settings, counting, wanted in parts:
        for names, response in zip(wanted.values(), response_maps(ready.image, box, filter_settings), strict=True):
            try:
                found = _maps_of(
                    response, targets, held, ready.image.geometry.spacing_mm, counting, kernel, names, workers
                )
            except CaseError as error:
                raise type(error)(f"region {roi.name!r}, maps of {names[0].split('_')[0]}: {error}") from error
            for name, values in zip(names, found, strict=True):
                missing = int(np.count_nonzero(np.isnan(values[targets])))
                if missing:
                    undefined[name] = missing
                yield (
                    name,
                    FeatureMap(
                        Image(values, ready.image.geometry.part(box)), box, ready.image, kernel.initial_value, targets
                    ),
                )
    if undefined:
        warnings.warn(
            UndefinedFeatureWarning(
                f"region {roi.name!r} ({int(np.count_nonzero(targets))} voxels): not defined in the kernels of some voxels, and NaN "
                f"there: {first_few(f'{name} ({count})' for name, count in undefined.items())}"
            ),
            stacklevel=2,
        )


def _parts(settings: Any) -> list[tuple[Any, CountingSettings, dict[str, list[str]]]]:
    """Every filter with its counting settings and, by response map, the names of its maps."""
    facts = [meta for meta in pyradiomics.columns(settings) if meta.family not in ("shape", "shape2D")]
    if not facts:
        raise PlanError(f"shape features have no maps; choose from {', '.join(FAMILIES)}")
    unknown = sorted({f"{meta.family}_{meta.feature}" for meta in facts if (meta.family, meta.feature) not in _PLACE})
    if unknown:
        raise PlanError(f"features: {', '.join(unknown)} cannot be mapped")
    parts = []
    for filter_settings, counting in settings.images:
        _check_counting(counting)
        names = {label: [m.column for m in facts if m.filter == label] for label in filter_labels(filter_settings)}
        parts.append((filter_settings, counting, names))
    return parts


def _check_counting(counting: CountingSettings) -> None:
    """Maps are counted at distance 1, directions averaged."""
    plain = CountingSettings()
    for key in ("distances", "symmetric_glcm", "weighting"):
        if getattr(counting, key) != getattr(plain, key):
            raise PlanError(
                f"{key} = {getattr(counting, key)!r}: feature maps are counted with {key} = {getattr(plain, key)!r} only"
            )


def _check_memory(shape: tuple[int, ...], parts: list[Any], kernel: KernelSettings, kept: int) -> None:
    """Refuse what would not fit, before anything is computed. kept: voxels of every map that stays."""
    together = max(len(names) for _, _, wanted in parts for names in wanted.values())
    everything = sum(len(names) for _, _, wanted in parts for names in wanted.values())
    needed = (int(np.prod(shape)) * (8 * together + 24) + 8 * everything * kept) / 1e9
    if needed > kernel.memory_limit_gb:
        raise CaseError(
            f"{everything} maps over a box of {shape} voxels need {needed:.3g} GB; the limit is {kernel.memory_limit_gb:g} GB. "
            "Name fewer features, keep only the region's box (grid = 'region'), or raise memory_limit_gb"
        )


def _maps_of(
    response: NDArray[Any],
    targets: NDArray[np.bool_],
    held: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    counting: CountingSettings,
    kernel: KernelSettings,
    names: list[str],
    workers: int,
) -> NDArray[np.float64]:
    """The maps of one response map, shape (maps, k, j, i)."""
    inside = response[held]
    low, high = float(inside.min()), float(inside.max())
    check_intensities(int(np.count_nonzero(~np.isfinite(inside))), inside.size, low, high, " that kernels reach")
    textures = pyradiomics.bin_edges(response.dtype, low, high, counting)
    # PyRadiomics makes the grey levels of first-order maps, unlike all others, in double precision
    intensities = pyradiomics.bin_edges(np.dtype(np.float64), low, high, counting)
    places = np.array([_PLACE[name.split("_")[-2], name.split("_")[-1]] for name in names], dtype=np.int64)
    families = [name.split("_")[-2] for name in names]
    out = np.full((len(names), *response.shape), kernel.initial_value)

    def fill(edges: NDArray[np.float64], first: int, last: int) -> None:
        if first == last:
            return
        bits = sum(1 << FAMILIES.index(family) for family in set(families[first:last]))
        try:
            _core.voxel_maps(
                targets, held, response, spacing, edges, kernel.kernel_radius,
                -1 if counting.slice_axis is None else AXES.index(counting.slice_axis), bits, places[first:last], out[first:last],
                counting.voxel_array_shift, float(counting.gldm_alpha), workers,
            )  # fmt: skip
        except ValueError as error:
            raise CaseError(str(error)) from error

    if np.array_equal(textures, intensities):
        fill(textures, 0, len(names))
        return out
    # families stand together: the first-order maps are one stretch
    mine = [number for number, family in enumerate(families) if family == "firstorder"]
    first, last = (mine[0], mine[-1] + 1) if mine else (0, 0)
    fill(textures, 0, first)
    fill(intensities, first, last)
    fill(textures, last, len(names))
    return out
