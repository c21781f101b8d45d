"""What is drawn over a slice: colours that everybody tells apart, windows, bars, borders, names."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from isthmus.report.figures._overlay import (
    LABELS,
    bar_length,
    label_colours,
    name_labels,
    outline,
    painted,
    show,
    window_of,
)

# Machado, Oliveira and Fernandes, IEEE Trans Vis Comput Graph 15:1291-1298, 2009: severity 1, in linear RGB
SIGHTS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "all": np.eye(3).tolist(),
}


def lab(rgb: np.ndarray, sight: str) -> np.ndarray:
    """CIE L*a*b* (D65) of sRGB colours as somebody sees them."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(SIGHTS[sight]).T, 0, 1)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    t = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_are_told_apart_by_everybody(sight: str) -> None:
    """Any two of the first six are 15 apart in CIELAB (2.3 is just seen) as people with red-green blindness see them, all nine 8."""
    seen = lab(label_colours(9), sight)
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(range(9), 2)}
    assert min(v for (a, b), v in apart.items() if b < 6) > 15
    assert min(apart.values()) > 8


def test_any_number_of_labels_has_colours() -> None:
    """Beyond nine all are still different, and the first nine do not depend on how many there are."""
    assert len(np.unique(label_colours(15), axis=0)) == 15
    np.testing.assert_array_equal(label_colours(4), label_colours(9)[:4])
    assert len(LABELS) == 9


def test_windows() -> None:
    """What is given; the body's in HU; bone is shown in its own; a lesion without a unit in its range and half of it around."""
    values, inside = np.tile(np.linspace(0, 100, 101), (3, 1)), np.zeros((3, 101), dtype=bool)
    inside[:, 40:61] = True
    assert window_of(values, inside, "HU", (-10, 10)) == (-10, 10)
    assert window_of(values, inside, "HU", None) == (-160, 240)
    assert window_of(values * 20, inside, "HU", None) == pytest.approx((604, 1396), abs=20)
    assert window_of(values, inside, "a.u.", None) == pytest.approx((30, 70), abs=1)
    assert window_of(np.zeros((2, 2)), np.ones((2, 2), dtype=bool), "a.u.", None) == (0, 1)


@pytest.mark.parametrize(("side", "length"), [(60, 10), (8, 2), (0.9, 0.2), (310, 100)])
def test_a_bar_is_round_and_fits(side: float, length: float) -> None:
    """1, 2 or 5 times a power of ten, at most a third of the picture."""
    assert bar_length((0, side, side / 2, 0)) == length


def test_borders_are_where_labels_differ() -> None:
    """Two labels side by side, 2 x 2 pixels each of 1 x 3 mm: the rim of both and one line between them."""
    axes = Figure().add_subplot()
    outline(axes, np.array([[1, 1, 2, 2], [1, 1, 2, 2]]), (0.0, 4.0, 6.0, 0.0))
    points = axes.patches[0].get_path().vertices.reshape(-1, 2, 2)
    lines = {tuple(map(tuple, pair)) for pair in points.tolist()}
    assert lines == {((0, 0), (4, 0)), ((0, 6), (4, 6)), ((0, 0), (0, 6)), ((2, 0), (2, 6)), ((4, 0), (4, 6))}


def test_a_name_lies_in_its_largest_piece() -> None:
    """Not in the speck; a label without room has none."""
    labels = np.zeros((30, 30), dtype=np.int32)
    labels[2:4, 2:4] = labels[15:25, 10:20] = 1
    labels[0, 29] = 2
    axes = Figure().add_subplot()
    name_labels(axes, labels, (0.0, 60.0, 30.0, 0.0), {1: "one", 2: "two", 3: "absent"})
    assert [text.get_text() for text in axes.texts] == ["one"]
    x, y = axes.texts[0].get_position()
    assert (20 < x < 40, 15 < y < 25) == (True, True)


def test_colours_are_mixed_with_the_picture() -> None:
    """Half of red over black; where the label is 0 the picture as it is."""
    axes = Figure().add_subplot()
    over = painted(np.array([[1, 0]], dtype=np.int32), np.array([[1.0, 0.0, 0.0]]))
    show(axes, np.array([[0.0, 10.0]]), (2.0, 1.0), (0.0, 10.0), 2, over=over, alpha=0.5)
    assert axes.images[0].get_array().tolist() == [[[127, 0, 0], [255, 255, 255]]]
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 2.0), (2.0, 0.0))
