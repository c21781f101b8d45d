"""The supervoxels of a case in a study: measured once for every block that wants the same ones, kept, and what each kind of block says
of them.

A case whose lesion cannot be cut, or that has too few supervoxels, stays in the study: its values are missing, and a note says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isthmus.errors import MaskError, first_few
from isthmus.habitat.cohort import habitat_columns
from isthmus.habitat.ited import SUFFIXES, ited, ited_columns
from isthmus.habitat.ith2d import ith2d
from isthmus.habitat.ith3d import COLUMNS as ITH3D
from isthmus.habitat.ith3d import SCORES, score_of
from isthmus.habitat.measure import FAMILIES, NAMES, SupervoxelTable, measure_supervoxels
from isthmus.habitat.settings import HabitatSection
from isthmus.habitat.supervoxels import cut
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.study.store import packed, unpacked
from isthmus.table import ColumnMeta

__all__ = [
    "Measured",
    "case_values",
    "kind_columns",
    "made_columns",
    "measure",
    "predictor_columns",
    "predicts",
]

_CUT = ("supervoxels", "supervoxel_mm3")
_MEASURED = ("measured", "rejected", "touching", "undefined")
_BESIDE = ("_ci_lower", "_ci_upper", "_se", "_expected")
"""What stands beside a score of the whole lesion, and is no predictor."""
_INTERVALS = ("_ci_lower", "_ci_upper", "_se")
_CHANCE = ("_expected", "_excess")
_UNITS = {"supervoxel_mm3": "mm3"}


@dataclass(frozen=True, eq=False)
class Measured:
    """The supervoxels of one lesion.

    Parameters
    ----------
    table : SupervoxelTable or None
        None where the lesion could not be cut, and `reason` says why.
    count : int
        Supervoxels that were cut; the table has those that were measured.
    volume_mm3 : float
        What a supervoxel was asked to have.
    voxel_mm3 : float
        Of the grid of the supervoxels.
    rejected : float
        Share of the lesion in islands too small to be a supervoxel.
    """

    table: SupervoxelTable | None
    count: int = 0
    volume_mm3: float = math.nan
    voxel_mm3: float = math.nan
    rejected: float = math.nan
    reason: str = ""

    def of(self, patient: str) -> Measured:
        """The same with the patient's name, after which random numbers are drawn."""
        return self if self.table is None else replace(self, table=replace(self.table, patient=patient))

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold; arrays keep every bit."""
        if self.table is None:
            return {"reason": self.reason}
        table = self.table
        return {
            "count": self.count, "volume_mm3": self.volume_mm3, "voxel_mm3": self.voxel_mm3, "rejected": self.rejected,
            "values": packed(table.values), "voxels": packed(table.voxels), "labels": packed(table.labels),
            "contacts": packed(table.contacts), "reasons": {str(label): why for label, why in table.reasons.items()},
        }  # fmt: skip

    @classmethod
    def from_json(cls, said: Mapping[str, Any], patient: str) -> Measured:
        """What `to_json` gave, under a patient's name."""
        if "values" not in said:
            return cls(None, reason=said["reason"])
        labels = unpacked(said["labels"], np.int64)
        table = SupervoxelTable(
            patient,
            unpacked(said["values"], np.float64).reshape(len(labels), len(NAMES)),
            unpacked(said["voxels"], np.float64),
            labels,
            unpacked(said["contacts"], np.int64).reshape(-1, 3),
            {int(label): why for label, why in said["reasons"].items()},
        )
        return cls(table, said["count"], said["volume_mm3"], said["voxel_mm3"], said["rejected"])


def measure(image: Image, roi: Roi, settings: HabitatSection) -> Measured:
    """Cut a lesion and measure its supervoxels.

    Raises
    ------
    ImageReadError
        An intensity inside the lesion is NaN or infinite.
    """
    try:
        pieces = cut(image, roi, settings.supervoxels)
    except MaskError as error:
        return Measured(None, reason=error.reason)
    table = measure_supervoxels(pieces, settings.features)
    inside = int((pieces.labels > 0).sum())
    rejected = int(pieces.rejected.sum())
    return Measured(
        table, pieces.count, pieces.volume_mm3, pieces.geometry.voxel_volume_mm3, rejected / max(inside + rejected, 1)
    )


# ---------------------------------------------------------------------- what a block says of a case


def case_values(
    kind: str, measured: Measured, image: Image, roi: Roi, settings: HabitatSection, patient: str
) -> tuple[dict[str, float], list[str]]:
    """The values of one case in the order of `kind_columns`, and notes on what is missing and why."""
    names = _names(kind, settings)
    values = dict.fromkeys(names, math.nan)
    reasons: dict[str, str] = {}
    table = measured.table
    if kind == "ithscore":
        flat = ith2d(image, roi, settings.ith2d, patient=patient)
        values |= {"ith2d": flat.score, **{f"ith2d_k{clusters}": score for clusters, score in flat.scores.items()}}
        reasons |= flat.reasons
    if table is None:
        return values, [f"no supervoxels: {measured.reason}", *_together(reasons)]
    values |= {"supervoxels": float(measured.count), "supervoxel_mm3": measured.volume_mm3}
    if kind == "ited":
        row = ited(table, settings.ited)
        values |= {str(column): float(value) for column, value in row.items()}
        reasons |= row.attrs["reasons"]
    elif kind == "ithscore":
        whole = score_of(table, measured.voxel_mm3, settings.ith3d)
        values |= dict(whole.values)
        # that an interval needs more supervoxels is no failure
        reasons |= {name: why for name, why in whole.reasons.items() if name == "ith3d" or name in SCORES}
    else:
        values |= _about(measured, table)
        least = settings.cohort.minimum_supervoxels
        if len(table.voxels) < least:
            reasons["habitat"] = f"{len(table.voxels)} supervoxels; at least {least} are needed"
    values = {name: values[name] for name in names}
    unmeasured = {f"supervoxel {label}": why for label, why in table.reasons.items()}
    return values, [*_together(reasons), *_together(unmeasured)]


