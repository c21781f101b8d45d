"""Conventional uptake features: ratios against the reference by hand, through a mask file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from isthmus.errors import CaseError, UndefinedFeatureWarning
from isthmus.features.profiles import uptake
from isthmus.image import Geometry, Image
from isthmus.image.io import write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi import Roi, read_roi

SETTINGS = uptake.Settings(
    regions={"caudate_left": 11, "caudate_right": 50, "putamen_left": 12, "putamen_right": 51}, reference=100
)
LABELS = np.array([[[11, 50, 12, 51, 100, 0]]], dtype=np.uint8)
GEOMETRY = Geometry(shape=LABELS.shape, spacing_mm=(2.0, 2.0, 2.0))


def image(*values: float) -> Image:
    return Image(np.array([[[*values, 9.0]]]), GEOMETRY)


def region(folder: Path, seen: Image) -> Roi:
    """As the study reads it: every label of the settings as one region."""
    write_labels(LabelImage(LABELS, GEOMETRY), folder / "mask.nii.gz")
    return read_roi(folder / "mask.nii.gz", seen, label=SETTINGS.label)


def found(seen: Image, roi: Roi) -> dict[str, float]:
    names = [meta.column for meta in uptake.columns(SETTINGS)]
    return dict(zip(names, uptake.compute(seen, roi, SETTINGS).tolist(), strict=True))


def test_ratios_are_against_the_reference(tmp_path: Path) -> None:
    """Caudate 3 and reference 1.5 are a binding ratio of 1; putamina of 1 and 3 differ by their mean, 2, twice the caudate's."""
    seen = image(3.0, 3.0, 3.0, 6.0, 1.5)
    assert found(seen, region(tmp_path, seen)) == {
        "sbr_caudate_left": 1.0, "sbr_caudate_right": 1.0, "sbr_putamen_left": 1.0, "sbr_putamen_right": 3.0,
        "asymmetry_caudate": 0.0, "asymmetry_putamen": 1.0, "putamen_to_caudate": 2.0,
    }  # fmt: skip


def test_the_unit_of_the_image_divides_away(tmp_path: Path) -> None:
    """Ten times the counts, the same ratios."""
    seen, more = image(3.0, 4.0, 2.0, 6.0, 1.5), image(30.0, 40.0, 20.0, 60.0, 15.0)
    roi = region(tmp_path, seen)
    assert found(seen, roi) == pytest.approx(found(more, roi), rel=1e-12)


def test_no_binding_leaves_asymmetry_undefined(tmp_path: Path) -> None:
    """A structure with the uptake of the reference has no mean binding to divide by."""
    seen = image(1.5, 1.5, 3.0, 6.0, 1.5)
    roi = region(tmp_path, seen)
    with pytest.warns(UndefinedFeatureWarning, match="asymmetry_caudate, putamen_to_caudate"):
        values = found(seen, roi)
    assert np.isnan([values["asymmetry_caudate"], values["putamen_to_caudate"]]).all()


def test_a_region_that_was_moved_is_refused() -> None:
    """Its labels are not known any more."""
    with pytest.raises(CaseError, match="needs label 11 as it was drawn"):
        uptake.compute(image(3.0, 3.0, 3.0, 6.0, 1.5), Roi(LABELS > 0, GEOMETRY), SETTINGS)


def test_one_label_is_one_region() -> None:
    with pytest.raises(ValidationError, match="two regions have the same label"):
        uptake.Settings(regions={"a": 1, "b": 1}, reference=2)
