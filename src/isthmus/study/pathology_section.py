"""[pathology] of a plan: the slides of the patients, measured by the run; a row a patient becomes a table of [biology]."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from isthmus.biology.settings import BiologyTable
from isthmus.errors import TableError, did_you_mean, first_few
from isthmus.pathology.nucleus import NUCLEAR_FEATURES
from isthmus.pathology.settings import PathologySection, PathologySettings
from isthmus.study.pathology import MUCH_SPOILED, SlideRow, nuclei_to_folder, slides_given
from isthmus.study.pathology_import import import_to_folder
from isthmus.study.plan import Plan
from isthmus.study.store import digest, hash_path, make_folder, write_bytes
from isthmus.table.paths import resolve_path

__all__ = ["measure_slides", "nuclei_table_of", "slide_paths", "slides_said"]

log = logging.getLogger("isthmus")

_NAME = "pathology"


def _rows(plan: Plan) -> list[SlideRow]:
    assert plan.pathology is not None
    return slides_given(None, resolve_path(plan.pathology.slides, plan.base))


def slide_paths(plan: Plan) -> list[str]:
    """The table of the slides and the files it names; none without [pathology]."""
    if plan.pathology is None:
        return []
    if not resolve_path(plan.pathology.slides, plan.base).is_file():
        return [plan.pathology.slides]
    files = [path for row in _rows(plan) for path in (row.path, row.annotation, row.nuclei) if path is not None]
    return [plan.pathology.slides, *map(str, files)]


def measure_slides(plan: Plan, run: Path, *, workers: int) -> None:
    """Nuclei and features of every slide into `run`/pathology, as `isthmus pathology nuclei` (or `import`) writes them; done once.

    Raises
    ------
    TableError, PlanError
        The table cannot be read, every slide fails, or the weights are missing.
    """
    if plan.pathology is None:
        return
    rows, folder = _rows(plan), run / _NAME
    settings = _settings(plan)
    own = [row for row in rows if row.nuclei is None]
    if own and len(own) < len(rows):
        raise TableError(
            f"{plan.pathology.slides}: nuclei are given for some slides only; give them for all or for none"
        )
    mark = digest(settings.model_dump_json(), [hash_path(resolve_path(path, plan.base)) for path in slide_paths(plan)])
    done = folder / "mark"
    if done.is_file() and done.read_text() == mark and (folder / "patients.csv").is_file():
        return
    make_folder(folder)
    if own:
        nuclei_to_folder(folder, rows, settings, workers=workers, resume=True)
    else:
        import_to_folder(folder, rows, settings)
    write_bytes(done, mark.encode())


def _settings(plan: Plan) -> PathologySettings:
    """Those of the segmenter; the file of weights is relative to the plan."""
    assert plan.pathology is not None
    values = plan.pathology.model_dump(exclude={"slides", "columns", "hypotheses", "given"})
    if plan.pathology.hovernet is not None:
        values["hovernet"]["path"] = resolve_path(str(plan.pathology.hovernet.path), plan.base)
    return PathologySettings.model_validate(values)


def nuclei_table_of(plan: Plan, run: Path) -> BiologyTable | None:
    """The table of [biology] that the measured slides are; nothing without [pathology].

    Raises
    ------
    TableError
        A column or a hypothesis is none of the summary's.
    """
    if plan.pathology is None:
        return None
    path = run / _NAME / "patients.csv"
    there = list(pd.read_csv(path, nrows=0).columns)
    chosen = plan.pathology.columns or tuple(name for name in _default_columns(plan.pathology) if name in there)
    for name in chosen:
        if name not in there:
            raise TableError(f"[pathology] columns: no column {name!r} in {path.name}.{did_you_mean(name, there)}")
    return BiologyTable(
        name=_NAME, path=str(path.resolve()), id="patient", columns=tuple(dict.fromkeys(chosen)),
        hypotheses=plan.pathology.hypotheses, given=plan.pathology.given,
    )  # fmt: skip


def slides_said(run: Path) -> list[str]:
    """What to know of the measured slides before their numbers are read: how many, what was left out, where their pictures are."""
    folder = run / _NAME
    slides = pd.read_csv(folder / "summary.csv")
    lines = [
        f"{len(slides)} slides of {slides['patient'].nunique()} patients with {slides['all_count'].sum():.0f} nuclei. How well they were "
        f"found is to be seen in {_NAME}/<slide>/overlay.png and field.png."
    ]
    spoiled = slides.loc[slides["artefact_share"] > MUCH_SPOILED, "slide"].astype("str")
    if len(spoiled):
        lines.append(
            f"On {len(spoiled)} of them more than {MUCH_SPOILED:.0%} of the tissue was left out as folds, bubbles or ink: "
            f"{first_few(spoiled)}."
        )
    if (folder / "failed.csv").is_file():
        failed = pd.read_csv(folder / "failed.csv", dtype="str")
        lines.append(f"{len(failed)} slides failed: {first_few(failed['slide'])}; why is in {_NAME}/failed.csv.")
    return lines


def _default_columns(section: PathologySection) -> list[str]:
    """Means and spread of the features, how dense the nuclei lie, how much they differ in all; and what is asked for beforehand."""
    each = [f"all_{feature}_mean" for feature in NUCLEAR_FEATURES] + [f"ith_{feature}" for feature in NUCLEAR_FEATURES]
    return [*each, "all_per_mm2", "all_ith_rao", *section.hypotheses]
