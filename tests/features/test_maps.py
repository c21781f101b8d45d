"""Feature maps: what is asked for, where it lies, and what is refused. Values: tests/reference and tests/oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import isthmus
from isthmus.cli.app import app
from isthmus.errors import CaseError, ImageReadError, PlanError, UndefinedFeatureWarning
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.image.io import read_image, write_image
from isthmus.roi import Roi

MEAN = ("firstorder_Mean",)


def lesion() -> tuple[Image, Roi]:
    rng = np.random.default_rng(1)
    shape = (7, 9, 11)
    geometry = Geometry(shape, (2.5, 0.8, 0.7), (10.0, -20.0, 30.0))
    mask = np.zeros(shape, dtype=bool)
    mask[2:5, 3:7, 0:5] = True  # touches the border along i
    return Image(rng.integers(0, 120, shape).astype(np.int16), geometry), Roi(mask, geometry)


def test_mean_map_is_the_mean_of_the_cube() -> None:
    """Unmasked, radius 2: the mean of the cube cut at the image's border; 0 outside the region."""
    image, roi = lesion()
    found = isthmus.maps(image, roi, features=MEAN, kernel_radius=2, masked_kernel=False)["original_firstorder_Mean"]
    expected = np.zeros(image.values.shape)
    for k, j, i in np.argwhere(roi.mask):
        expected[k, j, i] = image.values[k - 2 : k + 3, j - 2 : j + 3, max(i - 2, 0) : i + 3].mean()
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)


def test_maps_lie_on_the_image_or_on_the_region() -> None:
    """grid = "region" is the same map cut to the region's box and the kernel's margin, in its place in the patient."""
    image, roi = lesion()
    whole = isthmus.maps(image, roi, features=MEAN)["original_firstorder_Mean"]
    part = isthmus.maps(image, roi, features=MEAN, grid="region")["original_firstorder_Mean"]
    assert whole.geometry.same_grid(image.geometry)
    box = (slice(1, 6), slice(2, 8), slice(0, 6))
    np.testing.assert_array_equal(part.values, whole.values[box])
    assert part.geometry.same_grid(image.geometry.part(box))


def test_resampled_maps_lie_on_the_new_grid_in_the_same_place() -> None:
    """After resampling, the middle of the map's region is where the lesion's is, in world coordinates."""
    image, roi = lesion()
    made = isthmus.maps(image, roi, features=MEAN, spacing_mm=(1.25, 0.8, 0.7), initial_value=np.nan)
    found = made["original_firstorder_Mean"]
    assert found.geometry.spacing_mm == (1.25, 0.8, 0.7)

    def centre(mask: np.ndarray, geometry: Geometry) -> np.ndarray:
        return geometry.affine[:3] @ [*np.argwhere(mask).mean(axis=0), 1.0]

    np.testing.assert_allclose(
        centre(np.isfinite(found.values), found.geometry), centre(roi.mask, image.geometry), atol=0.7
    )


def test_cropped_maps_lie_in_the_same_place() -> None:
    """pre_crop changes the grid, not the place."""
    image, roi = lesion()
    found = isthmus.maps(image, roi, features=MEAN, pre_crop=True, pad_distance=1)["original_firstorder_Mean"]
    assert found.geometry.same_grid(image.geometry.part((slice(1, 6), slice(2, 8), slice(0, 6))))


def test_filtered_maps_follow_the_filter() -> None:
    """The maps of a response map are the maps of the filtered image."""
    image, roi = lesion()
    found = isthmus.maps(image, roi, features=MEAN, filters=["square"])
    again = isthmus.maps(image, roi, features=MEAN, filters=["none", "square"])
    np.testing.assert_array_equal(found["square_firstorder_Mean"].values, again["square_firstorder_Mean"].values)
    assert list(again) == ["original_firstorder_Mean", "square_firstorder_Mean"]


def test_nan_is_said_once() -> None:
    """An isolated voxel has no pair in its masked kernel: NaN there, one warning with the number of voxels."""
    image, roi = lesion()
    mask = roi.mask.copy()
    mask[6, 8, 10] = True
    with pytest.warns(UndefinedFeatureWarning, match=r"original_glcm_Contrast \(1\)") as caught:
        found = isthmus.maps(image, Roi(mask, image.geometry), features=("glcm_Contrast",))
    assert len(caught) == 1
    assert np.isnan(found["original_glcm_Contrast"].values[6, 8, 10])


