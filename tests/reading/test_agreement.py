"""Agreement of readers, and their answers as a clinical table that a plan reads."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.reading import ReadingRecord
from isthmus.reading.agreement import agreement_table
from isthmus.reading.export import dictionary_text, exported
from isthmus.reading.form import form_of
from isthmus.reading.settings import ReadingSettings
from isthmus.stats.agreement.kappa import cohen_kappa
from isthmus.study import Plan
from isthmus.study.readings import export_readings

FORM = form_of(
    ReadingSettings.model_validate(
        {
            "fields": [
                {"name": "grade", "question": "Grade?", "choices": ["low", "mid", "high"], "ordered": True},
                {"name": "side", "question": "Side?", "choices": ["left", "right", "both"]},
                {"name": "organs", "question": "Organs?", "kind": "several", "choices": ["trachea", "larynx"]},
                {"name": "mm", "question": "Size", "kind": "number", "unit": "mm", "range": (1.0, 250.0)},
            ]
        }
    ),
    base=Path(),
)
RNG = np.random.default_rng(8)
N = 40


def answers(seed):
    """Forty cases, each answered like the truth in about two of three questions."""
    truth, noise = np.random.default_rng(1), np.random.default_rng(seed)
    said = {}
    for number in range(N):
        mm = truth.uniform(5, 80)
        grade, side, organs = truth.integers(3), truth.integers(3), truth.integers(0, 2, 2)
        if noise.random() < 0.3:
            grade = noise.integers(3)
        if noise.random() < 0.3:
            side = noise.integers(3)
        flips = noise.random(2) < 0.2
        chosen = [name for name, on in zip(["trachea", "larynx"], organs ^ flips, strict=True) if on]
        said[f"P{number:02d}"] = {
            "grade": ["low", "mid", "high"][grade],
            "side": ["left", "right", "both"][side], "organs": chosen,
            "mm": round(mm + noise.normal(0, 2), 1),
        }  # fmt: skip
    return said


ANNA, BEN = answers(2), answers(3)


@pytest.fixture
def record(tmp_path):
    made = ReadingRecord(tmp_path / "reading", FORM)
    for name, said in (("Anna", ANNA), ("Ben", BEN)):
        for case, one in said.items():
            made.save(name, case, one, signed=True)
    return made


def _row(table, field, choice=""):
    return table[(table["field"] == field) & (table["choice"] == choice)].iloc[0]


@pytest.mark.parametrize(("field", "weights"), [("grade", "quadratic"), ("side", None)])
def test_kappa_is_that_of_scikit_learn(record, field, weights):
    """Of an ordered question with quadratic weights, of another without, equal to an independent implementation."""
    from sklearn.metrics import cohen_kappa_score

    first, second = ([FORM.field(field).choices.index(said[case][field]) for case in ANNA] for said in (ANNA, BEN))
    assert _row(agreement_table(record), field)["estimate"] == pytest.approx(
        cohen_kappa_score(first, second, weights=weights)
    )


def test_several_choices_have_a_kappa_each(record):
    """Each choice is a yes or no of its own, with the limits of its kappa."""
    first, second = (["larynx" in said[case]["organs"] for case in ANNA] for said in (ANNA, BEN))
    found, expected = _row(agreement_table(record), "organs", "larynx"), cohen_kappa(first, second).interval
    assert (found["estimate"], found["lower"], found["upper"]) == (expected.estimate, expected.lower, expected.upper)


def test_numbers_have_an_icc(record):
    """Sizes that differ by 2 mm agree nearly perfectly, and the limits hold the estimate."""
    row = _row(agreement_table(record), "mm")
    assert 0.95 < row["lower"] < row["estimate"] < row["upper"] <= 1


def test_what_one_could_not_judge_is_left_out(tmp_path):
    """A pair with "cannot be judged" is no disagreement: n is one fewer."""
    record = ReadingRecord(tmp_path, FORM)
    for name, said in (("Anna", ANNA), ("Ben", {**BEN, "P00": {**BEN["P00"], "grade": "cannot be judged"}})):
        for case, one in said.items():
            record.save(name, case, one, signed=True)
    assert _row(agreement_table(record), "grade")["n"] == N - 1


def test_drafts_do_not_count(record):
    """A case that one reader has not signed is in no kappa."""
    record.save("Anna", "P40", ANNA["P00"])
    record.save("Ben", "P40", BEN["P00"], signed=True)
    assert _row(agreement_table(record), "grade")["n"] == N


def _cases(names=ANNA):
    return {case: case for case in names}


def test_cases_on_which_readers_differ_are_not_exported(record):
    """They are listed as open, by name, with the questions."""
    found = exported(record, _cases())
    assert (len(found.table) + len(found.open), "no consensus" in found.open["reason"].iloc[0]) == (N, True)


def test_the_consensus_is_exported(record):
    """Once agreed on, the case is there with the agreed answers and who agreed."""
    case = exported(record, _cases()).open["case"].iloc[0]
    record.compare(case, "Anna")
    record.agree(case, {"grade": "mid", "side": "both", "organs": ["trachea"], "mm": 20}, by=["Anna", "Ben"])
    row = exported(record, _cases()).table.set_index("patient").loc[case]
    assert row.tolist() == ["mid", "both", "yes", "no", 20.0, "consensus: Anna, Ben"]


def test_numbers_of_two_readers_are_averaged(record):
    """Where all choices are the same the case is settled, and its size is the mean of the two."""
    row = exported(record, _cases()).table.iloc[0]
    assert row["mm"] == pytest.approx((ANNA[row["patient"]]["mm"] + BEN[row["patient"]]["mm"]) / 2)


def test_one_readers_answers_can_be_exported(record):
    """With a name, all of that reader's signed cases and nobody else's."""
    table = exported(record, _cases(), reader="Ben").table
    assert (len(table), table["mm"].tolist()) == (N, [said["mm"] for said in BEN.values()])


def test_an_unknown_reader_is_refused(record):
    """With a suggestion."""
    with pytest.raises(TableError, match="Did you mean 'Anna'"):
        exported(record, _cases(), reader="Ana")


def test_a_plan_reads_the_export(record, tmp_path):
    """The table and its section, pasted into a plan, are clinical predictors with their levels, units and ranges."""
    import tomllib

    table = tmp_path / "cases.csv"
    pd.DataFrame({"patient": list(ANNA), "outcome": RNG.integers(0, 2, N)}).to_csv(table, index=False)
    out = tmp_path / "out"
    export_readings(table, out, form=_form_file(tmp_path), reader="Ben")
    document = {
        "cohort": {"table": str(table), "outcome": "outcome"},
        **tomllib.loads((out / "reading.toml").read_text()),
    }
    plan = Plan.parse(document, base=out)
    from isthmus.study.data import prepare

    block = prepare(plan, workers=1, store=None).blocks["clinical"].values
    assert block.loc["P03"].to_dict() == {
        "grade": float(["low", "mid", "high"].index(BEN["P03"]["grade"])),
        "side": BEN["P03"]["side"],
        "organs_trachea": float("trachea" in BEN["P03"]["organs"]),
        "organs_larynx": float("larynx" in BEN["P03"]["organs"]),
        "mm": BEN["P03"]["mm"],
    }


def _form_file(folder):
    path = folder / "form.toml"
    lines = []
    for field in FORM.fields:
        said = field.model_dump(mode="json", exclude_defaults=True)
        lines += [
            "[[fields]]",
            *(
                f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
                for key, value in said.items()
            ),
        ]
    path.write_text("\n".join(lines).replace("'", '"'))
    return path


def test_texts_are_no_predictors():
    """A remark is in the table and in no dictionary."""
    form = form_of(ReadingSettings(), base=Path())
    assert "[clinical.columns.remark]" not in dictionary_text(form, "reading.csv")
