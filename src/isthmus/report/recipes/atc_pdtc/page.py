"""The parts of the page: what the study printed, and what this run found."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import as_text, confidence
from isthmus.report.recipes._part import Part
from isthmus.report.recipes.atc_pdtc._names import named
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, metric_name, number, p_value
from isthmus.stats.interval import Interval
from isthmus.study.recipes.atc_pdtc import published
from isthmus.study.result import Result

__all__ = ["parts"]

_AGAINST = ("DTC", "PTC", "FTC")


def parts(result: Result) -> list[Part]:
    """What the page shows of the study, in order."""
    level = f"{100 * confidence(result):.0f} %"
    tables = {name.removeprefix("atc-pdtc_"): t for name, t in result.tables.items() if name.startswith("atc-pdtc_")}
    found = [
        Part(
            text=(
                f"The recipe follows {published.SOURCE}: contrast-enhanced CT of 32 anaplastic or poorly "
                f"differentiated (ATC/PDTC), 58 papillary "
                "(PTC) and 40 follicular (FTC) carcinomas. DTC is PTC and FTC together. A number under “printed” "
                "is the study's, of its patients; "
                "everything else is of this run. On synthetic patients the two are beside each other to check "
                "the method, not to be equal.",
            ),
            figure="atc-pdtc_workflow",
            caption="From the scans to the models, with the numbers of this run.",
        ),
        Part("Beside the printed numbers", view=_summary(result, tables)),
    ]
    if "characteristics" in tables:
        found.append(Part("Characteristics by histology", view=_characteristics(tables["characteristics"])))
    if "categories" in tables:
        found += _categories(tables["categories"])
    found += [
        Part(
            "Radiomics alone, and with clinical variables",
            figure="atc-pdtc_roc",
            caption=f"Thin: folds; thick: their mean, whose area is the mean of the fold AUCs ({level} interval). "
            f"The cross is drawn once, as "
            "published: a threshold taken from the averaged test curve and judged on it, which is optimistic.",
        ),
        Part(view=_operating(tables["operating"], level)),
        Part("Against each kind of differentiated carcinoma", view=_subtypes(tables["subtypes"], level)),
    ]
    if "important" in tables:
        found += [
            Part(
                "The five most important features",
                figure="atc-pdtc_important",
                caption="A category of radiomics features or a clinical variable, alone. Curves as published, "
                "optimistic: chosen, oriented and "
                "drawn on the same patients. In brackets the mean AUC over the folds, with component and "
                "direction from training rows.",
            ),
            Part(view=_important(tables["important"])),
        ]
    return found


def _summary(result: Result, tables: dict[str, pd.DataFrame]) -> View:
    rows = []
    areas = result.metrics[(result.metrics["split"] == "cv") & (result.metrics["metric"] == "auc")].set_index("model")
    for model, area in published.AUC.items():
        if model in areas.index:
            rows.append([f"AUC, {model}", interval_text(_interval(areas.loc[model])), number(area, 3)])
    sub = tables["subtypes"]
    for row in sub[sub["published"].notna() & (sub["against"] != "DTC")].to_dict("records"):
        rows.append(
            [
                f"AUC against {row['against']}, {row['model']}",
                interval_text(_interval(row)),
                number(row["published"], 3),
            ]
        )
    between = result.comparisons
    pair = between[between["split"] == "cv"] if len(between) else between
    for row in pair.to_dict("records"):
        printed = "no significant difference" if {row["model_a"], row["model_b"]} == set(published.AUC) else ""
        rows.append([f"{row['model_a']} against {row['model_b']}: {row['test']}", f"p {_said(row['p'])}", printed])
    frame = pd.DataFrame(rows, columns=["", "This run", "Printed"])
    return View(frame, "Printed AUCs are arithmetic means over five folds, as here.", numeric=("This run", "Printed"))


def _characteristics(table: pd.DataFrame) -> View:
    groups = [name for name in ("ATC/PDTC", "DTC", "PTC", "FTC") if name in table]
    shown = pd.DataFrame(
        {"": [_label(v, level) for v, level in zip(as_text(table["variable"]), as_text(table["level"]), strict=True)]}
    )
    for name in groups:
        shown[name] = as_text(table[name])
    for name in _AGAINST:
        shown[f"p {name}"] = ["" if pd.isna(p) else p_value(p) for p in table[f"p {name}"]]
        shown[f"SMD {name}"] = ["" if pd.isna(d) else number(d) for d in table[f"smd {name}"]]
        printed = as_text(table[f"printed p {name}"])
        if any(printed):
            shown[f"printed p {name}"] = printed
    caption = (
        "Mean ± sd (range), by Student's t-test; n (%), by Fisher's exact test: as the study did. p and "
        "standardised mean difference (SMD) are of "
        "ATC/PDTC against each group, two-sided, not corrected for their number."
    )
    return View(shown, caption, numeric=tuple(shown.columns[1:]))


def _label(variable: str, level: str) -> str:
    if not level:
        return named(variable)
    return f"{named(variable)}: {level}" if variable else f"\u2003{level}"


def _categories(table: pd.DataFrame) -> list[Part]:
    found = []
    if (table["method"] == "umap").any():
        found += [
            Part(
                "One representative value a category",
                text=(
                    "Both kinds of value are made from all patients at once, so these pictures describe these "
                    "patients; no model of this run uses "
                    "them. The UMAP value depends on its seed and on the order of the rows: an asterisk marks "
                    "categories whose median rank agreement "
                    "over seeds and orders is below 0.9, where the value is not a property of the patient.",
                ),
                figure="atc-pdtc_boxes_2_umap",
                caption="Descriptive. UMAP of each category to one dimension, ATC/PDTC against DTC; p by "
                "Wilcoxon's test; in order of the geometric mean.",
            ),
            Part(
                figure="atc-pdtc_boxes_3_umap",
                caption="Descriptive. The same by histology; p by Kruskal and Wallis' test.",
            ),
        ]
    heading = "" if found else "One representative value a category"
    found += [
        Part(
            heading,
            figure="atc-pdtc_boxes_2_pca",
            caption="Descriptive. The first principal component instead, which no seed changes.",
        ),
        Part(figure="atc-pdtc_boxes_3_pca", caption="Descriptive. The first principal component by histology."),
        Part(view=_category_table(table)),
    ]
    return found


def _category_table(table: pd.DataFrame) -> View:
    methods = {"umap": "UMAP", "pca": "Component"}
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for method, part in sorted(table.groupby("method"), key=lambda one: one[0] != "umap"):
        groups[len(rows)] = methods[str(method)]
        for row in part.to_dict("records"):
            stable = number(row["stability"]) + ("" if row["stable"] else " *")
            rows.append(
                [
                    named(str(row["category"])), str(row["features"]), stable if method == "umap" else "", number(row["spearman_other"]),
                    *(p_value(row[f"p_{name}"]) for name in _AGAINST), p_value(row["p_three"]),
                    _small(row["gm"]), _small(row["e_gm"]), _small(row["gm_features"]),
                ]
            )  # fmt: skip
    names = [
        "Category",
        "Features",
        "Stability",
        "Other method",
        *(f"p {n}" for n in _AGAINST),
        "p three groups",
        "GM",
        "e × GM",
        "GM of features",
    ]
    caption = (
        "Stability: median |Spearman| over seeds and orders of rows (* below 0.9). Other method: |Spearman| of "
        "UMAP and component. GM: geometric mean "
        "of the three p-values, for ranking only; e × GM is a p-value whatever their dependence. GM of features: "
        "over the category's features, ATC/PDTC "
        "against DTC. Printed as most different: moment, GLSZM, shape, first order."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _operating(table: pd.DataFrame, level: str) -> View:
    rules = {
        "prevalence": "training prevalence",
        "youden": "Youden, training predictions",
        "as published": "Youden of the test curve: as published, optimistic",
    }
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model, part in table.groupby("model", sort=False):
        groups[len(rows)] = str(model)
        for metric in ("threshold", "sensitivity", "specificity", "ppv", "npv", "accuracy", "g_mean"):
            of = part[part["metric"] == metric].set_index("rule")
            printed = of["published"].dropna()
            cells = [_estimate(of.loc[rule]) if rule in of.index else "" for rule in rules]
            if metric == "threshold":
                cells = [number(of.loc[rule, "estimate"]) if rule in of.index else "" for rule in rules]
            rows.append([metric_name(metric), *cells, number(printed.iloc[0], 3) if len(printed) else ""])
    names = ["", *(words for words in rules.values()), "Printed"]
    caption = (
        f"Positive: ATC/PDTC; {level} intervals; thresholds are means over the folds. The study's sensitivity and "
        f"specificity agree with its predictive "
        "values and accuracy only where DTC is the positive class (0.817 × 98 and 0.933 × 32 patients give its "
        "PPV of 0.97 and its accuracy of 0.846), so "
        "its sensitivity and specificity, and its PPV and NPV, stand here exchanged."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))


def _subtypes(table: pd.DataFrame, level: str) -> View:
    names = {"auc": "mean of the fold AUCs", "auc_pooled": "predictions pooled over folds"}
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model, part in table.groupby("model", sort=False):
        groups[len(rows)] = str(model)
        for row in part.to_dict("records"):
            rows.append(
                [
                    f"ATC/PDTC against {row['against']}", names[str(row["metric"])], str(row["patients"]), interval_text(_interval(row)),
                    "" if pd.isna(row["published"]) else number(row["published"], 3),
                ]
            )  # fmt: skip
    columns = ["Contrast", "AUC as", "Patients", "AUC", "Printed"]
    caption = f"The same out-of-fold predictions, on the patients of two groups at a time; {level} intervals."
    return View(pd.DataFrame(rows, columns=columns), caption, groups, ("Patients", "AUC", "Printed"))


def _important(table: pd.DataFrame) -> View:
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model, part in table.groupby("model", sort=False):
        groups[len(rows)] = str(model)
        for row in part.to_dict("records"):
            place = row["published_rank"]
            rows.append(
                [
                    str(row["rank"]), named(str(row["feature"])), str(row["columns"]), number(row["vimp"], 3),
                    number(row["vimp_whole_forest"], 3),
                    "" if pd.isna(row["auc"]) else number(row["auc"]), "" if pd.isna(place) else str(int(place)),
                ]
            )  # fmt: skip
    names = ["Rank", "Feature", "Columns", "Importance", "Whole forest", "AUC in folds", "Printed rank"]
    caption = (
        "Importance: rise of 1 − G-mean out of bag when the columns of a category are permuted together, in the forest of all "
        "patients: over blocks of ten trees, and over the whole forest at once (Ishwaran and Kogalur, as the study). Categories that say "
        "the same stand in for one another, so each alone may seem of little importance. AUC in folds: of the first five, each alone."
    )
    return View(
        pd.DataFrame(rows, columns=names),
        caption,
        groups,
        (names[0], *names[2:]),
    )


def _interval(row: Any) -> Interval:
    return Interval(float(row["estimate"]), float(row["lower"]), float(row["upper"]), "")


def _estimate(row: Any) -> str:
    """With its interval; what was taken from the test curve has none."""
    return number(row["estimate"]) if pd.isna(row["lower"]) else interval_text(_interval(row))


def _said(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _small(value: float) -> str:
    """A ranking number that may be tiny."""
    return number(value, 3) if value >= 0.001 else f"{value:.1e}".replace("-", "−")
