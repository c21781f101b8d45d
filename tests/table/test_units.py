"""Units: known conversions, and refusals where nothing is known."""

from __future__ import annotations

import pytest

from isthmus.errors import PlanError
from isthmus.table.units import UNITS, conversion, unit_name


@pytest.mark.parametrize(
    ("given", "wanted", "factor"),
    [
        ("cm", "mm", 10),
        ("10^3/µL", "10^9/L", 1),
        ("/µL", "10^9/L", 1e-3),
        ("K/uL", "10^9/L", 1),
        ("10^6/µL", "10^12/L", 1),
        ("g/dL", "g/L", 10),
        ("ng/mL", "µg/L", 1),
        ("µIU/mL", "mIU/L", 1),
        ("kIU/L", "IU/mL", 1),
        ("months", "years", 1 / 12),
        ("%", "1", 0.01),
    ],
)
def test_conversions(given: str, wanted: str, factor: float) -> None:
    """The factors a laboratory's table prints."""
    assert conversion(given, wanted) == pytest.approx(factor, rel=1e-12)


def test_mass_and_amount_need_the_substance() -> None:
    """Glucose: 18.0156 mg/dL are 1 mmol/L."""
    assert conversion("mg/dL", "mmol/L", molar_mass=180.156) == pytest.approx(1 / 18.0156, rel=1e-12)


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_every_unit_is_its_own_name(unit: str) -> None:
    """A unit is found under its own spelling, and converts to itself by 1."""
    assert (unit_name(unit), conversion(unit, unit)) == (unit, 1.0)


@pytest.mark.parametrize(
    ("given", "wanted", "said"),
    [
        ("cm", "10^9/L", "cm measures length, 10\\^9/L cells"),
        ("furlong", "mm", "unit 'furlong' is not known"),
        ("mg/dL", "mmol/L", "molar_mass"),
    ],
)
def test_what_cannot_be_converted(given: str, wanted: str, said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(PlanError, match=said):
        conversion(given, wanted)
