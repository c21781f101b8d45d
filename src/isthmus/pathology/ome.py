"""OME-TIFF: pyramids in sub-images and micrometres per pixel in OME's XML, both of which OpenSlide passes over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np

from isthmus.errors import ImageReadError
from isthmus.pathology.stain import Pixels

__all__ = ["OmePicture", "open_ome"]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MICROMETRES = {"m": 1e6, "cm": 1e4, "mm": 1e3, "µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "pm": 1e-6}
_WHITE = 255


@dataclass(frozen=True, eq=False)
class _Page:
    """A page of the file as tifffile has it, with what it takes to read a segment of it: the file need not stay open."""

    page: Any
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    tables: bytes | None


@dataclass(frozen=True, eq=False)
class OmePicture:
    """What `isthmus.pathology.slide` needs to know of a file, and the handle that reads it: only the segments a rectangle touches."""

    path: Path
    size: tuple[int, int]
    downsamples: tuple[float, ...]
    said: list[float]  # micrometres per pixel, of rows and columns; empty where the file says none
    levels: list[list[_Page]]

    def read_region(self, location: tuple[int, int], level: int, size: tuple[int, int]) -> Pixels:
        """As OpenSlide: `location` (x, y) in pixels of level 0, `size` (columns, rows) in those of the level; outside is white."""
        left, top = (round(value / self.downsamples[level]) for value in location)
        region = np.full((size[1], size[0], 3), _WHITE, dtype=np.uint8)
        pages = self.levels[level]
        with self.path.open("rb") as file:
            for number, page in enumerate(pages):
                if len(pages) == 3:
                    _fill(region[..., number : number + 1], page, file, 0, top, left)
                elif page.page.planarconfig == 2:  # one plane after the other
                    for plane in range(3):
                        _fill(region[..., plane : plane + 1], page, file, plane, top, left)
                else:
                    _fill(region, page, file, 0, top, left)
        return region


def open_ome(path: Path) -> OmePicture | None:
    """Open an OME-TIFF; None where the file is none.

    Raises
    ------
    ImageReadError
        It holds something else than one picture of red, green and blue with 8 bits each.
    """
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC:
            return None
    import tifffile

    spoken = logging.getLogger("tifffile")
    silent, spoken.disabled = spoken.disabled, True  # of a broken file our own error says all
    try:
        with tifffile.TiffFile(path) as tiff:
            return _picture(path, tiff) if tiff.is_ome else None
    except ImageReadError:
        raise
    except Exception as exc:  # damaged files make tifffile raise nearly anything
        raise ImageReadError(f"{path}: its TIFF directory cannot be read ({exc}); is the file whole?") from exc
    finally:
        spoken.disabled = silent


def _picture(path: Path, tiff: Any) -> OmePicture:
    series = tiff.series[0]
    axes = "".join(name for name, length in zip(series.axes, series.shape, strict=True) if length > 1)
    colours = axes in ("YXS", "SYX", "CYX") and series.shape[series.axes.index(axes.strip("YX"))] == 3
    if series.dtype != np.uint8 or not colours:
        raise ImageReadError(
            f"{path}: an OME-TIFF of {series.dtype} with axes {series.axes} {series.shape}; expected one picture of red, green "
            "and blue, uint8"
        )
    levels = [[_page(page.aspage()) for page in level.pages if page is not None] for level in series.levels]
    shapes = [(pages[0].page.imagelength, pages[0].page.imagewidth) for pages in levels]
    downs = tuple((shapes[0][0] / rows + shapes[0][1] / columns) / 2 for rows, columns in shapes)
    return OmePicture(path, shapes[0], downs, _micrometres(path, tiff.ome_metadata or ""), levels)


def _page(page: Any) -> _Page:
    return _Page(page, page.dataoffsets, page.databytecounts, page.jpegtables)


def _fill(region: Pixels, of: _Page, file: BinaryIO, plane: int, top: int, left: int) -> None:
    """Copy what the page has of the rectangle from (`top`, `left`) on, segment (tile or strip) by segment."""
    page = of.page
    high, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    down, across = -(-page.imagelength // high), -(-page.imagewidth // wide)
    bottom, right = min(top + region.shape[0], page.imagelength), min(left + region.shape[1], page.imagewidth)
    for row in range(max(top, 0) // high, -(-bottom // high)):
        for column in range(max(left, 0) // wide, -(-right // wide)):
            index = (plane * down + row) * across + column
            if not of.counts[index]:
                continue  # what was not scanned is glass
            file.seek(of.offsets[index])
            data = page.decode(file.read(of.counts[index]), index, jpegtables=of.tables)[0][0]
            y, x = row * high, column * wide
            j = slice(max(top, y), min(bottom, y + data.shape[0]))
            i = slice(max(left, x), min(right, x + data.shape[1]))
            region[j.start - top : j.stop - top, i.start - left : i.stop - left] = data[
                j.start - y : j.stop - y, i.start - x : i.stop - x
            ]


def _micrometres(path: Path, text: str) -> list[float]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ImageReadError(f"{path}: its OME-XML has document types or entities, which are not read")
    try:
        pixels = ElementTree.fromstring(text).find(".//{*}Pixels")
    except ElementTree.ParseError as exc:
        raise ImageReadError(f"{path}: its OME-XML cannot be read: {exc}") from exc
    found: list[float] = []
    for axis in "YX":
        value = None if pixels is None else pixels.get(f"PhysicalSize{axis}")
        unit = "µm" if pixels is None else pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if value is not None and unit in _MICROMETRES:  # "pixel" and "reference frame" are no lengths
            found.append(float(value) * _MICROMETRES[unit])
    return found
