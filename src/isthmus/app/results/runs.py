"""The finished runs below the application's folders, and what the page shows of one."""

from __future__ import annotations

import hashlib
import math
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.app.paths import inside, inside_any
from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings
from isthmus.errors import IsthmusError
from isthmus.report.answer import answer, question
from isthmus.report.facts import final_model, final_threshold, measure, split_name, task
from isthmus.report.wording import metric_name
from isthmus.study.result import Result

__all__ = ["Runs", "opened", "summary", "table_of"]

MARKS = ("provenance.json", "plan.lock.toml", "metrics.csv")
_DEEPEST = 5
_MOST_RUNS = 200
_MOST_ENTRIES = 2000  # a folder with more is one of images
_MOST_ROWS = 5000
_DECISIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc")
_NOT_SHOWN = (".work",)
_KEPT = (
    "model.isthmus", "report.html", "calculator.html", "*.docx", "*.md", "*.bib", "plan.lock.toml", "provenance.json",
    "manuscript/*", "tables/*.docx", "checklists/*.docx",
)  # fmt: skip


class Runs:
    """Runs by a key that says nothing of where they lie."""

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self._known: dict[str, Path] = {}

    def key_of(self, folder: Path) -> str:
        key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._known[key] = folder.resolve()
        return key

    def found(self) -> dict[str, Path]:
        """Finished runs, newest first."""
        places = {place.resolve() for home in self.settings.folders for place in _runs(home, _DEEPEST)}
        newest = sorted(places, key=lambda place: (place / "provenance.json").stat().st_mtime, reverse=True)
        return {self.key_of(place): place for place in newest[:_MOST_RUNS]}

    def named(self, text: str) -> tuple[str, Path]:
        """A run by its key or folder.

        Raises
        ------
        Refusal
            403: outside. 404: no finished run.
        """
        if re.fullmatch(r"[0-9a-f]{16}", text):
            if text not in self._known:
                self.found()
            if text in self._known:
                return text, self._known[text]
            raise Refusal("no such run", do="open the list of runs again", status=404)
        folder = inside_any(self.settings.folders, text)
        if not _is_run(folder):
            raise Refusal(
                f"{folder.name}: no finished run",
                "a folder that `isthmus run` wrote to its end",
                "resume the run",
                status=404,
            )
        return self.key_of(folder), folder

    def file(self, run: str, name: str) -> Path:
        """A file of a run.

        Raises
        ------
        Refusal
            403: outside the run. 404: no such file.
        """
        _, folder = self.named(run)
        path = inside(folder, name)
        if not path.is_file() or any(part in _NOT_SHOWN for part in path.relative_to(folder).parts):
            raise Refusal(f"{name}: no such file of the run", status=404)
        return path


def _is_run(folder: Path) -> bool:
    return all((folder / name).is_file() for name in MARKS)


