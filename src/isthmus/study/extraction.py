"""Images become feature blocks, case by case: in parallel, resumable, and one bad case never stops the others."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from isthmus.deep import Crops, DeepSettings
from isthmus.errors import CaseError, IsthmusWarning, MaskError, OutputError
from isthmus.features.measured import GreyLevels
from isthmus.features.settings import BlockKind
from isthmus.habitat.measure import SupervoxelTable
from isthmus.habitat.settings import HabitatSection
from isthmus.image.prepare.settings import PrepareSettings
from isthmus.roi.disturb import Disturbance
from isthmus.roi.perturb import Perturbation
from isthmus.roi.settings import Label, RegionSettings
from isthmus.settings import Section
from isthmus.study.compute import Died, Progress, parallel
from isthmus.study.deep_blocks import (
    CROP_COLUMNS,
    crops_from_json,
    crops_to_json,
    deep_columns,
    deep_values,
    encoder_of,
)
from isthmus.study.habitat_blocks import PARTS
from isthmus.study.pictures import lesion_picture, picture_blocks
from isthmus.study.store import RunFolder, digest, file_name, hash_bytes, hash_path
from isthmus.table import ColumnMeta, FeatureTable

if TYPE_CHECKING:
    from isthmus.image import Image
    from isthmus.roi import Roi
    from isthmus.study.preparation import Prepared

__all__ = ["QUALITY_COLUMNS", "Block", "CaseFiles", "Extraction", "extract_cases", "image_and_region"]

log = logging.getLogger("isthmus")

QUALITY_COLUMNS = ["row", "patient", "block", "check", "value", "unit", "limit", "passed"]


@dataclass(frozen=True)
class Block:
    """One feature block to extract: which image and mask, what kind, by which profile and settings."""

    name: str
    image: str
    mask: str
    profile: str
    settings: Section
    label: Label = None
    preparation: PrepareSettings = field(default_factory=PrepareSettings)
    region: RegionSettings = field(default_factory=RegionSettings)
    disturbance: Disturbance | None = None
    kind: BlockKind = "radiomics"

    @property
    def voxels(self) -> tuple[object, ...]:
        """Blocks that are alike in this measure the same voxels of a case, prepared alike."""
        settled = (self.preparation.model_dump_json(), self.region.model_dump_json())
        return (self.image, self.mask, self.label, *settled)

    @property
    def of_supervoxels(self) -> bool:
        return self.kind in ("ited", "ithscore", "habitat")

    @property
    def trained(self) -> bool:
        """Is its network trained inside the folds, so that crops are kept and not features?"""
        return isinstance(self.settings, DeepSettings) and self.settings.train is not None


@dataclass(frozen=True)
class CaseFiles:
    """The files of one row of the case table: image and mask paths by name, and labels where the table gives them."""

    row: str
    patient: str
    images: dict[str, Path]
    masks: dict[str, Path]
    labels: dict[str, Label] = field(default_factory=dict)
    perturbation: Perturbation | None = None


@dataclass(frozen=True)
class Extraction:
    """What came out: a table per block, and a reason for every case that has none. `objects`: of blocks whose steps read
    objects, the supervoxels or crops of each row; None where there are none."""

    tables: dict[str, FeatureTable]
    volumes: dict[str, pd.Series[Any]]
    exclusions: pd.DataFrame
    notes: pd.DataFrame
    acquisition: pd.DataFrame
    quality: pd.DataFrame
    grey_levels: pd.DataFrame
    hashes: dict[str, str]
    pictures: tuple[dict[str, Any], ...] = ()
    objects: dict[str, pd.Series[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Task:
    case: CaseFiles
    blocks: tuple[Block, ...]
    folder: Path | None
    version: str
    quality: bool
    grey_levels: bool
    images: Path | None
    pictures: tuple[str, ...] = ()


def extract_cases(
    cases: Sequence[CaseFiles],
    blocks: Sequence[Block],
    *,
    workers: int,
    store: RunFolder | None = None,
    scheduler: str | None = None,
    say: bool = True,
    quality: bool = False,
    grey_levels: bool = False,
    images: Path | None = None,
    pictures: Collection[str] = (),
) -> Extraction:
    """Extract every block of every case.

    With a `store`, finished cases are kept there under the content of their files and settings, and taken from there next time.
    Without `say`, the caller tells the user of the cases that failed. With `quality`, every image is judged (a tenth of a second each).
    With `grey_levels`, those of the unfiltered images are counted; into the folder `images` go image, masks and response maps as they
    were measured. What a store remembers has neither. `pictures` names the rows of which a small picture of the lesion is kept.
    """
    from isthmus import __version__

    for block in blocks:
        if isinstance(block.settings, DeepSettings) and not block.trained:
            encoder_of(block.settings)  # wrong weights stop everything, before the first image is read
    folder = store.path if store else None
    shown = picture_blocks(blocks)
    tasks = [
        _Task(
            case,
            tuple(blocks),
            folder,
            __version__,
            quality,
            grey_levels,
            images,
            shown if case.row in pictures else (),
        )
        for case in cases
    ]
    outcomes: list[dict[str, Any]] = [{} for _ in tasks]
    with Progress("features", len(tasks)) as progress:

        def done(position: int, value: dict[str, Any] | Died) -> None:
            if isinstance(value, Died):
                value = {"error": {"step": "features", "reason": Died.reason}}
            outcomes[position] = value
            if say and "error" in value:
                case = tasks[position].case
                log.warning("case %s: %s", _name(case), value["error"]["reason"])
            progress.step()

        parallel(_extract_case, tasks, workers=workers, done=done, scheduler=scheduler)
    return _collect(cases, blocks, outcomes)


def _name(case: CaseFiles) -> str:
    return case.patient if case.row == case.patient else f"{case.patient} (row {case.row})"


# ---------------------------------------------------------------------- one case, in a worker


def _extract_case(task: _Task) -> dict[str, Any]:
    """All blocks of one case, or the reason why not, as plain values that JSON can hold."""
    found: dict[str, Any] = {"blocks": {}, "hashes": {}, "acquisition": {}, "pictures": {}, "supervoxels": {}, "of": {}}
    contents: dict[Path, bytes] = {}  # each file is read once: for its hash, and for its voxels
    ready: dict[str, Prepared] = {}
    step = "read"
    try:
        for block in task.blocks:
            _hash_files(task.case, block, found["hashes"], contents)
        for block in task.blocks:
            step = "read"
            key = _key(task, block, found["hashes"])
            store = RunFolder(task.folder) if task.folder else None
            piece = store.get("features", key) if store else None
            if piece is None:
                step = "features"
                if block.of_supervoxels:
                    piece = _supervoxel_block(task, block, found, contents, ready)
                else:
                    piece = _extract_block(task, block, contents, ready)
                if store:
                    store.put("features", key, piece)
            found["blocks"][block.name] = {
                key: piece.get(key) for key in ("volume_mm3", "notes", "quality", "grey_levels", "crops")
            }
            # as numbers, not objects: of ten thousand cases they are all held at once
            found["blocks"][block.name]["values"] = np.array(piece["values"], dtype=np.float64)
            if block.of_supervoxels:
                found["of"][block.name] = _supervoxels(
                    task, block, found, partial(_measured_on, task, block, contents, ready)
                )
            found["acquisition"][block.image] = piece["acquisition"]
            if block.name in task.pictures:
                found["pictures"][block.name] = _picture(task, block, key, contents, ready)
    except CaseError as exc:
        return {"error": {"step": getattr(exc, "step", step), "reason": exc.reason}, "hashes": found["hashes"]}
    except OutputError:
        raise  # a full disk is no fault of the case, and would take every other one out too
    except Exception as exc:
        log.debug("unexpected error", exc_info=True)
        where = traceback.extract_tb(exc.__traceback__)[-1]
        reason = (
            f"unexpected {type(exc).__name__}: {exc} ({Path(where.filename).name}:{where.lineno}); please report this"
        )
        return {"error": {"step": step, "reason": reason}, "hashes": found["hashes"]}
    return found


def _hash_files(case: CaseFiles, block: Block, hashes: dict[str, str], contents: dict[Path, bytes]) -> None:
    """The hash of every file a block needs."""
    image_path, mask_path = _paths(case, block)
    files = [(f"image:{block.image}", image_path), (f"mask:{block.mask}", mask_path)]
    if block.preparation.register_ is not None:
        files.append((f"image:{block.mask}", _reference(case, block)))
    if block.region.within is not None:
        files.append((f"mask:{block.region.within}", _organ(case, block)))
    for name, path in files:
        if name not in hashes:
            hashes[name] = _hash(path, contents)
    if hashes[f"image:{block.image}"] == hashes[f"mask:{block.mask}"]:
        raise MaskError(f"{mask_path}: image and mask are the same file; give the mask of the lesion")


def _paths(case: CaseFiles, block: Block) -> tuple[Path, Path]:
    for kind, name, paths in (("image", block.image, case.images), ("mask", block.mask, case.masks)):
        if paths.get(name) is None:
            raise CaseError(
                f"the case table gives no {kind}:{name} here; block {block.name!r} needs it. Fill the cell in."
            )
    return case.images[block.image], case.masks[block.mask]


def _reference(case: CaseFiles, block: Block) -> Path:
    """The image the mask was drawn on, where that is not the block's own."""
    if case.images.get(block.mask) is None:
        raise CaseError(
            f"block {block.name!r} registers its image to the one its mask was drawn on, and the case table gives no "
            f"image:{block.mask} here. Fill the cell in."
        )
    return case.images[block.mask]


