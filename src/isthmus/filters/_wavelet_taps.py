"""Taps of the discrete wavelets, by PyWavelets' names: haar, db1 ... db38, sym2 ..., coif1 ..., bior1.1 ..., rbio1.1 ..., dmey."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["wavelet_names", "wavelet_taps"]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(
        files("isthmus.filters").joinpath("wavelet_taps.json").read_text(encoding="utf-8")
    )
    return table


@cache
def wavelet_names() -> tuple[str, ...]:
    """Every wavelet that has taps here."""
    return (*_table()["orthogonal"], *_table()["biorthogonal"])


@cache
def wavelet_taps(name: str, *, single: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low-pass and high-pass decomposition taps of a wavelet, read-only; `single`: those PyWavelets uses on float32 data.

    The high-pass taps are the quadrature mirror of the reconstruction low-pass: reversed for an orthogonal wavelet, every second
    sign turned.
    """
    table = _table()
    if name in table["orthogonal"]:
        low = np.array(table["single"].get(name, table["orthogonal"][name]) if single else table["orthogonal"][name])
        reconstruction = low[::-1]
    else:
        low, reconstruction = (np.array(taps) for taps in table["biorthogonal"][name])
    high = reconstruction * np.where(np.arange(len(reconstruction)) % 2 == 0, -1.0, 1.0)
    for taps in (low, high):
        taps.setflags(write=False)
    return low, high
