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


JOBS: dict[str, tuple[Callable[[], Job], float]] = {
    "DeLong interval, n = 10,000": (delong, 0.1),
    "LASSO path by 10-fold CV, 200 x 1,500": (lasso_path, 15.0),
    # agreement and harmonisation: one line each, name -> (job, limit in seconds)
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
