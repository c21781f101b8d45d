"""Labels of the IBSI filters: one for every choice that changes numbers, none that another filter has."""

from itertools import combinations
from typing import Any

import pytest

from isthmus.filters import FILTERS, filter_labels, parse_filter

BASES: list[dict[str, Any]] = [
    {"name": "mean", "support": 3},
    {"name": "log", "sigma_mm": 1},
    {"name": "laws", "kernels": "L5E5E5", "rotation_invariance": True},
    {"name": "gabor", "sigma_mm": 1, "wavelength_mm": 1, "theta_step_degrees": 45},
    {"name": "wavelet", "wavelet": "haar", "subband": "LLH", "rotation_invariance": True},
    {"name": "simoncelli"},
    {"name": "riesz_log", "sigma_mm": 1, "order": (0, 0, 1)},
    {"name": "riesz_simoncelli", "order": (0, 0, 1)},
]
OTHERS: dict[str, list[Any]] = {
    "support": [5],
    "sigma_mm": [1.5, 15],
    "truncation": [3, 4.5],
    "kernels": ["E5L5E5", "E5E5L5"],
    "rotation_invariance": [False],
    "pooling": ["max", "average", "min"],
    "energy_distance": [1, 7],
    "wavelength_mm": [2],
    "gamma": [0.5],
    "theta_step_degrees": [22.5],
    "orthogonal_planes": [True],
    "wavelet": ["db2"],
    "subband": ["LHL", "HHH"],
    "level": [2, 12],
    "order": [(0, 1, 0), (0, 1, 1)],
    "tensor_sigma_mm": [1, 1.5],
    "boundary": ["zero", "nearest", "periodic", "mirror"],
}


def variants(base: dict[str, Any]) -> list[tuple[str, ...]]:
    """The labels of a filter and of all that differ from it in one or two settings."""
    name = base["name"]
    changes = [(key, value) for key in FILTERS[name].Settings.model_fields for value in OTHERS.get(key, [])]
    pairs = [dict(pair) for pair in combinations(changes, 2) if pair[0][0] != pair[1][0]]
    settings = {parse_filter(base | change) for change in [{}, *({key: value} for key, value in changes), *pairs]}
    if name in ("laws", "wavelet"):  # without invariance nothing is pooled
        settings = {
            s for s in settings if s.rotation_invariance or s.pooling == type(s).model_fields["pooling"].default
        }  # type: ignore[attr-defined]
    return [filter_labels(one) for one in settings]


@pytest.mark.parametrize("base", BASES, ids=lambda base: base["name"])
def test_settings_that_differ_have_labels_that_differ(base: dict[str, Any]) -> None:
    """No two choices share a label."""
    labels = variants(base)
    assert len(set(labels)) == len(labels) > 5


def test_labels_of_filters_do_not_meet() -> None:
    """All begin with ibsi-, no two filters share one, and none has a blank or an underscore, which separate parts of a column's name."""
    all_labels = [{label for labels in variants(base) for label in labels} for base in BASES]
    assert sum(map(len, all_labels)) == len(set().union(*all_labels))
    assert all(label.startswith("ibsi-") and not set(label) & set(" _/") for labels in all_labels for label in labels)
