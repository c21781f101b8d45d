"""Shape features against every pair of vertices and every voxel, on drawn small regions."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus import _core
from oracle.meshes import axes, diameters
from oracle.regions import KINDS, Case, draws

NAMES = _core.feature_names("shape")
CASES = draws(44, seed=11)


def shape(case: Case) -> dict[str, float]:
    return dict(zip(NAMES, _core.features(*case.prepared(), 1, _core.Workspace()), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_diameters_equal_all_pairs(kind: str) -> None:
    """The four diameters equal the largest distances over all pairs of vertices."""
    for case in CASES:
        if case.kind == kind and case.mask.sum() < 150:
            found = shape(case)
            for name, expected in diameters(case.mask, case.spacing).items():
                assert found[name] == pytest.approx(expected, rel=1e-12), (case, name)


@pytest.mark.parametrize("kind", KINDS)
def test_axes_equal_the_covariance(kind: str) -> None:
    """Axis lengths equal the eigenvalues of the covariance; zero ones are noise in the twin."""
    for case in CASES:
        if case.kind == kind:
            found = shape(case)
            for name, expected in axes(case.mask, case.spacing).items():
                assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-6), (case, name)


def test_mesh_of_a_box_is_a_box_with_cut_edges() -> None:
    """A box of n voxels a side: its mesh spans n voxels and loses only edges and corners, which are known exactly."""
    mask = np.ones((5, 6, 7), bool)
    found = shape(Case(mask.astype(np.int16), mask, (1.0, 1.0, 1.0), 1.0, "box"))
    # per edge of length L a prism of 1/8 (L - 1), per corner a tetrahedron's complement: 1/8 - 1/48 of a voxel
    edges = 4 * ((5 - 1) + (6 - 1) + (7 - 1)) / 8
    corners = 8 * (1 / 8 - 1 / 48)
    assert found["MeshVolume"] == pytest.approx(5 * 6 * 7 - edges - corners, rel=1e-12)


def test_area_of_a_box() -> None:
    """Six faces, twelve bevels and eight corner triangles."""
    mask = np.ones((5, 6, 7), bool)
    found = shape(Case(mask.astype(np.int16), mask, (1.0, 1.0, 1.0), 1.0, "box"))
    faces = 2 * (4 * 5 + 4 * 6 + 5 * 6)
    bevels = 4 * (4 + 5 + 6) * np.sqrt(0.5)
    corners = 8 * np.sqrt(3) / 8
    assert found["SurfaceArea"] == pytest.approx(faces + bevels + corners, rel=1e-12)
