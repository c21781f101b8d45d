"""Slow and obvious twins of the methods that grow masks: the automaton of GrowCut, flood filling, the curvature operator."""

from __future__ import annotations

import itertools

import numpy as np

FACES = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]


def growcut(values: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The cellular automaton of Vezhnevets and Konouchine, cell by cell until nothing changes; strength of each label at each cell."""
    span = np.ptp(values)
    strength = {True: inside.astype(float), False: outside.astype(float)}
    changed = True
    while changed:
        changed = False
        for cell in np.ndindex(values.shape):
            for step in FACES:
                other = tuple(np.add(cell, step))
                if any(n < 0 or n >= size for n, size in zip(other, values.shape, strict=True)):
                    continue
                kept = 1 - abs(values[cell] - values[other]) / span
                for label in (True, False):
                    attack = kept * strength[label][other]
                    if attack > strength[label][cell] + 1e-15:
                        strength[label][cell] = attack
                        changed = True
    return np.stack([strength[False], strength[True]])


def flooded(mask: np.ndarray, seed: tuple[int, int, int]) -> np.ndarray:
    """The part of a mask that a voxel is joined to by faces."""
    found = np.zeros_like(mask)
    waiting = [seed] if mask[seed] else []
    while waiting:
        cell = waiting.pop()
        if found[cell]:
            continue
        found[cell] = True
        for step in FACES:
            other = tuple(np.add(cell, step))
            if all(0 <= n < size for n, size in zip(other, mask.shape, strict=True)) and mask[other]:
                waiting.append(other)
    return found


def opened(mask: np.ndarray) -> np.ndarray:
    """Of each voxel: does one of the nine planes through it (3 x 3 x 3) lie in the mask? Beyond the border the border's voxels go on."""
    normals = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)]
    found = np.zeros_like(mask)
    for cell in np.ndindex(mask.shape):
        for normal in normals:
            plane = [o for o in itertools.product((-1, 0, 1), repeat=3) if np.dot(o, normal) == 0]
            places = [np.clip(np.add(cell, o), 0, np.array(mask.shape) - 1) for o in plane]
            found[cell] |= all(mask[tuple(place)] for place in places)
    return found
