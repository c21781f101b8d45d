"""The reading form: what it may ask and which answers it takes."""

import pytest

from isthmus.errors import PlanError, TableError
from isthmus.reading import read_form
from isthmus.reading.form import CANNOT_TELL, FORMS
from isthmus.study import Plan
from reading.forms import FIELDS, form


@pytest.mark.parametrize("name", FORMS)
def test_ready_forms_are_forms(name):
    """Every ready form is read, and none of its questions is empty."""
    assert all(field.question for field in read_form(name).fields)


@pytest.mark.parametrize(
    "asked", ["lobes", "size", "margin", "growth", "necrosis", "calcification", "organs", "vessels", "nodes"]
)
def test_the_thyroid_form_asks_what_a_thyroid_surgeon_needs(asked):
    """Lobes, size, margin, growth, necrosis, calcification, invasion of organs and vessels, and nodes by compartment."""
    assert read_form("thyroid").field(asked).required


def test_size_is_parted_at_four_centimetres():
    """The ready form parts the size at 40 mm of the measured axial diameter."""
    assert (read_form("thyroid").field("size").measured, read_form("thyroid").field("size").cuts) == (
        "axial_diameter_mm",
        [40],
    )


def test_choices_are_kept_in_the_order_of_the_form():
    """The order in which somebody ticked them plays no part."""
    assert form().checked({"organs": ["larynx", "trachea"]}) == {"organs": ["trachea", "larynx"]}


def test_a_decimal_comma_is_a_number():
    """42,5 is 42.5."""
    assert form().checked({"mm": "42,5"}) == {"mm": 42.5}


def test_none_of_several_is_an_answer():
    """An empty list is not the same as no answer."""
    assert form().checked({"organs": []}) == {"organs": []}


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        ({"margin": "fuzzy"}, "sharp, blurred"),
        ({"organs": ["heart"]}, "trachea, larynx"),
        ({"mm": "0.2"}, "1 to 250 mm"),
        ({"mm": "long"}, "1 to 250 mm"),
        ({"mm": True}, "1 to 250 mm"),
        ({"margn": "sharp"}, "Did you mean 'margin'"),
    ],
)
def test_what_the_form_does_not_take_is_refused(answers, match):
    """A wrong answer names the question, what came and what was expected."""
    with pytest.raises(TableError, match=match):
        form().checked(answers)


def test_a_form_is_signed_only_when_answered():
    """A required question without an answer stops signing, by its words."""
    with pytest.raises(TableError, match="Organs"):
        form().checked({"margin": "sharp"}, whole=True)


def test_what_cannot_be_judged_is_an_answer():
    """A scan that does not show it does not stop signing."""
    assert form().checked({"margin": CANNOT_TELL, "organs": []}, whole=True)["margin"] == CANNOT_TELL


def test_a_question_is_asked_only_where_it_applies():
    """What depends on another answer is required there, and left out elsewhere."""
    assert "why" not in form().checked({"margin": "sharp", "organs": [], "why": "no"}, whole=True)


def test_a_question_that_applies_is_required():
    """A blurred margin needs the reason."""
    with pytest.raises(TableError, match="Why blurred"):
        form().checked({"margin": "blurred", "organs": []}, whole=True)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"form": "thyriod"}, "Did you mean 'thyroid'"),
        ({"fields": [{"name": "a", "question": "A?", "choices": ["one"]}]}, "needs choices"),
        ({"fields": [{"name": "a b", "question": "A?", "choices": ["x", "y"]}]}, "letters, digits"),
        ({"fields": [{"name": "a", "question": "A?", "kind": "number", "choices": ["x", "y"]}]}, "no meaning"),
        ({"fields": [{"label": "a", "question": "A?"}]}, "label"),
        ({"leave_out": ["sise"]}, "Did you mean 'size'"),
        ({"fields": [*FIELDS, FIELDS[0]]}, "twice"),
        (
            {"fields": [{**FIELDS[3], "show": {"field": "margin", "answers": ["fuzzy"]}}, FIELDS[0]]},
            "no question before",
        ),
    ],
)
def test_a_plan_refuses_a_wrong_form(said, match):
    """[reading] of a plan is checked when the plan is read."""
    with pytest.raises(PlanError, match=match):
        Plan.parse({"cohort": {"table": "c.csv", "outcome": "o"}, "clinical": {"columns": ["a"]}, "reading": said})


def test_a_plan_changes_the_ready_form():
    """A field of the same name replaces the ready one where it stands, others are left out."""
    said = {
        "form": "thyroid",
        "leave_out": ["lobes"],
        "fields": [{"name": "margin", "question": "Rim?", "choices": ["a", "b"]}],
    }
    plan = Plan.parse({"cohort": {"table": "c.csv", "outcome": "o"}, "clinical": {"columns": ["a"]}, "reading": said})
    names = [field.name for field in plan.reading_form.fields]
    assert (names[:4], plan.reading_form.field("margin").question) == (
        ["focality", "size", "diameter_mm", "margin"],
        "Rim?",
    )


def test_the_lock_file_has_the_form_in_it():
    """A plan with a form in a file is written out with its questions, so that the file is not needed again."""
    import tomllib

    said = {"cohort": {"table": "c.csv", "outcome": "o"}, "clinical": {"columns": ["a"]}, "reading": {"fields": FIELDS}}
    plan = Plan.parse(said)
    assert Plan.parse(tomllib.loads(plan.dump())).reading_form == plan.reading_form


def test_a_form_in_a_file_is_read(tmp_path):
    """A TOML file with [[fields]] is a form."""
    path = tmp_path / "own.toml"
    path.write_text('[[fields]]\nname = "a"\nquestion = "A?"\nchoices = ["x", "y"]\n')
    assert [field.name for field in read_form(path).fields] == ["a"]
