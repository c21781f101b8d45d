r"""The features that matrices of grey level and size share (runs, zones, distances, dependences).

:math:`r_{ij}` elements of level :math:`i` and size :math:`j`, :math:`N_s` in all, shares :math:`p_{ij}`, marginals :math:`r_{i.}` and
:math:`r_{.j}`, means :math:`\mu_i` and :math:`\mu_j`; :math:`N_v` voxels.
"""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.features._spec import FeatureSpec

__all__ = ["size_features"]

_FORMULAS = (
    r"\frac1{N_s} \sum r_{.j} / j^2",
    r"\frac1{N_s} \sum j^2 r_{.j}",
    r"\frac1{N_s} \sum r_{i.} / i^2",
    r"\frac1{N_s} \sum i^2 r_{i.}",
    r"\frac1{N_s} \sum r_{ij} / (i^2 j^2)",
    r"\frac1{N_s} \sum i^2 r_{ij} / j^2",
    r"\frac1{N_s} \sum j^2 r_{ij} / i^2",
    r"\frac1{N_s} \sum i^2 j^2 r_{ij}",
    r"\frac1{N_s} \sum r_{i.}^2",
    r"\frac1{N_s^2} \sum r_{i.}^2",
    r"\frac1{N_s} \sum r_{.j}^2",
    r"\frac1{N_s^2} \sum r_{.j}^2",
    r"N_s / N_v",
    r"\sum (i - \mu_i)^2 p_{ij}",
    r"\sum (j - \mu_j)^2 p_{ij}",
    r"-\sum p_{ij} \log_2 p_{ij}",
    r"\sum p_{ij}^2",
)


def size_features(*features: tuple[str, str, str]) -> tuple[FeatureSpec, ...]:
    """The table of a family from (tag, IBSI code, name), in the order all these families have."""
    named: Iterable[tuple[tuple[str, str, str], str]] = zip(features, _FORMULAS, strict=False)
    return tuple(FeatureSpec(tag=tag, ibsi=code, name=name, formula=formula) for (tag, code, name), formula in named)
