"""[validate] and [audit]: how the models are tested, and the null study."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from isthmus.settings import Section

__all__ = ["AuditSettings", "DecisionCurveSettings", "ExternalSettings", "ValidateSettings"]


class ExternalSettings(Section):
    """Which patients no choice may touch: those of the named centres (besides rows the table itself marks
    `external`)."""

    centre: list[str] = Field(min_length=1)


class DecisionCurveSettings(Section):
    """The range of threshold probabilities a clinician would consider, fixed before the results are known."""

    lowest: float = Field(default=0.05, gt=0, lt=1)
    highest: float = Field(default=0.60, gt=0, lt=1)


class ValidateSettings(Section):
    """Repeated, stratified, patient-grouped nested cross-validation.

    threshold: "youden", "prevalence", a fixed probability, or `{ sensitivity = 0.9 }`; always fixed on training
    predictions.
    bootstrap: draws behind the bootstrap intervals.
    horizon (survival): the time for which models give a probability; without one, the median time of the events of the
    development patients.
    times (survival): when the time-dependent AUC and the Brier score are taken; without any, the horizon.
    risk_groups (survival): "median", "tertiles" or "maximal"; cut on training predictions.
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
    horizon: float | None = Field(None, gt=0)
    times: tuple[float, ...] = ()
    risk_groups: Literal["median", "tertiles", "maximal"] = "median"


class AuditSettings(Section):
    """The null study: the same plan on permuted outcomes, with one repeat. 0 permutations turn it off."""

    permutations: int = Field(20, ge=0)
