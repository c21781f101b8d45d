"""What a network learns from its training crops without labels: that it helps to say what was painted over, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus.deep.nets.masked import MaskedCrops
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.pretext import pretrain
from isthmus.deep.settings import DeepSettings, PretextSettings
from isthmus.deep.train import TrainSettings
from isthmus.errors import PlanError

torch = pytest.importorskip("torch")

ROW = NETWORKS["resnet10_narrow"]
SETTINGS = TrainSettings(epochs=5, batch=8, patience=50, learning_rate=3e-3, seed=4)
PATIENTS = [f"P{number}" for number in range(24)]


def stripes(size: int = 32) -> np.ndarray:
    """Crops whose stripes go on under what is painted over."""
    rng = np.random.default_rng(3)
    phases = rng.uniform(0, 2 * np.pi, len(PATIENTS))
    rows = np.arange(size)
    return np.stack([np.tile(np.sin(rows / 3 + phase), (size, 1)) for phase in phases])[:, None].astype(np.float32)


def module(classes: int = 2) -> object:
    return build(ROW, 2, channels=1, size=32, classes=classes, seed=1)


def test_shown_places_come_back_as_they_are() -> None:
    """Only what is painted over is predicted: the loss is that of these places, and the same masks judge every epoch."""
    place = ROW.layers[ROW.explained]
    masked = MaskedCrops(module(), lambda maps: maps, place.module, (1, 32, 32), 0.5, 4).eval()
    crops = torch.from_numpy(stripes()[:4])
    with torch.inference_mode():
        out, again = masked(crops), masked(crops)
    changed = (out != crops).reshape(4, 8, 4, 8, 4).movedim(2, 3).reshape(4, 64, 16)
    assert set(changed.all(2).sum(1).tolist()) <= set(range(20, 45))
    assert (changed.all(2) == changed.any(2)).all()
    assert torch.equal(out, again)


def test_it_learns_what_is_there() -> None:
    """The loss on held-out patients falls to well below what the mean of the crop gives."""
    curve = pretrain(module(), ROW, stripes(), PATIENTS, PretextSettings(epochs=12), SETTINGS)
    assert curve["validation_loss"].min() < 0.7 * curve["validation_loss"].iloc[0]


def test_the_head_is_left_alone() -> None:
    """What lies behind the layer has the numbers it was drawn with; the body has not, and twice the same are the same bits."""
    one, two = module(), module()
    for network in (one, two):
        pretrain(network, ROW, stripes(), PATIENTS, PretextSettings(epochs=1), SETTINGS)
    start, found, again = (network.state_dict() for network in (module(), one, two))
    assert torch.equal(found["fc.weight"], start["fc.weight"])
    assert not torch.equal(found["conv1.weight"], start["conv1.weight"])
    assert all(torch.equal(found[name], again[name]) for name in found)


def test_too_small_a_crop() -> None:
    """A map of one place cannot say where something was."""
    small = stripes(16)
    with pytest.raises(PlanError, match="larger crops"):
        pretrain(module(), ROW, small, PATIENTS, PretextSettings(epochs=1), SETTINGS)


@pytest.mark.parametrize(
    ("encoder", "train", "said"),
    [
        ({"network": "resnet10_narrow", "weights": {"origin": "pretrain"}}, None, "give the block train"),
        ({"network": "autoencoder_128", "weights": {"origin": "pretrain"}}, {}, "without labels already"),
        ({"network": "resnet10_narrow", "weights": {"origin": "pretrain", "path": "a.pt"}}, {}, "reads no file"),
        ({"network": "resnet10_narrow", "weights": {"origin": "random", "pretext": {}}}, {}, 'origin = "pretrain"'),
    ],
    ids=str,
)
def test_what_cannot_be_pretrained(encoder: dict[str, object], train: dict[str, object] | None, said: str) -> None:
    """Each is refused with what to say instead."""
    with pytest.raises(ValidationError, match=said):
        DeepSettings.model_validate({"encoder": encoder, **({} if train is None else {"train": train})})
