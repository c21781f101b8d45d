"""Which features are the volume of the lesion in other words: said of every block of a study on images."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.stats.volume_dependence import COLUMNS, volume_dependence
from isthmus.study.data import StudyData
from isthmus.study.store import RunFolder

__all__ = ["lesion_volume", "write_volume_dependence"]


def lesion_volume(data: StudyData, block: str) -> pd.Series[Any] | None:
    """The volume in ml of what the block was measured in, by patient; of a block without images that of the lesion, where the masks agree.
    None where a study has no images."""
    for _, facts in data.facts:
        for name in (f"lesion_ml:{block}", "lesion_ml"):
            if name in facts.columns:
                return facts[name]
    return None


def _measured(data: StudyData, name: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """The values of a block; where a step makes its columns, those that each case has of them by itself (iTED on its own scale)."""
    block = data.blocks[name]
    if block.objects is None:
        return block.values, block.patients
    table = data.features[name]
    own = [meta.column for meta in block.columns if meta.column in table.values]
    return table.values[own], table.rows["patient"]


def write_volume_dependence(data: StudyData, store: RunFolder, *, confidence: float) -> None:
    """`tables/volume_dependence.csv`: every feature of the development patients beside the volume of his lesion."""
    parts = []
    for name in data.blocks:
        volume = lesion_volume(data, name)
        if volume is None:
            continue
        every, patients = _measured(data, name)
        rows = patients.isin(data.patients("train")).to_numpy()
        values = every.loc[rows].select_dtypes("number")
        if values.shape[1] == 0:
            continue
        beside = volume.reindex(patients[rows].astype("str")).to_numpy(dtype="float64")
        parts.append(volume_dependence(values, beside, confidence=confidence).assign(block=name))
    if parts:
        store.write("tables/volume_dependence.csv", pd.concat(parts, ignore_index=True)[["block", *COLUMNS]])
