"""The variational autoencoder: its divergence is torch's, its code is the mean, it trains, and its code is read as features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from isthmus.deep import DeepSettings, Encoder
from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.train import TrainSettings, train
from isthmus.deep.weights import save

ROW = NETWORKS["autoencoder_128_variational"]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    with one_torch_thread():
        yield


def crops(n: int, dims: int = 2) -> np.ndarray:
    """Smooth waves between 0 and 1."""
    rng = np.random.default_rng(n)
    axis = np.linspace(0, 6, 16)
    grid = sum(np.meshgrid(*[axis] * dims, indexing="ij"))
    waves = [0.5 + 0.4 * np.sin(rng.uniform(0.5, 1.5) * grid + rng.uniform(0, 6)) for _ in range(n)]
    return np.stack(waves)[:, None].astype(np.float32)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_divergence_is_that_of_two_normals(dims: int) -> None:
    """2 noise^2 / values times torch's Kullback-Leibler divergence, mean over the crops."""
    module = build(ROW, dims, channels=1, size=16)
    x = torch.from_numpy(crops(3, dims))
    with torch.inference_mode():
        module(x)
        inner = module.encoder(x).flatten(1)
        code = Normal(module.code(inner), (module.spread(inner) / 2).exp())
        expected = kl_divergence(code, Normal(0.0, 1.0)).sum(1).mean() * 2 * 0.1**2 / 16**dims
    assert float(module.divergence) == pytest.approx(float(expected), rel=1e-5)


def test_the_code_is_the_mean_in_use_and_drawn_in_training() -> None:
    """In evaluation mode the same bits twice; in training mode not, and their deviation is the learned one."""
    module, x = build(ROW, 2, channels=1, size=16), torch.from_numpy(crops(2))
    with torch.no_grad():
        assert torch.equal(module(x), module(x))
        module.train()
        seen: list[Any] = []
        module.expand.register_forward_hook(lambda part, given, out: seen.append(given[0].clone()))
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.eval()
        torch.manual_seed(1)
        for _ in range(400):
            module(x[:1])
        inner = module.encoder(x[:1]).flatten(1)
        drawn = torch.cat(seen)
        apart = (drawn - module.code(inner)) / (module.spread(inner) / 2).exp()
    assert abs(float(apart.mean())) < 0.02
    assert float(apart.std()) == pytest.approx(1, abs=0.02)


def test_it_trains_to_a_smaller_bound_and_gives_features(tmp_path: Path) -> None:
    """Loss with divergence falls, the same twice; the saved code has 128 features, the mean of the module's."""
    shown, patients = crops(24), [f"p{i}" for i in range(24)]
    said = TrainSettings(epochs=6, batch=8, learning_rate=3e-3)
    first, second = (train(build(ROW, 2, channels=1, size=16), shown, None, patients, said) for _ in range(2))
    assert first.curve.drop(columns="seconds").equals(second.curve.drop(columns="seconds"))
    assert first.curve["validation_loss"].min() < 0.8 * first.curve["validation_loss"].iloc[0]
    sha256 = save(first.module, tmp_path / "w.safetensors")
    weights = {"origin": "file", "path": "w.safetensors", "sha256": sha256}
    settings = DeepSettings.model_validate({"encoder": {"network": ROW.name, "weights": weights}, "crop": {"size": 16}})
    with torch.inference_mode():
        expected = first.module.code(first.module.encoder(torch.from_numpy(shown)).flatten(1)).numpy()
    np.testing.assert_allclose(Encoder(settings, tmp_path).features(shown), expected, atol=1e-6)


def test_the_divergence_is_part_of_the_loss() -> None:
    """The first validation loss is the mean squared difference and the divergence of the held-out crops."""
    from isthmus.deep.train import split_patients

    shown, patients = crops(12), [f"p{i}" for i in range(12)]
    said = TrainSettings(epochs=1, batch=8)
    found = train(build(ROW, 2, channels=1, size=16), shown, None, patients, said)
    held = torch.from_numpy(shown[split_patients(patients, np.zeros(12, int), 0.2, 42)])
    with torch.inference_mode():
        expected = torch.nn.functional.mse_loss(found.module(held), held) + found.module.divergence
    assert found.curve["validation_loss"].iloc[0] == pytest.approx(float(expected), rel=1e-5)
