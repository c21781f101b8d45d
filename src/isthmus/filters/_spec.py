"""What every filter shares: the base of its settings, and the part of an image it must read."""

from __future__ import annotations

from isthmus.settings import Section

__all__ = ["Box", "FilterSettings", "widened"]

Box = tuple[slice, slice, slice]


class FilterSettings(Section):
    """name: which filter; each filter's own settings stand in its module."""

    name: str


def widened(box: Box, margin: tuple[int, int, int], shape: tuple[int, ...]) -> tuple[Box, Box]:
    """The box with `margin` voxels more on every side, cut at the image's borders; and where the box lies inside it."""
    outer = tuple(
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, margin, shape, strict=True)
    )
    inner = tuple(slice(b.start - o.start, b.stop - o.start) for b, o in zip(box, outer, strict=True))
    return outer, inner  # type: ignore[return-value]
