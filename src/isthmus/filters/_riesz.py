"""The Riesz transform (IBSI AYRS) of a band-pass filter, along the image's axes or along the image's own directions.

Steered by the structure tensor, it has no consensus in IBSI (tests 9.b.2 and 10.b.2 have no reference map): what is done here is
written at `steered`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, product

import numpy as np
from pydantic import Field, model_validator

from isthmus.filters._convolution import (
    Array,
    ConvolutionSettings,
    Kernel,
    along,
    box_rows,
    linear_maps,
    number,
    on_axes,
)
from isthmus.filters._fourier import Spectrum
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["RieszSettings", "respond"]

Respond = Callable[[Spectrum, Sequence[int]], Array]


class RieszSettings(ConvolutionSettings):
    """order: how often the transform is taken along each axis, (k, j, i), or (j, i) by slice: IBSI's l = (l1, l2, l3) belongs to x, y, z
    and is written backwards here. tensor_sigma_mm: turn the filter at every voxel to the directions of the structure tensor, smoothed
    by a Gaussian of this sigma; `order`'s last entry then belongs to the strongest direction, its first to the weakest."""

    order: tuple[int, ...]
    tensor_sigma_mm: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_number_per_axis(self) -> RieszSettings:
        if len(self.order) != len(self.axes) or min(self.order, default=-1) < 0 or sum(self.order) == 0:
            wanted = "(j, i), such as [0, 1]" if self.by_slice else "(k, j, i), such as [0, 0, 1]"
            raise ValueError(f"order = {list(self.order)}: one number >= 0 per axis {wanted}, not all 0, was expected")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """Order and steering as labels write them."""
        steering = () if self.tensor_sigma_mm is None else ("aligned", number(self.tensor_sigma_mm, "mm"))
        return ("order", "-".join(map(str, self.order)), *steering)


def respond(image: Image, box: Box, settings: RieszSettings, margin: int, transformed: Respond) -> Array:
    """The response in the box.

    Parameters
    ----------
    margin : int
        How far the image is extended unless it is periodic, voxels.
    transformed : function (spectrum, order) -> array
        The band-pass filter's Riesz transform of an order.
    """
    axes = sorted(settings.axes)
    if settings.tensor_sigma_mm is None:
        return transformed(Spectrum(image.values, box, axes, settings.boundary, margin), settings.order)
    return steered(image, box, settings, margin, transformed)


def steered(image: Image, box: Box, settings: RieszSettings, margin: int, transformed: Respond) -> Array:
    """The response with the filter turned at every voxel.

    The first-order Riesz transforms of the band-passed image are its gradient, direction by direction. The structure tensor is their
    outer product, smoothed by a Gaussian (cut at 4 sigma, normalised, with the filter's boundary condition). Its eigenvectors, weakest
    first, take the place of the axes; each points to where the gradient at the voxel is not negative. The transform of an order along
    turned axes is a sum over all transforms of the same total order along the image's axes.
    """
    axes, order = sorted(settings.axes), settings.order
    smoothing = [_gauss(image.geometry.spacing_mm[axis], settings.tensor_sigma_mm or 0) for axis in axes]
    needed, maps = linear_maps(
        image.geometry.shape, box_rows(box), on_axes(axes, [[(kernel,)] for kernel in smoothing]), settings.boundary
    )
    first = [int(rows[0]) for rows in needed]
    k, j, i = (slice(start, int(rows[-1]) + 1) for start, rows in zip(first, needed, strict=True))
    smoothed_from = np.ix_(*(rows - start for rows, start in zip(needed, first, strict=True)))
    inside = tuple(slice(part.start - start, part.stop - start) for part, start in zip(box, first, strict=True))

    spectrum = Spectrum(image.values, (k, j, i), axes, settings.boundary, margin)
    gradient = [transformed(spectrum, tuple(row)) for row in np.eye(len(axes), dtype=int)]
    moments = {}
    for a, b in combinations_with_replacement(range(len(axes)), 2):
        moment = np.ascontiguousarray((gradient[a] * gradient[b])[smoothed_from])
        for axis in axes:
            moment = along(moment, axis, maps[axis][0])
        moments[a, b] = moments[b, a] = moment
    gradient = [component[inside] for component in gradient]
    straight = {
        powers: transformed(spectrum, powers)[inside]
        for powers in product(range(sum(order) + 1), repeat=len(axes))
        if sum(powers) == sum(order)
    }

    response = np.zeros([part.stop - part.start for part in box])
    for n in range(len(response)):  # slice by slice: a tensor at every voxel of the box would be large
        tensor = np.stack([moments[a, b][n] for a, b in product(range(len(axes)), repeat=2)], axis=-1)
        directions = np.linalg.eigh(tensor.reshape(*tensor.shape[:2], len(axes), len(axes)))[
            1
        ]  # [..., axis, direction]
        slopes = sum(directions[..., a, :] * gradient[a][n][..., None] for a in range(len(axes)))
        directions *= np.where(slopes < 0, -1.0, 1.0)[..., None, :]
        for powers, coefficient in _expansion(directions, order).items():
            # the transforms carry sqrt(l! / l1! l2! l3!), which the expansion's monomials do not
            scale = math.sqrt(math.prod(map(math.factorial, powers)) / math.prod(map(math.factorial, order)))
            response[n] += scale * coefficient * straight[powers][n]
    return response


def _expansion(directions: Array, order: Sequence[int]) -> dict[tuple[int, ...], Array]:
    """`prod_d (u_d . nu)^order_d` as a polynomial in nu: coefficients, one map each, by powers."""
    axes = directions.shape[-1]
    polynomial: dict[tuple[int, ...], Array] = {(0,) * axes: np.ones(directions.shape[:-2])}
    for direction, times in enumerate(order):
        for _ in range(times):
            longer: dict[tuple[int, ...], Array] = {}
            for powers, coefficient in polynomial.items():
                for axis in range(axes):
                    more = tuple(p + (a == axis) for a, p in enumerate(powers))
                    term = coefficient * directions[..., axis, direction]
                    longer[more] = longer[more] + term if more in longer else term
            polynomial = longer
    return polynomial


def _gauss(spacing_mm: float, sigma_mm: float) -> Kernel:
    reach = int(4 * sigma_mm / spacing_mm + 0.5)
    taps = np.exp(-((np.arange(-reach, reach + 1) * spacing_mm / sigma_mm) ** 2) / 2)
    return Kernel.of(taps / taps.sum())
