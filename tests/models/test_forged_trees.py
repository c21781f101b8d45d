"""Model files whose trees were altered on purpose, checksums put right: an error in words, never a crash or an endless walk."""

from __future__ import annotations

import json
import re

import pytest

from isthmus import models
from isthmus.errors import ModelFileError
from isthmus.models.lightgbm_text import check_text
from study.model_files import small_model
from validate.drawn import STEPS


@pytest.fixture(scope="module")
def text() -> str:
    return models.save_pipeline(small_model("lightgbm").pipeline)["lightgbm.txt"].decode()


def line(text: str, key: str, new, tree: int = 0) -> str:
    """The text with a line of one tree changed, `tree_sizes` put right."""
    place = text.index(f"Tree={tree}\n")
    at = text.index(f"\n{key}=", place) + 1
    end = text.index("\n", at)
    value = text[at:end].partition("=")[2]
    changed = f"{key}={new(value)}"
    sizes = re.search(r"tree_sizes=(.*)", text)
    assert sizes is not None
    numbers = [int(size) for size in sizes[1].split()]
    numbers[tree] += len(changed) - (end - at)
    altered = text[:at] + changed + text[end:]
    return altered.replace(sizes[0], "tree_sizes=" + " ".join(map(str, numbers)))


def _first(new: str):
    return lambda value: " ".join([new, *value.split()[1:]])


def test_what_lightgbm_writes_passes(text):
    """A text as it was written is accepted."""
    check_text(text)


@pytest.mark.parametrize(
    ("key", "new"),
    [
        ("left_child", _first("1000000")),
        ("left_child", _first("-1000000")),
        ("left_child", _first("0")),
        ("right_child", _first("-1")),
        ("split_feature", _first("99")),
        ("split_feature", _first("-2")),
        ("split_feature", _first("x")),
        ("threshold", _first("nan")),
        ("threshold", lambda v: v + " 1"),
        ("leaf_value", _first("inf")),
        ("leaf_value", lambda v: v.rpartition(" ")[0]),
        ("decision_type", _first("1")),
        ("num_leaves", lambda v: "2000000000"),
        ("num_leaves", lambda v: "-1"),
        ("num_cat", lambda v: "1"),
        ("is_linear", lambda v: "1"),
        ("shrinkage", lambda v: v + "\ncat_boundaries=0 1"),
    ],
)
def test_a_forged_tree_of_lightgbm(text, key, new):
    """Children out of bounds or in circles, columns that are not there, rows of other lengths: refused before LightGBM sees them."""
    with pytest.raises(ModelFileError, match=r"lightgbm.txt is not"):
        check_text(line(text, key, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"tree_sizes=\d+", "tree_sizes=999999999"),
        (r"tree_sizes=\d+", "tree_sizes=-5"),
        (r"tree_sizes=.*", "tree_sizes="),
        (r"max_feature_idx=\d+", "max_feature_idx=2000000000"),
        (r"max_feature_idx=\d+", "max_feature_idx=-1"),
        (r"num_class=1", "num_class=9"),
        (r"objective=binary sigmoid:1", "objective=custom"),
        (r"version=v4", "version=v9"),
        (r"end of trees", "end"),
        (r"pandas_categorical:.*", "pandas_categorical:[[[1]]]"),
        (r"\[boosting: gbdt\]", "x" * 1000),
        (r"Tree=1\n", "Tree=7\n"),
    ],
)
def test_a_forged_head_of_lightgbm(text, old, new):
    """Sizes, counts and sections that do not fit the trees are refused."""
    assert re.search(old, text)
    with pytest.raises(ModelFileError, match=r"lightgbm.txt is not"):
        check_text(re.sub(old, new, text, count=1))


def _set(key: str, value):
    def change(tree):
        tree[key] = value if not callable(value) else value(tree[key])

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("left_children", lambda v: [10**6, *v[1:]]),
        _set("left_children", lambda v: [0, *v[1:]]),
        _set("right_children", lambda v: v[:-1]),
        _set("split_indices", lambda v: [99, *v[1:]]),
        _set("split_type", lambda v: [1, *v[1:]]),
        _set("tree_param", {"num_nodes": "1000000000"}),
        _set("parents", lambda v: [0] * len(v)),
        _set("categories", [1, 2]),
    ],
)
def test_a_forged_tree_of_xgboost(change):
    """The same for XGBoost's JSON."""
    pytest.importorskip("xgboost")
    files = models.save_pipeline(small_model("xgboost").pipeline)
    held = json.loads(files["xgboost.json"])
    trees = held["learner"]["gradient_booster"]["model"]["trees"]
    change(next(tree for tree in trees if len(tree["left_children"]) > 3))
    with pytest.raises(ModelFileError, match="trees do not fit together|not an XGBoost model"):
        models.load_pipeline({**files, "xgboost.json": json.dumps(held).encode()}, steps=STEPS)