def _organ(case: CaseFiles, block: Block) -> Path:
    """The mask of the organ that a ring is clipped to."""
    name = block.region.within
    if name is None or case.masks.get(name) is None:
        raise CaseError(
            f"block {block.name!r} clips its region to an organ, and the case table gives no mask:{name} here. "
            "Fill the cell in."
        )
    return case.masks[name]


def _hash(path: Path, contents: dict[Path, bytes]) -> str:
    """The hash of a file, whose content is kept, or of a folder."""
    from isthmus.errors import ImageReadError

    try:
        if path.is_dir():
            return hash_path(path)
        contents[path] = path.read_bytes()
        return hash_bytes(contents[path])
    except OSError as exc:
        raise ImageReadError(f"cannot read {path}: {exc.strerror or exc}. Check the path.") from exc


def _key(task: _Task, block: Block, hashes: dict[str, str]) -> str:
    if isinstance(block.settings, DeepSettings) and block.settings.train is not None:  # a crop is no network's
        taken: Any = {"crop": True, "encoder": {"dims": True, "weights": {"input": {"range"}}}}
        return _content_key(task, block, hashes, "crops", block.settings.model_dump_json(include=taken))
    if isinstance(block.settings, DeepSettings):  # weights are known by their hash, wherever they lie
        said = block.settings.model_dump_json(exclude={"encoder": {"weights": {"path"}}})
        return _content_key(task, block, hashes, block.kind, said)
    if not block.of_supervoxels:
        return _content_key(task, block, hashes, block.profile, block.settings.model_dump_json())
    # intervals are drawn after the patient's name
    said = block.settings.model_dump_json(include=set(PARTS[block.kind]))
    return _content_key(task, block, hashes, block.kind, said, task.case.patient)


