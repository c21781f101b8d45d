"""Folds and bubbles planted where no threshold was set: other seeds, stains, widths, places, and the texture of a scanned slide.

    python benchmarks/artefacts.py shared/data/pathology

Prints, for each kind and resolution, how much of what was planted on tissue is left out, and of the tissue more than 40 um away from it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from isthmus.pathology import find_tissue, open_slide
from isthmus.pathology.stain import BACKGROUND, optical_density
from isthmus.pathology.tiles import thumbnail
from isthmus.synthetic.slides import SlidePlan, paint

Picture = np.ndarray
Planter = Callable[[Picture, float, np.random.Generator], tuple[Picture, Picture]]


def picture(density: Picture) -> Picture:
    """Pixels of a density."""
    return np.clip(np.rint(BACKGROUND * np.exp(-density)), 0, 255).astype(np.uint8)


def coarse(rgb: Picture, step: int) -> Picture:
    """Means of squares of `step` pixels."""
    high, wide = (length // step * step for length in rgb.shape[:2])
    squares = rgb[:high, :wide].astype(float).reshape(high // step, step, wide // step, step, 3)
    return np.asarray(squares.mean((1, 3)).round(), dtype=np.uint8)


def synthetic(um: int) -> list[Picture]:
    """18 clean pieces of tissue, 1.2 mm on a side: three seeds, weak to strong stain, few and many tumour nuclei."""
    found = []
    for seed, strength, tumour in product((11, 12, 13), (0.6, 1.0, 1.6), (0.2, 0.9)):
        fine = paint(SlidePlan(rows=1200, columns=1200, mpp=1.0, seed=seed, tumour=tumour), 0, 0, 1200, 1200)
        found.append(coarse(picture(optical_density(fine) * strength), um))
    return found


def places(rgb: Picture, um: float) -> tuple[Picture, Picture, float, float]:
    """y and x of every pixel, height and width, um."""
    j, i = np.indices(rgb.shape[:2])
    return j * um, i * um, rgb.shape[0] * um, rgb.shape[1] * um


def fold(width: float, layers: float) -> Planter:
    """A bent band, 700 um long, of any direction."""

    def planted(rgb: Picture, um: float, draw: np.random.Generator) -> tuple[Picture, Picture]:
        y, x, high, wide = places(rgb, um)
        angle = draw.uniform(0, np.pi)
        y, x = y - draw.uniform(0.35, 0.65) * high, x - draw.uniform(0.35, 0.65) * wide
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        across = across - draw.uniform(20, 80) * np.sin(along / draw.uniform(100, 300) + draw.uniform(0, 6))
        hit = (np.abs(across) < width / 2) & (np.abs(along) < 350)
        density = optical_density(rgb)
        density[hit] *= layers
        return picture(density), hit

    return planted


def bubble(radius: float, rim: float) -> Planter:
    """A rim of 28 um without colour, not quite round; what is hit is all inside."""

    def planted(rgb: Picture, um: float, draw: np.random.Generator) -> tuple[Picture, Picture]:
        y, x, high, wide = places(rgb, um)
        y, x = y - draw.uniform(0.3, 0.7) * high, x - draw.uniform(0.3, 0.7) * wide
        away = np.hypot(y * draw.uniform(0.85, 1.15), x)
        density = optical_density(rgb)
        density[np.abs(away - radius) < 14] += rim
        return picture(density), away < radius

    return planted


def judge(pictures: list[Picture], um: int, plant: Planter) -> str:
    """Shares over the pictures."""
    lost, beside = [], []
    for number, rgb in enumerate(pictures):
        made, hit = plant(rgb, um, np.random.default_rng(100 + number))
        before, after = find_tissue(rgb, um).mask, find_tissue(made, um).mask
        if (hit & before).sum() >= 5:
            lost.append(1 - after[hit & before].mean())
            far = before & ~ndimage.binary_dilation(hit, iterations=40 // um)
            beside.append(1 - after[far].mean())
    return f"{len(lost)} | {np.median(lost):.2f} | {np.min(lost):.2f} | {np.mean(beside):.3f} | {np.max(beside):.3f}"


def main(data: Path) -> None:
    """All tables."""
    slide = open_slide(data / "wsi" / "CMU-1-Small-Region.svs")
    print("planted | um | on | n | left out, median | least | beside it, mean | most")
    for um in (8, 4):
        clean, real = synthetic(um), [thumbnail(slide, float(um))] * 8
        print(
            f"nothing | {um} | synthetic | 18 | {max(find_tissue(rgb, um).artefact_share for rgb in clean):.3f} at most"
        )
        kinds = {f"fold of {layers:g} layers, {width} um": fold(width, layers) for width, layers in (
            (25, 3.0), (40, 3.0), (60, 3.0), (100, 3.0), (60, 2.5), (60, 2.0))}  # fmt: skip
        kinds |= {f"bubble, radius {radius} um, rim {rim:g}": bubble(radius, rim) for radius, rim in (
            (60, 0.9), (90, 0.9), (150, 0.9), (220, 0.9), (150, 0.5))}  # fmt: skip
        for name, plant in kinds.items():
            for where, pictures in (("synthetic", clean), ("CMU-1", real)):
                print(f"{name} | {um} | {where} | {judge(pictures, um, plant)}", flush=True)
    files = [*sorted((data / "nuclei" / "images").glob("*.png")), *sorted((data / "stain_normalisation").glob("*.png"))]
    for step in (8, 16):
        shares = {
            path.stem: find_tissue(coarse(np.asarray(Image.open(path).convert("RGB")), step), step / 2).artefact_share
            for path in files
        }
        some = {name: round(share, 3) for name, share in shares.items() if share > 0}
        print(
            f"clean pictures taken as 0.5 um, at {step / 2:g} um: {len(some)} of {len(shares)} lose something: {some}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
