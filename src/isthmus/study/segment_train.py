"""`isthmus segment train`: networks that draw lesions, one for each fold of the study's patients, and honest masks of all of them.

Everything is written as it is finished, so a training that was killed goes on with `--resume`, to the same bits on a processor.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.encoder import one_torch_thread
from isthmus.deep.library import best_device, load_torch, versions
from isthmus.deep.weights import named, save
from isthmus.errors import CaseError, PlanError, TableError, first_few
from isthmus.image.io import write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import MaskOrigin, write_origin
from isthmus.segment.configuration import CaseFacts, Configuration, derive, for_training
from isthmus.segment.folder import FILES, SegmentationModel, fold_folder
from isthmus.segment.infer import draw, predict_rows
from isthmus.segment.labels import read_label_names
from isthmus.segment.networks import build, get_network
from isthmus.segment.prepare import case_facts, foreground, grid_of, prepare_image, prepare_labels
from isthmus.segment.sample import TrainingCase
from isthmus.segment.tidy import keep_largest, largest_of, overlap
from isthmus.segment.train import memory_advice, train
from isthmus.stats.seeds import child_seed
from isthmus.study.deep import list_failed
from isthmus.study.extract import files_given
from isthmus.study.extraction import CaseFiles
from isthmus.study.segmentation import SegmentTrainSettings, Structures, only_image, read_case
from isthmus.study.store import digest, file_name, make_folder, write_bytes, write_table

__all__ = ["segment_train"]

log = logging.getLogger("isthmus")

_LOCK = "settings.json"


@dataclass(frozen=True)
class _Asked:
    """What the training was told, for all its parts."""

    out: Path
    name: str
    structures: Structures
    settings: SegmentTrainSettings
    seed: int


def segment_train(
    out: Path,
    settings: SegmentTrainSettings,
    *,
    cases: Path,
    labels: Path | None = None,
    lesion: str = "lesion",
    context: str | None = None,
    outcome: str | None = None,
    use: str | None = None,
    root: str | None = None,
    seed: int = 1,
    resume: bool = False,
) -> Path:
    """Train, draw every case by the network that never saw its patient, and write the model folder (`isthmus.segment.folder.FILES`).

    Parameters
    ----------
    out : Path
        A folder.
    settings : SegmentTrainSettings
    cases : Path
        A case table: patient, image:, mask:. A patient's rows are always together.
    labels : Path, optional
        A JSON file with the names of the values in the masks; without it a mask holds the lesion alone (`label:` says which value).
    lesion : str
        Its name.
    context : str, optional
        For masks of the lesion alone: a folder of TotalSegmentator a case, with {patient} or {row}.
    outcome : str, optional
        The study's outcome: its classes are spread over the folds exactly as `[validate]` with this seed spreads them in its first repeat.
    use, root
        Which image, where the table has several; where its relative paths start.
    seed : int
        The study's.
    resume : bool

    Raises
    ------
    PlanError, TableError, WeightsError
        Arguments that do not fit together; too few cases; another training's files.
    """
    load_torch("segmentation")
    get_network(settings.network)
    files = files_given(None, None, cases, root, mask_name="image")
    name = only_image(files, use)
    names = None if labels is None else read_label_names(labels)
    if names is not None and lesion not in names:
        raise PlanError(f"--lesion {lesion!r} is none of the names in {labels}: {', '.join(names)}")
    if names is not None and context is not None:
        raise PlanError("--labels and --context: the masks hold the structures already; give one of them")
    structures = Structures(names, lesion, context, Path(root) if root is not None else cases.resolve().parent)
    asked = _Asked(out, name, structures, settings, seed)
    _start(asked, files, cases, outcome, resume)
    facts, prints, failed = _look(asked, files)
    list_failed(out / FILES["failed"], files, failed)
    kept = [case for case in files if case.row in facts]
    if len({case.patient for case in kept}) < max(settings.folds, 2):
        first = next(iter(failed.values()), "the table has no more rows")
        raise TableError(
            f"{len(kept)} cases can be used; {max(settings.folds, 2)} patients are needed. The first reason: {first}"
        )
    configuration = _configured(asked, list(facts.values()))
    for case in kept:
        _prepare(asked, case, configuration)
    dealt = _folds(kept, cases, outcome, settings.folds, seed)
    write_table(
        out / FILES["folds"],
        pd.DataFrame({"patient": list(dealt), "fold": list(dealt.values())}).sort_values("patient"),
    )
    record = []
    for fold in range(1, settings.folds + 1) if settings.folds else [0]:
        record.append(_one_fold(asked, kept, configuration, dealt, fold, facts, prints))
    tidy = _choose(asked, kept, configuration, dealt)
    write_bytes(out / FILES["tidy"], _json(tidy))
    lesions = _validation(asked, dealt)
    said = {
        "image": name, "cases": len(kept), "failed": len(failed), "patients": len(dealt), "network": settings.network, "seed": seed,
        "outcome": outcome, "settings": settings.model_dump(mode="json"), "versions": versions(), "folds": record,
        "lesion_dice": None if lesions is None else float(lesions["dice_tidied"].mean()),
    }  # fmt: skip
    write_bytes(out / FILES["record"], _json(said))
    _write_origins(asked, kept, dealt)
    shutil.rmtree(out / FILES["prepared"], ignore_errors=True)
    for entry in record:
        (fold_folder(out, entry["fold"]) / FILES["checkpoint"]).unlink(missing_ok=True)
    if lesions is not None:
        log.info(
            "lesion Dice of %d cases, each drawn by a network that never saw its patient: mean %.3f",
            len(lesions),
            said["lesion_dice"],
        )
    return out


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _start(asked: _Asked, files: Sequence[CaseFiles], cases: Path, outcome: str | None, resume: bool) -> None:
    """A finished training is not written over, a stopped one goes on when asked, and only with the same cases and settings."""
    out = asked.out
    if out.exists() and not out.is_dir():
        raise PlanError(f"--out {out} is a file; expected a folder")
    if (out / FILES["record"]).exists():
        raise PlanError(f"{out} holds a finished model already; give another folder")
    lock = out / _LOCK
    if lock.exists() and not resume:
        raise PlanError(
            f"{out} holds a training that was stopped: --resume goes on with it; another folder starts anew"
        )
    if resume and not lock.exists():
        raise PlanError(f"--resume: {out} holds no training that was stopped")
    rows = [
        (case.row, case.patient, str(case.images.get(asked.name)), str(case.masks.get(asked.name))) for case in files
    ]
    said = asked.settings.model_dump(mode="json")
    said["train"].pop("device")
    document = {
        "cases": digest(rows), "table": cases.name, "image": asked.name, "labels": dict(asked.structures.names),
        "context": asked.structures.context, "outcome": outcome, "seed": asked.seed, "settings": said,
    }  # fmt: skip
    if lock.exists():
        before = json.loads(lock.read_text(encoding="utf-8"))
        other = [key for key in document if before.get(key) != json.loads(json.dumps(document[key]))]
        if other:
            raise PlanError(
                f"--resume: {out} holds the training of other {first_few(other)}; another folder starts anew"
            )
    make_folder(out)
    write_bytes(lock, _json(document))


def _look(asked: _Asked, files: Sequence[CaseFiles]) -> tuple[dict[str, CaseFacts], dict[str, str], dict[str, str]]:
    """What every case says, the fingerprint of its image, and why a case cannot be used; by row."""
    facts, prints, failed = {}, {}, {}
    for case in files:
        try:
            image, labels = read_case(case, asked.name, asked.structures)
            inner, grid = grid_of(image.values, image.geometry, _OWN)  # type: ignore[arg-type]
            facts[case.row] = case_facts(inner, grid, labels > 0, child_seed(asked.seed, "look", case.row))
            prints[case.row] = image.fingerprint
            if asked.settings.normalisation == "auto":
                facts[case.row] = _with_quantity(facts[case.row], image)
        except CaseError as error:
            failed[case.row] = error.reason
            log.warning("case %s: %s", case.row, error.reason)
    return facts, prints, failed


class _OWN:
    """Stands for a configuration that keeps every image's own grid."""

    spacing_mm = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Seen(CaseFacts):
    hounsfield: bool = False


