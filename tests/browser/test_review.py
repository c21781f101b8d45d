"""The review page in a real browser: open, paint, undo, save, reload, decide by keyboard; nothing is lost when the browser dies."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Pillow

from app.cases import study_of
from browser import checks
from browser.served import serve
from isthmus.segment.grow import METHODS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Open = Callable[[str], "Page"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = {"P1": "LPS", "P2": "oblique", "P3": "RAS", "P4": "LAS", "P5": "PSR"}
    return study_of(tmp_path_factory.mktemp("review") / "study", names, picture=True)


@pytest.fixture(scope="module")
def address(study: Path) -> Iterator[tuple[str, str]]:
    with serve(study, cases=study / "cases.csv") as served:
        yield served


@pytest.fixture
def context(browser: Browser, address: tuple[str, str]) -> Iterator[BrowserContext]:
    """A browser of its own (no storage); at the end it must have had no error and asked this server only."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    made.set_default_timeout(120_000)  # a machine that is busy
    faults = checks.watch(made, address[1])
    made.new_page().goto(address[0])  # the address that was printed: it hands the token over
    yield made
    made.close()
    assert faults == []


@pytest.fixture
def review(context: BrowserContext, address: tuple[str, str]) -> Open:
    """Opens the page for a reader."""

    def opened(reader: str) -> Page:
        page = context.new_page()
        page.goto(f"{address[1]}/review/")
        page.fill("#reader", reader)
        page.keyboard.press("Enter")
        page.wait_for_selector("body[data-opened]", timeout=120_000)
        return page

    return opened


def _choose(page: Page, name: str) -> None:
    """Open a case from the work list."""
    page.click(f"#list button:has(span:text-is('{name}'))")
    page.wait_for_selector(f"#case-name:text-is('{name}')")
    page.wait_for_selector("#status:text-matches('^(opened|Your unsaved)')")


def _paint(page: Page) -> None:
    """One stroke in the axial plane, until the server has it."""
    box = page.locator("#gl").bounding_box()
    assert box is not None
    page.keyboard.press("b")
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=3)
    page.mouse.up()
    page.wait_for_selector("#saved:text-matches('drawing kept')")


def _log(study: Path, reader: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (study / "review" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["reader"] == reader]


def _reds(page: Page) -> int:
    """Pixels of the canvas in the colour of label 1, once what was asked for is drawn."""
    page.wait_for_selector("#gl:not([aria-busy])")
    shot = np.asarray(Pillow.open(io.BytesIO(page.locator("#gl").screenshot())).convert("RGB")).astype(int)
    return int(np.count_nonzero((shot[..., 0] - shot[..., 1] > 60) & (shot[..., 0] - shot[..., 2] > 60)))


def test_paint_undo_save_reload(review: Open, study: Path) -> None:
    """A stroke changes the Dice, undo takes it back, M saves it; after a reload it is there, and the file lies where the image lies."""
    page = review("painter")
    _choose(page, "P1")
    assert _reds(page) > 100  # the proposal is seen at once
    _paint(page)
    painted = page.inner_text("#m-dice")
    page.keyboard.press("z")
    page.wait_for_selector("#m-dice:text-is('1.000')")
    page.keyboard.press("y")
    page.wait_for_selector(f"#m-dice:text-is('{painted}')")
    page.keyboard.press("m")
    page.wait_for_selector("body[data-decided$=':edited']")
    page.reload()
    page.locator("#who[open]").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-opened]", timeout=120_000)
    _choose(page, "P1")
    assert page.inner_text("#m-dice") == painted != "1.000"
    saved = study / "review" / _log(study, "painter")[0]["mask_file"]
    np.testing.assert_array_equal(nib.load(saved).affine, nib.load(study / "P1.nii.gz").affine)
    image, mask = sitk.ReadImage(str(study / "P1.nii.gz")), sitk.ReadImage(str(saved))
    assert (image.GetOrigin(), image.GetSpacing(), image.GetDirection()) == (
        mask.GetOrigin(), mask.GetSpacing(), mask.GetDirection(),
    )  # fmt: skip


