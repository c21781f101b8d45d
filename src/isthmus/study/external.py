"""Numbers another site sent: `isthmus apply --aggregate-only` there, `isthmus report RUN --external FILE` here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from isthmus.errors import TableError
from isthmus.study.store import write_table

__all__ = ["COLUMNS", "merge_external"]

COLUMNS = ["model", "split", "metric", "estimate", "lower", "upper", "method"]


def merge_external(folder: str | Path, files: Sequence[str | Path]) -> None:
    """Add other sites' totals to `metrics.csv`, as splits named `external (<file>)`; sending one again replaces it."""
    path = Path(folder) / "metrics.csv"
    if not path.is_file():
        raise TableError(f"{folder}: no metrics.csv, so this is not the folder of a finished run.")
    metrics = pd.read_csv(path)
    for file in map(Path, files):
        try:
            sent = pd.read_csv(file)
        except (OSError, ValueError) as exc:
            raise TableError(f"{file}: cannot be read as a table ({exc}).") from exc
        missing = [column for column in COLUMNS if column not in sent.columns]
        if missing:
            raise TableError(
                f"{file}: lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. "
                "Expected what `isthmus apply MODEL --cases ... --aggregate-only` writes."
            )
        unknown = sorted(set(sent["model"]) - set(metrics["model"]))
        if unknown:
            raise TableError(f"{file}: has numbers of {', '.join(unknown)}, which this run did not build.")
        split = f"external ({file.stem})"
        metrics = pd.concat([metrics[metrics["split"] != split], sent[COLUMNS].assign(split=split)], ignore_index=True)
    write_table(path, metrics)
