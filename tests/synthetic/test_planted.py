"""Cohorts whose signal only the image carries: exact numbers, the same images whatever the signal, and what the images show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from scipy.stats import spearmanr

from isthmus.stats.roc import auc
from isthmus.synthetic.esophagus import render_esophagus
from isthmus.synthetic.planted import PlantedSet, draw_classes, draw_patients
from isthmus.synthetic.radiograph import UNITS, Jaw, render_radiograph
from isthmus.synthetic.ultrasound import MACHINES, Nodule, render_frame

SETS = (PlantedSet("train", ("A", "B"), (30, 20, 10)), PlantedSet("external", ("C",), (5, 5, 5)))


def test_every_set_has_its_numbers_exactly():
    """Patients of each class, centres in turn."""
    patients = draw_patients("x", SETS, {"texture": 1.0}, signal=1.0, seed=1)
    counts = pd.crosstab(patients["split"], patients["outcome"])
    assert counts.loc["train"].tolist() == [30, 20, 10]
    assert counts.loc["external"].tolist() == [5, 5, 5]
    assert patients.loc[patients["split"] == "train", "centre"].value_counts().tolist() == [30, 30]


def test_the_latents_do_not_depend_on_the_signal():
    """So images stay, and only the outcome changes."""
    planted, null = (draw_patients("x", SETS, {"texture": 1.0, "size": 0.5}, signal=s, seed=1) for s in (1.0, 0.0))
    pd.testing.assert_frame_equal(planted[["patient", "texture", "size"]], null[["patient", "texture", "size"]])
    assert (planted["outcome"] != null["outcome"]).any()


@pytest.mark.parametrize(("slope", "expected"), [(0.0, 0.5), (1.0, 0.76)])
def test_the_log_odds_are_the_planted_ones(slope: float, expected: float):
    """With half of the patients in each class the AUC is that of a logistic model with this slope."""
    rng = np.random.default_rng(1)
    risk = slope * rng.standard_normal(20_000)
    found = draw_classes(risk, (10_000, 10_000), rng)
    assert auc(found, risk + 1e-9 * rng.standard_normal(20_000)) == pytest.approx(expected, abs=0.02)


def test_trabeculae_that_stand_apart_make_a_coarser_picture():
    """Neighbouring pixels of bone are more alike, at the same exposure."""
    found = []
    for spacing in (0.7, 2.0):
        shown = render_radiograph(Jaw(spacing_mm=spacing, share=0.42), UNITS["A"], np.random.default_rng(1))
        bone = ndimage.gaussian_filter(shown.values.astype(float), 1.0)
        lines = bone - ndimage.gaussian_filter(bone, 8.0)
        found.append(np.hypot(*np.gradient(bone))[shown.mask].mean() / lines[shown.mask].std())
    assert found[0] > 1.2 * found[1]


def test_bone_is_brighter_than_marrow_and_darker_than_roots():
    """More trabeculae take more of the beam."""
    bright = [
        render_radiograph(Jaw(spacing_mm=1.0, share=share), UNITS["A"], np.random.default_rng(1))
        for share in (0.3, 0.6)
    ]
    assert bright[0].values[bright[0].mask].mean() < bright[1].values[bright[1].mask].mean()
    assert bright[1].values[:40].max() > bright[1].values[bright[1].mask].mean()


def test_the_texture_of_the_wall_is_seen_in_the_tumour():
    """Its deviation follows the latent."""
    axis = np.arange(-20, 21, dtype=np.float32)
    latents = np.linspace(-2, 2, 9)
    spread = []
    for number, latent in enumerate(latents):
        hu, tumour = render_esophagus(latent, 0.0, (axis, axis, axis), np.random.default_rng(number))
        spread.append(hu[tumour > 0.99].std())
    assert spearmanr(latents, spread)[0] >= 0.85


def test_the_rim_is_seen_around_the_nodule_and_not_in_it():
    """Without a rim a frame is what it was before there were rims."""
    plain, rimmed = (
        render_frame(
            Nodule(size_mm=9, heterogeneity_db=3, rim_mm=mm, rim_db=10), MACHINES["A"], np.random.default_rng(1)
        )
        for mm in (0.0, 3.0)
    )
    ring = ndimage.binary_dilation(plain.mask, iterations=12) & ~plain.mask
    smooth = [ndimage.gaussian_filter(frame.values.astype(float), 3.0) for frame in (plain, rimmed)]
    assert smooth[1][ring].std() > 1.2 * smooth[0][ring].std()
