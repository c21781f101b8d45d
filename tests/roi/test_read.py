"""Reading a lesion's mask: what is refused, and what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from image.making import SHAPE, in_patient, lopsided, oblique, write_rtstruct, write_series
from isthmus.errors import GeometryMismatchError, ImageReadError, MaskError
from isthmus.image import Geometry, Image
from isthmus.image.io import LabelImage, read_image, write_image, write_labels
from isthmus.roi import Roi, check_values, read_roi

TRIANGLE = [(-0.4, -0.3), (-0.4, 3.4), (3.3, 3.4)]  # holds the 6 voxels of a slice with i > j, i < 4


def image(dtype: type = np.int16) -> Image:
    """The lopsided oblique image."""
    return Image(lopsided(dtype), oblique(), source="scan.nii")


def labels(folder: Path, voxels: dict[tuple[int, int, int], int], geometry: Geometry | None = None) -> Path:
    """A mask file with these voxels set."""
    geometry = oblique() if geometry is None else geometry
    values = np.zeros(geometry.shape, np.uint8)
    for index, label in voxels.items():
        values[index] = label
    write_labels(LabelImage(values, geometry), folder / "mask.nii.gz")
    return folder / "mask.nii.gz"


def contours(folder: Path, **rois: int) -> Path:
    """An RTSTRUCT with ROIs of this many outlines."""
    drawn = {name: [(in_patient(oblique(), k, TRIANGLE), {}) for k in range(n)] for name, n in rois.items()}
    return write_rtstruct(folder / "rs.dcm", drawn)


def test_mask(tmp_path: Path) -> None:
    """The voxels of the label are the ROI."""
    roi = read_roi(labels(tmp_path, {(1, 2, 3): 1, (1, 2, 4): 1}), image())
    assert np.argwhere(roi.mask).tolist() == [[1, 2, 3], [1, 2, 4]]


def test_ordinary_mask_has_no_notes(tmp_path: Path) -> None:
    """One label, one part: nothing to say."""
    assert read_roi(labels(tmp_path, {(1, 2, 3): 1, (1, 2, 4): 1}), image()).notes == ()


def test_source(tmp_path: Path) -> None:
    """The ROI knows its path."""
    path = labels(tmp_path, {(1, 2, 3): 1})
    assert read_roi(path, image()).source == str(path)


@pytest.mark.parametrize("label", [2, "2"])
def test_label(tmp_path: Path, label: int | str) -> None:
    """Another label, as a number or as a table writes it."""
    assert read_roi(labels(tmp_path, {(1, 2, 3): 1, (0, 0, 0): 2}), image(), label=label).mask[0, 0, 0]


def test_no_label_means_one(tmp_path: Path) -> None:
    """Without a label, 1 is meant."""
    assert read_roi(labels(tmp_path, {(1, 2, 3): 1, (0, 0, 0): 2}), image(), label=None).mask[1, 2, 3]


def test_other_labels_are_reported(tmp_path: Path) -> None:
    """Voxels of other labels are counted."""
    roi = read_roi(labels(tmp_path, {(1, 2, 3): 1, (1, 2, 4): 1, (0, 0, 0): 7, (0, 0, 1): 7}), image())
    assert roi.notes == ("other labels in the mask, left out: 7 (2 voxels)",)


def test_parts_are_counted(tmp_path: Path) -> None:
    """Separate parts are counted, largest first; a corner joins."""
    voxels = {(0, 0, 0): 1, (1, 1, 1): 1, (2, 3, 4): 1}
    assert "2 separate parts" in read_roi(labels(tmp_path, voxels), image()).notes[0]
    assert read_roi(labels(tmp_path, voxels), image()).notes[0].endswith(": 2, 1 voxels")


def test_one_voxel(tmp_path: Path) -> None:
    """A single voxel is a ROI here; it is said."""
    assert read_roi(labels(tmp_path, {(1, 2, 3): 1}), image()).notes == ("the mask is a single voxel",)


def test_empty_mask(tmp_path: Path) -> None:
    """A mask of zeros is refused."""
    with pytest.raises(MaskError, match=r"mask\.nii\.gz: the mask is empty: all 60 voxels are 0"):
        read_roi(labels(tmp_path, {}), image())


def test_absent_label(tmp_path: Path) -> None:
    """A label nobody drew is answered with those present."""
    with pytest.raises(MaskError, match=r"no voxel has label 3; labels present: 1 \(1 voxels\), 2 \(1 voxels\)"):
        read_roi(labels(tmp_path, {(1, 2, 3): 1, (0, 0, 0): 2}), image(), label=3)


def test_name_for_a_mask_file(tmp_path: Path) -> None:
    """A name means nothing to a mask file."""
    with pytest.raises(MaskError, match="label 'GTV' for a mask file; a whole number was expected"):
        read_roi(labels(tmp_path, {(1, 2, 3): 1}), image(), label="GTV")


def test_other_shape(tmp_path: Path) -> None:
    """A mask of another size: both sizes, and what to do."""
    path = labels(tmp_path, {(1, 2, 3): 1}, Geometry((3, 4, 6), (1, 1, 1)))
    with pytest.raises(
        GeometryMismatchError, match=r"shape \(3, 4, 5\) against \(3, 4, 6\).*Was the mask drawn on another"
    ):
        read_roi(path, image())


def test_other_spacing(tmp_path: Path) -> None:
    """A mask of another spacing: both spacings."""
    other = Geometry(SHAPE, (2.5, 0.75, 1.3), oblique().origin_mm, oblique().direction)
    with pytest.raises(GeometryMismatchError, match=r"spacing_mm \[2\.5, 0\.75, 1\.25\] against \[2\.5, 0\.75, 1\.3\]"):
        read_roi(labels(tmp_path, {(1, 2, 3): 1}, other), image())


def test_other_place(tmp_path: Path) -> None:
    """A mask moved by a tenth of a millimetre is on another grid."""
    other = Geometry(SHAPE, oblique().spacing_mm, (-11.4, 22.25, 333.0), oblique().direction)
    with pytest.raises(GeometryMismatchError, match="origin_mm"):
        read_roi(labels(tmp_path, {(1, 2, 3): 1}, other), image())


def test_fractions(tmp_path: Path) -> None:
    """A probability map is no mask."""
    write_image(Image(lopsided(np.float32) / 10, oblique()), tmp_path / "p.nii")
    with pytest.raises(MaskError, match=r"54 voxels are no whole numbers \(the first 0\.1\)"):
        read_roi(tmp_path / "p.nii", image())


def test_nan_in_a_mask(tmp_path: Path) -> None:
    """NaN is no label."""
    values = np.zeros(SHAPE, np.float32)
    values[0, 0, 0] = np.nan
    write_image(Image(values, oblique()), tmp_path / "p.nii")
    with pytest.raises(MaskError, match=r"1 voxels are no whole numbers \(the first nan\)"):
        read_roi(tmp_path / "p.nii", image())


def test_whole_floats(tmp_path: Path) -> None:
    """Labels stored as floats are labels."""
    write_image(Image((lopsided() == 7).astype(np.float32), oblique()), tmp_path / "p.nii")
    assert read_roi(tmp_path / "p.nii", image()).n_voxels == 1


def test_missing_mask(tmp_path: Path) -> None:
    """A mask that is not there is named."""
    with pytest.raises(ImageReadError, match="no such file"):
        read_roi(tmp_path / "mask.nii.gz", image())


def with_value(value: float, index: tuple[int, int, int]) -> Image:
    """An image with one odd voxel."""
    values = lopsided(np.float32)
    values[index] = value
    return Image(values, oblique(), source="scan.nii")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_inside(tmp_path: Path, value: float) -> None:
    """NaN or infinity inside the lesion excludes the case, with the count."""
    path = labels(tmp_path, {(1, 2, 3): 1, (1, 2, 4): 1})
    with pytest.raises(ImageReadError, match=r"scan\.nii: 1 of 2 voxels inside the ROI 'mask' are NaN or infinite"):
        read_roi(path, with_value(value, (1, 2, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_outside(tmp_path: Path, value: float) -> None:
    """NaN elsewhere is said."""
    path = labels(tmp_path, {(1, 2, 3): 1, (1, 2, 4): 1})
    notes = read_roi(path, with_value(value, (0, 0, 0))).notes
    assert notes == ("1 voxels of the image outside the ROI are NaN or infinite",)


def test_check_values_of_whole_numbers() -> None:
    """Whole numbers are always numbers."""
    check_values(image(), Roi(np.ones(SHAPE, bool), oblique()))


def test_contours(tmp_path: Path) -> None:
    """The one ROI of an RTSTRUCT needs no name."""
    roi = read_roi(contours(tmp_path, GTV=2), image())
    assert (roi.name, roi.n_voxels) == ("GTV", 2 * 6)


def test_contours_by_name(tmp_path: Path) -> None:
    """One ROI of several, by name."""
    assert read_roi(contours(tmp_path, GTV=2, node=1), image(), label="node").n_voxels == 6


def test_contours_without_name(tmp_path: Path) -> None:
    """Several ROIs and no name: they are listed."""
    with pytest.raises(MaskError, match="holds 2 ROIs \\('GTV', 'node'\\) and none was named"):
        read_roi(contours(tmp_path, GTV=2, node=1), image())


def test_contours_of_another_name(tmp_path: Path) -> None:
    """A name nobody drew is answered with those present."""
    with pytest.raises(MaskError, match="no ROI is called 'tumour'; the RTSTRUCT holds 'GTV'"):
        read_roi(contours(tmp_path, GTV=2), image(), label="tumour")


def test_roi_without_contours(tmp_path: Path) -> None:
    """A ROI that was named but never drawn is refused."""
    with pytest.raises(MaskError, match="ROI 'GTV' has no contours"):
        read_roi(contours(tmp_path, GTV=0), image())


def test_contours_between_voxels(tmp_path: Path) -> None:
    """An outline that holds no voxel centre makes an empty mask, which is refused."""
    small = [(1.2, 1.2), (1.2, 1.8), (1.8, 1.8)]
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": [(in_patient(oblique(), 1, small), {})]})
    with pytest.raises(MaskError, match="enclose no voxel centre of the image: the mask is empty"):
        read_roi(path, image())


def test_series_and_contours_in_one_folder(tmp_path: Path) -> None:
    """Image and outlines may lie in one folder; references are followed."""
    uids = write_series(tmp_path)
    drawn = [(in_patient(oblique(), k, TRIANGLE), {"instance": uids[k]}) for k in range(3)]
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": drawn})
    assert read_roi(tmp_path, read_image(tmp_path)).notes == ()


def test_reference_against_position(tmp_path: Path) -> None:
    """A reference to another slice than the position is refused."""
    uids = write_series(tmp_path)
    write_rtstruct(tmp_path / "rs.dcm", {"GTV": [(in_patient(oblique(), 0, TRIANGLE), {"instance": uids[2]})]})
    with pytest.raises(GeometryMismatchError, match="slice 0 by its position but refers to slice 2"):
        read_roi(tmp_path, read_image(tmp_path))


def test_named(tmp_path: Path) -> None:
    """The caller may name the ROI."""
    assert read_roi(labels(tmp_path, {(1, 2, 3): 1}), image(), name="tumour").name == "tumour"
