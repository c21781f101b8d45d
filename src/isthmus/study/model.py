"""The model as one safe file: what it needs, the fitted steps in formats that execute nothing, and what it was worth.

`model.isthmus` is a sealed zip: `manifest.json` (format version, plan, schema and reference distribution of the inputs,
published performance, checksums), `card.md` (the same for people), `novelty.npz` (what training patients looked like to the
estimator) and the files of the fitted pipeline (JSON, LightGBM's text, plain arrays; never pickle).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.deep import Crops
from isthmus.errors import IsthmusError, ModelFileError, PlanError
from isthmus.habitat.measure import SupervoxelTable
from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.stats.novelty import Novelty, fit_novelty
from isthmus.study.manifest import FORMAT, LEVELS, predictors_of, read_manifest
from isthmus.study.plan import Plan
from isthmus.study.sealed import open_sealed, read_sealed, seal, sha256
from isthmus.study.store import write_bytes
from isthmus.table import Task
from isthmus.table.steps import CONTEXT, without_context

__all__ = ["FORMAT", "Model", "make_model"]

NOVELTY = "(all inputs together)"
"""What notes and the table of drift name instead of an input where the inputs are judged together."""

_MANIFEST, _CARD, _NOVELTY = "manifest.json", "card.md", "novelty.npz"


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model, with everything a second hospital needs to use it offline.

    `Model.load(path)` reads one, `predict(cases)` applies it to a case table (or feature table), `predict_rows(X)` to ready
    values. `card` says in words what it is for and what it was worth; `novelty` is what training patients looked like to the
    estimator (None where there was nothing to learn); `fingerprint` is the SHA-256 of the file it was read from.
    """

    manifest: Mapping[str, Any]
    pipeline: Any
    card: str = ""
    novelty: Novelty | None = None
    fingerprint: str = ""

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
    def predictors(self) -> list[dict[str, Any]]:
        """What is known of each predictor, as the rows of `made` have them: the inputs, but supervoxels as the columns made of them."""
        return predictors_of(self.manifest)

    def made(self, X: pd.DataFrame) -> pd.DataFrame:
        """Rows with the model's columns, supervoxels as the columns that the model makes of them."""
        given = X[self.columns]
        made: pd.DataFrame = self.pipeline.made(given)
        rest = [name for name in given.columns if name not in made.columns and not str(name).startswith(CONTEXT)]
        return pd.concat([made, given[rest]], axis=1) if rest else made

    @property
    def used(self) -> frozenset[str]:
        """The inputs that play a part: those behind a column whose weight in the estimator is not 0; all of them where the steps make
        new columns of several (principal components)."""
        return frozenset(self._used(self.pipeline))

    def _used(self, pipeline: Any) -> set[str]:
        estimator = pipeline.steps[-1][1]
        kept = np.asarray(estimator.feature_names_in_)[np.asarray(estimator.contributions()) != 0]
        inputs = [name for item in self.predictors if not (name := str(item["column"])).startswith(CONTEXT)]
        behind = {
            str(name): [c for c in inputs if name in (c, f"{c}_missing") or name.startswith(f"{c}=")] for name in kept
        }
        if pipeline.members is not None:  # behind a risk are the inputs of the model that gave it, too
            own = [c for c in inputs if c in pipeline.members.own]
            parts = zip(pipeline.members.pipelines, pipeline.members.names, strict=True)
            risks = [(set(names), self._used(one) | set(names)) for one, names in parts]
            plain = {c for name, found in behind.items() for c in found if not any(name in names for names, _ in risks)}
            unclear = not all(behind.values())
            played = [used for names, used in risks if unclear or names & set(behind)]
            return plain.union(own if unclear else (), *played)
        return set(inputs if not all(behind.values()) else [c for found in behind.values() for c in found])

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
        given, X = X, self.made(X)
        for item in self.predictors:
            column = item["column"]
            if column not in used:
                continue
            for row in X.index[X[column].isna()]:
                found.append({"row": row, "column": column, "note": f"{column} is missing; imputed as in training"})
            if item["kind"] == "number" and item["quantiles"]:
                low, high = float.fromhex(item["quantiles"][0]), float.fromhex(item["quantiles"][-1])
                values = pd.to_numeric(X[column])
                for row in values.index[(values < low) | (values > high)]:
                    note = f"{column} = {values[row]:.6g} is outside the training range {low:.6g} to {high:.6g}"
                    found.append({"row": row, "column": column, "note": note})
            elif item["kind"] == "category":
                known = set(item["categories"])
                for row, value in X[column].items():
                    if isinstance(value, str) and value not in known:
                        note = f"{column} = {value!r} never occurred in training (known: {', '.join(sorted(known))})"
                        found.append({"row": row, "column": column, "note": note})
        return pd.DataFrame([*found, *self._unlike_training(given)], columns=["row", "column", "note"])

    def novelty_of(self, X: pd.DataFrame) -> pd.DataFrame:
        """Of each row: `distance` from the training patients as the estimator sees them (about 1 for a usual one), `share` of
        training patients at least as far from the others, `rare`: is that less than chance would make it."""
        if self.novelty is None:
            return pd.DataFrame({"distance": np.nan, "share": np.nan, "rare": False}, index=X.index)
        distance = self.novelty.distance(_seen(self.pipeline, X[self.columns]))
        share = self.novelty.share(distance)
        return pd.DataFrame({"distance": distance, "share": share, "rare": share <= self.novelty.rare}, index=X.index)

    def _unlike_training(self, X: pd.DataFrame) -> list[dict[str, Any]]:
        found = self.novelty_of(X)
        said = []
        for row, distance, share in found.loc[found["rare"], ["distance", "share"]].itertuples():
            note = (
                f"unlike the training patients taken together: distance {distance:.3g} (usual: about 1); "
                f"{100 * (1 - float(share)):.1f} % of them are nearer to the others"
            )
            said.append({"row": row, "column": NOVELTY, "note": note})
        return said

    # ------------------------------------------------------------------ the file

    def save(self, path: str | Path) -> None:
        """Write the model as one zip whose bytes depend on the model alone."""
        from isthmus.models import save_pipeline

        files = {**save_pipeline(self.pipeline), _CARD: self.card.encode()}
        if self.novelty is not None:
            files[_NOVELTY] = _novelty_bytes(self.novelty)
        manifest = {**self.manifest, "checksums": {name: sha256(content) for name, content in sorted(files.items())}}
        text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False).encode()
        write_bytes(Path(path), seal({_MANIFEST: text, **dict(sorted(files.items()))}))

    @classmethod
    def load(cls, path: str | Path, *, fingerprint: str | None = None) -> Model:
        """Read a model file; nothing in it is executed.

        Parameters
        ----------
        path : path
        fingerprint : str, optional
            The SHA-256 of the file that its makers published (`sha256sum model.isthmus`); another one is refused. The seal
            inside finds damage, only this finds a file that somebody altered on purpose.

        Raises
        ------
        ModelFileError
            Not the file that was meant, damaged, of another format, of a type that is not trusted, or it does not compute
            here what it computed where it was made.
        """
        path = Path(path)
        content = read_sealed(path)
        found = sha256(content)
        if fingerprint is not None and fingerprint.strip().lower() != found:
            raise ModelFileError(
                f"{path}: its SHA-256 is {found}, not {fingerprint.strip()[:80]}: another file than the one you were told of. Refused."
            )
        try:
            return cls._of_files(open_sealed(content), found)
        except ModelFileError as exc:
            raise ModelFileError(f"{path}: {exc}") from exc

    @classmethod
    def _of_files(cls, files: dict[str, bytes], fingerprint: str) -> Model:
        from isthmus.models import load_pipeline
        from isthmus.study.evaluate import STEPS

        if _MANIFEST not in files:
            raise ModelFileError(f"no {_MANIFEST} inside, so this is not a model file of Isthmus.")
        try:
            manifest = read_manifest(files.pop(_MANIFEST), _MANIFEST)
        except PlanError as exc:
            raise ModelFileError(f"{_MANIFEST}: its plan: {exc}") from exc
        _check_files(manifest, files)
        card, novelty = files.pop(_CARD, None), files.pop(_NOVELTY, None)
        if card is None:
            raise ModelFileError(f"no {_CARD} inside. Refused.")
        try:
            model = cls(
                manifest,
                load_pipeline(files, steps=STEPS),
                card.decode("utf-8"),
                None if novelty is None else _read_novelty(novelty),
                fingerprint,
            )
            model.check_trial()
        except ModelFileError:
            raise
        except IsthmusError as exc:
            raise ModelFileError(str(exc)) from exc
        except Exception as exc:  # whatever forged contents trip over
            raise ModelFileError(
                f"its contents do not fit together ({type(exc).__name__}: {exc}). Ask for the file again."
            ) from exc
        return model

    # ------------------------------------------------------------------ does it compute here what it computed there

    def trial(self) -> list[list[str]]:
        """Predictions for three rows that are no patients: every input at its quartiles, or the most frequent category."""
        from isthmus.study.compute import one_thread

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.atleast_2d(one_thread(self.predict_rows, _trial_rows(self.manifest["inputs"])).T).T
        return [[float(value).hex() for value in row] for row in found]

    def check_trial(self) -> None:
        """Raise `ModelFileError` where this machine computes other predictions than the one the model was made on."""
        then = np.array([[float.fromhex(value) for value in row] for row in self.manifest["trial"]])
        now = np.array([[float.fromhex(value) for value in row] for row in self.trial()])
        # networks compute in single precision, and their kernels differ between processors
        networks = any(item["kind"] == "crops" for item in self.manifest["inputs"])
        rtol, atol = (1e-3, 1e-4) if networks else (1e-6, 1e-9)
        if then.shape != now.shape or not np.allclose(now, then, rtol=rtol, atol=atol):
            raise ModelFileError(
                f"computes {now.tolist()} here for its trial rows, and {then.tolist()} where it was made: altered, or the "
                "libraries differ too much (compare `isthmus doctor` with the versions on its card). Refused."
            )


