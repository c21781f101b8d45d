"""[deep]: which network, with which weights, reads what of the image: the sections `[deep.encoder]` and `[deep.crop]`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from isthmus.deep.train import LearningSettings
from isthmus.settings import Section

if TYPE_CHECKING:
    from isthmus.deep.networks import Network

__all__ = [
    "CropSettings",
    "DeepSection",
    "DeepSettings",
    "EncoderSettings",
    "InputSettings",
    "Pooling",
    "WeightSettings",
]

Pooling = Literal["avg", "max", "flatten", "first"]
LayoutName = Literal["plain", "monai", "torchvision", "timm", "radimagenet", "medicalnet"]


class InputSettings(Section):
    """What the weights were trained to see.

    channels: 1: the grey image, the first layer of a 3-channel file summed over its channels; 3: the grey image three times, each
    normalised by its own mean and std. range: what the window of the crop becomes. mean, std: subtracted and divided by afterwards, one
    number or one a channel.
    """

    channels: Literal[1, 3] = 1
    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @field_validator("mean", "std", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _fits(self) -> InputSettings:
        if not self.range[0] < self.range[1]:
            raise ValueError(f"range = {list(self.range)}: two numbers, the second larger")
        for name in ("mean", "std"):
            numbers: tuple[float, ...] = getattr(self, name)
            if len(numbers) not in (1, self.channels) or not all(map(math.isfinite, numbers)):
                raise ValueError(
                    f"{name} = {list(numbers)}: expected 1 number, or one for each of the channels ({self.channels})"
                )
        if min(self.std) <= 0:
            raise ValueError(f"std = {list(self.std)}: numbers above 0")
        return self


class PretextSettings(Section):
    """What a network learns before the outcome, from its training crops alone: patches are painted over, and it says what was there.
    epochs: at most. share: of the patches, painted over. patch: pixels or voxels along a side; unset, an eighth of the crop."""

    epochs: int = Field(default=50, ge=1)
    share: float = Field(default=0.6, gt=0, lt=1)
    patch: int | None = Field(default=None, ge=1)


class WeightSettings(Section):
    """Where the weights come from.

    origin: "file"; "random" for an untrained network, whose features are then called a random projection; "pretrain": random, then learned
    from the training crops of each fold without the outcome, as `pretext` says, before a network is trained. path: a .safetensors file, or
    a state dict of torch (.pt, .pth, .bin, .tar) that holds tensors only. sha256: of the file; another file is refused. layout: whose
    names the file uses. source: who made it, where it was got, when. licence: its terms. seed: of random weights. input: what the weights
    were trained to see.
    """

    origin: Literal["file", "random", "pretrain"]
    path: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    layout: LayoutName = "plain"
    source: str = ""
    licence: str = ""
    seed: int = 42
    pretext: PretextSettings | None = None
    input: InputSettings = Field(default_factory=InputSettings)

    @model_validator(mode="after")
    def _fits(self) -> WeightSettings:
        if self.origin == "file" and not self.path:
            raise ValueError(
                'origin = "file" needs path, the file of the weights; without one, origin = "random" gives an untrained network'
            )
        if self.origin != "file" and (self.path or self.sha256):
            raise ValueError(
                f'origin = "{self.origin}" reads no file; leave path and sha256 out, or say origin = "file"'
            )
        if self.origin != "pretrain" and self.pretext is not None:
            raise ValueError('pretext is for origin = "pretrain"')
        return self


class EncoderSettings(Section):
    """A frozen network.

    network: a name of `isthmus.deep.NETWORKS`. dims: 2 for slices, 3 for volumes. layer: whose output becomes features; unset, the one
    before the classifier. pooling: of a map over its places: "avg", "max" or "flatten" (every place is a feature); of tokens also "first"
    (the class token, their default). attention: over channels and places (CBAM) of the last map, before it is pooled; learned, so the
    block needs `train`. batch: crops at a time. device: "auto" takes a GPU where there is one.
    """

    network: str
    dims: Literal[2, 3] = 2
    layer: str | None = None
    pooling: Pooling | None = None
    attention: bool = False
    batch: int = Field(default=16, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    weights: WeightSettings

    @field_validator("network")
    @classmethod
    def _known(cls, name: str) -> str:
        from isthmus.deep.networks import NETWORKS
        from isthmus.errors import did_you_mean

        if name not in NETWORKS:
            raise ValueError(f"network: none is called {name!r}.{did_you_mean(name, NETWORKS)}")
        return name

    @property
    def row(self) -> Network:
        """The network, with attention where it is wanted."""
        from isthmus.deep.networks import get_network

        row = get_network(self.network)
        return row.attended if self.attention else row


class CropSettings(Section):
    """What of the image the network sees.

    size: pixels or voxels along a side; unset, the network's own. margin_mm: tissue around the lesion's bounding box. shape: "square"
    widens the box to equal sides in mm, so that nothing is distorted; "box" stretches the minimum bounding box to the size. slices (2-D):
    "largest", "all", or a number: so many slices with the largest areas. combine: how features of several slices become the lesion's.
    scale: "window" maps `window` to the range of the input, "min_max" the crop's own extremes, "z_score" makes mean 0 and deviation 1 of
    the crop. masked: what lies outside the lesion becomes the lowest value of the window, or of the lesion.
    """

    size: int | None = Field(default=None, ge=8)
    margin_mm: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    shape: Literal["square", "box"] = "square"
    slices: Literal["largest", "all"] | int = "largest"
    combine: Literal["mean", "max"] = "mean"
    scale: Literal["window", "min_max", "z_score"] = "min_max"
    window: tuple[float, float] | None = None
    masked: bool = False

    @model_validator(mode="before")
    @classmethod
    def _a_window_is_for_scaling(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("window") is not None:
            return {"scale": "window", **given}
        return given

    @model_validator(mode="after")
    def _fits(self) -> CropSettings:
        if (self.window is None) == (self.scale == "window"):
            raise ValueError('window and scale = "window" go together: give both, or neither')
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError(f"window = {list(self.window)}: two intensities, the second larger")
        if isinstance(self.slices, int) and self.slices < 1:
            raise ValueError(f"slices = {self.slices}: a number from 1 on")
        return self


class DeepSettings(Section):
    """[deep]: the encoder, and the crop it sees; with `train` it is trained inside the folds, not frozen."""

    encoder: EncoderSettings
    crop: CropSettings = Field(default_factory=CropSettings)
    train: LearningSettings | None = None

    @model_validator(mode="after")
    def _fits(self) -> DeepSettings:
        if self.encoder.dims == 3 and self.crop.slices != "largest":
            raise ValueError("crop.slices is for 2-D networks; with dims = 3 the network sees the whole lesion")
        if self.encoder.attention and self.train is None:
            raise ValueError(
                "encoder.attention is learned with the study: give the block train, or leave attention out"
            )
        if self.encoder.weights.origin == "pretrain":
            if self.train is None:
                raise ValueError('weights.origin = "pretrain" is where training starts: give the block train')
            if not self.encoder.row.explained or self.encoder.row.sequence:
                raise ValueError(
                    f'weights.origin = "pretrain" is for networks that tell classes apart crop by crop; {self.encoder.network!r} '
                    "learns without labels already, or reads sequences"
                )
        if self.encoder.row.sequence and self.crop.slices == "largest":
            raise ValueError(
                f'network {self.encoder.network!r} reads a lesion\'s slices as a sequence; say crop.slices = "all", or how many'
            )
        return self


class DeepSection(Section):
    """[deep] of a plan: what its blocks of kind "deep" share; each may say its own `encoder`, `crop` and `train` over it."""

    encoder: EncoderSettings | None = None
    crop: CropSettings = Field(default_factory=CropSettings)
    train: LearningSettings | None = None
