"""PyRadiomics parameter files: translated where covered, refused by name where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import PlanError
from isthmus.features import read_parameters
from isthmus.features.profiles.pyradiomics import Settings


def written(folder: Path, text: str, name: str = "params.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_usual_file_is_read(tmp_path: Path) -> None:
    """The keys of PyRadiomics' example files; spacing x, y, z becomes k, j, i."""
    path = written(
        tmp_path,
        """
setting:
  binWidth: 10
  label: 3
  resampledPixelSpacing: [1, 2, 3]
  interpolator: 'sitkLinear'
  padDistance: 7
  weightingNorm:
  additionalInfo: True
  normalize: false
imageType:
  Original: {}
featureClass:
  shape:
  glcm: []
""",
    )
    assert read_parameters(path) == Settings(
        bin_width=10, label=3, spacing_mm=(3, 2, 1), interpolation="linear", pad_distance=7, families=("shape", "glcm")
    )


def test_json_is_read(tmp_path: Path) -> None:
    """The same file as JSON."""
    path = written(tmp_path, '{"setting": {"binCount": 32, "minimumROISize": 50}}', "params.json")
    assert read_parameters(path) == Settings(bin_count=32, minimum_voxels=50)


def test_an_empty_part_means_the_defaults(tmp_path: Path) -> None:
    """`setting:` without a value is no error."""
    assert read_parameters(written(tmp_path, "setting:\n")) == Settings()


def test_single_features_are_chosen(tmp_path: Path) -> None:
    """Lists name features, an empty entry means the whole family."""
    path = written(tmp_path, "featureClass: {firstorder: [Mean, Median], ngtdm: }\n")
    assert read_parameters(path).features == (
        "firstorder_Mean",
        "firstorder_Median",
        *(f"ngtdm_{name}" for name in ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")),
    )


def test_settings_of_the_original_image_win(tmp_path: Path) -> None:
    """A bin width given for the image type holds for it."""
    path = written(tmp_path, "setting: {binWidth: 25}\nimageType: {Original: {binWidth: 5}}\n")
    assert read_parameters(path).bin_width == 5


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("imageType: {Original: {}, LoG: {sigma: [1]}}", "imageType LoG"),
        ("imageType: {Wavelet: {}}", "imageType Wavelet"),
        ("setting: {force2D: true}", "force2D"),
        ("setting: {normalize: true}", "normalize"),
        ("setting: {resegmentRange: [-3, 3]}", "resegmentRange"),
        ("setting: {distances: [1, 2]}", "distances"),
        ("setting: {weightingNorm: euclidean}", "weightingNorm"),
        ("setting: {voxelArrayShift: 300}", "voxelArrayShift"),
        ("setting: {symmetricalGLCM: false}", "symmetricalGLCM"),
        ("setting: {gldm_a: 1}", "gldm_a"),
        ("setting: {correctMask: true}", "correctMask"),
        ("setting: {binWidht: 3}", "binWidht"),
        ("setting: {interpolator: sitkGaussian}", "interpolator"),
        ("setting: {resampledPixelSpacing: [1, 1]}", "resampledPixelSpacing"),
        ("setting: {binWidth: -3}", "bin_width"),
        ("featureClass: {shape2D: }", "shape2D"),
        ("featureClass: {glcm: [Homogeneity1]}", "Homogeneity1"),
        ("voxelSetting: {kernelRadius: 1}", "voxelSetting"),
        ("setting: [binWidth", "not a YAML or JSON file"),
        ("- 1", "found list"),
    ],
)
def test_what_is_not_covered_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    """Nothing that would change a number is ignored; the message holds the key."""
    with pytest.raises(PlanError, match=key):
        read_parameters(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(PlanError, match=r"absent\.yaml: the parameter file cannot be read"):
        read_parameters(tmp_path / "absent.yaml")
