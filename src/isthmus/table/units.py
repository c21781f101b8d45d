"""Units of clinical numbers, and the conversions that are known: nothing is guessed from the size of a number."""

from __future__ import annotations

from isthmus.errors import PlanError, did_you_mean

__all__ = ["UNITS", "conversion", "unit_name"]

_AMOUNT = "amount of substance concentration"
_MASS = "mass concentration"

# dimension -> unit -> how many of the first unit of the dimension it is
_DIMENSIONS: dict[str, dict[str, float]] = {
    "length": {"mm": 1.0, "cm": 10.0, "m": 1000.0, "µm": 1e-3, "in": 25.4},
    "time": {"days": 1.0, "hours": 1 / 24, "weeks": 7.0, "months": 365.25 / 12, "years": 365.25},
    "mass": {"g": 1.0, "mg": 1e-3, "kg": 1000.0},
    "volume": {"mL": 1.0, "cm^3": 1.0, "mm^3": 1e-3, "L": 1000.0, "dL": 100.0},
    "cells": {"10^9/L": 1.0, "10^3/µL": 1.0, "10^6/L": 1e-3, "/µL": 1e-3, "10^12/L": 1000.0, "10^6/µL": 1000.0},
    _MASS: {
        "g/L": 1.0, "mg/dL": 1e-2, "g/dL": 10.0, "mg/L": 1e-3, "mg/mL": 1.0, "µg/mL": 1e-3, "µg/dL": 1e-5, "µg/L": 1e-6,
        "ng/mL": 1e-6, "ng/dL": 1e-8, "ng/L": 1e-9, "pg/mL": 1e-9,
    },
    _AMOUNT: {"mol/L": 1.0, "mmol/L": 1e-3, "µmol/L": 1e-6, "nmol/L": 1e-9, "pmol/L": 1e-12},
    "activity": {"IU/L": 1.0, "mIU/L": 1e-3, "µIU/mL": 1e-3, "IU/mL": 1000.0, "kIU/L": 1000.0, "mIU/mL": 1.0},
    "share": {"1": 1.0, "%": 0.01},
    "body mass index": {"kg/m^2": 1.0},
    "pressure": {"mmHg": 1.0, "kPa": 7.500616827},
}  # fmt: skip

_SAME = {
    "um": "µm", "μm": "µm", "mm3": "mm^3", "cm3": "cm^3", "ml": "mL", "l": "L", "kg/m2": "kg/m^2", "kg/m²": "kg/m^2",
    "10e9/l": "10^9/L", "10^9/l": "10^9/L", "10*9/l": "10^9/L", "x10^9/l": "10^9/L", "×10^9/l": "10^9/L",
    "k/ul": "10^3/µL", "k/µl": "10^3/µL", "10^3/ul": "10^3/µL", "/ul": "/µL", "cells/ul": "/µL", "cells/µl": "/µL",
    "10^6/ul": "10^6/µL", "10*12/l": "10^12/L", "10^12/l": "10^12/L", "x10^12/l": "10^12/L", "×10^12/l": "10^12/L",
    "year": "years", "y": "years", "yr": "years", "yrs": "years", "month": "months", "mo": "months", "day": "days", "d": "days",
    "week": "weeks", "hour": "hours", "h": "hours", "percent": "%", "iu/ml": "IU/mL", "iu/l": "IU/L", "u/l": "IU/L", "u/ml": "IU/mL",
    "miu/l": "mIU/L", "mu/l": "mIU/L", "uiu/ml": "µIU/mL", "μiu/ml": "µIU/mL", "µiu/ml": "µIU/mL", "miu/ml": "mIU/mL", "kiu/l": "kIU/L",
}  # fmt: skip

UNITS: dict[str, str] = {unit: dimension for dimension, units in _DIMENSIONS.items() for unit in units}
"""Unit -> its dimension."""

_FOLDED = {unit.casefold(): unit for unit in UNITS} | {
    name.replace("µ", sign).casefold(): name for name in UNITS if "µ" in name for sign in ("u", "μ")
}


def unit_name(text: str) -> str | None:
    """The unit a text means, in this module's spelling ("10E9/l" is "10^9/L"); None if it is not known."""
    plain = text.strip()
    if plain in UNITS:
        return plain
    folded = plain.casefold()
    return _SAME.get(folded) or _FOLDED.get(folded)


def conversion(given: str, wanted: str, *, molar_mass: float | None = None, where: str = "") -> float:
    """What a number in `given` is multiplied by to be in `wanted`.

    Parameters
    ----------
    given, wanted : str
    molar_mass : float, optional
        In g/mol; makes mg/dL and mmol/L of that substance two units of one thing.
    where : str
        For the message.

    Raises
    ------
    PlanError
        A unit is unknown, or the two measure different things.
    """
    if given == wanted:
        return 1.0
    names = []
    for text in (given, wanted):
        name = unit_name(text)
        if name is None:
            raise PlanError(
                f"{where}: unit {text!r} is not known, so nothing can be converted.{did_you_mean(text, UNITS)}"
            )
        names.append(name)
    (a, b), (of_a, of_b) = names, [UNITS[name] for name in names]
    factor = _DIMENSIONS[of_a][a] / _DIMENSIONS[of_b][b]
    if of_a == of_b:
        return factor
    if {of_a, of_b} == {_MASS, _AMOUNT}:
        if molar_mass is None:
            raise PlanError(
                f"{where}: {given} and {wanted} are mass and amount; say which substance: molar_mass = 180.156 (glucose, in g/mol)"
            )
        return factor / molar_mass if of_a == _MASS else factor * molar_mass
    raise PlanError(f"{where}: {given} measures {of_a}, {wanted} {of_b}; expected two units of one thing; correct one")
