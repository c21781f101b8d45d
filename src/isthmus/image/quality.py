"""Quality control of one image and its lesion: what a reader of the scan would want to know before trusting a feature.

Noise is measured where the tissue is homogeneous, not over air and table; distances are in mm; the gradient is three-dimensional. Only
the surroundings of the lesion are looked at, so a large scan costs no more than a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from isthmus.image.box import bounding_box, widened
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image

__all__ = ["CHECKS", "Check", "QualityResult", "assess_quality"]

_NEAR_MM = 3.0  # the rim of the lesion, left out of its surroundings: partial volume
_FAR_MM = 20.0  # how far the surroundings reach
_FEWEST = 50  # voxels that the surroundings need to be judged


@dataclass(frozen=True)
class Scene:
    """The lesion and its surroundings, cut out of the image."""

    values: NDArray[np.float64]
    mask: NDArray[np.bool_]
    near: NDArray[np.bool_]  # the surroundings: 3 to 20 mm from the lesion, without air where the unit is HU
    geometry: Geometry
    quantity: str
    touches: bool

    @property
    def lesion(self) -> NDArray[np.float64]:
        return self.values[self.mask]

    @cached_property
    def noise(self) -> float:
        return _noise(self)


@dataclass(frozen=True)
class Check:
    """One check: what it measures, its unit, what it says of an image that fails, and the limit it must keep (None: reported only)."""

    measure: Callable[[Scene], float]
    unit: str
    failing: str = ""
    at_least: float | None = None
    at_most: float | None = None
    quantities: tuple[str, ...] = ()  # the quantities the limit is meant for; empty: all


@dataclass(frozen=True)
class QualityResult:
    """What one check found. `passed` is None where it is only reported, or cannot be judged (value NaN)."""

    check: str
    value: float
    unit: str
    limit: str
    passed: bool | None


def assess_quality(image: Image, mask: NDArray[np.bool_]) -> list[QualityResult]:
    """Every check of `CHECKS` on one image and its lesion.

    Parameters
    ----------
    image : Image
    mask : bool array, shape (k, j, i)
        At least one voxel.

    Returns
    -------
    list of QualityResult
        In the order of `CHECKS`; a value is NaN where the surroundings are too small to be judged.
    """
    scene = _scene(image, mask)
    return [_judged(name, check, scene) for name, check in CHECKS.items()]


def _judged(name: str, check: Check, scene: Scene) -> QualityResult:
    value = check.measure(scene)
    applies = not check.quantities or scene.quantity in check.quantities
    limit = "" if not applies else _limit(check)
    passed = None
    if limit and np.isfinite(value):
        low = -np.inf if check.at_least is None else check.at_least
        high = np.inf if check.at_most is None else check.at_most
        passed = bool(low <= value <= high)
    unit = scene.quantity if check.unit == "intensity" else check.unit.replace("intensity", scene.quantity)
    return QualityResult(name, float(value), unit, limit, passed)


def _limit(check: Check) -> str:
    bounds = []
    if check.at_least is not None:
        bounds.append(f">= {check.at_least:g}")
    if check.at_most is not None:
        bounds.append(f"<= {check.at_most:g}")
    return ", ".join(bounds)


def _scene(image: Image, mask: NDArray[np.bool_]) -> Scene:
    from scipy import ndimage

    spacing = image.geometry.spacing_mm
    tight = bounding_box(mask)
    assert tight is not None
    k, j, i = (int(np.ceil(_FAR_MM / s)) for s in spacing)
    box, _ = widened(tight, (k, j, i), mask.shape)
    # an axis of one slice has no border that could cut the lesion
    touches = any(n > 1 and (part.start == 0 or part.stop == n) for part, n in zip(tight, mask.shape, strict=True))
    values, inside = image.values[box].astype(np.float64), mask[box]
    distance = ndimage.distance_transform_edt(~inside, sampling=spacing)
    near = (distance > _NEAR_MM) & (distance <= _FAR_MM) & np.isfinite(values)
    if image.quantity == "HU":
        near &= values > -300  # air is no tissue to compare with
    return Scene(values, inside, near, image.geometry, image.quantity, touches)


def _volume(scene: Scene) -> float:
    return float(scene.mask.sum()) * scene.geometry.voxel_volume_mm3


def _spread(scene: Scene) -> float:
    return float(np.subtract(*np.percentile(scene.lesion, [75, 25])))


def _noise(scene: Scene) -> float:
    """Standard deviation within 3 x 3 neighbourhoods of a slice, in the middle of those of the surroundings.

    The median holds as long as half of the surroundings is homogeneous. A variance of nine values scatters like chi-squared with
    eight degrees of freedom, whose median is 7.344: the factor makes the result that of homogeneous noise.
    """
    from scipy import ndimage

    if scene.near.sum() < _FEWEST:
        return float("nan")
    filled = np.where(np.isfinite(scene.values), scene.values, 0.0)
    size = (1, 3, 3)
    mean = ndimage.uniform_filter(filled, size, mode="nearest")
    variance = np.maximum(ndimage.uniform_filter(filled**2, size, mode="nearest") - mean**2, 0) * 9 / 8
    # the whole neighbourhood lies in the surroundings
    whole = ndimage.minimum_filter(scene.near, size, mode="constant", cval=0)
    return float(np.sqrt(np.median(variance[whole if whole.sum() >= _FEWEST else scene.near]) * 8 / 7.344))


def _tissue(scene: Scene) -> float:
    return float(np.median(scene.values[scene.near])) if scene.near.sum() >= _FEWEST else float("nan")


def _contrast(scene: Scene) -> float:
    return abs(float(scene.lesion.mean()) - _tissue(scene))


def _ratio(above: float, noise: float) -> float:
    return above / noise if noise > 0 else float("nan")


def _signal_to_noise(scene: Scene) -> float:
    return _ratio(abs(float(scene.lesion.mean())), scene.noise)


def _contrast_to_noise(scene: Scene) -> float:
    return _ratio(_contrast(scene), scene.noise)


def _edge(scene: Scene) -> float:
    """Mean size of the gradient on the lesion's rim, per mm."""
    from scipy import ndimage

    around = np.ones((3, 3, 3), dtype=bool)
    rim = ndimage.binary_dilation(scene.mask, around) & ~ndimage.binary_erosion(scene.mask, around)
    square = np.zeros(scene.values.shape)
    for axis, (n, step) in enumerate(zip(scene.values.shape, scene.geometry.spacing_mm, strict=True)):
        if n > 1:
            square += (np.gradient(scene.values, axis=axis) / step) ** 2
    return float(np.sqrt(square[rim & np.isfinite(square)]).mean())


