"""The base of every section of a plan: frozen, and an unknown key is an error.

Each section is defined in the folder it configures (`cohort/settings.py`, `features/profiles/pyradiomics.py`, ...), so a
setting sits beside the code that obeys it, and its default is written once.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "StepSettings"]


class Section(BaseModel):
    """A section of the plan: immutable, strict about its keys, no hidden conversion of numbers or booleans."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class StepSettings(Section):
    """One step of a model: its name and the settings it takes. In a plan, `"scale"` is short for `{ name = "scale" }`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})
