"""The segmenter's parts against slow twins, and planted nuclei of two strengths."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from isthmus import _core
from isthmus.pathology import Calibration, calibrate, compare_nuclei, density, segment_nuclei
from isthmus.pathology.candidates import EVIDENCE, score, scorer
from isthmus.pathology.segmenter import SegmenterSettings, candidates_of


def noise(seed: int, shape: tuple[int, int], sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), sigma)


@pytest.mark.parametrize("seed", range(8))
def test_distances_are_those_of_scipy(seed: int) -> None:
    """Exact Euclidean distances, also where whole rows and columns lie inside."""
    mask = noise(seed, (37 + seed, 52), 2 + seed / 4) > 0.48
    assert np.allclose(_core.distance_to_outside(mask), ndimage.distance_transform_edt(mask), atol=1e-4)


def test_means_are_the_boxes_taken_one_by_one() -> None:
    """One turn against boxes of scipy, far enough from the border that it does not count."""
    values = noise(1, (80, 90), 1.5).astype(np.float32)
    middle = float(np.median(values))
    found = _core.between_means(values, middle, 0.7, 0.3, 7, 1)

    def box(plane: np.ndarray) -> np.ndarray:
        for _ in range(3):
            plane = ndimage.uniform_filter(plane, 7)
        return plane

    dark = values > middle
    weight, inside, everything = box(dark.astype(float)), box(values * dark.astype(float)), box(values.astype(float))
    above = (inside + 1e-3 * 0.7) / (weight + 1e-3)
    below = (everything - inside + 1e-3 * 0.3) / (1 - weight + 1e-3)
    expected = (values - below) / np.maximum(above - below, 1e-3)
    assert np.allclose(found[12:-12, 12:-12], expected[12:-12, 12:-12], atol=0.01)


def test_labels_grow_so_far_and_no_farther() -> None:
    """Two steps of the room, and of two labels that meet each keeps its half."""
    labels = np.zeros((5, 12), np.int32)
    labels[:, 0], labels[:, 11] = 1, 2
    room = np.ones(labels.shape, bool)
    room[:, 6:] = False
    assert _core.grow_labels(labels, room, 2)[2].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_a_majority_takes_hairs_away_and_fills_nicks() -> None:
    """Each pixel against the count of its disc, done one by one."""
    draw = np.random.default_rng(3)
    labels = np.repeat(np.repeat(draw.integers(0, 4, (8, 9)), 5, axis=0), 5, axis=1).astype(np.int32)
    labels[draw.random(labels.shape) < 0.2] = 0
    y, x = np.mgrid[-2:3, -2:3]
    disc = x * x + y * y <= 4.5
    expected = np.zeros_like(labels)
    for name in (1, 2, 3):
        share = ndimage.correlate((labels == name).astype(int), disc.astype(int), mode="constant")
        expected[2 * share > disc.sum()] = name
    assert np.array_equal(_core.majority_labels(labels, 2), expected)


def test_the_best_candidate_is_taken_and_what_it_leaves_little_of_is_not() -> None:
    """Of three that overlap the middle one wins, one of the others shares too much with it."""
    pixels = np.concatenate([np.arange(0, 10), np.arange(8, 18), np.arange(12, 22)]).astype(np.int32)
    labels = _core.choose_candidates(pixels, np.array([0, 10, 20, 30]), np.array([0.5, 0.9, 0.6]), (1, 30), 0.1, 0.3)
    assert [(labels == 1).sum(), (labels == 2).sum(), labels.max()] == [10, 8, 2]


def test_the_score_has_a_line_for_every_piece_of_evidence() -> None:
    assert tuple(scorer()["lines"]) == EVIDENCE


def picture() -> tuple[np.ndarray, np.ndarray]:
    """Dark and pale discs, some touching, on a surrounding of its own density."""
    labels = np.zeros((200, 220), np.int32)
    plane = np.full(labels.shape, 0.15, np.float32)
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    places = [
        (30, 30, 0.9),
        (30, 49, 0.9),
        (90, 40, 0.5),
        (90, 120, 0.9),
        (150, 60, 0.5),
        (150, 160, 0.9),
        (40, 150, 0.5),
    ]
    for number, (j, i, strength) in enumerate(places, 1):
        here = (y - j) ** 2 + (x - i) ** 2 <= 100
        labels[here & (labels == 0)] = number
        plane[here] = strength
    return ndimage.gaussian_filter(plane, 0.8), labels


def test_planted_nuclei_are_found_dark_pale_and_touching() -> None:
    """Seven of seven, and nothing else."""
    plane, labels = picture()
    agreement = compare_nuclei(labels, segment_nuclei(plane, calibrate([plane])))
    assert (agreement.matched, agreement.found) == (7, 7)


def test_a_compact_candidate_scores_higher_than_two_in_one() -> None:
    """Evidence of the touching pair's union and of its halves."""
    plane, labels = picture()
    evidence, pixels, starts = candidates_of(plane, calibrate([plane]), SegmenterSettings())[1]
    value = score(evidence)
    held = [np.bincount(labels.ravel()[pixels[a:b]], minlength=3) for a, b in pairwise(starts)]
    both = [value[n] for n, of in enumerate(held) if min(of[1], of[2]) > 100]
    one = [value[n] for n, of in enumerate(held) if of[1] > 100 and of[2] < 10]
    assert max(one) > max(both)


def test_the_same_place_has_the_same_bits_in_another_cut() -> None:
    """Nuclei far from the borders of two windows are equal pixel by pixel."""
    draw = np.random.default_rng(5)
    wide = ndimage.gaussian_filter(draw.random((420, 420)), 4).astype(np.float32)
    wide = (wide - wide.min()) / np.ptp(wide)
    calibration = Calibration(float(np.quantile(wide, 0.75)), 0.75, 0.4, 5.0)
    one = segment_nuclei(wide, calibration) > 0
    other = segment_nuclei(np.ascontiguousarray(wide[37:, 23:]), calibration) > 0
    assert np.array_equal(one[160:-120, 160:-120], other[160 - 37 : -120, 160 - 23 : -120])


@pytest.mark.slow
def test_the_default_beats_the_baseline_on_the_tiles_it_was_not_chosen_on(shared_data: Path) -> None:
    """docs/evidence/pathology.md: F1 0.62 against 0.49 of Otsu and a watershed."""
    from PIL import Image

    folder = shared_data / "pathology" / "nuclei"
    found = []
    for tile in pd.read_csv(folder / "index.csv")["tile"][1::2]:
        plane = density(np.asarray(Image.open(folder / "images" / f"{tile}.png").convert("RGB")))
        labels = np.asarray(Image.open(folder / "labels" / f"{tile}.png")).astype(np.int32)
        found.append(compare_nuclei(labels, segment_nuclei(plane, calibrate([plane]))))
    means = [float(np.mean([getattr(f, name) for f in found])) for name in ("dice", "f1", "panoptic_quality")]
    assert means == pytest.approx([0.844, 0.621, 0.474], abs=0.005)
