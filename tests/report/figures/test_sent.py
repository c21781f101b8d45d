"""Curves of patients that stayed elsewhere: drawn from the bands another site sent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from isthmus.report.facts import sent_bands
from isthmus.report.figures import calibration, decision_curve, precision_recall, roc
from isthmus.stats.bands import risk_bands
from isthmus.study.result import Result

SITE = "external (siteB)"


@pytest.fixture(scope="module")
def sent(full_run: Result) -> Result:
    """A run into which a site's numbers of the final model were merged."""
    model = roc.final_model(full_run)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    p = 1 / (1 + np.exp(-(2 * (y - 0.5) + rng.normal(size=300))))
    bands = risk_bands(y, p, np.arange(1, 20) / 20, first=0.4).assign(model=model, split=SITE)
    metrics = pd.DataFrame(
        [(model, SITE, "auc", 0.84, 0.79, 0.88, "DeLong")],
        columns=["model", "split", "metric", "estimate", "lower", "upper", "method"],
    )
    return dataclasses.replace(
        full_run,
        tables={**full_run.tables, "external_bands": bands},
        metrics=pd.concat([full_run.metrics, metrics], ignore_index=True),
    )


@pytest.mark.parametrize("figure", [roc, precision_recall, calibration, decision_curve], ids=lambda f: f.NAME)
def test_the_site_has_its_curve(sent, figure):
    """Each figure has a panel of the site, with the points its bands give."""
    curves = figure.data(sent)["curves"]
    own = curves[(curves["split"] == SITE) & (curves["model"] == roc.final_model(sent))]
    assert len(own) > 1


def test_the_curve_is_drawn_dashed(sent):
    """In the panel of the site the line is dashed, in the others it is not."""
    import matplotlib.pyplot as plt

    data = roc.data(sent)
    figure, axes = plt.subplots(figsize=roc.size(data))
    roc.draw(data, axes)
    lines = {
        panel.get_title(loc="left") or panel.get_title(): {
            line.get_linestyle() for line in panel.lines if len(line.get_xdata()) > 3
        }
        for panel in axes.child_axes
    }
    plt.close(figure)
    assert {title for title, styles in lines.items() if "--" in styles and "siteB" in title} != set()


def test_one_band_has_no_curve(sent):
    """A single band would draw a diagonal that nobody measured."""
    few = sent.tables["external_bands"].iloc[:1]
    lone = dataclasses.replace(sent, tables={**sent.tables, "external_bands": few})
    assert sent_bands(lone, roc.final_model(lone), SITE).empty
    assert SITE not in set(roc.data(lone)["curves"]["split"])
