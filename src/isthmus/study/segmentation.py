"""What training and prediction of masks share: settings, and a case's image with its label map."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from isthmus.errors import CaseError, GeometryMismatchError, MaskError, PlanError, first_few
from isthmus.image import Image
from isthmus.image.io import read_image, read_labels
from isthmus.roi import read_roi
from isthmus.segment.labels import CONTEXT, TOTALSEGMENTATOR, merged
from isthmus.segment.train import SegmentLearning
from isthmus.settings import Section
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study.extract import key_value
from isthmus.study.extraction import CaseFiles
from isthmus.table.expression import unknown_column

__all__ = ["SegmentTrainSettings", "Structures", "only_image", "read_case", "segment_train_settings"]

LESION_VALUE = 11


class SegmentTrainSettings(Section):
    """What `isthmus segment train` is told.

    network: a name of `isthmus.segment.NETWORKS`. dims: 2 for slices, 3 for volumes. normalisation: "ct", "z_score", or "auto": "ct" where
    the images are Hounsfield units. memory_gb: what training may take; patch and batch follow. base_channels: of the first stage. folds: of
    the cross-validation; 0 trains one network on all. configuration: keys of `configuration.json` that are said, not derived. train: how it
    learns.
    """

    network: str = "cbam_unet"
    dims: Literal[2, 3] = 3
    normalisation: Literal["auto", "ct", "z_score"] = "auto"
    memory_gb: float = Field(default=8.0, gt=0)
    base_channels: int = Field(default=32, ge=4)
    folds: int = Field(default=5, ge=0)
    configuration: dict[str, Any] = Field(default_factory=dict)
    train: SegmentLearning = Field(default_factory=SegmentLearning)


def segment_train_settings(
    *, params: Path | None = None, settings: Sequence[str] = (), **said: Any
) -> SegmentTrainSettings:
    """From a TOML file, `--set` (`train.epochs=100`, `augment.p_noise=0`, `configuration.patch=[16,64,64]`) and options, which win.

    Raises
    ------
    PlanError
        A key is unknown or of the wrong kind.
    """
    document: dict[str, Any] = {}
    if params is not None:
        try:
            document = tomllib.loads(params.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise PlanError(f"--params {params}: cannot be read as TOML ({exc})") from exc
        document = dict(document.get("segment", document))
    for text in settings:
        name, value = key_value(text)
        *parts, key = name.split(".")
        if parts == ["augment"]:
            parts = ["train", "augment"]
        place = document
        for part in parts:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise PlanError(f"--set {text!r}: {part} is no table")
        place[key] = value
    document |= {key: value for key, value in said.items() if value is not None}
    try:
        return SegmentTrainSettings.model_validate(document)
    except ValidationError as exc:
        known = setting_messages(
            exc, document, known_keys=lambda place: keys_of(SegmentTrainSettings, place), where="segment train:"
        )
        raise PlanError("\n".join(known)) from exc


def only_image(files: Sequence[CaseFiles], use: str | None) -> str:
    """The image that is segmented: `--use`, or the only one of the table.

    Raises
    ------
    PlanError
        The table has several, or not this one.
    """
    names = list(dict.fromkeys(name for case in files for name in case.images))
    if use is not None and use not in names:
        raise unknown_column(f"image:{use}", [f"image:{name}" for name in names], where="--use")
    if use is None and len(names) > 1:
        raise PlanError(
            f"the table has the images {', '.join(names)}; masks are drawn in one of them: --use {names[0]}"
        )
    return use or names[0]


@dataclass(frozen=True)
class Structures:
    """Where a case's label map comes from.

    Parameters
    ----------
    labels : mapping, optional
        Names and values in the mask files; None: the mask holds the lesion alone, whose label the table says.
    lesion : str
        Which of the names it is.
    context : str, optional
        A folder of TotalSegmentator for each case, {patient} or {row} standing for its name, or one label map per case.
    root : Path
        Where a relative context starts.
    """

    labels: Mapping[str, int] | None
    lesion: str
    context: str | None
    root: Path

    @property
    def names(self) -> dict[str, int]:
        """Names and values in the label maps that `read_case` gives."""
        if self.labels is not None:
            return dict(self.labels)
        return {**(CONTEXT if self.context is not None else {}), self.lesion: LESION_VALUE if self.context else 1}


def read_case(case: CaseFiles, name: str, structures: Structures) -> tuple[Image, NDArray[np.uint8]]:
    """A case's image and label map, on one grid.

    Raises
    ------
    CaseError
        A file is missing or cannot be read, the grids differ, or the lesion is not there.
    """
    if name not in case.images:
        raise CaseError(f"no image:{name} in the table")
    if name not in case.masks:
        raise MaskError(
            f"no mask:{name} in the table; a case without a mask cannot train. Draw it, or leave the row out"
        )
    image, path = read_image(case.images[name]), case.masks[name]
    if structures.labels is None:
        roi = read_roi(path, image, label=case.labels.get(name))
        values = structures.names
        context = {} if structures.context is None else _context(case, image, structures)
        return image, merged(image.values.shape, context, roi.mask, values[structures.lesion])
    drawn = read_labels(path)
    _same_grid(image, drawn.geometry, path)
    present = drawn.labels()
    wanted = structures.labels[structures.lesion]
    if wanted not in present:
        raise MaskError(
            f"{path}: the lesion ({structures.lesion} = {wanted}) is not in the mask, which holds "
            f"{first_few(map(str, present)) or 'nothing'}"
        )
    unknown = sorted(set(present) - set(structures.labels.values()))
    if unknown:
        raise MaskError(
            f"{path}: the values {first_few(map(str, unknown))} have no name. Name them in the file of --labels"
        )
    return image, drawn.values.astype(np.uint8)


def _context(case: CaseFiles, image: Image, structures: Structures) -> dict[int, NDArray[np.bool_]]:
    """Masks of the structures around the lesion by value."""
    assert structures.context is not None
    said = structures.context.replace("{patient}", case.patient).replace("{row}", case.row)
    folder = structures.root / said
    if not folder.is_dir():
        raise MaskError(
            f"{folder}: no folder of TotalSegmentator for this case. Check --context, or leave the case out"
        )
    found = {}
    for name, value in CONTEXT.items():
        path = folder / f"{TOTALSEGMENTATOR[name]}.nii.gz"
        if not path.is_file():
            raise MaskError(
                f"{path}: missing, so {name} would be taught as background. Run TotalSegmentator for this structure, or leave the case out"
            )
        drawn = read_labels(path)
        _same_grid(image, drawn.geometry, path)
        found[value] = drawn.values > 0
    return found


def _same_grid(image: Image, geometry: Any, path: Path) -> None:
    difference = image.geometry.difference(geometry)
    if difference is not None:
        raise GeometryMismatchError(
            f"{path} lies on another grid than its image: {difference}. Save it on the image's grid"
        )
