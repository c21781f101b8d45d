"""[clinical]: which columns are clinical predictors, what they hold, and how their odds ratios are estimated."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from isthmus.errors import did_you_mean
from isthmus.settings import Section
from isthmus.table.dictionaries import DICTIONARIES
from isthmus.table.dictionary import TIMES, ColumnSettings, Time
from isthmus.table.expression import parse_expression
from isthmus.table.ratios import RatioName, ratio_expressions

__all__ = ["ClinicalSettings", "InferenceSettings"]


class InferenceSettings(Section):
    """[clinical.inference]: the univariable and multivariable logistic tables of the development patients.

    columns: the variables of the multivariable model, fixed in advance; by default every predictor.
    models: models whose out-of-fold risk (its logit, per standard deviation) stands among the variables.
    missing: "complete" patients only, or "multiple" imputation by chained equations, with the outcome among them, pooled by Rubin's rules.
    imputations: how many; 0: as many as the percentage of incomplete patients, at least 5. iterations: rounds of each chain.
    firth_below: fewer events per parameter than this, and Firth's method is used; 0: only where the outcome is separated.
    per: what an odds ratio of a number is for, one "unit" or one "sd"; a column's own `per` goes first.
    screening: "as published": only variables with a univariable p below this enter the multivariable model. Biased: said in the report.
    tables: false leaves both tables out.
    """

    columns: list[str] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    missing: Literal["complete", "multiple"] = "complete"
    imputations: int = Field(default=0, ge=0)
    iterations: int = Field(default=10, ge=1)
    firth_below: float = Field(default=10, ge=0)
    per: Literal["unit", "sd"] = "unit"
    screening: float | None = Field(default=None, gt=0, le=1)
    tables: bool = True


def _or_names(schema: dict[str, Any]) -> None:
    """The schema of `columns` for editors: a table, or a list of names."""
    table = {key: schema.pop(key) for key in ("type", "additionalProperties", "minProperties") if key in schema}
    schema["anyOf"] = [table, {"type": "array", "items": {"type": "string"}, "minItems": 1}]


class ClinicalSettings(Section):
    """[clinical].

    columns: the predictors: a list of names, or a data dictionary, one [clinical.columns.<name>] each.
    dictionary: a ready data dictionary ("crit"), whose facts the named columns take; what the plan says itself goes first.
    table: a second file that holds them, joined by patient (the loss is reported); id: its column with the patients.
    numeric, categorical: columns whose kind the cells do not tell.
    derive: further predictors by an expression, `{ multifocal = 'focality == "multifocal"' }`; each is 1, 0 or a number.
    ratios: ready-made ones, "NLR", "PLR", "LMR", "SII"; ratio_parts: "drop" lets them stand for their parts, "keep" keeps both.
    missing: "impute" inside the folds, or "exclude" patients who lack a value.
    """

    columns: dict[str, ColumnSettings] = Field(min_length=1, json_schema_extra=_or_names)
    dictionary: str | None = None
    table: str | None = None
    id: str = "patient"
    numeric: list[str] = Field(default_factory=list)
    categorical: list[str] = Field(default_factory=list)
    derive: dict[str, str] = Field(default_factory=dict)
    ratios: list[RatioName] = Field(default_factory=list)
    ratio_parts: Literal["drop", "keep"] = "drop"
    missing: Literal["impute", "exclude"] = "impute"
    encoding: str | None = None
    inference: InferenceSettings = InferenceSettings()

    @model_validator(mode="before")
    @classmethod
    def _with_dictionary(cls, said: Any) -> Any:
        """A list of names is a dictionary without facts; facts of a ready dictionary go below the plan's own."""
        if not isinstance(said, dict) or not isinstance(said.get("columns"), list | dict):
            return said
        columns = said["columns"]
        if isinstance(columns, list):
            twice = sorted({str(name) for name in columns if columns.count(name) > 1})
            if twice:
                raise ValueError(f"columns: {twice[0]!r} is named twice")
            if not all(isinstance(name, str) for name in columns):
                raise ValueError(f"columns: expected names in quotes (came: {columns!r})")
            columns = {name: {} for name in columns}
        ready = said.get("dictionary")
        if ready is not None:
            if ready not in DICTIONARIES:
                raise ValueError(f"dictionary = {ready!r} is not known.{did_you_mean(str(ready), DICTIONARIES)}")
            facts = DICTIONARIES[ready]
            ratios = said.get("ratios", [])
            ready_made = [name for name in ratios if name not in columns] if isinstance(ratios, list) else []
            columns = {**columns, **{name: {} for name in ready_made if name in facts}}
            columns = {
                name: {**facts.get(name, {}), **own} if isinstance(own, dict) else own for name, own in columns.items()
            }
        return {**said, "columns": columns}

    @model_validator(mode="after")
    def _together(self) -> Self:
        for key in ("numeric", "categorical"):
            for name in getattr(self, key):
                if name in self.columns and self.columns[name].kind is not None:
                    raise ValueError(f"{key}: {name!r} has its type in [clinical.columns]; say it once")
        return self

    @property
    def predictors(self) -> list[str]:
        """The columns that enter models, in order: named ones, then derived ones, then ratios."""
        parts, expressions = self._dropped_parts, self.expressions
        named = [
            n for n, c in self.columns.items() if c.role == "predictor" and n not in parts and n not in expressions
        ]
        return [*named, *(n for n in expressions if n not in self.columns or self.columns[n].role == "predictor")]

    @property
    def _dropped_parts(self) -> set[str]:
        return set(self.parts_of_ratios) if self.ratio_parts == "drop" else set()

    @property
    def parts_of_ratios(self) -> tuple[str, ...]:
        """The columns that the ratios are made of."""
        return tuple(dict.fromkeys(part for _, parts in self._ratios.values() for part in parts))

    @property
    def _ratios(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        return ratio_expressions(self.ratios, self.columns)

    @property
    def expressions(self) -> dict[str, str]:
        """Every derived column, ratios too, and its expression."""
        return {**self.derive, **{name: text for name, (text, _) in self._ratios.items()}}

    def time_of(self, name: str) -> Time | None:
        """When a predictor is known: as declared, of a derived one the latest of its parts; None where a part does not say."""
        column = self.columns.get(name)
        if column is not None and column.when is not None:
            return column.when
        text = self.expressions.get(name)
        if text is None:
            return None
        times = [self.time_of(part) for part in sorted(parse_expression(text).columns)]
        known = [time for time in times if time is not None]
        return max(known, key=TIMES.index) if len(known) == len(times) and known else None

    def only(self, names: Collection[str]) -> ClinicalSettings:
        """The settings of some of the predictors: with what these are made of, and nothing else."""
        expressions = {name: text for name, text in self.expressions.items() if name in names}
        needed = {part for text in expressions.values() for part in parse_expression(text).columns}
        columns = {name: column for name, column in self.columns.items() if name in names or name in needed}
        for name in needed - set(names):
            if name in columns:
                columns[name] = columns[name].model_copy(update={"role": "part"})
        kept = {
            "numeric": [name for name in self.numeric if name in columns],
            "categorical": [name for name in self.categorical if name in columns],
            "derive": expressions,
            "ratios": [],
        }
        return self.model_copy(update={"columns": columns, **kept})
