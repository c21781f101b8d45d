"""Variable importance of a forest by noising up: how much worse its out-of-bag decisions become.

VIMP(j) = error(out of bag, feature j noised) - error(out of bag), averaged over blocks of trees (Ishwaran, Electron J Stat
2007;1:519; Ishwaran et al., Ann Appl Stat 2008;2:841). Blocks of one tree are the importance of Breiman and Cutler, one block
of all trees that of Ishwaran and Kogalur. The error is 1 - G-mean of the quantile classifier, whose threshold is the share of
events among the rows the forest was grown on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array
from isthmus.models.trees import Trees

__all__ = ["Block", "Noising", "group_codes", "loss", "vimp"]

Noising = Literal["permute", "random", "anti"]
Block = int | Literal["all"]

_ROWS_AT_ONCE = 400_000
"""Walks through trees held in memory at a time."""


def loss(risk: Array, events: NDArray[np.int64], prevalence: float) -> Array:
    """1 - G-mean of risk >= prevalence; the last axis holds the patients, NaN ones are left out.

    1 where a class has nobody left: nothing is decided rightly about it. A mean over trees that equals the prevalence but for
    rounding (a leaf with the classes of the whole) is a tie and counts as reached.
    """
    event = events.astype(bool)
    known = ~np.isnan(risk)
    called = known & (risk >= prevalence - 1e-12)
    n1 = (known & event).sum(axis=-1)
    n0 = (known & ~event).sum(axis=-1)
    tp = (called & event).sum(axis=-1)
    tn = (known & ~called & ~event).sum(axis=-1)
    g_mean = np.sqrt((tp / np.maximum(n1, 1)) * (tn / np.maximum(n0, 1)))
    return np.asarray(1.0 - g_mean, dtype=np.float64)


def vimp(
    trees: Trees,
    values: Array,
    events: NDArray[np.int64],
    outside: NDArray[np.bool_],
    *,
    prevalence: float,
    groups: NDArray[np.int64] | None = None,
    noising: Noising = "permute",
    block: Block = 10,
    seed: int = 0,
) -> Array:
    """Importance of each feature, or of each group of features noised together.

    Parameters
    ----------
    trees : Trees
    values, events : arrays, shape (n, p) and (n,)
        The rows the forest was grown on.
    outside : array of bool, shape (n, T)
        Which rows are out of the bag of which tree.
    prevalence : float
        The threshold of the quantile classifier.
    groups : array of int, shape (p,), optional
        The group of each column, 0 to G - 1 (-1: never noised); by default each column is one.
    noising : {"permute", "random", "anti"}
        "permute": the out-of-bag rows of a tree exchange the feature (a group with one permutation). "random": at a split on
        the feature a row goes either way. "anti": it goes the wrong way.
    block : int or "all"
    seed : int

    Returns
    -------
    array, shape (G,)
        The rise of the error; about 0 for noise, below 0 by chance. A group no tree splits on has exactly 0.
    """
    codes = np.arange(values.shape[1]) if groups is None else np.asarray(groups, dtype=np.int64)
    count = int(codes.max()) + 1 if len(codes) else 0
    size = len(trees) if block == "all" else min(int(block), len(trees))
    base = trees.each(values)
    donors = _donors(outside, seed) if noising == "permute" else None
    walk = _Walk(trees, trees.narrowed(values), codes, donors, noising, seed)
    owner = np.searchsorted(trees.roots, np.arange(len(trees.feature)), side="right") - 1  # the tree of each node
    rise = np.zeros(count)
    starts = range(0, len(trees) - size + 1, size)  # trees left over after the last whole block play no part
    for start in starts:
        stop = start + size
        out = outside[:, start:stop]
        seen = out.sum(axis=1)
        usual = np.where(out, base[:, start:stop], 0.0).sum(axis=1)
        change = np.zeros((count, len(values)))
        for using, used in _uses(trees, owner, codes, start, stop, out):
            rows, at = np.nonzero(outside[:, using].T)[::-1]
            tree, group = using[at], used[at]
            noised = walk.risk(tree, group, rows)
            flat = np.bincount(
                group * len(values) + rows, weights=noised - base[rows, tree], minlength=count * len(values)
            )
            change += flat.reshape(count, len(values))
        with np.errstate(invalid="ignore"):
            before = np.where(seen > 0, usual / np.maximum(seen, 1), np.nan)
            after = np.where(seen > 0, (usual + change) / np.maximum(seen, 1), np.nan)
        moved = (change != 0).any(axis=1)
        rise[moved] += loss(after[moved], events, prevalence) - loss(before, events, prevalence)
    return rise / max(len(starts), 1)


def group_codes(groups: Mapping[str, Sequence[str]], columns: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The names of the groups that occur among these columns, and the group of each column (-1: none).

    The indicators `column=category` of a text column belong to the group of `column`.
    """
    place = {column: name for name, members in groups.items() for column in members}
    owner = [place.get(column, place.get(column.rpartition("=")[0])) for column in columns]
    names = [name for name in groups if name in owner]
    number: dict[str | None, int] = {name: code for code, name in enumerate(names)}
    return names, np.array([number.get(name, -1) for name in owner], dtype=np.int64)


