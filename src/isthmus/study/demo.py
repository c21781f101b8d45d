"""The demo: a synthetic two-centre cohort whose truth is known, through the whole study."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from isthmus.errors import PlanError
from isthmus.study.plan import Plan
from isthmus.study.result import Result
from isthmus.study.run import run_study

__all__ = ["is_demo", "run_demo", "start_demo"]

log = logging.getLogger("isthmus")

_MARKER = ".isthmus-demo"


def run_demo(out: Path, *, patients: int = 120, signal: float = 1.0, workers: int = 0) -> Result:
    """Make the cohort in `out/cohort`, run its plan into `out`; an earlier demo is replaced."""
    from isthmus.synthetic import make_cohort

    out = Path(out)
    start_demo(out)
    log.info("making a synthetic cohort of %d patients in %s", patients, out / "cohort")
    cohort = make_cohort(out / "cohort", patients=patients, signal=signal, workers=workers)
    return run_study(Plan.read(cohort.plan), out, workers=workers or None)


def start_demo(out: Path) -> None:
    """An empty folder for a demo; an earlier demo in it is removed, anything else is left alone."""
    if (out / _MARKER).is_file():
        shutil.rmtree(out)
    elif out.is_dir() and any(out.iterdir()):
        raise PlanError(f"{out} is not empty and no earlier demo. Choose another folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).touch()


def is_demo(folder: Path) -> bool:
    """Was this run folder made by a demo, on synthetic patients?"""
    return (folder / _MARKER).is_file()
