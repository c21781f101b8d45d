"""What leaking pipelines make of shuffled outcomes: the table of docs/explanation/leakage.md, reproduced.

    python benchmarks/leakage.py [--permutations 8] [--forest-permutations 3] [--out FILE.md] [TABLE ...]

Plain scikit-learn, as the mistakes are made in notebooks; nothing of Isthmus. On the radMLBench tables of up to 150 patients
that the reference data hold, the outcome is shuffled, so the true AUC is 0.5 (and the true Youden index 0); every pipeline is judged by
five-fold cross-validation (mean of the folds' AUCs). The honest ones choose and resample inside the folds, the leaking ones before.
Printed beside an independent measurement on ten tables (`statistics_r/leak_null.csv`), two of which are among these. Three CPU minutes
with the defaults.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

Rows = np.ndarray
Fit = Callable[[Rows, Rows], "Pipeline"]

KEPT = 10  # features a screen keeps
SLICES = 3  # rows a patient where slices are rows
LARGEST = 150  # patients of a table
SEEDS = 20  # splits of which the best is quoted


class Choice:
    """Columns by the L1 path of a logistic regression with its own folds; all ten best by F where the path keeps none."""

    def __init__(self) -> None:
        self.columns: Rows = np.array([], dtype=int)

    def fit(self, x: Rows, y: Rows) -> Choice:
        path = LogisticRegressionCV(
            Cs=np.logspace(-1.5, 1.5, 10),
            cv=5,
            l1_ratios=(1.0,),
            solver="liblinear",
            scoring="neg_log_loss",
            use_legacy_attributes=True,
        )
        self.columns = np.flatnonzero(path.fit(x, y).coef_[0])
        if not self.columns.size:
            self.columns = np.argsort(-np.nan_to_num(f_classif(x, y)[0]))[:KEPT]
        return self

    def transform(self, x: Rows) -> Rows:
        return x[:, self.columns]


def screen() -> SelectKBest:
    return SelectKBest(f_classif, k=KEPT)


def regression() -> LogisticRegression:
    return LogisticRegression(max_iter=2000)


def forest(seed: int = 0) -> RandomForestClassifier:
    return RandomForestClassifier(60, random_state=seed, n_jobs=1)


def pipeline(*steps: object) -> Pipeline:
    return Pipeline([(str(place), step) for place, step in enumerate((StandardScaler(), *steps))])


def folds(y: Rows, seed: int) -> list[tuple[Rows, Rows]]:
    return list(StratifiedKFold(5, shuffle=True, random_state=seed).split(np.zeros((len(y), 1)), y))


def judged(x: Rows, y: Rows, parts: list[tuple[Rows, Rows]], make: Callable[[], Pipeline]) -> float:
    """Mean AUC of the folds."""
    scores = [
        roc_auc_score(y[test], make().fit(x[train], y[train]).predict_proba(x[test])[:, 1]) for train, test in parts
    ]
    return float(np.mean(scores))


def honest_topk_lr(x: Rows, y: Rows, seed: int) -> float:
    return judged(x, y, folds(y, seed), lambda: pipeline(screen(), regression()))


def honest_topk_rf(x: Rows, y: Rows, seed: int) -> float:
    return judged(x, y, folds(y, seed), lambda: pipeline(screen(), forest()))


def honest_lasso_lr(x: Rows, y: Rows, seed: int) -> float:
    return judged(x, y, folds(y, seed), lambda: pipeline(Choice(), regression()))


def leak_topk_lr(x: Rows, y: Rows, seed: int) -> float:
    return judged(screen().fit_transform(x, y), y, folds(y, seed), lambda: pipeline(regression()))


def leak_topk_rf(x: Rows, y: Rows, seed: int) -> float:
    return judged(screen().fit_transform(x, y), y, folds(y, seed), lambda: pipeline(forest()))


def leak_lasso_lr(x: Rows, y: Rows, seed: int) -> float:
    scaled = StandardScaler().fit_transform(x)
    return judged(Choice().fit(scaled, y).transform(scaled), y, folds(y, seed), lambda: pipeline(regression()))


def honest_smote_rf(x: Rows, y: Rows, seed: int) -> float:
    return judged(x, y, folds(y, seed), lambda: pipeline(SMOTE(random_state=seed), screen(), forest()))


def leak_smote_rf(x: Rows, y: Rows, seed: int) -> float:
    more, labels = SMOTE(random_state=seed).fit_resample(StandardScaler().fit_transform(x), y)
    return judged(more, labels, folds(labels, seed), lambda: pipeline(screen(), forest()))


def leak_both_rf(x: Rows, y: Rows, seed: int) -> float:
    more, labels = SMOTE(random_state=seed).fit_resample(
        StandardScaler().fit_transform(screen().fit_transform(x, y)), y
    )
    return judged(more, labels, folds(labels, seed), lambda: pipeline(forest()))


def slices(x: Rows, y: Rows, seed: int) -> tuple[Rows, Rows, Rows]:
    """Three rows a patient: his values and a tenth of their spread as noise; and whose they are."""
    rng = np.random.default_rng(seed)
    several = np.repeat(x, SLICES, axis=0)
    return (
        several + 0.1 * several.std(axis=0) * rng.standard_normal(several.shape),
        np.repeat(y, SLICES),
        np.repeat(np.arange(len(y)), SLICES),
    )


def honest_slices_rf(x: Rows, y: Rows, seed: int) -> float:
    several, labels, patients = slices(x, y, seed)
    parts = [
        (np.flatnonzero(np.isin(patients, train)), np.flatnonzero(np.isin(patients, test)))
        for train, test in folds(y, seed)
    ]
    return judged(several, labels, parts, lambda: pipeline(screen(), forest()))


def leak_slices_rf(x: Rows, y: Rows, seed: int) -> float:
    several, labels, _ = slices(x, y, seed)
    return judged(several, labels, folds(labels, seed), lambda: pipeline(screen(), forest()))


def best_of_21(x: Rows, y: Rows, seed: int) -> float:
    """Every pipeline honest, the best quoted: three screens by seven classifiers on the same folds."""
    parts = folds(y, seed)
    classifiers: list[Callable[[], object]] = [
        regression,
        lambda: LogisticRegression(C=0.1, max_iter=2000),
        forest,
        GaussianNB,
        lambda: KNeighborsClassifier(5),
        lambda: SVC(probability=False, kernel="linear", C=0.1),
        lambda: SVC(probability=False),
    ]
    return max(_scored(x, y, parts, kept, make) for kept in (5, 10, 20) for make in classifiers)


def _scored(x: Rows, y: Rows, parts: list[tuple[Rows, Rows]], kept: int, make: Callable[[], object]) -> float:
    scores = []
    for train, test in parts:
        fitted = pipeline(SelectKBest(f_classif, k=kept), make()).fit(x[train], y[train])
        has_risk = hasattr(fitted[-1], "predict_proba")
        scores.append(
            roc_auc_score(
                y[test], fitted.predict_proba(x[test])[:, 1] if has_risk else fitted.decision_function(x[test])
            )
        )
    return float(np.mean(scores))


def _splits(x: Rows, y: Rows, seed: int) -> list[float]:
    scores = []
    for number in range(SEEDS):
        train, test = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=1000 * seed + number)
        scores.append(
            roc_auc_score(
                y[test], pipeline(screen(), regression()).fit(x[train], y[train]).predict_proba(x[test])[:, 1]
            )
        )
    return scores


def one_split(x: Rows, y: Rows, seed: int) -> float:
    return float(np.mean(_splits(x, y, seed)))


def best_split(x: Rows, y: Rows, seed: int) -> float:
    return max(_splits(x, y, seed))


def youden_on_test(x: Rows, y: Rows, seed: int) -> float:
    """The largest Youden index over the thresholds of the judged rows themselves, all folds' rows together."""
    risk = np.empty(len(y))
    for train, test in folds(y, seed):
        risk[test] = pipeline(screen(), regression()).fit(x[train], y[train]).predict_proba(x[test])[:, 1]
    false, true, _ = roc_curve(y, risk)
    return float((true - false).max())


