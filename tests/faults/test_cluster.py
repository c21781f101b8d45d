"""Work handed to a Dask cluster, to several shards at once, to processes that are killed: the same bytes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from isthmus.study import Plan
from isthmus.study.compute import Died, parallel
from isthmus.study.run import run_study

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "faults.py"


def benchmark() -> Any:
    """`benchmarks/faults.py` as a module."""
    spec = importlib.util.spec_from_file_location("benchmarks_faults", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of 16 synthetic patients."""
    plan: Path = benchmark().make_study(tmp_path_factory.mktemp("study"))
    return plan


@pytest.fixture(scope="module")
def undisturbed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the study that one process did in one go (the report is not written)."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    run_study(Plan.read(study), out, workers=1)
    files: dict[str, bytes] = benchmark().contents(out)
    return files


def cluster() -> Any:
    """Two workers, each a process of its own, on this machine."""
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)


def fatal(number: int) -> int:
    """Squares, but of 3, which takes its process with it."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker(study: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """--scheduler: one of two workers is killed while it measures; nothing is lost, and the bytes are those of one process."""
    out = tmp_path / "run"
    with cluster() as workers:
        victim = next(iter(workers.workers.values())).pid
        killed = threading.Event()

        def kill() -> None:
            deadline = time.monotonic() + 120
            while len(list(out.glob(".work/features/*.json"))) < 4 and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(victim, signal.SIGKILL)
            killed.set()

        threading.Thread(target=kill, daemon=True).start()
        run_study(Plan.read(study), out, workers=2, scheduler=workers.scheduler_address)
    assert killed.is_set()
    assert benchmark().differences(out, undisturbed) == []


@pytest.mark.slow
def test_a_task_that_kills_every_worker() -> None:
    """What takes worker after worker with it is given up; every other task is done."""
    found: dict[int, int | Died] = {}
    with cluster() as workers:
        parallel(fatal, range(6), workers=2, done=found.__setitem__, scheduler=workers.scheduler_address)
    assert isinstance(found.pop(3), Died)
    assert found == {n: n * n for n in (0, 1, 2, 4, 5)}


@pytest.mark.slow
def test_three_shards_at_once(study: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    """Three jobs of an array write into one folder at the same time; --resume collects what they measured, and measures nothing again."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "isthmus", "run", str(study), "--out", str(out), "--workers", "1", "--shard"]
    jobs = [subprocess.Popen([*command, f"{k}/3"], stdout=subprocess.DEVNULL) for k in (1, 2, 3)]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    pieces = {path: path.stat().st_mtime_ns for path in (out / ".work" / "features").iterdir()}
    assert len(pieces) == 16
    run_study(Plan.read(study), out, resume=True, workers=1)
    assert {path: path.stat().st_mtime_ns for path in pieces} == pieces
    assert benchmark().differences(out, undisturbed) == []


@pytest.mark.slow
def test_kills_at_random_moments() -> None:
    """A run killed again and again, resumed until it ends, gives every file as if nobody had disturbed it."""
    command = [sys.executable, str(SCRIPT), "kills", "--count", "4", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_cases(tmp_path: Path) -> None:
    """Extraction of 400 cases holds little more at the end than after the first tenth: results are small, images are let go."""
    script = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import faults, json, pathlib; " + (
        f"found = faults.many_cases(pathlib.Path({str(tmp_path / 'many')!r}), 400, seconds=300); "
        "print(json.dumps([found.code, *sorted(found.memory_mb.items())[1:]]))"
    )
    (tmp_path / "many").mkdir()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    code, (_, early), *_, (cases, late) = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert cases >= 200  # the last moments before it ends may be missed
    assert late - early < 40
