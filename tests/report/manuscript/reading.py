"""Reads a traced number again from the files of a run, by the words of its form and nothing of the code that wrote it."""

from __future__ import annotations

import inspect
import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus import deep, habitat, harmonise, models, select


@lru_cache
def _csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def _chosen(table: pd.DataFrame, rows: dict[str, str]) -> pd.DataFrame:
    for key, value in rows.items():
        same = table[key] == value
        if not same.any():  # numbers: 1.0 of a float column may be written as 1
            wanted = pd.to_numeric(pd.Series([value]), errors="coerce")[0]
            same = pd.to_numeric(table[key], errors="coerce") == wanted
        table = table[same]
    return table


def _inside(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", "\N{MINUS SIGN}")


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else ">0.999" if value >= 0.9995 else f"{value:.3f}"


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(filter(None, [", ".join(map(_setting, value[:-1])), _setting(value[-1])]))
    return (f"{value:g}" if isinstance(value, float) else str(value)).replace(
        "-", "\N{MINUS SIGN}" if not isinstance(value, str) else "-"
    )


def reread(run: Path, file: str, rows: dict[str, str], column: str, form: str) -> str:
    """What the text ought to say."""
    if form == "default":
        return _default(rows, column)
    if file.endswith((".toml", ".json")):
        return _from_document(run / file, column, form)
    if form == "patients":
        everyone = _csv(run / file).sort_values("status", key=lambda s: s != "included", kind="stable")
        return str(len(_chosen(everyone.drop_duplicates("patient"), rows)))
    found = _chosen(_csv(run / file), rows)
    if form == "rows":
        return str(len(found))
    values = found[column][found[column] != ""]
    if form == "distinct":
        return str(values.nunique())
    return _printed(values.astype(float), form)


def _default(rows: dict[str, str], column: str) -> str:
    ((kind, which),) = rows.items()
    known = (
        {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}
        if kind == "step"
        else models.ESTIMATORS
    )
    return _setting(inspect.signature(known[which]).parameters[column].default)


def _from_document(path: Path, column: str, form: str) -> str:
    text = path.read_text("utf-8")
    value = _inside(tomllib.loads(text) if path.suffix == ".toml" else json.loads(text), column)
    return {
        "items": lambda: str(len(value)),
        "percent": lambda: f"{100 * value:.0f}",
        "text": lambda: str(value),
        "g": lambda: _setting(value),
    }[form]()


def _printed(values: pd.Series, form: str) -> str:
    value = float(values.iloc[0])
    return {
        "smallest": lambda: f"{values.min():g}",
        "largest": lambda: f"{values.max():g}",
        "p": lambda: _p(value),
        "g": lambda: f"{value:g}",
        "percent": lambda: f"{100 * value:.0f}",
        "d": lambda: f"{value:.0f}",
    }.get(form, lambda: _number(value, int(form[1])))()
