"""Images: values on a grid, read from files, with the geometry checked at the door."""

from isthmus.image.geometry import Geometry, Spacing
from isthmus.image.image import Image
from isthmus.image.labels import LabelImage

__all__ = ["Geometry", "Image", "LabelImage", "Spacing"]
