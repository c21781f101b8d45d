"""`isthmus pathology`: tissue, tiles and nuclei of one slide or of a table of them; tile by tile, resumed where it stopped."""

from __future__ import annotations

import json
import logging
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from isthmus.errors import CaseError, ImageReadError, OutputError, PlanError, TableError, did_you_mean, first_few
from isthmus.pathology.annotation import Outline, chosen, read_outlines
from isthmus.pathology.hovernet import load_hovernet
from isthmus.pathology.nuclei import SlideFacts, learn_slide, nuclei_of_tile, segment_tile
from isthmus.pathology.overlay import densest, outlined, whole
from isthmus.pathology.settings import PathologySettings
from isthmus.pathology.slide import Slide, open_slide
from isthmus.pathology.stain import Pixels
from isthmus.pathology.summary import summarise, summarise_patient
from isthmus.pathology.tiles import Tile, tiles_of, tissue_of
from isthmus.pathology.tissue import Tissue
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.compute import Died, Progress, parallel, worker_count
from isthmus.study.extract import key_value
from isthmus.study.store import digest, file_name, hash_path, make_folder, write_bytes, write_table
from isthmus.table.reading import read_frame

__all__ = [
    "MUCH_SPOILED",
    "SlideRow",
    "each_slide",
    "features_to_folder",
    "nuclei_to_folder",
    "opened",
    "pathology_settings",
    "slides_given",
    "tiles_to_folder",
    "write_facts",
    "write_picture",
    "write_row",
    "write_summaries",
]

log = logging.getLogger("isthmus")

_FIELD_UM = 256.0
MUCH_SPOILED = 0.1
"""A share of the tissue under folds, bubbles and ink from which on a warning is given."""

_OTHER_MPP = 0.05
_PARTS = "parts"
_COLUMNS = ("patient", "slide", "mpp", "annotation", "classes", "nuclei", "centre")


@dataclass(frozen=True)
class SlideRow:
    """One slide of a table: whose it is, its file, and what the file does not say."""

    patient: str
    path: Path
    mpp: float | None = None
    annotation: Path | None = None
    classes: tuple[str, ...] = ()
    nuclei: Path | None = None  # of another program
    centre: str = ""

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.path.stem


def pathology_settings(params: Path | None = None, settings: Sequence[str] = ()) -> PathologySettings:
    """From a TOML file with `[pathology]`, and `KEY=VALUE`, `tissue.KEY=VALUE`, `nuclei.KEY=VALUE` over it.

    Raises
    ------
    PlanError
        A key is unknown or a value of the wrong kind.
    """
    document: dict[str, Any] = {}
    if params is not None:
        try:
            document = tomllib.loads(params.read_text(encoding="utf-8")).get("pathology", {})
        except (tomllib.TOMLDecodeError, OSError) as exc:
            raise PlanError(f"{params}: {exc}") from exc
    for text in settings:
        key, value = key_value(text)
        *part, last = key.split(".")
        place = document
        for name in part:
            place = place.setdefault(name, {})
        place[last] = value
    try:
        return PathologySettings.model_validate(document)
    except ValidationError as exc:
        known = partial(keys_of, PathologySettings)
        raise PlanError("\n".join(setting_messages(exc, document, known_keys=known, where="pathology:"))) from exc


def slides_given(
    slide: Path | None,
    slides: Path | None,
    *,
    mpp: float | None = None,
    annotation: Path | None = None,
    classes: Sequence[str] = (),
) -> list[SlideRow]:
    """The slides of the arguments: one, or those of a table with `patient, slide` and optionally `mpp, annotation, classes, nuclei,
    centre`.

    Raises
    ------
    PlanError, TableError
        Neither or both are given; the table lacks a column, or two slides share a name.
    """
    if (slide is None) == (slides is None):
        raise PlanError("give either --slide (one) or --slides (a table with the columns patient, slide)")
    if slide is not None:
        return [SlideRow(slide.stem, slide, mpp, annotation, tuple(classes))]
    assert slides is not None
    table = read_frame(slides).frame.fillna("")
    for name in table.columns:
        if name not in _COLUMNS:
            raise TableError(f"{slides}: unknown column {name!r}.{did_you_mean(name, _COLUMNS)}")
    for name in ("patient", "slide"):
        if name not in table.columns:
            raise TableError(
                f"{slides}: the column {name!r} is missing; expected patient, slide[, mpp, annotation, classes, nuclei, centre]"
            )
    rows = [_row(slides, dict(record), mpp, annotation, tuple(classes)) for record in table.to_dict("records")]
    names = pd.Series([row.name for row in rows])
    if not rows or names.duplicated().any():
        raise TableError(
            f"{slides}: no slide"
            if not rows
            else f"{slides}: several slides named {first_few(names[names.duplicated()])}"
        )
    return rows


