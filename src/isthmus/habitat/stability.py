"""Whether supervoxels come out again: the same lesion, outlined, scanned or cut a little differently.

Supervoxels have no true answer to be compared with, and the same call gives the same bits, so only perturbations say how far they can be
trusted: the mask a voxel aside, noise, pieces of another size, another compactness. Two partitions are compared over the voxels both
keep (adjusted Rand index, variation of information), and what is derived from them over patients (intraclass correlation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from isthmus.errors import MaskError, TableError
from isthmus.habitat.settings import SupervoxelSettings
from isthmus.habitat.supervoxels import Supervoxels, cut_prepared, prepared, region_box
from isthmus.image.image import Image
from isthmus.roi.perturb import noise_level
from isthmus.roi.roi import Roi
from isthmus.settings import Section
from isthmus.stats.agreement import adjusted_rand_index, icc, variation_of_information
from isthmus.stats.seeds import child_seed

__all__ = ["StabilitySettings", "as_repeats", "derived_reliability", "stability"]


_ABOUT = ("supervoxels", "shared", "ari", "vi")


class StabilitySettings(Section):
    """shift_voxels: the mask moved so far along each axis, both ways. noise: standard deviation added to the image; unset, the level found
    in it. volumes, compactnesses: factors on the settings of the same name. repeats: draws of the noise. seed: of the draws."""

    shift_voxels: int = Field(default=1, ge=0)
    noise: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    volumes: tuple[float, ...] = (0.8, 1.2)
    compactnesses: tuple[float, ...] = (1 / 3, 3.0)
    repeats: int = Field(default=3, ge=0)
    seed: int = 42


def stability(
    image: Image,
    roi: Roi,
    settings: SupervoxelSettings | None = None,
    how: StabilitySettings | None = None,
    *,
    derived: Callable[[Supervoxels], Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """Cut a lesion again under each perturbation and compare with the cut as it is.

    Parameters
    ----------
    image : Image
    roi : Roi
    settings : SupervoxelSettings, optional
    how : StabilitySettings, optional
    derived : function, optional
        What is made of the pieces (iTED, a score): its values become columns, for `derived_reliability`.

    Returns
    -------
    pandas.DataFrame
        A row per perturbation, the first ("none") the lesion as it is; columns `supervoxels`, `shared` (part of the voxels of either
        lesion that both cuts keep), `ari`, `vi` (nats) and those of `derived`.
    """
    settings, how = settings or SupervoxelSettings(), how or StabilitySettings()
    box = region_box(roi, max(2, how.shift_voxels + 1))  # the grid of `cut`, where the shift leaves it
    small = replace(image, values=image.values[box], geometry=image.geometry.part(box), instances={})
    lesion = replace(roi, mask=roi.mask[box], geometry=small.geometry)
    whole = (slice(0, small.values.shape[0]), slice(0, small.values.shape[1]), slice(0, small.values.shape[2]))
    first: NDArray[np.int32] | None = None
    rows = {}
    for name, other, region, changed in _perturbed(small, lesion, settings, how):
        try:
            pieces = cut_prepared(*prepared(other, region, whole, settings), changed)
        except MaskError:  # nothing left to cut: the lesion is not stable, and the row says so
            if first is None:
                raise
            rows[name] = {"supervoxels": 0.0, "shared": 0.0, "ari": np.nan, "vi": np.nan}
            continue
        first = pieces.labels if first is None else first
        both, either = (first > 0) & (pieces.labels > 0), (first > 0) | (pieces.labels > 0)
        a, b = first[both], pieces.labels[both]
        rows[name] = {
            "supervoxels": float(pieces.count),
            "shared": float(both.sum() / max(either.sum(), 1)),
            "ari": adjusted_rand_index(a, b) if a.size else np.nan,
            "vi": variation_of_information(a, b) if a.size else np.nan,
        } | ({} if derived is None else {str(key): float(value) for key, value in derived(pieces).items()})
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("perturbation")


def derived_reliability(patients: Sequence[pd.DataFrame], form: str = "2,1") -> pd.DataFrame:
    """ICC of what was derived from the supervoxels: patients are the subjects, perturbations the raters.

    Parameters
    ----------
    patients : sequence of DataFrame
        From `stability(..., derived=...)`, the same perturbations for all.
    form : str
        See `isthmus.stats.agreement.icc`.

    Returns
    -------
    pandas.DataFrame
        A row per derived value: `icc`, `lower`, `upper`, and `patients`, how many had the value under every perturbation. NaN where fewer
        than two had, or the value never differs.
    """
    names = [name for name in patients[0].columns if name not in _ABOUT]
    if any(list(frame.index) != list(patients[0].index) for frame in patients):
        raise TableError("the patients were perturbed in different ways; call stability with the same settings for all")
    values = np.stack([frame.reindex(columns=names).to_numpy(dtype=np.float64) for frame in patients])
    rows: dict[str, dict[str, Any]] = {}
    for f, name in enumerate(names):
        complete = np.isfinite(values[:, :, f]).all(axis=1)
        row: dict[str, Any] = {"icc": np.nan, "lower": np.nan, "upper": np.nan, "patients": int(complete.sum())}
        if complete.sum() >= 2:
            found = icc(values[complete, :, f], form)
            row |= {"icc": found.estimate[0], "lower": found.lower[0], "upper": found.upper[0]}
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def as_repeats(patients: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What was derived under each perturbation, as the table of repeats that `[select.reliability]` reads.

    Parameters
    ----------
    patients : mapping
        Patient -> from `stability(..., derived=...)`.

    Returns
    -------
    pandas.DataFrame
        `patient`, `repeat` (the perturbation) and the derived values.
    """
    parts = [
        frame.drop(columns=list(_ABOUT)).rename_axis("repeat").reset_index().assign(patient=patient)
        for patient, frame in patients.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["patient", *table.columns.drop("patient")]]


