"""Regions of interest: masks on the grid of their image."""

from isthmus.roi.roi import Roi

__all__ = ["Roi"]
