"""Biology of synthetic patients: nuclei, proteins and stains, some of which follow a planted image phenotype.

What follows it is known by name (`PLANTED`), so a whole chain can be judged: with `strength` the planted columns must be found, without
it the share of discoveries must be nominal. Beside the phenotype every column has its own noise, and groups of proteins share causes that
have nothing to do with it, so tests are correlated as real ones are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from isthmus.stats.seeds import child_seed

__all__ = ["PLANTED", "STAIN_LEVELS", "SyntheticBiology", "draw_biology"]

PLANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"nuclei": ("area_cv", "texture_entropy_sd"), "proteins": ("SUCLG1", "DLAT"), "stains": ("SUCLG1", "DLAT")}
)
"""Of each table the columns that follow the phenotype: heterogeneity of nuclei rises with it, the proteins and their stains fall."""

STAIN_LEVELS = ("Negative", "Weak Positive", "Moderate Positive", "Strong Positive")

_NUCLEI = (
    "area_cv",
    "texture_entropy_sd",
    "area_mean",
    "eccentricity_mean",
    "circularity_mean",
    "density",
    "od_mean",
    "neighbours_mean",
)
_MARKERS = ("SUCLG1", "DLAT", "IDH3B", "ACSF2", "SUCLG2", "ACO2", "CYCS", "VDAC2")
_CAUSES = 6


@dataclass(frozen=True, eq=False)
class SyntheticBiology:
    """Tables by patient: features of nuclei, log2 protein abundances, stains as words."""

    nuclei: pd.DataFrame
    proteins: pd.DataFrame
    stains: pd.DataFrame

    def write(self, folder: str | Path) -> dict[str, Path]:
        """`nuclei.csv`, `proteins.csv`, `stains.csv`, one row a patient; the paths by name."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {}
        for name in PLANTED:
            paths[name] = folder / f"{name}.csv"
            getattr(self, name).to_csv(paths[name], lineterminator="\n")
        return paths


def draw_biology(
    phenotype: pd.Series[float], *, strength: float = 1.0, proteins: int = 60, seed: int = 1
) -> SyntheticBiology:
    """Biology of patients whose phenotype (mean 0, variance 1) is known.

    Parameters
    ----------
    phenotype : Series
        By patient.
    strength : float
        How far the planted columns follow it, in standard deviations of their noise; 0: not at all.
    proteins : int
        Eight or more: the markers' and unnamed ones.
    seed : int
    """
    if proteins < len(_MARKERS):
        raise ValueError(f"proteins = {proteins}: expected {len(_MARKERS)} or more")
    index = pd.Index(phenotype.index.astype("str"), name="patient")
    z, n = phenotype.to_numpy(dtype=np.float64), len(phenotype)
    rng = np.random.default_rng(child_seed(seed, "biology"))
    nuclei = pd.DataFrame(rng.normal(size=(n, len(_NUCLEI))), index=index, columns=list(_NUCLEI))
    for name in PLANTED["nuclei"]:
        nuclei[name] += strength * z
    names = [*_MARKERS, *(f"PROT{i:03d}" for i in range(proteins - len(_MARKERS)))]
    common = rng.normal(size=(n, _CAUSES)) @ (
        rng.normal(size=(_CAUSES, proteins)) * (rng.random((_CAUSES, proteins)) < 0.3)
    )
    noise = 0.6 * common + rng.normal(size=(n, proteins))
    planted = np.isin(names, PLANTED["proteins"])
    scores = noise / noise.std(axis=0) - strength * np.outer(z, planted)
    level = rng.normal(20, 2, proteins)
    stained = scores[:, : len(_MARKERS)] + 0.5 * rng.normal(size=(n, len(_MARKERS)))
    grades = np.digitize(stained, [-1.0, 0.0, 1.0])
    return SyntheticBiology(
        nuclei.round(6),
        pd.DataFrame((level + 0.5 * scores).round(6), index=index, columns=names),
        pd.DataFrame(np.array(STAIN_LEVELS)[grades], index=index, columns=list(_MARKERS)),
    )
