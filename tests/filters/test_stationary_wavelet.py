"""PyRadiomics' wavelet bands against PyWavelets', voxel for voxel."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.making import TYPES, boxes, maps, noise, same_bits, whole
from isthmus import _core
from isthmus.filters import filter_labels, parse_filter
from isthmus.filters._wavelet_taps import wavelet_names, wavelet_taps
from isthmus.image.io import read_image

pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")


def bands(values: np.ndarray, wavelet: str, level: int = 0, axes: tuple[int, ...] = (2, 1, 0)) -> dict[str, np.ndarray]:
    """PyWavelets' bands of one level, as PyRadiomics asks for them."""
    data = np.pad(values, [(0, size % 2) for size in values.shape], "wrap")
    for _ in range(level):
        data = pywt.swtn(data, wavelet, 1, axes=axes)[0]["a" * len(axes)]
    cropped = tuple(slice(0, size) for size in values.shape)
    return {
        name.replace("a", "L").replace("d", "H"): np.ascontiguousarray(band[cropped])
        for name, band in pywt.swtn(data, wavelet, 1, axes=axes)[0].items()
    }


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(21, 33, 40), (3, 4, 17), (1, 2, 5)])
@pytest.mark.parametrize("wavelet", ["haar", "coif1", "db7", "bior2.4", "rbio3.1", "sym20"])
def test_voxels_are_pywavelets(dtype: Any, shape: tuple[int, int, int], wavelet: str) -> None:
    """Odd sizes, borders and images shorter than the taps included, every voxel has PyWavelets' bits."""
    image = noise(shape, dtype)
    expected = bands(image.values, wavelet)
    found = maps(image, whole(image), {"name": "stationary_wavelet", "wavelet": wavelet})
    assert all(same_bits(found[f"wavelet-{name}"], band) for name, band in expected.items())


@pytest.mark.parametrize("name", _core.instruction_sets())
def test_every_instruction_set_gives_the_same_bits(name: str) -> None:
    """The widths of vectors change nothing."""
    image = noise((9, 11, 70), np.float32)
    low, high = (taps.tolist() for taps in wavelet_taps("coif1", single=True))
    transform = _core.StationaryWavelet32(image.values, low, high, [True] * 3, [0, 0, 0], [9, 11, 70], 0, name)
    expected = bands(image.values, "coif1")
    assert all(
        same_bits(band, expected["".join("LH"[letter] for letter in (*first, last))])
        for first in itertools.product((0, 1), repeat=2)
        for last, band in enumerate(transform.bands(list(first)))
    )


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_box_is_a_part_of_the_whole(dtype: Any) -> None:
    """Boxes at every border and in the middle hold the whole map's bits, at the second level too."""
    image = noise((11, 14, 17), dtype)
    expected = bands(image.values, "coif2", level=1)
    given = {"name": "stationary_wavelet", "wavelet": "coif2", "start_level": 1}
    assert all(
        same_bits(found, np.ascontiguousarray(expected[label.removeprefix("wavelet-")][box]))
        for box in boxes(image.values.shape)
        for label, found in maps(image, box, given).items()
    )


def test_a_real_image_is_pywavelets(shared_data: Path) -> None:
    """An MR image, the default wavelet: bit for bit."""
    image = read_image(shared_data / "pyradiomics/brain1_image.nrrd")
    box = (slice(0, 25), slice(60, 200), slice(100, 256))
    expected = bands(image.values, "coif1")
    found = maps(image, box, "stationary_wavelet")
    assert all(same_bits(found[f"wavelet-{name}"], np.ascontiguousarray(band[box])) for name, band in expected.items())


def test_an_axis_left_out_is_pywavelets() -> None:
    """Slice by slice the bands have two letters."""
    image = noise((5, 14, 17), np.float32)
    expected = bands(image.values, "coif1", axes=(2, 1))
    found = maps(image, whole(image), {"name": "stationary_wavelet", "flat_axis": "k"})
    assert all(same_bits(found[f"wavelet-{name}"], band) for name, band in expected.items())


def test_labels_number_the_levels() -> None:
    """Details of both levels, then the approximation of the last."""
    settings = parse_filter({"name": "stationary_wavelet", "level": 2, "flat_axis": "k"})
    names = ("LH", "HL", "HH")
    assert filter_labels(settings) == (
        *(f"wavelet-{n}" for n in names),
        *(f"wavelet2-{n}" for n in names),
        "wavelet2-LL",
    )


@pytest.mark.parametrize("single", [False, True])
def test_taps_are_pywavelets(single: bool) -> None:
    """Every discrete wavelet's impulse response has the taps of the table, in either precision."""
    for name in pywt.wavelist(kind="discrete"):
        taps = wavelet_taps(name, single=single)
        length = len(taps[0])
        impulse = np.zeros(4 * length, np.float32 if single else np.float64)
        impulse[2 * length] = 1
        start = 2 * length - length // 2
        found = [response[start : start + length].tolist() for response in pywt.swt(impulse, name, level=1)[0]]
        assert found == [np.array(side, impulse.dtype).tolist() for side in taps], name


def test_the_table_knows_every_discrete_wavelet() -> None:
    """No wavelet of PyWavelets is missing."""
    assert set(wavelet_names()) == set(pywt.wavelist(kind="discrete"))


def test_an_unknown_wavelet_is_refused_with_a_suggestion() -> None:
    """A typing error names the wavelet that was meant."""
    with pytest.raises(ValueError, match="Did you mean 'coif1'"):
        parse_filter({"name": "stationary_wavelet", "wavelet": "coif_1"})
