"""Feature blocks side by side: one design matrix per model, and what the joining cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from isthmus.deep import CROPS, Crops
from isthmus.errors import TableError
from isthmus.habitat.step import SUPERVOXELS
from isthmus.table import ColumnMeta, FeatureTable
from isthmus.table.steps import CONTEXT

__all__ = [
    "BlockData",
    "join_blocks",
    "leave_out",
    "per_patient",
    "qualified",
    "restrict",
    "with_context",
    "with_objects",
]


@dataclass(frozen=True, eq=False)
class BlockData:
    """One block: values (one row a patient, or several where the block keeps them), whose rows they are, facts of the columns.

    `objects`: of a block whose columns a step makes, what the step reads of each row (his supervoxels, his crops) in the context column
    `reads`; `columns` are then those that the step may make.
    """

    values: pd.DataFrame
    patients: pd.Series[Any]
    columns: tuple[ColumnMeta, ...]
    objects: pd.Series[Any] | None = None
    reads: str = SUPERVOXELS

    @property
    def several_rows(self) -> bool:
        return bool(self.patients.duplicated().any())


def per_patient(table: FeatureTable, how: str, volumes: pd.Series[Any] | None = None) -> BlockData:
    """Rows of one patient become one, as the block says ("mean", "max", "largest"), or stay ("predictions").

    A feature missing in one row of a patient is missing from that row only: mean and max are over the rows that have it.
    """
    values, patients = table.values, table.rows["patient"]
    if how == "predictions" or not patients.duplicated().any():
        index = values.index if how == "predictions" else pd.Index(patients, name="patient")
        return BlockData(values.set_axis(index, axis=0), patients.set_axis(index), table.columns)
    grouped = values.groupby(patients.to_numpy(), sort=False)
    if how == "mean":
        one = grouped.mean()
    elif how == "max":
        one = grouped.max()
    elif how == "largest":
        if volumes is None:
            raise ValueError("aggregate = 'largest' needs the volume of every ROI")
        first = volumes.loc[values.index].sort_values(ascending=False, kind="stable").index
        largest = set(patients.loc[first].drop_duplicates().index)
        keep = [row for row in values.index if row in largest]
        one = values.loc[keep].set_axis(patients.loc[keep].to_numpy(), axis=0)
    else:
        raise ValueError(f"aggregate = {how!r}: expected mean, max, largest or predictions")
    one.index.name = "patient"
    return BlockData(one, pd.Series(one.index, index=one.index, dtype="str"), table.columns)


def with_objects(table: FeatureTable, objects: pd.Series[Any], columns: tuple[ColumnMeta, ...], how: str,
                 volumes: pd.Series[Any], reads: str = SUPERVOXELS) -> BlockData:  # fmt: skip
    """A block whose columns are made by a step: supervoxels or crops of each patient, or of each of his rows ("predictions"). The crops of
    several rows are put together, for the step to combine; supervoxels of several lesions cannot be.

    Raises
    ------
    TableError
        A patient has several rows, and the block says that they become their mean or maximum: tables of supervoxels have neither.
    """
    patients = table.rows["patient"]
    if how in ("mean", "max") and reads == CROPS and patients.duplicated().any():
        members = objects.groupby(patients.to_numpy(), sort=False)
        joined = {str(patient): _together(list(own)) for patient, own in members}
        parts = pd.Series(list(joined.values()), index=pd.Index(list(joined), name="patient"), dtype=object)
        own_names = pd.Series(parts.index, index=parts.index, dtype="str")
        return BlockData(pd.DataFrame(index=parts.index), own_names, columns, parts, reads)
    if how in ("mean", "max"):
        twice = sorted(set(patients[patients.duplicated()]))
        if twice:
            raise TableError(
                f'aggregate = "{how}": patient {twice[0]} has several rows ({len(twice)} patients in all), and the supervoxels of several '
                'lesions have no mean. Say aggregate = "largest" (the row with the largest region) or "predictions" (every row).'
            )
        how = "predictions"
    rows = FeatureTable(pd.DataFrame(index=table.values.index), table.rows, ())
    if how == "predictions":
        own = not patients.duplicated().any()
        index = pd.Index(patients, name="patient") if own else table.values.index
        values = pd.DataFrame(index=index)
        return BlockData(values, patients.set_axis(index), columns, objects.set_axis(index), reads)
    place = pd.DataFrame({"place": np.arange(len(objects), dtype=np.float64)}, index=table.values.index)
    chosen = per_patient(replace(rows, values=place, columns=(ColumnMeta("place"),)), how, volumes)
    kept = objects.iloc[chosen.values["place"].to_numpy(dtype=np.intp)].set_axis(chosen.values.index)
    return BlockData(chosen.values[[]], chosen.patients, columns, kept, reads)


def _together(crops: Sequence[Crops | None]) -> Crops | None:
    """The crops of all rows of a patient."""
    known = [one for one in crops if one is not None]
    return replace(known[0], values=np.concatenate([one.values for one in known])) if known else None


def qualified(block: str, column: str, *, several: bool) -> str:
    """A column's name in a design matrix: with its block in front where the study has several."""
    return f"{block}.{column}" if several else column


