"""`isthmus extract`: features of one case, or of every row of a case table, without a study around them."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from isthmus.errors import CaseError, PlanError, TableError, did_you_mean
from isthmus.features.settings import PREPARE_KEYS, REGION_KEYS
from isthmus.roi.perturb import PerturbSettings, perturbations
from isthmus.roi.settings import RegionSettings
from isthmus.settings import Section
from isthmus.settings.messages import setting_messages
from isthmus.study.compute import worker_count
from isthmus.study.data import case_files, label_of
from isthmus.study.extraction import Block, CaseFiles, Extraction, block_columns, extract_cases
from isthmus.study.notes import said_once
from isthmus.study.prepare import prepare_settings
from isthmus.study.store import make_folder
from isthmus.table import FeatureTable
from isthmus.table.paths import resolve_path

__all__ = [
    "exclusions_path",
    "extract_to_file",
    "files_given",
    "key_value",
    "part_key_value",
    "perturbation_names",
    "perturbed_files",
    "profile_settings",
    "without_ending",
]

log = logging.getLogger("isthmus")


def extract_to_file(
    out: Path,
    *,
    image: Path | None = None,
    mask: Path | None = None,
    cases: Path | None = None,
    label: str | None = None,
    profile: str = "pyradiomics",
    params: Path | None = None,
    settings: Sequence[str] = (),
    perturb: Sequence[str] = (),
    root: str | None = None,
    save_images: Path | None = None,
    workers: int = 0,
) -> int:
    """Write the features to `out` (.csv or .parquet) and the facts of the columns beside it; how many cases failed.

    `save_images` is a folder for image, masks and response maps as they were measured.

    Raises
    ------
    PlanError
        The arguments do not fit together, or the profile does not know a setting.
    CaseError
        The one case asked for cannot be processed.
    TableError
        Every case of the table failed.
    """
    if out.is_dir():
        raise PlanError(f"--out {out} is a folder; expected the name of a file that ends in .csv or .parquet")
    if out.suffix not in (".csv", ".parquet"):
        raise PlanError(f"--out {out}: expected a name that ends in .csv or .parquet")
    given = dict(key_value(text) for text in settings)
    preparation = prepare_settings({key: given.pop(key) for key in PREPARE_KEYS & given.keys()})
    region = _region({key: given.pop(key) for key in REGION_KEYS & given.keys()})
    resolved, named = profile_settings(profile, params, given)
    several = label is not None and (label == "all" or "," in label)
    label_value = named if label is None or several else label_of(label)
    files = files_given(image, mask, cases, root, mask_name="mask")
    files = _by_label(files, label) if label is not None and several else files
    files = perturbed_files(files, perturb)
    names = list(dict.fromkeys(name for case in files for name in case.images))
    blocks = [
        Block(
            name if cases is not None else "",
            name,
            name if cases is not None else "mask",
            profile,
            resolved,
            label_value,
            preparation,
            region,
        )
        for name in names
    ]
    make_folder(out.parent)
    if save_images is not None:
        make_folder(save_images, "--save-images")
    processes = min(worker_count(workers), len(files))
    extraction = extract_cases(files, blocks, workers=processes, say=cases is not None, images=save_images)
    if cases is None and len(extraction.exclusions):
        raise CaseError(extraction.exclusions["reason"].iloc[0], case=files[0].row)
    _write(out, files, blocks, extraction)
    if len(extraction.exclusions) == len(files):
        raise TableError(
            f"every case failed; the reasons are in {exclusions_path(out)}. The first: {extraction.exclusions['reason'].iloc[0]}"
        )
    return len(extraction.exclusions)


def _region(given: dict[str, Any]) -> RegionSettings:
    """The region that `--set` asks for; an organ needs a case table."""
    try:
        return RegionSettings.model_validate(given)
    except ValidationError as exc:
        raise PlanError(_said(exc, given, REGION_KEYS, "--set")) from exc


def _by_label(files: Sequence[CaseFiles], labels: str) -> list[CaseFiles]:
    """One row per label: those named (1,2,3+4), or every label of each mask (all)."""
    from isthmus.roi.read import labels_present

    rows = []
    for case in files:
        for name, mask in case.masks.items():
            try:
                wanted = (
                    labels_present(mask) if labels == "all" else [label_of(one.strip()) for one in labels.split(",")]
                )
            except CaseError as error:
                raise CaseError(error.reason, case=case.row) from error
            for label in wanted:
                written = "+".join(map(str, label)) if isinstance(label, tuple) else str(label)
                images = {n: path for n, path in case.images.items() if n == name or len(case.masks) == 1}
                rows.append(CaseFiles(f"{case.row}/{written}", case.patient, images, {name: mask}, {name: label}))
    return rows


def perturbed_files(files: Sequence[CaseFiles], texts: Sequence[str]) -> list[CaseFiles]:
    """Every row as it is, and once per perturbation."""
    if not texts:
        return list(files)
    given = dict(key_value(text) for text in texts)
    try:
        settings = PerturbSettings.model_validate(given)
    except ValidationError as exc:
        raise PlanError(_said(exc, given, PerturbSettings.model_fields, "--perturb")) from exc
    return [
        replace(case, row=f"{case.row}#{0 if how is None else how.number}", perturbation=how)
        for case in files
        for how in (None, *perturbations(settings))
    ]


def perturbation_names(files: Iterable[CaseFiles], rows: Iterable[str]) -> list[str]:
    """How each of some rows was perturbed, for a table."""
    named = {case.row: case.perturbation for case in files}
    return ["as drawn" if (how := named[row]) is None else how.name for row in rows]


def profile_settings(profile: str, params: Path | None, given: Mapping[str, Any]) -> tuple[Section, int | str | None]:
    """The profile's settings from a parameter file and `--set`, and the label the file names."""
    from isthmus.features import PROFILES, read_parameters

    if profile not in PROFILES:
        raise PlanError(f"--profile {profile!r} is not known.{did_you_mean(profile, PROFILES)}")
    if params is not None and profile != "pyradiomics":
        raise PlanError(
            f"--params {params} is a PyRadiomics parameter file; it goes with --profile pyradiomics, not {profile!r}. "
            "Say the settings of this profile with --set"
        )
    start = read_parameters(params).model_dump(exclude_unset=True) if params is not None else {}
    model = PROFILES[profile].Settings
    said = {**start, **given}
    try:
        resolved: Section = model.model_validate(said)
    except ValidationError as exc:
        known = {*model.model_fields, *PREPARE_KEYS, *REGION_KEYS}
        raise PlanError(_said(exc, said, known, f"--set (profile {profile}):")) from exc
    return resolved, getattr(resolved, "label", None)


