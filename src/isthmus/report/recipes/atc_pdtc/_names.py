"""The words for the study's categories and variables."""

from __future__ import annotations

__all__ = ["COLOURS", "GROUPS", "named"]

GROUPS = ("ATC/PDTC", "PTC", "FTC")
COLOURS = {"ATC/PDTC": "#D55E00", "DTC": "#56B4E9", "PTC": "#0072B2", "FTC": "#009E73"}

_NAMES = {
    "firstorder": "First order", "glcm": "GLCM", "gldm": "GLDM", "glrlm": "GLRLM", "glszm": "GLSZM", "ngtdm": "NGTDM",
    "age_years": "Age", "size_cm": "Size (cm)", "radiomics+clinical": "Radiomics and clinical",
}  # fmt: skip


def named(feature: str) -> str:
    """A category or variable in print."""
    return _NAMES.get(feature, feature.replace("_", " ").capitalize())
