"""MedT (Valanarasu et al., MICCAI 2021; arXiv 2102.10662): axial attention whose position terms pass gates, on the whole image and on
patches of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

__all__ = ["GatedAxialAttention", "MedT"]

_GATES = {"query": 0.1, "key": 0.1, "value_position": 0.1, "value": 1.0}
"""Where the authors' gates begin."""


class GatedAxialAttention(nn.Module):
    """Attention of every place to the places in its column (axis 2) or row (axis 3), several heads.

    The softmax is over q k + G_Q q r_q + G_K k r_k, and what is summed is G_V1 v + G_V2 r_v, where r are learnt vectors of the
    distance between two places and G learnt gates (equation 2 of the paper). Each term has its own batch norm. The gates come behind
    it: in front of it the norm would take them out again.

    Parameters
    ----------
    width : int
    heads : int
    axis : {2, 3}
    length : int
        The most places along the axis; fewer are fine.
    positions : bool
        False: q k and v alone, as in the local branch.
    """

    def __init__(self, width: int, heads: int, axis: int, length: int, *, positions: bool = True) -> None:
        super().__init__()
        self.width, self.heads, self.axis, self.length, self.positions = width, heads, axis, length, positions
        each = width // heads
        self.parts = [each // 2, each // 2, each]  # of queries, keys, values
        self.qkv = nn.Conv1d(width, 2 * width, 1, bias=False)
        self.norm_qkv = nn.BatchNorm1d(2 * width)
        self.norm_similarity = nn.ModuleList(nn.BatchNorm2d(heads) for _ in range(3 if positions else 1))
        self.norm_value = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(2 if positions else 1))
        nn.init.normal_(self.qkv.weight, std=width**-0.5)
        if positions:
            self.relative = nn.Parameter(torch.randn(2 * each, 2 * length - 1) * each**-0.5)
            self.gates = nn.ParameterDict({name: nn.Parameter(torch.tensor(start)) for name, start in _GATES.items()})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.movedim(self.axis, -1)
        batch, channels, lines, places = x.shape
        x = x.transpose(1, 2).reshape(batch * lines, channels, places)
        both = self.norm_qkv(self.qkv(x)).reshape(batch * lines, self.heads, sum(self.parts), places)
        query, key, value = torch.split(both, self.parts, 2)
        terms = [torch.einsum("bhci,bhcj->bhij", query, key)]
        if self.positions:
            # of places i and j: the vector of distance i - j; that of the keys runs the other way
            to_query, to_key, to_value = torch.split(self._vectors(places), self.parts)
            terms.append(torch.einsum("bhci,cij->bhij", query, to_query))
            terms.append(torch.einsum("bhcj,cji->bhij", key, to_key))
        weighs = [1.0, self.gates["query"], self.gates["key"]] if self.positions else [1.0]
        similarity = sum(
            gate * norm(term) for gate, norm, term in zip(weighs, self.norm_similarity, terms, strict=True)
        )
        seen = functional.softmax(similarity, -1)
        found = self._normed(0, torch.einsum("bhij,bhcj->bhci", seen, value))
        if self.positions:
            found = self.gates["value"] * found
            found = found + self.gates["value_position"] * self._normed(
                1, torch.einsum("bhij,cij->bhci", seen, to_value)
            )
        return found.reshape(batch, lines, self.width, places).transpose(1, 2).movedim(-1, self.axis)

    def _normed(self, number: int, value: torch.Tensor) -> torch.Tensor:
        return self.norm_value[number](value.flatten(1, 2))

    def _vectors(self, places: int) -> torch.Tensor:
        """Of each pair of places; shape (channels, places, places)."""
        if places > self.length:
            raise ValueError(f"the map has {places} places along an axis, this MedT was made for {self.length} at most")
        along = torch.arange(places, device=self.relative.device)
        return self.relative[:, along[:, None] - along[None, :] + self.length - 1]


