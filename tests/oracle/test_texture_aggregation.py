"""`_core.texture` against slow twins: every family and aggregation, under drawn options, on drawn small regions."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core
from oracle import aggregation as twin
from oracle.regions import Case, draws

DIRECTED = ("BTW3", "SUJT", "JJUI", "ZW7Z", "ITBB", "IAZD")
UNDIRECTED = ("8QNN", "62GR", "KOBO")
REQUESTS = {
    family: DIRECTED if family in ("glcm", "glrlm") else UNDIRECTED
    for family in ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm", "gldm")
}
CASES = draws(66, seed=31)
SMALL = [case for case in CASES if case.mask.sum() <= 250 and case.kind not in ("many-levels", "outlier")]


def prepared(case: Case) -> tuple[_core.Region, NDArray[np.uint32]]:
    region, sample, edges = case.prepared()
    return region, _core.digitise(sample, edges)


def compare(case: Case, options: twin.Options, family: str, aggregations: tuple[str, ...]) -> None:
    region, levels = prepared(case)
    requests = [(family, a) for a in aggregations]
    found = _core.texture(region, levels, requests, **asdict(options), workspace=_core.Workspace())
    names = _core.feature_names(family)
    for a, values in zip(aggregations, found, strict=True):
        expected = twin.features(family, a, case.levels(), case.spacing, options, names)
        for name, value in zip(names, values, strict=True):
            # square roots halve the digits; a lone weighted matrix without runs: see the test of rules
            if name == "Imc2":
                continue
            close = 3e-7 if name == "MCC" else 1e-10
            where = (case.kind, options, a, name)
            if math.isnan(expected[name]):
                lone = family == "glrlm" and options.rules == "pyradiomics" and name in ("RunEntropy", "RunVariance")
                assert math.isnan(value) or (lone and value == 0), where
            else:
                assert value == pytest.approx(expected[name], rel=1e-8, abs=close), where


@pytest.mark.parametrize("family", REQUESTS)
def test_every_aggregation_equals_the_slow_twin(family: str) -> None:
    """IBSI's plain definitions: distance 1, symmetric, no weighting."""
    for case in SMALL[:22]:
        compare(case, twin.Options(), family, REQUESTS[family])


@pytest.mark.parametrize("family", REQUESTS)
def test_every_option_equals_the_slow_twin(family: str) -> None:
    """Slice axis, distances, weighting, asymmetric pairs, alpha and both sets of rules, drawn together."""
    rng = np.random.default_rng(12)
    for case in SMALL:
        compare(case, twin.variants(rng), family, (str(rng.choice(REQUESTS[family])),))


@pytest.mark.parametrize("instructions", _core.instruction_sets())
def test_the_road_in_space_equals_the_fast_path(instructions: str) -> None:
    """PyRadiomics' rules in space give the bits of `_core.features`, or a rounding of the order of sums."""
    families = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
    bits = {name: 1 << bit for bit, name in enumerate(_core.family_names())}
    requests = [(f, "ITBB" if f in ("glcm", "glrlm") else "KOBO") for f in families]
    for case in CASES:
        region, sample, edges = case.prepared()
        levels, work = _core.digitise(sample, edges), _core.Workspace()
        found = _core.texture(region, levels, requests, rules="pyradiomics", workspace=work, instructions=instructions)
        for family, values in zip(families, found, strict=True):
            expected = _core.features(region, sample, edges, bits[family], work, instructions)
            np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13, err_msg=f"{case.kind} {family}")


def test_levels_are_numpys() -> None:
    """`digitise` is numpy.digitize, and `Sample.values` are the region's intensities in memory order."""
    for case in CASES:
        _, sample, edges = case.prepared()
        np.testing.assert_array_equal(sample.values, case.values[case.mask])
        np.testing.assert_array_equal(_core.digitise(sample, edges), np.digitize(case.values[case.mask], edges))


def test_zone_distances_are_measured_to_the_morphological_mask() -> None:
    """With a larger second mask, zones lie as far from its edge as the slow twin says, in space and by slice."""
    rng = np.random.default_rng(3)
    outer = np.zeros((6, 9, 9), bool)
    outer[1:, 1:8, 1:] = True
    inner = outer & (rng.random(outer.shape) < 0.7)
    values = rng.integers(0, 3, outer.shape).astype(np.int16)
    case = Case(values, inner, (1.0, 1.0, 1.0), 1.0, "inner")
    region, levels = prepared(case)
    edge = _core.Region(outer, case.spacing)
    names = _core.feature_names("gldzm")
    requests = [("gldzm", a) for a in UNDIRECTED]
    found = _core.texture(region, levels, requests, edge=edge, workspace=_core.Workspace())
    for a, row in zip(UNDIRECTED, found, strict=True):
        mask = {tuple(int(n) for n in v) for v in np.argwhere(outer)}
        expected = twin.features("gldzm", a, case.levels(), case.spacing, twin.Options(), names, mask)  # type: ignore[arg-type]
        np.testing.assert_allclose(row, [expected[name] for name in names], rtol=1e-12, atol=1e-14)


