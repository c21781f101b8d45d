"""How far deep features come out again from perturbed lesions: ICC and cosine of each feature, cosine of each lesion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.select.reliability import mean_cosine
from isthmus.select.repeats import arrange, read_repeats
from isthmus.stats.agreement import cosine_similarity, icc, icc_class
from isthmus.table import FeatureTable

__all__ = ["COSINE", "FEATURES", "lesion_cosine", "write_repeatability"]

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
    """`lesion_cosine` of a table of repeats whose rows are `NAME#0` (as drawn), `NAME#1` ..."""
    parts = table.rows.index.to_series().astype("str").str.rpartition("#")
    patients = table.rows["patient"].astype("str").to_numpy()
    return lesion_cosine(parts[0].to_numpy(), patients, (parts[2] == "0").to_numpy(), table.values.to_numpy(np.float64))


def lesion_cosine(
    lesions: NDArray[Any], patients: NDArray[Any], drawn: NDArray[np.bool_], values: NDArray[np.float64]
) -> pd.DataFrame:
    """A row a lesion: cosine similarity of its features as drawn with those of each repeat, mean and least; and of features less
    their mean over all lesions as drawn, where what every lesion shares no longer counts.

    Parameters
    ----------
    lesions, patients : array, shape (rows,)
    drawn : bool array, shape (rows,)
        Is the row the lesion as drawn?
    values : float array, shape (rows, features)
    """
    middle = values[drawn].mean(axis=0) if drawn.any() else np.zeros(values.shape[1])
    rows = []
    for name, at in pd.Series(lesions).groupby(lesions, sort=False).indices.items():
        first = [place for place in at if drawn[place]]
        others = [place for place in at if not drawn[place]]
        if not first or not others:
            continue
        one = np.repeat(values[first[:1]], len(others), axis=0)
        plain, centred = (cosine_similarity((one - less).T, (values[others] - less).T) for less in (0.0, middle))
        rows.append((name, patients[first[0]], len(others), plain.mean(), plain.min(), centred.mean(), centred.min()))
    return pd.DataFrame(rows, columns=COSINE)
