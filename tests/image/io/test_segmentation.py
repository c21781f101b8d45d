"""DICOM SEG: what highdicom writes comes back voxel for voxel, whatever the order of slices, frames and segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from image.making import SHAPE, lopsided, oblique, write_series
from isthmus.errors import GeometryMismatchError, ImageReadError, MaskError
from isthmus.image import Geometry, Image
from isthmus.image.io import find_series, read_image, read_labels
from isthmus.roi import read_roi

highdicom = pytest.importorskip("highdicom", reason="the independent writer of SEG files (extra `test`)")
TALL = (7, 4, 5)


def slices(folder: Path) -> list[Dataset]:
    """The series' files in the order of k."""
    return [pydicom.dcmread(file) for file in find_series(folder).files]


def described(number: int, name: str) -> Any:
    """A segment as highdicom describes it."""
    from pydicom.sr.codedict import codes

    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(
    path: Path,
    source: Sequence[Dataset],
    voxels: np.ndarray,
    names: Sequence[str] = ("GTV",),
    *,
    kind: str = "BINARY",
    syntax: str = ExplicitVRLittleEndian,
    **more: Any,
) -> Path:
    """Write a SEG of voxels (frame, j, i[, segment]), one frame per source slice."""
    for slice_ in source:
        slice_.PatientName = "Test^Of"  # highdicom asks for two parts
    segmentation = highdicom.seg.Segmentation(
        source_images=source,
        pixel_array=voxels,
        segmentation_type=kind,
        segment_descriptions=[described(n, name) for n, name in enumerate(names, start=1)],
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Maker",
        manufacturer_model_name="M",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=syntax,
        **more,
    )
    segmentation.save_as(path)
    return path


def series(folder: Path, geometry: Geometry | None = None) -> Image:
    """The oblique series of seven slices."""
    every = {
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "StudyID": "",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
    }
    every |= {"PatientBirthDate": "", "PatientSex": "", "ReferringPhysicianName": "", "PatientOrientation": ""}
    write_series(folder, lopsided(shape=TALL), geometry or oblique(TALL), every=every)
    return read_image(folder)


def blob(seed: int = 1) -> np.ndarray:
    """Voxels on slices 1, 3 and 4 only."""
    mask = np.random.default_rng(seed).random(TALL) < 0.4
    mask[[0, 2, 5, 6]] = False
    mask[[1, 3, 4], 1, 2] = True
    return mask


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("kind", "syntax"),
    [("BINARY", ExplicitVRLittleEndian), ("LABELMAP", ExplicitVRLittleEndian), ("LABELMAP", RLELossless)],
)
def test_round_trip(tmp_path: Path, order: int, kind: str, syntax: str) -> None:
    """From both ends of the patient, with empty slices left out: the same voxels."""
    image, truth = series(tmp_path / "ct"), blob()
    path = write_seg(
        tmp_path / "seg.dcm",
        slices(tmp_path / "ct")[::order],
        truth[::order].astype(np.uint8),
        kind=kind,
        syntax=syntax,
    )
    np.testing.assert_array_equal(read_roi(path, image).mask, truth)


def test_head_to_feet(tmp_path: Path) -> None:
    """An image that runs against the normal of the frames (a NIfTI from another program) is met as well."""
    image, truth = series(tmp_path / "ct"), blob()
    direction = image.geometry.direction.copy()
    direction[:, 0] *= -1
    origin = tuple((image.geometry.affine @ [TALL[0] - 1, 0, 0, 1])[:3])
    turned = Image(image.values[::-1], Geometry(TALL, image.geometry.spacing_mm, origin, direction))
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), truth.astype(np.uint8))
    np.testing.assert_array_equal(read_roi(path, turned).mask, truth[::-1])


def test_part_of_the_image(tmp_path: Path) -> None:
    """A SEG made on some of the slices lies where they lie."""
    image, truth = series(tmp_path / "ct"), blob()
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct")[3:5], truth[3:5].astype(np.uint8))
    truth[1] = False
    np.testing.assert_array_equal(read_roi(path, image).mask, truth)


