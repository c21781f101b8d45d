"""T1-weighted MR with contrast of gliomas of low and high grade, several centres: how uneven the enhancing tissue is and how much of a rim
it has tell the grade, and so does age."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.brain import MR_SCANNERS, MrScanner, brain_tissue, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort
from isthmus.synthetic.readers import drawn_twice, redrawn, second_file, write_readers

__all__ = ["GLIOMA_EFFECTS", "SIZES", "make_glioma_cohort", "render_glioma"]

GLIOMA_EFFECTS = MappingProxyType({"texture": 1.6, "rim": 0.8, "age": 0.7})
"""Planted log odds ratios per standard deviation: how uneven the tissue is, how bright its rim, and the patient's age. Sex has none."""

_RADIUS_MM, _MARGIN_MM = 13.0, 9.0
_TISSUE, _RIM, _NECROSIS, _OEDEMA = 0.85, 1.25, 0.45, 0.78  # signal on T1 with contrast; white matter is 1


def _sets(train: tuple[int, int], test: tuple[int, int]) -> tuple[PlantedSet, ...]:
    return (PlantedSet("train", ("A", "B", "C"), train), PlantedSet("internal", ("A", "B", "C"), test))


SIZES = MappingProxyType(
    {"full": _sets((238, 169), (102, 73)), "demo": _sets((58, 42), (35, 25)), "tiny": _sets((9, 8), (4, 3))}
)
"""Patients of low and of high grade. Full: 407 and 175 with 340 and 242 of the grades, as the study
says; how the sets divide them is ours."""


def make_glioma_cohort(
    folder: str | Path,
    *,
    sizes: tuple[PlantedSet, ...] = SIZES["demo"],
    signal: float = 1.0,
    seed: int = 1,
    workers: int = 1,
) -> Path:
    """T1 with contrast around the tumour, masks, the case table and the truth.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : tuple of PlantedSet
    signal : float
        Multiplies the planted effects; 0: the grade depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, split, centre, high_grade (0, 1), age_years, sex, enhancement (none, patchy, ring), oedema (slight, marked),
        image:t1c, mask:t1c. Beside it `readers.csv`: the patients whom a second reader has drawn, too.
    """
    patients = draw_patients("glioma", sizes, GLIOMA_EFFECTS, signal=signal, seed=seed)
    patients["twice"] = drawn_twice(patients)
    table = write_cohort(
        folder,
        patients,
        lambda into, one: [_write(into, one, seed)],
        truth=[*GLIOMA_EFFECTS, "risk"],
        workers=workers,
    )
    write_readers(table, patients["twice"], "mask:t1c")
    return table


def render_glioma(
    texture: float, rim: float, oedema_mm: float, scanner: MrScanner, rng: np.random.Generator
) -> tuple[Image, LabelImage]:
    """The tumour in white matter as one scanner shows it, and its outline (1).

    Parameters
    ----------
    texture, rim : float
        Standardised latents.
    oedema_mm : float
        Width of the swollen tissue around.
    scanner : MrScanner
    rng : Generator
    """
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    radius = _RADIUS_MM * float(np.exp(rng.normal(0, 0.15)))
    up, back, left = (centred_axis(radius * 1.3 + _MARGIN_MM, step).astype(np.float32) for step in spaces)
    axes: Axes = (up, back, left)
    z, y, x = np.meshgrid(*axes, indexing="ij")
    outline = radius * (1 + 0.12 * smooth_field(rng, axes, 0.45 * radius))
    depth = outline - np.sqrt(z**2 + y**2 + x**2)
    values = brain_tissue(axes, rng, "t1")
    values += 0.8 * (_OEDEMA - values) * soft(depth + oedema_mm, 1.5)
    grain = smooth_field(rng, axes, 2.8 * float(np.exp(-0.15 * texture)))
    tissue = _TISSUE + 0.16 * float(np.exp(0.45 * texture)) * grain
    shell = np.exp(-0.5 * ((depth - 2.5) / 1.8) ** 2)
    tissue += (_RIM - _TISSUE) * float(np.exp(0.4 * rim)) * shell
    tissue += (_NECROSIS - tissue) * soft(depth - (0.62 - 0.1 * rim) * radius, 1.2)
    values += (tissue - values) * soft(depth)
    seen = magnetised(np.maximum(values, 0.05).astype(np.float32), axes, scanner, rng)
    geometry = Geometry(shape=seen.shape, spacing_mm=spaces, origin_mm=(float(left[0]), float(back[0]), float(up[0])))
    return Image(seen, geometry), LabelImage((depth > 0).astype(np.uint8), geometry)


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], MR_SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "glioma scan", name))
    oedema_mm = float(rng.uniform(1, 7))
    scan, drawn = render_glioma(patient["texture"], patient["rim"], oedema_mm, scanner, rng)
    image, mask = f"images/{name}_t1c.nii.gz", f"masks/{name}_t1c.nii.gz"
    write_image(scan, folder / image)
    write_labels(drawn, folder / mask)
    if patient["twice"]:
        again = redrawn(drawn.values.astype(np.uint8), drawn.geometry.spacing_mm, rng)
        write_labels(LabelImage(again, drawn.geometry), folder / second_file(mask))
    sidecar = json.dumps(scanner.sidecar("T1-weighted with contrast"), indent=1) + "\n"
    (folder / "images" / f"{name}_t1c.json").write_text(sidecar, encoding="utf-8")
    seen_rim = patient["rim"] + rng.normal(0, 1.2)  # what a reader makes of it
    return {
        "patient": name, "split": patient["split"], "centre": patient["centre"], "high_grade": patient["outcome"],
        "age_years": int(np.clip(np.round(52 + 14 * patient["age"]), 18, 88)),
        "sex": "male" if rng.random() < 0.58 else "female",
        "enhancement": "ring" if seen_rim > 0.9 else "patchy" if seen_rim > -0.6 else "none",
        "oedema": "marked" if oedema_mm + rng.normal(0, 1) > 4 else "slight",
        "image:t1c": image, "mask:t1c": mask,
    }  # fmt: skip
