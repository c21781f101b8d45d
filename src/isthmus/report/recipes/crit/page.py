"""The parts of the page: what the study printed, and what this run found."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import confidence, final_model, split_name
from isthmus.report.recipes._part import Part
from isthmus.report.recipes.crit.groups import RULES
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, metric_name, number, p_value
from isthmus.stats.classification import proportion_interval
from isthmus.stats.interval import Interval
from isthmus.study.recipes.crit import published
from isthmus.study.result import Result

__all__ = ["parts", "what_the_sensitivity_hides"]


_SHOWN = ("auc", "sensitivity", "specificity", "npv", "ppv", "brier", "calibration_slope")


def parts(result: Result) -> list[Part]:
    """What the page shows of the study, in order."""
    level = f"{100 * confidence(result):.0f} %"
    tables = {name.removeprefix("crit_"): t for name, t in result.tables.items() if name.startswith("crit_")}
    final = final_model(result)
    found = [
        Part(
            text=(
                f"The recipe follows {published.SOURCE}: distant metastasis of differentiated thyroid cancer from clinical variables, "
                "radiomics of the whole lesion, iTED and a three-dimensional ITHscore, in 881 patients of one centre and 145 of another. "
                "A number under “printed” is the study's, of its patients; everything else is of this run. On synthetic patients the two "
                "stand beside each other to check the method, not to be equal.",
                what_the_sensitivity_hides(),
            )
        ),
        Part(
            "Beside the printed numbers",
            figure="crit_published",
            caption=f"{final}, named in the plan before the data were seen; {level} Wilson intervals, of the print as its likely counts "
            "give them. The threshold was fixed on out-of-fold predictions of the development patients and carried over.",
        ),
        Part(view=_rates(tables["published"], level)),
        Part(
            "Combinations of feature blocks",
            text=(
                f"The study's code fits {len(published.MODELS)} combinations; its description counts "
                f"{len(published.MODELS) - len(published.NOT_IN_README)} and leaves out {' and '.join(published.NOT_IN_README)}. "
                "All models share folds, tuning, calibration and the rule for the threshold. Models with another name are comparators of "
                "this recipe.",
            ),
            figure="crit_models",
            caption=f"{level} intervals. Bold: the model named in the plan.",
        ),
        Part(view=_models(tables["models"], level)),
    ]
    if "added_value" in tables:
        found += [
            Part(
                f"What is added to {published.BASELINE}",
                figure="crit_added",
                caption=f"Paired bootstrap of the AUC difference on the same unseen patients, {level} intervals; p corrected by Holm over "
                "the models, in the order of the legend.",
            ),
            Part(view=_added(tables["added_value"])),
        ]
    found += [
        Part(
            "The study's screening score",
            text=(
                "The study called one model the best by a score in which the external centre counts for 40 % and agreement with it for "
                "20 %: the patients who were to test the choice took part in it, and the result at that centre is optimistic. Here the "
                "score is made from out-of-fold predictions of the development patients; it chooses nothing, for the model was named in "
                "the plan. The score as published stands beside it and is labelled.",
            ),
            figure="crit_score",
            caption="Each metric from 0 (worst of these models) to 100 (best), weighted, and lowered where sensitivity is below 0.70 "
            "or NPV below 0.85. The score ranks these models among one another and means nothing alone.",
        ),
        Part(view=_score(tables["score"])),
        Part(view=_components(tables["score_components"])),
        Part(
            "Groups of risk",
            figure="crit_risk_groups",
            caption=f"{final}. Development patients by their out-of-fold risk, external ones by the frozen model; limits from the former; "
            f"{level} Wilson intervals. Over each point: events of patients.",
        ),
        Part(view=_groups(tables["risk_groups"], level)),
    ]
    return found


def what_the_sensitivity_hides() -> str:
    """What the printed rates of the external centre can mean."""
    events, hit = published.EVENTS_B, published.FOUND_B
    interval = proportion_interval(hit, events)
    negatives = published.fitting_negatives(patients=published.COUNTS["patients B"], events=events, found=hit)
    others = published.COUNTS["patients B"] - events
    sensitivity, npv = (f"{100 * published.RATES[name]:.1f} %" for name in ("sensitivity", "npv"))
    return (
        f"The printed sensitivity of {sensitivity} fits {hit} of {events} events, whose Wilson 95 % interval is "
        f"{number(interval.lower, 3)} to {number(interval.upper, 3)}; one patient more or less moves it by {100 / events:.1f} points. "
        f"With one missed event the printed NPV of {npv} fits {negatives[0]} to {negatives[-1]} true negatives "
        f"among {others} patients without metastasis: a specificity of {number(negatives[0] / others)} to "
        f"{number(negatives[-1] / others)}. With {100 * events / (events + others):.0f} % events, calling nobody positive has an NPV of "
        f"{number(others / (events + others))}."
    )


def _rates(table: pd.DataFrame, level: str) -> View:
    rows = []
    for row in table.to_dict("records"):
        printed = row["source"] == "printed"
        where = "Printed, external centre" if printed else f"This run, {split_name(str(row['split'])).lower()}"
        limits = (_limits(row[f"{name}_lower"], row[f"{name}_upper"]) for name in ("wilson", "exact"))
        counts = f"{_count(row['part'])} of {_count(row['whole'])}"
        rows.append([metric_name(str(row["metric"])), where, counts, number(row["estimate"], 3), *limits])
    names = ["", "Of", "Patients", "Estimate", f"Wilson {level}", f"Exact {level}"]
    caption = (
        "Counts of the print are inferred: those that give its rates when rounded; of the NPV the smallest and the largest. Counts of "
        "cross-validation are means over its repeats. Exact: Clopper and Pearson."
    )
    frame = pd.DataFrame(rows, columns=names).sort_values("", ascending=False, kind="stable")
    return View(frame, caption, numeric=tuple(names[2:]))


def _count(value: Any) -> str:
    """A whole number, or a mean over repeats."""
    return number(value, 1 if value % 1 else 0)


def _limits(lower: float, upper: float) -> str:
    return "–" if pd.isna(lower) else f"{number(lower, 3)} to {number(upper, 3)}"


def _interval(row: Any, metric: str) -> Interval:
    return Interval(float(row[metric]), float(row[f"{metric}_lower"]), float(row[f"{metric}_upper"]), "")


def _models(table: pd.DataFrame, level: str) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for split, part in table.groupby("split", sort=False):
        groups[len(rows)] = split_name(str(split))
        for row in part.to_dict("records"):
            counts = " / ".join(_count(row[name]) for name in ("tp", "fp", "fn", "tn"))
            rows.append([str(row["model"]), counts, *(interval_text(_interval(row, metric)) for metric in _SHOWN)])
    names = [
        "Model",
        "TP / FP / FN / TN",
        "AUC",
        "Sensitivity",
        "Specificity",
        "NPV",
        "PPV",
        "Brier",
        "Calibration slope",
    ]
    caption = (
        f"At the threshold fixed on training predictions; {level} intervals. Further metrics: tables/crit_models.csv."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _added(table: pd.DataFrame) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    benefits = [test for test in dict.fromkeys(table["test"]) if test.startswith("net benefit")]
    for split, part in table.groupby("split", sort=False):
        groups[len(rows)] = split_name(str(split))
        for model, mine in part.groupby("model", sort=False):
            of = {row["test"]: row for row in mine.to_dict("records")}
            cells = [_difference(of.get("AUC difference, bootstrap"), 3)]
            cells += [
                _p(of.get(test)) for test in ("AUC difference, bootstrap", "AUC difference, DeLong", "likelihood ratio")
            ]
            cells += [_difference(of.get(test), 3) for test in benefits]
            rows.append([str(model), *cells])
    names = [
        "Model",
        "AUC difference",
        "p, bootstrap",
        "p, DeLong",
        "p, likelihood ratio",
        *(b.replace("net", "Net") for b in benefits),
    ]
    caption = (
        f"Model minus {published.BASELINE}; intervals are of the paired bootstrap; every p is corrected by Holm over the models of one "
        "split and test. Likelihood ratio: does the logit of the model's risk add to that of the other, both held fixed?"
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _difference(row: Any, digits: int) -> str:
    if row is None:
        return "–"
    return interval_text(Interval(row["difference"], row["lower"], row["upper"], ""), digits)


def _p(row: Any) -> str:
    return "–" if row is None else p_value(row["p_holm"])


def _score(table: pd.DataFrame) -> View:
    there = "as_published" in table
    rows = []
    for row in table.sort_values("rank", kind="stable").to_dict("records"):
        cells = [
            str(row["rank"]),
            str(row["model"]),
            number(row["score"], 1),
            number(row["penalty"]),
            number(row["score_readme"], 1),
        ]
        if there:
            cells += [
                number(row["external"], 1), number(row["stability"], 1), number(row["penalty_as_published"]),
                number(row["as_published"], 1), str(row["rank_as_published"]),
            ]  # fmt: skip
        rows.append(cells)
    names = ["Rank", "Model", "Score", "Penalty", "With the description's weights"]
    if there:
        names += ["External part", "Stability", "Penalty as published", "As published, optimistic", "Its rank"]
    return View(pd.DataFrame(rows, columns=names), "", numeric=(names[0], *names[2:]))


def _components(table: pd.DataFrame) -> View:
    wide = table.pivot_table(index="metric", columns="model", values="points", sort=False)
    rows = []
    for metric in dict.fromkeys(table["metric"]):
        of = table[table["metric"] == metric].iloc[0]
        rows.append(
            [
                "Detection rate" if metric == "detection_rate" else metric_name(metric), f"{100 * of['weight_code']:.0f}",
                f"{100 * of['weight_readme']:.0f}", *(number(wide.at[metric, model], 0) for model in wide.columns),
            ]
        )  # fmt: skip
    stability = f"{100 * published.WEIGHTS_README['stability']:.0f}"
    rows.append(["Stability", "20 of all", stability, *("" for _ in wide.columns)])
    names = ["Component", "Weight, code (%)", "Weight, description (%)", *map(str, wide.columns)]
    caption = (
        "Points of each component, out of fold. The code weighs eleven components, and then internal test, external centre and stability "
        "40 : 40 : 20; the description lists twelve with stability the last, which is left out here because it needs the external centre."
    )
    return View(pd.DataFrame(rows, columns=names), caption, numeric=tuple(names[1:]))


def _groups(table: pd.DataFrame, level: str) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for (rule, split), part in table.groupby(["rule", "split"], sort=False):
        groups[len(rows)] = f"{RULES[str(rule)]}, {split_name(str(split)).lower()}"
        for row in part.to_dict("records"):
            interval = Interval(row["share"], row["lower"], row["upper"], "")
            rows.append(
                [
                    str(row["group"]), f"{number(row['from'], 3)} to {number(row['to'], 3)}", str(row["n"]), str(row["events"]),
                    interval_text(interval) if row["n"] else "–",
                ]
            )  # fmt: skip
    names = ["Group", "Risk", "Patients", "Events", f"Share ({level})"]
    caption = (
        "The study scored its development patients with the model they had trained, and its description has 0.3 and 0.7 as fixed limits, "
        "its code 0.2 and 0.5 (used here). Out-of-fold patients were called high by the thresholds of their folds."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))