def _row(
    table: Path, record: dict[Any, Any], mpp: float | None, annotation: Path | None, classes: tuple[str, ...]
) -> SlideRow:
    def path(text: str) -> Path:
        return Path(text) if Path(text).is_absolute() else table.parent / text

    try:
        own = float(record["mpp"]) if record.get("mpp") else mpp
    except ValueError as exc:
        raise TableError(f"{table}: slide {record['slide']}: mpp is {record['mpp']!r}; expected a number") from exc
    drawn = path(record["annotation"]) if record.get("annotation") else annotation
    names = tuple(name.strip() for name in record.get("classes", "").split(";") if name.strip()) or classes
    nuclei = path(record["nuclei"]) if record.get("nuclei") else None
    return SlideRow(record["patient"], path(record["slide"]), own, drawn, names, nuclei, record.get("centre", ""))


def tiles_to_folder(out: Path, rows: Sequence[SlideRow], settings: PathologySettings) -> int:
    """Tissue and tiles of every slide: `<slide>/tiles.csv` and `<slide>/tissue.png`; how many slides failed."""

    def one(row: SlideRow, folder: Path) -> None:
        slide, tissue, picture, _ = opened(row, settings)
        tiles = tiles_of(slide, tissue, settings.mpp, settings.tile)
        write_table(folder / "tiles.csv", pd.DataFrame([asdict(tile) for tile in tiles], columns=_tile_columns()))
        write_picture(folder / "tissue.png", whole(picture, tissue, pd.DataFrame({"x_um": [], "y_um": []})))
        area = tissue.mask.sum() * tissue.mpp**2 / 1e6
        log.info(
            "%s: %.3g mm2 of tissue in %d pieces, %d tiles; %.0f %% of the tissue left out as artefacts", row.name, area, tissue.pieces,
            len(tiles), 100 * tissue.artefact_share,
        )  # fmt: skip

    return each_slide(out, rows, one)


def nuclei_to_folder(
    out: Path, rows: Sequence[SlideRow], settings: PathologySettings, *, workers: int = 0, resume: bool = False
) -> int:
    """Nuclei of every slide, then one row a slide and a patient; how many slides failed.

    A single slide is written to `out`, those of a table to `out/<slide>`: `nuclei.parquet`, `tiles.csv`, `facts.json`, `overlay.png` (the
    slide), `field.png` (its densest field with every outline), `summary.csv`. A table also gives `out/summary.csv`, `out/patients.csv` and,
    where slides failed, `out/failed.csv`.

    Raises
    ------
    CaseError
        The one slide asked for fails.
    TableError
        Every slide of the table fails.
    """
    found: dict[str, dict[str, float]] = {}

    def one(row: SlideRow, folder: Path) -> None:
        found[row.name] = _nuclei(row, folder, settings, worker_count(workers), resume)

    failed = each_slide(out, rows, one)
    write_summaries(out, [row for row in rows if row.name in found], found)
    return failed


def features_to_folder(out: Path, source: Path, rows: Sequence[SlideRow], settings: PathologySettings) -> int:
    """Summaries again from the `nuclei.parquet` of an earlier run (`source`), which may have been edited or classified; how many failed."""
    found: dict[str, dict[str, float]] = {}

    def one(row: SlideRow, folder: Path) -> None:
        alone = source / "nuclei.parquet"
        file = alone if len(rows) == 1 and alone.is_file() else source / file_name(row.name) / "nuclei.parquet"
        if not file.is_file():
            raise ImageReadError(f"{file}: there is no such file; isthmus pathology nuclei writes it")
        _, tissue, _, _ = opened(row, settings)
        found[row.name] = summarise(pd.read_parquet(file), tissue)
        if len(rows) > 1:
            write_row(folder / "summary.csv", row, found[row.name])

    failed = each_slide(out, rows, one)
    write_summaries(out, [row for row in rows if row.name in found], found)
    return failed


