"""Recipes: plans to start from, and for published studies what reproduces them.

A recipe's plan is a file beside this one (they are data; the first line is the title). A recipe of a published study has a module as
well: `cohort` makes a synthetic cohort to try it on, `outputs` the study's own tables, which the report draws beside what was
printed. A plan asks for them with `[report] recipe = { name = "..." }`, so they come with a user's own patients too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

import pandas as pd

from isthmus.errors import PlanError, did_you_mean

if TYPE_CHECKING:
    from isthmus.study.data import StudyData
    from isthmus.study.plan import Plan
    from isthmus.study.result import Result

__all__ = ["RECIPES", "STUDIES", "Finished", "recipe_text", "run_recipe_demo", "study_recipe"]

log = logging.getLogger("isthmus")

_FOLDER = files("isthmus.study.recipes")

STUDIES: Mapping[str, str] = MappingProxyType(
    {"atc-pdtc": "isthmus.study.recipes.atc_pdtc", "crit": "isthmus.study.recipes.crit"}
)
"""Recipes of published studies: name -> the module with its `cohort`, `small`, `check` and `outputs`."""


@dataclass(frozen=True, eq=False)
class Finished:
    """What a recipe's tables are made from.

    Parameters
    ----------
    plan : Plan
    data : StudyData
    predictions, thresholds, metrics, comparisons : DataFrame
        As in the run folder; thresholds have a column for every rule.
    importance : DataFrame
        model, group, importance in the final model; no rows where no estimator was told groups.
    """

    plan: Plan
    data: StudyData
    predictions: pd.DataFrame
    thresholds: pd.DataFrame
    importance: pd.DataFrame
    metrics: pd.DataFrame
    comparisons: pd.DataFrame


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


def study_recipe(name: str) -> ModuleType:
    """The module of a published study's recipe."""
    if name not in STUDIES:
        raise PlanError(
            f"[report] recipe: name = {name!r} is no recipe of a published study.{did_you_mean(name, STUDIES)}"
        )
    return import_module(STUDIES[name])


def run_recipe_demo(name: str, out: Path, *, full: bool = False, workers: int = 0) -> Result:
    """Make the synthetic cohort of a recipe in `out/cohort` and run its plan into `out`; an earlier demo is replaced.

    Parameters
    ----------
    name : str
    out : path
    full : bool
        A cohort of the study's size and the plan as printed; otherwise a small one with fewer trees.
    workers : int

    Raises
    ------
    PlanError
        The recipe has no cohort to try it on, or `out` holds something else.
    """
    from isthmus.study.demo import start_demo
    from isthmus.study.plan import Plan
    from isthmus.study.run import run_study

    text = recipe_text(name)
    if name not in STUDIES:
        raise PlanError(f"recipe {name!r} has no synthetic cohort. --demo works with: {', '.join(STUDIES)}")
    study = study_recipe(name)
    start_demo(out)
    folder = out / "cohort"
    log.info("making the synthetic cohort of %s in %s", name, folder)
    study.cohort(folder, full=full, workers=workers)
    plan = folder / "plan.toml"
    plan.write_text(text if full else study.small(text), encoding="utf-8")
    return run_study(Plan.read(plan), out, workers=workers or None)
