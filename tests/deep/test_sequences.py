"""Sequences of slices: padding changes nothing, order and length matter, features and training take lesions of any number of slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from isthmus.deep import DeepSettings, Encoder, seen
from isthmus.deep.augment import AugmentSettings, augment
from isthmus.deep.crop import padded
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.train import TrainSettings, _changed, predict, train
from isthmus.deep.weights import save
from isthmus.errors import TableError
from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from isthmus.stats.roc import auc


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with one_torch_thread():
        yield


def lesions(*slices: int, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, 1, 32, 32)).astype(np.float32) for n in slices]


def module(classes: int = 2) -> Any:
    return build(NETWORKS["cnn_lstm"], 2, channels=1, size=32, classes=classes)


def lively() -> Any:
    """One whose slices differ much for the LSTM, as those of a trained one do: what is wrong with their order or number shows."""
    network = module()
    with torch.no_grad():
        spread = network.slices(torch.from_numpy(lesions(8)[0])).mean((2, 3)).std(0).mean()
        for name in ("weight_ih_l0", "weight_ih_l0_reverse"):
            getattr(network.lstm, name).mul_(1 / spread)
    return network


def settings(**said: Any) -> DeepSettings:
    encoder = {"network": "cnn_lstm", "weights": {"origin": "random"}, **said}
    return DeepSettings.model_validate({"encoder": encoder, "crop": {"size": 32, "slices": "all"}})


def test_padding_changes_nothing() -> None:
    """A lesion alone, and beside longer ones with anything behind its last slice: the same scores to 1e-6."""
    one, *others = lesions(2, 5, 3)
    crops, lengths = padded([one, *others])
    crops[0, 2:] = 1e3
    with torch.inference_mode():
        network = lively()
        alone = network(torch.from_numpy(one)[None])
        together = network(torch.from_numpy(crops), torch.from_numpy(lengths))
        longer = network(torch.from_numpy(crops[:1, :3]))
    np.testing.assert_allclose(together[0], alone[0], atol=1e-6)
    assert (longer[0] - alone[0]).abs().max() > 1e-3  # a slice that is there does change something


def test_padding_changes_nothing_in_training() -> None:
    """Batch norm sees real slices only: the gradients are the same with another padding."""
    crops, lengths = padded(lesions(2, 5, 3))
    gradients = []
    for fill in (0.0, 7.0):
        for place, length in zip(crops, lengths, strict=True):
            place[length:] = fill
        network = lively().train()
        network.dropout.p = 0.0
        network(torch.from_numpy(crops), torch.from_numpy(lengths)).square().sum().backward()
        gradients.append(torch.cat([one.grad.flatten() for one in network.parameters()]))
    assert torch.equal(*gradients)


def test_the_lstm_and_its_attention_by_hand() -> None:
    """256 numbers: the states of both directions, from torch's single cells, weighed by the softmax of their scores."""
    network, (lesion,) = lively(), lesions(4)
    with torch.inference_mode():
        steps = network.slices(torch.from_numpy(lesion)).mean((2, 3))
        states = []
        for suffix, order in (("", range(4)), ("_reverse", range(3, -1, -1))):
            cell = torch.nn.LSTMCell(128, 128)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, name).copy_(getattr(network.lstm, f"{name}_l0{suffix}"))
            h = c = torch.zeros(1, 128)
            found: dict[int, Any] = {}
            for k in order:
                h, c = cell(steps[k : k + 1], (h, c))
                found[k] = h[0]
            states.append(torch.stack([found[k] for k in range(4)]))
        joint = torch.cat(states, 1)
        weights = network.attention.score(joint)[:, 0].softmax(0)
        expected = (weights[:, None] * joint).sum(0)
        np.testing.assert_allclose(network(torch.from_numpy(lesion)[None])[0], network.head(expected), atol=1e-6)
        turned = network(torch.from_numpy(lesion[::-1].copy())[None])[0]
        assert (turned - network.head(expected)).abs().max() > 1e-4  # the order matters
        assert expected.shape == (256,)


def test_features_are_256_a_lesion_whatever_lies_beside_it() -> None:
    """One lesion at a time and all at once, to 1e-5."""
    several = lesions(3, 1, 6, 2)
    one, all_ = (Encoder(settings(batch=n)).describe(several) for n in (1, 16))
    assert all_.shape == (4, 256)
    np.testing.assert_allclose(one, all_, atol=1e-5)


def test_maps_of_slices_are_combined() -> None:
    """The layer before the LSTM gives a row a slice, whose mean is the lesion's."""
    several = lesions(3, 2)
    encoder = Encoder(settings(layer="slices"))
    with torch.inference_mode():
        expected = [encoder.module.slices(torch.from_numpy(one)).mean((0, 2, 3)).numpy() for one in several]
    np.testing.assert_allclose(encoder.describe(several), expected, atol=1e-6)


