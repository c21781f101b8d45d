"""Isthmus: a whole radiomics study from one plan file.

features = isthmus.extract(image, mask, profile="pyradiomics")
plan = isthmus.Plan.read("plan.toml"); result = isthmus.run(plan, out="runs/x"); isthmus.report(result)
model = isthmus.Model.load("model.isthmus"); model.predict("cases.csv")
"""

from __future__ import annotations

import importlib
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.features.extract import extract
    from isthmus.features.maps import maps
    from isthmus.report.html import write_report as report
    from isthmus.study.model import Model
    from isthmus.study.plan import Plan
    from isthmus.study.result import Result
    from isthmus.study.run import run_study as run
    from isthmus.table.features import FeatureTable

__version__ = _version("isthmus")
__all__ = ["FeatureTable", "Model", "Plan", "Result", "__version__", "extract", "maps", "report", "run"]

# public name -> where it lives; loaded when first used, so that `import isthmus` and `isthmus --help` stay fast
_LAZY = {
    "extract": ("isthmus.features.extract", "extract"),
    "maps": ("isthmus.features.maps", "maps"),
    "run": ("isthmus.study.run", "run_study"),
    "FeatureTable": ("isthmus.table.features", "FeatureTable"),
    "Model": ("isthmus.study.model", "Model"),
    "Plan": ("isthmus.study.plan", "Plan"),
    "Result": ("isthmus.study.result", "Result"),
}


def __dir__() -> list[str]:
    """What the Tab key offers: the public names, also those that were not used yet."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name == "report":  # a room that can be called
        return importlib.import_module("isthmus.report")
    if name not in _LAZY:
        raise AttributeError(f"module 'isthmus' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value
