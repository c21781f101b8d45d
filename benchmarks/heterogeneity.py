"""A lesion from supervoxels to scores with intervals, and how much faster features of supervoxels and pixels are than PyRadiomics'.

Both engines get the same supervoxels in memory, cropped to the lesion, and run on one core by their own CPU time, in turn; every value is
compared.

    python benchmarks/heterogeneity.py --pyradiomics VENV/bin/python
    python benchmarks/heterogeneity.py --stability ../shared/data/sts
    python benchmarks/heterogeneity.py --structures 50

The other interpreter is that of `engine.py`. Without it only the own times are measured.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from isthmus.habitat import (
    NAMES,
    SUPERVOXELS,
    Habitats,
    Ited,
    ItedSettings,
    Ith2dSettings,
    Ith3dSettings,
    Supervoxels,
    SupervoxelSettings,
    TextureSettings,
    cut,
    ited,
    ited_columns,
    ith2d,
    ith3d,
    measure_supervoxels,
)
from isthmus.habitat.ith2d import largest_slice, pixel_features
from isthmus.habitat.stability import StabilitySettings, derived_reliability, stability
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.image.io import read_image
from isthmus.roi import Roi, read_roi
from isthmus.stats.correlation import correlation_test
from isthmus.synthetic import STRUCTURES, make_structured_lesion

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)

PEER = r"""
import sys, time, logging
import numpy as np, SimpleITK as sitk
from radiomics import featureextractor
logging.getLogger("radiomics").setLevel(logging.ERROR)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
given = np.load(sys.argv[1])
image, labels = sitk.GetImageFromArray(given["values"]), sitk.GetImageFromArray(given["labels"])
for one in (image, labels):
    one.SetSpacing([float(s) for s in given["spacing"][::-1]])
if "pixels" in given:  # as ITHscore calls it: all defaults, so shape and diagnostics, too
    extractor = featureextractor.RadiomicsFeatureExtractor()
else:
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25, additionalInfo=False)
    extractor.disableAllFeatures()
    for family in ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
        extractor.enableFeatureClassByName(family)
names, rows = [str(n) for n in given["names"]], []
start = time.process_time()
if "pixels" in given:
    for j, i in given["pixels"]:
        window = np.zeros(given["labels"].shape, dtype=np.uint8)
        window[0, j - 2 : j + 3, i - 2 : i + 3] = 1
        labels = sitk.GetImageFromArray(window)
        labels.CopyInformation(image)
        found = extractor.execute(image, labels)
        rows.append([float(found["original_" + name]) for name in names])
else:
    for label in range(1, int(given["labels"].max()) + 1):
        found = extractor.execute(image, labels, label=label)
        rows.append([float(found["original_" + name]) for name in names])
seconds = time.process_time() - start
np.savez(sys.argv[2], seconds=seconds, values=np.array(rows))
"""


def lesion(millilitres: float, seed: int = 1) -> tuple[Image, Roi]:
    """A ball of two tissues with texture and noise in voxels of 2.5 x 0.8 x 0.8 mm."""
    spacing = (2.5, 0.8, 0.8)
    radius = (millilitres * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    k_size, j_size, i_size = (int(2 * radius / s) + 6 for s in spacing)
    shape = (k_size, j_size, i_size)
    rng = np.random.default_rng(seed)
    at = [(x - (n - 1) / 2) * s for x, n, s in zip(np.indices(shape), shape, spacing, strict=True)]
    texture = gaussian_filter(rng.normal(0, 1, shape), (1, 2, 2))
    values = 60 + 15 * texture / texture.std() + 40 * (at[2] > 0) + rng.normal(0, 8, shape)
    geometry = Geometry(shape, spacing)
    inside = sum(x**2 for x in at) < radius**2
    return Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(inside, geometry)


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def peer(python: str, **given: Any) -> tuple[float, np.ndarray]:
    """PyRadiomics' CPU time for all supervoxels, or all windows, one after the other; and its values."""
    with tempfile.TemporaryDirectory() as folder:
        script, sent, found = (Path(folder) / name for name in ("peer.py", "given.npz", "found.npz"))
        script.write_text(PEER, encoding="utf-8")
        np.savez(sent, names=np.array(NAMES), **given)
        subprocess.run(
            [python, script, sent, found], check=True, env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL
        )
        with np.load(found) as result:
            return float(result["seconds"]), result["values"]


def difference(own: np.ndarray, other: np.ndarray) -> str:
    """The largest, relative."""
    return f"{np.nanmax(np.abs(own - other) / np.maximum(np.abs(other), 1e-6)):.1e}"


def row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |")


