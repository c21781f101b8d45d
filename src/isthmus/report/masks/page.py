"""The page of `isthmus segment assess` and `isthmus segment readers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from isthmus.report.biology.page import draw_figures, excerpt, write_page
from isthmus.report.masks import FIGURES
from isthmus.report.wording import plural
from isthmus.study.assess import Assessment

__all__ = ["mask_page"]

_TITLES = {
    "summary": "Metrics",
    "volume": "Limits of agreement of the volume",
    "modification": "Grades of change",
    "detection": "Lesions found",
    "readers": "All readers together",
    "groups": "Groups compared",
    "features": "Features, the least reliable first",
    "lesions": "Lesions",
}


def mask_page(found: Assessment, out: Path) -> Path:
    """Draw the figures into `figures` beside the table `out` and write its page, `<out>.html`."""
    tables = dict(found.tables)
    views = []
    for name, words in _TITLES.items():
        frame = tables.get(name, pd.DataFrame())
        if not len(frame):
            continue
        frame = frame.sort_values("icc", kind="stable") if name == "features" else frame
        shown = frame.drop(columns=["method"], errors="ignore")
        views.append(excerpt(words, shown, f"{out.stem}.{name}.csv", rows=40 if name == "summary" else 20))
    drawn = draw_figures(FIGURES, tables, out.parent / "figures")
    return write_page(out.with_suffix(".html"), found.title, _sentences(tables), drawn, views)


def _sentences(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The main numbers in words; each with its interval over patients."""
    cases, found = tables["cases"], []
    for group in dict.fromkeys(tables["summary"]["group"]):
        part = tables["summary"][tables["summary"]["group"] == group].set_index("metric")
        who = f"{plural(int(part.loc['dice', 'n']), 'case')} ({group})"
        told = ", ".join(
            f"{words} {_interval(part.loc[metric], 'mean')}"
            for metric, words in (
                ("dice", "Dice"),
                ("surface_dice", "surface Dice"),
                ("hd95_mm", "HD95 in mm"),
                ("assd_mm", "ASSD in mm"),
            )
        )
        found.append(f"{who}: mean {told}.")
    volume = tables["volume"]
    if len(volume):
        ratio = volume[volume["scale"] == "ratio"]
        for _, row in ratio.iterrows():
            found.append(
                f"Volume ({row['group']}): {_interval(row, 'bias')} times the reference on average; 95 % of masks are expected between "
                f"{_interval(row, 'lower_limit')} and {_interval(row, 'upper_limit')} times."
            )
    if "detection" in tables:
        row = tables["detection"].iloc[-1]
        found.append(
            f"Of {plural(int(row['lesions']), 'lesion')} {int(row['detected'])} were found (sensitivity {_interval(row, 'sensitivity')}); "
            f"{_interval(row, 'false_per_case')} false ones a case."
        )
    if "readers" in tables:
        found += [f"{row['measure']}: {_interval(row, '')}." for _, row in tables["readers"].iterrows()]
    empty = int((cases["volume_reference_ml"] == 0).sum()), int((cases["volume_ml"] == 0).sum())
    if any(empty):
        found.append(
            f"Empty masks: {empty[0]} of the reference, {empty[1]} of the others. Their Dice is 0 (1 where both are "
            "empty), and they have no distances."
        )
    found.append(
        "A mask that began as a proposal and was edited is no independent reference for that proposal: such an agreement "
        "measures the editing."
    )
    return found


def _interval(row: pd.Series, name: str) -> str:
    """An estimate with its limits, where it has some."""
    keys = (name, f"{name}_lower", f"{name}_upper") if name else ("estimate", "lower", "upper")
    value, low, high = (float(row[key]) for key in keys)
    if pd.isna(value):
        return "not defined"
    return f"{value:.3g}" if pd.isna(low) else f"{value:.3g} ({low:.3g} to {high:.3g})"