def _about(measured: Measured, table: SupervoxelTable) -> dict[str, float]:
    n = len(table.voxels)
    return {
        "measured": float(n),
        "rejected": measured.rejected,
        "touching": 2 * len(table.contacts) / n if n else math.nan,
        "undefined": float(np.isnan(table.values).mean()) if n else math.nan,
    }


def _together(reasons: Mapping[str, str]) -> list[str]:
    """One note for all columns that are missing for one reason."""
    columns: dict[str, list[str]] = {}
    for column, why in reasons.items():
        columns.setdefault(why, []).append(column)
    return [f"{first_few(names)}: {why}" for why, names in columns.items()]


def _names(kind: str, settings: HabitatSection) -> list[str]:
    if kind == "ited":
        return [*_CUT, *_asked(ited_columns(settings.ited), resamples=settings.ited.resamples)]
    if kind == "ithscore":
        whole = _asked(ITH3D, resamples=settings.ith3d.resamples, permutations=settings.ith3d.permutations)
        return [*_CUT, *whole, "ith2d", *(f"ith2d_k{clusters}" for clusters in settings.ith2d.clusters)]
    return [*_CUT, *_MEASURED]


def _asked(names: Sequence[str], *, resamples: int, permutations: int = 1) -> list[str]:
    """Those of the columns that are computed: no intervals without resamples, no chance without permutations."""
    off = (*(_INTERVALS if resamples == 0 else ()), *(_CHANCE if permutations == 0 else ()))
    return [name for name in names if not name.endswith(off)]


# ---------------------------------------------------------------------- facts of columns


def kind_columns(kind: str, settings: HabitatSection) -> tuple[ColumnMeta, ...]:
    """The facts of the columns a block of this kind has in `RUN/features/<block>.parquet`."""
    return tuple(_meta(name, settings) for name in _names(kind, settings))


def predictor_columns(kind: str, settings: HabitatSection) -> list[str]:
    """Those of them that models read as they are: the scores, without their intervals; of kinds whose step makes the columns, none."""
    if kind != "ithscore":
        return []
    return [
        meta.column
        for meta in kind_columns(kind, settings)
        if predicts({"family": meta.family, "parameter": meta.parameter})
    ]


def made_columns(kind: str, settings: HabitatSection) -> tuple[ColumnMeta, ...]:
    """The facts of the columns that the step of a block makes; of habitats those of as many as there can be."""
    if kind == "ited":
        return tuple(_meta(name, settings) for name in ited_columns(whole=False))
    if kind == "habitat":
        return tuple(
            _meta(name, settings) for name in habitat_columns(settings.cohort.clusters or max(settings.cohort.most, 2))
        )
    return ()


def predicts(fact: Mapping[Any, Any]) -> bool:
    """From the facts of a column of `RUN/features/`: is it one that models choose from, and not what stands beside it (an interval, the
    number of supervoxels)?"""
    family = str(fact.get("family", ""))
    if family.partition(" ")[0] in ("ited", "ith2d", "ith3d"):
        return not fact.get("parameter")
    return family not in ("supervoxels", "crops")


def _meta(name: str, settings: HabitatSection) -> ColumnMeta:
    """Family, feature and how grey levels were counted, from the name of a column."""
    counted = settings.features
    bins = f"FBN:{counted.bin_count}" if counted.bin_count is not None else f"FBS:{counted.bin_width:g}"
    if name.startswith("ited_"):
        suffix = next((one for one in SUFFIXES if name.endswith(one)), "")
        family, _, feature = name.removeprefix("ited_").removesuffix(suffix).partition("_")
        assert family in FAMILIES
        return ColumnMeta(
            name, family=f"ited {family}", feature=feature, parameter=suffix.lstrip("_"), discretisation=bins
        )
    if name.startswith("ith2d"):
        return ColumnMeta(name, family="ith2d", feature=name, discretisation=f"FBS:{settings.ith2d.bin_width:g}")
    if name.startswith("ith3d"):
        about = next((one for one in _BESIDE if name.endswith(one)), "")
        return ColumnMeta(
            name, family="ith3d", feature=name.removesuffix(about), parameter=about.lstrip("_"), discretisation=bins
        )
    family = "habitat" if name.startswith("habitat") else "supervoxels"
    return ColumnMeta(name, family=family, feature=name, discretisation=bins, unit=_UNITS.get(name, ""))
