"""Slides at a stated resolution: whatever levels a file has, pixels come at the micrometres per pixel that were asked for.

OpenSlide reads the scanners' formats and tiled TIFF; OME-TIFF is read through tifffile; a plain picture (PNG, JPEG, untiled TIFF) is a
slide of one level. A slide that does not say its micrometres per pixel is refused unless they are given.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, missing_extra
from isthmus.pathology.ome import open_ome
from isthmus.pathology.stain import Pixels
from isthmus.pathology.tiff import check_tiff

__all__ = ["Slide", "open_slide"]

_SAME = 0.02  # a level within 2 % of the resolution asked for is taken as it is
_PLAUSIBLE = (0.05, 20.0)
_LARGEST_TILE = 2**28  # pixels: a gibibyte


@dataclass(frozen=True, eq=False)
class Slide:
    """One open slide.

    Parameters
    ----------
    path : Path
    mpp : float
        Micrometres per pixel of level 0.
    size : tuple of int
        (rows, columns) of level 0.
    downsamples : tuple of float
        Of its levels.
    said : float, optional
        Micrometres per pixel that the file says, whatever was given.
    """

    path: Path
    mpp: float
    size: tuple[int, int]
    downsamples: tuple[float, ...]
    _handle: Any
    said: float | None = None

    def working(self, mpp: float) -> float:
        """The resolution that `mpp` stands for on this slide: a level's own where that is within 2 %."""
        native = [self.mpp * down for down in self.downsamples]
        nearest = min(native, key=lambda own: abs(own / mpp - 1))
        return nearest if abs(nearest / mpp - 1) <= _SAME else mpp

    def shape(self, mpp: float) -> tuple[int, int]:
        """(rows, columns) of the whole slide at `mpp`."""
        step = self.working(mpp) / self.mpp
        return (max(1, int(self.size[0] / step + 1e-6)), max(1, int(self.size[1] / step + 1e-6)))

    def read(self, top: int, left: int, rows: int, columns: int, mpp: float) -> Pixels:
        """Pixels [top, top + rows) x [left, left + columns) of the slide at `mpp`; all of it must lie inside `shape(mpp)`.

        What a pixel is does not depend on the rectangle it is read in.
        """
        step = self.working(mpp) / self.mpp
        level = max((n for n, down in enumerate(self.downsamples) if down <= step * (1 + _SAME)), default=0)
        down = self.downsamples[level]
        ratio = step / down
        if abs(ratio - 1) <= _SAME:
            return self._level(level, top, left, rows, columns)
        limits = (int(self.size[0] / down), int(self.size[1] / down))
        first_j, across_j = _weights(top, rows, ratio, limits[0])
        first_i, across_i = _weights(left, columns, ratio, limits[1])
        source = self._level(level, first_j, first_i, across_j.shape[1], across_i.shape[1]).astype(np.float64)
        along = _apply(across_j, source)
        both = _apply(across_i, along.transpose(1, 0, 2)).transpose(1, 0, 2)
        return np.clip(np.rint(both), 0, 255).astype(np.uint8)

    def _level(self, level: int, top: int, left: int, rows: int, columns: int) -> Pixels:
        down = self.downsamples[level]
        try:
            return np.asarray(self._handle.read_region((round(left * down), round(top * down)), level, (columns, rows)))
        except Exception as exc:
            raise ImageReadError(
                f"{self.path}: rows {top} to {top + rows} of level {level} cannot be read: {exc}"
            ) from exc


class _OpenSlideHandle:
    def __init__(self, slide: Any) -> None:
        self.slide = slide

    def read_region(self, location: tuple[int, int], level: int, size: tuple[int, int]) -> Pixels:
        from PIL import Image

        region = self.slide.read_region(location, level, size)
        glass = Image.new("RGBA", region.size, (255, 255, 255, 255))  # what was not scanned is glass
        return np.asarray(Image.alpha_composite(glass, region).convert("RGB"))


class _PictureHandle:
    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels

    def read_region(self, location: tuple[int, int], level: int, size: tuple[int, int]) -> Pixels:
        left, top = location
        return self.pixels[top : top + size[1], left : left + size[0]]


