"""Patients with similar features lie close together: by principal components, and by the map the run has made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import patients
from isthmus.report.figures._canvas import Grid, legend_below, panel
from isthmus.report.figures._matrix import group_colours, group_names, matrix, model_blocks
from isthmus.report.wording import shorten
from isthmus.stats.components import principal_components
from isthmus.study.result import Result

__all__ = ["METHODS", "NAME", "TITLE", "data", "draw", "size"]

NAME = "patient_map"
TITLE = "Map of the patients"

METHODS = {"pca": "Principal components", "tsne": "t-SNE", "umap": "UMAP"}
_SPLITS = {"train": ("o", "development"), "internal": ("s", "internal test"), "external": ("D", "external")}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`patient_map`: method (pca, tsne, umap), patient, centre, split, code and group (of the outcome), x, y, share (of the development
    patients' variance: of the two components, or of those the map is made of)."""
    everyone = patients(result)
    people = everyone[everyone["status"] == "included"].set_index("patient")
    codes = pd.to_numeric(people["outcome"], errors="coerce").dropna().astype(int)
    about = people.loc[codes.index, ["centre", "split"]].assign(code=codes, group=codes.map(group_names(result)))
    parts = []
    seen = matrix(result, model_blocks(result))
    if len(seen.training) > 2 and seen.values.shape[1] > 1:
        found = principal_components(seen.values.to_numpy(), (seen.patients["split"] == "train").to_numpy())
        places = {"x": found.scores[:, 0], "y": found.scores[:, 1]}
        parts.append(
            pd.DataFrame({"method": "pca", "patient": seen.values.index, **places, "share": found.share.sum()})
        )
    table = result.tables.get("patient_map", pd.DataFrame())
    if len(table):
        parts.append(table[["method", "patient", "x", "y", "share"]])
    if not parts:
        return {"patient_map": pd.DataFrame()}
    found_places = pd.concat(parts, ignore_index=True)
    joined = found_places.merge(about, left_on="patient", right_index=True)
    joined = joined.sort_values(["method", "code"], key=_rank, kind="stable", ignore_index=True)
    return {"patient_map": joined[["method", "patient", "centre", "split", "code", "group", "x", "y", "share"]]}


def _rank(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map({name: place for place, name in enumerate(METHODS)}) if column.name == "method" else column


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    table = data["patient_map"]
    lines = table["group"].nunique() + table["split"].nunique() - 1 if len(table) else 0
    return Grid(table["method"].nunique() if len(table) else 0, 2.7, lines=max(2, -(-lines // 2)))


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Colour: the outcome; mark: who the patient was to the study."""
    grid, table = _grid(data), data["patient_map"]
    tints = group_colours(list(dict.fromkeys(table.sort_values("code", kind="stable")["group"])))
    splits = [split for split in _SPLITS if split in set(table["split"])]
    for place, (method, part) in enumerate(table.groupby("method", sort=False)):
        axes = panel(ax, grid.size, grid.box(place))
        rng = np.random.default_rng(0).permutation(len(part))  # no group lies on top of the other
        shuffled = part.iloc[rng]
        for split in splits:
            mine = shuffled[shuffled["split"] == split]
            tint = [tints[group] for group in mine["group"]]
            inside = split == "train"
            axes.scatter(mine["x"], mine["y"], s=11 if inside else 14, marker=_SPLITS[split][0], alpha=0.85,
                         facecolors=tint if inside else "none", edgecolors=tint, linewidths=0.0 if inside else 0.9)  # fmt: skip
        axes.set_title(METHODS.get(str(method), str(method)))
        if method == "pca":
            axes.set(xlabel="component 1", ylabel="component 2")
        else:
            axes.set(xlabel="no unit", ylabel="no unit", xticks=[], yticks=[])
        for group, colour in tints.items():
            axes.plot([], [], "o", ms=4, color=colour, label=shorten(str(group), 26))
        if len(splits) > 1:
            for split in splits:
                marker, words = _SPLITS[split]
                axes.plot(
                    [], [], marker, ms=4, mfc="#5b6670" if split == "train" else "none", mec="#5b6670", label=words
                )
        if place == 0:
            legend_below(axes, ncols=2, columnspacing=0.8, handletextpad=0.2)
