"""What a paper needs besides the page: a drafted Methods and Results, its references, tables for Word, checklists."""

from __future__ import annotations

from pathlib import Path

from isthmus.report.checklists import write_checklists
from isthmus.report.facts import outcome_name
from isthmus.report.manuscript import data_methods, model_methods, results, validation_methods
from isthmus.report.manuscript.draft import Draft
from isthmus.report.manuscript.tables import write_tables
from isthmus.report.references import bibtex
from isthmus.study.result import Result

__all__ = ["draft", "write_manuscript"]


def write_manuscript(result: Result, folder: Path) -> None:
    """Write the manuscript kit of a run into a folder; the same result gives the same bytes.

    `methods.md` and `methods.docx` (Methods and Results), `methods.trace.csv` (where every number in them comes from), `references.bib`
    (of the methods used), `tables/*.docx`, `checklists/`.
    """
    text = draft(result)
    title = str(result.plan.get("report", {}).get("title") or f"Prediction of {outcome_name(result)}")
    version = str((result.provenance.get("versions") or {}).get("isthmus", ""))
    (folder / "methods.md").write_text(text.markdown(title), encoding="utf-8", newline="\n")
    (folder / "references.bib").write_text(bibtex(text.keys(), version), encoding="utf-8", newline="\n")
    text.trace_table().to_csv(folder / "methods.trace.csv", index=False, lineterminator="\n")
    text.word(title, version).save(folder / "methods.docx")
    write_tables(result, folder / "tables")
    write_checklists(result, folder / "checklists")


def draft(result: Result) -> Draft:
    """The Methods and Results of a run."""
    text = Draft(result)
    text.heading("Methods", 1)
    data_methods.write(text)
    model_methods.write(text)
    validation_methods.write(text)
    text.heading("Results", 1)
    results.write(text)
    return text
