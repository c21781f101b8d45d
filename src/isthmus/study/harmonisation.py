"""Did harmonisation do what it is for? Asked of rows it was not fitted on, and said of every centre it met.

On the rows ComBat was fitted on the centre is gone by construction, whatever the data. So each fold's test patients are
looked at by themselves, harmonised by what the training patients taught, and the folds are averaged. (Pooling the folds
would not do: what one fold's test rows have too much of, the other folds' fits have taken away, and the sum is zero again.)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from isthmus.errors import IsthmusWarning, TableError
from isthmus.harmonise import Combat
from isthmus.harmonise.combat import unseen_message
from isthmus.stats.groups import adjust_p
from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed
from isthmus.stats.site_effect import SiteEffect, site_effect
from isthmus.study.data import StudyData
from isthmus.study.evaluate import BUILD, STEPS, Candidate, study_splits
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.table.memory import Rows
from isthmus.table.steps import Array, Maker
from isthmus.validate.results import FittedModel
from isthmus.validate.settings import ValidateSettings

__all__ = [
    "Around",
    "check_sites",
    "combat_of",
    "distinct_models",
    "folds_to_combat",
    "refusals",
    "site_notes",
    "up_to_combat",
    "write_harmonisation",
]

ENOUGH = 5
"""Of fewer development patients the folds cannot promise that one is always among the training rows."""

_EFFECT = 0.25  # Cohen's f: medium
_TREES = 100


def check_sites(candidates: Sequence[Candidate], data: StudyData) -> None:
    """Refuse, before anything is computed, a study whose harmonisation would meet a centre it knows nothing of.

    Raises
    ------
    TableError
        With `unseen = "refuse"`: a batch of internal or external patients has no development patient, or too few.
    """
    for candidate in candidates:
        step = combat_of(candidate)
        if step is None or step.unseen != "refuse":
            continue
        who = f"model {candidate.spec.name!r}: "
        for name in step.batches:
            column = f"@{name}"
            counts = candidate.X.groupby(candidate.patients.to_numpy())[column].first().value_counts()
            for split in ("internal", "external"):
                if data.has(split):
                    others = data.matrix(list(data.blocks)[:1], split, context=[column])[0][column]
                    strange = sorted(set(others.dropna()) - set(counts.index))
                    if strange:
                        raise TableError(f"{who}{unseen_message(name, strange, list(counts.index))}")
            small = counts[counts < ENOUGH]
            if len(small):
                listed = ", ".join(f"{site} ({n})" for site, n in small.sort_index().items())
                raise TableError(
                    f"{who}too few development patients of {name} {listed}: in some folds none of them would be left to learn from, "
                    f"and unseen = 'refuse' then predicts nobody. Merge or exclude centres with fewer than {ENOUGH}, or choose "
                    "unseen = 'reference' or 'nearest'."
                )


def write_harmonisation(
    candidates: Sequence[Candidate],
    finals: dict[str, FittedModel],
    data: StudyData,
    outcome: Outcome,
    settings: ValidateSettings,
    store: RunFolder,
    blocks: Mapping[str, Sequence[str]],
) -> None:
    """The tables of a study that harmonises; none are written where it does not."""
    own = [replace(c, X=c.own, fused=None) for c in candidates if combat_of(c) is not None]
    if not own:
        return
    store.write("tables/harmonisation_sites.csv", _sites(own, finals, data, blocks))
    store.write("tables/harmonisation_outcome.csv", _outcome_by_site(own, outcome))
    summary, features, picture = [], [], []
    for names, candidate in distinct_models(own):
        with threadpool_limits(1):
            folds = list(folds_to_combat(candidate, outcome, settings, own))
        for name in _batches(candidate):
            where = {"models": names, "batch": name}
            seen = [one for fold in folds if (one := fold.effects(name)) is not None]
            if not seen:
                continue
            features.append(_by_feature(folds, seen).assign(**where))
            areas = [
                fold.site_auc(name, child_seed(settings.seed, "harmonisation", name))
                for fold in folds[: settings.folds]
            ]
            summary.append(_summary(seen, areas).assign(**where))
            picture.append(_components(folds[0], name).assign(**where))
    for name, tables in {"": summary, "_features": features, "_picture": picture}.items():
        if tables:
            table = pd.concat(tables, ignore_index=True)
            order = ["models", "batch", *table.columns.drop(["models", "batch"])]
            store.write(f"tables/harmonisation{name}.csv", table[order])


# ---------------------------------------------------------------------- new patients


def refusals(pipeline: Any, X: pd.DataFrame) -> pd.Series[Any]:
    """Why a fitted model cannot predict each row because of where it comes from; '' where it can."""
    why = pd.Series("", index=X.index, dtype="str")
    for member in _inner(pipeline):
        why = why.where(why != "", refusals(member, X))
    for _, step in pipeline.chain:
        if isinstance(step, Combat):
            why = why.where(why != "", step.refusals(X))
    return why


def _inner(pipeline: Any) -> tuple[Any, ...]:
    """The models whose risks a fitted model takes."""
    return () if pipeline.members is None else pipeline.members.pipelines


def site_notes(pipeline: Any, X: pd.DataFrame) -> pd.DataFrame:
    """Notes (row, column, note) on rows from a site that was not among the training rows and was harmonised all the same."""
    inner = [site_notes(member, X) for member in _inner(pipeline)]
    if inner:
        own = site_notes(pipeline.rest, X)
        return pd.concat([*inner, own], ignore_index=True).drop_duplicates()
    notes = []
    for _, step in pipeline.chain:
        if not isinstance(step, Combat):
            continue
        treated = step.treatment(X)
        for one in treated[treated["training"] == 0].to_dict("records"):
            column = f"@{one['batch']}"
            note = f"{one['batch']} {one['site']!r} was not among the training rows: {one['how']}"
            notes += [
                {"row": row, "column": column, "note": note} for row in X.index[X[column].astype("str") == one["site"]]
            ]
    return pd.DataFrame(notes, columns=["row", "column", "note"])


# ---------------------------------------------------------------------- who was treated how


def _sites(
    candidates: Sequence[Candidate],
    finals: dict[str, FittedModel],
    data: StudyData,
    blocks: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Every batch the final models met, and what they did with it."""
    parts = []
    for candidate in candidates:
        name = candidate.spec.name
        step = _step_of(finals[name])
        for split in ("train", "internal", "external"):
            if data.has(split):
                X, _ = data.matrix(blocks[name], split, context=step.context)
                parts.append(step.treatment(X).assign(model=name, split=split))
    table = pd.concat(parts, ignore_index=True)
    return table[["model", "split", "batch", "site", "rows", "training", "how"]]


