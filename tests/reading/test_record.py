"""Answers are only ever added to, readers are apart until both have signed, and the consensus changes nobody's answers."""

import json

import pytest

from isthmus.errors import TableError
from isthmus.reading import ReadingRecord
from reading.forms import form

WHOLE = {"margin": "sharp", "organs": []}


@pytest.fixture
def record(tmp_path):
    return ReadingRecord(tmp_path / "reading", form())


def test_the_last_saving_counts(record):
    """A second saving replaces the first for whoever reads them back."""
    record.save("Anna", "P1", {"margin": "sharp"}, seconds=5)
    record.save("Anna", "P1", {"margin": "blurred", "why": "fat"}, seconds=7)
    found = record.own("Anna", "P1")
    assert (found.answers, found.version, found.seconds) == ({"margin": "blurred", "why": "fat"}, 2, 12)


def test_nothing_is_overwritten(record):
    """Every saving is a line of its own, the earlier ones as they were."""
    record.save("Anna", "P1", {"margin": "sharp"})
    before = next(record.folder.glob("*.jsonl")).read_bytes()
    record.save("Anna", "P1", {"margin": "blurred"})
    assert next(record.folder.glob("*.jsonl")).read_bytes().startswith(before)


def test_a_crash_in_the_middle_of_a_line_loses_only_that_line(record):
    """Half a line at the end is passed over, and the next saving stands on a line of its own."""
    record.save("Anna", "P1", {"margin": "sharp"})
    path = next(record.folder.glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b'{"case": "P2", "rea')
    record.save("Anna", "P3", {"margin": "sharp"})
    assert sorted(record.done("Anna")) == ["P1", "P3"]


def test_a_second_window_does_not_overwrite(record):
    """Answers made from an older saving are refused."""
    record.save("Anna", "P1", {"margin": "sharp"})
    record.save("Anna", "P1", {"margin": "blurred"}, version=1)
    with pytest.raises(TableError, match="another window"):
        record.save("Anna", "P1", {"margin": "sharp"}, version=1)


@pytest.mark.parametrize("name", ["../etc/passwd", "A/B", "..", "李医生", "a%2fb", "Dr. O'Neil"])
def test_a_name_is_a_name_and_no_path(record, name):
    """Whatever a reader is called, the file lies in the record's folder."""
    record.save(name, "P1", {"margin": "sharp"})
    assert [path.parent for path in record.folder.parent.rglob("*.jsonl")] == [record.folder]


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "Consensus"])
def test_a_name_that_cannot_be_is_refused(record, name):
    """No name, an endless one, or that of the consensus."""
    with pytest.raises(TableError, match="reader"):
        record.save(name, "P1", {})


def test_nothing_is_shown_before_two_have_signed(record):
    """With one signature the comparison stays shut."""
    record.save("Anna", "P1", WHOLE, signed=True)
    with pytest.raises(TableError, match="1 of 2 readers"):
        record.compare("P1", "Anna")


def test_nothing_is_shown_while_a_third_is_still_reading(record):
    """A draft of somebody keeps it shut, too."""
    for name in ("Anna", "Ben"):
        record.save(name, "P1", WHOLE, signed=True)
    record.save("Cleo", "P1", {"margin": "sharp"})
    with pytest.raises(TableError, match="Cleo has not signed"):
        record.compare("P1", "Anna")


def test_a_case_is_closed_once_it_was_compared(record):
    """Nobody comes round to what the other wrote."""
    _both(record)
    record.compare("P1", "Anna")
    with pytest.raises(TableError, match="closed"):
        record.save("Anna", "P1", WHOLE, signed=True)


def test_the_comparison_names_what_differs(record):
    """Only the question on which the two differ."""
    _both(record)
    assert record.compare("P1", "Anna").differ == ("organs",)


def test_the_consensus_leaves_the_answers_alone(record):
    """After a consensus both readers' answers are what they were."""
    _both(record)
    before = [record.own(name, "P1") for name in ("Anna", "Ben")]
    record.compare("P1", "Anna")
    record.agree("P1", {"margin": "sharp", "organs": ["larynx"]}, by=["Anna", "Ben"])
    assert [record.own(name, "P1") for name in ("Anna", "Ben")] == before


def test_a_consensus_needs_the_comparison(record):
    """Without having compared nobody can agree."""
    _both(record)
    with pytest.raises(TableError, match="not open"):
        record.agree("P1", WHOLE, by=["Anna", "Ben"])


def test_who_opened_the_comparison_is_written_down(record):
    """The first line of the consensus says who looked, and when."""
    _both(record)
    record.compare("P1", "Ben")
    first = json.loads((record.folder / "consensus.jsonl").read_text().splitlines()[0])
    assert (first["opened"], first["case"]) == ("Ben", "P1")


def _both(record):
    record.save("Anna", "P1", {"margin": "sharp", "organs": []}, signed=True)
    record.save("Ben", "P1", {"margin": "sharp", "organs": ["larynx"]}, signed=True)
