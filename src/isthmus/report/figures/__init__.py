"""One module per figure: `data(result)`, the numbers behind it; `draw(data, ax)`, the drawing; `size(data)`, in inches.

To add a figure, write its module and name it here. One that belongs to some kinds of outcome only names them in `TASKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.figures import (
    calibration,
    centres,
    class_roc,
    clinical_impact,
    clusters,
    confusion,
    curves,
    decision_curve,
    explanation,
    families,
    feature_maps,
    flow,
    habitat_maps,
    habitats,
    harmonisation,
    horizon_calibration,
    horizon_decision_curve,
    icc,
    importance,
    kaplan_meier,
    lasso_path,
    learning_curves,
    missingness,
    montage,
    network_maps,
    nomogram,
    null_study,
    odds_ratios,
    patient_map,
    precision_recall,
    predictions,
    radar,
    risk_waterfall,
    roc,
    selected,
    shap_dependence,
    shap_patients,
    subgroups,
    time_auc,
)

__all__ = ["FIGURES"]

FIGURES: Mapping[str, ModuleType] = MappingProxyType(
    {
        m.NAME: m
        for m in (
            flow,
            missingness,
            montage,
            centres,
            patient_map,
            odds_ratios,
            roc,
            precision_recall,
            class_roc,
            confusion,
            radar,
            kaplan_meier,
            time_auc,
            calibration,
            horizon_calibration,
            decision_curve,
            clinical_impact,
            horizon_decision_curve,
            predictions,
            risk_waterfall,
            subgroups,
            selected,
            families,
            clusters,
            feature_maps,
            habitats,
            habitat_maps,
            network_maps,
            learning_curves,
            lasso_path,
            explanation,
            shap_dependence,
            shap_patients,
            importance,
            curves,
            nomogram,
            icc,
            harmonisation,
            null_study,
        )
    }
)
"""Name -> module, in the order of the report."""
