"""Deep features: networks, honest weights, crops, frozen encoders. torch is imported when first needed (extra `deep`)."""

from isthmus.deep.encoder import Encoder, seen
from isthmus.deep.joint import JointNetwork
from isthmus.deep.networks import NETWORKS
from isthmus.deep.settings import CropSettings, DeepSettings, EncoderSettings, InputSettings, WeightSettings
from isthmus.deep.step import CROPS, Autoencoder, Crops, NetworkStep

STEPS = {step.name: step for step in (NetworkStep, Autoencoder, JointNetwork)}
"""The steps a plan may name."""

__all__ = [
    "CROPS",
    "NETWORKS",
    "STEPS",
    "Autoencoder",
    "CropSettings",
    "Crops",
    "DeepSettings",
    "Encoder",
    "EncoderSettings",
    "InputSettings",
    "JointNetwork",
    "NetworkStep",
    "WeightSettings",
    "seen",
]
