"""Scores of lesions of known structure are ordered as their definitions demand.

| | plain spread | iTED of density (k*) | clusters, fragmentation | border between habitats |
| --- | --- | --- | --- | --- |
| one tissue | small | 0 (1) | one, 0 | least |
| a gradient | large | 0 (1): dispersed, but in one heap | one, 0 | |
| two halves | large | large (2) | two, each nearly whole | some |
| two tissues in layers | large | large (2) | two, broken up beyond chance | most |
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat import (
    SUPERVOXELS,
    Habitats,
    Ited,
    ItedSettings,
    Ith3dSettings,
    SupervoxelSettings,
    TextureSettings,
    cut,
    ited,
    ith3d,
    measure_supervoxels,
)
from isthmus.habitat.supervoxels import region_box
from isthmus.synthetic import STRUCTURES, make_structured_lesion

SEEDS = range(5)
SCORES = Ith3dSettings(resamples=0, permutations=20, starts=3, most=4)


@pytest.fixture(scope="module")
def lesions() -> pd.DataFrame:
    """Five of each structure, of about 20 ml: scores of each alone, and what steps fitted on all of them give."""
    rows, tables = [], []
    for seed in SEEDS:
        for structure in STRUCTURES:
            lesion = make_structured_lesion(structure, 20, seed=seed)
            pieces = cut(lesion.image, lesion.roi, SupervoxelSettings(volume_mm3=200))
            table = measure_supervoxels(pieces, TextureSettings(bin_width=10), patient=f"{structure}{seed}")
            alone = ited(table, ItedSettings(resamples=0)).filter(like="ited_firstorder_Mean")
            rows.append({"structure": structure, **alone, **ith3d(pieces, table, SCORES).values})
            tables.append(table)
    found = pd.DataFrame(rows)
    cells = pd.DataFrame({SUPERVOXELS: pd.Series(tables, dtype=object)}).assign(none=0.0)
    learned = pd.concat([step.fit(cells).transform(cells) for step in (Ited(), Habitats(clusters=2))], axis=1)
    scaled = learned.filter(regex="^ited_")
    found["sub_populations"] = (scaled > 0).mean(axis=1)
    found["scaled_mean"] = scaled["ited_firstorder_Mean"]
    return pd.concat([found, learned.filter(regex="^habitat_")], axis=1)


def median(lesions: pd.DataFrame, column: str) -> dict[str, float]:
    return lesions.groupby("structure")[column].median().to_dict()


def test_plain_spread_says_homogeneous_or_not(lesions: pd.DataFrame) -> None:
    """One tissue varies least; the gradient as much as two halves, from which the plain spread cannot tell it."""
    spread = median(lesions, "ited_firstorder_Mean_sd")
    assert spread["homogeneous"] < 0.5 * min(spread[s] for s in ("compact", "interleaved", "gradient"))
    assert spread["gradient"] == pytest.approx(spread["compact"], rel=0.2)


def test_ited_sees_sub_populations_and_not_mere_spread(lesions: pd.DataFrame) -> None:
    """Two tissues, wherever they lie: two components, about half the contrast apart from the mean. One tissue, or a gradient: none."""
    dispersion, k = median(lesions, "ited_firstorder_Mean"), median(lesions, "ited_firstorder_Mean_k")
    assert k == {"homogeneous": 1, "gradient": 1, "compact": 2, "interleaved": 2}
    assert dispersion["homogeneous"] == dispersion["gradient"] == 0
    assert [dispersion["compact"], dispersion["interleaved"]] == pytest.approx(
        [22, 18], abs=3
    )  # 25, less what blur mixes


def test_on_the_cohort_s_scale_too(lesions: pd.DataFrame) -> None:
    """After transform and scale: more features with sub-populations in two tissues than in one or in a gradient."""
    share, scaled = median(lesions, "sub_populations"), median(lesions, "scaled_mean")
    assert min(share["compact"], share["interleaved"]) > 2 * max(share["homogeneous"], share["gradient"])
    assert scaled["homogeneous"] == scaled["gradient"] == 0
    assert min(scaled["compact"], scaled["interleaved"]) > 0.7


@pytest.mark.parametrize("score", ["ith3d_coherence", "ith3d_fragment"])
def test_fragmentation_is_of_layers_only(lesions: pd.DataFrame, score: str) -> None:
    """0 where there is one cluster, small where two lie whole, largest where they lie in layers."""
    found = median(lesions, score)
    assert found["homogeneous"] == found["gradient"] == 0 <= found["compact"] < 0.65 * found["interleaved"]


def test_layers_are_broken_up_beyond_chance_and_halves_are_not(lesions: pd.DataFrame) -> None:
    """The excess over the same clusters strewn at random: clearly positive in layers, about none in halves; 0 with one cluster."""
    excess = median(lesions, "ith3d_coherence_excess")
    assert excess["homogeneous"] == excess["gradient"] == 0
    assert (abs(excess["compact"]) < 0.03, excess["interleaved"] > 0.05) == (True, True)


def test_habitats_of_the_cohort_share_most_border_in_layers(lesions: pd.DataFrame) -> None:
    """Their interaction: least in one tissue, then halves, most in layers; and one tissue is one habitat (Hill's number of order 2)."""
    border, diversity = median(lesions, "habitat_border"), median(lesions, "habitat_hill_2")
    assert border["homogeneous"] < 0.6 * border["compact"] < border["compact"] < border["interleaved"]
    assert diversity["homogeneous"] < 1.3
    assert min(diversity["compact"], diversity["interleaved"]) > 1.7


def test_the_truth_is_found_again() -> None:
    """Supervoxels of two halves are clustered as the tissues lie: nine in ten voxels."""
    lesion = make_structured_lesion("compact", 12, seed=0, spacing_mm=(1.0, 1.0, 1.0))
    pieces = cut(lesion.image, lesion.roi, SupervoxelSettings(volume_mm3=200))
    table = measure_supervoxels(pieces, TextureSettings(bin_width=10), patient="p")
    clusters = ith3d(pieces, table, SCORES.model_copy(update={"clusters": 2})).clusters
    truth = lesion.habitats[region_box(lesion.roi)]
    both = (clusters > 0) & (truth > 0)
    same = (clusters[both] == truth[both]).mean()
    assert max(same, 1 - same) > 0.9


@pytest.mark.slow
def test_the_excess_does_not_follow_the_size_of_a_lesion() -> None:
    """Two hundred lesions over a tenfold range of volume (5 to 50 ml), whose layers grow with them, each cut into as many supervoxels
    (120) and as many clusters (2): over the cohort the excess over chance does not follow the volume (|rho| < 0.1). Structures keep
    their order."""
    rows = []
    for seed, volume in enumerate(np.geomspace(5, 50, 50), start=1000):
        radius = (3000 * volume / (4 * np.pi)) ** (1 / 3)
        for structure in STRUCTURES:
            lesion = make_structured_lesion(
                structure, float(volume), seed=seed, layer_mm=0.55 * radius, spacing_mm=(1.0, 0.8, 0.8)
            )
            settings = SupervoxelSettings(
                spacing_mm=(0.8, 0.8, 0.8), smoothing_mm=0.8, volume_mm3=1e6, least_supervoxels=120
            )
            pieces = cut(lesion.image, lesion.roi, settings)
            table = measure_supervoxels(pieces, TextureSettings(bin_width=10), patient=f"{structure}{seed}")
            scores = ith3d(pieces, table, SCORES.model_copy(update={"clusters": 2, "permutations": 30})).values
            rows.append({"structure": structure, "ml": lesion.roi.volume_ml, **scores})
    found = pd.DataFrame(rows)
    excess = found[["ith3d_coherence_excess", "ith3d_fragment_excess"]]
    assert excess.corrwith(found["ml"], method="spearman").abs().max() < 0.1
    middle = found.groupby("structure")["ith3d_coherence_excess"].median()
    assert middle.drop("interleaved").max() < 0.05 < middle["interleaved"]
