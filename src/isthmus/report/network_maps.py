"""The figure of where a network looks in one lesion: the image, then a panel a method, the map over it from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Image
from isthmus.image.crop import labels_over
from isthmus.image.orientation import orientation
from isthmus.report.figures._canvas import SMALL, TWO, panel
from isthmus.report.figures._overlay import (
    bar_length,
    edge_letters,
    half_line,
    map_colours,
    outline,
    scale_bar,
    show,
    window_of,
)
from isthmus.report.figures._save import save_drawing
from isthmus.report.wording import shorten
from isthmus.roi import Roi
from isthmus.study.deep_explain import MapOfCase
from isthmus.study.network_pictures import crop_of_map, on_crop, shares

__all__ = ["METHOD_WORDS", "NetworkMaps", "network_maps"]

METHOD_WORDS = {
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "occlusion": "occlusion",
    "attention": "attention",
}

_PIXELS = 640
_ALPHA = 0.5
_GAP, _HEAD, _FOOT = 0.06, 0.2, 0.48


def network_maps(
    image: Image, roi: Roi, maps: Sequence[MapOfCase], window: tuple[float, float] | None, folder: Path, name: str = ""
) -> list[Path]:
    """`network_maps` in a folder, as svg, pdf, png and the numbers behind it; the files.

    Parameters
    ----------
    image : Image
    roi : Roi
    maps : sequence of MapOfCase
    window : (float, float), optional
        What black and white stand for.
    folder : Path
    name : str
        Of the case, for the heading.
    """
    figure = NetworkMaps(image, roi, maps, window, shorten(name, 60))
    return list(save_drawing("network_maps", figure.TITLE, figure.tables(), figure.size, figure.draw, folder).files)


class NetworkMaps:
    """The lesion and its maps, on the slice in which the lesion is largest."""

    TITLE = "Where the network looks"

    def __init__(
        self, image: Image, roi: Roi, maps: Sequence[MapOfCase], window: tuple[float, float] | None, name: str
    ) -> None:
        self.image, self.roi, self.maps, self.name = image, roi, maps, name
        self.columns = 4 if len(maps) == 3 else 3
        self.side = (TWO - 0.1 - (self.columns - 1) * _GAP) / self.columns
        self.crop = crop_of_map(image, roi.mask, maps[0].volume, _PIXELS)
        geometry = image.geometry
        self.lesion = labels_over(self.crop, geometry, roi.mask.astype(np.int32), geometry, _PIXELS)
        self.window = window_of(self.crop.values, self.crop.mask, image.quantity, window)

    @property
    def size(self) -> tuple[float, float]:
        rows = -(-(1 + len(self.maps)) // self.columns)
        return TWO, 0.24 + rows * (self.side + _HEAD) + 0.05 + _FOOT

    def tables(self) -> dict[str, pd.DataFrame]:
        """A row a map: method, layer, class, its mean probability over the crops, what 0 and 1 stand for, and the share of the map (where
        the network saw the lesion) that lies inside the lesion, beside the share of the places that do."""
        rows = []
        for one in self.maps:
            share, lesion = shares(one.volume, self.roi.mask)
            found = one.found
            rows.append(
                {
                    "method": found.method,
                    "layer": found.layer,
                    "target": found.target if found.target >= 0 else None,
                    "probability": float(np.mean(found.probability)) if found.probability else float("nan"),
                    "low": found.low,
                    "high": found.high,
                    "share_in_lesion": share,
                    "lesion_share_of_crop": lesion,
                    "untrained": one.untrained,
                }
            )
        return {"network_maps": pd.DataFrame(rows)}

    def draw(self, ax: Any) -> None:
        from matplotlib import colormaps

        size, side, colours = self.size, self.side, colormaps["viridis"]
        ax.text(0.05 / size[0], 1 - 0.17 / size[1], self.heading(), fontsize=7.5, weight="bold", transform=ax.transAxes)
        lies, crop = orientation(self.image.geometry), self.crop
        for place in range(1 + len(self.maps)):
            across, down = place % self.columns, place // self.columns
            bottom = size[1] - 0.24 - (down + 1) * (side + _HEAD)
            axes = panel(ax, size, (0.05 + across * (side + _GAP), bottom, side, side))
            letter = chr(ord("a") + place)
            if place == 0:
                extent = show(axes, crop.values, crop.spacing_mm, self.window, _PIXELS)
                length = bar_length(extent)
                scale_bar(axes, extent, length, f"{length:g} {self.image.geometry.unit}")
                edge_letters(axes, extent, lies.left, lies.top)
                axes.set_title(f"{letter}  lesion and its outline", pad=3)
            else:
                one = self.maps[place - 1]
                values = on_crop(one.volume, crop)
                over = map_colours(values)
                extent = show(axes, crop.values, crop.spacing_mm, self.window, _PIXELS, over=over, alpha=_ALPHA)
                half_line(axes, values, extent)
                axes.set_title(f"{letter}  {self.words(one)}", pad=3)
            outline(axes, self.lesion, extent)
        self._legend(ax, colours)

    def heading(self) -> str:
        """Case, slice, class, and whether the network has learned anything."""
        count = self.image.geometry.shape[0]
        plane = orientation(self.image.geometry).plane or "2-D"
        words = [f"{plane} slice {self.crop.slice + 1} of {count}" if count > 1 else "2-D image"]
        found = self.maps[0].found
        if found.probability:
            words.append(f"class {found.target}, probability {np.mean(found.probability):.2f}")
        if self.maps[0].untrained:
            words.append("UNTRAINED network")
        return f"{self.name}: {'; '.join(words)}" if self.name else "; ".join(words)

    def words(self, one: MapOfCase) -> str:
        found = one.found
        words = f"{METHOD_WORDS[found.method]}, {found.layer}" if found.layer else METHOD_WORDS[found.method]
        return f"{words}: flat" if found.empty else words

    def _legend(self, ax: Any, colours: Any) -> None:
        size = self.size
        bar = panel(ax, size, (0.1, 0.3, 2.0, 0.09))
        bar.imshow(np.linspace(0, 1, 128)[None, :], cmap=colours, aspect="auto", extent=(0, 1, 0, 1))
        bar.set(yticks=[], xticks=[0, 0.5, 1])
        bar.axvline(0.5, color="white", lw=0.8)
        bar.set_xlabel("share of the map's largest value", labelpad=1.5)
        low, high = (f"{value:.3g}".replace("-", "−") for value in self.window)
        unit = "" if self.image.quantity == "a.u." else f" {self.image.quantity}"
        lines = [
            "Yellow outline: the lesion. White line: half of the largest value.",
            f"No colour: not seen by the network. Window {low} to {high}{unit}.",
            "0: nothing there speaks for the class; of attention: its smallest value.",
        ]
        for line, words in enumerate(lines):
            ax.text(2.45 / size[0], (0.36 - 0.13 * line) / size[1], words, fontsize=SMALL, transform=ax.transAxes)
