"""Before and after: the largest slice of the lesion and the histograms, as one PNG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.image import Image
from isthmus.table.writing import write_bytes

__all__ = ["draw_before_and_after"]

_GREYS = "gray"
_LESION = "#D55E00"  # vermilion of the colour-blind safe palette
_AFTER = "#0072B2"


def draw_before_and_after(
    before: Image, after: Image, mask: NDArray[np.bool_], path: Path, *, title: str, reference: Image | None = None
) -> None:
    """Write the picture of one case.

    Parameters
    ----------
    before, after : Image
        On one grid with the mask.
    mask : bool array, shape (k, j, i)
    path : Path
        A .png.
    title : str
    reference : Image, optional
        The image the mask was drawn on, moved onto this grid: its edges are drawn over the first panel.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    k = int(np.argmax(mask.sum(axis=(1, 2))))
    figure = Figure(figsize=(9.0, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    aspect = before.geometry.spacing_mm[1] / before.geometry.spacing_mm[2]
    for ax, image, name in zip(axes, (before, after), ("before", "after"), strict=False):
        plane = image.values[k].astype(np.float64)
        low, high = np.percentile(plane[np.isfinite(plane)], [1, 99])
        ax.imshow(plane, cmap=_GREYS, vmin=low, vmax=high if high > low else low + 1, aspect=aspect)
        ax.contour(mask[k], levels=[0.5], colors=_LESION, linewidths=1.0)
        ax.set_title(f"{name} ({image.quantity}; grey {low:.4g} to {high:.4g})", fontsize=8)
        ax.set_axis_off()
    if reference is not None:
        _edges(axes[0], reference.values[k].astype(np.float64))
    _histograms(axes[2], before, after, mask)
    figure.suptitle(f"{title}, slice {k}", fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    write_bytes(path, content.getvalue())


def _edges(ax: Any, plane: NDArray[np.float64]) -> None:
    """Outlines of the other image, where its gradient is steepest: they show whether the two fit."""
    rows, columns = np.gradient(plane)
    steep = np.hypot(rows, columns)
    if steep.max() > 0:
        ax.contour(steep > np.percentile(steep, 95), levels=[0.5], colors="#56B4E9", linewidths=0.4)


def _histograms(ax: Any, before: Image, after: Image, mask: NDArray[np.bool_]) -> None:
    """Intensities of the lesion, each on its own axis."""
    for image, colour, position in ((before, _LESION, "bottom"), (after, _AFTER, "top")):
        own = ax if position == "bottom" else ax.twiny()
        x = image.values[mask].astype(np.float64)
        own.hist(x, bins=40, density=False, histtype="step", color=colour, linewidth=1.2)
        own.set_xlabel(
            f"lesion, {'before' if position == 'bottom' else 'after'} ({image.quantity})", fontsize=8, color=colour
        )
        own.tick_params(labelsize=7, axis="x", colors=colour)
        own.tick_params(labelsize=7, axis="y")
    ax.set_ylabel("voxels", fontsize=8)
