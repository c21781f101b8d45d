"""How long does the report of a large study take, and how large is it?

    python benchmarks/report.py [--run RUN] [--keep FOLDER] [--patients 200] [--features 1000] [--parts]

Without `--run` a study is run first, untimed: 200 patients of two centres (a quarter of them an external centre), 1,000 features
and three clinical columns, five models, 5 folds twice, explained, with subgroups. `--keep` says where it goes, so that the next call can
take it with `--run`. Then the report is written twice from the stored result, each time in a fresh process as `isthmus report` does,
and wall and CPU seconds and the bytes of the page are printed. `--parts` prints the seconds of every figure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

MODELS = [
    {"name": "lasso", "estimator": "lasso"},
    {"name": "ridge", "estimator": "logistic", "tuning": {"C": [0.01, 0.1, 1.0]}},
    {"name": "elastic-net", "estimator": "elastic_net"},
    {"name": "random-forest", "estimator": "random_forest"},
    {"name": "lightgbm", "estimator": "lightgbm"},
]


def make_study(folder: Path, patients: int, features: int) -> Path:
    """Draw the tables, run the study, return its folder."""
    from isthmus import Plan
    from isthmus.study.run import run_study

    rng = np.random.default_rng(7)
    factors = rng.normal(size=(patients, 30))
    values = factors @ rng.normal(size=(30, features)) * 0.5 + rng.normal(size=(patients, features))
    names = [f"original_glcm_Feature{index:04d}" for index in range(features)]
    score = factors[:, 0] + factors[:, 1]
    event = (score + rng.normal(size=patients) > np.quantile(score, 0.65)).astype(int)
    ids = [f"P{index:04d}" for index in range(patients)]
    centre = np.where(np.arange(patients) % 4 == 3, "Harbour", "Hill")
    table = pd.DataFrame(values, columns=names).assign(patient=ids, event=event, centre=centre)
    table["age"] = np.round(60 + 9 * rng.normal(size=patients) + 3 * score)
    table["sex"] = rng.integers(0, 2, patients)
    table["size_mm"] = np.round(np.exp(3 + 0.4 * rng.normal(size=patients) + 0.2 * score), 1)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "table.csv", index=False)
    plan = {
        "table": {"path": "table.csv", "id": "patient", "outcome": "event", "centre": "centre"},
        "models": MODELS,
        "validate": {"repeats": 2, "external": {"centre": ["Harbour"]}, "subgroups": ["sex"]},
        "explain": {},
        "audit": {"permutations": 0},
    }
    run_study(Plan.parse(plan, base=folder), folder / "run", workers=2)
    return folder / "run"


def report(run: Path) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and bytes of one `isthmus report RUN`."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "isthmus", "report", str(run)], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, (run / "report.html").stat().st_size


def parts(run: Path) -> None:
    """CPU seconds of every figure: its numbers, and its drawing with the files."""
    from isthmus.report.figures import FIGURES
    from isthmus.report.figures._save import save_figure
    from isthmus.report.html import suits
    from isthmus.study.result import Result

    result = Result.load(run)
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in FIGURES.items():
            if suits(figure, result):
                marks = [time.process_time()]
                figure.data(result)
                marks.append(time.process_time())
                drawn = save_figure(figure, result, Path(folder))
                marks.append(time.process_time())
                numbers, whole = np.diff(marks)
                print(
                    f"{name:28} {numbers:6.2f} {whole - numbers:6.2f}  {len(drawn.svg) if drawn else 0:>9,} bytes of svg"
                )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--features", type=int, default=1000)
    parser.add_argument("--parts", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = options.run or make_study(options.keep or Path(folder), options.patients, options.features)
        if options.parts:
            parts(run)
        for _ in range(2):
            wall, cpu, size = report(run)
            print(f"report: {wall:.1f} s wall, {cpu:.1f} CPU s, page of {size:,} bytes")


if __name__ == "__main__":
    main()
