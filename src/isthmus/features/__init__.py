"""Features of a region: one module per family, one profile per vocabulary and set of rules.

A profile is a module with `NAME`, `Settings`, `columns(settings)` and `compute(image, roi, settings)`; to add one, write it in
`profiles/` and name it in `profiles/__init__.py`.
"""

from isthmus.features.extract import extract, mask_reading, measure
from isthmus.features.labels import measure_labels
from isthmus.features.parameters import read_parameters
from isthmus.features.profiles import PROFILES, get_profile

__all__ = ["PROFILES", "extract", "get_profile", "mask_reading", "measure", "measure_labels", "read_parameters"]