def test_slices_of_the_image_become_the_sequence(tmp_path: Path) -> None:
    """As many as the lesion has and the crop asks for, through a saved file; the columns say so."""
    rng = np.random.default_rng(3)
    geometry = Geometry((6, 20, 20), (3.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape, bool)
    mask[1:5, 5:15, 5:15] = True
    sha256 = save(module(), tmp_path / "w.safetensors")
    said = settings(weights={"origin": "file", "path": "w.safetensors", "sha256": sha256})
    crops = seen(Image(rng.normal(size=geometry.shape), geometry), Roi(mask, geometry), said)
    encoder = Encoder(said, tmp_path)
    assert (crops.shape, encoder.width) == ((4, 1, 32, 32), 256)
    np.testing.assert_allclose(encoder.describe([crops]), Encoder(settings()).describe([crops]), atol=0)
    assert encoder.columns()[0].parameter.endswith("slices: all, as a sequence")


def test_one_slice_is_no_sequence() -> None:
    """The default, the largest slice, is refused with what to say."""
    with pytest.raises(ValidationError, match=r'crop\.slices = "all"'):
        DeepSettings.model_validate({"encoder": {"network": "cnn_lstm", "weights": {"origin": "random"}}})


def test_slices_of_a_lesion_are_changed_alike() -> None:
    """The changes of training move all slices by one matrix: equal slices stay equal, but for the noise."""
    batch = torch.from_numpy(np.stack([np.repeat(one[:1], 3, 0) for one in lesions(1, 1)]))
    found = _changed(batch, AugmentSettings(noise=0.0), torch.Generator().manual_seed(1), True)
    assert found.shape == batch.shape
    assert not torch.equal(found, batch)
    np.testing.assert_allclose(found[:, 0], found[:, 2], atol=1e-6)
    alone = augment(batch[:, 0], AugmentSettings(noise=0.0), torch.Generator().manual_seed(1))
    assert alone.shape == (2, 1, 32, 32)


def rising(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Two to four slices of the same means, which rise along the lesion in class 1 and fall in class 0: only their order tells."""
    rng = np.random.default_rng(seed)
    labels, found = np.arange(n) % 2, []
    for label in labels:
        count = int(rng.integers(2, 5))
        level = np.linspace(-1, 1, count) * (1 if label else -1)
        found.append((rng.normal(scale=0.2, size=(count, 1, 32, 32)) + level[:, None, None, None]).astype(np.float32))
    return *padded(found), labels, [f"p{i}" for i in range(n)]


def test_an_order_of_slices_is_learned_and_resumed(tmp_path: Path) -> None:
    """New lesions that differ in the order of their slices only are told apart; a stopped run goes on to the same bits."""
    crops, lengths, labels, patients = rising(40, 1)
    calm = AugmentSettings(probability=0.0)

    def run(epochs: int, checkpoint: Path | None = None) -> Any:
        said = TrainSettings(epochs=epochs, batch=8, learning_rate=3e-3, augment=calm)
        return train(module(), crops, labels, patients, said, lengths=lengths, checkpoint=checkpoint)

    whole = run(6)
    run(3, tmp_path / "c.safetensors")
    again = run(6, tmp_path / "c.safetensors")
    assert whole.curve.drop(columns="seconds").equals(again.curve.drop(columns="seconds"))
    new = rising(30, 2)
    assert auc(new[2], predict(whole.module, new[0], lengths=new[1])[:, 1]) > 0.9


def test_lengths_must_fit() -> None:
    """More slices than there are, and none at all, are refused."""
    crops, lengths, labels, patients = rising(8, 1)
    for wrong in (lengths + 9, lengths * 0, lengths[1:]):
        with pytest.raises(TableError, match="lengths must say"):
            train(module(), crops, labels, patients, TrainSettings(), lengths=wrong)


def test_a_sequence_is_trained_inside_a_fold() -> None:
    """The step of a plan trains on lesions of several lengths, gives one row each, and tells new lesions apart by the order of slices."""
    from isthmus.deep.step import Crops, NetworkStep

    def frame(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
        crops, lengths, labels, patients = rising(40, seed)
        cells = [
            Crops(name, one[:n, 0].astype(np.float16)) for name, one, n in zip(patients, crops, lengths, strict=True)
        ]
        return pd.DataFrame({"age": np.arange(40.0), "@crops": cells}, index=patients), labels

    read, labels = frame(1)
    encoder = {"network": "cnn_lstm", "weights": {"origin": "random"}}
    learning = {"epochs": 6, "batch": 8, "learning_rate": 3e-3, "augment": {"probability": 0.0}}
    step = NetworkStep(encoder=encoder, train=learning, makes="score", folds=2, random_state=42)
    step.fit(read, labels, groups=read.index.to_numpy())
    new, truth = frame(2)
    found = step.transform(new)["deep_cnn_lstm_score"]
    assert auc(truth, found.to_numpy()) > 0.9
    alone = step.transform(new.iloc[[3]])["deep_cnn_lstm_score"]
    assert alone.iloc[0] == found.iloc[3]