def test_shuffled_frames(tmp_path: Path) -> None:
    """The order of the frames in the file says nothing."""
    image, truth = series(tmp_path / "ct"), blob()
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), truth.astype(np.uint8), kind="LABELMAP")
    data = pydicom.dcmread(path)
    pixels, groups = data.pixel_array, list(data.PerFrameFunctionalGroupsSequence)
    order = [len(groups) - 1, *range(len(groups) - 1)]
    data.PixelData = pixels[order].tobytes()
    data.PerFrameFunctionalGroupsSequence = [groups[n] for n in order]
    data.save_as(path)
    np.testing.assert_array_equal(read_roi(path, image).mask, truth)


def two(folder: Path, *, overlap: bool = True) -> tuple[Image, Path, np.ndarray]:
    """Two segments, a tumour and a node."""
    image, tumour, node = series(folder / "ct"), blob(1), blob(2)
    if not overlap:
        node &= ~tumour
    truth = np.stack([tumour, node], axis=-1)
    return (
        image,
        write_seg(folder / "seg.dcm", slices(folder / "ct"), truth.astype(np.uint8), ("tumour", "node")),
        truth,
    )


@pytest.mark.parametrize(("label", "position"), [("tumour", 0), (1, 0), ("node", 1), (2, 1), ("2", 1)])
def test_overlapping_segments(tmp_path: Path, label: int | str, position: int) -> None:
    """One of several segments by name or number, also where they overlap."""
    image, path, truth = two(tmp_path)
    np.testing.assert_array_equal(read_roi(path, image, label=label).mask, truth[..., position])


def test_named(tmp_path: Path) -> None:
    """The ROI bears the segment's name."""
    image, path, _ = two(tmp_path)
    assert read_roi(path, image, label=2).name == "node"


def test_several_and_none_named(tmp_path: Path) -> None:
    """Several segments and no label: they are listed."""
    image, path, _ = two(tmp_path)
    with pytest.raises(MaskError, match=r"holds 2 segments \(1 'tumour', 2 'node'\) and none was named"):
        read_roi(path, image)


@pytest.mark.parametrize("label", ["bone", 3])
def test_no_such_segment(tmp_path: Path, label: int | str) -> None:
    """A segment nobody drew: those present are listed."""
    image, path, _ = two(tmp_path)
    with pytest.raises(MaskError, match=rf"no segment is '{label}'; the segmentation holds 1 'tumour', 2 'node'"):
        read_roi(path, image, label=label)


def test_fractional(tmp_path: Path) -> None:
    """Fractions from one half on are in, and that is said."""
    image, truth = series(tmp_path / "ct"), blob()
    fractions = np.where(truth, 0.6, 0.4).astype(np.float32)
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), fractions, kind="FRACTIONAL")
    roi = read_roi(path, image)
    np.testing.assert_array_equal(roi.mask, truth)
    assert "fractional segmentation 'GTV': voxels of at least half were taken" in roi.notes


def test_folder_with_its_slices(tmp_path: Path) -> None:
    """A SEG beside its slices in one folder is found, and the series is still one series."""
    truth = blob()
    series(tmp_path / "ct")
    write_seg(tmp_path / "ct" / "seg.dcm", slices(tmp_path / "ct"), truth.astype(np.uint8))
    np.testing.assert_array_equal(read_roi(tmp_path / "ct", read_image(tmp_path / "ct")).mask, truth)


def test_two_segmentations(tmp_path: Path) -> None:
    """Two SEG files in one folder: which one?"""
    image, truth = series(tmp_path / "ct"), blob()
    for name in ("a.dcm", "b.dcm"):
        write_seg(tmp_path / name, slices(tmp_path / "ct"), truth.astype(np.uint8))
    with pytest.raises(ImageReadError, match=r"2 DICOM segmentations \(a\.dcm, b\.dcm\)"):
        read_roi(tmp_path, image)


