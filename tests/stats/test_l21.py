"""l2,1-norm regression."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import MultiTaskLasso

from isthmus.stats.l21 import fit_l21, largest_penalty


def drawn(n: int = 60, p: int = 25) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, p))
    X[:, :3] += 1.2 * rng.normal(size=(3, 3))[y]
    Y = (y[:, None] == np.arange(3)).astype(float)
    return (X - X.mean(axis=0)) / X.std(axis=0), Y - Y.mean(axis=0)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_squared_loss_is_the_multi_task_lasso(share):
    """Row norms agree with scikit-learn's MultiTaskLasso to 1e-6."""
    X, Y = drawn()
    penalty = share * largest_penalty(X, Y, loss="squared")
    theirs = MultiTaskLasso(alpha=penalty, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(X, Y).coef_.T
    ours = fit_l21(X, Y, penalty, loss="squared", tolerance=1e-15, iterations=20_000)
    np.testing.assert_allclose(ours.norms, np.linalg.norm(theirs, axis=1), atol=1e-6)


@pytest.mark.parametrize("loss", ["l21", "squared"])
@pytest.mark.parametrize("shape", [(60, 25), (40, 150)])
def test_the_objective_never_rises(loss, shape):
    """Each iteration lowers the objective, with fewer and with more columns than rows."""
    X, Y = drawn(*shape)
    trace = fit_l21(X, Y, 0.2 * largest_penalty(X, Y, loss=loss), loss=loss).objective
    assert np.diff(trace).max() <= 1e-9 * trace[0]


@pytest.mark.parametrize("loss", ["l21", "squared"])
def test_the_largest_penalty_is_where_the_model_empties(loss):
    """Just above it every coefficient is zero, just below one column is in."""
    X, Y = drawn()
    edge = largest_penalty(X, Y, loss=loss)
    above, below = (
        fit_l21(X, Y, factor * edge, loss=loss, tolerance=1e-14, iterations=5000).norms for factor in (1.02, 0.9)
    )
    assert (above.max() < 1e-4, below.max() > 1e-3) == (True, True)


def test_the_robust_loss_is_at_its_minimum():
    """No small move of the coefficients lowers the l2,1 objective (it is convex, so that is the minimum)."""
    X, Y = drawn()
    penalty = 0.2 * largest_penalty(X, Y)
    fit = fit_l21(X, Y, penalty, tolerance=1e-14, iterations=5000)

    def objective(W: np.ndarray) -> float:
        return float(np.linalg.norm(Y - X @ W, axis=1).sum() + penalty * np.linalg.norm(W, axis=1).sum())

    rng = np.random.default_rng(0)
    moves = [1e-3 * rng.normal(size=fit.coefficients.shape) * (rng.random((25, 1)) < 0.2) for _ in range(200)]
    assert min(objective(fit.coefficients + move) for move in moves) >= objective(fit.coefficients) - 1e-7