def head(*names: str) -> None:
    row(*names)
    row(*["---:"] * len(names))


def supervoxels(python: str | None, volumes: list[float], repeats: int) -> None:
    """From the cut to the scores; PyRadiomics does every supervoxel."""
    own = ("ml", "supervoxels", "cut, s", "93 features, s", "iTED, 1000 resamples, s", "ITHscore, 100 resamples, s")
    head(*own, "PyRadiomics, s", "times faster", "largest difference")
    for volume in volumes:
        image, roi = lesion(volume)
        pieces = cut(image, roi)
        table = measure_supervoxels(pieces, patient="bench")
        calls: list[Callable[[], object]] = [
            partial(cut, image, roi),
            partial(ited, table),
            partial(ith3d, pieces, table),
        ]
        cutting, dispersing, scoring = (seconds(call, 2) for call in calls)
        taken = seconds(partial(measure_supervoxels, pieces), repeats)
        others = ("", "", "")
        if python:
            mask = {"labels": pieces.labels, "spacing": pieces.geometry.spacing_mm}
            theirs, values = peer(python, values=pieces.image.values, **mask)
            taken = (taken + seconds(partial(measure_supervoxels, pieces), repeats)) / 2
            others = (f"{theirs:.2f}", f"{theirs / taken:.0f}", difference(table.values, values))
        times = (f"{cutting:.3f}", f"{taken:.4f}", f"{dispersing:.2f}", f"{scoring:.2f}")
        row(f"{volume:g}", pieces.count, *times, *others)


def pixels(python: str | None, repeats: int, compared: int = 150) -> None:
    """The 5 x 5 windows of the largest slice of 30 ml; PyRadiomics does some, called as the published score calls it."""
    image, roi = lesion(30.0)
    k = largest_slice(roi.mask)
    values, mask, spacing = image.values[k], roi.mask[k], (1.0, 1.0, 1.0)
    call = partial(pixel_features, values, mask, spacing, Ith2dSettings(variant="compat"), whole=True)
    found = call()
    each = seconds(call, repeats) / len(found)
    others = ("", "", "")
    if python:
        chosen = np.linspace(0, len(found) - 1, compared).astype(int)
        given = {"labels": mask[None].astype(np.uint8), "spacing": spacing, "pixels": np.argwhere(mask)[chosen]}
        theirs, rows = peer(python, values=values[None], **given)
        each = (each + seconds(call, repeats) / len(found)) / 2
        others = (f"{theirs / compared * 1e6:.0f}", f"{theirs / compared / each:.0f}", difference(found[chosen], rows))
    print()
    own = ("pixels", "93 features, us a pixel", "score of K = 3 ... 9, s")
    head(*own, "PyRadiomics, us a pixel", "times faster", "largest difference")
    row(len(found), f"{each * 1e6:.1f}", f"{seconds(partial(ith2d, image, roi), 1):.2f}", *others)


def stable(folder: Path, patients: int, most_ml: float = 200.0) -> None:
    """How far partitions, and what is derived from them, come out again under perturbation: MR of soft-tissue sarcomas."""
    base = ited_columns(whole=False)
    plain = [f"{name}_sd" for name in base]
    scores = ["ith3d_coherence", "ith3d_fragment"]

    def derived(pieces: Supervoxels) -> dict[str, float]:
        table = measure_supervoxels(pieces, TextureSettings(bin_width=10))
        whole = ith3d(pieces, table, Ith3dSettings(most=4, starts=3, resamples=0, permutations=0)).values
        return {**ited(table, ItedSettings(resamples=0))[[*base, *plain]], **{name: whole[name] for name in scores}}

    found, volumes = [], []
    for patient in sorted(folder.glob("STS_*")):
        image = read_image(patient / "MR_T1_image.nii.gz")
        roi = read_roi(patient / "MR_T1_mask.nii.gz", image)
        if roi.volume_ml <= most_ml and len(found) < patients:
            volumes.append(roi.volume_ml)
            found.append(stability(image, roi, None, StabilitySettings(repeats=2), derived=derived))
    print(f"\n{len(found)} lesions of at most {most_ml:g} ml")
    head("perturbation", "adjusted Rand index", "variation of information, nats")
    for name in found[0].index[1:]:
        row(name, *(f"{np.mean([one.loc[name, what] for one in found]):.2f}" for what in ("ari", "vi")))
    reliable = derived_reliability(found)
    print()
    head(
        "derived",
        "median ICC(2,1)",
        "of them at least 0.75",
        "lower limit at least 0.75",
        "and |rho| < 0.9 with volume: core set",
    )
    for name, columns in (("iTED", base), ("plain SD", plain), *((score, [score]) for score in scores)):
        part = reliable.loc[columns]
        again = part.index[part["lower"] >= 0.75]
        undisturbed = pd.DataFrame([one.iloc[0] for one in found])[again].to_numpy(dtype=float)
        free = np.abs([correlation_test(column, volumes).statistic for column in undisturbed.T]) < 0.9
        row(name, f"{part['icc'].median():.2f}", (part["icc"] >= 0.75).sum(), len(again), int(free.sum()))


