"""A calculated risk as one page: to print, or to keep with the patient's research record."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["sheet"]


def sheet(told: dict[str, Any]) -> str:
    """The page; it loads nothing and runs nothing.

    Parameters
    ----------
    told : dict
        `model` (as the page got it) and `risk` (as it was answered).
    """
    model, risk = told["model"], told["risk"]
    labels = {one["name"]: one for one in model["form"]["inputs"]}
    rows = [(_label(labels[name]), text) for name, text in risk["values"].items() if name in labels and text]
    rows += [(part, name) for part, name in risk["files"].items()]
    parts = [
        f"<h1>{escape(model['title'])}</h1>",
        f"<p class=use>{escape(model['use'])}</p>",
        _headline(model, risk),
        *(f"<p class=note>{escape(note)}</p>" for note in [*risk["notes"], risk["unlike"]] if note),
        "<h2>Entered</h2>", _table(rows) if rows else "<p>Nothing: every value was filled in as in training.</p>",
        _points(model, risk),
        "<h2>The model</h2>", _table(_model_rows(model)),
        f"<p>{escape(risk['note'])}</p>" if risk["note"] else "",
        f"<p class=small>{escape(risk['when'])} &middot; model file SHA-256 {escape(model['key'])}</p>",
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(model['title'])}</title><style>{_STYLE}</style><main>{''.join(parts)}</main></html>\n"
    )


def _headline(model: dict[str, Any], risk: dict[str, Any]) -> str:
    if risk["probability"] is None:
        return f"<p class=risk>No risk</p><p>{escape(risk['reason'])}</p>"
    lines = [
        f"<p class=risk>{100 * risk['probability']:.1f} %</p>",
        f"<p>predicted risk of {escape(model['event'])}{_by(model)}",
    ]
    if risk["called"]:
        cut = f" (from {100 * risk['threshold']:.1f} % on called positive)" if risk["threshold"] is not None else ""
        lines.append(f"; called: <b>{escape(risk['called'])}</b>{cut}")
    lines.append(".</p>")
    seen = risk["observed"]
    if seen is not None:
        lines.append(
            f"<p>Of training patients given this risk while they were left out, {100 * seen['estimate']:.0f} % had the event "
            f"(95 % CI {100 * seen['lower']:.0f} to {100 * seen['upper']:.0f} %).</p>"
        )
    if risk["classes"]:
        lines.append(
            _table([(name, "" if value is None else f"{100 * value:.1f} %") for name, value in risk["classes"].items()])
        )
    return "".join(lines)


def _points(model: dict[str, Any], risk: dict[str, Any]) -> str:
    """The points of the nomogram, where the model has one."""
    if risk["total"] is None:
        return ""
    labels = {one["name"]: _label(one) for one in model["form"]["inputs"]}
    rows = [
        (f"{labels.get(one['name'], one['name'])} = {one['value'] or 'not known'}", f"{one['points']:.1f}")
        for one in risk["points"]
    ]
    return f"<h2>Points of the nomogram</h2>{_table([*rows, ('Total', format(risk['total'], '.1f'))])}"


def _by(model: dict[str, Any]) -> str:
    return f" by {model['horizon']:g}" if model["horizon"] is not None else ""


def _model_rows(model: dict[str, Any]) -> list[tuple[str, str]]:
    training = model["training"]
    rows = [
        ("Name", model["name"]),
        (
            "Trained on",
            f"{training['patients']} patients, {training['events']} with the event; "
            f"centres: {', '.join(training['centres']) or 'not said'}",
        ),
    ]
    rows += [("Only for", rule) for rule in model["include"]] + [("Not for", rule) for rule in model["exclude"]]
    for row in model["performance"]:
        limits = (
            ""
            if row["lower"] is None or row["upper"] is None
            else f" (95 % CI {row['lower']:.2f} to {row['upper']:.2f})"
        )
        if row["estimate"] is not None:
            rows.append((f"{row['metric']}, {row['split'].lower()}", f"{row['estimate']:.2f}{limits}"))
    return rows


def _label(one: dict[str, Any]) -> str:
    return f"{one['label']} ({one['unit']})" if one["unit"] else str(one["label"])


def _table(rows: list[tuple[str, str]]) -> str:
    return (
        "<table>"
        + "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        + "</table>"
    )


_STYLE = (
    "body{font:15px/1.5 'Segoe UI','Helvetica Neue',Arial,'Liberation Sans',sans-serif;color:#1f2933;margin:0}"
    "main{max-width:760px;margin:0 auto;padding:32px 24px}h1{font-size:1.5rem;margin:0 0 4px}h2{font-size:1.05rem;margin:22px 0 6px}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #dfe4e8;"
    "vertical-align:top}th{font-weight:600;width:45%}.risk{font-size:3rem;margin:16px 0 0;font-weight:650}"
    ".use{font-weight:650;color:#8f4f00}.note{color:#8f4f00;margin:4px 0}.small{color:#56616b;font-size:.8rem;overflow-wrap:anywhere}"
)
