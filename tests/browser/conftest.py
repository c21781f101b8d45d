"""Pages in a real browser: the system's Chromium, driven by Playwright; nothing is downloaded and nothing may be.

A test takes the fixture `page` (Playwright's `Page`) and opens a file with `page.goto(path.as_uri())`. The test fails when the page
reports an error on its console, throws, or asks for anything that is not `file:` or `data:`. What a page must keep is measured by
`browser.checks`: contrast, overflow, the way of the keyboard.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from browser.checks import watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = ["--no-sandbox", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a browser is marked `browser`."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


# One browser for all tests of this folder, and gone before those of the next: while Playwright runs, no other event loop can start.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's browser, without a window; where there is none the tests are skipped (in CI there must be one)."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        reason = f"no browser: none of {', '.join(_NAMES)} is on the path"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs the browser tests; {reason}")
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of its own (no cookies, 1440 x 900, light); at the end it must have had no error and no wish for the network."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    faults = watch(context)
    yield context.new_page()
    context.close()
    assert faults == []
