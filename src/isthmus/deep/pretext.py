"""A network that first learns to say what was painted over in its training crops: a start without labels, from the study's own images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.explain import with_places
from isthmus.deep.library import deterministic
from isthmus.deep.networks import Network
from isthmus.deep.settings import PretextSettings
from isthmus.deep.train import TrainSettings, train
from isthmus.errors import PlanError
from isthmus.stats.seeds import child_seed

__all__ = ["pretrain"]


def pretrain(
    module: Any,
    network: Network,
    crops: NDArray[np.float32],
    patients: Sequence[str],
    settings: PretextSettings,
    learning: TrainSettings,
    *,
    checkpoint: Path | None = None,
) -> pd.DataFrame:
    """Masked image modelling: patches of the crops are painted with the crop's mean, and the maps of the layer that explains a class say by
    one linear layer what was there; the loss is the mean squared difference in the painted places.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place, to the epoch with the smallest loss on patients held out; what lies behind that layer stays as it was.
    network : Network
    crops : float32 array, shape (n, channels, *places)
    patients : sequence of str
    settings : PretextSettings
    learning : TrainSettings
        Batch, rate, augmentation, patience and seed are those of the training that follows.
    checkpoint : Path, optional
        As of `train`.

    Returns
    -------
    DataFrame
        The learning curve.

    References
    ----------
    Xie et al., CVPR 2022 (SimMIM), with the squared instead of the absolute difference.

    Raises
    ------
    PlanError
        The layer has one place on crops of this size.
    """
    from isthmus.deep.nets.masked import MaskedCrops

    place = network.layers[network.explained]
    dims = crops.ndim - 2
    patch = settings.patch or max(crops.shape[-1] // 8, 2)
    maps = partial(with_places, place=place, dims=dims)
    with deterministic(child_seed(learning.seed, "pretext layer")):
        masked = MaskedCrops(module, maps, place.module, crops.shape[1:], settings.share, patch)
    if masked.factor >= min(crops.shape[2:]):
        raise PlanError(
            f'the layer {network.explained!r} of {network.name!r} has one place on crops of {crops.shape[-1]}: origin = "pretrain" needs '
            "larger crops"
        )
    own = learning.model_copy(
        update={"epochs": settings.epochs, "trains": "all", "seed": child_seed(learning.seed, "pretext")}
    )
    try:
        found = train(masked, crops, None, patients, own, checkpoint=checkpoint)
    finally:
        masked.close()
    return found.curve
