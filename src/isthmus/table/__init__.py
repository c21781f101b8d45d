"""Where the two halves meet: feature tables with facts per column, outcomes, clinical tables, Table 1."""

from isthmus.table.features import ColumnMeta, FeatureTable
from isthmus.table.outcome import Outcome, Task

__all__ = ["ColumnMeta", "FeatureTable", "Outcome", "Task"]