def _with_quantity(facts: CaseFacts, image: Any) -> CaseFacts:
    """Hounsfield units: the scanner says so, or air does."""
    is_ct = image.quantity == "HU" or image.acquisition.get("modality") == "CT" or float(image.values.min()) <= -500
    return _Seen(facts.shape, facts.spacing_mm, facts.foreground, bool(is_ct))


def _configured(asked: _Asked, facts: Sequence[CaseFacts]) -> Configuration:
    """The configuration of an earlier start, or a new one."""
    path = asked.out / FILES["configuration"]
    if path.exists():
        return Configuration.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
    settings = asked.settings
    kind = settings.normalisation
    if kind == "auto":
        ct = [getattr(one, "hounsfield", False) for one in facts]
        if any(ct) and not all(ct):
            raise PlanError(
                f'{sum(ct)} of {len(ct)} images are Hounsfield units, the others not; say normalisation = "ct" or "z_score"'
            )
        kind = "ct" if all(ct) else "z_score"
    found = derive(
        facts, asked.structures.names, lesion=asked.structures.lesion, network=settings.network, dims=settings.dims, normalisation=kind,
        memory_gb=settings.memory_gb, base_channels=settings.base_channels, given=settings.configuration,
    )  # fmt: skip
    write_bytes(path, found.to_json().encode())
    return found


