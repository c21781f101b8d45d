"""Recipes: plans to start from, and for published studies what reproduces them.

A recipe's plan is a file beside this one (they are data; the first line is the title). A recipe of a published study has its facts
beside it, `<name>.facts.toml`: what was printed, what the plan does otherwise and why (`isthmus.study.recipes.facts`). A plan asks with
`[report] recipe = { name = "..." }` for the part of the report that puts the run beside the print, so it comes with a user's own patients
too. A study with tables of its own has a module as well, which says more than the facts. The cohort to try a recipe on is of its name in
`isthmus.synthetic.cohorts`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from isthmus.errors import PlanError, did_you_mean
from isthmus.study.recipes.facts import ENDING, STUDIES, Facts, beside, described, facts_of, shares_beside
from isthmus.study.recipes.own import on_your_own_patients

if TYPE_CHECKING:
    from isthmus.study.data import StudyData
    from isthmus.study.plan import Plan
    from isthmus.study.result import Result

__all__ = [
    "RECIPES",
    "STUDIES",
    "Finished",
    "Study",
    "demo_text",
    "facts_of",
    "outputs",
    "recipe_text",
    "recipe_with_facts",
    "run_recipe_demo",
    "study_recipe",
    "write_recipe_cohort",
]

log = logging.getLogger("isthmus")

_FOLDER = files("isthmus.study.recipes")

_ROOMS: Mapping[str, str] = MappingProxyType(
    {
        "atc-pdtc": "isthmus.study.recipes.atc_pdtc",
        "crit": "isthmus.study.recipes.crit",
        "lvlnm": "isthmus.study.recipes.lvlnm",
    }
)
"""Recipes with tables of their own: name -> the module with its `check` and `outputs`."""


class Study(Protocol):
    """What a recipe of a published study answers: modules with tables of their own, and `_FromFacts`."""

    def check(self, plan: Plan) -> None:
        """Raise where the recipe's tables could not be made."""

    def outputs(self, run: Finished) -> dict[str, pd.DataFrame]:
        """Name -> table, beside `beside`, which every recipe has."""


@dataclass(frozen=True)
class _FromFacts:
    """A recipe whose facts say everything."""

    name: str
    facts: Facts

    def check(self, plan: Plan) -> None:
        known = {row.here for row in self.facts.printed}
        if known and not known & {model.name for model in plan.models}:
            raise PlanError(
                f"[report] recipe = {self.name!r}: no model has a name of the study, so none could be put beside it. "
                f"Names: {', '.join(sorted(known))}."
            )

    def outputs(self, run: Finished) -> dict[str, pd.DataFrame]:
        return {}


@dataclass(frozen=True, eq=False)
class Finished:
    """What a recipe's tables are made from.

    Parameters
    ----------
    plan : Plan
    data : StudyData
    predictions, thresholds, metrics, comparisons, random_splits : DataFrame
        As in the run folder; thresholds have a column for every rule, random splits are only where the plan asks for them.
    within : DataFrame
        tables/harmonisation_within.csv.
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
    random_splits: pd.DataFrame | None = None
    within: pd.DataFrame | None = None


def _titles() -> dict[str, str]:
    found = {}
    for file in _FOLDER.iterdir():
        if file.name.endswith(".toml") and not file.name.endswith(ENDING):
            found[file.name.removesuffix(".toml")] = file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    return dict(sorted(found.items()))


RECIPES = MappingProxyType(_titles())


def recipe_text(name: str) -> str:
    """The recipe as a plan to edit."""
    if name not in RECIPES:
        raise PlanError(f"unknown recipe {name!r}.{did_you_mean(name, RECIPES)}")
    return _FOLDER.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def recipe_with_facts(name: str) -> str:
    """The recipe as a plan to edit, with the facts of its study as comments under the title."""
    text = recipe_text(name)
    if name not in STUDIES:
        return text
    title, _, rest = text.partition("\n")
    words = f"{described(facts_of(name))}\n{on_your_own_patients(text)}"
    said = "\n".join(f"# {line}".rstrip() for line in words.splitlines())
    return f"{title}\n#\n{said}\n{rest}"


def demo_text(name: str, *, full: bool = False) -> str:
    """The plan as the demo runs it: `full`, as printed but for what the synthetic cohort cannot have (files of weights)."""
    text = recipe_text(name)
    return facts_of(name).demo_plan(text, full=full) if name in STUDIES else text


def study_recipe(name: str) -> Study:
    """The recipe of a published study."""
    if name in _ROOMS:
        room: Study = import_module(_ROOMS[name])
        return room
    return _FromFacts(name, facts_of(name))


def outputs(run: Finished) -> dict[str, pd.DataFrame]:
    """The tables of the published study that the plan names, by the names they get in the run folder."""
    recipe = run.plan.report.recipe
    if recipe is None:
        return {}
    found = study_recipe(recipe.name).outputs(run)
    facts = facts_of(recipe.name)
    if facts.printed:
        found = {**found, "beside": beside(facts, run.metrics, run.data.cases, run.random_splits)}
    if facts.shares:
        found = {**found, "shares": shares_beside(facts, run.within)}
    return {f"{recipe.name}_{table}": content for table, content in found.items()}


def write_recipe_cohort(name: str, folder: Path, *, full: bool = False, workers: int = 0) -> Path:
    """Write the synthetic cohort of a recipe and the plan of its demo into a folder, to look at, check and run as one's own.

    Parameters
    ----------
    name : str
    folder : path
        Made if absent; it must be empty.
    full, workers
        As in `run_recipe_demo`.

    Returns
    -------
    Path
        The plan.

    Raises
    ------
    PlanError
        The recipe has no cohort to try it on, or the folder holds something.
    """
    from isthmus.synthetic.cohorts import make_recipe_cohort

    _needs_cohort(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PlanError(f"{folder} is not an empty folder. Name one that is empty or does not exist yet.")
    log.info("making the synthetic cohort of %s in %s", name, folder)
    make_recipe_cohort(name, folder, size="full" if full else "demo", workers=workers)
    plan = folder / "plan.toml"
    plan.write_text(demo_text(name, full=full), encoding="utf-8")
    return plan


def run_recipe_demo(name: str, out: Path, *, full: bool = False, workers: int = 0) -> Result:
    """Make the synthetic cohort of a recipe in `out/cohort` and run its plan into `out`; an earlier demo is replaced.

    Parameters
    ----------
    name : str
    out : path
    full : bool
        A cohort of the study's size and the plan as printed; otherwise a small one, and the plan with what `[[demo]]` of the facts says.
    workers : int

    Raises
    ------
    PlanError
        The recipe has no cohort to try it on, or `out` holds something else.
    """
    from isthmus.study.demo import start_demo
    from isthmus.study.plan import Plan
    from isthmus.study.run import run_study

    _needs_cohort(name)
    start_demo(out)
    plan = Plan.read(write_recipe_cohort(name, out / "cohort", full=full, workers=workers))
    return run_study(plan, out, workers=workers or None)


def _needs_cohort(name: str) -> None:
    from isthmus.synthetic.cohorts import COHORTS

    recipe_text(name)  # or the name is unknown
    if name not in COHORTS:
        raise PlanError(f"recipe {name!r} has no synthetic cohort. --demo works with: {', '.join(COHORTS)}")
