"""The model as one safe file: what it needs, the fitted steps in formats that execute nothing, and what it was worth.

`model.isthmus` is a zip: `manifest.json` (format version, plan, schema and reference distribution of the inputs, published
performance, checksums) and the files of the fitted pipeline (JSON, LightGBM's text, or a fixed list of trusted types; never pickle).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import ModelFileError
from isthmus.study.plan import Plan
from isthmus.study.store import write_bytes
from isthmus.table import Task

__all__ = ["FORMAT", "Model"]

FORMAT = 1
_MANIFEST = "manifest.json"
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model, with everything a second hospital needs to use it offline.

    `Model.load(path)` reads one, `predict(cases)` applies it to a case table (or feature table), `predict_rows(X)` to ready values.
    """

    manifest: Mapping[str, Any]
    pipeline: Any

    @property
    def name(self) -> str:
        return str(self.manifest["model"])

    @property
    def threshold(self) -> float:
        """The probability from which a patient counts as positive; fixed on training predictions."""
        return float.fromhex(self.manifest["threshold"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of the outcome, the negative one (or the lowest) first."""
        return tuple(str(name) for name in self.manifest["outcome"]["classes"])

    @property
    def task(self) -> Task:
        task: Task = self.manifest["outcome"]["task"]
        return task

    @property
    def cuts(self) -> tuple[float, ...]:
        """Survival: the risks from which a patient belongs to the next risk group; fixed on training predictions."""
        return tuple(float.fromhex(cut) for cut in self.manifest.get("cuts", []))

    @property
    def horizon(self) -> float | None:
        """Survival: the time for which the model gives a probability."""
        return None if self.manifest.get("horizon") is None else float(self.manifest["horizon"])

    @property
    def columns(self) -> list[str]:
        """The columns the pipeline takes, in order."""
        return [str(item["column"]) for item in self.manifest["inputs"]]

    @property
    def used(self) -> frozenset[str]:
        """The inputs that play a part: what the steps and the estimator kept, and categories whose indicators were kept."""
        kept = [str(name) for name in self.pipeline.steps[-1][1].feature_names_in_]
        return frozenset(c for c in self.columns if any(name == c or name.startswith(f"{c}=") for name in kept))

    @property
    def plan(self) -> Plan:
        """The plan of the study the model comes from: which images, which settings, which columns."""
        return Plan.parse(self.manifest["plan"])

    def __repr__(self) -> str:
        training = self.manifest["training"]
        return (
            f"Model({self.name!r}: {self.manifest['outcome']['name']} = {self.classes[1]} from {len(self.columns)} inputs; "
            f"trained on {training['patients']} patients, {training['events']} events)"
        )

    # ------------------------------------------------------------------ using it

    def predict(self, cases: str | Path | pd.DataFrame, **options: Any) -> pd.DataFrame:
        """Probability and class of each patient: `patient, model, probability, class, reason`; see `isthmus apply`."""
        from isthmus.study.apply import apply_model

        return apply_model(self, cases, **options).predictions

    def predict_rows(self, X: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        """For rows that already have the model's columns: the probability of the positive class, shape (n,); of more than
        two classes that of each, shape (n, K); of a time to event the risk and the probability by the horizon, (n, 2)."""
        found = np.asarray(self.pipeline.predict_proba(X[self.columns]), dtype=np.float64)
        return found[:, 1] if self.task == "binary" else found

    def unusual(self, X: pd.DataFrame) -> pd.DataFrame:
        """Values that are missing or outside what the model was trained on, of the inputs that play a part in it: one row per
        patient row and input."""
        found = []
        used = self.used
        for item in self.manifest["inputs"]:
            column = item["column"]
            if column not in used:
                continue
            for row in X.index[X[column].isna()]:
                found.append({"row": row, "column": column, "note": f"{column} is missing; imputed as in training"})
            if item["kind"] == "number":
                low, high = float.fromhex(item["quantiles"][0]), float.fromhex(item["quantiles"][-1])
                values = pd.to_numeric(X[column])
                for row in values.index[(values < low) | (values > high)]:
                    note = f"{column} = {values[row]:.6g} is outside the training range {low:.6g} to {high:.6g}"
                    found.append({"row": row, "column": column, "note": note})
            else:
                known = set(item["categories"])
                for row, value in X[column].items():
                    if isinstance(value, str) and value not in known:
                        note = f"{column} = {value!r} never occurred in training (known: {', '.join(sorted(known))})"
                        found.append({"row": row, "column": column, "note": note})
        return pd.DataFrame(found, columns=["row", "column", "note"])

    # ------------------------------------------------------------------ the file

    def save(self, path: str | Path) -> None:
        """Write the model as one zip whose bytes depend on the model alone."""
        from isthmus.models import save_pipeline

        files = save_pipeline(self.pipeline)
        manifest = {**self.manifest, "checksums": {name: _sha256(content) for name, content in sorted(files.items())}}
        text = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in [(_MANIFEST, text), *sorted(files.items())]:
                entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)
            archive.comment = _sha256(text).encode()
        write_bytes(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model file; a wrong checksum, an unknown format or a type that is not trusted is refused, with the reason."""
        from isthmus.models import load_pipeline
        from isthmus.study.evaluate import STEPS

        path = Path(path)
        try:
            with zipfile.ZipFile(path) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
                seal = archive.comment.decode("ascii", errors="replace")
        except FileNotFoundError as exc:
            raise ModelFileError(f"{path}: no such file.") from exc
        except (zipfile.BadZipFile, OSError, EOFError) as exc:
            raise ModelFileError(f"{path}: not a model file, or damaged ({exc}). Ask for it again.") from exc
        manifest = _read_manifest(path, files.pop(_MANIFEST, None), seal)
        _check_files(path, manifest, files)
        try:
            pipeline = load_pipeline(files, steps=STEPS)
        except ModelFileError as exc:
            raise ModelFileError(f"{path}: {exc}") from exc
        return cls(manifest, pipeline)


def make_manifest(
    *, plan: Plan, model: str, X: pd.DataFrame, outcome: Mapping[str, Any], training: Mapping[str, Any], threshold: float,
    performance: pd.DataFrame, version: str, cuts: Sequence[float] = (), horizon: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the file says of the model; `X` are the training rows (only quantiles and categories of them are kept)."""
    return {
        "format": FORMAT,
        "isthmus": version,
        "model": model,
        "plan": plan.document(),
        "outcome": dict(outcome),
        "training": dict(training),
        "threshold": float(threshold).hex(),
        **({"cuts": [float(cut).hex() for cut in cuts], "horizon": horizon} if outcome["task"] == "survival" else {}),
        "inputs": [_input(X[column]) for column in X.columns],
        "performance": json.loads(
            performance[performance["model"] == model].to_json(orient="records", double_precision=15)
        ),
        "use": "Research use only. Not a medical device.",
    }


def _input(values: pd.Series[Any]) -> dict[str, Any]:
    """Name, kind and reference distribution of one input."""
    if pd.api.types.is_numeric_dtype(values):
        known = values.dropna().to_numpy(dtype=np.float64)
        quantiles = np.quantile(known, _QUANTILES) if len(known) else np.full(len(_QUANTILES), np.nan)
        return {
            "column": values.name, "kind": "number", "missing": int(values.isna().sum()),
            "quantiles": [float(q).hex() for q in quantiles],
        }  # fmt: skip
    counts = values.dropna().astype("str").value_counts().sort_index()
    return {
        "column": values.name,
        "kind": "category",
        "missing": int(values.isna().sum()),
        "categories": counts.to_dict(),
    }


def _read_manifest(path: Path, content: bytes | None, seal: str) -> dict[str, Any]:
    if content is None:
        raise ModelFileError(f"{path}: no {_MANIFEST} inside, so this is not a model file of Isthmus.")
    if _sha256(content) != seal:
        raise ModelFileError(
            f"{path}: {_MANIFEST} does not match its checksum; the file is damaged or was altered. Refused."
        )
    try:
        manifest = json.loads(content)
    except ValueError as exc:
        raise ModelFileError(f"{path}: its {_MANIFEST} is damaged ({exc}).") from exc
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        came = manifest.get("format") if isinstance(manifest, dict) else None
        raise ModelFileError(
            f"{path}: format {came!r}; this version reads format {FORMAT}. Use the version that wrote it."
        )
    return manifest


def _check_files(path: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    expected = manifest.get("checksums", {})
    if set(expected) != set(files):
        raise ModelFileError(
            f"{path}: holds the files {sorted(files)}, its manifest names {sorted(expected)}. Refused."
        )
    for name, content in files.items():
        if _sha256(content) != expected[name]:
            raise ModelFileError(
                f"{path}: {name} does not match its checksum; the file is damaged or was altered. Refused."
            )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
