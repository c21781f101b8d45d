"""Processes."""

from __future__ import annotations

import os

import pytest

from isthmus.errors import PlanError
from isthmus.study.compute import Died, parallel


def square(x: int) -> int:
    return x * x


def die_at_two(x: int) -> int:
    if x == 2:
        os._exit(1)
    return x


@pytest.mark.parametrize("workers", [1, 2])
def test_results_belong_to_their_tasks(workers: int) -> None:
    """Whatever the number of workers, each result is handed back with its task's position."""
    found: dict[int, object] = {}
    parallel(square, [3, 4, 5], workers=workers, done=found.__setitem__)
    assert found == {0: 9, 1: 16, 2: 25}


def test_a_killed_worker_takes_only_its_own_task() -> None:
    """A task whose process is killed is reported as such; the others are finished."""
    found: dict[int, object] = {}
    parallel(die_at_two, [0, 1, 2, 3], workers=2, done=found.__setitem__)
    assert isinstance(found.pop(2), Died)
    assert found == {0: 0, 1: 1, 3: 3}


def test_an_absent_scheduler_is_said() -> None:
    """--scheduler with nothing there (or without the extra) is an error that says what to do."""
    with pytest.raises(PlanError, match="--scheduler"):
        parallel(square, [1], workers=1, done=lambda *_: None, scheduler="tcp://127.0.0.1:9")


def test_a_dask_cluster_gives_the_same_results() -> None:
    """--scheduler hands the tasks to an existing Dask cluster; results belong to their tasks."""
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    found: dict[int, object] = {}
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        parallel(square, [3, 4, 5], workers=1, done=found.__setitem__, scheduler=cluster.scheduler_address)
    assert found == {0: 9, 1: 16, 2: 25}
