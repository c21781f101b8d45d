"""One DICOM dataset without what says whose it is: the profile applied to every element, at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from isthmus import __version__
from isthmus.cohort.deidentify.profile import action_of, codes, is_safe_private, must_hold
from isthmus.cohort.deidentify.secret import Secret
from isthmus.cohort.deidentify.settings import Settings
from isthmus.errors import ImageReadError
from isthmus.image.io.words import clean

__all__ = ["Change", "Identity", "deidentify_dataset", "identity_of", "refusal"]

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
OLDEST_STATED = 89  # years; above, "90 or more"

_DUMMY_TEXT = "REMOVED"
_DUMMIES = {"DA": "19000101", "DT": "19000101000000", "TM": "000000", "AS": "000D", "UI": "", "PN": _DUMMY_TEXT}
_DONE = {
    "empty": "emptied", "uid": "another UID", "date": "shifted", "clean": "words removed", "age": "above 89", "dummy": "dummy",
}  # fmt: skip
_NUMBERS = ("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL", "SV", "UV")
_BYTES = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
_NAMING = (
    "PatientID",
    "AccessionNumber",
    "OtherPatientIDs",
    "MedicalRecordLocator",
    "PatientBirthDate",
    "StudyID",
    "AdmissionID",
)
_TEXT = ("LO", "SH", "CS", "AE", "UC", "PN", "LT", "ST", "UT")
_SHORTEST_NAME, _SHORTEST_NUMBER = 3, 5


class Change(NamedTuple):
    """What happened to one attribute of a file; never its value."""

    attribute: str
    tag: str
    action: str


class Identity(NamedTuple):
    """Whose file it is: the original identifier, the pseudonym that takes its place, the shift of his dates."""

    original: str
    pseudonym: str
    shift_days: int


def identity_of(data: Any) -> str:
    """What tells the patient of a dataset apart: PatientID, else the name, else the study."""
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
        text = str(data.get(keyword, "") or "").strip()
        if text:
            return text
    raise ImageReadError("no PatientID, PatientName or StudyInstanceUID: nothing says whose it is")


def refusal(data: Any) -> str:
    """Why a dataset is not passed on; empty where it is."""
    kind = data.get("SOPClassUID")
    name = getattr(kind, "name", None) or "a DICOM file without a class"
    if kind == RTSTRUCT or any(keyword in data for keyword in PIXELS):
        return ""
    if name.endswith("Image Storage"):
        return f"{name}: an image without pixels: cut short? Copy it again"
    return f"{name}: holds text, documents or signals that cannot be cleaned safely; images, segmentations and RTSTRUCT are passed on"


def deidentify_dataset(
    data: Any, identity: Identity, secret: Secret, settings: Settings, *, pixels: bool
) -> list[Change]:
    """Change a dataset in place.

    Parameters
    ----------
    data : pydicom.Dataset
    identity : Identity
    secret : Secret
    settings : Settings
    pixels : bool
        Were its pixels looked through for writing (and masked)?

    Returns
    -------
    list of Change
        One for each attribute that was touched, sequences as `Sequence.Attribute`, in the order of the file.
    """
    known = _identifiers(data)
    changes: dict[Change, None] = {}
    overlay = any(element.tag.group >> 8 == 0x60 for element in data)
    _clean_level(data, "", identity, secret, settings, changes)
    _search_again(data, "", known, changes)
    _number_rois(data)
    if overlay:
        _clear_unused_bits(data)
    _write_what_was_done(data, identity, settings, pixels=pixels)
    _clean_meta(data)
    return list(changes)


def _clean_level(
    data: Any,
    place: str,
    identity: Identity,
    secret: Secret,
    settings: Settings,
    changes: dict[Change, None],
    *,
    dummies: bool = False,
) -> None:
    """One level of sequences, and those below; `dummies`: within a sequence that the profile replaces, no value stays."""
    for tag in list(data.keys()):
        element = data[tag]
        if tag.is_private:
            if not (tag.is_private_creator and _any_safe(data, tag)) and not is_safe_private(element):
                changes[Change(f"{place}private", f"({tag.group:04X},{tag.element:04X})", "removed")] = None
                del data[tag]
            continue
        action = action_of(element, settings)
        if element.VR == "SQ" and action not in ("remove", "empty"):
            below = dummies or action == "dummy"
            for item in element.value:
                _clean_level(item, f"{place}{element.keyword}.", identity, secret, settings, changes, dummies=below)
            continue
        if dummies and action != "remove":
            action = "dummy"
        before = None if element.VR in _BYTES else str(element.value)
        done = _act(data, element, action, identity, secret)
        if done and (before is None or tag not in data or str(data[tag].value) != before):
            name = f"{place}{element.keyword or 'unknown'}"
            changes[Change(name, f"({tag.group:04X},{tag.element:04X})", done)] = None


def _any_safe(data: Any, creator: Any) -> bool:
    """Does a private creator own an element that stays?"""
    block = creator.element
    return any(
        tag.is_private and not tag.is_private_creator and tag.group == creator.group and tag.element >> 8 == block and
        is_safe_private(data[tag])
        for tag in list(data.keys())
    )  # fmt: skip


def _act(data: Any, element: Any, action: str, identity: Identity, secret: Secret) -> str:
    """Apply one action; what was done, in a word, empty for nothing."""
    if action == "remove":
        del data[element.tag]
        return "removed"
    if action == "keep" or element.VM == 0 or element.value in ("", None):
        return ""
    if action == "identity" or element.keyword == "PatientName":
        element.value = identity.pseudonym
        return "pseudonym"
    if action == "uid" and element.VR != "UI":
        action = "dummy"
    elif action == "dummy" and element.VR == "UI":
        action = "uid"  # another UID is the dummy of one
    changes: dict[str, Callable[[Any], Any]] = {
        "empty": lambda value: [] if element.VR == "SQ" else _nothing(element.VR),
        "uid": lambda value: _each(value, lambda uid: uid if _registered(uid) else secret.uid(str(uid))),
        "date": lambda value: _each(value, lambda one: _shifted(str(one), element.VR, identity.shift_days)),
        "clean": lambda value: _each(
            value, lambda text: clean(str(text)) or (_DUMMY_TEXT if must_hold(element) else "")
        ),
        "age": lambda value: _stated_age(str(value)),
        "dummy": lambda value: _dummy(element.VR),
    }
    element.value = changes[action](element.value)
    return _DONE[action]


def _nothing(kind: str) -> Any:
    return b"" if kind in _BYTES else (None if kind in _NUMBERS else "")


def _dummy(kind: str) -> Any:
    if kind in _BYTES:
        return b"\0\0"
    return 0 if kind in (*_NUMBERS, "AT") else _DUMMIES.get(kind, _DUMMY_TEXT)


def _each(value: Any, change: Any) -> Any:
    from pydicom.multival import MultiValue

    return [change(one) for one in value] if isinstance(value, (MultiValue, list)) else change(value)


def _registered(uid: Any) -> bool:
    """A UID of the standard itself: a class of objects, a transfer syntax, a coding scheme, a frame of reference of an atlas."""
    from pydicom._uid_dict import UID_dictionary

    return not str(uid) or str(uid) in UID_dictionary or str(uid).startswith("1.2.840.10008.")


def _shifted(text: str, kind: str, days: int) -> str:
    """A date some days earlier; empty where it is no whole date. A time of day stays."""
    if kind == "TM":
        return text
    digits = re.match(r"(\d{4})[.]?(\d{2})[.]?(\d{2})", text.strip())
    if digits is None:
        return ""
    try:
        moved = datetime(int(digits[1]), int(digits[2]), int(digits[3])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    rest = text.strip()[digits.end() :] if kind == "DT" else ""
    return f"{moved:%Y%m%d}{rest}" if moved.year >= 1000 else ""


def _stated_age(text: str) -> str:
    years = re.fullmatch(r"(\d{3})Y", text.strip())
    return "090Y" if years and int(years[1]) > OLDEST_STATED else text


def _identifiers(data: Any) -> list[re.Pattern[str]]:
    """Names and numbers of this patient, and of anybody else a name was given of, to be looked for in what is left."""
    found: set[str] = set()
    for element in _all(data):
        if element.VR == "PN":
            for part in re.split(r"[\^=\s,\\]+", str(element.value or "")):
                if len(part) >= _SHORTEST_NAME:
                    found.add(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])")
        elif element.keyword in _NAMING:
            for text in str(element.value or "").split("\\"):
                if len(text.strip()) >= _SHORTEST_NUMBER:
                    found.add(re.escape(text.strip()))
    return [re.compile(pattern, re.IGNORECASE) for pattern in sorted(found)]


def _all(data: Any) -> Iterator[Any]:
    for element in data:
        if element.VR == "SQ":
            for item in element.value:
                yield from _all(item)
        else:
            yield element


def _search_again(data: Any, place: str, known: list[re.Pattern[str]], changes: dict[Change, None]) -> None:
    """Whatever still says a name or number of the patient goes, wherever it stands: headers are filled in by hand."""
    for tag in list(data.keys()):
        element = data[tag]
        if element.VR == "SQ":
            for item in element.value:
                _search_again(item, f"{place}{element.keyword}.", known, changes)
        elif element.VR in _TEXT and any(pattern.search(str(element.value or "")) for pattern in known):
            element.value = ""
            changes[
                Change(
                    f"{place}{element.keyword}",
                    f"({tag.group:04X},{tag.element:04X})",
                    "said the patient's name or number",
                )
            ] = None


def _number_rois(data: Any) -> None:
    """Every ROI and segment keeps a name of its own."""
    for sequence, number, name in (
        ("StructureSetROISequence", "ROINumber", "ROIName"),
        ("SegmentSequence", "SegmentNumber", "SegmentLabel"),
    ):
        taken: set[str] = set()
        for item in data.get(sequence) or []:
            text = str(item.get(name, "") or "").strip()
            if not text or text in taken:
                text = f"{text or ('ROI' if name == 'ROIName' else 'segment')} {item.get(number, len(taken) + 1)}"
                setattr(item, name, text)
            taken.add(text)


def _clear_unused_bits(data: Any) -> None:
    """Overlays of old files lie in the bits that the pixels leave free."""
    import numpy as np

    stored, allocated = int(data.get("BitsStored", 0)), int(data.get("BitsAllocated", 0))
    if (
        allocated not in (8, 16)
        or stored >= allocated
        or data.file_meta.TransferSyntaxUID.is_compressed
        or "PixelData" not in data
    ):
        return
    signed = int(data.get("PixelRepresentation", 0))
    words = np.frombuffer(data.PixelData, dtype=np.dtype(f"u{allocated // 8}")).copy()
    free = allocated - stored
    words = (words << free).view(f"i{allocated // 8}") >> free if signed else (words << free) >> free
    data.PixelData = words.tobytes()


def _write_what_was_done(data: Any, identity: Identity, settings: Settings, *, pixels: bool) -> None:
    from pydicom.dataset import Dataset

    data.PatientID = identity.pseudonym
    data.PatientName = identity.pseudonym
    data.PatientBirthDate = ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = f"Isthmus {__version__}"
    data.DeidentificationMethodCodeSequence = []
    for code, meaning in codes(settings, pixels=pixels):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", meaning
        data.DeidentificationMethodCodeSequence.append(item)
    data.LongitudinalTemporalInformationModified = "MODIFIED" if settings.dates == "shift" else "REMOVED"


def _clean_meta(data: Any) -> None:
    """The file's own header: the instance's new UID, no stations, an empty preamble."""
    meta = data.file_meta
    for tag in list(meta.keys()):
        if tag.element >= 0x0012:  # who wrote, sent and received it, private information
            del meta[tag]
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.preamble = bytes(128)
