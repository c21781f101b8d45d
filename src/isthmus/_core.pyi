"""The C++ core: arrays in, numbers out. Axis order (k, j, i)."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

class Workspace:
    def __init__(self) -> None: ...

class Region:
    def __init__(self, mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> None: ...
    @property
    def size(self) -> int: ...

class Sample:
    def __init__(self, region: Region, image: NDArray[Any]) -> None: ...
    @property
    def values(self) -> NDArray[Any]: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...
    @property
    def not_finite(self) -> int: ...

def bounding_box(mask: NDArray[np.bool_]) -> tuple[list[int], list[int], bool]: ...
def part_sizes(mask: NDArray[np.bool_]) -> list[int]: ...
def shape(region: Region, instructions: str = "best") -> NDArray[np.float64]: ...
def features(
    region: Region,
    sample: Sample,
    edges: NDArray[np.float64],
    families: int,
    workspace: Workspace,
    instructions: str = "best",
) -> NDArray[np.float64]: ...
def matrices(
    region: Region, sample: Sample, edges: NDArray[np.float64], workspace: Workspace, instructions: str = "best"
) -> dict[str, NDArray[np.float64]]: ...
def digitise(sample: Sample, edges: NDArray[np.float64]) -> NDArray[np.uint32]: ...
def texture(
    region: Region,
    levels: NDArray[np.uint32],
    requests: Sequence[tuple[str, str]],
    *,
    slice_axis: int = 0,
    distances: Sequence[int] = (1,),
    symmetric: bool = True,
    weighting: str = "none",
    alpha: float = 0.0,
    rules: str = "ibsi",
    grey_levels: int = 0,
    correlation: bool = True,
    edge: Region | None = None,
    workspace: Workspace,
    instructions: str = "best",
) -> list[NDArray[np.float64]]: ...
def texture_matrices(
    region: Region,
    levels: NDArray[np.uint32],
    request: tuple[str, str],
    *,
    slice_axis: int = 0,
    distances: Sequence[int] = (1,),
    symmetric: bool = True,
    weighting: str = "none",
    alpha: float = 0.0,
    rules: str = "ibsi",
    edge: Region | None = None,
    workspace: Workspace,
    instructions: str = "best",
) -> NDArray[np.float64]: ...
def family_names() -> list[str]: ...
def feature_names(family: str) -> list[str]: ...
def instruction_sets() -> list[str]: ...
def map_lines(
    values: NDArray[np.float64],
    axis: int,
    starts: NDArray[np.int32],
    columns: NDArray[np.int32],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]: ...
def intensity_statistics(sample: Sample, instructions: str = "best") -> NDArray[np.float64]: ...
def intensity_histogram(levels: NDArray[np.uint32], bins: int) -> NDArray[np.float64]: ...
def intensity_volume_histogram(
    levels: NDArray[np.uint32], bins: int, first: float, step: float
) -> NDArray[np.float64]: ...

class LogWorkspace:
    def __init__(self) -> None: ...

def recursive_log(
    image: NDArray[Any],
    spacing: tuple[float, float, float],
    sigma: float,
    low: list[int],
    high: list[int],
    margin: list[int],
    workspace: LogWorkspace,
    instructions: str = "best",
) -> NDArray[np.float32]: ...

class StationaryWavelet32:
    def __init__(
        self,
        image: NDArray[Any],
        low_taps: list[float],
        high_taps: list[float],
        axes: list[bool],
        low: list[int],
        high: list[int],
        level: int = 0,
        instructions: str = "best",
    ) -> None: ...
    def bands(self, filters: list[int]) -> list[NDArray[np.float32]]: ...

class StationaryWavelet64:
    def __init__(
        self,
        image: NDArray[Any],
        low_taps: list[float],
        high_taps: list[float],
        axes: list[bool],
        low: list[int],
        high: list[int],
        level: int = 0,
        instructions: str = "best",
    ) -> None: ...
    def bands(self, filters: list[int]) -> list[NDArray[np.float64]]: ...

class ResampleGrid:
    def __init__(
        self,
        size: list[int],
        new_origin: list[float],
        old_origin: list[float],
        to_point: list[float],
        to_index: list[float],
    ) -> None: ...

def resample_cubic(image: NDArray[Any], grid: ResampleGrid, instructions: str = "best") -> NDArray[Any]: ...
def resample_nearest(mask: NDArray[np.bool_], grid: ResampleGrid) -> NDArray[np.uint8]: ...
def morphology(
    region: Region, intensity: Region, sample: Sample, instructions: str = "best"
) -> NDArray[np.float64]: ...
def morphology_names() -> list[str]: ...
def local_intensity(
    image: NDArray[Any], mask: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> NDArray[np.float64]: ...
def local_intensity_names() -> list[str]: ...
def shape2d(region: Region, instructions: str = "best") -> NDArray[np.float64]: ...
def shape2d_names() -> list[str]: ...
def supervoxels(
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    volume: float,
    compactness: float,
    iterations: int = 10,
    method: SupervoxelMethod = ...,
    least: int = 1,
) -> NDArray[np.int32]: ...
def contacts(labels: NDArray[np.int32]) -> NDArray[np.int64]: ...

class SupervoxelMethod:
    slic: ClassVar[SupervoxelMethod]
    kmeans: ClassVar[SupervoxelMethod]
    growing: ClassVar[SupervoxelMethod]

def kmeans(
    points: NDArray[np.float64], clusters: int, starts: int, iterations: int, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float64], float]: ...
def basins(
    relief: NDArray[np.float32], mask: NDArray[np.bool_], absolute: float = 0.0, relative: float = 0.0
) -> NDArray[np.int32]: ...
def distance_to_outside(mask: NDArray[np.bool_]) -> NDArray[np.float32]: ...
def between_means(
    values: NDArray[np.float32], threshold: float, dark: float, pale: float, width: int, turns: int
) -> NDArray[np.float32]: ...
def nucleus_candidates(
    density: NDArray[np.float32],
    relative: NDArray[np.float32],
    levels: Sequence[float],
    rises: Sequence[float],
    radius: float,
    contrast: float,
    opening: int,
    smoothing: float,
    least_area: float,
    most_area: float,
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int64]]: ...
def choose_candidates(
    pixels: NDArray[np.int32],
    starts: NDArray[np.int64],
    scores: NDArray[np.float64],
    shape: tuple[int, int],
    least_score: float,
    most_shared: float,
) -> NDArray[np.int32]: ...
def grow_labels(labels: NDArray[np.int32], room: NDArray[np.bool_], steps: int) -> NDArray[np.int32]: ...
def majority_labels(labels: NDArray[np.int32], radius: int) -> NDArray[np.int32]: ...
def nuclear_features(
    labels: NDArray[np.int32],
    count: int,
    intensity: NDArray[np.uint8],
    density: NDArray[np.float64],
    mpp: float,
    workers: int = 1,
) -> NDArray[np.float64]: ...

class MixtureSettings:
    def __init__(self) -> None: ...
    most: int
    iterations: int
    tolerance: float
    floor_is_added: bool
    least_share: float
    least_count: float
    separation: float
    weighted: bool
    start_anew: bool
    resamples: int
    least_resampled: int
    one_has_interval: bool

def dispersions(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    counts: NDArray[np.float64],
    floors: NDArray[np.float64],
    seeds: NDArray[np.uint64],
    settings: MixtureSettings,
    workers: int = 1,
    instructions: str = "best",
) -> NDArray[np.float64]: ...

class LabelledRegion:
    @property
    def label(self) -> int: ...
    @property
    def voxels(self) -> int: ...
    @property
    def not_finite(self) -> int: ...
    @property
    def low(self) -> list[int]: ...
    @property
    def high(self) -> list[int]: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...

def labelled_regions(labels: NDArray[np.int32], image: NDArray[Any]) -> list[LabelledRegion]: ...
def label_features(
    labels: NDArray[np.int32],
    image: NDArray[Any],
    spacing: tuple[float, float, float],
    regions: list[LabelledRegion],
    edges: NDArray[np.float64],
    ends: NDArray[np.int64],
    families: int,
    workers: int = 1,
    instructions: str = "best",
) -> tuple[NDArray[np.float64], list[str]]: ...
def voxel_maps(
    targets: NDArray[np.bool_],
    kernel_mask: NDArray[np.bool_],
    image: NDArray[Any],
    spacing: tuple[float, float, float],
    edges: NDArray[np.float64],
    radius: int,
    flat_axis: int,
    families: int,
    places: NDArray[np.int64],
    out: NDArray[np.float64],
    shift: float = 0.0,
    tolerance: float = 0.0,
    workers: int = 1,
    instructions: str = "best",
) -> None: ...
