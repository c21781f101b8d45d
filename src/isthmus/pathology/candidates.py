"""Regions that may be nuclei and what speaks for each: evidence, and the score made of it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["EVIDENCE", "score", "scorer"]

EVIDENCE = (
    "size",  # logarithm of the radius of a disc of equal area over the slide's typical half-width
    "circularity",  # 4 pi area / perimeter^2
    "fullness",  # area over that of the ellipse of equal second moments
    "ellipse",  # intersection over union with that ellipse, scaled to equal area
    "axes",  # minor axis over major axis
    "holes",  # share of the area that was filled
    "contrast",  # density inside less that of the ring of two pixels outside, over the slide's contrast
    "contrast_to_mean",
    "contrast_to_deviation",
    "weakest_side",  # the least contrast of twelve sectors of the ring, over the slide's contrast
    "weak_side",  # their lower quarter
    "weakest_side_to_contrast",
    "weak_side_to_contrast",
    "edge",  # mean gradient along the border, over the slide's contrast
    "weak_edge",  # its lower quarter
    "weak_edge_to_edge",
    "border_density",  # mean of the relative density along the border
    "ring_density",  # and in the ring
)
"""What is known of a candidate, in the order of the core's columns. No entry has a unit: neither pixel size nor stain strength counts."""


@cache
def scorer() -> dict[str, Any]:
    """The shipped score: `intercept`, and for each entry of `EVIDENCE` its `knots` and the `values` there."""
    import json

    loaded: dict[str, Any] = json.loads((files("isthmus.pathology") / "nucleus_score.json").read_text(encoding="utf-8"))
    return loaded


def score(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected intersection over union of every candidate with the nucleus it shows: a sum of one broken line an entry of evidence.

    Parameters
    ----------
    evidence : float64 array, shape (candidates, entries of EVIDENCE)
    """
    model = scorer()
    total = np.full(len(evidence), float(model["intercept"]))
    for column, name in enumerate(EVIDENCE):
        line = model["lines"][name]
        total += np.interp(evidence[:, column], line["knots"], line["values"])
    return total