# what is printed, the reference's name for it, the function, whether it is slow
PIPELINES: list[tuple[str, str, Callable[[Rows, Rows, int], float], bool]] = [
    ("honest: ten features chosen in the fold, LR", "honest_topk_LR", honest_topk_lr, False),
    ("honest: LASSO in the fold, LR", "honest_lasso_LR", honest_lasso_lr, True),
    ("honest: ten features in the fold, RF", "honest_topk_RF", honest_topk_rf, True),
    ("ten features chosen on all rows, LR", "sel_before_topk_LR", leak_topk_lr, False),
    ("ten features chosen on all rows, RF", "sel_before_topk_RF", leak_topk_rf, True),
    ("LASSO on all rows, LR", "sel_before_lasso_LR", leak_lasso_lr, False),
    ("honest: SMOTE in the fold, RF", "smote_in_fold_RF", honest_smote_rf, True),
    ("SMOTE before the split, RF", "smote_before_RF", leak_smote_rf, True),
    ("selection and SMOTE before the split, RF", "sel+smote_before_RF", leak_both_rf, True),
    ("honest: 3 slices a patient, split by patient, RF", "slices_patientwise_RF", honest_slices_rf, True),
    ("3 slices a patient, split by row, RF", "slices_rowwise_RF", leak_slices_rf, True),
    ("best of 21 honest pipelines on the same folds", "best_of_21_same_cv", best_of_21, True),
    ("honest: one 7:3 split, mean of 20 seeds", "single_split_mean", one_split, False),
    ("best of 20 split seeds, 7:3", "single_split_best_of_20", best_split, False),
    ("Youden index maximised on the judged rows (truth 0)", "youden_J_on_test", youden_on_test, False),
]


