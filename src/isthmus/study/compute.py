"""The only place that knows about processes. Results come back in the order of the tasks, whatever the number of workers."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from isthmus.errors import PlanError

__all__ = ["Died", "Progress", "one_thread", "parallel", "worker_count"]

Task = TypeVar("Task")
Value = TypeVar("Value")

log = logging.getLogger("isthmus")


class Died:
    """What a task leaves whose worker process was killed (most often by the system, for want of memory)."""

    reason = (
        "the process working on it was killed, most likely for want of memory; use fewer workers or a machine with more"
    )


def worker_count(asked: int = 0) -> int:
    """Processes to use: what was asked, else one per core this process may use."""
    return asked or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else asked or os.cpu_count() or 1


def one_thread(function: Callable[[Task], Value], task: Task) -> Value:
    """Do one task with every numerical library on one thread: bits do not depend on the number of workers."""
    from threadpoolctl import threadpool_limits

    if "SimpleITK" in sys.modules:
        sys.modules["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"  # read by ITK when the task is the first to need it
    with threadpool_limits(1):
        return function(task)


def parallel(
    function: Callable[[Task], Value],
    tasks: Sequence[Task],
    *,
    workers: int,
    done: Callable[[int, Value | Died], None],
    scheduler: str | None = None,
) -> None:
    """Call `function` on every task and hand each result to `done(position, result)` in this process, as they come.

    A worker that dies takes only its own task with it: the others are finished one process each.
    """
    if not tasks:
        return
    if workers == 1 and scheduler is None:
        for position, task in enumerate(tasks):
            done(position, one_thread(function, task))
        return
    finished: set[int] = set()
    try:
        for position, value in _stream(function, list(enumerate(tasks)), workers, scheduler):
            finished.add(position)
            done(position, value)
    except _worker_died() as exc:
        log.warning("a worker process died (%s); its tasks are repeated one by one", exc)
        for position, task in enumerate(tasks):
            if position not in finished:
                done(position, _alone(function, task))


def _stream(
    function: Any, numbered: list[tuple[int, Any]], workers: int, scheduler: str | None
) -> Iterator[tuple[int, Any]]:
    if scheduler is not None:
        yield from _on_cluster(function, numbered, scheduler)
        return
    import joblib

    with _processes(), warnings.catch_warnings():
        # loky says so when it starts a fresh worker in place of one that grew; nothing for the user to do
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
        yield from joblib.Parallel(n_jobs=workers, return_as="generator_unordered", max_nbytes=None)(
            joblib.delayed(_numbered)(function, position, task) for position, task in numbered
        )


def _on_cluster(function: Any, numbered: list[tuple[int, Any]], scheduler: str) -> Iterator[tuple[int, Any]]:
    """Every task by an existing Dask cluster at an address; the cluster itself gives what a lost worker had to another one.

    Not by joblib's backend for Dask: that one waits for ever for a task that the cluster has given up.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as exc:
        raise PlanError("--scheduler needs the extra `cluster`: pip install 'isthmus[cluster]'") from exc
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, TimeoutError, ValueError) as exc:
        raise PlanError(f"--scheduler {scheduler}: no Dask scheduler answers there ({exc}).") from exc
    given_up = False
    with client:
        futures = [client.submit(_numbered, function, position, task, pure=False) for position, task in numbered]
        for future in as_completed(futures):
            try:
                yield future.result()
            except KilledWorker:
                given_up = True
            future.release()
    if given_up:
        raise _GivenUpError("a task took several workers of the cluster with it")


def _numbered(function: Any, position: int, task: Any) -> tuple[int, Any]:
    return position, one_thread(function, task)


def _leave_ctrl_c_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; only the one that can say so in a line shall answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _processes() -> Iterator[None]:
    """This machine's processes."""
    import joblib

    with joblib.parallel_config(backend="loky", inner_max_num_threads=1, initializer=_leave_ctrl_c_to_the_parent):
        yield


class _GivenUpError(Exception):
    """A cluster has given a task up: its workers died of it."""


def _worker_died() -> tuple[type[BaseException], ...]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return TerminatedWorkerError, _GivenUpError


def _alone(function: Callable[[Task], Value], task: Task) -> Value | Died:
    """One task in a process of its own."""
    import joblib
    from joblib.externals.loky import get_reusable_executor

    try:
        with _processes():
            return joblib.Parallel(n_jobs=2)([joblib.delayed(one_thread)(function, task)])[0]
    except _worker_died():
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
        return Died()


class Progress:
    """A bar on a terminal, plain log lines otherwise."""

    def __init__(self, title: str, total: int) -> None:
        from rich.console import Console

        self._title, self._total, self._done = title, total, 0
        self._console = Console(stderr=True)
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._console.is_terminal and self._total > 1:
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=self._total)
        elif self._total > 1:
            log.info("%s: %d to do", self._title, self._total)
        return self

    def step(self) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.advance(self._task)
        elif self._total > 1 and (self._done == self._total or self._done % max(self._total // 4, 1) == 0):
            log.info("%s: %d of %d", self._title, self._done, self._total)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
