"""Is this installation sound? Versions, processor, optional parts, and a self-test against published IBSI values."""

from __future__ import annotations

import importlib.util
import json
import math
from importlib.resources import files
from typing import Any

import numpy as np

from isthmus.study.provenance import machine, versions

__all__ = ["examine", "self_test"]

# what this package can use when it is installed, and for what
_OPTIONAL = {
    "catboost": "the estimator catboost (pip install 'isthmus[catboost]')",
    "deflate": "compressed images read twice as fast (without it by zlib, the same bytes)",
    "distributed": "--scheduler: cases on a Dask cluster (pip install 'isthmus[cluster]')",
    "einops": "the network swin_unetr (pip install 'isthmus[deep]')",
    "fastapi": "the web application, isthmus app (pip install 'isthmus[web]')",
    "imblearn": "steps that resample rows: SMOTE and its family (pip install 'isthmus[ml]')",
    "monai": "deep networks (pip install 'isthmus[deep]')",
    "openslide": "slides (pip install 'isthmus[pathology]')",
    "openpyxl": "case tables as Excel workbooks (pip install openpyxl; or save them as CSV)",
    "optuna": "search = { method = \"optuna\" } (pip install 'isthmus[ml]')",
    "pylibjpeg": "DICOM segmentations in lossless JPEG (pip install 'pylibjpeg[all]'; other forms are read without it)",
    "safetensors": "weights of deep networks (pip install 'isthmus[deep]')",
    "sksurv": "the estimator random_survival_forest (pip install 'isthmus[survival]'; GPL)",
    "starlette": "the web application, isthmus app (it comes with fastapi)",
    "torch": "deep networks (pip install 'isthmus[deep]')",
    "umap": "category representatives by UMAP (pip install 'isthmus[ml]')",
    "tifffile": "synthetic slides (pip install 'isthmus[pathology]')",
    "uvicorn": "the web application, isthmus app (pip install 'isthmus[web]')",
    "xgboost": "the estimator xgboost (pip install 'isthmus[ml]')",
}


# where the PyRadiomics profile deviates from IBSI by definition (kurtosis is not in excess, axis lengths divide by N)
_DEVIATES = frozenset({"IPH6", "TDIC", "P9VJ", "7J51"})


def examine() -> dict[str, Any]:
    """Everything `isthmus doctor` prints."""
    optional = {
        name: f"present: {use}" if importlib.util.find_spec(name) else f"absent: {use}"
        for name, use in _OPTIONAL.items()
    }
    return {
        "versions": versions(),
        "machine": {**machine(), **_instructions()},
        "optional": optional,
        "self-test": self_test(),
    }


def self_test() -> dict[str, Any]:
    """The IBSI digital phantom through the engine: every feature with a consensus value, at its printed precision.

    Twice: by IBSI's own profile, and the features that PyRadiomics defines as IBSI does by the `pyradiomics` profile, which takes a
    faster way through the core.
    """
    from isthmus.features import get_profile
    from isthmus.image.io import from_array
    from isthmus.roi import Roi

    phantom = json.loads(files("isthmus.study").joinpath("ibsi_digital_phantom.json").read_text(encoding="utf-8"))
    image = from_array(np.asarray(phantom["image"], dtype=np.int16), tuple(phantom["spacing_mm"]))
    roi = Roi(np.asarray(phantom["mask"]) > 0, image.geometry)
    consensus = {tuple(key): (printed, tolerance) for *key, printed, tolerance in phantom["values"]}
    compared, wrong = 0, []
    for name, settings, deviates in (("ibsi-digital", {}, frozenset()), ("pyradiomics", {"bin_width": 1.0}, _DEVIATES)):
        profile = get_profile(name)
        resolved = profile.Settings(**settings)
        values = profile.compute(image, roi, resolved)
        for meta, value in zip(profile.columns(resolved), values, strict=True):
            known = consensus.get((meta.ibsi_code, meta.aggregation, meta.parameter))
            if known is None or meta.ibsi_code in deviates:
                continue
            compared += 1
            if not agrees(float(value), *known):
                wrong.append(f"{name} {meta.column}: {value:.6g}, IBSI {known[0]}")
    result: dict[str, Any] = {"against": "IBSI 1 digital phantom", "values": compared, "passed": compared - len(wrong)}
    if wrong:
        result["wrong"] = "; ".join(wrong)
    return result


def agrees(value: float, printed: str, tolerance: float) -> bool:
    """Within the published tolerance, or equal once rounded to the digits printed."""
    reference = float(printed)
    mantissa = printed.lower().split("e")[0].lstrip("-")
    shown = mantissa.replace(".", "").lstrip("0") if "." in mantissa else mantissa.strip("0")  # 1490 shows three digits
    last = math.floor(math.log10(abs(reference))) - (len(shown) or 1) + 1 if reference else 0
    return abs(value - reference) <= max(tolerance, 0.5000001 * 10.0**last)


def _instructions() -> dict[str, str]:
    """The instruction sets this processor offers the core; the last is used."""
    from isthmus import _core

    return {"instruction sets": ", ".join(_core.instruction_sets())}
