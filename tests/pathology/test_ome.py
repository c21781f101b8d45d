"""OME-TIFF: its pyramid, its micrometres, only the segments that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.errors import ImageReadError
from isthmus.pathology import open_slide
from isthmus.synthetic.slides import SlidePlan, paint

pytest.importorskip("openslide")
tifffile = pytest.importorskip("tifffile")

RGB = paint(SlidePlan(rows=300, columns=420), 0, 0, 300, 420)


def write(
    path: Path, *, axes: str = "YXS", tile: tuple[int, int] | None = (128, 128), levels: int = 2, **said: Any
) -> Path:
    """Each level is the first one with every second pixel of it left out."""
    rgb = RGB if axes == "YXS" else np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
    kind = {"photometric": "minisblack"} if axes == "CYX" else {"photometric": "rgb"}
    if axes == "SYX":
        kind["planarconfig"] = "separate"
    options: dict[str, Any] = {"tile": tile, "compression": "zlib"} | kind
    step = {"YXS": np.s_[::2, ::2], "SYX": np.s_[:, ::2, ::2], "CYX": np.s_[:, ::2, ::2]}[axes]
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(rgb, subifds=levels, metadata={"axes": axes} | said, **options)
        for _ in range(levels):
            rgb = np.ascontiguousarray(rgb[step])
            tiff.write(rgb, subfiletype=1, **options)
    return path


def microns(size: float, unit: str = "µm") -> dict[str, Any]:
    return {f"PhysicalSize{axis}": size for axis in "XY"} | {f"PhysicalSize{axis}Unit": unit for axis in "XY"}


@pytest.mark.parametrize("axes", ["YXS", "SYX", "CYX"])
@pytest.mark.parametrize("tile", [(128, 128), None])
def test_every_pixel_comes_back(tmp_path: Path, axes: str, tile: tuple[int, int] | None) -> None:
    """Colours side by side, plane by plane, as three channels; in tiles and in strips."""
    slide = open_slide(write(tmp_path / "one.ome.tif", axes=axes, tile=tile, **microns(0.5)))
    np.testing.assert_array_equal(slide.read(0, 0, 300, 420, 0.5), RGB)
    np.testing.assert_array_equal(slide.read(97, 120, 150, 171, 0.5), RGB[97:247, 120:291])


def test_the_pyramid_is_used(tmp_path: Path) -> None:
    slide = open_slide(write(tmp_path / "one.ome.tif", **microns(0.5)))
    assert slide.downsamples == pytest.approx((1, 2, 4))
    np.testing.assert_array_equal(slide.read(11, 20, 50, 60, 2.0), RGB[::4, ::4][11:61, 20:80])


@pytest.mark.parametrize(("size", "unit"), [(0.25, "µm"), (250, "nm"), (0.00025, "mm")])
def test_micrometres_are_those_of_its_xml(tmp_path: Path, size: float, unit: str) -> None:
    assert open_slide(write(tmp_path / "one.ome.tif", **microns(size, unit))).mpp == pytest.approx(0.25)


def test_without_micrometres_it_is_refused_unless_they_are_given(tmp_path: Path) -> None:
    path = write(tmp_path / "one.ome.tif")
    with pytest.raises(ImageReadError, match="micrometres per pixel"):
        open_slide(path)
    assert open_slide(path, mpp=0.5).size == (300, 420)


def test_other_pictures_are_refused(tmp_path: Path) -> None:
    """Fluorescence of 16 bits is no stained slide."""
    path = tmp_path / "two.ome.tif"
    tifffile.imwrite(path, np.zeros((2, 64, 64), dtype=np.uint16), metadata={"axes": "CYX"} | microns(0.5), ome=True)
    with pytest.raises(ImageReadError, match="uint16 with axes CYX"):
        open_slide(path)
