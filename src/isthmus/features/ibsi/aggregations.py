"""How the matrices of slices and directions are joined, as IBSI codes, in the order of the columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DIRECTIONAL", "SUFFIXES", "UNDIRECTED"]

# the end of a column's name
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "BTW3": "2d_avg",
        "SUJT": "2d_mrg",
        "JJUI": "2.5d_avg",
        "ZW7Z": "2.5d_mrg",
        "ITBB": "3d_avg",
        "IAZD": "3d_mrg",
        "8QNN": "2d",
        "62GR": "2.5d",
        "KOBO": "3d",
    }
)

# one matrix per direction: averaged or merged, within slices (2D), over slices (2.5D), in the volume (3D)
DIRECTIONAL = ("BTW3", "SUJT", "JJUI", "ZW7Z", "ITBB", "IAZD")
# one matrix without directions: per slice and averaged (2D), merged over slices (2.5D), of the volume (3D)
UNDIRECTED = ("8QNN", "62GR", "KOBO")
