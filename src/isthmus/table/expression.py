"""A small, safe language over the columns of a table, for outcomes and for inclusion and exclusion.

Nothing is ever handed to Python's `eval`: the text is cut into tokens, parsed into the few nodes below, and those are
computed. What can be said:

- columns by name (`size_mm`), in backticks where the name holds spaces or signs (``` `size (mm)` ```);
- numbers (`3`, `2.5`, `1e-3`) and texts in quotes (`'multifocal'` or `"multifocal"`);
- `== != < <= > >=`, `in [...]`, `not in [...]`, `+ - * /`, `and or not`, parentheses, `missing(column)`.

A missing cell makes whatever is computed from it missing, with the usual exceptions: `false and missing` is false,
`true or missing` is true, and `missing(column)` always knows. Division by zero gives missing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.table.reading import number, numeric, row_name

__all__ = ["FALSE_WORDS", "TRUE_WORDS", "Expression", "parse_expression", "truth", "unknown_column"]

TRUE_WORDS = frozenset({"1", "true", "yes"})
FALSE_WORDS = frozenset({"0", "false", "no"})

Floats = NDArray[np.float64]
Kind = Literal["number", "text", "truth"]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
    | `(?P<quoted>[^`]+)`
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<name>[^\W\d]\w*(?:\.\w+)*)
    | (?P<sign>==|!=|<=|>=|[<>+\-*/()\[\],])
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_WORDS = ("and", "or", "not", "in")


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Parameters
    ----------
    text : str
        As the plan writes it.
    columns : frozenset of str
        The columns it reads.
    """

    text: str
    columns: frozenset[str]
    _root: _Node

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @property
    def is_column(self) -> bool:
        """Whether it is a column's name and nothing more."""
        return isinstance(self._root, _Column)

    def evaluate(self, frame: pd.DataFrame, *, patients: pd.Series[Any] | None = None) -> pd.Series[Any]:
        """The value for every row: true or false (dtype boolean), a number (float), or the text of a lone column.

        Parameters
        ----------
        frame : DataFrame of str
            As `read_frame` gives it.
        patients : Series, optional
            Patient of each row, for messages; by default the frame's column `patient`, if it has one.

        Returns
        -------
        Series
            On the frame's index; missing where it cannot be known.

        Raises
        ------
        PlanError
            A column is unknown (with a suggestion), or kinds do not go together (text plus number).
        TableError
            Text stands where a number is compared; names the rows.
        """
        value = self._value(frame, patients)
        if value.kind == "truth":
            return pd.Series(_booleans(value.numbers), index=frame.index)
        if value.kind == "number":
            return pd.Series(value.numbers, index=frame.index)
        return pd.Series(value.texts, index=frame.index, dtype="str")

    def condition(self, frame: pd.DataFrame, *, patients: pd.Series[Any] | None = None) -> pd.Series[Any]:
        """The same, as true, false or missing for every row; a lone column may hold 1, true, yes, 0, false, no."""
        context = _Context(self.text, frame, _patients(frame, patients))
        self._check(frame)
        return pd.Series(_booleans(_truth(self._root, context)), index=frame.index)

    def _value(self, frame: pd.DataFrame, patients: pd.Series[Any] | None) -> _Value:
        self._check(frame)
        return self._root.value(_Context(self.text, frame, _patients(frame, patients)))

    def _check(self, frame: pd.DataFrame) -> None:
        for name in sorted(self.columns):
            if name not in frame.columns:
                raise unknown_column(name, frame.columns, where=f"expression {self.text!r}")


def parse_expression(text: str) -> Expression:
    """The expression a text says.

    Raises
    ------
    PlanError
        The text does not follow the grammar; the message points at the place.
    """
    parser = _Parser(text)
    try:
        root = parser.parse()
    except RecursionError as error:
        raise PlanError(f"expression {text[:60]!r}...: nested too deeply; write it more simply") from error
    return Expression(text, frozenset(parser.columns), root)


def truth(text: str) -> bool | None:
    """What a yes-or-no cell says: 1, 1.0, true, yes (any case) or 0, 0.0, false, no; None if it is neither."""
    word = text.strip().lower()
    if word in TRUE_WORDS or number(word) == 1.0:
        return True
    if word in FALSE_WORDS or number(word) == 0.0:
        return False
    return None


