"""`isthmus extract --save-images`: the files hold what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus import extract
from isthmus.errors import PlanError
from isthmus.features import PROFILES
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.io import read_image, write_image, write_labels
from isthmus.study.extract import extract_to_file

# oblique and lopsided; spacing and origin exact in the single precision of a NIfTI
TURNED = np.array([[0.0, 0.0, 1.0], [0.6, -0.8, 0.0], [0.8, 0.6, 0.0]])
GRID = Geometry((14, 22, 30), (2.0, 1.0, 0.5), (-12.5, 40.0, 8.25), TURNED)
BOX = (slice(4, 9), slice(5, 16), slice(9, 25))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A textured image and an ellipsoid in it."""
    folder = tmp_path_factory.mktemp("case")
    k, j, i = np.indices(GRID.shape)
    inside = ((k - 6) / 2.5) ** 2 + ((j - 10) / 5.5) ** 2 + ((i - 16.5) / 8) ** 2 <= 1
    noise = np.random.default_rng(4).normal(0, 60, GRID.shape)
    values = (300 * inside + 20 * np.sin(j) + 7 * i + noise).astype(np.int16)
    write_image(Image(values, GRID), folder / "ct.nii.gz")
    write_labels(LabelImage(inside.astype(np.uint8), GRID), folder / "lesion.nii.gz")
    return folder


def run(folder: Path, out: Path, profile: str, *settings: str) -> pd.Series:
    """The features of the case; its images lie in `out`."""
    table = out / "features.csv"
    extract_to_file(
        table, image=folder / "ct.nii.gz", mask=folder / "lesion.nii.gz", profile=profile, settings=settings, workers=1,
        save_images=out / "seen",
    )  # fmt: skip
    return pd.read_csv(table).iloc[0].drop("patient").astype(float)


def again(out: Path, image: str, mask: str, profile: str, **settings: object) -> pd.Series:
    """Features of saved files, as they are."""
    return extract(out / "seen" / f"ct_{image}.nii.gz", out / "seen" / f"ct_{mask}.nii.gz", profile, **settings)


def assert_same(came: pd.Series, ran: pd.Series) -> None:
    """Equal to the last bit; where the spacing enters, to the single precision in which NIfTI keeps an oblique grid."""
    spaced = ran.index.str.contains("TotalEnergy|_shape_")
    pd.testing.assert_series_equal(came[~spaced], ran[~spaced], check_exact=True, check_names=False)
    pd.testing.assert_series_equal(came[spaced], ran[spaced], rtol=1e-6, check_names=False)


def test_pyradiomics_features_come_again_from_the_files(folder: Path, tmp_path: Path) -> None:
    """After normalisation, resampling and re-segmentation: all 93 features of the intensity mask."""
    asked = ("normalise=true", "normalise_scale=100", "spacing_mm=[1,1,1]", "resegment_range=[20,250]", "bin_width=8")
    ran = run(folder, tmp_path, "pyradiomics", *asked)
    came = again(tmp_path, "original", "intensity_mask", "pyradiomics", bin_width=8)
    textures = [name for name in ran.index if "_shape_" not in name]
    assert_same(came[textures], ran[textures])


def test_shape_comes_again_from_the_mask(folder: Path, tmp_path: Path) -> None:
    """The mask is the region of the shape features, which re-segmentation leaves alone."""
    ran = run(folder, tmp_path, "pyradiomics", "resegment_range=[100,600]", 'families=["shape"]')
    came = again(tmp_path, "original", "mask", "pyradiomics", families=["shape"])
    assert_same(came, ran)


def test_features_of_a_response_map_come_again_from_its_file(folder: Path, tmp_path: Path) -> None:
    """A wavelet band of the resampled image, read back as an image of its own."""
    ran = run(folder, tmp_path, "pyradiomics", 'filters=["none","stationary_wavelet"]', "spacing_mm=[1,1,1]")
    came = again(tmp_path, "wavelet-LLH", "intensity_mask", "pyradiomics", families=["firstorder", "glcm"])
    came.index = [name.replace("original", "wavelet-LLH") for name in came.index]
    assert_same(came, ran[came.index])


