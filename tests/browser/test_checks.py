"""The measures themselves: each finds the fault that was put there, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from browser import checks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PAGE = """<!DOCTYPE html><html lang="en"><title>x</title><style>body {{ background: #fff; color: #000 }}</style><body>{}</body></html>"""


_STYLES = {
    "grey of 4.54": "color: #767676",
    "grey of 4.48": "color: #777777",
    "large grey": "color: #949494; font-size: 24px",
    "half ink": "color: rgb(0 0 0 / 50%)",
    "half opacity": "opacity: 0.5",
    "hidden": "color: #777777; display: none",
    "inverse": "color: #fff; background: #000",
}


def test_contrast(page: Page) -> None:
    """Text is judged by the ratios of WCAG AA, as it is mixed with what lies behind it; what is hidden is not judged."""
    page.set_content(_PAGE.format("".join(f'<p style="{style}">{name}</p>' for name, style in _STYLES.items())))
    assert [line.split('"')[1] for line in checks.low_contrast(page)] == ["grey of 4.48", "half ink", "half opacity"]


def test_overflow_names_the_element(page: Page) -> None:
    """A box of 500 px is too wide for a window of 360; one that scrolls inside its parent is not."""
    page.set_content(
        _PAGE.format(
            '<div id="wide" style="width: 500px">x</div><div style="overflow-x: auto"><p style="width: 900px">y</p></div>'
        )
    )
    assert [line.split(">")[0] for line in checks.overflow(page, 360)] == ['<div id="wide" class=""']


def test_no_overflow(page: Page) -> None:
    """A page that fits has nothing to name."""
    page.set_content(_PAGE.format("<p>fits</p>"))
    assert checks.overflow(page, 360) == []


def test_tab_stops(page: Page) -> None:
    """The keyboard visits what can be focused, in order, under the names people hear."""
    page.set_content(
        _PAGE.format('<label for="a">Age</label><input id="a"><button id="b">Go</button><button disabled>No</button>')
    )
    assert [(stop["id"], stop["name"], stop["ring"]) for stop in checks.tab_stops(page)] == [
        ("a", "Age", True),
        ("b", "Go", True),
    ]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<img src="http://192.0.2.1/x.png" alt="">', "asked for http://192.0.2.1/x.png"),
        ("<script>console.error('said')</script>", "console: said"),
        ("<script>throw new Error('thrown')</script>", "error: thrown"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="">', None),
    ],
)
def test_faults_are_noticed(browser: Browser, body: str, fault: str | None) -> None:
    """A wish for the network, an error on the console and an exception are each noted; data inside the page are no fault."""
    context = browser.new_context(offline=True)
    faults = checks.watch(context)
    context.new_page().set_content(_PAGE.format(body))
    context.close()
    assert faults[:1] == ([] if fault is None else [fault])
