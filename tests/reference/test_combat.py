"""ComBat against the authors' outputs (32 variants) and sva on real multi-centre data (`combat/`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.combat import apply_combat, fit_combat

VARIANTS = [
    f"{prior}_{covariate}{noeb}{mean}{reference}"
    for prior in ("parametric", "nonparametric")
    for covariate in ("adjusted", "unadjusted")
    for noeb in ("", "_noeb")
    for mean in ("", "_meanonly")
    for reference in ("", "_batchref")
]


def _file(folder: Path, variant: str) -> Path:
    """The authors write one pair of options in another order."""
    other = variant.replace("_noeb_batchref", "_batchref_noeb") if "_meanonly" not in variant else variant
    return next(p for name in (variant, other) if (p := folder / "expected" / f"{name}.csv").is_file())


def _combat(values: Any, sites: Any, covariate: Any, **settings: Any) -> Any:
    fitted = fit_combat(values, sites, covariate, **settings)
    return apply_combat(fitted, values, np.searchsorted(fitted.sites, sites), covariate)


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_authors(variant: str, shared_data: Path) -> None:
    """200 features of 10 images in 2 batches: every number is theirs to the 12 digits they are written with."""
    folder = shared_data / "combat"
    values = pd.read_csv(folder / "testdata.csv").to_numpy().T
    prior = "none" if "noeb" in variant else variant.split("_", maxsplit=1)[0]
    out = _combat(
        values,
        np.repeat(["1", "2"], 5),
        np.tile([1.0, 0.0], 5)[:, None] if "_adjusted" in variant else None,
        prior=prior,
        mean_only="meanonly" in variant,
        reference="1" if "batchref" in variant else None,
    )
    expected = pd.read_csv(_file(folder, variant), header=None).to_numpy().T
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-10)


def test_every_variant_is_compared(shared_data: Path) -> None:
    """The variants above are exactly the files."""
    folder = shared_data / "combat"
    files = {path for path in (folder / "expected").glob("*.csv") if path.name != "index.csv"}
    assert {_file(folder, variant) for variant in VARIANTS} == files


@pytest.mark.parametrize(("name", "reference"), [("param", None), ("ref1", "1")])
def test_equals_sva_on_three_sites(name: str, reference: str | None, shared_data: Path) -> None:
    """The whole table of sva 3.46 with two covariates kept, written with 8 decimals."""
    folder = shared_data / "statistics_r"
    m = pd.read_csv(folder / "multisite.csv")
    values = m.filter(regex=r"^f\d").to_numpy(dtype=float)
    out = _combat(values, m["site"].astype(str).to_numpy(), m[["y", "age"]].to_numpy(float), reference=reference)
    expected = pd.read_csv(folder / f"combat_{name}_cov_expected.csv").to_numpy()
    np.testing.assert_allclose(out, expected, atol=6e-9)


def test_equals_sva_on_thyroid_proteins(shared_data: Path) -> None:
    """125 tumours of nine centres (two of them with two patients), 175 proteins, nodal status kept."""
    expected = pd.read_csv(shared_data / "combat" / "tcga_thca_rppa_combat_expected.csv")
    raw = pd.read_csv(shared_data / "thyroid" / "tcga_thca_rppa.csv", dtype={"sample_type": str})
    raw = raw[raw["sample_type"] == "01"].drop_duplicates("patient").set_index("patient")
    proteins = list(expected.columns[3:])
    values = raw.loc[expected["patient"], proteins].to_numpy(dtype=float)
    kept = expected[["lymph_node_metastasis"]].to_numpy(dtype=float)
    out = _combat(values, expected["tissue_source_site"].astype(str).to_numpy(), kept)
    np.testing.assert_allclose(out, expected[proteins].to_numpy(), rtol=1e-8, atol=6e-9)
