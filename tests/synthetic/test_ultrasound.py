"""A synthetic frame looks as ultrasound does to whoever measures it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.synthetic.ultrasound import MACHINES, Frame, Nodule, render_frame

PLAIN = Nodule(size_mm=12, heterogeneity_db=0.0, calcifications=0.0)


def frame(nodule: Nodule = PLAIN, machine: str = "A", seed: int = 1) -> Frame:
    return render_frame(nodule, MACHINES[machine], np.random.default_rng(seed))


def test_the_same_draw_gives_the_same_frame() -> None:
    assert (frame().values == frame().values).all()
    assert (frame().values != frame(seed=2).values).any()


@pytest.mark.parametrize("machine", list(MACHINES))
def test_a_frame_is_neither_black_nor_white(machine: str) -> None:
    """Under one pixel in twenty at either end, in every machine."""
    values = frame(machine=machine).values
    assert values.shape == (MACHINES[machine].rows, MACHINES[machine].columns)
    assert (np.isin(values, (0, 255))).mean() < 0.05


def test_a_carcinoma_is_darker_than_the_gland() -> None:
    """By its 8 dB, and what it takes from the beam: 34 of 255 grey levels at 60 dB, within 8."""
    found = [frame(seed=seed) for seed in range(6)]
    differences = [f.values[~f.mask][f.values.shape[1] * 45 :].mean() - f.values[f.mask].mean() for f in found]
    assert np.mean(differences) == pytest.approx(34, abs=8)


def test_speckle_is_fully_developed() -> None:
    """The logarithm of a Rayleigh amplitude has a standard deviation of 5.57 dB, whatever the brightness."""
    machine = MACHINES["A"]
    level = 255 / machine.dynamic_range_db
    spread = [frame(seed=seed).values[frame(seed=seed).mask].std() / level for seed in range(6)]
    assert np.median(spread) == pytest.approx(5.57, rel=0.12)


def test_the_nodule_has_its_size_and_is_whole() -> None:
    from scipy import ndimage

    found = frame(Nodule(size_mm=12, heterogeneity_db=2))
    assert ndimage.label(found.mask)[1] == 1
    extent = (np.ptp(np.argwhere(found.mask), axis=0) + 1) * found.pixel_mm
    assert extent.max() == pytest.approx(12, rel=0.15)


def test_a_large_nodule_stays_inside_the_frame() -> None:
    found = frame(Nodule(size_mm=60, heterogeneity_db=2))
    assert not found.mask[:, [0, -1]].any()
    assert not found.mask[[0, -1]].any()


def test_heterogeneity_can_be_measured() -> None:
    """Standard deviation inside the nodule against what was planted, over 24 nodules: rank correlation above 0.9."""
    planted = np.linspace(0.5, 8, 24)
    seen = []
    for number, decibel in enumerate(planted):
        found = frame(Nodule(size_mm=14, heterogeneity_db=float(decibel)), seed=number)
        seen.append(found.values[found.mask].std())
    assert stats.spearmanr(planted, seen).statistic > 0.9


def test_calcifications_are_bright() -> None:
    many = frame(Nodule(size_mm=14, heterogeneity_db=0, calcifications=12))
    none = frame(Nodule(size_mm=14, heterogeneity_db=0, calcifications=0))
    brightest = [np.percentile(f.values[f.mask], 99.7) for f in (many, none)]
    assert brightest[0] > brightest[1] + 25
