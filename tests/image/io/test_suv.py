"""PET as SUV: real data as truth, decay by hand, and every missing or unbelievable number named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from image.making import lopsided, write_series
from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image.io import read_image

HALF_LIFE = 6600.0
DOSE = 370e6


def drug(**facts: Any) -> Dataset:
    """What was injected, an hour before eleven."""
    item = Dataset()
    item.Radiopharmaceutical = "FDG"
    item.RadiopharmaceuticalStartTime = "100000"
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = DOSE, HALF_LIFE
    for name, value in facts.items():
        if value is None:
            delattr(item, name)
        else:
            setattr(item, name, value)
    return item


def pet(folder: Path, injected: dict[str, Any] | None = None, *, each: Any = None, **facts: Any) -> Path:
    """A raw PET series of a patient of 70 kg, scanned at eleven."""
    every = {
        "SOPClassUID": PositronEmissionTomographyImageStorage,
        "Modality": "PT",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN"],
        "PatientWeight": 70,
        "SeriesDate": "20260301",
        "SeriesTime": "110000.00",
        "AcquisitionDate": "20260301",
        "AcquisitionTime": "110000.00",
        "ActualFrameDuration": 180000,
        "RadiopharmaceuticalInformationSequence": [drug(**(injected or {}))],
        **facts,
    }
    write_series(folder, every={name: value for name, value in every.items() if value is not None}, each=each)
    return folder


def factor(image: Any) -> float:
    """SUV per stored number."""
    return float(image.values[-1, -1, -1]) / float(lopsided()[-1, -1, -1])


def expected(seconds: float) -> float:
    """The factor by hand: dose decayed for so many seconds, 70 kg."""
    return 70_000 / (DOSE * math.exp(-math.log(2) * seconds / HALF_LIFE))


def test_sts_001(shared_data: Path) -> None:
    """The raw PET of STS_001 is the published SUV image in every slice, within 0.01 %."""
    raw = read_image(shared_data / "sts" / "raw_pet_dicom" / "STS_001" / "image")
    truth = read_image(shared_data / "sts" / "STS_001" / "PET_image.nii.gz")
    k, j, i = np.round(np.linalg.solve(raw.geometry.affine, truth.geometry.affine @ [0, 0, 0, 1])[:3]).astype(int)
    n_k, n_j, n_i = truth.geometry.shape
    ours = raw.values[k : k + n_k, j : j + n_j, i : i + n_i]
    slices = truth.values.reshape(n_k, -1)
    ratios = (ours.reshape(n_k, -1) * slices).sum(1) / (slices * slices).sum(1, dtype=np.float64)
    np.testing.assert_allclose(ratios, 1.0, rtol=0, atol=1e-4)


def test_sts_001_voxels(shared_data: Path) -> None:
    """Not only in the mean: on the slice where both grids start, every voxel agrees within 0.01 %."""
    raw = read_image(shared_data / "sts" / "raw_pet_dicom" / "STS_001" / "image")
    truth = read_image(shared_data / "sts" / "STS_001" / "PET_image.nii.gz").values
    np.testing.assert_allclose(raw.values[0, 45:88, 59:100], truth[0], rtol=1e-4, atol=1e-9)


def test_sts_001_facts(shared_data: Path) -> None:
    """Dose, times, weight and factor stand in the acquisition."""
    facts = read_image(shared_data / "sts" / "raw_pet_dicom" / "STS_001" / "image").acquisition
    assert (facts["dose_bq"], facts["weight_kg"], facts["injection_time"], facts["scan_start"], facts["uptake_s"]) == (
        388777472.0, 71.0, "2000-09-07 10:35:00", "2000-09-07 11:20:11", 2711.0,
    )  # fmt: skip


def test_start(tmp_path: Path) -> None:
    """Decay corrected to the scan's start: the dose decays from injection to scan."""
    image = read_image(pet(tmp_path))
    assert (image.quantity, factor(image)) == ("SUVbw", pytest.approx(expected(3600), rel=1e-12))


def test_admin(tmp_path: Path) -> None:
    """Decay corrected to the injection: the dose as given."""
    assert factor(read_image(pet(tmp_path, DecayCorrection="ADMIN"))) == pytest.approx(expected(0), rel=1e-12)


def test_none(tmp_path: Path) -> None:
    """Not decay corrected: each slice by the mean of its own frame; here by adding up the decay second by second."""
    later = {2: {"AcquisitionTime": "110300.00"}}
    image = read_image(pet(tmp_path, DecayCorrection="NONE", each=later))
    seconds = np.arange(3780.0, 3960.0, 0.01) + 0.005
    left = np.exp(-np.log(2) * seconds / HALF_LIFE).mean()
    assert factor(image) == pytest.approx(70_000 / (DOSE * left), rel=1e-7)


def test_slices_keep_their_own_slope(tmp_path: Path) -> None:
    """Every slice is rescaled by its own slope before it becomes SUV."""
    image = read_image(pet(tmp_path, each={1: {"RescaleSlope": 2.5}}))
    np.testing.assert_allclose(image.values[1], lopsided()[1] * 2.5 * expected(3600), rtol=1e-9)


def test_midnight(tmp_path: Path) -> None:
    """Injected at half past eleven at night, scanned half an hour after midnight."""
    times = {"SeriesTime": "003000", "AcquisitionTime": "003000"}
    image = read_image(pet(tmp_path, {"RadiopharmaceuticalStartTime": "233000"}, **times))
    assert image.acquisition["uptake_s"] == 3600


