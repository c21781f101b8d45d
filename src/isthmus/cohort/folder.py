"""Proposing a case table from a folder of images and masks, for `isthmus init`.

Four ways in which people keep images are understood: a folder for each patient with files in it, all files in one folder
with the patient in the name, a folder of images beside a folder of masks (also as nnU-Net has them), and DICOM folders with
an RTSTRUCT or a segmentation. Pictures are images where there are no others: beside volumes they are previews. What cannot be placed is
listed, with the reason.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from isthmus.errors import TableError

__all__ = ["FoundCases", "find_cases"]

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")
_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_OUTLINES = ("RTSTRUCT", "SEG")
# fmt: off
_MASK_WORDS = frozenset((
    "mask", "masks", "seg", "segmentation", "label", "labels", "labelmap", "roi", "gtv", "contour", "contours",
    "rs", "rtstruct", "lesion", "tumour", "tumor",
))
_IMAGE_WORDS = frozenset(("image", "images", "img", "imgs", "scan", "scans", "volume", "volumes", "vol"))
_MODALITIES = frozenset((
    "ct", "cbct", "cect", "mr", "mri", "t1", "t2", "t1w", "t2w", "t1c", "t1ce", "t1gd", "flair", "adc", "dwi", "dce",
    "pet", "pt", "suv", "us", "ultrasound", "arterial", "venous", "portal", "native",
))
# fmt: on
_MODALITY_NAMES = {"PT": "pet", "CT": "ct", "MR": "mr", "US": "us"}
_TRAINING = re.compile(r"(?<=[a-z])T[rs]$")
_CHANNEL = re.compile(r"_0000$")
_WORD = re.compile(r"[A-Za-z0-9]+")


class FoundCases(NamedTuple):
    """What a folder seems to hold.

    Parameters
    ----------
    cases : DataFrame of str
        A case table: `patient`, and `image:<name>`, `mask:<name>` with absolute paths; missing where a patient lacks one.
    unplaced : list of str
        `path: reason` of files and folders that have no place in it, the path relative to the folder.
    """

    cases: pd.DataFrame
    unplaced: list[str]


@dataclass
class _Found:
    """What has been found so far: patient -> column -> path, and what has no place."""

    folder: Path
    cells: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    unplaced: list[tuple[str, str]] = field(default_factory=list)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def place(self, patient: str, column: str, path: Path) -> None:
        taken = self.cells[patient].get(column)
        if taken is None:
            self.cells[patient][column] = self.relative(path)
        else:
            self.refuse(path, f"{column} of patient {patient} is already {taken}")

    def refuse(self, path: Path, reason: str) -> None:
        self.unplaced.append((self.relative(path), reason))


def find_cases(folder: str | Path) -> FoundCases:
    """A case table for a folder of images and masks, and what found no place in it.

    Raises
    ------
    TableError
        The folder does not exist, or holds no image with a mask.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder. Expected a folder with images and masks")
    found = _Found(Path(os.path.abspath(folder)))
    folder = found.folder
    inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    kinds = [path for path in inner if _names_a_kind(path)]
    _place_flat([file for place in (folder, *kinds) for file in _volumes(place)], found)
    for patient in inner:
        if patient not in kinds:
            _place_patient(patient, found)
    cases = _table(found)
    if cases.empty:
        shown = "; ".join(f"{path}: {reason}" for path, reason in found.unplaced[:3])
        raise TableError(
            f"{folder}: no image with a mask was found{f' ({shown})' if shown else ''}. Expected a folder for each patient, "
            "files such as P01_ct.nii.gz and P01_ct_mask.nii.gz, folders images and masks, or DICOM folders with an RTSTRUCT or SEG"
        )
    return FoundCases(cases, [f"{path}: {reason}" for path, reason in found.unplaced])


def _table(found: _Found) -> pd.DataFrame:
    """Patients with at least one pair of image and mask; the others have no place."""
    pairs: Counter[str] = Counter()
    for patient in sorted(found.cells):
        cells = found.cells[patient]
        for name in sorted({column.partition(":")[2] for column in cells}):
            columns = (f"image:{name}", f"mask:{name}")
            if all(column in cells for column in columns):
                pairs[name] += 1
                continue
            for column in columns:
                if column in cells:
                    lacking = "mask" if column.startswith("image:") else "image"
                    found.unplaced.append((cells.pop(column), f"patient {patient} has no {lacking} for it"))
    names = sorted(pairs, key=lambda name: (-pairs[name], name))
    header = ["patient", *(f"{kind}:{name}" for name in names for kind in ("image", "mask"))]
    rows = [
        {"patient": patient, **{column: str(found.folder / path) for column, path in cells.items()}}
        for patient, cells in sorted(found.cells.items())
        if cells
    ]
    return pd.DataFrame(rows, columns=header, dtype="str")


