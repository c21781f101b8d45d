"""From clicks to a mask on the image's grid, and the record of how."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from isthmus.errors import ImageReadError, PlanError, did_you_mean
from isthmus.image.box import Box
from isthmus.image.image import Image
from isthmus.roi.origin import MaskOrigin
from isthmus.segment.grow import growcut, region, snakes, threshold
from isthmus.segment.grow.piece import Mask, Piece, connected
from isthmus.segment.grow.seeds import Seeds
from isthmus.settings import Section
from isthmus.settings.messages import keys_of, setting_messages

__all__ = ["METHODS", "CommonSettings", "Method", "grow", "grow_recorded", "grow_settings"]


@dataclass(frozen=True)
class Method:
    """One way to grow a mask: what people call it, its settings, and the function from a box of the image to a mask of it."""

    title: str
    settings: type[Section]
    run: Callable[[Piece, Any], Mask]


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "threshold": Method("Threshold", threshold.Settings, threshold.run),
        "region": Method("Region growing", region.Settings, region.run),
        "confidence": Method("Region growing, confidence connected", region.ConfidenceSettings, region.confidence),
        "chan_vese": Method("Snake without edges (Chan-Vese)", snakes.ChanVeseSettings, snakes.chan_vese),
        "geodesic": Method("Geodesic snake", snakes.GeodesicSettings, snakes.geodesic),
        "growcut": Method("GrowCut", growcut.Settings, growcut.run),
    }
)


class CommonSettings(Section):
    """For every method. reach_mm: how far from the clicks the mask may go, where no box is given; denoise_mm: width of a Gaussian over the
    image first; open_mm: cut bridges narrower than twice this, keep what hangs on the clicks; fill_holes: what the mask encloses belongs
    to it.
    """

    reach_mm: float = Field(40.0, gt=0)
    denoise_mm: float = Field(0.0, ge=0)
    open_mm: float = Field(0.0, ge=0)
    fill_holes: bool = True


def grow(image: Image, seeds: Seeds, *, method: str = "growcut", box: Box | None = None, **settings: Any) -> Mask:
    """A mask grown from clicks.

    Parameters
    ----------
    image : Image
    seeds : Seeds
        At least one inside.
    method : str
        "threshold", "region", "confidence", "chan_vese", "geodesic", "growcut".
    box : three slices (k, j, i), optional
        The mask stays inside; default: the clicks and `reach_mm` around them.
    settings
        Those of `CommonSettings` and of the method.

    Returns
    -------
    bool array, shape (k, j, i)
        On the image's grid: the parts, joined by faces, that hold a click inside.

    Raises
    ------
    PlanError
        An unknown method or setting, a click outside image or box, or the method finds nothing.
    ImageReadError
        Values of the box are NaN or infinite.
    """
    return grow_recorded(image, seeds, method=method, box=box, **settings)[0]


def grow_recorded(
    image: Image, seeds: Seeds, *, method: str = "growcut", box: Box | None = None, **settings: Any
) -> tuple[Mask, MaskOrigin]:
    """As `grow`, and where the mask comes from: method, every setting, seeds, versions, seconds."""
    started = time.perf_counter()
    common, own = grow_settings(method, settings)
    shape = image.geometry.shape
    seeds.check(shape)
    everywhere = np.concatenate([seeds.inside, seeds.outside])
    if box is None:
        box = _around(everywhere, common.reach_mm, image)
    start, stop = (np.array([getattr(part, side) for part in box]) for side in ("start", "stop"))
    if (start < 0).any() or (stop > shape).any() or (stop <= start).any():
        raise PlanError(
            f"the box {start.tolist()} to {stop.tolist()} (k, j, i) does not lie in the image of {shape} voxels"
        )
    if not ((seeds.inside >= start) & (seeds.inside < stop)).all():
        raise PlanError(f"a seed inside the lesion lies outside the box {start.tolist()} to {stop.tolist()} (k, j, i)")
    values = image.values[box].astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageReadError(f"{image.source or 'image'}: values are NaN or infinite in the box; numbers were expected")
    outside = seeds.outside[((seeds.outside >= start) & (seeds.outside < stop)).all(axis=1)]
    spacing = image.geometry.spacing_mm
    piece = Piece(_denoised(values, common.denoise_mm, spacing), seeds.inside - start, outside - start, spacing)
    found = _finished(METHODS[method].run(piece, own), piece, common)
    if not found.any():
        raise PlanError(f"{method} found nothing at the clicks. Click elsewhere, or change its settings")
    mask = np.zeros(shape, dtype=bool)
    mask[box] = found
    origin = MaskOrigin.of(
        mask,
        "semi-automatic",
        method=method,
        settings={**common.model_dump(mode="json"), **own.model_dump(mode="json")},
        seeds=seeds.as_dict(),
        box=[start.tolist(), stop.tolist()],
        image_sha256=image.fingerprint,
        seconds=round(time.perf_counter() - started, 3),
    )
    return mask, origin


def grow_settings(method: str, settings: Mapping[str, Any]) -> tuple[CommonSettings, Section]:
    """The settings for every method, and those of this one; raises `PlanError` where either is unknown."""
    if method not in METHODS:
        raise PlanError(
            f"method {method!r} is not known{did_you_mean(method, METHODS)}. Known are {', '.join(METHODS)}"
        )
    shared = {name: value for name, value in settings.items() if name in CommonSettings.model_fields}
    own = {name: value for name, value in settings.items() if name not in shared}
    made: list[Any] = []
    for section, given in ((CommonSettings, shared), (METHODS[method].settings, own)):
        try:
            made.append(section.model_validate(given))
        except ValidationError as error:
            known = [*CommonSettings.model_fields, *keys_of(METHODS[method].settings, [])]
            told = setting_messages(error, given, known_keys=lambda _: known, where=f"grow, {method}")  # noqa: B023
            raise PlanError("\n".join(told)) from error
    return made[0], made[1]


def _around(places: np.ndarray, reach_mm: float, image: Image) -> Box:
    """The clicks and so many millimetres around them, cut at the image's borders."""
    margin = np.ceil(reach_mm / np.array(image.geometry.spacing_mm)).astype(int)
    low = np.maximum(places.min(axis=0) - margin, 0)
    high = np.minimum(places.max(axis=0) + 1 + margin, image.geometry.shape)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return k, j, i


