"""`isthmus deep train`: the weights it writes are read, resumed to the same bits, and refused by a study of the same patients."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from isthmus.deep import train as training
from isthmus.errors import LeakageError
from isthmus.report.learning_curve import learning_curve
from isthmus.study.deep_blocks import refuse_seen
from isthmus.study.deep_train import FILES, deep_train, deep_train_settings
from isthmus.table import FeatureTable
from study.structured import write_blob_study

Cli = Callable[..., int]
SMALL = ["--network", "resnet10_narrow", "--set", "crop.size=24", "--set", "train.batch=8"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve patients; one has no outcome, and the image of another is gone."""
    folder = tmp_path_factory.mktemp("lesions")
    table = write_blob_study(folder, patients=12, second_centre=12, shape=(4, 26, 28))
    table.loc[0, "metastasis"] = None
    table.loc[1, "image:ct"] = "gone.nii"
    table.astype({"metastasis": "Int64"}).to_csv(folder / "cases.csv", index=False)
    return folder


def trained(cli: Cli, cohort: Path, out: Path, *more: object) -> int:
    return cli("deep", "train", "--cases", cohort / "cases.csv", "--outcome", "metastasis", "--out", out, *SMALL, *more)


@pytest.fixture(scope="module")
def whole(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of four epochs."""
    out = tmp_path_factory.mktemp("whole") / "net"
    said = ["crop.size=24", "train.batch=8", "train.epochs=4"]
    settings = deep_train_settings(network="resnet10_narrow", settings=said)
    deep_train(out, settings, cases=cohort / "cases.csv", outcome="metastasis", workers=1, draw=learning_curve)
    return out


def test_what_is_written(whole: Path) -> None:
    """Weights, their record with classes and counts, settings, curve, figure, and why a lesion is not there; no checkpoint."""
    facts = json.loads((whole / FILES["record"]).read_text())
    assert (facts["classes"], facts["lesions"], facts["failed"]) == (["0", "1"], 10, 1)
    assert facts["training_patients"] + facts["validation_patients"] == 10
    assert len(pd.read_csv(whole / FILES["curve"])) == 4
    assert "gone.nii" in pd.read_csv(whole / FILES["failed"])["reason"].iloc[0]
    assert (whole / "learning_curve.svg").is_file()
    assert not (whole / FILES["checkpoint"]).exists()


def test_extract_reads_it(whole: Path, cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """With the settings beside it nothing else needs to be said, and the features are those of trained weights."""
    image = ["--image", cohort / "P03.nii", "--mask", cohort / "P03.mask.nii", "--out", tmp_path / "deep.csv"]
    assert cli("deep", "extract", *image, "--params", whole / FILES["settings"]) == 0
    assert FeatureTable.read(tmp_path / "deep.csv").columns[0].family == "deep"


def test_a_killed_training_goes_on_to_the_same_bits(
    whole: Path, cohort: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in its third epoch and resumed: the weights of the training that was never stopped."""
    run, done = training._Work.epoch, []

    def killed(self: training._Work, *parts: object, seed: int) -> float:
        done.append(seed)
        if len(done) == 3:
            raise KeyboardInterrupt
        return run(self, *parts, seed=seed)

    monkeypatch.setattr(training._Work, "epoch", killed)
    out = tmp_path / "net"
    with suppress(KeyboardInterrupt):
        trained(cli, cohort, out, "--set", "train.epochs=4")
    assert (out / FILES["checkpoint"]).exists()
    assert not (out / FILES["weights"]).exists()
    monkeypatch.undo()
    assert trained(cli, cohort, out, "--set", "train.epochs=4") == 2
    assert trained(cli, cohort, out, "--set", "train.epochs=4", "--resume") == 0
    assert (out / FILES["weights"]).read_bytes() == (whole / FILES["weights"]).read_bytes()


def test_a_study_of_its_patients_refuses_it(whole: Path) -> None:
    """Also those held out to stop the training have been seen; others have not."""
    settings = deep_train_settings(params=whole / FILES["settings"]).deep
    with pytest.raises(LeakageError, match="1 patients of this study"):
        refuse_seen(settings, "net", ["P05", "somebody"])
    refuse_seen(settings, "net", ["somebody"])


def test_an_autoencoder_needs_no_outcome(cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """Every lesion that can be read is learned from."""
    how = ["--network", "autoencoder_128", "--set", "crop.size=16", "--set", "train.epochs=1"]
    assert cli("deep", "train", "--cases", cohort / "cases.csv", "--out", tmp_path / "net", *how) == 0
    assert json.loads((tmp_path / "net" / FILES["record"]).read_text())["lesions"] == 11


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--outcome", "centre"], "expected two or more classes"),
        (["--outcome", "patient"], "expected two or more classes"),
        (["--outcome", "metastasi"], "metastasis"),
        ([], "--outcome COLUMN"),
        (["--outcome", "metastasis", "--resume"], "no training that was stopped"),
        (["--outcome", "metastasis", "--use", "mr"], "image:ct"),
    ],
    ids=str,
)
def test_what_cannot_be_trained(
    cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    """Each is refused before an image is read, with what to say instead."""
    assert cli("deep", "train", "--cases", cohort / "cases.csv", "--out", tmp_path / "net", *SMALL, *more) in (2, 3)
    assert said in capsys.readouterr().err
