"""The study: plan, run, result, model file.

Loaded when first used: the processes that extract features need none of them, and their start is time in which no case is done.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.study.model import Model
    from isthmus.study.plan import Plan
    from isthmus.study.result import Result

__all__ = ["Model", "Plan", "Result"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'isthmus.study' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"isthmus.study.{name.lower()}"), name)
    globals()[name] = value
    return value
