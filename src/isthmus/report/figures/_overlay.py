"""A slice of an image and what is drawn over it: outlines, borders between labels, translucent colours, a scale bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.report.figures._canvas import GREY, SMALL

__all__ = [
    "LABELS",
    "OUTLINE",
    "bar_length",
    "edge_letters",
    "half_line",
    "label_colours",
    "map_colours",
    "name_labels",
    "outline",
    "painted",
    "scale_bar",
    "show",
    "window_of",
]

OUTLINE = "#ffd166"

LABELS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#56B4E9", "#D55E00", "#AA9CFF", "#D9D9D9")
"""Of labels 1 ... 9 on a grey picture: Okabe and Ito's palette for every kind of colour vision with its yellow, a violet, a grey."""

SOFT_TISSUE = (-160.0, 240.0)
"""HU: the window of the neck and the body."""

Extent = tuple[float, float, float, float]


def label_colours(count: int) -> NDArray[np.float64]:
    """Red, green and blue (0 to 1) of labels 1 ... `count`; beyond nine, steps of a scale made for every kind of colour vision."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    if count <= len(LABELS):
        return np.array([to_rgb(colour) for colour in LABELS[:count]]).reshape(count, 3)
    steps: NDArray[np.float64] = np.asarray(colormaps["cividis"](np.linspace(0, 1, count)))[:, :3]
    return steps


def window_of(
    values: NDArray[np.float64], inside: NDArray[np.bool_], quantity: str, given: tuple[float, float] | None
) -> tuple[float, float]:
    """What black and white stand for: the window given; for HU that of soft tissue if the lesion lies in it; else the range of the lesion
    (1st to 99th percentile) and half of it to either side, as far as there are such values."""
    if given is not None:
        return given
    lesion = values[inside & np.isfinite(values)]
    if not lesion.size:
        return 0.0, 1.0
    if quantity == "HU" and SOFT_TISSUE[0] < np.median(lesion) < SOFT_TISSUE[1]:
        return SOFT_TISSUE
    low, high = np.percentile(lesion, [1, 99]).tolist()
    reach = (high - low) / 2
    low, high = max(low - reach, float(np.nanmin(values))), min(high + reach, float(np.nanmax(values)))
    return low, high if high > low else low + 1


def show(
    axes: Any,
    values: NDArray[np.float64],
    spacing_mm: tuple[float, float],
    window: tuple[float, float],
    pixels: int,
    *,
    edge: str = GREY,
    over: NDArray[np.float64] | None = None,
    alpha: float = 1.0,
) -> Extent:
    """A picture in its true proportions on a black square.

    Parameters
    ----------
    axes : Axes
    values : array, shape (j, i)
    spacing_mm : (float, float)
    window : (float, float)
        What black and white stand for.
    pixels : int
        About how many are drawn along a side.
    edge : str
        Colour of the frame.
    over : array, shape (J, I, 3), optional
        Red, green and blue (0 to 1) on pixels of its own that cover the same rectangle; NaN where the picture shows.
    alpha : float
        How much of `over` is seen.

    Returns
    -------
    tuple
        Left, right, bottom and top of the picture in mm, as `outline` and others want them.
    """
    tall, wide = values.shape[0] * spacing_mm[0], values.shape[1] * spacing_mm[1]
    extent = (0.0, wide, tall, 0.0)
    black, white = window
    grey = np.clip((_finer(np.nan_to_num(values, nan=black), pixels) - black) / (white - black), 0, 1)
    shown = (255 * grey).astype(np.uint8)
    if over is not None:
        j, i = ((np.arange(n) * m) // n for n, m in zip(grey.shape, over.shape[:2], strict=True))
        paint = over[np.ix_(j, i)]
        mixed = alpha * np.nan_to_num(255 * paint) + (1 - alpha) * 255 * grey[..., None]
        shown = np.where(np.isnan(paint), shown[..., None], mixed.astype(np.uint8))
    axes.set_facecolor("black")
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="none")
    side = max(tall, wide)
    axes.set(
        xlim=(wide / 2 - side / 2, wide / 2 + side / 2),
        ylim=(tall / 2 + side / 2, tall / 2 - side / 2),
        xticks=[],
        yticks=[],
    )
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set(visible=True, color=edge, linewidth=1.0)
    return extent


def painted(labels: NDArray[np.int32], colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Labels as `over` of `show`; 0 shows the picture."""
    return np.vstack([np.full((1, 3), np.nan), colours])[labels]


def _square(extent: Extent) -> tuple[float, float, float]:
    """Middle (across and down) and side of the black square around a picture."""
    return extent[1] / 2, extent[2] / 2, max(extent[1], extent[2])


def bar_length(extent: Extent) -> float:
    """A round number of mm, about a quarter of the picture."""
    side = _square(extent)[2]
    steps = [step * 10.0**power for power in range(-2, 4) for step in (1, 2, 5)]
    return max(step for step in steps if step <= max(0.33 * side, steps[0]))


