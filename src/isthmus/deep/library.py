"""torch, the one way this room gets hold of it: imported late, on few threads, deterministic where asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    import importlib.util

    for library in ("torch", "monai", "safetensors"):
        if importlib.util.find_spec(library) is None:
            raise missing_extra(who, library, "deep")
    import torch

    return torch


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
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
        torch.utils.deterministic.fill_uninitialized_memory,
    )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices, enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # filling new memory costs a tenth of the time, and no network reads what it has not written
        torch.utils.deterministic.fill_uninitialized_memory = False
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.backends.cudnn.benchmark = before[1]
            torch.backends.cudnn.allow_tf32 = before[2]
            torch.backends.cuda.matmul.allow_tf32 = before[3]
            torch.utils.deterministic.fill_uninitialized_memory = before[4]
