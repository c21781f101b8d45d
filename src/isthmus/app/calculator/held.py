"""The models that are open, and the last risks that were calculated, while the application runs."""

from __future__ import annotations

import datetime as dt
import math
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isthmus.app.paths import inside_any
from isthmus.app.refusal import Refusal
from isthmus.app.settings import AppSettings
from isthmus.app.uploads import Uploads
from isthmus.report.facts import SPLITS
from isthmus.report.wording import metric_name
from isthmus.study.model import Model
from isthmus.study.patient import PatientForm, PatientRisk, patient_form, patient_risk
from isthmus.study.plan import CLINICAL

__all__ = ["Held"]

MODEL_ENDING = ".isthmus"
IMAGES = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")
_MOST_MODELS, _MOST_RISKS, _MOST_FOUND = 8, 20, 100
_HEADLINES = ("auc", "macro_auc", "ordinal_c", "c_index", "sensitivity", "specificity", "calibration_slope", "brier")


class Held:
    """Models by their fingerprint, risks by a key; the oldest make room."""

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._told: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._files = Uploads(IMAGES, settings.largest_upload)
        self._model_files = Uploads((MODEL_ENDING,), settings.largest_upload)

    # ------------------------------------------------------------------ models

    def found(self) -> list[dict[str, str]]:
        """Model files below the folders, newest first."""
        files: list[tuple[float, Path, Path]] = []
        for home in self.settings.folders:
            for path in home.rglob(f"*{MODEL_ENDING}"):
                if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home).parts):
                    files.append((path.stat().st_mtime, path, home))
        files.sort(reverse=True)
        shown = {path: str(path.relative_to(home.parent)) for _, path, home in files[:_MOST_FOUND]}
        return [{"path": str(path), "shown": text} for path, text in shown.items()]

    def open(self, path: str) -> dict[str, Any]:
        file = inside_any(self.settings.folders, path)
        if file.suffix != MODEL_ENDING or not file.is_file():
            raise Refusal(
                f"{file.name}: no model file",
                f"a file that ends in {MODEL_ENDING}",
                "every run writes one: RUN/model.isthmus",
                status=404,
            )
        return self._hold(Model.load(file), file.name)

    async def receive_model(self, request: Any, name: str) -> dict[str, Any]:
        key = self._model_files.begin()
        try:
            file = await self._model_files.receive(request, key, "model", name)
            return self._hold(Model.load(file), name)
        finally:
            self._model_files.end(key)

    def _hold(self, model: Model, file: str) -> dict[str, Any]:
        with self._lock:
            self._models[model.fingerprint] = model
            self._models.move_to_end(model.fingerprint)
            while len(self._models) > _MOST_MODELS:
                self._models.popitem(last=False)
        return described(model, file)

    def _model(self, key: str) -> Model:
        with self._lock:
            model = self._models.get(key)
        if model is None:
            raise Refusal("this model is not open any more", do="choose it again", status=404)
        return model

    # ------------------------------------------------------------------ risks

    async def receive_image(self, request: Any, key: str, part: str, name: str) -> str:
        kind, _, of = part.partition(":")
        if kind not in ("image", "mask") or not of:
            raise Refusal(f"part = {part!r}", "image:<name> or mask:<name>", status=400)
        key = key or self._files.begin()
        await self._files.receive(request, key, part, name)
        (self._files.folder(key) / f"{_place(part)}.part").write_text(part, encoding="utf-8")
        return key

    def risk(self, key: str, values: Mapping[str, str], upload: str, label: str, note: str) -> dict[str, Any]:
        model = self._model(key)
        try:
            files = self._received(upload) if upload else {}
            found = patient_risk(
                model, {name: text for name, text in values.items() if text.strip()}, files, label=label.strip()
            )
        finally:
            if upload:
                self._files.end(upload)
        told = {
            **_risk(model, found),
            "key": secrets.token_urlsafe(12),
            "when": dt.datetime.now().astimezone().isoformat(timespec="minutes"),
            "files": {part: path.name for part, path in files.items()},
            "values": dict(values),
            "note": note.strip()[:2000],
        }
        with self._lock:
            self._told[told["key"]] = {"model": described(model, ""), "risk": told}
            while len(self._told) > _MOST_RISKS:
                self._told.popitem(last=False)
        return told

    def _received(self, upload: str) -> dict[str, Path]:
        folder = self._files.folder(upload)
        parts = {path.read_text(encoding="utf-8"): path.stem for path in folder.glob("*.part")}
        # a DICOM series is a folder of files; anything else is one file
        found = {}
        for part, place in parts.items():
            files = sorted((folder / place).iterdir())
            series = len(files) > 1 and all(file.suffix.lower() == ".dcm" for file in files)
            found[part] = folder / place if series else files[-1]
        return found

    def told(self, key: str) -> dict[str, Any]:
        with self._lock:
            found = self._told.get(key)
        if found is None:
            raise Refusal("this risk is not kept any more", do="calculate it again", status=404)
        return found


