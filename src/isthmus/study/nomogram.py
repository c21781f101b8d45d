"""The nomogram of each final model that is a straight sum of its predictors, as a table of points."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.explain.nomogram import nomogram_of
from isthmus.models.estimator import Estimator
from isthmus.stats.nomogram import Axis, Nomogram, pretty
from isthmus.study.fusion import RISK
from isthmus.study.plan import CLINICAL, Plan
from isthmus.study.store import RunFolder
from isthmus.table.dictionary import ColumnSettings
from isthmus.validate.nested import FittedModel

if TYPE_CHECKING:
    from isthmus.study.calculator import Calculation
    from isthmus.study.evaluate import Candidate
    from isthmus.study.model import Model

__all__ = [
    "COLUMNS",
    "Points",
    "dictionary",
    "nomogram_table",
    "points_of",
    "stored_points",
    "with_points",
    "write_nomograms",
]

log = logging.getLogger("isthmus")

COLUMNS = ["part", "predictor", "label", "value", "text", "points", "linear_predictor", "risk"]
_RISKS = (0.01, 0.02, 0.05, *np.round(np.arange(0.1, 0.95, 0.1), 1).tolist(), 0.95, 0.98, 0.99)


def write_nomograms(
    plan: Plan, candidates: Sequence[Candidate], finals: Mapping[str, FittedModel], store: RunFolder
) -> None:
    """`tables/nomogram_<model>.csv` of every model that has one; where a sum of columns has none, the log says why."""
    if plan.source.task != "binary":
        return
    columns = dictionary(plan)
    possible = {name: facts.range for name, facts in columns.items() if facts.range is not None}
    for candidate in candidates:
        name, pipeline = candidate.spec.name, finals[candidate.spec.name].pipeline
        if type(pipeline.estimator).additive_parts is Estimator.additive_parts:
            continue
        if candidate.patients.duplicated().any():
            log.info("model %r: no nomogram: a patient's risk is the mean over several rows", name)
            continue
        try:
            found = nomogram_of(pipeline.rest, pipeline.made(candidate.X, training=True), possible=possible)
        except TableError as exc:
            log.info("model %r: no %s", name, exc)
            continue
        store.write(f"tables/nomogram_{name}.csv", nomogram_table(found, columns))


def dictionary(plan: Plan) -> dict[str, ColumnSettings]:
    """What the data dictionary says of the clinical columns, under every name a design matrix may give them."""
    declared = plan.clinical.columns if plan.clinical is not None else {}
    return {**declared, **{f"{CLINICAL}.{name}": facts for name, facts in declared.items()}}


def nomogram_table(nomogram: Nomogram, columns: Mapping[str, ColumnSettings] | None = None) -> pd.DataFrame:
    """Every tick of every axis, then of the total points, then of the risk.

    Returns
    -------
    DataFrame
        part (predictor, total, risk), predictor (its column), label, value (of a number), text (as printed), points;
        linear_predictor and risk of total points.
    """
    rows: list[dict[str, Any]] = []
    for axis in nomogram.axes:
        facts = (columns or {}).get(axis.name, ColumnSettings())
        ticks: list[Any] = sorted(axis.ticks, key=_declared(facts.levels)) if axis.slope is None else [*axis.ticks]
        ticks += [] if axis.missing is None else [None]
        for tick in ticks:
            rows.append(
                {
                    "part": "predictor",
                    "predictor": axis.name,
                    "label": _label(axis, facts),
                    "value": tick if axis.slope is not None and tick is not None else np.nan,
                    "text": "missing" if tick is None else _word(axis, tick, facts),
                    "points": nomogram.points(axis, tick),
                }
            )
    totals = pretty(0.0, nomogram.most)
    for total in totals[totals <= nomogram.most * (1 + 1e-12)]:
        rows.append({"part": "total", "label": "Total points", "value": total, "text": f"{total:g}", "points": total})
    for risk in _RISKS:
        points = float(nomogram.total(risk))
        if 0 <= points <= nomogram.most:
            text = f"{100 * risk:.0f} %"
            rows.append({"part": "risk", "label": "Risk", "value": risk, "text": text, "points": points})
    table = pd.DataFrame(rows, columns=COLUMNS)
    whole = table["part"] != "predictor"
    table.loc[whole, "linear_predictor"] = nomogram.linear_predictor(table.loc[whole, "points"])
    table.loc[whole, "risk"] = nomogram.risk(table.loc[whole, "points"])
    return table.astype({"linear_predictor": float, "risk": float})


def _declared(levels: Sequence[str]) -> Callable[[Any], int]:
    """The place of a level among the declared ones; others come behind, as they were."""
    return lambda level: levels.index(str(level)) if str(level) in levels else len(levels)


def _label(axis: Axis, facts: ColumnSettings) -> str:
    if axis.name.startswith(RISK):
        return f"{axis.name.removeprefix(RISK)}, log odds"
    name = facts.label or axis.name.removeprefix(f"{CLINICAL}.")
    return f"{name}, {facts.unit}" if facts.unit else name


def _word(axis: Axis, tick: float | str, facts: ColumnSettings) -> str:
    """A tick as people read it: the level behind the number that models see."""
    if axis.slope is None or isinstance(tick, str):
        return str(tick)
    levels = facts.levels or (["no", "yes"] if facts.type == "yes/no" else [])
    if facts.type in ("yes/no", "ordinal") and tick == int(tick) and 0 <= tick < len(levels):
        return levels[int(tick)]
    return f"{tick:.12g}"


# ---------------------------------------------------------------------- the points of one patient


@dataclass(frozen=True)
class Points:
    """The nomogram of a model that is arithmetic on single values: points of an input are its `start` and `scale` times what its value adds
    to the log odds (`Calculation.effect`)."""

    scale: float
    starts: Mapping[str, float]

    def of(self, made: Calculation, name: str, value: float | str | None) -> float:
        """Points of one value of one input; None is missing."""
        return self.starts[name] + self.scale * made.effect(name, value)


def points_of(table: pd.DataFrame, made: Calculation, kinds: Mapping[str, str]) -> Points | None:
    """From `nomogram_<model>.csv`; None where the table is none, or lacks an input.

    Parameters
    ----------
    table : DataFrame
    made : Calculation
    kinds : mapping
        Input -> "number" or "category".
    """
    ends = {name: _ends(table, name, kinds[name]) for name in made.inputs}
    known = {name: pair for name, pair in ends.items() if pair is not None}
    if not ends or len(known) < len(ends):
        return None
    longest = max(known, key=lambda name: known[name][1][1] - known[name][0][1])
    (low, least), (high, most) = known[longest]
    change = made.effect(longest, high) - made.effect(longest, low)
    if not change:
        return None
    scale = (most - least) / change
    return Points(scale, {name: pair[0][1] - scale * made.effect(name, pair[0][0]) for name, pair in known.items()})


def _ends(
    table: pd.DataFrame, name: str, kind: str
) -> tuple[tuple[float | str, float], tuple[float | str, float]] | None:
    """The values with the fewest and with the most points on an input's axis."""
    if "predictor" not in table:
        return None
    rows = table[(table["predictor"] == name) & (table["text"] != "missing")]
    if not len(rows):
        return None
    points = rows["points"].to_numpy(dtype=np.float64)
    said = rows["value" if kind == "number" else "text"].tolist()
    low, high = (
        (float(said[place]) if kind == "number" else str(said[place]), float(points[place]))
        for place in (int(points.argmin()), int(points.argmax()))
    )
    return low, high


def with_points(model: Model, store: RunFolder) -> Model:
    """The model with the points of its nomogram in its manifest, where the run wrote one and the model is arithmetic on single values."""
    from isthmus.study.calculator import calculation

    path = store.path / "tables" / f"nomogram_{model.name}.csv"
    if not path.is_file():
        return model
    kinds = {str(item["column"]): str(item["kind"]) for item in model.manifest["inputs"]}
    try:
        found = points_of(pd.read_csv(path), calculation(model), kinds)
    except TableError:
        return model
    if found is None:
        return model
    said = {"scale": found.scale.hex(), "starts": {name: value.hex() for name, value in found.starts.items()}}
    return replace(model, manifest={**model.manifest, "nomogram": said})


def stored_points(manifest: Mapping[str, Any]) -> Points | None:
    """What `with_points` put into a manifest; None where it holds no nomogram."""
    said = manifest.get("nomogram")
    if said is None:
        return None
    starts = {str(name): float.fromhex(value) for name, value in said["starts"].items()}
    return Points(float.fromhex(said["scale"]), starts)
