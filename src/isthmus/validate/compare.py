"""Is one model better than another? Pairwise tests on the same patients, corrected for their number.

DeLong's test is not valid for nested regression models judged on the rows they were fitted on (Demler et al., Stat Med
2012;31:2577), so the train split is never compared; every comparison here is on patients the models did not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats import corrected, roc
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import adjust_p
from isthmus.validate.sample import prepare
from isthmus.validate.settings import ValidateSettings

__all__ = ["compare"]

_COLUMNS = ["model_a", "model_b", "split", "test", "statistic", "p", "df", "difference", "method"]
_NAN = float("nan")


def compare(predictions: pd.DataFrame, *, settings: ValidateSettings) -> pd.DataFrame:
    """Test every pair of models on every split they did not train on.

    Parameters
    ----------
    predictions : DataFrame
        As for `performance`; patients without a probability of both models take no part, and `method` counts them.
    settings : ValidateSettings

    Returns
    -------
    DataFrame
        model_a, model_b, split, test, statistic, p, p_holm (Holm over the pairs of one split and test), df, difference
        (AUC of A minus that of B), method. On `cv` the corrected resampled t-test of the fold AUCs comes first, then
        DeLong's test of each patient's mean probability over the repeats; elsewhere DeLong's paired test.

    Raises
    ------
    TableError
        The predictions are malformed, or a patient lies in different folds of two models.
    """
    frame = prepare(predictions)
    rows = []
    for split in ("cv", "internal", "external"):
        part = frame[frame["split"] == split]
        models = [m for m in dict.fromkeys(predictions["model"]) if (part["model"] == m).any()]
        for a, b in combinations(models, 2):
            pair, note = _paired(part, a, b, split)
            for test, difference, result in _tests(pair, split):
                found = (result.statistic, result.p, result.df if result.df is not None else _NAN)
                rows.append((a, b, split, test, *found, difference, result.method + note))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    holm = table["p"].astype(np.float64).copy()
    for _, index in table.groupby(["split", "test"]).groups.items():
        holm.loc[index] = adjust_p(table.loc[index, "p"].to_numpy(dtype=np.float64), "holm")
    table.insert(_COLUMNS.index("p") + 1, "p_holm", holm)
    return table


def _paired(part: pd.DataFrame, a: str, b: str, split: str) -> tuple[pd.DataFrame, str]:
    """Both models' probabilities side by side, one row per patient (and repeat), and a note on who was left out."""
    keys = ["repeat", "patient"]
    first, second = (part[part["model"] == m].set_index(keys)[["fold", "outcome", "probability"]] for m in (a, b))
    pair = first.join(second[["fold", "probability"]].rename(columns={"fold": "other_fold", "probability": "other"}))
    moved = pair[pair["other_fold"].notna() & (pair["fold"] != pair["other_fold"])]
    if len(moved):
        raise TableError(
            f"{split}: patient {moved.index[0][1]} lies in fold {moved['fold'].iloc[0]:g} of model {a} and in fold "
            f"{moved['other_fold'].iloc[0]:g} of model {b}. A paired test needs the same folds for all models"
        )
    both = pair.dropna(subset=["probability", "other"])
    kept = both.index.get_level_values("patient").nunique()
    everybody = part.loc[part["model"].isin([a, b]), "patient"].nunique()
    note = f"; on the {kept} of {everybody} patients predicted by both models" if kept < everybody else ""
    return both.reset_index(), note


def _tests(pair: pd.DataFrame, split: str) -> Iterator[tuple[str, float, Comparison]]:
    """The tests of one pair on one split: name, difference in AUC, result."""
    if split == "cv":
        differences = _fold_differences(pair)
        defined = np.isfinite(differences)
        mean = float(differences[defined].mean()) if defined.any() else _NAN
        yield "corrected resampled t", mean, _corrected_t(pair, differences)
        pair = pair.groupby("patient", sort=True)[["outcome", "probability", "other"]].mean().reset_index()
        name = "DeLong on probabilities averaged over repeats"
    else:
        name = "DeLong"
    y, a, b = (pair[c].to_numpy() for c in ("outcome", "probability", "other"))
    yield name, roc.auc(y, a) - roc.auc(y, b), roc.delong_test(y, a, b)


def _fold_differences(pair: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """AUC of A minus that of B in each outer fold; NaN where the fold holds one class."""
    return np.array(
        [
            roc.auc(fold["outcome"], fold["probability"]) - roc.auc(fold["outcome"], fold["other"])
            for _, fold in pair.groupby(["repeat", "fold"], sort=True, dropna=False)
        ]
    )


def _corrected_t(pair: pd.DataFrame, differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Comparison:
    """Nadeau-Bengio's test over the folds of all repeats."""
    n = pair["patient"].nunique()
    test = float(pair.groupby(["repeat", "fold"], dropna=False).size().mean())
    if test >= n:
        return Comparison(_NAN, _NAN, "corrected resampled t; not computed: one fold holds every patient")
    return corrected.corrected_resampled_t(differences, test_train_ratio=test / (n - test))
