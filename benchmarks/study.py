"""The study half against the same study written plainly with scikit-learn's Pipeline and GridSearchCV.

    python benchmarks/study.py [--folds 2] [--penalties 50] [--study] [--audit 2]

130 patients, 1,300 features, five models (LASSO, ridge with 4 penalties, 4 numbers of columns chosen by F, random forest, LightGBM
with 2 sizes), 5 inner folds. Both do the same outer folds one after the other, taking turns, each library on one thread, and CPU
seconds are printed with their ratio. The plain study does what ours does: the same steps, grids and folds, tuning by mean AUC, a
threshold by Youden's rule on out-of-fold risks (of a forest: out of bag), one refit, the test rows. Its LASSO tries
`--penalties` values; ours tries 50, because a path costs little more than its end.

`--study` runs all 25 outer folds, final models, tables and report on two workers; `--audit N` adds N permutations.
"""

from __future__ import annotations

import argparse
import functools
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import GridSearchCV, PredefinedSplit, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from isthmus import models, select
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.table.memory import Memory
from isthmus.table.steps import deal_folds
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import Split, outer_splits

STEPS = ["impute", "encode", "variance", "scale", "correlation"]
MODELS = (
    ModelSettings(name="lasso", estimator="lasso"),
    ModelSettings(name="ridge", estimator="logistic", steps=STEPS, tuning={"C": [0.001, 0.01, 0.1, 1.0]}),
    ModelSettings(
        name="best columns", estimator="logistic", settings={"C": 1.0}, steps=[*STEPS, "univariate"],
        tuning={"univariate.k": [5, 10, 20, 40]},
    ),
    ModelSettings(name="random forest", estimator="random_forest"),
    ModelSettings(name="lightgbm", estimator="lightgbm", tuning={"leaves": [2, 7]}),
)  # fmt: skip
SETTINGS = ValidateSettings(seed=1)


def drawn(n: int = 130, p: int = 1300) -> Design:
    """Features that share 40 factors, two of which carry the outcome (30 % events)."""
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(n, 40))
    noise = rng.normal(size=(n, p)) * rng.uniform(0.1, 2, p)
    values = factors @ rng.normal(size=(40, p)) * 0.5 + noise
    score = factors[:, 0] + factors[:, 1]
    events = (score + rng.normal(size=n) > np.quantile(score, 0.7)).astype(int)
    patients = np.array([f"P{index:03d}" for index in range(n)])
    X = pd.DataFrame(values, columns=[f"f{index}" for index in range(p)])
    return Design(X, patients, Outcome("event", "binary", pd.Series(events, index=patients)))


# -- the plain twin ---------------------------------------------------------------------------------------------------


