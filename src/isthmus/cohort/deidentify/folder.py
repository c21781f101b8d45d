"""A folder of images copied without identities: every file is cleaned and passed on, or refused with a reason; none is changed, none
overwritten."""

from __future__ import annotations

import csv
import logging
import re
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.cohort.deidentify.dataset import Change, Identity, deidentify_dataset, identity_of, refusal
from isthmus.cohort.deidentify.headers import cleaner
from isthmus.cohort.deidentify.pixels import is_looked_at, mask_dicom, write_preview
from isthmus.cohort.deidentify.secret import Secret
from isthmus.cohort.deidentify.settings import Settings
from isthmus.errors import ImageReadError, PrivacyError
from isthmus.image.io.words import clean

__all__ = ["Outcome", "deidentify"]

log = logging.getLogger("isthmus")

REPORT = "deidentified.csv"
PREVIEWS = "previews"


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Parameters
    ----------
    written : list of Path
        The new files.
    refused : list of (Path, str)
        Files that were not passed on, by their old names, and why.
    patients : set of str
        Pseudonyms.
    previews : list of Path
        Pictures of the results of masking, to be looked at.
    """

    written: list[Path] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    patients: set[str] = field(default_factory=set)
    previews: list[Path] = field(default_factory=list)


def deidentify(
    source: str | Path,
    out: str | Path,
    *,
    secret: str | Path,
    settings: Settings | None = None,
    patients: str | Path | None = None,
    links: str | Path | None = None,
) -> Outcome:
    """Copy a folder (or one file) without what says whose the images are.

    Parameters
    ----------
    source : path
        DICOM (images, SEG, RTSTRUCT), NIfTI, NRRD, MetaImage, pictures, in any folders.
    out : path
        A new or empty folder. It gets a folder for each patient, `previews/` and `deidentified.csv`: which attribute of which file was
        removed or
        changed, never its value.
    secret : path
        A file with the secret behind pseudonyms, UIDs and shifts; made where it is absent. Whoever has it can link old and new: it stays
        where the originals are.
    settings : Settings, optional
    patients : path, optional
        A table (.csv) `original, pseudonym`; files of patients who are not in it are refused.
    links : path, optional
        A new table (.csv) of old and new files and of what was refused; it stays where the originals are.

    Returns
    -------
    Outcome

    Raises
    ------
    PrivacyError
        `out` is not empty, or holds or lies in `source`; secret or links lie in `out`; a wrong table of pseudonyms.
    """
    source, out = Path(source), Path(out)
    keep_out = [Path(path) for path in (secret, links) if path is not None]
    _check_places(source, out, keep_out, None if links is None else Path(links))
    work = _Work(
        source,
        out,
        Secret.of_file(Path(secret)),
        settings or Settings(),
        None if patients is None else _pseudonyms(Path(patients)),
    )
    files = [source] if source.is_file() else sorted(file for file in source.rglob("*") if file.is_file())
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        report = _written(open_files, out / REPORT, "file", "attribute", "tag", "action")
        linked = None if links is None else _written(open_files, Path(links), "original", "file")
        for file in files:
            try:
                new, changes = work.one(file)
            except ImageReadError as error:
                work.outcome.refused.append((file, error.reason))
                report.writerow([f"refused {len(work.outcome.refused)}", "", "", _without_path(error.reason, file)])
                if linked:
                    linked.writerow([str(file), f"refused: {error.reason}"])
                continue
            name = new.relative_to(out).as_posix()
            report.writerows([name, *change] for change in changes or [Change("", "", "nothing to remove")])
            if linked:
                linked.writerow([str(file), name])
    return work.outcome


def _written(open_files: ExitStack, path: Path, *header: str) -> Any:
    """A new table, written as it grows: what stops the work half way leaves what was done on record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = csv.writer(open_files.enter_context(path.open("x", newline="", encoding="utf-8", buffering=1)))
    table.writerow(header)
    return table


def _check_places(source: Path, out: Path, keep_out: list[Path], links: Path | None) -> None:
    if not source.exists():
        raise PrivacyError(f"{source}: no such file or folder")
    here, there = source.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise PrivacyError(f"{out}: the copy and its originals ({source}) lie in one another. Name a folder elsewhere")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PrivacyError(f"{out}: exists and is not empty; nothing is ever overwritten. Name a new folder")
    for path in keep_out:
        if there in path.resolve().parents:
            raise PrivacyError(
                f"{path}: would lie in the folder that is passed on, and it leads back to the patients. Keep it elsewhere"
            )
    if links is not None and links.exists():
        raise PrivacyError(f"{links}: exists; nothing is ever overwritten. Name a new file")


