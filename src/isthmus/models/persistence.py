"""Fitted pipelines as files that execute nothing when opened.

`pipeline.json` holds the steps (names, settings, what they learned) and names the estimator; the estimator adds its
own file: JSON (linear models), arrays (`forest.npz`, read without pickle) or LightGBM's text. Only names of the two
registries are accepted. Models whose risks the pipeline takes are in `pipeline.json`, too: their own files in base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from isthmus.errors import IsthmusError, ModelFileError
from isthmus.models.estimator import Estimator
from isthmus.models.json_text import read_json
from isthmus.models.pipeline import Pipeline
from isthmus.models.registry import ESTIMATORS
from isthmus.stats.recalibration import Recalibration
from isthmus.table.members import Members
from isthmus.table.outcome import Task
from isthmus.table.steps import Resampler, Step, decode_state, encode_state, step_labels

__all__ = ["FORMAT", "load_pipeline", "save_pipeline"]

FORMAT = 3
"""2: `prior` and `recalibration` beside steps and estimator; 3: `members`, whole pipelines. A file without them says less."""
_MAIN = "pipeline.json"


def save_pipeline(pipeline: Pipeline) -> dict[str, bytes]:
    """The files (name -> content) of a fitted pipeline made by `build`."""
    *steps, (_, estimator) = pipeline.steps
    for _, step in steps:
        if not isinstance(step, Step):
            raise ModelFileError(
                f"a step of type {type(step).__name__} cannot be written; only steps of this package can"
            )
    if not isinstance(estimator, Estimator):
        raise ModelFileError(
            f"an estimator of type {type(estimator).__name__} cannot be written; known: {', '.join(ESTIMATORS)}"
        )
    names = getattr(estimator, "feature_names_in_", None)
    carried: dict[str, Any] = {}
    if pipeline.prior is not None:
        carried["prior"] = [shares.tolist() for shares in pipeline.prior]
    if pipeline.recalibration is not None:
        carried["recalibration"] = pipeline.recalibration.to_json()
    version = 2 if carried else 1
    if pipeline.members is not None:
        carried["members"], version = _members_state(pipeline.members), FORMAT
    main = {
        "format": version,
        "steps": [
            {"name": step.name, "state": step.to_state()} for _, step in steps if not isinstance(step, Resampler)
        ],
        "estimator": {
            "name": estimator.name,
            "settings": encode_state(estimator.get_params(deep=False)),
            "columns": None if names is None else [str(name) for name in names],
        },
        **carried,
    }
    return {_MAIN: json.dumps(main, ensure_ascii=False, allow_nan=False, indent=1).encode(), **estimator.to_files()}


def load_pipeline(files: Mapping[str, bytes], *, steps: Mapping[str, type[Step]]) -> Pipeline:
    """The fitted pipeline again; its predictions are those it made before, to the last bit.

    Parameters
    ----------
    files : mapping
        Name -> content, as `save_pipeline` gave them.
    steps : mapping
        Name -> class of the steps that are trusted (`models.STEPS | select.STEPS`).

    Raises
    ------
    ModelFileError
        Something is missing, damaged, of another format, or of a type that is not on the list.
    """
    main = _main(files)
    try:
        chain: list[Step] = []
        for entry in main["steps"]:
            name = entry["name"]
            if name not in steps:
                raise ModelFileError(f"{_MAIN}: step '{name}' is not trusted. Known: {', '.join(sorted(steps))}.")
            chain.append(steps[name].from_state(entry["state"]))
        described = main["estimator"]
        if described["name"] not in ESTIMATORS:
            raise ModelFileError(
                f"{_MAIN}: estimator '{described['name']}' is not trusted. Known: {', '.join(sorted(ESTIMATORS))}."
            )
        estimator = ESTIMATORS[described["name"]].from_files(decode_state(described["settings"]), files)
        named: list[tuple[str, Any]] = list(zip(step_labels(chain), chain, strict=True))
        pipeline = Pipeline([*named, ("estimator", estimator.restore(described["columns"]))])
        if "prior" in main:
            pipeline.prior = tuple(np.asarray(shares, dtype=np.float64) for shares in main["prior"])
        if "recalibration" in main:
            pipeline.recalibration = Recalibration.from_json(main["recalibration"])
        if "members" in main:
            pipeline.members = _members_of(main["members"], steps)
    except IsthmusError:
        raise
    except Exception as exc:  # whatever a forged content trips over: it is the file's fault, and it is said
        raise ModelFileError(
            f"the model's files are damaged or incomplete ({type(exc).__name__}: {exc}). "
            "Ask the sender for the file again."
        ) from exc
    return pipeline


def _members_state(members: Members) -> dict[str, Any]:
    """Members as plain JSON values."""
    files = [
        {name: base64.b64encode(content).decode("ascii") for name, content in save_pipeline(pipeline).items()}
        for pipeline in members.pipelines
    ]
    parts = [
        {"columns": list(columns), "names": list(names), "files": held}
        for columns, names, held in zip(members.columns, members.names, files, strict=True)
    ]
    return {"own": list(members.own), "task": members.task, "models": parts}


def _members_of(state: Mapping[str, Any], steps: Mapping[str, type[Step]]) -> Members:
    """Members again; each is read like a model of its own."""
    parts = state["models"]
    if state["task"] not in get_args(Task) or not parts:
        raise ModelFileError(f"{_MAIN}: models inside it of the task {str(state['task'])[:40]!r}. Refused.")
    return Members(
        tuple(
            load_pipeline(
                {name: base64.b64decode(held, validate=True) for name, held in part["files"].items()}, steps=steps
            )
            for part in parts
        ),
        tuple(tuple(map(str, part["columns"])) for part in parts),
        tuple(tuple(map(str, part["names"])) for part in parts),
        tuple(map(str, state["own"])),
        state["task"],
    )


def _main(files: Mapping[str, bytes]) -> dict[str, Any]:
    if _MAIN not in files:
        raise ModelFileError(f"no {_MAIN} among the model's files ({', '.join(sorted(files)) or 'none'})")
    main = read_json(files[_MAIN], _MAIN)
    if main.get("format") not in range(1, FORMAT + 1) or isinstance(main["format"], bool):
        raise ModelFileError(
            f"{_MAIN}: format {main.get('format')!r}; this version of Isthmus reads formats 1 to {FORMAT}"
        )
    return main
