"""What is measured on the masks of a case and offered to whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.errors import CaseError
from isthmus.image.image import Image
from isthmus.image.io import read_image
from isthmus.reading.form import Form
from isthmus.roi.measure import Inside, axial_diameter, contact, enhancement, inside, longest_diameter
from isthmus.roi.read import read_roi
from isthmus.roi.roi import Roi
from isthmus.study.data import label_of

__all__ = ["BEFORE_CONTRAST", "Measured", "measured", "offered", "read_lesion"]

BEFORE_CONTRAST = frozenset(("pre", "native", "plain", "unenhanced", "nc", "precontrast"))
"""Names of an image taken before contrast."""

Measured = dict[str, Any]


def read_lesion(row: Mapping[str, Any], name: str) -> tuple[Image, Roi]:
    """An image of a case and its lesion.

    Raises
    ------
    CaseError
        A file cannot be read, or the mask lies on another grid.
    """
    image = read_image(Path(str(row[f"image:{name}"])))
    said = row.get(f"label:{name}")
    label = label_of(str(said)) if said is not None and not pd.isna(said) else None
    return image, read_roi(Path(str(row[f"mask:{name}"])), image, label=label)


def measured(row: Mapping[str, Any], form: Form) -> Measured:
    """The measures of a case by name (contact as `contact_degrees:<organ>`), those that cannot be taken under `reasons`.

    Parameters
    ----------
    row : mapping
        `image:<name>`, `mask:<name>` and `label:<name>` of the case, paths absolute; the first image with a mask is measured.
    form : Form
        Only what it asks for is measured.
    """
    wanted = {field.measured for field in form.fields if field.measured is not None}
    organs = {field.organ for field in form.fields if field.organ}
    found: Measured = {}
    reasons: dict[str, str] = {}
    names = [
        key.removeprefix("image:")
        for key in row
        if key.startswith("image:") and _there(row, f"mask:{key[6:]}") and _there(row, key)
    ]
    if not wanted:
        return {"reasons": reasons}
    if not names:
        return {"reasons": dict.fromkeys(sorted(wanted), "the case has no image with a mask")}
    after = next((name for name in names if name.lower() not in BEFORE_CONTRAST), names[0])
    try:
        image, roi = read_lesion(row, after)
    except CaseError as exc:
        return {"reasons": dict.fromkeys(sorted(wanted), exc.reason)}
    axial = axial_diameter(roi)
    values = inside(image, roi)
    found = {
        "image": after, "axial_diameter_mm": axial.mm, "across_mm": axial.across_mm, "slice": axial.slice, "ends": axial.ends,
        "longest_diameter_mm": longest_diameter(roi).mm, "volume_ml": roi.volume_ml, "mean": values.mean, "sd": values.sd,
        "quantity": values.quantity,
    }  # fmt: skip
    if "enhancement" in wanted:
        _or_why(found, reasons, "enhancement", lambda: _enhancement(row, after, values))
    for organ in sorted(organs):
        _or_why(found, reasons, f"contact_degrees:{organ}", lambda organ=organ: _contact(row, image, roi, organ))
    return {**found, "reasons": reasons}


def _or_why(found: Measured, reasons: dict[str, str], name: str, measure: Any) -> None:
    try:
        found[name] = measure()
    except CaseError as exc:
        reasons[name] = exc.reason


def _there(row: Mapping[str, Any], column: str) -> bool:
    return column in row and not pd.isna(row[column]) and bool(str(row[column]))


def _enhancement(row: Mapping[str, Any], after: str, values: Inside) -> float:
    names = [key.removeprefix("image:") for key in row if key.startswith("image:")]
    before = next((name for name in names if name.lower() in BEFORE_CONTRAST and _there(row, f"image:{name}")), None)
    if before is None:
        raise CaseError(f"no image before contrast: none is called {', '.join(sorted(BEFORE_CONTRAST))}")
    plain = read_image(Path(str(row[f"image:{before}"])))
    column = f"mask:{before}" if _there(row, f"mask:{before}") else f"mask:{after}"
    return enhancement(inside(plain, read_roi(Path(str(row[column])), plain)), values)


def _contact(row: Mapping[str, Any], image: Image, roi: Roi, organ: str) -> float:
    if not _there(row, f"mask:{organ}"):
        raise CaseError(f"the case table has no mask:{organ}")
    outline = read_roi(Path(str(row[f"mask:{organ}"])), image)
    return contact(outline.mask, roi.mask, image.geometry.spacing_mm).most


def offered(form: Form, measures: Measured) -> dict[str, dict[str, Any]]:
    """Question -> `value` (the measure) and `answer` (what it would be on the form), for the questions whose measure is there."""
    found: dict[str, dict[str, Any]] = {}
    for field in form.fields:
        key = f"contact_degrees:{field.organ}" if field.organ else field.measured
        value = measures.get(key or "")
        if value is None:
            continue
        answer: Any = round(float(value), 1)
        if field.kind == "choice":
            answer = field.choices[sum(float(value) >= cut for cut in field.cuts)]
        found[field.name] = {"value": round(float(value), 1), "answer": answer}
    return found
