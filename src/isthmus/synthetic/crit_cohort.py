"""The CRIT study's patients with their scans: two centres, contrast CT, and lesions whose inner structure carries risk.

The clinical values are those of `isthmus.synthetic.crit`. Two more parts of the risk only the image shows: *structure* (how many kinds of
tissue a lesion has and how interwoven they lie) and *texture* (how uneven each of them is). Some patients have tissue, too: nuclei,
proteins and stains that follow what the image shows (`draw_tissue`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.stats.seeds import child_seed
from isthmus.synthetic.anatomy import TRACHEA_WALL_MM, render_anatomy
from isthmus.synthetic.biology import SyntheticBiology, draw_biology
from isthmus.synthetic.crit import as_written, draw_crit
from isthmus.synthetic.fields import Axes
from isthmus.synthetic.lesion import Lesion, plan_lesion
from isthmus.synthetic.planted import each_patient
from isthmus.synthetic.scanner import SCANNERS, Grid, Scanner, acquire, outline, scanner_grid
from isthmus.synthetic.slides import SlidePlan, write_slide

__all__ = [
    "DEMO_SIZE",
    "GLAND",
    "IMAGE_EFFECTS",
    "LESION",
    "SIZES",
    "STUDY_SIZE",
    "STUDY_TISSUE",
    "CritSize",
    "draw_patients",
    "draw_tissue",
    "make_crit_cohort",
]

GLAND, LESION = 1, 11
"""Values in the masks, as the study numbers them."""

IMAGE_EFFECTS = MappingProxyType({"structure": 1.0, "texture": 0.5})
"""Planted log odds ratios per standard deviation, beside those of `CRIT_EFFECTS`."""

_SIZE_MM = (25.0, 0.28)
_SMALLEST_MM, _LARGEST_MM = 14.0, 46.0
_MARGIN_MM = 12.0
_SCANNERS = MappingProxyType({"A": SCANNERS[0], "B": SCANNERS[2]})


STUDY_TISSUE = 12
"""Patients whose slides the study compared (5 with metastasis): a table of that size lies beside the larger ones."""

_STUDY_TISSUE_EVENTS = 5
_SLIDE = SlidePlan(rows=384, columns=512, margin_um=16.0, spacing_um=16.0)
_TISSUE_STRENGTH = 1.2
"""How far planted columns of the tissue follow the image's part of the risk, in SD of their noise."""


@dataclass(frozen=True)
class CritSize:
    """Patients and patients with metastasis of centre A (development) and B (external), how many masks of A are manual, how many
    patients of both have tissue, and whether those of the smallest table have a slide to find nuclei on."""

    patients: tuple[int, int]
    events: tuple[int, int]
    manual: int
    tissue: int = 60
    slides: bool = False


STUDY_SIZE = CritSize((881, 145), (119, 15), 625)
"""6.4 patients without metastasis to one with at A; at B the 15 events of which the study's sensitivity found 14."""
DEMO_SIZE = CritSize((150, 50), (22, 7), 106, slides=True)
SIZES = MappingProxyType(
    {"full": STUDY_SIZE, "demo": DEMO_SIZE, "tiny": CritSize((20, 8), (7, 3), 14, 20, slides=True)}
)


