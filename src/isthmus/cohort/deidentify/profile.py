"""The basic application level confidentiality profile of DICOM (PS3.15, table E.1-1, edition 2026c) and the options taken with it.

The table holds an action for each attribute: D a dummy value, Z empty or a dummy, X gone, U another UID; where the standard lets the kind
of object decide (`X/Z/D`)
the action that every kind of object allows is taken: a dummy before emptiness before removal. All beyond the table is decided by the
kind of value, on the safe side (`action_of`).
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from isthmus.cohort.deidentify.settings import Settings

__all__ = [
    "BIRTH",
    "CLEANED",
    "SAFE_PRIVATE",
    "TIMES",
    "Action",
    "action_of",
    "codes",
    "is_safe_private",
    "must_hold",
    "table",
]

Action = Literal["keep", "remove", "empty", "dummy", "uid", "clean", "date", "identity", "age"]

TIMES = ("DA", "DT", "TM")
FREE_TEXT = ("LT", "ST", "UT", "UR")
BIRTH = frozenset({"PatientBirthDate", "PatientBirthTime", "PatientBirthDateInAlternativeCalendar"})

# Clean Descriptors Option: the words of these are kept where a list of technical and anatomical words knows them (`words`).
CLEANED = frozenset(
    {
        "SeriesDescription", "StudyDescription", "ProtocolName", "ContrastBolusAgent", "StructureSetLabel", "ROIName",
        "ROIObservationLabel", "SegmentLabel", "SegmentDescription", "BodyPartExamined", "SequenceName", "AcquisitionProtocolName",
        "PerformedProcedureStepDescription", "Radiopharmaceutical",
    }
)  # fmt: skip
PATIENT = frozenset({"PatientSex", "PatientSize", "PatientWeight"})
DEVICE = frozenset(
    {"DeviceSerialNumber", "StationName", "GantryID", "DetectorID", "CassetteID", "PlateID", "GeneratorID", "DeviceDescription"}
)  # fmt: skip

# Retain Safe Private Option (PS3.15, table E.3.10-1), those of its attributes that a measurement needs: creator, group, element.
SAFE_PRIVATE = frozenset(
    {
        ("Philips PET Private Group", 0x7053, 0x00),  # SUV factor
        ("Philips PET Private Group", 0x7053, 0x09),  # activity concentration factor
        ("GEMS_ACQU_01", 0x0019, 0x23),  # table speed
        ("GEMS_ACQU_01", 0x0019, 0x27),  # rotation speed
        ("GEMS_PARM_01", 0x0043, 0x27),  # pitch
        ("GEMS_PARM_01", 0x0043, 0x39),  # b-value
        ("SIEMENS MR HEADER", 0x0019, 0x0C),  # b-value
        ("SIEMENS MR HEADER", 0x0019, 0x0E),  # direction of the diffusion gradient
        ("SIEMENS MR HEADER", 0x0019, 0x27),  # b-matrix
        ("Philips Imaging DD 001", 0x2001, 0x03),  # b-value
    }
)
_NUMBERS = ("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL")


@cache
def table() -> dict[int, str]:
    """Action of each attribute, as the standard writes it, by tag."""
    lines = files("isthmus.cohort.deidentify").joinpath("basic_profile.csv").read_text(encoding="utf-8").splitlines()
    return {int(row["tag"], 16): row["action"] for row in csv.DictReader(lines)}


def action_of(element: Any, settings: Settings) -> Action:
    """What becomes of one public element of a dataset."""
    keyword, kind = element.keyword, element.VR
    stated = table().get(int(element.tag), "")
    if element.tag.group >> 8 in (0x50, 0x60) or not keyword:
        return "remove"  # curves, overlays, and what no edition of the standard known here names
    special = _special(keyword, settings)
    if special is not None:
        return special
    if (
        kind in TIMES
        and keyword not in BIRTH
        and not keyword.startswith("GPS")
        and (settings.dates == "shift" or not stated)
    ):
        return "date" if settings.dates == "shift" else "dummy"
    return _simplest(stated) if stated else _by_kind(kind)


def must_hold(element: Any) -> bool:
    """Must an attribute hold a value, whatever the kind of object?"""
    return table().get(int(element.tag), "") == "D"


def _special(keyword: str, settings: Settings) -> Action | None:
    """What the options and the pseudonym decide, whatever the table says."""
    if keyword == "PatientID":
        return "identity"
    if keyword in CLEANED:
        return "clean"
    if "patient" in settings.keep and keyword == "PatientAge":
        return "age"
    kept = ("patient" in settings.keep and keyword in PATIENT) or ("device" in settings.keep and keyword in DEVICE)
    return "keep" if kept else None


def _simplest(stated: str) -> Action:
    """The standard's action, the most cautious that every kind of object allows where it names several."""
    if "U" in stated:
        return "uid"
    if "D" in stated:
        return "dummy"
    return "empty" if "Z" in stated else "remove"


def _by_kind(kind: str) -> Action:
    """Beyond the table: names go, UIDs change, free text goes."""
    if kind == "PN":
        return "empty"
    if kind == "UI":
        return "uid"
    return "remove" if kind in FREE_TEXT or kind == "UN" else "keep"


def is_safe_private(element: Any) -> bool:
    """A private element of the safe list, and a number."""
    creator = str(getattr(element, "private_creator", "") or "").strip()
    return (creator, element.tag.group, element.tag.element & 0xFF) in SAFE_PRIVATE and element.VR in _NUMBERS


def codes(settings: Settings, *, pixels: bool) -> list[tuple[str, str]]:
    """DeidentificationMethodCodeSequence (context group 7050): code and meaning of what was done to a file."""
    done = [("113100", "Basic Application Confidentiality Profile")]
    if pixels:
        done.append(("113101", "Clean Pixel Data Option"))
    done.append(("113105", "Clean Descriptors Option"))
    if settings.dates == "shift":
        done.append(("113107", "Retain Longitudinal Temporal Information Modified Dates Option"))
    if "patient" in settings.keep:
        done.append(("113108", "Retain Patient Characteristics Option"))
    if "device" in settings.keep:
        done.append(("113109", "Retain Device Identity Option"))
    return [*done, ("113111", "Retain Safe Private Option")]
