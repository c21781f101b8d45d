"""Whether a LightGBM text model is one whose trees can be walked: LightGBM itself believes every number in it.

A child that points outside its tree, or back to its mother, would be read from foreign memory or walked for ever. So the
text is read here first, key by key, and only what this package writes passes: numeric splits, trees that are trees.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError

__all__ = ["check_text"]

_HEAD = frozenset({
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
    "feature_infos", "tree_sizes",
})  # fmt: skip
_WHOLE = ("num_leaves", "num_cat", "is_linear")
_INNER = ("split_feature", "decision_type", "left_child", "right_child")
_INNER_NUMBERS = ("split_gain", "threshold", "internal_value", "internal_weight", "internal_count")
_LEAF_NUMBERS = ("leaf_value", "leaf_weight", "leaf_count")
_TREE = frozenset({"Tree", "shrinkage", *_WHOLE, *_INNER, *_INNER_NUMBERS, *_LEAF_NUMBERS})
_OBJECTIVE = re.compile(r"(binary( sigmoid:1)?|multiclass num_class:(\d+))")
_TAIL = re.compile(
    r"|\[\w+: [^\[\]\n]*\]|end of (trees|parameters)|feature_importances:|parameters:|Column_\d+=\d+|pandas_categorical:(null|\[\])"
)
_MOST_TREES, _MOST_LEAVES, _MOST_COLUMNS = 100_000, 100_000, 10_000_000


def check_text(text: str) -> None:
    """Raise `ModelFileError` unless LightGBM can safely be given this text."""
    try:
        _check(text)
    except (ValueError, KeyError, IndexError, OverflowError) as exc:
        raise ModelFileError(f"lightgbm.txt is not a LightGBM text model ({exc}); it is damaged") from exc


def _check(text: str) -> None:
    start, end = text.find("\nTree=0\n"), text.find("\nend of trees\n")
    if not text.startswith("tree\n") or not text.isascii() or not 0 < start < end:
        raise ValueError("its beginning or its end is missing")
    head = _pairs(text[5:start].split("\n"), _HEAD)
    classes, per_round, columns = (int(head[k]) for k in ("num_class", "num_tree_per_iteration", "max_feature_idx"))
    columns += 1
    sizes = [int(size) for size in head["tree_sizes"].split()]
    objective = _OBJECTIVE.fullmatch(head["objective"])
    if objective is None or head["version"] != "v4" or head["label_index"] != "0":
        raise ValueError(f"version {head['version']!r}, objective {head['objective']!r}")
    if not 1 <= columns <= _MOST_COLUMNS or not 1 <= len(sizes) <= _MOST_TREES:
        raise ValueError("its numbers of columns or trees")
    if classes != per_round or classes != int(objective[3] or 1) or classes < 1 or len(sizes) % classes:
        raise ValueError("its numbers of classes and trees")
    if len(head["feature_names"].split()) != columns or len(head["feature_infos"].split()) != columns:
        raise ValueError("its names of columns")
    place = start + 1
    for number, size in enumerate(sizes):
        block = text[place : place + size] if size > 0 else ""
        if not block.startswith(f"Tree={number}\n") or "\nTree=" in block or not block.endswith("\n"):
            raise ValueError(f"tree {number} is not where it should be")
        _check_tree(_pairs(block.split("\n"), _TREE), columns)
        place += size
    if text[place:].lstrip("\n").partition("\n")[0] != "end of trees":
        raise ValueError("something stands behind its trees")
    for line in text[place:].split("\n"):
        if not _TAIL.fullmatch(line):
            raise ValueError(f"the line {line[:60]!r}")


def _pairs(lines: list[str], known: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if not line:
            continue
        key, equals, value = line.partition("=")
        if not equals or key not in known or key in found:
            raise ValueError(f"the line {line[:60]!r}")
        found[key] = value
    return found


def _check_tree(tree: dict[str, str], columns: int) -> None:
    leaves, categories, linear = (int(tree[key]) for key in _WHOLE)
    if not 1 <= leaves <= _MOST_LEAVES or categories or linear:
        raise ValueError("a tree of a kind this package does not grow")
    inner = leaves - 1
    column, kind, left, right = (_wholes(tree.get(key, ""), inner) for key in _INNER)
    for keys, count in ((_INNER_NUMBERS, inner), (_LEAF_NUMBERS, leaves)):
        for key in keys:
            if key in ("threshold", "leaf_value") or key in tree:
                _numbers(tree.get(key, ""), count, optional=leaves == 1 and key != "leaf_value")
    _numbers(tree["shrinkage"], 1)
    if inner == 0:
        return
    if np.any((column < 0) | (column >= columns)) or np.any(kind & 1) or np.any((kind < 0) | (kind > 11)):
        raise ValueError("a split on a column or of a kind that is not there")
    children = np.concatenate([left, right])
    number = np.concatenate([np.arange(inner)] * 2)
    # daughters stand behind their mother, every node but the first has one mother, every leaf one
    if np.any((children >= 0) & (children <= number)):
        raise ValueError("a tree that goes round in circles")
    if sorted(children.tolist()) != [*range(-leaves, 0), *range(1, inner)]:
        raise ValueError("children outside their tree")


def _wholes(text: str, count: int) -> NDArray[np.int64]:
    found = [int(part) for part in text.split()]
    if len(found) != count:
        raise ValueError("a tree whose rows differ in length")
    return np.array(found, dtype=np.int64)


def _numbers(text: str, count: int, *, optional: bool = False) -> Any:
    found = np.array([float(part) for part in text.split()], dtype=np.float64)
    if (len(found) != count and not (optional and len(found) == 0)) or not np.isfinite(found).all():
        raise ValueError("a tree whose rows differ in length, or hold what is no number")
    return found
