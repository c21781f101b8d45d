"""An image: values on a grid, what the values mean, and what the scanner said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry

__all__ = ["Image"]


@dataclass(frozen=True, eq=False)
class Image:
    """Values on a grid.

    Parameters
    ----------
    values : array, shape (k, j, i)
        int16, int32, float32 or float64, as the file stores them (other integers are widened, never rounded).
    geometry : Geometry
    quantity : str
        "HU", "SUVbw" or "a.u.".
    source : str
        The path it came from, for messages and provenance.
    acquisition : mapping
        What the scanner says (vendor, model, kvp, kernel, slice_thickness_mm, ...); empty when the file does not say.
    instances : mapping
        Slice index k of each DICOM SOP instance, so that outlines can be matched to slices; empty for other formats.
    stored : str
        The type of the file's voxels where `values` had to be widened ("uint8", "uint16", ...), otherwise empty: what cuts new
        values to the type of the image, as PyRadiomics' resampling does, cuts them to the range of this one.
    """

    values: NDArray[Any]
    geometry: Geometry
    quantity: str = "a.u."
    source: str = ""
    acquisition: Mapping[str, Any] = field(default_factory=dict)
    instances: Mapping[str, int] = field(default_factory=dict)
    stored: str = ""

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise ValueError(f"values have shape {self.values.shape}, geometry says {self.geometry.shape}")
        values = self.values.view()
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "acquisition", MappingProxyType(dict(self.acquisition)))
        object.__setattr__(self, "instances", MappingProxyType(dict(self.instances)))

    def __reduce__(self) -> tuple[object, ...]:
        # read-only mappings do not pickle; arrays come back read-only through __post_init__
        facts = (self.quantity, self.source, dict(self.acquisition), dict(self.instances), self.stored)
        return Image, (self.values, self.geometry, *facts)

    def __repr__(self) -> str:
        spacing = ", ".join(f"{s:g}" for s in self.geometry.spacing_mm)
        grid = f"{self.geometry.shape} voxels, ({spacing}) {self.geometry.unit}"
        return f"Image({self.values.dtype}, {grid}, {self.quantity})"

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """New integers of this image within the range of the file's type; values of other types as they are."""
        if values.dtype.kind != "i" or not self.stored:
            return values
        limits = np.iinfo(self.stored)
        return np.clip(values, max(limits.min, np.iinfo(values.dtype).min), min(limits.max, np.iinfo(values.dtype).max))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over values and geometry."""
        digest = hashlib.sha256(repr((self.values.dtype.str, self.geometry.shape)).encode())
        digest.update(np.round(self.geometry.affine, 9).tobytes())
        digest.update(np.ascontiguousarray(self.values).data)
        return digest.hexdigest()
