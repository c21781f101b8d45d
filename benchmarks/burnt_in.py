"""How much writing in ultrasound frames `isthmus deidentify` masks, and how much of the scan it takes with it.

    python benchmarks/burnt_in.py [--frames 200] [--seed 1]

Synthetic frames: a thyroid, linear or fan-shaped, of three invented machines, with lines of text in four fonts, 11 to 26 pixels high,
grey or coloured, beside the scan
and on it; a share of them compressed as JPEG. A line counts as masked when at least 95 % of its letters' pixels lie in boxes. Frames
without any writing say what is
masked for nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from isthmus.cohort.deidentify.burnt_in import find_writing, luma
from isthmus.synthetic.ultrasound import MACHINES, Nodule, render_frame

FONTS = ("DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf")
SURNAMES = ("MUELLER", "Nowak", "GARCIA LOPEZ", "O'Brien", "ZHANG", "van Dijk", "Kowalska", "Li")
GIVEN = ("Hans", "ANNA", "M.", "Wei", "Sofia", "JAN-PIETER")
CHARACTERS_DARK = 60  # grey levels a letter's pixel must differ from the frame without writing, to count


def scan(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A frame of 480 x 640 with a scan, linear or as a fan, on black."""
    machine = dataclasses.replace(
        MACHINES[str(rng.choice(list(MACHINES)))], rows=360, columns=440, pixel_mm=float(rng.uniform(0.08, 0.13))
    )
    nodule = Nodule(
        size_mm=float(rng.uniform(6, 18)),
        heterogeneity_db=float(rng.uniform(1, 5)),
        calcifications=float(rng.uniform(0, 8)),
    )
    picture = render_frame(nodule, machine, rng).values
    if rng.random() < 0.5:
        j, i = np.mgrid[:360, :440]
        radius = np.hypot(j + 120, i - 220)
        angle = np.arctan2(i - 220, j + 120)
        picture = np.where((radius > 140) & (radius < 470) & (np.abs(angle) < 0.62), picture, 0).astype(np.uint8)
    frame = np.zeros((480, 640), dtype=np.uint8)
    frame[70:430, 100:540] = picture
    return frame


def line(rng: np.random.Generator) -> str:
    """What is written: a name, a number, a date."""
    kinds = (
        f"{rng.choice(SURNAMES)}, {rng.choice(GIVEN)}",
        f"ID {rng.integers(1e5, 1e8)}",
        f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1930, 2015)}",
        f"{rng.choice(SURNAMES)} {rng.choice(GIVEN)} {rng.integers(18, 90)}Y {rng.choice(['F', 'M'])}",
        f"{rng.integers(2010, 2026)}/{rng.integers(1, 13):02d}/{rng.integers(1, 29):02d} "
        f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}",
    )
    return str(rng.choice(kinds))


def written(
    frame: NDArray[np.uint8], rng: np.random.Generator, where: str
) -> tuple[NDArray[Any], list[NDArray[np.bool_]], list[int]]:
    """The frame with lines of text, and of each line its letters' pixels and its height."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    coloured = rng.random() < 0.3
    canvas = Image.fromarray(np.repeat(frame[..., None], 3, axis=2))
    lines, sizes = [], []
    for number in range(int(rng.integers(1, 4))):
        size = int(rng.integers(11, 27))
        font = ImageFont.truetype(str(fonts / rng.choice(FONTS)), size)
        colour = tuple(int(v) for v in rng.integers(180, 256, 3)) if coloured else (int(rng.integers(190, 256)),) * 3
        if where == "beside":
            at = (int(rng.integers(4, 300)), (4 + 30 * number) if rng.random() < 0.6 else 438 + 13 * (number % 2))
        else:
            at = (int(rng.integers(190, 320)), 130 + 80 * number + int(rng.integers(0, 40)))
        before = np.asarray(canvas).max(axis=-1).astype(int)
        ImageDraw.Draw(canvas).text(at, line(rng), font=font, fill=colour)
        letters = np.abs(np.asarray(canvas).max(axis=-1) - before) > CHARACTERS_DARK
        if letters.sum() > 30:
            lines.append(letters)
            sizes.append(size)
    pixels = np.asarray(canvas)
    return (pixels if coloured else pixels[..., 0]), lines, sizes


def compressed(pixels: NDArray[Any], quality: int) -> NDArray[Any]:
    """The pixels after JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def measure(frames: int, seed: int) -> pd.DataFrame:
    """One row a line of text: where it stood, its height, which share of it was masked; and one row a frame without any."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(frames):
        frame = scan(rng)
        where = ("beside", "on the scan", "nowhere")[number % 3]
        pixels, lines, sizes = (frame, [], []) if where == "nowhere" else written(frame, rng, where)
        jpeg = rng.random() < 0.4
        if jpeg:
            pixels = compressed(pixels, int(rng.integers(75, 96)))
        boxes = find_writing(luma(pixels)[None])
        masked = np.zeros(frame.shape, dtype=bool)
        for box in boxes:
            masked[box.slices] = True
        lost = float((masked & (frame > 0)).sum() / max((frame > 0).sum(), 1))
        for letters, size in zip(lines, sizes, strict=True):
            rows.append(
                {"where": where, "jpeg": jpeg, "size": size, "masked": float(masked[letters].mean()), "lost": lost}
            )
        if not lines:
            rows.append({"where": where, "jpeg": jpeg, "size": 0, "masked": np.nan, "lost": lost})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    start = time.process_time()
    table = measure(given.frames, given.seed)
    table["found"] = table["masked"] >= 0.95
    for (where, jpeg), part in table.groupby(["where", "jpeg"]):
        texts = (
            f"{part['found'].sum()} of {len(part)} lines masked ({part['found'].mean():.1%}); "
            if where != "nowhere"
            else ""
        )
        print(
            f"{where}, {'JPEG' if jpeg else 'lossless'}: {texts}"
            f"of the scan lost: median {part['lost'].median():.2%}, most {part['lost'].max():.2%}"
        )
    print(f"{time.process_time() - start:.1f} s of processor time")


if __name__ == "__main__":
    main()
