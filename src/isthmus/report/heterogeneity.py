"""Figures of one lesion: its supervoxels and clusters on the largest slice, and the maps of the two-dimensional score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.habitat import Description, HeterogeneitySettings, Ith2d
from isthmus.image import Image
from isthmus.image.crop import Crop, labels_over, lesion_crop, whole_slice
from isthmus.image.orientation import orientation
from isthmus.report.figures._canvas import LINE, SMALL, TWO, panel, wrap
from isthmus.report.figures._overlay import (
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
from isthmus.report.figures._save import save_drawing
from isthmus.report.wording import shorten
from isthmus.roi import Roi

__all__ = ["CaseFigure", "LesionFigure", "SliceFigure", "figures_of", "lesion_figures"]

PIXELS = 640
"""Along a side of a panel, about: 300 a inch."""

_MARGIN, _LEAST_MM = 1.2, 8.0
_ALPHA = 0.62
_GAP, _HEAD = 0.06, 0.2


def lesion_figures(
    image: Image, roi: Roi, found: Description, settings: HeterogeneitySettings, folder: Path, name: str = ""
) -> list[Path]:
    """`heterogeneity` and `multi_resolution` in a folder, each as svg, pdf, png and the numbers behind it; the files.

    Parameters
    ----------
    image : Image
    roi : Roi
    found : Description
        What `describe` found in the lesion.
    settings : HeterogeneitySettings
        What it was asked with.
    folder : Path
    name : str
        Of the case, for the heading.
    """
    files: list[Path] = []
    for figure in figures_of(image, roi, found, settings, name):
        files += save_drawing(figure.NAME, figure.TITLE, figure.tables(), figure.size, figure.draw, folder).files
    return files


def figures_of(
    image: Image, roi: Roi, found: Description, settings: HeterogeneitySettings, name: str = ""
) -> list[CaseFigure]:
    """The figures of a lesion; that of the two-dimensional score only where it has maps."""
    given = (image, roi, found, settings, shorten(name, 60))
    return [LesionFigure(*given), *([SliceFigure(*given)] if found.flat is not None and found.flat.maps else [])]


class CaseFigure(ABC):
    """A figure of one lesion: name, numbers behind it, size of the paper in inches, drawing."""

    NAME: str
    TITLE: str

    def __init__(self, image: Image, roi: Roi, found: Description, settings: HeterogeneitySettings, name: str) -> None:
        self.image, self.roi, self.found, self.settings, self.name = image, roi, found, settings, name
        self.unit = image.geometry.unit
        self.close = lesion_crop(image, roi.mask, PIXELS, margin=_MARGIN, least_mm=_LEAST_MM)
        self.lies = orientation(image.geometry)

    def window(self, given: tuple[float, float] | None) -> tuple[float, float]:
        return window_of(self.close.values, self.close.mask, self.image.quantity, given)

    def where(self, window: tuple[float, float]) -> str:
        """Which slice, and what black and white stand for."""
        count = self.image.geometry.shape[0]
        lies = self.lies.plane or "2-D"
        slice_ = f"{lies} slice {self.close.slice + 1} of {count}" if count > 1 else "2-D image"
        quantity = "" if self.image.quantity == "a.u." else f" {self.image.quantity}"
        return f"{slice_}; window {_number(window[0])} to {_number(window[1])}{quantity}"

    def picture(
        self,
        axes: Any,
        crop: Crop,
        window: tuple[float, float],
        over: NDArray[np.float64] | None = None,
        alpha: float = _ALPHA,
        *,
        bare: bool = False,
    ) -> tuple[float, float, float, float]:
        extent = show(axes, crop.values, crop.spacing_mm, window, PIXELS, over=over, alpha=alpha)
        if bare:
            return extent
        length = bar_length(extent)
        scale_bar(axes, extent, length, f"{length:g} {self.unit}")
        edge_letters(axes, extent, self.lies.left, self.lies.top)
        return extent

    def heading(self, ax: Any, window: tuple[float, float]) -> None:
        """Case, slice and window, at the top."""
        words = f"{self.name}: {self.where(window)}" if self.name else self.where(window)
        at = (0.05 / self.size[0], 1 - 0.17 / self.size[1])
        ax.text(*at, words, fontsize=7.5, weight="bold", transform=ax.transAxes)

    @property
    @abstractmethod
    def size(self) -> tuple[float, float]: ...

    @abstractmethod
    def tables(self) -> dict[str, pd.DataFrame]: ...

    @abstractmethod
    def draw(self, ax: Any) -> None: ...


class LesionFigure(CaseFigure):
    """Image, supervoxels, clusters; the clusters' shares and the scores."""

    NAME, TITLE = "heterogeneity", "Supervoxels and clusters of the lesion"
    side = (TWO - 0.1 - 2 * _GAP) / 3

    @property
    def size(self) -> tuple[float, float]:
        lines = max(len(self.clusters), len(self.scores()))
        return TWO, 0.24 + _HEAD + self.side + 0.1 + LINE * (1 + lines) + 0.12

    def tables(self) -> dict[str, pd.DataFrame]:
        return {"clusters": self.clusters}

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """A row a cluster: share of the lesion's voxels, mean intensity, colour."""
        columns = ["cluster", "share", "mean_intensity", "colour"]
        if self.found.clusters is None or self.found.pieces is None:
            return pd.DataFrame(columns=columns)
        labels, values = self.found.clusters, self.found.pieces.image.values
        voxels = np.bincount(labels.ravel())
        mean = np.bincount(labels.ravel(), values.ravel().astype(np.float64)) / np.where(voxels > 0, voxels, 1)
        tints = label_colours(len(voxels) - 1)
        hexes = ["#" + "".join(f"{round(255 * part):02x}" for part in tint) for tint in tints]
        rows = zip(range(1, len(voxels)), voxels[1:] / max(voxels[1:].sum(), 1), mean[1:], hexes, strict=True)
        return pd.DataFrame(rows, columns=columns)

    def scores(self) -> list[str]:
        """The scores in words, with intervals."""
        values, found = self.found.values, self.found
        lines = []
        if found.pieces is not None:
            size = f"{_number(values['supervoxel_mm3'])} {self.unit}³"
            lines.append(f"{found.pieces.count} supervoxels, asked to have {size}")
        for score, words in (
            ("ith3d_fragment", "ITHscore 3-D, fragment"),
            ("ith3d_coherence", "ITHscore 3-D, coherence"),
        ):
            if np.isnan(values[score]):
                continue
            low, high = values[f"{score}_ci_lower"], values[f"{score}_ci_upper"]
            interval = f" (no interval: {found.reasons.get(f'{score}_ci_lower', 'unknown')})"
            if not np.isnan(low):
                interval = f" (95 % CI {low:.2f} to {high:.2f})"
            chance = values[f"{score}_expected"]
            lines.append(
                f"{words}: {values[score]:.2f}{interval}"
                + ("" if np.isnan(chance) else f"; strewn at random {chance:.2f}")
            )
        if not np.isnan(values["ith2d"]):
            lines.append(f"ITHscore 2-D: {values['ith2d']:.2f}")
        for part in ("supervoxels", "ith3d"):
            if part in found.reasons:
                lines += wrap(f"not known: {found.reasons[part]}", 78).split("\n")
        return lines

    def draw(self, ax: Any) -> None:
        size, side, table = self.size, self.side, self.clusters
        window = self.window(self.settings.supervoxels.window)
        self.heading(ax, window)
        bottom = size[1] - 0.24 - _HEAD - side
        titles = ["a  lesion and its outline", "b  supervoxels", "c  clusters of supervoxels"]
        boxes = [panel(ax, size, (0.05 + place * (side + _GAP), bottom, side, side)) for place in range(3)]
        for axes, title in zip(boxes, titles, strict=True):
            axes.set_title(title, pad=3)
        context = lesion_crop(self.image, self.roi.mask, PIXELS)
        outline(boxes[0], context.mask, self.picture(boxes[0], context, window))
        pieces, clusters = self.found.pieces, self.found.clusters
        if pieces is None or clusters is None:
            for axes in boxes[1:]:
                outline(axes, self.close.mask, self.picture(axes, self.close, window))
        else:
            cut = labels_over(self.close, self.image.geometry, pieces.labels, pieces.geometry, PIXELS)
            outline(boxes[1], cut, self.picture(boxes[1], self.close, window), width=0.5)
            shown = labels_over(self.close, self.image.geometry, clusters, pieces.geometry, PIXELS)
            extent = self.picture(boxes[2], self.close, window, painted(shown, label_colours(len(table))))
            outline(boxes[2], shown, extent, colour="white", width=0.5)
            name_labels(boxes[2], shown, extent, {cluster: str(cluster) for cluster in table["cluster"]})
        self._words(ax, size, bottom - 0.1, table)

    def _words(self, ax: Any, size: tuple[float, float], top: float, table: pd.DataFrame) -> None:
        from matplotlib.patches import Rectangle

        quantity = "" if self.image.quantity == "a.u." else f" {self.image.quantity}"
        left, right = 0.1, 0.05 + (size[0] - 0.1) / 2.55

        def write(x: float, line: int, words: str, **style: Any) -> None:
            ax.text(
                x / size[0], (top - LINE * (line + 1)) / size[1], words, fontsize=SMALL, transform=ax.transAxes, **style
            )

        write(left, 0, "Clusters: share of the lesion, mean", weight="bold")
        for line, row in enumerate(table.to_dict("records"), 1):
            y = (top - LINE * (line + 1)) / size[1]
            ax.add_patch(Rectangle((left / size[0], y), 0.12 / size[0], 0.085 / size[1], facecolor=row["colour"], edgecolor="#4b5661",
                                   linewidth=0.5, transform=ax.transAxes))  # fmt: skip
            write(
                left + 0.18,
                line,
                f"{row['cluster']}   {100 * row['share']:.0f} %   {_number(row['mean_intensity'])}{quantity}",
            )
        write(right, 0, "Scores: 0 where every cluster is one piece", weight="bold")
        for line, words in enumerate(self.scores(), 1):
            write(right, line, words)


