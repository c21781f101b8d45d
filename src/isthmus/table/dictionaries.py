"""Ready data dictionaries: `[clinical] dictionary = "crit"` gives the named columns their facts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["CRIT", "DICTIONARIES", "POST_OPERATIVE"]

_BEFORE, _AFTER = "pre-operative", "post-operative"


def _number(unit: str, low: float, high: float, when: str = _BEFORE, **more: Any) -> dict[str, Any]:
    return {"type": "number", "unit": unit, "range": (low, high), "when": when, **more}


def _yes_no(when: str) -> dict[str, Any]:
    return {"type": "yes/no", "when": when}


CRIT: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Sex": {"type": "category", "levels": ["Female", "Male"], "reference": "Female", "when": _BEFORE},
        "Age": _number("years", 0, 110, per=10),
        "BMI": _number("kg/m^2", 10, 80, per=5),
        "Benign_thyroid_lesions": _yes_no(_BEFORE),
        "Multifocal": _yes_no(_AFTER),
        "Tumor_size": _number("mm", 0.5, 250, per=10),
        "Infiltrated_the_adjacent_tissue": _yes_no(_AFTER),
        "Number_of_metastatic_lymph_nodes": _number("", 0, 200, _AFTER),
        "T_stage": {"type": "ordinal", "levels": ["T1", "T2", "T3", "T4"], "when": _AFTER},
        "N_stage": {"type": "category", "levels": ["N0", "N1"], "reference": "N0", "when": _AFTER},
        "WBC": _number("10^9/L", 0.1, 200),
        "RBC": _number("10^12/L", 0.5, 10, per=0.5),
        "PLT": _number("10^9/L", 1, 2500, per=50),
        "HGB": _number("g/L", 20, 250, per=10),
        "LYM": _number("10^9/L", 0.01, 100),
        "MONO": _number("10^9/L", 0.001, 50),
        "NE": _number("10^9/L", 0.01, 150),
        "EOS": _number("10^9/L", 0, 50, per=0.1),
        "BASO": _number("10^9/L", 0, 20, per=0.01),
        "NLR": _number("", 0, 500),
        "PLR": _number("", 0, 20000, per=50),
        "LMR": _number("", 0, 500),
        "SII": _number("10^9/L", 0, 100000, per=100),
        "TSH": _number("mIU/L", 0, 500),
        "TG": _number("µg/L", 0, 200000, per=100),
        "TGAb": _number("IU/mL", 0, 100000, per=100),
        "TPOAb": _number("IU/mL", 0, 100000, per=100),
        "GLU": _number("mmol/L", 0.5, 60, molar_mass=180.156),
    }
)
"""The 28 clinicopathological predictors of the CRIT study of distant metastasis of differentiated thyroid cancer.

The study documents neither units nor ranges: units are those of hospital laboratories, ranges what a living patient can have,
wide on purpose (thyroglobulin of 100,000 µg/L is metastatic disease, not an error). Size is measured on imaging before surgery;
multifocality, invasion, nodes and stages are the pathologist's.
"""

POST_OPERATIVE = tuple(name for name, facts in CRIT.items() if facts["when"] == _AFTER)
"""Those of `CRIT` that no model called pre-operative may hold."""

DICTIONARIES: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType({"crit": CRIT})
