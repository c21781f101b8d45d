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


ROOMS: tuple[Room, ...] = (
    Room("review", "Review masks", "Accept, correct or reject each mask; every decision is kept.", needs="cases"),
    Room("start", "Start a study", "Choose a folder, name the columns, check the plan, run it. No code."),
    Room(
        "reading", "Reading form", "Structured reading of scans, two readers apart, consensus and kappa.", needs="cases"
    ),
    Room("results", "Finished runs", "Report, tables, figures and headline numbers of a run, or several side by side."),
    Room("calculator", "Calculate a risk", "One patient, one model file: values or a scan with its mask."),
)
