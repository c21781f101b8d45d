"""The calculator in a real browser: the numbers of the model file, and a form that a person can use and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from browser import checks
from browser.calculators import Made, make, patients
from isthmus.explain.nomogram import points_of
from isthmus.stats.recalibration import Recalibration

if TYPE_CHECKING:
    from playwright.sync_api import Page

_WILD = ({"name": "winsorise"}, "log", {"name": "impute", "indicators": True}, "encode", "variance", "scale")
_KNOTS = Recalibration("isotonic", knots=np.array([0.1, 0.3, 0.31, 0.8]), levels=np.array([0.05, 0.2, 0.6, 0.9]))

MODELS: dict[str, dict[str, Any]] = {
    "logistic": {"recalibration": Recalibration("logistic", -0.4, 0.7)},
    "ridge, bent": {"steps": _WILD, "settings": {"C": 1.0}},
    "firth, encoded first": {"estimator": "firth", "steps": ({"name": "encode", "drop_first": True}, "impute", "log")},
    "lasso": {"estimator": "lasso", "settings": {"penalty": 0.02}, "recalibration": _KNOTS},
    "elastic net, resampled": {
        "estimator": "elastic_net",
        "steps": ("impute", "encode", "scale", "over_sample"),
        "settings": {"penalty": 0.05},
    },
    "cox": {"estimator": "cox", "steps": ("impute", {"name": "encode", "drop_first": True})},
    "lasso cox": {"estimator": "lasso_cox", "steps": ("impute", "encode", "winsorise", "scale")},
}


def _rows(X: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in X.to_dict("records")]


@pytest.mark.filterwarnings("ignore:column 'clinical.site'")
@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_of_the_model_file(page: Page, tmp_path: Path, name: str) -> None:
    """400 patients with gaps, unknown categories and values far outside: the page and the model file agree to 1e-9."""
    made = make(tmp_path, **MODELS[name])
    new = pd.concat([patients(200, 11), patients(200, 12, gaps=0.3, wild=True), made.X.describe().loc[["min", "max"]]])
    new = new.astype({"clinical.site": object})
    page.goto(made.page.as_uri())
    found = page.evaluate("rows => rows.map(row => Object.values(isthmus.predict(row)))", _rows(new))
    timed = made.model.task == "survival"
    said = np.array(found)[:, :] if timed else np.array(found)[:, 1]
    np.testing.assert_allclose(said, made.model.predict_rows(new), rtol=1e-9 if timed else 0, atol=1e-9)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A logistic model of six inputs, with a nomogram; its threshold is the risk of its first patient."""
    first = make(tmp_path_factory.mktemp("first"), settings={"C": 1.0})
    risk = float(first.model.predict_rows(first.X)[0])
    return make(tmp_path_factory.mktemp("plain"), settings={"C": 1.0}, threshold=risk)


def _type(page: Page, made: Made, row: pd.Series[Any]) -> None:
    """Enter a patient as a person would."""
    labels = {
        "clinical.age": "Age years",
        "clinical.tg": "Thyroglobulin ng/mL",
        "clinical.invasion": "Invasion of the capsule",
    }
    for column, value in row.items():
        field = page.get_by_label(
            labels.get(str(column), {"clinical.site": "Side"}.get(str(column), str(column)[3:])), exact=True
        )
        if pd.isna(value):
            continue
        if column in ("clinical.site", "clinical.invasion"):
            field.select_option(label=value if isinstance(value, str) else ["no", "yes"][int(value)])
        else:
            field.fill(repr(float(value)))


def test_a_typed_patient(page: Page, plain: Made) -> None:
    """Values typed into the form give the risk of the model file, and a risk equal to the threshold is positive, as in `isthmus apply`."""
    page.goto(plain.page.as_uri())
    _type(page, plain, plain.X.iloc[0])
    assert float(page.locator("body").get_attribute("data-risk") or "nan") == pytest.approx(
        plain.model.threshold, abs=1e-12
    )
    assert page.locator("#class").inner_text().startswith("At or above the threshold") == (
        float(page.locator("body").get_attribute("data-risk") or "nan") >= plain.model.threshold
    )


