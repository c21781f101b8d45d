"""Ratios of blood counts that the field knows by name, from columns that hold their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from isthmus.errors import PlanError
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.units import UNITS, unit_name

__all__ = ["RATIOS", "RatioName", "ratio_expressions"]

RatioName = Literal["NLR", "PLR", "LMR", "SII"]

RATIOS: dict[str, tuple[str, tuple[str, ...]]] = {
    "NLR": ("{NE} / {LYM}", ("NE", "LYM")),
    "PLR": ("{PLT} / {LYM}", ("PLT", "LYM")),
    "LMR": ("{LYM} / {MONO}", ("LYM", "MONO")),
    "SII": ("{PLT} * {NE} / {LYM}", ("PLT", "NE", "LYM")),
}
"""Name -> expression over its parts: neutrophil-lymphocyte, platelet-lymphocyte and lymphocyte-monocyte ratio, and the systemic
immune-inflammation index (in the unit of the counts)."""

_ALSO = {
    "NE": ("ne", "neu", "neut", "neutrophil", "neutrophils", "neutrophil_count"),
    "LYM": ("lym", "lymph", "lymphocyte", "lymphocytes", "lymphocyte_count"),
    "PLT": ("plt", "platelet", "platelets", "platelet_count"),
    "MONO": ("mono", "monocyte", "monocytes", "monocyte_count"),
}


def ratio_expressions(
    ratios: tuple[RatioName, ...] | list[RatioName], columns: Mapping[str, ColumnSettings]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Ratio -> its expression over the plan's own columns, and which of them are its parts.

    Raises
    ------
    PlanError
        A part is not among the columns, two columns could be it, or the parts' units differ.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for ratio in ratios:
        text, parts = RATIOS[ratio]
        named = {part: _column_of(ratio, part, columns) for part in parts}
        _check_units(ratio, list(named.values()), columns)
        found[ratio] = (text.format(**{part: f"`{name}`" for part, name in named.items()}), tuple(named.values()))
    return found


def _column_of(ratio: str, part: str, columns: Mapping[str, ColumnSettings]) -> str:
    fitting = [name for name in columns if name.casefold() in _ALSO[part]]
    if len(fitting) != 1:
        what = f"{' and '.join(map(repr, fitting))} could be" if fitting else "no column is"
        raise PlanError(
            f"[clinical] ratios: {ratio} needs {part}, and {what} that (known names: {', '.join(_ALSO[part])}). "
            f'Write the ratio out: derive = {{ {ratio} = "..." }}'
        )
    return fitting[0]


def _check_units(ratio: str, parts: list[str], columns: Mapping[str, ColumnSettings]) -> None:
    """Counts in different units have no meaningful ratio."""
    units = {name: unit_name(columns[name].unit) or columns[name].unit for name in parts if columns[name].unit}
    alike = {(UNITS.get(unit), unit) for unit in units.values()}
    if len(alike) > 1:
        said = ", ".join(f"{name} in {columns[name].unit}" for name in units)
        raise PlanError(
            f'[clinical] ratios: {ratio} mixes units ({said}); give all one: unit = "10^9/L", given = "..."'
        )
