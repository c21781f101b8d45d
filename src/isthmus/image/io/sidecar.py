"""What the scanner says about an image file: the JSON beside it.

`scan.nii.gz` may have a `scan.json` in BIDS's words (Manufacturer, MagneticFieldStrength, ...), as dcm2niix writes
it, or in ours.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import MappingProxyType
from typing import Any

from isthmus.errors import IsthmusWarning
from isthmus.image.io.words import clean

__all__ = ["NAMES", "read_sidecar", "sidecar_path"]

# our name: (BIDS or DICOM keyword, factor from its unit to ours)
NAMES = MappingProxyType(
    {
        "modality": ("Modality", None),
        "vendor": ("Manufacturer", None),
        "model": ("ManufacturersModelName", None),
        "institution": ("InstitutionName", None),
        "field_strength_t": ("MagneticFieldStrength", 1.0),
        "kvp": ("KVP", 1.0),
        "tube_current_ma": ("XRayTubeCurrent", 1.0),
        "kernel": ("ConvolutionKernel", None),
        "slice_thickness_mm": ("SliceThickness", 1.0),
        "repetition_time_ms": ("RepetitionTime", 1000.0),  # BIDS: seconds
        "echo_time_ms": ("EchoTime", 1000.0),
        "flip_angle_deg": ("FlipAngle", 1.0),
        "contrast_agent": ("ContrastBolusIngredient", None),
        "phase": ("ContrastPhase", None),
        "series": ("SeriesDescription", None),
    }
)


def sidecar_path(path: Path) -> Path:
    """`scan.json` for `scan.nii.gz`, `scan.nrrd`, ..."""
    name = path.name.removesuffix(".gz")
    return path.with_name(name.removesuffix(Path(name).suffix) + ".json")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The facts beside an image, in our names; empty when there is no such file.

    A sidecar that cannot be read costs its facts, not the case: a warning says so.
    """
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return {}
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        warnings.warn(
            f"{sidecar}: not readable as JSON ({error}); nothing is known about the scanner",
            IsthmusWarning,
            stacklevel=2,
        )
        return {}
    if not isinstance(content, dict):
        warnings.warn(
            f"{sidecar}: holds a {type(content).__name__}, not an object; ignored", IsthmusWarning, stacklevel=2
        )
        return {}
    facts: dict[str, Any] = {}
    for ours, (theirs, factor) in NAMES.items():
        if ours in content:
            facts[ours] = content[ours]
        elif theirs in content:
            facts[ours] = _converted(content[theirs], factor)
    if isinstance(facts.get("series"), str):
        facts["series"] = clean(facts["series"])
    return {name: value for name, value in facts.items() if value not in (None, "", [])}


def _converted(value: Any, factor: float | None) -> Any:
    if isinstance(value, list):
        return "\\".join(map(str, value))
    if factor is not None and isinstance(value, int | float) and not isinstance(value, bool):
        return value * factor
    return value