def test_points_are_those_of_the_nomogram(page: Page, plain: Made) -> None:
    """Points of every value of new patients, also of missing ones, equal those of the nomogram to 1e-9, and add up to the risk."""
    new = patients(100, 21)
    assert plain.nomogram is not None
    columns = [axis.name for axis in plain.nomogram.axes]
    page.goto(plain.page.as_uri())
    found = page.evaluate(
        "([rows, names]) => rows.map(row => names.map(name => isthmus.points(name, row[name])))", [_rows(new), columns]
    )
    expected = points_of(plain.nomogram, new)
    np.testing.assert_allclose(np.array(found), expected.to_numpy(), rtol=0, atol=1e-9)
    risk = plain.nomogram.risk(np.array(found).sum(axis=1))
    np.testing.assert_allclose(risk, plain.model.predict_rows(new), rtol=0, atol=1e-9)


TYPED = {
    "54": ("54", ""),
    "54,5": ("54.5", "read as 54.5"),
    " 5.45e1 ": ("54.5", ""),
    "\u221254": (None, "-54 is impossible: expected 0 to 120"),
    "1.234,5": (None, "“1.234,5”: write one decimal mark and no thousands separators"),
    "1,234,567": (None, "“1,234,567”: write one decimal mark and no thousands separators"),
    "<40": (None, "“<40” is a limit; enter the number itself"),
    "fifty": (None, "“fifty” is not a number"),
    "119": ("119", "outside the training range"),
    "NA": ("fill", "not known: taken as"),
}


def test_what_may_be_typed(page: Page, plain: Made) -> None:
    """Each text becomes the number a reader means, or a message that says what is wrong; never a guess."""
    page.goto(plain.page.as_uri())
    fill = dict(plain.model.pipeline["impute"].fill_)
    for text, (number, message) in TYPED.items():
        page.locator("#input0").fill(text)
        assert message in page.locator("#note0").inner_text(), text
        row = {name: fill[name] for name in plain.model.columns}
        if number is None:
            assert page.locator("#risk").inner_text() == "–", text
            continue
        row["clinical.age"] = fill["clinical.age"] if number == "fill" else float(number)
        expected = plain.model.predict_rows(pd.DataFrame([row]))[0]
        assert float(page.locator("body").get_attribute("data-risk") or "nan") == pytest.approx(expected, abs=1e-9), (
            text
        )


def test_the_keyboard(page: Page, plain: Made) -> None:
    """Every field is reached in order with a visible focus and a name; Enter leads to the mistake, or to the result; arrows step."""
    page.goto(plain.page.as_uri())
    stops = checks.tab_stops(page)
    reached = [stop["id"] for stop in stops]
    fields = [f"input{i}" for i in range(6)]
    assert [name for name in reached if name in fields] == fields
    assert [stop for stop in stops if not (stop["ring"] and stop["visible"] and stop["name"])] == []
    page.locator("#input0").fill("old")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "input0"
    page.locator("#input0").fill("50")
    page.keyboard.press("ArrowUp")
    assert page.locator("#input0").input_value() == "51"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "result"


def test_what_is_said_aloud(page: Page, plain: Made) -> None:
    """A screen reader hears the risk, the class, and that values were filled in."""
    from playwright.sync_api import expect

    page.goto(plain.page.as_uri())
    page.locator("#input0").fill("51")
    expect(page.locator("#spoken")).to_contain_text("%")
    heard = page.locator("#spoken").text_content() or ""
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    assert page.locator("#risk").inner_text() in heard
    assert "5 of 6 values not known" in heard


def test_a_pasted_row(page: Page, plain: Made) -> None:
    """A line of a table under its header fills the form: quoted names, a decimal comma between semicolons, an unknown category, a gap."""
    page.goto(plain.page.as_uri())
    page.locator("#paste summary").click()
    head = 'ID;clinical.age;"clinical.tg";invasion;clinical.site;original_firstorder_Entropy;ct.noise'
    page.locator("#pasted").fill(f"{head}\nP1;61;12,5;yes;elsewhere;NA;-0.25")
    page.locator("#take").click()
    assert "Filled in 6 of 6; 1 other columns not needed." in page.locator("#pastednote").inner_text()
    row = {"clinical.age": 61.0, "clinical.tg": 12.5, "clinical.invasion": 1.0, "clinical.site": "elsewhere"}
    new = pd.DataFrame([{**row, "ct.original_firstorder_Entropy": np.nan, "ct.noise": -0.25}])
    with pytest.warns(UserWarning, match="elsewhere"):
        expected = plain.model.predict_rows(new)[0]
    assert float(page.locator("body").get_attribute("data-risk") or "nan") == pytest.approx(expected, abs=1e-9)
    assert "“elsewhere” never occurred in training" in page.locator("#warnings").inner_text()


