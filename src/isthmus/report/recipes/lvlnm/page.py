"""The parts of the page: what every study shows, then the tables and maps of this one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import confidence, final_model, split_name
from isthmus.report.recipes import neighbour
from isthmus.report.recipes._part import Part
from isthmus.report.recipes.lvlnm import maps
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, metric_name, number, p_value
from isthmus.stats.interval import Interval
from isthmus.study.recipes.lvlnm.models import METRICS
from isthmus.study.result import Result

__all__ = ["parts"]


def parts(result: Result) -> list[Part]:
    """What the page shows of the study, in order."""
    level = f"{100 * confidence(result):.0f} %"
    tables = {name.removeprefix("lvlnm_"): table for name, table in result.tables.items() if name.startswith("lvlnm_")}
    found = [*neighbour.parts(result)]
    found += [
        Part("What the printed rates can be rates of", text=_of_the_print(tables["printed_counts"])),
        Part(view=_printed(tables["printed_counts"])),
        Part("All models in one table", view=_models(tables["models"], level)),
        Part(view=_against(tables["against_final"], final_model(result), level)),
    ]
    if "choices" in tables and len(tables["choices"]):
        found += [
            Part(
                "What choosing on the test set would have claimed",
                text=tuple(_choice(str(name), part) for name, part in tables["choices"].groupby("group", sort=False)),
                figure="lvlnm_choices",
                caption="AUC of the models among which the study chose. Rings: the best out of fold, and the best of the internal set.",
            )
        ]
    if len(maps.data(result)[maps.NAME]):
        found.append(
            Part(
                "Where the network looks, and the sub-regions",
                figure="lvlnm_maps",
                caption="The first patients of each class in the order of the case table: the frame and the nodule's outline; Grad-CAM "
                "for large volume metastasis over what the network saw; and the sub-regions, learned on training patients without the "
                "outcome, whose numbers and colours mean the same tissue in everybody. The probability is that of the network shown, which "
                "had not seen the patient unless it says so. Such maps show where, not why.",
            )
        )
    return found


def _of_the_print(table: pd.DataFrame) -> tuple[str, ...]:
    """What the counts that fit say, in sentences."""
    fits = [str(row["published_model"]) for row in table.to_dict("records") if row["fits_patients"]]
    said = (
        "None of the printed sets of rates"
        if not fits
        else f"Of the printed sets of rates only that of {', '.join(fits)}"
    )
    inside = table[table["split"] == "internal"]
    frames = inside[
        (262 % inside["cases"] == 0) & (inside["cases"] * 42 == inside["positive"] * 262)
    ]  # or a part of them
    return (
        f"A rate of patients is a whole number over a whole number. {said} fits the patients and events of Table 1. Below stand the fewest "
        "cases that print as all of a model's rates.",
        f"Of the internal set 262 with 42 positive, more than its 150 patients, fit {len(frames)} models at once: such numbers are of "
        "frames, of which one patient has up to three. Intervals from frames as if they were patients are too narrow. The fusion's numbers "
        "fit another set of cases than those of the models it is tested against, and DeLong's test needs the same.",
        "The negative predictive values of the five networks repeat their sensitivities, which is no property of any model; the column "
        "beside them has what the counts give.",
    )


def _printed(table: pd.DataFrame) -> View:
    rows: list[list[str]] = []
    for row in table.to_dict("records"):
        counts = "–" if pd.isna(row["cases"]) else " / ".join(f"{row[name]:.0f}" for name in ("tp", "fp", "fn", "tn"))
        rows.append(
            [
                str(row["published_model"]), split_name(str(row["split"])), f"{row['patients']} ({row['events']})",
                "yes" if row["fits_patients"] else "no",
                "–" if pd.isna(row["cases"]) else f"{row['cases']:.0f} ({row['positive']:.0f})", counts, number(row["npv_printed"], 3),
                number(row["npv"], 3),
            ]
        )  # fmt: skip
    names = [
        "Model", "Set", "Its patients (events)", "Rates fit them", "Fewest cases that fit (positive)", "TP / FP / FN / TN",
        "NPV, printed", "NPV of the counts",
    ]  # fmt: skip
    return View(
        pd.DataFrame(rows, columns=names),
        "Searched up to 450 cases, each rate to its third digit.",
        numeric=tuple(names[2:]),
    )


def _interval(row: Any, metric: str) -> str:
    return interval_text(Interval(float(row[metric]), float(row[f"{metric}_lower"]), float(row[f"{metric}_upper"]), ""))


def _models(table: pd.DataFrame, level: str) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for split in [one for one in ("cv", "internal", "external") if (table["split"] == one).any()]:
        part = table[table["split"] == split]
        first = part.iloc[0]
        groups[len(rows)] = f"{split_name(str(split))}: {first['n']} patients, {first['n_events']} with the outcome"
        for row in part.to_dict("records"):
            network = row["network"] if isinstance(row["network"], str) else ""
            rows.append(
                [
                    str(row["model"]) + (f" ({network})" if network else ""),
                    *(_interval(row, metric) for metric in METRICS),
                ]
            )
    names = ["Model", *(metric_name(metric) for metric in METRICS)]
    caption = (
        f"Patients, at the threshold fixed on training predictions; {level} intervals. Kappa: agreement of the call with the outcome "
        "beyond chance. Features of a network that was not trained are a random projection of the frame."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _against(table: pd.DataFrame, final: str, level: str) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for (split, test), part in table.groupby(["split", "test"], sort=False):
        groups[len(rows)] = f"{split_name(str(split))}, {str(test).removeprefix('AUC difference, ')}"
        for row in part.to_dict("records"):
            value = Interval(row["difference"], row["lower"], row["upper"], "")
            difference = number(value.estimate, 3) if pd.isna(value.lower) else interval_text(value, 3)
            rows.append([str(row["model"]), difference, p_value(row["p"]), p_value(row["p_holm"])])
    names = ["Model", f"AUC minus that of {final}", "p", "p, Holm"]
    caption = f"On the same patients, {level} intervals where there are any; corrected over the pairs with the final model, of one set."
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _choice(group: str, part: pd.DataFrame) -> str:
    rows = part.to_dict("records")
    chosen, inside = (next(row for row in rows if row[name]) for name in ("best_internal", "best_cv"))
    outside, paid = str(chosen["model"]), float(chosen["optimism"])
    external = "" if pd.isna(chosen["external"]) else f" and {number(chosen['external'])} in the external patients"
    same = "the same" if inside is chosen else str(inside["model"])
    return (
        f"Of the {len(part)} {group}, {outside} is best in the internal set, with an AUC of {number(chosen['internal'])} there, "
        f"{number(chosen['cv'])} out of fold{external}; out of fold the best is {same}. In bootstrap samples of the internal "
        f"patients, the best of these {len(part)} has on average an AUC {number(paid, 3)} above what it has in all of them: so much of a "
        "best result is the choice."
    )
