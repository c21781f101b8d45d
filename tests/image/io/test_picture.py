"""Pictures and ultrasound frames: grey values, the size of pixels, masks in every usual disguise."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.dataset import Dataset
from pydicom.uid import UltrasoundImageStorage

from image.making import lopsided, write_series
from isthmus.errors import GeometryMismatchError, ImageReadError, IsthmusWarning, MaskError
from isthmus.image import Geometry, Image
from isthmus.image.io import LabelImage, read_acquisition, read_image, read_labels, write_image, write_labels
from isthmus.roi import read_roi

GREY = np.random.default_rng(1).integers(0, 256, (12, 15)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **more: Any) -> Path:
    """Write a picture."""
    picture = Pillow.fromarray(pixels)
    (picture if mode is None else picture.convert(mode)).save(path, **more)
    return path


def quietly(path: Path, **more: Any) -> Image:
    """The image, its warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IsthmusWarning)
        return read_image(path, **more)


# ---------------------------------------------------------------------------------------------------------- images


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossless(tmp_path: Path, suffix: str, mode: str) -> None:
    """One slice of exactly the stored values, also where grey is stored as three equal channels."""
    np.testing.assert_array_equal(quietly(save(tmp_path / f"a{suffix}", GREY, mode)).values, GREY[None])


def test_jpeg(tmp_path: Path) -> None:
    """A grey JPEG is what Pillow decodes."""
    path = save(tmp_path / "a.jpg", GREY)
    np.testing.assert_array_equal(quietly(path).values[0], np.asarray(Pillow.open(path)))


def test_sixteen_bits(tmp_path: Path) -> None:
    """Sixteen bits of grey stay so."""
    wide = GREY.astype(np.uint16) * 257
    np.testing.assert_array_equal(quietly(save(tmp_path / "a.png", wide)).values[0], wide)


def test_one_bit(tmp_path: Path) -> None:
    """Black and white are 0 and 255."""
    assert set(np.unique(quietly(save(tmp_path / "a.png", GREY > 99)).values)) == {0, 255}


def test_palette(tmp_path: Path) -> None:
    """A palette is looked up."""
    picture = Pillow.fromarray((GREY % 4).astype(np.uint8), mode="L").convert("P")
    picture.putpalette([9, 9, 9, 60, 60, 60, 130, 130, 130, 200, 200, 200])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(quietly(tmp_path / "a.png").values[0], np.array([9, 60, 130, 200])[GREY % 4])


def test_opaque_alpha(tmp_path: Path) -> None:
    """An alpha channel without transparency says nothing."""
    np.testing.assert_array_equal(quietly(save(tmp_path / "a.png", GREY, "RGBA")).values, GREY[None])


def test_transparency(tmp_path: Path) -> None:
    """Transparent pixels have no value."""
    pixels = np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)])
    pixels[0, :9, 3] = 0
    with pytest.raises(ImageReadError, match=r"5\.0% of the pixels are transparent"):
        read_image(save(tmp_path / "a.png", pixels))


def coloured(n: int) -> np.ndarray:
    """A grey frame with so many red pixels."""
    pixels = np.repeat(np.full((40, 50, 1), 80, np.uint8), 3, axis=2)
    pixels.reshape(-1, 3)[:n] = (200, 40, 10)
    return pixels


def test_doppler_is_refused(tmp_path: Path) -> None:
    """A frame with colours is refused, with their share and what to do."""
    with pytest.raises(ImageReadError, match=r"5\.0% of the pixels are coloured.*allow_colour = true"):
        read_image(save(tmp_path / "a.png", coloured(100)))


def test_doppler_allowed(tmp_path: Path) -> None:
    """Where it is allowed, colours count by the luma of ITU-R BT.601."""
    image = quietly(save(tmp_path / "a.png", coloured(100)), allow_colour=True)
    assert image.values[0, 0, 0] == round(0.299 * 200 + 0.587 * 40 + 0.114 * 10)


