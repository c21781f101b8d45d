"""A network as a step: where it starts, what it gives, and how crops of one patient come together."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.deep import CROPS, Crops, NetworkStep
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.weights import save
from isthmus.errors import ModelFileError, PlanError, TableError

EVENTS = np.arange(16) % 2
RANDOM = {"network": "resnet10_narrow", "weights": {"origin": "random"}}


def rows(start: str | None = None) -> pd.DataFrame:
    """Sixteen patients with one or two crops of noise, and one without any."""
    rng = np.random.default_rng(4)
    cells: list[Crops | None] = [
        Crops(f"p{n}", rng.random((1 + n % 2, 16, 16)).astype(np.float16), start) for n in range(16)
    ]
    cells[5] = None
    return pd.DataFrame({"a": np.arange(16.0), CROPS: pd.Series(cells, dtype=object)})


def step(**settings: Any) -> NetworkStep:
    return NetworkStep(**{"encoder": RANDOM, "train": {"epochs": 1, "batch": 8}, **settings})


def test_training_starts_from_the_file(tmp_path: Path) -> None:
    """With steps of no size the parameters are still those of the file that the crops name, and the file is not needed afterwards."""
    import safetensors.torch

    path = tmp_path / "w.safetensors"
    module = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=16, seed=9)
    sha256 = save(module, path)
    encoder = {**RANDOM, "weights": {"origin": "file", "path": "elsewhere", "sha256": sha256}}
    train = {"epochs": 1, "batch": 8, "learning_rate": 1e-30, "weight_decay": 0}
    fitted = step(encoder=encoder, train=train).fit(rows(str(path)), EVENTS)
    held = safetensors.torch.load(base64.b64decode(fitted.network_))
    assert bool((held["layer3.0.conv1.weight"] == module.state_dict()["layer3.0.conv1.weight"]).all())
    path.unlink()
    again = NetworkStep.from_state(json.loads(json.dumps(fitted.to_state())))
    pd.testing.assert_frame_equal(
        again.transform(rows()).drop(columns=CROPS), fitted.transform(rows()).drop(columns=CROPS)
    )


def test_a_row_without_crops_has_no_values() -> None:
    """It trains nothing, and gets NaN in every column."""
    made = step().fit(rows(), EVENTS).transform(rows()).drop(columns=["a", CROPS])
    assert made.isna().any(axis=1).tolist() == [n == 5 for n in range(16)]


def test_several_crops_are_combined_as_said() -> None:
    """The largest score of two crops is at least their mean, and differs from it."""
    mean, largest = (
        step(combine=how, makes="score", folds=2).fit(rows(), EVENTS).transform(rows()).iloc[:, 1]
        for how in ("mean", "max")
    )
    assert bool((largest >= mean).drop(index=5).all())
    assert bool((largest > mean).loc[[1, 3, 7, 9]].all())


def test_the_rows_of_a_patient_are_together_in_inner_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network that gives a training score has seen another row of the same patient."""
    seen: list[set[str]] = []
    train = NetworkStep._trained

    def watched(self: NetworkStep, cells: Any, labels: Any, patients: Any, seed: int) -> Any:
        seen.append(set(map(str, patients)))
        return train(self, cells, labels, patients, seed)

    monkeypatch.setattr(NetworkStep, "_trained", watched)
    twice = np.repeat([f"p{n}" for n in range(8)], 2)
    events = np.repeat(np.arange(8) % 2, 2)
    frame = rows()
    frame[CROPS] = [cell or frame[CROPS][0] for cell in frame[CROPS]]
    step(makes="score", folds=2).fit(frame, events, groups=twice)
    every, *inner = seen
    assert len(every) == 8
    assert [len(one) for one in inner] == [4, 4]
    assert not set.intersection(*inner)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"encoder": None}, "needs encoder"),
        ({"encoder": {**RANDOM, "network": "autoencoder_128"}}, "trained by the step 'autoencoder'"),
        ({"train": {"epochs": "many"}}, "train.epochs"),
        ({"makes": "risk"}, "expected features or score"),
        ({"combine": "median"}, "expected mean or max"),
        ({"folds": 1}, "from 2 on"),
    ],
    ids=str,
)
def test_settings_that_cannot_be(settings: dict[str, Any], said: str) -> None:
    """Each is refused with the setting and what was expected."""
    with pytest.raises(PlanError, match=said):
        step(**settings).check_settings()


def test_three_classes_have_two_scores() -> None:
    """The log odds of each class but the first, against the first; training rows get those of networks that did not see them."""
    fitted = step(makes="score", folds=2)
    inside = fitted.fit_transform(rows(), np.arange(16) % 3)
    names = [f"deep_resnet10_narrow_score_{place}" for place in (1, 2)]
    assert [name for name in inside if name in names] == names
    assert not np.allclose(inside[names], fitted.transform(rows())[names])


def test_something_else_in_the_column_is_refused() -> None:
    """The step says what it reads."""
    with pytest.raises(TableError, match="reads Crops"):
        step().fit(rows().assign(**{CROPS: "no crop"}), EVENTS)


def test_features_of_training_rows_are_those_of_any_row() -> None:
    """Only scores have values of their own for the rows the step was fitted on."""
    fitted = step().fit(rows(), EVENTS)
    assert fitted.inside(rows()[[CROPS]]) is None


def test_a_forged_size_is_refused() -> None:
    """What a model file says of its network builds none that no computer can hold."""
    state = step().fit(rows(), EVENTS).to_state()
    forged = NetworkStep.from_state({**state, "learned": {**state["learned"], "size_": 10**6}})
    with pytest.raises(ModelFileError, match="the file is damaged"):
        forged.transform(rows())


def test_a_pretrained_network_starts_from_its_training_crops() -> None:
    """It first learns from the crops of its training rows without their outcome, says how, and starts elsewhere than random numbers."""
    rng = np.random.default_rng(2)
    cells = [Crops(f"p{n}", rng.random((1, 32, 32)).astype(np.float16)) for n in range(16)]
    frame = pd.DataFrame({"a": np.arange(16.0), CROPS: pd.Series(cells, dtype=object)})
    weights = {"origin": "pretrain", "pretext": {"epochs": 2}}
    fitted = step(encoder={**RANDOM, "weights": weights}).fit(frame, EVENTS)
    stages = [row["stage"] for row in fitted.learning()]
    assert stages == ["pretext", "pretext", "training"]
    assert fitted.network_ != step().fit(frame, EVENTS).network_
    again = NetworkStep.from_state(json.loads(json.dumps(fitted.to_state())))
    pd.testing.assert_frame_equal(again.transform(frame), fitted.transform(frame))