def _content_key(task: _Task, block: Block, hashes: dict[str, str], *how: str) -> str:
    """Stands for what is measured, and how."""
    image, mask = hashes[f"image:{block.image}"], hashes[f"mask:{block.mask}"]
    label = task.case.labels.get(block.mask, block.label)
    parts: list[object] = [task.version, image, mask, label, *how]
    if block.preparation.register_ is not None:
        parts.append(hashes[f"image:{block.mask}"])
    if block.region.within is not None:
        parts.append(hashes[f"mask:{block.region.within}"])
    parts += [block.region.model_dump_json(), task.case.perturbation]
    if block.disturbance is not None:
        parts.append(block.disturbance)
    return digest(*parts, block.preparation.model_dump_json(), task.quality)


def _prepared(task: _Task, block: Block, contents: dict[Path, bytes], ready: dict[str, Prepared]) -> Prepared:
    """Image and lesion made ready; blocks that follow one another and differ only later (a ring, other filters) share them."""
    from isthmus.features import mask_reading
    from isthmus.study.preparation import prepare_case

    case = task.case
    image_path, mask_path = _paths(case, block)
    label = case.labels.get(block.mask, block.label)
    reading = mask_reading(block.settings)
    key = digest(image_path, mask_path, label, reading, block.preparation.model_dump_json())
    if key not in ready:
        ready.clear()  # one image at a time
        named = f"{file_name(case.row)}_{block.name}.png"
        ready[key] = prepare_case(
            image_path,
            mask_path,
            label,
            block.preparation,
            reading=reading,
            reference=None if block.preparation.register_ is None else _reference(case, block),
            picture=None if task.folder is None else task.folder / "preparation" / named,
            title=f"{case.row}, {block.name}",
            judge=task.quality,
            contents=contents,
        )
    return ready[key]


