"""What a network sees of a lesion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.deep.crop import crops, normalised
from isthmus.deep.settings import CropSettings, InputSettings
from isthmus.errors import CaseError, GeometryMismatchError
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

SPACING = (3.0, 0.5, 1.0)


def lesion(values: np.ndarray | None = None, spacing: tuple[float, float, float] = SPACING) -> tuple[Image, Roi]:
    """A box of 3 x 4 x 6 voxels in a volume of random numbers."""
    geometry = Geometry((8, 20, 24), spacing)
    if values is None:
        values = np.random.default_rng(1).normal(size=geometry.shape)
    mask = np.zeros(geometry.shape, bool)
    mask[3:6, 8:12, 10:16] = True
    mask[4, 7, 10:16] = True  # the slice with the largest area
    return Image(values, geometry), Roi(mask, geometry)


def test_the_box_itself() -> None:
    """At its own size, the crop is the voxels of the minimum bounding rectangle, bit for bit in float32."""
    image, roi = lesion()
    mask = np.zeros_like(roi.mask)
    mask[4, [5, 10], [8, 13]] = True
    found = crops(
        image, Roi(mask, roi.geometry), CropSettings(shape="box", window=(-9, 9)), dims=2, size=6, limits=(-9, 9)
    )
    np.testing.assert_allclose(found[0], image.values[4, 5:11, 8:14], atol=1e-6)


@pytest.mark.parametrize("size", [16, 9, 8, 6])
def test_resized_as_torch_does(size: int) -> None:
    """Larger and smaller: linear interpolation with averaging, as torch's with antialiasing; where it averages beyond the image, torch
    leaves out what is not there, and here the border goes on."""
    torch = pytest.importorskip("torch")
    geometry = Geometry((1, 12, 10), (1, 1, 1))
    values = np.random.default_rng(0).normal(size=geometry.shape)
    settings = CropSettings(shape="box", window=(-9, 9))
    found = crops(
        Image(values, geometry),
        Roi(np.ones(geometry.shape, bool), geometry),
        settings,
        dims=2,
        size=size,
        limits=(-9, 9),
    )
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None], size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    inner = slice(None) if size > 12 else slice(1, -1)
    np.testing.assert_allclose(found[0][inner, inner], expected[0, 0].numpy()[inner, inner], atol=1e-6)


def test_a_square_is_square_in_mm() -> None:
    """On a ramp of mm, steps between pixels are the side by the size, along both axes, and the middle is the lesion's."""
    geometry = Geometry((8, 20, 24), SPACING)
    j, i = ((np.arange(n) + 0.5) * mm for n, mm in zip(geometry.shape[1:], SPACING[1:], strict=True))
    down, across = (np.broadcast_to(one, geometry.shape).copy() for one in (j[:, None], i[None, :]))
    settings = CropSettings(margin_mm=1.0, scale="window", window=(0, 30))
    side = 6 * 1.0 + 2 * 1.0  # the longer side of the rectangle in slice 4, with its margin
    for ramp, axis, middle in ((down, 0, 9.5 * 0.5), (across, 1, 13 * 1.0)):
        crop = crops(*lesion(ramp), settings, dims=2, size=4, limits=(0, 30))[0].astype(float)
        steps = np.diff(np.moveaxis(crop, axis, 0), axis=0)
        np.testing.assert_allclose(steps, side / 4, atol=1e-5)
        assert crop.mean() == pytest.approx(middle, abs=1e-5)


def test_a_cube_is_a_cube_in_mm() -> None:
    """In three dimensions the longest side in mm decides."""
    geometry = Geometry((8, 20, 24), SPACING)
    ramp = np.broadcast_to(((np.arange(8) + 0.5) * 3.0)[:, None, None], geometry.shape).copy()
    crop = crops(*lesion(ramp), CropSettings(scale="window", window=(0, 24)), dims=3, size=3, limits=(0, 24))
    np.testing.assert_allclose(crop[0, :, 0, 0], [10.5, 13.5, 16.5], atol=1e-5)


