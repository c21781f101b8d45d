"""Rigid registration: a mask drawn on one image, carried over to another of the same patient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MaskError
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io.simpleitk import load_sitk, quiet, to_sitk_parts
from isthmus.image.prepare.settings import RegistrationSettings

__all__ = ["carry_over", "find_transform", "resampled_onto"]

_LARGEST_LOSS = 0.05  # of the lesion's volume


def find_transform(image: Image, reference: Image, settings: RegistrationSettings) -> Any:
    """The rigid transform from points of `image` to points of `reference`.

    Mutual information of the two images (Mattes) over every voxel at three resolutions, starting from the scanner's coordinates (or
    from the centres where the two do not overlap); one thread, so that the same images give the same transform.

    Raises
    ------
    MaskError
        The images cannot be registered, or only by moving them further than the settings allow.
    """
    sitk = load_sitk()
    if settings.name == "same_frame":
        return sitk.Euler3DTransform()
    fixed, moving = (to_sitk_parts(i.values.astype(np.float32), i.geometry) for i in (image, reference))
    start = sitk.Euler3DTransform()
    if not _overlap(image.geometry, reference.geometry):
        start = sitk.Euler3DTransform(
            sitk.CenteredTransformInitializer(fixed, moving, start, sitk.CenteredTransformInitializerFilter.GEOMETRY)
        )
    else:
        start.SetCenter(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(settings.bins)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=0.5, minStep=1e-4, numberOfIterations=settings.iterations, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 2])
    method.SetSmoothingSigmasPerLevel([4, 2, 1])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=False)
    with quiet():
        try:
            found = method.Execute(fixed, moving)
        except RuntimeError as error:
            raise MaskError(
                f"the images cannot be registered: {str(error).strip().splitlines()[-1]}. Do they show the same body part?"
            ) from error
    # SimpleITK hands the one transform back inside a list of transforms
    inner = sitk.CompositeTransform(found).GetNthTransform(0) if found.GetName() == "CompositeTransform" else found
    transform = sitk.Euler3DTransform(inner)
    angle, shift = _movement(transform, image.geometry)
    if started := _movement(start, image.geometry)[1]:
        shift = abs(shift - started)
    if shift > settings.largest_shift_mm or angle > settings.largest_turn_deg:
        raise MaskError(
            f"registration moves the image by {shift:.1f} mm and turns it by {angle:.1f} degrees; at most "
            f"{settings.largest_shift_mm:g} mm and {settings.largest_turn_deg:g} degrees are taken for true. Do both images show "
            'the same body part? If they share the scanner\'s coordinates, say register = "same_frame"'
        )
    return transform


def carry_over(
    mask: NDArray[np.bool_], reference: Geometry, image: Geometry, transform: Any
) -> tuple[NDArray[np.bool_], list[str]]:
    """A mask on the grid of `reference`, brought to the grid of `image` (linear interpolation, at least one half is inside).

    Returns the mask and what the user should know: the volume before and after, and how far the image was moved.

    Raises
    ------
    MaskError
        More than 5 % of the lesion lies outside the image, or nothing is left of it.
    """
    moved = resampled_onto(mask.astype(np.float32), reference, image, transform, fill=0.0) >= 0.5
    before = float(mask.sum()) * reference.voxel_volume_mm3
    after = float(moved.sum()) * image.voxel_volume_mm3
    inside = _share_inside(mask, reference, image, transform)
    if inside < 1 - _LARGEST_LOSS:
        raise MaskError(
            f"{1 - inside:.0%} of the mask lies outside the image it is carried over to. "
            "Do both show the same part of the same patient?"
        )
    if not moved.any():
        raise MaskError(
            f"nothing is left of the mask ({before:.3g} mm3) on the image's grid, whose voxels have "
            f"{image.voxel_volume_mm3:.3g} mm3: the lesion is too small for this image"
        )
    angle, shift = _movement(transform, image)
    return moved, [
        f"mask carried over from another image: {before / 1000:.3g} ml there, {after / 1000:.3g} ml here; "
        f"image moved by {shift:.2f} mm and turned by {angle:.2f} degrees"
    ]


def resampled_onto(
    values: NDArray[Any], source: Geometry, target: Geometry, transform: Any, *, fill: float
) -> NDArray[np.float32]:
    """Values of one grid at the voxels of another; `transform` takes points of the target to points of the source."""
    sitk = load_sitk()
    grid = to_sitk_parts(np.zeros(target.shape, dtype=np.uint8), target)
    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(grid)
    resampler.SetTransform(transform)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(fill)
    resampler.SetOutputPixelType(sitk.sitkFloat32)
    resampler.SetNumberOfThreads(1)
    result: NDArray[np.float32] = sitk.GetArrayFromImage(
        resampler.Execute(to_sitk_parts(values.astype(np.float32), source))
    )
    return result


def _points(indices: NDArray[Any], geometry: Geometry) -> NDArray[np.float64]:
    affine = geometry.affine
    found: NDArray[np.float64] = indices @ affine[:3, :3].T + affine[:3, 3]
    return found


def _share_inside(mask: NDArray[np.bool_], reference: Geometry, image: Geometry, transform: Any) -> float:
    """How much of the mask has a place on the image's grid."""
    indices = np.argwhere(mask)
    step = max(len(indices) // 2000, 1)
    inverse = transform.GetInverse()
    points = np.array([inverse.TransformPoint(p.tolist()) for p in _points(indices[::step], reference)])
    at = np.linalg.solve(image.affine[:3, :3], (points - image.affine[:3, 3]).T).T
    limits = np.asarray(image.shape) - 0.5
    return float(((at > -0.5) & (at < limits)).all(axis=1).mean())


def _overlap(a: Geometry, b: Geometry) -> bool:
    """Whether the centre of one grid lies in the other."""
    for one, other in ((a, b), (b, a)):
        centre = _points((np.asarray(one.shape) - 1) / 2, one)
        at = np.linalg.solve(other.affine[:3, :3], centre - other.affine[:3, 3])
        if ((at > -0.5) & (at < np.asarray(other.shape) - 0.5)).all():
            return True
    return False


def _movement(transform: Any, image: Geometry) -> tuple[float, float]:
    """Angle in degrees, and displacement of the image's centre in mm."""
    matrix = np.reshape(transform.GetMatrix(), (3, 3))
    angle = float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))))
    centre = _points((np.asarray(image.shape) - 1) / 2, image)
    return angle, float(np.linalg.norm(np.asarray(transform.TransformPoint(centre.tolist())) - centre))


def moved_image(image: Image, onto: Image, transform: Any) -> Image:
    """`onto` as it lies on the grid of `image`: for pictures that show whether the two fit."""
    values = resampled_onto(onto.values, onto.geometry, image.geometry, transform, fill=float(onto.values.min()))
    return replace(onto, values=values, geometry=image.geometry)
