"""Contents altered at random, checksums and seal put right: a model that still computes the same, or an error in words."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.errors import ModelFileError
from isthmus.study import Model
from isthmus.study.sealed import open_sealed
from study.model_files import estimators, small_model
from study.test_model_file import packed

QUICK = ["lightgbm", "random_forest", "stacking", "xgboost"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, held in inside for place in places(held, (*path, key)))]


def altered(name: str, content: bytes, rng: random.Random) -> bytes:
    """The content of a file with one thing in it another."""
    if name.endswith(".json"):
        document = json.loads(content)
        *way, last = rng.choice(places(document)[1:])
        held = document
        for key in way:
            held = held[key]
        held[last] = rng.choice(
            [None, -1, 1e308, 10**9, "x", [], {}, "0x1p+5", [1, 2, 3], True, {"array": [1.0], "shape": [9]}]
        )
        return json.dumps(document).encode()
    if name.endswith(".npz"):
        with np.load(io.BytesIO(content)) as stored:
            arrays = {key: stored[key] for key in stored.files}
        key = rng.choice(sorted(arrays))
        array = arrays[key].copy()
        if rng.random() < 0.4 and array.size:
            array.flat[rng.randrange(array.size)] = rng.choice([-1, 10**9, 0, 3])
        else:
            with np.errstate(over="ignore"):
                narrow = array.astype(np.float32)
            array = rng.choice([array[:-1], narrow, np.zeros((0,) * array.ndim)])
        arrays[key] = array
        held = io.BytesIO()
        np.savez_compressed(held, **arrays)
        return held.getvalue()
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] = rng.choice(b"0123456789-. \nabc=")
    return bytes(changed)


def try_all(estimator: str, number: int, folder: Path) -> tuple[int, int]:
    """How many of so many altered files were refused, and how many read."""
    rng = random.Random(estimator)
    small_model(estimator).save(folder / "whole")
    files = open_sealed((folder / "whole").read_bytes())
    refused = read = 0
    for _ in range(number):
        name = rng.choice(sorted(set(files) - {"card.md"}))
        (folder / "forged").write_bytes(packed({**files, name: altered(name, files[name], rng)}))
        try:
            Model.load(folder / "forged").check_trial()
            read += 1
        except ModelFileError:
            refused += 1
    return refused, read


@pytest.mark.parametrize("estimator", QUICK)
def test_a_forged_file_is_at_worst_an_error(estimator, tmp_path):
    """Twelve altered files: every one refused as a model file, or it predicts what the original does; most are refused."""
    refused, read = try_all(estimator, 12, tmp_path)
    assert refused + read == 12
    assert refused > read


@pytest.mark.slow
@pytest.mark.parametrize("estimator", estimators())
def test_many_forged_files(estimator, tmp_path):
    """The same with two hundred files of every estimator."""
    assert sum(try_all(estimator, 200, tmp_path)) == 200
