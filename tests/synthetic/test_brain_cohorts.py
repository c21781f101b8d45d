"""The cohorts of meningioma, Alzheimer's and Parkinson's disease: sizes met, images that show what was planted, and the same bits again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import binary_dilation

from isthmus.features.profiles import uptake
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, read_labels
from isthmus.roi import Roi
from isthmus.synthetic import alzheimer, meningioma, parkinson
from isthmus.synthetic.brain import MR_SCANNERS
from isthmus.synthetic.hippocampus import LEFT, RIGHT, Hippocampi, render_hippocampi
from isthmus.synthetic.planted import draw_classes
from isthmus.synthetic.striatum import BY_UPTAKE, CAUDATE, PUTAMEN, REFERENCE, Striatum, of_uptake, render_striatum
from isthmus.synthetic.tumour3d import Meningioma, render_meningioma

MAKERS = {
    "meningioma": (meningioma.make_meningioma, {"A": (2, 1), "E": (1, 1)}, "image:t1c", "mask:tumour", {1}),
    "alzheimer": (alzheimer.make_alzheimer, {"A": (1, 1, 1, 1), "E": (1, 0, 0, 0)}, "image:t1", "mask:t1", {17, 53}),
    "parkinson": (
        parkinson.make_parkinson,
        parkinson.ParkinsonSize((2, 1, 1), (1, 1, 2)),
        "image:spect",
        "mask:mri",
        {11, 12, 50, 51, 100},
    ),
}


@pytest.fixture(scope="module", params=MAKERS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The cohort planted, and the null one with the same seed: name, folders."""
    make, sizes, *_ = MAKERS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    for name, signal in (("planted", 1.0), ("null", 0.0)):
        make(folder / name, sizes=sizes, signal=signal, workers=2)
    return request.param, folder


def test_masks_lie_on_the_grid_of_their_image(made):
    """And hold the labels they should, nothing else."""
    name, folder = made
    _, _, image, mask, labels = MAKERS[name]
    row = pd.read_csv(folder / "planted" / "cases.csv").iloc[0]
    seen, drawn = read_image(folder / "planted" / row[image]), read_labels(folder / "planted" / row[mask])
    assert seen.geometry.same_grid(drawn.geometry)
    assert set(np.unique(drawn.values)) - {0} == labels


def test_without_signal_images_stay_and_risks_are_one(made):
    """The null cohort is the same patients to the last bit, and nothing about them is a risk."""
    name, folder = made
    image = MAKERS[name][2]
    row = pd.read_csv(folder / "null" / "cases.csv").iloc[0]
    one, other = (read_image(folder / which / row[image]).values for which in ("planted", "null"))
    assert np.array_equal(one, other)
    truth = pd.read_csv(folder / "null" / "truth.csv")
    assert truth.filter(like="risk").eq(0).all(axis=None)


def test_another_number_of_workers_gives_the_same_bits(made, tmp_path):
    """Patients do not depend on who else is drawn at the time."""
    name, folder = made
    make, sizes, image, *_ = MAKERS[name]
    make(tmp_path, sizes=sizes, workers=1)
    assert (tmp_path / "cases.csv").read_bytes() == (folder / "planted" / "cases.csv").read_bytes()
    row = pd.read_csv(tmp_path / "cases.csv").iloc[-1]
    assert np.array_equal(*(read_image(Path(where) / row[image]).values for where in (tmp_path, folder / "planted")))


def test_study_sizes_are_those_of_the_studies():
    """3,523 with 1,900 of low grade; 2,956; 161 twice."""
    grades = np.array(list(meningioma.STUDY_SIZE.values())).sum(axis=0)
    years = parkinson.STUDY_SIZE
    assert grades.tolist() == [1900, 1623]
    assert np.array(list(alzheimer.STUDY_SIZE.values())).sum() == 2956
    assert (sum(years.year_0), sum(years.year_4)) == (161, 161)


def test_classes_follow_the_risk_and_meet_their_numbers():
    """Exact counts; a class higher, a mean risk higher."""
    risk = 2.0 * np.random.default_rng(1).standard_normal(400)
    found = draw_classes(risk, (200, 150, 50), np.random.default_rng(2))
    means = [risk[found == label].mean() for label in range(3)]
    assert np.bincount(found).tolist() == [200, 150, 50]
    assert means == sorted(means)


def test_without_risk_classes_are_luck():
    """The same luck orders patients, whatever their number in the table."""
    found = draw_classes(np.zeros(2000), (1000, 1000), np.random.default_rng(3))
    assert abs(np.corrcoef(found, np.arange(2000))[0, 1]) < 0.06


def _inside_sd(values: np.ndarray, mask: np.ndarray) -> float:
    return float(values[mask].std() / values[mask].mean())


