"""Regions of interest: masks on the grid of their image."""

from isthmus.roi.read import check_values, read_roi
from isthmus.roi.roi import Roi

__all__ = ["Roi", "check_values", "read_roi"]
