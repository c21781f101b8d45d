"""Where a plan's paths lead: relative to the plan, with `$ISTHMUS_DATA` as the only variable."""

from __future__ import annotations

import os
import re
from pathlib import Path

from isthmus.errors import PlanError

__all__ = ["VARIABLE", "data_root", "resolve_path"]

VARIABLE = "ISTHMUS_DATA"
_NAMED = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def data_root(base: Path | None = None) -> Path:
    """The folder that `$ISTHMUS_DATA` stands for: that variable, or `../shared/data` beside the checkout.

    Parameters
    ----------
    base : Path, optional
        The plan's folder. When the variable is unset, this folder and those above it are tried as the checkout, then
        the folder this package was installed from.

    Raises
    ------
    PlanError
        The variable is unset and no such folder lies beside a checkout, or it names a folder that does not exist.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise PlanError(f"${VARIABLE} is {named!r}, which is not a folder. Set it to the folder of the data")
        return Path(named).absolute()
    starts = [start.absolute() for start in (base, Path(__file__).parent) if start is not None]
    for start in starts:
        for checkout in (start, *start.parents):
            folder = checkout.parent / "shared" / "data"
            if folder.is_dir():
                return folder
    raise PlanError(
        f"the plan names ${VARIABLE}, which is not set, and there is no ../shared/data beside the checkout. "
        f"Set it: export {VARIABLE}=/folder/of/the/data"
    )


def resolve_path(text: str, base: Path) -> Path:
    """A path of the plan as an absolute path: relative ones start at `base`, `$ISTHMUS_DATA` is replaced.

    Raises
    ------
    PlanError
        Another variable is named, or `$ISTHMUS_DATA` cannot be found.
    """

    def replaced(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name != VARIABLE:
            raise PlanError(f"path {text!r}: ${name} is not known; ${VARIABLE} is the only variable a plan may name")
        return str(data_root(base))

    # absolute, not resolve: a path through a link stays the one the user knows
    return Path(os.path.abspath(base / Path(_NAMED.sub(replaced, text)).expanduser()))
