"""The reference that a cohort's stains are brought to: no picture, but the middle of the slides' own stains or colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.errors import TableError
from isthmus.pathology.reinhard import Colours
from isthmus.pathology.stain import Array, Pixels, Stains, optical_density
from isthmus.pathology.tissue import Mask

__all__ = ["DensityQuality", "cohort_colours", "cohort_reference", "density_quality", "distance"]

_MOST_GLASS, _MOST_SATURATED, _LEAST_DENSITY = 0.1, 0.05, 0.1


def cohort_reference(slides: Sequence[Stains], centres: Sequence[str] | None = None) -> Stains:
    """Median stain vectors (brought to length 1) and median 99th-percentile concentrations.

    Every slide has one vote; with `centres` (one a slide) the median of each centre is taken first, so that a large centre does not outvote
    the others. Learn it from development slides only.

    Raises
    ------
    TableError
        There is no slide, or not one centre a slide.
    """
    vectors = _middle([one.vectors for one in slides], centres)
    strongest = _middle([one.strongest for one in slides], centres)
    return Stains(vectors / np.linalg.norm(vectors, axis=0), strongest)


def cohort_colours(slides: Sequence[Colours], centres: Sequence[str] | None = None) -> Colours:
    """Median of the slides' means and of their standard deviations, for Reinhard's transfer; votes as in `cohort_reference`."""
    return Colours(_middle([one.mean for one in slides], centres), _middle([one.sd for one in slides], centres))


def distance(one: Stains | Colours, other: Stains | Colours) -> float:
    """How far apart two slides are: stains by the optical densities of their strongest haematoxylin and eosin, colours by means and
    standard deviations in units of CIELAB; the root of the sum of squares."""

    def place(of: Stains | Colours) -> Array:
        return (of.vectors * of.strongest).ravel() if isinstance(of, Stains) else np.concatenate([of.mean, of.sd])

    return float(np.linalg.norm(place(one) - place(other)))


def _middle(values: Sequence[Array], centres: Sequence[str] | None) -> Array:
    """Median of the centres' medians."""
    if not values or (centres is not None and len(centres) != len(values)):
        raise TableError(
            f"{len(values)} slides and {0 if centres is None else len(centres)} centres; expected at least one, and one each"
        )
    names = [""] * len(values) if centres is None else list(centres)
    groups = [[value for value, own in zip(values, names, strict=True) if own == name] for name in sorted(set(names))]
    return np.asarray(np.median([np.median(group, axis=0) for group in groups], axis=0), dtype=np.float64)


@dataclass(frozen=True)
class DensityQuality:
    """Optical densities of a sample: mean and 99th percentile over the tissue, the share that is saturated (intensity 5 or less in a
    channel, where density says nothing more), and the mean of the glass (0 where `background` is right)."""

    mean: float
    strongest: float
    saturated: float
    glass: float

    @property
    def doubts(self) -> list[str]:
        """What speaks against the sample: `glass` (its density is more than 0.1 from 0: another `background`, a dirty or grey scan),
        `saturated` (over 5 % of the tissue), `pale` (mean density of the tissue below 0.1)."""
        found = {
            "glass": abs(self.glass) > _MOST_GLASS,
            "saturated": self.saturated > _MOST_SATURATED,
            "pale": self.mean < _LEAST_DENSITY,
        }
        return [name for name, true in found.items() if true]


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