def families_of(blocks: Mapping[str, BlockData], names: Sequence[str]) -> dict[str, list[str]]:
    """The columns of a design matrix by family of features, in order; a column without one, or a clinical one, stands alone.

    Parameters
    ----------
    blocks : mapping
        Every block of the study.
    names : sequence of str
        The blocks of the matrix. Of block, image and filter a family's name has those that differ between columns.
    """
    keys: dict[str, tuple[str, ...]] = {}
    for name in names:
        for meta in blocks[name].columns:
            column = qualified(name, meta.column, several=len(blocks) > 1)
            alone = meta.family in ("", "clinical")
            keys[column] = (meta.column,) if alone else (name, meta.image, meta.filter, meta.family)
    parted = [key for key in keys.values() if len(key) > 1]
    differs = [len({key[place] for key in parted}) > 1 for place in range(3)] + [True]
    found: dict[str, list[str]] = {}
    for column, key in keys.items():
        words = key if len(key) == 1 else [word for word, use in zip(key, differs, strict=True) if use and word]
        found.setdefault(" ".join(words), []).append(column)
    return found


def join_blocks(
    blocks: Mapping[str, BlockData], names: Sequence[str], *, several: bool, context: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """The design matrix of one model: its blocks side by side, and the patient of each row.

    Rows are patients, in the order of the first block; where one block keeps several rows of a patient, they stay and the other
    blocks' values are repeated. What steps read of blocks (supervoxels, crops) comes as the columns that `context` names.
    """
    row_blocks = [name for name in names if blocks[name].several_rows]
    if len(row_blocks) > 1:
        patients = [blocks[name].patients for name in row_blocks]
        if any(not patients[0].index.equals(other.index) for other in patients[1:]):
            raise ValueError(f"blocks {', '.join(row_blocks)} keep several rows of a patient, but not the same ones")
    lead = blocks[row_blocks[0]] if row_blocks else blocks[names[0]]
    parts = []
    for name in names:
        block = blocks[name]
        column = f"{block.reads}:{name}" if several else block.reads
        values = block.values
        if block.objects is not None and column in context:
            values = values.assign(**{column: block.objects})
        if not block.several_rows:
            values = values.set_axis(block.patients.to_numpy(), axis=0).loc[lead.patients.to_numpy()]
        parts.append(
            values.set_axis(lead.values.index, axis=0).rename(
                columns={
                    column: qualified(name, column, several=several)
                    for column in values.columns
                    if not str(column).startswith(CONTEXT)
                }
            )
        )
    return pd.concat(parts, axis=1), lead.patients


def with_context(X: pd.DataFrame, patients: pd.Series[Any], context: pd.DataFrame | None) -> pd.DataFrame:
    """The design matrix with the context of each row's patient behind the predictors."""
    if context is None:
        return X
    beside = context.loc[patients.to_numpy()].set_axis(X.index, axis=0)
    return pd.concat([X, beside], axis=1)


def restrict(block: BlockData, patients: pd.Index[Any]) -> BlockData:
    """The block's rows of these patients, in the order of `patients`."""
    order = pd.Series(np.arange(len(patients)), index=patients)
    rows = block.patients[block.patients.isin(patients)]
    rows = rows.iloc[np.argsort(order.loc[rows.to_numpy()].to_numpy(), kind="stable")]
    objects = None if block.objects is None else block.objects.loc[rows.index]
    return replace(block, values=block.values.loc[rows.index], patients=rows, objects=objects)


def leave_out(block: BlockData, names: Collection[str]) -> BlockData:
    """The block without some of its columns."""
    kept = [name for name in block.values.columns if name not in names]
    return BlockData(block.values[kept], block.patients, tuple(m for m in block.columns if m.column not in names))
