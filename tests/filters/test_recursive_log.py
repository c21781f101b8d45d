"""PyRadiomics' Laplacian of Gaussian against SimpleITK's, voxel for voxel."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from filters.making import SPACING, TYPES, boxes, maps, noise, same_bits, to_sitk, whole
from isthmus import _core
from isthmus.errors import CaseError
from isthmus.filters import filter_labels, parse_filter
from isthmus.image import Image
from isthmus.image.io import read_image


def itk(image: Image, sigma: float) -> np.ndarray:
    peer = SimpleITK.LaplacianRecursiveGaussianImageFilter()
    peer.SetNormalizeAcrossScale(True)
    peer.SetSigma(sigma)
    return SimpleITK.GetArrayFromImage(peer.Execute(to_sitk(image)))


def is_itks(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """The same bits. On Arm, where our bits are those of x86-64, SimpleITK is built with fused multiply-add: one unit in the last place."""
    if platform.machine().lower() in {"x86_64", "amd64"}:
        return same_bits(ours, theirs)
    return ours.dtype == theirs.dtype and bool(np.all(abs(ours - theirs) <= np.spacing(np.abs(theirs).max())))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(21, 33, 40), (4, 5, 37), (37, 64, 4)])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 5.0])
def test_voxels_are_itks(dtype: Any, shape: tuple[int, int, int], sigma: float) -> None:
    """With every instruction set each voxel of the whole image has ITK's bits, whatever its type."""
    image = noise(shape, dtype)
    expected = itk(image, sigma)
    size = list(shape)
    assert all(
        is_itks(
            _core.recursive_log(image.values, SPACING, sigma, [0, 0, 0], size, size, _core.LogWorkspace(), name),
            expected,
        )
        for name in _core.instruction_sets()
    )


def test_a_box_of_the_whole_image_is_itks() -> None:
    """Without a margin to cut, the voxels of a box anywhere are those of the whole map."""
    image = noise((21, 33, 40), np.int16)
    expected = itk(image, 2.0)
    given = {"name": "recursive_log", "sigma_mm": (2.0,), "margin_sigma": "image"}
    assert all(
        is_itks(maps(image, box, given)["log-sigma-2-0-mm-3D"], np.ascontiguousarray(expected[box]))
        for box in boxes(image.values.shape)
    )


def test_a_real_image_is_itks(shared_data: Path) -> None:
    """A CT with voxels of 3 mm: bit for bit."""
    image = read_image(shared_data / "ibsi/ct_phantom/nifti/image/phantom.nii.gz")
    given = {"name": "recursive_log", "sigma_mm": (3.0,), "margin_sigma": "image"}
    assert is_itks(maps(image, whole(image), given)["log-sigma-3-0-mm-3D"], itk(image, 3.0))


def test_the_margin_costs_one_rounding() -> None:
    """15 sigmas around a box give the whole image's values within 5e-8 of the largest."""
    image = noise((60, 70, 80), np.float32, (1.0, 1.0, 1.0))
    box = (slice(30, 34), slice(35, 40), slice(40, 45))
    found = maps(image, box, {"name": "recursive_log", "sigma_mm": (1.0,)})["log-sigma-1-0-mm-3D"]
    expected = itk(image, 1.0)
    np.testing.assert_allclose(found, expected[box], rtol=0, atol=5e-8 * float(np.abs(expected).max()))


def test_strides_do_not_matter() -> None:
    """A view with turned and skipping axes gives what its copy gives."""
    image = np.random.default_rng(3).normal(size=(20, 24, 30)).astype(np.float32)
    view = image.transpose(2, 0, 1)[::-1, ::2]
    size = list(view.shape)
    one, other = (
        _core.recursive_log(v, (1, 2, 3), 1.5, [0, 0, 0], size, size, _core.LogWorkspace()) for v in (view, view.copy())
    )
    assert same_bits(one, other)


def test_labels_are_pyradiomics() -> None:
    """A width is written as Python writes it, a whole number without a decimal."""
    settings = parse_filter({"name": "recursive_log", "sigma_mm": (1, 2.0, 0.5)})
    assert filter_labels(settings) == ("log-sigma-1-mm-3D", "log-sigma-2-0-mm-3D", "log-sigma-0-5-mm-3D")


@pytest.mark.parametrize(
    ("shape", "sigma", "said"), [((3, 9, 9), 1.0, "at least 4 along"), ((9, 9, 9), 9.0, r"at least \(5, 11, 10\)")]
)
def test_an_image_too_small_is_refused(shape: tuple[int, int, int], sigma: float, said: str) -> None:
    """Where PyRadiomics leaves a width out, the error says how many voxels were needed."""
    image = noise(shape, np.float32)
    with pytest.raises(CaseError, match=said):
        maps(image, whole(image), {"name": "recursive_log", "sigma_mm": (sigma,)})


def test_a_width_of_zero_is_refused() -> None:
    """Widths are above 0."""
    with pytest.raises(ValueError, match="above 0"):
        parse_filter({"name": "recursive_log", "sigma_mm": (0.0,)})