def _outcome_by_site(candidates: Sequence[Candidate], outcome: Outcome) -> pd.DataFrame:
    """How the outcome is spread over the batches of the development patients, with Cramer's V (rule L9)."""
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(name for c in candidates for name in _batches(c)):
        candidate = next(c for c in candidates if name in _batches(c))
        sites = candidate.X[f"@{name}"].astype(str).groupby(candidate.patients.to_numpy()).first()
        values = outcome.values.set_axis(outcome.values.index.astype(str)).loc[sites.index]
        labels = [outcome.classes[int(code)] for code in values]
        table = pd.crosstab(sites.to_numpy(), np.asarray(labels, dtype=object))
        rows += [
            {
                "batch": name,
                "site": site,
                "class": label,
                "patients": int(count),
                "cramers_v": _cramer(table),
            }
            for site, counts in table.iterrows()
            for label, count in counts.items()
        ]
    return pd.DataFrame(rows, columns=["batch", "site", "class", "patients", "cramers_v"])


def _cramer(table: pd.DataFrame) -> float:
    """Cramer's V: 0 where the outcome is as frequent at every site, 1 where the site is the outcome."""
    counts = table.to_numpy(dtype=np.float64)
    if min(counts.shape) < 2:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / (counts.sum() * (min(counts.shape) - 1))))


# ---------------------------------------------------------------------- before and after, on held-out rows


@dataclass(frozen=True, eq=False)
class _Effects:
    """The effect of the site on each feature of a fold's test rows."""

    columns: list[str]
    before: SiteEffect
    after: SiteEffect
    rows: int
    sites: int


