"""What leaves the second hospital: whether the numbers are right, and whether anybody could be found behind them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.bands import band_calibration, band_net_benefit, band_pr, band_roc, risk_bands
from isthmus.stats.decision_curve import net_benefit
from isthmus.study import Model
from isthmus.study.aggregate import LEAST, aggregate_table
from isthmus.study.apply import apply_model, apply_to_file, totals
from isthmus.study.external import merge_external
from study.model_files import rows, small_model


def patients(n: int, seed: int) -> pd.DataFrame:
    """A table of another hospital, with the outcome."""
    X, y = rows(n=n, seed=seed)
    return X.reset_index().assign(y=y)


def sent(table: pd.DataFrame, model: Model | None = None, *, metrics: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is sent, and the patients behind it (probability, outcome)."""
    model = small_model() if model is None else model
    applied = apply_model(model, table)
    found = totals(model, applied) if metrics else pd.DataFrame()
    file = aggregate_table(model, applied.predictions, applied.outcome, found, applied.drift)
    behind = applied.predictions.set_index("patient")[["probability"]].assign(y=table.set_index("patient")["y"])
    return file, behind


@pytest.fixture(scope="module")
def both() -> tuple[pd.DataFrame, pd.DataFrame]:
    return sent(patients(150, seed=11))


def metric(file: pd.DataFrame, name: str) -> float:
    return float(file[(file["part"] == "metric") & (file["name"] == name)]["estimate"].iloc[0])


def test_the_numbers_are_those_of_the_patients(both):
    """Bands count the patients in them, and what follows from them at the threshold is what the metrics say."""
    file, behind = both
    bands = file[file["part"] == "band"]
    counted = [
        behind[(behind["probability"] >= one.lower) & (behind["probability"] < (one.upper if one.upper < 1 else 2))]
        for one in bands.itertuples()
    ]
    assert [(len(part), int(part["y"].sum())) for part in counted] == list(
        zip(bands["n"], bands["events"], strict=True)
    )
    called = bands[bands["lower"] >= 0.5]
    assert metric(file, "sensitivity") == pytest.approx(called["events"].sum() / bands["events"].sum(), abs=1e-4)


def test_no_patient_and_no_value_of_one(both):
    """Neither a patient's name nor a probability or an input of anyone is in the file."""
    file, behind = both
    text = file.to_csv(index=False)
    assert not any(name in text for name in behind.index)
    numbers = file[["estimate", "lower", "upper"]].to_numpy().ravel()
    assert not np.isin(np.round(behind["probability"].to_numpy(), 4), numbers[file["part"].repeat(3) == "band"]).any()


def subsets(total: int, events: int, bands: pd.DataFrame) -> list[tuple[int, int]]:
    """Sizes (without, with the event) of every group that differences of published cumulative counts can single out."""
    order = bands.sort_values("lower")
    cells = [(int(n - e), int(e)) for n, e in zip(order["n"], order["events"], strict=True)]
    cumulative = [
        (0, 0),
        *itertools.accumulate(cells, lambda a, b: (a[0] + b[0], a[1] + b[1])),
        (total - events, events),
    ]
    return [(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in itertools.combinations(cumulative, 2) if a != b]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [40, 200])
def test_differences_find_no_small_group(n, seed):
    """An adversary who subtracts any counts of the file from each other, or from the totals, is left with at least five patients
    with and five without the event, or nobody."""
    file, behind = sent(patients(n, seed), metrics=False)
    bands = file[file["part"] == "band"]
    found = subsets(len(behind), int(behind["y"].sum()), bands)
    assert [pair for pair in found if min(pair) < LEAST] == []


