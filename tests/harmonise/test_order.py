"""In which order several batch variables are taken."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.harmonise.order import learn_order


def planted(names: list[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """200 rows; every variable divides them in two, at random."""
    rng = np.random.default_rng(4)
    labels = {name: np.where(rng.random(200) < 0.5, "x", "y") for name in names}
    return rng.normal(size=(200, 20)), labels


def test_the_order_with_the_fewest_affected_features_wins():
    """A harmonisation that works only when b comes first: b comes first."""
    values, labels = planted(["a", "b"])
    spoilt = values + 3 * (labels["a"] == "x")[:, None]
    done: dict[int, list[str]] = {}

    def harmonise(v: np.ndarray, name: str) -> np.ndarray:
        history = [*done.get(id(v), []), name]
        out = values.copy() if history == ["b", "a"] else spoilt.copy()
        done[id(out)] = history
        done[id(out) + 1] = [out]  # keep it alive: the id must not be used again
        return out

    assert learn_order(spoilt, labels, harmonise) == ["b", "a"]


@pytest.mark.parametrize("count", [2, 5, 7])
def test_every_variable_comes_once(count):
    """All orders up to five variables, one at a time beyond."""
    names = [f"v{i}" for i in range(count)]
    values, labels = planted(names)
    assert sorted(learn_order(values, labels, lambda v, name: v)) == names


def test_of_equals_the_order_as_named():
    """Where it makes no difference nothing is changed."""
    values, labels = planted(["b", "a", "c"])
    assert learn_order(values, labels, lambda v, name: v) == ["b", "a", "c"]
