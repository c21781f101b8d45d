"""A profile under another name, with other defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType, new_class
from typing import Any, ClassVar, cast

from pydantic import create_model

from isthmus.settings import Section

__all__ = ["Configured", "configured", "settings_with"]


@dataclass(frozen=True, eq=False)
class Configured:
    """The contract of a profile, as a module fulfils it: `NAME, Settings, columns, compute, measured, grey_levels`."""

    NAME: str
    Settings: type[Section]
    columns: Callable[..., Any]
    compute: Callable[..., Any]
    measured: Callable[..., Any]
    grey_levels: Callable[..., Any]


def configured(
    profile: ModuleType,
    name: str,
    defaults: Mapping[str, Any],
    *,
    fixed: Mapping[str, Any] | None = None,
) -> Configured:
    """The profile with other defaults; its settings, their checks and its features stay what they are.

    What is `fixed` is no setting any more: nobody can change it, and a plan that tries is told that there is no such key.
    """
    settings = settings_with(profile.Settings, name, defaults, fixed or {})
    return Configured(name, settings, profile.columns, profile.compute, profile.measured, profile.grey_levels)


def settings_with(
    base: type[Section], name: str, defaults: Mapping[str, Any], fixed: Mapping[str, Any]
) -> type[Section]:
    """The settings of a profile under another name, with other defaults, and without the keys that are fixed."""
    title = "".join(part.capitalize() for part in name.split("-")) + "Settings"
    known = base.model_fields
    if unknown := sorted({*defaults, *fixed} - known.keys()):
        raise KeyError(f"profile {name!r}: {base.__name__} has no field {', '.join(unknown)}")
    fields: dict[str, Any] = {key: (known[key].rebuild_annotation(), value) for key, value in defaults.items()}
    settings = cast("type[Section]", create_model(title, __base__=base, __module__=__name__, **fields))
    if fixed:
        # a class variable takes the place of the inherited field
        members = {"__module__": __name__, "__annotations__": dict.fromkeys(fixed, ClassVar[Any]), **fixed}
        settings = cast("type[Section]", new_class(title, (settings,), exec_body=lambda body: body.update(members)))
    globals()[title] = settings  # where pickle looks for the class, in another process too
    return settings
