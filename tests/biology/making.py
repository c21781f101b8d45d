"""Protein tables for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.biology import ProteinTable


def table(
    proteins: int = 120, each: int = 8, *, shifted: int = 10, shift: float = 2.0, seed: int = 1, **samples: list[str]
) -> ProteinTable:
    """log2 abundances of two groups; the first proteins are higher in `high`."""
    rng = np.random.default_rng(seed)
    values = rng.normal(20, 2, proteins)[:, None] + rng.normal(0, 0.5, (proteins, 2 * each))
    values[:shifted, each:] += shift
    names = [f"s{i}" for i in range(2 * each)]
    facts = pd.DataFrame({"group": ["low"] * each + ["high"] * each, **samples}, index=pd.Index(names, name="sample"))
    index = pd.Index([f"P{i}" for i in range(proteins)], name="protein")
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(proteins)]}, index=index)
    return ProteinTable(pd.DataFrame(values, index=index, columns=names), genes, facts, "log2")


def written(one: ProteinTable, folder: Path) -> tuple[Path, Path]:
    """The files of a table."""
    table, groups = folder / "proteins.csv", folder / "groups.csv"
    pd.concat([one.proteins, one.values], axis=1).rename_axis("protein").to_csv(table)
    one.samples.to_csv(groups)
    return table, groups
