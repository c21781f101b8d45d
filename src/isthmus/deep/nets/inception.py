"""Inception-v3 (Szegedy et al., CVPR 2016), 2-D. Names of parameters are torchvision's, so that its files load as they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

__all__ = ["InceptionV3"]

Kernel = int | tuple[int, int]


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padding: Kernel = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches side by side, their channels one after the other.

    A branch is a list of names of convolutions, done in turn; a tuple of names in it is a fork, whose ends stand side by side. The branch
    `"pool"` is a pooling before what follows it.
    """

    branches: Sequence[Sequence[str | tuple[str, ...]]]

    def __init__(self, pool: str = "average") -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._branch(x, names) for names in self.branches], 1)

    def _branch(self, x: torch.Tensor, names: Sequence[str | tuple[str, ...]]) -> torch.Tensor:
        for name in names:
            if isinstance(name, tuple):
                x = torch.cat([getattr(self, one)(x) for one in name], 1)
            elif name == "pool":
                x = (
                    functional.avg_pool2d(x, 3, stride=1, padding=1)
                    if self.pool == "average"
                    else functional.max_pool2d(x, 3, stride=2)
                )
            else:
                x = getattr(self, name)(x)
        return x


class _A(_Block):
    branches = (
        ("branch1x1",),
        ("branch5x5_1", "branch5x5_2"),
        ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
        ("pool", "branch_pool"),
    )

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(inputs, 64, 1)
        self.branch5x5_1 = _Conv(inputs, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(inputs, pooled, 1)


class _B(_Block):
    branches = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), ("pool",))

    def __init__(self, inputs: int) -> None:
        super().__init__("largest")
        self.branch3x3 = _Conv(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(inputs, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)


class _C(_Block):
    branches = (
        ("branch1x1",),
        ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
        ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
        ("pool", "branch_pool"),
    )

    def __init__(self, inputs: int, wide: int) -> None:
        super().__init__()
        across: tuple[Kernel, Kernel] = ((1, 7), (0, 3))
        down: tuple[Kernel, Kernel] = ((7, 1), (3, 0))
        self.branch1x1 = _Conv(inputs, 192, 1)
        self.branch7x7_1 = _Conv(inputs, wide, 1)
        self.branch7x7_2 = _Conv(wide, wide, across[0], padding=across[1])
        self.branch7x7_3 = _Conv(wide, 192, down[0], padding=down[1])
        self.branch7x7dbl_1 = _Conv(inputs, wide, 1)
        self.branch7x7dbl_2 = _Conv(wide, wide, down[0], padding=down[1])
        self.branch7x7dbl_3 = _Conv(wide, wide, across[0], padding=across[1])
        self.branch7x7dbl_4 = _Conv(wide, wide, down[0], padding=down[1])
        self.branch7x7dbl_5 = _Conv(wide, 192, across[0], padding=across[1])
        self.branch_pool = _Conv(inputs, 192, 1)


class _D(_Block):
    branches = (
        ("branch3x3_1", "branch3x3_2"),
        ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
        ("pool",),
    )

    def __init__(self, inputs: int) -> None:
        super().__init__("largest")
        self.branch3x3_1 = _Conv(inputs, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(inputs, 192, 1)
        self.branch7x7x3_2 = _Conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = _Conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)


class _E(_Block):
    branches = (
        ("branch1x1",),
        ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
        ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
        ("pool", "branch_pool"),
    )

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(inputs, 320, 1)
        self.branch3x3_1 = _Conv(inputs, 384, 1)
        self.branch3x3_2a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = _Conv(inputs, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = _Conv(inputs, 192, 1)


class _Auxiliary(nn.Module):
    """The second head, which only training sees."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv0 = _Conv(inputs, 128, 1)
        self.conv1 = _Conv(128, 768, 5)
        self.fc = nn.Linear(768, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(self.conv0(functional.avg_pool2d(x, 5, stride=3)))
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class InceptionV3(nn.Module):
    """Inception-v3 with its auxiliary head. Images of at least 75 pixels; it was published for 299.

    Parameters
    ----------
    channels, classes : int
    """

    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(channels, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = _A(192, 32)
        self.Mixed_5c = _A(256, 64)
        self.Mixed_5d = _A(288, 64)
        self.Mixed_6a = _B(288)
        self.Mixed_6b = _C(768, 128)
        self.Mixed_6c = _C(768, 160)
        self.Mixed_6d = _C(768, 160)
        self.Mixed_6e = _C(768, 192)
        self.AuxLogits = _Auxiliary(768, classes)
        self.Mixed_7a = _D(768)
        self.Mixed_7b = _E(1280)
        self.Mixed_7c = _E(2048)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(2048, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for name, layer in self.named_children():
            if name == "AuxLogits":
                continue
            x = layer(x.flatten(1) if name == "fc" else x)
        return x
