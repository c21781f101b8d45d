"""`isthmus segment assess` and `isthmus segment readers`: how far masks agree, case by case and in all."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import CaseError, GeometryMismatchError, MaskError, PlanError, TableError, first_few
from isthmus.image.io import FORMATS, read_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.settings import Label
from isthmus.segment.assess import compare_masks, modification
from isthmus.segment.lesions import match_lesions
from isthmus.stats.agreement import icc
from isthmus.stats.seeds import child_seed
from isthmus.study.extract import without_ending
from isthmus.study.mask_features import feature_agreement, images_of
from isthmus.study.mask_tables import ALL, GRADES, agreement_limits, detection, groups_compared, modifications, summary
from isthmus.study.store import write_table
from isthmus.table.reading import read_frame

__all__ = ["GRADES", "AssessSettings", "Assessment", "assess_to_file", "readers_to_file"]

log = logging.getLogger("isthmus")


@dataclass(frozen=True, kw_only=True)
class AssessSettings:
    """How masks are compared.

    Parameters
    ----------
    label : int, optional
        The lesion's label; unset: the only one in each mask. Masks of several labels are never taken as one structure.
    tolerance_mm : float
        Of the surface Dice.
    least_iou : float
        From which on two separate lesions are the same.
    images : path, optional
        A folder of images of the masks' names: their features are measured in both masks.
    profile, settings
        Of those features.
    draws, seed : int
        Of the bootstrap over patients.
    workers : int
    """

    label: int | None = None
    tolerance_mm: float = 1.0
    least_iou: float = 0.1
    images: Path | None = None
    profile: str = "pyradiomics"
    settings: Sequence[str] = ()
    draws: int = 2000
    seed: int = 20240229
    workers: int = 0

    def __post_init__(self) -> None:
        if not self.tolerance_mm >= 0:
            raise PlanError(f"--tolerance {self.tolerance_mm:g}: millimetres, 0 or more")
        if not 0 <= self.least_iou <= 1:
            raise PlanError(f"--least-iou {self.least_iou:g}: from 0 to 1")


@dataclass(frozen=True)
class Assessment:
    """What an assessment found: its title, and its tables by name (`cases`: a row a case)."""

    title: str
    tables: Mapping[str, pd.DataFrame]


Draw = Callable[[Assessment, Path], Path]
"""What draws figures and page: `isthmus.report.masks.mask_page`; the report stands above this room."""


def assess_to_file(
    reference: Path,
    prediction: Path,
    out: Path,
    *,
    chosen: AssessSettings | None = None,
    cases: Path | None = None,
    draw: Draw | None = None,
) -> int:
    """Write `case, metric, value` of one pair of masks, or of the files of equal names in two folders; how many cases failed.

    Of folders also, beside `<out>.csv`: `<out>.summary.csv`, `.volume.csv` (limits of agreement), `.modification.csv`, `.detection.csv`,
    `.lesions.csv` (a row a lesion), `.groups.csv` and `.features.csv` where there are groups and images; with `draw`, figures and a page.

    `modification` is a grade: 0 none, 1 minor, 2 moderate, 3 major; `acceptable` is 1 where the Dice is at least 0.9.

    Parameters
    ----------
    reference, prediction : path
        Two mask files or two folders of them.
    out : path
    chosen : AssessSettings, optional
    cases : path, optional
        A table with `case`, and `patient`, `group`, `minutes` (of editing) where known; without it every case is a patient of its own.
    draw : callable, optional

    Raises
    ------
    PlanError
        One is a file and the other a folder, or no names are equal.
    CaseError
        The one pair asked for cannot be compared.
    TableError
        Every case failed.
    """
    chosen = chosen or AssessSettings()
    pairs, failed = _pairs(reference, prediction)
    rows: list[tuple[str, str, float]] = []
    lesions: list[dict[str, object]] = []
    masks: dict[str, dict[str, tuple[Path, Label]]] = {}
    for case, first, second in pairs:
        try:
            values, parts, labels = _compared(first, second, chosen)
        except CaseError as error:
            if reference.is_file():
                raise CaseError(error.reason, case=case) from error
            failed[case] = error.reason
            continue
        rows += [(case, metric, value) for metric, value in values.items()]
        lesions += [{"case": case, **part} for part in parts]
        masks[case] = {"reference": (first, labels[0]), "prediction": (second, labels[1])}
    for case, reason in failed.items():
        log.warning("case %s: %s", case, reason)
    if not rows:
        raise TableError(f"no case could be compared. The first: {next(iter(failed.values()))}")
    known = _facts(cases, list(masks))
    if "minutes" in known.columns:
        rows += [(str(case), "edit_minutes", float(value)) for case, value in known["minutes"].items()]
    long = pd.DataFrame(rows, columns=["case", "metric", "value"])
    write_table(out, long)
    if reference.is_file():
        return len(failed)
    wide = long.pivot(index="case", columns="metric", values="value")[list(dict.fromkeys(long["metric"]))]
    table = pd.concat([known.loc[wide.index, ["patient", "group"]], wide], axis=1).reset_index(names="case")
    tables = {"cases": table, **_tables(table, chosen), "lesions": pd.DataFrame(lesions)}
    _finish(out, Assessment(f"{prediction.name} against {reference.name}", tables), masks, chosen, draw)
    return len(failed)


def readers_to_file(
    folders: Sequence[Path],
    out: Path,
    *,
    chosen: AssessSettings | None = None,
    cases: Path | None = None,
    draw: Draw | None = None,
) -> int:
    """Agreement between readers: write `case, first, second, metric, value` of every two folders, on the cases that all have drawn; how
    many cases failed.

    Beside `<out>.csv`: `.summary.csv` by pair of readers, `.volume.csv` (limits of agreement), `.readers.csv` (the ICC(2,1) of the volume
    over all readers, the generalised conformity index of all masks), `.features.csv` with images.

    Raises
    ------
    PlanError
        Fewer than two folders, two of one name, or no case that all have.
    TableError
        Every case failed.
    """
    chosen = chosen or AssessSettings()
    named = _named(folders)
    files = {name: _files(folder) for name, folder in named.items()}
    every = list(dict.fromkeys(case for found in files.values() for case in found))
    failed = {
        case: f"no mask of this name of {first_few([name for name in files if case not in files[name]])}"
        for case in every
        if any(case not in found for found in files.values())
    }
    rows: list[tuple[str, str, str, str, float]] = []
    masks: dict[str, dict[str, tuple[Path, Label]]] = {}
    overlaps: list[tuple[float, float]] = []
    for case in every:
        if case in failed:
            continue
        try:
            mine = {name: read_labels(found[case]) for name, found in files.items()}
            pairs, labels, overlap = _all_pairs(mine, chosen)
        except CaseError as error:
            failed[case] = error.reason
            continue
        rows += [(case, *pair) for pair in pairs]
        overlaps.append(overlap)
        masks[case] = {name: (files[name][case], labels[name]) for name in files}
    for case, reason in failed.items():
        log.warning("case %s: %s", case, reason)
    if not rows:
        raise TableError(
            f"no case could be compared. The first: {next(iter(failed.values()), 'the folders are empty')}"
        )
    long = pd.DataFrame(rows, columns=["case", "first", "second", "metric", "value"])
    write_table(out, long)
    known = _facts(cases, list(masks))
    metrics = list(dict.fromkeys(long["metric"]))
    wide = long.pivot(index=["first", "second", "case"], columns="metric", values="value")[metrics].reset_index()
    table = wide.assign(
        group=wide["first"] + " / " + wide["second"], patient=known.loc[wide["case"], "patient"].to_numpy()
    )
    table = table[["case", "patient", "group", *metrics]]
    tables = {"cases": table, **_tables(table, chosen, of_readers=True)}
    tables["readers"] = _readers(long, list(named), overlaps)
    _finish(out, Assessment(f"Agreement of {len(named)} readers", tables), masks, chosen, draw)
    return len(failed)


def _tables(table: pd.DataFrame, chosen: AssessSettings, *, of_readers: bool = False) -> dict[str, pd.DataFrame]:
    """The tables in which cases come together."""
    draws, seed = chosen.draws, child_seed(chosen.seed, "assess")
    tables = {
        "summary": summary(table, draws=draws, seed=seed),
        "volume": agreement_limits(table, draws=draws, seed=seed),
    }
    if of_readers:
        # of all pairs together nothing is meant
        if table["group"].nunique() == 1:
            return {name: frame.assign(group=table["group"].iloc[0]) for name, frame in tables.items()}
        return {name: frame[frame["group"] != ALL] for name, frame in tables.items()}
    tables["modification"] = modifications(table, draws=draws, seed=seed)
    tables["detection"] = detection(table, draws=draws, seed=seed)
    sizes = table.groupby("group")["patient"].nunique()
    if len(sizes) > 1 and sizes.min() < 2:
        log.warning("group %s has one patient and is compared with no other", sizes.idxmin())
    compared = groups_compared(table, draws=draws, seed=seed)
    return {**tables, "groups": compared} if len(compared) else tables


def _finish(
    out: Path,
    found: Assessment,
    masks: Mapping[str, Mapping[str, tuple[Path, Label]]],
    chosen: AssessSettings,
    draw: Draw | None,
) -> None:
    """The tables beside the first, with the features of both masks where images are given; then the page."""
    tables = dict(found.tables)
    if chosen.images is not None:
        tables["features"] = feature_agreement(
            masks, images_of(chosen.images, list(masks)), profile=chosen.profile, settings=chosen.settings, workers=chosen.workers,
        )  # fmt: skip
    for name, frame in tables.items():
        if name != "cases":
            write_table(out.with_name(f"{out.stem}.{name}.csv"), frame)
    if draw is not None:
        draw(Assessment(found.title, tables), out)


def _facts(path: Path | None, cases: Sequence[str]) -> pd.DataFrame:
    """Patient and group of every case, and minutes where the table has them; index `case`."""
    plain = pd.DataFrame({"patient": list(cases), "group": ""}, index=pd.Index(cases, name="case"))
    if path is None:
        return plain
    frame = read_frame(path).frame
    if "case" not in frame.columns:
        raise TableError(f"--cases {path}: no column case; expected case, and patient, group, minutes where known")
    frame["case"] = frame["case"].astype(str)
    if frame["case"].duplicated().any():
        raise TableError(f"--cases {path}: {frame.loc[frame['case'].duplicated(), 'case'].iloc[0]} stands there twice")
    frame = frame.set_index("case")
    absent = [case for case in cases if case not in frame.index]
    if absent:
        raise TableError(f"--cases {path}: no row of {first_few(absent)}")
    frame = frame.loc[list(cases)]
    for name in ("patient", "group"):
        if name in frame.columns:
            plain[name] = frame[name].fillna("").astype(str).to_numpy()
    if "minutes" in frame.columns:
        plain["minutes"] = pd.to_numeric(frame["minutes"], errors="coerce").to_numpy()
    return plain


def _compared(
    reference: Path, prediction: Path, chosen: AssessSettings
) -> tuple[dict[str, float], list[dict[str, object]], tuple[int, int]]:
    """Every metric of a pair of files, its lesions, the labels that were taken."""
    first, second = read_labels(reference), read_labels(prediction)
    _check_grids(first, second)
    labels = _label(first, chosen.label), _label(second, chosen.label)
    a, b = first.values == labels[0], second.values == labels[1]
    spacing = first.geometry.spacing_mm
    found = compare_masks(a, b, spacing, tolerance_mm=chosen.tolerance_mm).to_dict()
    matched = match_lesions(a, b, spacing, least_iou=chosen.least_iou)
    grade = GRADES.index(modification(found["dice"]))
    values = {**found, "modification": float(grade), "acceptable": float(found["dice"] >= 0.9), **matched.to_dict()}
    lesions: list[dict[str, object]] = [{"lesion": n, **vars(one)} for n, one in enumerate(matched.lesions, 1)]
    return values, lesions, labels


def _all_pairs(
    mine: Mapping[str, LabelImage], chosen: AssessSettings
) -> tuple[list[tuple[str, str, str, float]], dict[str, Label], tuple[float, float]]:
    """Every metric of every two readers of one case, labels, and what the conformity index sums: intersections and unions of the pairs."""
    images = list(mine.values())
    for one in images[1:]:
        _check_grids(images[0], one)
    labels = {name: _label(one, chosen.label) for name, one in mine.items()}
    masks: dict[str, NDArray[np.bool_]] = {name: one.values == labels[name] for name, one in mine.items()}
    rows, shared, together = [], 0.0, 0.0
    for first, second in itertools.combinations(masks, 2):
        a, b = masks[first], masks[second]
        found = compare_masks(a, b, images[0].geometry.spacing_mm, tolerance_mm=chosen.tolerance_mm)
        rows += [(first, second, metric, value) for metric, value in found.to_dict().items()]
        shared, together = shared + float((a & b).sum()), together + float((a | b).sum())
    return rows, dict(labels), (shared, together)


def _readers(long: pd.DataFrame, names: Sequence[str], overlaps: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """The ICC(2,1) of the volume over all readers, and the mean generalised conformity index (Kouwenhoven et al., Phys Med Biol
    2009;54:2863): shared volume of all pairs over their joint volume."""
    volumes: dict[str, dict[str, float]] = {}
    for metric, who in (("volume_reference_ml", "first"), ("volume_ml", "second")):
        for case, name, value in long.loc[long["metric"] == metric, ["case", who, "value"]].itertuples(index=False):
            volumes.setdefault(case, {})[name] = value
    table = np.array([[found[name] for name in names] for found in volumes.values()])
    nan = float("nan")
    indexes = [shared / joint if joint else 1.0 for shared, joint in overlaps]
    rows = [{"measure": "generalised conformity index", "estimate": np.mean(indexes), "lower": nan, "upper": nan}]
    if len(table) >= 3:
        one = icc(table)
        rows.insert(
            0,
            {
                "measure": "ICC(2,1) of the volume",
                "estimate": one.estimate[0],
                "lower": one.lower[0],
                "upper": one.upper[0],
            },
        )
    return pd.DataFrame(rows).assign(readers=len(names), cases=len(table))


def _check_grids(first: LabelImage, second: LabelImage) -> None:
    difference = first.geometry.difference(second.geometry)
    if difference is not None:
        raise GeometryMismatchError(
            f"the masks lie on different grids: {difference} ({first.source}, {second.source}). Save both on the image's grid"
        )


def _label(labels: LabelImage, label: int | None) -> int:
    """The lesion's label: the one named, or the only one."""
    present = list(labels.labels()) if label is None else []
    if len(present) > 1:
        raise MaskError(
            f"{labels.source} holds the labels {first_few(map(str, present))}; say which is the lesion with --label"
        )
    return label if label is not None else present[0] if present else 1


