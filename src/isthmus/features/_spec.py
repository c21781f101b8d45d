"""What a family module says of each of its features."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FeatureSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One feature: its name in PyRadiomics' spelling and the facts a reader of the table needs.

    Parameters
    ----------
    name : str
    ibsi : str
        IBSI code of the same feature; empty where IBSI has no twin.
    formula : str
        LaTeX, in the symbols of the family's docstring.
    unit : str
        "mm", "mm2", "mm3", "1/mm"; "intensity" for the image's own quantity; empty for a pure number.
    limit : str
        What is returned where the formula has no value.
    parameter : str
        Tells features of one IBSI code apart.
    differs : str
        Why the number is not IBSI's even with IBSI's discretisation; empty where it is.
    discretised : bool
        Computed from grey levels, not from intensities.
    tag : str
        IBSI's short name, such as "morph_volume"; empty where IBSI has no twin.
    """

    name: str
    formula: str
    ibsi: str = ""
    unit: str = ""
    limit: str = ""
    parameter: str = ""
    differs: str = ""
    discretised: bool = True
    tag: str = ""
