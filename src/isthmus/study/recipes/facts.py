"""What a recipe says of the published study it follows: `<recipe>.facts.toml` beside its plan.

Everything a reader of a run must know to put it beside the print stands there as data: who published it and where, what it needs, what it
reports, what the plan does as the study did and what it does otherwise and why, and what the plan must hold to be that recipe.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import pandas as pd
from pydantic import Field, ValidationError, model_validator

from isthmus.errors import PlanError, did_you_mean
from isthmus.settings import Section

__all__ = [
    "ENDING",
    "STUDIES",
    "Comparison",
    "DemoChange",
    "Facts",
    "beside",
    "described",
    "facts_of",
    "set_in_words",
    "shares_beside",
    "wrapped",
]

ENDING = ".facts.toml"

_BESIDE = [
    *(
        "published_model",
        "model",
        "split",
        "metric",
        "published",
        "published_lower",
        "published_upper",
        "published_patients",
    ),
    *("estimate", "lower", "upper", "patients", "note"),
]

_SHARES = [
    *(
        "model",
        "of",
        "at",
        "published_before",
        "published_after",
        "before",
        "after",
        "cohens_f_before",
        "cohens_f_after",
    ),
    *("n", "features", "held_out_before", "held_out_after", "note"),
]

_FOLDER = files("isthmus.study.recipes")

STUDIES = tuple(sorted(file.name.removesuffix(ENDING) for file in _FOLDER.iterdir() if file.name.endswith(ENDING)))
"""Recipes of published studies."""

Split = Literal["train", "cv", "internal", "external", "random-splits"]
"""Of a run; "random-splits": the mean over them."""


class Source(Section):
    """Where the study stands. read: what of it was read ("abstract", "paper", "code"), for nothing else is repeated here."""

    title: str = ""
    authors: str = ""
    journal: str = ""
    year: int | None = None
    doi: str = Field("", pattern=r"^(10\.\S+/\S+)?$")
    read: str

    @property
    def short(self) -> str:
        """Journal and year, or the title."""
        return " ".join(filter(None, [self.journal or self.title, str(self.year or "")])).strip()


class Needs(Section):
    """What somebody must have. images: columns `image:` and `mask:` of the case table and what they show; columns: the others."""

    modality: str
    images: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class PatientSet(Section):
    """One set of the study's patients. split: the split of a run that answers it. classes: how many of each; images: where printed."""

    name: str
    split: Split | None = None
    patients: int | None = None
    events: int | None = None
    classes: dict[str, int] = Field(default_factory=dict)
    images: int | None = None
    note: str = ""


class Printed(Section):
    """A number the study printed. model: what it called the model; here: the plan's; split: of a run; metric: as in metrics.csv."""

    model: str
    here: str
    split: Split
    metric: str
    value: float
    lower: float | None = None
    upper: float | None = None
    note: str = ""


class Comparison(Section):
    """A p-value the study printed for two of its models, named as the plan does. p: as printed ("<0.05")."""

    here: str
    against: str
    split: Split | None = None
    test: str
    p: str


class Share(Section):
    """A share of features that differ, as a study of harmonisation printed it. here: the plan's model that harmonises them; of, at:
    as in `harmonisation_within.csv`; after: the same after harmonisation."""

    here: str
    of: str
    at: str
    before: float = Field(ge=0, le=1)
    after: float = Field(ge=0, le=1)
    note: str = ""


class Departure(Section):
    """Where the plan does otherwise, or decides what the text leaves open."""

    what: str
    study: str
    here: str
    why: str


class Requires(Section):
    """What makes the plan this recipe. columns: features of a block; steps: of a model, in this order, others may stand between;
    blocks, risks, estimators: of a model; validate: keys of that section."""

    columns: dict[str, int] = Field(default_factory=dict)
    blocks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    risks: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    steps: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    estimators: dict[str, str] = Field(default_factory=dict)
    validate_: dict[str, Any] = Field(default_factory=dict, alias="validate")


class DemoChange(Section):
    """Words of the plan that the demo writes otherwise. full: in a demo of the study's size, too."""

    instead_of: str
    write: str
    why: str
    full: bool = False


