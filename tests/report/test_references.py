"""The bibliography."""

from __future__ import annotations

import pytest

from isthmus.errors import IsthmusError
from isthmus.report.references import bibtex, parse, reference, references, text


def test_every_entry_is_read() -> None:
    """All entries of references.bib parse with their required fields; none is lost on the way back to BibTeX."""
    assert parse(bibtex(references())) == dict(references())


def test_a_key_twice_is_an_error() -> None:
    """Keys are unique."""
    entry = "@book{a,\n  author = {A},\n  title = {T},\n  publisher = {P},\n  year = {1999},\n}\n"
    with pytest.raises(IsthmusError, match="twice"):
        parse(entry + entry)


def test_a_missing_field_is_an_error() -> None:
    """A book without a year is not taken."""
    with pytest.raises(IsthmusError, match="has no year"):
        parse("@book{a,\n  author = {A},\n  title = {T},\n  publisher = {P},\n}\n")


def test_what_is_no_entry_is_an_error() -> None:
    """A broken entry does not vanish."""
    with pytest.raises(IsthmusError, match="no entry"):
        parse("@book{a, author = {A}}\n")


def test_an_unknown_key_is_an_error() -> None:
    """Nothing can be cited that is not there."""
    with pytest.raises(IsthmusError, match=r"no 'nobody1999'"):
        reference("nobody1999")


def test_a_reference_in_print() -> None:
    """Vancouver style, as the paper itself is cited."""
    assert text(reference("delong1988")) == (
        "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating "
        "characteristic curves: a nonparametric approach. Biometrics. 1988;44:837-845. doi:10.2307/2531595"
    )


def test_years_agree_with_keys() -> None:
    """A key ends in the year of its entry."""
    wrong = [k for k, one in references().items() if "year" in one.fields and one.fields["year"] not in k]
    assert wrong == []
