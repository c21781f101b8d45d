"""`isthmus protein`: files, figures, page, and wrong use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from biology.making import table, written
from isthmus.report.figures import _save

Cli = Callable[..., int]


@pytest.fixture(autouse=True)
def coarse() -> Iterator[None]:
    """Figures drawn quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "DPI", 20)
        yield


def test_the_whole_command(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, six figures, and a page with the sentences; the contract's columns come first."""
    files = written(table(60, 8, age=[str(40 + i) for i in range(16)]), tmp_path)
    sets = tmp_path / "sets.gmt"
    sets.write_text(
        "planted\t\t"
        + "\t".join(f"G{i}" for i in range(8))
        + "\nothers\t\t"
        + "\t".join(f"G{i}" for i in range(30, 40))
    )
    out = tmp_path / "out"
    given = (
        "--scale",
        "log2",
        "--contrast",
        "high-low",
        "--covariate",
        "age",
        "--normalise",
        "median",
        "--gene-sets",
        sets,
    )
    assert cli("protein", "--table", files[0], "--groups", files[1], "--out", out, *given) == 0
    found = pd.read_csv(out / "differential.csv")
    assert list(found.columns[:7]) == ["protein", "log2_fold_change", "ci_low", "ci_high", "t", "p", "fdr"]
    assert pd.read_csv(out / "gsea.csv").set_index("set").loc["planted", "fdr"] < 0.05
    drawn = {path.stem for path in (out / "figures").glob("*.svg")}
    assert drawn >= {"volcano", "mean_difference", "heat_map", "components", "gene_sets"}
    assert (out / "summary.txt").read_text().splitlines()[0][:30] in (out / "protein.html").read_text()
    assert str(out / "protein.html") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--normalise", "loess"), "'none', 'median', 'quantile' or 'vsn'"),
        (("--set", "imputaton=knn"), "Did you mean 'imputation'"),
        (("--set", "enrichment.smalest=3"), "Did you mean 'smallest'"),
        (("--covariate", "agee"), "Did you mean 'age'"),
        (("--contrast", "hig-low"), "Did you mean 'high'"),
    ],
)
def test_wrong_use(
    given: tuple[str, ...], message: str, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one message that helps; nothing is written."""
    files = written(table(20, 4, age=["1"] * 8), tmp_path)
    out = tmp_path / "out"
    assert cli("protein", "--table", files[0], "--groups", files[1], "--out", out, "--scale", "log2", *given) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (out / "differential.csv").exists()