def test_a_more_uneven_tumour_looks_so_in_both_contrasts():
    """More than twice as uneven."""
    found = {}
    for unevenness in (0.05, 0.4):
        scans = render_meningioma(
            Meningioma(26.0, 0.05, unevenness, 2.8, 0.0, 2.0), MR_SCANNERS["A"], np.random.default_rng(4)
        )
        found[unevenness] = [_inside_sd(scans.values[name], scans.labels == 1) for name in ("t1", "t2")]
    assert (np.array(found[0.4]) / np.array(found[0.05]) > 2).all()


def test_lost_hippocampus_is_a_smaller_mask():
    """By the cube in width and height, not in length: a shrinkage of 0.2 leaves about exp(-0.4)."""
    ml = []
    for shrinkage in (0.0, 0.2):
        scan = render_hippocampi(Hippocampi(shrinkage, 0.05, 2.6), MR_SCANNERS["C"], np.random.default_rng(5))
        ml.append((scan.labels > 0).sum() * scan.geometry.voxel_volume_mm3 / 1000)
    assert ml[1] / ml[0] == pytest.approx(np.exp(-0.4), rel=0.06)


def test_the_left_hippocampus_lies_on_the_patients_left():
    """Whatever way the slices run: its label is at positive x of LPS."""
    scan = render_hippocampi(Hippocampi(0.0, 0.05, 2.6), MR_SCANNERS["A"], np.random.default_rng(6))
    x = {
        label: (scan.geometry.affine @ [*np.argwhere(scan.labels == label).mean(axis=0), 1])[0]
        for label in (LEFT, RIGHT)
    }
    assert x[LEFT] > 15
    assert x[RIGHT] < -15


def test_unevenness_of_the_hippocampus_is_seen_behind_the_noise():
    """And does not move its outline."""
    scans = [
        render_hippocampi(Hippocampi(0.0, uneven, 2.6), MR_SCANNERS["A"], np.random.default_rng(7))
        for uneven in (0.02, 0.2)
    ]
    low, high = (_inside_sd(scan.values, scan.labels > 0) for scan in scans)
    assert high > 1.5 * low
    assert np.array_equal(scans[0].labels, scans[1].labels)


def ratios(spect: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """By the profile `uptake`."""
    regions = {
        f"{name}_{side}": label
        for name, two in (("caudate", CAUDATE), ("putamen", PUTAMEN))
        for side, label in two.items()
    }
    settings = uptake.Settings(regions=regions, reference=REFERENCE)
    geometry = Geometry(shape=spect.shape, spacing_mm=(2.0, 2.0, 2.0))
    roi = Roi(labels > 0, geometry, parts={label: labels == label for label in settings.label})
    values = uptake.compute(Image(spect, geometry), roi, settings)
    return dict(zip([meta.column for meta in uptake.columns(settings)], values.tolist(), strict=True))


def test_masks_of_the_uptake_hold_most_of_the_striatum():
    """By value and by threshold: every region there, and more than half of either mask within what MR shows, grown by the wide spread."""
    scans = render_striatum(Striatum(2.9, 2.4, 0.3, 0.0, 0.1, 5.5), np.random.default_rng(8))
    grown = binary_dilation((scans.labels > 0) & (scans.labels != REFERENCE), iterations=2)
    for how in BY_UPTAKE:
        found = of_uptake(scans, how)
        assert set(np.unique(found)) == {0, *CAUDATE.values(), *PUTAMEN.values(), REFERENCE}
        assert grown[(found > 0) & (found != REFERENCE)].mean() > 0.5


def _binding(**changed: float) -> dict[str, float]:
    planted = {"caudate": 2.9, "putamen": 2.4, "gradient": 0.3, "asymmetry": 0.0, "patchiness": 0.0, "patch_mm": 5.5}
    scans = render_striatum(Striatum(**{**planted, **changed}), np.random.default_rng(8))
    return ratios(scans.spect, scans.labels)


def test_the_wide_spread_takes_half_of_the_binding():
    """Partial volume: the ratio measured in the outline lies well below the planted one, and above none."""
    assert 0.3 * 2.9 < _binding()["sbr_caudate_left"] < 0.7 * 2.9


def test_lost_binding_and_asymmetry_are_what_the_ratios_say():
    """Of the putamen alone; of the left side alone."""
    plain, lost, uneven = _binding(), _binding(putamen=1.0), _binding(asymmetry=-0.6)
    assert lost["putamen_to_caudate"] < 0.75 * plain["putamen_to_caudate"]
    assert uneven["sbr_putamen_left"] < uneven["sbr_putamen_right"]
    assert uneven["asymmetry_putamen"] > 0.2 > plain["asymmetry_putamen"]
