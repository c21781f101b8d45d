"""How far deep features come out again from perturbed lesions: ICC and cosine of each feature, cosine of each lesion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.select.reliability import mean_cosine
from isthmus.select.repeats import arrange, read_repeats
from isthmus.stats.agreement import cosine_similarity, icc, icc_class
from isthmus.table import FeatureTable

__all__ = ["COSINE", "FEATURES", "write_repeatability"]

FEATURES = ["feature", "icc", "lower", "upper", "class", "cosine", "cases"]
FORM = "2,1"
COSINE = ["row", "patient", "perturbations", "mean", "least", "centred_mean", "centred_least"]


def write_repeatability(out: Path, table: FeatureTable) -> list[Path]:
    """`<out>.reliability.csv` and `<out>.cosine.csv`; the files.

    Parameters
    ----------
    out : Path
        The table of repeats, written already.
    table : FeatureTable
        Its rows `NAME#0` (as drawn), `NAME#1` ...
    """
    stem = out.with_name(out.name.removesuffix(out.suffix))
    files = [stem.with_name(f"{stem.name}.reliability.csv"), stem.with_name(f"{stem.name}.cosine.csv")]
    of_features(out, table).to_csv(files[0], index=False, lineterminator="\n")
    of_lesions(table).to_csv(files[1], index=False, lineterminator="\n")
    return files


def of_features(out: Path, table: FeatureTable) -> pd.DataFrame:
    """A row a feature: ICC(2,1) over perturbations, its 95 % limits, what Koo and Li (J Chiropr Med 2016) call the lower one, cosine
    similarity of the centred repeats. NaN where a feature never varies."""
    columns = [str(name) for name in table.values.columns]
    found = dict.fromkeys(columns, (np.nan, np.nan, np.nan, "", np.nan, 0))
    for measured in arrange(read_repeats(out), columns):
        subjects, repeats, _ = measured.values.shape
        if subjects < 2 or repeats < 2:
            continue
        judged, cosine = icc(measured.values, FORM), mean_cosine(measured.values)
        for at, name in enumerate(measured.columns):
            limits = (float(judged.estimate[at]), float(judged.lower[at]), float(judged.upper[at]))
            found[name] = (*limits, icc_class(limits[1]), float(cosine[at]), subjects)
    return pd.DataFrame([(name, *row) for name, row in found.items()], columns=FEATURES)


def of_lesions(table: FeatureTable) -> pd.DataFrame:
    """A row a lesion: cosine similarity of its features as drawn with those of each perturbation, mean and least; and of features less
    their mean over all lesions as drawn, where what every lesion shares no longer counts."""
    parts = table.rows.index.to_series().astype("str").str.rpartition("#")
    values = table.values.to_numpy(dtype=np.float64)
    drawn = (parts[2] == "0").to_numpy()
    middle = values[drawn].mean(axis=0) if drawn.any() else np.zeros(values.shape[1])
    rows = []
    for name, at in parts.groupby(parts[0], sort=False).indices.items():
        first = [place for place in at if drawn[place]]
        others = [place for place in at if not drawn[place]]
        if not first or not others:
            continue
        one = np.repeat(values[first], len(others), axis=0)
        plain, centred = (cosine_similarity((one - less).T, (values[others] - less).T) for less in (0.0, middle))
        patient = table.rows["patient"].iloc[first[0]]
        rows.append((name, patient, len(others), plain.mean(), plain.min(), centred.mean(), centred.min()))
    return pd.DataFrame(rows, columns=COSINE)
