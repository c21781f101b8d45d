"""Rotation invariance of separable filters: a filter turned by right angles, its responses pooled.

A right-angle rotation puts the kernels on other axes and mirrors some of them; of the 48 (3-D) or 8 (2-D) such arrangements, those of
determinant one are rotations: 24 or 4. A mirrored kernel is turned about its centre voxel, as if the image had been turned instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._convolution import Array, Boundary, Cascade, Rows, along, linear_maps, on_axes, read

__all__ = ["Pooling", "rotation_pooled"]

Pooling = Literal["max", "average", "min"]


def rotation_pooled(
    values: NDArray[Any],
    rows: Rows,
    kernels: Sequence[Cascade],
    axes: Sequence[int],
    boundary: Boundary,
    pooling: Pooling,
) -> Array:
    """The pooled response of one separable filter at all right-angle rotations.

    Parameters
    ----------
    values : array, shape (k, j, i)
    rows : three arrays of indices
        The voxels wanted.
    kernels : one cascade per axis of `axes`
        The filter before any rotation.
    axes : (2, 1) or (2, 1, 0)
        2-D or 3-D.
    """
    if pooling == "average":
        return _average(values, rows, kernels, axes, boundary)
    return _extreme(values, rows, kernels, axes, boundary, np.maximum if pooling == "max" else np.minimum)


def _parity(order: Sequence[int]) -> int:
    return (-1) ** sum(a > b for n, a in enumerate(order) for b in order[n + 1 :])


def _mirrored(cascade: Cascade) -> Cascade:
    return tuple(kernel.mirrored() for kernel in cascade)


def _average(
    values: NDArray[Any], rows: Rows, kernels: Sequence[Cascade], axes: Sequence[int], boundary: Boundary
) -> Array:
    """The mean over rotations, in fewer convolutions than rotations.

    With M a kernel's map and M' the mirrored one's, the sum over an even number of mirrorings of the product over axes is
    (prod(M + M') + prod(M - M')) / 2, over an odd number (prod(M + M') - prod(M - M')) / 2. Even permutations of the axes go with an
    even number, odd ones with an odd number, so the second products enter with the permutation's sign, and cancel where two kernels
    are alike.
    """
    letters = list(dict.fromkeys(kernels))
    on_axis = [letters.index(kernel) for kernel in kernels]
    cascades = on_axes(axes, [[*letters, *map(_mirrored, letters)]] * len(axes))
    needed, maps = linear_maps(values.shape, rows, cascades, boundary)
    block = read(values, needed)
    arrangements = [tuple(on_axis[n] for n in order) for order in permutations(range(len(axes)))]
    signs = [_parity(order) for order in permutations(range(len(axes)))]
    rotations = {2: 4, 3: 24}[len(axes)]

    total: Array | None = None
    for mirror_sign in (1, -1):
        weights: dict[tuple[int, ...], int] = {}
        for arrangement, sign in zip(arrangements, signs, strict=True):
            weights[arrangement] = weights.get(arrangement, 0) + (1 if mirror_sign == 1 else sign)
        weights = {arrangement: weight for arrangement, weight in weights.items() if weight}
        combined = {
            (axis, letter): (maps[axis][letter] + mirror_sign * maps[axis][letter + len(letters)]).tocsr()
            for axis in axes
            for letter in range(len(letters))
        }
        before: dict[tuple[int, ...], Array] = {(): block}
        for n, axis in enumerate(axes[:-1]):
            before = {
                prefix: along(before[prefix[:-1]], axis, combined[axis, prefix[-1]])
                for prefix in dict.fromkeys(arrangement[: n + 1] for arrangement in weights)
            }
        for letter in range(len(letters)):
            parts = [weight * before[a[:-1]] for a, weight in weights.items() if a[-1] == letter]
            if parts:
                response = along(sum(parts[1:], parts[0]), axes[-1], combined[axes[-1], letter])
                total = response if total is None else total + response
    assert total is not None
    return total / (2 * rotations)


def _turned(cascade: Cascade) -> tuple[Cascade, int]:
    """A mirrored cascade; where that is the cascade itself, or its negative, the cascade and the sign."""
    sign, kernels = 1, []
    for kernel in cascade:
        mirrored = kernel.mirrored()
        if mirrored == kernel.negative() and mirrored != kernel:
            mirrored, sign = kernel, -sign
        kernels.append(mirrored)
    return tuple(kernels), sign


def _extreme(
    values: NDArray[Any],
    rows: Rows,
    kernels: Sequence[Cascade],
    axes: Sequence[int],
    boundary: Boundary,
    pool: np.ufunc,
) -> Array:
    """The largest (smallest) response over rotations; each different arrangement of kernels is convolved once."""
    arrangements: dict[tuple[Cascade, ...], set[int]] = {}
    for order in permutations(range(len(axes))):
        for mirror in product((False, True), repeat=len(axes)):
            if _parity(order) * (-1) ** sum(mirror) == 1:
                turned = [_turned(kernels[n]) if m else (kernels[n], 1) for n, m in zip(order, mirror, strict=True)]
                sign = int(np.prod([s for _, s in turned]))
                arrangements.setdefault(tuple(cascade for cascade, _ in turned), set()).add(sign)
    letters = list(dict.fromkeys(cascade for arrangement in arrangements for cascade in arrangement))
    needed, maps = linear_maps(values.shape, rows, on_axes(axes, [letters] * len(axes)), boundary)
    block = read(values, needed)

    pooled: Array | None = None
    stack: list[tuple[tuple[Cascade, ...], Array]] = [((), block)]
    while stack:
        prefix, response = stack.pop()
        n = len(prefix)
        if n < len(axes):
            for letter in dict.fromkeys(a[n] for a in arrangements if a[:n] == prefix):
                stack.append(((*prefix, letter), along(response, axes[n], maps[axes[n]][letters.index(letter)])))
            continue
        for sign in sorted(arrangements[prefix]):
            signed = response if sign == 1 else -response
            pooled = signed if pooled is None else pool(pooled, signed)
    assert pooled is not None
    return pooled