class Facts(Section):
    """One recipe's facts."""

    study: Source
    needs: Needs
    outcome: str
    sets: tuple[PatientSet, ...]
    as_published: tuple[str, ...]
    departures: tuple[Departure, ...]
    unsaid: tuple[str, ...] = ()
    printed: tuple[Printed, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    shares: tuple[Share, ...] = ()
    requires: Requires = Requires()
    demo: tuple[DemoChange, ...] = ()

    @model_validator(mode="after")
    def _within(self) -> Facts:
        for row in self.printed:
            if row.lower is not None and row.upper is not None and not row.lower <= row.value <= row.upper:
                raise ValueError(f"{row.model}, {row.metric}: {row.value} lies outside {row.lower} to {row.upper}")
        return self

    def demo_plan(self, text: str, *, full: bool) -> str:
        """The plan as the demo runs it."""
        for change in self.demo:
            if full and not change.full:
                continue
            if change.instead_of not in text:
                raise PlanError(f"[[demo]] of the recipe's facts: its plan nowhere says {change.instead_of!r}")
            text = text.replace(change.instead_of, change.write)
        return text


@cache
def facts_of(recipe: str) -> Facts:
    """The facts of the recipe of a published study.

    Raises
    ------
    PlanError
        There are none, or their file is wrong.
    """
    if recipe not in STUDIES:
        raise PlanError(
            f"[report] recipe: name = {recipe!r} is no recipe of a published study.{did_you_mean(recipe, STUDIES)}"
        )
    file = _FOLDER.joinpath(f"{recipe}{ENDING}")
    try:
        return Facts.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (ValidationError, tomllib.TOMLDecodeError) as exc:
        raise PlanError(f"{recipe}{ENDING}: {exc}") from exc


def beside(
    facts: Facts, metrics: pd.DataFrame, cases: pd.DataFrame, random_splits: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Each printed number with this run's.

    Parameters
    ----------
    facts : Facts
    metrics : DataFrame
        As in the run folder.
    cases : DataFrame
        patient, split: whose number it is.
    random_splits : DataFrame, optional
        As in the run folder.

    Returns
    -------
    DataFrame
        published_model, model, split, metric, published, published_lower, published_upper, published_patients, estimate, lower, upper,
        patients, note. `estimate` is missing where the run has no such model or split.
    """
    if random_splits is not None and len(random_splits):
        means = random_splits[random_splits["split"] == "mean"].assign(split="random-splits")
        metrics = pd.concat([metrics, means], ignore_index=True)
    own = {(row["model"], row["split"], row["metric"]): row for row in metrics.to_dict("records")}
    sizes = {one.split: one.patients for one in facts.sets if one.split is not None}
    seen = cases.groupby("split")["patient"].nunique() if len(cases) else pd.Series(dtype=int)
    rows = []
    for row in facts.printed:
        found = own.get((row.here, row.split, row.metric), {})
        rows.append(
            {
                "published_model": row.model, "model": row.here, "split": row.split, "metric": row.metric,
                "published": row.value, "published_lower": row.lower, "published_upper": row.upper,
                "published_patients": sizes.get(row.split),
                **{name: found.get(name) for name in ("estimate", "lower", "upper")},
                "patients": _patients(row, seen, own), "note": row.note,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=_BESIDE)


def shares_beside(facts: Facts, within: pd.DataFrame | None) -> pd.DataFrame:
    """Each printed share of features with this run's, of the rows that were harmonised together and of held-out rows.

    Returns
    -------
    DataFrame
        `model, of, at, published_before, published_after`, and of this run `before, after, cohens_f_before, cohens_f_after, n, features`,
        `held_out_before, held_out_after`; missing where the run has no such levels.
    """
    own: dict[tuple[str, str, str, str], dict[Any, Any]] = {}
    for found in [] if within is None else within.to_dict("records"):
        for model in str(found["models"]).split(", "):
            own[model, found["of"], found["at"], found["rows"]] = found
    rows = []
    for one in facts.shares:
        fitted, held = (own.get((one.here, one.of, one.at, kind), {}) for kind in ("fitted", "held out"))
        rows.append(
            {
                "model": one.here, "of": one.of, "at": one.at, "published_before": one.before, "published_after": one.after,
                "before": fitted.get("share_before"), "after": fitted.get("share_after"),
                **{name: fitted.get(name) for name in ("cohens_f_before", "cohens_f_after", "n", "features")},
                "held_out_before": held.get("share_before"), "held_out_after": held.get("share_after"), "note": one.note,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=_SHARES)


def _patients(row: Printed, seen: Any, own: dict[tuple[str, str, str], dict[Any, Any]]) -> float | None:
    """Whose number this run's is; of random splits, how many a split tests on average."""
    if row.split == "random-splits":
        return own.get((row.here, row.split, "n"), {}).get("estimate")
    return seen.get("train" if row.split == "cv" else row.split)


def described(facts: Facts) -> str:
    """The facts in words, a paragraph a line: what `isthmus recipes NAME` puts in front of the plan."""
    study, needs = facts.study, facts.needs
    where = ", ".join(filter(None, [study.authors, study.title, study.journal, str(study.year or ""), study.doi]))
    lines = [f"Study: {where} (read: {study.read})", f"Outcome: {facts.outcome}", f"Needs: {needs.modality}"]
    lines += [f"  - {one}" for one in (*needs.images, *needs.columns)]
    lines += [f'  - pip install "isthmus[{",".join(needs.extras)}]"'] if needs.extras else []
    lines += ["Patients of the study:", *(f"  - {set_in_words(one)}" for one in facts.sets)]
    lines += ["As published:", *(f"  - {one}" for one in facts.as_published)]
    lines += [
        "Otherwise, and why:",
        *(f"  - {one.what}: {one.here} (the study: {one.study}). {one.why}" for one in facts.departures),
    ]
    lines += ["Not said:", *(f"  - {one}" for one in facts.unsaid)] if facts.unsaid else []
    return "\n".join(line for one in lines for line in wrapped(one))


def set_in_words(one: PatientSet) -> str:
    """A set of patients as a sentence tells it."""
    said = [f"{one.patients:,} patients" if one.patients is not None else "patients not counted"]
    said += [f"{one.events:,} with the outcome"] if one.events is not None else []
    said += [f"{number:,} {name}" for name, number in one.classes.items()]
    said += [f"{one.images:,} images"] if one.images is not None else []
    return f"{one.name}: {', '.join(said)}" + (f" ({one.note})" if one.note else "")


def wrapped(line: str, width: int = 118) -> Sequence[str]:
    """The lines of a paragraph or of an item of a list."""
    indent = "    " if line.startswith("  -") else "  "
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
