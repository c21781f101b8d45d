"""The expression language: what it says, what it refuses, and that missing cells follow three-valued logic."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.table.expression import parse_expression

FRAME = pd.DataFrame(
    {
        "size_mm": ["10", "30.0", "45", None],
        "side": ["left", "right", None, "left"],
        "T (stage)": ["1", "2", "3", "4"],
        "eligible": ["yes", "No", "1", None],
        "性别": ["女", "男", "女", "男"],
        "patient": ["P01", "P02", "P03", "P04"],
    },
    dtype="str",
    index=pd.Index([2, 3, 4, 5], name="file_row"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size_mm > 30", [False, False, True, None]),
        ("size_mm >= 30", [False, True, True, None]),
        ("size_mm == 30", [False, True, False, None]),
        ("30 == size_mm", [False, True, False, None]),
        ("size_mm != 30", [True, False, True, None]),
        ("side == 'left'", [True, False, None, True]),
        ('side != "left"', [False, True, None, False]),
        ("性别 == '女'", [True, False, True, False]),
        ("`T (stage)` > 2", [False, False, True, True]),
        ("`T (stage)` in [1, 3]", [True, False, True, False]),
        ("`T (stage)` in [-1, 3]", [False, False, True, False]),
        ("side in ['left', 'both']", [True, False, None, True]),
        ("side not in ['left', 'both']", [False, True, None, False]),
        ("missing(side)", [False, False, True, False]),
        ("not missing(size_mm)", [True, True, True, False]),
        ("eligible", [True, False, True, None]),
        ("not eligible", [False, True, False, None]),
        ("size_mm > 30 and side == 'left'", [False, False, None, None]),
        ("size_mm > 30 or side == 'left'", [True, False, True, True]),
        ("side == 'right' and size_mm > 0", [False, True, None, False]),
        ("not side == 'left' and eligible or missing(eligible)", [False, False, None, True]),
        ("size_mm * 2 - 10 > 40 + `T (stage)`", [False, True, True, None]),
        ("size_mm - 10 - 10 == -10", [True, False, False, None]),
        ("size_mm / 5 / 2 == 1", [True, False, False, None]),
        ("-size_mm < -(20)", [False, True, True, None]),
        ("size_mm / 0 > 1", [None, None, None, None]),
        ("(size_mm > 20) == (`T (stage)` > 2)", [True, False, True, None]),
        ("size_mm > `T (stage)`", [True, True, True, None]),
        ("side == 性别", [False, False, None, False]),
        ("size_mm > 1e1 and size_mm < .5e2", [False, True, True, None]),
    ],
)
def test_conditions(text: str, expected: list[bool | None]) -> None:
    """Each construction gives true, false or missing, as the documentation says."""
    values = parse_expression(text).condition(FRAME)
    assert [None if cell is pd.NA else bool(cell) for cell in values] == expected


def test_arithmetic_gives_numbers() -> None:
    """An expression without a comparison gives a number for each row."""
    assert parse_expression("size_mm / 10 + 1").evaluate(FRAME).tolist()[:3] == [2.0, 4.0, 5.5]


def test_columns_are_known() -> None:
    """The columns an expression reads are known without evaluating it; they become barred as predictors."""
    expression = parse_expression("size_mm > 3 and not missing(`T (stage)`) or side in ['side2']")
    assert expression.columns == {"size_mm", "T (stage)", "side"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size_mm = 3", "position 9: a single = ; write == to compare"),
        ("size_mm >", "position 10: expected a column, a number, a text in quotes or '\\(', found 'the end'"),
        ("", "position 1: expected a column"),
        ("size mm > 3", "position 6: expected the end or an operator, found 'mm'; a column whose name holds spaces"),
        ("1 < size_mm < 3", "position 13: one comparison at a time; join two with and"),
        ("(size_mm > 3", "expected '\\)', found 'the end'"),
        ("size_mm > 3)", "position 12: expected the end"),
        ("side == 'left", "position 9: the quote ' is not closed"),
        ("size_mm > 3 & side == 'left'", "write and, or, not"),
        ("__import__('os')", "__import__\\(\\) is not known; missing\\(column\\) is the only function"),
        ("size_mm.__class__", "expected|unknown|is not known"),
        ("side in []", "expected a number or a text in quotes"),
        ("side in ['a', 1]", "a list holds numbers or texts, not both"),
        ("side in ['a'", "expected ',', found 'the end'"),
        ("missing(3)", "expected a column in missing"),
        ("3abc > 1", "position 1: a number followed by letters"),
        ("lambda: 1", "':' is not known"),
        ("size_mm ** 2 > 1", "position 10: expected a column"),
        ("(" * 5000 + "1", "nested too deeply"),
    ],
)
def test_grammar_errors_point_at_the_place(text: str, message: str) -> None:
    """What does not follow the grammar is refused, and the message points at the place."""
    with pytest.raises(PlanError, match=message):
        parse_expression(text).condition(FRAME)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size_m > 3", "unknown column 'size_m'. Did you mean 'size_mm'\\?"),
        ("missing(Side)", "unknown column 'Side'. Did you mean 'side'\\?"),
        ("side > 'a'", "position 6: > orders numbers"),
        ("size_mm + 'a' > 2", "expected a number, found a text in quotes"),
        ("(size_mm > 1) + 1 > 2", "expected a number, found a condition"),
        ("3 and eligible", "expected a condition"),
        ("size_mm + 1", "expected a condition"),
        ("size_mm + 1 == 'a'", "a number or a condition cannot be compared with a text"),
        ("(size_mm > 1) < (size_mm > 2)", "two conditions can only be compared with == and !="),
    ],
)
def test_kinds_must_go_together(text: str, message: str) -> None:
    """Texts, numbers and conditions that do not go together are refused."""
    with pytest.raises(PlanError, match=message):
        parse_expression(text).condition(FRAME)


@pytest.mark.parametrize("text", ["side > 3", "side in [1, 2]", "side + 1 > 3", "size_mm > side"])
def test_text_in_a_numeric_comparison_names_rows(text: str) -> None:
    """Text where a number is compared is an error that names column, row and patient."""
    with pytest.raises(TableError, match="text in a numeric column, 'side': row 2, patient P01, 'left'"):
        parse_expression(text).condition(FRAME)


def test_a_column_used_as_condition_must_say_yes_or_no() -> None:
    """A bare column that holds something else names the row and shows how to compare it."""
    with pytest.raises(TableError, match="row 2, patient P01 holds 'left'; .*compare it: side == 'left'"):
        parse_expression("side and eligible").condition(FRAME)
