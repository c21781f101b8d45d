"""Slow twins of every texture family under every aggregation: plain loops, from the text of IBSI (and PyRadiomics' rules where asked).

Levels are a dict from voxel (k, j, i) to grey level. A matrix is a Counter of (level, second index).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from oracle import texture
from oracle.texture import Grey, Voxel, shifted

Matrix = dict[tuple[int, int], float]


@dataclass(frozen=True)
class Options:
    """The options of `_core.texture`, by their names."""

    slice_axis: int = 0
    distances: tuple[int, ...] = (1,)
    symmetric: bool = True
    weighting: str = "none"
    alpha: float = 0
    rules: str = "ibsi"

    @property
    def ibsi(self) -> bool:
        return self.rules == "ibsi"


IN_SPACE = ("ITBB", "IAZD", "KOBO")
BY_SLICE = ("BTW3", "SUJT", "8QNN")
BY_DIRECTION = ("BTW3", "JJUI", "ITBB")


def slices(grey: Grey, axis: int) -> list[Grey]:
    return [{v: g for v, g in grey.items() if v[axis] == s} for s in sorted({v[axis] for v in grey})]


def within(distance: int, options: Options, space: bool) -> list[Voxel]:
    """Offsets whose largest component is at most the distance; within a slice unless in space."""
    cube = product(range(-distance, distance + 1), repeat=3)
    return [o for o in cube if o != (0, 0, 0) and (space or o[options.slice_axis] == 0)]


def directions(options: Options, space: bool, distances: Iterable[int]) -> list[Voxel]:
    """IBSI: the directions of distance 1, times the distance; PyRadiomics: every offset at the distance. One of each pair."""
    found = []
    for d in distances:
        if options.ibsi:
            found += [(d * k, d * j, d * i) for k, j, i in within(1, options, space)]
        else:
            found += [o for o in within(d, options, space) if max(map(abs, o)) == d]
    return [o for o in found if o > (0, 0, 0)]


def weight(step: Voxel, spacing: tuple[float, float, float], options: Options, family: str) -> float:
    lengths = [abs(n) * mm for n, mm in zip(step, spacing, strict=True)]
    norms = {"manhattan": sum(lengths), "euclidean": math.hypot(*lengths), "infinity": max(lengths)}
    if options.weighting not in norms:
        return 1.0
    length = norms[options.weighting]
    if options.ibsi:
        return 1 / length
    return math.exp(-(length**2)) if family == "glcm" else length


def pairs(grey: Grey, step: Voxel, symmetric: bool) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for voxel, level in grey.items():
        other = grey.get(shifted(voxel, step))
        if other is not None:
            counts[level, other] += 1
            if symmetric:
                counts[other, level] += 1
    return counts


def runs(grey: Grey, step: Voxel) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for voxel, level in grey.items():
        if grey.get(shifted(voxel, step, -1)) != level:
            length = 1
            while grey.get(shifted(voxel, step, length)) == level:
                length += 1
            counts[level, length] += 1
    return counts


def summed(parts: list[tuple[float, Matrix]]) -> Matrix:
    total: Matrix = {}
    for factor, part in parts:
        for cell, n in part.items():
            total[cell] = total.get(cell, 0.0) + factor * n
    return total


def directed(
    family: str, aggregation: str, grey: Grey, spacing: tuple[float, float, float], options: Options
) -> list[Matrix]:
    """The matrices whose features are averaged."""
    space = aggregation in IN_SPACE
    regions = [grey] if space else slices(grey, options.slice_axis)
    steps = directions(options, space, options.distances if family == "glcm" else (1,))
    if family == "glrlm" and not options.ibsi:
        steps = [s for s in steps if texture.glrlm(grey, s)]  # some line along it holds two voxels
    counted = {
        (r, s): pairs(region, s, options.symmetric) if family == "glcm" else runs(region, s)
        for r, region in enumerate(regions)
        for s in steps
    }
    weights = {s: weight(s, spacing, options, family) for s in steps}
    groups: dict[tuple[int, Voxel], list[tuple[float, Matrix]]] = {}
    for (r, s), matrix in counted.items():
        key = (r if aggregation in BY_SLICE else 0, s if aggregation in BY_DIRECTION else (0, 0, 0))
        factor = 1.0 if aggregation in BY_DIRECTION else weights[s]
        groups.setdefault(key, []).append((factor, matrix))  # type: ignore[arg-type]
    return [matrix for parts in groups.values() if (matrix := summed(parts))]


def neighbourhood(options: Options, space: bool) -> list[Voxel]:
    reach = within(max(options.distances), options, space)
    return reach if options.ibsi else [o for o in reach if max(map(abs, o)) in options.distances]


def zones(grey: Grey, options: Options, space: bool) -> list[list[Voxel]]:
    """Connected voxels of one level: 26 neighbours in space, 8 within a slice."""
    near = within(1, options, space)
    left, found = set(grey), []
    while left:
        zone = [left.pop()]
        for voxel in zone:
            for step in near:
                other = shifted(voxel, step)
                if other in left and grey[other] == grey[zone[0]]:
                    left.remove(other)
                    zone.append(other)
        found.append(zone)
    return found


def edge_distance(mask: set[Voxel], voxel: Voxel, options: Options, space: bool) -> int:
    """Steps along the axes to the nearest voxel outside the mask, ring after ring."""
    axes = [a for a in range(3) if space or a != options.slice_axis]
    ring, distance = {voxel}, 0
    while ring <= mask:
        distance += 1
        ring = {
            shifted(v, tuple(sign if a == axis else 0 for a in range(3)))  # type: ignore[arg-type]
            for v in ring
            for axis in axes
            for sign in (-1, 1)
        }
    return distance


def undirected(
    family: str, aggregation: str, grey: Grey, options: Options, edge: set[Voxel]
) -> list[tuple[Counter[tuple[int, int]], int]]:
    """Matrices and the voxels each was counted from."""
    space = aggregation in IN_SPACE
    regions = [grey] if space else slices(grey, options.slice_axis)
    found = []
    for region in regions:
        matrix: Counter[tuple[int, int]] = Counter()
        if family in ("glszm", "gldzm"):
            for zone in zones(region, options, space):
                distance = min(edge_distance(edge, v, options, space) for v in zone)
                matrix[region[zone[0]], len(zone) if family == "glszm" else distance] += 1
        else:
            near = neighbourhood(options, space)
            for voxel, level in region.items():
                others = [region.get(shifted(voxel, step)) for step in near]
                dependent = sum(o is not None and abs(o - level) <= options.alpha for o in others)
                matrix[level, 1 + dependent] += 1
        found.append((matrix, len(region)))
    if aggregation == "62GR":
        merged: Counter[tuple[int, int]] = Counter()
        for matrix, _ in found:
            merged.update(matrix)
        return [(merged, len(grey))]
    return found


def tones(aggregation: str, grey: Grey, options: Options) -> list[dict[int, tuple[int, float]]]:
    """Level -> (n_i, s_i). IBSI leaves out voxels without neighbours, PyRadiomics counts them with difference 0."""
    space = aggregation in IN_SPACE
    near = neighbourhood(options, space)
    found = []
    for region in [grey] if space else slices(grey, options.slice_axis):
        table: dict[int, tuple[int, float]] = {}
        for voxel, level in region.items():
            around = [region[o] for step in near if (o := shifted(voxel, step)) in region]
            if around or not options.ibsi:
                n, s = table.get(level, (0, 0.0))
                table[level] = (n + 1, s + (abs(level - sum(around) / len(around)) if around else 0.0))
        found.append(table)
    if aggregation == "62GR":
        levels = sorted({i for table in found for i in table})
        found = [{i: tuple(map(sum, zip(*(t[i] for t in found if i in t), strict=True))) for i in levels}]  # type: ignore[misc]
    return [table for table in found if table]


def mean_of(rows: list[dict[str, float]], names: list[str]) -> dict[str, float]:
    return texture.mean_of(rows, names)


def size_row(matrix: Matrix, voxels: float, names: list[str]) -> dict[str, float]:
    """Run-length, zone and dependence features by the words of any of the families."""
    s = texture.size_sums(matrix)  # type: ignore[arg-type]
    small, large = ("Short", "Small"), ("Long", "Large")
    row = {}
    for name in names:
        word = name.removesuffix("Emphasis")
        size = "sa" if word.startswith(small) else "la" if word.startswith(large) else ""
        level = "hg" if "HighGrayLevel" in word else "lg" if "LowGrayLevel" in word else ""
        if name.endswith("Emphasis"):
            row[name] = s[size + level]
        elif name.endswith("Entropy"):
            row[name] = s["e"]
        elif name.endswith("Energy"):
            row[name] = sum((n / s["n"]) ** 2 for n in matrix.values())
        elif name.endswith("Percentage"):
            row[name] = s["n"] / (s["voxels"] if name == "RunPercentage" else voxels)
        elif name.endswith("Variance"):
            row[name] = s["glv" if name.startswith("Gray") else "sv"]
        else:
            value = s["gln" if name.startswith("Gray") else "sn"]
            row[name] = value / s["n"] if name.endswith("Normalized") else value
    return row


def features(
    family: str,
    aggregation: str,
    grey: Grey,
    spacing: tuple[float, float, float],
    options: Options,
    names: list[str],
    edge: set[Voxel] | None = None,
) -> dict[str, float]:
    if family == "ngtdm":
        return mean_of([texture.ngtdm_row(table) for table in tones(aggregation, grey, options)], names)
    if family == "glcm":
        highest, present = max(grey.values()), sorted(set(grey.values()))
        matrices = directed(family, aggregation, grey, spacing, options)
        values = mean_of([texture.glcm_row(m, present, highest) for m in matrices], names)  # type: ignore[arg-type]
        return values | ({"MCC": 1.0} if len(present) == 1 else {})
    if family == "glrlm":
        rows = [size_row(m, math.nan, names) for m in directed(family, aggregation, grey, spacing, options)]
        return mean_of(rows, names)
    counted = undirected(family, aggregation, grey, options, edge or set(grey))
    return mean_of([size_row(dict(m), n, names) for m, n in counted], names)


def variants(rng: np.random.Generator) -> Options:
    """Drawn options."""
    return replace(
        Options(),
        slice_axis=int(rng.integers(3)),
        distances=[(1,), (2,), (1, 2), (3,)][rng.integers(4)],
        symmetric=bool(rng.integers(2)),
        weighting=["none", "manhattan", "euclidean", "infinity"][rng.integers(4)],
        alpha=float(rng.integers(3)),
        rules=["ibsi", "pyradiomics"][rng.integers(2)],
    )
