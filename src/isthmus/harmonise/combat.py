"""The step `combat`: features without the mark of the centre (or scanner, kernel ...) they come from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, LeakageError, PlanError, TableError, first_few
from isthmus.harmonise import covariates as kept
from isthmus.harmonise.nearest import describe_sites, nearest_site
from isthmus.harmonise.order import learn_order
from isthmus.stats.combat import Combat as Fitted
from isthmus.stats.combat import adopt_site, apply_combat, fit_combat
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import CONTEXT, Array, Property, Step, StepKind, is_text

__all__ = ["Combat"]

SMALL, SMALLEST = 10, 3
"""Sites with fewer patients are warned of; with fewer than the second number only their location is adjusted."""

_UNSEEN = ("refuse", "reference", "adopt", "nearest")
_PRIORS = ("parametric", "nonparametric", "none")


class _Kind:
    """Unsupervised, unless the step is told to look at the outcome."""

    def __get__(self, step: Combat | None, owner: type) -> StepKind:
        return "supervised" if step is not None and step.protect_outcome == "training-only" else "unsupervised"


class Combat(Step):
    """Each feature at each site brought to a common location and scale (ComBat).

    Fitted on training rows; afterwards one row of a known site is harmonised by itself, and gets the bits it gets among
    others. A feature with one value at a site is dropped with the reason; text columns and those of other blocks pass as
    they are.

    Parameters
    ----------
    batch : str or list of str
        The context that divides the rows ("centre": the column `@centre`). Several are taken one after the other, each on
        what the one before left (nested ComBat, Horng et al., Sci Rep 12:4493, 2022).
    covariates : list of str
        Context that differs between sites by right and is kept. A missing value is an error.
    leave : list of str
        Columns left as they are.
    prior : {"parametric", "nonparametric", "none"}
    mean_only : bool
    reference : str, optional
        The site the others are brought to (of the first batch variable).
    unseen : {"refuse", "reference", "adopt", "nearest"}
        What of a row from a site that was not among the training rows: an error; left as it is, as if it were the reference's;
        its site estimated from `adopt_least` or more such rows without their outcome (transductive: not honest unless declared);
        treated like the site whose `protocol` is most like its own.
    protocol : list of str
        The context that `nearest` compares.
    adopt_least : int
    protect_outcome : {"never", "training-only"}
        With "training-only" the sites are estimated beside the outcome of the training rows, so that a site with more events
        does not lose what they differ in; no outcome is used when a row is harmonised, training rows included.
    order : {"learn", "given"}
        Of several batch variables: the order that leaves the fewest features with an effect of any of them, or as written.

    Attributes
    ----------
    order_ : list of str
        The batch variables as they were taken.
    stages_ : list of dict
        What each of them learned (`isthmus.stats.combat.Combat`).
    """

    name = "combat"
    kind: ClassVar[Any] = _Kind()
    requires: ClassVar[frozenset[Property]] = frozenset({"complete"})
    learned = ("columns_", "order_", "stages_", "coding_", "sites_")

    def __init__(
        self,
        batch: str | Sequence[str] = "centre",
        covariates: Sequence[str] = (),
        leave: Sequence[str] = (),
        prior: str = "parametric",
        mean_only: bool = False,
        reference: str | None = None,
        unseen: str = "refuse",
        protocol: Sequence[str] = (),
        adopt_least: int = 20,
        protect_outcome: str = "never",
        order: str = "learn",
    ) -> None:
        self.batch = batch
        self.covariates = covariates
        self.leave = leave
        self.prior = prior
        self.mean_only = mean_only
        self.reference = reference
        self.unseen = unseen
        self.protocol = protocol
        self.adopt_least = adopt_least
        self.protect_outcome = protect_outcome
        self.order = order

    # ------------------------------------------------------------------ what it says of itself

    @property
    def batches(self) -> tuple[str, ...]:
        return (self.batch,) if isinstance(self.batch, str) else tuple(self.batch)

    @property
    def context(self) -> tuple[str, ...]:
        protocol = self.protocol if self.unseen == "nearest" else ()
        return tuple(dict.fromkeys(f"{CONTEXT}{name}" for name in (*self.batches, *self.covariates, *protocol)))

    def check_settings(self) -> None:
        choices = {"prior": _PRIORS, "unseen": _UNSEEN, "protect_outcome": ("never", "training-only")}
        for key, known in {**choices, "order": ("learn", "given")}.items():
            if getattr(self, key) not in known:
                raise PlanError(f"step 'combat': {key} = {getattr(self, key)!r}; expected {', '.join(known)}")
        if not self.batches or not all(isinstance(name, str) and name for name in self.batches):
            raise PlanError(f"step 'combat': batch = {self.batch!r}; expected a name, or a list of names")
        twice = sorted({name for name in self.batches if self.batches.count(name) > 1 or name in self.covariates})
        if twice:
            raise PlanError(f"step 'combat': {first_few(twice)} stands twice among batch and covariates")
        if self.unseen == "nearest" and not self.protocol:
            raise PlanError(
                "step 'combat': unseen = 'nearest' needs protocol = [...], the facts of a scan by which sites are compared"
            )
        if isinstance(self.adopt_least, bool) or not isinstance(self.adopt_least, int) or self.adopt_least < 20:
            raise PlanError(f"step 'combat': adopt_least = {self.adopt_least!r}; expected a whole number of 20 or more")
        if not isinstance(self.mean_only, bool):
            raise PlanError(f"step 'combat': mean_only = {self.mean_only!r}; expected true or false")

    # ------------------------------------------------------------------ learning

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        labels = {name: self._labels(name) for name in self.batches}
        self.coding_ = kept.learn(self._read(self.covariates))
        design = self._design()
        columns = self._ours(frame)
        values = frame[columns].to_numpy(dtype=np.float64)
        flat = self._flat(values, labels)
        self.dropped_ = {column: why for column, why in zip(columns, flat, strict=True) if why}
        self.columns_ = [column for column in columns if column not in self.dropped_]
        values = np.ascontiguousarray(values[:, [not why for why in flat]])
        self.order_ = list(self.batches)
        if not self.columns_:
            self.stages_: list[dict[str, Any]] = []
            self.sites_: dict[str, Any] = {}
            return
        extra = self._with_outcome(design, outcome)
        if len(self.batches) > 1 and self.order == "learn":
            self.order_ = learn_order(values, labels, lambda v, name: self._harmonised(v, labels[name], extra, name))
        self.stages_ = []
        for name in self.order_:
            fitted = self._fit_one(values, labels[name], extra, name)
            self._warn_of_small(fitted, name)
            self.stages_.append(_plain(fitted))
            values = apply_combat(fitted, values, _codes(fitted, labels[name]), design)
        self.sites_ = describe_sites(labels, self._read(self.protocol)) if self.unseen == "nearest" else {}

    def _with_outcome(self, design: Array, outcome: NDArray[np.int64] | None) -> Array:
        """The covariates, and the outcome of training rows where it is protected; centred, so that leaving it out afterwards
        leaves the level where it was."""
        if outcome is None or self.protect_outcome != "training-only":
            return design
        events = outcome.astype(np.float64)
        return np.column_stack([design, events - events.mean()])

    def _fit_one(self, values: Array, labels: NDArray[np.str_], extra: Array, name: str) -> Fitted:
        """One batch variable; of its covariates only the declared ones are kept for rows to come."""
        reference = self.reference if name == self.batches[0] else None
        if reference is not None and reference not in labels:
            raise TableError(
                f"step 'combat': reference = {reference!r} is not among the {name} of the training rows "
                f"({first_few(sorted(set(labels.tolist())))})"
            )
        try:
            fitted = fit_combat(
                values, labels, extra, prior=self.prior, mean_only=self.mean_only, reference=reference,  # type: ignore[arg-type]
                smallest_with_scale=SMALLEST,
            )  # fmt: skip
        except TableError as exc:
            raise TableError(f"step 'combat', batch {name!r}: {exc}") from exc
        return replace(fitted, slopes=fitted.slopes[: kept.width(self.coding_)])

    def _harmonised(self, values: Array, labels: NDArray[np.str_], extra: Array, name: str) -> Array:
        fitted = self._fit_one(values, labels, extra, name)
        return apply_combat(fitted, values, _codes(fitted, labels), extra[:, : len(fitted.slopes)])

    def _flat(self, values: Array, labels: Mapping[str, NDArray[np.str_]]) -> list[str]:
        """Why a feature cannot be harmonised: one value at a site whose scale would be adjusted; '' where it can."""
        why = ["" for _ in range(values.shape[1])]
        for name, of_rows in labels.items():
            for label in sorted(set(of_rows.tolist())):
                rows = of_rows == label
                if rows.sum() >= SMALLEST:
                    for index in np.flatnonzero(constant_columns(values[rows])):
                        why[index] = why[index] or f"one value in all {rows.sum()} training rows of {name} {label!r}"
        return why

    def _warn_of_small(self, fitted: Fitted, name: str) -> None:
        small = [f"{site} ({n})" for site, n in zip(fitted.sites, fitted.sizes, strict=True) if n < SMALL]
        if small:
            warnings.warn(
                f"combat: few training rows of {name} {first_few(small)}: their shift and scale are uncertain; with fewer than "
                f"{SMALLEST} only the location is adjusted",
                IsthmusWarning,
                stacklevel=2,
            )

    # ------------------------------------------------------------------ applying

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        out = frame[self._names_out()]
        if not self.columns_:
            return out
        values = np.ascontiguousarray(out[self.columns_].to_numpy(dtype=np.float64))
        if not np.isfinite(values).all():
            raise TableError("'combat' needs complete columns. Put the step 'impute' before it.")
        design = self._design()
        for name, stage in zip(self.order_, self.stages_, strict=True):
            labels = self._labels(name)
            fitted = _fitted(stage)
            where = self._place(fitted, name, labels)
            for site, rows in self._adopted(fitted, name, labels).items():
                fitted = adopt_site(fitted, site, values[rows], design[rows])
                where[rows] = len(fitted.sites) - 1
            values = apply_combat(fitted, values, where, design)
        if len(self.columns_) == len(out.columns):
            return pd.DataFrame(values, index=out.index, columns=out.columns)
        done = pd.DataFrame(values, index=out.index, columns=self.columns_)
        return pd.concat([out.drop(columns=self.columns_), done], axis=1)[list(out.columns)]

    def _place(self, fitted: Fitted, name: str, labels: NDArray[np.str_]) -> NDArray[np.int64]:
        """Position of each row's site, -1 for a row that is left as it is; an unseen site as the setting says."""
        where = _codes(fitted, labels)
        new = where < 0
        if not new.any() or self.unseen == "adopt":
            return where
        strange = sorted(set(labels[new].tolist()))
        if self.unseen == "refuse":
            raise TableError(unseen_message(name, strange, fitted.sites))
        if self.unseen == "nearest":
            protocol = self._read(self.protocol)
            for row in np.flatnonzero(new):
                where[row] = fitted.sites.index(nearest_site(self.sites_[name], protocol.iloc[row]))
            said = "treated like the site whose protocol is most like theirs"
        else:
            said = "left as they are, as if they were the reference's"
        warnings.warn(
            f"combat: rows of {name} {first_few(strange)} are from a site never seen in training; {said}",
            IsthmusWarning,
            stacklevel=2,
        )
        return where

    def _adopted(self, fitted: Fitted, name: str, labels: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
        """The rows of each site that is taken in from the rows at hand."""
        if self.unseen != "adopt":
            return {}
        found = {site: labels == site for site in sorted(set(labels.tolist()) - set(fitted.sites))}
        for site, rows in found.items():
            if rows.sum() < self.adopt_least:
                raise TableError(
                    f"step 'combat': {name} {site!r} was not among the training rows, and {rows.sum()} rows are too few to adopt it "
                    f"(adopt_least = {self.adopt_least}). Gather more, or use unseen = 'reference' or 'nearest'."
                )
            warnings.warn(
                f"combat: {name} {site!r} was adopted from {rows.sum()} rows without their outcome (transductive"
                + ("; fewer than 30 are uncertain)" if rows.sum() < 30 else ")"),
                IsthmusWarning,
                stacklevel=2,
            )
        return found

    def refusals(self, context: pd.DataFrame) -> pd.Series[Any]:
        """Why each row cannot be harmonised ('' where it can): a batch nothing is known of, a batch or covariate not stated."""
        why = pd.Series("", index=context.index, dtype="str")
        for name, stage in zip(self.order_, self.stages_, strict=True):
            labels = context[f"{CONTEXT}{name}"].astype("str")
            strange = ~labels.isin(stage["sites"]) & labels.notna()
            counts = labels.map(labels.value_counts())
            for at in context.index[labels.isna()]:
                why[at] = why[at] or f"its {name} is not stated, and the model harmonises by it"
            if self.unseen == "refuse":
                for at in context.index[strange]:
                    why[at] = why[at] or (
                        f"{name} {labels[at]!r} is not among those the model was harmonised on ({first_few(stage['sites'])}), and it "
                        "was built with unseen = 'refuse'"
                    )
            if self.unseen == "adopt":
                for at in context.index[strange & (counts < self.adopt_least)]:
                    why[at] = why[at] or (
                        f"{name} {labels[at]!r} is new to the model, and {counts[at]} rows are too few to adopt it "
                        f"({self.adopt_least} needed)"
                    )
        for name in self.covariates:
            values = context[f"{CONTEXT}{name}"]
            levels = self.coding_[name]
            for at in context.index[values.isna()]:
                why[at] = why[at] or f"{name} is missing, and harmonisation keeps it as a covariate"
            if levels:
                for at in context.index[~values.astype("str").isin(levels) & values.notna()]:
                    why[at] = (
                        why[at] or f"{name} {values[at]!r} never occurred in training (known: {', '.join(levels)})"
                    )
        return why

    def treatment(self, context: pd.DataFrame) -> pd.DataFrame:
        """How the rows of each site are dealt with: batch, site, rows, training (rows it was estimated from; 0: never seen), how."""
        rows = []
        for name, stage in zip(self.order_, self.stages_, strict=True):
            fitted = _fitted(stage)
            sizes = dict(zip(fitted.sites, fitted.sizes, strict=True))
            labels = context[f"{CONTEXT}{name}"].astype("str")
            for site, count in labels.value_counts().sort_index().items():
                known = str(site) in sizes
                how = "reference" if site == fitted.reference else "known" if known else _HOW[self.unseen]
                rows.append(
                    {"batch": name, "site": site, "rows": int(count), "training": sizes.get(str(site), 0), "how": how}
                )
        return pd.DataFrame(rows, columns=["batch", "site", "rows", "training", "how"])

    # ------------------------------------------------------------------ reading rows

    def _ours(self, frame: pd.DataFrame) -> list[str]:
        """The columns that are harmonised."""
        own = [
            str(column)
            for column, dtype in zip(frame.columns, frame.dtypes, strict=True)
            if not is_text(dtype) and column not in self.leave
        ]
        unknown = [name for name in self.leave if name not in frame.columns]
        if unknown:
            warnings.warn(
                f"combat: leave names columns that are not there (dropped before, or misspelt): {first_few(unknown)}",
                IsthmusWarning,
                stacklevel=2,
            )
        if not own:
            raise PlanError("step 'combat': no column of numbers to harmonise")
        return own

    def _read(self, names: Sequence[str]) -> pd.DataFrame:
        return self.read_[[f"{CONTEXT}{name}" for name in names]].set_axis(list(names), axis=1)

    def _labels(self, name: str) -> NDArray[np.str_]:
        values = self.read_[f"{CONTEXT}{name}"]
        if values.isna().any():
            raise TableError(
                f"step 'combat': {int(values.isna().sum())} row(s) do not say their {name}, so nothing can be taken away from "
                "them. Fill it in, or exclude these patients."
            )
        return np.asarray([str(value) for value in values.tolist()])

    def _design(self) -> Array:
        return kept.design(self.coding_, self._read(self.covariates))


_HOW = {
    "refuse": "refused",
    "reference": "left as it is",
    "adopt": "adopted from its own rows (transductive)",
    "nearest": "as the most similar site",
}


def unseen_message(name: str, strange: Sequence[str], known: Sequence[str]) -> str:
    """What to do about patients of a site nothing was learned about."""
    return (
        f"harmonisation knows nothing of {name} {first_few(strange)}: it was fitted on {first_few(known)}. With unseen = 'refuse' "
        "such patients are not predicted. The choices: unseen = 'reference' (left as they are, as if they came from the reference), "
        "unseen = 'nearest' with protocol = [...] (like the known site with the most similar scans), unseen = 'adopt' (estimated "
        "from 20 or more of their own rows without outcome: transductive, and reported as such)."
    )


def refuse_outcome(covariates: Sequence[str], barred: Sequence[str]) -> None:
    """Rule L9: the outcome is no covariate; a patient to predict has none."""
    named = sorted(set(covariates) & set(barred))
    if named:
        raise LeakageError(
            f"[harmonise] covariates: {first_few(named)} makes the outcome (rule L9). Where the outcome is unknown it cannot be a "
            "covariate; protect_outcome = 'training-only' keeps it in view while the sites are estimated, and nowhere else."
        )


def _codes(fitted: Fitted, labels: NDArray[np.str_]) -> NDArray[np.int64]:
    position = {site: index for index, site in enumerate(fitted.sites)}
    return np.asarray([position.get(str(label), -1) for label in labels], dtype=np.int64)


def _plain(fitted: Fitted) -> dict[str, Any]:
    """The fitted ComBat as a step may keep it."""
    return {field.name: getattr(fitted, field.name) for field in fields(Fitted)}


def _fitted(stage: Mapping[str, Any]) -> Fitted:
    return Fitted(**{**stage, "sites": tuple(stage["sites"]), "sizes": tuple(stage["sizes"])})
