"""PyRadiomics parameter files: read what the profile covers, refuse by name what it does not.

Such a file (YAML or JSON) has the parts `setting`, `imageType` and `featureClass`. A key that would change a number in a way this
profile cannot is an error; nothing is ignored unless it cannot change a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isthmus.errors import PlanError
from isthmus.features.families import FAMILIES
from isthmus.features.profiles.pyradiomics import Settings

__all__ = ["read_parameters"]

_INTERPOLATORS = {
    "sitkBSpline": "cubic_spline",
    3: "cubic_spline",
    "sitkLinear": "linear",
    2: "linear",
    "sitkNearestNeighbor": "nearest",
    1: "nearest",
}

# Settings that change nothing as long as they have this value.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "normalize": (False,),
    "removeOutliers": (None,),
    "resegmentRange": (None,),
    "force2D": (False,),
    "distances": ([1],),
    "symmetricalGLCM": (True,),
    "weightingNorm": (None,),
    "gldm_a": (0,),
    "voxelArrayShift": (0,),
    "correctMask": (False,),
    "label_channel": (0,),
}

# Settings that change no number: they concern messages and speed, or qualify one above that is switched off.
_WITHOUT_EFFECT = frozenset(
    {
        "additionalInfo",
        "enableCExtensions",
        "preCrop",
        "geometryTolerance",
        "normalizeScale",
        "force2Ddimension",
        "resegmentMode",
        "resegmentShape",
    }
)


def read_parameters(path: str | Path) -> Settings:
    """Settings of the `pyradiomics` profile from a PyRadiomics parameter file.

    Parameters
    ----------
    path : path
        YAML or JSON.

    Returns
    -------
    Settings
        Only what the file says is set; `label` is the mask's value it names, or None.

    Raises
    ------
    PlanError
        The file cannot be read, or a key asks for what the profile does not do; the message names the key.
    """
    path = Path(path)
    content = _read(path)
    unknown = set(content) - {"setting", "imageType", "featureClass"}
    if unknown:
        raise PlanError(
            f"{path}: part {', '.join(sorted(map(str, unknown)))} of the parameter file is not covered. "
            "Covered are setting, imageType (Original) and featureClass"
        )
    settings = {**_part(content, "setting", path), **_image_types(_part(content, "imageType", path), path)}
    result: dict[str, Any] = {}
    for key, value in settings.items():
        _setting(str(key), value, result, path)
    result.update(_feature_classes(_part(content, "featureClass", path), path))
    try:
        return Settings(**result)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])} = {e['input']!r}: {e['msg']}" for e in error.errors()
        )
        raise PlanError(f"{path}: {problems}") from error


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise PlanError(f"{path}: the parameter file cannot be read ({error.strerror})") from error
    except (ValueError, yaml.YAMLError) as error:
        raise PlanError(f"{path}: this is not a YAML or JSON file: {error}") from error
    if not isinstance(content, dict):
        raise PlanError(
            f"{path}: a parameter file has the parts setting, imageType and featureClass; found {type(content).__name__}"
        )
    return content


def _part(content: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    """One part of the file; an empty part is an empty mapping."""
    part = content.get(name)
    if part is None:
        return {}
    if isinstance(part, list):
        part = dict.fromkeys(part)
    if not isinstance(part, dict):
        raise PlanError(f"{path}: {name} must be a mapping, found {part!r}")
    return part


def _image_types(types: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Settings given for the unfiltered image; any other image type is refused."""
    for name in types:
        if name != "Original":
            raise PlanError(
                f"{path}: imageType {name} is not covered by profile 'pyradiomics' yet; covered is Original"
            )
    return dict(types.get("Original") or {})


def _setting(key: str, value: Any, result: dict[str, Any], path: Path) -> None:
    """Translate one setting into `result`."""
    if key in _WITHOUT_EFFECT:
        return
    if key in _NEUTRAL:
        if value not in _NEUTRAL[key]:
            raise PlanError(
                f"{path}: setting {key} = {value!r} is not covered by profile 'pyradiomics' yet; covered is {_NEUTRAL[key][0]!r}"
            )
        return
    if key not in _COVERED:
        raise PlanError(f"{path}: setting {key} is not known. Covered: {', '.join(sorted(_COVERED))}")
    if value is None and key in _OPTIONAL:
        return
    field, translate = _COVERED[key]
    try:
        result[field] = translate(value)
    except (TypeError, ValueError, KeyError) as error:
        raise PlanError(
            f"{path}: setting {key} = {value!r} is not understood; expected {_EXPECTED.get(key, 'a number')}"
        ) from error


def _spacing(value: Any) -> tuple[float, float, float]:
    """x, y, z in the file; k, j, i here."""
    i, j, k = (float(v) for v in value)
    return k, j, i


def _same(value: Any) -> Any:
    return value


_COVERED: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "binWidth": ("bin_width", float),
    "binCount": ("bin_count", _same),
    "label": ("label", _same),
    "resampledPixelSpacing": ("spacing_mm", _spacing),
    "interpolator": ("interpolation", _INTERPOLATORS.__getitem__),
    "padDistance": ("pad_distance", _same),
    "minimumROIDimensions": ("minimum_dimensions", _same),
    "minimumROISize": ("minimum_voxels", lambda value: max(2, int(value))),
}
_OPTIONAL = frozenset({"binCount", "resampledPixelSpacing", "minimumROISize"})
_EXPECTED = {
    "resampledPixelSpacing": "three numbers x, y, z in mm",
    "interpolator": "sitkBSpline, sitkLinear or sitkNearestNeighbor",
}


def _feature_classes(classes: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Families to compute and, where single features are named, only those."""
    if not classes:
        return {}
    names: list[str] = []
    whole = True
    for family, features in classes.items():
        if family not in FAMILIES:
            raise PlanError(
                f"{path}: featureClass {family} is not covered by profile 'pyradiomics'. Covered: {', '.join(FAMILIES)}"
            )
        known = [spec.name for spec in FAMILIES[family].FEATURES]
        for feature in features or []:
            if feature not in known:
                raise PlanError(f"{path}: featureClass {family} has no feature {feature!r}. Known: {', '.join(known)}")
        whole = whole and not features
        names += [f"{family}_{feature}" for feature in features or known]
    chosen = tuple(family for family in FAMILIES if family in classes)
    return {"families": chosen} if whole else {"families": chosen, "features": tuple(names)}
