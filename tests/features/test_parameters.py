"""PyRadiomics parameter files: every setting of PyRadiomics is taken over, and what it does not know is refused by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import IsthmusWarning, PlanError
from isthmus.features import read_parameters
from isthmus.features.profiles.pyradiomics import CountingSettings, Settings, columns


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
    """The same as JSON; PyRadiomics refuses a region of exactly minimumROISize voxels, so one more is needed."""
    path = written(tmp_path, '{"setting": {"binCount": 32, "minimumROISize": 50}}', "params.json")
    assert read_parameters(path) == Settings(bin_count=32, minimum_voxels=51)


def test_an_empty_part_means_the_defaults(tmp_path: Path) -> None:
    """`setting:` without a value is no error."""
    assert read_parameters(written(tmp_path, "setting:\n")) == Settings()


EVERY_SETTING: list[tuple[str, dict[str, Any]]] = [
    ("normalize: true", {"normalise": True}),
    ("normalizeScale: 100", {"normalise_scale": 100}),
    ("removeOutliers: 3", {"remove_outliers": 3}),
    ("resampledPixelSpacing: [0, 2, 1.5]", {"spacing_mm": (1.5, 2, 0)}),
    ("resampledPixelSpacing: null", {}),
    ("{resampledPixelSpacing: [1, 1, 1], interpolator: null}", {}),
    ("interpolator: sitkGaussian", {"interpolation": "gaussian"}),
    ("interpolator: 3", {"interpolation": "cubic_spline"}),
    ("interpolator: 9", {"interpolation": "lanczos_sinc"}),
    ("padDistance: 0", {"pad_distance": 0}),
    ("preCrop: true", {"pre_crop": True}),
    ("resegmentRange: [400, -1000]", {"resegment_range": (-1000, 400)}),
    ("{resegmentRange: [3], resegmentMode: sigma}", {"resegment_range": (3,), "resegment_mode": "sigma"}),
    ("resegmentShape: true", {"resegment_shape": True}),
    ("binWidth: 0.25", {"bin_width": 0.25}),
    ("binCount: 64", {"bin_count": 64}),
    ("voxelArrayShift: 300", {"voxel_array_shift": 300}),
    ("symmetricalGLCM: false", {"symmetric_glcm": False}),
    ("weightingNorm: euclidean", {"weighting": "euclidean"}),
    ("distances: [1, 3]", {"distances": (1, 3)}),
    ("force2Ddimension: 2", {}),
    ("gldm_a: 1", {"gldm_alpha": 1}),
    ("label: 4", {"label": 4}),
    ("label_channel: 1", {"label_channel": 1}),
    ("minimumROIDimensions: 3", {"minimum_dimensions": 3}),
    ("geometryTolerance: 0.001", {"geometry_tolerance": 0.001}),
    ("geometryTolerance: 1e-4", {"geometry_tolerance": 1e-4}),
    ("correctMask: true", {"resample_mask": True}),
    ("additionalInfo: false", {}),
]


@pytest.mark.parametrize(("text", "expected"), EVERY_SETTING, ids=[text for text, _ in EVERY_SETTING])
def test_every_setting_has_its_counterpart(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    """Each setting of PyRadiomics 3.0.1 under our name."""
    text = text if text.startswith("{") else f"{{{text}}}"
    assert read_parameters(written(tmp_path, f"setting: {text}\n")) == Settings(**expected)


def test_two_dimensions_choose_slices_and_shape_in_a_slice(tmp_path: Path) -> None:
    """Without featureClass, PyRadiomics enables shape2D, too; it computes it with force2D only."""
    settings = read_parameters(written(tmp_path, "setting: {force2D: true, force2Ddimension: 1}\n"))
    assert (settings.slice_axis, settings.families[:2]) == ("j", ("shape", "shape2D"))


def labels(path: Path) -> list[str]:
    return list(dict.fromkeys(meta.filter for meta in columns(read_parameters(path)) if meta.family != "shape"))


def test_image_types_come_in_their_order(tmp_path: Path) -> None:
    """Every image type, in the order of the file, with PyRadiomics' labels."""
    text = """
imageType:
  Gradient: {gradientUseSpacing: false}
  LoG: {sigma: [1, 2.5]}
  Wavelet: {wavelet: haar, level: 2, start_level: 1}
  Square:
  SquareRoot: {}
  Logarithm: {}
  Exponential: {}
  LBP2D: {lbp2DRadius: 2, lbp2DSamples: 9, lbp2DMethod: ror}
  LBP3D: {lbp3DLevels: 1, lbp3DIcosphereRadius: 2, lbp3DIcosphereSubdivision: 0}
  Original: {}
featureClass: {firstorder: [Mean]}
"""
    bands = ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"]
    assert labels(written(tmp_path, text)) == [
        "gradient",
        "log-sigma-1-mm-3D",
        "log-sigma-2-5-mm-3D",
        *(f"wavelet-{band}" for band in bands),
        *(f"wavelet2-{band}" for band in bands),
        "wavelet2-LLL",
        "square",
        "squareroot",
        "logarithm",
        "exponential",
        "lbp-2D",
        "lbp-3D-m1",
        "lbp-3D-k",
        "original",
    ]


