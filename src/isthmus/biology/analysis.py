"""A protein table from file to findings: filter, normalise, fill in, remove batches, test, and what the result rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from isthmus.biology.design import Design, covariate_columns, make_design
from isthmus.biology.gene_sets import gene_ranking, gsea, over_representation
from isthmus.biology.missing import imputations, missing_shares
from isthmus.biology.network import correlation_network
from isthmus.biology.normalise import normalise
from isthmus.biology.overview import heat_map, sample_components
from isthmus.biology.power import detectable, fdr_level, power_table
from isthmus.biology.proteins import ProteinTable
from isthmus.biology.settings import ProteinSettings
from isthmus.errors import TableError
from isthmus.stats.combat import apply_combat, fit_combat
from isthmus.stats.moderated_t import ModeratedT, fit_rows, moderated_contrast
from isthmus.stats.seeds import child_seed

__all__ = ["ProteinAnalysis", "analyse_proteins"]

_NETWORK = 100
"""Proteins of the correlation network: those with the smallest p."""

_STEADY = 0.9  # share of imputations that must agree before a finding is called robust to them


@dataclass(frozen=True, eq=False)
class ProteinAnalysis:
    """What a protein table says of two groups.

    Parameters
    ----------
    table : ProteinTable
    settings : ProteinSettings
    design : Design
    tested : DataFrame (proteins, samples)
        log2 values as they were tested.
    shown : DataFrame (proteins, samples)
        The same without what batch and covariates explain, for pictures of samples.
    result : ModeratedT
    tables : dict
        Name -> table, each a csv of the folder; `differential` is the answer.
    sentences : tuple of str
        What was done and found, made from the results.
    """

    table: ProteinTable
    settings: ProteinSettings
    design: Design
    tested: pd.DataFrame
    shown: pd.DataFrame
    result: ModeratedT
    tables: dict[str, pd.DataFrame]
    sentences: tuple[str, ...]

    @property
    def found(self) -> pd.Series[bool]:
        """Which proteins count as found, by protein."""
        return _found(self.result.table, self.settings)


def analyse_proteins(
    table: ProteinTable,
    settings: ProteinSettings,
    *,
    contrast: str | None = None,
    sets: Mapping[str, frozenset[str]] | None = None,
    gene: str | None = None,
) -> ProteinAnalysis:
    """Compare two groups of samples in every protein.

    Parameters
    ----------
    table : ProteinTable
    settings : ProteinSettings
    contrast : str, optional
        "A-B": A minus B. Needed with more than two groups; the others help to estimate the spread.
    sets : mapping, optional
        Gene sets to test.
    gene : str, optional
        The column of `table.proteins` with the genes (default: `gene` where there is one, else the protein's name).

    Raises
    ------
    TableError
        Groups, covariates or values do not allow it; the message says why.
    """
    batch = settings.batch if settings.batch_method == "covariate" else None
    design = make_design(table.samples, contrast, settings.covariates, batch)
    group = table.samples["group"]
    kept, left_out = _filtered(table, settings)
    normal = normalise(kept, table.scale, settings.normalise)
    drawn = None
    tested = normal
    if settings.missing == "impute" and normal.isna().to_numpy().any():
        seed = child_seed(settings.seed, "imputation")
        drawn = list(
            imputations(
                normal, group, settings.imputation, max_missing=settings.max_missing, draws=settings.draws, seed=seed
            )
        )
        tested = drawn[0]
    if settings.batch is not None and settings.batch_method == "combat":
        tested = _without_batch(tested, table.samples, settings)
        drawn = (
            None if drawn is None else [tested, *(_without_batch(one, table.samples, settings) for one in drawn[1:])]
        )
    result = _tested(tested, design, settings)
    tables = {
        "differential": _differential(result, table.proteins, settings),
        "samples": _samples(table, normal, tested),
        "left_out": left_out,
    }
    sentences = [*_said(table, tested, left_out, settings, design), *_answer(result, settings, design)]
    if drawn is not None:
        tables["imputation"], words = _sensitivity(normal, drawn, result, design, settings)
        sentences.append(words)
    tables["power"], words = _power(result, design, tested, settings)
    sentences.append(words)
    tables["network"], tables["network_proteins"], words = _network(tested, result, design, settings)
    sentences.append(words)
    shown = _shown(tested, design)
    tables["components"] = sample_components(shown, group)
    tables["heat_map"], tables["heat_map_proteins"], tables["heat_map_samples"] = heat_map(shown, result.table, group)
    if sets is not None:
        genes = _genes(table.proteins, gene)
        ranking = gene_ranking(result.table, genes)
        tables["over_representation"] = over_representation(
            ranking, sets, settings.enrichment, fdr=settings.fdr, least=settings.min_log2_fold_change
        )
        tables["gsea"] = gsea(ranking, sets, settings.enrichment, seed=settings.seed)
        sentences += _gene_set_words(tables, len(sets), len(ranking), settings)
    return ProteinAnalysis(table, settings, design, tested, shown, result, tables, tuple(sentences))


def _filtered(table: ProteinTable, settings: ProteinSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The proteins that are measured often enough, and the others with the shares they miss."""
    shares = missing_shares(table.values, table.samples["group"])
    complete = settings.missing == "complete"
    enough = (shares == 0).all(axis=1) if complete else (shares <= settings.max_missing).any(axis=1)
    if enough.sum() < 2:
        raise TableError(
            f"{int(enough.sum())} of {len(shares)} proteins are measured often enough (missing = {settings.missing}). Use --missing "
            "available or impute, a larger --max-missing, or fewer samples"
        )
    out = shares[~enough].rename(columns=lambda name: f"missing_{name}").reset_index()
    return table.values[enough], out


def _without_batch(values: pd.DataFrame, samples: pd.DataFrame, settings: ProteinSettings) -> pd.DataFrame:
    """ComBat over the batches, the groups and covariates kept."""
    assert settings.batch is not None
    if settings.batch not in samples.columns:
        raise TableError(
            f"no column {settings.batch!r} in the table of groups; its columns are {', '.join(samples.columns)}"
        )
    if values.isna().to_numpy().any():
        raise TableError(
            "ComBat needs a value of every protein in every sample: --missing complete or impute, or batch as a covariate"
        )
    batches = samples[settings.batch]
    if batches.isna().any():
        raise TableError(
            f"column {settings.batch!r} is empty for {int(batches.isna().sum())} samples; ComBat needs every sample's batch"
        )
    kept = covariate_columns(samples, ["group", *settings.covariates]).to_numpy()
    rows, sites = values.to_numpy().T, batches.to_numpy().astype(str)
    fitted = fit_combat(rows, sites, kept)
    codes = np.array([fitted.sites.index(site) for site in sites])
    return pd.DataFrame(apply_combat(fitted, rows, codes, kept).T, index=values.index, columns=values.columns)


def _tested(values: pd.DataFrame, design: Design, settings: ProteinSettings) -> ModeratedT:
    return moderated_contrast(values, design.columns.to_numpy(), design.contrast, trend=settings.trend)


def _found(result: pd.DataFrame, settings: ProteinSettings) -> pd.Series[bool]:
    return (result["q"] < settings.fdr) & (result["difference"].abs() >= settings.min_log2_fold_change)


def _differential(result: ModeratedT, proteins: pd.DataFrame, settings: ProteinSettings) -> pd.DataFrame:
    """The answer, in the order of the table; `found` is -1 (lower), 0 or 1 (higher)."""
    found = result.table
    sign = np.sign(found["difference"].fillna(0)).astype(int)
    table = pd.DataFrame(
        {
            "protein": found.index, "log2_fold_change": found["difference"].to_numpy(), "ci_low": found["lower"].to_numpy(),
            "ci_high": found["upper"].to_numpy(), "t": found["t"].to_numpy(), "p": found["p"].to_numpy(), "fdr": found["q"].to_numpy(),
            "mean_log2": found["mean"].to_numpy(), "spread": found["spread"].to_numpy(), "df": found["df"].to_numpy(),
            "n": found["n"].to_numpy(), "found": np.where(_found(found, settings), sign, 0),
        }
    )  # fmt: skip
    facts = proteins.loc[found.index].reset_index(drop=True)
    return pd.concat([table, facts[[name for name in facts.columns if name not in table.columns]]], axis=1)


def _samples(table: ProteinTable, normal: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """`sample, group, measured, median_before, median_after`."""
    before = table.values if table.scale == "log2" else table.values.map(np.log2)
    return pd.DataFrame(
        {
            "sample": table.samples.index, "group": table.samples["group"].to_numpy(),
            "measured": table.values.notna().sum().to_numpy(), "missing_share": table.values.isna().mean().to_numpy(),
            "median_before": before.loc[normal.index].median().to_numpy(), "median_after": tested.median().to_numpy(),
        }
    )  # fmt: skip


def _shown(values: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Values less what the covariates' columns of the model explain."""
    extra = design.extra
    if not extra.shape[1]:
        return values
    x, y = design.columns.to_numpy(), values.to_numpy()
    effect = np.zeros_like(y)
    for place in range(len(design.groups), x.shape[1]):
        weight = np.zeros(x.shape[1])
        weight[place] = 1.0
        slope = fit_rows(y, x, weight).estimate
        effect += np.nan_to_num(slope)[:, None] * extra[:, place - len(design.groups)]
    return pd.DataFrame(y - effect, index=values.index, columns=values.columns)


def _sensitivity(
    normal: pd.DataFrame, drawn: list[pd.DataFrame], result: ModeratedT, design: Design, settings: ProteinSettings
) -> tuple[pd.DataFrame, str]:
    """How the findings depend on what was filled in: without it, and over all draws."""
    without = _tested(normal, design, settings).table
    every = [_tested(one, design, settings).table for one in drawn]
    differences = np.stack([one["difference"].to_numpy() for one in every])
    share = np.mean([_found(one, settings).to_numpy() for one in every], axis=0)
    gaps = normal.isna().sum(axis=1).to_numpy()
    table = pd.DataFrame(
        {
            "protein": normal.index, "imputed": gaps, "log2_fold_change": result.table["difference"].to_numpy(),
            "fdr": result.table["q"].to_numpy(), "lowest": differences.min(axis=0), "highest": differences.max(axis=0),
            "share_found": share, "log2_fold_change_available": without["difference"].to_numpy(), "fdr_available": without["q"].to_numpy(),
        }
    )  # fmt: skip
    found = _found(result.table, settings).to_numpy()
    steady = int((found & (share >= _STEADY)).sum())
    also = int((found & _found(without, settings).to_numpy()).sum())
    filled = int((gaps > 0).sum())
    words = (
        f"{int(gaps.sum())} values of {filled} proteins were filled in ({settings.imputation}); over {len(drawn)} draws {steady} of the "
        f"{int(found.sum())} proteins found were found in {100 * _STEADY:.0f} % or more, and {also} of them are found without any "
        "imputation, too. A filled-in value carries no information of its own: a finding that rests on it alone is a hypothesis."
    )
    return table, words


def _power(
    result: ModeratedT, design: Design, tested: pd.DataFrame, settings: ProteinSettings
) -> tuple[pd.DataFrame, str]:
    """Power for a protein of median spread that was measured in every sample."""
    weight = fit_rows(np.zeros((1, len(design.columns))), design.columns.to_numpy(), design.contrast)
    spread = float(result.table["spread"].median())
    df = float(min(result.prior_df + weight.df[0], weight.df[0] * len(tested)))
    error = spread * float(weight.unscaled[0])
    level = fdr_level(settings.fdr)
    table = power_table(error, df, settings.fdr)
    sizes = " and ".join(f"{int(design.columns[name].sum())} {name}" for name in (design.first, design.second))
    words = (
        f"With {sizes} a protein of median spread ({spread:.2f} in log2) is found with a power of 80 % where its log2 fold change is "
        f"{detectable(error, df, 0.05):.2f} or more if it is tested alone at 0.05, and {detectable(error, df, level):.2f} or more at a "
        f"false discovery rate of {settings.fdr:g} (level {level:.2g}, if 5 % of the proteins differ). Smaller "
        "differences may exist and be missed."
    )
    return table, words


def _network(
    tested: pd.DataFrame, result: ModeratedT, design: Design, settings: ProteinSettings
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Correlations within groups of the proteins with the smallest p."""
    ranked = result.table["p"].sort_values(kind="stable").dropna().index[:_NETWORK]
    x = design.columns.to_numpy()
    residual = fit_rows(tested.loc[ranked].to_numpy(), x, design.contrast).residual
    fitted = int(np.linalg.matrix_rank(x)) - 1
    edges, nodes = correlation_network(
        pd.DataFrame(residual, index=ranked, columns=tested.columns), fitted, fdr=settings.fdr
    )
    if edges["p"].isna().all():
        return (
            edges,
            nodes,
            f"No network of proteins: {tested.shape[1]} samples are too few for correlations within groups.",
        )
    modules = int(nodes["module"].max())
    words = (
        f"Within groups, {int(edges['edge'].sum())} of {len(edges)} pairs of the {len(ranked)} proteins with the smallest p correlate "
        f"(|Spearman| 0.5 or more, false discovery rate below {settings.fdr:g}), in {modules} modules."
    )
    return edges, nodes, words


def _genes(proteins: pd.DataFrame, gene: str | None) -> pd.Series[str]:
    if gene is not None and gene not in proteins.columns:
        raise TableError(
            f"no column {gene!r} with genes; the protein table has {', '.join(proteins.columns) or 'names only'}"
        )
    name = gene or ("gene" if "gene" in proteins.columns else None)
    return pd.Series(proteins.index, index=proteins.index, dtype="str") if name is None else proteins[name]


def _said(
    table: ProteinTable, tested: pd.DataFrame, left_out: pd.DataFrame, settings: ProteinSettings, design: Design
) -> list[str]:
    """What was done."""
    counts = ", ".join(f"{int(design.columns[name].sum())} {name}" for name in design.groups)
    rule = (
        "measured in every sample"
        if settings.missing == "complete"
        else f"missing in no more than {100 * settings.max_missing:.0f} % of the samples of at least one group"
    )
    how = {
        "none": "not normalised",
        "median": "normalised to one median",
        "quantile": "quantile normalised",
        "vsn": "variance stabilised (VSN)",
    }
    model = [
        *settings.covariates,
        *([settings.batch] if settings.batch and settings.batch_method == "covariate" else []),
    ]
    lines = [
        f"{len(tested)} of {len(table.values)} proteins were tested in {tested.shape[1]} samples ({counts}): those {rule}; "
        f"{len(left_out)} were left out. Values are logarithms to base 2, {how[settings.normalise]}.",
        f"{design.first} minus {design.second}, moderated t-test (limma){' with a trend of the prior variance' if settings.trend else ''}"
        f"{', adjusted for ' + ', '.join(model) if model else ''}; false discovery rate by Benjamini and "
        f"Hochberg over {len(tested)} proteins.",
        *(f"{note[0].upper()}{note[1:]}." for note in table.notes),
    ]
    if settings.batch and settings.batch_method == "combat":
        lines.append(
            f"Batches ({settings.batch}) were removed by ComBat with the groups kept before the test. Where groups are spread "
            "unevenly over batches this makes p-values too small; compare with the batch as a covariate."
        )
    return lines


def _answer(result: ModeratedT, settings: ProteinSettings, design: Design) -> list[str]:
    """What was found."""
    found = _found(result.table, settings)
    higher = int((found & (result.table["difference"] > 0)).sum())
    least = (
        f" and |log2 fold change| of {settings.min_log2_fold_change:g} or more" if settings.min_log2_fold_change else ""
    )
    prior = "infinite" if np.isinf(result.prior_df) else f"{result.prior_df:.2f}"
    untested = int(result.table["p"].isna().sum())
    lines = [
        f"{int(found.sum())} proteins differ (false discovery rate below {settings.fdr:g}{least}): {higher} higher and "
        f"{int(found.sum()) - higher} lower in {design.first}. The prior has {prior} degrees of freedom and the variance "
        f"{result.prior_variance:.3g}."
    ]
    if untested:
        lines.append(f"{untested} proteins have no test: their values do not tell the two groups apart.")
    return lines


def _gene_set_words(tables: dict[str, pd.DataFrame], sets: int, genes: int, settings: ProteinSettings) -> list[str]:
    ranked, over = tables["gsea"], tables["over_representation"]
    if not len(ranked):
        return [
            f"None of {sets} gene sets has {settings.enrichment.smallest} to {settings.enrichment.largest} of the {genes} genes that were "
            "tested; are the genes named as in the gene sets?"
        ]
    gathered = int((ranked["fdr"] < settings.fdr).sum())
    return [
        f"{len(ranked)} of {sets} gene sets have {settings.enrichment.smallest} to {settings.enrichment.largest} of the {genes} genes "
        f"tested; {gathered} gather at an end of the ranking (GSEA, false discovery rate below {settings.fdr:g}), and "
        f"{int((over['fdr'] < settings.fdr).sum())} rows of sets are over-represented among the proteins found. Genes were shuffled, not "
        "samples: proteins of a set that move together make these rates too small."
    ]
