"""Heterogeneity inside a lesion: supervoxels, their features, and what they say about the lesion as a whole (iTED).

cut -> measure_supervoxels -> ited: one patient. `Ited` is the step that learns transform and scale on training rows.
"""

from isthmus.habitat.ited import ited, ited_columns
from isthmus.habitat.measure import NAMES, SupervoxelTable, measure_supervoxels
from isthmus.habitat.settings import ItedSettings, SupervoxelSettings, TextureSettings
from isthmus.habitat.step import SUPERVOXELS, Ited
from isthmus.habitat.supervoxels import Supervoxels, cut

__all__ = [
    "NAMES",
    "SUPERVOXELS",
    "Ited",
    "ItedSettings",
    "SupervoxelSettings",
    "SupervoxelTable",
    "Supervoxels",
    "TextureSettings",
    "cut",
    "ited",
    "ited_columns",
    "measure_supervoxels",
]
