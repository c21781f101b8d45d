"""Proportional-odds logistic regression of an ordered outcome (McCullagh, J R Stat Soc B 1980;42:109).

P(class <= k) = expit(cut_k - x'beta): one set of coefficients for all cuts, a positive one pushing towards higher classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval

__all__ = ["ProportionalOdds", "class_probabilities", "proportional_odds", "proportional_odds_ratio"]


@dataclass(frozen=True, eq=False)
class ProportionalOdds:
    """Coefficients (p,), cuts (K - 1,) rising, log likelihood, and whether the solver reached the maximum."""

    coefficients: Array
    cuts: Array
    loglik: float
    converged: bool


def class_probabilities(score: Array, cuts: Array) -> Array:
    """Probability of each class (n, K) from the linear predictor (n,) and the cuts."""
    below = special.expit(cuts[None, :] - score[:, None])
    edges = np.column_stack([np.zeros(len(score)), below, np.ones(len(score))])
    return np.diff(edges, axis=1)


def proportional_odds(columns: ArrayLike, y: ArrayLike, *, ridge: float = 0.0) -> ProportionalOdds:
    """Fit by maximum likelihood, less ridge / 2 times the squared coefficients of standardised columns.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete; none constant.
    y : array of class codes, shape (n,)
        0 to K - 1; every class must occur.
    ridge : float
    """
    values, codes = np.asarray(columns, dtype=np.float64), np.asarray(y, dtype=np.int64)
    counts = np.bincount(codes)
    if len(counts) < 2 or (counts == 0).any():
        raise TableError(f"proportional odds: every class must occur; the counts are {counts.tolist()}")
    centre, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (values - centre) / spread
    p, k = values.shape[1], len(counts)
    start = special.logit(np.cumsum(counts)[:-1] / len(codes))
    free = np.concatenate([np.zeros(p), start[:1], np.log(np.diff(start))])  # cuts as steps, so that they stay in order

    def cuts_of(x: Array) -> Array:
        return np.cumsum(np.concatenate([x[p : p + 1], np.exp(x[p + 1 :])]))

    def loss(x: Array) -> tuple[float, Array]:
        beta, cuts = x[:p], cuts_of(x)
        eta = standard @ beta
        padded = np.concatenate([[-np.inf], cuts, [np.inf]])
        high, low = special.expit(padded[codes + 1] - eta), special.expit(padded[codes] - eta)
        # expit(a) - expit(b) without cancellation in the upper tail
        mirrored = special.expit(eta - padded[codes]) - special.expit(eta - padded[codes + 1])
        chance = np.maximum(np.where(high + low > 1, mirrored, high - low), 1e-300)
        slope_high, slope_low = high * (1 - high) / chance, low * (1 - low) / chance
        d_beta = standard.T @ (slope_high - slope_low) + ridge * beta
        d_cuts = np.array([-(slope_high[codes == c].sum() - slope_low[codes == c + 1].sum()) for c in range(k - 1)])
        tails = np.cumsum(d_cuts[::-1])[::-1]
        d_free = np.concatenate([tails[:1], tails[1:] * np.exp(x[p + 1 :])])
        value = -float(np.log(chance).sum()) + 0.5 * ridge * float(beta @ beta)
        return value, np.concatenate([d_beta, d_free])

    found = optimize.minimize(
        loss,
        free,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-9},
    )
    polished = optimize.minimize(loss, found.x, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 500})
    best = polished.x if polished.fun <= found.fun else found.x
    beta = best[:p] / spread
    fitted = -loss(best)[0] + 0.5 * ridge * float(best[:p] @ best[:p])
    reached = bool(np.abs(loss(best)[1]).max() <= 1e-3 and np.abs(best[:p]).max(initial=0.0) < 30)
    return ProportionalOdds(beta, cuts_of(best) + float(centre @ beta), fitted, reached)


def proportional_odds_ratio(
    columns: ArrayLike, y: ArrayLike, which: int = 0, *, confidence: float = 0.95
) -> tuple[Interval, float]:
    """Odds ratio of a higher class for one more unit of a column, adjusted for the others, and its p by the likelihood ratio.

    Classes that do not occur are skipped. Limits are Wald's, from the expected information. Where the likelihood has no maximum (a column
    that separates the classes) the limits are NaN and say so; the likelihood-ratio p stays valid.
    """
    values = np.asarray(columns, dtype=np.float64)
    codes = np.unique(np.asarray(y), return_inverse=True)[1]
    if codes.max(initial=0) < 1 or np.ptp(values[:, which]) == 0:
        nan = float("nan")
        return Interval(
            nan, nan, nan, "proportional odds; not computed: one class only, or the column is constant"
        ), nan
    full, reduced = proportional_odds(values, codes), proportional_odds(np.delete(values, which, axis=1), codes)
    p = float(stats.chi2.sf(max(2 * (full.loglik - reduced.loglik), 0.0), 1))
    error = np.inf
    if full.converged:
        error = float(np.sqrt(np.linalg.pinv(_information(values, full))[which, which]))
    beta = float(full.coefficients[which])
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * error
    with np.errstate(over="ignore"):
        ratio, low, high = (float(np.exp(b)) for b in (beta, beta - half, beta + half))
    if not np.isfinite(half) or half > 50:
        return Interval(
            ratio, float("nan"), float("nan"), "proportional odds; no interval: the classes are separated"
        ), p
    return Interval(ratio, low, high, "proportional odds, Wald"), p


def _information(values: Array, fit: ProportionalOdds) -> Array:
    """Expected information of coefficients and cuts."""
    score = values @ fit.coefficients
    chance = class_probabilities(score, fit.cuts)
    below = special.expit(fit.cuts[None, :] - score[:, None])
    slope = below * (1 - below)
    n, p, k = len(values), values.shape[1], len(fit.cuts)
    edges = np.zeros((n, k + 2, p + k))
    for cut in range(k):
        edges[:, cut + 1, :p] = -slope[:, cut, None] * values
        edges[:, cut + 1, p + cut] = slope[:, cut]
    change = np.diff(edges, axis=1)
    result: Array = np.einsum("nca,ncb->ab", change / np.maximum(chance, 1e-12)[:, :, None], change)
    return result
