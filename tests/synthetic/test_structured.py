"""isthmus.synthetic.structured: lesions hold what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isthmus.synthetic import STRUCTURES, StructuredLesion, make_structured_lesion


def inside(lesion: StructuredLesion) -> np.ndarray:
    """Intensities well inside the lesion, where no neighbour is mixed in."""
    deep = ndimage.binary_erosion(lesion.roi.mask, iterations=2)
    return lesion.image.values[deep]


def smooth(lesion: StructuredLesion) -> np.ndarray:
    """The same without noise and texture."""
    deep = ndimage.binary_erosion(lesion.roi.mask, iterations=3)
    return ndimage.gaussian_filter(lesion.image.values.astype(float), (1, 2, 2))[deep]


def pieces(mask: np.ndarray) -> int:
    """Those that matter: of a hundredth of the lesion and more."""
    found = ndimage.label(mask)[0]
    return int((np.bincount(found.ravel())[1:] > 0.01 * mask.size / 4).sum())


@pytest.mark.parametrize("millilitres", [1.0, 12.0])
@pytest.mark.parametrize("spacing", [None, (5.0, 0.5, 0.5)])
def test_a_lesion_has_its_volume(millilitres: float, spacing: tuple[float, float, float] | None) -> None:
    """Within a tenth, on any grid."""
    lesion = make_structured_lesion("compact", millilitres, spacing_mm=spacing)
    assert lesion.roi.volume_ml == pytest.approx(millilitres, rel=0.1)
    assert lesion.image.geometry.spacing_mm == (spacing or (1.5, 0.9375, 0.9375))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_same_seed_gives_the_same_lesion(structure) -> None:
    """Another seed gives another."""
    first, again, other = (make_structured_lesion(structure, 3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image.values, again.image.values)
    assert first.image.values.shape != other.image.values.shape or (first.image.values != other.image.values).any()


def test_habitats_are_the_pieces_they_should_be() -> None:
    """One tissue; two halves of one piece each; five layers, so that no piece holds its tissue."""
    found = {s: make_structured_lesion(s, 12).habitats for s in ("homogeneous", "compact", "interleaved")}
    assert {s: [pieces(h == 1), pieces(h == 2)] for s, h in found.items()} == {
        "homogeneous": [1, 0], "compact": [1, 1], "interleaved": [3, 2],
    }  # fmt: skip
    assert (found["compact"] == 2).sum() / (found["compact"] > 0).sum() == pytest.approx(0.5, abs=0.08)


def test_tissues_differ_as_told() -> None:
    """The second is denser by the contrast, and coarser."""
    lesion = make_structured_lesion("compact", 12, contrast_hu=60)
    a, b = (lesion.image.values[ndimage.binary_erosion(lesion.habitats == h, iterations=3)] for h in (1, 2))
    assert b.mean() - a.mean() == pytest.approx(60, abs=6)
    assert b.std() > 1.4 * a.std()


def test_a_gradient_varies_as_much_as_two_halves_but_in_one_heap() -> None:
    """About the same variance; the middle of the range is empty between two halves, and full in a gradient."""
    values = {s: smooth(make_structured_lesion(s, 30)) for s in ("homogeneous", "compact", "gradient")}
    spread = {s: v.std() for s, v in values.items()}
    middle = {s: (np.abs(v - 90) < 8).mean() for s, v in values.items()}
    assert spread["gradient"] == pytest.approx(spread["compact"], rel=0.15)
    assert spread["homogeneous"] < 0.4 * spread["gradient"]
    assert middle["gradient"] > 1.4 * middle["compact"]


def test_layers_of_a_given_thickness_are_more_in_a_larger_lesion() -> None:
    """Eight times the volume, twice the diameter, more pieces."""
    small, large = (make_structured_lesion("interleaved", ml, layer_mm=6.0).habitats for ml in (4, 32))
    assert sum(pieces(large == h) for h in (1, 2)) > sum(pieces(small == h) for h in (1, 2))


def test_air_lies_close_by() -> None:
    """What leaks in from outside would show."""
    lesion = make_structured_lesion("homogeneous", 3)
    near = ndimage.binary_dilation(lesion.roi.mask, iterations=6) & ~lesion.roi.mask
    assert lesion.image.values[near].min() < -800 < -100 < inside(lesion).min()


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"structure": "compct"}, "Did you mean 'compact'"),
        ({"millilitres": 0.0}, "above 0"),
        ({"layer_mm": -1.0}, "above 0"),
        ({"spacing_mm": (1.0, 1.0, 2.0)}, "pixels are square"),
    ],
)
def test_what_cannot_be_made_is_refused(given: dict, match: str) -> None:
    """By name."""
    with pytest.raises(ValueError, match=match):
        make_structured_lesion(**{"structure": "compact", "millilitres": 3.0, **given})
