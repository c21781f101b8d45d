"""PyRadiomics parameter files, taken as they are.

Such a file (YAML or JSON) has the parts `setting`, `imageType`, `featureClass` and `voxelSetting`. Every setting PyRadiomics 3.0.1 knows
is understood; one it does not know is an error with a suggestion (PyRadiomics stops there, too, or ignores it where settings come from
Python). What has no effect on features, or none at its place, is said in a warning.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from isthmus.errors import IsthmusWarning, PlanError, did_you_mean
from isthmus.features.profiles.pyradiomics.settings import AXES, CountingSettings, Settings
from isthmus.features.profiles.pyradiomics.vocabulary import FAMILY_NAMES, REMOVED, feature_names

__all__ = ["read_parameters", "read_voxel_settings"]


# ---------------------------------------------------------------------- what PyRadiomics knows


@dataclass(frozen=True)
class _Kind:
    """What a value must be: `expected` says it, `check` tests it."""

    expected: str
    check: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole(low: int, high: float = math.inf) -> _Kind:
    text = f"a whole number from {low}" + (f" to {high}" if high < math.inf else "")
    return _Kind(text, lambda value: _is_whole(value) and low <= value <= high)


def _list_of(kind: _Kind, what: str, lengths: range = range(1, 1000)) -> _Kind:
    return _Kind(what, lambda value: isinstance(value, list) and len(value) in lengths and all(map(kind.check, value)))


def _one_of(*names: str) -> _Kind:
    return _Kind(" or ".join(names), lambda value: value in names)


_NUMBER = _Kind("a number", _is_number)
_POSITIVE = _Kind("a number above 0", lambda value: _is_number(value) and value > 0)
_NOT_NEGATIVE = _Kind("a number from 0", lambda value: _is_number(value) and value >= 0)
_SWITCH = _Kind("true or false", lambda value: isinstance(value, bool))
_TEXT = _Kind("text", lambda value: isinstance(value, str))

_INTERPOLATORS = {
    "sitkNearestNeighbor": "nearest",
    "sitkLinear": "linear",
    "sitkBSpline": "cubic_spline",
    "sitkGaussian": "gaussian",
    "sitkLabelGaussian": "label_gaussian",
    "sitkHammingWindowedSinc": "hamming_sinc",
    "sitkCosineWindowedSinc": "cosine_sinc",
    "sitkWelchWindowedSinc": "welch_sinc",
    "sitkLanczosWindowedSinc": "lanczos_sinc",
    "sitkBlackmanWindowedSinc": "blackman_sinc",
}
_BY_NUMBER = dict(enumerate(_INTERPOLATORS, start=1))

# Counting: may stand under an image type and hold there only.
_COUNTING: Mapping[str, _Kind] = {
    "binWidth": _POSITIVE,
    "binCount": _whole(1),
    "voxelArrayShift": _Kind("a whole number", _is_whole),
    "symmetricalGLCM": _SWITCH,
    "weightingNorm": _one_of("euclidean", "manhattan", "infinity", "no_weighting"),
    "distances": _list_of(_whole(1), "a list of whole numbers from 1"),
    "force2D": _SWITCH,
    "force2Ddimension": _whole(0, 2),
    "gldm_a": _whole(0),
}
# Before the filters: once for all images.
_PREPARING: Mapping[str, _Kind] = {
    "label": _whole(1),
    "label_channel": _whole(0),
    "minimumROIDimensions": _whole(1, 3),
    "minimumROISize": _whole(1),
    "geometryTolerance": _POSITIVE,
    "correctMask": _SWITCH,
    "normalize": _SWITCH,
    "normalizeScale": _POSITIVE,
    "removeOutliers": _POSITIVE,
    "resampledPixelSpacing": _list_of(
        _NOT_NEGATIVE, "three numbers x, y, z in mm, 0 to keep the original", range(3, 4)
    ),
    "interpolator": _Kind(
        f"{', '.join(_INTERPOLATORS)}, or their number 1 to 10",
        lambda value: value in _INTERPOLATORS or (_is_whole(value) and value in _BY_NUMBER),
    ),
    "padDistance": _whole(0),
    "preCrop": _SWITCH,
    "resegmentRange": _list_of(_NUMBER, "a list of one or two numbers", range(1, 3)),
    "resegmentMode": _one_of("absolute", "relative", "sigma"),
    "resegmentShape": _SWITCH,
    "additionalInfo": _SWITCH,
}
# Of one filter; they may also stand under `setting`.
_FILTERING: Mapping[str, _Kind] = {
    "sigma": _list_of(_POSITIVE, "a list of numbers above 0, in mm", range(1000)),
    "wavelet": _TEXT,
    "level": _whole(1),
    "start_level": _whole(0),
    "gradientUseSpacing": _SWITCH,
    "lbp2DRadius": _POSITIVE,
    "lbp2DSamples": _whole(1),
    "lbp2DMethod": _one_of("default", "ror", "uniform", "var"),
    "lbp3DLevels": _whole(1),
    "lbp3DIcosphereRadius": _POSITIVE,
    "lbp3DIcosphereSubdivision": _whole(0),
}
_VOXEL: Mapping[str, _Kind] = {
    "kernelRadius": _whole(1),
    "maskedKernel": _SWITCH,
    "initValue": _Kind(
        "a number, nan included",
        lambda value: value == "nan" or (isinstance(value, (int, float)) and not isinstance(value, bool)),
    ),
    "voxelBatch": _whole(1),
}
_SETTINGS: Mapping[str, _Kind] = MappingProxyType({**_PREPARING, **_COUNTING, **_FILTERING})

# Image types in PyRadiomics' spelling: our filter, and its settings by PyRadiomics' name.
_IMAGE_TYPES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Original": ("none", {}),
        "LoG": ("recursive_log", {"sigma": "sigma_mm"}),
        "Wavelet": ("stationary_wavelet", {"wavelet": "wavelet", "level": "level", "start_level": "start_level"}),
        "Square": ("square", {}),
        "SquareRoot": ("square_root", {}),
        "Logarithm": ("logarithm", {}),
        "Exponential": ("exponential", {}),
        "Gradient": ("gradient", {"gradientUseSpacing": "use_spacing"}),
        "LBP2D": ("lbp2d", {"lbp2DRadius": "radius", "lbp2DSamples": "samples", "lbp2DMethod": "method"}),
        "LBP3D": (
            "lbp3d",
            {"lbp3DLevels": "levels", "lbp3DIcosphereRadius": "radius", "lbp3DIcosphereSubdivision": "subdivisions"},
        ),
    }
)
_FORMER = {
    "enableCExtensions": "PyRadiomics removed it in version 2.1; remove the line",
    "verbose": "PyRadiomics removed it in version 1.2; remove the line",
    "inputImage": "PyRadiomics calls it imageType since version 2.0",
}


# ---------------------------------------------------------------------- reading


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
        The file cannot be read, holds what PyRadiomics does not know, or a value it does not take; the message names the key.
    """
    path = Path(path)
    content = _content(path)
    parts = ("setting", "imageType", "featureClass", "voxelSetting")
    for key in content:
        if key in _FORMER:
            raise PlanError(f"{path}: {key}: {_FORMER[key]}")
        if key not in parts:
            hint = " Settings belong under `setting:`." if key in _SETTINGS else did_you_mean(str(key), parts)
            raise PlanError(f"{path}: unknown part {key!r} of the parameter file.{hint}")
    setting = _checked(_part(content, "setting", path), _SETTINGS, f"{path}: setting")
    _checked(_part(content, "voxelSetting", path), _VOXEL, f"{path}: voxelSetting")
    result = _prepared(setting)
    try:
        result.update(_filters(_part(content, "imageType", path), setting, path))
        result.update(_feature_classes(_part(content, "featureClass", path), setting, path))
        return Settings(**result)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise PlanError(f"{path}: {problems}") from error
    except ValueError as error:
        raise error if isinstance(error, PlanError) else PlanError(f"{path}: {error}") from error


