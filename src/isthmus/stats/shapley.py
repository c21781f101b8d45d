"""Shapley values of predictions: how much each column moves a prediction away from the mean over a background.

One game for every model (Lundberg and Lee 2017, interventional): the worth of a set of columns is the mean prediction
over the background rows after those columns have been given the values of the row explained. Sums of one-column terms
and sums of trees have exact solutions; any other function is sampled by permutations (Castro and others 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

__all__ = ["TreeForm", "additive_shapley", "sampled_shapley", "tree_shapley"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TreeForm:
    """A model that is the sum of many trees.

    Parameters
    ----------
    roots : array of int, shape (T,)
    feature, threshold, left, right, value : arrays, shape (nodes,)
        Split column (-1 in a leaf); a row goes left where its value is not above the cut; the value of a leaf.
    unit : array, shape (p,)
        What columns are divided by before they are compared.
    single : bool
        Are columns compared in single precision?
    scale : str
        Of the sum: "log odds" or "risk".
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Array
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Array
    unit: Array
    single: bool
    scale: str

    def prepared(self, values: Array) -> NDArray[np.floating]:
        """The columns as the trees compare them."""
        divided = values / self.unit
        return divided.astype(np.float32) if self.single else divided

    def leaves(self) -> Iterator[tuple[float, NDArray[np.intp], Array, Array]]:
        """Value, columns, lower and upper bounds (lower < x <= upper) of each leaf that has a say."""
        for root in self.roots:
            waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(int(root), {})]
            while waiting:
                node, box = waiting.pop()
                column = int(self.feature[node])
                if column < 0:
                    if box and self.value[node] != 0:
                        bounds = np.array(list(box.values()))
                        yield float(self.value[node]), np.array(list(box), dtype=np.intp), bounds[:, 0], bounds[:, 1]
                    continue
                low, high = box.get(column, (-np.inf, np.inf))
                cut = float(self.threshold[node])
                waiting.append((int(self.left[node]), {**box, column: (low, min(high, cut))}))
                waiting.append((int(self.right[node]), {**box, column: (max(low, cut), high)}))


def additive_shapley(parts: Array, background: Array) -> Array:
    """Exact values (n, p) of a sum of one-column terms: each term minus its mean over the background.

    Parameters
    ----------
    parts : array, shape (n, p)
        Term of each column for the rows explained; for a linear model coefficient times value.
    background : array, shape (k, p)
        The same for the background rows.
    """
    values: Array = parts - background.mean(axis=0)
    return values


def tree_shapley(form: TreeForm, rows: Array, background: Array) -> Array:
    """Exact values (n, p) of a sum of trees.

    A leaf is a box. Against one background row, each column of the box lets in the row explained only, the background
    row only, both, or neither. With s columns of the first kind and t of the second, the leaf is reached exactly by
    the sets that hold all of the s and none of the t, whose Shapley weights are (s-1)! t! / (s+t)! and
    -s! (t-1)! / (s+t)!; a column that lets in neither closes the leaf.

    Parameters
    ----------
    form : TreeForm
    rows : array, shape (n, p)
    background : array, shape (k, p)
    """
    explained, other = form.prepared(rows), form.prepared(background)
    result = np.zeros(rows.shape)
    gain, loss = _weights(1)
    for value, columns, low, high in form.leaves():
        if len(columns) >= len(gain):
            gain, loss = _weights(len(columns))
        ours = ((explained[:, columns] > low) & (explained[:, columns] <= high)).astype(np.float64)
        theirs = ((other[:, columns] > low) & (other[:, columns] <= high)).astype(np.float64)
        only_ours = (ours @ (1.0 - theirs).T).astype(np.intp)
        only_theirs = ((1.0 - ours) @ theirs.T).astype(np.intp)
        both = (ours @ theirs.T).astype(np.intp)
        open_ = only_ours + only_theirs + both == len(columns)
        up = np.where(open_, gain[only_ours, only_theirs], 0.0)
        down = np.where(open_, loss[only_ours, only_theirs], 0.0)
        result[:, columns] += value * (ours * (up @ (1.0 - theirs)) + (1.0 - ours) * (down @ theirs))
    return result / len(background)


def _weights(most: int) -> tuple[Array, Array]:
    """Shapley weights of the s columns that let the explained row in, and of the t that keep it out."""
    gain, loss = np.zeros((most + 1, most + 1)), np.zeros((most + 1, most + 1))
    for s in range(most + 1):
        for t in range(most + 1 - s):
            if s:
                gain[s, t] = factorial(s - 1) * factorial(t) / factorial(s + t)
            if t:
                loss[s, t] = -factorial(s) * factorial(t - 1) / factorial(s + t)
    return gain, loss


def sampled_shapley(
    output: Callable[[Array], Array],
    rows: Array,
    background: Array,
    weights: Array,
    *,
    columns: NDArray[np.intp],
    passes: int,
    seed: int,
) -> Array:
    """Estimated values (n, p) of any function, by random orders of the columns, each followed by its reverse.

    They add up exactly, whatever the number of passes; each single value has a sampling error.

    Parameters
    ----------
    output : callable
        Values (m, p) -> predictions (m,).
    rows : array, shape (n, p)
    background : array, shape (k, p)
    weights : array, shape (k,)
        Of the background rows; they sum to 1.
    columns : array of int
        The columns that may play a part; the others are given to nobody and get 0.
    passes : int
        Pairs of orders.
    seed : int
    """
    rng = np.random.default_rng(seed)
    result = np.zeros(rows.shape)
    n, k = len(rows), len(background)
    for _ in range(passes):
        forward = rng.permutation(columns)
        for order in (forward, forward[::-1]):
            mixed = np.tile(background, (n, 1))
            before = output(mixed).reshape(n, k) @ weights
            for column in order:
                mixed[:, column] = np.repeat(rows[:, column], k)
                after = output(mixed).reshape(n, k) @ weights
                result[:, column] += after - before
                before = after
    return result / (2 * passes)
