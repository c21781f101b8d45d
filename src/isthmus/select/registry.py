"""The explicit mapping from the names of a plan to the steps of this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.select.boruta import BorutaSelector
from isthmus.select.correlation import CorrelationFilter
from isthmus.select.correlation_relevance import CorrelationRelevanceFilter
from isthmus.select.l21 import L21Selector
from isthmus.select.lasso import ElasticNetSelector, LassoSelector
from isthmus.select.mrmr import MrmrSelector
from isthmus.select.mutual_information import MutualInformationSelector
from isthmus.select.near_zero_variance import NearZeroVarianceFilter
from isthmus.select.pca import PrincipalComponentStep
from isthmus.select.reliability import Reliability
from isthmus.select.representatives import RepresentativeStep
from isthmus.select.rfe import CrossValidatedEliminationSelector, EliminationSelector
from isthmus.select.stability import StabilitySelector
from isthmus.select.univariate import UnivariateSelector
from isthmus.select.univariate_cox import UnivariateCoxSelector
from isthmus.select.variance import VarianceFilter
from isthmus.select.vif import VifFilter
from isthmus.select.volume import VolumeFilter
from isthmus.table.steps import Step

__all__ = ["STEPS"]

STEPS: Mapping[str, type[Step]] = MappingProxyType(
    {
        step.name: step
        for step in (
            Reliability,
            VolumeFilter,
            VarianceFilter,
            NearZeroVarianceFilter,
            CorrelationFilter,
            VifFilter,
            PrincipalComponentStep,
            RepresentativeStep,
            CorrelationRelevanceFilter,
            UnivariateSelector,
            UnivariateCoxSelector,
            MutualInformationSelector,
            MrmrSelector,
            BorutaSelector,
            EliminationSelector,
            CrossValidatedEliminationSelector,
            LassoSelector,
            ElasticNetSelector,
            L21Selector,
            StabilitySelector,
        )
    }
)
