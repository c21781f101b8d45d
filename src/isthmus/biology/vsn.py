"""Variance stabilisation and calibration of intensities (VSN).

Huber et al., Bioinformatics 2002;18:S96, and Stat Appl Genet Mol Biol 2003;2:3: the measured intensity is an affine function of the
abundance with additive and multiplicative error, so that arsinh(a_i + b_i y) of sample i has one variance whatever its level. a_i and
b_i > 0 of all samples are estimated together by profile maximum likelihood, on the proteins that differ least (least trimmed squares),
so that proteins that truly differ do not steer them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from isthmus.errors import IsthmusWarning, TableError
from isthmus.stats.binary import Array

__all__ = ["Vsn", "fit_vsn"]

_SLICES, _ROUNDS = 5, 10
_LEAST_ROWS = 42  # proteins: fewer do not tell two parameters a sample from chance


@dataclass(frozen=True, eq=False)
class Vsn:
    """A fitted transform, h_i(y) = (arsinh(a_i + b_i y) / ln 2) - shift: for large y about log2(y) plus a constant of the sample.

    Parameters
    ----------
    offset, factor : arrays (samples,)
        a and b, of the intensities as they are.
    shift : float
        Common to all samples.
    sigma : float
        Residual standard deviation, in log2 units.
    kept : int
        Proteins that the last fit rests on.
    """

    offset: Array
    factor: Array
    shift: float
    sigma: float
    kept: int

    def apply(self, values: Array) -> Array:
        """Transform intensities (proteins, samples); NaN stays."""
        result: Array = np.arcsinh(self.offset + self.factor * values) / np.log(2) - self.shift
        return result


def fit_vsn(values: Array, *, share: float = 0.9) -> Vsn:
    """Estimate offset and factor of every sample.

    Parameters
    ----------
    values : array (proteins, samples)
        Raw intensities; NaN where not measured.
    share : float
        Of the proteins, that each fit rests on: in each fifth of the levels those with the smallest residuals (1: all).

    Raises
    ------
    TableError
        Fewer than two samples, or too few proteins measured in two or more of them.
    """
    x = np.asarray(values, dtype=np.float64)
    twice = np.isfinite(x).sum(axis=1) >= 2
    if x.ndim != 2 or x.shape[1] < 2 or twice.sum() < _LEAST_ROWS:
        raise TableError(
            f"VSN needs two samples or more and {_LEAST_ROWS} proteins that are measured in two of them; got {x.shape[1]} samples and "
            f"{int(twice.sum())} such proteins. Use --normalise median"
        )
    if (~np.isfinite(x[twice])).all(axis=0).any():
        raise TableError("VSN: a sample without a protein that another sample has; take the sample out")
    x = x[twice]
    unit = np.nanmedian(x, axis=0)
    unit = np.where(unit > 0, unit, max(float(np.nanmedian(x)), 1.0))
    y = x / unit
    state = np.zeros(2 * x.shape[1])
    rows = np.ones(len(y), dtype=bool)
    for _ in range(_ROUNDS):
        state = _maximised(y[rows], state)
        new = _least(y, state, share)
        if (new == rows).all():
            break
        rows = new
    half = len(state) // 2
    offset, factor = state[:half], np.exp(state[half:]) / unit
    shift = float(np.mean(np.log2(2 * factor)))
    residual = _residual(_transformed(y[rows], state))
    there = np.isfinite(residual)
    freedom = max(int(there.sum()) - int(rows.sum()), 1)
    sigma = float(np.sqrt((residual[there] ** 2).sum() / freedom) / np.log(2))
    return Vsn(offset, factor, shift, sigma, int(rows.sum()))


def _transformed(y: Array, state: Array) -> Array:
    half = len(state) // 2
    result: Array = np.arcsinh(state[:half] + np.exp(state[half:]) * y)
    return result


def _residual(h: Array) -> Array:
    return h - np.nanmean(h, axis=1, keepdims=True)


def _maximised(y: Array, start: Array) -> Array:
    """Maximum of the profile likelihood: -(N / 2) log(sum of squared residuals) + sum of log h'."""
    there = np.isfinite(y)
    count, filled = int(there.sum()), np.where(there, y, 0.0)
    rows = there.sum(axis=1, keepdims=True)
    half = y.shape[1]

    def loss(state: Array) -> tuple[float, Array]:
        a, b = state[:half], state[half:]
        slope = np.exp(b) * filled
        u = a + slope
        h = np.where(there, np.arcsinh(u), 0.0)
        r = np.where(there, h - h.sum(axis=1, keepdims=True) / rows, 0.0)
        squares = float((r**2).sum())
        inner = 1 / (1 + u**2)
        value = 0.5 * count * np.log(squares) - float(np.where(there, b + 0.5 * np.log(inner), 0.0).sum())
        push = count / squares * r * np.sqrt(inner)
        d_a = (push + np.where(there, u * inner, 0.0)).sum(axis=0)
        d_b = (push * slope - np.where(there, 1 - u * slope * inner, 0.0)).sum(axis=0)
        return value / count, np.concatenate([d_a, d_b]) / count

    # the unit of a sample is its median intensity: beyond these limits the transform is a logarithm, or a line, to machine precision
    limits = [(-1e4, 1e4)] * half + [(-12.0, 12.0)] * half
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=limits,
        options={"maxiter": 2000, "maxfun": 5000, "ftol": 1e-10, "gtol": 1e-6, "maxcor": 30},
    )  # fmt: skip
    if found.status == 1:  # the limit of rounds, not an end of the search
        warnings.warn(
            "VSN: the likelihood still rose when the search was stopped; compare with --normalise median",
            IsthmusWarning,
            stacklevel=4,
        )
    return np.asarray(found.x, dtype=np.float64)


def _least(y: Array, state: Array, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The rows with the smallest residuals, in each fifth of the levels."""
    h = _transformed(y, state)
    spread = np.nanmean(_residual(h) ** 2, axis=1)
    level = stats.rankdata(np.nanmean(h, axis=1), method="ordinal") - 1
    slices = (level * _SLICES // len(level)).astype(int)
    kept = np.zeros(len(y), dtype=bool)
    for one in range(_SLICES):
        mine = slices == one
        if mine.any():
            kept[mine] = spread[mine] <= np.quantile(spread[mine], share)
    return kept
