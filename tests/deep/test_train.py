"""Training: patients stay together, the best epoch is kept, the same seed gives the same bits, a stopped run goes on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter

from isthmus.deep import DeepSettings, Encoder, WeightSettings
from isthmus.deep.augment import AugmentSettings
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.train import CURVE, Trained, TrainSettings, _batches, _class_weights, predict, split_patients, train
from isthmus.deep.weights import fingerprint, load, save
from isthmus.errors import PlanError, TableError, WeightsError
from isthmus.stats.roc import auc

ROW = NETWORKS["resnet10_narrow"]
QUICK: dict[str, Any] = {"epochs": 4, "learning_rate": 3e-3, "device": "cpu"}


def textures(count: int, seed: int, dims: int = 2, size: int = 32) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Crops of mean 0 and deviation 1 that differ in texture only: coarse (1) or fine (0); two of each patient."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count) % 2, 2)
    crops = [gaussian_filter(rng.normal(size=(size,) * dims), 1.0 + 0.6 * label) for label in labels]
    values = np.array([(one - one.mean()) / one.std() for one in crops], np.float32)[:, None]
    return values, labels, [f"P{n // 2}" for n in range(2 * count)]


def network(dims: int = 2, size: int = 32) -> Any:
    return build(ROW, dims, channels=1, size=size, classes=2, seed=5)


def trained(data: Any = None, checkpoint: Path | None = None, **said: Any) -> Trained:
    crops, labels, patients = textures(20, 0) if data is None else data
    return train(
        network(), crops, labels, patients, TrainSettings(**{**QUICK, **said}), heads=ROW.heads, checkpoint=checkpoint
    )


def test_patients_are_split_whole_and_by_class() -> None:
    """No patient in both parts; of each class its share; another seed, another split."""
    _, labels, patients = textures(50, 0)
    held = split_patients(patients, labels, 0.2, seed=1)
    inside, outside = (
        {p for p, h in zip(patients, held, strict=True) if h is np.bool_(part)} for part in (True, False)
    )
    assert not inside & outside
    assert np.bincount(labels[held]).tolist() == [10, 10]
    assert not np.array_equal(held, split_patients(patients, labels, 0.2, seed=2))


def test_one_patient_of_a_class_is_too_few() -> None:
    """The message says how many are needed."""
    with pytest.raises(TableError, match="two patients of every class"):
        split_patients(["a", "b", "c"], np.array([0, 0, 1]), 0.2, seed=1)


def test_a_planted_texture_is_learned() -> None:
    """New patients' textures are told apart."""
    found = trained(textures(40, 1), epochs=12)
    crops, labels, _ = textures(40, 2)
    assert auc(labels, predict(found.module, crops)[:, 1]) > 0.9


def test_the_best_epoch_is_kept() -> None:
    """The module's loss on the held-out crops is the smallest of the curve, and training ends after `patience` epochs without a better."""
    found = trained(epochs=30, patience=2)
    crops, labels, patients = textures(20, 0)
    rows = np.isin(patients, found.validation)
    p = predict(found.module, crops[rows])[np.arange(rows.sum()), labels[rows]]
    assert float(-np.log(p).mean()) == pytest.approx(found.curve["validation_loss"].min(), abs=1e-5)
    assert (list(found.curve.columns), len(found.curve)) == (list(CURVE), min(found.best + 2, 30))


def test_the_same_seed_gives_the_same_bits() -> None:
    """Parameters and curve; the world's random numbers are left alone."""
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first, second, other = trained(epochs=2), trained(epochs=2), trained(epochs=2, seed=7)
    assert fingerprint(first.module) == fingerprint(second.module) != fingerprint(other.module)
    pd.testing.assert_frame_equal(first.curve.drop(columns="seconds"), second.curve.drop(columns="seconds"))
    assert torch.equal(torch.rand(1), expected)


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Two epochs, and two more from the checkpoint, are four; a finished one is not trained again."""
    straight = trained()
    trained(epochs=2, checkpoint=tmp_path / "c.safetensors")
    for _ in range(2):
        resumed = trained(checkpoint=tmp_path / "c.safetensors")
        assert fingerprint(resumed.module) == fingerprint(straight.module)
        pd.testing.assert_frame_equal(resumed.curve.drop(columns="seconds"), straight.curve.drop(columns="seconds"))


def test_checkpoints_of_another_training_are_refused(tmp_path: Path) -> None:
    """Other images or settings, and what is no checkpoint."""
    path = tmp_path / "c.safetensors"
    trained(epochs=1, checkpoint=path)
    for how in ({"learning_rate": 1e-4}, {"data": textures(20, 9)}):
        with pytest.raises(WeightsError, match="the checkpoint of another training"):
            trained(epochs=2, checkpoint=path, **how)
    save(network(), path)
    with pytest.raises(WeightsError, match="not a checkpoint of a training"):
        trained(epochs=2, checkpoint=path)


def test_the_head_alone(tmp_path: Path) -> None:
    """A frozen body keeps every bit, its statistics too, so the trained network's features are those of the file."""
    before = network()
    found = trained(epochs=2, trains="head")
    assert fingerprint(found.module, ("fc",)) == fingerprint(before, ("fc",))
    assert not torch.equal(found.module.fc.weight, before.fc.weight)


