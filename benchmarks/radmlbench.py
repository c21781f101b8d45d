"""The default models on radMLBench's tables: AUC by repeated nested cross-validation and CPU seconds of one core.

    python benchmarks/radmlbench.py [--repeats 5] [NAME ...]

Prints one line per table and model (default: the three of a plan that names none, on all twelve tables), beside the honest
baseline that was measured independently, where there is one, and the best published AUC, which was chosen on its own folds. The
tables are looked for at $ISTHMUS_DATA/radmlbench or ../shared/data/radmlbench.
"""

from __future__ import annotations

import argparse
import functools
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus import models, select
from isthmus.models.settings import DEFAULT_MODELS
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits

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


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    best = best_published()
    parser.add_argument("names", nargs="*", default=list(best.index))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    build = functools.partial(models.build, steps={**models.STEPS, **select.STEPS})
    settings = ValidateSettings(repeats=options.repeats, seed=SEED)
    baseline = pd.read_csv(data() / "statistics_r" / "radmlbench_baseline.csv").set_index("dataset")
    print("table, n, p, events, model, mean fold AUC, sd over repeats, baseline, best published, CPU seconds")
    for name in options.names:
        design = read(name)
        splits = outer_splits(design.outcome.values, folds=settings.folds, repeats=settings.repeats, seed=SEED)
        size = f"{design.X.shape[0]}, {design.X.shape[1]}, {design.outcome.n_events}"
        for spec in DEFAULT_MODELS:
            start = time.process_time()
            results = [
                evaluate_fold(
                    spec, design, split, build=build, settings=settings,
                    seed=child_seed(SEED, spec.name, split.repeat, split.fold),
                )
                for split in splits
            ]  # fmt: skip
            seconds = time.process_time() - start
            aucs = np.array([result.auc for result in results]).reshape(settings.repeats, settings.folds).mean(axis=1)
            spread = aucs.std(ddof=1) if len(aucs) > 1 else float("nan")
            honest = baseline[BASELINE[spec.name]].get(name, float("nan"))
            beside = f"{honest:.3f}, {best[name]:.3f}, {seconds:.1f}"
            print(f"{name}, {size}, {spec.name}, {aucs.mean():.3f}, {spread:.3f}, {beside}", flush=True)


if __name__ == "__main__":
    main()