def make_model(
    manifest: Mapping[str, Any],
    pipeline: Any,
    X: pd.DataFrame,
    patients: Sequence[Any] | pd.Series[Any],
    card: str = "",
) -> Model:
    """A fitted model ready to be written, with what training rows look like to its estimator and its trial."""
    made = Model(manifest, pipeline, card, fit_novelty(_seen(pipeline, X, training=True), np.asarray(patients)))
    return Model({**manifest, "trial": made.trial()}, pipeline, card, made.novelty)


def _seen(pipeline: Any, X: pd.DataFrame, *, training: bool = False) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The rows as the estimator sees them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(without_context(pipeline.transform(X, training=training)), dtype=np.float64)


def _trial_rows(inputs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    places = [LEVELS.index(level) for level in (0.25, 0.5, 0.75)]
    for item in inputs:
        if item["kind"] == "number":
            held = [float.fromhex(item["quantiles"][place]) for place in places] if item["quantiles"] else [np.nan] * 3
            columns[item["column"]] = pd.Series(held, dtype="float64")
        elif item["kind"] == "supervoxels":
            columns[item["column"]] = pd.Series([_trial_supervoxels(item, row) for row in range(3)], dtype=object)
        elif item["kind"] == "crops":
            columns[item["column"]] = pd.Series([_trial_crops(item, row) for row in range(3)], dtype=object)
        else:
            often = max(item["categories"], key=lambda name: (item["categories"][name], name), default=None)
            columns[item["column"]] = pd.Series([often] * 3, dtype="str")
    return pd.DataFrame(columns)


def _trial_supervoxels(item: Mapping[str, Any], row: int) -> SupervoxelTable:
    """Twelve supervoxels in a chain that are nobody's: every feature between its quartiles, in an order of its own."""
    low, middle, high = np.array([[float.fromhex(q) for q in three] for three in item["quartiles"]]).T
    piece, feature = np.indices((12, len(low)))
    along = ((5 * piece + 7 * feature + 3 * row * (piece % 3)) % 13) / 12
    values = np.where(along < 0.5, low + 2 * along * (middle - low), middle + (2 * along - 1) * (high - middle))
    chain = np.array([[place, place + 1, 10] for place in range(11)], dtype=np.int64)
    return SupervoxelTable(f"trial {row}", values, 100.0 + 20 * np.arange(12.0), contacts=chain)


def _trial_crops(item: Mapping[str, Any], row: int) -> Crops:
    """One crop that is nobody's: grey between the quartiles, in stripes of its own."""
    low, _, high = (float.fromhex(q) for q in item["quartiles"])
    places = np.indices(item["shape"])
    along = (sum((5 + 2 * axis + 3 * row) * place for axis, place in enumerate(places)) % 13) / 12
    return Crops(f"trial {row}", (low + along * (high - low)).astype(np.float16)[None])


def _novelty_bytes(novelty: Novelty) -> bytes:
    return arrays_to_bytes(
        centre=novelty.centre, scale=novelty.scale, axes=novelty.axes, variances=novelty.variances,
        distances=novelty.distances, scalars=np.array([novelty.floor, novelty.shrinkage]),
    )  # fmt: skip


def _read_novelty(content: bytes) -> Novelty:
    held = bytes_to_arrays(content, _NOVELTY, centre=1, scale=1, axes=2, variances=1, distances=1, scalars=1)
    used = int((held["scale"] > 0).sum())
    sound = (
        held["centre"].shape == held["scale"].shape
        and held["axes"].shape == (len(held["variances"]), used)
        and len(held["scalars"]) == 2
        and len(held["distances"]) > 0
        and bool((held["variances"] > 0).all() and held["scalars"][0] > 0 and np.all(np.diff(held["distances"]) >= 0))
    )
    if not sound:
        raise ModelFileError(f"{_NOVELTY}: its arrays do not fit together; the file is damaged")
    floor, shrinkage = (float(value) for value in held.pop("scalars"))
    return Novelty(**held, floor=floor, shrinkage=shrinkage)


def _check_files(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    expected = manifest["checksums"]
    if set(expected) != set(files):
        raise ModelFileError(f"holds the files {sorted(files)}, its manifest names {sorted(expected)}. Refused.")
    for name, content in files.items():
        if sha256(content) != expected[name]:
            raise ModelFileError(f"{name} does not match its checksum; the file is damaged or was altered. Refused.")
