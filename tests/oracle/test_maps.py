"""A map's value around a voxel equals the features of that kernel as a region of its own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core

FAMILIES = _core.family_names()[1:]
NAMES = [(family, name) for family in FAMILIES for name in _core.feature_names(family)]
# These look beyond the kernel: Idmn and Idn divide by the region's highest level, JointAverage and MCC are told whether
# other kernels hold directions or levels that this one lacks.
BEYOND = [NAMES.index(("glcm", name)) for name in ("Idmn", "Idn", "JointAverage", "MCC")]
SPACING = (2.0, 1.0, 0.5)


def region(seed: int, levels: int, share: float) -> tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 7, 3))
    values = rng.integers(0, levels, shape).astype(np.int16)
    mask = rng.random(shape) < share
    mask[tuple(n // 2 for n in shape)] = True
    return values, mask, np.arange(0.0, levels + 1)


def all_maps(
    values: NDArray[np.int16], targets: NDArray[np.bool_], held: NDArray[np.bool_], edges: NDArray[np.float64], radius: int,
    workers: int = 1, instructions: str = "best", flat_axis: int = -1,
) -> NDArray[np.float64]:  # fmt: skip
    out = np.zeros((len(NAMES), *values.shape))
    places = np.arange(len(NAMES))
    _core.voxel_maps(
        targets, held, values, SPACING, edges, radius, flat_axis, 63, places, out, 0.0, 0.0, workers, instructions
    )
    return out


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("radius", [1, 2, 6])
@pytest.mark.parametrize(("levels", "share"), [(2, 0.5), (7, 1.0), (300, 0.8), (30000, 0.7)])
def test_kernel_as_its_own_region(levels: int, share: float, radius: int, masked: bool) -> None:
    """Every voxel, every family; few and many levels; kernels cut at the border and larger than the image."""
    values, mask, edges = region(levels + radius, levels, share)
    held = mask if masked else np.ones_like(mask)
    found = all_maps(values, mask, held, edges, radius)
    workspace = _core.Workspace()
    for voxel in np.argwhere(mask):
        box = tuple(slice(max(x - radius, 0), x + radius + 1) for x in voxel)
        kernel = _core.Region(np.ascontiguousarray(held[box]), SPACING)
        alone = _core.features(kernel, _core.Sample(kernel, values[box]), edges, 126, workspace)
        here = found[(slice(None), *voxel)]
        np.testing.assert_allclose(np.delete(here, BEYOND), np.delete(alone, BEYOND), rtol=1e-10, atol=1e-10)


def test_threads_and_instruction_sets_never_change_a_bit() -> None:
    """One thread, several threads, every instruction set: equal bits."""
    values, mask, edges = region(3, 60, 0.9)
    one = all_maps(values, mask, mask, edges, 2)
    for instructions in _core.instruction_sets():
        np.testing.assert_array_equal(all_maps(values, mask, mask, edges, 2, 3, instructions), one)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flat_kernel_sees_one_slice(axis: int) -> None:
    """Maps inside slices are those of each slice by itself; features that look at the whole region left out."""
    values, mask, edges = region(11, 6, 1.0)
    found = all_maps(values, mask, mask, edges, 1, flat_axis=axis)
    for number in range(values.shape[axis]):
        one = [slice(None)] * 3
        one[axis] = slice(number, number + 1)
        slice_ = tuple(one)
        alone = all_maps(
            np.ascontiguousarray(values[slice_]), np.ascontiguousarray(mask[slice_]), np.ascontiguousarray(mask[slice_]),
            edges, 1,
        )  # fmt: skip
        here = found[(slice(None), *slice_)]
        # dependence counts and Strength & Co. look at 8 neighbours in both
        np.testing.assert_allclose(np.delete(here, BEYOND, 0), np.delete(alone, BEYOND, 0), rtol=1e-12, atol=1e-12)


def test_voxels_beside_the_targets_keep_their_value() -> None:
    """Only targets are written."""
    values, mask, edges = region(4, 5, 0.5)
    found = all_maps(values, mask, np.ones_like(mask), edges, 1)
    assert not found[:, ~mask].any()