# ---------------------------------------------------------------------- one slide


def _nuclei(row: SlideRow, folder: Path, settings: PathologySettings, workers: int, resume: bool) -> dict[str, float]:
    parts = folder / _PARTS
    network = (
        None if settings.hovernet is None or settings.segmenter != "hovernet" else load_hovernet(settings.hovernet)
    )
    weights = None if network is None else network.record
    mark = digest(
        settings.model_dump_json(),
        json.dumps(weights),
        hash_path(row.path),
        row.mpp,
        row.classes,
        _annotation_hash(row),
    )
    if resume and _finished(folder, mark):
        log.info("%s: done already", row.name)
        table = pd.read_csv(folder / "summary.csv")
        return {str(key): float(value) for key, value in table.drop(columns=["patient", "slide"]).iloc[0].items()}
    (folder / "facts.json").unlink(missing_ok=True)
    slide, tissue, picture, outlines = opened(row, settings)
    tiles = tiles_of(slide, tissue, settings.mpp, settings.tile)
    facts = learn_slide(slide, tissue, settings)
    if not (resume and (parts / "mark").is_file() and (parts / "mark").read_text() == mark):
        shutil.rmtree(parts, ignore_errors=True)
        make_folder(parts)
        write_bytes(parts / "mark", mark.encode())
    failed = _segment(row, tissue, tiles, facts, settings, outlines, parts, workers)
    state = pd.DataFrame([asdict(tile) for tile in tiles], columns=_tile_columns())
    state["blurred"] = [_blurred(parts, tile) for tile in tiles]
    state["state"] = ["failed" if number in failed else "done" for number in state["number"]]
    state["reason"] = [failed.get(n, "") for n in state["number"]]
    write_table(folder / "tiles.csv", state)
    if len(failed) > settings.most_failed * len(tiles):
        raise CaseError(
            f"{len(failed)} of {len(tiles)} tiles failed (at most {settings.most_failed:.0%} may), listed in {folder / 'tiles.csv'}. "
            f"The first: {next(iter(failed.values()))}"
        )
    nuclei = _gather(row, [tile for tile in tiles if tile.number not in failed], parts)
    nuclei.to_parquet(folder / "nuclei.parquet", index=False)
    write_picture(folder / "overlay.png", whole(picture, tissue, nuclei))
    write_picture(folder / "field.png", _field(slide, nuclei, facts, settings))
    found = summarise(nuclei, tissue)
    write_row(folder / "summary.csv", row, found)
    write_facts(
        folder / "facts.json", row, slide, tissue, facts, settings, weights, mark=mark
    )  # the last: it says that all is there
    shutil.rmtree(parts)
    log.info(
        "%s: %d nuclei on %.3g mm2 of tissue, %d left out as blurred", row.name, len(nuclei), found["tissue_mm2"], state["blurred"].sum()
    )  # fmt: skip
    return found


def _finished(folder: Path, mark: str) -> bool:
    """Was this very slide measured into the folder, with these settings, to the end?"""
    try:
        said = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = ("nuclei.parquet", "summary.csv", "tiles.csv", "overlay.png", "field.png")
    return said.get("mark") == mark and all((folder / file).is_file() for file in files)


def opened(row: SlideRow, settings: PathologySettings) -> tuple[Slide, Tissue, Pixels, list[Outline] | None]:
    """Slide, tissue (inside the annotations), the picture it was found in, and the outlines."""
    slide = open_slide(row.path, mpp=row.mpp)
    if slide.said is not None and abs(slide.mpp / slide.said - 1) > _OTHER_MPP:
        log.warning(
            "slide %s says %g um a pixel, but %g are given and taken: every length and area follows", row.name, slide.said, slide.mpp
        )  # fmt: skip
    outlines = None if row.annotation is None else _drawn(row, row.annotation, slide)
    tissue, picture = tissue_of(slide, settings.tissue, outlines)
    if not tissue.mask.any():
        where = "" if row.annotation is None else f" inside the outlines of {row.annotation.name}"
        lost = "; all there is looks like a fold, a bubble or ink (tissue.artefacts=false keeps it)"
        raise ImageReadError(f"{row.path}: no tissue found{where}{lost if tissue.artefact_share else ''}")
    if tissue.artefact_share > MUCH_SPOILED:
        log.warning(
            "slide %s: %.0f %% of its tissue are left out as folds, bubbles or ink; look at its picture (orange), "
            "or keep them with tissue.artefacts=false", row.name, 100 * tissue.artefact_share,
        )  # fmt: skip
    return slide, tissue, picture, outlines