def _prepared(asked: _Asked, row: str) -> tuple[Path, Path]:
    folder = asked.out / FILES["prepared"]
    return folder / f"{file_name(row)}.image.npy", folder / f"{file_name(row)}.labels.npy"


def _prepare(asked: _Asked, case: CaseFiles, configuration: Configuration) -> None:
    """Image and classes on the network's grid, in two files that training maps into memory."""
    first, second = _prepared(asked, case.row)
    if second.exists():
        return
    image, labels = read_case(case, asked.name, asked.structures)
    inner, grid = grid_of(image.values, image.geometry, configuration)
    make_folder(first.parent)
    for path, values in (
        (first, prepare_image(inner, grid, configuration)),
        (second, prepare_labels(labels, grid, configuration)),
    ):
        new = path.with_name(f".{path.name}")
        np.save(new, values)
        new.replace(path)


def _folds(kept: Sequence[CaseFiles], cases: Path, outcome: str | None, folds: int, seed: int) -> dict[str, int]:
    """The fold, from 1, that holds out each patient: those of the study where its outcome is given; 0 where nobody is held out."""
    from isthmus.validate.splits import outer_splits

    patients = sorted({case.patient for case in kept})
    if not folds:
        return dict.fromkeys(patients, 0)
    if outcome is None:
        order = np.random.default_rng(child_seed(seed, "segment folds")).permutation(len(patients))
        return {patients[who]: place % folds + 1 for place, who in enumerate(order)}
    from isthmus.table.reading import read_frame

    frame = read_frame(cases).frame
    if outcome not in frame.columns:
        from isthmus.table.expression import unknown_column

        raise unknown_column(outcome, frame.columns, where=f"{cases}, the outcome")
    values = frame.assign(patient=frame["patient"].astype(str)).groupby("patient")[outcome].first().loc[patients]
    if values.isna().any():
        raise TableError(
            f"{outcome} is missing for {int(values.isna().sum())} patients; fill it in, or leave --outcome out"
        )
    splits = outer_splits(values.astype(str), folds=folds, repeats=1, seed=seed)
    return {patient: split.fold for split in splits for patient in split.test}


def _one_fold(
    asked: _Asked,
    kept: Sequence[CaseFiles],
    configuration: Configuration,
    dealt: Mapping[str, int],
    fold: int,
    facts: Mapping[str, CaseFacts],
    prints: Mapping[str, str],
) -> dict[str, Any]:
    """Train a fold's network and draw its held-out cases; what the record says of it."""
    folder = fold_folder(asked.out, fold)
    make_folder(folder)
    entry, weights = folder / "record.json", folder / FILES["weights"]
    learned = [case for case in kept if not fold or dealt[case.patient] != fold]
    held = [case for case in kept if fold and dealt[case.patient] == fold]
    settings, device = asked.settings.train, None
    if not entry.exists():
        # Hounsfield units are standardised by these cases alone: nothing of a held-out image's voxels reaches the network
        own = for_training(configuration, [facts[case.row] for case in learned])
        log.info("fold %d: %d cases to learn from, %d held out", fold, len(learned), len(held))
        module = build(configuration.network, configuration.shape, seed=child_seed(asked.seed, "segment", fold))
        with one_torch_thread() if _processor(settings.device) else nullcontext():
            trained = train(
                module, [_loaded(asked, case) for case in learned], [_loaded(asked, case) for case in held], own, settings,
                seed=child_seed(asked.seed, "segment", fold), checkpoint=folder / FILES["checkpoint"],
            )  # fmt: skip
            module, device = trained.module, trained.device
            if held:
                _draw_held(asked, held, own, module, device, folder)
        sha256 = save(module.to("cpu"), weights, trained_on=[case.patient for case in learned])
        trained.curve.drop(columns="seconds").to_csv(folder / FILES["curve"], index=False, lineterminator="\n")
        hashes = sorted({named(case.patient) for case in learned} | {prints[case.row] for case in learned})
        said = {
            "fold": fold,
            "sha256": sha256,
            "device": device,
            "epochs": len(trained.curve),
            "cases": len(learned),
            "intensities": None if own.intensities is None else own.intensities.model_dump(),
            "trained_on": hashes,
        }
        write_bytes(entry, _json(said))
    found: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    return found


def _processor(device: str) -> bool:
    return device == "cpu" or (device == "auto" and best_device() == "cpu")


def _loaded(asked: _Asked, case: CaseFiles) -> TrainingCase:
    first, second = _prepared(asked, case.row)
    labels = np.load(second, mmap_mode="r")
    places = foreground(np.asarray(labels), child_seed(asked.seed, "places", case.row))
    return TrainingCase(case.row, case.patient, np.load(first, mmap_mode="r"), labels, places)


