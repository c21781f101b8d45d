"""ComBat: location and scale of every feature at every site, shrunk towards what the site does to all features.

Y = alpha + X beta + gamma_site + delta_site e, of each feature. Fitted on some patients and applied to any patient of a
site that was among them, also to one alone.

References
----------
Johnson, Li and Rabinovic, Biostatistics 8:118-127, 2007. In radiomics: Orlhac et al., J Nucl Med 59:1321-1328, 2018. The
numbers are those of `sva::ComBat`; a reference batch as in M-ComBat (Stein et al., BMC Med Genomics 8:63, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import TableError, first_few
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns

__all__ = ["Combat", "Prior", "adopt_site", "apply_combat", "fit_combat"]

Prior = Literal["parametric", "nonparametric", "none"]
_CONVERGED = 1e-4  # relative change of both estimates at which sva stops; a smaller one would not give its numbers
_MOST_ROUNDS = 10_000
_PIECE = 256  # features at a time in the non-parametric average: memory of p * 256 numbers


@dataclass(frozen=True, eq=False)
class Combat:
    """A fitted ComBat of p features, c covariates, s sites.

    Parameters
    ----------
    sites : tuple of str
    sizes : tuple of int
        Patients of each site it was fitted on.
    intercept : array (p,)
        What a feature is at no site in particular: the sites' intercepts weighted by size, or the reference's.
    slopes : array (c, p)
    sigma : array (p,)
        Root of the mean squared residual.
    gamma, delta : arrays (s, p)
        Shift and scale (a standard deviation) of each site on standardised features, shrunk.
    gamma_mean, gamma_variance, scale_shape, scale_rate : arrays (s,)
        The priors of each site: normal of the shifts, inverse gamma of the variances (0 where no scale is estimated).
    prior, mean_only, reference
        As in `fit_combat`.
    """

    sites: tuple[str, ...]
    sizes: tuple[int, ...]
    intercept: Array
    slopes: Array
    sigma: Array
    gamma: Array
    delta: Array
    gamma_mean: Array
    gamma_variance: Array
    scale_shape: Array
    scale_rate: Array
    prior: Prior
    mean_only: bool
    reference: str | None


def fit_combat(
    values: Array,
    sites: NDArray[np.str_],
    covariates: Array | None = None,
    *,
    prior: Prior = "parametric",
    mean_only: bool = False,
    reference: str | None = None,
    smallest_with_scale: int = 2,
) -> Combat:
    """Learn what each site does to each feature.

    Parameters
    ----------
    values : array, shape (n, p)
        Complete; no feature may be constant within a site whose scale is estimated.
    sites : array of str, shape (n,)
    covariates : array, shape (n, c), optional
        What differs between sites by right and must be kept.
    prior : {"parametric", "nonparametric", "none"}
        How a site's estimates borrow strength from its other features; "none" leaves them as they are.
    mean_only : bool
        Adjust the location alone; its shrinkage then counts a site as one patient, as in sva.
    reference : str, optional
        A site that stays as it is and to which the others are brought.
    smallest_with_scale : int
        Sites with fewer patients have their location adjusted only, as with `mean_only`.

    Raises
    ------
    TableError
        One site only, an unknown reference, a covariate that is the site in other words, a constant feature.
    """
    names, codes = np.unique(np.asarray(sites).astype(str), return_inverse=True)
    sizes = np.bincount(codes)
    if len(names) < 2:
        raise TableError(f"ComBat needs two sites or more; all {len(values)} rows are of {names[0]!r}")
    if reference is not None and reference not in names:
        raise TableError(f"ComBat: the reference {reference!r} is not among the sites {first_few(names)}")
    mask = codes == int(np.flatnonzero(names == reference)[0]) if reference is not None else np.ones(len(codes), bool)
    extra = np.empty((len(values), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    means, slopes = _least_squares(values, codes, len(names), extra)
    intercept = means[codes[mask][0]] if reference is not None else (sizes / len(values)) @ means
    residual = values - means[codes] - _effect(extra, slopes)
    sigma = np.sqrt((residual[mask] ** 2).mean(axis=0))
    scaled = [code for code in range(len(names)) if sizes[code] >= max(smallest_with_scale, 2)]
    flat = np.any([constant_columns(values[codes == code]) for code in scaled], axis=0) | (sigma <= 0)
    if flat.any():
        raise TableError(f"ComBat: {int(flat.sum())} feature(s) do not vary within a site; leave them out")
    standard = (values - intercept - _effect(extra, slopes)) / sigma
    fitted = [_site(standard[codes == code], prior, mean_only or code not in scaled) for code in range(len(names))]
    gamma, delta = np.stack([site.gamma for site in fitted]), np.stack([np.sqrt(site.variance) for site in fitted])
    if reference is not None:
        gamma[names == reference], delta[names == reference] = 0.0, 1.0
    priors = np.array([site.prior for site in fitted])
    return Combat(
        tuple(map(str, names)), tuple(map(int, sizes)), intercept, slopes, sigma, gamma, delta,
        priors[:, 0], priors[:, 1], priors[:, 2], priors[:, 3], prior, mean_only, reference,
    )  # fmt: skip


def apply_combat(fitted: Combat, values: Array, codes: NDArray[np.int64], covariates: Array | None = None) -> Array:
    """Harmonised values of rows of known sites; one row alone gets the bits it gets among others.

    Parameters
    ----------
    values : array, shape (n, p)
    codes : array, shape (n,)
        Position of each row's site in `fitted.sites`; -1 leaves the row as it is.
    covariates : array, shape (n, c), optional
        The same as in the fit.
    """
    extra = np.empty((len(values), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    if extra.shape[1] != len(fitted.slopes):
        raise TableError(f"ComBat was fitted with {len(fitted.slopes)} covariate column(s) and got {extra.shape[1]}")
    expected = fitted.intercept + _effect(extra, fitted.slopes)
    standard = (values - expected) / fitted.sigma
    result: Array = fitted.sigma * ((standard - fitted.gamma[codes]) / fitted.delta[codes]) + expected
    untouched = codes < 0
    if fitted.reference is not None:
        untouched |= codes == fitted.sites.index(fitted.reference)
    result[untouched] = values[untouched]
    return result


def adopt_site(fitted: Combat, name: str, values: Array, covariates: Array | None = None) -> Combat:
    """With one more site, estimated from its own rows without any outcome (transductive: say so).

    The prior is that of the known sites: their mean shift and spread, their mean shape and rate; with "none" the site's own
    moments are taken as they are.
    """
    if name in fitted.sites:
        raise TableError(f"ComBat: site {name!r} is known already")
    extra = np.empty((len(values), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    standard = (values - fitted.intercept - _effect(extra, fitted.slopes)) / fitted.sigma
    shift, variance = standard.mean(axis=0), standard.var(axis=0, ddof=1)
    known = fitted.scale_shape > 0
    prior = _Prior(
        # a shift of a new site is a draw of the known sites' shifts: their mean, and their whole spread
        float(fitted.gamma.mean()),
        float(fitted.gamma.var(ddof=1)),
        float(fitted.scale_shape[known].mean()) if known.any() else 0.0,
        float(fitted.scale_rate[known].mean()) if known.any() else 0.0,
    )
    if fitted.mean_only:
        variance = np.ones_like(variance)
        shift = shift if fitted.prior == "none" else _mean_only(shift, prior)
    elif fitted.prior != "none" and known.any():
        shift, variance = _parametric(standard, shift, variance, prior)
    return replace(
        fitted,
        sites=(*fitted.sites, name),
        sizes=(*fitted.sizes, len(values)),
        gamma=np.vstack([fitted.gamma, shift]),
        delta=np.vstack([fitted.delta, np.sqrt(variance)]),
        gamma_mean=np.append(fitted.gamma_mean, prior.mean),
        gamma_variance=np.append(fitted.gamma_variance, prior.variance),
        scale_shape=np.append(fitted.scale_shape, prior.shape),
        scale_rate=np.append(fitted.scale_rate, prior.rate),
    )


# -- one site ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prior:
    mean: float
    variance: float
    shape: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class _Site:
    gamma: Array
    variance: Array
    prior: tuple[float, float, float, float]


def _site(standard: Array, prior: Prior, mean_only: bool) -> _Site:
    """Shift and variance of every feature at one site, shrunk."""
    shift = standard.mean(axis=0)
    variance = np.ones(shift.shape) if mean_only else standard.var(axis=0, ddof=1)
    spread = float(shift.var(ddof=1)) if len(shift) > 1 else 0.0
    learned = _Prior(float(shift.mean()), spread)
    if not mean_only and len(shift) > 1:
        mean, square = float(variance.mean()), float(variance.var(ddof=1))
        if square > 0:
            learned = _Prior(learned.mean, spread, (2 * square + mean**2) / square, (mean * square + mean**3) / square)
    if prior == "nonparametric" and len(shift) > 1:
        shift, variance = _nonparametric(standard, shift, variance)
        variance = np.ones(shift.shape) if mean_only else variance
    elif prior == "parametric" and mean_only:
        shift = _mean_only(shift, learned)
    elif prior == "parametric" and learned.shape > 0:
        shift, variance = _parametric(standard, shift, variance, learned)
    return _Site(shift, variance, (learned.mean, learned.variance, learned.shape, learned.rate))


def _mean_only(shift: Array, prior: _Prior) -> Array:
    return (prior.variance * shift + prior.mean) / (prior.variance + 1.0)


def _parametric(standard: Array, shift: Array, variance: Array, prior: _Prior) -> tuple[Array, Array]:
    """The posterior means of normal and inverse gamma prior, in turn, until neither moves."""
    n = len(standard)
    total, squares = standard.sum(axis=0), (standard**2).sum(axis=0)
    gamma: Array = shift
    delta: Array = variance
    for _ in range(_MOST_ROUNDS):
        new_gamma: Array = (prior.variance * n * shift + delta * prior.mean) / (prior.variance * n + delta)
        around = squares - 2 * new_gamma * total + n * new_gamma**2
        new_delta: Array = (0.5 * around + prior.rate) / (n / 2 + prior.shape - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            # sva divides by the old shift with its sign, so a negative shift never holds the loop up
            change = max(np.nanmax(np.abs(new_gamma - gamma) / gamma), np.nanmax(np.abs(new_delta - delta) / delta))
        gamma, delta = new_gamma, new_delta
        if change <= _CONVERGED:
            return np.asarray(gamma), np.asarray(delta)
    raise TableError(
        f"ComBat: the estimates of a site with {n} patients do not settle; use prior = 'none' or mean_only"
    )


def _nonparametric(standard: Array, shift: Array, variance: Array) -> tuple[Array, Array]:
    """Each feature's estimates: the average of all other features' estimates, weighted by how likely they make its data."""
    n, p = standard.shape
    total, squares = standard.sum(axis=0), (standard**2).sum(axis=0)
    gamma, delta = np.empty(p, dtype=np.float64), np.empty(p, dtype=np.float64)
    for start in range(0, p, _PIECE):
        own = slice(start, min(start + _PIECE, p))
        around = squares[own, None] - 2 * total[own, None] * shift + n * shift**2
        log = -0.5 * n * np.log(2 * np.pi * variance) - around / (2 * variance)
        position = np.arange(own.start, own.stop)
        log[position - own.start, position] = -np.inf  # a feature is not its own evidence
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        gamma[own], delta[own] = weight @ shift, weight @ variance
    return gamma, delta


# -- the linear model -------------------------------------------------------------------------------------------------


def _least_squares(values: Array, codes: NDArray[np.int64], sites: int, extra: Array) -> tuple[Array, Array]:
    """Intercept of each site (s, p) and slope of each covariate (c, p)."""
    design = np.column_stack([np.eye(sites)[codes], extra])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise TableError(
            "ComBat: a covariate is constant, or is the site (or another covariate) in other words; site and covariate "
            "cannot be told apart. Leave the covariate out."
        )
    found: Array = np.asarray(np.linalg.lstsq(design, values, rcond=None)[0], dtype=np.float64)
    return found[:sites], found[sites:]


def _effect(extra: Array, slopes: Array) -> Array:
    """X beta row by row: a matrix product would round differently for one row than for many."""
    total = np.zeros((len(extra), slopes.shape[1]))
    for column, slope in zip(extra.T, slopes, strict=True):
        total += column[:, None] * slope
    return total
