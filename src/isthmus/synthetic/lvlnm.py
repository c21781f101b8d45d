"""An ultrasound study like that of large-volume nodal metastasis: three centres, one to three frames a patient, planted effects.

Nobody's data. Sizes of the sets, numbers of events and how often each finding occurs are those the study printed; a patient's echotexture
and the number of calcifications are drawn from a latent that only the image shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.pictures import write_picture
from isthmus.synthetic.planted import each_patient
from isthmus.synthetic.ultrasound import MACHINES, Nodule, render_frame

__all__ = ["DEMO_SETS", "SIZES", "STUDY_SETS", "SyntheticLvlnm", "make_lvlnm", "make_lvlnm_cohort"]

STUDY_SETS = {"train": (350, 35), "internal": (150, 22), "external": (354, 63)}
"""Patients and patients with large-volume metastasis, as the study's Table 1 has them (its text says 374 external patients)."""
DEMO_SETS = {"train": (60, 18), "internal": (24, 8), "external": (36, 12)}
SIZES = MappingProxyType(
    {"full": STUDY_SETS, "demo": DEMO_SETS, "tiny": {"train": (14, 6), "internal": (6, 3), "external": (6, 3)}}
)

LVLNM_EFFECTS = {"echotexture": 1.2, "size, per standard deviation of its logarithm": 0.6, "capsular invasion": 0.8}
"""Planted log odds ratios. Sex, age and multifocality have none of their own."""

_CENTRES = {"train": "A", "internal": "A", "external": "BC"}


@dataclass(frozen=True, eq=False)
class SyntheticLvlnm:
    """Where the synthetic study lies, and what is true in it.

    Parameters
    ----------
    folder, table : Path
        The case table has a row for every frame.
    truth : DataFrame
        One row a patient: patient, split, echotexture, risk, outcome; no plan reads it.
    """

    folder: Path
    table: Path
    truth: pd.DataFrame

    def oracle_auc(self, part: str) -> float:
        """AUC of the true risk in the patients of one set."""
        rows = self.truth[self.truth["split"] == part]
        return auc(rows["outcome"].to_numpy(), rows["risk"].to_numpy())


def make_lvlnm(
    folder: str | Path,
    *,
    sets: dict[str, tuple[int, int]] | None = None,
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> SyntheticLvlnm:
    """`cases.csv`, frames and masks as PNG (255: the nodule), and `truth.csv` in a folder.

    Which patients of a set have the outcome follows their risk plus a logistic error: the set's number of events, given first, is met
    exactly. `nodes_metastatic` is above 5 in those and at most 5 in the others. The frames of a set
    of one size depend on the seed, never on the signal.

    Parameters
    ----------
    folder : path
    sets : dict
        "train", "internal", "external" -> (patients, events); unset: the demo's.
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing.
    seed : int
    workers : int
        Threads; 0: one per core.
    """
    folder = Path(folder)
    drawn = [_set(part, n, events, signal, seed) for part, (n, events) in (sets or DEMO_SETS).items()]
    patients = pd.concat(drawn, ignore_index=True)
    frames = each_patient(folder, patients, lambda into, one: _frames(into, one, seed), workers=workers)
    table = folder / "cases.csv"
    pd.DataFrame([row for rows in frames for row in rows]).to_csv(table, index=False)
    truth = patients[["patient", "split", "echotexture", "risk", "outcome"]]
    truth.to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    return SyntheticLvlnm(folder, table, truth)


def make_lvlnm_cohort(
    folder: str | Path,
    *,
    sizes: dict[str, tuple[int, int]] = DEMO_SETS,
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """The same for the recipe: `make_lvlnm` with `sets = sizes`; the case table."""
    return make_lvlnm(folder, sets=sizes, signal=signal, seed=seed, workers=workers).table


def _set(part: str, patients: int, events: int, signal: float, seed: int) -> pd.DataFrame:
    """One set: findings, risk and outcome."""
    if not 0 < events < patients:
        raise ValueError(f"{part}: {events} events of {patients} patients; expected some with and some without")
    rng = np.random.default_rng(child_seed(seed, "lvlnm", part))
    n = patients
    echotexture = rng.standard_normal(n)
    size = 8.5 * np.exp(0.42 * rng.standard_normal(n))
    invasion = rng.random(n) < 1 / (1 + np.exp(1.0 - 0.08 * (size - 9)))
    male, multifocal = rng.random(n) < 0.25, rng.random(n) < 0.35
    age = np.clip(rng.normal(45.9, 12.2, n), 18, 85)
    drivers = np.column_stack([echotexture, (np.log(size) - np.log(8.5)) / 0.42, invasion - invasion.mean()])
    risk = signal * drivers @ list(LVLNM_EFFECTS.values())
    order = np.argsort(-(risk + rng.logistic(size=n)), kind="stable")
    outcome = np.zeros(n, dtype=int)
    outcome[order[:events]] = 1
    nodes = np.where(outcome == 1, 6 + rng.poisson(3, n), np.where(rng.random(n) < 0.55, 0, rng.integers(1, 6, n)))
    centres = list(_CENTRES[part])
    return pd.DataFrame(
        {
            "patient": [f"{part[0].upper()}{i + 1:04d}" for i in range(n)],
            "split": part,
            "centre": [centres[i % len(centres)] for i in range(n)],
            "sex": np.where(male, "Male", "Female"),
            "age_years": age.round(),
            "size_mm": size.round(1),
            "multifocality": np.where(multifocal, "Yes", "No"),
            "capsular_invasion": np.where(invasion, "Yes", "No"),
            "nodes_metastatic": nodes,
            "echotexture": echotexture,
            "risk": risk,
            "outcome": outcome,
        }
    )


def _frames(folder: Path, patient: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """Write one to three frames of a patient; their rows of the case table."""
    name = patient["patient"]
    rng = np.random.default_rng(child_seed(seed, "lvlnm frames", name))
    machine = MACHINES[patient["centre"]]
    z = patient["echotexture"]
    nodule = Nodule(
        size_mm=patient["size_mm"],
        heterogeneity_db=3.0 * float(np.exp(0.4 * z)),
        grain_mm=0.9 * float(np.exp(-0.15 * z)),
        calcifications=2.0 * float(np.exp(0.5 * z)),
        irregularity=float(rng.uniform(0.04, 0.14)),
    )
    rows = []
    for number in range(1, 1 + int(rng.integers(1, 4))):
        frame = render_frame(nodule, machine, rng)
        image, mask = write_picture(folder, f"{name}_{number}", frame, modality="US", machine=machine.name)
        said = (
            "patient",
            "centre",
            "split",
            "sex",
            "age_years",
            "size_mm",
            "multifocality",
            "capsular_invasion",
            "nodes_metastatic",
        )
        rows.append({**{key: patient[key] for key in said}, "view": number, "image:us": image, "mask:us": mask})
    return rows
