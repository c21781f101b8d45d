"""isthmus.synthetic.truth: the planted risk, its strength, and the null."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.synthetic.truth import PREVALENCE, WEIGHTS, attainable_auc, auc, draw_truth

LARGE = 3000


@pytest.fixture(scope="module")
def planted():
    return draw_truth(LARGE)


@pytest.fixture(scope="module")
def null():
    return draw_truth(LARGE, null=True)


def test_weights_have_unit_length() -> None:
    """The risk has unit variance, so `GAIN` is the standard deviation of the logit."""
    assert sum(weight**2 for weight in WEIGHTS.values()) == pytest.approx(1.0, abs=1e-3)


def test_parts_are_standardised_and_independent(planted) -> None:
    """No part carries another's information: correlations are within four standard errors of 0."""
    correlation = planted[list(WEIGHTS)].corr().to_numpy() - np.eye(len(WEIGHTS))
    assert np.abs(correlation).max() < 4 / np.sqrt(LARGE)


@pytest.mark.parametrize("part", ["risk", *WEIGHTS])
def test_null_outcome_depends_on_nothing(null, part: str) -> None:
    """In a null cohort the risk and each of its parts have an AUC of 0.5, within four standard errors."""
    assert auc(null[part].to_numpy(), null["outcome"].to_numpy()) == pytest.approx(0.5, abs=4 * 0.0108)


def test_signal_zero_is_the_null(null) -> None:
    """Signal 0 and null give the same outcomes."""
    assert draw_truth(LARGE, signal=0.0)["outcome"].equals(null["outcome"])


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.0, 2.0])
def test_prevalence_does_not_depend_on_the_signal(signal: float) -> None:
    """The share of events stays, within four standard errors."""
    share = draw_truth(LARGE, signal=signal)["outcome"].mean()
    assert share == pytest.approx(PREVALENCE, abs=4 * np.sqrt(PREVALENCE * (1 - PREVALENCE) / LARGE))


@pytest.mark.parametrize("signal", [0.5, 1.0, 2.0])
def test_attainable_auc_is_what_a_large_cohort_shows(signal: float) -> None:
    """The computed AUC of the true risk agrees with the drawn one, within four standard errors."""
    truth = draw_truth(LARGE, signal=signal)
    assert auc(truth["risk"].to_numpy(), truth["outcome"].to_numpy()) == pytest.approx(
        attainable_auc(signal), abs=4 * 0.009
    )


def test_more_signal_more_auc() -> None:
    """Dose and response: the attainable AUC rises with the signal from one half."""
    rising = [attainable_auc(signal) for signal in (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)]
    assert rising[0] == 0.5
    assert np.all(np.diff(rising) > 0)


def test_probability_is_calibrated(planted) -> None:
    """In each fifth of the predicted probability, events occur as often as it says, within four standard errors."""
    fifth = np.digitize(planted["probability"], planted["probability"].quantile([0.2, 0.4, 0.6, 0.8]))
    groups = planted.groupby(fifth)
    expected = groups["probability"].mean()
    error = 4 * np.sqrt(expected * (1 - expected) / groups.size())
    assert (np.abs(groups["outcome"].mean() - expected) < error).all()


def test_logit_is_the_sum_of_its_parts(planted) -> None:
    """Probability follows from the three recorded parts and one intercept."""
    logit = np.log(planted["probability"] / (1 - planted["probability"]))
    rest = logit - planted[["part_texture", "part_shape", "part_clinical"]].sum(axis=1)
    assert rest.std() < 1e-9


def test_patient_is_the_same_in_any_cohort(planted) -> None:
    """The first rows of a large cohort are the small cohort."""
    assert draw_truth(7).equals(planted.head(7))


def test_three_of_five_patients_come_from_the_first_centre() -> None:
    """Centres share the patients in a fixed pattern, the first getting most."""
    shares = draw_truth(100, centres=("A", "B", "C"))["centre"].value_counts().to_dict()
    assert shares == {"A": 60, "B": 20, "C": 20}


def test_auc_counts_ties_half() -> None:
    """Two pairs of four right, one tied: 0.625."""
    assert auc(np.array([1.0, 2.0, 2.0, 0.0]), np.array([0, 1, 0, 1])) == pytest.approx(1.5 / 4)


def test_auc_of_one_class_is_missing() -> None:
    """Without events there is no AUC."""
    assert np.isnan(auc(np.array([1.0, 2.0]), np.array([0, 0])))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "patients = 0"),
        ({"patients": 5, "centres": ("A", "A")}, "centres = "),
        ({"patients": 5, "signal": -1.0}, "signal = -1.0"),
    ],
)
def test_impossible_arguments_are_named(wrong, message: str) -> None:
    """The message says which argument came."""
    with pytest.raises(ValueError, match=message):
        draw_truth(**wrong)
