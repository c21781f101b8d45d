"""Model files: the same bits after reading, and nothing that could execute."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import ModelFileError
from isthmus.models.settings import ModelSettings
from validate.drawn import QUICK, STEPS, build, design

ALL_STEPS = ["impute", "encode", "variance", "scale", "correlation", {"name": "univariate", "k": 5}, "lasso"]


def fitted(estimator: str, steps=None):
    made = design(np.random.default_rng(7), n=60, p=8)
    X = made.X.assign(sex=np.where(np.arange(60) % 2, "f", "m"))
    X.loc[3, "f1"] = np.nan
    X.loc[4, "sex"] = None
    events = made.events(np.ones(60, dtype=bool))
    pipeline = build(
        ModelSettings(name="m", estimator=estimator, steps=steps, settings=QUICK.get(estimator, {})), X, seed=11
    )
    return pipeline.fit(X, events), X


@pytest.mark.parametrize("steps", [None, ALL_STEPS], ids=["default steps", "all steps"])
@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
def test_predictions_are_the_same_bits_after_reading(estimator, steps):
    """Probabilities before writing and after reading are equal, not close."""
    pipeline, X = fitted(estimator, steps)
    again = models.load_pipeline(models.save_pipeline(pipeline), steps=STEPS)
    assert np.array_equal(pipeline.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
def test_writing_what_was_read_gives_the_same_files(estimator):
    """Write, read, write: the JSON and text files are identical bytes, the forest's arrays equal."""
    pipeline, _ = fitted(estimator)
    first = models.save_pipeline(pipeline)
    second = models.save_pipeline(models.load_pipeline(first, steps=STEPS))
    assert {k: v for k, v in first.items() if k != "forest.npz"} == {
        k: v for k, v in second.items() if k != "forest.npz"
    }


def test_another_process_predicts_the_same_bits(tmp_path):
    """All estimators, read in a fresh interpreter, give the bits of this one."""
    script = textwrap.dedent(
        """
        import pathlib, sys
        import numpy as np, pandas as pd
        from isthmus import models, select
        here = pathlib.Path(sys.argv[1])
        X = pd.read_pickle(here / "X.pkl")
        for folder in sorted(p for p in here.iterdir() if p.is_dir()):
            files = {p.name: p.read_bytes() for p in folder.iterdir()}
            pipeline = models.load_pipeline(files, steps={**models.STEPS, **select.STEPS})
            print(folder.name, pipeline.predict_proba(X)[:, 1].tobytes().hex())
        """
    )
    expected = {}
    for estimator in sorted(models.estimators_of("binary")):
        pipeline, X = fitted(estimator)
        (tmp_path / estimator).mkdir()
        for name, content in models.save_pipeline(pipeline).items():
            (tmp_path / estimator / name).write_bytes(content)
        expected[estimator] = np.ascontiguousarray(pipeline.predict_proba(X)[:, 1]).tobytes().hex()
    X.to_pickle(tmp_path / "X.pkl")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert dict(line.split() for line in done.stdout.splitlines()) == expected


def test_one_patient_gets_the_bits_he_gets_in_a_batch():
    """`isthmus apply` on one case equals the cohort's prediction of that case, for every estimator."""
    differing = []
    for estimator in sorted(models.estimators_of("binary")):
        pipeline, X = fitted(estimator)
        alone = np.concatenate([pipeline.predict_proba(X.iloc[[row]]) for row in range(8)])
        if not np.array_equal(alone, pipeline.predict_proba(X)[:8]):
            differing.append(estimator)
    assert differing == []


def altered(change) -> dict[str, bytes]:
    files = models.save_pipeline(fitted("lasso")[0])
    main = json.loads(files["pipeline.json"])
    change(main)
    return {**files, "pipeline.json": json.dumps(main).encode()}


def _set_estimator(main):
    main["estimator"]["name"] = "os.system"


def _set_step(main):
    main["steps"][0]["name"] = "builtins.eval"


def _set_format(main):
    main["format"] = 99


def _remove_columns(main):
    del main["steps"][0]["state"]["columns"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set_estimator, "estimator 'os.system' is not trusted. Known: best_of"),
        (_set_step, "step 'builtins.eval' is not trusted. Known: "),
        (_set_format, "format 99; this version of Isthmus reads formats 1 to"),
        (_remove_columns, "damaged or incomplete"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(change, message):
    """Unknown types, formats and missing parts are refused with the reason."""
    with pytest.raises(ModelFileError, match=message):
        models.load_pipeline(altered(change), steps=STEPS)


@pytest.mark.parametrize(("estimator", "file"), [("random_forest", "forest.npz"), ("lightgbm", "lightgbm.txt")])
def test_a_damaged_estimator_file_is_refused(estimator, file):
    """Garbage in place of trees is a ModelFileError, not a crash."""
    files = models.save_pipeline(fitted(estimator)[0])
    with pytest.raises(ModelFileError, match=r"damaged|not a LightGBM"):
        models.load_pipeline({**files, file: b"garbage"}, steps=STEPS)


def test_a_missing_file_is_refused():
    """Without pipeline.json there is no model."""
    with pytest.raises(ModelFileError, match=r"no pipeline.json"):
        models.load_pipeline({}, steps=STEPS)


def test_no_file_is_a_pickle():
    """No stored byte stream is a pickle, and arrays are written so that numpy reads them without pickle."""
    contents = [
        content for name in models.estimators_of("binary") for content in models.save_pipeline(fitted(name)[0]).values()
    ]
    assert not any(content.startswith(b"\x80") for content in contents)


def test_a_foreign_step_is_not_written():
    """A scikit-learn step of unknown origin cannot enter a model file."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline, _ = fitted("lasso")
    with pytest.raises(ModelFileError, match="StandardScaler cannot be written"):
        models.save_pipeline(Pipeline([("scale", StandardScaler()), pipeline.steps[-1]]))


def test_the_frame_of_text_columns_survives(tmp_path):
    """A pipeline read from files still knows its text columns."""
    pipeline, X = fitted("lasso")
    again = models.load_pipeline(models.save_pipeline(pipeline), steps=STEPS)
    assert again["encode"].categories_ == {"sex": ["f", "m"]}
    assert isinstance(X, pd.DataFrame)