def image_and_region(case: CaseFiles, block: Block) -> tuple[Image, Roi]:
    """The image of one case as the features of a block see it, and the region they are measured on.

    Raises
    ------
    CaseError
        It cannot be read or prepared.
    """
    from isthmus.study.preparation import region_of

    prepared = _prepared(_Task(case, (block,), None, "", False, False, None), block, {}, {})
    organ = None if block.region.within is None else _organ(case, block)
    return region_of(prepared, block.region, organ=organ)


def _extract_block(
    task: _Task, block: Block, contents: dict[Path, bytes], ready: dict[str, Prepared]
) -> dict[str, Any]:
    """Features of one image and mask; warnings become notes of the case."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image, roi = _measured_on(task, block, contents, ready)
        prepared = _prepared(task, block, contents, ready)
        crops = None
        if isinstance(block.settings, DeepSettings) and block.trained:
            crops, levels = crops_to_json(image, roi, block.settings), None
            values: Any = [crops["shape"][0]]
        else:
            values, levels = _values(task, block, image, roi)
    notes = [str(w.message) for w in caught if issubclass(w.category, IsthmusWarning)]
    return {
        "values": np.asarray(values, dtype=np.float64).tolist(),
        "volume_mm3": roi.n_voxels * roi.geometry.voxel_volume_mm3,
        "notes": [*getattr(roi, "notes", ()), *notes],
        "acquisition": dict(prepared.image.acquisition),
        "quality": [asdict(result) for result in prepared.quality],
        "grey_levels": levels,
        **({} if crops is None else {"crops": crops}),
    }


def _values(task: _Task, block: Block, image: Image, roi: Roi) -> tuple[Any, dict[str, Any] | None]:
    """The values of a block's columns, and the grey levels where they are to be counted."""
    if isinstance(block.settings, DeepSettings):
        return deep_values(image, roi, block.settings), None
    from isthmus.features import PROFILES
    from isthmus.study.export import save_images

    profile = PROFILES[block.profile]
    values = profile.compute(image, roi, block.settings)
    levels = None
    if task.grey_levels and (counted := profile.grey_levels(image, roi, block.settings)) is not None:
        levels = asdict(counted)
    if task.images is not None:
        seen = profile.measured(image, roi, block.settings)
        save_images(seen, task.images, f"{task.case.row}_{block.name}" if block.name else task.case.row)
    return values, levels


def _supervoxels(task: _Task, block: Block, found: dict[str, Any], lesion: Callable[[], tuple[Image, Roi]]) -> str:
    """The key under which the supervoxels of a block are kept, for all blocks that want the same ones; `lesion` gives what they are
    measured on, where they are not there yet."""
    from isthmus.study.supervoxels import measure

    said = block.settings.model_dump_json(include={"supervoxels", "features"})
    key = _content_key(task, block, found["hashes"], "supervoxels", said)
    if key not in found["supervoxels"]:
        store = RunFolder(task.folder) if task.folder else None
        piece = store.get("supervoxels", key) if store else None
        if piece is None:
            assert isinstance(block.settings, HabitatSection)
            piece = measure(*lesion(), block.settings).to_json()
            if store:
                store.put("supervoxels", key, piece)
        found["supervoxels"][key] = piece
    return key


