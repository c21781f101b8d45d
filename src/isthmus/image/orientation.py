"""How a slice lies in the patient: what its plane is called, and what its edges are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.image.geometry import Geometry

__all__ = ["Orientation", "orientation"]

_PLANES = ("sagittal", "coronal", "axial")
_ENDS = (("R", "L"), ("A", "P"), ("F", "H"))  # towards smaller and larger x, y and z of LPS


@dataclass(frozen=True)
class Orientation:
    """Of the slices of an image.

    Parameters
    ----------
    plane : str
        "axial", "coronal" or "sagittal"; with "oblique " before it where it is tilted by more than 10 degrees. "" where the image does not
        say how it lies.
    left, top : str
        What stands at the edges of a slice drawn with its first row at the top: R(ight), L(eft), A(nterior), P(osterior), H(ead), F(eet);
        "" where unknown.
    """

    plane: str = ""
    left: str = ""
    top: str = ""


def orientation(geometry: Geometry) -> Orientation:
    """Of the slices along the first axis. A picture, and an image of one slice (ultrasound), does not say."""
    if not geometry.placed or geometry.shape[0] == 1:
        return Orientation()
    assert geometry.direction is not None
    along = [int(np.argmax(np.abs(geometry.direction[:, axis]))) for axis in range(3)]
    sign = [geometry.direction[world, axis] > 0 for axis, world in enumerate(along)]
    tilted = abs(geometry.direction[along[0], 0]) < np.cos(np.deg2rad(10))
    # the edge where an axis starts is the end its index runs away from
    left, top = (_ENDS[along[axis]][0 if sign[axis] else 1] for axis in (2, 1))
    return Orientation(("oblique " if tilted else "") + _PLANES[along[0]], left, top)
