"""Supervoxels, clusters and the habitats of the final model over the slice of a few lesions."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image.crop import read_grey_png, read_label_png, read_mask_png
from isthmus.report.facts import final_model, final_threshold, patient_predictions, patients, unseen_splits
from isthmus.report.figures._canvas import SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours, group_names
from isthmus.report.figures._overlay import (  # fmt: skip
    bar_length,
    edge_letters,
    label_colours,
    name_labels,
    outline,
    painted,
    scale_bar,
    show,
    window_of,
)
from isthmus.report.wording import shorten
from isthmus.study.habitat_pictures import habitat_paths
from isthmus.study.pictures import read_pictures
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "habitat_maps"
TITLE = "Supervoxels and habitats in the lesion"

_PIXELS, _ALPHA, _LANES = 240, 0.62, 2
_LANE = (TWO - 0.1) / _LANES
_GAP, _WORDS, _HEAD, _LEGEND = 0.03, 0.15, 0.24, 0.3
_ROWS = 5
_MAPS = ("supervoxels", "clusters", "habitats")


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`habitat_maps`, a row a lesion, by block, class and falling risk: order (in the table), group, code (of the outcome), risk
    (predicted by a fit that had not seen the patient; none where there is no such), called ("high" or "low" at the threshold), the facts of
    `tables/habitat_pictures.csv`, black and white (of the window), and the pictures (PNG, base64)."""
    table = result.tables.get("habitat_pictures", pd.DataFrame())
    if not len(table):
        return {"habitat_maps": pd.DataFrame()}
    codes = pd.to_numeric(patients(result).set_index("patient")["outcome"], errors="coerce")
    names, risks = group_names(result), _risks(result)
    threshold = final_threshold(result, final_model(result))
    found = []
    for row in table[table["low"].notna()].to_dict("records"):
        paths = habitat_paths(row["block"], row["row"])
        there = {kind: path for kind, path in paths.items() if kind not in ("clusters", "habitats") or row[kind] > 0}
        pictures, code = read_pictures(result.folder, there), codes.get(row["patient"], np.nan)
        if pictures is None or pd.isna(code):
            continue
        grey = read_grey_png(base64.b64decode(pictures["pixels"]), row["low"], row["high"])
        mask = read_mask_png(base64.b64decode(pictures["mask"]))
        given = None if pd.isna(row["window_low"]) else (row["window_low"], row["window_high"])
        black, white = window_of(grey, mask, str(row["quantity"]), given)
        risk = risks.get(str(row["patient"]), np.nan)
        called = "" if threshold is None or pd.isna(risk) else "high" if risk >= threshold else "low"
        about = {f"{kind}_count": row[kind] for kind in _MAPS}
        kept = {str(key): value for key, value in row.items() if key not in (*_MAPS, "note")}
        found.append({**kept, **about, "code": int(code), "group": names.get(int(code), str(int(code))), "risk": risk, "called": called,
                      "black": black, "white": white, **dict.fromkeys(_MAPS, ""), **pictures})  # fmt: skip
    if not found:
        return {"habitat_maps": pd.DataFrame()}
    made = pd.DataFrame(found).assign(order=range(len(found)))
    made = made.assign(place=made["block"].map({block: at for at, block in enumerate(dict.fromkeys(made["block"]))}))
    made = made.sort_values(["place", "code", "risk"], ascending=[True, True, False], kind="stable", ignore_index=True)
    return {"habitat_maps": made.drop(columns="place")}


def _risks(result: Result) -> dict[str, float]:
    """Of each patient the final model's probability from a fit that had not seen him."""
    parts = [patient_predictions(result, final_model(result), split) for split in unseen_splits(result)]
    found: dict[str, float] = {}
    for part in parts:
        if "probability" in part:
            found = dict(zip(part["patient"].astype("str"), part["probability"], strict=True)) | found
    return found


def _blocks(table: pd.DataFrame) -> list[tuple[pd.DataFrame, list[str]]]:
    """The lesions of each block, and which maps they have."""
    return [
        (part, [kind for kind in _MAPS if (part[kind] != "").any()]) for _, part in table.groupby("block", sort=False)
    ]


