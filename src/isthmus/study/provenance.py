"""Where the numbers come from: versions, seeds, hashes of inputs, machine, start and end."""

from __future__ import annotations

import datetime as dt
import json
import platform
import sys
from pathlib import Path
from typing import Any

from isthmus.settings.versions import versions_of
from isthmus.study.plan import Plan

__all__ = ["machine", "provenance", "versions"]

_PACKAGES = (
    "isthmus", "numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "statsmodels", "SimpleITK", "pydicom", "nibabel", "pyarrow",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Python and the packages that computed the numbers."""
    return versions_of(_PACKAGES)


def machine() -> dict[str, Any]:
    """The machine, without anything that names a person."""
    from isthmus.study.compute import worker_count

    return {
        "system": platform.system(),
        "release": platform.release(),
        "processor": platform.machine(),
        "cores": worker_count(),
    }


def provenance(plan: Plan, hashes: dict[str, str], *, started: dt.datetime, workers: int, model_sha256: str) -> bytes:
    """`provenance.json`."""
    ended = dt.datetime.now(dt.UTC)
    document = {
        "versions": versions(),
        "machine": {**machine(), "workers": workers},
        "seed": plan.validation.seed,
        "command": [Path(word).name if "/" in word or "\\" in word else word for word in sys.argv[1:]],
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 1),
        "model_sha256": model_sha256,
        "inputs": dict(sorted(hashes.items())),
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