def _volumes(folder: Path) -> list[Path]:
    """The image files that lie in a folder itself."""
    return _images(folder.iterdir())


def _images(paths: Iterable[Path]) -> list[Path]:
    """The volumes among files; where there are none, the pictures."""
    files = sorted(path for path in paths if path.is_file())
    return [path for path in files if _is_volume(path)] or [path for path in files if _is_picture(path)]


def _names_a_kind(folder: Path) -> bool:
    """Is this folder called after what its files are (images, masks, ct, labelsTr), and not after a patient?"""
    words = _kind_words(folder)
    return (
        bool(words)
        and all(word in _MASK_WORDS | _IMAGE_WORDS | _MODALITIES for word in words)
        and bool(_volumes(folder))
    )


def _kind_words(folder: Path) -> list[str]:
    """The words of a folder's name, in small letters, without nnU-Net's Tr and Ts."""
    return [word.lower() for word in _words(_TRAINING.sub("", folder.name))]


def _is_volume(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS)


def _is_picture(path: Path) -> bool:
    return path.name.lower().endswith(_PICTURES)


def _stem(path: Path) -> str:
    """The name without its ending."""
    return next(
        (path.name[: -len(end)] for end in (*_ENDINGS, *_PICTURES) if path.name.lower().endswith(end)), path.name
    )


def _words(stem: str) -> list[str]:
    return _WORD.findall(stem)


def _is_mask(words: list[str]) -> bool:
    return any(word.lower() in _MASK_WORDS for word in words)


def _without_roles(words: list[str]) -> list[str]:
    """The words that say neither image nor mask."""
    return [word for word in words if word.lower() not in _MASK_WORDS | _IMAGE_WORDS]


# --- files in one folder --------------------------------------------------------------------------------------------


def _place_flat(paths: list[Path], found: _Found) -> None:
    """`P01_ct.nii.gz`, `P01_ct_mask.nii.gz`: patient and image's name are told apart by what recurs.

    The folder a file lies in may say that it is a mask, or of which image.
    """
    kinds = {path: _kind_words(path.parent) if path.parent != found.folder else [] for path in paths}
    cores = {path: _without_roles(_words(_core(path))) for path in paths}
    recurring = _image_suffixes([tuple(words) for words in cores.values()])
    shared: list[tuple[str, Path]] = []
    for path, words in cores.items():
        if not words:
            found.refuse(path, "the name holds no patient")
            continue
        length = _suffix_length(words, recurring)
        of_folder = [word for word in kinds[path] if word in _MODALITIES]
        name = "_".join(dict.fromkeys([*of_folder, *(word.lower() for word in words[len(words) - length :])]))
        patient = _patient_text(_stem(path), words[: len(words) - length])
        if not _is_mask([*kinds[path], *_words(_stem(path))]):
            found.place(patient, f"image:{name or 'image'}", path)
        elif name:
            found.place(patient, f"mask:{name}", path)
        else:
            shared.append((patient, path))
    for patient, path in shared:
        _place_unnamed_mask(patient, path, found)


def _core(path: Path) -> str:
    """The name without its ending and without nnU-Net's number of the first channel."""
    return _CHANNEL.sub("", _stem(path))


def _image_suffixes(cores: list[tuple[str, ...]]) -> frozenset[str]:
    """Last words that recur with different patients before them: `ct` and `pet` in P01_ct, P01_pet, P02_ct."""
    before: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for words in cores:
        if len(words) > 1 and not words[-1].isdigit():
            before[words[-1].lower()].add(words[:-1])
    return frozenset(word for word, patients in before.items() if len(patients) > 1)


def _suffix_length(words: list[str], recurring: frozenset[str]) -> int:
    """How many words at the end name the image; at least one is left for the patient."""
    length = 0
    while length < len(words) - 1:
        word = words[-1 - length].lower()
        if word in _MODALITIES or (length == 0 and word in recurring):
            length += 1
        else:
            break
    return length


