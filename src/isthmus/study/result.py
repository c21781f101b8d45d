"""What was done: the tables of a run folder, as the report and the user read them.

A `Result` is read from `RUN/` alone, never from the images, so a figure can be restyled a year later without the scans.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from isthmus.errors import TableError
from isthmus.validate.compare import COLUMNS as COMPARISONS

__all__ = ["Result"]

Read = TypeVar("Read")

_TEXT = {
    "row": "str",
    "patient": "str",
    "model": "str",
    "split": "str",
    "centre": "str",
    "feature": "str",
    "block": "str",
}

_COLUMNS = {
    "comparisons.csv": tuple(COMPARISONS),
    "metrics.csv": ("model", "split", "metric", "estimate", "lower", "upper", "method"),
    "selected.csv": ("model", "feature", "frequency", "coefficient", "importance"),
    "tables/thresholds.csv": ("model", "repeat", "fold"),
}
"""Columns that a folder written by an earlier version may lack; what is not there is missing."""


@dataclass(frozen=True, eq=False)
class Result:
    """The stored result of a run.

    Parameters
    ----------
    folder : Path
        `RUN/`.
    plan : dict
        `plan.lock.toml`: the plan with every default resolved.
    provenance : dict
        Versions, seeds, hashes of inputs, machine, start and end.
    cases : DataFrame
        row, patient, centre, split (train | internal | external), status (included | excluded), step, reason, outcome.
    predictions : DataFrame
        patient, model, split (train | cv | internal | external), repeat, fold, outcome, probability.
    thresholds : DataFrame
        model, repeat, fold, threshold: fixed on training predictions; the final model's row has no repeat and fold.
    metrics : DataFrame
        model, split, metric, estimate, lower, upper, method.
    comparisons : DataFrame
        model_a, model_b, split, test, statistic, p.
    selected : DataFrame
        model, feature, frequency, coefficient, importance (of the final model; one of the two is missing).
    blocks : dict
        Block name -> facts of its columns (`features/<block>.columns.csv`).
    tables : dict
        Name -> every other table of `RUN/tables/*.csv` (`table1`, `null_study`, `logistic_<model>`, `join`, ...).
    acquisition : DataFrame
        What scanners say, per case and image.
    quality : DataFrame
        row, patient, block, check, value, unit, limit, passed; empty where no image was judged.
    """

    folder: Path
    plan: dict[str, Any]
    provenance: dict[str, Any]
    cases: pd.DataFrame
    predictions: pd.DataFrame
    thresholds: pd.DataFrame
    metrics: pd.DataFrame
    comparisons: pd.DataFrame
    selected: pd.DataFrame
    blocks: dict[str, pd.DataFrame]
    tables: dict[str, pd.DataFrame]
    acquisition: pd.DataFrame
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read a finished run."""
        folder = Path(folder)
        if not folder.is_dir():
            raise TableError(
                f"{folder}: no such folder. Give the folder of a finished run (isthmus run PLAN --out RUN)"
            )
        for name in ("plan.lock.toml", "provenance.json", "cases.csv", "predictions.csv", "metrics.csv"):
            if not (folder / name).is_file():
                raise TableError(
                    f"{folder}: no {name}, so this is not the folder of a finished run. "
                    "Finish it first: isthmus run PLAN --out RUN --resume"
                )

        def read(name: str) -> pd.DataFrame:
            path = folder / name
            table = _whole(path, _read_table) if path.is_file() else pd.DataFrame()
            absent = [column for column in _COLUMNS.get(name, ()) if column not in table.columns]
            return table.assign(**dict.fromkeys(absent, float("nan"))) if absent else table

        return cls(
            folder=folder,
            plan=_whole(folder / "plan.lock.toml", lambda path: tomllib.loads(path.read_text(encoding="utf-8"))),
            provenance=_whole(folder / "provenance.json", lambda path: json.loads(path.read_text(encoding="utf-8"))),
            cases=read("cases.csv"),
            predictions=read("predictions.csv"),
            thresholds=read("tables/thresholds.csv"),
            metrics=read("metrics.csv"),
            comparisons=read("comparisons.csv"),
            selected=read("selected.csv"),
            blocks={
                path.name.removesuffix(".columns.csv"): _whole(path, _read_facts)
                for path in sorted((folder / "features").glob("*.columns.csv"))
            },
            tables={path.stem: read(f"tables/{path.name}") for path in sorted((folder / "tables").glob("*.csv"))},
            acquisition=read("acquisition.csv"),
            quality=read("quality.csv"),
        )

    @cached_property
    def _values(self) -> dict[str, pd.DataFrame]:
        return {}

    def values(self, block: str) -> pd.DataFrame:
        """The values of a block, one row a case: `patient`, and the columns of `blocks[block]`.

        Read from `features/<block>.parquet` when first asked for; empty where the run does not hold it.
        """
        if block not in self._values:
            path = self.folder / "features" / f"{block}.parquet"
            table = _whole(path, pd.read_parquet) if path.is_file() else pd.DataFrame()
            self._values[block] = table.astype({"patient": "str"}) if "patient" in table.columns else pd.DataFrame()
        return self._values[block]

    def models(self) -> list[str]:
        """The models, in the order of the plan."""
        return list(dict.fromkeys(self.metrics["model"])) if len(self.metrics) else []


def _whole(path: Path, read: Callable[[Path], Read]) -> Read:
    """A file of the run as `read` reads it; damage is said in one line."""
    try:
        return read(path)
    except Exception as error:  # pandas, tomllib and json raise ValueErrors, pyarrow some of its own
        raise TableError(
            f"{path}: damaged, or edited since the run ({error}). Copy the run again, or repeat it: isthmus run PLAN --out ANOTHER"
        ) from error


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=_TEXT, keep_default_na=True)


def _read_facts(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False)