def _perturbed(
    image: Image, roi: Roi, settings: SupervoxelSettings, how: StabilitySettings
) -> Iterator[tuple[str, Image, Roi, SupervoxelSettings]]:
    yield "none", image, roi, settings
    for axis, letter in enumerate("kji"):
        # a slice has no neighbours to move to
        for step in (-how.shift_voxels, how.shift_voxels) if how.shift_voxels and roi.mask.shape[axis] > 1 else ():
            yield f"shift {letter} {step:+d}", image, replace(roi, mask=_moved(roi.mask, axis, step)), settings
    values = image.values.astype(np.float64)
    level = noise_level(values) if how.noise is None else how.noise
    for number in range(1, how.repeats + 1):
        draw = np.random.default_rng(child_seed(how.seed, "supervoxel noise", number))
        noisy = values + draw.normal(0.0, level, values.shape)
        if image.values.dtype.kind in "iu":
            noisy = np.rint(noisy)
            noisy = np.clip(noisy, *(np.iinfo(image.values.dtype).min, np.iinfo(image.values.dtype).max))
        yield f"noise {number}", replace(image, values=noisy.astype(image.values.dtype)), roi, settings
    for factor in how.volumes:
        # the number of pieces asked for is what moves, also where least_supervoxels rules
        changed = {
            "volume_mm3": settings.volume_mm3 * factor,
            "least_supervoxels": max(round(settings.least_supervoxels / factor), 1),
        }
        yield f"volume x{factor:g}", image, roi, settings.model_copy(update=changed)
    for factor in how.compactnesses:
        changed = {"compactness": settings.compactness * factor}
        yield f"compactness x{factor:.3g}", image, roi, settings.model_copy(update=changed)


def _moved(mask: NDArray[np.bool_], axis: int, step: int) -> NDArray[np.bool_]:
    """The mask some voxels further along an axis; what leaves the image is lost."""
    result = np.zeros_like(mask)
    n = mask.shape[axis]
    to, source = [slice(None)] * 3, [slice(None)] * 3
    to[axis], source[axis] = slice(max(step, 0), n + min(step, 0)), slice(max(-step, 0), n + min(-step, 0))
    result[tuple(to)] = mask[tuple(source)]
    return result
