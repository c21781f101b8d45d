"""The expression evaluator against plain Python, on expressions and tables drawn at random."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.table.expression import parse_expression

Row = dict[str, Any]
Pair = tuple[str, Callable[[Row], Any]]

rows = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.none() | st.integers(-3, 3),
            "b": st.none() | st.integers(-3, 3),
            "kind": st.none() | st.sampled_from(["x", "y", "z"]),
        }
    ),
    min_size=1,
    max_size=6,
)


def lifted(operation: Callable[[Any, Any], Any], left: Pair, right: Pair, sign: str) -> Pair:
    def value(row: Row) -> Any:
        one, two = left[1](row), right[1](row)
        return None if one is None or two is None else operation(one, two)

    return f"({left[0]} {sign} {right[0]})", value


def divided(one: float, two: float) -> float | None:
    return None if two == 0 else one / two


NUMBERS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("+", lambda x, y: x + y),
    ("-", lambda x, y: x - y),
    ("*", lambda x, y: x * y),
    ("/", divided),
]
COMPARISONS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("==", lambda x, y: x == y),
    ("!=", lambda x, y: x != y),
    ("<", lambda x, y: x < y),
    ("<=", lambda x, y: x <= y),
    (">", lambda x, y: x > y),
    (">=", lambda x, y: x >= y),
]

columns: st.SearchStrategy[Pair] = st.sampled_from(["a", "b"]).map(lambda name: (name, lambda row: row[name]))
constants: st.SearchStrategy[Pair] = st.integers(0, 3).map(lambda number: (str(number), lambda row: number))
numbers: st.SearchStrategy[Pair] = st.recursive(
    columns | constants,
    lambda inner: (
        st.builds(lambda op, left, right: lifted(op[1], left, right, op[0]), st.sampled_from(NUMBERS), inner, inner)
        | inner.map(lambda pair: (f"-{pair[0]}", lambda row: None if pair[1](row) is None else -pair[1](row)))
    ),
    max_leaves=5,
)


def conjunction(left: Pair, right: Pair) -> Pair:
    def value(row: Row) -> bool | None:
        sides = (left[1](row), right[1](row))
        return False if False in sides else None if None in sides else True

    return f"({left[0]} and {right[0]})", value


def disjunction(left: Pair, right: Pair) -> Pair:
    def value(row: Row) -> bool | None:
        sides = (left[1](row), right[1](row))
        return True if True in sides else None if None in sides else False

    return f"({left[0]} or {right[0]})", value


def negation(pair: Pair) -> Pair:
    return f"(not {pair[0]})", lambda row: None if pair[1](row) is None else not pair[1](row)


atoms: st.SearchStrategy[Pair] = (
    st.builds(lambda op, left, right: lifted(op[1], left, right, op[0]), st.sampled_from(COMPARISONS), numbers, numbers)
    | st.sampled_from("xyz").map(
        lambda text: (f"kind == '{text}'", lambda row: None if row["kind"] is None else row["kind"] == text)
    )
    | st.just(("kind in ['x', 'z']", lambda row: None if row["kind"] is None else row["kind"] in ("x", "z")))
    | st.just(("a not in [0, -1]", lambda row: None if row["a"] is None else row["a"] not in (0, -1)))
    | st.sampled_from(["a", "kind"]).map(lambda name: (f"missing({name})", lambda row: row[name] is None))
)
conditions: st.SearchStrategy[Pair] = st.recursive(
    atoms,
    lambda inner: st.builds(conjunction, inner, inner) | st.builds(disjunction, inner, inner) | inner.map(negation),
    max_leaves=6,
)


def table(drawn: list[Row]) -> pd.DataFrame:
    cells = {name: [None if row[name] is None else str(row[name]) for row in drawn] for name in ("a", "b", "kind")}
    return pd.DataFrame(cells, dtype="str")


@settings(max_examples=150, deadline=None)
@given(conditions, rows)
def test_conditions_equal_python(condition: Pair, drawn: list[Row]) -> None:
    """Any condition gives for each row what the same condition written in Python gives, missing included."""
    text, expected = condition
    values = parse_expression(text).condition(table(drawn))
    assert [None if cell is pd.NA else bool(cell) for cell in values] == [expected(row) for row in drawn]


@settings(max_examples=100, deadline=None)
@given(numbers, rows)
def test_numbers_equal_python(pair: Pair, drawn: list[Row]) -> None:
    """Any arithmetic gives for each row what Python gives, missing included."""
    text, expected = pair
    values = parse_expression(f"0 + {text}").evaluate(table(drawn)).tolist()
    wanted = [expected(row) for row in drawn]
    assert [None if math.isnan(value) else value for value in values] == wanted


@settings(max_examples=50, deadline=None)
@given(conditions, rows, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(condition: Pair, drawn: list[Row], random: Any) -> None:
    """Reordering the rows reorders the values and changes none."""
    frame = table(drawn)
    order = list(range(len(frame)))
    random.shuffle(order)
    expression = parse_expression(condition[0])
    pd.testing.assert_series_equal(expression.condition(frame.iloc[order]), expression.condition(frame).iloc[order])