PASTED = {
    "clinical.age,61\nclinical.tg,12.5": "Filled in 2 of 6",
    "clinical.age\tclinical.tg\n61\t12\n62\t13": "2 lines of values; paste one patient.",
    "clinical.age,clinical.tg,x\n61,12": "3 names but 2 values.",
    "clinical.age,age\n61,12": "clinical.age is named twice.",
    "a,b,c\n1,2,3": "None of these names is an input of the model; the first: a.",
    "clinical.age": "A header line and a line of values are needed.",
}


def test_pasted_mistakes(page: Page, plain: Made) -> None:
    """What cannot be a patient's row is refused with the reason; lines of name and value are taken too."""
    page.goto(plain.page.as_uri())
    page.locator("#paste summary").click()
    for text, message in PASTED.items():
        page.locator("#pasted").fill(text)
        page.locator("#take").click()
        assert message in page.locator("#pastednote").inner_text(), text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable_and_narrow(page: Page, plain: Made, scheme: Any) -> None:
    """With a result, a mistake and a warning on show: contrast AA in both schemes, nothing wider than 360 or 1440 px."""
    page.emulate_media(color_scheme=scheme)
    page.goto(plain.page.as_uri())
    page.locator("#input0").fill("119")
    found = checks.low_contrast(page)
    page.locator("#input1").fill("a,b")
    assert found + checks.low_contrast(page) + checks.overflow(page, 360) + checks.overflow(page, 1440) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert checks.low_contrast(page) == []


def test_the_printed_sheet(page: Page, plain: Made) -> None:
    """Paper has inputs, result, fingerprint, date and the caveat, and no form."""
    page.goto(plain.page.as_uri())
    page.locator("#input0").fill("61")
    page.locator("#who").fill("case 7")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("#form").is_visible()
    text = page.locator("body").inner_text()
    wanted = ["Age\t61 years", "case 7", page.locator("#risk").inner_text(), "Research use only", "Calculated on 20"]
    assert [part for part in [*wanted, page.locator("code").inner_text()] if part not in text] == []
    assert len(page.locator("code").inner_text()) == 64
    assert checks.low_contrast(page) == []


HOSTILE = "</script><script>window.x=1</script><img src=http://192.0.2.1/x onerror=alert(1)>\u2028&amp;\"'"


def test_hostile_names_are_only_text(page: Page, tmp_path: Path) -> None:
    """Columns and categories that are code stand in the form as text, run nothing and ask for nothing."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({HOSTILE: rng.choice([HOSTILE, "b", "c"], 60), "__proto__": np.linspace(0, 1, 60)})
    made = make(tmp_path, X=X, settings={"C": 1.0})
    page.goto(made.page.as_uri())
    assert page.locator("script, img").count() == 2
    assert page.evaluate("window.x") is None
    assert page.locator("label[for=input0]").inner_text() == " ".join(HOSTILE.split("\u2028")) or HOSTILE in (
        page.locator("label[for=input0]").text_content() or ""
    )
    page.locator("#input0").select_option(index=1)
    page.locator("#input1").fill("0.25")
    chosen = page.locator("#input0 option").nth(1).text_content()
    expected = made.model.predict_rows(pd.DataFrame([{HOSTILE: chosen, "__proto__": 0.25}]))[0]
    assert float(page.locator("body").get_attribute("data-risk") or "nan") == pytest.approx(expected, abs=1e-9)


def test_a_value_that_must_be_known(page: Page, tmp_path: Path) -> None:
    """Where training filled gaps from other columns the page does not guess: it asks for the value."""
    steps = ({"name": "impute", "method": "iterative"}, "encode", "scale")
    made = make(tmp_path, steps=steps, settings={"C": 1.0})
    page.goto(made.page.as_uri())
    page.locator("#input0").fill("61")
    assert "still needed" in page.locator("#words").inner_text()
    _type(page, made, patients(1, 7, gaps=0.0).iloc[0])
    expected = made.model.predict_rows(patients(1, 7, gaps=0.0))[0]
    assert float(page.locator("body").get_attribute("data-risk") or "nan") == pytest.approx(expected, abs=1e-9)