def make_crit_cohort(
    folder: str | Path, *, sizes: CritSize = DEMO_SIZE, seed: int = 1, signal: float = 1.0, workers: int = 1
) -> Path:
    """Images, masks, the case table and the truth.

    The images show the lesion and its surroundings. A mask holds the thyroid gland (1) and the lesion (11). On one machine a patient's
    image is the same, to the last bit, in any cohort of his centre's size and for any number of workers.

    Parameters
    ----------
    folder : path
        Made if absent.
    sizes : CritSize
    seed : int
    signal : float
        Multiplies every planted effect; 0: outcome and tissue depend on nothing, the images stay as they are.
    workers : int
        Threads; 0: one per core.

    Returns
    -------
    Path
        `cases.csv`: patient, centre, M_stage, the clinical columns, mask_origin, image:ct, mask:ct. Beside it `nuclei.csv`, `proteins.csv`,
        `stains.csv`, `nuclei_of_twelve.csv` (as many patients as the study had), with `sizes.slides` their `slides.csv` (extra
        `pathology`), and `truth.csv`.
    """
    folder = Path(folder)
    cases, truth = draw_patients(sizes, seed=seed, signal=signal)
    tissue = draw_tissue(truth, sizes.tissue, seed=seed, signal=signal)
    tissue.write(folder)
    few = _with_tissue(truth.set_index("patient").loc[tissue.nuclei.index], STUDY_TISSUE, _STUDY_TISSUE_EVENTS)
    tissue.nuclei.loc[few].to_csv(folder / "nuclei_of_twelve.csv", lineterminator="\n")
    if sizes.slides:
        _write_slides(folder, _phenotype(truth)[few], signal=signal, seed=seed)
    truth["tissue"] = truth["patient"].isin(tissue.nuclei.index).astype(int)
    planted = each_patient(folder, truth, lambda into, one: _write_patient(into, one, seed), workers=workers)
    truth = pd.concat([truth.drop(columns=["Age", "Tumor_size"]), pd.DataFrame(planted)], axis=1)
    truth.to_csv(folder / "truth.csv", index=False, float_format="%.10g")
    for kind in ("image", "mask"):
        cases[f"{kind}:ct"] = [f"{kind}s/{patient}_ct.nii.gz" for patient in cases["patient"]]
    cases.to_csv(folder / "cases.csv", index=False)
    return folder / "cases.csv"


