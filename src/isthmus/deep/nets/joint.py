"""A network whose head also sees columns of a table."""

from __future__ import annotations

import torch
from torch import nn

from isthmus.errors import PlanError

__all__ = ["Joint"]


class Joint(nn.Module):
    """The body of a network, and one linear head over its pooled features and some columns beside them.

    The head starts as the body's own: the columns have weights of 0 and are learned.

    Parameters
    ----------
    body : Module
        Changed: its head is taken off.
    head : str
        Where its linear head is.
    columns : int
    """

    def __init__(self, body: nn.Module, head: str, columns: int) -> None:
        super().__init__()
        old = body.get_submodule(head)
        if not isinstance(old, nn.Linear):
            raise PlanError(
                f"columns stand beside the features of a plain linear head; this network's is {type(old).__name__}"
            )
        body.set_submodule(head, nn.Identity())
        self.body = body
        self.head = nn.Linear(old.in_features + columns, old.out_features)
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.weight[:, : old.in_features] = old.weight
            self.head.bias.zero_()
            if old.bias is not None:
                self.head.bias.copy_(old.bias)

    def forward(self, crops: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        """Crops (n, channels, *places) and columns (n, p) -> one number a class."""
        scores: torch.Tensor = self.head(torch.cat([self.body(crops).flatten(1), beside], dim=1))
        return scores