@pytest.mark.parametrize("profile", ["ibsi", "ibsi-C", "ibsi-E"])
def test_ibsi_features_come_again_from_the_files(folder: Path, tmp_path: Path, profile: str) -> None:
    """Interpolated, rounded and re-segmented by the profile; read back without any of it."""
    families = ["intensity_statistics", "intensity_histogram", "glcm", "glrlm", "glszm", "ngldm"]
    binned = 'discretisation={ method = "fbn", bin_count = 24 }'
    asked = ("spacing_mm=[1.0,1.0,1.0]", binned, f"families={families}".replace("'", '"'))
    ran = run(folder, tmp_path, profile, *asked)
    plain = {"families": families, "discretisation": {"method": "fbn", "bin_count": 24}}
    came = again(tmp_path, "original", "intensity_mask", "ibsi", **plain)
    assert_same(came, ran)


def test_an_ibsi_response_map_comes_again(folder: Path, tmp_path: Path) -> None:
    """Intensity statistics of a LoG map."""
    asked = ('filters=["none", { name = "log", sigma_mm = 1.5 }]', 'families=["intensity_statistics"]')
    ran = run(folder, tmp_path, "ibsi", *asked)
    others = ("ct_original.nii.gz", "ct_mask.nii.gz", "ct_intensity_mask.nii.gz")
    (saved,) = (path for path in (tmp_path / "seen").iterdir() if path.name not in others)
    label = saved.name.removeprefix("ct_").removesuffix(".nii.gz")
    came = again(tmp_path, label, "intensity_mask", "ibsi", families=["intensity_statistics"])
    np.testing.assert_array_equal(came.to_numpy(), ran[[f"{label}_{name}" for name in came.index]].to_numpy())


@pytest.mark.parametrize("profile", ["pyradiomics", "ibsi"])
def test_a_crop_lies_where_it_lay(folder: Path, tmp_path: Path, profile: str) -> None:
    """Without resampling: the very voxels of the lesion's box, and the first of them at its old place in the patient."""
    few = 'families=["firstorder"]' if profile == "pyradiomics" else 'families=["intensity_statistics"]'
    run(folder, tmp_path, profile, few)
    seen, whole = read_image(tmp_path / "seen" / "ct_original.nii.gz"), read_image(folder / "ct.nii.gz")
    assert seen.geometry.difference(whole.geometry.part(BOX)) is None
    np.testing.assert_array_equal(seen.values, whole.values[BOX])


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"uptake"}))  # which measures several regions and no texture
def test_every_profile_shows_its_images(folder: Path, tmp_path: Path, name: str) -> None:
    """The unfiltered image, both masks and a file per response map, all on one grid."""
    from isthmus.roi import read_roi

    profile = PROFILES[name]
    settings = profile.Settings(**({"discretisation": {"method": "fbn", "bin_count": 8}} if "ibsi" in name else {}))
    image = read_image(folder / "ct.nii.gz")
    seen = profile.measured(image, read_roi(folder / "lesion.nii.gz", image), settings)
    labels = list(dict.fromkeys(meta.filter for meta in profile.columns(settings)))
    shapes = {response.label: response.values.shape for response in seen.responses if response.values is not None}
    assert set(shapes) == set(labels)
    assert {*shapes.values(), seen.mask.shape, seen.intensity_mask.shape} == {seen.image.values.shape}


def test_a_map_that_cannot_be_made_has_no_file(folder: Path, tmp_path: Path) -> None:
    """A sigma beyond the image: its features are missing, with one short reason; the other maps are there."""
    ran = run(folder, tmp_path, "pyradiomics", 'filters=["none",{ name = "recursive_log", sigma_mm = [1, 60] }]')
    assert sorted(path.name for path in (tmp_path / "seen").glob("*log*")) == ["ct_log-sigma-1-mm-3D.nii.gz"]
    assert ran.filter(like="sigma-60").isna().all()


def test_cases_of_a_table_are_named_by_row_and_block(folder: Path, tmp_path: Path) -> None:
    """P001_ct_original.nii.gz and its masks."""
    row = {"patient": "P001", "image:ct": folder / "ct.nii.gz", "mask:ct": folder / "lesion.nii.gz"}
    pd.DataFrame([row]).to_csv(tmp_path / "cases.csv", index=False)
    extract_to_file(tmp_path / "f.csv", cases=tmp_path / "cases.csv", save_images=tmp_path / "seen", workers=1)
    names = ["P001_ct_intensity_mask.nii.gz", "P001_ct_mask.nii.gz", "P001_ct_original.nii.gz"]
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == names


def test_a_folder_that_is_a_file_is_refused_first(folder: Path, tmp_path: Path) -> None:
    """Before anything is read."""
    (tmp_path / "seen").write_text("")
    with pytest.raises(PlanError, match="--save-images"):
        run(folder, tmp_path, "pyradiomics")
