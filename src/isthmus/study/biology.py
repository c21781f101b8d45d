"""`isthmus ihc` and `isthmus associate`: graded stains and features of biology beside groups of patients and image features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from isthmus.biology.association import Association, associate
from isthmus.biology.composite import composite_tables
from isthmus.biology.design import contrast_groups, covariate_columns
from isthmus.biology.patients import graded_columns, number_columns, read_patients
from isthmus.biology.risk_groups import run_risk_groups
from isthmus.biology.stains import LEVELS, StainAnalysis, analyse_stains, reader_agreement
from isthmus.errors import PlanError, TableError, did_you_mean
from isthmus.study.store import make_folder, write_bytes, write_table

__all__ = ["associate_to_folder", "stains_to_folder"]

Draw = Callable[[Mapping[str, pd.DataFrame], Sequence[str], str, Path], Path]
"""What draws figures and page from tables, sentences and a title: `isthmus.report.biology.pages`; the report stands above this room."""


def stains_to_folder(
    out: Path, *, table: Path, identifier: str | None = None, group: str | None = None, run: Path | None = None,
    model: str | None = None, contrast: str | None = None, markers: Sequence[str] = (), levels: str | None = None,
    covariates: Sequence[str] = (), second_reader: Path | None = None, fdr: float = 0.05, draw: Draw | None = None,
) -> list[Path]:  # fmt: skip
    """Write `markers.csv`, the other tables and, with `draw`, figures and page; the files to look at first."""
    patients = read_patients(table, identifier)
    steps = LEVELS if levels is None else tuple(part.strip() for part in levels.split(","))
    who, high, low = _groups(patients, group, run, model, contrast)
    codes = graded_columns(patients.drop(columns=group or []), steps, markers)
    extra = covariate_columns(patients.loc[who.index], covariates) if covariates else None
    make_folder(out)
    found = analyse_stains(codes.loc[who.index], who, steps, low=low, high=high, covariates=extra, fdr=fdr)
    tables, lines = dict(found.tables), list(found.sentences)
    if second_reader is not None:
        other = graded_columns(read_patients(second_reader, identifier), steps, list(codes.columns))
        tables["readers"] = reader_agreement(codes, other)
        lines.append(
            "Quadratic kappa of two readers: "
            + ", ".join(f"{row['marker']} {row['kappa']:.2f}" for row in tables["readers"].to_dict("records")) + "."
        )  # fmt: skip
    return _written(out, StainAnalysis(tables, tuple(lines)), f"Stains: {high} against {low}", "markers.csv", draw)


def associate_to_folder(
    out: Path, *, table: Path, identifier: str | None = None, features: Sequence[str] = (), group: str | None = None,
    run: Path | None = None, model: str | None = None, contrast: str | None = None, image: Path | None = None,
    given: Sequence[str] = (), hypotheses: Sequence[str] = (), composite: str | None = None, fdr: float = 0.05, seed: int = 42,
    draw: Draw | None = None,
) -> list[Path]:  # fmt: skip
    """Write `groups.csv`, `correlations.csv`, `blocks.csv`, `composite*.csv` as far as asked for and, with `draw`, figures and page."""
    if group is None and run is None and image is None and composite is None:
        raise PlanError(
            "beside what? Give --group COLUMN or --run RUN (risk groups), --image features.csv (image features), or --composite COLUMN "
            "(a score of all features for an outcome)"
        )
    patients = read_patients(table, identifier)
    chosen = number_columns(patients, features)
    grouped = _groups(patients, group, run, model, contrast) if group is not None or run is not None else None
    chosen = chosen.drop(columns=[name for name in dict.fromkeys((group, composite)) if name in chosen.columns])
    pictures = None
    if image is not None:
        pictures = number_columns(read_patients(image))
        absent = [name for name in given if name not in pictures.columns]
        if absent:
            raise TableError(f"{image}: no column {absent[0]!r} of numbers.{did_you_mean(absent[0], pictures.columns)}")
    who, high, low = grouped if grouped is not None else (None, "high", "low")
    make_folder(out)
    found = associate(
        chosen, group=who, image=pictures, given=given, hypotheses=hypotheses, low=low, high=high, fdr=fdr, seed=seed
    )
    if composite is not None:
        outcome, event, absence = _groups(patients, composite, None, None, None)
        codes = outcome[outcome.isin([event, absence])].eq(event).astype(int)
        beside = who if group != composite else None
        tables, lines = composite_tables(chosen, codes, (event, absence), group=beside, low=low, high=high, seed=seed)
        found = Association({**found.tables, **tables}, (*found.sentences, *lines))
    name = next(f"{name}.csv" for name in ("groups", "correlations", "composite_auc") if name in found.tables)
    return _written(
        out, found, f"Biology: {high} against {low}" if who is not None else "Biology beside images", name, draw
    )


def _groups(
    patients: pd.DataFrame, group: str | None, run: Path | None, model: str | None, contrast: str | None
) -> tuple[pd.Series[str], str, str]:
    """Group of each patient, and which two are compared (A, B of A-B); risk groups of a run are out-of-fold."""
    if (group is None) == (run is None):
        raise PlanError(
            "whose groups? Give --group COLUMN (a column of the table) or --run RUN (risk groups of a finished run), and not both"
        )
    if run is not None:
        found = run_risk_groups(run, model, list(patients.index))["group"]
        return found, *(contrast_groups(contrast, ["low", "high"]) if contrast else ("high", "low"))
    assert group is not None
    if group not in patients.columns:
        raise TableError(f"no column {group!r} in the table.{did_you_mean(group, patients.columns)}")
    known = patients[group].dropna().astype("str")
    return known, *contrast_groups(contrast, list(known))


def _written(out: Path, found: StainAnalysis | Association, title: str, first: str, draw: Draw | None) -> list[Path]:
    for name, frame in found.tables.items():
        write_table(out / f"{name}.csv", frame)
    write_bytes(out / "summary.txt", ("\n".join(found.sentences) + "\n").encode())
    files = [out / first, out / "summary.txt"]
    return files if draw is None else [*files, draw(found.tables, found.sentences, title, out)]
