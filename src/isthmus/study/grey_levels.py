"""Are there enough grey levels, and not too many? What `isthmus check` says of the bins of each block.

Between 16 and 128 grey levels in the lesion is a rule of thumb: below, textures see little of the image; above, matrices are sparse and
follow the noise (Tixier et al., J Nucl Med 53(5), 2012, doi:10.2967/jnumed.111.099127, for PET; PyRadiomics' documentation repeats it).
No study has shown one number to be best. IBSI asks that the choice be reported with the results.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from isthmus.table.problem import Problem

__all__ = ["BlockLevels", "block_levels", "odd_cases"]

FEWEST, MOST = 16, 128
# beyond these a case is named
_HARDLY_ANY, _VERY_MANY = 4, 1000


@dataclass(frozen=True)
class BlockLevels:
    """Grey levels of one block over its cases.

    smallest, median, largest: of the number of bins from the first to the last in the lesion. bin_width_32, bin_width_64: widths that would
    give a median of about 32 and 64 levels; None where bins have no fixed width, or every lesion is flat.
    """

    block: str
    discretisation: str
    cases: int
    smallest: int
    median: float
    largest: int
    bin_width_32: float | None
    bin_width_64: float | None

    @property
    def advice(self) -> str:
        """What to do about it, in a sentence; empty where the median is within the rule of thumb."""
        if FEWEST <= self.median <= MOST:
            return ""
        few = self.median < FEWEST
        found = (
            f"{'few: textures see little of the lesion' if few else 'many: matrices are sparse and follow the noise'} "
            f"(rule of thumb: {FEWEST} to {MOST})"
        )
        if self.bin_width_32 is not None:
            return f"{found}; take a {'narrower' if few else 'wider'} bin_width"
        if self.discretisation.startswith("FBN"):
            return f"{found}; take {'more' if few else 'fewer'} bins"
        return found

    def as_text(self) -> str:
        how = f" ({self.discretisation})" if self.discretisation else ""
        counts = f"{self.smallest} / {self.median:g} / {self.largest}"
        lines = [
            f"{self.block}{how}: {counts} per case (smallest / median / largest of {self.cases})",
            *([self.advice] if self.advice else []),
        ]
        if self.bin_width_32 is not None and self.bin_width_64 is not None:
            lines.append(f"a median of 32 by bin_width = {self.bin_width_32:g}, of 64 by {self.bin_width_64:g}")
        return "\n".join(f"{'levels' if not number else '':8}{line}" for number, line in enumerate(lines))

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "advice": self.advice}


def block_levels(counted: pd.DataFrame) -> list[BlockLevels]:
    """The blocks of `Extraction.grey_levels`, in their order."""
    found = []
    for block, rows in counted.groupby("block", sort=False):
        levels = rows["levels"]
        fixed = rows["bin_width"].notna().all()
        span = float((rows["highest"] - rows["lowest"]).median())
        found.append(
            BlockLevels(
                block=str(block),
                discretisation=str(rows["discretisation"].iloc[0]),
                cases=len(rows),
                smallest=int(levels.min()),
                median=float(levels.median()),
                largest=int(levels.max()),
                bin_width_32=_rounded(span / 32) if fixed and span > 0 else None,
                bin_width_64=_rounded(span / 64) if fixed and span > 0 else None,
            )
        )
    return found


def odd_cases(counted: pd.DataFrame) -> list[Problem]:
    """A note for every case with hardly any grey level, or very many; where the whole block is so, the block's own line says it."""
    found = []
    for _, rows in counted.groupby("block", sort=False):
        usual = rows["levels"].median()
        for row in rows.to_dict("records"):
            few, many = row["levels"] < _HARDLY_ANY <= usual, row["levels"] > _VERY_MANY >= usual
            if not (few or many):
                continue
            levels = f"{row['levels']} grey level{'s' if row['levels'] != 1 else ''}"
            what = f"{levels} in the lesion, intensities {row['lowest']:g} to {row['highest']:g}"
            do = "look at image and mask" if few else "is the image in the same units as the others?"
            where = f"case {row['row']}, {row['block']}"
            found.append(Problem(where, what, f"{_HARDLY_ANY} to {_VERY_MANY:,}", do, severity="note", case=row["row"]))
    return found


def _rounded(width: float, digits: int = 2) -> float:
    """To two digits: nobody writes a bin width with more."""
    return round(width, digits - 1 - math.floor(math.log10(width)))
