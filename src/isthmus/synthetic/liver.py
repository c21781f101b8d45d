"""T2-weighted MR of the liver from three manufacturers at two field strengths: what differs between six scanners, and a little that should.

Nobody's data. Every scanner has its own gain, noise, blur and coil. Known chronic liver disease (against suspected) goes with a coarser,
more uneven liver, whatever the scanner.
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
from isthmus.synthetic.brain import MrScanner, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, smooth_field
from isthmus.synthetic.planted import PlantedSet, draw_patients, write_cohort

__all__ = ["LIVER_EFFECTS", "LIVER_SCANNERS", "SIZES", "make_liver", "render_liver"]

LIVER_EFFECTS = MappingProxyType({"fibrosis": 1.8})
"""Planted log odds ratio of known disease per standard deviation. Age and sex have none."""


def _scanner(maker: int, tesla: float, gain: float, noise: float, bias: float, blur_mm: float) -> MrScanner:
    return MrScanner(
        manufacturer=f"Vendor {maker}", model=f"Body {maker}-{tesla:g}", tesla=tesla, slice_mm=4.0, pixel_mm=1.5, gain=gain, noise=noise,
        bias=bias, blur_mm=blur_mm,
    )  # fmt: skip


LIVER_SCANNERS = MappingProxyType(
    {
        "1 1.5 T": _scanner(1, 1.5, 300.0, 0.060, 0.08, 1.1),
        "1 3 T": _scanner(1, 3.0, 420.0, 0.035, 0.20, 0.8),
        "2 1.5 T": _scanner(2, 1.5, 900.0, 0.045, 0.07, 0.9),
        "2 3 T": _scanner(2, 3.0, 1000.0, 0.035, 0.14, 0.9),
        "3 1.5 T": _scanner(3, 1.5, 520.0, 0.050, 0.10, 1.3),
        "3 3 T": _scanner(3, 3.0, 560.0, 0.045, 0.12, 1.2),
    }
)
"""Manufacturer and field strength -> scanner. The third maker's two scanners are most alike."""


def _sets(known: int, suspected: int) -> tuple[PlantedSet, ...]:
    """One set a scanner, so that each has both kinds of patients."""
    return tuple(PlantedSet("train", (name,), (suspected, known)) for name in LIVER_SCANNERS)


SIZES = MappingProxyType({"full": _sets(70, 70), "demo": _sets(11, 11), "tiny": _sets(4, 4)})
"""Patients with suspected and with known disease at each scanner. How many the study had was not read; these are ours."""


def make_liver(
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
        Multiplies the planted effect; 0: the outcome depends on nothing, the images stay as they are.
    seed : int
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, scanner, manufacturer, field_strength, known_disease (0, 1), age_years, sex, image:t2, mask:liver. Beside it
        `truth.csv`.
    """
    patients = draw_patients("liver-combat", sizes, LIVER_EFFECTS, signal=signal, seed=seed)
    return write_cohort(
        folder, patients, lambda into, one: [_write(into, one, seed)], truth=[*LIVER_EFFECTS, "risk"], workers=workers
    )


def render_liver(
    fibrosis: float, scanner: MrScanner, rng: np.random.Generator
) -> tuple[NDArray[np.int16], NDArray[np.uint8], Geometry]:
    """A part of the right lobe with vessels and fat around it, the mask of the liver (1), and the grid.

    Parameters
    ----------
    fibrosis : float
        Standardised latent.
    scanner : MrScanner
    rng : Generator
    """
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    up, back, left = centred_axis(16.0, spaces[0]), centred_axis(36.0, spaces[1]), centred_axis(36.0, spaces[2])
    axes: Axes = (up.astype(np.float32), back.astype(np.float32), left.astype(np.float32))
    z, y, x = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    depth = 27.0 * (1.0 + 0.06 * smooth_field(rng, axes, 9.0)) - np.sqrt(x**2 + (1.1 * y) ** 2 + (0.5 * z) ** 2)
    tissue = 0.50 + 0.045 * np.exp(0.5 * fibrosis) * smooth_field(rng, axes, 2.2 + 0.5 * np.tanh(fibrosis))
    vessels = soft(smooth_field(rng, axes, 4.5) - 1.7, 0.25)
    tissue = tissue + (0.95 - tissue) * vessels
    values = 1.15 + 0.08 * smooth_field(rng, axes, 5.0)
    values = values + (tissue - values) * soft(depth)
    seen = magnetised(np.maximum(values, 0.05).astype(np.float32), axes, scanner, rng)
    labels = (depth > 0).astype(np.uint8)
    labels[[0, -1]] = 0  # outlined inside the slab: nobody can say where a region ends that the image cuts off
    geometry = Geometry(shape=labels.shape, spacing_mm=spaces, origin_mm=(float(left[0]), float(back[0]), float(up[0])))
    return seen, labels, geometry


def _write(folder: Path, patient: dict[str, Any], seed: int) -> dict[str, Any]:
    """The scan of a patient; his row of the case table."""
    name, scanner = patient["patient"], LIVER_SCANNERS[patient["centre"]]
    rng = np.random.default_rng(child_seed(seed, "liver scan", name))
    values, labels, geometry = render_liver(patient["fibrosis"], scanner, rng)
    image, mask = f"images/{name}_t2.nii.gz", f"masks/{name}_liver.nii.gz"
    write_image(Image(values, geometry), folder / image)
    write_labels(LabelImage(labels, geometry), folder / mask)
    sidecar = json.dumps(scanner.sidecar("T2-weighted, abdomen"), indent=1) + "\n"
    (folder / "images" / f"{name}_t2.json").write_text(sidecar, encoding="utf-8")
    return {
        "patient": name, "scanner": patient["centre"], "manufacturer": scanner.manufacturer, "field_strength": f"{scanner.tesla:g} T",
        "known_disease": patient["outcome"], "age_years": int(np.clip(np.round(rng.normal(48, 16)), 6, 85)),
        "sex": "male" if rng.random() < 0.55 else "female", "image:t2": image, "mask:liver": mask,
    }  # fmt: skip
