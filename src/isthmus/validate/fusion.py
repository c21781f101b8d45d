"""A model that takes the risks of other models: what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from isthmus.stats.seeds import child_seed
from isthmus.table.members import Members, risk_columns
from isthmus.table.outcome import Task

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings
    from isthmus.validate.splits import Split

__all__ = ["Fused", "Member", "seed_of"]


@dataclass(frozen=True)
class Member:
    """A model whose risks another takes.

    Parameters
    ----------
    spec : ModelSettings
        Its steps resolved.
    columns : tuple of str
        What it takes from the rows, context included.
    names : tuple of str
        The columns of its risks: one, or one a class.
    fused : Fused, optional
        The models whose risks it takes itself.
    """

    spec: ModelSettings
    columns: tuple[str, ...]
    names: tuple[str, ...]
    fused: Fused | None = None

    def plain(self) -> Member:
        """The member without a threshold of its own, as null studies and the like fit it."""
        fused = None if self.fused is None else self.fused.plain()
        return replace(self, spec=self.spec.model_copy(update={"threshold": None}), fused=fused)


@dataclass(frozen=True)
class Fused:
    """What a model that fuses others takes: its own columns (context included), and its members."""

    own: tuple[str, ...]
    members: tuple[Member, ...]

    def plain(self) -> Fused:
        """The same without thresholds."""
        return replace(self, members=tuple(member.plain() for member in self.members))

    def inside(self, task: Task, risks: Sequence[Any], index: pd.Index[Any]) -> pd.DataFrame:
        """The columns of the training rows, from the out-of-fold risks of each member."""
        parts = [
            risk_columns(task, found, member.names, index) for member, found in zip(self.members, risks, strict=True)
        ]
        return pd.concat(parts, axis=1)

    def fitted(self, task: Task, pipelines: Sequence[Any], inside: pd.DataFrame) -> Members:
        """The members, fitted."""
        columns, names = zip(*((member.columns, member.names) for member in self.members), strict=True)
        return Members(tuple(pipelines), columns, names, self.own, task, inside)

    @property
    def content(self) -> str:
        """Stands for settings and columns of all members."""
        parts = [f"{m.spec.model_dump_json()} {m.columns} {m.fused.content if m.fused else ''}" for m in self.members]
        return f"{self.own} {parts}"


def seed_of(seed: int, model: str, split: Split | None = None) -> int:
    """The seed of a model in a fold, or of the final one: the same whether it stands alone or in another model."""
    return child_seed(seed, model, "final") if split is None else child_seed(seed, model, split.repeat, split.fold)
