"""Whose risk is high, said by models that had not seen the patient.

A patient whose group comes from a model trained on him is placed by his outcome as much as by his image; biology would then be compared
between outcomes. So development patients are grouped by their out-of-fold risks, others by the final model, and apparent risks are
refused.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from isthmus.errors import LeakageError, TableError, did_you_mean, first_few

__all__ = ["UNSEEN", "risk_groups", "run_risk_groups"]

UNSEEN = ("cv", "internal", "external")
"""Splits of predictions.csv whose risks are of patients the model had not seen."""


def run_risk_groups(
    folder: str | Path, model: str | None = None, patients: Collection[str] | None = None
) -> pd.DataFrame:
    """Risk groups from the folder of a finished run; see `risk_groups`. The model is the first of the run by default."""
    folder = Path(folder)
    for name in ("predictions.csv", "tables/thresholds.csv"):
        if not (folder / name).is_file():
            raise TableError(f"{folder}: no {name}, so this is not the folder of a finished run")
    predictions = pd.read_csv(folder / "predictions.csv", dtype={"patient": "str", "model": "str", "split": "str"})
    thresholds = pd.read_csv(folder / "tables" / "thresholds.csv", dtype={"model": "str"})
    return risk_groups(predictions, thresholds, model, patients)


def risk_groups(
    predictions: pd.DataFrame,
    thresholds: pd.DataFrame,
    model: str | None = None,
    patients: Collection[str] | None = None,
) -> pd.DataFrame:
    """`risk` and `group` ("low", "high"), by patient.

    Parameters
    ----------
    predictions : DataFrame
        patient, model, split, repeat, fold, probability.
    thresholds : DataFrame
        model, repeat, fold, threshold; the final model's row has no repeat and fold.
    model : str, optional
        Default: the first.
    patients : collection of str, optional
        Who must have a group.

    Returns
    -------
    DataFrame
        The mean risk over repeats; high where the risk reaches the threshold of its own training rows in at least half of the repeats.

    Raises
    ------
    LeakageError
        A patient asked for has risks of models trained on him only.
    TableError
        No such model, no risk between 0 and 1, or a patient is not in the run.
    """
    names = list(dict.fromkeys(predictions["model"]))
    chosen = names[0] if model is None and names else model
    if chosen not in names:
        raise TableError(f"no model {chosen!r} in the predictions.{did_you_mean(str(chosen), names)}")
    mine = predictions[predictions["model"] == chosen]
    unseen = mine[mine["split"].isin(UNSEEN) & mine["probability"].notna()]
    wanted = set(map(str, patients)) if patients is not None else set(mine["patient"])
    seen = sorted((wanted & set(mine["patient"])) - set(unseen["patient"]))
    if seen:
        raise LeakageError(
            f"model {chosen!r} was trained on {first_few(seen)} and has no other risk of them: a patient's risk group must come from a "
            "model that had not seen the patient. Run the study with cross-validation, or leave these patients out"
        )
    absent = sorted(wanted - set(unseen["patient"]))
    if absent:
        raise TableError(f"no prediction of model {chosen!r} for {first_few(absent)}")
    cuts = thresholds[thresholds["model"] == chosen]
    final = cuts[cuts["fold"].isna()]
    if not len(final):
        raise TableError(f"no threshold of the final model {chosen!r}; risk groups need an outcome of two classes")
    of_fold = cuts[cuts["fold"].notna()].set_index(["repeat", "fold"])["threshold"].to_dict()
    at = [
        of_fold.get((row.repeat, row.fold), float(final["threshold"].iloc[0]))
        if row.split == "cv"
        else float(final["threshold"].iloc[0])
        for row in unseen[["split", "repeat", "fold"]].itertuples()
    ]
    judged = unseen.assign(high=unseen["probability"].to_numpy() >= at)
    found = judged.groupby("patient").agg(risk=("probability", "mean"), share=("high", "mean"))
    group = pd.Series("low", index=found.index).where(found["share"] < 0.5, "high")
    result = pd.DataFrame({"risk": found["risk"], "group": group})
    return result.loc[sorted(wanted)] if patients is not None else result
