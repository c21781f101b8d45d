"""Fits the score of nucleus candidates (`pathology/nucleus_score.json`) on the chosen tiles; says how good it is on tiles left out.

python benchmarks/nucleus_score.py DATA            each fifth of the chosen tiles scored by lines fitted on the others; no file written
python benchmarks/nucleus_score.py DATA --write    fit on all chosen tiles and write the file
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.pathology import calibrate, candidates, compare_nuclei, density, segment_nuclei
from isthmus.pathology.candidates import EVIDENCE
from isthmus.pathology.segmenter import SegmenterSettings, candidates_of

KNOTS = 4
PENALTY = 30.0


def chosen_tiles(data: Path) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name, colours and labels of the 1st, 3rd, 5th ... tile of the index."""
    from PIL import Image

    folder = data / "pathology" / "nuclei"
    return [
        (
            tile,
            np.asarray(Image.open(folder / "images" / f"{tile}.png").convert("RGB")),
            np.asarray(Image.open(folder / "labels" / f"{tile}.png")).astype(np.int32),
        )
        for tile in pd.read_csv(folder / "index.csv")["tile"][::2]
    ]


def best_overlap(labels: np.ndarray, pixels: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Largest intersection over union of every candidate with a labelled nucleus."""
    area = np.bincount(labels.ravel())
    overlap = np.zeros(len(starts) - 1)
    for n in range(len(overlap)):
        own = labels.ravel()[pixels[starts[n] : starts[n + 1]]]
        shared = np.bincount(own, minlength=len(area))
        overlap[n] = (shared / (area + len(own) - shared))[1:].max(initial=0)
    return overlap


def fit(evidence: list[np.ndarray], overlap: list[np.ndarray]) -> dict:
    """Ridge regression on broken lines with their knots at quantiles; every tile has the same weight."""
    x, y = np.concatenate(evidence), np.concatenate(overlap)
    weight = np.concatenate([np.full(len(part), 1 / len(part)) for part in overlap])
    weight *= len(y) / weight.sum()
    columns, knots = [], []
    for column in x.T:
        at = np.unique(np.quantile(column, np.linspace(0, 1, KNOTS)))
        knots.append(at)
        columns += [np.interp(column, at, np.eye(len(at))[k]) for k in range(len(at))]
    design = np.column_stack(columns)
    mean, middle = np.average(design, axis=0, weights=weight), np.average(y, weights=weight)
    centred = (design - mean) * np.sqrt(weight)[:, None]
    normal = centred.T @ centred + PENALTY * np.eye(design.shape[1])
    slope = np.linalg.solve(normal, centred.T @ ((y - middle) * np.sqrt(weight)))
    lines, at = {}, 0
    for name, own in zip(EVIDENCE, knots, strict=True):
        values = slope[at : at + len(own)] - 0.0
        lines[name] = {"knots": [float(f"{v:.6g}") for v in own], "values": [float(f"{v:.4g}") for v in values]}
        at += len(own)
    return {"intercept": float(f"{middle - mean @ slope:.6g}"), "lines": lines}


def main() -> None:
    data, write = Path(sys.argv[1]), "--write" in sys.argv
    settings = SegmenterSettings()
    tiles = chosen_tiles(data)
    evidence, overlap = [], []
    for _, rgb, labels in tiles:
        plane = density(rgb)
        found, pixels, starts = candidates_of(plane, calibrate([plane]), settings)[1]
        evidence.append(found)
        overlap.append(best_overlap(labels, pixels, starts))
    print(f"{len(tiles)} tiles, {sum(map(len, overlap))} candidates")
    if write:
        model = {
            "about": "Expected intersection over union of a candidate with a nucleus; fitted by "
            "benchmarks/nucleus_score.py on 15 tiles of the "
            "Data Science Bowl 2018 as corrected (CC0), the 1st, 3rd, 5th ... of the index.",
            **fit(evidence, overlap),
        }
        path = Path(candidates.__file__).with_name("nucleus_score.json")
        path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
        print(f"written: {path}")
        return
    rows = []
    for fold in range(5):
        others = [n for n in range(len(tiles)) if n % 5 != fold]
        model = fit([evidence[n] for n in others], [overlap[n] for n in others])
        candidates.scorer = lambda model=model: model
        for n in range(fold, len(tiles), 5):
            plane = density(tiles[n][1])
            rows.append(vars(compare_nuclei(tiles[n][2], segment_nuclei(plane, calibrate([plane]), settings))))
    print(pd.DataFrame(rows)[["dice", "f1", "panoptic_quality", "aggregated_jaccard"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
