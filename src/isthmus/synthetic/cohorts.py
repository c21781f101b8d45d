"""The synthetic cohort of each recipe: its makers by the recipe's name, in three sizes.

A module of a cohort has `SIZES`: what its maker takes as `sizes`, for "full" (as many patients as the study), "demo" (minutes) and "tiny"
(seconds). The maker writes images, masks, `cases.csv` and, beside it, `truth.csv`, which no plan reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from isthmus.errors import did_you_mean

__all__ = ["COHORTS", "Size", "cohort_sizes", "make_recipe_cohort"]

Size = Literal["full", "demo", "tiny"]

COHORTS: Mapping[str, str] = MappingProxyType(
    {
        "alzheimer": "alzheimer:make_alzheimer",
        "atc-pdtc": "dedifferentiation:make_dedifferentiation_cohort",
        "brain-mets": "brain_mets:make_brain_mets",
        "cervix-lvsi": "cervix:make_cervix",
        "clnm-peritumoural": "clnm:make_clnm_cohort",
        "colorectal": "colorectal:make_colorectal_cohort",
        "crit": "crit_cohort:make_crit_cohort",
        "esophagus": "esophagus:make_esophagus_cohort",
        "glioma": "glioma:make_glioma_cohort",
        "hnc-survival": "head_neck:make_head_neck_cohort",
        "hnc-survival-time": "head_neck:make_head_neck_cohort",
        "liver-combat": "liver:make_liver",
        "lvlnm": "lvlnm:make_lvlnm_cohort",
        "meningioma-3d": "meningioma:make_meningioma",
        "meningioma-attention": "meningioma_attention:make_meningioma_attention",
        "nsclc-histology": "lung:make_lung_cohort",
        "osteoporosis": "osteoporosis:make_osteoporosis_cohort",
        "pancreas": "pancreas:make_pancreas",
        "parkinson": "parkinson:make_parkinson",
        "parkinson-year-4": "parkinson:make_parkinson",
        "wrist": "wrist:make_wrist_cohort",
    }
)
"""Recipe -> module and function, called with (folder, sizes=..., signal=..., seed=..., workers=...); it returns the case table."""


def cohort_sizes(recipe: str) -> Mapping[str, Any]:
    """What a recipe's maker takes as `sizes`, by "full", "demo" and "tiny"."""
    sizes: Mapping[str, Any] = _module(recipe).SIZES
    return sizes


def make_recipe_cohort(
    recipe: str, folder: str | Path, *, size: Size = "demo", signal: float = 1.0, seed: int = 1, workers: int = 1
) -> Path:
    """The synthetic cohort of a recipe.

    Parameters
    ----------
    recipe : str
    folder : path
        Made if absent.
    size : {"full", "demo", "tiny"}
    signal : float
        Multiplies what was planted; 0: the outcome depends on nothing.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        The case table.
    """
    module = _module(recipe)
    make = getattr(module, COHORTS[recipe].partition(":")[2])
    table: Path = make(folder, sizes=module.SIZES[size], signal=signal, seed=seed, workers=workers)
    return table


def _module(recipe: str) -> Any:
    if recipe not in COHORTS:
        raise ValueError(f"no synthetic cohort is made for recipe {recipe!r}.{did_you_mean(recipe, COHORTS)}")
    return import_module(f"isthmus.synthetic.{COHORTS[recipe].partition(':')[0]}")
