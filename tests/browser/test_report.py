"""The report in a real browser: it fits, can be read, printed and used by keyboard, and shows the numbers of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from browser import checks
from isthmus.report import write_report
from isthmus.report.calculator import write_calculator
from isthmus.report.figures import FIGURES, _save
from isthmus.report.html import render
from isthmus.report.wording import interval_text, p_value
from isthmus.stats.interval import Interval
from isthmus.study.result import Result
from report.fake_run import make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "</script><script>document.title='owned'</script><!--\u2028"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A whole run, and its report beside it."""
    found = Result.load(make_run(tmp_path_factory.mktemp("report") / "run"))
    write_report(found)
    return found


@pytest.fixture
def report(page: Page, result: Result) -> Page:
    """The report, open."""
    page.goto((result.folder / "report.html").as_uri())
    return page


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_overflow(report: Page, width: int) -> None:
    """Nothing makes the page wider than the window, on a phone, a tablet or a desk, with everything unfolded and two models compared."""
    report.select_option("#explore-b", index=2)
    report.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert checks.overflow(report, width) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(report: Page, theme: str) -> None:
    """Every text has the contrast of WCAG AA in both themes."""
    report.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    report.select_option("#explore-b", index=2)
    report.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert checks.low_contrast(report) == []


def _paper(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_theme_button(report: Page) -> None:
    """The button, reached and pressed by keyboard, turns the page dark, and back."""
    seen = [_paper(report)]
    report.focus("#theme")
    for key in ("Enter", "Space"):
        report.keyboard.press(key)
        seen.append(_paper(report))
    assert seen == ["rgb(255, 255, 255)", "rgb(18, 23, 28)", "rgb(255, 255, 255)"]


def test_paper_is_light(report: Page) -> None:
    """A page that is dark by the button and by the system is printed light."""
    report.emulate_media(color_scheme="dark", media="print")
    report.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert _paper(report) == "rgb(255, 255, 255)"


def test_paper_shows_folded_tables(report: Page) -> None:
    """What is folded away on the screen is printed, without the contents list."""
    report.emulate_media(media="print")
    heights = report.evaluate(
        "[...document.querySelectorAll('main details > .scroll, main details > pre')].map(one => one.getBoundingClientRect().height)"
    )
    assert (min(heights) > 0, report.is_visible("nav")) == (True, False)


def test_keyboard(report: Page) -> None:
    """Tab reaches, in order, the skip link, the theme button, the contents, the choice of models and the points of the curve."""
    stops = checks.tab_stops(report)
    names = [str(stop["id"] or stop["name"]) for stop in stops]
    wanted = ["Skip to the report", "theme", "In brief", "explore-split", "explore-a", "explore-b", "explore-reset"]
    wanted += ["Threshold of lasso"]
    assert [name for name in names if name in wanted] == wanted


def test_focus_is_seen(report: Page) -> None:
    """Every stop of the Tab key is on the screen and marked (the point of the curve by its fill)."""
    report.emulate_media(reduced_motion="reduce")  # what is focused is on the screen at once
    stops = checks.tab_stops(report)
    unseen = [stop for stop in stops if not (stop["visible"] and (stop["ring"] or stop["tag"] == "circle"))]
    assert unseen == []


def test_skip_link(report: Page) -> None:
    """The first stop leads past the contents into the report."""
    report.keyboard.press("Tab")
    report.keyboard.press("Enter")
    assert report.evaluate("document.activeElement.id") == "main"


def test_headings_in_order(report: Page) -> None:
    """There is one title, and no level of headings is left out."""
    levels = report.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(one => Number(one.tagName[1]))")
    assert (levels.count(1), max(np.diff(levels))) == (1, 1)


def test_contents_mark_the_section_in_view(report: Page) -> None:
    """The contents list marks the section that is read."""
    report.evaluate("document.getElementById('calibration').scrollIntoView({behavior: 'instant'})")
    report.wait_for_function("document.querySelector('nav [aria-current]').hash === '#calibration'")
    assert report.locator("nav [aria-current]").count() == 1


def counted(result: Result, model: str, split: str, cut: float) -> list[int]:
    """True and false positives, false and true negatives, counted from predictions.csv: each patient once."""
    rows = result.predictions[(result.predictions["model"] == model) & (result.predictions["split"] == split)]
    mean = rows.groupby("patient")[["outcome", "probability"]].mean()
    high, event = mean["probability"] >= cut, mean["outcome"] == 1
    return [int(part.sum()) for part in (high & event, high & ~event, ~high & event, ~high & ~event)]


def shown(page: Page) -> list[int]:
    """The counts in the first confusion matrix on the page."""
    return [int(text) for text in page.locator("#explore-matrices .matrix").first.locator("tbody td").all_inner_texts()]


def threshold(page: Page) -> str:
    """The line above the first confusion matrix."""
    return page.locator("#explore-matrices .cut").first.inner_text()


@pytest.mark.parametrize(("index", "split"), [(0, "cv"), (1, "external")])
def test_study_threshold(report: Page, result: Result, index: int, split: str) -> None:
    """The explorer starts at the study's threshold, with the patients above it that predictions.csv has."""
    report.select_option("#explore-split", index=index)
    assert (threshold(report), shown(report)) == (
        "Threshold 0.310 (the study’s)",
        counted(result, "lasso", split, 0.31),
    )


def test_hover(report: Page, result: Result) -> None:
    """The pointer on a curve shows the threshold there and the confusion matrix counted from predictions.csv."""
    plot = report.locator("#explore-plot svg")
    plot.scroll_into_view_if_needed()
    where = report.evaluate(
        "() => { const line = document.querySelector('#explore-plot polyline');"
        " const at = line.points[Math.round(line.points.numberOfItems / 3)];"
        " const to = at.matrixTransform(line.getScreenCTM()); return [to.x, to.y]; }"
    )
    report.mouse.move(*where)
    said = threshold(report)
    risks = result.predictions.query("model == 'lasso' and split == 'cv'").groupby("patient")["probability"].mean()
    (cut,) = [risk for risk in risks if f"{risk:.3f}" == said.split()[1]]
    assert (said.split()[-1], shown(report)) == ("(explored)", counted(result, "lasso", "cv", cut))


def test_arrow_keys(report: Page, result: Result) -> None:
    """From the highest threshold one arrow key adds the patient of the highest risk, and the screen reader is told."""
    report.locator("#explore-plot circle").focus()
    report.keyboard.press("Home")
    report.keyboard.press("ArrowRight")
    risks = result.predictions.query("model == 'lasso' and split == 'cv'").groupby("patient")["probability"].mean()
    told = str(report.locator("#explore-plot circle").get_attribute("aria-valuetext"))
    expected = (counted(result, "lasso", "cv", risks.max()), f"threshold {risks.max():.3f} (explored)")
    assert (shown(report), told.partition(":")[0]) == expected


@pytest.mark.parametrize(("a", "b", "sign"), [("lasso", "random-forest", 1), ("random-forest", "lasso", -1)])
def test_comparison(report: Page, result: Result, a: str, b: str, sign: int) -> None:
    """Two models beside each other: test, difference with interval and p are the row of comparisons.csv, turned round where the pair is."""
    report.select_option("#explore-a", label=a)
    report.select_option("#explore-b", label=b)
    row: dict[Any, Any] = (
        result.comparisons.query("model_a == 'lasso' and model_b == 'random-forest' and split == 'cv'")
        .iloc[0]
        .to_dict()
    )
    lower, upper = sorted((sign * row["lower"], sign * row["upper"]))
    difference = interval_text(Interval(sign * row["difference"], lower, upper, ""), 3)
    cells = (
        report.locator("#explore-comparison table").first.locator("tbody tr").first.locator("th, td").all_inner_texts()
    )
    assert cells == [row["test"], difference, p_value(row["p"]), p_value(row["p_adjusted"])]


def test_patients_called_differently(report: Page, result: Result) -> None:
    """The patients whom two models call differently outside are those of predictions.csv at the thresholds carried to them."""
    report.select_option("#explore-split", index=1)
    report.select_option("#explore-b", label="lightgbm")
    rows = result.predictions[result.predictions["split"] == "external"]
    high = rows.pivot(index="patient", columns="model", values="probability") >= 0.31
    expected = sorted(high.index[high["lasso"] != high["lightgbm"]])
    assert report.locator("#explore-comparison details tbody th").all_text_contents() == expected


def test_long_tables_can_be_sorted(report: Page) -> None:
    """A press on a heading of a long table sorts it by its numbers, a second one the other way."""
    report.locator("#quality summary").click()
    table = report.locator("#quality details table")
    seen = []
    for _ in range(2):
        table.locator("thead button", has_text="Value").click()
        seen.append([float(text.split()[0]) for text in table.locator("tbody tr > :nth-child(4)").all_inner_texts()])
    assert (len(seen[0]), seen) == (9, [sorted(seen[0]), sorted(seen[0], reverse=True)])


def test_without_javascript(browser: Browser, result: Result) -> None:
    """Without JavaScript every drawing is there, and the page says what is not."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((result.folder / "report.html").as_uri())
    drawings = page.locator("figure svg").count()
    said = page.locator("#compare noscript p").inner_text()
    seen = (drawings, page.is_visible("#explorer"), page.is_visible("#theme"))
    context.close()
    assert (seen, said[:26]) == (
        (len(list((result.folder / "figures").glob("*.svg"))), False, False),
        "This part needs JavaScript",
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A run whose patients, models, features, centre, title and reasons are code."""
    folder = make_run(tmp_path_factory.mktemp("hostile") / "run", models=("plain", "other"), prefix=HOSTILE)
    _rename(folder / "predictions.csv", {"other": HOSTILE})
    for name in ("metrics.csv", "selected.csv", "comparisons.csv", "tables/thresholds.csv"):
        _rename(folder / name, {"other": HOSTILE, "age": HOSTILE})
    _rename(folder / "cases.csv", {"Hill": HOSTILE, "excluded: earlier surgery": HOSTILE})
    plan = (folder / "plan.lock.toml").read_text(encoding="utf-8")
    title = HOSTILE.replace("\u2028", "")
    plan = plan.replace("[report]\n", f'[report]\ntitle = "{title}"\n').replace('"other"', f'"{title}"')
    (folder / "plan.lock.toml").write_text(plan, encoding="utf-8")
    found = Result.load(folder)
    drawn = {
        name: _save.save_figure(FIGURES[name], found, folder / "figures") for name in ("flow", "roc", "predictions")
    }
    (folder / "report.html").write_text(render(found, dict(drawn), write_calculator(found, folder)), encoding="utf-8")
    return found


def _rename(path: Any, names: dict[str, str]) -> None:
    pd.read_csv(path, dtype=str).replace(names).to_csv(path, index=False)


def test_hostile_names_run_nothing(page: Page, hostile: Result) -> None:
    """Names that are code are text everywhere: nothing of them runs, and no element is made of them."""
    page.goto((hostile.folder / "report.html").as_uri())
    page.select_option("#explore-b", index=2)
    assert (page.title(), page.locator("script").count()) == (HOSTILE.replace("\u2028", ""), 2)


def test_hostile_names_are_shown(page: Page, hostile: Result) -> None:
    """Chosen in the explorer, the model with the hostile name stands there as it is called."""
    page.goto((hostile.folder / "report.html").as_uri())
    page.select_option("#explore-a", index=1)
    assert page.locator("#explore-matrices h4").text_content() == HOSTILE
