"""The nuclei of a slide, tile by tile: positions in um, class, 28 features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.pathology.annotation import Outline, inside
from isthmus.pathology.hovernet import instances, load_hovernet
from isthmus.pathology.nucleus import NUCLEAR_FEATURES, features_of_labels
from isthmus.pathology.segmenter import Calibration, calibrate, density, halo, segment_nuclei
from isthmus.pathology.settings import PathologySettings
from isthmus.pathology.slide import Slide
from isthmus.pathology.stain import RUIFROK, Pixels, Stains, estimate_macenko
from isthmus.pathology.tiles import Tile, at_tissue, read_with_halo
from isthmus.pathology.tissue import Tissue, focus
from isthmus.pathology.vahadane import estimate_vahadane

__all__ = [
    "UNCLASSIFIED",
    "Segmented",
    "SlideFacts",
    "learn_slide",
    "nuclei_of_tile",
    "nuclei_table",
    "sample_places",
    "segment_tile",
]

UNCLASSIFIED = "unclassified"
"""Class of a nucleus that a segmenter without classes found."""

_LEAST_SOLIDITY = 0.6  # a shape that its hull encloses less tightly is no nucleus


@dataclass(frozen=True, eq=False)
class SlideFacts:
    """What is estimated once a slide and holds for all its tiles."""

    mpp: float
    calibration: Calibration
    stains: Stains


def sample_places(slide: Slide, tissue: Tissue, settings: PathologySettings) -> list[tuple[int, int, int, int]]:
    """Rectangles (top, left, rows, columns) at the working resolution, spread evenly over the tissue: the same ones for any tile size."""
    mpp = slide.working(settings.mpp)
    rows, columns = slide.shape(settings.mpp)
    high, wide = min(settings.sample, rows), min(settings.sample, columns)
    j, i = np.nonzero(tissue.mask)
    if not len(j):
        raise ImageReadError(f"{slide.path}: no tissue found")
    # every n-th of the tissue's pixels along a coarse serpentine of blocks: no draw, no seed
    block = max(1, round(settings.sample * mpp / tissue.mpp))
    order = np.lexsort((i, j, i // block, j // block))
    at = order[np.linspace(0, len(order) - 1, min(settings.samples, len(order)) + 2).astype(int)[1:-1]]
    centres = (np.column_stack([j[at], i[at]]) + 0.5) * tissue.mpp / mpp
    places = [
        (int(np.clip(y - high / 2, 0, rows - high)), int(np.clip(x - wide / 2, 0, columns - wide)), high, wide)
        for y, x in centres
    ]
    return list(dict.fromkeys(places))


def learn_slide(slide: Slide, tissue: Tissue, settings: PathologySettings) -> SlideFacts:
    """Thresholds and stains of a slide, from samples all over its tissue.

    Raises
    ------
    ImageReadError
        There is no tissue, or nothing to tell apart in it.
    """
    samples = [slide.read(*place, settings.mpp) for place in sample_places(slide, tissue, settings)]
    calibration = calibrate([density(sample) for sample in samples], settings.nuclei)
    return SlideFacts(slide.working(settings.mpp), calibration, _stains(samples, settings))


def _stains(samples: Sequence[Pixels], settings: PathologySettings) -> Stains:
    if settings.stains == "fixed":
        return RUIFROK
    pixels = np.concatenate([sample.reshape(-1, 3)[::7] for sample in samples])[None]
    return estimate_macenko(pixels) if settings.stains == "macenko" else estimate_vahadane(pixels)


@dataclass(frozen=True, eq=False)
class Segmented:
    """Pixels and nuclei of a tile with its halo, from (`top`, `left`) on: labels 1 ... n, the class and the probability of each."""

    rgb: Pixels
    labels: NDArray[np.int32]
    classes: list[str]
    probability: NDArray[np.float64]
    top: int
    left: int


def segment_tile(slide: Slide, tile: Tile, facts: SlideFacts, settings: PathologySettings) -> Segmented:
    """The nuclei of a tile and its halo, by the segmenter of the settings; the classical one knows no class and no probability."""
    if settings.segmenter == "hovernet":
        assert settings.hovernet is not None
        network = load_hovernet(settings.hovernet)
        rgb, top, left = read_with_halo(slide, tile, settings.mpp, network.reach)
        return Segmented(rgb, *instances(network.predict(rgb, top, left), settings.hovernet), top, left)
    around = halo(facts.calibration, settings.nuclei, mpp=facts.mpp)
    rgb, top, left = read_with_halo(slide, tile, settings.mpp, around)
    labels = segment_nuclei(density(rgb), facts.calibration, settings.nuclei, mpp=facts.mpp)
    count = int(labels.max(initial=0))
    return Segmented(rgb, labels, [UNCLASSIFIED] * count, np.full(count, np.nan), top, left)


def nuclei_of_tile(
    slide: Slide,
    tissue: Tissue,
    tile: Tile,
    facts: SlideFacts,
    settings: PathologySettings,
    outlines: list[Outline] | None = None,
) -> pd.DataFrame:
    """The nuclei whose centroid lies in the tile, on tissue (and in an outline, where there are any).

    Returns
    -------
    DataFrame
        `x_um, y_um` (from the slide's upper left corner), `x_px, y_px` (level 0), `class`, `probability`, the 28 features.
        `attrs["blurred"]` is the number of nuclei left out because they are blurred (mean absolute Laplacian of the brightness inside
        below `tissue.least_focus`).
    """
    table = nuclei_table(segment_tile(slide, tile, facts, settings), facts, slide.mpp)
    j, i = table["y_um"] / facts.mpp - 0.5, table["x_um"] / facts.mpp - 0.5
    keep = (j >= tile.top - 0.5) & (j < tile.top + tile.rows - 0.5)
    keep &= (i >= tile.left - 0.5) & (i < tile.left + tile.columns - 0.5)
    table = table[keep & (table["solidity"] >= _LEAST_SOLIDITY)]
    keep = pd.Series(at_tissue(tissue, table[["x_um", "y_um"]].to_numpy(float)), index=table.index)
    if outlines is not None:
        keep &= inside(outlines, table[["x_px", "y_px"]].to_numpy(float))
    table = table[keep]
    sharp = table.pop("focus") >= settings.tissue.least_focus
    found = table[sharp].reset_index(drop=True)
    found.attrs["blurred"] = int((~sharp).sum())
    return found


def nuclei_table(found: Segmented, facts: SlideFacts, native: float) -> pd.DataFrame:
    """Places, classes and features of all labels of a picture, and their sharpness (`focus`)."""
    labels, count = found.labels, int(found.labels.max(initial=0))
    j, i = np.nonzero(labels)
    names = labels[j, i]
    pixels = np.bincount(names, minlength=count + 1)[1:]
    # integer sums: a centroid is the same number in every tile
    y = (np.bincount(names, (j + found.top).astype(float), count + 1)[1:] / pixels + 0.5) * facts.mpp
    x = (np.bincount(names, (i + found.left).astype(float), count + 1)[1:] / pixels + 0.5) * facts.mpp
    features = features_of_labels(labels, found.rgb, facts.mpp, stains=facts.stains)
    place: dict[str, object] = {
        "x_um": x,
        "y_um": y,
        "x_px": x / native,
        "y_px": y / native,
        "class": np.array(found.classes, dtype=object),
        "probability": found.probability,
    }
    place["focus"] = focus(found.rgb, labels)
    return pd.concat([pd.DataFrame(place), pd.DataFrame(features, columns=list(NUCLEAR_FEATURES))], axis=1)
