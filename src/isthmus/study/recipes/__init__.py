"""Recipes: plans to start from. Found by file, because they are data; the first line of each is its title."""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType

from isthmus.errors import PlanError, did_you_mean

__all__ = ["RECIPES", "recipe_text"]

_FOLDER = files("isthmus.study.recipes")


def _titles() -> dict[str, str]:
    found = {}
    for file in sorted(_FOLDER.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            found[file.name.removesuffix(".toml")] = file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    return found


RECIPES = MappingProxyType(_titles())


def recipe_text(name: str) -> str:
    """The recipe as a plan to edit."""
    if name not in RECIPES:
        raise PlanError(f"unknown recipe {name!r}.{did_you_mean(name, RECIPES)}")
    return _FOLDER.joinpath(f"{name}.toml").read_text(encoding="utf-8")