def test_marker(tmp_path: Path) -> None:
    """A few coloured pixels are a marker: the frame is read, and it is said."""
    with pytest.warns(IsthmusWarning, match="5 of 2000 pixels are coloured"):
        read_image(save(tmp_path / "a.png", coloured(5)), pixel_spacing_mm=0.1)


def test_grey_jpeg_in_colour(tmp_path: Path) -> None:
    """What JPEG adds to grey is no colour."""
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    path = save(tmp_path / "a.jpg", np.dstack([smooth] * 3), quality=60)
    assert np.abs(quietly(path).values[0] - smooth.astype(int)).max() < 12


def test_printing_colours(tmp_path: Path) -> None:
    """Colours for printing are refused."""
    with pytest.raises(ImageReadError, match="a picture in CMYK colours"):
        read_image(save(tmp_path / "a.tif", GREY, "CMYK"))


def test_wide_colour(tmp_path: Path) -> None:
    """Sixteen bits of colour would lose half of them in silence."""
    path = save(tmp_path / "a.png", GREY, "RGB")
    data = bytearray(path.read_bytes())
    data[24] = 16
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match="a PNG of 16 bits with colours"):
        read_image(path)


def test_turned(tmp_path: Path) -> None:
    """A picture to be shown turned may not fit its mask."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    with pytest.raises(ImageReadError, match="EXIF orientation 6"):
        read_image(save(tmp_path / "a.jpg", GREY, exif=exif))


def test_several_pages(tmp_path: Path) -> None:
    """Several pages are several pictures."""
    with pytest.raises(ImageReadError, match="2 pictures in one file"):
        read_image(save(tmp_path / "a.tif", GREY, save_all=True, append_images=[Pillow.fromarray(GREY)]))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_truncated(tmp_path: Path, suffix: str) -> None:
    """A picture cut short is an error, not a half-grey frame."""
    path = save(tmp_path / f"a{suffix}", np.tile(GREY, (9, 9)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(ImageReadError, match="cannot be read as a picture .*truncated"):
        read_image(path)


# ------------------------------------------------------------------------------------------------------------ size


def test_unknown_size(tmp_path: Path) -> None:
    """Without a size lengths are in pixels, whatever resolution the file claims; that is said."""
    with pytest.warns(IsthmusWarning, match="in pixels"):
        geometry = read_image(save(tmp_path / "a.png", GREY, dpi=(96, 96))).geometry
    assert (geometry.unit, geometry.spacing_mm) == ("px", (1.0, 1.0, 1.0))


def test_size_by_call(tmp_path: Path) -> None:
    """The size given wins over the JSON beside the picture, and nothing needs saying."""
    (tmp_path / "a.json").write_text(json.dumps({"spacing_mm": 0.5}))
    geometry = read_image(save(tmp_path / "a.png", GREY), pixel_spacing_mm=(0.1, 0.2)).geometry
    assert (geometry.unit, geometry.spacing_mm) == ("mm", (1.0, 0.1, 0.2))


@pytest.mark.parametrize(("said", "expected"), [(0.07, (1.0, 0.07, 0.07)), ([0.07, 0.08], (1.0, 0.07, 0.08))])
def test_size_by_sidecar(tmp_path: Path, said: Any, expected: tuple[float, ...]) -> None:
    """The JSON beside the picture gives the size."""
    (tmp_path / "a.json").write_text(json.dumps({"spacing_mm": said, "vendor": "Maker"}))
    assert read_image(save(tmp_path / "a.png", GREY)).geometry.spacing_mm == expected


def test_acquisition(tmp_path: Path) -> None:
    """The JSON beside a picture says what the scanner was."""
    (tmp_path / "a.json").write_text(json.dumps({"spacing_mm": 0.07, "vendor": "Maker", "model": "U1"}))
    assert read_acquisition(save(tmp_path / "a.png", GREY)) == {"vendor": "Maker", "model": "U1"}


@pytest.mark.parametrize("said", [0, -1, "0.1", [0.1], [1, 2, 3]])
def test_bad_sidecar(tmp_path: Path, said: Any) -> None:
    """A size that is none is refused."""
    (tmp_path / "a.json").write_text(json.dumps({"spacing_mm": said}))
    with pytest.raises(ImageReadError, match="number > 0"):
        read_image(save(tmp_path / "a.png", GREY))


# ----------------------------------------------------------------------------------------------------------- masks

LESION = np.zeros((12, 15), dtype=bool)
LESION[3:8, 4:11] = True


def image(folder: Path) -> Image:
    """The picture the masks are drawn on."""
    return read_image(save(folder / "image.png", GREY), pixel_spacing_mm=0.1)


def by_palette(path: Path) -> None:
    """Indices 0 and 1 with bright colours."""
    picture = Pillow.fromarray(LESION.astype(np.uint8), mode="L").convert("P")
    picture.putdata(LESION.astype(np.uint8).ravel().tolist())
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.save(path)


def by_turned_palette(path: Path) -> None:
    """Index 0 is white, the lesion: the colours count, not the indices."""
    picture = Pillow.fromarray(LESION.astype(np.uint8), mode="L").convert("P")
    picture.putdata((~LESION).astype(np.uint8).ravel().tolist())
    picture.putpalette([255, 255, 255, 0, 0, 0])
    picture.save(path)


DISGUISES: dict[str, Any] = {
    "0 and 255": lambda p: save(p, np.where(LESION, 255, 0).astype(np.uint8)),
    "0 and 1": lambda p: save(p, LESION.astype(np.uint8)),
    "one bit": lambda p: save(p, LESION),
    "RGB": lambda p: save(p, np.where(LESION, 255, 0).astype(np.uint8), "RGB"),
    "RGBA": lambda p: save(p, np.where(LESION, 255, 0).astype(np.uint8), "RGBA"),
    "red": lambda p: save(p, np.where(LESION[..., None], [255, 0, 0], 0).astype(np.uint8)),
    "palette": by_palette,
    "palette, turned": by_turned_palette,
    "16 bits": lambda p: save(p, np.where(LESION, 65535, 0).astype(np.uint16)),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_mask(tmp_path: Path, disguise: str) -> None:
    """However a mask of one lesion is painted, its pixels are the lesion."""
    DISGUISES[disguise](tmp_path / "mask.png")
    np.testing.assert_array_equal(read_roi(tmp_path / "mask.png", image(tmp_path)).mask[0], LESION)


def test_only_value_is_said(tmp_path: Path) -> None:
    """That 255 stands for the lesion is said."""
    DISGUISES["0 and 255"](tmp_path / "mask.png")
    assert read_roi(tmp_path / "mask.png", image(tmp_path)).notes == (
        "the picture of the mask holds 0 and 255 only; 255 was taken as the lesion",
    )


def test_several_values(tmp_path: Path) -> None:
    """Several values and none of them 1: they are listed."""
    mask = np.where(LESION, 255, 0).astype(np.uint8)
    mask[0, 0] = 128
    with pytest.raises(MaskError, match=r"labels present: 128 \(1 voxels\), 255 \(35 voxels\)"):
        read_roi(save(tmp_path / "mask.png", mask), image(tmp_path))


def test_chosen_value(tmp_path: Path) -> None:
    """One of several values by its number."""
    mask = np.where(LESION, 255, 0).astype(np.uint8)
    mask[0, 0] = 128
    assert read_roi(save(tmp_path / "mask.png", mask), image(tmp_path), label=255).n_voxels == 35


def test_jpeg_mask(tmp_path: Path) -> None:
    """A compressed mask is cut at half of its largest value, and that is said."""
    big = np.kron(LESION, np.ones((8, 8))).astype(bool)
    path = save(tmp_path / "mask.jpg", np.where(big, 255, 0).astype(np.uint8), quality=75)
    with pytest.warns(IsthmusWarning, match="the mask's values are blurred"):
        labels = read_labels(path)
    np.testing.assert_array_equal(labels.values[0] > 0, big)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_image_given_as_mask(tmp_path: Path, suffix: str) -> None:
    """The image itself is no mask: it has no clear edge."""
    with pytest.raises(MaskError, match="no clear edge"):
        read_labels(save(tmp_path / f"mask{suffix}", np.tile(GREY, (4, 4))))


def test_overlay_given_as_mask(tmp_path: Path) -> None:
    """Several colours are an overlay, not a mask."""
    pixels = np.where(LESION[..., None], [255, 0, 0], 0).astype(np.uint8)
    pixels[0, 0] = (0, 255, 0)
    with pytest.raises(MaskError, match="2 colours"):
        read_labels(save(tmp_path / "mask.png", pixels))


def test_other_size(tmp_path: Path) -> None:
    """A mask of another size cannot be placed; resampling is no cure."""
    path = save(tmp_path / "mask.png", np.where(LESION[1:], 255, 0).astype(np.uint8))
    with pytest.raises(GeometryMismatchError, match=r"differ in size: shape \(1, 12, 15\) against \(1, 11, 15\)"):
        read_roi(path, image(tmp_path), resample=True)


def test_mask_file_on_a_picture(tmp_path: Path) -> None:
    """A NIfTI mask drawn on a picture: only the sizes can be compared, and that is said."""
    write_labels(LabelImage(LESION[None].astype(np.uint8), Geometry((1, 12, 15), (1, 0.7, 0.7))), tmp_path / "mask.nii")
    roi = read_roi(tmp_path / "mask.nii", image(tmp_path))
    assert "only their sizes were compared" in roi.notes[0]
    assert roi.geometry.spacing_mm == (1.0, 0.1, 0.1)


def test_not_written(tmp_path: Path) -> None:
    """Pictures are read, not written: a picture cannot say where it lies."""
    with pytest.raises(ImageReadError, match=r"picture is read, not written; write one of \.nii "):
        write_image(image(tmp_path), tmp_path / "b.png")


# ---------------------------------------------------------------------------------------------------- DICOM frames


def frame(folder: Path, **facts: Any) -> Path:
    """An ultrasound frame, which says nothing of where it lies."""
    nowhere = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))
    every = {"SOPClassUID": UltrasoundImageStorage, "Modality": "US", "ManufacturerModelName": "U1", **nowhere, **facts}
    write_series(folder, lopsided()[:1], Geometry((1, 4, 5), (1, 1, 1)), every=every)
    return folder / "slice00.dcm"


def region(dx_cm: float, dy_cm: float, **facts: int) -> Dataset:
    """A calibrated region."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = dx_cm, dy_cm
    for name, value in facts.items():
        setattr(item, name, value)
    return item