def _draw_held(
    asked: _Asked, held: Sequence[CaseFiles], configuration: Configuration, module: Any, device: str, folder: Path
) -> None:
    """Masks of held-out cases as drawn, and the Dice of every structure as drawn and with its largest part only."""
    rows = []
    for case in held:
        image, truth = read_case(case, asked.name, asked.structures)
        _, grid = grid_of(image.values, image.geometry, configuration)
        values = np.asarray(np.load(_prepared(asked, case.row)[0], mmap_mode="r"))
        with memory_advice():
            found = draw(predict_rows([module], values, configuration, device=device), grid, configuration)
        path = asked.out / FILES["out_of_fold"] / f"{file_name(case.row)}.nii.gz"
        make_folder(path.parent)
        write_labels(LabelImage(found.labels, image.geometry), path)
        for name, value in configuration.labels.items():
            mine, wanted = found.labels == value, truth == value
            rows.append(
                (
                    case.row,
                    case.patient,
                    name,
                    overlap(wanted, mine),
                    overlap(wanted, keep_largest(mine)),
                    found.confidence,
                )
            )
    frame = pd.DataFrame(rows, columns=["row", "patient", "structure", "dice", "dice_largest", "confidence"])
    write_table(folder / FILES["validation"], frame)


def _choose(
    asked: _Asked, kept: Sequence[CaseFiles], configuration: Configuration, dealt: Mapping[str, int]
) -> dict[str, Any]:
    """For each structure, whether its largest part is kept: what held-out cases say. The masks of a fold follow the other folds' choice,
    so that no case is judged by a choice it took part in."""
    found = _all_validation(asked)
    if found is None:
        return {name: {"cases": 0, "largest": False} for name in configuration.names}
    fold = found["patient"].map(dealt)
    tidied = found["dice"].copy()
    for number in sorted(set(fold)):
        choice = largest_of(found[fold != number])
        mine = (fold == number) & found["structure"].map(lambda name, c=choice: bool(c.get(name, {}).get("largest")))
        tidied[mine] = found.loc[mine, "dice_largest"]
        chosen = [name for name, facts in choice.items() if facts["largest"]]
        for row in sorted(set(found.loc[fold == number, "row"])) if chosen else []:
            _tidy_file(asked.out / FILES["out_of_fold"] / f"{file_name(row)}.nii.gz", configuration, chosen)
    out = found.assign(fold=fold, dice_tidied=tidied)
    write_table(
        asked.out / FILES["validation"],
        out[["row", "patient", "fold", "structure", "dice", "dice_largest", "dice_tidied", "confidence"]],
    )
    return largest_of(found)


def _write_origins(asked: _Asked, kept: Sequence[CaseFiles], dealt: Mapping[str, int]) -> None:
    """Beside every out-of-fold mask, how it was made."""
    from isthmus.image.io import read_labels

    model = SegmentationModel.open(asked.out)
    configuration = model.configuration
    for case in kept if asked.settings.folds else []:
        path = asked.out / FILES["out_of_fold"] / f"{file_name(case.row)}.nii.gz"
        lesion = read_labels(path).values == configuration.labels[configuration.lesion]
        method = f"{configuration.network}, model {model.fingerprint[:12]}"
        facts = {"model": model.fingerprint, "seen": "out_of_fold", "networks": [dealt[case.patient]]}
        write_origin(MaskOrigin.of(lesion, "network", method=method, **facts), path)


def _tidy_file(path: Path, configuration: Configuration, names: Sequence[str]) -> None:
    from isthmus.image.io import read_labels

    drawn = read_labels(path)
    values: NDArray[np.uint8] = drawn.values.astype(np.uint8)
    for name in names:
        mask = values == configuration.labels[name]
        values[mask & ~keep_largest(mask)] = 0
    write_labels(LabelImage(values, drawn.geometry), path)


def _all_validation(asked: _Asked) -> pd.DataFrame | None:
    parts = [fold_folder(asked.out, fold) / FILES["validation"] for fold in range(1, asked.settings.folds + 1)]
    frames = [pd.read_csv(path, dtype={"row": str, "patient": str}) for path in parts if path.exists()]
    return pd.concat(frames, ignore_index=True) if frames else None


def _validation(asked: _Asked, dealt: Mapping[str, int]) -> pd.DataFrame | None:
    """The lesion's rows of `validation.csv`."""
    path = asked.out / FILES["validation"]
    if not path.exists():
        return None
    frame = pd.read_csv(path, dtype={"row": str, "patient": str})
    return frame[frame["structure"] == asked.structures.lesion]