@dataclass(frozen=True, eq=False)
class Around:
    """A fold's rows on both sides of harmonisation; the labels of both are in the context of the rows before it."""

    step: Combat
    train: pd.DataFrame
    test: pd.DataFrame

    @cached_property
    def values(self) -> dict[tuple[str, str], Array]:
        """(train or test, before or after) -> array (n, p)."""
        columns = self.step.columns_
        found = {}
        for part, rows in (("train", self.train), ("test", self.test)):
            found[part, "before"] = rows[columns].to_numpy(dtype=np.float64)
            found[part, "after"] = self.step.transform(rows)[columns].to_numpy(dtype=np.float64)
        return found

    def labels(self, part: str, name: str) -> NDArray[np.str_]:
        rows = self.train if part == "train" else self.test
        return np.asarray(rows[f"@{name}"].astype(str).to_numpy(), dtype=np.str_)

    def effects(self, name: str) -> _Effects | None:
        """None where the test rows are of one site."""
        labels = self.labels("test", name)
        sites = len(set(labels))
        if sites < 2 or len(labels) <= sites:
            return None
        before, after = (site_effect(self.values["test", when], labels) for when in ("before", "after"))
        return _Effects(list(self.step.columns_), before, after, len(labels), sites)

    def site_auc(self, name: str, seed: int) -> tuple[float, float]:
        """A forest that learns the site from training rows, on test rows: its one-against-rest AUC, mean over sites."""
        from sklearn.ensemble import RandomForestClassifier

        train, test = self.labels("train", name), self.labels("test", name)
        found = []
        for when in ("before", "after"):
            forest = RandomForestClassifier(_TREES, min_samples_leaf=2, random_state=seed % 2**32, n_jobs=1)
            guessed = forest.fit(self.values["train", when], train).predict_proba(self.values["test", when])
            areas = [
                auc((test == site).astype(np.int64), guessed[:, column])
                for column, site in enumerate(forest.classes_)
                if 0 < (test == site).sum() < len(test)
            ]
            found.append(float(np.mean(areas)) if areas else float("nan"))
        return found[0], found[1]


def folds_to_combat(
    candidate: Candidate, outcome: Outcome, settings: ValidateSettings, candidates: Sequence[Candidate]
) -> Iterator[Around]:
    design = candidate.design(outcome)
    for split in study_splits(candidates, outcome, settings):
        train, test = design.rows(design.mask(split.train)), design.rows(design.mask(split.test))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IsthmusWarning)  # the folds themselves have said it
            yield up_to_combat(candidate, train, test)


def up_to_combat(candidate: Candidate, train: Rows, test: Rows) -> Around:
    """The step, fitted on the training rows as the steps before it leave them; the rows as it meets them. Networks of blocks that are not
    harmonised are not trained for that."""
    seen, held = train.X, test.X
    chain = [step for _, step in BUILD(candidate.spec, train.X, seed=1).chain]
    blocks = next(step.blocks for step in chain if isinstance(step, Combat))
    for step in chain:
        if isinstance(step, Maker) and blocks is not None and getattr(step, "block", "") not in ("", *blocks):
            continue
        groups = {"groups": train.patients} if step.needs_groups else {}
        step.fit(seen, train.events, **groups)
        if isinstance(step, Combat):
            return Around(step, seen, held)
        seen, held = step.transform(seen), step.transform(held)
    raise AssertionError("the model does not harmonise")


_MEASURES: dict[str, Callable[[SiteEffect], float]] = {
    "share of features, ANOVA p < 0.05": lambda e: _share(e.p),
    "share of features, ANOVA p < 0.05 (Benjamini-Hochberg)": lambda e: _share(_adjusted(e.p)),
    "share of features, Kruskal-Wallis p < 0.05": lambda e: _share(e.kruskal_p),
    "share of features, Kruskal-Wallis p < 0.05 (Benjamini-Hochberg)": lambda e: _share(_adjusted(e.kruskal_p)),
    "median Cohen's f": lambda e: float(np.nanmedian(e.cohens_f)),
    "share of features, Cohen's f >= 0.25": lambda e: float(np.nanmean(e.cohens_f >= _EFFECT)),
}


