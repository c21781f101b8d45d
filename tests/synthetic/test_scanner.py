"""isthmus.synthetic.scanner: what a scanner makes of an anatomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isthmus.synthetic.anatomy import anatomy_axes
from isthmus.synthetic.scanner import SCANNERS, acquire, scanner_of

AXES = anatomy_axes()
SHAPE = tuple(len(axis) for axis in AXES)
QUIET = replace(SCANNERS[0], noise_hu=0.0)


def seen(hu, scanner, lesion=None, seed: int = 1):
    lesion = np.zeros(SHAPE, np.float32) if lesion is None else lesion
    return acquire(np.asarray(hu, np.float32), lesion, AXES, scanner, np.random.default_rng(seed))


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_uniform_tissue_keeps_its_value_and_the_offset(scanner) -> None:
    """Without noise, every voxel of uniform tissue is the tissue's value plus the offset, borders included."""
    image = seen(np.full(SHAPE, 60.0), replace(scanner, noise_hu=0.0))
    assert np.unique(image.values).tolist() == [60 + scanner.offset_hu]


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.model)
def test_noise_has_the_stated_level_in_the_middle(scanner) -> None:
    """Near the middle of uniform tissue the noise is the scanner's, within a fifth (dose varies by 8 %)."""
    image = seen(np.full(SHAPE, 60.0), scanner)
    middle = slice(scanner.pixels // 2 - 8, scanner.pixels // 2 + 8)
    assert image.values[:, middle, middle].std() == pytest.approx(scanner.noise_hu, rel=0.2)


def test_sharp_kernel_gives_finer_noise() -> None:
    """Neighbouring voxels agree less under the second centre's sharp kernel."""
    agreement = []
    for scanner in SCANNERS[:2]:
        values = seen(np.full(SHAPE, 60.0), scanner).values.astype(float)
        values -= values.mean()
        agreement.append(np.mean(values[..., 1:] * values[..., :-1]) / np.mean(values**2))
    assert agreement[1] < agreement[0] - 0.2


def test_grid_is_the_scanners_and_centred() -> None:
    """Spacing and shape are the protocol's; the middle of the volume is the middle of the neck."""
    image = seen(np.zeros(SHAPE), QUIET)
    centre = np.array(image.origin_mm[::-1]) + (np.array(image.values.shape) - 1) / 2 * np.array(image.spacing_mm)
    np.testing.assert_allclose(centre, 0.0, atol=1e-9)


def test_mask_keeps_the_volume_of_the_lesion() -> None:
    """A ball of 12 mm radius keeps its volume through the mask of every scanner."""
    z, y, x = np.meshgrid(*AXES, indexing="ij", sparse=True)
    ball = np.clip(12.5 - np.sqrt(x**2 + y**2 + z**2), 0, 1).astype(np.float32)
    volume = []
    for scanner in SCANNERS:
        image = seen(np.zeros(SHAPE), scanner, ball)
        volume.append(image.mask.sum() * np.prod(image.spacing_mm))
    np.testing.assert_allclose(volume, 4 / 3 * np.pi * 12**3, rtol=0.03)


def test_thick_slices_blur_along_the_body_axis() -> None:
    """A thin bright plate is dimmer in thicker slices."""
    hu = np.zeros(SHAPE)
    hu[SHAPE[0] // 2 + 1] = 1000.0  # 0.5 to 1.5 mm above the middle, where a slice begins
    peak = [seen(hu, replace(QUIET, slice_thickness_mm=thickness)).values.max() for thickness in (1.5, 3.0)]
    assert peak[1] < 0.75 * peak[0]


def test_more_centres_than_scanners_start_again() -> None:
    """The fourth centre has the first's scanner."""
    assert scanner_of("D", ("A", "B", "C", "D")) is SCANNERS[0]