def test_a_filter_takes_its_settings_from_the_common_ones(tmp_path: Path) -> None:
    """`sigma` under `setting` holds for LoG without its own."""
    text = "setting: {sigma: [4.0]}\nimageType: {LoG: {}}\nfeatureClass: {firstorder: [Mean]}"
    assert labels(written(tmp_path, text)) == ["log-sigma-4-0-mm-3D"]


def counted(path: Path) -> dict[str, CountingSettings]:
    return {filter_settings.name: counting for filter_settings, counting in read_parameters(path).images}


def test_settings_of_an_image_type_hold_there_only(tmp_path: Path) -> None:
    """A bin width of one image type leaves the others alone."""
    path = written(tmp_path, "setting: {binWidth: 25}\nimageType: {Original: {binWidth: 5}, Square: {}}\n")
    assert {name: counting.bin_width for name, counting in counted(path).items()} == {"none": 5, "square": 25}


def test_an_image_type_may_take_a_common_setting_back(tmp_path: Path) -> None:
    """`binCount: null` and `force2D: false` for one image type; the common values hold for the others."""
    path = written(
        tmp_path,
        "setting: {binCount: 32, force2D: true}\nimageType: {Original: {}, Square: {binCount: null, force2D: false}}\n",
    )
    found = {name: (counting.bin_count, counting.slice_axis) for name, counting in counted(path).items()}
    assert found == {"none": (32, "k"), "square": (None, None)}


def test_wavelets_stay_in_the_slices_of_two_dimensions(tmp_path: Path) -> None:
    """With force2D the axis across the slices is not transformed: four bands of two letters."""
    text = "setting: {force2D: true}\nimageType: {Wavelet: {}}\nfeatureClass: {firstorder: [Mean]}"
    assert labels(written(tmp_path, text)) == ["wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL"]


def names(path: Path) -> list[str]:
    return [f"{meta.family}_{meta.feature}" for meta in columns(read_parameters(path))]


def test_features_come_in_the_files_order_and_shape_first(tmp_path: Path) -> None:
    """Classes and features as listed; shape is computed before the images."""
    path = written(tmp_path, "featureClass: {firstorder: [Median, Mean], ngtdm: [Strength], shape: [VoxelVolume]}\n")
    assert names(path) == ["shape_VoxelVolume", "firstorder_Median", "firstorder_Mean", "ngtdm_Strength"]


def test_a_class_without_a_list_is_whole(tmp_path: Path) -> None:
    """An empty entry beside a list means every feature that is not deprecated."""
    path = written(tmp_path, "featureClass: {firstorder: [Mean], ngtdm: }\n")
    assert names(path)[1:] == [
        f"ngtdm_{name}" for name in ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")
    ]