class _Block(nn.Module):
    """1 x 1 convolution, attention along columns, along rows, 1 x 1 convolution; beside it the way around."""

    def __init__(self, inputs: int, width: int, heads: int, length: int, stride: int, positions: bool) -> None:
        super().__init__()
        self.narrow = nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.columns = GatedAxialAttention(width, heads, 2, length, positions=positions)
        self.rows = GatedAxialAttention(width, heads, 3, length, positions=positions)
        self.pool: nn.Module = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.wide = nn.Sequential(nn.ReLU(), nn.Conv2d(width, 2 * width, 1, bias=False), nn.BatchNorm2d(2 * width))
        around = [nn.Conv2d(inputs, 2 * width, 1, stride, bias=False), nn.BatchNorm2d(2 * width)]
        self.around = nn.Sequential(*(around if stride > 1 or inputs != 2 * width else []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.wide(self.pool(self.rows(self.columns(self.narrow(x)))))
        return functional.relu(found + self.around(x))


class _Branch(nn.Module):
    """Convolutions to half the size, stages of attention, a decoder that adds each stage's map; maps at the size of the input.

    Parameters
    ----------
    channels : int
    stem : int
        Channels behind the first convolutions.
    widths, depths : sequence of int
        Of the attention, and blocks, of each stage. Every stage but the first halves the map.
    size : int
    bottleneck : bool
        One more convolution at half the last size, between encoder and decoder.
    """

    def __init__(
        self,
        channels: int,
        stem: int,
        widths: Sequence[int],
        depths: Sequence[int],
        heads: int,
        size: int,
        *,
        positions: bool,
        bottleneck: bool,
    ) -> None:
        super().__init__()
        plan = [(channels, stem, 7, 2), (stem, 128, 3, 1), (128, stem, 3, 1)]
        self.stem = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
                )
                for before, after, kernel, stride in plan
            )
        )
        self.stages = nn.ModuleList()
        inputs, length = stem, size // 2
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for n in range(depth):
                stride = 2 if number and not n else 1
                blocks.append(_Block(inputs, width, heads, length, stride, positions))
                inputs, length = 2 * width, length // stride
            self.stages.append(nn.Sequential(*blocks))
        outs = [2 * width for width in widths]
        self.bottleneck = nn.Conv2d(outs[-1], outs[-1], 3, 2, 1) if bottleneck else None
        after = [*outs[:-1], outs[0] // 2]
        self.decoder = nn.ModuleList(
            nn.Conv2d(wide, narrow, 3, padding=1)
            for wide, narrow in zip(reversed(outs), [*reversed(outs[:-1]), after[-1]], strict=True)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[2:]
        x = self.stem(x)
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
        if self.bottleneck is not None:
            x = skips[-1] + _grown(self.bottleneck(x), skips[-1].shape[2:])
        for number, layer in enumerate(self.decoder):
            before = skips[-2 - number] if number + 1 < len(self.decoder) else None
            x = _grown(layer(x), size if before is None else before.shape[2:])
            x = x if before is None else x + before
        return x


def _grown(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return functional.relu(functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False))


class MedT(nn.Module):
    """Logits at the size of the image: a shallow branch of gated attention sees all of it, a deep one each of its patches alone.

    Parameters
    ----------
    channels, classes : int
        Of the image, of the logits.
    size : int
        The longest side of an image; position vectors are made for it. Smaller images go through, too.
    heads : int
    widths, depths : sequence of int
        Of the attention, and blocks, of the local branch's stages; the global branch has the first `shallow` of them.
    shallow : int
    patches : int
        Along each side, for the local branch.

    Notes
    -----
    The authors keep the gates still for ten epochs and train them then: `train_gates`. Patches of one image are normalised together.
    """

    def __init__(
        self,
        channels: int = 1,
        classes: int = 2,
        size: int = 128,
        heads: int = 8,
        widths: Sequence[int] = (16, 32, 64, 128),
        depths: Sequence[int] = (1, 2, 4, 1),
        shallow: int = 2,
        patches: int = 4,
    ) -> None:
        super().__init__()
        self.patches = patches
        self.multiple = patches * 2 ** len(widths)
        padded = size + -size % self.multiple
        stem = widths[0] // 2
        self.whole = _Branch(
            channels, stem, widths[:shallow], depths[:shallow], heads, padded, positions=True, bottleneck=False
        )
        self.local = _Branch(
            channels, 2 * widths[shallow - 1], widths, depths, heads, padded // patches, positions=False, bottleneck=True
        )  # fmt: skip
        self.last = nn.Conv2d(widths[0], widths[0], 3, padding=1)
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        x = functional.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        x = self.whole(x) + self._in_patches(x)
        return self.head(functional.relu(self.last(x)))[..., :height, :width]

    def _in_patches(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        n, high, wide = self.patches, height // self.patches, width // self.patches
        x = x.reshape(batch, channels, n, high, n, wide).permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, high, wide)
        x = self.local(x)
        x = x.reshape(batch, n, n, -1, high, wide).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(batch, -1, height, width)

    def train_gates(self, on: bool) -> None:
        """Let the gates learn, or keep them where they are."""
        for module in self.modules():
            if isinstance(module, GatedAxialAttention) and module.positions:
                module.gates.requires_grad_(on)
