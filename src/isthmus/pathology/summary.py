"""From the nuclei of a slide or a patient to one row: what they are like, how they differ, how they lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.pathology.nuclei import UNCLASSIFIED
from isthmus.pathology.nucleus import NUCLEAR_FEATURES
from isthmus.pathology.spatial import delaunay_edges, moran, neighbour_distances, ripley_l
from isthmus.pathology.tissue import Tissue

__all__ = ["summarise", "summarise_patient"]

Array = NDArray[np.float64]

_GRID_UM = 250.0
_RADII_UM = (20.0, 50.0, 100.0)
_LONGEST_UM = 100.0
_MAD = 1.4826
_MOST_MIXED = 5000  # nuclei that a mixture is fitted to, at even steps of the sorted values
_LEAST_MIXED = 30


def summarise(nuclei: pd.DataFrame, tissue: Tissue) -> dict[str, float]:
    """One row of a slide: `<class>_<what>`, with the class `all` for every nucleus, and for each class the segmenter told apart.

    * `<class>_<feature>_mean, _sd, _cv, _iqr, _skewness`, and `_components, _component_distance`: of the Gaussian mixture (one to three
      components, by BIC) and the spread of their means in standard deviations.
    * `<class>_<feature>_ith_mad` (robust spread), `_ith_icc` (share of the variance between fields of 250 um), `_moran`.
    * `ith_<feature>`: mean over the classes of the spread within each.
    * `<class>_ith_rao`: Rao's quadratic entropy with equal weights, half the mean squared distance of two nuclei, per feature, in units of
      the feature's robust spread; `<class>_ith_dimensions`: effective number of dimensions of their correlation.
    * `tissue_mm2`, its `pieces`, `pen_share` (of the slide), `artefact_share` (of the tissue, left out as folds, bubbles and ink).
    * `<class>_count, _share, _per_mm2, _nearest_um, _nearest_cv, _fifth_um`, Ripley's
      `_ripley_l_<radius>` (L - r, um), Delaunay's `_edge_um, _edge_cv`.
    """
    found: dict[str, float] = {
        "tissue_mm2": float(tissue.mask.sum()) * tissue.mpp**2 / 1e6,
        "pieces": float(tissue.pieces),
        "pen_share": tissue.pen_share,
        "artefact_share": tissue.artefact_share,
    }
    classes = sorted(set(nuclei["class"]) - {UNCLASSIFIED})
    for name in ["all", *classes]:
        part = nuclei if name == "all" else nuclei[nuclei["class"] == name]
        found |= {f"{name}_{key}": value for key, value in _of_features(part).items()}
        found |= {f"{name}_{key}": value for key, value in _of_places(part, tissue).items()}
        found[f"{name}_share"] = len(part) / len(nuclei) if len(nuclei) else float("nan")
    for feature in NUCLEAR_FEATURES:
        each = [found[f"{name}_{feature}_ith_mad"] for name in (classes or ["all"])]
        each = [value for value in each if np.isfinite(value)]
        found[f"ith_{feature}"] = float(np.mean(each)) if each else float("nan")
    return found


def summarise_patient(slides: pd.DataFrame) -> dict[str, float]:
    """One row of a patient from the rows of the slides: counts and areas are summed, the rest is the mean weighted by the nuclei; the share
    of artefacts is that of all the tissue together."""
    summed = [name for name in slides.columns if name.endswith("_count") or name in ("tissue_mm2", "pieces")]
    nuclei = slides["all_count"].to_numpy(float)
    found = {}
    for name in slides.columns:
        values = slides[name].to_numpy(float)
        weight = slides["tissue_mm2"].to_numpy(float) / (1 - values) if name == "artefact_share" else nuclei
        known = np.isfinite(values) & (weight > 0)
        if name in summed:
            found[name] = float(np.nansum(values))
        else:
            found[name] = float(np.average(values[known], weights=weight[known])) if known.any() else float("nan")
    return found


def _of_features(nuclei: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    table = nuclei[list(NUCLEAR_FEATURES)].to_numpy(float)
    points = nuclei[["x_um", "y_um"]].to_numpy(float)
    field = np.unique((points // _GRID_UM).astype(int), axis=0, return_inverse=True)[1].ravel()
    for column, feature in enumerate(NUCLEAR_FEATURES):
        values = table[:, column]
        known = np.isfinite(values)
        found |= {f"{feature}_{key}": value for key, value in _distribution(values[known]).items()}
        found[f"{feature}_ith_icc"] = _between_fields(values[known], field[known])
        found[f"{feature}_moran"] = moran(points, values)
    return found | _multivariate(table)


def _distribution(values: Array) -> dict[str, float]:
    names = ("mean", "sd", "cv", "iqr", "skewness", "ith_mad", "components", "component_distance")
    if len(values) < 2:
        return dict.fromkeys(names, float("nan")) | ({"mean": float(values[0])} if len(values) else {})
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    low, middle, high = np.percentile(values, [25, 50, 75])
    away = values - mean
    flat = sd <= 1e-12 * max(1.0, abs(mean))
    components, distance = _mixture(values) if not flat else (1.0, 0.0)
    return {
        "mean": mean,
        "sd": sd,
        "cv": sd / abs(mean) if mean != 0 else float("nan"),
        "iqr": float(high - low),
        "skewness": float("nan") if flat else float((away**3).mean() / (away**2).mean() ** 1.5),
        "ith_mad": float(_MAD * np.median(np.abs(values - middle))),
        "components": components,
        "component_distance": distance,
    }


def _mixture(values: Array) -> tuple[float, float]:
    """Components of the best mixture by BIC, and the weighted SD of their means in SDs of the values."""
    from isthmus import _core

    if len(values) < _LEAST_MIXED:
        return float("nan"), float("nan")
    part = np.sort(values)[np.linspace(0, len(values) - 1, min(len(values), _MOST_MIXED)).astype(int)]
    scaled = (part - part.mean()) / part.std()
    settings = _core.MixtureSettings()
    settings.most, settings.resamples = 3, 0
    row = np.asarray(
        _core.dispersions(
            scaled[None].copy(), np.ones((1, len(scaled))), np.array([float(len(scaled))]), np.array([1e-3]),
            np.array([1], dtype=np.uint64), settings, 1,
        )
    )[0]  # fmt: skip
    count = int(row[1])
    weight, mean = row[5 : 5 + count], row[9 : 9 + count]
    centre = float(weight @ mean)
    return float(count), float(np.sqrt(max(float(weight @ (mean - centre) ** 2), 0.0)))


def _between_fields(values: Array, field: NDArray[np.intp]) -> float:
    """Share of the variance that lies between fields: the one-way intraclass correlation, at least 0; NaN with fewer than two fields."""
    names, place = np.unique(field, return_inverse=True)
    n, k = len(values), len(names)
    if k < 2 or n <= k or float(values.std()) == 0:
        return float("nan")
    count = np.bincount(place)
    mean = np.bincount(place, values) / count
    between = float((count * (mean - values.mean()) ** 2).sum()) / (k - 1)
    within = float(((values - mean[place]) ** 2).sum()) / (n - k)
    size = (n - float((count**2).sum()) / n) / (k - 1)
    total = between + (size - 1) * within
    return max(0.0, (between - within) / total) if total > 0 else float("nan")


def _multivariate(table: Array) -> dict[str, float]:
    known = table[np.isfinite(table).all(axis=1)]
    if len(known) < len(NUCLEAR_FEATURES) + 2:
        return {"ith_rao": float("nan"), "ith_dimensions": float("nan")}
    middle = np.median(known, axis=0)
    spread = _MAD * np.median(np.abs(known - middle), axis=0)
    use = spread > 0
    scaled = (known[:, use] - middle[use]) / spread[use]
    variance = scaled.var(axis=0)
    root = np.clip(np.linalg.eigvalsh(np.corrcoef(scaled.T)), 0, None)
    share = root / root.sum()
    share = share[share > 0]
    return {
        "ith_rao": float(variance.mean()),
        "ith_dimensions": float(np.exp(-(share * np.log(share)).sum())),
    }


def _of_places(nuclei: pd.DataFrame, tissue: Tissue) -> dict[str, float]:
    points = nuclei[["x_um", "y_um"]].to_numpy(float)
    distance = neighbour_distances(points, 5)
    area = float(tissue.mask.sum()) * tissue.mpp**2 / 1e6
    nearest, fifth = distance[:, 0][np.isfinite(distance[:, 0])], distance[:, 4][np.isfinite(distance[:, 4])]
    edges = delaunay_edges(points, _LONGEST_UM)
    ripley = ripley_l(points, tissue, _RADII_UM)
    return {
        "count": float(len(points)),
        "per_mm2": len(points) / area if area else float("nan"),
        "nearest_um": _mean(nearest),
        "nearest_cv": _cv(nearest),
        "fifth_um": _mean(fifth),
        "edge_um": _mean(edges),
        "edge_cv": _cv(edges),
    } | {f"ripley_l_{radius:g}": float(value) for radius, value in zip(_RADII_UM, ripley, strict=True)}


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _cv(values: Array) -> float:
    return float(values.std(ddof=1) / values.mean()) if len(values) > 1 and values.mean() > 0 else float("nan")
