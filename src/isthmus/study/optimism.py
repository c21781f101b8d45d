"""The whole procedure of every model on bootstrap samples of the patients: how much of the apparent performance is optimism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusError, TableError
from isthmus.stats import calibration, roc
from isthmus.stats.binary import Array
from isthmus.stats.optimism import draw_rows, summarise_optimism
from isthmus.stats.seeds import child_seed
from isthmus.study.compute import Died, Progress, parallel
from isthmus.study.evaluate import BUILD, Candidate
from isthmus.study.store import RunFolder, digest
from isthmus.table import Outcome
from isthmus.validate.nested import Design, fit_final
from isthmus.validate.settings import ValidateSettings

__all__ = ["COLUMNS", "optimism_study"]

COLUMNS = ["model", "metric", "apparent", "optimism", "corrected", "out_of_sample", "plus", "draws", "failed"]

MEASURES: Mapping[str, tuple[Any, float | None]] = {
    "auc": (roc.auc, 0.5),
    "calibration_slope": (lambda y, p: calibration.calibration_slope(y, p)[0].estimate, None),
    "calibration_in_the_large": (lambda y, p: calibration.calibration_in_the_large(y, p).estimate, None),
    "brier": (calibration.brier, None),
}
"""Measure, and its value without information where .632+ has one."""


@dataclass(frozen=True, eq=False)
class _Draw:
    candidate: Candidate
    outcome: Outcome
    settings: ValidateSettings
    draw: int  # -1: the patients as they are
    key: str
    folder: Path


def optimism_study(
    candidates: Sequence[Candidate], outcome: Outcome, settings: ValidateSettings, *, store: RunFolder, workers: int,
    scheduler: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Apparent performance, optimism and corrected performance of every model over `settings.optimism` bootstrap samples.

    Selection, tuning and every other step are repeated in each sample; no threshold is chosen, since none of the measures needs
    one. A sample in which a class is too small for the inner folds is counted as failed.
    """
    from isthmus import __version__

    quick = settings.model_copy(update={"threshold": 0.5})
    read = quick.of_a_fold()
    labels = digest(outcome.values.to_dict())
    tasks = []
    for candidate in candidates:
        plain = candidate.plain()
        content = plain.fingerprint
        for draw in range(-1, settings.optimism):
            key = digest(__version__, "optimism", content, labels, read.model_dump_json(), settings.seed, draw)
            tasks.append(_Draw(plain, outcome, quick, draw, key, store.path))
    results: list[dict[str, list[float]]] = [{}] * len(tasks)
    with Progress("optimism", len(tasks)) as progress:

        def done(position: int, value: Any) -> None:
            if isinstance(value, Died):
                raise IsthmusError(f"model {tasks[position].candidate.spec.name!r}: {Died.reason}")
            results[position] = value
            progress.step()

        parallel(_one_draw, tasks, workers=workers, done=done, scheduler=scheduler)
    rows = []
    each = settings.optimism + 1
    for i, candidate in enumerate(candidates):
        apparent, drawn = results[i * each], results[i * each + 1 : (i + 1) * each]
        for metric, (_, chance) in MEASURES.items():
            found = summarise_optimism(
                apparent[metric][0], [tuple(one[metric]) for one in drawn], no_information=chance
            )
            rows.append(
                (candidate.spec.name, metric, found.apparent, found.optimism, found.corrected, found.out_of_sample, found.plus,
                 found.draws, found.failed)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _one_draw(task: _Draw) -> Any:
    """Each measure on the sample, on everybody and on those left out; from the store when it is there; in a worker."""
    store = RunFolder(task.folder)
    known = store.get("optimism", task.key)
    if known is not None:
        return known
    result = _measured(task)
    store.put("optimism", task.key, result)
    return result


def _measured(task: _Draw) -> dict[str, list[float]]:
    candidate, outcome = task.candidate, task.outcome
    patients = [str(patient) for patient in outcome.patients]
    n = len(patients)
    seed = child_seed(task.settings.seed, candidate.spec.name, "optimism", task.draw)
    chosen = np.arange(n) if task.draw < 0 else draw_rows(n, task.draw, child_seed(task.settings.seed, "optimism"))
    try:
        fitted = fit_final(
            candidate.spec,
            _sampled(candidate, outcome, patients, chosen),
            build=BUILD,
            settings=task.settings.of_a_fold(),
            seed=seed,
        )
    except TableError:
        return {metric: [float("nan")] * 3 for metric in MEASURES}
    risk = fitted.predict(candidate.X, candidate.patients)["probability"].loc[patients].to_numpy(dtype=np.float64)
    event = outcome.array() == 1
    left_out = np.setdiff1d(np.arange(n), chosen)
    places = (chosen, np.arange(n), left_out)
    return {
        metric: [_value(measure, event[rows], risk[rows]) for rows in places]
        for metric, (measure, _) in MEASURES.items()
    }


def _sampled(candidate: Candidate, outcome: Outcome, patients: list[str], chosen: NDArray[np.intp]) -> Design:
    """All rows of every drawn patient, as often as he was drawn. His copies keep his name, so inner folds keep them together."""
    who = candidate.patients.astype(str).to_numpy()
    rows_of: dict[str, list[int]] = {}
    for row, patient in enumerate(who):
        rows_of.setdefault(patient, []).append(row)
    rows = np.array([row for i in chosen for row in rows_of[patients[i]]], dtype=np.intp)
    X = candidate.X.iloc[rows]
    index = pd.RangeIndex(len(X))
    return Design(
        X=X.set_axis(index, axis=0), patients=pd.Series(who[rows], index=index), outcome=outcome, fused=candidate.fused
    )


def _value(measure: Any, event: NDArray[np.bool_], risk: Array) -> float:
    """NaN where a place holds one class."""
    return float(measure(event, risk)) if 0 < event.sum() < event.size else float("nan")
