"""Start a study without code: choose a folder, name the columns, see the plan, check it, run it."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from isthmus.app.paths import inside, inside_any
from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings
from isthmus.app.start.browse import listing
from isthmus.app.start.jobs import Jobs
from isthmus.errors import PlanError
from isthmus.models import estimators_of
from isthmus.study.assemble import Choices, assemble, guess_columns, look
from isthmus.study.plan import Plan
from isthmus.table.outcome import Task
from isthmus.table.reading import read_frame

__all__ = ["router"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_ROWS = 5
_SHOWN = 8


class Place(BaseModel):
    """A folder or file below one of the application's folders."""

    path: str = ""


class Study(BaseModel):
    """The choices, and the name of the study: its folder below the application's study folder."""

    name: str
    choices: dict[str, Any]


class Run(BaseModel):
    """A plan, and the name of its run below the plan's folder (`runs/<name>`)."""

    plan: str
    run: str = "first"
    resume: bool = False


def router(settings: AppSettings) -> APIRouter:
    room = APIRouter()
    jobs = Jobs(settings.study)

    @room.post("/browse")
    def browse(place: Place) -> dict[str, Any]:
        """What a folder holds; without a path the application's folders."""
        return listing(settings.folders, place.path)

    @room.post("/look")
    def look_at(place: Place) -> dict[str, Any]:
        """Images with their masks in a folder, and tables beside them."""
        folder = inside_any(settings.folders, place.path)
        if not folder.is_dir():
            raise Refusal(f"{folder.name}: no folder", "the folder that holds the images", status=404)
        found = look(folder)
        frame = found.cases.head(_ROWS).map(lambda cell: _below(str(cell), folder))
        return {
            "cases": len(found.cases), "images": found.images, "why": found.why,
            "columns": [str(name) for name in frame.columns], "rows": frame.fillna("").astype("str").to_numpy().tolist(),
            "unplaced": list(found.unplaced[:50]), "more_unplaced": max(len(found.unplaced) - 50, 0),
            "tables": [{"path": str(path), "shown": _below(str(path), folder)} for path in found.tables],
        }  # fmt: skip

    @room.post("/table")
    def table(place: Place) -> dict[str, Any]:
        """The columns of a table and the part each seems to have."""
        read = read_frame(inside_any(settings.folders, place.path))
        frame = read.frame
        values = {
            str(name): sorted(frame[name].dropna().astype("str").unique().tolist())[:30]
            for name in frame.columns
            if frame[name].nunique() <= 30
        }
        guesses = [asdict(guess) for guess in guess_columns(frame)]
        return {
            "rows": len(frame),
            "columns": guesses,
            "values": values,
            "encoding": read.encoding,
            "notes": list(read.notes),
        }

    @room.get("/estimators")
    def estimators(task: Task = "binary") -> dict[str, Any]:
        """The models that can be chosen for a kind of outcome."""
        return {"estimators": sorted(estimators_of(task))}

    @room.post("/plan")
    def plan(study: Study) -> dict[str, Any]:
        """The plan that the choices make; nothing is written."""
        choices, out = _study(settings, study)
        made = assemble(choices, out=out)
        return {"plan": made.plan, "notes": list(made.notes), "cases": None if made.cases is None else len(made.cases)}

    @room.post("/write")
    def write(study: Study) -> dict[str, Any]:
        """Write the plan and its case table into a new folder."""
        choices, out = _study(settings, study)
        path = assemble(choices, out=out).write(out)
        return {"plan": str(path), "text": path.read_text(encoding="utf-8")}

    @room.get("/plans")
    def plans() -> dict[str, Any]:
        """The plans in the study folder and one folder below."""
        found = [
            path
            for pattern in ("*.toml", "*/*.toml")
            for path in sorted(settings.study.glob(pattern))
            if _is_plan(path)
        ]
        return {"plans": [{"path": str(path), "shown": str(path.relative_to(settings.study))} for path in found]}

    @room.post("/read")
    def read(place: Place) -> dict[str, Any]:
        """The text of a plan."""
        path = _plan(settings, place.path)
        return {"plan": str(path), "text": path.read_text(encoding="utf-8-sig")}

    @room.post("/check")
    def check(run: Run) -> dict[str, Any]:
        """Check a plan (`isthmus check`), as a job of its own: images are opened, which takes a while."""
        return jobs.begin("check", _plan(settings, run.plan), None, resume=False)

    @room.post("/run")
    def start(run: Run) -> dict[str, Any]:
        """Carry out a plan (`isthmus run`); one at a time."""
        if not _NAME.fullmatch(run.run):
            raise Refusal(f"a run called {run.run[:60]!r}", "letters, digits, . _ - (at most 60)", status=422)
        path = _plan(settings, run.plan)
        return jobs.begin("run", path, inside(settings.study, path.parent / "runs" / run.run), resume=run.resume)

    @room.get("/job")
    def job(lines: int = 200) -> dict[str, Any]:
        """The job that runs, or the last one: what it does, how far it is, the end of its log."""
        return jobs.state(min(max(lines, 1), 2000))

    @room.post("/cancel")
    def cancel(_none: Place) -> dict[str, Any]:
        """Stop the job; what is finished is kept, and a run can be resumed."""
        return jobs.cancel()

    return room


def _study(settings: AppSettings, study: Study) -> tuple[Choices, Path]:
    if not _NAME.fullmatch(study.name):
        raise Refusal(
            f"a study called {study.name[:60]!r}",
            "letters, digits, . _ - (at most 60)",
            "it becomes the name of a folder",
            status=422,
        )
    said = dict(study.choices)
    for key in ("images", "table"):
        if said.get(key):
            said[key] = str(inside_any(settings.folders, said[key]))
    return Choices.model_validate(said), inside(settings.study, study.name)


def _plan(settings: AppSettings, path: str) -> Path:
    file = inside(settings.study, path)
    if file.suffix != ".toml" or not file.is_file():
        raise Refusal(f"{file.name}: no plan", "a plan in the study folder", status=404)
    _check_folders(settings, file)
    return file


def _check_folders(settings: AppSettings, path: Path) -> None:
    """A plan may name any path; through the application it reads only below the application's folders."""
    from isthmus.table.paths import resolve_path

    try:
        plan = Plan.read(path)
    except PlanError:
        return  # `check` says what is wrong with it
    source = plan.cohort.table if plan.cohort is not None else plan.table.path if plan.table is not None else None
    for named in (
        source,
        plan.cohort.root if plan.cohort is not None else None,
        plan.clinical.table if plan.clinical else None,
    ):
        if named is not None:
            inside_any(settings.folders, resolve_path(named, plan.base))


def _is_plan(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return re.search(r"^\s*\[(cohort|table)\]", text, re.MULTILINE) is not None


def _below(cell: str, folder: Path) -> str:
    path = Path(cell)
    return path.relative_to(folder).as_posix() if path.is_absolute() and path.is_relative_to(folder) else cell