def _denoised(values: np.ndarray, width_mm: float, spacing_mm: tuple[float, ...]) -> np.ndarray:
    from scipy import ndimage

    if not width_mm:
        return values
    sigma = [width_mm / step if size > 1 else 0 for step, size in zip(spacing_mm, values.shape, strict=True)]
    smooth: np.ndarray = ndimage.gaussian_filter(values, sigma)
    return smooth


def _finished(mask: Mask, piece: Piece, common: CommonSettings) -> Mask:
    """What hangs on the clicks, without thin bridges and holes; what was clicked outside stays out."""
    from scipy import ndimage

    mask = mask.copy()
    mask[tuple(piece.outside.T)] = False
    whole = connected(mask, piece.inside)
    if common.open_mm and whole.any():
        # depth below the surface, and then back outwards by as much
        deep = ndimage.distance_transform_edt(np.pad(whole, 1), sampling=piece.spacing_mm)[1:-1, 1:-1, 1:-1]
        core = deep > common.open_mm
        if core.any():
            whole &= ndimage.distance_transform_edt(~core, sampling=piece.spacing_mm) <= common.open_mm
        whole = connected(whole, piece.inside)
    if common.fill_holes:
        whole = _filled(whole)
        whole[tuple(piece.outside.T)] = False
    return whole


def _filled(mask: Mask) -> Mask:
    """Holes of a volume; of one slice those of the slice."""
    from scipy import ndimage

    thin = [axis for axis, n in enumerate(mask.shape) if n == 1]
    flat = mask.squeeze(tuple(thin))
    filled: Mask = ndimage.binary_fill_holes(flat).reshape(mask.shape)
    return filled
