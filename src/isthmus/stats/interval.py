"""An estimate never travels without its interval and the method that made it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Interval"]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence limits (NaN where they cannot be given, and `method` says why)."""

    estimate: float
    lower: float
    upper: float
    method: str
