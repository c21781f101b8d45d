"""Deep features: networks, honest weights, crops, frozen encoders. torch is imported when first needed (extra `deep`)."""

from isthmus.deep.encoder import Encoder, seen
from isthmus.deep.networks import NETWORKS
from isthmus.deep.settings import CropSettings, DeepSettings, EncoderSettings, InputSettings, WeightSettings

__all__ = [
    "NETWORKS",
    "CropSettings",
    "DeepSettings",
    "Encoder",
    "EncoderSettings",
    "InputSettings",
    "WeightSettings",
    "seen",
]