def unknown_column(name: str, columns: Iterable[Any], *, where: str) -> PlanError:
    """The error for a column that the table lacks, with the nearest name."""
    known = [str(column) for column in columns]
    folded = {column.casefold(): column for column in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    if near and name.partition(":")[0] + folded[near[0]].partition(":")[0] in ("imagemask", "maskimage"):
        near = []  # a mask is no answer to a missing image
    hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
    shown = ", ".join(known[:30]) + (", ..." if len(known) > 30 else "")
    return PlanError(f"{where}: unknown column {name!r}.{hint} The table has: {shown}")


# --- values and nodes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Context:
    """The table an expression is computed on."""

    text: str
    frame: pd.DataFrame
    patients: pd.Series[Any] | None

    def fail(self, at: int, what: str) -> NoReturn:
        _fail(self.text, at, what)


@dataclass(frozen=True)
class _Value:
    """One value per row: numbers (truth as 1 and 0, missing NaN), or texts (missing None)."""

    kind: Kind
    numbers: Floats
    texts: list[str | None]


def _number_value(numbers: Floats) -> _Value:
    return _Value("number", numbers, [])


def _truth_value(numbers: Floats) -> _Value:
    return _Value("truth", numbers, [])


@dataclass(frozen=True)
class _Node:
    """A part of an expression, and where in the text it begins."""

    at: int

    def value(self, context: _Context) -> _Value:
        raise NotImplementedError


@dataclass(frozen=True)
class _Number(_Node):
    constant: float

    def value(self, context: _Context) -> _Value:
        return _number_value(np.full(len(context.frame), self.constant))


@dataclass(frozen=True)
class _Text(_Node):
    constant: str

    def value(self, context: _Context) -> _Value:
        return _Value("text", np.empty(0), [self.constant] * len(context.frame))


@dataclass(frozen=True)
class _Column(_Node):
    name: str

    def value(self, context: _Context) -> _Value:
        cells = context.frame[self.name]
        texts = [None if gone else str(cell) for cell, gone in zip(cells.tolist(), cells.isna(), strict=True)]
        return _Value("text", np.empty(0), texts)

    def numbers(self, context: _Context) -> Floats:
        """The column as numbers; a cell of text is an error that names its row."""
        try:
            cells = numeric(context.frame[self.name], self.name, patients=context.patients)
            return np.asarray(cells, dtype=np.float64)
        except TableError as error:
            raise TableError(f"expression {context.text!r}, position {self.at + 1}: {error}") from error

    def is_numeric(self, context: _Context) -> bool:
        """Whether every cell that is there holds a number."""
        return all(text is None or number(text) is not None for text in self.value(context).texts)


@dataclass(frozen=True)
class _Missing(_Node):
    column: _Column

    def value(self, context: _Context) -> _Value:
        return _truth_value(np.asarray(context.frame[self.column.name].isna(), dtype=np.float64))


@dataclass(frozen=True)
class _Negative(_Node):
    of: _Node

    def value(self, context: _Context) -> _Value:
        return _number_value(-_numbers(self.of, context))


@dataclass(frozen=True)
class _Arithmetic(_Node):
    sign: str
    left: _Node
    right: _Node

    def value(self, context: _Context) -> _Value:
        left, right = _numbers(self.left, context), _numbers(self.right, context)
        if self.sign == "/":
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                return _number_value(np.where(right == 0, np.nan, left / right))
        operation: Callable[[Floats, Floats], Floats] = {"+": np.add, "-": np.subtract, "*": np.multiply}[self.sign]
        with np.errstate(over="ignore", invalid="ignore"):
            return _number_value(operation(left, right))


@dataclass(frozen=True)
class _Comparison(_Node):
    sign: str
    left: _Node
    right: _Node

    def value(self, context: _Context) -> _Value:
        if self._as_text(context):
            left, right = self.left.value(context).texts, self.right.value(context).texts
            wanted = self.sign == "=="
            cells = [
                np.nan if a is None or b is None else float((a == b) is wanted)
                for a, b in zip(left, right, strict=True)
            ]
            return _truth_value(np.array(cells, dtype=np.float64))
        if self._both_truth(context):
            return _truth_value(_compare(self.sign, _truth(self.left, context), _truth(self.right, context)))
        return _truth_value(_compare(self.sign, _numbers(self.left, context), _numbers(self.right, context)))

    def _as_text(self, context: _Context) -> bool:
        """Whether texts are compared: one side is a quoted text, or two columns are not both numeric."""
        sides = (self.left, self.right)
        quoted = any(isinstance(side, _Text) for side in sides)
        if quoted:
            for side in sides:
                if not isinstance(side, _Text | _Column):
                    context.fail(side.at, "a number or a condition cannot be compared with a text in quotes")
        columns = all(isinstance(side, _Column) for side in sides)
        textual = quoted or (
            columns and not all(isinstance(side, _Column) and side.is_numeric(context) for side in sides)
        )
        if textual and self.sign not in ("==", "!="):
            if quoted:
                context.fail(self.at, f"{self.sign} orders numbers; texts can only be compared with == and !=")
            return False  # two columns are ordered as numbers: the conversion names the rows that are none
        return textual

    def _both_truth(self, context: _Context) -> bool:
        kinds = [
            isinstance(side, _Logic | _Not | _Comparison | _Membership | _Missing) for side in (self.left, self.right)
        ]
        if all(kinds) and self.sign not in ("==", "!="):
            context.fail(self.at, f"{self.sign} orders numbers; two conditions can only be compared with == and !=")
        return all(kinds)


@dataclass(frozen=True)
class _Membership(_Node):
    of: _Node
    members: tuple[float, ...] | tuple[str, ...]
    negated: bool

    def value(self, context: _Context) -> _Value:
        if isinstance(self.members[0], str):
            if not isinstance(self.of, _Column | _Text):
                context.fail(self.of.at, "a number or a condition cannot be among texts in quotes")
            texts = self.of.value(context).texts
            inside = np.array(
                [np.nan if text is None else float(text in self.members) for text in texts], dtype=np.float64
            )
        else:
            numbers = _numbers(self.of, context)
            found = np.isin(numbers, np.array(self.members, dtype=np.float64)).astype(np.float64)
            inside = np.where(np.isnan(numbers), np.nan, found)
        return _truth_value(1.0 - inside if self.negated else inside)


@dataclass(frozen=True)
class _Not(_Node):
    of: _Node

    def value(self, context: _Context) -> _Value:
        return _truth_value(1.0 - _truth(self.of, context))


@dataclass(frozen=True)
class _Logic(_Node):
    word: str
    left: _Node
    right: _Node

    def value(self, context: _Context) -> _Value:
        left, right = _truth(self.left, context), _truth(self.right, context)
        decides = 0.0 if self.word == "and" else 1.0
        unknown = np.isnan(left) | np.isnan(right)
        decided = (left == decides) | (right == decides)
        return _truth_value(np.where(decided, decides, np.where(unknown, np.nan, 1.0 - decides)))


def _numbers(node: _Node, context: _Context) -> Floats:
    """A node as numbers."""
    if isinstance(node, _Column):
        return node.numbers(context)
    value = node.value(context)
    if value.kind != "number":
        context.fail(node.at, f"expected a number, found a {'text in quotes' if value.kind == 'text' else 'condition'}")
    return value.numbers


def _truth(node: _Node, context: _Context) -> Floats:
    """A node as true (1), false (0) or missing (NaN)."""
    value = node.value(context)
    if value.kind == "truth":
        return value.numbers
    if not isinstance(node, _Column):
        kind = "a text in quotes" if value.kind == "text" else "a number"
        context.fail(node.at, f"expected a condition (such as size > 3), found {kind}")
    result = np.full(len(value.texts), np.nan)
    for position, text in enumerate(value.texts):
        said = None if text is None else truth(text)
        if text is not None and said is None:
            row = row_name(context.frame.index, position, context.patients)
            raise TableError(
                f"expression {context.text!r}, position {node.at + 1}: column {node.name!r} is used as a condition, but "
                f"{row} holds {text!r}; expected 1, true, yes, 0, false or no; compare it: {node.name} == {text!r}"
            )
        if said is not None:
            result[position] = float(said)
    return result


def _compare(sign: str, left: Floats, right: Floats) -> Floats:
    operation: Callable[[Floats, Floats], NDArray[np.bool_]] = {
        "==": np.equal,
        "!=": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
    }[sign]
    return np.where(np.isnan(left) | np.isnan(right), np.nan, operation(left, right))


def _booleans(numbers: Floats) -> pd.arrays.BooleanArray:
    """1, 0 and NaN as true, false and missing."""
    missing = np.isnan(numbers)
    return pd.arrays.BooleanArray(np.where(missing, 0.0, numbers).astype(bool), missing)


def _patients(frame: pd.DataFrame, patients: pd.Series[Any] | None) -> pd.Series[Any] | None:
    if patients is None and "patient" in frame.columns:
        return frame["patient"]
    return patients


# --- parsing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    kind: Literal["number", "quoted", "text", "name", "sign", "end"]
    text: str
    at: int


def _fail(text: str, at: int, what: str) -> NoReturn:
    raise PlanError(f"expression {text!r}, position {at + 1}: {what}\n  {text}\n  {' ' * at}^")


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            _fail(text, at, _unknown_sign(text[at:]))
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))  # type: ignore[arg-type]
        at = match.end()
    return [*tokens, _Token("end", "", len(text))]


