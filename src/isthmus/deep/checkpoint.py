"""The file in which a training that may be stopped keeps its state: tensors, and facts as JSON in the file's head."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isthmus.errors import WeightsError

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(path: Path, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """The whole file at once: a process that dies leaves the one before."""
    import safetensors.torch

    held = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(safetensors.torch.save(held, metadata={"isthmus": json.dumps(facts)}))
    os.replace(new, path)


def read_checkpoint(path: Path, mark: str, *, marked: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and tensors.

    Parameters
    ----------
    path : Path
    mark : str
        What the fact `mark` must be.
    marked : str
        What the mark stands for, in words: "its images, labels, patients or settings".

    Raises
    ------
    WeightsError
        No checkpoint, a damaged one, or that of another training.
    """
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as held:
            facts = json.loads((held.metadata() or {})["isthmus"])
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
    except Exception as exc:
        raise WeightsError(
            f"{path}: not a checkpoint of a training, or a damaged one ({exc}). Remove it to start anew"
        ) from exc
    if facts["mark"] != mark:
        raise WeightsError(f"{path}: the checkpoint of another training: {marked} differ. Remove it to start anew")
    return facts, tensors