def _measured_on(
    task: _Task, block: Block, contents: dict[Path, bytes], ready: dict[str, Prepared]
) -> tuple[Image, Roi]:
    """The image and the region that a block is measured on."""
    from isthmus.study.preparation import region_of

    prepared = _prepared(task, block, contents, ready)
    organ = None if block.region.within is None else _organ(task.case, block)
    return region_of(
        prepared,
        block.region,
        organ=organ,
        perturbation=task.case.perturbation,
        disturbance=block.disturbance,
        contents=contents,
    )


def _supervoxel_block(
    task: _Task, block: Block, found: dict[str, Any], contents: dict[Path, bytes], ready: dict[str, Prepared]
) -> dict[str, Any]:
    """What a block of supervoxels says of one case."""
    from isthmus.study.supervoxels import Measured, case_values

    assert isinstance(block.settings, HabitatSection)
    patient = task.case.patient
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image, roi = _measured_on(task, block, contents, ready)
        key = _supervoxels(task, block, found, lambda: (image, roi))
        measured = Measured.from_json(found["supervoxels"][key], patient)
        values, missing = case_values(block.kind, measured, image, roi, block.settings, patient)
    notes = [str(w.message) for w in caught if issubclass(w.category, IsthmusWarning)]
    prepared = _prepared(task, block, contents, ready)
    return {
        "values": list(values.values()),
        "volume_mm3": roi.n_voxels * roi.geometry.voxel_volume_mm3,
        "notes": [*getattr(roi, "notes", ()), *notes, *missing],
        "acquisition": dict(prepared.image.acquisition),
        "quality": [asdict(result) for result in prepared.quality],
        "grey_levels": None,
    }


def _picture(
    task: _Task, block: Block, key: str, contents: dict[Path, bytes], ready: dict[str, Prepared]
) -> dict[str, Any]:
    """The picture of a lesion whose features are there; where it cannot be made, why not. It never costs a case."""
    from isthmus.study.preparation import region_of

    store = RunFolder(task.folder) if task.folder else None
    piece: dict[str, Any] | None = store.get("pictures", key) if store else None
    if piece is not None:
        return piece
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IsthmusWarning)  # the features have said it
            prepared = _prepared(task, block, contents, ready)
            organ = None if block.region.within is None else _organ(task.case, block)
            image, roi = region_of(prepared, block.region, organ=organ, contents=contents)
            piece = lesion_picture(image, roi.mask)
    except OutputError:
        raise
    except Exception as exc:
        log.debug("no picture", exc_info=True)
        piece = {"note": f"no picture for the report ({type(exc).__name__}: {exc})"}
    if store:
        store.put("pictures", key, piece)
    return piece


# ---------------------------------------------------------------------- all cases together


def block_columns(block: Block) -> tuple[ColumnMeta, ...]:
    """The facts of a block's columns, with the image and mask they come from."""
    from isthmus.features import PROFILES
    from isthmus.study.supervoxels import kind_columns

    columns: tuple[ColumnMeta, ...]
    if isinstance(block.settings, HabitatSection):
        columns = kind_columns(block.kind, block.settings)
    elif isinstance(block.settings, DeepSettings):
        columns = CROP_COLUMNS if block.trained else deep_columns(block.settings)
    else:
        columns = PROFILES[block.profile].columns(block.settings)
    return tuple(replace(meta, image=block.image, roi=block.mask) for meta in columns)


