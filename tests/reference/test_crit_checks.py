"""The numerical acceptance checks of the CRIT specification: which test proves each, and those numbers that have no other home.

`CHECKS` is the table; a test it names must exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from isthmus.habitat import NAMES, ItedSettings
from isthmus.habitat.ited import dispersions
from isthmus.habitat.scaling import fit_scaling
from isthmus.stats import classification
from isthmus.stats.decision_curve import net_benefit
from isthmus.stats.groups import adjust_p, mann_whitney

TESTS = Path(__file__).resolve().parents[1]

CHECKS = {
    # ITH scores
    "the six maps, 2-D score and coherence": "habitat/test_score.py::test_the_table_of_the_specification",
    "8-connectivity; 4 would give 0.75 and 0.5": "habitat/test_score.py::test_diagonal_contact_would_count_otherwise",
    "the score of supervoxels is that of the painted map": "habitat/test_ith3d.py::test_scores_of_the_graph_are_those_of_the_painted_map",
    "a failure is no 0": "habitat/test_ith3d.py::test_too_few_supervoxels_are_nan_with_the_reason",
    # iTED
    "30 + 30 around 0 and 10": "habitat/test_ited.py::test_two_equal_groups",
    "50 + 10: 5.0 compat, 3.73 weighted": "habitat/test_ited.py::test_unequal_groups",
    "times 1e-4: compat 0": "habitat/test_ited.py::test_compat_loses_features_of_small_units",
    "times 1e-4: weighted unchanged up to scale": "habitat/test_ited.py::test_weighted_follows_the_unit",
    "a constant vector is 0": "habitat/test_ited.py::test_a_constant_is_not_dispersed",
    "fewer than two values are NaN": "habitat/test_ited.py::test_fewer_than_two_values_are_unknown",
    "a log-normal tissue has sub-populations in compat, hardly after the transform": "reference/test_crit_checks.py::test_skewness",
    "beyond plain spread, volume and number of supervoxels": "habitat/test_added.py::test_sub_populations_add_to_spread",
    # radiomics
    "IBSI-1 digital phantom": "reference/test_ibsi_digital.py::test_",
    "IBSI-1 CT configurations": "reference/test_ibsi1.py::test_",
    "107 features": "features/test_pyradiomics.py::test_there_are_107_columns",
    "93 features of a supervoxel": "habitat/test_measure.py::test_there_are_93_features",
    # supervoxels
    "labels inside the mask; kept and rejected are the mask": "habitat/test_supervoxels.py::test_kept_and_rejected_are_the_lesion",
    "invariant to values outside": "habitat/test_supervoxels.py::test_the_outside_cannot_leak_in",
    "which a naive smoother fails": "habitat/test_supervoxels.py::test_a_naive_smoother_would_leak",
    "deterministic": "habitat/test_supervoxels.py::test_the_same_input_gives_the_same_bits",
    "connected, and at least the minimum size": "habitat/test_supervoxels.py::test_every_supervoxel_hangs_together_and_is_large_enough",
    # mask growth
    "own voxels kept; added within d mm, in the organ": "roi/test_region.py::test_a_lesion_grown_inside_an_organ_keeps_itself",
    "through a plan": "study/test_regions.py::test_a_region_is_clipped_to_the_organ",
    # segmentation review
    "identical masks": "segment/test_assess.py::test_identical_masks_agree_wholly",
    "disjoint masks": "segment/test_assess.py::test_disjoint_masks_do_not_overlap_and_are_a_major_change",
    "both empty": "segment/test_assess.py::test_two_empty_masks_agree_and_have_no_distance",
    "volume uses spacing": "segment/test_assess.py::test_volumes_use_the_spacing",
    # Macenko and nuclei
    "unit stain vectors": "pathology/test_stain.py::test_stain_vectors_have_length_one_and_haematoxylin_comes_first",
    "an image normalised to itself": "pathology/test_stain.py::test_an_image_normalised_to_itself_is_unchanged",
    "no wrap-around on white": "pathology/test_stain.py::test_white_stays_white",
    "a disc of 10 px": "pathology/test_nucleus.py::test_a_disc_is_round",
    "a constant nucleus": "pathology/test_nucleus.py::test_a_constant_nucleus_has_no_texture",
    # leakage
    "permuted labels give 0.5, every kind of block": "study/test_heterogeneity_leakage.py::test_shuffled_outcomes_give_half",
    "the outcome as a feature of test rows changes nothing fitted": "study/test_heterogeneity_leakage.py::test_test_rows_teach_nothing",
    "the fitted pipeline of a fold hangs on its training part alone": "study/test_heterogeneity_leakage.py::test_test_rows_teach_nothing",
    "external data change the external report only": "study/test_heterogeneity_leakage.py::test_external_images_touch_nothing",
    # statistics
    "Mann-Whitney 6 against 6": "reference/test_crit_checks.py::test_mann_whitney",
    "Wilson 14 of 15": "reference/test_crit_checks.py::test_wilson",
    "net benefit of treat-all at the prevalence": "reference/test_crit_checks.py::test_net_benefit",
    "G-mean": "reference/test_crit_checks.py::test_g_mean",
    "Benjamini-Hochberg": "reference/test_crit_checks.py::test_benjamini_hochberg",
    # pathology and protein beside risk groups (sections 17 and 18)
    "risk groups of development patients are out-of-fold": "study/test_biology_tables.py::test_groups_are_out_of_fold",
    "a composite score never saw its patient": "biology/test_composite.py::test_his_own_outcome_does_not_move_a_score",
    "which a circular one fails": "biology/test_composite.py::test_noise_is_found_by_weights_that_saw_the_patients_only",
    "twelve patients show nothing": "study/test_recipe_crit.py::test_twelve_patients_show_nothing_and_sixty_something",
    "no discoveries in null cohorts beyond the nominal rate": "biology/test_chain.py::test_",
    "moderated t is limma's": "reference/test_limma.py::test_every_protein_is_limmas",
    "a batch that is the group is refused": "biology/test_analysis.py::test_batches_that_combat_cannot_tell_are_refused",
    # interfaces
    "six patients through every stage": "study/test_heterogeneity_leakage.py::test_six_patients_go_through",
}  # fmt: skip
"""Check -> test. `test_` alone stands for all tests of the file."""


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_has_its_test(check: str) -> None:
    """The table points at tests that are there."""
    file, name = CHECKS[check].split("::")
    assert re.search(rf"^\s*def {name}", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)


def share_with_several(samples: np.ndarray, settings: ItedSettings) -> float:
    found = dispersions(samples, np.ones(len(samples)), settings, seeds=range(samples.shape[1]))
    return float((found.components > 1).mean())


def test_skewness() -> None:
    """One homogeneous log-normal tissue (60 supervoxels, sigma 1): compat sees sub-populations in nearly every sample, the transformed
    default rarely; of a normal tissue neither."""
    rng = np.random.default_rng(6)
    skewed, normal = rng.lognormal(0, 1, (60, len(NAMES))), rng.normal(0, 1, (60, len(NAMES)))
    compat, weighted = ItedSettings(variant="compat", resamples=0), ItedSettings(resamples=0)
    scaling = fit_scaling([rng.lognormal(0, 1, (60, len(NAMES))) for _ in range(10)])
    assert share_with_several(skewed, compat) > 0.9
    assert share_with_several(scaling.apply(skewed), weighted) < 0.05
    assert max(share_with_several(normal, one) for one in (compat, weighted)) < 0.05


def test_mann_whitney() -> None:
    """Perfect separation of six and six: exact P = 2 / 924."""
    assert mann_whitney(range(6), range(6, 12)).p == pytest.approx(0.00216, abs=5e-6)


def test_wilson() -> None:
    """(0.702, 0.988): what 93.3 % sensitivity of 15 events hides."""
    found = classification.proportion_interval(14, 15, method="wilson")
    assert (found.lower, found.upper) == pytest.approx((0.702, 0.988), abs=5e-4)


def test_net_benefit() -> None:
    """Treating everybody at a threshold equal to the prevalence gains nothing."""
    y = np.arange(20) < 5
    table = net_benefit(y, np.full(20, 0.5), [0.25])
    assert float(table["treat_all"].iloc[0]) == pytest.approx(0, abs=1e-15)


def test_g_mean() -> None:
    """The geometric mean of sensitivity 8/10 and specificity 15/20."""
    y, called = np.repeat([1, 0], [10, 20]), np.repeat([1, 0, 1, 0], [8, 2, 5, 15])
    assert float(classification.g_mean(classification.count(y, called))) == pytest.approx(np.sqrt(0.8 * 0.75))


def test_benjamini_hochberg() -> None:
    """The fifteen p-values of the paper of 1995 (and SciPy's adjustment of them): four are below 0.05."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    found = adjust_p(p, "benjamini-hochberg")
    assert int((found <= 0.05).sum()) == 4
    np.testing.assert_allclose(found, stats.false_discovery_control(p, method="bh"))