def test_labels(tmp_path: Path) -> None:
    """As a label map: the segments' numbers, each where its slice lies."""
    _, path, truth = two(tmp_path, overlap=False)
    labels = read_labels(path)
    numbers = truth[..., 0] + 2 * truth[..., 1]
    np.testing.assert_array_equal(labels.values, numbers[1:5])


def test_labels_that_overlap(tmp_path: Path) -> None:
    """Overlapping segments are no label map."""
    with pytest.raises(MaskError, match=r"segments 1 \('tumour'\) and 2 \('node'\) overlap"):
        read_labels(two(tmp_path)[1])


def other(geometry: Geometry) -> Image:
    """An image on another grid."""
    return Image(lopsided(shape=geometry.shape), geometry, source="other.nii")


def test_other_spacing(tmp_path: Path) -> None:
    """A SEG of another series is refused, with what differs and what to do."""
    series(tmp_path / "ct")
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), blob().astype(np.uint8))
    grid = Geometry(TALL, (2.5, 0.75, 1.0), oblique(TALL).origin_mm, oblique(TALL).direction)
    with pytest.raises(GeometryMismatchError, match=r"spacing \[2\.5, 0\.75, 1\.0\] against .*resample_mask = true"):
        read_roi(path, other(grid))


def test_outside(tmp_path: Path) -> None:
    """Frames beyond the image are refused with the number of voxels."""
    series(tmp_path / "ct")
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), blob().astype(np.uint8))
    n = int(blob()[4].sum())
    with pytest.raises(GeometryMismatchError, match=f"{n} voxels of the segment lie outside the image"):
        read_roi(path, other(oblique((4, 4, 5))))


def test_resampled(tmp_path: Path) -> None:
    """On request it is resampled, and the note says how many voxels became how many."""
    series(tmp_path / "ct")
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), blob().astype(np.uint8))
    roi = read_roi(path, other(oblique((4, 4, 5))), resample=True)
    np.testing.assert_array_equal(roi.mask, blob()[:4])
    lost = int(blob()[4].sum())
    assert f"{int(blob().sum())} voxels" in roi.notes[0]
    assert f"{lost} of its voxels lay outside the image" in roi.notes[0]


def test_empty(tmp_path: Path) -> None:
    """A segment without a voxel is refused."""
    image = series(tmp_path / "ct")
    nothing = np.zeros(TALL, np.uint8)
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), nothing, omit_empty_frames=False)
    with pytest.raises(MaskError, match=r"segment 1 \('GTV'\) holds no voxel"):
        read_roi(path, image)


def test_truncated(tmp_path: Path) -> None:
    """A SEG cut short is an error."""
    image = series(tmp_path / "ct")
    path = write_seg(tmp_path / "seg.dcm", slices(tmp_path / "ct"), blob().astype(np.uint8), kind="LABELMAP")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ImageReadError, match="truncated"):
        read_roi(path, image)


def test_image_as_a_mask(tmp_path: Path) -> None:
    """A folder of slices is no mask."""
    image = series(tmp_path / "ct")
    with pytest.raises(ImageReadError, match="no mask: a DICOM image"):
        read_roi(tmp_path / "ct", image)


@pytest.mark.parametrize("order", [1, -1])
def test_ibsi_phantom(shared_data: Path, tmp_path: Path, order: int) -> None:
    """A SEG made of the CT phantom's mask by highdicom is that mask, voxel for voxel."""
    phantom = shared_data / "ibsi" / "ct_phantom"
    image = read_image(phantom / "nifti" / "image" / "phantom.nii.gz")
    truth = read_roi(phantom / "nifti" / "mask" / "mask.nii.gz", image).mask
    source = slices(phantom / "dicom")
    path = write_seg(tmp_path / "seg.dcm", source[::order], truth[::order].astype(np.uint8))
    np.testing.assert_array_equal(read_roi(path, image).mask, truth)


def test_shape_of_the_helper() -> None:
    """The tall volume differs from the usual one, else a mix-up could hide."""
    assert TALL != SHAPE
