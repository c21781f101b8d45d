"""Synthetic biology: what is planted, and only that, follows the phenotype."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.biology.patients import graded_columns, number_columns, read_patients
from isthmus.synthetic.biology import PLANTED, STAIN_LEVELS, draw_biology


def _phenotype(n: int = 400) -> pd.Series[float]:
    return pd.Series(np.random.default_rng(1).normal(size=n), index=[f"P{i}" for i in range(n)])


def test_planted_columns_follow_the_phenotype_and_no_other(tmp_path: Path) -> None:
    """Read back from the files: nuclei rise, proteins and stains fall; of the others about one in a thousand passes p < 0.001."""
    z = _phenotype()
    paths = draw_biology(z).write(tmp_path)
    for name, path in paths.items():
        read = read_patients(path)
        table = graded_columns(read, STAIN_LEVELS) if name == "stains" else number_columns(read)
        for column in table:
            found = stats.spearmanr(table[column], z)
            assert (found.pvalue < 1e-4) == (column in PLANTED[name]), (name, column)
            assert column not in PLANTED[name] or (found.statistic > 0) == (name == "nuclei")


def test_strength_changes_planted_columns_only() -> None:
    """A patient's other values stay to the bit."""
    strong, none = draw_biology(_phenotype()), draw_biology(_phenotype(), strength=0.0)
    same = (strong.proteins == none.proteins).all()
    assert sorted(same.index[~same]) == sorted(PLANTED["proteins"])
