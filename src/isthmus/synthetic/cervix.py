"""A carcinoma of the cervix on T2 and on T1 with contrast: the tumour in the stroma, fat, bladder and rectum around it, two vendors.

Nobody's data. Lymph-vascular space invasion follows how uneven the tumour is, which T2 shows better, and how much the stroma just around
it is shot through, which T1 with contrast shows better; size and age have no effect.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import MR_SCANNERS, MrScanner, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort

__all__ = ["CERVIX_EFFECTS", "SIZES", "make_cervix", "render_cervix"]

CERVIX_EFFECTS = MappingProxyType({"tumour": 1.6, "rim": 1.6})
"""Planted log odds ratios per standard deviation: unevenness of the tumour, and of the tissue around it."""


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A", "B"), train), PlantedSet("internal", ("A", "B"), test))


SIZES = MappingProxyType(
    {"full": _sets((75, 45), (37, 23)), "demo": _sets((52, 38), (26, 19)), "tiny": _sets((7, 6), (3, 3))}
)
"""Patients without and with invasion. How many the study had its title does not say; these numbers are ours."""

_REACH_MM = 30.0
_SIGNAL = {  # relative
    "t2": {"fat": 1.10, "muscle": 0.35, "stroma": 0.45, "tumour": 0.85, "bladder": 1.60, "rectum": 0.25},
    "t1c": {"fat": 0.95, "muscle": 0.50, "stroma": 0.95, "tumour": 0.75, "bladder": 0.30, "rectum": 0.25},
}
_SHOWN = {"t2": (1.0, 0.5), "t1c": (0.6, 1.0)}  # of the tumour's unevenness, and of the rim's


def make_cervix(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """Images, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the outcome depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, lvsi (0, 1), age_years, image:t2, image:t1c on one grid, mask:tumour. Beside it `truth.csv`.
    """
    patients = draw_patients("cervix-lvsi", sizes, CERVIX_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder, patients, lambda into, one: [_write(into, one, seed)], truth=[*CERVIX_EFFECTS, "risk"], workers=workers
    )


def render_cervix(
    tumour: float, rim: float, diameter_mm: float, scanner: MrScanner, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.int16]], NDArray[np.uint8], Geometry]:
    """Values by contrast ("t2", "t1c"), the mask (1: the tumour) and the grid they share.

    Parameters
    ----------
    tumour, rim : float
        Standardised latents.
    diameter_mm : float
        Of the smooth ball under the outline.
    scanner : MrScanner
    rng : Generator
    """
    spaces = (2 * scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    up, back, left = (centred_axis(_REACH_MM, step) for step in spaces)
    axes: Axes = (up.astype(np.float32), back.astype(np.float32), left.astype(np.float32))
    z, y, x = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    radius = diameter_mm / 2
    depth = radius * (1.0 + 0.08 * smooth_field(rng, axes, 0.4 * radius)) - np.sqrt(x**2 + y**2 + z**2)
    wall = 5.0 + radius - np.hypot(x, y + 2)  # the stroma around
    bladder = 16.0 - np.sqrt(x**2 + (y + 32) ** 2 + (0.7 * z) ** 2)
    rectum = 9.0 - np.hypot(x + 4, y - 27)
    grain, strands = smooth_field(rng, axes, 1.9), smooth_field(rng, axes, 1.5)
    fat = smooth_field(rng, axes, 4.0)
    values, seeds = {}, rng.integers(2**63, size=2)
    for (contrast, signal), own in zip(_SIGNAL.items(), seeds, strict=True):
        inside, around = _SHOWN[contrast]
        seen = signal["fat"] + 0.06 * fat
        for part, place in (("bladder", bladder), ("rectum", rectum)):
            seen = seen + (signal[part] - seen) * soft(place)
        near = np.exp(-0.5 * (np.minimum(depth, 0.0) / 3.0) ** 2)  # the first millimetres outside
        stroma = signal["stroma"] + 0.14 * around * np.exp(0.5 * rim) * near * strands
        seen = seen + (stroma - seen) * soft(wall)
        tissue = signal["tumour"] + 0.14 * inside * np.exp(0.5 * tumour) * grain
        seen = seen + (tissue - seen) * soft(depth)
        relative = np.maximum(seen, 0.05).astype(np.float32)
        values[contrast] = magnetised(relative, axes, scanner, np.random.default_rng(own))
    labels = (depth > 0).astype(np.uint8)
    geometry = Geometry(shape=labels.shape, spacing_mm=spaces, origin_mm=(float(left[0]), float(back[0]), float(up[0])))
    return values, labels, geometry


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The images of a patient; her row of the case table."""
    name, scanner = patient["patient"], MR_SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "cervix scan", name))
    values, labels, geometry = render_cervix(
        patient["tumour"], patient["rim"], float(rng.uniform(20, 30)), scanner, rng
    )
    for contrast, words in (("t2", "T2-weighted, pelvis"), ("t1c", "T1-weighted with contrast, pelvis")):
        write_image(Image(values[contrast], geometry), folder / "images" / f"{name}_{contrast}.nii.gz")
        facts = {**scanner.sidecar(words), "SpacingBetweenSlices": geometry.spacing_mm[0]}
        text = json.dumps(facts, indent=1) + "\n"
        (folder / "images" / f"{name}_{contrast}.json").write_text(text, encoding="utf-8")
    write_labels(LabelImage(labels, geometry), folder / "masks" / f"{name}.nii.gz")
    return {
        "patient": name, "split": patient["split"], "lvsi": patient["outcome"],
        "age_years": int(np.clip(np.round(rng.normal(49, 10)), 24, 80)),
        "image:t2": f"images/{name}_t2.nii.gz", "image:t1c": f"images/{name}_t1c.nii.gz", "mask:tumour": f"masks/{name}.nii.gz",
    }  # fmt: skip
