"""The feature table: numbers with one row of facts per column.

The name of a column is derived from its facts by one function and never parsed back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from isthmus.errors import TableError
from isthmus.table.writing import write_bytes

__all__ = ["ColumnMeta", "FeatureTable", "columns_path"]


@dataclass(frozen=True, slots=True)
class ColumnMeta:
    """The facts of one column (the rows of `<table>.columns.csv`).

    `parameter` tells columns of one IBSI code apart (0.10 and 0.90 for the volume at an intensity fraction); `aggregation` is
    the IBSI code (BTW3, SUJT, JJUI, ZW7Z, ITBB, IAZD, 8QNN, 62GR, KOBO) or empty.
    """

    column: str
    image: str = ""
    roi: str = ""
    filter: str = ""
    family: str = ""
    feature: str = ""
    ibsi_code: str = ""
    parameter: str = ""
    aggregation: str = ""
    discretisation: str = ""
    unit: str = ""
    ibsi_compliant: str = ""


def columns_path(path: Path) -> Path:
    """Where the facts of a table's columns lie: `<path without its ending>.columns.csv`."""
    return path.with_name(path.name.removesuffix(path.suffix) + ".columns.csv")


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Feature values of many cases.

    Parameters
    ----------
    values : DataFrame, float64
        One row a case, one column a feature, in the order of `columns`; columns whose unit is "category" hold text.
    rows : DataFrame
        Facts of the rows on the same index: `patient`, and what else is known (`centre`, `lesion`, ...).
    columns : tuple of ColumnMeta
    """

    values: pd.DataFrame
    rows: pd.DataFrame
    columns: tuple[ColumnMeta, ...]

    def __post_init__(self) -> None:
        names = [meta.column for meta in self.columns]
        if list(self.values.columns) != names:
            raise TableError("feature table: the columns of the values and their facts differ")
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise TableError(f"feature table: column names occur twice: {', '.join(twice[:5])}")
        if not self.values.index.equals(self.rows.index):
            raise TableError("feature table: values and rows have different indices")

    def __repr__(self) -> str:
        return f"FeatureTable({len(self.rows)} rows x {len(self.columns)} features)"

    @property
    def facts(self) -> pd.DataFrame:
        """One row of facts per column."""
        return pd.DataFrame([asdict(meta) for meta in self.columns], columns=[f.name for f in fields(ColumnMeta)])

    def to_frame(self, names: str | None = None) -> pd.DataFrame:
        """Row facts and values side by side; `names="pyradiomics"` gives the field's usual names, "ibsi" IBSI's.

        Where columns of several images would share a name, the image's name stands in front.
        """
        values = self.values
        if names is not None:
            plain = [column_name(meta, names) for meta in self.columns]
            shared = {name for name, count in Counter(plain).items() if count > 1}
            full = [f"{m.image}_{n}" if n in shared else n for n, m in zip(plain, self.columns, strict=True)]
            values = values.set_axis(full, axis=1)
        return pd.concat([self.rows, values], axis=1)

    def write(self, path: Path) -> None:
        """Write the table (`.csv` or `.parquet`) and, beside it, the facts of its columns."""
        frame = self.to_frame()
        if path.suffix == ".parquet":
            write_bytes(path, frame.to_parquet(None, index=False))
        elif path.suffix == ".csv":
            write_bytes(path, frame.to_csv(index=False).encode())
        else:
            raise TableError(
                f"{path}: a feature table is written as .csv or .parquet, not {path.suffix or 'without ending'!r}"
            )
        write_bytes(columns_path(path), self.facts.to_csv(index=False).encode())

    @classmethod
    def read(cls, path: Path) -> FeatureTable:
        """Read a table that `write` made."""
        facts = pd.read_csv(columns_path(path), dtype="str", keep_default_na=False)
        columns = tuple(
            ColumnMeta(**{str(key): str(value) for key, value in row.items()}) for row in facts.to_dict("records")
        )
        names = [meta.column for meta in columns]
        numbers = [meta.column for meta in columns if meta.unit != "category"]
        # as text first: so every digit survives in every version of pandas
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype="str")
        values = frame[names].astype(dict.fromkeys(numbers, "float64"))
        return cls(values, frame.drop(columns=names), columns)


def column_name(meta: ColumnMeta, names: str) -> str:
    """A column's name in another vocabulary, from its facts; columns that are no image features keep their own."""
    if names in ("pyradiomics", "ibsi") and meta.family in ("", "clinical"):
        return meta.column
    if names == "pyradiomics":
        return f"{meta.filter or 'original'}_{meta.family}_{meta.feature}"
    if names == "ibsi":
        parts = (meta.filter, meta.family, meta.ibsi_code or meta.feature, meta.parameter, meta.aggregation)
        return "_".join(part for part in parts if part)
    raise TableError(f"names = {names!r}: expected 'pyradiomics' or 'ibsi'")