def _collect(cases: Sequence[CaseFiles], blocks: Sequence[Block], outcomes: list[dict[str, Any]]) -> Extraction:
    good = [(case, out) for case, out in zip(cases, outcomes, strict=True) if "error" not in out]
    tables, volumes = {}, {}
    index = pd.Index([case.row for case, _ in good], name="row", dtype="str")
    rows = pd.DataFrame({"patient": [case.patient for case, _ in good]}, index=index, dtype="str")
    for block in blocks:
        columns = block_columns(block)
        values = np.array([out["blocks"][block.name]["values"] for _, out in good], dtype=np.float64).reshape(
            len(good), len(columns)
        )
        frame = pd.DataFrame(values, index=index, columns=[meta.column for meta in columns])
        tables[block.name] = FeatureTable(frame, rows, columns)
        volumes[block.name] = pd.Series(
            [out["blocks"][block.name]["volume_mm3"] for _, out in good], index=index, dtype=float
        )
    return Extraction(
        objects=_collect_objects(good, blocks, index),
        tables=tables,
        volumes=volumes,
        exclusions=_exclusions(cases, outcomes),
        notes=pd.DataFrame(
            [
                {"row": case.row, "patient": case.patient, "block": name, "note": note}
                for case, out in good
                for name, piece in out["blocks"].items()
                for note in [*piece["notes"], *_said(out["pictures"].get(name))]
            ],
            columns=["row", "patient", "block", "note"],
        ),
        acquisition=pd.DataFrame(
            [
                {"row": case.row, "patient": case.patient, "image": image, **facts}
                for case, out in good
                for image, facts in out["acquisition"].items()
            ]
        ).reindex(columns=_acquisition_columns(good)),
        quality=pd.DataFrame(
            [
                {"row": case.row, "patient": case.patient, "block": name, **result}
                for case, out in good
                for name, piece in out["blocks"].items()
                for result in piece["quality"]
            ],
            columns=QUALITY_COLUMNS,
        ),
        grey_levels=pd.DataFrame(
            [
                {"row": case.row, "patient": case.patient, "block": name, **piece["grey_levels"]}
                for case, out in good
                for name, piece in out["blocks"].items()
                if piece["grey_levels"] is not None
            ],
            columns=["row", "patient", "block", *(one.name for one in fields(GreyLevels))],
        ),
        hashes={
            f"{case.row} {name}": value
            for case, out in zip(cases, outcomes, strict=True)
            for name, value in out.get("hashes", {}).items()
        },
        pictures=tuple(
            {"row": case.row, "patient": case.patient, "block": block.name, "image": block.image, **piece}
            for case, out in good
            for block in blocks
            if (piece := out["pictures"].get(block.name)) is not None and "note" not in piece
        ),
    )


def _collect_objects(
    good: list[tuple[CaseFiles, dict[str, Any]]], blocks: Sequence[Block], index: pd.Index[Any]
) -> dict[str, pd.Series[Any]]:
    """Supervoxels or crops of each row; blocks that share the measuring of supervoxels share the tables."""
    from isthmus.study.supervoxels import Measured

    crops: dict[str, list[Crops]] = {
        block.name: [
            crops_from_json(out["blocks"][block.name]["crops"], case.patient, block.settings) for case, out in good
        ]
        for block in blocks
        if isinstance(block.settings, DeepSettings) and block.trained
    }
    found: dict[str, list[SupervoxelTable | None]] = {block.name: [] for block in blocks if block.of_supervoxels}
    for case, out in good:
        tables = {key: Measured.from_json(piece, case.patient).table for key, piece in out["supervoxels"].items()}
        for name, cells in found.items():
            cells.append(tables[out["of"][name]])
    return {name: pd.Series(cells, index=index, dtype=object) for name, cells in {**found, **crops}.items()}


def _said(picture: dict[str, Any] | None) -> list[str]:
    return [str(picture["note"])] if picture is not None and "note" in picture else []


def _exclusions(cases: Sequence[CaseFiles], outcomes: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"row": case.row, "patient": case.patient, **out["error"]}
            for case, out in zip(cases, outcomes, strict=True)
            if "error" in out
        ],
        columns=["row", "patient", "step", "reason"],
    )


def _acquisition_columns(good: list[tuple[CaseFiles, dict[str, Any]]]) -> list[str]:
    named = [key for _, out in good for facts in out["acquisition"].values() for key in facts]
    return ["row", "patient", "image", *sorted(set(named))]