def _drawn(row: SlideRow, annotation: Path, slide: Slide) -> list[Outline]:
    """The outlines asked for; refused where they cannot be of this slide, which a few pixels beyond its edge do not say."""
    outlines = chosen(read_outlines(annotation), list(row.classes))
    corners = np.concatenate([outline.ring for outline in outlines])
    rows, columns = slide.size
    low, high = corners.min(axis=0), corners.max(axis=0)
    edge = 0.01 * max(rows, columns)
    if (low < -edge).any() or (high > np.array([columns, rows]) + edge).any():
        raise ImageReadError(
            f"{annotation}: its outlines reach from ({low[0]:.0f}, {low[1]:.0f}) to ({high[0]:.0f}, {high[1]:.0f}), but {row.path.name} "
            f"has {columns} x {rows} pixels; are they of this slide, in pixels of level 0?"
        )
    return outlines


@dataclass(frozen=True, eq=False)
class _Task:
    row: SlideRow
    tissue: Tissue
    tile: Tile
    facts: SlideFacts
    settings: PathologySettings
    outlines: list[Outline] | None
    parts: Path


@lru_cache(maxsize=1)
def _opened(path: Path, mpp: float | None) -> Slide:
    """A worker opens a slide once."""
    return open_slide(path, mpp=mpp)


def _work(task: _Task) -> str | None:
    """Write a tile's nuclei; the reason where it fails."""
    try:
        slide = _opened(task.row.path, task.row.mpp)
        found = nuclei_of_tile(slide, task.tissue, task.tile, task.facts, task.settings, task.outlines)
        blurred = found.attrs.pop("blurred")
        part = _part(task.parts, task.tile)
        write_bytes(part.with_suffix(".blurred"), str(blurred).encode())
        write_bytes(part, found.to_parquet(None, index=False))
    except OutputError:
        raise  # a full disk is no fault of the tile
    except (CaseError, OSError, MemoryError) as exc:
        return str(exc) or type(exc).__name__
    return None


def _segment(
    row: SlideRow,
    tissue: Tissue,
    tiles: Sequence[Tile],
    facts: SlideFacts,
    settings: PathologySettings,
    outlines: list[Outline] | None,
    parts: Path,
    workers: int,
) -> dict[int, str]:
    """Do the tiles that are not done yet; reasons of those that failed."""
    todo = [tile for tile in tiles if not _part(parts, tile).is_file()]
    if len(todo) < len(tiles):
        log.info("%s: %d of %d tiles are done already", row.name, len(tiles) - len(todo), len(tiles))
    failed: dict[int, str] = {}
    with Progress(f"tiles of {row.name}", len(todo)) as progress:

        def done(position: int, value: str | Died | None) -> None:
            if value is not None:
                failed[todo[position].number] = value.reason if isinstance(value, Died) else value
            progress.step()

        tasks = [_Task(row, tissue, tile, facts, settings, outlines, parts) for tile in todo]
        # a network keeps all processors, or the one GPU, busy by itself
        alone = settings.segmenter == "hovernet"
        parallel(_work, tasks, workers=1 if alone else min(workers, max(1, len(tasks))), done=done)
    return dict(sorted(failed.items()))


def _part(parts: Path, tile: Tile) -> Path:
    return parts / f"{tile.number:06d}.parquet"


def _blurred(parts: Path, tile: Tile) -> int:
    file = _part(parts, tile).with_suffix(".blurred")
    return int(file.read_text()) if file.is_file() else 0


def _gather(row: SlideRow, tiles: Sequence[Tile], parts: Path) -> pd.DataFrame:
    """The nuclei of all tiles in the order of their places, whatever the tiles were."""
    each = [pd.read_parquet(_part(parts, tile)) for tile in tiles]
    nuclei = pd.concat(each, ignore_index=True)
    nuclei = nuclei.sort_values(["y_um", "x_um"], kind="stable", ignore_index=True)
    nuclei.insert(0, "slide", row.name)
    nuclei.insert(1, "nucleus", np.arange(1, len(nuclei) + 1))
    return nuclei


