"""Crops of a patient weighed by learned attention: order, padding, one crop, what is learned, what is kept in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from isthmus.deep import CROPS, Autoencoder, Crops, DeepSettings, EncoderSettings, NetworkStep
from isthmus.deep.crop import padded
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.explain import explain, randomisation_check
from isthmus.deep.gather import around, trained_network
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.weights import save
from isthmus.errors import PlanError
from isthmus.stats.roc import auc

RANDOM = {"network": "resnet10_narrow", "weights": {"origin": "random"}}


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with one_torch_thread():
        yield


def gathered(classes: int = 2) -> Any:
    """The network with attention whose scores differ between crops of noise."""
    encoder = EncoderSettings.model_validate(RANDOM)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        whole = around(encoder, build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, classes=1), 32, classes)
        torch.nn.init.normal_(whole.attention.score.weight, std=5.0)
    return whole


def crops(*counts: int, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, 1, 32, 32), scale=rng.uniform(0.5, 3, (n, 1, 1, 1))).astype(np.float32) for n in counts]


def test_the_attention_by_hand() -> None:
    """Softmax of w (tanh(V h) * sigmoid(U h)) over the crops, as the paper's equation 9, and the head on their weighed mean."""
    whole, (one,) = gathered(), crops(4)
    part = whole.attention
    h = whole.features(torch.from_numpy(one)).detach().double().numpy()
    v, vb, u, ub, w = (
        tensor.detach().double().numpy()
        for tensor in (part.content.weight, part.content.bias, part.gate.weight, part.gate.bias, part.score.weight)
    )
    score = (np.tanh(h @ v.T + vb) / (1 + np.exp(-(h @ u.T + ub)))) @ w[0]
    weight = np.exp(score - score.max()) / np.exp(score - score.max()).sum()
    assert weight.max() - weight.min() > 0.05
    expected = (weight @ h) @ whole.head.weight.detach().double().numpy().T + whole.head.bias.detach().double().numpy()
    np.testing.assert_allclose(whole(torch.from_numpy(one)[None]).detach().numpy()[0], expected, rtol=1e-5, atol=1e-6)


def test_order_and_padding_change_nothing() -> None:
    """The same scores for the crops in another order, and beside a patient with more, whatever stands behind the last: to 1e-6."""
    whole, (one, other) = gathered(), crops(3, 5)
    together, lengths = padded([one, other])
    together[0, 3:] = 1e3
    with torch.inference_mode():
        alone = whole(torch.from_numpy(one)[None])[0]
        turned = whole(torch.from_numpy(one[[2, 0, 1]])[None])[0]
        beside = whole(torch.from_numpy(together), torch.from_numpy(lengths))[0]
        fewer = whole(torch.from_numpy(one[:2])[None])[0]
    np.testing.assert_allclose(turned, alone, atol=1e-6)
    np.testing.assert_allclose(beside, alone, atol=1e-6)
    assert (fewer - alone).abs().max() > 1e-4  # a crop that is there does change something


def test_one_crop_is_read_as_without_attention() -> None:
    """The features of a single crop are the bits of the body's own layer."""
    whole, (one,) = gathered(), crops(1)
    kept: list[Any] = []
    whole.body.avgpool.register_forward_hook(lambda *call: kept.append(call[-1].flatten(1)))
    whole.attention.register_forward_hook(lambda *call: kept.append(call[-1]))
    with torch.inference_mode():
        whole(torch.from_numpy(one)[None])
    assert torch.equal(*kept)


