"""Random changes of crops do what their names say, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from isthmus.deep.augment import AugmentSettings, _matrices, augment

STILL: dict[str, Any] = {
    "probability": 1, "scale": (1, 1), "rotation_deg": 0, "shift": 0, "shear": 0, "contrast": (1, 1), "noise": 0,
}  # fmt: skip


def smooth(dims: int = 2, size: int = 24, count: int = 3) -> torch.Tensor:
    """Waves that linear interpolation hardly changes."""
    at = torch.meshgrid(*[torch.linspace(0, 1, size)] * dims, indexing="ij")
    return torch.stack([sum(((1 + n + k) * a).sin() for k, a in enumerate(at)) for n in range(count)])[:, None]


def changed(batch: torch.Tensor, seed: int = 0, **said: Any) -> torch.Tensor:
    return augment(batch, AugmentSettings(**{**STILL, **said}), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dims", [2, 3])
def test_nothing_asked_nothing_done(dims: int) -> None:
    """Limits that allow no change give the crop, and a probability of 0 gives its bits."""
    batch = smooth(dims)
    torch.testing.assert_close(changed(batch), batch, atol=1e-5, rtol=0)
    torch.testing.assert_close(changed(batch, probability=0, noise=9, rotation_deg=90), batch, atol=1e-6, rtol=0)


def test_the_same_seed_the_same_change() -> None:
    """And another seed another."""
    batch, how = smooth(), {"rotation_deg": 20, "noise": 0.1}
    assert torch.equal(changed(batch, 3, **how), changed(batch, 3, **how))
    assert not torch.equal(changed(batch, 3, **how), changed(batch, 4, **how))


def test_each_crop_draws_its_own() -> None:
    """Three copies of one crop come out as three crops."""
    batch = smooth(count=1).repeat(3, 1, 1, 1)
    found = changed(batch, rotation_deg=30)
    assert float((found[0] - found[1]).abs().max()) > 0.01


@pytest.mark.parametrize("dims", [2, 3])
def test_turns_and_mirrors_keep_volumes(dims: int) -> None:
    """The determinant is 1 without scale, and 1 by the factor's power with it: a factor of 2 shows half of each side."""

    def drawn(low: float, high: float, *more: int) -> torch.Tensor:
        return torch.rand((50, *more), generator=torch.Generator().manual_seed(1)) * (high - low) + low

    turned = _matrices(drawn, dims, AugmentSettings(**{**STILL, "rotation_deg": 40, "flip": (0, 1)}))[:, :, :dims]
    larger = _matrices(drawn, dims, AugmentSettings(**{**STILL, "rotation_deg": 40, "scale": (2, 2)}))[:, :, :dims]
    torch.testing.assert_close(torch.linalg.det(turned).abs(), torch.ones(50))
    torch.testing.assert_close(torch.linalg.det(larger), torch.full((50,), 0.5**dims))


def test_a_larger_scale_shows_the_middle() -> None:
    """At a factor of 2, a ramp is half as steep and its middle stays."""
    ramp = torch.linspace(-1, 1, 33).expand(1, 1, 33, 33)
    found = changed(ramp, scale=(2, 2))[0, 0]
    np.testing.assert_allclose(found[5].numpy(), (ramp[0, 0, 5] / 2).numpy(), atol=1e-5)


def test_a_shift_is_a_part_of_the_side() -> None:
    """Never more than its limit, along both axes, and of different sizes."""
    ramp = torch.linspace(0, 1, 64).expand(40, 1, 64, 64)
    for batch in (ramp, ramp.transpose(2, 3)):
        moved = (changed(batch, shift=0.1) - batch)[:, 0, 32, 32]
        assert 0.05 < float(moved.abs().max()) < 0.1 * 64 / 63 + 1e-4


def test_a_mirror_is_a_mirror() -> None:
    """Along the axis named; about half of the crops."""
    batch = smooth(count=1).repeat(40, 1, 1, 1)
    found = changed(batch, flip=(0,))
    mirrored = [float((one - batch[0].flip(1)).abs().max()) < 1e-5 for one in found]
    same = [float((one - batch[0]).abs().max()) < 1e-5 for one in found]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 8 < sum(mirrored) < 32


def test_contrast_keeps_the_mean_and_noise_its_size() -> None:
    """Contrast scales deviations from the crop's mean; noise is so many of the crop's deviations."""
    batch = smooth(size=64)
    stronger, noisy = changed(batch, contrast=(1.5, 1.5)), changed(batch, noise=0.2)
    torch.testing.assert_close(stronger.mean((1, 2, 3)), batch.mean((1, 2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(stronger.std((1, 2, 3)), 1.5 * batch.std((1, 2, 3)), atol=1e-4, rtol=0)
    torch.testing.assert_close((noisy - batch).std((1, 2, 3)), 0.2 * batch.std((1, 2, 3)), atol=0, rtol=0.05)


def test_about_so_many_are_changed() -> None:
    """The others keep their values."""
    batch = smooth(count=1).repeat(200, 1, 1, 1)
    same = [float((one - batch[0]).abs().max()) < 1e-6 for one in changed(batch, probability=0.3, noise=0.5)]
    assert 110 < sum(same) < 165


@pytest.mark.parametrize(
    "wrong", [{"scale": (1.1, 0.9)}, {"contrast": (0, 1)}, {"probability": 2}, {"turn": 3}], ids=str
)
def test_limits_that_are_none(wrong: dict[str, Any]) -> None:
    """They are refused."""
    with pytest.raises(ValidationError):
        AugmentSettings(**wrong)