def open_slide(path: Path | str, *, mpp: float | None = None) -> Slide:
    """Open a slide.

    Parameters
    ----------
    path : path
        Any format of OpenSlide (SVS, NDPI, MRXS, SCN, BIF, DICOM, tiled TIFF ...), OME-TIFF, or a plain picture.
    mpp : float, optional
        Micrometres per pixel of level 0, for a slide that does not say them; where it does, what is given wins.

    Raises
    ------
    ImageReadError
        The file cannot be read, or its micrometres per pixel are missing or implausible.
    PlanError
        The extra `pathology` is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ImageReadError(f"{path}: there is no such file")
    try:
        import openslide
    except ImportError as exc:
        raise missing_extra("reading slides", "openslide-python", "pathology") from exc
    check_tiff(path)
    vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor in (None, "generic-tiff"):  # OpenSlide sees neither OME's micrometres nor its pyramid
        ome = open_ome(path)
        if ome is not None:
            return Slide(path, _mpp(path, ome.said, mpp), ome.size, ome.downsamples, ome, _mean(ome.said))
    if vendor is None:
        return _picture(path, mpp)
    try:
        handle = openslide.OpenSlide(str(path))
    except openslide.OpenSlideError as exc:
        raise ImageReadError(f"{path}: {exc}; is the file whole?") from exc
    _check_tiles(path, handle.properties)
    said = [handle.properties.get(name) for name in ("openslide.mpp-y", "openslide.mpp-x")]
    numbers = [float(value) for value in said if value is not None]
    columns, rows = handle.dimensions
    return Slide(
        path, _mpp(path, numbers, mpp), (rows, columns), tuple(handle.level_downsamples), _OpenSlideHandle(handle), _mean(numbers)
    )  # fmt: skip


def _check_tiles(path: Path, properties: Any) -> None:
    """OpenSlide asks for the memory of a whole tile at once, and ends the process where that cannot be had."""
    for name, value in properties.items():
        across = properties.get(name.replace("tile-height", "tile-width")) if name.endswith(".tile-height") else None
        if across is not None and int(value) * int(across) > _LARGEST_TILE:
            raise ImageReadError(f"{path}: damaged: tiles of {value} x {across} pixels. Copy or export it again")


def _picture(path: Path, mpp: float | None) -> Slide:
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except Exception as exc:  # damaged files make Pillow raise nearly anything
        raise ImageReadError(
            f"{path}: neither a slide OpenSlide knows nor a picture; is the file whole? ({exc})"
        ) from exc
    return Slide(path, _mpp(path, [], mpp), (pixels.shape[0], pixels.shape[1]), (1.0,), _PictureHandle(pixels))


def _mean(said: list[float]) -> float | None:
    return float(np.mean(said)) if said else None


def _mpp(path: Path, said: list[float], given: float | None) -> float:
    if given is None and not said:
        raise ImageReadError(f"{path} does not say its micrometres per pixel; give them (--mpp 0.25, or a column mpp)")
    if given is None and len(said) == 2 and abs(said[0] / said[1] - 1) > _SAME:
        raise ImageReadError(f"{path}: {said[0]:g} x {said[1]:g} um a pixel; expected square pixels")
    mpp = given if given is not None else float(np.mean(said))
    if not _PLAUSIBLE[0] <= mpp <= _PLAUSIBLE[1]:
        what = "the slide says" if given is None else "given are"
        raise ImageReadError(
            f"{path}: {what} {mpp:g} um a pixel; expected {_PLAUSIBLE[0]:g} to {_PLAUSIBLE[1]:g} (--mpp, or a column mpp)"
        )
    return mpp


def _weights(first: int, count: int, ratio: float, limit: int) -> tuple[int, NDArray[np.float64]]:
    """The source pixels that pixels `first` ... of a grid `ratio` times as coarse are means of, and their weights (count, n): a triangle
    as wide as the coarser of both grids, which is linear interpolation where the grid becomes finer."""
    reach = max(ratio, 1.0)
    centre = (np.arange(first, first + count) + 0.5) * ratio - 0.5
    low = int(np.floor(centre[0] - reach))
    high = int(np.ceil(centre[-1] + reach))
    at = np.arange(low, high + 1)
    weight = np.maximum(0.0, 1 - np.abs(at[None, :] - centre[:, None]) / reach)
    inside = (at >= 0) & (at < limit)
    weight = weight[:, inside]
    return int(at[inside][0]), weight / weight.sum(axis=1, keepdims=True)


def _apply(weight: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row by row, each over its own few sources in their order: the same sum whatever else is read with it."""
    from scipy import sparse

    flat = values.reshape(values.shape[0], -1)
    return np.asarray(sparse.csr_array(weight) @ flat).reshape(weight.shape[0], *values.shape[1:])
