"""Outlines that a pathologist drew, in pixels of level 0: GeoJSON (as QuPath exports it) and ASAP's XML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, did_you_mean

__all__ = ["Outline", "chosen", "inside", "read_outlines"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outline:
    """One polygon: its class, the outer ring (n, 2) as (x, y) and the rings of its holes."""

    name: str
    ring: Array
    holes: tuple[Array, ...] = ()


def read_outlines(path: Path) -> list[Outline]:
    """All polygons of a file (.geojson, .json, .xml).

    Raises
    ------
    ImageReadError
        The file is neither of the two formats, or holds no polygon.
    """
    if not path.is_file():
        raise ImageReadError(f"{path}: there is no such file of annotations")
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = _asap(text) if path.suffix.lower() == ".xml" else _geojson(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, ElementTree.ParseError) as exc:
        raise ImageReadError(f"{path}: not GeoJSON, as QuPath exports it, nor ASAP's XML: {exc}") from exc
    if not found:
        raise ImageReadError(f"{path}: no polygon in it (points and lines have no inside)")
    return found


def chosen(outlines: list[Outline], names: list[str]) -> list[Outline]:
    """Those of some classes; of all where no class is named."""
    known = sorted({outline.name for outline in outlines})
    for name in names:
        if name not in known:
            raise ImageReadError(f"no annotation of class {name!r}.{did_you_mean(name, known)}")
    return [outline for outline in outlines if not names or outline.name in names]


def inside(outlines: list[Outline], points: Array) -> NDArray[np.bool_]:
    """Which of the points (n, 2) as (x, y) lie in any of the polygons and in none of that polygon's holes."""
    from matplotlib.path import Path as Ring

    found = np.zeros(len(points), dtype=bool)
    for outline in outlines:
        here = Ring(outline.ring).contains_points(points)
        for hole in outline.holes:
            here &= ~Ring(hole).contains_points(points)
        found |= here
    return found


def _geojson(document: Any) -> list[Outline]:
    features = document if isinstance(document, list) else document.get("features", [document])
    found = []
    for feature in features:
        geometry = feature.get("geometry", feature)
        if geometry is None or geometry["type"] not in ("Polygon", "MultiPolygon"):
            continue
        properties = feature.get("properties") or {}
        kind = properties.get("classification") or {}
        name = kind.get("name", "") if isinstance(kind, dict) else str(kind)
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        found += [_outline(str(name or properties.get("name") or ""), rings) for rings in polygons]
    return found


def _outline(name: str, rings: list[Any]) -> Outline:
    ring, *holes = (np.array([point[:2] for point in line], dtype=np.float64) for line in rings)
    if len(ring) < 3:
        raise ValueError(f"a polygon of {len(ring)} points")
    return Outline(name, ring, tuple(holes))


def _asap(text: str) -> list[Outline]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("document types and entities are not read")
    found = []
    for annotation in ElementTree.fromstring(text).iter("Annotation"):
        if annotation.get("Type") in ("Dot", "PointSet", "Measurement"):
            continue
        points = sorted(annotation.iter("Coordinate"), key=lambda point: int(point.get("Order", "0")))
        ring = [[float(point.attrib["X"]), float(point.attrib["Y"])] for point in points]
        if annotation.get("Type") == "Rectangle" and len(ring) == 2:
            (x0, y0), (x1, y1) = ring
            ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        if len(ring) >= 3:
            found.append(Outline(annotation.get("PartOfGroup") or "", np.array(ring)))
    return found
