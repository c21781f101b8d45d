"""What a segmentation network is trained by: soft Dice and cross-entropy, on every level that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isthmus.deep.library import load_torch

__all__ = ["level_weights", "segmentation_loss", "supervised_loss"]

_SMOOTH = 1e-5


def segmentation_loss(logits: Any, labels: Any) -> Any:
    """1 - soft Dice (mean over samples and structures, no background, smooth 1e-5), plus cross-entropy.

    Of slices the Dice is that of the whole batch, as in nnU-Net: most slices hold no lesion, and an empty one would always cost 1.

    Parameters
    ----------
    logits : tensor, shape (n, classes, *places)
    labels : long tensor, shape (n, *places)
    """
    torch = load_torch()
    logits = logits.float()
    log_share = logits.log_softmax(1)
    truth = torch.zeros_like(logits).scatter_(1, labels[:, None], 1.0)
    # written out: torch's own cross-entropy of volumes has no deterministic form on a GPU
    entropy = -(truth * log_share).sum(1).mean()
    places = (0, 2, 3) if logits.ndim == 4 else tuple(range(2, logits.ndim))
    share, wanted = log_share.exp()[:, 1:], truth[:, 1:]
    common = (share * wanted).sum(places)
    dice = (2 * common + _SMOOTH) / (share.sum(places) + wanted.sum(places) + _SMOOTH)
    return 1 - dice.mean() + entropy


def level_weights(levels: int) -> list[float]:
    """1, 1/2, 1/4 ... from the finest, 0 for the coarsest (of several), with sum 1."""
    weights = [0.5**level for level in range(levels)]
    if levels > 1:
        weights[-1] = 0.0
    return [weight / sum(weights) for weight in weights]


def supervised_loss(outputs: Any, labels: Any) -> Any:
    """The loss of every level, weighted; labels are thinned out (nearest neighbour) to the size of a level."""
    torch = load_torch()
    levels: Sequence[Any] = outputs if isinstance(outputs, list | tuple) else [outputs]
    total = 0.0
    for weight, logits in zip(level_weights(len(levels)), levels, strict=True):
        if weight == 0:
            continue
        target = labels
        if logits.shape[2:] != labels.shape[1:]:
            target = torch.nn.functional.interpolate(labels[:, None].float(), size=logits.shape[2:], mode="nearest")
            target = target[:, 0].long()
        total = total + weight * segmentation_loss(logits, target)
    return total
