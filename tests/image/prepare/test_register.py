"""Registration: a known movement is found, and a mask is carried over."""

import numpy as np
import pytest

from isthmus.errors import MaskError
from isthmus.image import Geometry, Image
from isthmus.image.io.simpleitk import load_sitk
from isthmus.image.prepare import carry_over, find_transform
from isthmus.image.prepare.register import resampled_onto
from isthmus.image.prepare.settings import RegistrationSettings


def body(shape=(24, 48, 48), spacing=(3.0, 2.0, 2.0)) -> Image:
    """A body with organs of its own, in one contrast."""
    k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] / 2) * np.array(spacing)[:, None, None, None]
    values = np.where((j / 38) ** 2 + (i / 42) ** 2 + (k / 60) ** 2 < 1, 100.0, 0.0)
    for centre, radius, value in (((5, -12, 14), 10, 60.0), ((-10, 14, -12), 14, 160.0), ((12, 8, 18), 8, 220.0)):
        away = (k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2
        values = np.where(away < radius**2, value, values)
    return Image(values.astype(np.float32), Geometry(shape, spacing))


def moved(image: Image, transform) -> Image:
    """The body in another contrast (dark is bright), displaced: what `transform` undoes."""
    other = resampled_onto(image.values, image.geometry, image.geometry, transform, fill=0.0)
    return Image(300.0 - other, image.geometry)


@pytest.mark.parametrize(("angle", "shift"), [(0.0, (4.0, -3.0, 3.0)), (0.07, (2.0, 3.0, -4.0))])
def test_a_known_movement_is_found(angle, shift):
    """The centre of the lesion is carried to within half a voxel, between two contrasts."""
    sitk = load_sitk()
    reference = body()
    centre = tuple((np.array(reference.geometry.shape) - 1)[::-1] / 2 * np.array([2.0, 2.0, 3.0]))
    truth = sitk.Euler3DTransform(centre, 0.0, 0.0, angle, shift)
    image = moved(reference, truth)
    found = find_transform(image, reference, RegistrationSettings(name="rigid"))
    for point in ((40.0, 40.0, 30.0), (60.0, 50.0, 40.0)):
        distance = np.linalg.norm(np.subtract(found.TransformPoint(point), truth.TransformPoint(point)))
        assert distance < 1.0


def test_the_same_frame_carries_a_mask_to_another_grid():
    """Without movement a mask on a finer grid keeps its volume on a coarser one."""
    fine, coarse = Geometry((20, 40, 40), (1.0, 1.0, 1.0)), Geometry((10, 20, 20), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5))
    mask = np.zeros(fine.shape, dtype=bool)
    mask[6:14, 10:22, 12:30] = True
    transform = load_sitk().Euler3DTransform()
    carried, notes = carry_over(mask, fine, coarse, transform)
    assert carried.sum() * 8 == mask.sum()
    assert "moved by 0.00 mm" in notes[0]


def test_a_mask_outside_the_image_is_refused():
    """A lesion that the other image does not show is an error with the share that is lost."""
    mask = np.zeros((10, 10, 10), dtype=bool)
    mask[7:] = True
    here, there = Geometry((10, 10, 10), (1, 1, 1)), Geometry((9, 10, 10), (1, 1, 1))
    with pytest.raises(MaskError, match="33% of the mask lies outside"):
        carry_over(mask, here, there, load_sitk().Euler3DTransform())


def test_a_movement_too_large_to_be_true_is_refused():
    """A registration beyond the limit excludes the case and says how far it went."""
    truth = load_sitk().Euler3DTransform((0, 0, 0), 0.0, 0.0, 0.0, (4.0, -3.0, 3.0))
    limit = RegistrationSettings(name="rigid", largest_shift_mm=1.0)
    with pytest.raises(MaskError, match=r"moves the image by \d+\.\d mm"):
        find_transform(moved(body(), truth), body(), limit)
