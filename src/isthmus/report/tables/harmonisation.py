"""What harmonisation did to the mark of the centre, on patients it was not fitted on; and whom it met."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "outcome_view", "sites_view", "view", "within_view"]

NAME = "harmonisation"
TITLE = "Harmonisation"


def view(result: Result) -> View | None:
    """One row a measure, grouped by models and batch variable; None where nothing was harmonised."""
    table = result.tables.get("harmonisation")
    if table is None or not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for (models, batch), part in table.groupby(["models", "batch"], sort=False):
        folds, size = int(part["folds"].iloc[0]), float(part["rows_per_fold"].iloc[0])
        groups[len(rows)] = f"{models}, by {batch}: {folds} folds of {size:.0f} rows"
        rows += [
            [str(measure), *(f"{float(value):.2f}" for value in values)]
            for measure, *values in part[["measure", "before", "after", "no_effect"]].itertuples(index=False, name=None)
        ]
    caption = (
        "Each fold's test patients by themselves, harmonised by what its training patients taught; means over folds. "
        "On the rows harmonisation was fitted on the centre is gone by construction, so those would show nothing. "
        "No effect: what so few rows give where no centre shows at all. The forest learned the centre from training patients."
    )
    names = ["", "Before", "After", "No effect"]
    return View(pd.DataFrame(rows, columns=names), caption, groups, ("Before", "After", "No effect"))


def within_view(result: Result) -> View | None:
    """The effect of each part of the batch at every value of the others; None where the plan names no parts."""
    table = result.tables.get("harmonisation_within")
    if table is None or not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for (models, kind), part in table.groupby(["models", "rows"], sort=False):
        groups[len(rows)] = (
            f"{models}: {'rows it was fitted on' if kind == 'fitted' else 'held-out rows, means over folds'}"
        )
        for row in part.to_dict("records"):
            shares = [f"{100 * row[f'share_{when}']:.1f} %" for when in ("before", "after")]
            sizes = [f"{row[f'cohens_f_{when}']:.2f}" for when in ("before", "after")]
            where = f"{row['of']} within {row['at']}".replace("_", " ")
            rows.append([where, str(row["test"]), f"{row['n']:.0f}", *shares, *sizes])
    names = [
        "Difference of",
        "Test",
        "Rows",
        "Features before",
        "Features after",
        "Cohen's f before",
        "Cohen's f after",
    ]
    caption = (
        "Share of the features with p < 0.05, and the median of Cohen's f (0.10 small, 0.25 medium, 0.40 large). Chance gives 5 %. On the "
        "rows ComBat was fitted on every difference is gone by construction."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[2:]))


def sites_view(result: Result) -> View | None:
    """How each centre's patients were dealt with by the final models."""
    table = result.tables.get("harmonisation_sites")
    if table is None or not len(table):
        return None
    shown = table.astype("str").set_axis(
        ["Model", "Split", "Batch", "Value", "Rows", "Training rows", "Treated as"], axis=1
    )
    new = table[table["training"].astype(float) == 0]
    caption = "Training rows 0: a batch the model had never seen." if len(new) else ""
    return View(shown, caption, numeric=("Rows", "Training rows"))


def outcome_view(result: Result) -> View | None:
    """The outcome over the batches of the development patients: where it is uneven, harmonisation takes signal away with the
    centre."""
    table = result.tables.get("harmonisation_outcome")
    if table is None or not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    classes = [str(name) for name in dict.fromkeys(table["class"])]
    for batch, part in table.groupby("batch", sort=False):
        groups[len(rows)] = f"{batch}: Cramér's V = {float(part['cramers_v'].iloc[0]):.2f}"
        counts = part.pivot_table(index="site", columns="class", values="patients", aggfunc="sum", sort=False)
        counts.columns = counts.columns.astype(str)
        rows += [[str(site), *(f"{counts.loc[site, name]:.0f}" for name in classes)] for site in counts.index]
    caption = (
        "Development patients. V = 0: the outcome is as frequent everywhere; where it is not, taking the centre away takes some of "
        "what the outcome does with it (rule L9)."
    )
    return View(pd.DataFrame(rows, columns=["", *classes]), caption, groups, tuple(classes))
