"""Before-and-after pictures of prepared images, made small enough to stand in the page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from isthmus.report import inline
from isthmus.study.result import Result

__all__ = ["MOST", "Pictures", "prepared"]

MOST = 6
"""Pictures on the page; all others stay in the run folder."""

WIDTH = 720
"""Of a picture on the page, in pixels."""


@dataclass(frozen=True)
class Pictures:
    """The pictures shown, as (name, data URI, width, height), and how many the run holds."""

    shown: tuple[tuple[str, str, int, int], ...]
    found: int


def prepared(result: Result) -> Pictures | None:
    """Pictures of `RUN/preparation/`, evenly over the cases; None where the run holds none."""
    paths = sorted((result.folder / "preparation").glob("*.png"))
    if not paths:
        return None
    step = max(1, len(paths) / MOST)
    chosen = [paths[int(i * step)] for i in range(min(MOST, len(paths)))]
    return Pictures(tuple(_small(path) for path in chosen), len(paths))


def _small(path: Path) -> tuple[str, str, int, int]:
    from PIL import Image

    with Image.open(path) as picture:
        shown = picture.convert("RGB")
    shown.thumbnail((WIDTH, WIDTH))
    content = io.BytesIO()
    shown.save(content, "JPEG", quality=82)
    return path.stem, inline.data_uri(content.getvalue(), "image/jpeg"), *shown.size
