"""A value depends on its image, region and settings alone: not on what was computed before, beside it, by whom or where."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features.labels import measure_labels
from isthmus.features.maps import KernelSettings, feature_maps
from isthmus.features.profiles import ibsi, pyradiomics
from isthmus.image import Geometry, Image
from isthmus.roi import Roi

pytestmark = pytest.mark.filterwarnings("ignore::isthmus.errors.UndefinedFeatureWarning")

SHAPE = (9, 12, 14)
GEOMETRY = Geometry(SHAPE, (2.0, 1.0, 1.0))
EIGHTEEN = (  # response maps
    "none",
    {"name": "recursive_log", "sigma_mm": (1, 2)},
    "stationary_wavelet",
    "square",
    "square_root",
    "logarithm",
    "exponential",
    "gradient",
    "lbp2d",
    {"name": "mean", "support": 3},
)


def case(seed: int) -> tuple[Image, Roi]:
    """An image and a region of one size and place, so that memory is met again at its old address."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(SHAPE)
    mask = (k - 4) ** 2 / 16 + (j - 6) ** 2 / 30 + (i - 7) ** 2 / 40 <= 1
    values = rng.normal(0, 40, SHAPE).astype(np.float32)
    return Image(values + np.roll(values, 1, 2), GEOMETRY), Roi(mask & (rng.random(SHAPE) < 0.9), GEOMETRY)


def original(seed: int) -> NDArray[np.float64]:
    return pyradiomics.compute(*case(seed), pyradiomics.Settings())


def filtered(seed: int) -> NDArray[np.float64]:
    return pyradiomics.compute(*case(seed), pyradiomics.Settings(filters=EIGHTEEN))


def by_ibsi(seed: int) -> NDArray[np.float64]:
    return ibsi.compute(*case(seed), ibsi.Settings(filters=("none", {"name": "mean", "support": 3})))


def mapped(seed: int, workers: int = 1) -> NDArray[np.float64]:
    settings = pyradiomics.Settings(families=("firstorder", "glcm", "glszm"))
    maps = feature_maps(*case(seed), settings, KernelSettings(), workers=workers)
    return np.stack([made.region.values for _, made in maps])


def of_labels(seed: int, workers: int = 1) -> NDArray[np.float64]:
    image, roi = case(seed)
    labels = np.where(roi.mask, 1 + np.arange(SHAPE[2]) // 3, 0)
    settings = pyradiomics.Settings(filters=("none", "stationary_wavelet"))
    return measure_labels(image, labels, settings=settings, workers=workers).to_numpy()


WAYS: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "original": original,
    "filtered": filtered,
    "ibsi": by_ibsi,
    "maps": mapped,
    "labels": of_labels,
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.float64]]:
    """What a process that has never computed anything else finds, a fresh one for each way."""
    folder = tmp_path_factory.mktemp("alone")
    program = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.path[:0] = sys.argv[4:]\n"
        "import numpy as np; from property import test_history\n"
        "np.save(sys.argv[1], test_history.WAYS[sys.argv[2]](int(sys.argv[3])))"
    )
    tests = str(Path(__file__).resolve().parents[1])
    for way in WAYS:
        command = [sys.executable, "-c", program, str(folder / f"{way}.npy"), way, "0", tests, *sys.path]
        subprocess.run(command, check=True, capture_output=True)
    return {way: np.load(folder / f"{way}.npy") for way in WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_after_others(way: str, alone: dict[str, NDArray[np.float64]]) -> None:
    """After twenty other images of the same size, and once more: the bits of a process of its own."""
    for seed in range(1, 21):
        WAYS["original" if seed % 4 else way](seed)
    np.testing.assert_array_equal(WAYS[way](0), alone[way])
    np.testing.assert_array_equal(WAYS[way](0), alone[way])


@pytest.mark.parametrize("way", WAYS)
def test_beside_others(way: str, alone: dict[str, NDArray[np.float64]]) -> None:
    """While another thread measures other images."""
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(WAYS[way], [0, 1, 0, 2, 0, 3]))
    for values in found[::2]:
        np.testing.assert_array_equal(values, alone[way])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
def test_in_a_forked_worker(way: str, alone: dict[str, NDArray[np.float64]]) -> None:
    """In a child that inherits used scratch memory."""
    original(5)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(WAYS[way], (0,)), alone[way])


def test_with_seventeen_other_filters_or_none_in_any_order() -> None:
    """A response map's features are the same in a call of its own, in one call with all, and in reversed order."""

    def by_name(filters: tuple[Any, ...]) -> dict[str, float]:
        settings = pyradiomics.Settings(filters=filters)
        values = pyradiomics.compute(*case(0), settings)
        return {meta.column: value for meta, value in zip(pyradiomics.columns(settings), values, strict=True)}

    together = by_name(EIGHTEEN)
    assert len({name.split("_")[0] for name in together}) == 18
    single: dict[str, float] = {}
    for one in EIGHTEEN:
        single |= by_name((one,))
    np.testing.assert_equal(single, together)
    np.testing.assert_equal(by_name(EIGHTEEN[::-1]), together)


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("way", [mapped, of_labels])
def test_any_number_of_threads(way: Callable[..., NDArray[np.float64]], workers: int) -> None:
    """Maps and many regions: threads share the work, never a value."""
    np.testing.assert_array_equal(way(0, workers=workers), way(0))


@pytest.mark.parametrize("instructions", _core.instruction_sets())
def test_many_regions_on_any_instruction_set(instructions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSE2, AVX2 and AVX-512 give identical bits. (Features, textures, maps and filters have such tests beside their twins.)"""
    expected = of_labels(0)
    monkeypatch.setattr(_core, "label_features", partial(_core.label_features, instructions=instructions))
    np.testing.assert_array_equal(of_labels(0), expected)


def test_warnings_do_not_change_values() -> None:
    """Raising or hiding the warning about missing features leaves the values of the next call."""
    expected = original(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flat = Image(np.zeros(SHAPE, np.float32), GEOMETRY)
        with pytest.raises(Warning, match="not defined"):
            pyradiomics.compute(flat, case(0)[1], pyradiomics.Settings(filters=("none", "square")))
    np.testing.assert_array_equal(original(0), expected)
