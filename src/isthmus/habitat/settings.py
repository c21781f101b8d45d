"""What a plan may set for supervoxels, their features, iTED, ITHscore and habitats: [habitat]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from isthmus.roi.supervoxels import SupervoxelMethod
from isthmus.settings import Section

__all__ = [
    "CohortHabitatSettings",
    "HabitatSection",
    "HeterogeneitySettings",
    "ItedSettings",
    "Ith2dSettings",
    "Ith3dSettings",
    "SupervoxelSettings",
    "TextureSettings",
    "Variant",
    "shared_keys",
]

Variant = Literal["weighted", "compat"]


class SupervoxelSettings(Section):
    """How a lesion is cut into supervoxels.

    window: intensities are clipped to it first (CT of the neck with contrast: [-150, 350]). spacing_mm: the grid (k, j, i), 0 keeps the
    image's own along that axis; unset, the image's grid. smoothing_mm: standard deviation of a Gaussian that sees voxels of the lesion
    only. method: "slic", "kmeans" or "growing" (`isthmus.roi.supervoxels`). volume_mm3: what a supervoxel has on average, less where the
    lesion would otherwise give fewer than least_supervoxels. compactness: how much difference in intensity weighs as much as one side of
    a supervoxel, in standard deviations inside the lesion. minimum_voxels: a smaller piece joins a neighbour; an island that small is
    rejected (and a supervoxel is never asked to be smaller than twice that).
    """

    window: tuple[float, float] | None = None
    spacing_mm: tuple[float, float, float] | None = (1.0, 1.0, 1.0)
    smoothing_mm: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    method: SupervoxelMethod = "slic"
    volume_mm3: float = Field(default=400.0, gt=0, allow_inf_nan=False)
    least_supervoxels: int = Field(default=20, ge=1)
    compactness: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    iterations: int = Field(default=10, ge=1)
    minimum_voxels: int = Field(default=25, ge=1)

    @field_validator("window")
    @classmethod
    def _ascending(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not window[0] < window[1]:
            raise ValueError(f"window = {list(window)}: two intensities, the second larger")
        return window

    @field_validator("spacing_mm")
    @classmethod
    def _not_negative(cls, spacing: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if spacing is not None and not all(0 <= s < float("inf") for s in spacing):
            raise ValueError(f"spacing_mm = {list(spacing)}: three numbers (k, j, i), 0 keeps the image's own")
        return spacing


class TextureSettings(Section):
    """How the 93 features of a supervoxel are counted.

    bin_width: of the grey levels, in the image's own quantity; bin_count: this many between the supervoxel's smallest and largest
    intensity instead. skip_constant: leave out supervoxels of one intensity. Both `bin_count = 32` and `skip_constant = true` are the
    reference work's choice.
    """

    bin_width: float = Field(default=25.0, gt=0, allow_inf_nan=False)
    bin_count: int | None = Field(default=None, ge=1)
    skip_constant: bool = False


class ItedSettings(Section):
    """How the dispersion of a feature over the supervoxels of a patient is measured.

    variant: "weighted" (components count by their weight, supervoxels by their voxels; variances have a floor relative to the feature's
    own; a number of components is admitted only when each holds least_share of the weight and least_count supervoxels and neighbours
    stand further apart than Ashman's D = separation), or "compat" (the reference work's rule: components count alike, an absolute floor
    of 1e-6). components: at most this many. minimum_supervoxels: with fewer the patient has no iTED. resamples: of the supervoxels, for
    the intervals; with fewer than ten supervoxels there is none. size_adjusted: features that grow with the size of a supervoxel
    (energies, non-uniformities that are not normalised) are taken per voxel; never in "compat". seed: every patient and feature draws
    from its own, hashed from this one.
    """

    variant: Variant = "weighted"
    components: int = Field(default=4, ge=1, le=4)
    minimum_supervoxels: int = Field(default=5, ge=2)
    resamples: int = Field(default=1000, ge=0)
    least_share: float = Field(default=0.1, ge=0, lt=1)
    least_count: float = Field(default=5, ge=0)
    separation: float = Field(default=2.0, ge=0)
    size_adjusted: bool = True
    seed: int = 42


class Ith2dSettings(Section):
    """The score of the largest slice.

    variant: "resampled" (pixels of spacing_mm, windows hold pixels of the lesion only, features standardised and reduced to the
    components that explain 80 % of their variance, the score averaged over all of `clusters`), or "compat" (the published one: the slice's
    own pixels, whole windows, features from 0 to 1, no reduction; give it `clusters = [6]`). window: intensities are clipped to it.
    radius: of the window, in pixels (2: 5 x 5). bin_width: of the grey levels. clusters: numbers of clusters. least_mm2: smaller pieces of
    a cluster are not counted ("compat": pieces of one pixel). starts: of k-means. seed: of the starts.
    """

    variant: Literal["resampled", "compat"] = "resampled"
    window: tuple[float, float] | None = None
    spacing_mm: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    radius: int = Field(default=2, ge=1)
    bin_width: float = Field(default=25.0, gt=0, allow_inf_nan=False)
    clusters: tuple[int, ...] = Field(default=(3, 4, 5, 6, 7, 8, 9), min_length=1)
    least_mm2: float = Field(default=2.0, ge=0, allow_inf_nan=False)
    starts: int = Field(default=10, ge=1)
    seed: int = 42

    @field_validator("clusters")
    @classmethod
    def _at_least_one(cls, clusters: tuple[int, ...]) -> tuple[int, ...]:
        if min(clusters) < 1 or len(set(clusters)) != len(clusters):
            raise ValueError(f"clusters = {list(clusters)}: different whole numbers from 1 on")
        return clusters


class Ith3dSettings(Section):
    """The score of the whole lesion, from its supervoxels.

    clusters: how many, or how the number is chosen: "gap" (the gap statistic, from 1 on), "elbow" (largest second difference of the inertia
    over 3 ... most, the reference work's choice, which cannot give 3 or most) or "silhouette". most: at most this many.
    minimum_supervoxels: with fewer there is no score. least_mm3: smaller pieces are not counted in `ith3d_fragment`. resamples: of the
    supervoxels for the intervals: centres are found again and all supervoxels assigned to them. permutations: of the clusters over the
    supervoxels, for the expected score. starts: of k-means. seed: every patient draws from his own, hashed from this one.
    """

    clusters: Literal["gap", "elbow", "silhouette"] | int = "gap"
    most: int = Field(default=8, ge=1)
    minimum_supervoxels: int = Field(default=5, ge=2)
    least_mm3: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    resamples: int = Field(default=100, ge=0)
    permutations: int = Field(default=200, ge=0)
    starts: int = Field(default=10, ge=1)
    seed: int = 42


class CohortHabitatSettings(Section):
    """How habitats of a cohort are learned from the supervoxels of its training patients (`isthmus.habitat.Habitats`).

    clusters: how many; unset, the most from 2 to `most` whose prediction strength is at least `strength`. explained: share of the variance
    that principal components keep. splits: halvings of the training patients for the prediction strength. minimum_supervoxels: with fewer
    a patient has no habitats. starts: of k-means.
    """

    clusters: int | None = Field(default=None, ge=1)
    most: int = Field(default=6, ge=1)
    strength: float = Field(default=0.8, gt=0, le=1)
    explained: float = Field(default=0.95, gt=0, le=1)
    splits: int = Field(default=5, ge=1)
    minimum_supervoxels: int = Field(default=5, ge=1)
    starts: int = Field(default=10, ge=1)
    seed: int = 42


class HeterogeneitySettings(Section):
    """One section for each part of what is said of one lesion: `supervoxels`, `features` (of a supervoxel), `ited`, `ith2d`, `ith3d`."""

    supervoxels: SupervoxelSettings = SupervoxelSettings()
    features: TextureSettings = TextureSettings()
    ited: ItedSettings = ItedSettings()
    ith2d: Ith2dSettings = Ith2dSettings()
    ith3d: Ith3dSettings = Ith3dSettings()


class HabitatSection(HeterogeneitySettings):
    """[habitat]: the parts of one lesion, and `cohort`: the habitats that many lesions share."""

    cohort: CohortHabitatSettings = CohortHabitatSettings()


def shared_keys(document: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The parts as they were written, with `window` of the supervoxels and `bin_width` of their features holding for `ith2d`, too, unless
    it was given its own."""
    found = {part: dict(keys) for part, keys in document.items()}
    for part, key in (("supervoxels", "window"), ("features", "bin_width")):
        if key in found.get(part, {}):
            found.setdefault("ith2d", {}).setdefault(key, found[part][key])
    return found
