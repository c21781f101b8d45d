"""The filters of IBSI 2's tests: for each test its phantom (phase 1) or configuration (phase 2), and the filter's table in a plan.

Facts of Whybra et al., Radiology 310(2), 2024, and of the tables in the reference data. IBSI's Riesz orders l = (l1, l2, l3) belong to
x, y, z; ours to k, j, i. What a test says beyond our defaults (boundary mirror; for Simoncelli's wavelet periodic) is written out.
"""

from __future__ import annotations

from typing import Any

Table = dict[str, Any]

_E5L5S5: Table = {"name": "laws", "kernels": "E5L5S5", "boundary": "zero"}
_E3W5R5: Table = {"name": "laws", "kernels": "E3W5R5"}
_L5S5: Table = {"name": "laws", "kernels": "L5S5", "by_slice": True}
_INVARIANT: Table = {"rotation_invariance": True}
_ENERGY: Table = {**_INVARIANT, "energy_distance": 7}
_GABOR_A: Table = {"name": "gabor", "sigma_mm": 10, "wavelength_mm": 4, "gamma": 0.5, "boundary": "zero"}
_GABOR_B: Table = {"name": "gabor", "sigma_mm": 20, "wavelength_mm": 8, "gamma": 2.5}
_DB2: Table = {"name": "wavelet", "wavelet": "db2", "subband": "LHL", "boundary": "zero"}
_COIF1: Table = {"name": "wavelet", "wavelet": "coif1", "subband": "HHL", "boundary": "periodic"}
_HAAR: Table = {"name": "wavelet", "wavelet": "haar", "level": 2, **_INVARIANT}
_RIESZ_LOG: Table = {"name": "riesz_log", "sigma_mm": 3, "boundary": "zero"}
_RIESZ_SIMONCELLI: Table = {"name": "riesz_simoncelli", "level": 1}

PHASE1: dict[str, tuple[str, Table]] = {
    "1.a.1": ("checkerboard", {"name": "mean", "support": 15, "boundary": "zero"}),
    "1.a.2": ("checkerboard", {"name": "mean", "support": 15, "boundary": "nearest"}),
    "1.a.3": ("checkerboard", {"name": "mean", "support": 15, "boundary": "periodic"}),
    "1.a.4": ("checkerboard", {"name": "mean", "support": 15}),
    "1.b.1": ("impulse", {"name": "mean", "support": 15, "by_slice": True, "boundary": "zero"}),
    "2.a": ("impulse", {"name": "log", "sigma_mm": 3, "boundary": "zero"}),
    "2.b": ("checkerboard", {"name": "log", "sigma_mm": 5}),
    "2.c": ("checkerboard", {"name": "log", "sigma_mm": 5, "by_slice": True}),
    "3.a.1": ("impulse", _E5L5S5),
    "3.a.2": ("impulse", _E5L5S5 | _INVARIANT),
    "3.a.3": ("impulse", _E5L5S5 | _ENERGY),
    "3.b.1": ("checkerboard", _E3W5R5),
    "3.b.2": ("checkerboard", _E3W5R5 | _INVARIANT),
    "3.b.3": ("checkerboard", _E3W5R5 | _ENERGY),
    "3.c.1": ("checkerboard", _L5S5),
    "3.c.2": ("checkerboard", _L5S5 | _INVARIANT),
    "3.c.3": ("checkerboard", _L5S5 | _ENERGY),
    "4.a.1": ("impulse", _GABOR_A | {"theta_degrees": 60}),
    "4.a.2": ("impulse", _GABOR_A | {"theta_step_degrees": 45, "orthogonal_planes": True}),
    "4.b.1": ("sphere", _GABOR_B | {"theta_degrees": 225}),
    "4.b.2": ("sphere", _GABOR_B | {"theta_step_degrees": 22.5, "orthogonal_planes": True}),
    "5.a.1": ("impulse", _DB2),
    "5.a.2": ("impulse", _DB2 | _INVARIANT),
    "6.a.1": ("sphere", _COIF1),
    "6.a.2": ("sphere", _COIF1 | _INVARIANT),
    "7.a.1": ("checkerboard", _HAAR | {"subband": "LLL"}),
    "7.a.2": ("checkerboard", _HAAR | {"subband": "HHH"}),
    "8.a.1": ("checkerboard", {"name": "simoncelli", "level": 1}),
    "8.a.2": ("checkerboard", {"name": "simoncelli", "level": 2}),
    "8.a.3": ("checkerboard", {"name": "simoncelli", "level": 3}),
    "9.a": ("impulse", _RIESZ_LOG | {"order": (0, 0, 1)}),
    "9.b.1": ("sphere", _RIESZ_LOG | {"order": (0, 2, 0)}),
    "9.b.2": ("sphere", _RIESZ_LOG | {"order": (0, 2, 0), "tensor_sigma_mm": 1}),
    "10.a": ("impulse", _RIESZ_SIMONCELLI | {"order": (0, 0, 1), "boundary": "zero"}),
    "10.b.1": ("pattern_1", _RIESZ_SIMONCELLI | {"order": (0, 2, 0), "boundary": "nearest"}),
    "10.b.2": ("pattern_1", _RIESZ_SIMONCELLI | {"order": (0, 2, 0), "boundary": "nearest", "tensor_sigma_mm": 1}),
}

# IBSI publishes no reference map for these.
WITHOUT_CONSENSUS = ("9.b.2", "10.a", "10.b.2")

_SLICE: Table = {"by_slice": True}
_GABOR: Table = {"name": "gabor", "sigma_mm": 5, "wavelength_mm": 2, "gamma": 1.5, "theta_step_degrees": 22.5}
_DB3: Table = {"name": "wavelet", "wavelet": "db3", **_INVARIANT}

# Configuration A: by slice, no interpolation. B: voxels of 1 mm, tricubic spline, rounded; mask trilinear, from one half.
# Both: the region re-segmented to [-1000, 400] HU on the unfiltered image, mirror boundary.
PHASE2: dict[str, Table] = {
    "1.A": {"name": "none"},
    "1.B": {"name": "none"},
    "2.A": {"name": "mean", "support": 5} | _SLICE,
    "2.B": {"name": "mean", "support": 5},
    "3.A": {"name": "log", "sigma_mm": 1.5} | _SLICE,
    "3.B": {"name": "log", "sigma_mm": 1.5},
    "4.A": {"name": "laws", "kernels": "L5E5"} | _ENERGY | _SLICE,
    "4.B": {"name": "laws", "kernels": "L5E5E5"} | _ENERGY,
    "5.A": _GABOR,
    "5.B": _GABOR | {"orthogonal_planes": True},
    "6.A": _DB3 | {"subband": "LH"} | _SLICE,
    "6.B": _DB3 | {"subband": "LLH"},
    "7.A": _DB3 | {"subband": "HH", "level": 2} | _SLICE,
    "7.B": _DB3 | {"subband": "HHH", "level": 2},
    # Defined on the image's spectrum, which is periodic: the consensus was reached so (mirrored, 2 of 72 values would miss).
    "8.A": {"name": "simoncelli", "level": 1} | _SLICE,
    "8.B": {"name": "simoncelli", "level": 1},
    "9.A": {"name": "simoncelli", "level": 2} | _SLICE,
    "9.B": {"name": "simoncelli", "level": 2},
}
