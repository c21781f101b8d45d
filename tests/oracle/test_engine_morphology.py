"""IBSI morphology and local intensity against their slow twins, on drawn small regions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from isthmus import _core
from isthmus.features import morphology
from oracle.meshes import vertices
from oracle.morphology import (
    centre_of_mass_shift,
    ellipsoid_area,
    ellipsoid_bounds,
    intensity_peaks,
    mesh,
    moran_and_geary,
    principal_lengths,
    turned_boxes,
)
from oracle.regions import KINDS, Case, draws

CASES = draws(44, seed=23)
RNG = np.random.default_rng(4)
INSIDE = [case.mask & (RNG.random(case.mask.shape) < 0.8) for case in CASES]


def measured(case: Case, inside: np.ndarray | None = None) -> dict[str, float]:
    values = morphology.compute(case.values, case.mask, case.mask if inside is None else inside, case.spacing)
    return dict(zip(morphology.TAGS, values, strict=True))


def of_kind(kind: str) -> list[tuple[Case, np.ndarray]]:
    return [(case, inside) for case, inside in zip(CASES, INSIDE, strict=True) if case.kind == kind]


@pytest.mark.parametrize("kind", KINDS)
def test_roundness_and_size(kind: str) -> None:
    """Volume, area and the six numbers made of them, from the shape family's mesh."""
    for case, _ in of_kind(kind):
        volume, area = mesh(case.mask, case.spacing)
        roundness = 36 * math.pi * volume**2 / area**3
        expected = {
            "morph_volume": volume,
            "morph_area_mesh": area,
            "morph_vol_approx": case.mask.sum() * math.prod(case.spacing),
            "morph_av": area / volume,
            "morph_comp_1": volume / (math.sqrt(math.pi) * area**1.5),
            "morph_comp_2": roundness,
            "morph_sphericity": roundness ** (1 / 3),
            "morph_sph_dispr": roundness ** (-1 / 3),
            "morph_asphericity": roundness ** (-1 / 3) - 1,
        }
        found = measured(case)
        assert {tag: found[tag] for tag in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_axes_use_the_unbiased_covariance(kind: str) -> None:
    """Axis lengths from the covariance over N - 1; zero ones are noise in the twin."""
    for case, _ in of_kind(kind):
        found = measured(case)
        lengths = [found[f"morph_pca_{name}_axis"] for name in ("least", "min", "maj")]
        assert lengths == pytest.approx(principal_lengths(case.mask, case.spacing), rel=1e-9, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_approximate_ellipsoid(kind: str) -> None:
    """Volume and area densities of the ellipsoid on the principal axes; undefined when it is flat."""
    for case, _ in of_kind(kind):
        found = measured(case)
        c, b, a = principal_lengths(case.mask, case.spacing) / 2
        densities = [found["morph_vol_dens_aee"], found["morph_area_dens_aee"]]
        if found["morph_pca_least_axis"] == 0:
            assert np.isnan(densities).all()
        else:
            volume, area = mesh(case.mask, case.spacing)
            assert densities == pytest.approx(
                [3 * volume / (4 * math.pi * a * b * c), area / ellipsoid_area(a, b, c)], rel=1e-9
            )


@pytest.mark.parametrize("kind", KINDS)
def test_convex_hull(kind: str) -> None:
    """Volume and area of the hull equal Qhull's over all vertices of the mesh."""
    for case, _ in of_kind(kind):
        hull, found = ConvexHull(vertices(case.mask, case.spacing)), measured(case)
        volume, area = mesh(case.mask, case.spacing)
        assert volume / found["morph_vol_dens_conv_hull"] == pytest.approx(hull.volume, rel=1e-9)
        assert area / found["morph_area_dens_conv_hull"] == pytest.approx(hull.area, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_axis_aligned_box(kind: str) -> None:
    """The box around all vertices of the mesh, along the axes of the grid."""
    for case, _ in of_kind(kind):
        volume, area = mesh(case.mask, case.spacing)
        a, b, c = np.ptp(vertices(case.mask, case.spacing), axis=0)
        found = measured(case)
        assert volume / found["morph_vol_dens_aabb"] == pytest.approx(a * b * c, rel=1e-12)
        assert area / found["morph_area_dens_aabb"] == pytest.approx(2 * (a * b + b * c + c * a), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_oriented_box_is_no_larger_than_any_found_by_turning(kind: str) -> None:
    """A box holds the hull, and none of 600 turned boxes is smaller."""
    for case, _ in of_kind(kind):
        points = vertices(case.mask, case.spacing)
        hull = ConvexHull(points)
        box = mesh(case.mask, case.spacing)[0] / measured(case)["morph_vol_dens_ombb"]
        assert hull.volume <= box * (1 + 1e-9)
        assert box <= turned_boxes(points[hull.vertices], np.random.default_rng(9), 600) * (1 + 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_enclosing_ellipsoid_is_the_smallest(kind: str) -> None:
    """Its volume lies between the bounds that another algorithm proves, to a millionth."""
    for case, _ in of_kind(kind):
        low, high = ellipsoid_bounds(vertices(case.mask, case.spacing), 2000)
        volume = mesh(case.mask, case.spacing)[0] / measured(case)["morph_vol_dens_mvee"]
        assert high / low < 1.01
        assert low * (1 - 1e-9) <= volume <= high * (1 + 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_mass(kind: str) -> None:
    """Centre of mass shift and integrated intensity, the intensity mask being smaller than the region."""
    for case, inside in of_kind(kind):
        if inside.any():
            found = measured(case, inside)
            mean = case.values[inside].astype(np.float64).mean()
            expected = centre_of_mass_shift(case.values, case.mask, inside, case.spacing)
            assert found["morph_com"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
            assert found["morph_integ_int"] == pytest.approx(mean * mesh(case.mask, case.spacing)[0], rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_autocorrelation(kind: str) -> None:
    """Moran's I and Geary's C equal the sums over all pairs of voxels; undefined when all intensities are equal."""
    for case, inside in of_kind(kind):
        if inside.any():
            found = measured(case, inside)
            indices = (found["morph_moran_i"], found["morph_geary_c"])
            if len(np.unique(case.values[inside])) == 1:
                assert np.isnan(indices).all()
            else:
                assert indices == pytest.approx(moran_and_geary(case.values, inside, case.spacing), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_intensity_peaks(kind: str) -> None:
    """Both peaks equal the means over all voxels within the radius, also at the border and beside NaN."""
    rng = np.random.default_rng(5)
    for case, inside in of_kind(kind):
        if inside.any():
            values = case.values.copy()
            if values.dtype.kind == "f":
                values[~inside & (rng.random(values.shape) < 0.2)] = np.nan
            found = _core.local_intensity(values, inside, case.spacing)
            assert list(found) == pytest.approx(intensity_peaks(values, inside, case.spacing), rel=1e-12)