def _unknown_sign(rest: str) -> str:
    """What to write instead of a sign the grammar does not have."""
    if rest[0] == "=":
        return "a single = ; write == to compare"
    if rest[0] in "&|!":
        return f"{rest[0]!r} is not known; write and, or, not"
    if rest[0] in "'\"`":
        return f"the quote {rest[0]} is not closed"
    if rest[0].isdigit():
        return "a number followed by letters; a column whose name starts with a digit is written in backticks"
    return f"{rest[0]!r} is not known; a column whose name holds it is written in backticks"


class _Parser:
    """Recursive descent, one method per level of binding, loosest first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.position = 0
        self.columns: set[str] = set()

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def parse(self) -> _Node:
        root = self.either()
        if self.token.kind != "end":
            self.fail(f"expected the end or an operator, found {self.token.text!r}{self._spaces()}")
        return root

    def _spaces(self) -> str:
        previous = self.tokens[self.position - 1]
        both_names = self.token.kind == "name" and previous.kind == "name"
        return "; a column whose name holds spaces is written in backticks" if both_names else ""

    def fail(self, what: str) -> NoReturn:
        _fail(self.text, self.token.at, what)

    def takes(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or words (not a quoted text that reads the same)."""
        return self.token.kind in ("sign", "name") and self.token.text in texts

    def next(self) -> _Token:
        token = self.token
        self.position += 1
        return token

    def expect(self, sign: str) -> None:
        if not self.takes(sign):
            self.fail(f"expected {sign!r}, found {self.token.text or 'the end'!r}")
        self.next()

    def either(self) -> _Node:
        node = self.both()
        while self.takes("or"):
            node = _Logic(self.next().at, "or", node, self.both())
        return node

    def both(self) -> _Node:
        node = self.negation()
        while self.takes("and"):
            node = _Logic(self.next().at, "and", node, self.negation())
        return node

    def negation(self) -> _Node:
        if self.takes("not"):
            return _Not(self.next().at, self.negation())
        return self.comparison()

    def comparison(self) -> _Node:
        left = self.sum()
        if self.takes(*_COMPARISONS):
            sign = self.next()
            node = _Comparison(sign.at, sign.text, left, self.sum())
            if self.takes(*_COMPARISONS, "in"):
                self.fail("one comparison at a time; join two with and")
            return node
        if self.takes("in", "not"):
            at, negated = self.token.at, self.takes("not")
            self.next()
            if negated:
                self.expect("in")
            return _Membership(at, left, self.members(), negated)
        return left

    def members(self) -> tuple[float, ...] | tuple[str, ...]:
        opened = self.token.at
        self.expect("[")
        numbers: list[float] = []
        texts: list[str] = []
        while True:
            negative = self.takes("-")
            if negative:
                self.next()
            token = self.next()
            if token.kind == "number":
                numbers.append(-float(token.text) if negative else float(token.text))
            elif token.kind == "text" and not negative:
                texts.append(token.text[1:-1])
            else:
                self.position -= 1
                self.fail("expected a number or a text in quotes")
            if self.takes("]"):
                break
            self.expect(",")
        self.next()
        if numbers and texts:
            _fail(self.text, opened, "a list holds numbers or texts, not both")
        return tuple(numbers) if numbers else tuple(texts)

    def sum(self) -> _Node:
        node = self.product()
        while self.takes("+", "-"):
            sign = self.next()
            node = _Arithmetic(sign.at, sign.text, node, self.product())
        return node

    def product(self) -> _Node:
        node = self.factor()
        while self.takes("*", "/"):
            sign = self.next()
            node = _Arithmetic(sign.at, sign.text, node, self.factor())
        return node

    def factor(self) -> _Node:
        token = self.token
        if token.kind == "number":
            return _Number(self.next().at, float(token.text))
        if token.kind == "text":
            return _Text(self.next().at, token.text[1:-1])
        if self.takes("-"):
            return _Negative(self.next().at, self.factor())
        if self.takes("("):
            self.next()
            node = self.either()
            self.expect(")")
            return node
        return self.named()

    def named(self) -> _Node:
        token = self.token
        if token.kind not in ("name", "quoted") or (token.kind == "name" and token.text in _WORDS):
            self.fail(f"expected a column, a number, a text in quotes or '(', found {token.text or 'the end'!r}")
        self.next()
        if token.kind == "name" and self.takes("("):
            if token.text != "missing":
                _fail(self.text, token.at, f"{token.text}() is not known; missing(column) is the only function")
            return self.missing(token)
        return self.column(token)

    def missing(self, word: _Token) -> _Node:
        self.expect("(")
        if self.token.kind not in ("name", "quoted"):
            self.fail("expected a column in missing(...)")
        column = self.column(self.next())
        self.expect(")")
        return _Missing(word.at, column)

    def column(self, token: _Token) -> _Column:
        self.columns.add(token.text)
        return _Column(token.at, token.text)
