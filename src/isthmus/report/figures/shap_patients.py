"""How single predictions came about: a clear true positive, a clear true negative, and the surest error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import decisions
from isthmus.report.figures._canvas import EVENT, GREY, INK, NON_EVENT, SMALL, TWO, panel
from isthmus.report.figures.shap_dependence import first_repeat
from isthmus.report.tables.explanation import explained_model
from isthmus.report.wording import number, shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "shap_patients"
TITLE = "Single predictions taken apart"
TASKS = ("binary",)

TOP = 7
_ROW = 0.165
_LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
_PATIENT = ["kind", "patient", "fold", "outcome", "probability", "threshold", "scale", "base", "prediction"]
_BARS = ["kind", "feature", "value", "shap", "start"]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`patients` (kind, patient, fold, outcome, probability, threshold, scale, base, prediction) and `bars` (kind, feature, value,
    shap, start): a bar runs from `start` by `shap`; the first starts at the base, the last ends at the prediction.

    Of the first repeat. The small ones are taken together. Empty where the run has not kept the base of its Shapley values.
    """
    model = explained_model(result)
    table = first_repeat(result)
    if model is None or "base" not in table or not len(table):
        return {"patients": pd.DataFrame(columns=_PATIENT), "bars": pd.DataFrame(columns=_BARS)}
    lines = result.tables["explanation"]
    scale = str(lines.loc[lines["model"].astype(str) == model, "scale"].iloc[0])
    patients, bars = [], []
    for kind, told in _chosen(decisions(result, model, "cv"), table).items():
        own = table[table["patient"].astype(str) == str(told["patient"])]
        base = float(own["base"].iloc[0])
        prediction = base + float(own["shap"].sum())
        patients.append((kind, *(told[c] for c in _PATIENT[1:6]), scale, base, prediction))
        order = own["shap"].abs().sort_values(ascending=False, kind="stable").index
        large, small = own.loc[order[:TOP]], own.loc[order[TOP:]]
        rows = list(zip(large["feature"].astype(str), large["value"], large["shap"], strict=True))
        if len(small):
            rows.append((f"{len(small)} others", np.nan, float(small["shap"].sum())))
        rows.reverse()  # from the base upwards the small ones first, so that the large ones end at the prediction
        starts = base + np.concatenate([[0.0], np.cumsum([shap for *_, shap in rows])[:-1]])
        bars += [(kind, *row, start) for row, start in zip(rows, starts, strict=True)]
    return {"patients": pd.DataFrame(patients, columns=_PATIENT), "bars": pd.DataFrame(bars, columns=_BARS)}


def _chosen(told: pd.DataFrame, explained: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The patient furthest on the right side of the threshold with and without the outcome, and the one furthest on the wrong side."""
    if not len(told):
        return {}
    told = told[
        (told["repeat"] == told["repeat"].min())
        & told["patient"].astype(str).isin(set(explained["patient"].astype(str)))
    ]
    margin = told["probability"] - told["threshold"]
    called, event = margin >= 0, told["outcome"] == 1
    found = {}
    for kind, where in (
        ("True positive", called & event),
        ("True negative", ~called & ~event),
        ("Surest error", called != event),
    ):
        if where.any():
            row = told.iloc[int(np.argmax(margin.abs().where(where, -1.0)))]
            found[kind] = {column: row[column] for column in told.columns}
    return found


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, float(sum(0.72 + _ROW * n for n in data["bars"].groupby("kind", sort=False).size())) or 1.0


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """From the mean of the training patients below to the patient's prediction above."""
    whole = size(data)
    top = whole[1]
    ends = [*data["patients"]["base"], *data["bars"]["start"], *(data["bars"]["start"] + data["bars"]["shap"])]
    margin = 0.14 * (max(ends) - min(ends))
    for told in data["patients"].to_dict("records"):
        bars = data["bars"][data["bars"]["kind"] == told["kind"]]
        tall = _ROW * len(bars)
        axes = panel(ax, whole, (3.1, top - 0.27 - tall, 3.45, tall))
        top -= 0.72 + tall
        at = np.arange(len(bars))
        tints = [EVENT if shap > 0 else NON_EVENT for shap in bars["shap"]]
        axes.barh(at, bars["shap"], left=bars["start"], height=0.68, color=tints, lw=0)
        for y, (start, shap) in enumerate(zip(bars["start"], bars["shap"], strict=True)):
            axes.plot([start + shap] * 2, [y, y + 1 if y + 1 < len(bars) else y + 0.5], color=GREY, lw=0.5)
            text = f"{shap:+.2f}".replace("-", "−")
            axes.annotate(
                text,
                (max(start, start + shap), y),
                (2, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                bbox=_LABEL,
            )
        for place in (told["base"], told["prediction"]):
            axes.axvline(place, color=INK, lw=0.6, ls=(0, (3, 2)))
        names = [
            shorten(str(row.feature), 42) + ("" if pd.isna(row.value) else f" = {number(float(row.value))}")
            for row in bars.itertuples()
        ]
        axes.set_yticks(at, names)
        has = "with the outcome" if told["outcome"] == 1 else "without it"
        risk = f"risk {number(told['probability'])}, threshold {number(told['threshold'])}, {has}"
        axes.set_title(f"{told['kind']}: {risk}")
        axes.set(
            xlim=(min(ends) - margin / 2, max(ends) + margin), ylim=(-0.6, len(bars) - 0.4),
            xlabel=f"{told['scale']}: from {number(told['base'])} (mean of training patients) to {number(told['prediction'])}",
        )  # fmt: skip
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
