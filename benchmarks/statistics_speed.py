"""Speed of single statistics, against the limits the project set itself.

    python benchmarks/statistics_speed.py

Prints CPU seconds (the best of three) beside the limit. Each job is a function that prepares its data and gives what is to be timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

Job = Callable[[], object]


def delong() -> Job:
    """The variance of an AUC of 10,000 patients."""
    from isthmus.stats.roc import delong_interval

    rng = np.random.default_rng(1)
    y = rng.random(10_000) < 0.3
    score = rng.normal(size=10_000) + y
    return lambda: delong_interval(y, score)


def lasso_path() -> Job:
    """A LASSO path of 100 penalties by 10-fold cross-validation, 200 patients and 1,500 columns."""
    from isthmus.stats.lasso import cross_validate_lambda, lambda_sequence

    rng = np.random.default_rng(2)
    values = rng.normal(size=(200, 1500))
    y = (values[:, :3].sum(axis=1) + rng.normal(size=200) > 0).astype(int)
    folds = np.arange(200) % 10
    return lambda: cross_validate_lambda(values, y, folds, lambda_sequence(values, y, count=100))


def icc_of_features() -> Job:
    """ICC(2,1) with limits of 1,500 features, 3 raters, 60 patients."""
    from isthmus.stats.agreement import icc

    rng = np.random.default_rng(3)
    values = rng.normal(size=(60, 1, 1500)) + 0.5 * rng.normal(size=(60, 3, 1500))
    return lambda: icc(values)


def combat() -> Job:
    """ComBat of 1,500 features of 500 patients of five centres: fitted and applied."""
    from isthmus.stats.combat import apply_combat, fit_combat

    values = np.random.default_rng(4).normal(size=(500, 1500))
    codes = np.arange(500) % 5
    sites = np.asarray(list("abcde"))[codes]
    return lambda: apply_combat(fit_combat(values, sites), values, codes)


JOBS: dict[str, tuple[Callable[[], Job], float]] = {
    "DeLong interval, n = 10,000": (delong, 0.1),
    "LASSO path by 10-fold CV, 200 x 1,500": (lasso_path, 15.0),
    "ICC with limits, 1,500 features x 3 raters x 60": (icc_of_features, 0.2),
    "ComBat, 1,500 features x 500 patients": (combat, 1.0),
}


def main() -> None:
    """Run and print."""
    print("job, CPU seconds, limit")
    with threadpool_limits(1):
        for name, (prepare, limit) in JOBS.items():
            job = prepare()
            seconds = []
            for _ in range(3):
                start = time.process_time()
                job()
                seconds.append(time.process_time() - start)
            print(f"{name}, {min(seconds):.3f}, {limit:g}")


if __name__ == "__main__":
    main()
