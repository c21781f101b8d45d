"""Libraries that a plain installation does not have."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from isthmus.errors import PlanError

__all__ = ["optional"]


def optional(module: str, who: str, extra: str) -> Any:
    """The module, or a `PlanError` that says how to install it."""
    try:
        return import_module(module)
    except ImportError as exc:
        raise PlanError(
            f"estimator '{who}' needs {module}, which is not installed: pip install 'isthmus[{extra}]'"
        ) from exc
