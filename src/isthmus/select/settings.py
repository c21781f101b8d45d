"""[select]: the steps of every model that does not name its own."""

from __future__ import annotations

from isthmus.settings import Section, StepSettings

__all__ = ["SelectSettings"]


class SelectSettings(Section):
    """steps: as in [[models]]; without them each estimator has its own default."""

    steps: list[str | StepSettings] | None = None
