"""The null study: the same plan on permuted outcomes. An honest pipeline then shows an AUC of 0.5; a leak shows
more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.stats.seeds import child_seed
from isthmus.table.outcome import Outcome

__all__ = ["null_outcome", "summarise_null"]

_ENOUGH = 10  # with fewer, 3 standard errors of so small a sample are crossed by chance too often (t with 9 df: 0.7 %)
_TOO_FEW = f"not judged: fewer than {_ENOUGH} permutations"
_COLUMNS = ["model", "auc", "null_mean", "null_lower", "null_upper", "p", "mcse", "permutations", "verdict"]


def null_outcome(outcome: Outcome, centres: pd.Series[Any] | None, permutation: int, seed: int) -> Outcome:
    """The outcome with its values (of a time to event: event and time together) dealt anew among the patients of each
    centre.

    Parameters
    ----------
    outcome : Outcome
    centres : Series (index = patient) or None
        Centre of each patient; prevalence per centre stays as it is, so a centre effect alone does not look like
        signal.
    permutation : int
        Which permutation; the same number gives the same outcome.
    seed : int
        The study's seed.
    """
    values = outcome.values
    strata = pd.Series("", index=values.index) if centres is None else centres.reindex(values.index)
    if strata.isna().any():
        raise TableError(f"null study: {int(strata.isna().sum())} patient(s) have no centre")
    text = strata.astype(str).to_numpy()
    names = values.index.astype(str).to_numpy()
    dealt = np.arange(len(values))
    for centre in np.unique(text):
        # by name, not by row: the order of the table must not change the permutation
        members = np.flatnonzero(text == centre)
        members = members[np.argsort(names[members], kind="stable")]
        rng = np.random.default_rng(child_seed(seed, "null", permutation, centre))
        dealt[members] = rng.permutation(members)
    # the outcome of a patient as a whole: event and time go together
    time = None if outcome.time is None else outcome.time.iloc[dealt].set_axis(values.index)
    return replace(outcome, values=values.iloc[dealt].set_axis(values.index), time=time)


def summarise_null(observed: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """What each model reached, beside what it reaches where there is nothing to find.

    Parameters
    ----------
    observed : DataFrame
        `model`, `auc` (mean of the fold AUCs).
    null : DataFrame
        `model`, `permutation`, `auc`, the same statistic on permuted outcomes.

    Returns
    -------
    DataFrame
        `model, auc, null_mean, null_lower, null_upper` (95 % range of the permutations), `p` = (1 + #{null >=
        observed}) / (1 + B), `mcse` (Monte-Carlo standard error of the null mean), `permutations` and `verdict`.

    References
    ----------
    Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39; Ojala and Garriga, J Mach Learn Res 2010;11:1833.
    """
    rows = []
    for model, reached in zip(observed["model"], observed["auc"], strict=True):
        values = null.loc[null["model"] == model, "auc"].to_numpy(dtype=np.float64)
        rows.append(_row(str(model), float(reached), values[np.isfinite(values)]))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _row(model: str, reached: float, values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    count = len(values)
    row: dict[str, Any] = {"model": model, "auc": reached, "permutations": count}
    if np.isnan(reached):
        return {**row, "verdict": "not judged: the model has no AUC"}
    if count < 2:
        return {**row, "verdict": _TOO_FEW}
    mean = float(values.mean())
    mcse = float(values.std(ddof=1) / np.sqrt(count))
    lower, upper = np.quantile(values, [0.025, 0.975])
    p = (1 + int(np.sum(values >= reached))) / (1 + count)
    if count < _ENOUGH:
        verdict = _TOO_FEW
    elif mean > 0.5 + 3 * mcse:
        verdict = (
            f"leak suspected: null mean {mean:.3f} is more than 3 Monte-Carlo standard errors ({mcse:.3f}) above 0.5"
        )
    elif p <= 0.05:
        verdict = "no leak seen; above what permuted outcomes give"
    else:
        verdict = "no leak seen; no evidence of signal"
    return {
        **row,
        "null_mean": mean,
        "null_lower": float(lower),
        "null_upper": float(upper),
        "p": p,
        "mcse": mcse,
        "verdict": verdict,
    }