def test_slices() -> None:
    """The largest, so many of the largest (of equals the first), all: in the order of the slices."""
    levels = np.broadcast_to(np.arange(8.0)[:, None, None], (8, 20, 24)).copy()
    image, roi = lesion(levels)
    seen = [
        crops(image, roi, CropSettings(slices=n, window=(0, 8)), dims=2, size=4, limits=(0, 8))[:, 0, 0].tolist()
        for n in ("largest", 2, "all", 99)
    ]
    assert seen == [[4], [3, 4], [3, 4, 5], [3, 4, 5]]


def test_beyond_the_border_it_goes_on() -> None:
    """A margin wider than the image repeats the outermost voxels."""
    image, roi = lesion(np.broadcast_to(np.arange(24.0), (8, 20, 24)).copy(), (1, 1, 1))
    crop = crops(image, roi, CropSettings(margin_mm=100, window=(0, 24)), dims=2, size=64, limits=(0, 24))[0]
    assert (crop[:, 0].tolist(), crop[:, -1].tolist()) == ([0.0] * 64, [23.0] * 64)


@given(st.floats(0.1, 1e4), st.floats(-1e4, 1e4))
def test_scales_of_the_crop_forget_gain_and_offset(gain: float, offset: float) -> None:
    """`min_max` and `z_score` give the same crop whatever the scanner's scale."""
    image, roi = lesion()
    other = Image(image.values * gain + offset, image.geometry)
    for scale in ("min_max", "z_score"):
        one, two = (crops(x, roi, CropSettings(scale=scale), dims=2, size=8) for x in (image, other))
        np.testing.assert_allclose(one, two, atol=1e-4)


def test_ranges() -> None:
    """min_max fills the range; a window maps its ends to it and cuts beyond; z_score has mean 0, deviation 1; a constant is the low end."""
    image, roi = lesion()
    fills = crops(image, roi, CropSettings(), dims=2, size=8, limits=(0, 255))
    cut = crops(image, roi, CropSettings(window=(-0.1, 0.1), shape="box"), dims=2, size=6, limits=(-1, 1))
    score = crops(image, roi, CropSettings(scale="z_score"), dims=2, size=8)
    flat = crops(*lesion(np.full((8, 20, 24), 7.0)), CropSettings(), dims=2, size=8, limits=(-1, 1))
    assert (fills.min(), fills.max(), cut.min(), cut.max()) == (0, 255, -1, 1)
    assert (abs(score.mean()) < 1e-6, abs(score.std() - 1) < 1e-5, set(flat.ravel().tolist())) == (True, True, {-1.0})


def test_masked() -> None:
    """Outside the lesion stands the lowest value of the window."""
    image, roi = lesion()
    crop = crops(image, roi, CropSettings(masked=True, margin_mm=4, window=(-9, 9)), dims=3, size=16, limits=(-9, 9))[0]
    assert (crop[0] == -9).all()
    assert np.isclose(crop[7:9, 7:9, 7:9], -9).sum() == 0


def test_channels() -> None:
    """Three channels each lose their own mean and are divided by their own deviation."""
    crop = np.full((2, 4, 4), 0.5, np.float32)
    found = normalised(crop, InputSettings(channels=3, mean=(0.1, 0.2, 0.3), std=(0.1, 0.2, 0.5)))
    assert found.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(found[1, :, 2, 2], [4, 1.5, 0.4], rtol=1e-6)


def test_refusals() -> None:
    """Another grid, and numbers that are none near the lesion; far from it they do not matter."""
    image, roi = lesion()
    values = image.values.copy()
    values[0, 0, 0] = np.nan
    crops(Image(values, image.geometry), roi, CropSettings(), dims=2, size=8)
    values[4, 9, 12] = np.inf
    with pytest.raises(CaseError, match="not a number"):
        crops(Image(values, image.geometry), roi, CropSettings(), dims=2, size=8)
    moved = Geometry(image.geometry.shape, (3.0, 0.5, 1.1))
    with pytest.raises(GeometryMismatchError, match="different grids"):
        crops(image, Roi(roi.mask, moved), CropSettings(), dims=2, size=8)