def values_of(
    levels: NDArray[np.uint32], mask: NDArray[np.bool_], rules: str
) -> dict[tuple[str, str], NDArray[np.float64]]:
    requests = [(f, a) for f, some in REQUESTS.items() for a in some]
    region = _core.Region(mask, (1.0, 1.0, 1.0))
    rows = _core.texture(region, levels, requests, rules=rules, workspace=_core.Workspace())
    return dict(zip(requests, rows, strict=True))


DEGENERATE = {
    "one voxel": (np.ones(1), np.ones((1, 1, 1), bool)),
    "one slice": (np.arange(30) % 4 + 1, np.ones((1, 5, 6), bool)),
    "one level": (np.full(60, 7), np.ones((3, 4, 5), bool)),
    "one far level": (np.full(60, 4_000_000), np.ones((3, 4, 5), bool)),
    "isolated voxels": (
        np.arange(8) + 1,
        np.kron(np.ones((2, 2, 2), bool), np.eye(1, 8, 0, dtype=bool).reshape(2, 2, 2)),
    ),
    "4096 levels": (np.arange(4096) + 1, np.ones((16, 16, 16), bool)),
}


@pytest.mark.parametrize("rules", ["ibsi", "pyradiomics"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_regions_give_values_or_nan(name: str, rules: str) -> None:
    """No infinity and no crash, whatever the region."""
    levels, mask = DEGENERATE[name]
    for row in values_of(levels.astype(np.uint32), mask, rules).values():
        assert not np.isinf(row).any()


def test_more_than_65535_levels() -> None:
    """70,000 different levels: the families without quadratic sums, in space and by the fast path alike."""
    shape = (50, 40, 35)
    levels = (np.random.default_rng(1).permutation(70_000) + 1).astype(np.uint32)
    region = _core.Region(np.ones(shape, bool), (1.0, 1.0, 1.0))
    work = _core.Workspace()
    requests = [("glrlm", "ITBB"), ("glszm", "KOBO"), ("ngldm", "KOBO"), ("glcm", "BTW3"), ("glcm", "ITBB")]
    found = _core.texture(region, levels, requests, correlation=False, workspace=work)
    glrlm, glszm, ngldm, *glcm = (
        dict(zip(_core.feature_names(f), v, strict=True)) for (f, _), v in zip(requests, found, strict=True)
    )
    assert glrlm["RunPercentage"] == glszm["ZonePercentage"] == 1
    assert ngldm["DependenceVariance"] == 0
    grid = levels.reshape(shape).astype(float)
    contrast = np.mean((grid[:, :, 1:] - grid[:, :, :-1]) ** 2)
    assert glcm[0]["Contrast"] == pytest.approx(
        contrast, rel=0.02
    )  # of random levels every direction has nearly the same
    assert not any(np.isinf(row).any() for row in found)


def test_wrong_options_are_refused() -> None:
    """Families, aggregations, weightings, rules, axes, distances and masks that do not fit say so."""
    region, levels = prepared(CASES[0])
    work = _core.Workspace()

    def ask(request: tuple[str, str] = ("glcm", "ITBB"), **options: object) -> None:
        _core.texture(region, levels, [request], workspace=work, **options)  # type: ignore[arg-type]

    for wrong, message in (
        ({"request": ("glmc", "ITBB")}, "unknown texture family 'glmc'"),
        ({"request": ("glcm", "KOBO")}, "'KOBO' does not go with glcm"),
        ({"request": ("glszm", "ITBB")}, "8QNN, 62GR, KOBO"),
        ({"weighting": "chebyshev"}, "unknown weighting 'chebyshev'"),
        ({"rules": "mirp"}, "unknown rules 'mirp'"),
        ({"slice_axis": 3}, "slice_axis must be 0, 1 or 2"),
        ({"distances": [0]}, "a distance must lie between"),
        ({"distances": []}, "at least one distance"),
        ({"alpha": -1.0}, "alpha must not be negative"),
        ({"edge": _core.Region(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))}, "another box"),
    ):
        with pytest.raises(ValueError, match=message):
            ask(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="grey level 0"):
        _core.texture(region, np.zeros_like(levels), [("glcm", "ITBB")], workspace=work)
    with pytest.raises(ValueError, match="one a voxel is needed"):
        _core.texture(region, levels[1:], [("glcm", "ITBB")], workspace=work)
