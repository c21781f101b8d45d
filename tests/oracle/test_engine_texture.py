"""The core's counts and texture features against slow twins, on drawn small regions."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from isthmus import _core
from oracle import texture
from oracle.regions import KINDS, Case, draws

CASES = draws(110)
FAMILIES = {
    "glcm": texture.glcm_features,
    "glrlm": texture.glrlm_features,
    "glszm": texture.glszm_features,
    "gldm": texture.gldm_features,
    "ngtdm": texture.ngtdm_features,
}
BITS = {name: 1 << bit for bit, name in enumerate(_core.family_names())}
# order of the core's directions
STEPS = [(0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1)] + [(1, j, i) for j in (-1, 0, 1) for i in (-1, 0, 1)]


def of_kind(kind: str) -> list[Case]:
    return [case for case in CASES if case.kind == kind]


def counted(rows: np.ndarray, direction: int = 0) -> Counter[tuple[int, int]]:
    return Counter({(int(i), int(j)): int(n) for d, i, j, n in rows if d == direction})


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_and_runs_equal_the_slow_count(kind: str) -> None:
    """Every co-occurrence and run-length count equals plain loops, direction by direction."""
    for case in of_kind(kind):
        found = _core.matrices(*case.prepared(), _core.Workspace())
        grey = case.levels()
        for direction, step in enumerate(STEPS):
            assert counted(found["glcm"], direction) == texture.glcm(grey, step)
            assert counted(found["glrlm"], direction) == texture.glrlm(grey, step)


@pytest.mark.parametrize("instructions", _core.instruction_sets())
@pytest.mark.parametrize("scale", [1, 40])
@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 64, 70])
def test_rows_of_any_length_equal_the_slow_count(length: int, scale: int, instructions: str) -> None:
    """Pairs and runs are right at the edges of the vectors, for few and for many levels, with every instruction set."""
    rng = np.random.default_rng(length)
    values = (rng.integers(0, 3, (2, 3, length)) * scale).astype(np.int16)
    values[1, 1] = 2 * scale  # one level from end to end
    values[0, 0, 0] = 7 * scale
    mask = rng.random(values.shape) < 0.95
    mask[0, 0, 0] = mask[1, 1] = True
    case = Case(values, mask, (1.0, 1.0, 1.0), 1.0, "rows")
    found = _core.matrices(*case.prepared(), _core.Workspace(), instructions)
    grey = case.levels()
    for direction, step in enumerate(STEPS):
        assert counted(found["glcm"], direction) == texture.glcm(grey, step)
        assert counted(found["glrlm"], direction) == texture.glrlm(grey, step)


@pytest.mark.parametrize("kind", KINDS)
def test_zones_and_dependences_equal_the_slow_count(kind: str) -> None:
    """Every zone-size and dependence count equals a flood fill and plain loops."""
    for case in of_kind(kind):
        found = _core.matrices(*case.prepared(), _core.Workspace())
        grey = case.levels()
        assert counted(found["glszm"]) == texture.glszm(grey)
        assert counted(found["gldm"]) == texture.gldm(grey)


@pytest.mark.parametrize("kind", KINDS)
def test_tone_differences_equal_the_slow_sum(kind: str) -> None:
    """n_i is exact and s_i equal to rounding."""
    for case in of_kind(kind):
        rows = _core.matrices(*case.prepared(), _core.Workspace())["ngtdm"]
        expected = texture.ngtdm(case.levels())
        assert {int(i): int(n) for _, i, n, _ in rows} == {i: n for i, (n, _) in expected.items()}
        np.testing.assert_allclose([s for *_, s in rows], [expected[int(i)][1] for _, i, *_ in rows], rtol=1e-12)


def without_information(case: Case) -> bool:
    """Some direction whose mutual information is 0 but for rounding: whether Imc2's root is imaginary there is chance."""
    grey = case.levels()
    for step in texture.DIRECTIONS:
        counts = texture.glcm(grey, step)
        total = sum(counts.values())
        marginal: Counter[int] = Counter()
        for (i, _), n in counts.items():
            marginal[i] += n
        if len(marginal) < 2:
            continue
        joint = texture.entropy([n / total for n in counts.values()])
        if abs(2 * texture.entropy([n / total for n in marginal.values()]) - joint) < 1e-9:
            return True
    return False


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_features_equal_the_slow_formulas(kind: str, family: str) -> None:
    """Every feature of a family equals its definition on the slow counts; undefined where that is."""
    names = _core.feature_names(family)
    for case in of_kind(kind):
        found = dict(zip(names, _core.features(*case.prepared(), BITS[family], _core.Workspace()), strict=True))
        expected = FAMILIES[family](case.levels(), names)
        for name in names:
            if name == "Imc2" and without_information(case):
                continue
            # the coefficients are square roots: near 0 they halve the digits
            close = 3e-7 if name in ("MCC", "Imc2") else 1e-10
            # fourth powers of a far outlier cancel
            assert math.isnan(found[name]) == math.isnan(expected[name]), (case, name)
            if not math.isnan(expected[name]):
                assert found[name] == pytest.approx(expected[name], rel=1e-8, abs=close), (case, name)
