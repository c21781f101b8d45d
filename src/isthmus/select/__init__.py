"""Which columns a model sees: redundancy, univariate and multivariable selection. One estimator a module.

`STEPS` maps the name used in a plan to the class. scikit-learn is imported when it is first asked for, so that reading a
plan stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.select.registry import STEPS

__all__ = ["STEPS"]


def __getattr__(name: str) -> Any:
    if name == "STEPS":
        return import_module("isthmus.select.registry").STEPS
    raise AttributeError(f"module 'isthmus.select' has no attribute {name!r}")
