"""Importance by noising up equals a slow twin, and finds what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.models.quantile_forest import QuantileForest
from isthmus.models.trees import Trees
from isthmus.models.vimp import group_codes, loss, vimp


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(5)
    events = (np.arange(60) % 3 == 0).astype(np.int64)
    values = rng.normal(size=(60, 6))
    values[:, 0] += 1.5 * events
    model = QuantileForest(trees=23, mtry=3, nodesize=2, random_state=2).fit(values, events)
    return model.trees_, values, events, model._training[2]


def walked(trees: Trees, tree: int, own, other, noised: set[int], wrong: bool) -> float:
    """One row down one tree, node after node."""
    node = trees.roots[tree]
    while trees.feature[node] >= 0:
        column = trees.feature[node]
        row = other if column in noised else own
        low = np.float32(row[column] / trees.unit[column]) <= trees.threshold[node]
        if wrong and column in noised:
            low = not low
        node = trees.left[node] if low else trees.right[node]
    return float(trees.risk[node])


def twin(trees, values, events, outside, noised: set[int], block: int, donors, wrong: bool) -> float:
    """The definition, written out: per block, error of the noised ensemble minus error of the usual one."""
    rises = []
    for start in range(0, len(trees) - block + 1, block):
        usual, changed = np.full(len(values), np.nan), np.full(len(values), np.nan)
        for i in range(len(values)):
            bag = [t for t in range(start, start + block) if outside[i, t]]
            if bag:
                usual[i] = np.mean([walked(trees, t, values[i], values[i], set(), False) for t in bag])
                changed[i] = np.mean([walked(trees, t, values[i], values[donors[t, i]], noised, wrong) for t in bag])
        share = events.mean()
        rises.append(loss(changed, events, share) - loss(usual, events, share))
    return float(np.mean(rises))


@pytest.mark.parametrize("block", [1, 10, 23])
@pytest.mark.parametrize("noising", ["permute", "anti"])
def test_equals_the_definition_written_out(grown, block, noising):
    """Every feature's importance is that of a row-by-row, tree-by-tree twin."""
    from isthmus.models.vimp import _donors

    trees, values, events, outside = grown
    wrong = noising == "anti"
    donors = _donors(outside, 7) if not wrong else np.tile(np.arange(len(values)), (len(trees), 1))
    ours = vimp(trees, values, events, outside, prevalence=events.mean(), noising=noising, block=block, seed=7)
    slow = [twin(trees, values, events, outside, {j}, block, donors, wrong) for j in range(6)]
    np.testing.assert_allclose(ours, slow, rtol=0, atol=1e-12)


def test_a_group_is_noised_with_one_permutation(grown):
    """The importance of a group equals the twin that takes all its columns from one donor."""
    from isthmus.models.vimp import _donors

    trees, values, events, outside = grown
    codes = np.array([0, 0, 1, -1, 1, 1])
    ours = vimp(trees, values, events, outside, prevalence=events.mean(), groups=codes, block=10, seed=7)
    donors = _donors(outside, 7)
    slow = [twin(trees, values, events, outside, set(np.flatnonzero(codes == g)), 10, donors, False) for g in (0, 1)]
    np.testing.assert_allclose(ours, slow, rtol=0, atol=1e-12)


@pytest.mark.parametrize("noising", ["permute", "random", "anti"])
def test_the_planted_column_leads(grown, noising):
    """Whatever the noise, the column with the signal matters most."""
    trees, values, events, outside = grown
    found = vimp(trees, values, events, outside, prevalence=events.mean(), noising=noising, block="all")
    assert found.argmax() == 0


@pytest.mark.parametrize("noising", ["permute", "random"])
def test_a_seed_fixes_every_bit(grown, noising):
    """The same seed gives the same numbers."""
    trees, values, events, outside = grown
    one, two = (vimp(trees, values, events, outside, prevalence=1 / 3, noising=noising, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_the_size_of_a_piece_changes_nothing(grown, monkeypatch):
    """Work in small pieces of memory gives the same importance, to rounding of sums."""
    trees, values, events, outside = grown
    whole = vimp(trees, values, events, outside, prevalence=1 / 3, noising="random", block="all")
    monkeypatch.setattr("isthmus.models.vimp._ROWS_AT_ONCE", 50)
    pieces = vimp(trees, values, events, outside, prevalence=1 / 3, noising="random", block="all")
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-12)


def test_a_column_no_tree_splits_on_has_no_importance(grown):
    """Exactly 0, not noise."""
    trees, values, events, outside = grown
    wide = np.column_stack([values, np.zeros(len(values))])
    padded = Trees(np.append(trees.unit, 1.0), *(getattr(trees, k) for k in list(Trees.__dataclass_fields__)[1:]))
    assert vimp(padded, wide, events, outside, prevalence=1 / 3)[6] == 0


def test_loss_is_one_minus_g_mean():
    """sqrt(2/3 * 1/2) from counts by hand; a patient without a risk is left out."""
    risk = np.array([0.9, 0.4, 0.2, 0.6, 0.1, np.nan])
    events = np.array([1, 1, 1, 0, 0, 1])
    assert loss(risk, events, 0.3) == pytest.approx(1 - np.sqrt(2 / 3 * 1 / 2), abs=1e-15)


def test_groups_without_a_column_here_are_left_out():
    """Only groups that occur among the columns get a code; other columns get -1."""
    names, codes = group_codes({"a": ["x"], "b": ["gone"], "c": ["y", "z"]}, ["z", "x", "w"])
    assert names == ["a", "c"]
    assert codes.tolist() == [1, 0, -1]
