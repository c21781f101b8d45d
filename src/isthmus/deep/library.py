"""torch, the one way this room gets hold of it: imported late, on few threads, deterministic where asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from isthmus.errors import missing_extra

__all__ = ["best_device", "deterministic", "load_torch", "versions"]


def load_torch(who: str = "deep features") -> Any:
    """The module torch, with MONAI and safetensors there too.

    Raises
    ------
    PlanError
        The extra `deep` is not installed.
    """
    missing = missing_library()
    if missing:
        raise missing_extra(who, missing, "deep")
    import torch

    return torch


@cache  # looking through the path takes as long as a small network
def missing_library() -> str:
    """The first library of the extra that is not installed, or nothing."""
    from importlib.util import find_spec

    return next((name for name in ("torch", "monai", "safetensors") if find_spec(name) is None), "")


def best_device() -> str:
    """ "cuda" where a GPU can be used, else "cpu"."""
    return "cuda" if load_torch().cuda.is_available() else "cpu"


def versions() -> dict[str, str]:
    """Of the libraries that a number may depend on."""
    from importlib.metadata import version

    return {library: version(library) for library in ("torch", "monai")}


@contextmanager
def deterministic(seed: int | None = None) -> Iterator[None]:
    """The same bits every time on one machine: deterministic algorithms only, no search for the fastest, no reduced precision.

    With a `seed`, random numbers inside start there, and those outside are left as they were.
    """
    torch = load_torch()
    before = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    gpu = torch.cuda.is_available()
    devices = list(range(torch.cuda.device_count())) if gpu else []
    with torch.random.fork_rng(devices, enabled=seed is not None), _exact_gpu(torch) if gpu else nullcontext():
        if seed is not None:
            torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # filling new memory costs a tenth of the time, and no network reads what it has not written
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.utils.deterministic.fill_uninitialized_memory = before[1]


@contextmanager
def _exact_gpu(torch: Any) -> Iterator[None]:
    """No search for the fastest convolution, and no reduced precision."""
    places = (
        (torch.backends.cudnn, "benchmark"),
        (torch.backends.cudnn, "allow_tf32"),
        (torch.backends.cuda.matmul, "allow_tf32"),
    )
    before = [getattr(*place) for place in places]
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for
    try:
        for where, name in places:
            setattr(where, name, False)
        yield
    finally:
        for (where, name), value in zip(places, before, strict=True):
            setattr(where, name, value)
