"""The explicit mapping from the names of a plan to the selectors of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.select.anova import AnovaSelector
from isthmus.select.correlation import CorrelationFilter
from isthmus.select.lasso import LassoSelector
from isthmus.select.reliability import Reliability
from isthmus.select.variance import VarianceFilter
from isthmus.table.steps import Step

__all__ = ["STEPS"]

STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {step.name: step for step in (Reliability, VarianceFilter, CorrelationFilter, AnovaSelector, LassoSelector)}
)
