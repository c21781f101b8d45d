"""Does the place show in the features? Patients in the principal components of the development patients, by centre and scanner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.report.figures._canvas import Grid, colours, legend_below, panel
from isthmus.report.figures._matrix import Matrix, matrix, model_blocks
from isthmus.report.wording import shorten
from isthmus.stats.components import principal_components
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "centres"
TITLE = "Centres and scanners in the features"

LEVELS = 6
_MARKERS = "osD^vPX"


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`centres`: by (centre, scanner), place, patient, split, pc1, pc2; `shares`: by, places, columns, patients, pc1, pc2 (shares of
    variance), eta1, eta2 (shares of each component's variance, over all patients shown, that lie between the places).

    A study of one place has none; where the run harmonised, centres are in the figure of harmonisation.
    """
    seen = matrix(result, model_blocks(result))
    places = {name: place for name, place in _places(result, seen).items() if place[place != ""].nunique() > 1}
    if not places or len(seen.training) < 3 or seen.values.shape[1] < 2:
        return {"centres": pd.DataFrame(), "shares": pd.DataFrame()}
    inside = (seen.patients["split"] == "train").to_numpy()
    found = principal_components(seen.values.to_numpy(), inside)
    scores = found.scores
    parts, lines = [], []
    for by, place in places.items():
        eta = [_between(scores[:, n], place.to_numpy()) for n in (0, 1)]
        lines.append((by, place.nunique(), found.columns, len(place), *found.share, *eta))
        parts.append(
            pd.DataFrame(
                {"by": by, "place": place.to_numpy(), "patient": seen.values.index, "split": seen.patients["split"].to_numpy(),
                 "pc1": scores[:, 0], "pc2": scores[:, 1]}
            )
        )  # fmt: skip
    columns = ["by", "places", "columns", "patients", "pc1", "pc2", "eta1", "eta2"]
    return {"centres": pd.concat(parts, ignore_index=True), "shares": pd.DataFrame(lines, columns=columns)}


def _places(result: Result, seen: Matrix) -> dict[str, pd.Series[Any]]:
    """Where each patient was scanned: the centre of the case table, and the scanner, where the files say it."""
    found = {}
    if "harmonisation_picture" not in result.tables:
        found["centre"] = seen.patients["centre"].astype("str")
    table = result.acquisition
    words = [name for name in ("vendor", "model") if name in table.columns]
    if words and "patient" in table.columns:
        said = table.dropna(subset=words, how="all")
        named = said[words].fillna("").astype("str").agg(" ".join, axis=1).str.strip()
        first = named.groupby(said["patient"].astype("str")).first()
        found["scanner"] = first.reindex(seen.values.index).fillna("").astype("str")
    return found


def _between(scores: NDArray[np.float64], place: NDArray[Any]) -> float:
    """Eta squared: the share of the variance that lies between the groups."""
    total = float(((scores - scores.mean()) ** 2).sum())
    between = sum(
        float((place == one).sum() * (scores[place == one].mean() - scores.mean()) ** 2) for one in np.unique(place)
    )
    return between / total if total > 0 else float("nan")


def _levels(place: pd.Series[Any]) -> dict[str, str]:
    """Place -> its words; the rare ones together."""
    ranked = place[place != ""].value_counts()
    names = sorted(ranked.index[:LEVELS] if len(ranked) <= LEVELS else ranked.index[: LEVELS - 1])
    return {name: name if name in names else "others" if name else "not said" for name in place.unique()}


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(len(data["shares"]), 2.6, lines=3)


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel for centres, one for scanners; open marks: patients who are not of the development set."""
    grid = _grid(data)
    for place, row in enumerate(data["shares"].to_dict("records")):
        axes = panel(ax, grid.size, grid.box(place))
        table = data["centres"][data["centres"]["by"] == row["by"]]
        words = table["place"].map(_levels(table["place"]))
        names = sorted(set(words), key=lambda name: (name in ("others", "not said"), name))
        for (name, (colour, _)), marker in zip(colours(names).items(), _MARKERS, strict=False):
            mine = table[(words == name).to_numpy()]
            inside = (mine["split"] == "train").to_numpy()
            axes.plot(mine["pc1"][~inside], mine["pc2"][~inside], marker, ms=3.4, mfc="none", mec=colour, mew=0.7)
            axes.plot(
                mine["pc1"][inside], mine["pc2"][inside], marker, ms=3.4, color=colour, mew=0, alpha=0.75,
                label=f"{shorten(name, 20)} ({len(mine)})",
            )  # fmt: skip
        axes.set(
            xlabel=f"component 1 ({100 * row['pc1']:.0f} %)", ylabel=f"component 2 ({100 * row['pc2']:.0f} %)",
            title=f"By {row['by']}: η² {row['eta1']:.2f} and {row['eta2']:.2f}",
        )  # fmt: skip
        legend_below(axes, ncols=2, columnspacing=0.8, handletextpad=0.2)