def read_voxel_settings(path: str | Path) -> dict[str, Any]:
    """The kernel of feature maps from a PyRadiomics parameter file, under our names; `voxelBatch` changes nothing here."""
    path = Path(path)
    given = _checked(_part(_content(path), "voxelSetting", path), _VOXEL, f"{path}: voxelSetting")
    names = {"kernelRadius": "kernel_radius", "maskedKernel": "masked_kernel", "initValue": "initial_value"}
    return {ours: given[theirs] for theirs, ours in names.items() if theirs in given}


def _content(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.load(text, Loader=_loader())
    except OSError as error:
        raise PlanError(f"{path}: the parameter file cannot be read ({error.strerror})") from error
    except (ValueError, yaml.YAMLError) as error:
        raise PlanError(f"{path}: this is not a YAML or JSON file: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise PlanError(
            f"{path}: a parameter file has the parts setting, imageType and featureClass; found {type(content).__name__}"
        )
    return content


@cache
def _loader() -> Any:
    """PyYAML's safe loader, brought to what PyRadiomics' reader does: `1e-4` is a number, a key given twice an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value]
            if twice := [key for key in keys if keys.count(key) > 1]:
                raise yaml.constructor.ConstructorError(None, None, f"{twice[0]!r} is given twice", node.start_mark)
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    number = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789."))
    return Loader


def _part(content: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    """One part of the file; an empty part is an empty mapping."""
    part = content.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise PlanError(f"{path}: {name} must be a mapping (`key: value` lines), found {part!r}")
    return part


def _checked(given: Mapping[str, Any], known: Mapping[str, _Kind], where: str) -> dict[str, Any]:
    """The settings that have a value, each of the right kind; an empty one is PyRadiomics' default."""
    for key, value in given.items():
        if key in _FORMER:
            raise PlanError(f"{where} {key}: {_FORMER[key]}")
        if key not in known:
            raise PlanError(f"{where} {key!r} is not known to PyRadiomics.{_elsewhere(str(key), known)}")
        if value is not None and not known[key].check(value):
            raise PlanError(f"{where} {key} = {value!r}: expected {known[key].expected}")
    return {key: value for key, value in given.items() if value is not None or key in ("interpolator", "binCount")}


def _elsewhere(key: str, known: Mapping[str, _Kind]) -> str:
    for part, settings in (("setting", _SETTINGS), ("voxelSetting", _VOXEL)):
        if key in settings:
            return f" It belongs under `{part}:`."
    return did_you_mean(key, known)


# ---------------------------------------------------------------------- translating


def _prepared(setting: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for all images."""
    names = {
        "label": "label",
        "label_channel": "label_channel",
        "minimumROIDimensions": "minimum_dimensions",
        "geometryTolerance": "geometry_tolerance",
        "correctMask": "resample_mask",
        "normalize": "normalise",
        "normalizeScale": "normalise_scale",
        "removeOutliers": "remove_outliers",
        "padDistance": "pad_distance",
        "preCrop": "pre_crop",
        "resegmentMode": "resegment_mode",
        "resegmentShape": "resegment_shape",
    }
    result: dict[str, Any] = {ours: setting[theirs] for theirs, ours in names.items() if theirs in setting}
    if "minimumROISize" in setting:
        result["minimum_voxels"] = setting["minimumROISize"] + 1  # PyRadiomics refuses a region of exactly this size
    if "resegmentRange" in setting:
        result["resegment_range"] = tuple(setting["resegmentRange"])
    interpolator = setting.get("interpolator", "sitkBSpline")
    if "resampledPixelSpacing" in setting and interpolator is not None:  # an empty interpolator switches resampling off
        i, j, k = (float(spacing) for spacing in setting["resampledPixelSpacing"])
        result["spacing_mm"] = (k, j, i)
    if setting.get("interpolator") is not None:
        result["interpolation"] = _INTERPOLATORS[_BY_NUMBER.get(interpolator, interpolator)]
    return {**result, **_counting(setting)}


def _counting(setting: Mapping[str, Any]) -> dict[str, Any]:
    """Counting settings under our names."""
    names = {
        "binWidth": "bin_width",
        "binCount": "bin_count",
        "voxelArrayShift": "voxel_array_shift",
        "symmetricalGLCM": "symmetric_glcm",
        "weightingNorm": "weighting",
        "gldm_a": "gldm_alpha",
    }
    result = {ours: setting[theirs] for theirs, ours in names.items() if setting.get(theirs) is not None}
    if "distances" in setting:
        result["distances"] = tuple(sorted(set(setting["distances"])))
    if setting.get("force2D"):
        result["slice_axis"] = AXES[setting.get("force2Ddimension", 0)]
    return result


def _filters(types: Mapping[str, Any], setting: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The filters in their order, each with the counting settings in which it differs from the common ones."""
    if not types:
        return {}
    everywhere = {key: value for key, value in setting.items() if key in _COUNTING}
    common = _counting(everywhere)
    filters: list[dict[str, Any]] = []
    back: set[str] = set()  # settings that some image type takes back to the default
    for name, custom in types.items():
        if name not in _IMAGE_TYPES:
            raise PlanError(
                f"{path}: imageType {name!r} is not known to PyRadiomics.{did_you_mean(str(name), _IMAGE_TYPES)}"
            )
        where = f"{path}: imageType {name}:"
        if custom is not None and not isinstance(custom, dict):
            raise PlanError(f"{where} expected a mapping such as {{binWidth: 10}}, or {{}}; found {custom!r}")
        own = _checked(custom or {}, _SETTINGS, where)
        filters.append(_filter(name, own, setting, where))
        counting = _counting({**everywhere, **own})
        back |= common.keys() - counting.keys()
        filters[-1]["counting"] = counting
    filters = [one for one in filters if one.pop("computes")]
    if not filters:
        raise PlanError(f"{path}: imageType asks for no image that can be computed; LoG needs sigma, a list in mm")
    defaults = CountingSettings().model_dump()
    for one in filters:
        counting = one.pop("counting")
        # what one image takes back is no longer common: every other image says it
        one.update(
            {key: value for key, value in counting.items() if key in back or common.get(key, defaults[key]) != value}
        )
    return {"filters": filters, **{key: defaults[key] for key in back}}


def _filter(name: str, own: Mapping[str, Any], setting: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One image type as the table of a filter."""
    ours, settings = _IMAGE_TYPES[name]
    idle = [key for key in own if key not in _COUNTING and key not in settings]
    if "label" in idle:
        raise PlanError(f"{where} a label of its own is not possible; extract each label with a file of its own")
    if idle:
        warnings.warn(
            IsthmusWarning(f"{where} {', '.join(idle)} has no effect here, in PyRadiomics neither"), stacklevel=4
        )
    merged = {**setting, **own}
    table: dict[str, Any] = {"name": ours, "computes": True}
    for theirs, mine in settings.items():
        if theirs in merged:
            table[mine] = tuple(merged[theirs]) if isinstance(merged[theirs], list) else merged[theirs]
    if name == "LBP2D":
        table["slice_axis"] = AXES[merged.get("force2Ddimension", 0)]
    if name == "LoG" and not table.get("sigma_mm"):
        warnings.warn(
            IsthmusWarning(f"{where} no sigma is given, so PyRadiomics computes no image, and neither do we"),
            stacklevel=4,
        )
        table["computes"] = False
    return table


def _feature_classes(classes: Mapping[str, Any], setting: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Families to compute and, where single features are named, only those."""
    if not classes:
        return {"families": FAMILY_NAMES} if setting.get("force2D") else {}
    chosen: dict[str, tuple[str, ...]] = {}
    whole = True
    for family, features in classes.items():
        if family not in FAMILY_NAMES:
            raise PlanError(
                f"{path}: featureClass {family!r} is not known to PyRadiomics.{did_you_mean(str(family), FAMILY_NAMES)}"
            )
        if features is not None and not isinstance(features, list):
            raise PlanError(
                f"{path}: featureClass {family}: expected a list of features, or nothing for all; found {features!r}"
            )
        if family == "shape2D" and not setting.get("force2D"):
            warnings.warn(
                IsthmusWarning(
                    f"{path}: featureClass shape2D needs force2D: true; PyRadiomics computes none without, and neither do we"
                ),
                stacklevel=3,
            )
            continue
        chosen[family] = _features(family, features or [], path)
        whole = whole and not features
    if whole:
        return {"families": tuple(chosen)}
    return {
        "families": tuple(chosen),
        "features": tuple(f"{family}_{name}" for family in chosen for name in chosen[family]),
    }


def _features(family: str, named: list[Any], path: Path) -> tuple[str, ...]:
    """The features of a family that have a column."""
    if not named:
        return feature_names(family)
    known = feature_names(family, deprecated=True)
    kept = []
    for name in dict.fromkeys(named):
        if f"{family}_{name}" in REMOVED:
            equal = REMOVED[f"{family}_{name}"]
            warnings.warn(
                IsthmusWarning(
                    f"{path}: featureClass {family}: {name} always equals {equal}; PyRadiomics gives no column for it, and neither do we"
                ),
                stacklevel=4,
            )
        elif name not in known:
            raise PlanError(f"{path}: featureClass {family} has no feature {name!r}.{did_you_mean(str(name), known)}")
        else:
            kept.append(name)
    return tuple(kept)
