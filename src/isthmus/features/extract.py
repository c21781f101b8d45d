"""Features of one region of one image, from files or from arrays in memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from isthmus.errors import GeometryMismatchError, IsthmusWarning, MaskError, PlanError
from isthmus.features.profiles import get_profile
from isthmus.image import Image
from isthmus.roi import Roi
from isthmus.roi.settings import Label
from isthmus.settings import Section
from isthmus.settings.messages import setting_messages

__all__ = ["extract", "image_of", "mask_reading", "measure", "roi_of", "settings_of"]


def extract(
    image: Any,
    mask: Any,
    profile: str = "pyradiomics",
    *,
    label: Label = None,
    params: str | Path | None = None,
    **settings: Any,
) -> pd.Series:
    """Feature values of one lesion.

    Parameters
    ----------
    image, mask : path, SimpleITK image, or tuple (array, spacing)
        Arrays of shape (k, j, i), slice first, and spacing (k, j, i) in mm.
    profile : str
        Which features, by which rules; see `isthmus.features.PROFILES`.
    label : int, str or tuple of them, optional
        The mask's value (several are one region), or the name of an RTSTRUCT's ROI; default: the parameter file's label, else 1.
    params : path, optional
        A PyRadiomics parameter file (YAML or JSON).
    **settings
        Settings of the profile, such as `bin_width=0.25`; they win over `params`.

    Returns
    -------
    pandas.Series
        One value per column of the profile; NaN where a feature is not defined, with one UndefinedFeatureWarning.

    Raises
    ------
    CaseError
        The files cannot be read, or the mask is empty, too small or on another grid.
    PlanError
        The profile or a setting is unknown, or the parameter file asks for what the profile does not do.

    Examples
    --------
    >>> import numpy as np
    >>> voxels = np.arange(64, dtype=np.int16).reshape(4, 4, 4)
    >>> features = extract((voxels, (1, 1, 1)), (voxels > 7, (1, 1, 1)), bin_width=8)
    >>> float(features["original_firstorder_Mean"])
    35.5
    """
    chosen = settings_of(profile, settings, params)
    if label is None:
        label = getattr(chosen, "label", None)
    picture = image_of(image)
    return measure(picture, roi_of(mask, picture, label, mask_reading(chosen)), profile, chosen)


def measure(image: Image, roi: Roi, profile: str, settings: Section) -> pd.Series:
    """Feature values of a region already read, named as the profile's columns."""
    module = get_profile(profile)
    names = [meta.column for meta in module.columns(settings)]
    return pd.Series(module.compute(image, roi, settings), index=names, name=roi.name)


def settings_of(profile: str, given: Mapping[str, Any], params: str | Path | None = None) -> Any:
    """The settings of a profile from keyword arguments over a parameter file; what is wrong with them is a PlanError."""
    module = get_profile(profile)
    base: dict[str, Any] = {}
    if params is not None:
        from isthmus.features.parameters import read_parameters

        if profile != "pyradiomics":
            raise PlanError(
                f"params = {str(params)!r} is a PyRadiomics parameter file; it goes with profile 'pyradiomics', not {profile!r}"
            )
        base = read_parameters(params).model_dump(exclude_unset=True)
    said = {**base, **given}
    try:
        return module.Settings(**said)
    except ValidationError as error:
        where, known = f"profile {profile!r}:", list(module.Settings.model_fields)
        raise PlanError("\n".join(setting_messages(error, said, known_keys=lambda _: known, where=where))) from error


def _is_sitk(thing: Any) -> bool:
    return type(thing).__module__.split(".")[0] == "SimpleITK"


def image_of(source: Any) -> Image:
    """An image from a path, a SimpleITK image or a tuple (array, spacing)."""
    from isthmus.image.io import from_array, from_sitk, read_image

    if isinstance(source, Image):
        return source
    if isinstance(source, (str, Path)):
        return read_image(source)
    if _is_sitk(source):
        return from_sitk(source)
    if isinstance(source, tuple) and len(source) == 2:
        values, spacing = source
        return from_array(values, tuple(float(s) for s in spacing))  # type: ignore[arg-type]
    raise TypeError(f"an image is a path, a SimpleITK image or a tuple (array, spacing), not {type(source).__name__}")


def mask_reading(settings: Section) -> dict[str, Any]:
    """How `read_roi` takes masks that lie on another grid or hold several channels, as a profile's settings say."""
    names = {"resample_mask": "resample", "geometry_tolerance": "tolerance", "label_channel": "channel"}
    return {ours: value for name, ours in names.items() if (value := getattr(settings, name, None)) is not None}


def roi_of(source: Any, image: Image, label: Label, reading: Mapping[str, Any]) -> Roi:
    """A region from a path or from a mask in memory, checked against its image; `reading` as `mask_reading` gives it."""
    from isthmus.roi import read_roi

    if isinstance(source, Roi):
        return source
    if isinstance(source, (str, Path)):
        roi = read_roi(source, image, label=label, **reading)
        for note in roi.notes:
            if note.startswith("mask resampled"):
                warnings.warn(IsthmusWarning(note), stacklevel=3)
        return roi
    label = 1 if label is None else label
    if isinstance(source, tuple) and len(source) == 2 and np.asarray(source[0]).dtype == bool:
        source = (np.asarray(source[0]).astype(np.int16), source[1])
    channel = reading.get("channel")
    if channel is not None and _is_sitk(source) and source.GetNumberOfComponentsPerPixel() > channel:
        from isthmus.image.io.simpleitk import load_sitk

        source = (
            load_sitk().VectorIndexSelectionCast(source, channel)
            if source.GetNumberOfComponentsPerPixel() > 1
            else source
        )
    labels = image_of(source)
    if not reading and (difference := image.geometry.difference(labels.geometry)):
        raise GeometryMismatchError(
            f"image and mask lie on different grids: {difference}. Was the mask drawn on another series?"
        )
    wanted = label if isinstance(label, tuple) else (label,)
    if not all(isinstance(one, int) for one in wanted):
        raise MaskError(f"label = {label!r}: a mask in memory has numbers for labels, not names")
    mask = np.isin(labels.values, wanted) if len(wanted) > 1 else labels.values == wanted[0]
    if not mask.any():
        present = ", ".join(f"{value:g}" for value in np.unique(labels.values)[:10] if value != 0) or "none"
        raise MaskError(f"the mask holds no voxel of label {label}; labels present: {present}")
    return Roi(mask, labels.geometry if reading else image.geometry)  # the profile judges another grid
