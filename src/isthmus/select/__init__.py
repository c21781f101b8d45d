"""Which columns a model sees: reliability, redundancy, univariate and multivariable selection. One estimator a module.

`STEPS` maps the name used in a plan to the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.select.anova import AnovaSelector
from isthmus.select.correlation import CorrelationFilter
from isthmus.select.lasso import LassoSelector
from isthmus.select.variance import VarianceFilter
from isthmus.table.steps import Step

__all__ = ["STEPS", "AnovaSelector", "CorrelationFilter", "LassoSelector", "VarianceFilter"]

STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {step.name: step for step in (VarianceFilter, CorrelationFilter, AnovaSelector, LassoSelector)}
)
