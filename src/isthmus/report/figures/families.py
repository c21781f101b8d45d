"""One feature of each family in the groups of the outcome: box plots of development patients, with the test's adjusted p."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import GREY, INK, TWO, panel
from isthmus.report.figures._matrix import Matrix, group_colours, group_names, matrix, model_blocks, spearman
from isthmus.report.wording import p_value, shorten
from isthmus.stats.groups import adjust_p
from isthmus.stats.univariate import UnivariateTest, screen
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "families"
TITLE = "One feature of each family"

TOP = 12
_COLUMNS, _TALL, _ABOVE, _BELOW = 4, 1.15, 0.42, 0.2
_WIDE = TWO / _COLUMNS


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`values`: family, feature, group, patient, value; `tests`: family, feature, chosen (selected, typical), frequency, features
    (of the family), patients, test, p, p_adjusted.

    Of each family the feature that the final model's folds chose most often; where they chose none, the one with the largest mean
    |Spearman| with the others. Development patients; p adjusted over the families shown (Benjamini-Hochberg).
    """
    seen = matrix(result, model_blocks(result))
    names = group_names(result)
    codes = seen.patients.loc[seen.training.index, "outcome"]
    codes = codes[codes.isin(list(names))].astype(int)
    train = seen.training.loc[codes.index]
    if codes.nunique() < 2 or not (seen.columns["family"] != "").any():
        return {"values": pd.DataFrame(), "tests": pd.DataFrame()}
    frequency = _frequency(result)
    test: UnivariateTest = "mann_whitney" if codes.nunique() == 2 else "kruskal"
    values, tests = [], []
    for family, columns in _families(seen, frequency, train).items():
        column = columns[0]
        own = train[column].dropna()
        group = codes[own.index]
        if group.nunique() < 2 or own.nunique() < 2:
            continue
        p = float(screen(own.to_numpy()[:, None], group.to_numpy(), test).p[0])
        often = frequency.get(column, 0.0)
        chosen = "selected" if often > 0 else "typical"
        tests.append((family, column, chosen, often, len(columns), len(own), test, p))
        values.append(
            pd.DataFrame(
                {"family": family, "feature": column, "group": group.map(names).to_numpy(), "patient": own.index, "value": own.to_numpy()}
            )
        )  # fmt: skip
    if not tests:
        return {"values": pd.DataFrame(), "tests": pd.DataFrame()}
    head = ["family", "feature", "chosen", "frequency", "features", "patients", "test", "p"]
    table = pd.DataFrame(tests, columns=head)
    table = table.assign(p_adjusted=adjust_p(table["p"].to_numpy(), "benjamini-hochberg"))
    return {"values": pd.concat(values, ignore_index=True), "tests": table}


def _frequency(result: Result) -> dict[str, float]:
    table = result.selected
    if not len(table):
        return {}
    mine = table[table["model"] == final_model(result)]
    return dict(zip(mine["feature"], mine["frequency"].fillna(0.0), strict=True))


def _families(seen: Matrix, frequency: dict[str, float], train: pd.DataFrame) -> dict[str, list[str]]:
    """Family -> its columns, the one to be drawn first; families by how often that one was chosen, at most `TOP`."""
    facts = seen.columns[~seen.columns["family"].isin(["", "clinical"])]
    differs = [word for word in ("block", "filter") if facts[word].nunique() > 1 and facts.groupby(word).ngroups <= 4]
    found: dict[str, list[str]] = {}
    for key, part in facts.groupby([*differs, "family"], sort=False):
        columns = list(part.index)
        often = np.array([frequency.get(name, 0.0) for name in columns])
        if often.max() > 0:
            first = int(often.argmax())
        else:
            varying = train[columns].nunique().to_numpy() > 1
            close = np.abs(spearman(train[columns])).mean(axis=0)
            first = int(np.where(varying, close, -1.0).argmax())
        found[" ".join(map(str, key))] = [columns[first], *(name for name in columns if name != columns[first])]
    ranked = sorted(found, key=lambda family: -frequency.get(found[family][0], 0.0))
    return {family: found[family] for family in ranked[:TOP]}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.25 + -(-len(data["tests"]) // _COLUMNS) * (_TALL + _ABOVE + _BELOW)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a family; boxes: quartiles, whiskers 1.5 times their distance; dots: patients."""
    from matplotlib.ticker import MaxNLocator

    whole = size(data)
    groups = list(dict.fromkeys(data["values"]["group"]))
    groups = sorted(groups, key=lambda name: not str(name).startswith(("without", "no ")))
    tints = group_colours(groups)
    legend = []
    for place, row in enumerate(data["tests"].to_dict("records")):
        across, down = place % _COLUMNS, place // _COLUMNS
        bottom = whole[1] - 0.25 - down * (_TALL + _ABOVE + _BELOW) - _ABOVE - _TALL
        axes = panel(ax, whole, (0.42 + across * _WIDE, bottom, _WIDE - 0.5, _TALL))
        part = data["values"][data["values"]["family"] == row["family"]]
        for at, group in enumerate(groups):
            values = np.sort(part.loc[part["group"] == group, "value"].to_numpy(dtype=float))
            spread = 0.26 * np.sin(2.4 * np.arange(len(values)))  # beside one another, always in the same way
            (dots,) = axes.plot(at + spread, values, "o", ms=2.0, color=tints[group], alpha=0.6, mew=0)
            if place == 0:
                legend.append(dots)
            axes.boxplot(
                values, positions=[at], widths=0.55, showfliers=False, manage_ticks=False,
                boxprops={"color": INK, "linewidth": 0.7}, medianprops={"color": INK, "linewidth": 1.3},
                whiskerprops={"color": INK, "linewidth": 0.6}, capprops={"color": INK, "linewidth": 0.6},
            )  # fmt: skip
        axes.set(xlim=(-0.6, len(groups) - 0.4), xticks=[])
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}".replace("e+0", "e").replace("-", "−"))
        word = str(row["feature"]).rpartition("_")[2] if "_" in str(row["feature"]) else str(row["feature"])
        marked = " *" if row["chosen"] == "selected" else ""
        axes.annotate(shorten(f"{row['family']}{marked}", 24), (0, 1), (-22, 20), xycoords="axes fraction",
                      textcoords="offset points", fontsize=7.5, weight="bold")  # fmt: skip
        axes.annotate(
            shorten(word, 28), (0, 1), (-22, 11), xycoords="axes fraction", textcoords="offset points", fontsize=6.5
        )
        said = p_value(row["p_adjusted"])
        said = said if said[:1] in "<>" else f"= {said}"
        axes.annotate(f"adjusted p {said}", (0, 1), (-22, 2), xycoords="axes fraction", textcoords="offset points",
                      fontsize=6.5, color=GREY)  # fmt: skip
    ax.legend(legend, [shorten(str(name), 40) for name in groups], loc="upper left", bbox_to_anchor=(0.0, 1.0),
              ncols=len(groups), markerscale=2, handletextpad=0.2, borderaxespad=0.3)  # fmt: skip
