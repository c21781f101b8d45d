"""The rooms of the application: the one list."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from fastapi import APIRouter

    from isthmus.app.settings import AppSettings

__all__ = ["ROOMS", "Room"]


@dataclass(frozen=True)
class Room:
    """A room: the folder `isthmus.app.<name>` with `router(settings)`, answered below `/api/<name>`; its page `pages/<name>/index.html`.

    Parameters
    ----------
    name : str
    title, says : str
        On the home page.
    needs : str
        "cases", "run" or nothing: the setting without which the room is shut.
    """

    name: str
    title: str
    says: str
    needs: str = ""

    def router(self, settings: AppSettings) -> APIRouter:
        module = importlib.import_module(f"isthmus.app.{self.name}")
        make = cast("Callable[[AppSettings], APIRouter]", module.router)
        return make(settings)

    def is_open(self, settings: AppSettings) -> bool:
        return not self.needs or getattr(settings, self.needs) is not None


ROOMS: tuple[Room, ...] = ()