def _patient_text(stem: str, words: list[str]) -> str:
    """The patient as the file name writes it, signs between the words included."""
    if not words:
        return stem
    pattern = r"[^A-Za-z0-9]+".join(map(re.escape, words))
    match = re.search(pattern, stem)
    return match.group() if match else "_".join(words)


def _place_unnamed_mask(patient: str, path: Path, found: _Found) -> None:
    """A mask that names no image belongs to the patient's only image."""
    images = [column.partition(":")[2] for column in found.cells[patient] if column.startswith("image:")]
    lacking = [name for name in images if f"mask:{name}" not in found.cells[patient]]
    if len(lacking) == 1:
        found.place(patient, f"mask:{lacking[0]}", path)
    elif not images:
        found.refuse(path, f"patient {patient} has no image")
    else:
        found.refuse(
            path, f"patient {patient} has the images {', '.join(images)}; the name does not say which one is meant"
        )


# --- a folder for each patient --------------------------------------------------------------------------------------


def _place_patient(folder: Path, found: _Found) -> None:
    """Everything inside one patient's folder."""
    patient = folder.name
    volumes = _images(folder.rglob("*"))
    own = {word.lower() for word in _words(patient)}
    shared: list[Path] = []
    for path in volumes:
        inner = [*path.relative_to(folder).parent.parts, _stem(path)]
        words = [word for part in inner for word in _words(part)]
        name = "_".join(word.lower() for word in _without_roles(words) if word.lower() not in own)
        if not _is_mask(words):
            found.place(patient, f"image:{name or 'image'}", path)
        elif name:
            found.place(patient, f"mask:{name}", path)
        else:
            shared.append(path)
    series = list(_dicom_folders(folder))
    for path, modality, contours in series:
        name = _series_name(path, folder, own, modality)
        if modality not in _OUTLINES:
            found.place(patient, f"image:{name}", path)
        if len(contours) == 1:
            found.place(patient, f"mask:{name}", contours[0])
        for several in contours[1:] and contours:
            found.refuse(
                several, f"one of {len(contours)} RTSTRUCTs or segmentations in one folder; which one is meant?"
            )
    for path in shared:
        _place_unnamed_mask(patient, path, found)
    _pair_leftovers(patient, found)
    if not volumes and not series:
        found.refuse(folder, "holds no image that is read (NIfTI, NRRD, MHA, DICOM, PNG, JPG)")


def _pair_leftovers(patient: str, found: _Found) -> None:
    """One image without a mask and one mask without an image belong together, whatever they are called."""
    cells = found.cells[patient]
    images = [name for name in _names(cells, "image") if f"mask:{name}" not in cells]
    masks = [name for name in _names(cells, "mask") if f"image:{name}" not in cells]
    if len(images) == 1 and len(masks) == 1:
        cells[f"mask:{images[0]}"] = cells.pop(f"mask:{masks[0]}")


def _names(cells: dict[str, str], kind: str) -> list[str]:
    return [column.partition(":")[2] for column in cells if column.startswith(f"{kind}:")]


def _series_name(path: Path, folder: Path, own: set[str], modality: str) -> str:
    """The image's name from the folders on the way, or from the modality."""
    words = [word for part in path.relative_to(folder).parts for word in _words(part)]
    name = "_".join(word.lower() for word in _without_roles(words) if word.lower() not in own)
    return name or _MODALITY_NAMES.get(modality, "image" if modality in _OUTLINES else modality.lower())


def _dicom_folders(folder: Path) -> Iterator[tuple[Path, str, list[Path]]]:
    """Folders with DICOM files: the folder, its modality, and its outlines (RTSTRUCT or SEG)."""
    for path in [folder, *sorted(inner for inner in folder.rglob("*") if inner.is_dir())]:
        headers = [(file, header) for file in sorted(path.iterdir()) if (header := _modality(file)) is not None]
        contours = [file for file, modality in headers if modality in _OUTLINES]
        images = [modality for _, modality in headers if modality not in _OUTLINES]
        if headers:
            yield path, images[0] if images else _OUTLINES[0], contours


def _modality(path: Path) -> str | None:
    """The modality of a DICOM file; None if it is no DICOM file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return None
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        header: Any = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality"])
    except (InvalidDicomError, OSError, EOFError):
        return None
    return str(getattr(header, "Modality", "")) or "image"
