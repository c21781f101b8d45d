"""From trained networks and an image to a label map: windows that overlap, weighted to their middles, mirrored, averaged over networks.

The volume is worked through from the first row (k) to the last. Class probabilities exist only for the rows that a window can still reach,
so memory grows with the area of a slice, not with the number of slices times the number of classes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isthmus.deep.library import load_torch
from isthmus.segment.configuration import Configuration, Intensities
from isthmus.segment.networks import logits

if TYPE_CHECKING:
    from isthmus.segment.prepare import Grid

__all__ = ["Drawn", "Rows", "draw", "gaussian", "predict_rows", "starts"]

_AT_ONCE = 8  # windows of a 2-D network


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of the network's grid: probabilities, shape (classes, rows, j, i), and each network's own for the lesion, shape (networks,
    rows, j, i)."""

    probabilities: Any
    lesions: Any


@dataclass(frozen=True, eq=False)
class Drawn:
    """What networks drew in one image, on the image's grid.

    Parameters
    ----------
    labels : uint8 array
        Values of masks, as `Configuration.labels` names them.
    uncertainty : uint8 array, optional
        Entropy of the class probabilities, in percent of the largest possible.
    confidence : float
        The Dice to expect of the lesion if the probabilities are right: twice the probability inside the mask, divided by the mask's
        volume and all probability. Where no lesion was found, 1 minus the largest probability of one.
    agreement : float
        Mean Dice between the lesions of every two networks; NaN for one.
    """

    labels: NDArray[np.uint8]
    uncertainty: NDArray[np.uint8] | None
    confidence: float
    agreement: float


def starts(size: int, window: int, overlap: float = 0.5) -> list[int]:
    """Where windows begin along an axis: evenly spaced, the last one at the end, consecutive ones overlapping at least so much."""
    if size <= window:
        return [0]
    count = int(np.ceil((size - window) / (window * (1 - overlap)))) + 1
    return [round(n * (size - window) / (count - 1)) for n in range(count)]


def gaussian(patch: Sequence[int]) -> NDArray[np.float32]:
    """Weights of a window's voxels: a Gaussian of an eighth of its side, 1 in the middle, nowhere 0."""
    along = [
        np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / max(n / 8, 1e-6)) ** 2) if n > 1 else np.ones(1) for n in patch
    ]
    weights = along[0][:, None, None] * along[1][None, :, None] * along[2][None, None, :]
    found: NDArray[np.float32] = np.maximum(weights / weights.max(), 1e-4).astype(np.float32)
    return found


