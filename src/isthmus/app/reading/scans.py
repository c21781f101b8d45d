"""The scans of the case table, slice by slice, for whoever reads them."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.app.paths import inside_any
from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings
from isthmus.cohort.rows import path_cells, row_ids
from isthmus.errors import CaseError, TableError
from isthmus.image.image import Image
from isthmus.image.io import read_image
from isthmus.roi.roi import Roi
from isthmus.study.reading_measures import read_lesion
from isthmus.table.reading import read_frame

__all__ = ["Scans"]

_HELD = 2  # scans in memory
_OUTLINE = (255, 214, 10)


class Scans:
    """The case table's scans; the last two are kept in memory."""

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], tuple[Image, Roi | None]] = OrderedDict()

    @cached_property
    def _rows(self) -> pd.DataFrame:
        assert self.settings.cases is not None
        read = read_frame(self.settings.cases)
        if "patient" not in read.frame.columns:
            raise TableError(
                f"{read.path}: no column 'patient'. Its columns: {', '.join(map(str, read.frame.columns[:8]))}"
            )
        columns = [str(name) for name in read.frame.columns if str(name).startswith(("image:", "mask:"))]
        cells = path_cells(read.frame, columns, self.settings.root or self.settings.cases.parent)
        rows = pd.concat([read.frame[["patient"]].astype("str"), cells], axis=1)
        rows.index = pd.Index(row_ids(read.frame, "patient"))
        return rows

    @property
    def patients(self) -> dict[str, str]:
        """Case -> patient, in the order of the table."""
        return dict(zip(map(str, self._rows.index), self._rows["patient"], strict=True))

    def row(self, case: str) -> dict[str, Any]:
        """The paths of a case, each inside the application's folders."""
        row = {str(name): value for name, value in self._rows.loc[case].items() if not pd.isna(value) and str(value)}
        for name, value in row.items():
            if name.startswith(("image:", "mask:")):
                row[name] = str(inside_any(self.settings.folders, Path(value)))
        return row

    def shown(self, case: str) -> list[dict[str, Any]]:
        """The images of a case: name, whether there is a mask, slices and a window to begin with; or why it cannot be shown."""
        found: list[dict[str, Any]] = []
        for name in [key.removeprefix("image:") for key in self.row(case) if key.startswith("image:")]:
            try:
                image, roi = self._read(case, name)
            except CaseError as exc:
                found.append({"name": name, "trouble": exc.reason})
                continue
            low, high = _window(image)
            middle = (
                int(np.median(np.flatnonzero(roi.mask.any(axis=(1, 2)))))
                if roi is not None
                else image.values.shape[0] // 2
            )
            found.append(
                {
                    "name": name, "mask": roi is not None, "slices": image.values.shape[0], "start": middle, "low": low, "high": high,
                    "hu": image.quantity == "HU" or _like_ct(image), "aspect": _aspect(image), "shape": list(image.values.shape),
                }
            )  # fmt: skip
        return found

    def picture(self, case: str, name: str, k: int, low: float, high: float, *, outline: bool) -> bytes:
        """A slice as PNG, first row at the top.

        Raises
        ------
        Refusal
            404: no such image or slice. 422: an empty window.
        """
        if f"image:{name}" not in self._rows.columns:
            raise Refusal(f"no image {name!r}", "an image of the case table", status=404)
        image, roi = self._read(case, name)
        if not 0 <= k < image.values.shape[0]:
            raise Refusal(f"slice {k}", f"0 to {image.values.shape[0] - 1}", status=404)
        if not low < high:
            raise Refusal(f"a window from {low:g} to {high:g}", "the first below the second", status=422)
        grey = np.clip((image.values[k].astype(np.float32) - low) / (high - low), 0, 1)
        pixels = np.repeat(np.nan_to_num(grey * 255).astype(np.uint8)[:, :, None], 3, axis=2)
        if outline and roi is not None:
            pixels[_edge(roi.mask[k])] = _OUTLINE
        return _png(pixels)

    def _read(self, case: str, name: str) -> tuple[Image, Roi | None]:
        key = (case, name)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        row = self.row(case)
        if f"mask:{name}" in row:
            found: tuple[Image, Roi | None] = read_lesion(row, name)
        else:
            found = (read_image(Path(row[f"image:{name}"])), None)
        with self._lock:
            self._open[key] = found
            while len(self._open) > _HELD:
                self._open.popitem(last=False)
        return found


def _window(image: Image) -> tuple[float, float]:
    """Soft tissue of a CT; else nearly all grey values of the middle slices."""
    if image.quantity == "HU" or _like_ct(image):
        return -125.0, 225.0
    third = image.values.shape[0] // 3
    part = image.values[third : max(image.values.shape[0] - third, third + 1)]
    low, high = np.nanpercentile(part[:, ::4, ::4], [1, 99.5])
    return float(low), float(max(high, low + 1))


def _like_ct(image: Image) -> bool:
    """Air around -1000 and nothing below: HU that a file does not call so."""
    return -1100 <= float(np.nanmin(image.values)) <= -800


def _aspect(image: Image) -> float:
    """Width over height of a slice in mm."""
    _, j, i = image.geometry.spacing_mm
    return float(image.values.shape[2] * i / (image.values.shape[1] * j))


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask with a neighbour outside."""
    padded = np.pad(mask, 1)
    return mask & ~(padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