def structured(each: int) -> None:
    """Scores of synthetic lesions of known structure, 5 to 50 ml: medians, and Spearman's rho with the volume. Supervoxels of one size,
    layers of 8 mm; then as many supervoxels in every lesion, layers that grow with it."""
    cuts = {
        "supervoxels of 200 mm3, layers of 8 mm": SupervoxelSettings(volume_mm3=200),
        "120 supervoxels, layers of 0.55 radii": SupervoxelSettings(
            spacing_mm=(0.8, 0.8, 0.8), smoothing_mm=0.8, volume_mm3=1e6, least_supervoxels=120
        ),
    }
    for name, settings in cuts.items():
        rows, tables = [], []
        for seed, volume in enumerate(np.geomspace(5, 50, each), start=1000):
            radius = (3000 * volume / (4 * np.pi)) ** (1 / 3)
            fixed = settings.least_supervoxels == 120
            how = {"layer_mm": 0.55 * radius, "spacing_mm": (1.0, 0.8, 0.8)} if fixed else {"layer_mm": 8.0}
            for structure in STRUCTURES:
                lesion = make_structured_lesion(structure, float(volume), seed=seed, **how)
                pieces = cut(lesion.image, lesion.roi, settings)
                table = measure_supervoxels(pieces, TextureSettings(bin_width=10), patient=f"{structure}{seed}")
                quick = Ith3dSettings(most=4, starts=3, resamples=0, permutations=30)
                whole = ith3d(pieces, table, quick).values
                halves = ith3d(pieces, table, quick.model_copy(update={"clusters": 2})).values
                flat = ith2d(lesion.image, lesion.roi, Ith2dSettings(bin_width=10, starts=3))
                alone = ited(table, ItedSettings(resamples=0))
                rows.append(
                    {
                        "structure": structure,
                        "ml": lesion.roi.volume_ml,
                        "plain SD of Mean": alone["ited_firstorder_Mean_sd"],
                        "iTED of Mean": alone["ited_firstorder_Mean"],
                        "its k": alone["ited_firstorder_Mean_k"],
                        **{
                            key: whole[key]
                            for key in whole
                            if key.endswith(("_excess", "coherence", "fragment", "_clusters"))
                        },
                        **{
                            f"two clusters: {key}": halves[key]
                            for key in halves
                            if key.endswith(("_excess", "coherence", "fragment"))
                        },
                        "ith2d": flat.score,
                    }
                )
                tables.append(table)
        frame = pd.DataFrame(rows)
        cells = pd.DataFrame({SUPERVOXELS: pd.Series(tables, dtype=object)}).assign(none=0.0)
        scaled = Ited().fit(cells).transform(cells)[ited_columns(whole=False)]
        frame["93 iTED above 0"] = (scaled > 0).mean(axis=1)
        frame["habitat_border"] = Habitats(clusters=2).fit(cells).transform(cells)["habitat_border"]
        print(f"\n{name}, {len(frame)} lesions\n")
        head("", *STRUCTURES, "rho with volume")
        rho = frame.drop(columns="structure").corrwith(frame["ml"], method="spearman")
        middle = frame.groupby("structure").median()
        for column in middle.columns.drop("ml"):
            row(column, *(f"{middle.loc[one, column]:.2f}" for one in STRUCTURES), f"{rho[column]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument("--volumes", type=float, nargs="+", default=[5.0, 30.0], help="of the lesions, ml")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stability", type=Path, help="only this: the folder sts of the reference data")
    parser.add_argument("--structures", type=int, help="only this: so many synthetic lesions of each structure")
    parser.add_argument("--patients", type=int, default=9, help="for --stability")
    args = parser.parse_args()
    machine = platform.processor() or platform.machine()
    print(f"{datetime.date.today()}, {machine}, Python {platform.python_version()}\n")
    if args.stability:
        stable(args.stability, args.patients)
        return
    if args.structures:
        structured(args.structures)
        return
    supervoxels(args.pyradiomics, args.volumes, args.repeats)
    pixels(args.pyradiomics, args.repeats)


if __name__ == "__main__":
    main()
