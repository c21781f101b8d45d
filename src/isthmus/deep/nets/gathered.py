"""Any number of crops of one patient, their order of no account: a body for each crop, gated attention over the crops (Ilse, Tomczak and
Welling, ICML 2018), a linear head."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["GatedAttention", "Gathered"]


class GatedAttention(nn.Module):
    """The mean of crops' features, each weighed by how much the crop matters: softmax over crops of w (tanh(V h) * sigmoid(U h)).

    Parameters
    ----------
    width : int
        Of a crop's features h.
    hidden : int
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.content, self.gate = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)  # a constant would fall out of the softmax

    def weights(self, features: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Shape (patients, crops), of sum 1; 0 where there is no crop."""
        scores = self.score(self.content(features).tanh() * self.gate(features).sigmoid())[..., 0]
        return scores.masked_fill(~real, float("-inf")).softmax(1)

    def forward(self, features: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return (self.weights(features, real)[..., None] * features).sum(1)


class Gathered(nn.Module):
    """Crops of a patient to the features of one, and to classes. Of one crop they are what the body alone gives.

    Parameters
    ----------
    body : Module
        Its own head classifies nothing here.
    read : function
        From an output of `layer` to (crops, width).
    layer : str
        The module of the body whose output is read.
    shape : tuple of int
        Channels and places of a crop.
    classes : int
    """

    def __init__(
        self,
        body: nn.Module,
        read: Callable[[torch.Tensor], torch.Tensor],
        layer: str,
        shape: tuple[int, ...],
        classes: int,
    ) -> None:
        super().__init__()
        self.body, self.read, self.layer = body, read, layer
        body.eval()
        with torch.inference_mode():
            width = self.features(torch.zeros(1, *shape)).shape[1]
        self.attention = GatedAttention(width)
        self.head = nn.Linear(width, classes)

    def features(self, crops: torch.Tensor) -> torch.Tensor:
        """Of each crop by itself, shape (crops, width)."""
        kept: list[torch.Tensor] = []
        # hooked for this pass only, and so after everybody else's hook: what an explanation puts in this place is what is read here
        hook = self.body.get_submodule(self.layer).register_forward_hook(
            lambda *call: kept.append(self.read(call[-1]).clone())  # what follows may change the output in place
        )
        try:
            self.body(crops)
        finally:
            hook.remove()
        return kept.pop()

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Scores of the classes.

        Parameters
        ----------
        x : tensor, shape (patients, crops, channels, *places)
        lengths : int tensor, shape (patients,), optional
            How many of the crops there are; what comes after them is never looked at. Unset, all.
        """
        count, most = x.shape[:2]
        lengths = torch.full((count,), most) if lengths is None else lengths.cpu()
        real = (torch.arange(most) < lengths[:, None]).to(x.device)
        found = self.features(x[real])
        rows = found.new_zeros((count, most, found.shape[1]))
        rows[real] = found
        return self.head(self.attention(rows, real))