def test_two_voxels_are_enough() -> None:
    """The smallest region, a kernel larger than the image: every first-order map has its value."""
    image, roi = lesion()
    mask = np.zeros_like(roi.mask)
    mask[3, 3, 3:5] = True
    found = isthmus.maps(image, Roi(mask, image.geometry), features=MEAN, kernel_radius=15)
    assert found["original_firstorder_Mean"].values[3, 3, 3] == image.values[3, 3, 3:5].mean()


def test_nan_beside_the_region_matters_to_kernels_that_reach_it() -> None:
    """Masked kernels do not see it; unmasked ones refuse the image, with the count."""
    image, roi = lesion()
    values = image.values.astype(np.float32)
    values[1, 2, 0] = np.nan
    broken = Image(values, image.geometry)
    assert np.isfinite(isthmus.maps(broken, roi, features=MEAN)["original_firstorder_Mean"].values).all()
    with pytest.raises(ImageReadError, match="1 of 180 voxels that kernels reach are NaN"):
        isthmus.maps(broken, roi, features=MEAN, masked_kernel=False)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"families": ("shape",)}, PlanError, "shape features have no maps"),
        ({"kernel_radius": 0}, PlanError, r"kernel_radius: .* \(came: 0\)"),
        ({"kernel_radius": 16}, PlanError, r"kernel_radius: .* \(came: 16\)"),
        ({"distances": (2,)}, PlanError, "distances"),
        ({"weighting": "euclidean"}, PlanError, "weighting"),
        ({"features": ("firstorder_StandardDeviation",)}, PlanError, "cannot be mapped"),
        ({"memory_limit_gb": 1e-6}, CaseError, "the limit is 1e-06 GB. Name fewer features"),
        ({"profile": "aview131"}, PlanError, "no feature maps"),
        ({"kernel_radios": 1}, PlanError, "Did you mean 'kernel_radius'"),
    ],
)
def test_what_cannot_be_mapped_is_refused(given: dict[str, object], error: type[Exception], match: str) -> None:
    """Each with what came and what is possible."""
    image, roi = lesion()
    with pytest.raises(error, match=match):
        isthmus.maps(image, roi, **given)  # type: ignore[arg-type]


def saved(folder: Path) -> tuple[Path, Path]:
    image, roi = lesion()
    paths = folder / "image.nii.gz", folder / "mask.nii.gz"
    write_image(image, paths[0])
    write_image(Image(roi.mask.astype(np.int16), roi.geometry), paths[1])
    return paths


def test_command_writes_one_file_per_map(tmp_path: Path) -> None:
    """`isthmus maps` prints what it wrote; the files are the maps in single precision, on the image's grid."""
    image, mask = saved(tmp_path)
    done = CliRunner().invoke(
        app,
        ["maps", "--image", str(image), "--mask", str(mask), "--families", "glcm", "--kernel-radius", "2", "--init-value",
         "-1", "--set", "bin_width=10", "--out", str(tmp_path / "maps")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(done.output.split()) == 24
    written = read_image(tmp_path / "maps" / "original_glcm_Contrast.nii.gz")
    made = isthmus.maps(image, mask, features=("glcm_Contrast",), kernel_radius=2, initial_value=-1, bin_width=10)[
        "original_glcm_Contrast"
    ]
    assert written.geometry.same_grid(made.geometry)
    np.testing.assert_array_equal(written.values, made.values.astype(np.float32))


def test_parameter_file_sets_the_kernel(tmp_path: Path) -> None:
    """`voxelSetting` of a PyRadiomics parameter file holds, and keywords win over it."""
    image, roi = lesion()
    params = tmp_path / "maps.yaml"
    params.write_text(
        "imageType: {Original: {}}\nfeatureClass: {firstorder: [Mean]}\n"
        "voxelSetting: {kernelRadius: 2, maskedKernel: false, initValue: 7, voxelBatch: 100}\n"
    )
    found = isthmus.maps(image, roi, params=params)["original_firstorder_Mean"]
    expected = isthmus.maps(image, roi, features=MEAN, kernel_radius=2, masked_kernel=False, initial_value=7)[
        "original_firstorder_Mean"
    ]
    np.testing.assert_array_equal(found.values, expected.values)
    again = isthmus.maps(image, roi, params=params, initial_value=0)["original_firstorder_Mean"]
    assert again.values[0, 0, 0] == 0
