"""The network of attention, trained in seconds, draws lesions of patients it has never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from isthmus.image.io import read_labels
from isthmus.segment.tidy import overlap
from isthmus.study.segment_predict import PredictSettings, segment_predict
from isthmus.study.segment_train import segment_train
from isthmus.study.segmentation import SegmentTrainSettings
from isthmus.synthetic.neck import make_neck_cohort

LESION_HU = (
    900.0  # denser than bone: a few dozen batches are enough. Lesions as hard as real ones: benchmarks/segmentation.py
)


def test_lesions_of_unseen_patients_are_drawn_with_a_dice_of_at_least_080(tmp_path: Path) -> None:
    """Eight necks to learn from, three other patients to draw: the mean lesion Dice."""
    table = make_neck_cohort(tmp_path, patients=11, seed=1, pixel_mm=2.4, slice_mm=3.0, lesion_hu=LESION_HU)
    learned, unseen = tmp_path / "learned.csv", tmp_path / "unseen.csv"
    pd.read_csv(table).iloc[:8].to_csv(learned, index=False)
    pd.read_csv(table).iloc[8:].to_csv(unseen, index=False)
    augment = {
        "p_rotation": 0.1,
        "p_scale": 0.1,
        "p_noise": 0,
        "p_blur": 0,
        "p_low_resolution": 0,
        "p_gamma": 0,
        "p_gamma_inverted": 0,
    }
    settings = SegmentTrainSettings.model_validate(
        {
            "network": "cbam_unet", "dims": 2, "folds": 0, "base_channels": 8, "configuration": {"patch": [1, 32, 32], "batch": 8},
            "train": {"epochs": 12, "iterations": 12, "momentum": 0.9, "learning_rate": 0.15, "foreground": 0.5, "device": "cpu",
                      "augment": augment},
        }
    )  # fmt: skip
    model = segment_train(tmp_path / "model", settings, cases=learned, seed=1)
    segment_predict(model, tmp_path / "drawn", PredictSettings(device="cpu"), cases=unseen)
    dice = []
    for row in pd.read_csv(tmp_path / "drawn" / "predictions.csv").itertuples():
        truth = read_labels(unseen.parent / "masks" / f"{row.patient}_labels.nii.gz").values == 11
        dice.append(overlap(truth, read_labels(tmp_path / "drawn" / str(row.mask)).values == 1))
    assert np.mean(dice) >= 0.8, dice
