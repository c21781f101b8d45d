"""What is trained where the crops of a patient come together: crop by crop, or by learned attention over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from isthmus.deep.encoder import feature_layer, pooled
from isthmus.deep.networks import Layer, Network
from isthmus.deep.settings import EncoderSettings, Pooling
from isthmus.errors import PlanError

__all__ = ["around", "trained_network"]

_ATTENTION = "attention"


def trained_network(encoder: EncoderSettings, combine: str) -> tuple[Network, Layer, Pooling | None]:
    """The network that learns, the place its features are read at, and their pooling.

    With `combine = "attention"` it is the encoder's within a network that reads all crops of a patient, in any order, and weighs the
    features of the layer by gated attention.

    Raises
    ------
    PlanError
        There is no such layer, or the network cannot learn which crop matters.
    """
    row = encoder.row
    _, layer, pooling = feature_layer(encoder)
    if combine != "attention":
        return row, layer, pooling
    if row.sequence or row.reconstructs:
        why = (
            "reads a lesion's slices as a sequence, with attention of its own"
            if row.sequence
            else "learns without the outcome"
        )
        raise PlanError(
            f'combine = "attention": network {row.name!r} {why}; which crop matters is learned with the outcome, by networks that read '
            'crop by crop. Say "mean" or "max"'
        )

    def made(dims: int, inputs: int, classes: int, size: int) -> Any:
        return around(encoder, row.build(dims, inputs, classes, size), size, classes)

    layers: Mapping[str, Layer] = {name: replace(one, module=f"body.{one.module}") for name, one in row.layers.items()}
    whole = replace(
        row,
        build=made,
        layers=MappingProxyType({**layers, _ATTENTION: Layer("attention", "vector")}),
        default=_ATTENTION,
        first=f"body.{row.first}",
        heads=("head", "attention", *(f"body.{name}" for name in row.heads)),
        sequence=True,
        attends=None,
    )
    return whole, whole.layers[_ATTENTION], None


def around(encoder: EncoderSettings, body: Any, size: int, classes: int) -> Any:
    """Attention and a new head, of random numbers, around the encoder's network."""
    from isthmus.deep.nets.gathered import Gathered

    _, layer, pooling = feature_layer(encoder)
    read = partial(pooled, layer=layer, pooling=pooling)
    shape = (encoder.weights.input.channels, *[size] * encoder.dims)
    return Gathered(body, read, layer.module, shape, classes).eval()
