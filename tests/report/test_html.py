"""The page: one file that loads nothing, is the same twice, and works when parts of a study are missing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.report import write_report
from isthmus.report.figures import FIGURES
from isthmus.study.result import Result
from report.fake_run import make_run

SECTIONS = ["summary", "answer", "wrong", "flow", "patients", "scanners", "quality", "overview", "reliability"]
SECTIONS += [
    "volume",
    "added",
    "harmonisation",
    "models",
    "features",
    "habitats",
    "network",
    "discrimination",
    "compare",
    "calibration",
    "usefulness",
    "performance",
    "explanation",
]
SECTIONS += ["nomogram", "external", "subgroups", "null", "audit", "size", "methods", "checklists", "provenance"]


class Page(HTMLParser):
    """What a page loads, which ids it has, where its links lead, and whether every element is closed."""

    VOID = ("meta", "br", "link", "img", "use", "path", "rect", "line", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.others: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.sections: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]], *, closed: bool = False) -> None:
        facts = dict(attrs)
        self.tags.append(tag)
        if not closed and tag not in self.VOID:
            self.open.append(tag)
        if facts.get("id"):
            self.ids.append(str(facts["id"]))
        if tag == "section":
            self.sections.append(str(facts["id"]))
        if tag == "script":
            self.scripts.append(facts)
        for name in ("src", "href", "xlink:href", "data", "action", "srcset"):
            value = facts.get(name)
            if value and tag == "a":
                (self.links if self.within("nav") else self.others).append(value)
            elif value and not value.startswith(("#", "data:")):
                self.loads.append(value)

    def within(self, tag: str) -> bool:
        return tag in self.open

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs, closed=True)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page_text(full_run: Result) -> str:
    return write_report(full_run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(page_text: str) -> Page:
    return Page(page_text)


def test_nothing_is_loaded(page: Page) -> None:
    """No element asks for anything outside the page."""
    assert page.loads == []


def test_style_loads_nothing(page_text: str) -> None:
    """No style rule imports or fetches anything."""
    assert re.findall(r"@import|url\((?!#)", page_text) == []


def test_two_scripts(page: Page) -> None:
    """The page holds its data and one script of ours, inside itself."""
    assert page.scripts == [{"type": "application/json", "id": "explore-data"}, {}]


def test_only_our_script_and_style_may_run(page_text: str) -> None:
    """The policy names the hashes of exactly the style and the script that the page holds, and allows nothing else."""
    hashes = [
        base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        for kind in ("style", "script")
        for found in re.findall(rf"<{kind}>(.*?)</{kind}>", page_text, flags=re.DOTALL)
    ]
    policy = html.unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page_text)[0])
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_no_style_attributes(page_text: str) -> None:
    """Drawings carry their colours as attributes of their own: the policy forbids style attributes."""
    assert not re.search(r'<[^>]*\sstyle="', page_text)


def test_links_lead_somewhere(page: Page) -> None:
    """Every entry of the contents list has its section, in the order of the page."""
    assert [link.removeprefix("#") for link in page.links] == page.sections == SECTIONS


def test_other_links_lead_somewhere(page: Page, full_run: Result) -> None:
    """Links in the text lead to a place on the page or to a file beside it."""
    places = {f"#{name}" for name in page.ids}
    assert [link for link in page.others if link not in places and not (full_run.folder / link).is_file()] == []


def test_captions_say_who_is_shown(page_text: str) -> None:
    """Every figure's caption states how many patients, and how many of them with the outcome."""
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page_text, flags=re.DOTALL)
    assert [text for text in captions if not re.search(r"n = \d+[^.]*, \d+ with the outcome", text)] == []


def test_ids_are_unique(page: Page) -> None:
    """No two elements, also inside figures, share an id."""
    assert len(page.ids) == len(set(page.ids))


def test_elements_are_closed(page: Page) -> None:
    """Every element is closed by its own end."""
    assert (page.open, page.wrong) == ([], [])


def test_all_figures_are_inside(page: Page, full_run: Result) -> None:
    """Every figure that was drawn stands in the page as a drawing."""
    assert page.tags.count("svg") == len(list((full_run.folder / "figures").glob("*.svg")))


def test_answer_comes_first(page_text: str) -> None:
    """The first thing after the title and the contents is the verdict."""
    assert page_text.index('class="verdict"') < page_text.index("<svg")


def dots_per_inch(folder: Path) -> set[tuple[str, int]]:
    """Every png of a folder, and its resolution."""
    from PIL import Image

    found = set()
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            found.add((path.stem, round(picture.info["dpi"][0])))
    return found