def test_heads_must_be_there() -> None:
    """Nothing to train is an error."""
    crops, labels, patients = textures(20, 0)
    with pytest.raises(PlanError, match="needs the names of the heads"):
        train(network(), crops, labels, patients, TrainSettings(**QUICK, trains="head"))


def test_what_was_trained_is_a_weights_file(tmp_path: Path) -> None:
    """Saved, it is read like any other file, for another number of classes too; its first layer is the trained one."""
    found = trained(epochs=1)
    sha256 = save(found.module, tmp_path / "w.safetensors")
    settings = WeightSettings(origin="file", path="w.safetensors", sha256=sha256)
    module, record = load(ROW, settings, dims=2, size=32, base=tmp_path, classes=7)
    assert torch.equal(module.conv1.weight, found.module.conv1.weight)
    assert (module.fc.out_features, record.left_out) == (7, ("fc",))


def test_three_dimensions() -> None:
    """Volumes are trained on, too."""
    crops, labels, patients = textures(8, 0, dims=3, size=16)
    found = train(network(3, 16), crops, labels, patients, TrainSettings(**{**QUICK, "epochs": 1}))
    assert len(found.curve) == 1


def test_class_weights_make_classes_count_the_same() -> None:
    """The sum of the weights over a class's rows is the same for each."""
    labels = np.repeat([0, 1, 2], [30, 10, 2])
    weights = _class_weights(labels, TrainSettings())
    np.testing.assert_allclose(weights * np.bincount(labels), len(labels) / 3, rtol=1e-6)
    assert _class_weights(labels, TrainSettings(imbalance="none")).tolist() == [1, 1, 1]


def test_no_batch_of_one() -> None:
    """The last crop joins the batch before it; every crop is there once."""
    parts = _batches(np.arange(9), 4)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7, 8]]


def test_time_left_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """One line an epoch, with how long it may still take."""
    with caplog.at_level(logging.INFO, logger="isthmus"):
        trained(epochs=2)
    assert [record.getMessage().startswith(f"epoch {n} of 2: loss ") for n, record in enumerate(caplog.records, 1)] == [
        True
    ] * 2
    assert caplog.records[-1].getMessage().endswith("at most 0 s left")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x, y, p: (x, y[:-1], p), "one of each a row"),
        (lambda x, y, p: (x * np.nan, y, p), "not numbers"),
        (lambda x, y, p: (x, y * 0, p), "expected classes 0, 1"),
        (lambda x, y, p: (x, y * 2, p), "expected classes 0, 1"),
    ],
    ids=["lengths", "numbers", "one class", "a gap"],
)
def test_rows_that_do_not_fit(spoil: Any, said: str) -> None:
    """Each is refused with the reason."""
    with pytest.raises(TableError, match=said):
        trained(spoil(*textures(20, 0)))


def blobs(count: int, seed: int, dims: int = 2, size: int = 32) -> np.ndarray:
    """Crops with one soft ball each, anywhere and of any size."""
    rng = np.random.default_rng(seed)
    at = np.indices((size,) * dims)
    found = []
    for _ in range(count):
        centre, radius = rng.uniform(8, size - 8, dims), rng.uniform(3, 8)
        away = sum((a - c) ** 2 for a, c in zip(at, centre, strict=True))
        found.append(np.exp(-away / (2 * radius**2)))
    return np.array(found, np.float32)[:, None]


def test_an_autoencoder_learns_to_give_the_crop_again(tmp_path: Path) -> None:
    """Of crops it has never seen it explains more than half of the variance; its codes are then features like any other, of width 128."""
    row = NETWORKS["autoencoder_128"]
    module = build(row, 2, channels=1, size=32)
    settings = TrainSettings(
        epochs=20, patience=20, learning_rate=3e-3, device="cpu", augment=AugmentSettings(noise=0, contrast=(1, 1))
    )
    found = train(module, blobs(64, 0), None, [f"P{n}" for n in range(64)], settings)
    unseen = blobs(32, 1)
    with torch.inference_mode():
        given = found.module(torch.from_numpy(unseen)).numpy()
    left = ((given - unseen) ** 2).mean() / ((unseen - unseen.mean(axis=0)) ** 2).mean()
    assert left < 0.5
    sha256 = save(found.module, tmp_path / "w.safetensors")
    weights = {"origin": "file", "path": "w.safetensors", "sha256": sha256}
    said = {"encoder": {"network": "autoencoder_128", "weights": weights}, "crop": {"size": 32}}
    encoder = Encoder(DeepSettings.model_validate(said), tmp_path)
    assert encoder.features(unseen).shape == (32, 128)
    assert encoder.record.matched + len(found.module.expand.state_dict()) + len(
        found.module.decoder.state_dict()
    ) == len(found.module.state_dict())


@pytest.mark.parametrize("dims", [2, 3])
def test_what_comes_out_has_the_shape_of_what_went_in(dims: int) -> None:
    """And a code of 256 numbers stands between."""
    module = build(NETWORKS["autoencoder_256"], dims, channels=1, size=16)
    crop = torch.zeros(2, 1, *[16] * dims)
    with torch.inference_mode():
        assert module(crop).shape == crop.shape
        assert module.code(module.encoder(crop).flatten(1)).shape == (2, 256)
