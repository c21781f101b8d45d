"""`isthmus protein`: a protein table compared between groups, without a study around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isthmus.biology import ProteinAnalysis, ProteinSettings, analyse_proteins, read_protein_table
from isthmus.biology.gene_sets import read_gmt
from isthmus.errors import PlanError
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.extract import key_value
from isthmus.study.store import make_folder, write_bytes, write_table

__all__ = ["protein_settings", "protein_to_folder"]

Draw = Callable[[ProteinAnalysis, Path], Path]
"""What draws figures and page: `isthmus.report.biology.protein.protein_page`; the report stands above this room."""


def protein_to_folder(
    out: Path,
    *,
    table: Path,
    groups: Path,
    contrast: str | None = None,
    settings: ProteinSettings | None = None,
    gene_sets: Path | None = None,
    gene: str | None = None,
    protein: str | None = None,
    draw: Draw | None = None,
) -> list[Path]:
    """Write `differential.csv`, the other tables and, with `draw`, figures and page; the files to look at first.

    Raises
    ------
    PlanError
        The folder cannot be written.
    TableError
        A table is wrong; the message says where.
    """
    chosen = ProteinSettings() if settings is None else settings
    read = read_protein_table(table, groups, scale=chosen.scale, protein=protein)
    sets = None if gene_sets is None else read_gmt(gene_sets)
    make_folder(out)
    found = analyse_proteins(read, chosen, contrast=contrast, sets=sets, gene=gene)
    for name, frame in found.tables.items():
        write_table(out / f"{name}.csv", frame)
    write_bytes(out / "summary.txt", ("\n".join(found.sentences) + "\n").encode())
    files = [out / "differential.csv", out / "summary.txt"]
    return files if draw is None else [*files, draw(found, out)]


def protein_settings(given: Mapping[str, Any], texts: Sequence[str]) -> ProteinSettings:
    """From the options that were given, and `--set KEY=VALUE` or `--set enrichment.KEY=VALUE`."""
    document: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    for text in texts:
        key, value = key_value(text)
        value = tuple(value) if isinstance(value, list) else value
        part, _, inner = key.partition(".")
        if inner:
            document.setdefault(part, {})[inner] = value
        else:
            document[part] = value
    try:
        return ProteinSettings.model_validate(document)
    except ValidationError as exc:
        known = partial(keys_of, ProteinSettings)
        raise PlanError("\n".join(setting_messages(exc, document, known_keys=known, where="--set"))) from exc
