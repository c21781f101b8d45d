"""The ITHscore of whole lesions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from habitat.making import ball
from isthmus.habitat import (
    NAMES,
    Ith3dSettings,
    Supervoxels,
    SupervoxelSettings,
    SupervoxelTable,
    TextureSettings,
    cut,
    ith3d,
    measure_supervoxels,
)
from isthmus.habitat.contacts import Space, contacts_of
from isthmus.habitat.ith3d import COLUMNS
from isthmus.habitat.score import coherence_score, fragment_score
from isthmus.image import Image
from isthmus.image.geometry import Geometry

QUICK = Ith3dSettings(resamples=20, permutations=20, starts=4)


def measured(kind: str, millilitres: float) -> tuple[Supervoxels, SupervoxelTable]:
    pieces = cut(*ball(kind, millilitres), SupervoxelSettings(volume_mm3=200))
    return pieces, measure_supervoxels(pieces, TextureSettings(bin_width=10), patient=kind)


def bricks(side: int, groups: np.ndarray, seed: int = 1) -> tuple[Supervoxels, SupervoxelTable]:
    """side^3 supervoxels of 2 x 2 x 2 voxels whose features say which group they belong to."""
    grid = np.arange(1, side**3 + 1, dtype=np.int32).reshape(side, side, side)
    labels = grid.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    image = Image(np.zeros(labels.shape), Geometry(labels.shape, (1.0, 1.0, 1.0)))
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.01, (side**3, len(NAMES))) + groups[:, None] * (1 + np.arange(len(NAMES)) % 3)
    pieces = Supervoxels(labels, labels < 0, image, 8.0)
    contacts = contacts_of(pieces, np.arange(1, side**3 + 1))
    return pieces, SupervoxelTable(f"p{seed}", values, np.full(side**3, 8.0), contacts=contacts)


@pytest.mark.parametrize("clusters", ["gap", "elbow", "silhouette", 3])
def test_scores_of_the_graph_are_those_of_the_painted_map(clusters) -> None:
    """Pieces found by who touches whom are the connected components of the voxels."""
    pieces, table = measured("interleaved", 10)
    found = ith3d(pieces, table, QUICK.model_copy(update={"clusters": clusters, "resamples": 0}))
    expected = (coherence_score(found.clusters), fragment_score(found.clusters, 0))
    assert (found.values["ith3d_coherence"], found.values["ith3d_fragment"]) == pytest.approx(expected)


def test_lesions_of_known_structure_are_ordered() -> None:
    """One homogeneous tissue and a gradient are one cluster; two halves stay whole; layers are broken up."""
    found = {}
    for kind in ("homogeneous", "gradient", "two compact", "interleaved"):
        found[kind] = ith3d(*measured(kind, 30), QUICK.model_copy(update={"resamples": 0})).values
    coherence = {kind: values["ith3d_coherence"] for kind, values in found.items()}
    assert coherence["homogeneous"] == coherence["gradient"] == 0 <= coherence["two compact"] < 0.1
    assert coherence["interleaved"] > 0.25
    assert found["homogeneous"]["ith3d_clusters"] == 1


def test_what_chance_gives_is_taken_off() -> None:
    """Clusters strewn at random over lesions of a more than tenfold range of size: the score follows the volume, the excess does not."""
    rng = np.random.default_rng(12)
    spaces = []
    for side in (3, 4, 5, 6, 7):
        _, table = bricks(side, np.zeros(side**3))
        spaces.append(Space(table.voxels, table.contacts))
    sizes, scores, excess = [], [], []
    for n in range(400):
        space = spaces[n % 5]
        clusters = rng.choice(4, len(space.voxels), p=[0.7, 0.1, 0.1, 0.1]).astype(np.int32)
        sizes.append(len(space.voxels))
        scores.append(space.scores(clusters)[0])
        excess.append(scores[-1] - space.by_chance(clusters, 12, seed=n)[0])
    assert abs(stats.spearmanr(sizes, scores).statistic) > 0.3
    assert abs(stats.spearmanr(sizes, excess).statistic) < 0.1


def test_islands_of_a_tissue_have_an_interval_that_holds_the_score() -> None:
    """Sharp clusters come out of every resample: the interval is the score."""
    groups = (np.arange(216).reshape(6, 6, 6) % 6 // 2 % 2).ravel()
    values = ith3d(*bricks(6, groups), QUICK.model_copy(update={"clusters": 2})).values
    limits = [values[f"ith3d_coherence{about}"] for about in ("", "_ci_lower", "_ci_upper", "_se")]
    assert limits == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_small_pieces_are_not_counted() -> None:
    """least_mm3: a cluster with one large and one small piece is whole."""
    groups = np.zeros(216, dtype=int)
    groups[:36], groups[-1] = 1, 1
    every, large = (
        ith3d(*bricks(6, groups), QUICK.model_copy(update={"clusters": 2, "least_mm3": least})).values["ith3d_fragment"]
        for least in (0.0, 10.0)
    )
    assert (every, large) == pytest.approx((1 - (179 + 36 / 2) / 216, 1 - (179 + 36) / 216))


def test_only_measured_supervoxels_count() -> None:
    """A supervoxel without a row is no fragment; its voxels are 0 in the map."""
    pieces, table = bricks(4, np.arange(64) // 32)
    part = SupervoxelTable(
        "p", table.values[1:], table.voxels[1:], np.arange(2, 65), contacts_of(pieces, np.arange(2, 65))
    )
    found = ith3d(pieces, part, QUICK.model_copy(update={"clusters": 2}))
    assert (found.values["ith3d_coherence"], found.clusters[pieces.labels == 1].max()) == (0.0, 0)


def test_a_feature_that_is_missing_is_no_zero_score() -> None:
    """NaN here and there take the median; a feature without values is left out."""
    pieces, table = bricks(4, (np.arange(64) // 16) % 2)
    table.values[::7, 3] = np.nan
    table.values[:, 5] = np.nan
    values = ith3d(pieces, table, QUICK.model_copy(update={"clusters": 2})).values
    assert values["ith3d_coherence"] == pytest.approx(0.5)


@pytest.mark.parametrize("rows", [0, 4])
def test_too_few_supervoxels_are_nan_with_the_reason(rows: int) -> None:
    """Every column, never 0."""
    pieces, table = bricks(2, np.arange(8))
    part = SupervoxelTable("p", table.values[:rows], table.voxels[:rows])
    found = ith3d(pieces, part)
    assert (np.isnan(list(found.values.values())).all(), tuple(found.values)) == (True, COLUMNS)
    assert f"{rows} supervoxels; at least 5" in found.reasons["ith3d"]


def test_one_cluster_has_no_interval() -> None:
    """NaN with the reason, instead of one of width 0."""
    found = ith3d(*measured("homogeneous", 15), QUICK)
    assert np.isnan(found.values["ith3d_coherence_se"])
    assert found.reasons["ith3d_coherence_se"] == "one cluster"


def test_contacts_are_by_face_edge_or_corner_and_faces_are_counted() -> None:
    """Against all pairs of 27 bricks: neighbours in the grid; those beside each other share 2 x 2 faces."""
    pieces, _ = bricks(3, np.zeros(27))
    at = np.argwhere(np.ones((3, 3, 3)))
    expected = [
        [a, b, 4 if np.abs(at[a] - at[b]).sum() == 1 else 0]
        for a in range(27)
        for b in range(a + 1, 27)
        if np.abs(at[a] - at[b]).max() == 1
    ]
    assert contacts_of(pieces, np.arange(1, 28)).tolist() == expected
