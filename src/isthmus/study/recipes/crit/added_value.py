"""What blocks of features add to the clinical model: paired differences on the same unseen patients, corrected for their number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.groups import adjust_p
from isthmus.study.recipes.crit.published import BASELINE

__all__ = ["added_value"]

_DIFFERENCES = {
    "bootstrap of the AUC difference": "AUC difference, bootstrap",
    "corrected resampled t": "AUC difference, corrected resampled t",
    "DeLong": "AUC difference, DeLong",
    "DeLong on probabilities averaged over repeats": "AUC difference, DeLong",
}


def added_value(comparisons: pd.DataFrame, *, against: str = BASELINE) -> pd.DataFrame:
    """Each other model against one, of the comparisons the run made anyway.

    Parameters
    ----------
    comparisons : DataFrame
        comparisons.csv; p-values there are adjusted over all pairs of models, here over the pairs with `against` alone.
    against : str

    Returns
    -------
    DataFrame
        model, split, test, difference (model minus `against`), lower, upper, statistic, df, p, p_holm (over the models, of one split and
        test). Of the likelihood-ratio test the difference is none: does the model's logit add to that of `against`?
    """
    rows: list[dict[str, Any]] = []
    for row in comparisons.to_dict("records"):
        pair = (row["model_a"], row["model_b"])
        if against not in pair or pair[0] == pair[1]:
            continue
        first = pair[1] == against  # the other model is A
        test = str(row["test"])
        if test == ("added value of A over B" if first else "added value of B over A"):
            name = "likelihood ratio"
        elif test in _DIFFERENCES or test.startswith("net benefit at"):
            name = _DIFFERENCES.get(test, test)
        else:
            continue
        sign = 1.0 if first else -1.0
        limits = sorted((sign * row["lower"], sign * row["upper"])) if np.isfinite(row["lower"]) else (np.nan, np.nan)
        difference = np.nan if name == "likelihood ratio" else sign * row["difference"]
        rows.append(
            {
                "model": pair[0] if first else pair[1], "split": row["split"], "test": name, "difference": difference,
                "lower": limits[0], "upper": limits[1], "statistic": row["statistic"], "df": row["df"], "p": row["p"],
            }
        )  # fmt: skip
    columns = ["model", "split", "test", "difference", "lower", "upper", "statistic", "df", "p", "p_holm"]
    table = pd.DataFrame(rows, columns=columns).astype({"p_holm": "float64"})
    for _, index in table.groupby(["split", "test"]).groups.items():
        table.loc[index, "p_holm"] = adjust_p(table.loc[index, "p"].to_numpy(dtype=np.float64), "holm")
    return table
