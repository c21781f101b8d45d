"""Where a slide has tissue: Otsu on brightness and colour, without pen marks, folds, bubbles, crumbs and holes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.pathology.artefact import artefacts
from isthmus.pathology.stain import Pixels
from isthmus.settings import Section

__all__ = ["Tissue", "TissueSettings", "find_tissue", "focus", "grey", "otsu", "pen"]

Mask = NDArray[np.bool_]

_LEAST_CONTRAST = 8  # grey levels between glass and tissue, below which a picture is one thing only
_GLASS = 215


class TissueSettings(Section):
    """[tissue]: what of a slide is looked at.

    Parameters
    ----------
    mpp : float
        Resolution of the search, um per pixel.
    least_piece_um2, most_hole_um2 : float
        Smaller pieces are crumbs; smaller holes belong to the tissue.
    artefacts : bool
        Whether folds, air bubbles and dark ink are left out.
    least_focus : float
        A nucleus whose sharpness (`focus`) is lower is blurred and left out.
    """

    mpp: Annotated[float, Field(gt=0)] = 8.0
    least_piece_um2: Annotated[float, Field(ge=0)] = 20_000.0
    most_hole_um2: Annotated[float, Field(ge=0)] = 5_000.0
    artefacts: bool = True
    least_focus: Annotated[float, Field(ge=0)] = 1.0


@dataclass(frozen=True, eq=False)
class Tissue:
    """Tissue of a slide: `mask` (j, i) at `mpp` um per pixel, its connected `pieces`, the share of the slide under pen, and `spoiled`
    (j, i), what would be tissue but for folds, bubbles and ink (nothing: none was looked for)."""

    mask: Mask
    mpp: float
    pieces: int
    pen_share: float
    spoiled: Mask | None = None

    @property
    def artefact_share(self) -> float:
        """Of the tissue, the share that is left out as folds, bubbles and ink; 0 where none was looked for."""
        lost = 0 if self.spoiled is None else int(self.spoiled.sum())
        return lost / (lost + int(self.mask.sum())) if lost else 0.0

    def within(self, region: Mask) -> Tissue:
        """What of it lies in a region (j, i)."""
        mask = self.mask & region
        spoiled = None if self.spoiled is None else self.spoiled & region
        return replace(self, mask=mask, pieces=count_pieces(mask), spoiled=spoiled)


def count_pieces(mask: Mask) -> int:
    """Connected parts, by sides and corners."""
    from scipy import ndimage

    return int(ndimage.label(mask, np.ones((3, 3)))[1])


def grey(rgb: Pixels) -> NDArray[np.uint8]:
    """Brightness as Pillow's mode L has it."""
    weighted = rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], dtype=np.uint32)
    return ((weighted + 0x8000) >> 16).astype(np.uint8)


def otsu(values: NDArray[Any], bins: int = 256) -> float:
    """Otsu's threshold: the middle of the bin that parts the values into the two classes with the largest variance between them."""
    if values.dtype == np.uint8:
        count = np.bincount(values.ravel(), minlength=256).astype(np.float64)
        middle = np.arange(256, dtype=np.float64)
    else:
        found, edges = np.histogram(values, bins)
        count, middle = found.astype(np.float64), (edges[1:] + edges[:-1]) / 2
    low = np.cumsum(count)
    high = low[-1] - low
    mass = np.cumsum(count * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = low * high * (mass / low - (mass[-1] - mass) / high) ** 2
    return float(middle[np.nanargmax(np.where((low > 0) & (high > 0), between, -1))])


def pen(rgb: Pixels) -> Mask:
    """Marks of a felt pen: green and blue ink is more green than red, which haematoxylin and eosin never are; black ink has no colour."""
    red, green, blue = (rgb[..., n].astype(np.int16) for n in range(3))
    brightest = np.maximum(np.maximum(red, green), blue)
    darkest = np.minimum(np.minimum(red, green), blue)
    ink = (green > red + 20) & (brightest - darkest > 40)
    black = (brightest < 60) & (brightest - darkest < 20)
    return np.asarray(ink | black)


def find_tissue(thumbnail: Pixels, mpp: float, settings: TissueSettings | None = None) -> Tissue:
    """Tissue of a whole slide seen at `mpp` um per pixel: darker than glass by Otsu's threshold of brightness, or more coloured by that of
    saturation; pen, folds and bubbles taken away with a margin, crumbs dropped, small holes filled."""
    from scipy import ndimage

    settings = settings or TissueSettings()
    bright = grey(thumbnail)
    colour = thumbnail.max(axis=-1).astype(np.float32) - thumbnail.min(axis=-1)
    marks = pen(thumbnail)
    black_rim = thumbnail.max(axis=-1) < 10  # what a scanner did not scan
    use = ~(marks | black_rim)
    mask = np.zeros(bright.shape, dtype=bool)
    if use.any() and np.ptp(bright[use]) >= _LEAST_CONTRAST:
        # where nearly all is tissue, a threshold would part tissue from tissue: glass is bright in any case
        mask = bright <= max(otsu(bright[use]), 0) if np.percentile(bright[use], 95) > _GLASS else use.copy()
        coloured = colour.astype(np.uint8)
        if np.percentile(bright[use], 95) > _GLASS:
            mask |= (coloured > max(otsu(coloured[use]), 15)) & (bright < _GLASS + 15)
    elif use.any() and bright[use].mean() < _GLASS:
        mask = use.copy()
    if marks.any():
        mask &= ~ndimage.binary_dilation(marks, iterations=max(1, round(40 / mpp)))
    mask &= use
    spoiled = None
    if settings.artefacts and mask.any():
        marked = artefacts(thumbnail, mask, mpp)
        spoiled = marked & mask
        use &= ~marked
        mask &= use
    mask = ndimage.binary_closing(np.pad(mask, 2), iterations=2)[2:-2, 2:-2] & use
    mask = _without_small(mask, settings.least_piece_um2 / mpp**2)
    mask = ~_without_small(~mask, settings.most_hole_um2 / mpp**2) & use
    return Tissue(mask, mpp, count_pieces(mask), float(marks.mean()), spoiled)


def focus(rgb: Pixels, labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """Sharpness of every label from 1 to the largest: mean absolute Laplacian of the brightness inside it, in grey levels."""
    from scipy import ndimage

    sharp = np.abs(ndimage.laplace(grey(rgb).astype(np.float32)))
    j, i = np.nonzero(labels)
    names, count = labels[j, i], int(labels.max(initial=0))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(names, sharp[j, i], count + 1)[1:] / np.bincount(names, minlength=count + 1)[1:])


def _without_small(mask: Mask, least: float) -> Mask:
    from scipy import ndimage

    parts, count = ndimage.label(mask, np.ones((3, 3)))
    large = np.bincount(parts.ravel(), minlength=count + 1) >= least
    large[0] = False
    return np.asarray(large[parts])
