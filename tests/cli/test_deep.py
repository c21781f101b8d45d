"""`isthmus deep extract`: one lesion, a table of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.weights import save
from isthmus.select.repeats import read_repeats
from isthmus.table import FeatureTable

Cli = Callable[..., int]
SMALL = ["--network", "resnet10_narrow", "--set", "crop.size=32", "--set", "crop.window=[-100,200]"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of weights, and its hash."""
    path = tmp_path_factory.mktemp("weights") / "narrow.safetensors"
    return path, save(build(NETWORKS["resnet10_narrow"], 2, channels=1, size=32, seed=3), path)


@pytest.fixture(scope="module")
def one(good_cohort: Path) -> list[object]:
    case = pd.read_csv(good_cohort / "cases.csv").iloc[0]
    return ["--image", good_cohort / case["image:ct"], "--mask", good_cohort / case["mask:ct"]]


def test_one_case(one: list[object], weights: tuple[Path, str], cli: Cli, tmp_path: Path) -> None:
    """A table like any other, whose facts name network and weights, and the record beside it."""
    out = tmp_path / "deep.csv"
    assert (
        cli("deep", "extract", *one, *SMALL, "--weights", weights[0], "--set", 'weights.source="a test"', "--out", out)
        == 0
    )
    table = FeatureTable.read(out)
    facts = json.loads((tmp_path / "deep.encoder.json").read_text())
    assert (table.values.shape, table.columns[0].column) == ((1, 64), "deep_resnet10_narrow_0001")
    assert f"narrow.safetensors (sha256 {weights[1][:12]}), a test" in table.columns[0].parameter
    assert (facts["weights"]["sha256"], facts["width"], facts["crop"]["window"]) == (weights[1], 64, [-100, 200])


def test_many_cases_and_one_that_fails(good_cohort: Path, weights: tuple[Path, str], cli: Cli, tmp_path: Path) -> None:
    """A missing file excludes its case with the reason, exit code 1; the bytes are the same for one worker and two, and nearly so for
    another size of batch."""
    cases = pd.read_csv(good_cohort / "cases.csv", dtype="str").iloc[:5]
    cases.loc[cases.index[1], "image:ct"] = "gone.nii.gz"
    cases.to_csv(tmp_path / "cases.csv", index=False)
    common = ["--cases", tmp_path / "cases.csv", "--root", good_cohort, *SMALL, "--weights", weights[0]]
    for name, workers, batch in (("one", 1, 2), ("two", 2, 2), ("single", 1, 1)):
        how = ["--workers", workers, "--set", f"encoder.batch={batch}", "--out", tmp_path / f"{name}.csv"]
        assert cli("deep", "extract", *common, *how) == 1
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    pairs, single = (FeatureTable.read(tmp_path / f"{name}.csv") for name in ("one", "single"))
    np.testing.assert_allclose(pairs.values, single.values, atol=1e-5)
    reasons = pd.read_csv(tmp_path / "one.exclusions.csv")
    assert (len(pairs.rows), reasons["reason"].str.contains("gone.nii.gz").tolist()) == (4, [True])


def test_untrained_only_by_name(
    one: list[object], cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --weights nothing is guessed; `random` gives a random projection, in every name."""
    assert cli("deep", "extract", *one, *SMALL, "--out", tmp_path / "a.csv") == 2
    assert "--weights is missing" in capsys.readouterr().err
    assert cli("deep", "extract", *one, *SMALL, "--weights", "random", "--out", tmp_path / "a.csv") == 0
    assert {column.family for column in FeatureTable.read(tmp_path / "a.csv").columns} == {"random projection"}


def test_settings_from_a_file(one: list[object], weights: tuple[Path, str], cli: Cli, tmp_path: Path) -> None:
    """[deep.encoder] and [deep.crop] as in a plan; the path of the weights starts at the file."""
    (tmp_path / "w.safetensors").write_bytes(weights[0].read_bytes())
    (tmp_path / "deep.toml").write_text(
        f"""
        [deep.encoder]
        network = "resnet10_narrow"
        layer = "layer3"
        [deep.encoder.weights]
        origin = "file"
        path = "w.safetensors"
        sha256 = "{weights[1]}"
        [deep.crop]
        size = 32
        slices = 3
        [image]
        clip = [-100, 200]
        """
    )
    assert cli("deep", "extract", *one, "--params", tmp_path / "deep.toml", "--out", tmp_path / "a.parquet") == 0
    table = FeatureTable.read(tmp_path / "a.parquet")
    assert (table.values.shape, "slices: 3, mean" in table.columns[0].parameter) == ((1, 32), True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--network", "resnet11"], "Did you mean 'resnet1"),
        (["--layer", "layer9"], "has no layer 'layer9'"),
        (["--set", "size=32"], "expected PART.KEY=VALUE"),
        (["--set", "crop.sise=32"], "unknown key 'sise'. Did you mean 'size'"),
        (["--set", f"weights.sha256={'0' * 64}"], "It is not the file that was named"),
        (["--set", "crop.slices=2", "--set", "encoder.dims=3"], "crop.slices is for 2-D networks"),
        (["--out", "a.xlsx"], "ends in .csv or .parquet"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_for(
    one: list[object], weights: tuple[Path, str], cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    wrong: list[str], said: str,
) -> None:  # fmt: skip
    """Exit code 2 with the reason, and nothing is written."""
    assert cli("deep", "extract", *one, *SMALL, "--weights", weights[0], "--out", tmp_path / "a.csv", *wrong) == 2
    assert (said in capsys.readouterr().err.replace("\n", " "), list(tmp_path.iterdir())) == (True, [])


PERTURBED = ["--perturb", "rotations_deg=[-6,6]", "--perturb", "noise=true"]


def test_perturbed_lesions(good_cohort: Path, weights: tuple[Path, str], cli: Cli, tmp_path: Path) -> None:
    """A table of repeats that [select.reliability] reads, and how far each feature and each lesion came out again."""
    cases = pd.read_csv(good_cohort / "cases.csv", dtype="str").iloc[:3]
    cases.to_csv(tmp_path / "cases.csv", index=False)
    common = ["--cases", tmp_path / "cases.csv", "--root", good_cohort, *SMALL, "--weights", weights[0]]
    assert cli("deep", "extract", *common, *PERTURBED, "--out", tmp_path / "deep.csv") == 0
    features = pd.read_csv(tmp_path / "deep.reliability.csv")
    lesions = pd.read_csv(tmp_path / "deep.cosine.csv")
    repeats = read_repeats(tmp_path / "deep.csv")
    assert repeats.groupby("patient").size().tolist() == [3, 3, 3]
    varies = repeats.filter(like="deep_").std() > 0
    assert (features["lower"] <= features["icc"])[varies.to_numpy()].all()
    assert (features["class"].notna() == features["icc"].notna()).all()
    assert lesions["mean"].between(0.9, 1).all()
    one = repeats[repeats["patient"] == cases["patient"].iloc[0]].filter(like="deep_").to_numpy()
    near = [float(one[0] @ other / np.linalg.norm(one[0]) / np.linalg.norm(other)) for other in one[1:]]
    assert lesions["least"].iloc[0] == pytest.approx(min(near))