def possible_tables(file: pd.DataFrame, n: int, events: int) -> set[tuple[int, int]]:
    """Every (true positives, false positives) that agrees with all shares of the file, to the digits it gives."""
    shares = {
        "sensitivity": lambda tp, fp: tp / events, "specificity": lambda tp, fp: 1 - fp / (n - events),
        "ppv": lambda tp, fp: tp / max(tp + fp, 1), "accuracy": lambda tp, fp: (tp + n - events - fp) / n,
        "f1": lambda tp, fp: 2 * tp / max(2 * tp + fp + events - tp, 1),
    }  # fmt: skip
    metrics = file[file["part"] == "metric"].set_index("name")["estimate"]
    said = {name: formula for name, formula in shares.items() if name in metrics}
    return {
        (tp, fp)
        for tp in range(events + 1)
        for fp in range(n - events + 1)
        if all(abs(formula(tp, fp) - metrics[name]) < 1e-4 for name, formula in said.items())
    }


@pytest.mark.parametrize("threshold", [0.03, 0.97])
def test_a_small_cell_cannot_be_solved_for(threshold):
    """Where the threshold leaves fewer than five in a cell, no share that would tell it is sent: every table agrees with the file."""
    model = small_model()
    strict = dataclasses.replace(model, manifest={**model.manifest, "threshold": float(threshold).hex()})
    file, behind = sent(patients(150, seed=11), strict)
    called = behind["probability"] >= threshold
    cells = pd.crosstab(behind["y"], called).reindex(index=[0, 1], columns=[False, True], fill_value=0)
    assert int(cells.to_numpy().min()) < LEAST
    events = int(behind["y"].sum())
    assert len(possible_tables(file, len(behind), events)) == (events + 1) * (len(behind) - events + 1)
    assert {"sensitivity", "ppv", "mcc", "kappa"} <= set(file[file["part"] == "withheld"]["name"])


def test_a_table_that_may_be_told_is_the_right_one(both):
    """With five and more in every cell the shares are sent, and they have one solution: that of the patients."""
    file, behind = both
    events = int(behind["y"].sum())
    called = behind["probability"] >= 0.5
    truth = (int((called & (behind["y"] == 1)).sum()), int((called & (behind["y"] == 0)).sum()))
    assert possible_tables(file, len(behind), events) == {truth}


def test_edges_do_not_move_with_a_patient():
    """Where bands may be parted was fixed by the study: one patient more or less never makes a new edge that was not there."""
    edges = {float.fromhex(edge) for edge in small_model().manifest["edges"]} | {0.0, 0.5}
    table = patients(100, seed=2)
    seen = {
        float(lower)
        for k in range(0, 100, 25)
        for file, _ in [sent(table.drop(index=k), metrics=False)]
        for lower in file[file["part"] == "band"]["lower"]
    }
    assert seen <= edges


@pytest.mark.parametrize("keep", ["events", "others"])
def test_too_few_is_nothing(keep, tmp_path):
    """Four patients with (or without) the outcome: refused, and no file is written."""
    table = patients(80, seed=4)
    wanted = table["y"] == (1 if keep == "events" else 0)
    few = pd.concat([table[wanted].iloc[:4], table[~wanted]])
    few.to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(TableError, match="fewer than 5 patients with a prediction have the outcome"):
        apply_to_file(small_model(), tmp_path / "few.csv", tmp_path / "out.csv", aggregate_only=True)
    assert not (tmp_path / "out.csv").exists()


def test_curves_from_bands_lie_on_the_curves_of_the_patients():
    """At the edges of the bands ROC, precision-recall and net benefit are exactly those of the patients themselves."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    p = 1 / (1 + np.exp(-(1.5 * (y - 0.5) + rng.normal(size=400))))
    bands = risk_bands(y, p, np.arange(1, 20) / 20, first=0.33)
    roc, pr, benefit = band_roc(bands), band_pr(bands), band_net_benefit(bands)
    for one in roc.iloc[1:].itertuples():
        called = p >= one.threshold
        assert (one.tpr, one.fpr) == pytest.approx((called[y == 1].mean(), called[y == 0].mean()))
    assert pr["precision"].tolist() == pytest.approx([y[p >= at].mean() for at in pr["threshold"]])
    assert benefit["model"].tolist() == pytest.approx(net_benefit(y, p, benefit["threshold"])["model"].tolist())
    assert band_calibration(bands)["observed"].tolist() == pytest.approx((bands["events"] / bands["n"]).tolist())
    assert len(bands) > 6


# ---------------------------------------------------------------------- merging


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder as far as merging looks at it."""
    folder = tmp_path / "run"
    small_model().save(folder / "model.isthmus")
    pd.DataFrame(
        [("m", "cv", "auc", 0.8, 0.7, 0.9, "x")],
        columns=["model", "split", "metric", "estimate", "lower", "upper", "method"],
    ).to_csv(folder / "metrics.csv", index=False)
    return folder


