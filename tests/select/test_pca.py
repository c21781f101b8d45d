"""The step of principal components."""

from __future__ import annotations

import numpy as np
import pandas as pd

from isthmus.select.pca import PrincipalComponentStep


def drawn(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(n, 3)) @ rng.normal(size=(3, 9)) + 0.05 * rng.normal(size=(n, 9))
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(9)])


def test_scores_of_the_training_rows_are_uncorrelated_with_the_components_variances():
    """Their covariance is diagonal, with the squared sdev of the components."""
    step = PrincipalComponentStep(components=4).fit(drawn())
    covariance = np.cov(step.transform(drawn()).to_numpy(), rowvar=False)
    np.testing.assert_allclose(covariance, np.diag(step.share_ * 9), atol=1e-10)


def test_a_share_of_the_variance_decides_how_many():
    """Three factors explain 95 % of nine columns."""
    assert PrincipalComponentStep(components=9, variance=0.95).fit(drawn()).get_feature_names_out().tolist() == [
        "PC1",
        "PC2",
        "PC3",
    ]


def test_all_of_the_variance_needs_all_components():
    """variance = 1 asks for no more than there are."""
    assert len(PrincipalComponentStep(components=20, variance=1.0).fit(drawn()).share_) == 9


def test_new_rows_use_the_training_means():
    """Moving a new row by one training sd of a column moves its scores by that column's loadings."""
    step = PrincipalComponentStep(components=3).fit(drawn())
    row = drawn().iloc[[0]]
    moved = row.assign(x4=row["x4"] + step.sd_[4])
    np.testing.assert_allclose(
        (step.transform(moved) - step.transform(row)).to_numpy()[0], step.loadings_[4], atol=1e-12
    )