def test_start_with_date(tmp_path: Path) -> None:
    """A full date and time of the injection wins over the time of day."""
    image = read_image(pet(tmp_path, {"RadiopharmaceuticalStartDateTime": "20260301094500.0"}))
    assert image.acquisition["uptake_s"] == 4500


def test_series_made_later(tmp_path: Path) -> None:
    """A series time behind the acquisition is that of a later reconstruction: the frame's reference time leads to the start."""
    rate, frame = math.log(2) / HALF_LIFE, 180.0
    mean_time = math.log(rate * frame / (1 - math.exp(-rate * frame))) / rate
    facts = {"AcquisitionTime": "110600.00", "FrameReferenceTime": (360 + mean_time) * 1000}
    image = read_image(pet(tmp_path, SeriesTime="150000.00", **facts))
    assert image.acquisition["uptake_s"] == pytest.approx(3600, abs=1e-3)


def test_series_made_later_without_reference(tmp_path: Path) -> None:
    """Without it the earliest acquisition is taken, and that is said."""
    with pytest.warns(IsthmusWarning, match="nothing says when the scan started"):
        image = read_image(pet(tmp_path, SeriesTime="150000.00", each={0: {"AcquisitionTime": "105500.00"}}))
    assert image.acquisition["uptake_s"] == 3300


def test_ge_scan_start(tmp_path: Path) -> None:
    """GE's private scan start wins over a series time that lies behind the acquisition."""
    pet(tmp_path, SeriesTime="150000.00", AcquisitionTime="110500.00")
    for file in tmp_path.iterdir():
        slice_ = pydicom.dcmread(file)
        slice_.private_block(0x0009, "GEMS_PETD_01", create=True)
        slice_[0x0009, 0x0010].value = "GEMS_PETD_01"
        slice_.add_new((0x0009, 0x100D), "DT", "20260301110000.00")
        slice_.save_as(file)
    assert read_image(tmp_path).acquisition["scan_start_by"] == "GE scan start (0009,100D)"


@pytest.mark.parametrize(("element", "value", "by_hand"), [(0x1000, 0.25, 0.25), (0x1009, 40.0, 40.0 * expected(3600))])
def test_philips(tmp_path: Path, element: int, value: float, by_hand: float) -> None:
    """Counts become SUV by Philips' SUV scale factor, or by its activity scale factor and the dose."""
    pet(tmp_path, Units="CNTS")
    for file in tmp_path.iterdir():
        slice_ = pydicom.dcmread(file)
        slice_.private_block(0x7053, "Philips PET Private Group", create=True)
        slice_.add_new((0x7053, element), "DS", str(value))
        slice_.save_as(file)
    assert factor(read_image(tmp_path)) == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("injected", "facts", "message"),
    [
        ({}, {"Units": "CNTS"}, r"counts \(CNTS\) without the private scale factors of Philips"),
        ({}, {"Units": "PROPCPS"}, "PET in units PROPCPS"),
        ({}, {"Units": None}, r"that Units \(0054,1001\) does not state"),
        ({}, {"PatientWeight": None}, r"no PatientWeight \(0010,1030\), kg"),
        ({}, {"PatientWeight": 70000}, r"PatientWeight \(0010,1030\), kg is 70000\.0; between 0\.3 and 650"),
        ({}, {"DecayCorrection": None}, r"DecayCorrection \(0054,1102\) is missing"),
        ({}, {"CorrectedImage": ["DECY"]}, "without ATTN"),
        ({}, {"RadiopharmaceuticalInformationSequence": None}, r"no RadiopharmaceuticalInformationSequence"),
        ({}, {"AcquisitionTime": None}, r"no AcquisitionDate and AcquisitionTime"),
        ({"RadionuclideTotalDose": None}, {}, r"no RadionuclideTotalDose \(0018,1074\), Bq"),
        ({"RadionuclideTotalDose": 370}, {}, r"RadionuclideTotalDose \(0018,1074\), Bq is 370.*Is it in MBq\?"),
        ({"RadionuclideHalfLife": None}, {}, r"no RadionuclideHalfLife \(0018,1075\), s"),
        ({"RadiopharmaceuticalStartTime": None}, {}, r"no RadiopharmaceuticalStartTime \(0018,1072\)"),
        ({"RadiopharmaceuticalStartDateTime": "20250301100000"}, {}, "were expected. Were the dates changed"),
        ({"RadiopharmaceuticalStartDateTime": "20260301120000"}, {}, "-60 minutes later"),
    ],
)
def test_what_is_missing(tmp_path: Path, injected: dict[str, Any], facts: dict[str, Any], message: str) -> None:
    """A number that is missing or cannot be believed is named with its tag."""
    with pytest.raises(ImageReadError, match=message):
        read_image(pet(tmp_path, injected, **facts))


def test_mixed_units(tmp_path: Path) -> None:
    """Slices of two units are no series."""
    with pytest.raises(ImageReadError, match=r"different Units \(0054,1001\): BQML, GML"):
        read_image(pet(tmp_path, each={1: {"Units": "GML"}}))


@pytest.mark.parametrize(
    ("facts", "quantity"),
    [
        ({"Units": "GML"}, "SUVbw"),
        ({"Units": "GML", "SUVType": "LBM"}, "SUVlbm"),
        ({"Units": "CM2ML"}, "SUVbsa"),
    ],
)
def test_suv_already(tmp_path: Path, facts: dict[str, str], quantity: str) -> None:
    """What is SUV already keeps its numbers, under the name of its type."""
    image = read_image(pet(tmp_path, PatientWeight=None, **facts))
    assert (image.quantity, factor(image)) == (quantity, 1.0)