@functools.cache
def came(seed: int) -> bytes:
    """What the second hospital writes, told to which file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_model().save(folder / "model.isthmus")
        patients(150, seed).to_csv(folder / "cases.csv", index=False)
        apply_to_file(
            Model.load(folder / "model.isthmus"), folder / "cases.csv", folder / "out.csv", aggregate_only=True
        )
        return (folder / "out.csv").read_bytes()


def file_of(run: Path, name: str = "siteB", seed: int = 11) -> Path:
    out = run.parent / f"{name}.csv"
    out.write_bytes(came(seed))
    return out


def test_a_sites_numbers_are_merged_once(run):
    """Metrics, the site and its bands enter the run; sending again replaces, another site is added."""
    file = file_of(run)
    merge_external(run, [file])
    first = (run / "metrics.csv").read_bytes()
    merge_external(run, [file])
    assert (run / "metrics.csv").read_bytes() == first
    merge_external(run, [file_of(run, "siteC", seed=12)])
    sites = pd.read_csv(run / "tables" / "external_sites.csv")
    assert sites["split"].tolist() == ["external (siteB)", "external (siteC)"]
    bands = pd.read_csv(run / "tables" / "external_bands.csv").groupby("split")[["n", "events"]].sum()
    assert bands.to_numpy().tolist() == sites[["n", "n_events"]].to_numpy().tolist()


def _about(name: str, text: str):
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[(table["part"] == "about") & (table["name"] == name), "text"] = text
        return table

    return change


def _cell(part: str, column: str, value):
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[table.index[table["part"] == part][0], column] = value
        return table

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_about("format", "1"), "format '1'; this version reads format 2"),
        (_about("format", "99"), "format '99'"),
        (_about("model_sha256", "0" * 64), "numbers are of the model file 0000"),
        (_about("model", "other"), "'other', which this run did not build"),
        (_about("outcome_key", "x"), "counts another outcome"),
        (_about("task", "survival"), "counts another outcome"),
        (_cell("band", "n", 3), "fewer than 5 patients"),
        (_cell("band", "n", 7.5), "do not fit together"),
        (_cell("band", "events", -1), "fewer than 5 patients"),
        (_cell("band", "lower", 0.111), "do not fit together"),
        (_cell("metric", "estimate", "lots"), "holds what is no number"),
        (_cell("metric", "part", "patient"), "rows of the kind 'patient'"),
        (_cell("metric", "text", "x" * 2000), "longer rows"),
        (lambda t: t.drop(columns="events"), "lacks the column events"),
        (lambda t: pd.DataFrame({"model": ["m"], "split": ["external"], "metric": ["auc"]}), "earlier version"),
    ],
)
def test_a_file_of_something_else_is_refused(run, change, why):
    """Another model, outcome or format, counts that cannot be: the reason is said and the run stays as it was."""
    file = file_of(run)
    change(pd.read_csv(file, dtype={"text": "str"})).to_csv(file, index=False)
    before = sorted(path.name for path in run.rglob("*")), (run / "metrics.csv").read_bytes()
    with pytest.raises(TableError, match=why):
        merge_external(run, [file])
    assert (sorted(path.name for path in run.rglob("*")), (run / "metrics.csv").read_bytes()) == before
