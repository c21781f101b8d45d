"""AlexNet in its one-column form (Krizhevsky, arXiv:1404.5997), as ImageNet weight files know it."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["AlexNet"]


class AlexNet(nn.Module):
    """Five convolutions, three linear layers. Names of parameters are torchvision's, so that its files load as they are.

    Parameters
    ----------
    channels, classes : int
    """

    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        wide = (64, 192, 384, 256, 256)
        self.features = nn.Sequential(
            nn.Conv2d(channels, wide[0], 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(wide[0], wide[1], 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(wide[1], wide[2], 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(wide[2], wide[3], 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(wide[3], wide[4], 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(wide[4] * 36, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
