"""[validate] and [audit]: how the models are tested, and the null study."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from isthmus.settings import Section
from isthmus.stats.groups import Adjustment

__all__ = ["AuditSettings", "DecisionCurveSettings", "ExternalSettings", "IntervalSettings", "ValidateSettings"]


class ExternalSettings(Section):
    """Which patients no choice may touch: those of the named centres (besides rows the table itself marks
    `external`)."""

    centre: list[str] = Field(min_length=1)


class DecisionCurveSettings(Section):
    """The range of threshold probabilities a clinician would consider, fixed before the results are known."""

    lowest: float = Field(default=0.05, gt=0, lt=1)
    highest: float = Field(default=0.60, gt=0, lt=1)


class IntervalSettings(Section):
    """Which of several known ways an interval is made.

    auc: DeLong's on its own scale, or on the logit scale (better near 1); for single sets of predictions.
    proportion: of sensitivity and the like. Clopper-Pearson is exact and wide.
    bootstrap: percentiles of the draws, or those corrected for bias and skewness.
    """

    auc: Literal["delong", "delong-logit"] = "delong"
    proportion: Literal["wilson", "clopper-pearson"] = "wilson"
    bootstrap: Literal["percentile", "bca"] = "percentile"


class ValidateSettings(Section):
    """Repeated, stratified, patient-grouped nested cross-validation.

    threshold: "youden", "prevalence", a fixed probability, or `{ sensitivity = 0.9 }`; always fixed on training
    predictions.
    bootstrap: draws behind the bootstrap intervals.
    prevalence: how frequent the event is where the model would be used; predictive values are then also given there.
    lowest_specificity: how far the partial AUC reaches.
    risk_categories: rising limits of the risk categories of the categorical NRI, declared beforehand.
    adjust: how p-values are adjusted over the pairs of models.
    subgroups: columns of the tables, or conditions such as "age > 55", in which every model is judged by itself.
    subgroup_minimum: patients with (and without) the event below which nothing is estimated in a subgroup.
    expected_auc: the AUC anticipated before the study; what the sample size supports is computed from it.
    optimism: bootstrap samples on which the whole procedure is repeated (Harrell); 0 turns it off.
    """

    folds: int = Field(5, ge=2)
    repeats: int = Field(5, ge=1)
    inner_folds: int = Field(5, ge=2)
    seed: int = Field(1, ge=0)
    external: ExternalSettings | None = None
    threshold: str | float | dict[str, float] = "youden"
    bootstrap: int = Field(2000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    decision_curve: DecisionCurveSettings = DecisionCurveSettings()
    intervals: IntervalSettings = IntervalSettings()
    prevalence: float | None = Field(None, gt=0, lt=1)
    lowest_specificity: float = Field(0.9, ge=0, lt=1)
    risk_categories: list[float] = Field(default_factory=list)
    adjust: Adjustment = "holm"
    subgroups: list[str] = Field(default_factory=list)
    subgroup_minimum: int = Field(10, ge=2)
    expected_auc: float = Field(0.75, gt=0.5, lt=1)
    optimism: int = Field(0, ge=0)

    @field_validator("risk_categories")
    @classmethod
    def _rising(cls, limits: list[float]) -> list[float]:
        if sorted(set(limits)) != limits or not all(0 < limit < 1 for limit in limits):
            raise ValueError(f"got {limits}; expected rising probabilities between 0 and 1, such as [0.2, 0.5]")
        return limits


class AuditSettings(Section):
    """The null study: the same plan on permuted outcomes, with one repeat. 0 permutations turn it off."""

    permutations: int = Field(20, ge=0)