def data() -> Path:
    named = os.environ.get("ISTHMUS_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"


def read(name: str) -> tuple[Rows, Rows]:
    """Values (gaps by the median, constant columns gone) and outcome of a table."""
    frame = pd.read_csv(data() / "radmlbench" / "datasets" / f"{name}.csv.gz")
    y = frame["Target"].to_numpy(dtype=int)
    x = frame.drop(columns=["ID", "Target"]).astype(float)
    x = x.fillna(x.median())
    return x.loc[:, x.std() > 0].to_numpy(), y


def null_values(name: str, permutations: int, forest_permutations: int) -> dict[str, tuple[float, float]]:
    """Per pipeline the mean on shuffled outcomes, and the value on the true ones."""
    x, y = read(name)
    values = {}
    for _, key, function, slow in PIPELINES:
        count = forest_permutations if slow else permutations
        rng = np.random.default_rng(20261126)
        null = [function(x, rng.permutation(y), seed) for seed in range(count)]
        values[key] = (float(np.mean(null)), function(x, y, 0))
    return values


def table(results: dict[str, dict[str, tuple[float, float]]]) -> str:
    reference = (
        pd.read_csv(data() / "statistics_r" / "leak_null.csv").groupby("pipeline")[["null_mean", "true_labels"]].mean()
    )
    lines = [
        "| pipeline | shuffled outcomes, mean over tables (reference, its ten) | lowest to highest table | true outcomes (reference) |",
        "| --- | --- | --- | --- |",
    ]
    for title, key, _, _ in PIPELINES:
        null = [values[key][0] for values in results.values()]
        true = [values[key][1] for values in results.values()]
        lines.append(
            f"| {title} | {np.mean(null):.2f} ({reference.loc[key, 'null_mean']:.2f}) | {min(null):.2f} to {max(null):.2f} "
            f"| {np.mean(true):.2f} ({reference.loc[key, 'true_labels']:.2f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="TABLE")
    parser.add_argument("--permutations", type=int, default=8)
    parser.add_argument("--forest-permutations", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = options.names or sorted(
        file.name.split(".")[0] for file in (data() / "radmlbench" / "datasets").glob("*.csv.gz")
    )
    names = [name for name in names if options.names or len(read(name)[1]) <= LARGEST]
    results = {}
    with threadpool_limits(1):
        for name in names:
            start = time.process_time()
            results[name] = null_values(name, options.permutations, options.forest_permutations)
            print(f"{name}: {time.process_time() - start:.0f} CPU s", flush=True)
    text = table(results)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
