"""Columns of a table at the head of a network, trained together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.deep import CROPS, Crops, JointNetwork
from isthmus.errors import PlanError, TableError
from isthmus.models.pipeline import Pipeline
from isthmus.stats.roc import auc

torch = pytest.importorskip("torch")

RANDOM = {"weights": {"origin": "random"}}
ENCODER = {"network": "resnet10_narrow", **RANDOM}
QUICK = {"epochs": 6, "patience": 6, "batch": 16, "learning_rate": 0.01, "augment": {"probability": 0.0}}


def rows(n: int, *, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Crops of noise, and a column that tells the outcome."""
    rng = np.random.default_rng(seed)
    events = np.arange(n) % 2
    X = pd.DataFrame({"marker": 2.0 * events - 1 + 0.5 * rng.normal(size=n), "noise": rng.normal(size=n)})
    X[CROPS] = pd.Series(
        [Crops(f"p{i}", rng.normal(size=(1, 16, 16)).astype(np.float16)) for i in range(n)], dtype=object
    )
    return X, events


def test_the_joint_network_starts_as_the_network_it_is_made_of() -> None:
    """The head takes over the weights of the body's own head; the columns have none yet."""
    from isthmus.deep.nets.joint import Joint
    from isthmus.deep.networks import build, get_network

    torch.manual_seed(1)
    network = get_network("resnet10_narrow")
    body = build(network, 2, channels=1, size=16, classes=2).eval()
    crops = torch.rand(3, 1, 16, 16)
    with torch.inference_mode():
        before = body(crops)
        after = Joint(body, network.heads[0], 4).eval()(crops, torch.rand(3, 4))
    torch.testing.assert_close(after, before, rtol=0, atol=0)


def test_what_only_the_columns_carry_is_found() -> None:
    """The image is noise, and the network ranks new patients by the column at its head."""
    X, events = rows(80)
    step = JointNetwork(ENCODER, QUICK, folds=2).fit(X, events)
    new, truth = rows(40, seed=1)
    assert auc(truth, step.transform(new)["joint_resnet10_narrow_score"]) > 0.8


def test_the_columns_are_replaced_and_the_reason_is_told() -> None:
    """What the network has seen is not seen again behind it; columns of other blocks pass."""
    X, events = rows(24)
    X = X.rename(columns={"marker": "clinical.marker", "noise": "other.noise"})
    step = JointNetwork(ENCODER, {**QUICK, "epochs": 1}, folds=2).on_blocks(["clinical"]).fit(X, events)
    assert step.get_feature_names_out().tolist() == ["other.noise", "clinical.joint_resnet10_narrow_score"]
    assert step.dropped_ == {"clinical.marker": "seen by the network at its head"}


def test_training_rows_are_scored_by_networks_that_had_not_seen_them() -> None:
    """What the next step learns from is not what `transform` gives for the same rows."""
    X, events = rows(24)
    pipeline = Pipeline(
        [("joint_network", JointNetwork(ENCODER, {**QUICK, "epochs": 2}, folds=2)), ("estimator", None)]
    )
    from isthmus.table.memory import Rows

    after = pipeline.fit_steps(Rows(X, events, np.arange(24))).X["joint_resnet10_narrow_score"]
    assert not np.allclose(after, pipeline.transform(X)["joint_resnet10_narrow_score"])


@pytest.mark.parametrize("network", ["cnn_lstm", "inception_v3"])
def test_networks_without_a_single_linear_head_are_refused(network: str) -> None:
    """A sequence, and a network with two heads."""
    settings: dict[str, Any] = {"network": network, **RANDOM}
    with pytest.raises(PlanError, match="has no single head"):
        JointNetwork(settings, QUICK).check_settings()


def test_attention_over_crops_is_refused() -> None:
    """Its head stands behind the attention, where there are no columns."""
    with pytest.raises(PlanError, match="no columns beside its head"):
        JointNetwork(ENCODER, QUICK, "attention").check_settings()


def test_a_row_without_crops_is_refused() -> None:
    """It cannot go through the network, and is not given a score by the columns alone."""
    X, events = rows(24)
    X[CROPS] = pd.Series([None, *X[CROPS].tolist()[1:]], dtype=object)
    with pytest.raises(TableError, match="1 rows have no crops"):
        JointNetwork(ENCODER, QUICK).fit(X, events)
