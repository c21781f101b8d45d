"""The reference that a cohort's stains are brought to: no picture, but the middle of the slides' own stains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.errors import TableError
from isthmus.pathology.stain import Pixels, Stains, optical_density
from isthmus.pathology.tissue import Mask

__all__ = ["DensityQuality", "cohort_reference", "density_quality"]


def cohort_reference(slides: Sequence[Stains], centres: Sequence[str] | None = None) -> Stains:
    """Median stain vectors (brought to length 1) and median 99th-percentile concentrations.

    Every slide has one vote; with `centres` (one a slide) the median of each centre is taken first, so that a large centre does not outvote
    the others. Learn it from development slides only.

    Raises
    ------
    TableError
        There is no slide, or not one centre a slide.
    """
    if not slides or (centres is not None and len(centres) != len(slides)):
        raise TableError(
            f"{len(slides)} slides and {0 if centres is None else len(centres)} centres; expected at least one, and one each"
        )
    names = [""] * len(slides) if centres is None else list(centres)
    groups = [[slide for slide, own in zip(slides, names, strict=True) if own == name] for name in sorted(set(names))]
    vectors = np.median([np.median([one.vectors for one in group], axis=0) for group in groups], axis=0)
    strongest = np.median([np.median([one.strongest for one in group], axis=0) for group in groups], axis=0)
    return Stains(vectors / np.linalg.norm(vectors, axis=0), strongest)


@dataclass(frozen=True)
class DensityQuality:
    """Optical densities of a sample: mean and 99th percentile over the tissue, the share that is saturated (intensity 5 or less in a
    channel, where density says nothing more), and the mean of the glass (0 where `background` is right)."""

    mean: float
    strongest: float
    saturated: float
    glass: float


def density_quality(rgb: Pixels, tissue: Mask, background: float) -> DensityQuality:
    """Quality of a sample's optical densities; NaN where there is no tissue, or no glass."""
    density = optical_density(rgb, background).mean(axis=-1)
    inside, outside = density[tissue], density[~tissue]
    nan = float("nan")
    return DensityQuality(
        float(inside.mean()) if inside.size else nan,
        float(np.percentile(inside, 99)) if inside.size else nan,
        float((rgb[tissue] <= 5).any(axis=-1).mean()) if inside.size else nan,
        float(outside.mean()) if outside.size else nan,
    )
