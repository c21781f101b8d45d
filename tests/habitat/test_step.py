"""iTED as a step: learned on training rows, stored without executing anything, row by row."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from isthmus import models
from isthmus.errors import PlanError, TableError
from isthmus.habitat import NAMES, SUPERVOXELS, Habitats, Ited, SupervoxelTable, ited, ited_columns
from isthmus.habitat.settings import ItedSettings
from isthmus.models.settings import ModelSettings
from isthmus.table.steps import check_order, context_strata
from validate.drawn import STEPS


def patient(number: int) -> SupervoxelTable:
    rng = np.random.default_rng(number)
    n = 12 + number
    values = rng.lognormal(0, 0.4, (n, len(NAMES))) + 3 * (np.arange(n) % 2)[:, None]
    return SupervoxelTable(f"p{number}", values, rng.integers(100, 500, n).astype(float))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    cells = pd.Series([patient(n) for n in range(6)], index=[f"p{n}" for n in range(6)], dtype=object)
    return pd.DataFrame({"age": np.arange(6.0), SUPERVOXELS: cells}, index=cells.index)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Ited:
    return Ited().fit(frame.iloc[:4])


def test_it_adds_the_93_values(fitted: Ited, frame: pd.DataFrame) -> None:
    """Columns before it stay; the supervoxels travel on as context."""
    out = fitted.transform(frame)
    assert out.columns.tolist() == ["age", *ited_columns(whole=False), SUPERVOXELS]
    assert list(fitted.get_feature_names_out()) == ["age", *ited_columns(whole=False)]


def test_all_columns_are_there_when_asked_for(frame: pd.DataFrame) -> None:
    """`whole`: limits, standard error, k and the plain dispersions too."""
    step = Ited(whole=True, resamples=20).fit(frame)
    found = step.transform(frame)
    assert found.loc["p3", "ited_glcm_Contrast_se"] > 0


def test_a_row_alone_has_the_bits_of_the_batch(fitted: Ited, frame: pd.DataFrame) -> None:
    """Each patient on his own."""
    names = ited_columns(whole=False)
    pd.testing.assert_frame_equal(fitted.transform(frame.iloc[[4]])[names], fitted.transform(frame)[names].iloc[[4]])


def test_it_comes_back_from_its_state(fitted: Ited, frame: pd.DataFrame) -> None:
    """JSON there and back: the same bits."""
    again = Ited.from_state(json.loads(json.dumps(fitted.to_state())))
    names = ited_columns(whole=False)
    pd.testing.assert_frame_equal(again.transform(frame)[names], fitted.transform(frame)[names])


def test_it_learns_from_training_rows_only(frame: pd.DataFrame) -> None:
    """The scale is that of the rows given to `fit`: other rows give another, and transforming changes nothing."""
    step = Ited().fit(frame.iloc[:4])
    before = json.dumps(step.to_state())
    step.transform(frame)
    assert json.dumps(step.to_state()) == before != json.dumps(Ited().fit(frame).to_state())


def test_compat_learns_nothing(frame: pd.DataFrame) -> None:
    """Its values are those of the patient alone."""
    out = Ited(variant="compat").fit(frame.iloc[:2]).transform(frame)
    alone = ited(patient(5), ItedSettings(variant="compat", resamples=0))
    names = ited_columns(whole=False)
    np.testing.assert_array_equal(out.loc["p5", names].to_numpy(dtype=float), alone[names])


def test_a_patient_without_supervoxels_has_nan(fitted: Ited, frame: pd.DataFrame) -> None:
    """None in the cell: a row of NaN, never of zeros."""
    other = frame.copy()
    other.at["p0", SUPERVOXELS] = None
    assert fitted.transform(other).loc["p0", ited_columns(whole=False)].isna().all()


def test_it_may_not_run_before_the_split() -> None:
    """It is unsupervised: fitted in the fold."""
    from isthmus.errors import LeakageError

    with pytest.raises(LeakageError):
        check_order([Ited()], where="before the split")


def test_it_can_be_cloned() -> None:
    """Settings are parameters, as scikit-learn wants them."""
    assert clone(Ited(components=2)).get_params()["components"] == 2


@pytest.mark.parametrize(
    ("step", "error", "match"),
    [
        (Ited(variant="best"), PlanError, "variant"),
        (Ited(components=9), PlanError, "components"),
    ],
)
def test_settings_that_cannot_be(step: Ited, error: type[Exception], match: str) -> None:
    """Refused by name when a plan is checked."""
    with pytest.raises(error, match=match):
        step.check_settings()


@pytest.mark.parametrize(("cell", "match"), [("text", "SupervoxelTable"), (None, "no training row has supervoxels")])
def test_rows_it_cannot_learn_from(cell: object, match: str) -> None:
    """Something else in the cell, or nothing anywhere: said, with the column."""
    with pytest.raises(TableError, match=match):
        Ited().fit(pd.DataFrame({SUPERVOXELS: pd.Series([cell, cell], dtype=object)}))


@pytest.mark.parametrize("step", ["ited", "habitat"])
def test_it_stands_in_a_model_and_in_a_model_file(frame: pd.DataFrame, step: str) -> None:
    """Fitted with the model on its rows, written without executing anything, the same probabilities after reading; and folds are not dealt
    by the objects in the context column."""
    known = {**STEPS, "ited": Ited, "habitat": Habitats}
    spec = ModelSettings(name="m", estimator="logistic", settings={"C": 1.0}, steps=[step, "impute", "scale"])
    model = models.build(spec, frame, seed=1, steps=known).fit(frame, np.arange(6) % 2)
    again = models.load_pipeline(models.save_pipeline(model), steps=known)
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert context_strata(frame) is None