def draw_patients(sizes: CritSize, *, seed: int = 1, signal: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The case table without its files, and the truth: risk, outcome, what only the image shows."""
    tables, truths = [], []
    for centre, n, events in zip("AB", sizes.patients, sizes.events, strict=True):
        rng = np.random.default_rng(child_seed(seed, "crit image", centre))
        latent = pd.DataFrame(
            np.clip(rng.standard_normal((n, len(IMAGE_EFFECTS))), -2.2, 2.2), columns=list(IMAGE_EFFECTS)
        )
        seen = latent.to_numpy() @ np.array(list(IMAGE_EFFECTS.values()))
        values, truth = draw_crit(
            n, centre=centre, seed=seed, events=events, signal=signal, size_mm=_SIZE_MM, seen=seen
        )
        truth = pd.concat([truth, latent, values.reset_index()[["Age", "Tumor_size"]]], axis=1)
        manual = sizes.manual if centre == "A" else 0
        origin = np.where(rng.permutation(n) < manual, "manual", "ai_edited")
        tables.append(as_written(values, truth, centre=centre, seed=seed).assign(mask_origin=origin))
        truths.append(truth)
    return pd.concat(tables, ignore_index=True), pd.concat(truths, ignore_index=True)


def draw_tissue(truth: pd.DataFrame, patients: int, *, seed: int = 1, signal: float = 1.0) -> SyntheticBiology:
    """Nuclei, proteins and stains of some patients: half with metastasis, as far as there are so many.

    `isthmus.synthetic.biology.PLANTED` names the columns that follow what the image shows of the risk.
    """
    who = _with_tissue(truth.set_index("patient"), patients, patients // 2)
    return draw_biology(
        _phenotype(truth)[who], strength=signal * _TISSUE_STRENGTH, seed=child_seed(seed, "crit tissue")
    )


def _phenotype(truth: pd.DataFrame) -> pd.Series[float]:
    """What the image shows of the risk, by patient: mean 0, variance 1."""
    effects = np.array(list(IMAGE_EFFECTS.values()))
    seen = truth[list(IMAGE_EFFECTS)].to_numpy() @ effects / np.linalg.norm(effects)
    return pd.Series(seen, index=pd.Index(truth["patient"]))


def _write_slides(folder: Path, phenotype: pd.Series[float], *, signal: float, seed: int) -> None:
    """`slides.csv` and a small stained slide of each patient, whose tumour nuclei differ the more the higher the phenotype is."""
    (folder / "slides").mkdir(parents=True, exist_ok=True)
    for patient, z in phenotype.items():
        spread = float(np.clip(0.2 + 0.07 * signal * z, 0.05, 0.4))
        plan = replace(_SLIDE, heterogeneity=spread, seed=child_seed(seed, "crit slide", str(patient)))
        write_slide(folder / "slides" / f"{patient}.tif", plan)
    table = pd.DataFrame({"patient": phenotype.index, "slide": [f"slides/{who}.tif" for who in phenotype.index]})
    table.to_csv(folder / "slides.csv", index=False, lineterminator="\n")


def _with_tissue(known: pd.DataFrame, patients: int, events: int) -> list[str]:
    """The first patients of each outcome, in the order of the table; who they are depends on nothing else."""
    sick = list(known.index[known["outcome"] == 1])[:events]
    well = list(known.index[known["outcome"] == 0])[: patients - len(sick)]
    return sorted([*sick, *well])


def structured_lesion(rng: np.random.Generator, *, structure: float, texture: float, diameter_mm: float) -> Lesion:
    """The lesion of a patient whose latent parts are known: the more structure, the more kinds of tissue, in smaller patches."""
    lesion = plan_lesion(
        rng, texture=texture, shape=float(np.clip(rng.normal(), -2.0, 2.0)), diameter_mm=diameter_mm, extends=False,
        medial_mm=TRACHEA_WALL_MM,
    )  # fmt: skip
    half = float(np.mean(lesion.half_axes_mm))
    return replace(
        lesion,
        amplitude_hu=float(12.0 * np.exp(0.35 * texture)),
        necrotic_fraction=0.0,
        populations=1 if structure < -0.6 else 2 if structure < 0.7 else 3,
        step_hu=float(80.0 * np.exp(0.15 * structure)),
        patch_mm=float(0.30 * half * np.exp(-0.30 * structure)),
    )


def _write_patient(folder: Path, row: dict[str, Any], seed: int) -> dict[str, Any]:
    """The files of one patient; returns what was planted."""
    patient, scanner = row["patient"], _SCANNERS[row["centre"]]
    rng = np.random.default_rng(child_seed(seed, "crit scan", patient))
    diameter = float(np.clip(row["Tumor_size"], _SMALLEST_MM, _LARGEST_MM))
    lesion = structured_lesion(rng, structure=row["structure"], texture=row["texture"], diameter_mm=diameter)
    grid, axes = _around(lesion, scanner)
    anatomy = render_anatomy(lesion, rng, age_years=float(row["Age"]), axes=axes)
    scan = acquire(anatomy.hu, anatomy.lesion, axes, scanner, rng, grid)
    labels = np.where(scan.mask > 0, LESION, GLAND * outline(anatomy.gland, axes, scanner, grid)).astype(np.uint8)
    geometry = Geometry(shape=scan.values.shape, spacing_mm=scan.spacing_mm, origin_mm=scan.origin_mm)
    write_image(Image(scan.values, geometry, "HU"), folder / "images" / f"{patient}_ct.nii.gz")
    write_labels(LabelImage(labels, geometry), folder / "masks" / f"{patient}_ct.nii.gz")
    sidecar = json.dumps(scanner.sidecar, indent=1) + "\n"
    (folder / "images" / f"{patient}_ct.json").write_text(sidecar, encoding="utf-8")
    return {
        "lesion_volume_ml": float(scan.mask.sum() * geometry.voxel_volume_mm3 / 1000.0),
        "populations": lesion.populations,
        "step_hu": lesion.step_hu,
        "patch_mm": lesion.patch_mm,
        "amplitude_hu": lesion.amplitude_hu,
        "irregularity": lesion.irregularity,
    }


def _around(lesion: Lesion, scanner: Scanner) -> tuple[Grid, Axes]:
    """The voxels of the scanner around the lesion, and the part of the neck they need."""
    grid, axes = [], []
    for whole, centre, half in zip(scanner_grid(scanner), lesion.centre_mm, lesion.half_axes_mm, strict=True):
        reach = half * (1.0 + 3.0 * lesion.irregularity) + _MARGIN_MM
        seen = whole[np.abs(whole - centre) <= reach]
        grid.append(seen)
        axes.append(np.arange(np.floor(seen[0]) - 3.0, np.ceil(seen[-1]) + 4.0, dtype=np.float32))
    return (grid[0], grid[1], grid[2]), (axes[0], axes[1], axes[2])
