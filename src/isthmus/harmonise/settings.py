"""[harmonise]: which features, over which centres or scanners, and what of a patient from elsewhere."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from isthmus.settings import Section

__all__ = ["HarmoniseSettings"]


class HarmoniseSettings(Section):
    """method: "combat". batch: what divides the patients (`centre`, a fact of acquisition.csv such as `kernel`, a column of the
    case table); several are taken one after the other (nested ComBat).

    covariates: what differs between batches by right and is kept (columns of the case table); never the outcome. blocks: the
    feature blocks that are harmonised (default: all but [clinical]). leave: columns that are not. prior, mean_only, reference:
    as in ComBat. unseen: what becomes of a patient whose batch is not among the training rows. protocol: the facts by which
    `unseen = "nearest"` finds the most similar batch. adopt_least: how many patients `unseen = "adopt"` needs.
    within: the columns a batch is made of (manufacturer and field strength of a batch that is both): the effect of each at every value of
    the others is told, before and after; it changes no model.
    protect_outcome: keep what goes with the outcome while the batches are estimated. order: of several batches.
    """

    method: Literal["combat"] = "combat"
    batch: str | list[str] = "centre"
    covariates: list[str] = Field(default_factory=list)
    blocks: list[str] = Field(default_factory=list)
    leave: list[str] = Field(default_factory=list)
    prior: Literal["parametric", "nonparametric", "none"] = "parametric"
    mean_only: bool = False
    reference: str | None = None
    unseen: Literal["refuse", "reference", "adopt", "nearest"] = "refuse"
    protocol: list[str] = Field(default_factory=list)
    adopt_least: int = Field(default=20, ge=20)
    protect_outcome: Literal["never", "training-only"] = "never"
    order: Literal["learn", "given"] = "learn"
    models: list[str] = Field(default_factory=list)
    within: list[str] = Field(default_factory=list)

    def step(self, blocks: list[str] | None) -> dict[str, Any]:
        """The step of a model that carries this out, with `blocks` as the prefixes of the columns (None: all)."""
        said = self.model_dump(
            exclude={"method", "blocks", "models", "within"}, exclude_defaults=True, exclude_none=True
        )
        return {"name": self.method, **said, **({"blocks": blocks} if blocks is not None else {})}
