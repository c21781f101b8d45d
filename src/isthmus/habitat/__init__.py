"""Heterogeneity inside a lesion: supervoxels, their features, and what they say about the lesion as a whole (iTED, ITHscore).

cut -> measure_supervoxels -> ited, ith3d: one patient. ith2d: his largest slice. `Ited` and `Habitats` are the steps that
learn on training rows.
"""

from isthmus.habitat.added import ited_added
from isthmus.habitat.case import Description, describe
from isthmus.habitat.cohort import Habitats
from isthmus.habitat.ited import ited, ited_columns
from isthmus.habitat.ith2d import Ith2d, ith2d
from isthmus.habitat.ith3d import Ith3d, ith3d
from isthmus.habitat.measure import NAMES, SupervoxelTable, measure_supervoxels
from isthmus.habitat.settings import (
    HeterogeneitySettings,
    ItedSettings,
    Ith2dSettings,
    Ith3dSettings,
    SupervoxelSettings,
    TextureSettings,
)
from isthmus.habitat.step import SUPERVOXELS, Ited
from isthmus.habitat.supervoxels import Supervoxels, cut

STEPS = {step.name: step for step in (Ited, Habitats)}
"""The steps a plan may name."""

__all__ = [
    "NAMES",
    "STEPS",
    "SUPERVOXELS",
    "Description",
    "Habitats",
    "HeterogeneitySettings",
    "Ited",
    "ItedSettings",
    "Ith2d",
    "Ith2dSettings",
    "Ith3d",
    "Ith3dSettings",
    "SupervoxelSettings",
    "SupervoxelTable",
    "Supervoxels",
    "TextureSettings",
    "cut",
    "describe",
    "ited",
    "ited_added",
    "ited_columns",
    "ith2d",
    "ith3d",
    "measure_supervoxels",
]