class SliceFigure(CaseFigure):
    """The maps of the two-dimensional score."""

    NAME, TITLE = "multi_resolution", "The two-dimensional score at several numbers of clusters"
    columns = 5
    side = (TWO - 0.1 - 4 * _GAP) / 5

    @property
    def flat(self) -> Ith2d:
        assert self.found.flat is not None
        return self.found.flat

    @property
    def size(self) -> tuple[float, float]:
        rows = -(-(2 + len(self.flat.maps)) // self.columns)
        return TWO, 0.24 + rows * (self.side + _HEAD + 0.03) + 0.32

    def tables(self) -> dict[str, pd.DataFrame]:
        return {"scores": pd.DataFrame({"clusters": list(self.flat.scores), "score": list(self.flat.scores.values())})}

    def draw(self, ax: Any) -> None:
        size, side, flat = self.size, self.side, self.flat
        window = self.window(self.settings.ith2d.window)
        self.heading(ax, window)
        places = [
            panel(ax, size, (0.05 + (at % self.columns) * (side + _GAP),
                             size[1] - 0.24 - (at // self.columns + 1) * (side + _HEAD + 0.03), side, side))
            for at in range(2 + len(flat.maps))
        ]  # fmt: skip
        whole = whole_slice(self.image, self.roi.mask, PIXELS)
        outline(places[0], whole.mask, self.picture(places[0], whole, window))
        places[0].set_title("slice", pad=3)
        outline(places[1], self.close.mask, self.picture(places[1], self.close, window))
        places[1].set_title("lesion", pad=3)
        for axes, (count, clusters) in zip(places[2:], flat.maps.items(), strict=True):
            shown = labels_over(self.close, self.image.geometry, clusters, flat.image.geometry, PIXELS)
            self.picture(axes, self.close, window, painted(shown, label_colours(count)), alpha=0.85, bare=True)
            axes.set_title(f"K = {count}: {flat.scores[count]:.2f}", pad=3)
        counts = [str(count) for count in flat.maps]
        of = f"K = {counts[0]}" if len(counts) == 1 else f"K = {', '.join(counts[:-1])} and {counts[-1]}"
        said = f"ITHscore 2-D: {flat.score:.3f}" + (f", the mean over {of}" if len(counts) > 1 else f" at {of}")
        if np.isnan(flat.score):
            said = "ITHscore 2-D: not known. " + next(iter(flat.reasons.values()), "")
        words = f"{said}. Colours: clusters of pixels of like texture, from dark to bright."
        ax.text(0.05 / size[0], 0.06 / size[1], wrap(words, 130, 2), fontsize=7, transform=ax.transAxes)


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 or float(value).is_integer() else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}".replace("-", "−")