def _lanes(part: pd.DataFrame, rows: int) -> list[list[dict[Any, Any]]]:
    """Two classes stand side by side, others follow one another: of each the first patients of the table, by falling risk."""
    several = part["code"].nunique()
    each = rows if several == _LANES else max(1, rows * _LANES // several)
    groups = [
        own.sort_values("order").head(each).sort_index().to_dict("records")
        for _, own in part.groupby("code", sort=True)
    ]
    if several == _LANES:
        return groups
    shown = [row for own in groups for row in own][: rows * _LANES]
    half = -(-len(shown) // _LANES)
    return [shown[:half], shown[half:]]


def _rows(table: pd.DataFrame) -> int:
    return max(1, _ROWS // table["block"].nunique()) if len(table) else 1


def _tile(maps: list[str]) -> float:
    return min((_LANE - 0.08) / len(maps), 1.35)


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["habitat_maps"]
    height = 0.05
    for part, maps in _blocks(table) if len(table) else []:
        rows = max(len(lane) for lane in _lanes(part, _rows(table)))
        height += _HEAD + rows * (_tile(maps) + _WORDS) + _LEGEND
    return TWO, height


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Of each lesion its maps side by side, under them patient, class and risk; below a block what its colours mean."""
    table, whole = data["habitat_maps"], size(data)
    tints = group_colours(list(dict.fromkeys(table.sort_values("code", kind="stable")["group"])))
    top = whole[1]
    for part, maps in _blocks(table):
        first, side = part.iloc[0], _tile(maps)
        words = f"{shorten(str(first['block']), 40)}: {first['region']}"
        ax.text(0.05 / whole[0], (top - 0.16) / whole[1], words, fontsize=7.5, weight="bold", transform=ax.transAxes)
        lanes = _lanes(part, _rows(table))
        for lane, own in enumerate(lanes):
            for line, row in enumerate(own):
                left = 0.05 + lane * _LANE
                bottom = top - _HEAD - (line + 1) * (side + _WORDS) + _WORDS
                _lesion(ax, whole, (left, bottom, side), row, maps, tints[row["group"]])
        top -= _HEAD + max(len(own) for own in lanes) * (side + _WORDS)
        _legend(ax, whole, top, part, maps)
        top -= _LEGEND


def _lesion(
    ax: Any, whole: tuple[float, float], at: tuple[float, float, float], row: dict[Any, Any], maps: list[str], tint: str
) -> None:
    left, bottom, side = at
    grey = read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"])
    for place, kind in enumerate(maps):
        axes = panel(ax, whole, (left + place * side, bottom, side - _GAP, side - _GAP))
        spacing, window = (row["spacing_j_mm"], row["spacing_i_mm"]), (row["black"], row["white"])
        labels = read_label_png(base64.b64decode(row[kind])) if row[kind] else None
        if kind == "supervoxels" or labels is None:
            extent = show(axes, grey, spacing, window, _PIXELS, edge=tint)
            if labels is not None:
                outline(axes, labels, extent, width=0.5)
            length = bar_length(extent)
            scale_bar(axes, extent, length, f"{length:g} {row['unit']}")
            edge_letters(axes, extent, _text(row["left"]), _text(row["top"]))
            continue
        colours = _colours(kind, int(row[f"{kind}_count"]))
        extent = show(axes, grey, spacing, window, _PIXELS, edge=tint, over=painted(labels, colours), alpha=_ALPHA)
        outline(axes, labels, extent, colour="white", width=0.5)
        if kind == "habitats":
            name_labels(axes, labels, extent, {label: str(label) for label in range(1, len(colours) + 1)}, least=0.07)
    risk = (
        "" if pd.isna(row["risk"]) else f", risk {row['risk']:.2f}" + (f" ({row['called']})" if row["called"] else "")
    )
    name = shorten(f"{shorten(str(row['patient']), 16)}, {shorten(str(row['group']), 24)}", 42)
    ax.text(
        (left + 0.01) / whole[0], (bottom - 0.11) / whole[1], f"{name}{risk}", fontsize=SMALL, transform=ax.transAxes
    )


def _colours(kind: str, count: int) -> Any:
    """Clusters from dark to bright on one scale, habitats each their own."""
    if kind == "habitats":
        return label_colours(count)
    from matplotlib import colormaps

    return np.asarray(colormaps["cividis"](np.linspace(0.1, 1, max(count, 1))))[:, :3]


def _legend(ax: Any, whole: tuple[float, float], top: float, part: pd.DataFrame, maps: list[str]) -> None:
    from matplotlib.patches import Rectangle

    x, y = 0.07, top - 0.17
    if "habitats" in maps:
        count = int(part["habitats_count"].max())
        for habitat, tint in enumerate(label_colours(count), 1):
            ax.add_patch(Rectangle((x / whole[0], y / whole[1]), 0.13 / whole[0], 0.09 / whole[1], facecolor=tint, edgecolor="#4b5661",
                                   linewidth=0.5, transform=ax.transAxes))  # fmt: skip
            words = f"habitat {habitat}" if count <= 6 else str(habitat)
            ax.text((x + 0.17) / whole[0], y / whole[1], words, fontsize=SMALL, transform=ax.transAxes)
            x += 0.78 if count <= 6 else 0.36
    if "clusters" in maps and x < whole[0] - 1.9:
        words = (
            "middle: clusters of the one lesion, dark to bright"
            if "habitats" in maps
            else "right: clusters of the one lesion, dark to bright"
        )
        if x < whole[0] - 2.6:
            ax.text((x + 0.05) / whole[0], y / whole[1], words, fontsize=SMALL, transform=ax.transAxes)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