def predict_rows(
    modules: Sequence[Any],
    image: NDArray[np.float32],
    configuration: Configuration,
    *,
    intensities: Sequence[Intensities | None] | None = None,
    device: str = "cpu",
    overlap: float = 0.5,
    mirror: bool = True,
) -> Iterator[Rows]:
    """Probabilities of an image on the network's grid, in pieces of rows from the first to the last.

    Parameters
    ----------
    modules : sequence of torch.nn.Module
        On `device`; their probabilities are averaged.
    image : float32 array, shape (k, j, i)
        As `prepare_image` gives it.
    configuration : Configuration
    intensities : sequence of Intensities or None, optional
        By which each network standardises what it sees; None: the configuration's.
    device : str
    overlap : float
        Of neighbouring windows, at least.
    mirror : bool
        Average over all mirrorings that the configuration allows.
    """
    torch = load_torch()
    patch = configuration.patch
    own = [configuration.of(one) for one in intensities or [None] * len(modules)]
    size = tuple(max(n, p) for n, p in zip(image.shape, patch, strict=True))
    shift = tuple((n - m) // 2 for n, m in zip(size, image.shape, strict=True))  # a smaller image lies in the middle
    weights = torch.from_numpy(gaussian(patch)).to(device)
    flips = _mirrorings(configuration.mirror) if mirror else [()]
    along = [starts(n, p, overlap) for n, p in zip(size, patch, strict=True)]
    room = (patch[0], size[1], size[2])
    total = torch.zeros((configuration.classes, *room), device=device)
    lesions = torch.zeros((len(modules), *room), device=device)
    weight = torch.zeros(room, device=device)
    places = list(itertools.product(along[1], along[2]))
    many = _AT_ONCE if configuration.dims == 2 else 1
    inside = (slice(shift[1], shift[1] + image.shape[1]), slice(shift[2], shift[2] + image.shape[2]))
    for number, k in enumerate(along[0]):
        for first in range(0, len(places), many):
            group = places[first : first + many]
            windows = np.stack([_window(image, (k, j, i), patch, shift) for j, i in group])
            shares = [
                _shares(module, torch.from_numpy(mine.standardised(windows)).to(device), flips, mine)
                for module, mine in zip(modules, own, strict=True)
            ]
            for n, (j, i) in enumerate(group):
                there = (slice(None), slice(None), slice(j, j + patch[1]), slice(i, i + patch[2]))
                for member, share in enumerate(shares):
                    total[there] += share[n] * weights / len(modules)
                    lesions[member][there[1:]] += share[n, configuration.lesion_class] * weights
                weight[there[1:]] += weights
        done = (along[0][number + 1] if number + 1 < len(along[0]) else size[0]) - k
        # rows of the image itself among those that are finished
        rows = slice(max(shift[0] - k, 0), min(shift[0] + image.shape[0] - k, done))
        if rows.stop > rows.start:
            part = (slice(None), rows, *inside)
            yield Rows(total[part] / weight[part[1:]], lesions[part] / weight[part[1:]])
        for held in (total, lesions, weight[None]):
            held[:, : patch[0] - done] = held[:, done:].clone()
            held[:, patch[0] - done :] = 0


def _mirrorings(axes: Sequence[int]) -> list[tuple[int, ...]]:
    return [chosen for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count)]


def _window(
    image: NDArray[np.float32], start: tuple[int, int, int], patch: Sequence[int], shift: Sequence[int]
) -> NDArray[np.float32]:
    """A window of the image; beyond its border the nearest value."""
    low = [a - s for a, s in zip(start, shift, strict=True)]
    part = tuple(slice(max(a, 0), min(a + p, n)) for a, p, n in zip(low, patch, image.shape, strict=True))
    around = [(s.start - a, a + p - s.stop) for s, a, p in zip(part, low, patch, strict=True)]
    return np.ascontiguousarray(np.pad(image[part], around, mode="edge"))


def _shares(module: Any, windows: Any, flips: Sequence[tuple[int, ...]], configuration: Configuration) -> Any:
    """Class probabilities of windows (n, k, j, i), mean over mirrorings; shape (n, classes, k, j, i)."""
    torch = load_torch()
    total: Any = None
    mixed = windows.device.type == "cuda" and torch.cuda.is_bf16_supported()
    with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=mixed):
        for axes in flips:
            seen = windows.flip([1 + axis for axis in axes]) if axes else windows
            found = logits(module, seen if configuration.dims == 2 else seen[:, None])
            found = found.float().softmax(1)
            found = found[:, :, None] if configuration.dims == 2 else found
            found = found.flip([2 + axis for axis in axes]) if axes else found
            total = found if total is None else total + found
    return total / len(flips)


def draw(pieces: Iterator[Rows], grid: Grid, configuration: Configuration, *, uncertainty: bool = False) -> Drawn:
    """Label map, uncertainty and confidence on the image's grid, from probabilities on the network's.

    Probabilities, not labels, are interpolated (linear; along k by the nearest row where slices are thick); the largest wins.
    """
    values = np.array([0, *(configuration.labels[name] for name in configuration.names)], np.uint8)
    shape = grid.old.shape
    labels, entropy = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8) if uncertainty else None
    tally = _Tally(configuration.lesion_class)
    for row, shares, lesions in _native_rows(pieces, grid, separate=configuration.separate_k):
        best = shares.argmax(0)
        labels[row] = values[best]
        if entropy is not None:
            entropy[row] = _entropy(shares)
        tally.add(shares, best, lesions)
    return Drawn(
        _placed(labels, grid),
        None if entropy is None else _placed(entropy, grid),
        tally.confidence(),
        tally.agreement(),
    )


