"""The figure of how one network learned: its losses over the epochs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from isthmus.report.figures import learning_curves
from isthmus.report.figures._save import save_drawing

__all__ = ["learning_curve"]


def learning_curve(curve: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """`learning_curve` in a folder, as svg, pdf, png and the numbers behind it; the files.

    Parameters
    ----------
    curve : DataFrame
        A row an epoch: epoch, training_loss, validation_loss, validation_auc, kept.
    folder : Path
    name : str
        Of the network.
    """
    none = float("nan")
    data = {
        "learning_curves": curve.assign(network=0, models=name, block="", step="network", repeat=none, fold=none),
    }
    drawing = save_drawing("learning_curve", "How the network learned", {"learning_curve": curve}, learning_curves.size(data),
                           lambda axes: learning_curves.draw(data, axes), folder)  # fmt: skip
    return list(drawing.files)