def test_grow_by_the_method_that_is_chosen(review: Open) -> None:
    """The list holds every method of `segment grow`; the one chosen is asked for, within the values the brush is held to, and drawn."""
    page = review("grower")
    _choose(page, "P2")
    assert page.locator("#method option").evaluate_all("all => all.map(one => one.value)") == list(METHODS)
    page.select_option("#method", "threshold")
    page.check("#limit")
    page.fill("#limit-low", "-2000")
    page.fill("#limit-high", "5000")
    with page.expect_request("**/api/review/grow") as asked:
        page.click("#grow")
    page.wait_for_selector("#status:text-matches('^grown from 1 inside')")
    page.wait_for_selector("#m-dice:not(:text-is('1.000'))")
    said = asked.value.post_data_json
    assert (said["method"], said["settings"]) == ("threshold", {"rule": "fixed", "lower": -2000, "upper": 5000})


def test_decide_by_keyboard(review: Open, study: Path) -> None:
    """A accepts, U goes on to the next undecided, R with a reason and a comment rejects, F flags: four keys and no mouse."""
    page = review("typist")
    page.keyboard.press("a")
    page.wait_for_selector("body[data-decided$=':accepted']")
    first = page.inner_text("#case-name")
    page.keyboard.press("u")
    page.wait_for_selector(f"#case-name:not(:text-is('{first}'))")
    page.wait_for_selector("#status:text-matches('^opened')")
    page.keyboard.press("r")
    page.keyboard.press("3")
    page.locator("#why-comment").focus()
    page.keyboard.type("into the vein, a lot")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("body[data-decided$=':rejected']")
    lines = _log(study, "typist")
    assert [(line["decision"], line["reasons"], line["comment"]) for line in lines] == [
        ("accepted", [], ""),
        ("rejected", ["leak"], "into the vein, a lot"),
    ]
    assert page.locator("#list .rejected").count() == 1


def test_nothing_is_lost_in_a_crash(review: Open, study: Path) -> None:
    """The page is killed mid-edit; opened again it shows the drawing as it was, not yet saved."""
    page = review("unlucky")
    _paint(page)
    name, painted = page.inner_text("#case-name"), page.inner_text("#m-dice")
    page.close(run_before_unload=False)
    page = review("unlucky")
    page.wait_for_selector("#status:text-matches('unsaved drawing')")
    assert (page.inner_text("#case-name"), page.inner_text("#m-dice")) == (name, painted)
    page.keyboard.press("m")
    page.wait_for_selector("body[data-decided$=':edited']")
    assert [line["decision"] for line in _log(study, "unlucky")] == ["edited"]


@pytest.mark.parametrize(
    "name", ["P2", "US1", *(pytest.param(name, marks=pytest.mark.slow) for name in ("P3", "P4", "P5"))]
)
def test_a_mask_comes_back_untouched(review: Open, study: Path, name: str) -> None:
    """Painted and undone in the viewer, the label map is the proposal again, voxel for voxel: oblique, a picture, every orientation."""
    page = review(f"gentle {name}")
    _choose(page, name)
    _paint(page)
    page.keyboard.press("z")
    page.wait_for_selector("#m-dice:text-is('1.000')")
    draft = next((study / "review" / "drafts").glob(f"gentle_{name}*/*.draft"))
    facts = json.loads(draft.read_bytes().split(b"\n")[0])
    assert facts["fingerprint"] == facts["base"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(context: BrowserContext, review: Open, theme: str) -> None:
    """Every text of the page and of the home page has the contrast of WCAG AA in both themes."""
    page = review("reader")
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    home = context.pages[0]
    home.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    assert checks.low_contrast(page) + checks.low_contrast(home) == []