class PlainCorrelationFilter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The rule of the step 'correlation', as one would write it with numpy."""

    def __init__(self, threshold: float = 0.9) -> None:
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> PlainCorrelationFilter:
        related = np.abs(np.corrcoef(X, rowvar=False))
        over = related > self.threshold
        np.fill_diagonal(over, False)
        alive = np.ones(len(related), dtype=bool)
        for column in np.argsort(-related.mean(axis=1), kind="stable"):
            if (over[column] & alive).any():
                alive[column] = False
        self.kept_ = np.flatnonzero(alive)
        return self

    def transform(self, X: Any) -> Any:
        return X[:, self.kept_]


def plain_models(penalties: int) -> dict[str, tuple[Pipeline, dict[str, list[Any]]]]:
    """Pipelines and grids of the five models."""
    from lightgbm import LGBMClassifier

    def pipeline(*more: tuple[str, Any], scale: bool = True) -> Pipeline:
        scaler = [("scale", StandardScaler())] if scale else []
        before = [("impute", SimpleImputer(strategy="median")), ("variance", VarianceThreshold())]
        return Pipeline([*before, *scaler, ("correlation", PlainCorrelationFilter()), *more])

    lasso = LogisticRegression(l1_ratio=1.0, solver="liblinear", max_iter=1000)
    ridge = LogisticRegression(max_iter=5000, tol=1e-8)
    boosted = LGBMClassifier(
        n_estimators=150, learning_rate=0.05, min_child_samples=8, colsample_bytree=0.3, reg_lambda=1.0, n_jobs=1, verbose=-1,
        random_state=1,
    )  # fmt: skip
    forest = RandomForestClassifier(300, min_samples_leaf=2, oob_score=True, random_state=1, n_jobs=1)
    return {
        "lasso": (pipeline(("estimator", lasso)), {"estimator__C": list(np.geomspace(0.02, 20, penalties))}),
        "ridge": (pipeline(("estimator", ridge)), {"estimator__C": [0.001, 0.01, 0.1, 1.0]}),
        "best columns": (pipeline(("anova", SelectKBest()), ("estimator", ridge)), {"anova__k": [5, 10, 20, 40]}),
        "random forest": (pipeline(("estimator", forest), scale=False), {}),
        "lightgbm": (pipeline(("estimator", boosted), scale=False), {"estimator__num_leaves": [2, 7]}),
    }


def plain_fold(model: Pipeline, grid: dict[str, list[Any]], design: Design, split: Split) -> float:
    """One outer fold: tune, threshold, refit, predict; the AUC of the test patients."""
    train, test = design.mask(split.train), design.mask(split.test)
    X, y = design.X[train].to_numpy(), design.events(train)
    inner = PredefinedSplit(deal_folds(design.patients[train], y, folds=5, seed=1))
    if grid:
        search = GridSearchCV(model, grid, scoring="roc_auc", cv=inner, n_jobs=1).fit(X, y)
        fitted = search.best_estimator_
        risk = cross_val_predict(fitted, X, y, cv=inner, method="predict_proba")[:, 1]
    else:
        fitted = model.fit(X, y)
        risk = fitted[-1].oob_decision_function_[:, 1]
    false, true, cuts = roc_curve(y, risk)
    cuts[np.argmax(true - false)]
    return float(roc_auc_score(design.events(test), fitted.predict_proba(design.X[test].to_numpy())[:, 1]))


# -- both -------------------------------------------------------------------------------------------------------------


def compare(folds: int, penalties: int) -> None:
    """CPU seconds of both on the same outer folds, taking turns."""
    design = drawn()
    build = functools.partial(models.build, steps={**models.STEPS, **select.STEPS})
    splits = outer_splits(design.outcome.values, folds=5, repeats=5, seed=1)[:folds]
    seconds: dict[str, list[float]] = {spec.name: [0.0, 0.0] for spec in MODELS}
    aucs: dict[str, list[list[float]]] = {spec.name: [[], []] for spec in MODELS}
    for split in splits:
        memory = Memory()
        plain = plain_models(penalties)
        for spec in MODELS:
            start = time.process_time()
            seed = child_seed(1, spec.name, split.repeat, split.fold)
            ours = evaluate_fold(
                spec, design, split, build=build, settings=SETTINGS.of_a_fold(), seed=seed, memory=memory
            )
            between = time.process_time()
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                twin = plain_fold(*plain[spec.name], design, split)
            seconds[spec.name][0] += between - start
            seconds[spec.name][1] += time.process_time() - between
            aucs[spec.name][0].append(ours.auc)
            aucs[spec.name][1].append(twin)
    print("model, CPU s a fold: ours, plain, ratio, mean AUC: ours, plain")
    for name, (ours_s, plain_s) in seconds.items():
        a, b = (np.mean(values) for values in aucs[name])
        print(f"{name}, {ours_s / folds:.2f}, {plain_s / folds:.2f}, {plain_s / ours_s:.1f}, {a:.3f}, {b:.3f}")
    total = [sum(values[which] for values in seconds.values()) for which in (0, 1)]
    print(f"together, {total[0] / folds:.2f}, {total[1] / folds:.2f}, {total[1] / total[0]:.1f}")


def whole_study(permutations: int) -> None:
    """Wall and CPU seconds of `isthmus run` on two workers."""
    from joblib.externals.loky import get_reusable_executor

    from isthmus import Plan
    from isthmus.study.run import run_study

    design = drawn()
    with tempfile.TemporaryDirectory() as folder:
        table = design.X.assign(patient=design.patients, event=design.events(np.ones(len(design.X), dtype=bool)))
        table.to_csv(Path(folder) / "table.csv", index=False)
        plan = Plan.parse(
            {
                "table": {"path": "table.csv", "outcome": "event"},
                "models": [
                    {**spec.model_dump(exclude_defaults=True), "name": spec.name.replace(" ", "-")} for spec in MODELS
                ],
                "audit": {"permutations": permutations},
            },
            base=folder,
        )
        start = time.perf_counter()
        run_study(plan, Path(folder) / "run", workers=2)
        wall = time.perf_counter() - start
        get_reusable_executor().shutdown(wait=True)  # the CPU time of workers is known when they have ended
        used = os.times()
        cpu = used.user + used.system + used.children_user + used.children_system
        print(f"study with {permutations} permutations on 2 workers: {wall:.0f} s wall, {cpu:.0f} CPU s")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--penalties", type=int, default=50)
    parser.add_argument("--study", action="store_true")
    parser.add_argument("--audit", type=int, default=0)
    options = parser.parse_args()
    if options.folds:
        compare(options.folds, options.penalties)
    if options.study:
        whole_study(options.audit)


if __name__ == "__main__":
    main()