def _field(slide: Slide, nuclei: pd.DataFrame, facts: SlideFacts, settings: PathologySettings) -> Pixels:
    rows, columns = slide.shape(settings.mpp)
    top, left = (int(um / facts.mpp) for um in densest(nuclei, _FIELD_UM, (rows * facts.mpp, columns * facts.mpp)))
    side = int(_FIELD_UM / facts.mpp)
    tile = Tile(0, top, left, min(side, rows - top), min(side, columns - left), 1.0)
    found = segment_tile(slide, tile, facts, settings)
    y, x = tile.top - found.top, tile.left - found.left
    own = np.s_[y : y + tile.rows, x : x + tile.columns]
    return np.asarray(np.repeat(np.repeat(outlined(found.rgb, found.labels)[own], 2, axis=0), 2, axis=1))


# ---------------------------------------------------------------------- files


def each_slide(out: Path, rows: Sequence[SlideRow], one: Any) -> int:
    """Do every slide; one that fails is listed in `failed.csv`, the others go on."""
    make_folder(out)
    failed: dict[str, str] = {}
    for row in rows:
        folder = out if len(rows) == 1 else out / file_name(row.name)
        make_folder(folder)
        try:
            one(row, folder)
        except CaseError as exc:
            if len(rows) == 1:
                raise
            log.warning("slide %s: %s", row.name, exc.reason)
            failed[row.name] = exc.reason
    (out / "failed.csv").unlink(missing_ok=True)
    if failed:
        patients = {row.name: row.patient for row in rows}
        listed = [{"patient": patients[name], "slide": name, "reason": reason} for name, reason in failed.items()]
        write_table(out / "failed.csv", pd.DataFrame(listed))
    if len(failed) == len(rows):
        raise TableError(
            f"every slide failed; the reasons are in {out / 'failed.csv'}. The first: {next(iter(failed.values()))}"
        )
    return len(failed)


def write_summaries(out: Path, rows: Sequence[SlideRow], found: dict[str, dict[str, float]]) -> None:
    """`summary.csv`, a row a slide, and `patients.csv`, a row a patient."""
    table = pd.DataFrame([{"patient": row.patient, "slide": row.name} | found[row.name] for row in rows])
    write_table(out / "summary.csv", table)
    patients = []
    for patient, part in table.groupby("patient", sort=False):
        values = part.drop(columns=["patient", "slide"])
        patients.append({"patient": patient, "slides": len(part)} | summarise_patient(values))
    write_table(out / "patients.csv", pd.DataFrame(patients))


def write_row(path: Path, row: SlideRow, found: dict[str, float]) -> None:
    """The summary of one slide."""
    write_table(path, pd.DataFrame([{"patient": row.patient, "slide": row.name} | found]))


def write_facts(
    path: Path,
    row: SlideRow,
    slide: Slide,
    tissue: Tissue,
    facts: SlideFacts,
    settings: PathologySettings,
    weights: dict[str, Any] | None = None,
    *,
    mark: str = "",
) -> None:
    """`facts.json`: what was estimated for the slide, every setting, hashes of the slide and of the weights; `mark`, of all of it."""
    from isthmus import __version__

    said = {
        "isthmus": __version__,
        "slide": row.path.name,
        "sha256": hash_path(row.path),
        "mpp": slide.mpp,
        "mpp_given": row.mpp is not None,
        "working_mpp": facts.mpp,
        "size": list(slide.size),
        "pieces": tissue.pieces,
        "artefact_share": tissue.artefact_share,
        "annotation": None if row.annotation is None else row.annotation.name,
        "classes": list(row.classes),
        "calibration": asdict(facts.calibration),
        "stains": {"vectors": facts.stains.vectors.tolist(), "strongest": facts.stains.strongest.tolist()},
        "weights": weights,
        "settings": settings.model_dump(mode="json"),
        "mark": mark,
    }
    write_bytes(path, (json.dumps(said, indent=1) + "\n").encode())


def _annotation_hash(row: SlideRow) -> str:
    return "" if row.annotation is None else hash_path(row.annotation)


def write_picture(path: Path, pixels: Pixels) -> None:
    """A PNG."""
    from PIL import Image

    Image.fromarray(pixels).save(path)


def _tile_columns() -> list[str]:
    return list(Tile.__dataclass_fields__)
