"""`isthmus ihc` and `isthmus associate`: files, figures, pages, and wrong use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.report.figures import _save
from isthmus.synthetic.biology import draw_biology

Cli = Callable[..., int]


@pytest.fixture(autouse=True)
def coarse() -> Iterator[None]:
    """Figures drawn quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "DPI", 20)
        yield


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Biology of 60 patients with their groups, and image features that follow the phenotype."""
    rng = np.random.default_rng(0)
    z = pd.Series(rng.normal(size=60), index=[f"P{i}" for i in range(60)])
    found = draw_biology(z, strength=1.5)
    group = np.where(z > 0, "High", "Low")
    found.stains.assign(risk=group, age=rng.integers(30, 80, 60)).to_csv(tmp_path / "stains.csv")
    found.nuclei.assign(risk=group).to_csv(tmp_path / "nuclei.csv")
    image = pd.DataFrame({"ith": z + 0.4 * rng.normal(size=60), "volume": rng.normal(size=60)}).rename_axis("patient")
    image.to_csv(tmp_path / "image.csv")
    return tmp_path


def test_graded_stains(cli: Cli, tables: Path) -> None:
    """The planted markers are found and said; two readers agree with themselves."""
    out = tables / "out"
    given = (
        "--group",
        "risk",
        "--contrast",
        "High-Low",
        "--covariate",
        "age",
        "--second-reader",
        tables / "stains.csv",
    )
    assert cli("ihc", "--table", tables / "stains.csv", "--out", out, *given) == 0
    markers = pd.read_csv(out / "markers.csv").set_index("marker")
    assert set(markers.index[markers["fdr"] < 0.05]) == {"SUCLG1", "DLAT"}
    assert pd.read_csv(out / "readers.csv")["kappa"].min() == pytest.approx(1)
    page = (out / "biology.html").read_text()
    assert (out / "summary.txt").read_text().splitlines()[1][:40].replace("'", "&#39;") in page
    assert 'id="figure-stains"' in page


def test_features_beside_groups_and_images(cli: Cli, tables: Path) -> None:
    """Differences, correlations freed of volume, and the blocks as wholes."""
    out = tables / "out"
    given = ("--group", "risk", "--contrast", "High-Low", "--image", tables / "image.csv", "--given", "volume")
    assert cli("associate", "--table", tables / "nuclei.csv", "--out", out, *given) == 0
    groups = pd.read_csv(out / "groups.csv").set_index("feature")
    assert set(groups.index[groups["fdr"] < 0.05]) >= {"area_cv", "texture_entropy_sd"}
    assert pd.read_csv(out / "blocks.csv")["p"].max() < 0.05
    assert set(pd.read_csv(out / "correlations.csv")["left"]) == {"ith"}
    assert (out / "figures" / "pairs.svg").is_file()


def test_a_composite_score_stands_alone(cli: Cli, tables: Path) -> None:
    """Without groups or images: scores, weights, and the AUC with its shuffled p."""
    out = tables / "composite"
    table = pd.read_csv(tables / "nuclei.csv")
    table["M"] = np.where(table["area_cv"] > table["area_cv"].median(), "M1", "M0")
    table.to_csv(tables / "outcome.csv", index=False)
    assert cli("associate", "--table", tables / "outcome.csv", "--composite", "M", "--out", out) == 0
    assert pd.read_csv(out / "composite_auc.csv")["p"].tolist() == [0.002]
    assert len(pd.read_csv(out / "composite.csv")) == len(table)
    assert "Composite score" in (out / "biology.html").read_text(encoding="utf-8")


def test_groups_of_a_run_are_out_of_fold(
    cli: Cli, tables: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Patients of the run get their groups; somebody else is named and refused."""
    seen = pd.read_csv(finished_run / "predictions.csv", dtype={"patient": "str"})
    who = seen.loc[seen["split"] == "cv", "patient"].unique()
    table = pd.DataFrame({"patient": who, "feature": np.arange(len(who)) % 7.0})
    table.to_csv(tables / "t.csv", index=False)
    assert cli("associate", "--table", tables / "t.csv", "--run", finished_run, "--out", tables / "out") == 0
    table.assign(patient=[*who[:-1], "somebody"]).to_csv(tables / "t.csv", index=False)
    assert cli("associate", "--table", tables / "t.csv", "--run", finished_run, "--out", tables / "out2") == 2
    assert "somebody" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "given", "message"),
    [
        ("ihc", ("--group", "risc"), "Did you mean 'risk'"),
        ("ihc", (), "whose groups?"),
        ("ihc", ("--group", "risk", "--levels", "low, high"), "no column whose cells are the levels"),
        ("ihc", ("--group", "risk", "--marker", "DLTA"), "Did you mean 'DLAT'"),
        ("associate", (), "beside what?"),
    ],
)
def test_wrong_use(
    command: str, given: tuple[str, ...], message: str, cli: Cli, tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a message that helps."""
    assert cli(command, "--table", tables / "stains.csv", "--out", tables / "out", *given) == 2
    assert message in " ".join(capsys.readouterr().err.split())