def test_deprecated_features_are_there_when_named(tmp_path: Path) -> None:
    """Those PyRadiomics still computes."""
    path = written(
        tmp_path,
        "featureClass: {firstorder: [StandardDeviation], shape: [Compactness1, Compactness2, SphericalDisproportion]}\n",
    )
    assert names(path) == [
        "shape_Compactness1",
        "shape_Compactness2",
        "shape_SphericalDisproportion",
        "firstorder_StandardDeviation",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "featureClass: {glcm: [Homogeneity1, Idm]}",
            "Homogeneity1 always equals glcm_Id; PyRadiomics gives no column",
        ),
        ("featureClass: {gldm: [DependencePercentage, DependenceEntropy]}", "DependencePercentage always equals 1"),
        ("featureClass: {shape2D: , glcm: }", "shape2D needs force2D"),
        ("imageType: {Original: {}, LoG: {}}", "LoG: no sigma is given"),
        ("imageType: {Square: {normalize: true, sigma: [1]}}", "normalize, sigma has no effect here"),
    ],
)
def test_what_gives_no_column_is_said(tmp_path: Path, text: str, said: str) -> None:
    """What PyRadiomics leaves out in silence is left out with a warning."""
    with pytest.warns(IsthmusWarning, match=said):
        read_parameters(written(tmp_path, text))


def test_voxel_settings_change_nothing(tmp_path: Path) -> None:
    """They belong to maps; a file with them gives the features it would give without."""
    path = written(tmp_path, "voxelSetting: {kernelRadius: 2, maskedKernel: true, initValue: .nan, voxelBatch: 1000}\n")
    assert read_parameters(path) == Settings()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("setting: {resamplePixelSpacing: [1, 1, 1]}", "Did you mean 'resampledPixelSpacing'"),
        ("setting: {binWidht: 3}", "'binWidht' is not known to PyRadiomics. Did you mean 'binWidth'"),
        ("setting: {enableCExtensions: true}", "PyRadiomics removed it in version 2.1"),
        ("setting: {kernelRadius: 1}", "It belongs under `voxelSetting:`"),
        ("voxelSetting: {kernelRadios: 1}", "Did you mean 'kernelRadius'"),
        (
            "imageType: {LoG: {sigmas: [1]}}",
            "imageType LoG: 'sigmas' is not known to PyRadiomics. Did you mean 'sigma'",
        ),
        ("imageType: {Log: {sigma: [1]}}", "Did you mean 'LoG'"),
        ("imageType: {Wavelet: {wavelet: cof1}}", "unknown wavelet 'cof1'. Did you mean 'coif1'"),
        ("imageType: {Square: 3}", "expected a mapping"),
        ("imageType: {Square: {label: 2}}", "a label of its own is not possible"),
        ("featureClass: {glcmm: }", "Did you mean 'glcm'"),
        ("featureClass: {glcm: [Contrst]}", "Did you mean 'Contrast'"),
        ("featureClass: {glcm: Contrast}", "expected a list of features"),
        ("featureClass: [glcm]", "must be a mapping"),
        ("settings: {binWidth: 3}", "unknown part 'settings' of the parameter file. Did you mean 'setting'"),
        ("binWidth: 3", "Settings belong under `setting:`"),
        ("setting: {interpolator: sitkCubic}", "interpolator = 'sitkCubic': expected sitkNearestNeighbor"),
        ("setting: {resampledPixelSpacing: [1, 1]}", "expected three numbers x, y, z"),
        ("setting: {binWidth: -3}", "binWidth = -3: expected a number above 0"),
        ("setting: {binWidth: '25'}", "binWidth = '25': expected a number above 0"),
        ("setting: {force2D: 1}", "force2D = 1: expected true or false"),
        ("setting: {padDistance: 2.5}", "expected a whole number from 0"),
        ("setting: {weightingNorm: euclidian}", "expected euclidean or"),
        ("setting: {distances: 1}", "expected a list of whole numbers"),
        ("setting: {resegmentRange: [1, 2, 3]}", "expected a list of one or two numbers"),
        ("setting: {binWidth: 5, binWidth: 10}", "'binWidth' is given twice"),
        ("inputImage: {Original: {}}", "PyRadiomics calls it imageType since version 2.0"),
        ("setting: {force2DDimension: 0}", "Did you mean 'force2Ddimension'"),
        ("featureClass: {shape: [Volume]}", "Did you mean 'MeshVolume'"),
        ("setting: [binWidth", "not a YAML or JSON file"),
        ("- 1", "found list"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    """The message holds the key, what came and what was meant."""
    path = written(tmp_path, text)
    with pytest.raises(PlanError, match=re.escape(key)):
        read_parameters(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(PlanError, match=r"absent\.yaml: the parameter file cannot be read"):
        read_parameters(tmp_path / "absent.yaml")
