"""From a stained slide to numbers: stains and nuclei."""

from isthmus.pathology.nucleus import NUCLEAR_FEATURES, nuclear_features
from isthmus.pathology.stain import RUIFROK, Stains, estimate_macenko, haematoxylin_density, normalise

__all__ = [
    "NUCLEAR_FEATURES",
    "RUIFROK",
    "Stains",
    "estimate_macenko",
    "haematoxylin_density",
    "normalise",
    "nuclear_features",
]
