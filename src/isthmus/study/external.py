"""Numbers another site sent: `isthmus apply --aggregate-only` there, `isthmus report RUN --external FILE` here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.study.aggregate import COLUMNS, FORMAT, LEAST, outcome_key
from isthmus.study.model import Model
from isthmus.study.sealed import sha256
from isthmus.study.store import write_table

__all__ = ["merge_external"]

_PARTS = frozenset({"about", "drift", "band", "class", "called", "group", "metric", "withheld"})
_MOST_ROWS, _MOST_TEXT = 20_000, 1_000
_ASK = "Ask the site for what `isthmus apply MODEL --cases ... --aggregate-only` writes."


@dataclass(frozen=True)
class _Sent:
    """One file that came: which site, what it says of itself, its rows."""

    site: str
    about: dict[str, str]
    rows: pd.DataFrame

    @property
    def split(self) -> str:
        return f"external ({self.site})"

    def part(self, name: str) -> pd.DataFrame:
        return self.rows[self.rows["part"] == name]


def merge_external(folder: str | Path, files: Sequence[str | Path]) -> None:
    """Add other sites' numbers to a run; each is a split `external (<file's name>)`, and sending one again replaces it.

    `metrics.csv` gets the metrics, `tables/external_sites.csv` what the files say of themselves, `tables/external_bands.csv` the counts
    in bands of risk (from which curves are drawn), `tables/external_counts.csv` those of classes and risk groups.

    Raises
    ------
    TableError
        The folder is no run, or a file is not such a table, or is of another model, outcome or format; nothing is merged then.
    """
    folder = Path(folder)
    if not (folder / "metrics.csv").is_file():
        raise TableError(f"{folder}: no metrics.csv, so this is not the folder of a finished run.")
    path = folder / "model.isthmus"
    if not path.is_file():
        raise TableError(f"{folder}: no model.isthmus, so it cannot be told whether the numbers are of its model.")
    model = Model.load(path)
    sent = [_read(Path(file), model) for file in files]
    sites = [one.site for one in sent]
    if len(set(sites)) < len(sites):
        raise TableError(f"two files name the same site ({', '.join(sites)}); give each site's file its own name.")
    for one in sent:
        _replace(folder / "metrics.csv", one, _metrics(one, model))
        _replace(folder / "tables" / "external_sites.csv", one, _site(one, model))
        _replace(folder / "tables" / "external_bands.csv", one, _bands(one, model))
        _replace(folder / "tables" / "external_counts.csv", one, _counts(one, model))


def _replace(path: Path, one: _Sent, rows: pd.DataFrame) -> None:
    """The table with this site's rows new; not made where it would be empty."""
    there = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=rows.columns)
    kept = there[there["split"] != one.split]
    if len(rows) or len(kept) < len(there):
        parts = [part for part in (kept, rows) if len(part)]
        write_table(path, pd.concat(parts, ignore_index=True) if parts else there.iloc[:0])


# ---------------------------------------------------------------------- reading what came


def _read(file: Path, model: Model) -> _Sent:
    try:
        rows = pd.read_csv(
            file, dtype={"part": "str", "name": "str", "text": "str"}, keep_default_na=False, na_values=[""]
        )
    except (OSError, ValueError) as exc:
        raise TableError(f"{file}: cannot be read as a table ({exc}).") from exc
    if {"metric", "split"} <= set(rows.columns):
        raise TableError(
            f"{file}: is of the format of an earlier version, which did not say of which model its numbers are. {_ASK}"
        )
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        raise TableError(f"{file}: lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. {_ASK}")
    rows = rows[COLUMNS].fillna({"part": "", "name": "", "text": ""})
    if len(rows) > _MOST_ROWS or int(rows[["name", "text"]].map(len).to_numpy().max(initial=0)) > _MOST_TEXT:
        raise TableError(f"{file}: more or longer rows than such a file has. {_ASK}")
    unknown = sorted(set(rows["part"]) - _PARTS)
    if unknown:
        raise TableError(f"{file}: has rows of the kind {unknown[0]!r}; known: {', '.join(sorted(_PARTS))}. {_ASK}")
    for column in ("estimate", "lower", "upper", "n", "events"):
        if not pd.api.types.is_numeric_dtype(rows[column]) and rows[column].notna().any():
            raise TableError(f"{file}: column {column!r} holds what is no number. {_ASK}")
        rows[column] = rows[column].astype("float64")
    said = rows[rows["part"] == "about"]
    one = _Sent(file.stem, dict(zip(said["name"], said["text"], strict=True)), rows)
    _check_same(file, one, model)
    _check_counts(file, one)
    return one


def _check_same(file: Path, one: _Sent, model: Model) -> None:
    """Format, model and outcome are those of this run."""
    if one.about.get("format") != str(FORMAT):
        raise TableError(
            f"{file}: format {one.about.get('format')!r}; this version reads format {FORMAT}. Both sites need the same version."
        )
    if one.about.get("model_sha256") != model.fingerprint:
        raise TableError(
            f"{file}: its numbers are of the model file {str(one.about.get('model_sha256'))[:16]}..., this run's is "
            f"{model.fingerprint[:16]}.... Another model, or the run was done again since; send the site this run's model.isthmus."
        )
    if one.about.get("model") != model.name:
        raise TableError(f"{file}: has numbers of {one.about.get('model')!r}, which this run did not build.")
    if one.about.get("outcome_key") != outcome_key(model) or one.about.get("task") != model.task:
        raise TableError(
            f"{file}: counts another outcome ({one.about.get('outcome')!r}, {one.about.get('task')}) than this run "
            f"({model.manifest['outcome']['name']!r}, {model.task}), or defines it otherwise."
        )


def _check_counts(file: Path, one: _Sent) -> None:
    """Counts are whole, none is of fewer than `LEAST` patients, and the bands are bands."""
    counted = one.rows[one.rows["part"].isin(["band", "class", "called", "group"])]
    n, events = counted["n"].to_numpy(), counted["events"].fillna(LEAST).to_numpy()
    bands = one.part("band").sort_values("lower")
    edges = bands[["lower", "upper"]].to_numpy()
    known_class = one.rows["part"].isin(["band", "group"])
    others = (one.rows["n"] - one.rows["events"])[known_class].to_numpy()
    sound = (
        bool(np.all(n >= LEAST) and np.all(n == np.round(n)))
        and bool(np.all(events >= LEAST) and np.all(others >= LEAST) and np.all(events == np.round(events)))
        and (not len(bands) or (edges[0, 0] == 0 and edges[-1, 1] == 1 and np.array_equal(edges[1:, 0], edges[:-1, 1])))
        and not one.part("metric")["name"].duplicated().any()
    )
    if not sound:
        raise TableError(f"{file}: its counts do not fit together or are of fewer than {LEAST} patients. {_ASK}")


# ---------------------------------------------------------------------- what a run keeps of it


def _metrics(one: _Sent, model: Model) -> pd.DataFrame:
    rows = one.part("metric")
    return pd.DataFrame(
        {
            "model": model.name, "split": one.split, "metric": rows["name"], "estimate": rows["estimate"],
            "lower": rows["lower"], "upper": rows["upper"], "method": rows["text"],
        }
    ).reset_index(drop=True)  # fmt: skip


def _site(one: _Sent, model: Model) -> pd.DataFrame:
    metric = one.part("metric").set_index("name")["estimate"]
    drift = one.part("drift").set_index("name")["n"]
    facts = {
        "split": one.split, "site": one.site, "model": model.name, "n": metric.get("n"), "n_events": metric.get("n_events"),
        "without_prediction_or_outcome": one.about.get("without_prediction_or_outcome", ""),
        "inputs_compared": drift.get("inputs"), "inputs_apart": drift.get("inputs_apart"),
        "withheld": ", ".join(one.part("withheld")["name"]), "isthmus": one.about.get("isthmus", ""),
        "model_sha256": one.about["model_sha256"], "file_sha256": sha256(one.rows.to_csv(index=False).encode()),
    }  # fmt: skip
    return pd.DataFrame([facts])


def _bands(one: _Sent, model: Model) -> pd.DataFrame:
    rows = one.part("band")
    return pd.DataFrame(
        {
            "model": model.name, "split": one.split, "lower": rows["lower"], "upper": rows["upper"],
            "n": rows["n"].astype("int64"), "events": rows["events"].astype("int64"), "predicted": rows["estimate"],
        }
    ).reset_index(drop=True)  # fmt: skip


def _counts(one: _Sent, model: Model) -> pd.DataFrame:
    rows = one.rows[one.rows["part"].isin(["class", "called", "group"])]
    return pd.DataFrame(
        {
            "model": model.name, "split": one.split, "kind": rows["part"], "name": rows["name"], "called": rows["text"],
            "n": rows["n"].astype("int64"), "events": rows["events"], "event_free": rows["estimate"],
            "lower": rows["lower"], "upper": rows["upper"],
        }
    ).reset_index(drop=True)  # fmt: skip