def _pairs(reference: Path, prediction: Path) -> tuple[list[tuple[str, Path, Path]], dict[str, str]]:
    """Case, its two files; and the cases that only one folder has."""
    for path in (reference, prediction):
        if not path.exists():
            raise PlanError(f"{path}: no such file or folder")
    if reference.is_dir() != prediction.is_dir():
        raise PlanError(f"{reference} and {prediction}: give two mask files or two folders of mask files")
    if reference.is_file():
        return [(without_ending(prediction.name), reference, prediction)], {}
    first, second = _files(reference), _files(prediction)
    common = [case for case in first if case in second]
    if not common:
        raise PlanError(
            f"no mask file in {reference} ({first_few(first) or 'it holds none'}) has the name of one in {prediction} "
            f"({first_few(second) or 'it holds none'}). Files of one case need one name"
        )
    alone = {case: f"no mask of this name in {prediction}" for case in first if case not in second}
    alone |= {case: f"no mask of this name in {reference}" for case in second if case not in first}
    return [(case, first[case], second[case]) for case in common], alone


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Readers by their folders' names."""
    if len(folders) < 2:
        raise PlanError("agreement between readers needs at least two folders of masks")
    for folder in folders:
        if not folder.is_dir():
            raise PlanError(f"{folder}: a folder of mask files was expected")
    found = {folder.resolve().name: folder for folder in folders}
    if len(found) < len(folders):
        raise PlanError("two readers' folders have one name; the name is the reader's")
    return found


def _files(folder: Path) -> dict[str, Path]:
    return {without_ending(file.name): file for file in sorted(folder.iterdir()) if _is_mask(file)}


def _is_mask(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and any(file.name.lower().endswith(e) for e in FORMATS)
