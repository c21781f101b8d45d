"""How masks are drawn: by a trained network, or grown from clicks; and [segment] of a plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from isthmus.settings import Section

__all__ = ["DrawSettings", "SegmentSection"]


class DrawSettings(Section):
    """How a network draws masks: overlap of neighbouring windows, mirroring, the smallest part in mm3, parts farther than so many mm from
    an organ dropped, an uncertainty map beside each mask, the device, and whether only rows without a mask are drawn, the others keeping
    theirs.
    """

    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.5
    mirror: bool = True
    least_mm3: Annotated[float, Field(ge=0)] = 0.0
    near: str | None = None
    near_mm: Annotated[float, Field(ge=0)] = 15.0
    uncertainty: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    missing: bool = False


class SegmentSection(DrawSettings):
    """[segment] of a plan: masks that the run draws before it measures anything.

    Parameters
    ----------
    model : str, optional
        The folder of `isthmus segment train`, relative to the plan. A case that trained it is drawn by the networks that never saw it,
        and excluded where there are none.
    method, seeds, settings
        Instead: a method of `isthmus segment grow`, its table of clicks with a column `case`, relative to the plan, and its settings.
    mask : str, optional
        Which mask is drawn, `mask:<name>` of the case table; default: the only one of the blocks.
    image : str, optional
        In which image; default: the one of that name.
    missing : bool
        Only rows without a mask are drawn (default); false: every row, whatever the table holds.
    """

    model: str | None = None
    method: str | None = None
    seeds: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    mask: str | None = None
    image: str | None = None
    missing: bool = True

    @model_validator(mode="after")
    def _one_way(self) -> SegmentSection:
        if (self.model is None) == (self.method is None):
            raise ValueError(
                'say who draws: model = "FOLDER" of `isthmus segment train`, or method = "growcut" with seeds'
            )
        if self.method is None:
            given = [name for name in ("seeds", "settings") if getattr(self, name)]
            if given:
                raise ValueError(
                    f"{given[0]} belongs to a method of `isthmus segment grow`, not to a network; take it out"
                )
            return self
        if self.seeds is None:
            raise ValueError(f"method = {self.method!r} needs seeds, a table of clicks with a column case")
        plain = DrawSettings()
        for name in set(DrawSettings.model_fields) - {"missing"}:
            if getattr(self, name) != getattr(plain, name):  # a lock file says every default
                raise ValueError(f"{name} belongs to a network, not to method = {self.method!r}; take it out")
        return self
