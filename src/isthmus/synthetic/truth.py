"""What is true of a synthetic patient: the latent risk, its parts, and the outcome drawn from it.

The risk is a weighted sum of five independent, standardised parts. Two of them only the image shows (texture and shape
of the lesion), three stand in the clinical table (age, size, extension):

    logit P(metastasis) = intercept + signal * GAIN * sum(weight * part)

The outcome of a patient is one uniform number against that probability. The number, like the parts, depends on the seed
and the patient alone: raising the signal changes outcomes, never images, and a patient is the same in a cohort of 6 and
of 6000.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.stats.seeds import child_seed

__all__ = ["GAIN", "PREVALENCE", "WEIGHTS", "attainable_auc", "auc", "draw_truth", "patient_name"]

PREVALENCE = 0.38
GAIN = 2.5
"""Standard deviation of the logit at signal 1."""
WEIGHTS = MappingProxyType({"texture": 0.60, "shape": 0.48, "age": 0.30, "size": 0.40, "extension": 0.40})
"""Their squares sum to one, so the risk has unit variance."""

AGE_MEAN, AGE_SD = 51.0, 14.0
SIZE_MEDIAN_MM, SIZE_LOG_SD = 24.0, 0.32
EXTENSION_SHARE = 0.35
CENTRE_PATTERN = (0, 1, 0, 1, 0)
"""Of five patients, three come from the first centre and two from the others in turn."""


def patient_name(index: int) -> str:
    """The patient's pseudonym."""
    return f"P{index + 1:04d}"


def draw_truth(
    patients: int, *, centres: tuple[str, ...] = ("A", "B"), signal: float = 1.0, seed: int = 1, null: bool = False
) -> pd.DataFrame:
    """One row per patient: parts of the risk, probability, outcome and clinical values. No image is made.

    Parameters
    ----------
    patients : int
    centres : tuple of str
        The first centre gets three patients of five, the others share the rest.
    signal : float
        0 or more; scales every weight alike. 0 is the null cohort.
    seed : int
    null : bool
        The outcome depends on nothing, whatever the signal.

    Returns
    -------
    DataFrame
        Columns `patient, centre, texture, shape, age, size, extension` (standardised parts), `risk` (the weighted sum),
        `part_texture, part_shape, part_clinical` (what each adds to the logit), `probability`, `outcome`, and the
        clinical values `age_years, sex, tumour_size_mm, extrathyroidal_extension, tsh_miu_l, lesion_diameter_mm`.
    """
    if patients < 1:
        raise ValueError(f"patients = {patients}: expected 1 or more")
    if not centres or len(set(centres)) != len(centres):
        raise ValueError(f"centres = {centres!r}: expected one or more different names")
    if signal < 0:
        raise ValueError(f"signal = {signal}: expected 0 or more")
    strength = 0.0 if null else signal * GAIN
    rows = [_patient(index, centres, seed) for index in range(patients)]
    truth = pd.DataFrame(rows)
    effects = {part: strength * weight * truth[part] for part, weight in WEIGHTS.items()}
    truth["risk"] = sum(weight * truth[part] for part, weight in WEIGHTS.items())
    truth["part_texture"] = effects["texture"]
    truth["part_shape"] = effects["shape"]
    truth["part_clinical"] = effects["age"] + effects["size"] + effects["extension"]
    truth["probability"] = _logistic(_intercept(strength) + strength * truth["risk"].to_numpy())
    truth["outcome"] = (truth.pop("uniform") < truth["probability"]).astype(np.int64)
    return truth


def attainable_auc(signal: float) -> float:
    """The AUC of the true risk in an endless cohort: what no model can beat on average (0.5 at signal 0).

    The risk is taken as normal (its only other part, extension, carries a sixth of the variance).
    """
    risk, weight = _normal_grid()
    probability = _logistic(_intercept(signal * GAIN) + signal * GAIN * risk)
    events, others = weight * probability, weight * (1.0 - probability)
    if signal == 0:
        return 0.5
    below = np.cumsum(others) - 0.5 * others
    return float(np.sum(events * below) / (events.sum() * others.sum()))


def auc(score: NDArray[np.float64], outcome: NDArray[np.int64]) -> float:
    """The share of pairs (event, non-event) that the score puts in the right order, ties counting half."""
    from scipy.stats import rankdata

    n_events = int(outcome.sum())
    n_others = len(outcome) - n_events
    if n_events == 0 or n_others == 0:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[outcome == 1].sum() - n_events * (n_events + 1) / 2) / (n_events * n_others))


def _patient(index: int, centres: tuple[str, ...], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(child_seed(seed, "truth", index))
    texture, shape, age, size = np.clip(rng.standard_normal(4), -2.2, 2.2)
    extension = rng.uniform() < EXTENSION_SHARE
    uniform, is_male = rng.uniform(), rng.uniform() < 0.28
    diameter_mm = SIZE_MEDIAN_MM * np.exp(SIZE_LOG_SD * size)
    tsh = float(np.round(np.exp(rng.normal(0.5, 0.6)), 2))
    return {
        "patient": patient_name(index),
        "centre": _centre(index, centres),
        "texture": texture,
        "shape": shape,
        "age": age,
        "size": size,
        "extension": (extension - EXTENSION_SHARE) / np.sqrt(EXTENSION_SHARE * (1 - EXTENSION_SHARE)),
        "uniform": uniform,
        "age_years": int(np.round(AGE_MEAN + AGE_SD * age)),
        "sex": "M" if is_male else "F",
        "tumour_size_mm": float(np.round(diameter_mm + rng.normal(0, 1.0), 1)),
        "extrathyroidal_extension": "yes" if extension else "no",
        "tsh_miu_l": np.nan if rng.uniform() < 0.1 else tsh,  # a real table has holes
        "lesion_diameter_mm": diameter_mm,
    }


def _centre(index: int, centres: tuple[str, ...]) -> str:
    turn, place = divmod(index, len(CENTRE_PATTERN))
    if CENTRE_PATTERN[place] == 0 or len(centres) == 1:
        return centres[0]
    visit = 2 * turn + sum(CENTRE_PATTERN[:place])
    return centres[1 + visit % (len(centres) - 1)]


def _logistic(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _normal_grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = np.linspace(-6.0, 6.0, 4001)
    weight = np.exp(-0.5 * points**2)
    return points, weight / weight.sum()


def _intercept(strength: float) -> float:
    """The intercept that keeps the prevalence, whatever the strength."""
    from scipy.optimize import brentq

    risk, weight = _normal_grid()
    return float(brentq(lambda a: np.sum(weight * _logistic(a + strength * risk)) - PREVALENCE, -20.0, 20.0))
