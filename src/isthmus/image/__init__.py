"""Images: values on a grid, read from files, with the geometry checked at the door."""

from isthmus.image.geometry import Geometry, Spacing
from isthmus.image.image import Image

__all__ = ["Geometry", "Image", "Spacing"]
