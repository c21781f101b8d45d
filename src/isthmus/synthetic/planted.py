"""Patients of a study whose outcome depends on what only their images show.

Sets have the sizes and the numbers of outcomes they are given, to the patient. Latents are standard normal, drawn apart from the outcome,
so that images stay the same, to the last bit, whatever the signal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.stats.seeds import child_seed

__all__ = ["PlantedSet", "draw_classes", "draw_patients", "each_patient", "write_cohort"]


Written = TypeVar("Written")


@dataclass(frozen=True)
class PlantedSet:
    """One set of patients: its split in a plan, its centre or centres in turn, and how many patients of each class, lowest first."""

    split: str
    centres: tuple[str, ...]
    classes: tuple[int, ...]

    @property
    def patients(self) -> int:
        return sum(self.classes)


def draw_classes(risk: NDArray[np.float64], classes: Sequence[int], rng: np.random.Generator) -> NDArray[np.int64]:
    """Who has which class: by risk plus a logistic error, so that log odds are planted, and every class has its number exactly.

    Parameters
    ----------
    risk : float array, shape (patients,)
        Log odds of a higher class.
    classes : sequence of int
        Patients of each class, lowest first; together as many as `risk`.
    rng : Generator
    """
    order = np.argsort(risk + rng.logistic(size=len(risk)), kind="stable")
    found = np.empty(len(risk), dtype=np.int64)
    found[order] = np.repeat(np.arange(len(classes)), classes)
    return found


def draw_patients(
    name: str, sets: Sequence[PlantedSet], effects: Mapping[str, float], *, signal: float, seed: int
) -> pd.DataFrame:
    """Patients with their latents, risk and outcome.

    Parameters
    ----------
    name : str
        Of the study; with seed and split it names the random numbers.
    sets : sequence of PlantedSet
    effects : mapping
        Latent -> log odds ratio per standard deviation.
    signal : float
        Multiplies them.
    seed : int

    Returns
    -------
    DataFrame
        patient, split, centre, one column a latent, risk, outcome (0, 1, ...).
    """
    drawn = []
    for number, one in enumerate(sets):
        rng = np.random.default_rng(child_seed(seed, name, number))
        n = one.patients
        latents = np.clip(rng.standard_normal((n, len(effects))), -2.2, 2.2)
        risk = signal * latents @ np.array(list(effects.values()))
        part = pd.DataFrame(latents, columns=list(effects))
        part.insert(0, "centre", [one.centres[i % len(one.centres)] for i in range(n)])
        part.insert(0, "split", one.split)
        drawn.append(part.assign(risk=risk, outcome=draw_classes(risk, one.classes, rng)))
    found = pd.concat(drawn, ignore_index=True)
    found.insert(0, "patient", [f"P{i + 1:05d}" for i in range(len(found))])
    return found


def each_patient(
    folder: Path, patients: pd.DataFrame, write: Callable[[Path, dict[str, Any]], Written], *, workers: int
) -> list[Written]:
    """What `write` gives of the folder and each patient, in order; it writes his files into `images` and `masks`, made here.

    One thread of a library each: sums of a field then have one order, and several patients do not wait for one another.
    """
    from threadpoolctl import threadpool_limits

    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    drawn: Any = patients.to_dict("records")
    with threadpool_limits(limits=1), ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        return list(pool.map(lambda one: write(folder, one), drawn))


def write_cohort(
    folder: str | Path,
    patients: pd.DataFrame,
    write: Callable[[Path, dict[str, Any]], list[dict[str, Any]]],
    *,
    truth: Sequence[str],
    workers: int,
) -> Path:
    """`cases.csv` with the rows that `write` returns of each patient (it writes his images and masks), and `truth.csv`.

    Parameters
    ----------
    folder : path
        Made if absent.
    patients : DataFrame
        Of `draw_patients`, with more columns as the study has them.
    write : function
        From the folder and a patient to his rows of the case table.
    truth : sequence of str
        Columns of `patients` that are the truth and no plan reads.
    workers : int
        Threads; 0: one per core.
    """
    folder = Path(folder)
    rows = [row for some in each_patient(folder, patients, write, workers=workers) for row in some]
    table = folder / "cases.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    patients[["patient", "split", "outcome", *truth]].to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    return table
