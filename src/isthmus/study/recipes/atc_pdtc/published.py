"""What the study printed (Moon et al., Sci Rep 2023), as numbers to put beside those of a run.

Its sensitivity and specificity agree with its predictive values and its accuracy only where the *differentiated* carcinoma is the
positive class (98 of 130 patients): 0.817 x 98 = 80 called rightly and 0.933 x 32 = 30 give a PPV of 0.97, an NPV of 0.62 and an
accuracy of 0.846, as printed; with ATC/PDTC positive the accuracy would be 0.90. `MEASURES` therefore holds both readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.study.recipes.facts import facts_of

__all__ = ["AUC", "COUNTS", "IMPORTANT", "MEASURES", "PRINTED", "SOURCE", "SUBTYPE_AUC", "as_printed"]

_FACTS = facts_of("atc-pdtc")

SOURCE = "Moon et al., Sci Rep 2023"

COUNTS: Mapping[str, int] = MappingProxyType({"ATC/PDTC": 32, "PTC": 58, "FTC": 40})

AUC: Mapping[str, float] = MappingProxyType({row.here: row.value for row in _FACTS.printed if row.metric == "auc"})

SUBTYPE_AUC: Mapping[tuple[str, str], float] = MappingProxyType(
    {("radiomics", "DTC"): 0.883, ("radiomics", "PTC"): 0.858, ("radiomics", "FTC"): 0.887}
)

_TURNED = {
    "sensitivity": "specificity",
    "specificity": "sensitivity",
    "ppv": "npv",
    "npv": "ppv",
    "accuracy": "accuracy",
}

MEASURES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        model: {row.metric: row.value for row in _FACTS.printed if row.here == model and row.metric != "auc"}
        for model in AUC
    }
)
"""With ATC/PDTC as the positive class, as everywhere in a run."""

PRINTED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {model: {_TURNED[name]: value for name, value in turned.items()} for model, turned in MEASURES.items()}
)
"""As printed, with the differentiated carcinoma as the positive class."""

IMPORTANT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "radiomics": ("moment", "glszm", "shape", "firstorder"),
        "radiomics+clinical": ("distant_metastasis", "moment", "shape", "age_years", "glszm"),
    }
)
"""Most different between the groups (radiomics), most useful in the model (radiomics+clinical), in the order of the text."""

_TABLE_ONE = {
    ("age_years", "DTC"): "<0.001",
    ("sex", "DTC"): "0.377",
    ("size_cm", "PTC"): "<0.001",
    ("lobes", "PTC"): "0.106",
    ("margin", "PTC"): "0.379",
    ("growth", "PTC"): "0.123",
    ("necrosis", "PTC"): "0.001",
    ("calcification", "PTC"): "0.257",
    ("organ_invasion", "PTC"): "<0.001",
    ("vascular_invasion", "PTC"): "0.001",
    ("nodal_metastasis", "PTC"): "0.603",
    ("nodal_necrosis", "PTC"): "<0.001",
    ("nodal_calcification", "PTC"): "0.181",
    ("nodal_vascular_invasion", "PTC"): "0.007",
    ("distant_metastasis", "DTC"): "<0.001",
}


def as_printed(variable: str, against: str) -> str:
    """The p-value the study's text printed for ATC/PDTC against this group; empty where it printed none."""
    return _TABLE_ONE.get((variable, against), "")