def test_the_same_result_gives_the_same_bytes(page: Page, full_run: Result, plain_fonts: None, tmp_path: Path) -> None:
    """A second report of a result is equal to the first to the last byte, though figures are printed with it: each is also a pdf, and a
    png of 300 dpi, which the page links to."""
    text = write_report(full_run, tmp_path / "report.html").read_text(encoding="utf-8")
    figures = tmp_path / "figures"
    binary = {name for name, figure in FIGURES.items() if "binary" in getattr(figure, "TASKS", ("binary",))}
    assert {path.stem for path in figures.glob("*.pdf")} == binary
    assert dots_per_inch(figures) == {(name, 300) for name in binary}
    assert {f"figures/{name}.{kind}" for name in binary for kind in ("png", "pdf")} <= set(Page(text).others)
    (tmp_path / "report.html").write_text(
        re.sub(r'<a href="figures/\w+\.(png|pdf)">[^<]*</a>, ', "", text), encoding="utf-8", newline="\n"
    )
    others = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*.*") if path.suffix not in (".png", ".pdf")}
    assert [name for name, path in others.items() if path.read_bytes() != (full_run.folder / name).read_bytes()] == []


def test_only_the_result_is_read(tmp_path: Path) -> None:
    """A result that has been read once gives a report elsewhere even when its folder is gone."""
    result = Result.load(make_run(tmp_path / "run"))
    shutil.rmtree(tmp_path / "run")
    assert write_report(result, tmp_path / "elsewhere" / "report.html").is_file()


VARIANTS: dict[str, tuple[dict[str, Any], str]] = {
    "no external": ({"external": False}, "There is no external validation."),
    "no clinical table": ({"table_one": False}, "This run has no clinical table"),
    "no images": ({"images": False}, "No scanner facts"),
    "no null study": ({"null_study": False}, "The null study was not run."),
    "one model, one repeat": ({"models": ("only",), "repeats": 1}, "Models were not compared"),
    "nobody excluded": ({"exclusions": False}, "No case was excluded."),
    "few patients": ({"n_train": 20, "n_external": 6}, "The external set is small"),
}
VARIANTS["everything missing"] = (
    {key: value for switches, _ in VARIANTS.values() if "n_train" not in switches for key, value in switches.items()},
    "nothing where there is nothing",
)


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, str]:
    """The page of a smaller study, and what it must say about the missing part."""
    switches, text = VARIANTS[request.param]
    run = make_run(tmp_path_factory.mktemp("variant") / "run", **({"models": ("a", "b")} | switches))
    return Page(write_report(Result.load(run)).read_text(encoding="utf-8")), text


def test_smaller_studies_have_a_whole_report(variant: tuple[Page, str]) -> None:
    """Every section is there, and every element closed, when a part of the study is missing; none of the values, which an older run
    did not keep."""
    page, _ = variant
    assert (page.sections, page.wrong) == (
        [name for name in SECTIONS if name not in ("overview", "habitats", "network")],
        [],
    )


def test_what_is_missing_is_said(variant: tuple[Page, str]) -> None:
    """A missing part is named, not left out in silence."""
    page, text = variant
    assert text in " ".join(page.text)


def test_numbers_of_another_site_are_printed(quiet: Result, tmp_path: Path) -> None:
    """Estimates another site sent, without its patients, stand in the report under its name."""
    sent = quiet.metrics[quiet.metrics["split"] == "external"].assign(split="external (north)")
    merged = replace(quiet, metrics=pd.concat([quiet.metrics, sent], ignore_index=True))
    assert "External: north" in write_report(merged, tmp_path / "report.html").read_text(encoding="utf-8")


ABSENT = (
    "nomogram",
    "overview",
    "habitats",
    "network",
    "reliability",
    "volume",
    "added",
    "harmonisation",
    "explanation",
)


def test_a_split_without_probabilities_has_a_report(quiet: Result, tmp_path: Path) -> None:
    """External patients none of whom could be predicted do not stop the report."""
    table = quiet.predictions
    none = table.assign(probability=table["probability"].where(table["split"] != "external"))
    page = Page(write_report(replace(quiet, predictions=none), tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.sections == [name for name in SECTIONS if name not in ABSENT]


HOSTILE = '<script>alert("x")</script> & $x^{2$ <b>'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a study whose names are code."""
    prefix = "<img src=http://x/y>"
    run = make_run(tmp_path_factory.mktemp("hostile"), models=(HOSTILE, "plain"), prefix=prefix, values=True)
    return Page(write_report(Result.load(run)).read_text(encoding="utf-8"))


def test_hostile_names_are_only_text(hostile: Page) -> None:
    """Names of models and patients that are HTML become text, in tables and in figures."""
    assert (len(hostile.scripts), {"img", "b"} & set(hostile.tags)) == (2, set())


def test_hostile_names_are_printed_as_they_are(hostile: Page) -> None:
    """The model's name is printed in full, dollar signs included."""
    assert any(HOSTILE in text for text in hostile.text)
