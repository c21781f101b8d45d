"""`_core.texture` under PyRadiomics' rules equals PyRadiomics 3.0.1: textures within slices, on six images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus import _core
from isthmus.image.io import read_image
from isthmus.roi import read_roi
from reference.test_pyradiomics import CASES, different, reference

REQUESTS = (("glcm", "JJUI"), ("glrlm", "JJUI"), ("glszm", "62GR"), ("gldm", "62GR"), ("ngtdm", "62GR"))


@pytest.mark.parametrize("case", CASES)
def test_textures_within_slices_equal_pyradiomics(shared_data: Path, case: str) -> None:
    """force2D: all 75 texture values lie within a relative 1e-6."""
    expected = reference(shared_data, case, "force2d")
    image_path, mask_path, width = CASES[case]
    image = read_image(shared_data / image_path)
    mask = np.asarray(read_roi(shared_data / mask_path, image, label=1).mask)
    low, high, _ = _core.bounding_box(mask)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    region = _core.Region(np.ascontiguousarray(mask[box]), image.geometry.spacing_mm)
    sample = _core.Sample(region, np.asarray(image.values)[box])
    first = np.floor(sample.minimum / width) * width
    levels = _core.digitise(sample, np.arange(first, sample.maximum + 2 * width, width))
    rows = _core.texture(region, levels, REQUESTS, slice_axis=0, rules="pyradiomics", workspace=_core.Workspace())
    found = {
        f"original_{family}_{name}": float(value)
        for (family, _), row in zip(REQUESTS, rows, strict=True)
        for name, value in zip(_core.feature_names(family), row, strict=True)
    }
    assert len(found) == 75
    assert not {name: (value, expected[name]) for name, value in found.items() if different(value, expected[name])}
