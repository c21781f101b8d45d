"""A profile under another name, with other defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import create_model

from isthmus.settings import Section

__all__ = ["Configured", "configured"]


@dataclass(frozen=True, eq=False)
class Configured:
    """The contract of a profile, as a module fulfils it: `NAME, Settings, columns, compute, measured, grey_levels`."""

    NAME: str
    Settings: type[Section]
    columns: Callable[..., Any]
    compute: Callable[..., Any]
    measured: Callable[..., Any]
    grey_levels: Callable[..., Any]


def configured(profile: ModuleType, name: str, defaults: Mapping[str, Any]) -> Configured:
    """The profile with other defaults; its settings, their checks and its features stay what they are."""
    title = "".join(part.capitalize() for part in name.split("-")) + "Settings"
    settings = _with_defaults(profile.Settings, title, defaults)
    globals()[title] = settings  # where pickle looks for the class, in another process too
    return Configured(name, settings, profile.columns, profile.compute, profile.measured, profile.grey_levels)


def _with_defaults(settings: type[Section], title: str, defaults: Mapping[str, Any]) -> type[Section]:
    known = settings.model_fields
    fields: dict[str, Any] = {key: (known[key].rebuild_annotation(), value) for key, value in defaults.items()}
    return create_model(title, __base__=settings, __module__=__name__, **fields)
