"""Everything this room says of one lesion: supervoxels, iTED and ITHscore, as one row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import MaskError
from isthmus.habitat.ited import ited, ited_columns
from isthmus.habitat.ith2d import Ith2d, ith2d
from isthmus.habitat.ith3d import COLUMNS, ith3d
from isthmus.habitat.measure import SupervoxelTable, measure_supervoxels
from isthmus.habitat.settings import HeterogeneitySettings
from isthmus.habitat.supervoxels import Supervoxels, cut
from isthmus.image.image import Image
from isthmus.roi.roi import Roi

__all__ = ["Description", "case_columns", "describe"]


@dataclass(frozen=True, eq=False)
class Description:
    """What was found in one lesion.

    Parameters
    ----------
    values : Series
        Columns as `case_columns` names them; NaN where not known.
    reasons : dict
        Column (or "ited", "ith3d", "supervoxels" for all of them) -> why it is missing.
    table : SupervoxelTable or None
    pieces : Supervoxels or None
        None where the lesion could not be cut.
    clusters : int32 array or None
        Of `ith3d`, on the grid of the supervoxels.
    flat : Ith2d or None
        The score of the largest slice, with its maps.
    """

    values: pd.Series[float]
    reasons: dict[str, str]
    table: SupervoxelTable | None = None
    pieces: Supervoxels | None = None
    clusters: NDArray[np.int32] | None = None
    flat: Ith2d | None = None


def case_columns(settings: HeterogeneitySettings) -> list[str]:
    """The columns of a case: what was cut, iTED with its companions, the two scores."""
    flat = ["ith2d", *(f"ith2d_k{clusters}" for clusters in settings.ith2d.clusters)]
    return ["supervoxels", "supervoxel_mm3", *ited_columns(settings.ited), *COLUMNS, *flat]


def describe(
    image: Image, roi: Roi, settings: HeterogeneitySettings | None = None, *, patient: str = "", workers: int = 1
) -> Description:
    """Supervoxels, iTED and ITHscore of one lesion.

    A lesion too small to be cut has no supervoxels and none of what is made of them, with the reason; its slice may still have a score.

    Raises
    ------
    MaskError
        The lesion is empty.
    ImageReadError
        An intensity inside the lesion is NaN or infinite.
    """
    settings = settings or HeterogeneitySettings()
    values = dict.fromkeys(case_columns(settings), float("nan"))
    flat = ith2d(image, roi, settings.ith2d, patient=patient, workers=workers)
    values |= {"ith2d": flat.score, **{f"ith2d_k{clusters}": score for clusters, score in flat.scores.items()}}
    reasons = dict(flat.reasons)
    try:
        pieces = cut(image, roi, settings.supervoxels)
    except MaskError as error:
        return Description(pd.Series(values), reasons | {"supervoxels": error.reason}, flat=flat)
    table = measure_supervoxels(pieces, settings.features, patient=patient, workers=workers)
    row = ited(table, settings.ited, workers=workers)
    whole = ith3d(pieces, table, settings.ith3d)
    values |= {"supervoxels": float(pieces.count), "supervoxel_mm3": pieces.volume_mm3}
    values |= {str(column): value for column, value in row.items()} | dict(whole.values)
    reasons |= {**row.attrs["reasons"], **whole.reasons}
    return Description(pd.Series(values), reasons, table, pieces, whole.clusters, flat)
