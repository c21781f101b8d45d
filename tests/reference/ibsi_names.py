"""IBSI codes of the texture features, by the names of the core."""

from __future__ import annotations

from isthmus.features import glcm, gldm, glrlm, glszm, ngtdm

# what PyRadiomics leaves out because it equals another feature or 1
LEFT_OUT = {
    "TF7R": "DifferenceAverage",
    "8S9J": "DifferenceAverage",
    "OEEB": "ClusterTendency",
    "DG8W": "ClusterTendency",
}

GLDZM = {
    "0GBI": "SmallDistanceEmphasis",
    "MB4I": "LargeDistanceEmphasis",
    "S1RA": "LowGrayLevelZoneEmphasis",
    "K26C": "HighGrayLevelZoneEmphasis",
    "RUVG": "SmallDistanceLowGrayLevelEmphasis",
    "DKNJ": "SmallDistanceHighGrayLevelEmphasis",
    "A7WM": "LargeDistanceLowGrayLevelEmphasis",
    "KLTH": "LargeDistanceHighGrayLevelEmphasis",
    "VFT7": "GrayLevelNonUniformity",
    "7HP3": "GrayLevelNonUniformityNormalized",
    "V294": "ZoneDistanceNonUniformity",
    "IATH": "ZoneDistanceNonUniformityNormalized",
    "VIWW": "ZonePercentage",
    "QK93": "GrayLevelVariance",
    "7WT1": "ZoneDistanceVariance",
    "GBDU": "ZoneDistanceEntropy",
}
NGLDM = {"5SPA": "GrayLevelNonUniformityNormalized", "6XV8": "DependencePercentage", "CAS9": "DependenceEnergy"}

NAMES: dict[str, dict[str, str]] = {
    module.NAME: {spec.ibsi: spec.name for spec in module.FEATURES if spec.ibsi}
    for module in (glcm, glrlm, glszm, gldm, ngtdm)
}
NAMES["glcm"] |= LEFT_OUT
NAMES["ngldm"] = NAMES.pop("gldm") | NGLDM
NAMES["gldzm"] = GLDZM
