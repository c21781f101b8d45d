"""The default models on radMLBench tables: AUC by repeated nested cross-validation and CPU seconds of one core.

    python benchmarks/radmlbench.py [--repeats 5] [NAME ...]

Prints one line per table and model. The tables are looked for at $ISTHMUS_DATA/radmlbench or ../shared/data/radmlbench.
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
from isthmus.models.settings import DEFAULT_MODELS, ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits

DEFAULT = ("HNSCC", "Fusco2022", "WORC-GIST")
MODELS = (*DEFAULT_MODELS, ModelSettings(name="lasso-by-auc", estimator="lasso", settings={"measure": "auc"}))
SEED = 20261120


def tables() -> Path:
    """Where the tables lie."""
    named = os.environ.get("ISTHMUS_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return root / "radmlbench" / "datasets"


def read(name: str) -> Design:
    """One table as a design."""
    frame = pd.read_csv(tables() / f"{name}.csv.gz", dtype={"ID": "str"})
    target = frame["Target"].astype(str).isin(["1", "True"]).to_numpy(dtype=np.int64)
    outcome = Outcome("Target", "binary", pd.Series(target, index=frame["ID"]))
    return Design(frame.drop(columns=["ID", "Target"]), frame["ID"], outcome)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    build = functools.partial(models.build, steps={**models.STEPS, **select.STEPS})
    settings = ValidateSettings(repeats=options.repeats, seed=SEED)
    print("table, n, p, events, model, mean fold AUC, sd over repeats, CPU seconds")
    for name in options.names:
        design = read(name)
        splits = outer_splits(design.outcome.values, folds=settings.folds, repeats=settings.repeats, seed=SEED)
        size = f"{design.X.shape[0]}, {design.X.shape[1]}, {design.outcome.n_events}"
        for spec in MODELS:
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
            print(f"{name}, {size}, {spec.name}, {aucs.mean():.3f}, {spread:.3f}, {seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
