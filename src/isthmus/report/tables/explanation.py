"""What the final model rests on, on patients it did not learn from."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import final_model, measure_name
from isthmus.report.tables._view import View
from isthmus.report.wording import capitalised, number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "explained_model", "groups_view", "view"]

NAME = "explanation"
TITLE = "What the predictions rest on"

TOP = 15


def explained_model(result: Result) -> str | None:
    """The final model if it was explained, else the first that was."""
    lines = result.tables.get("explanation", pd.DataFrame())
    names = [str(name) for name in lines["model"]] if len(lines) else []
    final = final_model(result)
    return final if final in names else next(iter(names), None)


def view(result: Result) -> View | None:
    """The features with the largest Shapley values of one model; explanation_<model>.csv has all."""
    model = explained_model(result)
    if model is None:
        return None
    table = result.tables.get(f"explanation_{model}", pd.DataFrame())
    if not len(table):
        return None
    lines = result.tables["explanation"]
    line = lines[lines["model"].astype(str) == model].iloc[0]
    sizes = table["group"].value_counts()
    several = set(sizes[sizes > 1].index)
    rows = [
        [
            str(row["feature"]),
            f"{row['group']:.0f}" if row["group"] in several else "–",
            f"{number(row['mean_abs'], 3)} ± {number(row['sd'], 3)}",
            f"{100 * row['top']:.0f} %",
            f"{number(row['importance'], 3)} ({number(row['lower'], 3)} to {number(row['upper'], 3)})",
        ]
        for row in table.head(TOP).to_dict("records")
    ]
    names = [
        "Feature",
        "Group",
        "Mean |SHAP| ± sd over folds",
        "Among the first ten",
        f"{capitalised(measure_name(result))} lost when shuffled",
    ]
    frame = pd.DataFrame(rows, columns=names)
    stability = "not defined" if pd.isna(line["rank_stability"]) else f"{line['rank_stability']:.2f}"
    caption = (
        f"{model}, held-out patients of {line['folds']:.0f} folds against their training patients. Shapley values of the "
        f"{line['scale']}: {line['method']}; largest error of additivity {line['additivity_error']:.1e}. Agreement of the "
        f"order of features between folds (mean Spearman correlation): {stability}. Features of one group are correlated; "
        "between them a model divides its weight by chance (sums: explanation_groups). Associated with the model's output; "
        "nothing here is a cause."
    )
    return View(frame, caption, None, tuple(names[1:]))


def groups_view(result: Result) -> View | None:
    """Sums over families of features and over correlated features, the largest of each; None where there are none."""
    model = explained_model(result)
    table = result.tables.get(f"explanation_groups_{model}", pd.DataFrame())
    if not len(table):
        return None
    rows: list[list[str]] = []
    heads: dict[int, str] = {}
    for kind, title in (("family", "Families"), ("correlated", "Correlated features")):
        part = table[table["kind"] == kind].head(TOP)
        if len(part):
            heads[len(rows)] = title
        for row in part.to_dict("records"):
            names = str(row["features"]).split("; ")
            rows.append(
                [
                    str(row["group"]),
                    ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""),
                    f"{number(row['mean_abs'], 3)} ± {number(row['sd'], 3)}",
                ]
            )
    columns = ["Group", "Features", "Mean |sum of SHAP| ± sd over folds"]
    caption = "A patient's values are added within a group before their size is taken: what the group says, whichever member says it."
    return View(pd.DataFrame(rows, columns=columns), caption, heads, (columns[2],))
