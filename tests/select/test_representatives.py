"""One value per category, by principal component or by UMAP (slow: its first call compiles for tens of seconds)."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from isthmus.errors import PlanError, TableError
from isthmus.select.representatives import RepresentativeStep
from isthmus.stats.representative import STABLE, UmapAxis, component_axis, representative_stability, umap_axis
from isthmus.stats.roc import auc

CATEGORIES = {"texture": "*_glcm_*", "shape": ["volume", "surface"], "age": ["age"]}


def drawn(n: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    factor = rng.normal(size=(n, 2))
    columns = {f"o_glcm_{i}": factor[:, 0] * (1 if i % 2 else -1) + 0.2 * rng.normal(size=n) for i in range(5)}
    columns |= {"volume": factor[:, 1], "surface": factor[:, 1] + 0.1 * rng.normal(size=n)}
    return pd.DataFrame({**columns, "age": rng.normal(60, 10, n), "sex": np.arange(n) % 2.0})


def test_a_category_becomes_its_first_component():
    """The value is the score on the first principal component of the category's columns."""
    X = drawn()
    out = RepresentativeStep(CATEGORIES).fit_transform(X)
    texture = X[[f"o_glcm_{i}" for i in range(5)]].to_numpy()
    np.testing.assert_allclose(out["texture"], component_axis(texture).place(texture), rtol=1e-12)


def test_columns_of_no_category_stay_and_one_column_is_itself():
    """sex passes, age represents itself, and the order is categories first."""
    X = drawn()
    out = RepresentativeStep(CATEGORIES).fit_transform(X)
    assert out.columns.tolist() == ["texture", "shape", "age", "sex"]
    pd.testing.assert_frame_equal(out[["age", "sex"]], X[["age", "sex"]])


def test_every_column_replaced_says_by_what():
    """The reason names the category, the method and how many columns it stands for."""
    assert RepresentativeStep(CATEGORIES).fit(drawn()).dropped_["volume"] == "represented by 'shape' (pca of 2 columns)"


def test_a_category_that_earlier_steps_emptied_is_left_out():
    """Selection before this step may leave nothing of a category."""
    out = RepresentativeStep(CATEGORIES).fit_transform(drawn().drop(columns=["volume", "surface"]))
    assert out.columns.tolist() == ["texture", "age", "sex"]


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        (None, "which columns belong together"),
        ({"a": "*_glcm_*", "b": "o_*"}, "is in the categories 'a' and 'b'"),
        ({"a": "nothing*"}, "no column is in any category"),
        ({"sex": "*_glcm_*"}, "have one name: sex"),
    ],
)
def test_categories_that_cannot_be_are_refused(categories, message):
    """Each mistake has its sentence."""
    with pytest.raises(TableError, match=message):
        RepresentativeStep(categories).fit(drawn())


@pytest.mark.parametrize("settings", [{"method": "tsne"}, {"neighbours": 1}, {"categories": {}}])
def test_wrong_settings_are_named(settings):
    """Each names itself."""
    with pytest.raises(PlanError, match=f"step 'representatives': {next(iter(settings))} = "):
        RepresentativeStep(**settings).check_settings()


def test_a_new_row_lies_at_the_weighted_mean_of_its_nearest_rows():
    """By hand: three neighbours at distances 1, 2 and 3, memberships 1, w and w² with 1 + w + w² = log2(3)."""
    rows = np.array([[1.0], [-2.0], [3.0], [50.0]])
    axis = UmapAxis(np.zeros(1), np.ones(1), rows, np.array([10.0, 20.0, 30.0, 99.0]), 3)
    w = (-1 + np.sqrt(1 - 4 * (1 - np.log2(3)))) / 2
    expected = (10 + 20 * w + 30 * w**2) / (1 + w + w**2)
    assert axis.place(np.array([[0.0]]))[0] == pytest.approx(expected, rel=1e-7)


def test_a_row_among_copies_of_itself_lies_between_them():
    """Distances of zero only: the plain mean, not a division by zero."""
    axis = UmapAxis(np.zeros(1), np.ones(1), np.zeros((4, 1)), np.array([1.0, 2.0, 3.0, 4.0]), 4)
    assert axis.place(np.array([[0.0]]))[0] == 2.5


@pytest.mark.slow
def test_umap_is_the_same_for_the_same_rows_and_seed():
    """Two fits give the same bits."""
    values = drawn().to_numpy()[:, :5]
    assert np.array_equal(umap_axis(values, seed=3).position, umap_axis(values, seed=3).position)


@pytest.mark.slow
def test_umap_tells_two_clusters_apart():
    """Two well-separated groups: the AUC of the value, of training rows and of new ones placed by our own transform, exceeds 0.99."""
    rng = np.random.default_rng(1)
    y = np.arange(160) % 2
    values = rng.normal(size=(160, 8)) + 6 * y[:, None]
    axis = umap_axis(values[:80], seed=1)
    areas = [auc(y[:80], axis.position), auc(y[80:], axis.place(values[80:]))]
    assert min(max(a, 1 - a) for a in areas) > 0.99


@pytest.mark.slow
def test_umap_points_along_the_first_component():
    """The correlation with PC1 is positive for every seed."""
    values = drawn().to_numpy()[:, :5]
    first = component_axis(values).place(values)
    assert min(float(np.corrcoef(umap_axis(values, seed=s).position, first)[0, 1]) for s in range(3)) >= 0


@pytest.mark.slow
def test_our_placing_agrees_with_umaps_own_transform():
    """New rows of a one-factor table are ranked as umap-learn's transform ranks them (Spearman above 0.95)."""
    from umap import UMAP

    rng = np.random.default_rng(4)
    factor = rng.normal(size=(200, 1))
    values = factor + 0.2 * rng.normal(size=(200, 6))
    axis = umap_axis(values[:130], seed=2)
    model = UMAP(n_components=1, n_neighbors=15, min_dist=0.1, random_state=2, n_jobs=1)
    standard = (values - axis.mean) / axis.sd
    model.fit(standard[:130])
    assert abs(spearmanr(axis.place(values[130:]), model.transform(standard[130:])[:, 0]).statistic) > 0.95


@pytest.mark.slow
def test_stability_is_high_for_one_factor_in_wide_neighbourhoods_and_low_for_many():
    """The measure flags a category without a dominating factor; measured here 0.997 and 0.47."""
    rng = np.random.default_rng(6)
    one = rng.normal(size=(100, 1)) + 0.1 * rng.normal(size=(100, 6))
    many = rng.normal(size=(100, 4)) @ rng.normal(size=(4, 16))
    found = [
        representative_stability(one, seed=1, runs=5, neighbours=60),
        representative_stability(many, seed=1, runs=5),
    ]
    assert (found[0] >= STABLE, found[1] >= STABLE) == (True, False)


@pytest.mark.slow
def test_a_umap_step_survives_its_state_without_the_library():
    """State through JSON and back places new rows on the same bits, one by one too."""
    X = drawn()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = RepresentativeStep(CATEGORIES, method="umap", random_state=5).fit(X)
    again = RepresentativeStep.from_state(json.loads(json.dumps(step.to_state(), allow_nan=False)))
    alone = pd.concat([again.transform(X.iloc[[row]]) for row in range(5)])
    pd.testing.assert_frame_equal(alone, step.transform(X).iloc[:5], check_exact=True)
