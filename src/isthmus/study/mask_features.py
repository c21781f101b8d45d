"""What the difference of masks does to features: the same images measured in two or more masks each, and the ICC of every feature."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.errors import PlanError, TableError, first_few
from isthmus.roi.settings import Label
from isthmus.stats.agreement import icc, icc_class
from isthmus.study.compute import worker_count
from isthmus.study.extract import key_value, profile_settings, without_ending
from isthmus.study.extraction import Block, CaseFiles, extract_cases

__all__ = ["feature_agreement", "images_of"]

log = logging.getLogger("isthmus")

Masks = Mapping[str, Mapping[str, tuple[Path, Label]]]
"""Case -> who drew it -> the mask file and the lesion's label in it."""


def images_of(folder: Path, cases: Sequence[str]) -> dict[str, Path]:
    """The image file of each case, by name; folders of DICOM slices count.

    Raises
    ------
    PlanError
        There is no such folder, or no image of any case.
    """
    if not folder.is_dir():
        raise PlanError(f"--images {folder}: a folder with an image for each case, of the masks' names, was expected")
    found = {without_ending(path.name): path for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    known = {case: found[case] for case in cases if case in found}
    if not known:
        raise PlanError(
            f"--images {folder}: no image has the name of a case ({first_few(cases)}); it holds {first_few(found) or 'nothing'}"
        )
    for case in cases:
        if case not in known:
            log.warning("case %s: no image of this name in %s; its features are not compared", case, folder)
    return known


def feature_agreement(
    masks: Masks,
    images: Mapping[str, Path],
    *,
    profile: str = "pyradiomics",
    settings: Sequence[str] = (),
    workers: int = 0,
) -> pd.DataFrame:
    """ICC(2,1) of every feature over who drew the mask, on the cases that all have drawn.

    Returns
    -------
    DataFrame
        `feature`, `family`, `n`, `raters`, `icc`, `lower`, `upper`, `class` (Koo and Li, of the lower limit), and `shift`: the mean
        difference of the last rater from the first, in standard deviations of the first.

    Raises
    ------
    PlanError
        An unknown profile or setting.
    TableError
        Fewer than three cases could be measured in all masks.
    """
    resolved, _ = profile_settings(profile, None, dict(key_value(text) for text in settings))
    raters = list(dict.fromkeys(name for drawn in masks.values() for name in drawn))
    files = [
        CaseFiles(f"{case}#{rater}", case, {"image": images[case]}, {"mask": path}, {"mask": label})
        for case, drawn in masks.items()
        if case in images and len(drawn) == len(raters)
        for rater, (path, label) in drawn.items()
    ]
    block = Block("", "image", "mask", profile, resolved)
    found = extract_cases(files, [block], workers=min(worker_count(workers), max(len(files), 1)), say=False)
    for row, reason in zip(found.exclusions["row"], found.exclusions["reason"], strict=True):
        log.warning("features of %s: %s", row, reason)
    table = found.tables.get("")
    measured = [] if table is None else list(table.values.index)
    cases = [case for case in masks if all(f"{case}#{rater}" in measured for rater in raters)]
    if table is None or len(cases) < 3:
        raise TableError(
            f"features can be compared where at least 3 cases are measured in all masks; there are {len(cases)}"
        )
    values = table.values.to_numpy(np.float64)
    place = {row: n for n, row in enumerate(measured)}
    cube = np.array([[values[place[f"{case}#{rater}"]] for rater in raters] for case in cases])
    complete = np.isfinite(cube).all(axis=(0, 1))
    columns = table.values.columns
    family = {meta.column: meta.family for meta in table.columns}
    judged = icc(cube[:, :, complete])
    spread = cube[:, 0, complete].std(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = (cube[:, -1, complete] - cube[:, 0, complete]).mean(axis=0) / spread
    names = columns[complete]
    frame = pd.DataFrame(
        {
            "feature": names, "family": [family[str(name)] for name in names], "n": len(cases), "raters": len(raters),
            "icc": judged.estimate, "lower": judged.lower, "upper": judged.upper, "class": [icc_class(float(low)) for low in judged.lower],
            "shift": shift,
        }
    )  # fmt: skip
    for name in columns[~complete]:
        log.warning("feature %s is undefined in at least one mask and not compared", name)
    return frame