def _donors(outside: NDArray[np.bool_], seed: int) -> NDArray[np.int32]:
    """For each tree (T), whose value each out-of-bag row (n) is given; shape (T, n)."""
    rng = np.random.default_rng(seed)
    donors = np.broadcast_to(np.arange(len(outside), dtype=np.int32), outside.T.shape).copy()
    for tree, column in enumerate(outside.T):
        rows = np.flatnonzero(column)
        donors[tree, rows] = rng.permutation(rows)
    return donors


def _uses(
    trees: Trees,
    owner: NDArray[np.int64],
    codes: NDArray[np.int64],
    start: int,
    stop: int,
    out: NDArray[np.bool_],
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Every (tree, group it splits on), in pieces that fit into memory."""
    inner = np.flatnonzero((trees.feature >= 0) & (owner >= start) & (owner < stop))
    group = codes[trees.feature[inner]]
    count = int(codes.max()) + 1
    pairs = np.unique(owner[inner][group >= 0] * count + group[group >= 0])
    if not len(pairs):
        return []
    pieces = max(1, int(len(pairs) * out.sum(axis=0).max(initial=1) // _ROWS_AT_ONCE) + 1)
    return [(piece // count, piece % count) for piece in np.array_split(pairs, pieces) if len(piece)]


class _Walk:
    """Rows down trees, with one group of columns noised."""

    def __init__(
        self,
        trees: Trees,
        narrow: NDArray[np.float32],
        codes: NDArray[np.int64],
        donors: NDArray[np.int32] | None,
        noising: Noising,
        seed: int,
    ) -> None:
        self.trees, self.narrow, self.codes, self.donors = trees, narrow, codes, donors
        self.noising, self.seed = noising, seed

    def risk(self, tree: NDArray[np.int64], group: NDArray[np.int64], row: NDArray[np.int64]) -> Array:
        """What each tree says of its row when it cannot trust the group; all shape (walks,)."""
        trees = self.trees
        node = trees.roots[tree].astype(np.int64)
        given = row if self.donors is None else self.donors[tree, row]
        going = np.flatnonzero(trees.feature[node] >= 0)
        while len(going):
            at = node[going]
            column = trees.feature[at]
            noised = self.codes[column] == group[going]
            source = np.where(noised, given[going], row[going])
            low = self.narrow[source, column] <= trees.threshold[at]
            if self.noising == "anti":
                low ^= noised
            elif self.noising == "random":
                low = np.where(noised, _coin(self.seed, at, row[going]), low)
            following = np.where(low, trees.left[at], trees.right[at])
            node[going] = following
            going = going[trees.feature[following] >= 0]
        return np.asarray(trees.risk[node])


def _coin(seed: int, node: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A fair coin for each visit of a row to a node: one hash, so that the order of the work changes nothing (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = np.uint64(seed) + node.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed += row.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed >> np.uint64(63)).astype(bool))
