"""[select]: the steps of every model that does not name its own, and the filter of features that do not repeat."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from isthmus.settings import Section, StepSettings

__all__ = ["ReliabilitySettings", "SelectSettings"]


class ReliabilitySettings(Section):
    """repeats: the table of repeated measurements, relative to the plan; one a block as `{ ct = "a.csv", mr = "b.csv" }` where the study
    has several. form, at_least, on, confidence, cosine_at_least: as in the step `reliability`. volume_below: of these features only
    those whose |Spearman's rho| with the volume of the lesion stays below it (the step `volume_correlation`; `volume` as there). With
    0.9 and the defaults they are the core set that small cohorts are advised to keep to. lesion_cosine: of a frozen network's block,
    lesions whose centred features have a smaller mean cosine with their repeats are named in `tables/lesion_reliability.csv` and in a
    warning; nothing is left out."""

    repeats: str | dict[str, str]
    form: str = "2,1"
    at_least: float = Field(default=0.75, gt=0, lt=1)
    on: Literal["lower", "estimate"] = "lower"
    confidence: float = Field(default=0.95, gt=0, lt=1)
    cosine_at_least: float | None = Field(default=None, gt=0, lt=1)
    volume_below: float | None = Field(default=None, gt=0, le=1)
    volume: str = "lesion_ml"
    lesion_cosine: float | None = Field(default=None, gt=-1, lt=1)

    def steps(self, blocks: list[str] | None) -> list[dict[str, Any]]:
        """The steps of a model that carry this out; `blocks` are the prefixes of the columns that have repeats (None: all)."""
        said = self.model_dump(exclude={"repeats", "volume_below", "volume", "lesion_cosine"}, exclude_defaults=True)
        first = {"name": "reliability", **said, "repeats": IN_RUN}
        if self.volume_below is None:
            return [first]
        limited = {} if blocks is None else {"blocks": blocks}
        return [first, {"name": "volume_correlation", "below": self.volume_below, "volume": self.volume, **limited}]


IN_RUN = "repeats of [select]"
"""Stands for the table until a run has put it together."""


class SelectSettings(Section):
    """steps: as in [[models]]; without them each estimator has its own default. reliability: first of all, in every model."""

    steps: list[str | StepSettings] | None = None
    reliability: ReliabilitySettings | None = None