def _place(part: str) -> str:
    return re.sub(r"\W+", "_", part)[:60]


# ---------------------------------------------------------------------- as JSON


def described(model: Model, file: str) -> dict[str, Any]:
    """What the page shows of a model: what it predicts, for whom, how good it was, and what must be entered."""
    outcome, plan = model.manifest["outcome"], model.plan
    form = patient_form(model)
    return {
        "key": model.fingerprint,
        "file": file,
        "name": model.name,
        "title": plan.report.title or f"Prediction of {outcome['name']}",
        "use": model.manifest["use"],
        "event": _event(model),
        "task": model.task,
        "classes": list(model.classes),
        "horizon": model.horizon,
        "threshold": model.threshold if model.task == "binary" else None,
        "training": model.manifest["training"],
        "include": list(plan.source.include),
        "exclude": list(plan.source.exclude),
        "performance": _performance(model),
        "interval": model.manifest.get("observed") is not None,
        "card": model.card,
        "form": _form(form),
    }


def _form(form: PatientForm) -> dict[str, Any]:
    return {
        "inputs": [asdict(one) for one in form.inputs],
        "images": list(form.images),
        "masks": list(form.masks),
        "refused": form.refused,
    }


def _event(model: Model) -> str:
    """What the risk is of: the class, or the outcome where the class is only called yes or 1."""
    name = model.classes[1]
    plain = model.task == "survival" or name.casefold() in ("1", "yes", "true", "y", "event")
    return str(model.manifest["outcome"]["name"]) if plain else f"{model.manifest['outcome']['name']}: {name}"


def _performance(model: Model) -> list[dict[str, Any]]:
    rows = [
        row
        for row in model.manifest["performance"]
        if row.get("metric") in _HEADLINES and row.get("split") in SPLITS and row["split"] != "train"
    ]
    order = list(SPLITS)
    rows.sort(key=lambda row: (order.index(row["split"]), _HEADLINES.index(row["metric"])))
    return [
        {
            "split": SPLITS[row["split"]],
            "metric": metric_name(row["metric"]),
            **{key: row.get(key) for key in ("estimate", "lower", "upper")},
        }
        for row in rows
    ]


def _called(model: Model, note: str) -> str:
    """A note with the words of the form instead of the column's name in front."""
    column, _, rest = note.partition(" ")
    name = column.removeprefix(f"{CLINICAL}.")
    label = next((one.label for one in patient_form(model).inputs if one.name == name), column)
    return f"{label} {rest}"


def _risk(model: Model, found: PatientRisk) -> dict[str, Any]:
    known = math.isfinite(found.probability)
    observed = found.observed
    return {
        "probability": found.probability if known else None,
        "called": found.called,
        "reason": found.reason,
        "classes": {name: value if math.isfinite(value) else None for name, value in found.classes.items()},
        "observed": None
        if observed is None
        else {key: getattr(observed, key) for key in ("estimate", "lower", "upper", "method")},
        "notes": [_called(model, note) for note in found.notes],
        "unlike": found.unlike,
        "effects": [asdict(one) for one in found.effects],
        "points": [asdict(one) for one in found.points],
        "total": sum(one.points for one in found.points) if found.points else None,
        "threshold": model.threshold if model.task == "binary" and known else None,
    }
