"""How a slide becomes nuclei."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from isthmus.pathology.hovernet import HoverNetSettings
from isthmus.pathology.segmenter import SegmenterSettings
from isthmus.pathology.tissue import TissueSettings
from isthmus.settings import Section

__all__ = ["PathologySection", "PathologySettings"]


class PathologySettings(Section):
    """[pathology]

    Parameters
    ----------
    mpp : float
        Working resolution, um per pixel; a slide within 2 % of it is not resampled.
    tile : int
        Pixels on a side. No number depends on it, memory and speed do.
    segmenter : str
        `classical` (no weights, no classes) or `hovernet` (the weights of a file, six classes).
    hovernet : HoverNetSettings, optional
        Its weights.
    stains : str
        Whose vectors the features use: `fixed` (Ruifrok), or estimated once a slide by `macenko` or `vahadane`.
    samples : int
        Places all over the tissue that stains and thresholds of the slide are estimated from, each `sample` pixels on a side.
    most_failed : float
        Share of the tiles that may fail before the slide does.
    """

    mpp: Annotated[float, Field(gt=0)] = 0.5
    tile: Annotated[int, Field(ge=128)] = 2048
    segmenter: Literal["classical", "hovernet"] = "classical"
    hovernet: HoverNetSettings | None = None
    stains: Literal["fixed", "macenko", "vahadane"] = "fixed"
    samples: Annotated[int, Field(ge=1)] = 24
    sample: Annotated[int, Field(ge=64)] = 512
    most_failed: Annotated[float, Field(ge=0, le=1)] = 0.01
    tissue: TissueSettings = TissueSettings()
    nuclei: SegmenterSettings = SegmenterSettings()

    @model_validator(mode="after")
    def _of_one_resolution(self) -> PathologySettings:
        if self.segmenter == "hovernet":
            if self.hovernet is None:
                raise ValueError(
                    'segmenter = "hovernet" needs the file of its weights: [pathology.hovernet] path = "..."'
                )
            if abs(self.mpp / self.hovernet.mpp - 1) > 0.02:
                said = self.hovernet.mpp
                raise ValueError(
                    f"mpp = {self.mpp:g}, but the weights were trained at {said:g} um per pixel; say mpp = {said:g}"
                )
        return self


class PathologySection(PathologySettings):
    """[pathology] of a plan: slides whose nuclei are found and measured by the run, and compared as a table of [biology].

    Parameters
    ----------
    slides : str
        A table, relative to the plan: patient, slide[, mpp, annotation, classes, nuclei]; paths in it are relative to it. With
        `nuclei`, those of another program are measured instead of ours.
    columns : tuple of str
        Of `patients.csv`; by default the means and the spread of the 28 features, the density of the nuclei and Rao's entropy.
    hypotheses : tuple of str
        Columns asked for beforehand, a family of their own.
    given : tuple of str
        Of the model's features, those that correlations are freed of.
    """

    slides: str
    columns: tuple[str, ...] = ()
    hypotheses: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
