"""`isthmus reading export`: what readers answered, as tables of a study."""

from __future__ import annotations

from pathlib import Path

from isthmus.cohort.rows import row_ids
from isthmus.errors import TableError
from isthmus.reading import ReadingRecord, read_form
from isthmus.reading.agreement import agreement_table
from isthmus.reading.export import dictionary_text, exported
from isthmus.reading.form import Form
from isthmus.study.plan import Plan
from isthmus.study.store import make_folder, write_bytes, write_table
from isthmus.table.reading import read_frame

__all__ = ["FOLDER", "cases_read", "export_readings", "form_named", "write_readings"]

FOLDER = "reading"
"""Where the answers lie below the study folder."""


def form_named(named: str | Path) -> Form:
    """A form by its name, from a form file, or from a plan's [reading]."""
    text = str(named)
    if text.endswith(".toml") and Path(text).is_file() and _is_plan(Path(text)):
        return Plan.read(text).reading_form
    return read_form(named)


def _is_plan(path: Path) -> bool:
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False  # `read_form` says what is wrong with it
    return bool({"cohort", "table"} & set(document))


def cases_read(table: Path, *, patient: str = "patient") -> dict[str, str]:
    """Case -> patient of a case table, in its order; a case is a row: the patient, and what tells his rows apart.

    Raises
    ------
    TableError
        The table has no column of that name.
    """
    frame = read_frame(table).frame
    if patient not in frame.columns:
        raise TableError(
            f"{table}: no column {patient!r} with the patients. Its columns: {', '.join(frame.columns[:8])}"
        )
    return dict(zip(row_ids(frame, patient), frame[patient].astype("str"), strict=True))


def export_readings(
    cases: Path, out: Path, *, study: Path | None = None, form: str | Path = "thyroid", reader: str | None = None
) -> list[str]:
    """Write the tables to a folder; the lines to show the user."""
    record = ReadingRecord((study or cases.parent) / FOLDER, form_named(form))
    return write_readings(record, cases_read(cases), out, reader=reader)


def write_readings(record: ReadingRecord, cases: dict[str, str], out: Path, *, reader: str | None = None) -> list[str]:
    """`reading.csv` (the clinical table), `reading.toml` (its section of a plan), `agreement.csv`, and `open.csv` where cases are open."""
    found = exported(record, cases, reader=reader)
    make_folder(out)
    write_table(out / "reading.csv", found.table)
    write_bytes(out / "reading.toml", dictionary_text(record.form, "reading.csv").encode())
    agreement = agreement_table(record)
    write_table(out / "agreement.csv", agreement)
    (out / "open.csv").unlink(missing_ok=True)
    lines = [
        f"{out / 'reading.csv'}: {len(found.table)} of {len(cases)} cases",
        f"{out / 'reading.toml'}: [clinical] of a plan that reads it",
        f"{out / 'agreement.csv'}: {len(agreement)} rows, {len(record.readers())} reader(s)",
    ]
    if len(found.open):
        write_table(out / "open.csv", found.open)
        lines.append(f"{out / 'open.csv'}: {len(found.open)} cases are not in it, with the reasons")
    if "case" in found.table.columns and found.table["patient"].duplicated().any():
        lines.append(
            "several rows a patient: [clinical] takes one row a patient; choose the lesion that counts before you join"
        )
    return lines