def _said(error: ValidationError, given: Mapping[str, Any], known: Iterable[str], where: str) -> str:
    """What is wrong with settings of the command line."""
    return "\n".join(setting_messages(error, given, known_keys=lambda _: sorted(known), where=where))


def key_value(text: str) -> tuple[str, Any]:
    """Key and value of a `--set KEY=VALUE`; the value is read as TOML, or taken as text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise PlanError(f"--set {text!r}: expected KEY=VALUE, for example bin_width=0.25")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def part_key_value(text: str, parts: Iterable[str]) -> tuple[str, str, Any]:
    """Part, key and value of a `--set PART.KEY=VALUE`."""
    name, value = key_value(text)
    part, dot, key = name.partition(".")
    if not dot or part not in parts:
        raise PlanError(f"--set {text!r}: expected PART.KEY=VALUE with one of the parts {', '.join(parts)}")
    return part, key, value


def files_given(
    image: Path | None, mask: Path | None, cases: Path | None, root: str | None, *, mask_name: str
) -> list[CaseFiles]:
    """The files of `--image` and `--mask`, under the names `image` and `mask_name`, or of every row of `--cases`; relative paths of the
    table start at `root`, or where it lies."""
    if cases is not None:
        from isthmus.cohort.rows import read_case_rows

        if image is not None or mask is not None:
            raise PlanError("give either --image and --mask (one case) or --cases (many), not both")
        folder = resolve_path(root, Path.cwd()) if root is not None else None
        return case_files(read_case_rows(cases, root=folder))
    if image is None or mask is None:
        raise PlanError("one case needs --image and --mask; many need --cases cases.csv")
    stem = without_ending(image.resolve().name)
    return [CaseFiles(stem, stem, {"image": image}, {mask_name: mask})]


def without_ending(name: str) -> str:
    """The name of a file without the ending of its format; of a folder, its name."""
    from isthmus.image.io import FORMATS

    for ending in sorted((".dcm", *FORMATS), key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _write(out: Path, files: Sequence[CaseFiles], blocks: Sequence[Block], extraction: Extraction) -> None:
    """One row a case; with several images, their names stand in front of the columns."""
    several = len(blocks) > 1
    values, columns = [], []
    for block in blocks:
        names = {
            meta.column: f"{block.name}_{meta.column}" if several and block.name else meta.column
            for meta in block_columns(block)
        }
        values.append(extraction.tables[block.name].values.rename(columns=names))
        columns += [replace(meta, column=names[meta.column]) for meta in block_columns(block)]
    first = extraction.tables[blocks[0].name]
    rows = first.rows.copy()
    if any(case.row != case.patient for case in files):
        rows.insert(0, "row", rows.index)
    if any(case.perturbation for case in files):
        rows["perturbation"] = perturbation_names(files, rows.index)
    out.parent.mkdir(parents=True, exist_ok=True)
    FeatureTable(pd.concat(values, axis=1), rows, tuple(columns)).write(out)
    for said in said_once(extraction.notes, files):
        log.warning("%s: %s", said.cases, said.note)
    exclusions_path(out).unlink(missing_ok=True)  # those of an earlier call
    if len(extraction.exclusions):
        extraction.exclusions.to_csv(exclusions_path(out), index=False)
        log.warning("%d of %d cases failed; reasons: %s", len(extraction.exclusions), len(files), exclusions_path(out))


def exclusions_path(out: Path) -> Path:
    """Where the cases that failed are listed, beside a table."""
    return out.with_name(out.name.removesuffix(out.suffix) + ".exclusions.csv")
