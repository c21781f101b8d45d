"""[validate] and [audit]: how the models are tested, and the null study."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from isthmus.settings import Section
from isthmus.stats.groups import Adjustment

__all__ = [
    "LEAST_FOR_POWER",
    "AuditSettings",
    "DecisionCurveSettings",
    "ExternalSettings",
    "FoldSettings",
    "IntervalSettings",
    "PowerSettings",
    "ShiftSettings",
    "ValidateSettings",
]


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


class FoldSettings(Section):
    """What the work inside one outer fold reads; whatever else [validate] says changes no fit, so a fold that is kept stays good.

    inner_folds: of the inner cross-validation. seed: of every draw of the study; the inner folds hang on it alone, so all models of a fold
    have the same ones. threshold, horizon, risk_groups: see `ValidateSettings`.
    """

    inner_folds: int = Field(5, ge=2)
    seed: int = Field(1, ge=0)
    threshold: str | float | dict[str, float] = "youden"
    horizon: float | None = Field(None, gt=0)
    risk_groups: Literal["median", "tertiles", "maximal"] = "median"


class ValidateSettings(FoldSettings):
    """Repeated, stratified, patient-grouped nested cross-validation.

    threshold: "youden", "prevalence", a fixed probability, or `{ sensitivity = 0.9 }`; always fixed on training
    predictions.
    bootstrap: draws behind the bootstrap intervals.
    horizon (survival): the time for which models give a probability; without one, the median time of the events of the
    development patients.
    times (survival): when the time-dependent AUC and the Brier score are taken; without any, the horizon.
    risk_groups (survival): "median", "tertiles" or "maximal"; cut on training predictions.
    prevalence: how frequent the event is where the model would be used; predictive values are then also given there.
    lowest_specificity: how far the partial AUC reaches.
    risk_categories: rising limits of the risk categories of the categorical NRI, declared beforehand.
    adjust: how p-values are adjusted over the pairs of models.
    subgroups: columns of the tables, or conditions such as "age > 55", in which every model is judged by itself.
    subgroup_minimum: patients with (and without) the event below which nothing is estimated in a subgroup.
    expected_auc: the AUC anticipated before the study; what the sample size supports is computed from it.
    scheme: "repeated" cross-validation, or beside it also "leave-one-centre-out" or "random-splits".
    splits, test_share (random-splits): how often the patients are split anew at random, and the share of them that tests.
    optimism: bootstrap samples on which the whole procedure is repeated (Harrell); 0 turns it off.
    """

    folds: int = Field(5, ge=2)
    repeats: int = Field(5, ge=1)
    external: ExternalSettings | None = None
    bootstrap: int = Field(2000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    decision_curve: DecisionCurveSettings = DecisionCurveSettings()
    times: tuple[float, ...] = ()
    intervals: IntervalSettings = IntervalSettings()
    prevalence: float | None = Field(None, gt=0, lt=1)
    lowest_specificity: float = Field(0.9, ge=0, lt=1)
    risk_categories: list[float] = Field(default_factory=list)
    adjust: Adjustment = "holm"
    subgroups: list[str] = Field(default_factory=list)
    subgroup_minimum: int = Field(10, ge=2)
    expected_auc: float = Field(0.75, gt=0.5, lt=1)
    scheme: Literal["repeated", "leave-one-centre-out", "random-splits"] = "repeated"
    splits: int = Field(5, ge=2)
    test_share: float = Field(0.3, gt=0, lt=1)
    optimism: int = Field(0, ge=0)

    def of_a_fold(self) -> FoldSettings:
        """The part that the work inside a fold reads."""
        return FoldSettings(**{name: getattr(self, name) for name in FoldSettings.model_fields})

    @field_validator("risk_categories")
    @classmethod
    def _rising(cls, limits: list[float]) -> list[float]:
        if sorted(set(limits)) != limits or not all(0 < limit < 1 for limit in limits):
            raise ValueError(f"got {limits}; expected rising probabilities between 0 and 1, such as [0.2, 0.5]")
        return limits


class PowerSettings(Section):
    """Signals to plant in the study's own predictors: what can a study of this size find?

    auc: how strong (AUC of the planted score). carriers: how many predictors carry it, drawn at random for each draw. draws: outcomes for
    each strength.
    """

    auc: list[float] = Field(default=[0.65, 0.75, 0.85])
    carriers: int = Field(5, ge=1)
    draws: int = Field(20, ge=2)

    @field_validator("auc")
    @classmethod
    def _strengths(cls, values: list[float]) -> list[float]:
        if not values or not all(0.5 < value < 1 for value in values):
            raise ValueError(f"auc = {values}: AUCs between 0.5 and 1, such as [0.65, 0.75, 0.85]")
        return values


class ShiftSettings(Section):
    """What another centre's images might look like; models see it on their test patients only.

    noise: added noise, as multiples of each image's own. smooth_mm, sharpen_mm: a softer or harder kernel (sigma of the Gaussian).
    thickness_mm: thicker slices.
    """

    noise: list[float] = Field(default=[])
    smooth_mm: list[float] = Field(default=[])
    sharpen_mm: list[float] = Field(default=[])
    thickness_mm: list[float] = Field(default=[])

    @field_validator("*")
    @classmethod
    def _positive(cls, values: list[float]) -> list[float]:
        if not all(value > 0 for value in values):
            raise ValueError(f"{values}: every amount must be above 0")
        return values


LEAST_FOR_POWER = 20
"""Permutations of the null study that power needs: its 95 % point must be more than the largest of a few."""

Control = Literal["volume", "clinical", "shuffled"]


class AuditSettings(Section):
    """What is asked of the result before it is believed.

    permutations: the null study, the same plan on permuted outcomes, with one repeat; 0 turns it off.
    controls: the plan on the tumour's volume alone, on the clinical block alone, on the lesion's voxels shuffled; those the data do not
    allow are left out and named. [] turns them off.
    shift: the plan's models on disturbed images of their test patients.
    sensitivity: the plan with another value of a block's setting, such as `{ bin_width = [10, 50], margin_mm = [-1, 2] }`.
    models: which models controls, shift and sensitivity are made for (default: the final one).
    power: signals to plant; off unless the section is there.
    """

    permutations: int = Field(20, ge=0)
    controls: list[Control] = Field(default=["volume", "clinical", "shuffled"])
    shift: ShiftSettings = ShiftSettings()
    sensitivity: dict[str, list[Any]] = Field(default={})
    models: list[str] = Field(default=[])
    power: PowerSettings | None = None