def _parts(scene: Scene) -> float:
    from scipy import ndimage

    return float(ndimage.label(scene.mask, structure=np.ones((3, 3, 3)))[1])


def _metal(scene: Scene) -> float:
    return 100.0 * float((scene.values > 3000).mean()) if scene.quantity == "HU" else float("nan")


def _air(scene: Scene) -> float:
    """Where air lies on the scale: the commonest value below -700, if there is enough of it."""
    if scene.quantity != "HU":
        return float("nan")
    low = scene.values[(scene.values < -700) & (scene.values > -1500)]
    if low.size < 100:
        return float("nan")
    counts, edges = np.histogram(low, bins=80, range=(-1500, -700))
    return float(edges[int(np.argmax(counts))] + 5)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "volume": Check(_volume, "mm3", "a small lesion", at_least=50),
        "spread": Check(
            _spread, "intensity", "hardly any spread of values inside the lesion", at_least=5, quantities=("HU",)
        ),
        "contrast": Check(
            _contrast,
            "intensity",
            "the lesion is about as bright as the tissue around it",
            at_least=10,
            quantities=("HU",),
        ),
        "signal_to_noise": Check(_signal_to_noise, "", "noisy: the lesion's mean is low against the noise", at_least=5),
        "contrast_to_noise": Check(
            _contrast_to_noise, "", "noisy: the lesion's contrast is below the noise", at_least=1
        ),
        "edge": Check(_edge, "intensity/mm"),
        "border": Check(
            lambda s: float(s.touches), "", "the lesion touches the edge of the image and may be cut", at_most=0
        ),
        "parts": Check(_parts, ""),
        "slice_spacing": Check(lambda s: s.geometry.spacing_mm[0], "mm", "thick slices", at_most=5),
        "anisotropy": Check(lambda s: max(s.geometry.spacing_mm) / min(s.geometry.spacing_mm), ""),
        "metal": Check(_metal, "%", "metal near the lesion", at_most=0.1),
        "air": Check(_air, "HU", "air does not lie at -1000 HU: is the scale HU?", at_least=-1060, at_most=-900),
    }
)
