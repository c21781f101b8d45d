"""The 93 features of every supervoxel of a lesion, in one call of the engine."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import UndefinedFeatureWarning
from isthmus.features import measure_labels
from isthmus.features.profiles import pyradiomics
from isthmus.features.profiles.pyradiomics.vocabulary import feature_names
from isthmus.habitat.contacts import contacts_of
from isthmus.habitat.settings import TextureSettings
from isthmus.habitat.supervoxels import Supervoxels

__all__ = ["FAMILIES", "NAMES", "SIZE_DEPENDENT", "SupervoxelTable", "counting", "measure_supervoxels"]

FAMILIES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
NAMES: tuple[str, ...] = tuple(f"{family}_{name}" for family in FAMILIES for name in feature_names(family))
"""The 93 features, in PyRadiomics' spelling."""

SIZE_DEPENDENT = frozenset(
    {
        "firstorder_Energy",
        "firstorder_TotalEnergy",
        "glrlm_GrayLevelNonUniformity",
        "glrlm_RunLengthNonUniformity",
        "glszm_GrayLevelNonUniformity",
        "glszm_SizeZoneNonUniformity",
        "gldm_GrayLevelNonUniformity",
        "gldm_DependenceNonUniformity",
    }
)
"""Features that are sums over voxels, runs or zones: twice the voxels, twice the value."""


@dataclass(frozen=True, eq=False)
class SupervoxelTable:
    """What was measured in the supervoxels of one patient.

    Parameters
    ----------
    patient : str
        Names the random numbers of his intervals.
    values : array, shape (n, 93)
        In the order of `NAMES`; NaN where a feature is not defined.
    voxels : array, shape (n,)
        Size of each supervoxel.
    labels : array, shape (n,)
        Which supervoxel each row is; 1 ... n unless said.
    contacts : array, shape (pairs, 3)
        Which rows touch and over how many voxel faces (`contacts_of`); none unless said.
    reasons : mapping
        Label of a supervoxel that could not be measured, or was left out -> why.
    """

    patient: str
    values: NDArray[np.float64]
    voxels: NDArray[np.float64]
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    contacts: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))
    reasons: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.voxels), len(NAMES)):
            raise ValueError(f"values have shape {self.values.shape}; expected ({len(self.voxels)}, {len(NAMES)})")
        if len(self.labels) != len(self.voxels):
            object.__setattr__(self, "labels", np.arange(1, len(self.voxels) + 1))

    @cached_property
    def digest(self) -> bytes:
        """Stands for the content."""
        total = hashlib.blake2b(repr((self.patient, sorted(self.reasons.items()))).encode(), digest_size=20)
        for part in (self.values, self.voxels, self.labels, self.contacts):
            total.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
        return total.digest()

    def painted(self, names: NDArray[np.int32], labels: NDArray[Any]) -> NDArray[np.int32]:
        """A map of what each supervoxel is called: `names` has one for each row, `labels` is a map of all supervoxels; 0 elsewhere."""
        name = np.zeros(max(int(labels.max(initial=0)), int(self.labels.max(initial=0))) + 1, dtype=np.int32)
        name[self.labels] = names
        found: NDArray[np.int32] = name[labels]
        return found

    @property
    def missing(self) -> dict[str, float]:
        """Share of the supervoxels in which a feature is not defined, of the features with any."""
        if not len(self.values):
            return {}
        share = np.isnan(self.values).mean(axis=0)
        return {name: float(part) for name, part in zip(NAMES, share, strict=True) if part > 0}


def measure_supervoxels(
    pieces: Supervoxels, settings: TextureSettings | None = None, *, patient: str = "", workers: int = 1
) -> SupervoxelTable:
    """The 93 features of every supervoxel: the values PyRadiomics gives each of them alone, in one pass.

    Parameters
    ----------
    pieces : Supervoxels
    settings : TextureSettings, optional
    patient : str
    workers : int
        Threads. Never changes a number.
    """
    settings = settings or TextureSettings()
    if pieces.count == 0:
        return SupervoxelTable(patient, np.empty((0, len(NAMES))), np.empty(0))
    chosen = counting(settings.bin_width, settings.bin_count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedFeatureWarning)  # the table itself says what is missing
        frame = measure_labels(pieces.image, pieces.labels, "pyradiomics", chosen, workers=workers)
    values = frame.to_numpy(dtype=np.float64)  # its columns are NAMES: the families were asked for in their order
    voxels = np.bincount(pieces.labels.ravel())[1:].astype(np.float64)
    reasons = dict(frame.attrs["reasons"])
    keep = np.ones(len(values), dtype=bool)
    if settings.skip_constant:
        keep = ~(values[:, NAMES.index("firstorder_Variance")] <= 1e-12)
        reasons |= {int(label): "one intensity throughout" for label in np.flatnonzero(~keep) + 1}
    labels = np.flatnonzero(keep) + 1
    contacts = contacts_of(pieces, labels)
    return SupervoxelTable(patient, np.ascontiguousarray(values[keep]), voxels[keep], labels, contacts, reasons)


@lru_cache(maxsize=8)
def counting(bin_width: float, bin_count: int | None) -> pyradiomics.Settings:
    """The profile's settings; made once, not for every patient."""
    return pyradiomics.Settings(families=FAMILIES, bin_width=bin_width, bin_count=bin_count)