def planted(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Two to six crops of noise a patient; in class 1 one of them has a bright square."""
    rng = np.random.default_rng(seed)
    labels, cells = np.arange(n) % 2, []
    for place, label in enumerate(labels):
        values = rng.normal(0.4, 0.1, size=(int(rng.integers(2, 7)), 16, 16))
        if label:
            values[rng.integers(len(values)), 4:12, 4:12] += 0.6
        cells.append(Crops(f"p{place}", values.astype(np.float16)))
    return pd.DataFrame({"a": np.arange(float(n)), CROPS: pd.Series(cells, dtype=object)}), labels


LEARNING = {"epochs": 12, "batch": 8, "learning_rate": 3e-3, "augment": {"probability": 0.0}}


@pytest.fixture(scope="module")
def fitted() -> NetworkStep:
    read, labels = planted(40, 1)
    step = NetworkStep(encoder=RANDOM, train=LEARNING, combine="attention", random_state=42)
    return step.fit(read, labels, groups=np.array([f"p{n}" for n in range(40)]))


def test_it_learns_which_crop_matters(fitted: NetworkStep) -> None:
    """Of new patients with the sign in one crop the score is theirs, and that crop has the largest weight."""
    read, labels = planted(30, 2)
    whole = fitted.module()
    scores, found = [], []
    for cell in read[CROPS]:
        batch = torch.from_numpy(cell.values.astype(np.float32))[:, None]
        with torch.inference_mode():
            out = whole(batch[None])[0]
            rows = whole.features(batch)[None]
            weights = whole.attention.weights(rows, torch.ones(rows.shape[:2], dtype=torch.bool))[0]
        scores.append(float(out[1] - out[0]))
        found.append(int(weights.argmax()) == int(cell.values[:, 4:12, 4:12].astype(float).mean((1, 2)).argmax()))
    assert auc(labels == 1, np.array(scores)) > 0.95
    assert np.mean(np.array(found)[labels == 1]) > 0.8


def test_kept_in_a_file(fitted: NetworkStep) -> None:
    """The model's state gives the network again, to the bit; a patient alone has the values he has among others."""
    read, _ = planted(6, 3)
    again = NetworkStep.from_state(json.loads(json.dumps(fitted.to_state())))
    expected = fitted.transform(read).drop(columns=CROPS)
    pd.testing.assert_frame_equal(again.transform(read).drop(columns=CROPS), expected, check_exact=True)
    alone = again.transform(read.iloc[[4]]).drop(columns=CROPS)
    pd.testing.assert_frame_equal(alone, expected.iloc[[4]], check_exact=True)


def test_where_it_looks(fitted: NetworkStep) -> None:
    """Grad-CAM maps every crop on one scale, that of the bright square highest, and depends on what was learned."""
    network, cell = fitted.trained_network(), planted(4, 2)[0][CROPS][1]
    batch = cell.values.astype(np.float32)[:, None]
    found = explain(fitted.module(), network, batch, target=1, layer="layer1")
    assert found.map.shape == cell.values.shape
    assert len(found.probability) == 1
    assert found.map.max(axis=(1, 2)).argmax() == cell.values[:, 4:12, 4:12].astype(float).mean((1, 2)).argmax()
    table = randomisation_check(fitted.module(), network, batch, target=1, layer="layer1", steps=1, draws=1)
    assert table["spearman"].iloc[0] == 1


def test_training_starts_from_a_file_of_the_plain_network(tmp_path: Path) -> None:
    """With steps of no size the body is still that of the file, which knows nothing of attention."""
    path = tmp_path / "w.safetensors"
    module = build(NETWORKS["resnet10_narrow"], 2, channels=1, size=16, seed=9)
    sha256 = save(module, path)
    encoder = {**RANDOM, "weights": {"origin": "file", "path": "elsewhere", "sha256": sha256}}
    learning = {"epochs": 1, "batch": 8, "learning_rate": 1e-30, "weight_decay": 0}
    read, labels = planted(12, 1)
    read[CROPS] = pd.Series([Crops(cell.patient, cell.values, str(path)) for cell in read[CROPS]], dtype=object)
    step = NetworkStep(encoder=encoder, train=learning, combine="attention").fit(read, labels)
    assert torch.equal(step.module().body.layer4[0].conv1.weight, module.layer4[0].conv1.weight)


def test_it_may_stand_behind_attention_over_places_and_in_three_dimensions() -> None:
    """CBAM in the body, a map that is flattened, a volume: the width is what the layer gives."""
    for said, size, width in (
        ({"attention": True, "dims": 3}, 16, 64),
        ({"layer": "layer3", "pooling": "flatten"}, 32, 32 * 2 * 2),
    ):
        encoder = EncoderSettings.model_validate({**RANDOM, **said})
        network, _, _ = trained_network(encoder, "attention")
        module = build(network, encoder.dims, channels=1, size=size, classes=3)
        with torch.inference_mode():
            out = module(torch.zeros(2, 3, 1, *[size] * encoder.dims))
        assert (out.shape, module.head.in_features) == ((2, 3), width)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"encoder": RANDOM}, "give the block train"),
        ({"encoder": {**RANDOM, "network": "autoencoder_128"}, "train": {}}, "crop by crop"),
        ({"encoder": {**RANDOM, "network": "cnn_lstm"}, "train": {}, "crop": {"slices": "all"}}, "reads sequences"),
    ],
    ids=["frozen", "autoencoder", "sequence"],
)
def test_what_cannot_learn_it_is_refused(document: dict[str, Any], said: str) -> None:
    """It is learned with the outcome, from networks that read crop by crop."""
    crop = {**document.get("crop", {}), "combine": "attention"}
    with pytest.raises(ValidationError, match=said):
        DeepSettings.model_validate({**document, "crop": crop})


def test_an_autoencoder_step_refuses_it() -> None:
    """The step says so, too, where it is used without a plan."""
    step = Autoencoder(encoder={**RANDOM, "network": "autoencoder_128"}, combine="attention")
    with pytest.raises(PlanError, match="learns without the outcome"):
        step.check_settings()
