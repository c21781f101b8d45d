"""Start, reading, results and calculator in a real browser, on a small synthetic study."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from app.conftest import finished, small_hospital
from browser.checks import low_contrast, overflow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

__all__ = ["finished"]

HERE = Path(__file__).resolve().parents[2]
PATIENCE = 120_000  # a machine that is busy


@pytest.fixture(scope="module")
def address(finished: Any) -> Iterator[str]:
    """`isthmus app` on the small study."""
    command = [
        sys.executable,
        "-m",
        "isthmus",
        "app",
        "--no-browser",
        "--study",
        str(finished.study),
        "--cases",
        str(finished.cases),
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "src"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        found = next(match[0] for line in server.stdout if (match := re.search(r"http://\S+", line)))
        yield found
        server.terminate()
        server.wait(30)


@pytest.fixture(params=["light"])
def context(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that has been let in; a page may fail no script and ask no other host."""
    made = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=request.param)
    made.set_default_timeout(PATIENCE)
    faults: list[str] = []
    made.on("weberror", lambda error: faults.append(str(error.error)))
    home = address.split("/?", maxsplit=1)[0]
    made.on("request", lambda one: faults.append(one.url) if not one.url.startswith((home, "data:", "blob:")) else None)
    page = made.new_page()
    page.goto(address)
    page.close()
    yield made
    made.close()
    assert faults == []


@pytest.fixture
def home(address: str) -> str:
    return address.split("/?", maxsplit=1)[0]


def test_the_calculator_is_used_by_keyboard(context: BrowserContext, home: str, finished: Any) -> None:
    """A model is chosen, values are typed, a scan is chosen, Enter calculates, and the risk is read."""
    page = context.new_page()
    page.goto(f"{home}/calculator/")
    page.locator("#models button").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Age (years)").fill("70")
    row = pd.read_csv(finished.cases).iloc[0]
    page.get_by_label("Image ct").set_input_files(finished.cases.parent / row["image:ct"])
    page.get_by_label("Mask of the lesion on ct").set_input_files(finished.cases.parent / row["mask:ct"])
    page.get_by_label("Age (years)").press("Enter")
    page.locator("#answer:not([hidden])").wait_for()
    assert re.fullmatch(r"\d+\.\d %", page.locator("#answer .big").inner_text())


def test_the_calculator_shows_the_points_of_the_nomogram(context: BrowserContext, home: str, finished: Any) -> None:
    """One row an input, of the scan too, and the rows add up to the total below them."""
    page = context.new_page()
    page.goto(f"{home}/calculator/")
    page.locator("#models button").first.click()
    page.get_by_label("Age (years)").fill("70")
    row = pd.read_csv(finished.cases).iloc[0]
    page.get_by_label("Image ct").set_input_files(finished.cases.parent / row["image:ct"])
    page.get_by_label("Mask of the lesion on ct").set_input_files(finished.cases.parent / row["mask:ct"])
    page.locator("#calculate").click()
    rows = page.locator("#points tbody tr")
    rows.first.wait_for()
    cells = [float(text) for text in rows.locator("td.number").all_inner_texts()]
    assert (rows.first.inner_text().split("\t")[:2], round(sum(cells[:-1]) - cells[-1]), len(cells) > 3, overflow(page, 360)) == (
        ["Age", "70 years"], 0, True, [],
    )  # fmt: skip


def test_a_reader_signs_and_the_reading_is_kept(context: BrowserContext, home: str, finished: Any) -> None:
    """Answers are saved as a draft with the first click and are there after a reload."""
    page = context.new_page()
    page.goto(f"{home}/reading/")
    page.get_by_label("Name or initials").fill("Anna")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_role("button", name=re.compile("^P0002")).click()
    page.get_by_role("group", name="Growth pattern").get_by_label("bulging the capsule").check()
    page.get_by_text("saved as draft").wait_for()
    page.reload()
    page.get_by_role("button", name=re.compile("^P0002")).click()
    assert page.get_by_role("group", name="Growth pattern").get_by_label("bulging the capsule").is_checked()


def test_a_measure_is_taken_with_one_click(context: BrowserContext, home: str) -> None:
    """The measured diameter fills in the size and the length."""
    page = context.new_page()
    page.goto(f"{home}/reading/")
    page.get_by_label("Name or initials").fill("Ben")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_role("button", name=re.compile("^P0003")).click()
    offer = page.locator("#q-diameter_mm .offer")
    offer.wait_for()
    offer.click()
    assert offer.inner_text().endswith(page.locator("#q-diameter_mm input").input_value())


def test_a_run_is_opened_with_its_report(context: BrowserContext, home: str) -> None:
    """From the list to the report, whose script runs in its frame; a reload shows it again."""
    page = context.new_page()
    page.goto(f"{home}/results/?list")
    page.get_by_role("link", name="A small study").first.click()
    page.get_by_role("link", name="Open the report").click()
    page.reload()
    page.wait_for_function("frames.length === 1")
    frame = page.frames[1]
    for _ in range(100):  # the script has run a moment after the frame was loaded
        if frame.title() == "ran":
            break
        page.wait_for_timeout(100)
    assert frame.title() == "ran"


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("room", ["start/", "reading/", "results/?list", "results/", "calculator/"])
def test_pages_are_readable_and_fit_a_telephone(context: BrowserContext, home: str, room: str) -> None:
    """Contrast of all text, and nothing wider than a window of 360 pixels, in both themes."""
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{home}/{room}")
    page.locator("h1:visible").first.wait_for()
    assert [*low_contrast(page), *overflow(page, 360)] == []


@pytest.mark.slow
def test_from_a_folder_to_a_report(context: BrowserContext, home: str, finished: Any) -> None:
    """Folder, columns, plan, check, run, a reload in the middle, and the answer of the run."""
    cases = small_hospital(finished.study / "clinic", patients=20)
    table = pd.read_csv(cases, dtype="str")
    table.drop(columns=["image:ct", "mask:ct"]).to_csv(cases.with_name("patients.csv"), index=False)
    cases.unlink()
    page = context.new_page()
    page.goto(f"{home}/start/")
    page.get_by_role("button", name="▸ clinic").click()
    page.locator(".crumbs").get_by_role("button", name="clinic", exact=True).wait_for()
    page.get_by_role("button", name="Take this folder").click()
    page.get_by_text("6 columns").or_(page.get_by_text("5 columns")).first.wait_for()
    page.get_by_role("button", name="Next: columns").click()
    page.get_by_role("button", name="Next: plan").click()
    for label, value in (
        ("Title of the report", "From the browser"),
        ("Name of the study", "mine"),
        ("Folds", "2"),
        ("Repeats", "1"),
        ("Permuted", "0"),
    ):
        page.get_by_label(label).fill(value)
    page.get_by_label("lasso", exact=True).check()
    page.get_by_role("button", name="Write the plan").click()
    page.get_by_role("button", name="Check the plan").click()
    page.locator("h2[role=status]").wait_for()
    page.get_by_role("button", name="Next: run").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Stop it").wait_for()
    page.reload()
    page.get_by_role("link", name="Open the report, tables and figures").click(timeout=10 * PATIENCE)
    page.get_by_role("heading", name="From the browser").wait_for()
    assert page.get_by_role("tab").count() == 6
