"""Linear maps along an axis: boundary conditions, the core's sums, labels."""

import numpy as np
import pytest
from scipy import ndimage

from filters.making import noise
from isthmus import _core
from isthmus.filters._convolution import Kernel, along, convolve, linear_maps, source

BOUNDARIES = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}


@pytest.mark.parametrize(("boundary", "mode"), [("nearest", "edge"), ("periodic", "wrap"), ("mirror", "symmetric")])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_positions_beyond_the_border_are_numpys_padding(boundary: str, mode: str, size: int) -> None:
    """As far as several images away, the voxel taken is the one that padding would put there."""
    found = source(np.arange(-13, size + 13), size, boundary)
    np.testing.assert_array_equal(found, np.pad(np.arange(size), 13, mode=mode))


def test_zero_takes_nothing_beyond_the_border() -> None:
    """Where zeros stand there is no voxel."""
    assert source(np.arange(-2, 5), 3, "zero").tolist() == [-1, -1, 0, 1, 2, -1, -1]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("taps", [(1.0,), (1.0, -3.0), (0.5, 2.0, -1.0), (1.0, 2.0, 3.0, -4.0, 5.0, 7.0)])
def test_a_separable_filter_is_scipys_convolution(boundary: str, taps: tuple[float, ...]) -> None:
    """Odd and even kernels, along all axes, with every boundary; the axes are shorter and longer than the kernel."""
    image = noise((3, 6, 17), np.float64).values
    found = convolve(image, tuple(map(np.arange, image.shape)), (2, 1, 0), [(Kernel.of(taps),)] * 3, boundary)
    expected = image
    for axis in range(3):
        expected = ndimage.convolve1d(expected, taps, axis=axis, mode=BOUNDARIES[boundary])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_cascade_meets_the_border_at_every_step(boundary: str) -> None:
    """The second kernel sees the first one's response, extended by the boundary condition."""
    image = noise((1, 1, 9), np.float64).values
    first, second = (1.0, 2.0, 4.0), (3.0, -1.0, 0.0, 2.0)
    rows = tuple(map(np.arange, image.shape))
    found = convolve(image, rows, (2,), [(Kernel.of(first), Kernel.of(second))], boundary)
    expected = ndimage.convolve1d(image, first, axis=2, mode=BOUNDARIES[boundary])
    expected = ndimage.convolve1d(expected, second, axis=2, mode=BOUNDARIES[boundary])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_mirrored_kernel_is_the_kernel_on_the_mirrored_image() -> None:
    """Mirroring turns a kernel about its centre voxel, of an even kernel too."""
    image = noise((1, 1, 11), np.float64).values
    rows, kernel = tuple(map(np.arange, image.shape)), Kernel.of((1.0, 2.0, 5.0, -3.0))
    found = convolve(image, rows, (2,), [(kernel.mirrored(),)], "mirror")
    expected = convolve(image[..., ::-1], rows, (2,), [(kernel,)], "mirror")[..., ::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_only_the_voxels_that_matter_are_read() -> None:
    """A box in the middle needs the kernel's reach around it; at a periodic border, the other end as well."""
    kernel = [(Kernel.of([1.0] * 5),)]
    box = (np.arange(4, 6), np.arange(0, 2), np.arange(0, 3))
    needed, _ = linear_maps((20, 20, 3), box, [kernel, kernel, []], "periodic")
    assert [rows.tolist() for rows in needed] == [list(range(2, 8)), [0, 1, 2, 3, 18, 19], [0, 1, 2]]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 4, 5), (17, 9, 30), (1, 1, 700), (5, 1, 1)])
def test_the_cores_sums_are_the_matrix_product(axis: int, shape: tuple[int, int, int]) -> None:
    """Along any axis, whatever its length, the core multiplies by the matrix."""
    values = noise(shape, np.float64).values
    rows = [np.arange(0)] * 3
    rows[axis] = np.arange(shape[axis])[::2]
    cascades = [[], [], []]
    cascades[axis] = [(Kernel.of((1.0, -2.0, 0.5)),)]
    needed, maps = linear_maps(shape, tuple(rows), cascades, "mirror")
    matrix = maps[axis][0]
    block = np.ascontiguousarray(np.take(values, needed[axis], axis))
    expected = np.moveaxis(np.tensordot(matrix.toarray(), block, axes=(1, axis)), 0, axis)
    np.testing.assert_allclose(along(block, axis, matrix), expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(
    ("starts", "columns", "message"),
    [([0, 2], [0, 3], "column 3 lies outside an axis of 3"), ([0, 3], [0, 1], "starts"), ([1, 2], [0, 1], "starts")],
)
def test_the_core_refuses_a_map_that_does_not_fit(starts: list[int], columns: list[int], message: str) -> None:
    """A column beyond the axis, or starts that do not match, are errors and no read beyond the array."""
    arguments = (np.array(starts, np.int32), np.array(columns, np.int32), np.ones(2))
    with pytest.raises(ValueError, match=message):
        _core.map_lines(np.zeros((3, 3, 3)), 0, *arguments)