def _summary(seen: Sequence[_Effects], areas: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """measure, before, after (means over folds), no_effect: what the measure is, on so few rows, where no site shows at all."""
    rows = [
        {
            "measure": name,
            "before": float(np.mean([measure(one.before) for one in seen])),
            "after": float(np.mean([measure(one.after) for one in seen])),
            "no_effect": float(np.mean([_without_effect(name, one) for one in seen])),
        }
        for name, measure in _MEASURES.items()
    ]
    before, after = np.nanmean(np.asarray(areas, dtype=np.float64), axis=0)
    rows.append(
        {"measure": "AUC of a forest that guesses the site", "before": before, "after": after, "no_effect": 0.5}
    )
    return pd.DataFrame(rows).assign(folds=len(seen), rows_per_fold=float(np.mean([one.rows for one in seen])))


def _without_effect(measure: str, one: _Effects) -> float:
    between, within = one.sites - 1, one.rows - one.sites
    if measure == "median Cohen's f":
        return float(np.sqrt(stats.f.median(between, within) * between / within))
    if "Cohen's f" in measure:
        return float(stats.f.sf(_EFFECT**2 * within / between, between, within))
    return 0.0 if "Benjamini" in measure else 0.05


def _adjusted(p: Array) -> Array:
    return adjust_p(np.nan_to_num(p, nan=1.0), "benjamini-hochberg")


def _share(p: Array) -> float:
    return float(np.nanmean(p < 0.05))


def _by_feature(folds: Sequence[Around], seen: Sequence[_Effects]) -> pd.DataFrame:
    """Of every feature, over the folds: mean F, mean Cohen's f and Kruskal-Wallis H, and the share of folds with p < 0.05."""
    parts = []
    for one in seen:
        columns: dict[str, Any] = {"feature": one.columns, "folds": 1}
        for when, effect in (("before", one.before), ("after", one.after)):
            columns |= {
                f"f_{when}": effect.f, f"cohens_f_{when}": effect.cohens_f, f"kruskal_h_{when}": effect.h,
                f"significant_{when}": effect.p < 0.05, f"kruskal_significant_{when}": effect.kruskal_p < 0.05,
            }  # fmt: skip
        parts.append(pd.DataFrame(columns))
    grouped = pd.concat(parts, ignore_index=True).groupby("feature", sort=False)
    return grouped.mean().assign(folds=grouped["folds"].sum()).reset_index()


def _components(fold: Around, name: str) -> pd.DataFrame:
    """Rows of the first fold in the first two principal components of its training rows, before and after; for the eye only."""
    parts = []
    for when in ("before", "after"):
        train = fold.values["train", when]
        middle, spread = train.mean(axis=0), train.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        _, s, vt = np.linalg.svd((train - middle) / spread, full_matrices=False)
        # the sign of a component is arbitrary: its largest loading is made positive
        axes = vt[:2] * np.sign(vt[np.arange(min(2, len(vt))), np.abs(vt[:2]).argmax(axis=1)])[:, None]
        share = s**2 / (s**2).sum()
        for part in ("train", "test"):
            scores = ((fold.values[part, when] - middle) / spread) @ axes.T
            second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores))
            parts.append(
                pd.DataFrame(
                    {
                        "when": when, "rows": part, "site": fold.labels(part, name), "pc1": scores[:, 0], "pc2": second,
                        "share1": share[0], "share2": share[1] if len(share) > 1 else 0.0,
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


# ---------------------------------------------------------------------- which models


def combat_of(candidate: Candidate) -> Combat | None:
    """The unfitted step of a model that harmonises."""
    from isthmus.models.building import make_steps

    return next((s for s in make_steps(candidate.spec, seed=0, steps=STEPS) if isinstance(s, Combat)), None)


def _batches(candidate: Candidate) -> tuple[str, ...]:
    step = combat_of(candidate)
    return step.batches if step is not None else ()


def _step_of(final: FittedModel) -> Combat:
    return next(step for _, step in final.pipeline.chain if isinstance(step, Combat))


def distinct_models(candidates: Sequence[Candidate]) -> Iterator[tuple[str, Candidate]]:
    """Models that harmonise the same columns in the same way are looked at once, under all their names."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        step = combat_of(candidate)
        assert step is not None
        key = repr((step.blocks, sorted(step.get_params(deep=False).items(), key=str), list(candidate.X.columns)))
        groups.setdefault(key, []).append(candidate)
    for members in groups.values():
        yield ", ".join(member.spec.name for member in members), members[0]
