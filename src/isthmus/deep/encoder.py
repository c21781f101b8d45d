"""A frozen network that turns crops into features: the same crop gives the same bits, whichever other crops are in its batch to 1e-5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.deep.crop import crops, normalised, padded
from isthmus.deep.library import best_device, deterministic, load_torch
from isthmus.deep.networks import Layer, Network
from isthmus.deep.settings import CropSettings, DeepSettings, EncoderSettings, Pooling
from isthmus.deep.weights import load
from isthmus.errors import PlanError, did_you_mean
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.table import ColumnMeta

__all__ = ["Encoder", "crop_size", "feature_layer", "not_finite", "one_torch_thread", "pooled", "seen"]

_POOLINGS: dict[str, tuple[Pooling, ...]] = {
    "map": ("avg", "max", "flatten"),
    "map_last": ("avg", "max", "flatten"),
    "tokens": ("first", "avg", "max", "flatten"),
    "vector": (),
}


def feature_layer(settings: EncoderSettings) -> tuple[str, Layer, Pooling | None]:
    """Name, place and pooling of the layer that becomes features.

    Raises
    ------
    PlanError
        The network has no such layer, or its output cannot be pooled so.
    """
    network = settings.row
    name = settings.layer or network.default
    if name not in network.layers:
        raise PlanError(f"network {network.name!r} has no layer {name!r}.{did_you_mean(name, network.layers)}")
    layer = network.layers[name]
    known = _POOLINGS[layer.kind]
    if settings.pooling is not None and settings.pooling not in known:
        expected = f"expected {' or '.join(known)}" if known else "it has no places; leave pooling out"
        raise PlanError(
            f"pooling = {settings.pooling!r} does not fit the layer {name!r} of {network.name!r}: {expected}"
        )
    return name, layer, settings.pooling or (known[0] if known else None)


def crop_size(network: Network, dims: int, settings: CropSettings) -> int:
    """Pixels or voxels along a side of the crop."""
    if settings.size is not None:
        return settings.size
    if dims not in network.size:
        there = " and ".join(f"{n}-D" for n in network.dims)
        raise PlanError(f"network {network.name!r} exists in {there}, not in {dims}-D")
    return network.size[dims]


def seen(image: Image, roi: Roi, settings: DeepSettings) -> NDArray[np.float32]:
    """What the network sees of one lesion, shape (crops, channels, *places); needs no torch.

    Raises
    ------
    CaseError
        See `isthmus.deep.crop.crops`.
    """
    encoder = settings.encoder
    size = crop_size(encoder.row, encoder.dims, settings.crop)
    taken = encoder.weights.input
    return normalised(crops(image, roi, settings.crop, dims=encoder.dims, size=size, limits=taken.range), taken)


def pooled(output: Any, layer: Layer, pooling: Pooling | None) -> Any:
    """The output of a layer as (batch, features)."""
    if layer.kind == "vector":
        return output
    if layer.kind == "tokens":
        if pooling == "first":
            return output[:, 0]
        output = output[:, 1:].transpose(1, 2)  # the class token is no place
    elif layer.kind == "map_last":
        output = output.movedim(-1, 1)
    flat = output.flatten(2)
    if pooling == "avg":
        return flat.mean(2)
    return flat.amax(2) if pooling == "max" else flat.flatten(1)


class Encoder:
    """A network with its weights, and the layer that is read.

    Parameters
    ----------
    settings : DeepSettings
    base : Path
        Where a relative path of the weights file starts.

    Attributes
    ----------
    record : WeightsRecord
        What was loaded.
    module : torch.nn.Module
    size : int
        Of a crop, along a side.
    layer, pooling : str
    device : str

    Raises
    ------
    WeightsError
        The weights are not what they should be.
    PlanError
        torch is missing, or network, layer, pooling, dims and size do not fit together.
    """

    def __init__(self, settings: DeepSettings, base: Path = Path()) -> None:
        encoder = settings.encoder
        self.settings = settings
        self.network = encoder.row
        self.layer, self._place, self.pooling = feature_layer(encoder)
        self.size = crop_size(self.network, encoder.dims, settings.crop)
        self._torch = load_torch(f"network {encoder.network!r}")
        self.device = _device(encoder.device)
        self.module, self.record = load(self.network, encoder.weights, dims=encoder.dims, size=self.size, base=base)
        self.module.to(self.device).requires_grad_(False)
        self._seen: Any = None
        self.module.get_submodule(self._place.module).register_forward_hook(self._see)

    def _see(self, module: Any, inputs: Any, output: Any) -> None:
        # a copy, and now: what follows may change the output in place
        self._seen = pooled(output, self._place, self.pooling).clone()

    def features(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of crops.

        Parameters
        ----------
        batch : float32 array, shape (crops, channels, *places)

        Returns
        -------
        float32 array, shape (crops, width)
        """
        torch, step = self._torch, self.settings.encoder.batch
        whole = torch.from_numpy(np.ascontiguousarray(batch))
        found = []
        with torch.inference_mode(), deterministic():
            for piece in whole.split(step) if len(batch) else ():
                self.module(piece.to(self.device))
                found.append(self._seen.float().cpu().numpy())
        self._seen = None
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.empty((0, self.width), np.float32)

    def describe(self, lesions: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """One row of features for each lesion, those of its crops combined; shape (lesions, width)."""
        if not lesions:
            return np.empty((0, self.width), np.float32)
        if self.network.sequence:
            rows = self._of_sequences(lesions)
            if self._place.kind == "vector":
                return rows  # the network itself has made one of them
        else:
            rows = self.features(np.concatenate(lesions))
        ends = np.cumsum([len(one) for one in lesions])
        combine = np.mean if self.settings.crop.combine == "mean" else np.max
        return np.array([combine(rows[end - len(one) : end], axis=0) for one, end in zip(lesions, ends, strict=True)])

    def _of_sequences(self, lesions: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """What the layer gives for lesions whose slices are read as a sequence: a row a lesion, or a row a slice."""
        torch, step, found = self._torch, self.settings.encoder.batch, []
        with torch.inference_mode(), deterministic():
            for start in range(0, len(lesions), step):
                piece, lengths = (torch.from_numpy(part) for part in padded(lesions[start : start + step]))
                self.module(piece.to(self.device), lengths)
                found.append(self._seen.float().cpu().numpy())
        self._seen = None
        return np.concatenate(found)

    @cached_property
    def width(self) -> int:
        """How many features there are."""
        shape = (1, self.settings.encoder.weights.input.channels, *[self.size] * self.settings.encoder.dims)
        return int(self.features(np.zeros(shape, np.float32)).shape[1])

    def columns(self, image: str = "", roi: str = "") -> tuple[ColumnMeta, ...]:
        """The facts of the columns; those of an untrained network are called a random projection."""
        trained = self.record.origin != "random"
        family = "deep" if trained else "random projection"
        before = "deep" if trained else "random_projection"
        digits = max(4, len(str(self.width)))
        how = f"{self.layer}, {self.pooling}" if self.pooling else self.layer
        dims = self.settings.encoder.dims
        crop = f"crop {'x'.join([str(self.size)] * dims)}, {self.settings.crop.scale}"
        whole = self.network.sequence and self._place.kind == "vector"
        combined = "as a sequence" if whole else self.settings.crop.combine
        slices = "" if dims == 3 else f", slices: {self.settings.crop.slices}, {combined}"
        return tuple(
            ColumnMeta(
                column=f"{before}_{self.network.name}_{number:0{digits}d}",
                image=image,
                roi=roi,
                family=family,
                feature=f"{self.network.name} {dims}-D, {how}, {number}",
                parameter=f"weights: {self.record.in_words}; {crop}{slices}",
            )
            for number in range(1, self.width + 1)
        )

    def facts(self) -> dict[str, Any]:
        """Everything somebody needs to know about these features, as JSON can hold it."""
        return {
            "network": self.network.name,
            "dims": self.settings.encoder.dims,
            "layer": self.layer,
            "pooling": self.pooling,
            "width": self.width,
            "size": self.size,
            "called": "deep features" if self.record.origin != "random" else "random projection",
            "weights": self.record.as_dict(),
            "input": self.settings.encoder.weights.input.model_dump(mode="json"),
            "crop": self.settings.crop.model_dump(mode="json"),
            "device": self.device,
            "reference": self.network.reference,
        }


def _device(wanted: str) -> str:
    if wanted == "auto":
        return best_device()
    if wanted == "cuda" and best_device() != "cuda":
        raise PlanError('device = "cuda": torch finds no GPU here. Use device = "auto"')
    return wanted


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """torch on one thread, as everything else inside a task."""
    torch = load_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def not_finite(row: NDArray[np.float32]) -> str:
    """Why features are of no use, or nothing."""
    bad = int((~np.isfinite(row)).sum())
    if not bad:
        return ""
    return f"{bad} of {row.size} deep features are not numbers: the network overflowed. Do range, mean and std fit the weights?"