def scale_bar(axes: Any, extent: Extent, length: float, words: str = "") -> None:
    """A bar at the lower left, with its length in words above it where given."""
    x, y, side = _square(extent)
    left, low = x - 0.46 * side, y + 0.45 * side
    axes.plot([left, left + length], [low, low], color="white", lw=1.2 if not words else 1.8, solid_capstyle="butt")
    if words:
        axes.text(
            left, low - 0.025 * side, words, color="white", fontsize=SMALL, ha="left", va="bottom", path_effects=_halo()
        )


def edge_letters(axes: Any, extent: Extent, left: str, top: str) -> None:
    """What stands at the left and the upper edge of the picture: R, A, ..."""
    x, y, side = _square(extent)
    style: dict[str, Any] = {"color": "white", "fontsize": SMALL, "path_effects": _halo()}
    if left:
        axes.text(x - 0.47 * side, y, left, ha="left", va="center", **style)
    if top:
        axes.text(x, y - 0.47 * side, top, ha="center", va="top", **style)


def outline(axes: Any, labels: NDArray[Any], extent: Extent, *, colour: str = OUTLINE, width: float = 0.7) -> None:
    """The edges between pixels of a mask and others, or between pixels of different labels, as one path."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    step_i, step_j = extent[1] / labels.shape[1], extent[2] / labels.shape[0]
    points: list[tuple[float, float]] = []
    padded = np.pad(labels, 1)
    for j, start, stop in _runs(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        points += [(start * step_i, j * step_j), (stop * step_i, j * step_j)]
    for i, start, stop in _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T):
        points += [(i * step_i, start * step_j), (i * step_i, stop * step_j)]
    if points:
        path = Path(points, [Path.MOVETO, Path.LINETO] * (len(points) // 2))
        axes.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=width, capstyle="projecting"))


def name_labels(
    axes: Any, labels: NDArray[np.int32], extent: Extent, names: Mapping[int, str], least: float = 0.05
) -> None:
    """The name of each label in the middle of its largest piece, where that is wide enough: colour is never all that tells them apart.

    Parameters
    ----------
    axes : Axes
    labels : array, shape (j, i)
    extent : tuple
    names : mapping
    least : float
        Half the width that a name needs, as a share of the side of the picture.
    """
    from scipy import ndimage

    step = (extent[2] / labels.shape[0], extent[1] / labels.shape[1])
    for label, name in names.items():
        pieces, count = ndimage.label(np.pad(labels == label, 1))
        if not count:
            continue
        largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
        room = ndimage.distance_transform_edt(pieces == largest, sampling=step)
        j, i = np.unravel_index(int(np.argmax(room)), room.shape)
        if room[j, i] < least * _square(extent)[2]:
            continue
        at = ((int(i) - 0.5) * step[1], (int(j) - 0.5) * step[0])
        axes.text(
            *at, name, color="white", fontsize=SMALL, weight="bold", ha="center", va="center", path_effects=_halo()
        )


def map_colours(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A map from 0 to 1 as `over` of `show`; NaN shows the picture."""
    from matplotlib import colormaps

    shown: NDArray[np.float64] = colormaps["viridis"](np.nan_to_num(values))[..., :3]
    return np.where(np.isfinite(values)[..., None], shown, np.nan)


def half_line(axes: Any, values: NDArray[np.float64], extent: Extent) -> None:
    """The line where a map from 0 to 1 is half of its largest value."""
    filled = np.nan_to_num(values)
    if min(filled.shape) < 2 or not filled.min() < 0.5 < filled.max():
        return
    step_i, step_j = extent[1] / values.shape[1], extent[2] / values.shape[0]
    i, j = (np.arange(values.shape[1]) + 0.5) * step_i, (np.arange(values.shape[0]) + 0.5) * step_j
    axes.contour(i, j, filled, levels=[0.5], colors="white", linewidths=0.8)


def _halo() -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.6, foreground="black")]


def _runs(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(line, start, stop) of the stretches of True along the second axis."""
    change = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(change == 1), np.argwhere(change == -1)
    return [(int(line), int(a), int(b)) for (line, a), (_, b) in zip(starts, stops, strict=True)]


def _finer(values: NDArray[np.float64], pixels: int) -> NDArray[np.float64]:
    """A small picture with more pixels, straight lines between the middles of the old ones."""
    factor = max(1, pixels // max(values.shape))
    for axis in (0, 1):
        size = values.shape[axis]
        at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.minimum(at.astype(int), max(size - 2, 0))
        part = np.expand_dims(at - low, 1 - axis)
        values = values.take(low, axis) * (1 - part) + values.take(np.minimum(low + 1, size - 1), axis) * part
    return values
