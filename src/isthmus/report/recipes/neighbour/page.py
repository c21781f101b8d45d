"""The parts of the page."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import confidence, split_name
from isthmus.report.recipes._part import Part
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, metric_name, number, p_value
from isthmus.stats.interval import Interval
from isthmus.study.demo import is_demo
from isthmus.study.recipes.facts import Comparison, DemoChange, Facts, facts_of, set_in_words
from isthmus.study.result import Result

__all__ = ["parts"]


def parts(result: Result) -> list[Part]:
    """What the page shows of the study, in order."""
    name = result.plan["report"]["recipe"]["name"]
    facts = facts_of(name)
    level = f"{100 * confidence(result):.0f} %"
    found = [Part(text=_source(name, facts))]
    table = result.tables.get(f"{name}_beside")
    if table is not None and len(table):
        caption = (
            f"Cross: as printed, with its interval where one was printed. Point: this run, with {level} interval. The patients are not the "
            "same, so the two check the method and need not agree."
        )
        found += [Part("Printed, and of this run", figure="beside", caption=caption), Part(view=_numbers(table, level))]
    shares = result.tables.get(f"{name}_shares")
    if shares is not None and len(shares):
        found.append(Part("Features that differ, printed and of this run", view=_shares(shares)))
    if facts.comparisons:
        found.append(Part(view=_comparisons(facts.comparisons, result.comparisons)))
    found.append(Part("As published", items=facts.as_published))
    found.append(Part("Otherwise, and why", view=_departures(facts)))
    if facts.unsaid:
        found.append(Part("What was read leaves open", items=facts.unsaid))
    if facts.demo and is_demo(result.folder):
        reasons = tuple(dict.fromkeys(_of_demo(change) for change in facts.demo))
        said = "Synthetic patients; the plan is that of the study but for this:"
        found.append(Part("In the demo", text=(said,), items=reasons))
    return found


def _of_demo(change: DemoChange) -> str:
    """Why, after what the plan says in the demo where that is one line."""
    return change.why if not change.write.strip() or "\n" in change.write else f"{change.write.strip()}: {change.why}"


def _source(name: str, facts: Facts) -> tuple[str, ...]:
    study = facts.study
    cited = ". ".join(
        filter(None, [study.authors.rstrip("."), study.title, f"{study.journal} {study.year or ''}".strip()])
    )
    doi = f" doi:{study.doi}." if study.doi else ""
    return (
        f"The recipe {name} follows: {cited}.{doi} Read was the {study.read}; what it does not say is not guessed but decided, and listed "
        f"below. Outcome: {facts.outcome}. Modality: {facts.needs.modality}.",
        f"Patients of the study: {'; '.join(set_in_words(one) for one in facts.sets)}.",
    )


def _numbers(table: pd.DataFrame, level: str) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for split, part in table.groupby("split", sort=False):
        groups[len(rows)] = split_name(str(split))
        for row in part.to_dict("records"):
            printed = Interval(row["published"], row["published_lower"], row["published_upper"], "")
            own = Interval(row["estimate"], row["lower"], row["upper"], "")
            shown = _p if str(row["metric"]).endswith("_p") else _with_limits
            rows.append(
                [
                    str(row["model"]), metric_name(str(row["metric"])), shown(printed), _count(row["published_patients"]),
                    shown(own), _count(row["patients"]), str(row["note"]) if isinstance(row["note"], str) else "",
                ]
            )  # fmt: skip
    names = ["Model", "", "Printed", "Its patients", f"This run ({level})", "Patients", "Note"]
    if not any(row[-1] for row in rows):
        rows, names = [row[:-1] for row in rows], names[:-1]
    caption = "–: not printed, or the run has no such model or split."
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[2:6]))


def _shares(table: pd.DataFrame) -> View:
    """Shares of features before and after harmonisation."""

    def share(value: float) -> str:
        return "–" if pd.isna(value) else f"{100 * value:.1f} %"

    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model, part in table.groupby("model", sort=False):
        groups[len(rows)] = str(model)
        for row in part.to_dict("records"):
            sizes = [number(row[f"cohens_f_{when}"], 2) for when in ("before", "after")]
            where = f"{row['of']} within {row['at']}".replace("_", " ")
            rows.append(
                [
                    where, *(share(row[k]) for k in ("published_before", "before", "published_after", "after")),
                    *sizes, *(share(row[f"held_out_{when}"]) for when in ("before", "after")),
                ]
            )  # fmt: skip
    names = [
        "Difference of", "Before, printed", "Before", "After, printed", "After", "Cohen's f before", "Cohen's f after",
        "Held out, before", "Held out, after",
    ]  # fmt: skip
    caption = (
        "Share of the features with p < 0.05 (Student's t for two levels, analysis of variance for more), and the median of Cohen's f. "
        "Before and after: of the patients ComBat was fitted on, as printed; there nothing but 0 can remain. Held out: of patients who "
        "took no part in the fit, means over folds; chance gives 5 %, and so few patients show less of a difference than all of them."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _with_limits(value: Interval) -> str:
    if pd.isna(value.estimate):
        return "–"
    return number(value.estimate, 3) if pd.isna(value.lower) else interval_text(value, 3)


def _p(value: Interval) -> str:
    return p_value(value.estimate)


def _count(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.0f}"


def _comparisons(printed: tuple[Comparison, ...], own: pd.DataFrame) -> View:
    """p-values of pairs of models as printed, beside this run's by DeLong."""
    rows = []
    for one in printed:
        pair = own[own[["model_a", "model_b"]].apply(lambda row, one=one: {*row} == {one.here, one.against}, axis=1)]
        pair = pair[pair["test"].str.startswith(one.test) & (pair["split"] == one.split if one.split else True)]
        for row in pair.to_dict("records") or [{}]:
            split = row.get("split", one.split)
            rows.append(
                [
                    one.here,
                    one.against,
                    split_name(str(split)) if split else "",
                    one.test,
                    one.p,
                    number(row.get("p", float("nan")), 3),
                ]
            )
    names = ["Model", "Against", "Split", "Test", "p, printed", "p, this run"]
    return View(
        pd.DataFrame(rows, columns=names), "Pairs of models whose p-value was printed.", numeric=tuple(names[-2:])
    )


def _departures(facts: Facts) -> View:
    names = ["", "The study", "Here", "Why"]
    rows = [[one.what, one.study, one.here, one.why] for one in facts.departures]
    return View(pd.DataFrame(rows, columns=names))
