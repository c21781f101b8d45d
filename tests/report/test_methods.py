"""How it was done."""

from __future__ import annotations

from dataclasses import replace

from isthmus import select
from isthmus.report import methods
from isthmus.study.result import Result


def test_steps_carry_what_they_may_see(full_run: Result) -> None:
    """Each step is printed with the kind its own class declares."""
    steps = methods.model_view(full_run).frame["Steps, in order"].iloc[0]
    assert steps == "impute [U] → scale [U] → correlation [U] → lasso [S]"


def test_every_selector_has_a_kind() -> None:
    """No step of the selection is printed with a question mark."""
    assert set(select.STEPS) <= set(methods.step_kinds())


def test_default_steps_are_printed(quiet: Result) -> None:
    """A model that names no steps is printed with those its estimator gets."""
    assert "impute [U]" in methods.model_view(quiet).frame["Steps, in order"].iloc[0]


def test_step_settings_are_printed(quiet: Result) -> None:
    """A step's settings stand beside its name."""
    model = {"name": "one", "steps": [{"name": "correlation", "spearman": 0.9}], "estimator": "lasso"}
    frame = methods.model_view(replace(quiet, plan={"models": [model]})).frame
    assert frame["Steps, in order"].item() == "correlation (spearman = 0.9) [U]"


def test_threshold_at_a_sensitivity(quiet: Result) -> None:
    """The rule of the threshold is put into words."""
    plan = {"validate": {"threshold": {"sensitivity": 0.9}}}
    assert any("sensitivity at least 0.9" in text for text in methods.sentences(replace(quiet, plan=plan)))


def test_a_network_is_told_in_words(quiet: Result) -> None:
    """What it is, where it starts and how long it learns; the rest of its settings is in the lock file."""
    step = {
        "name": "network",
        "encoder": {
            "network": "resnet18",
            "dims": 3,
            "layer": "avgpool",
            "weights": {"origin": "random"},
            "attention": True,
        },
        "train": {"epochs": 50, "learning_rate": 0.001, "trains": "head", "augment": {"noise": 0.1}},
        "combine": "attention",
    }
    model = {"name": "net", "estimator": "logistic", "steps": [step, {"name": "univariate", "tests": ["t", "u"]}]}
    told = methods.model_view(replace(quiet, plan={"models": [model]})).frame["Steps, in order"].iloc[0]
    assert told == (
        "network (resnet18 in 3-D, layer avgpool, starts from random numbers, attention over places, at most 50 epochs, "
        "learning rate 0.001, only its head learns, combine = attention) [S] → univariate (tests = t, u) [S]"
    )
