"""`isthmus protein` against limma 3.54 on two public tables (`proteomics/`, `thyroid/`), and ComBat by centre before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.biology import ProteinAnalysis, ProteinSettings, ProteinTable, analyse_proteins, read_protein_table

COLUMNS = {"logFC": "log2_fold_change", "moderated_t": "t", "p_value": "p", "adj_p_BH": "fdr"}


@pytest.fixture(scope="module")
def label_free(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProteinAnalysis, pd.DataFrame]:
    """Three enrichments against three controls, raw intensities, only complete proteins."""
    folder = shared_data / "proteomics"
    groups = tmp_path_factory.mktemp("groups") / "groups.csv"
    names = [f"{group}_{i}" for group in ("Ubi4", "Ctrl") for i in (1, 2, 3)]
    pd.DataFrame({"sample": names, "group": [name[:4] for name in names]}).to_csv(groups, index=False)
    table = read_protein_table(folder / "ubi_lfq_ubi4_vs_ctrl.csv", groups)
    found = analyse_proteins(table, ProteinSettings(), contrast="Ubi4-Ctrl")
    return found, pd.read_csv(folder / "ubi_lfq_ubi4_vs_ctrl_limma_expected.csv", index_col="protein_id")


def _rppa(shared_data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Primary tumours with a known nodal status, by patient: proteins, and clinical facts."""
    folder = shared_data / "thyroid"
    table = pd.read_csv(folder / "tcga_thca_rppa.csv", dtype={"sample_type": str})
    table = table[table["sample_type"] == "01"].set_index("patient").drop(columns=["sample_type", "aliquot_barcode"])
    facts = pd.read_csv(folder / "tcga_thca_clinical.csv", index_col="patient").reindex(table.index)
    facts = facts[facts["lymph_node_metastasis"].notna()]
    return table.loc[facts.index], facts


def _table(values: pd.DataFrame, facts: pd.DataFrame) -> ProteinTable:
    samples = pd.DataFrame(
        {"group": facts["lymph_node_metastasis"].map({0.0: "N0", 1.0: "N1"}), "site": facts["tissue_source_site"]}
    ).rename_axis("sample")
    proteins = values.T.rename_axis("protein")
    return ProteinTable(proteins, pd.DataFrame(index=proteins.index), samples, "log2")


@pytest.fixture(scope="module")
def thyroid(shared_data: Path) -> tuple[ProteinAnalysis, pd.DataFrame]:
    """N1 against N0."""
    expected = pd.read_csv(shared_data / "thyroid" / "tcga_thca_rppa_n1_vs_n0_limma_expected.csv", index_col="protein")
    return analyse_proteins(_table(*_rppa(shared_data)), ProteinSettings(scale="log2"), contrast="N1-N0"), expected


@pytest.mark.parametrize("which", ["label_free", "thyroid"])
def test_every_protein_is_limmas(which: str, request: pytest.FixtureRequest) -> None:
    """Fold change, moderated t, p and adjusted p of every protein, to the ten digits of the file."""
    found, expected = request.getfixturevalue(which)
    ours = found.tables["differential"].set_index("protein").loc[expected.index]
    assert len(ours) == len(expected) == len(found.tested)
    np.testing.assert_allclose(ours[list(COLUMNS.values())], expected[list(COLUMNS)], rtol=1e-8)


@pytest.mark.parametrize(
    ("which", "df", "variance", "count"), [("label_free", 4.405425, 0.03986705, 163), ("thyroid", 3.386659, 0.0918, 19)]
)
def test_the_prior_is_limmas(
    which: str, df: float, variance: float, count: int, request: pytest.FixtureRequest
) -> None:
    """Degrees of freedom and variance of the prior, and the number of proteins found."""
    found, _ = request.getfixturevalue(which)
    assert (round(found.result.prior_df, 6), int(found.found.sum())) == (df, count)
    assert found.result.prior_variance == pytest.approx(variance, rel=1e-4)


def test_limits_are_those_of_students_t_with_the_moderated_freedom(
    thyroid: tuple[ProteinAnalysis, pd.DataFrame],
) -> None:
    """t and limits agree: the half width over the standard error is the quantile of t with d0 + d degrees of freedom."""
    from scipy import stats

    table = thyroid[0].tables["differential"]
    error = table["log2_fold_change"] / table["t"]
    np.testing.assert_allclose(
        (table["ci_high"] - table["ci_low"]) / 2 / error, stats.t.ppf(0.975, 130 + 3.386659), rtol=1e-6
    )


def test_combat_by_centre_is_svas(shared_data: Path) -> None:
    """The values that are tested after ComBat over nine centres, nodal status kept, are those of sva."""
    expected = pd.read_csv(shared_data / "combat" / "tcga_thca_rppa_combat_expected.csv").set_index("patient")
    values, facts = _rppa(shared_data)
    one = _table(values.loc[expected.index], facts.loc[expected.index])
    found = analyse_proteins(one, ProteinSettings(scale="log2", batch="site", batch_method="combat"), contrast="N1-N0")
    np.testing.assert_allclose(found.tested.T, expected[found.tested.index], rtol=1e-8, atol=6e-9)
