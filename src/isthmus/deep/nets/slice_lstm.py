"""A lesion's slices in their order: one small convolutional network for each slice, a bidirectional LSTM along them (Hochreiter and
Schmidhuber, 1997), and attention over the slices (Bahdanau et al., ICLR 2015, with one learned query)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from isthmus.deep.nets.cbam import CBAM

__all__ = ["SliceAttention", "SliceLSTM"]


class SliceAttention(nn.Module):
    """The mean of the slices' states, each weighed by how much it matters.

    Parameters
    ----------
    width : int
        Of a state.
    hidden : int
    """

    def __init__(self, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def weights(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Shape (sequences, slices), of sum 1; 0 where there is no slice."""
        return self.score(states)[..., 0].masked_fill(~real, float("-inf")).softmax(1)

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return (self.weights(states, real)[..., None] * states).sum(1)


class SliceLSTM(nn.Module):
    """Sequences of slices to `2 * hidden` numbers, and to classes.

    Parameters
    ----------
    channels, classes : int
    width : int
        Channels of the first of four convolutional stages, each of which halves the side and doubles them.
    hidden : int
        Of the LSTM in either direction.
    """

    def __init__(self, channels: int = 1, classes: int = 2, width: int = 16, hidden: int = 128) -> None:
        super().__init__()
        wide = [width * 2**stage for stage in range(4)]
        stages: list[nn.Module] = []
        for before, after in zip([channels, *wide[:-1]], wide, strict=True):
            stages += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            stages += [nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            stages += [CBAM(2, after)]
        self.slices = nn.Sequential(*stages)
        self.lstm = nn.LSTM(wide[-1], hidden, batch_first=True, bidirectional=True)
        self.attention = SliceAttention(2 * hidden)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        """Scores of the classes.

        Parameters
        ----------
        x : tensor, shape (sequences, slices, channels, j, i)
            Or (sequences, channels, j, i): of one slice each.
        lengths : int tensor, shape (sequences,), optional
            How many of the slices there are; what comes after them is never looked at. Unset, all.
        """
        x = x[:, None] if x.ndim == 4 else x
        count, most = x.shape[:2]
        lengths = torch.full((count,), most) if lengths is None else lengths.cpu()
        real = (torch.arange(most) < lengths[:, None]).to(x.device)
        found = self.slices(x[real]).mean((2, 3))
        steps = found.new_zeros((count, most, found.shape[1]))
        steps[real] = found
        packed = self.lstm(pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False))[0]
        states = pad_packed_sequence(packed, batch_first=True, total_length=most)[0]
        return self.head(self.dropout(self.attention(states, real)))
