"""What a statistical test says: its statistic, its p-value and which test it was."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of one test (NaN where it cannot be computed, and `method` says why); `df` where one applies."""

    statistic: float
    p: float
    method: str
    df: float | None = None