def _placed(inner: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """A map of the box within the image's border, on the whole image with its own axes."""
    whole = np.zeros(grid.whole, np.uint8)
    whole[grid.box] = inner
    return np.ascontiguousarray(grid.axes.back(whole))


def _entropy(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    bits = -(shares * np.log(np.maximum(shares, 1e-12))).sum(0) / np.log(len(shares))
    return np.rint(np.clip(100 * bits, 0, 100)).astype(np.uint8)


class _Tally:
    """What confidence and agreement are made of, row by row."""

    def __init__(self, lesion: int) -> None:
        self.lesion, self.inside, self.all, self.voxels, self.most = lesion, 0.0, 0.0, 0, 0.0
        self.common: NDArray[np.float64] | None = None

    def add(self, shares: NDArray[np.float32], best: NDArray[Any], lesions: NDArray[np.float32]) -> None:
        share, here = shares[self.lesion], best == self.lesion
        self.inside += float(share[here].sum(dtype=np.float64))
        self.all += float(share.sum(dtype=np.float64))
        self.voxels += int(here.sum())
        self.most = max(self.most, float(share.max()))
        flat = (lesions >= 0.5).reshape(len(lesions), -1).astype(np.float32)
        both = (flat @ flat.T).astype(np.float64)
        self.common = both if self.common is None else self.common + both

    def confidence(self) -> float:
        return 2 * self.inside / (self.voxels + self.all) if self.voxels else 1 - self.most

    def agreement(self) -> float:
        if self.common is None or len(self.common) < 2:
            return float("nan")
        size = np.diag(self.common)
        pairs = [
            2 * self.common[a, b] / (size[a] + size[b]) if size[a] + size[b] else 1.0
            for a, b in itertools.combinations(range(len(size)), 2)
        ]
        return float(np.mean(pairs))


def _native_rows(
    pieces: Iterator[Rows], grid: Grid, *, separate: bool
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.float32]]]:
    """Row after row of the image: its number, class probabilities (classes, j, i), each network's of the lesion (networks, j, i)."""
    ratio = grid.old.spacing_mm[0] / grid.new.spacing_mm[0]
    count, last = grid.old.shape[0], grid.new.shape[0] - 1
    at = np.clip(last / 2 + ratio * (np.arange(count) - (count - 1) / 2), 0, last)
    if separate:
        at = np.floor(at + 0.5).clip(0, last)
    before, row, native = None, 0, 0
    for piece in pieces:
        for number in range(piece.probabilities.shape[1]):
            now = _in_plane(piece.probabilities[:, number], grid), _in_plane(piece.lesions[:, number], grid)
            while native < count and at[native] <= row:
                t = np.float32(at[native] - (row - 1))
                if before is None or t == 1:
                    yield native, *now
                else:
                    yield native, before[0] * (1 - t) + now[0] * t, before[1] * (1 - t) + now[1] * t
                native += 1
            before, row = now, row + 1


def _in_plane(maps: Any, grid: Grid) -> NDArray[np.float32]:
    """Maps (n, j, i) of the network's grid on the image's pixels, linear."""
    for axis in (1, 2):
        old, new = grid.old.shape[axis], grid.new.shape[axis]
        ratio = grid.old.spacing_mm[axis] / grid.new.spacing_mm[axis]
        if old == new and ratio == 1:
            continue
        at = np.clip((new - 1) / 2 + ratio * (np.arange(old) - (old - 1) / 2), 0, new - 1)
        base = np.minimum(np.floor(at).astype(np.int64), max(new - 2, 0))
        torch = load_torch()
        low = torch.from_numpy(base).to(maps.device)
        high = torch.from_numpy(np.minimum(base + 1, new - 1)).to(maps.device)
        t = (
            torch.from_numpy((at - base).astype(np.float32))
            .to(maps.device)
            .reshape([-1 if a == axis else 1 for a in range(3)])
        )
        maps = maps.index_select(axis, low) * (1 - t) + maps.index_select(axis, high) * t
    found: NDArray[np.float32] = maps.cpu().numpy()
    return found