def test_frame(tmp_path: Path) -> None:
    """An ultrasound frame is one slice in pixels."""
    with pytest.warns(IsthmusWarning, match="in pixels"):
        picture = read_image(frame(tmp_path))
    np.testing.assert_array_equal(picture.values, lopsided()[:1])
    assert (picture.geometry.unit, picture.acquisition["model"]) == ("px", "U1")


def test_frame_with_spacing(tmp_path: Path) -> None:
    """PixelSpacing gives its size (rows, columns)."""
    assert read_image(frame(tmp_path, PixelSpacing=[0.2, 0.3])).geometry.spacing_mm == (1.0, 0.2, 0.3)


def test_frame_with_regions(tmp_path: Path) -> None:
    """The tissue regions give its size, in centimetres per pixel; a Doppler strip beside them does not count."""
    regions = [region(0.03, 0.02), region(0.03, -0.02), region(9, 9, RegionSpatialFormat=3, PhysicalUnitsXDirection=4)]
    assert read_image(frame(tmp_path, SequenceOfUltrasoundRegions=regions)).geometry.spacing_mm == (1.0, 0.2, 0.3)


def test_regions_that_disagree(tmp_path: Path) -> None:
    """Two scales in one frame: which holds the lesion is unknown."""
    with pytest.warns(IsthmusWarning, match="different scales|in pixels"):
        picture = read_image(frame(tmp_path, SequenceOfUltrasoundRegions=[region(0.03, 0.02), region(0.01, 0.02)]))
    assert picture.geometry.unit == "px"


def test_clip(tmp_path: Path) -> None:
    """A clip is not one frame."""
    with pytest.raises(ImageReadError, match="clip of 30 frames"):
        read_image(frame(tmp_path, NumberOfFrames=30))
