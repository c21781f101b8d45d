"""The base of every section of a plan: frozen, and an unknown key is an error.

Each section is defined in the folder it configures (`cohort/settings.py`, `features/profiles/pyradiomics.py`, ...), so a
setting sits beside the code that obeys it, and its default is written once.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Section"]


class Section(BaseModel):
    """A section of the plan: immutable, strict about its keys, no hidden conversion of numbers or booleans."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
