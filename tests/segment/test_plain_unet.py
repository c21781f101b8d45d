"""The network of the text: attention at the end of every stage, deep supervision, parameter counts by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from isthmus.deep.nets.plain_unet import AttentionUnit, PlainUNet  # noqa: E402
from isthmus.errors import PlanError  # noqa: E402
from isthmus.segment.networks import NETWORKS, Shape, build, levels, logits, stage_plan  # noqa: E402

CHANNELS, PATCH = (4, 8, 16), (8, 16, 16)
KERNELS = ((1, 3, 3), (3, 3, 3), (3, 3, 3))
STRIDES = ((1, 1, 1), (1, 2, 2), (2, 2, 2))
SHAPE = Shape(3, 1, 3, PATCH, CHANNELS, KERNELS, STRIDES)


def convolution(inputs: int, outputs: int, *sides: int) -> int:
    """Weights and bias."""
    size = inputs * outputs
    for side in sides:
        size *= side
    return size + outputs


def stage(inputs: int, outputs: int, kernel: tuple[int, ...], attention: bool) -> int:
    """Two convolutions, two affine norms; C x C + C of the channel gate, 2 x 5 x 5 x 5 of the spatial one."""
    plain = convolution(inputs, outputs, *kernel) + convolution(outputs, outputs, *kernel) + 4 * outputs
    return plain + (convolution(outputs, outputs) + 2 * 5**3 if attention else 0)


@pytest.mark.parametrize("attention", [True, False])
def test_parameters_are_those_counted_from_the_text(attention: bool) -> None:
    """Encoder, transposed convolutions, decoder on twice the channels, one segmentation layer a level: counted by hand."""
    widths = (1, *CHANNELS)
    expected = sum(stage(a, b, kernel, attention) for (a, b), kernel in zip(pairwise(widths), KERNELS, strict=True))
    for level in (1, 0):
        expected += convolution(CHANNELS[level + 1], CHANNELS[level], *STRIDES[level + 1])
        expected += stage(2 * CHANNELS[level], CHANNELS[level], KERNELS[level], attention)
        expected += convolution(CHANNELS[level], 3)
    module = PlainUNet(3, 1, 3, CHANNELS, KERNELS, STRIDES, attention=attention)
    assert sum(parameter.numel() for parameter in module.parameters()) == expected


def test_attention_stands_at_the_end_of_every_stage_of_both_sides() -> None:
    """Three stages of the encoder and two of the decoder, each ending in an attention unit and a leaky ReLU of slope 0.01."""
    module = PlainUNet(3, 1, 3, CHANNELS, KERNELS, STRIDES)
    stages = [*module.encoder, *module.decoder]
    assert [(type(one[-2]), one[-1].negative_slope) for one in stages] == [(AttentionUnit, 0.01)] * 5


def test_an_attention_unit_is_its_two_gates_in_turn() -> None:
    """Mean over places, one layer, sigmoid; then mean and maximum over channels, a 5-wide layer, sigmoid: written out again."""
    torch.manual_seed(0)
    unit, x = AttentionUnit(2, 3, 4, (3, 3), (1, 1)), torch.randn(2, 3, 8, 8)
    body = torch.nn.functional.conv2d(x, unit.body.convolution.weight, unit.body.convolution.bias, padding=1)
    body = (body - body.mean((2, 3), keepdim=True)) / (body.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    gate = (body.mean((2, 3)) @ unit.channel.weight[:, :, 0, 0].T + unit.channel.bias).sigmoid()[:, :, None, None]
    weighed = body * gate
    both = torch.stack([weighed.mean(1), weighed.max(1).values], 1)
    expected = weighed * torch.nn.functional.conv2d(both, unit.spatial.weight, padding=2).sigmoid()
    torch.testing.assert_close(unit(x), expected)


def test_deep_supervision_can_be_switched_without_touching_parameters() -> None:
    """A list, finest first, or the finest alone; the finest is the same."""
    torch.manual_seed(0)
    module, x = PlainUNet(3, 1, 3, CHANNELS, KERNELS, STRIDES), torch.randn(1, 1, *PATCH)
    several = module(x)
    module.deep_supervision = False
    assert [tuple(one.shape[2:]) for one in several] == [(8, 16, 16), (8, 8, 8)]
    torch.testing.assert_close(module(x), several[0])


def test_one_convolution_a_stage_is_refused() -> None:
    """The first carries the stride and the last the attention, so two are the least."""
    with pytest.raises(ValueError, match="needs 2 or more"):
        PlainUNet(3, 1, 3, CHANNELS, KERNELS, STRIDES, convolutions=1)


@pytest.mark.parametrize(
    ("name", "dims"),
    [(row.name, dims) for row in NETWORKS.values() for dims in row.dims if (row.name, dims) != ("swin_unetr", 3)],
)
def test_every_network_gives_logits_of_the_size_it_sees(name: str, dims: int) -> None:
    """In training the first level, at rest the only output, has the patch's size and one channel a class."""
    if name == "swin_unetr":
        pytest.importorskip("einops")
    patch = ({"swin_unetr": 64, "swin_unet": 32, "medt": 32}.get(name, 16),) * dims
    kernels, strides = stage_plan(patch, (1.0,) * dims)
    shape = Shape(dims, 1, 3, patch, (4, 8, 16, 16)[: len(strides)], kernels, strides)
    module, x = build(name, shape), torch.zeros(2, 1, *patch)
    found = {tuple(levels(module.train(), x)[0].shape), tuple(logits(module.eval(), x).shape)}
    assert found == {(2, 3, *patch)}


def test_a_patch_too_small_for_swin_unetr_is_refused() -> None:
    """Its deepest level would be one voxel."""
    pytest.importorskip("einops")
    kernels, strides = stage_plan((32, 32), (1.0, 1.0))
    with pytest.raises(PlanError, match="one side must be above 32"):
        build("swin_unetr", Shape(2, 1, 3, (32, 32), (4, 8, 16, 16)[: len(strides)], kernels, strides))


def test_thick_slices_are_not_halved_before_the_plane_has_caught_up() -> None:
    """Spacing 4 x 1 x 1 mm: kernels 1 x 3 x 3 and strides 1 x 2 x 2 until the plane is within twice the slices' spacing."""
    kernels, strides = stage_plan((16, 64, 64), (4.0, 1.0, 1.0))
    assert (kernels[:3], strides[:4]) == (
        ((1, 3, 3), (1, 3, 3), (3, 3, 3)),
        ((1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2)),
    )
