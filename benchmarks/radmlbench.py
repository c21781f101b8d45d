"""The default models on radMLBench's tables: AUC by repeated nested cross-validation and CPU seconds of one core.

    python benchmarks/radmlbench.py [--repeats 5] [--twins] [NAME ...]

Prints one line per table and model (default: the three of a plan that names none, on all twelve tables), beside the honest
baseline that was measured independently, where there is one, and the best published AUC, which was chosen on its own folds. The
tables are looked for at $ISTHMUS_DATA/radmlbench or ../shared/data/radmlbench.

`--twins` also runs plain scikit-learn pipelines on the very folds of ours, as the baselines are described: median, z-score, |r| < 0.9;
L1 logistic regression with six penalties by inner AUC, 300 trees with leaves of 2, LightGBM of 150 rounds with two sizes by inner AUC.
"""

from __future__ import annotations

import argparse
import functools
import os
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from isthmus import models, select
from isthmus.models.settings import DEFAULT_MODELS
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import Split, outer_splits
from study import PlainCorrelationFilter

SEED = 20261120
BASELINE = {"lasso": "lassoLR_auc", "random-forest": "RF_auc", "lightgbm": "LGBM_auc"}


def data() -> Path:
    """Where the reference data lie."""
    named = os.environ.get("ISTHMUS_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"


def tables() -> Path:
    """Where the tables lie."""
    return data() / "radmlbench" / "datasets"


def best_published() -> pd.Series:
    """Per table the largest AUC of 616 pipelines, without decorrelation."""
    best = pd.read_csv(data() / "radmlbench" / "published_auc_best.csv")
    return best[best["decorrelation_threshold"] == 1].set_index("dataset")["auc"]


def read(name: str) -> Design:
    """One table as a design."""
    frame = pd.read_csv(tables() / f"{name}.csv.gz", dtype={"ID": "str"})
    target = frame["Target"].astype(str).isin(["1", "True"]).to_numpy(dtype=np.int64)
    outcome = Outcome("Target", "binary", pd.Series(target, index=frame["ID"]))
    return Design(frame.drop(columns=["ID", "Target"]), frame["ID"], outcome)


def twin(name: str, seed: int) -> GridSearchCV | Pipeline:
    """The plain pipeline beside a default model."""
    from lightgbm import LGBMClassifier

    def behind(estimator: object) -> Pipeline:
        before = [("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())]
        return Pipeline([*before, ("correlation", PlainCorrelationFilter()), ("estimator", estimator)])

    def searched(estimator: object, folds: int, **grid: list[float]) -> GridSearchCV:
        inner = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return GridSearchCV(
            behind(estimator), {f"estimator__{k}": v for k, v in grid.items()}, scoring="roc_auc", cv=inner
        )

    if name == "lasso":
        lasso = LogisticRegression(l1_ratio=1.0, solver="liblinear", max_iter=1000)
        return searched(lasso, 5, C=[0.01, 0.03, 0.1, 0.3, 1.0, 3.0])
    if name == "random-forest":
        return behind(RandomForestClassifier(300, min_samples_leaf=2, random_state=seed, n_jobs=1))
    boosted = LGBMClassifier(
        n_estimators=150, learning_rate=0.05, min_child_samples=5, random_state=seed, n_jobs=1, verbose=-1
    )
    return searched(boosted, 3, num_leaves=[4, 8])


def twin_auc(name: str, design: Design, split: Split) -> float:
    """The AUC of a fold by the plain pipeline."""
    train, test = design.mask(split.train), design.mask(split.test)
    values = design.X.to_numpy(dtype=float)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        fitted = twin(name, 10 * split.repeat + split.fold).fit(values[train], design.events(train))
        return float(roc_auc_score(design.events(test), fitted.predict_proba(values[test])[:, 1]))


def over_repeats(aucs: list[float], settings: ValidateSettings) -> tuple[float, float]:
    """Mean of the fold AUCs, and the standard deviation of the repeats' means."""
    means = np.array(aucs).reshape(settings.repeats, settings.folds).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1)) if len(means) > 1 else float("nan")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    best = best_published()
    parser.add_argument("names", nargs="*", default=list(best.index))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--twins", action="store_true")
    options = parser.parse_args()
    build = functools.partial(models.build, steps={**models.STEPS, **select.STEPS})
    settings = ValidateSettings(repeats=options.repeats, seed=SEED)
    baseline = pd.read_csv(data() / "statistics_r" / "radmlbench_baseline.csv").set_index("dataset")
    print(
        "table, n, p, events, model, mean fold AUC, sd over repeats, baseline, best published, CPU seconds"
        + ", plain twin, sd" * options.twins
    )
    for name in options.names:
        design = read(name)
        splits = outer_splits(design.outcome.values, folds=settings.folds, repeats=settings.repeats, seed=SEED)
        size = f"{design.X.shape[0]}, {design.X.shape[1]}, {design.outcome.n_events}"
        for spec in DEFAULT_MODELS:
            start = time.process_time()
            results = [
                evaluate_fold(
                    spec, design, split, build=build, settings=settings.of_a_fold(),
                    seed=child_seed(SEED, spec.name, split.repeat, split.fold),
                )
                for split in splits
            ]  # fmt: skip
            seconds = time.process_time() - start
            mean, spread = over_repeats([result.auc for result in results], settings)
            honest = baseline[BASELINE[spec.name]].get(name, float("nan"))
            beside = f"{honest:.3f}, {best[name]:.3f}, {seconds:.1f}"
            if options.twins:
                plain = over_repeats([twin_auc(spec.name, design, split) for split in splits], settings)
                beside += f", {plain[0]:.3f}, {plain[1]:.3f}"
            print(f"{name}, {size}, {spec.name}, {mean:.3f}, {spread:.3f}, {beside}", flush=True)


if __name__ == "__main__":
    main()