def _pseudonyms(path: Path) -> dict[str, str]:
    """The table of pseudonyms, one to one."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise PrivacyError(
            f"{path}: cannot be read as a table ({type(error).__name__}); original, pseudonym were expected"
        ) from error
    missing = {"original", "pseudonym"} - set(table.columns)
    if missing:
        raise PrivacyError(
            f"{path}: no column {', '.join(sorted(missing))}; original and pseudonym were expected (came: {', '.join(table.columns)})"
        )
    originals, names = table["original"].str.strip(), table["pseudonym"].str.strip()
    for column, values in (("original", originals), ("pseudonym", names)):
        twice = values[values.duplicated()]
        if len(twice) or (values == "").any():
            row = int(twice.index[0]) + 2 if len(twice) else int((values == "").to_numpy().argmax()) + 2
            raise PrivacyError(
                f"{path}: line {row}: the {column} is {'there twice' if len(twice) else 'empty'}; each must be given once"
            )
    wrong = [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name)]
    if wrong:
        raise PrivacyError(
            f"{path}: pseudonym {wrong[0]!r}; letters, digits, '-', '_' and '.' were expected, for it names a folder"
        )
    return dict(zip(originals, names, strict=True))


def _without_path(reason: str, file: Path) -> str:
    """A reason without old names of files and folders."""
    return reason.replace(str(file), "the file").replace(file.name, "the file")


class _Work:
    """What all files share."""

    def __init__(
        self, source: Path, out: Path, secret: Secret, settings: Settings, pseudonyms: dict[str, str] | None
    ) -> None:
        self.source, self.out = source, out
        self.secret, self.settings, self.pseudonyms = secret, settings, pseudonyms
        self.outcome = Outcome()

    def one(self, file: Path) -> tuple[Path, list[Change]]:
        """One file cleaned and written: its new place, and what was changed."""
        by_name = cleaner(file)
        try:
            return self._dicom(file) if by_name is None else self._file(file, *by_name)
        except (ImageReadError, OSError):
            raise
        except Exception as error:  # whatever a library makes of one file: the others go on, and this one stays here
            log.debug("%s", file, exc_info=True)
            raise ImageReadError(f"it cannot be cleaned ({type(error).__name__}: {error}): damaged?") from error

    def _identity(self, original: str) -> Identity:
        if self.pseudonyms is None:
            name = self.secret.pseudonym(original)
        elif original in self.pseudonyms:
            name = self.pseudonyms[original]
        else:
            raise ImageReadError("its patient is not in the table of pseudonyms")
        return Identity(original, name, self.secret.shift_days(original))

    def _dicom(self, file: Path) -> tuple[Path, list[Change]]:
        import pydicom
        from pydicom.errors import InvalidDicomError

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom comments on odd values; most of them go
            try:
                data = pydicom.dcmread(file)
                for _ in data.iterall():
                    pass  # a damaged value raises here, before anything is written
            except InvalidDicomError as error:
                raise ImageReadError("no image that is known here; only images are passed on") from error
            except Exception as error:  # damaged files make pydicom raise nearly anything
                raise ImageReadError(f"its DICOM header cannot be read ({type(error).__name__}): truncated?") from error
            reason = refusal(data)
            if reason:
                raise ImageReadError(reason)
            try:
                return self._cleaned(data)
            except ImageReadError:
                raise
            except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError) as error:
                raise ImageReadError(
                    f"its DICOM header cannot be cleaned ({type(error).__name__}): damaged?"
                ) from error

    def _cleaned(self, data: Any) -> tuple[Path, list[Change]]:
        identity = self._identity(identity_of(data))
        looked = is_looked_at(data, self.settings)
        boxes, shown = mask_dicom(data) if looked else ([], None)
        instance = str(data.SOPInstanceUID)
        name = f"{data.get('Modality', 'XX') or 'XX'}-{self.secret.short(str(data.get('SeriesInstanceUID', '')))}"
        changes = deidentify_dataset(data, identity, self.secret, self.settings, pixels=looked)
        place = self._place(identity, f"{name}/{self.secret.short(instance, 16)}.dcm")
        place.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(place, enforce_file_format=True, overwrite=False)
        changes += self._masked(boxes, shown, place)
        return self._done(identity, place), changes

    def _file(self, file: Path, clean_file: Any, ending: str) -> tuple[Path, list[Change]]:
        folders = file.relative_to(self.source).parts if self.source.is_dir() else (file.name,)
        stem = re.sub(r"(\.nii\.gz|\.[^.]+)$", "", folders[-1], flags=re.IGNORECASE)
        identity = self._identity(folders[0] if len(folders) > 1 else self._owner(stem))
        new, gone, looked = clean_file(file, self.settings)
        parts = [clean(part) or self.secret.short(part) for part in folders[1:-1]]
        known = clean(stem if len(folders) > 1 else stem.removeprefix(self._owner(stem)).strip("_-. "))
        place = self._place(identity, "/".join([*parts, (known or self.secret.short(stem)) + ending]))
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as stream:
            stream.write(new)
        changes = [Change(name, "", "removed") for name in gone]
        if looked is not None:
            changes += self._masked(looked[1], looked[0], place)
        return self._done(identity, place), changes

    def _owner(self, stem: str) -> str:
        """The patient of a file that lies in no folder: its name up to the first word that says what it is."""
        for found in re.finditer(r"[_\-. ]+", stem):
            if found.start() and clean(stem[found.end() :]) == stem[found.end() :]:
                return stem[: found.start()]
        return stem

    def _place(self, identity: Identity, name: str) -> Path:
        place = self.out / identity.pseudonym / name
        if place.exists():
            raise ImageReadError(
                f"another file became {place.relative_to(self.out).as_posix()} already: a copy, or "
                "one that differs only in words that were removed"
            )
        return place

    def _masked(self, boxes: list[Any], shown: Any, place: Path) -> list[Change]:
        if shown is None:
            return []
        preview = self.out / PREVIEWS / place.relative_to(self.out).with_suffix(".png")
        write_preview(shown, boxes, preview)
        self.outcome.previews.append(preview)
        return [
            Change("pixels", "", f"masked rows {b.top}-{b.bottom - 1}, columns {b.left}-{b.right - 1}") for b in boxes
        ]

    def _done(self, identity: Identity, place: Path) -> Path:
        self.outcome.written.append(place)
        self.outcome.patients.add(identity.pseudonym)
        return place
