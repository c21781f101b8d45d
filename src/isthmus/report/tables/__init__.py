"""One module per printed table: `view(result)` gives its text, or None where the run has nothing for it.

To add a table, write its module and name it here; the numbers themselves are the csv files of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from isthmus.report.tables import (
    audit,
    centres,
    comparisons,
    controls,
    exclusions,
    explanation,
    external,
    harmonisation,
    hazard_ratios,
    importance_of_groups,
    ited_added,
    logistic,
    masks,
    metrics,
    nomogram,
    notes,
    null_study,
    odds_ratios,
    optimism,
    power,
    provenance,
    quality,
    random_splits,
    recalibration,
    reliability,
    representatives,
    risk_groups,
    sample_size,
    scanners,
    selected,
    stability,
    subgroups,
    table_one,
    thresholds,
    volume_dependence,
)

__all__ = ["TABLES"]

TABLES: Mapping[str, ModuleType] = MappingProxyType(
    {
        m.NAME: m
        for m in (
            table_one,
            logistic,
            metrics,
            thresholds,
            risk_groups,
            comparisons,
            external,
            centres,
            random_splits,
            optimism,
            subgroups,
            sample_size,
            selected,
            stability,
            representatives,
            odds_ratios,
            explanation,
            importance_of_groups,
            nomogram,
            hazard_ratios,
            recalibration,
            harmonisation,
            reliability,
            volume_dependence,
            ited_added,
            null_study,
            controls,
            power,
            audit,
            exclusions,
            notes,
            scanners,
            masks,
            quality,
            provenance,
        )
    }
)
"""Name -> module, in the order of the report."""
