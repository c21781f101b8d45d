"""A part of the page that belongs to a published study."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.report.tables._view import View

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """A heading, sentences, a list, a figure by name with its caption, and a table; each may be missing.

    `who` says of whom a figure is, where it is not of all patients analysed.
    """

    heading: str = ""
    text: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    figure: str = ""
    caption: str = ""
    view: View | None = None
    who: str = ""
