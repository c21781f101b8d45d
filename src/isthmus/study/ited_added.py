"""`tables/ited_added.csv`: what iTED says of the outcome beyond plain spread, volume and the number of supervoxels."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from isthmus.habitat import SUPERVOXELS, Ited
from isthmus.habitat.added import ADDED, ited_added
from isthmus.study.data import StudyData
from isthmus.study.store import RunFolder
from isthmus.study.volume import lesion_volume
from isthmus.validate.results import FittedModel

__all__ = ["write_ited_added"]


def write_ited_added(
    data: StudyData, finals: Mapping[str, FittedModel], store: RunFolder, *, confidence: float
) -> None:
    """Development patients, transform and scale of the final models; nothing chosen in a model depends on it."""
    train = data.outcome_of("train")
    if train.task == "survival":
        return
    parts = {}
    for final in finals.values():
        for _, step in final.pipeline.chain:
            if not isinstance(step, Ited):
                continue
            name = step.block or next(
                one for one, block in data.blocks.items() if block.reads == SUPERVOXELS and block.objects is not None
            )
            block, volume = data.blocks[name], lesion_volume(data, name)
            if name in parts or block.objects is None or volume is None:
                continue
            rows = block.patients.isin(data.patients("train")).to_numpy()
            patients = pd.Index(block.patients[rows].astype("str"))
            found = ited_added(
                list(block.objects[rows]),
                train.array(patients),
                volume.reindex(patients).to_numpy(dtype="float64"),
                step.dispersion_settings(),
                scaling=step.scaling(),
                confidence=confidence,
            )
            parts[name] = found.assign(block=name)
    if parts:
        store.write("tables/ited_added.csv", pd.concat(parts.values(), ignore_index=True)[["block", *ADDED]])
