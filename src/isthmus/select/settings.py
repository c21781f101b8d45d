"""[select]: the steps of every model that does not name its own, and the filter of features that do not repeat."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from isthmus.settings import Section, StepSettings

__all__ = ["ReliabilitySettings", "SelectSettings"]


class ReliabilitySettings(Section):
    """repeats: the table of repeated measurements, relative to the plan; one a block as `{ ct = "a.csv", mr = "b.csv" }` where the
    study has several. form, at_least, on, confidence: as in the step `reliability`."""

    repeats: str | dict[str, str]
    form: str = "2,1"
    at_least: float = Field(default=0.75, gt=0, lt=1)
    on: Literal["lower", "estimate"] = "lower"
    confidence: float = Field(default=0.95, gt=0, lt=1)

    def step(self) -> dict[str, Any]:
        """The step of a model that carries this out."""
        return {"name": "reliability", **self.model_dump(exclude={"repeats"}, exclude_defaults=True), "repeats": IN_RUN}


IN_RUN = "repeats of [select]"
"""Stands for the table until a run has put it together."""


class SelectSettings(Section):
    """steps: as in [[models]]; without them each estimator has its own default. reliability: first of all, in every model."""

    steps: list[str | StepSettings] | None = None
    reliability: ReliabilitySettings | None = None
