"""Every attribute of the basic profile, planted and looked for: top level and within a sequence."""

from __future__ import annotations

import copy
from typing import Any

import pydicom
import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from isthmus.cohort.deidentify import Secret, Settings
from isthmus.cohort.deidentify.dataset import Identity, deidentify_dataset
from isthmus.cohort.deidentify.profile import table

WORD, NUMBER = "QZPLANTED", 4711
VALUES: dict[str, Any] = {
    "DA": "20240517", "DT": "20240517101112", "TM": "101112", "UI": "1.2.3.4.5", "AS": "061Y", "IS": str(NUMBER), "DS": str(NUMBER),
    "PN": "QXNAME^Y", "AT": 0x00104711,
}  # fmt: skip
NUMBERS, BYTES = ("FD", "FL", "US", "SS", "UL", "SL", "UV", "SV"), ("OB", "OW", "OF", "OD", "OL", "OV", "UN")
REFERENCES = ("ReferencedImageSequence", "SourceImageSequence")
"""X/Z/U*: their items stay, with other UIDs."""


def planted(kind: str) -> Any:
    """A value of a kind that is easy to find again."""
    if kind in BYTES:
        return WORD.encode().ljust(16)
    return NUMBER if kind in NUMBERS else VALUES.get(kind, WORD)


def item() -> Dataset:
    """A code and what says who: as in the sequences that name persons and institutions."""
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning, one.NumericValue = WORD, "99QZ", WORD, str(NUMBER)
    return one


def whole_table() -> Dataset:
    """A file that holds every attribute of the table that is known to pydicom."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, "1.2.3.9"
    for tag in table():
        if tag >> 16 >= 8 and dictionary_has_tag(tag):
            kind = dictionary_VR(tag).split(" or ")[0]
            data.add_new(tag, kind, [item()] if kind == "SQ" else planted(kind))
    return data


@pytest.fixture(scope="module")
def both() -> tuple[Dataset, Dataset]:
    """Before and after, with no option that keeps anything."""
    data = whole_table()
    data.private_block(0x0011, "MAKER", create=True).add_new(1, "LO", WORD)
    before = copy.deepcopy(data)
    deidentify_dataset(
        data, Identity("original", "P-1", -10), Secret(bytes(32)), Settings(dates="remove"), pixels=False
    )
    return before, data


def test_most_of_the_table_is_tried(both: tuple[Dataset, Dataset]) -> None:
    """pydicom's dictionary may be older than the table by some attributes, not by many."""
    assert len(both[0]) > 600


def test_nothing_planted_is_left(both: tuple[Dataset, Dataset]) -> None:
    """Of no attribute, nor of any item of a sequence but the two of references, is the value what it was."""
    left = [
        element.keyword
        for element in both[1]
        if element.keyword not in REFERENCES and element.VR != "SQ" and element.value == planted(element.VR)
    ]
    left += [
        f"{element.keyword}.{part.keyword}"
        for element in both[1]
        if element.VR == "SQ" and element.keyword not in (*REFERENCES, "DeidentificationMethodCodeSequence")
        for one in element.value
        for part in one
        if WORD in str(part.value) or str(NUMBER) in str(part.value) or part.value == "99QZ"
    ]
    assert left == []


@pytest.mark.parametrize("stated", ["X", "Z", "D", "U"])
def test_the_action_is_the_stated_one(both: tuple[Dataset, Dataset], stated: str) -> None:
    """X: gone, or empty where its words are cleaned. D and U: another value, never none. Z: none or another."""
    before, after = both
    fine = {"X": ("gone", "empty"), "Z": ("gone", "empty", "other"), "D": ("other",), "U": ("other",)}[stated]
    wrong = {}
    for tag, action in table().items():
        if action == stated and tag in before and dictionary_VR(tag) != "SQ":
            done = "gone" if tag not in after else "empty" if after[tag].value in ("", None, b"", []) else "other"
            if done not in fine:
                wrong[pydicom.datadict.keyword_for_tag(tag)] = done
    assert wrong == {}


def test_a_shifted_file_keeps_no_date() -> None:
    """With dates shifted, all dates of the table move together, GPS's go, and the birth date goes."""
    data = whole_table()
    deidentify_dataset(data, Identity("original", "P-1", -10), Secret(bytes(32)), Settings(dates="shift"), pixels=False)
    assert {str(element.value)[:8] for element in data if element.VR in ("DA", "DT") and element.value} <= {"20240507"}
    assert not data.PatientBirthDate
    assert "GPSDateStamp" not in data
