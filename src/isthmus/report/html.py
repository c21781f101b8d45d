"""One self-contained page from a stored result: its style, script and figures inside, nothing loaded from anywhere."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from isthmus.report import answer, captions, explore, inline, methods, pictures
from isthmus.report.biology.run import biology_figures, biology_parts
from isthmus.report.calculator import Calculator, write_calculator
from isthmus.report.checklists import answered
from isthmus.report.facts import (
    confidence,
    final_model,
    horizon_text,
    measure_name,
    outcome_name,
    patients,
    task,
    threshold_origin,
)
from isthmus.report.figures import FIGURES
from isthmus.report.figures._save import Drawing, save_figure
from isthmus.report.figures.decision_curve import threshold_range
from isthmus.report.manuscript import write_manuscript
from isthmus.report.recipes import study_of
from isthmus.report.tables import TABLES, explanation, harmonisation, metrics, quality, reliability, table_one
from isthmus.report.warnings import warnings_for
from isthmus.study import toml
from isthmus.study.result import Result
from isthmus.table.writing import write_bytes

__all__ = ["render", "write_report"]


def write_report(result: Result | str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a finished run: one HTML page, and beside it the figures and the manuscript kit.

    Parameters
    ----------
    result : Result or path
        The stored result, or the folder of the run; images are not needed.
    out : path, optional
        The page to write (default: `RUN/report.html`). Figures go into `figures/` beside it: svg, png (300 dpi), csv.

    Returns
    -------
    Path
        Of the page. The same result gives the same bytes.

    Raises
    ------
    TableError
        The run has no metrics, or `[report] final` names a model it does not have.
    """
    result = result if isinstance(result, Result) else Result.load(result)
    path = Path(out) if out is not None else result.folder / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    study = study_of(result)
    figures = {**FIGURES, **(study.FIGURES if study else {}), **biology_figures(result)}
    drawn = {
        name: save_figure(figure, result, path.parent / "figures") if suits(figure, result) else None
        for name, figure in figures.items()
    }
    calculator = write_calculator(result, path.parent)
    write_bytes(path, render(result, drawn, calculator).encode())
    write_manuscript(result, path.parent)
    return path


def render(result: Result, drawings: dict[str, Drawing | None], calculator: Calculator) -> str:
    """The page as text, from the result, its drawn figures (None where there was nothing to draw) and the calculator beside it."""
    from markupsafe import Markup

    # the only text that is not escaped: data made safe for a script element, and drawings whose text matplotlib escaped
    figures = {name: None if one is None else (one, Markup(inline.drawing(one.svg))) for name, one in drawings.items()}
    explored = explore.data(result)
    return inline.filled(
        "isthmus.report",
        "report",
        explore=Markup(inline.safe_json(explored)),
        explorable=explored is not None,
        figures=figures,
        calculator=calculator,
        contents=[],
        **_facts(result),
    )


def suits(part: ModuleType, result: Result) -> bool:
    """Is this figure of the kind of outcome that the run has? One that names no `TASKS` is of every kind."""
    return task(result) in getattr(part, "TASKS", (task(result),))


def _facts(result: Result) -> dict[str, Any]:
    """What the template prints."""
    everyone = patients(result)
    included = everyone[everyone["status"] == "included"]
    lowest, highest = threshold_range(result)
    study = study_of(result)
    return {
        "study": {"title": study.TITLE, "parts": study.parts(result)} if study else None,
        "biology": biology_parts(result),
        "title": result.plan.get("report", {}).get("title") or f"Prediction of {outcome_name(result)}",
        "outcome": outcome_name(result),
        "threshold_origin": threshold_origin(result),
        "task": task(result),
        "measure": measure_name(result),
        "horizon": horizon_text(result) if task(result) == "survival" else "",
        "counts": captions.counts(result, included["outcome"]),
        "analysed": captions.analysed(result),
        "training": captions.training(result),
        "unseen_patients": captions.unseen(result),
        "held_out": captions.unseen(result, ["cv"]),
        "final": final_model(result),
        "models": result.models(),
        "level": f"{100 * confidence(result):.0f} %",
        "n_found": len(everyone),
        "n_included": len(included),
        "centres": sorted(set(included["centre"]) - {""}),
        "question": answer.question(result),
        "honest": answer.honest(result),
        "answer": answer.answer(result),
        "warnings": warnings_for(result),
        "tables": {name: table.view(result) for name, table in TABLES.items()},
        "metrics": metrics.views(result),
        "harmonised_sites": harmonisation.sites_view(result),
        "harmonised_within": harmonisation.within_view(result),
        "harmonised_outcome": harmonisation.outcome_view(result),
        "explained_groups": explanation.groups_view(result),
        "poor_images": quality.failed_view(result),
        "pictures": pictures.prepared(result),
        "reliable_counts": reliability.counts_view(result),
        "reliable_lesions": reliability.lesions_view(result),
        "patients_by": table_one.views(result),
        "titles": {name: table.TITLE for name, table in TABLES.items()},
        "how": methods.sentences(result),
        "checklists": answered(result),
        "model_table": methods.model_view(result),
        "plan": toml.dump(result.plan),
        "range": f"{100 * lowest:.0f} % to {100 * highest:.0f} %",
        "provenance": result.provenance,
    }