def _runs(folder: Path, depth: int) -> Iterator[Path]:
    if _is_run(folder):
        yield folder
        return
    if depth == 0:
        return
    try:
        inner = [
            entry
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
    except OSError:
        return
    for entry in inner[:_MOST_ENTRIES]:
        yield from _runs(Path(entry.path), depth - 1)


# ---------------------------------------------------------------------- as JSON


def summary(key: str, folder: Path, settings: AppSettings) -> dict[str, Any]:
    """One line of the list: what was asked, and the headline number of every model where it had not seen the patients."""
    said: dict[str, Any] = {"key": key, "folder": _shown(folder, settings)}
    try:
        result = Result.load(folder)
        return {**said, **_headlines(result)}
    except (IsthmusError, OSError, ValueError, KeyError) as exc:
        return {**said, "trouble": str(exc)}


def _headlines(result: Result) -> dict[str, Any]:
    wanted = measure(result)
    rows = result.metrics[(result.metrics["metric"] == wanted) & (result.metrics["split"] != "train")]
    included = result.cases[result.cases["status"] == "included"] if "status" in result.cases else result.cases
    return {
        "title": _title(result),
        "question": question(result),
        "task": task(result),
        "ended": str(result.provenance.get("ended", "")),
        "patients": int(included["patient"].nunique()),
        "final": final_model(result),
        "metric": metric_name(wanted),
        "numbers": [
            {"model": row["model"], "split": split_name(row["split"]), **_limits(row)}
            for row in rows.to_dict("records")
        ],
    }


def _title(result: Result) -> str:
    return str(result.plan.get("report", {}).get("title") or result.folder.name)


def opened(key: str, folder: Path, settings: AppSettings) -> dict[str, Any]:
    """Everything the page of one run shows but the contents of its tables and figures."""
    result = Result.load(folder)
    told = answer(result)
    return {
        "key": key,
        "folder": _shown(folder, settings),
        **_headlines(result),
        "verdict": told.verdict,
        "meaning": list(told.meaning),
        "cards": [{"title": card.title, "where": card.where, "value": card.value, "limits": card.limits} for card in told.cards],
        "decisions": _decided(result),
        "tables": _files(folder, ("*.csv", "tables/*.csv", "features/*.csv", "checklists/*.csv")),
        "figures": _files(folder, ("figures/*.svg", "figures/*/*.svg")),
        "files": _files(folder, _KEPT),
        "facts": _facts(result),
        "report": (folder / "report.html").is_file(),
        "model": str(folder / "model.isthmus") if (folder / "model.isthmus").is_file() else "",
    }  # fmt: skip


def _decided(result: Result) -> dict[str, Any]:
    """At the threshold that was fixed on training patients: what each model's decisions were worth."""
    rows = result.metrics[result.metrics["metric"].isin(_DECISIONS) & (result.metrics["split"] != "train")]
    return {
        "thresholds": {model: final_threshold(result, model) for model in result.models()}
        if task(result) == "binary"
        else {},
        "rows": [
            {
                "model": row["model"],
                "split": split_name(row["split"]),
                "metric": metric_name(row["metric"]),
                **_limits(row),
            }
            for row in rows.to_dict("records")
        ],
    }


def _limits(row: Mapping[Any, Any]) -> dict[str, float | None]:
    return {
        name: float(row[name]) if row.get(name) is not None and math.isfinite(float(row[name])) else None
        for name in ("estimate", "lower", "upper")
    }


def _files(folder: Path, patterns: tuple[str, ...]) -> list[dict[str, Any]]:
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]
    return [
        {"file": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size} for path in dict.fromkeys(found)
    ]


def _facts(result: Result) -> list[tuple[str, str]]:
    """What was done where, with what: the facts of the run's record."""
    facts: list[tuple[str, str]] = []
    for name, value in result.provenance.items():
        if isinstance(value, dict):
            inner = [f"{key} {text}" for key, text in value.items() if not isinstance(text, dict | list)]
            shown = ", ".join(inner[:12]) + (f" and {len(inner) - 12} more" if len(inner) > 12 else "")
        elif name == "command":
            shown = shlex.join(["isthmus", *map(str, value)])
        elif isinstance(value, list):
            shown = ", ".join(map(str, value))
        else:
            shown = str(value)
        facts.append((name.replace("_", " ").capitalize(), shown))
    return facts


def _shown(folder: Path, settings: AppSettings) -> str:
    home = next((one for one in settings.folders if folder == one or one in folder.parents), None)
    return folder.name if home is None or folder == home else str(folder.relative_to(home))


def table_of(path: Path) -> dict[str, Any]:
    """A table as columns and rows of text, at most 5,000 rows."""
    if path.suffix != ".csv":
        raise Refusal(f"{path.name}: no table", "a .csv file of the run", status=422)
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, nrows=_MOST_ROWS + 1)
    rows = frame.head(_MOST_ROWS).to_numpy().tolist()
    return {"columns": [str(name) for name in frame.columns], "rows": rows, "cut": len(frame) > _MOST_ROWS}
