"""Agreement of nuclei, spatial statistics and summaries: against values known by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import GeometryMismatchError
from isthmus.pathology import NUCLEAR_FEATURES, Tissue, compare_nuclei
from isthmus.pathology.spatial import delaunay_edges, moran, neighbour_distances, ripley_l
from isthmus.pathology.summary import summarise, summarise_patient

TISSUE = Tissue(np.ones((125, 125), dtype=bool), 8.0, 1, 0.0)


def labels(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    picture = np.zeros((20, 20), dtype=np.int32)
    for n, (top, bottom, left, right) in enumerate(boxes, 1):
        picture[top:bottom, left:right] = n
    return picture


def test_the_same_nuclei_agree_wholly() -> None:
    found = compare_nuclei(labels((0, 5, 0, 5), (8, 14, 8, 14)), labels((8, 14, 8, 14), (0, 5, 0, 5)))
    assert (found.dice, found.f1, found.panoptic_quality, found.aggregated_jaccard) == (1, 1, 1, 1)


def test_a_half_found_and_a_false_nucleus_have_the_values_worked_out_by_hand() -> None:
    """Labelled 4 x 5 and 4 x 4; found 4 x 4 of the first (IoU 0.8) and a 3 x 3 elsewhere."""
    found = compare_nuclei(labels((0, 4, 0, 5), (10, 14, 10, 14)), labels((0, 4, 0, 4), (16, 19, 0, 3)))
    assert (found.labelled, found.found, found.matched) == (2, 2, 1)
    assert found.f1 == 0.5
    assert found.panoptic_quality == pytest.approx(0.4)
    assert found.dice == pytest.approx(2 * 16 / (36 + 25))
    assert found.aggregated_jaccard == pytest.approx(16 / (20 + 16 + 9))


def test_nothing_found_is_zero() -> None:
    found = compare_nuclei(labels((0, 4, 0, 5)), labels())
    assert (found.dice, found.f1, found.panoptic_quality, found.aggregated_jaccard) == (0, 0, 0, 0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(GeometryMismatchError, match="shape"):
        compare_nuclei(labels(), labels()[1:])


def test_neighbours_of_a_lattice_are_a_step_away() -> None:
    y, x = np.mgrid[:6, :6] * 10.0
    assert neighbour_distances(np.column_stack([x.ravel(), y.ravel()]), 2) == pytest.approx(10)


def test_points_strewn_at_random_have_no_ripley() -> None:
    """L(r) - r within 2 um of 0; a partner more for every point is pi r2 + 1 / density in K; a lattice is below 0."""
    draw = np.random.default_rng(3)
    points = draw.uniform(0, 1000, (3000, 2))
    assert np.abs(ripley_l(points, TISSUE, [20, 50])).max() < 2
    pairs = np.vstack([points[:1500], points[:1500] + draw.normal(0, 2, (1500, 2))])
    y, x = np.mgrid[:50, :50] * 20.0 + 10
    assert ripley_l(pairs, TISSUE, [20])[0] == pytest.approx(np.sqrt(20**2 + 1 / (np.pi * 0.003)) - 20, abs=0.6)
    assert ripley_l(np.column_stack([x.ravel(), y.ravel()]), TISSUE, [18])[0] < -5


def test_moran_sees_a_gradient_and_not_noise() -> None:
    draw = np.random.default_rng(5)
    points = draw.uniform(0, 1000, (1000, 2))
    assert moran(points, points[:, 0]) > 0.9
    assert abs(moran(points, draw.standard_normal(1000))) < 0.1
    assert np.isnan(moran(points, np.ones(1000)))


def test_the_edges_of_a_square_are_its_sides_and_a_diagonal() -> None:
    edges = np.sort(delaunay_edges([[0, 0], [10, 0], [0, 10], [10, 10]], 100))
    assert edges == pytest.approx([10, 10, 10, 10, np.sqrt(200)])


@pytest.fixture(scope="module")
def nuclei() -> pd.DataFrame:
    draw = np.random.default_rng(7)
    table = pd.DataFrame(draw.normal(10, 1, (400, 28)), columns=list(NUCLEAR_FEATURES))
    table[["x_um", "y_um"]] = draw.uniform(0, 1000, (400, 2))
    table["class"] = np.where(np.arange(400) < 100, "neoplastic", "inflammatory")
    table.loc[:99, "area"] = draw.normal(30, 6, 100)
    table["perimeter"] = (table["x_um"] // 250) * 10 + draw.normal(0, 0.1, 400)
    return table


def test_a_summary_has_the_plain_statistics(nuclei: pd.DataFrame) -> None:
    found = summarise(nuclei, TISSUE)
    area = nuclei["area"]
    assert found["all_area_mean"] == pytest.approx(area.mean())
    assert found["all_area_cv"] == pytest.approx(area.std() / area.mean())
    assert found["all_area_skewness"] == pytest.approx(((area - area.mean()) ** 3).mean() / area.std(ddof=0) ** 3)
    assert found["neoplastic_share"] == 0.25
    assert found["all_per_mm2"] == pytest.approx(400)


def test_two_populations_are_two_components(nuclei: pd.DataFrame) -> None:
    found = summarise(nuclei, TISSUE)
    assert found["all_area_components"] == 2
    assert found["all_energy_components"] == 1


def test_what_differs_between_fields_is_told_from_what_differs_within(nuclei: pd.DataFrame) -> None:
    found = summarise(nuclei, TISSUE)
    assert found["all_perimeter_ith_icc"] > 0.95
    assert found["all_energy_ith_icc"] < 0.1


def test_heterogeneity_is_within_a_class(nuclei: pd.DataFrame) -> None:
    """Robust spread 6 among the neoplastic, 1 among the others: 3.5 on average; the difference between the classes does not count."""
    assert summarise(nuclei, TISSUE)["ith_area"] == pytest.approx(3.5, abs=0.6)


def test_no_nuclei_are_no_error() -> None:
    empty = pd.DataFrame(columns=["x_um", "y_um", "class", *NUCLEAR_FEATURES]).astype(
        dict.fromkeys(NUCLEAR_FEATURES, float)
    )
    found = summarise(empty, TISSUE)
    assert found["all_count"] == 0
    assert np.isnan(found["all_area_mean"])


def test_slides_of_a_patient_count_by_their_nuclei() -> None:
    slides = pd.DataFrame({"all_count": [100.0, 300.0], "tissue_mm2": [1.0, 2.0], "all_area_mean": [20.0, 40.0]})
    assert summarise_patient(slides) == {"all_count": 400, "tissue_mm2": 3, "all_area_mean": 35}


def test_the_artefacts_of_a_patient_are_those_of_all_his_tissue() -> None:
    """1 mm2 left and 1 lost on one slide, 3 left and none lost on the other: a fifth, however many nuclei there are."""
    slides = pd.DataFrame({"tissue_mm2": [1.0, 3.0], "artefact_share": [0.5, 0.0], "all_count": [1.0, 900.0]})
    assert summarise_patient(slides)["artefact_share"] == pytest.approx(0.2)
