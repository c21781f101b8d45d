"""A case table is proposed from how people keep their images, and what finds no place is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.cohort.folder import FoundCases, find_cases
from isthmus.errors import TableError


def found(folder: Path, *names: str) -> FoundCases:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return find_cases(folder)


def rows(cases: FoundCases, folder: Path) -> list[dict[str, str]]:
    """The table with its paths relative to the folder, missing cells left out."""

    def shown(cell: str) -> str:
        return Path(cell).relative_to(folder).as_posix() if Path(cell).is_absolute() else cell

    return [
        {key: shown(value) for key, value in row.items() if isinstance(value, str)}
        for row in cases.cases.to_dict("records")
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ("P01/ct.nii.gz", "P01/ct_mask.nii.gz", "P01/PET_image.nii.gz", "P01/PET_seg.nii.gz"),
            {
                "image:ct": "P01/ct.nii.gz",
                "mask:ct": "P01/ct_mask.nii.gz",
                "image:pet": "P01/PET_image.nii.gz",
                "mask:pet": "P01/PET_seg.nii.gz",
            },
        ),
        (("P01/image.nrrd", "P01/mask.nrrd"), {"image:image": "P01/image.nrrd", "mask:image": "P01/mask.nrrd"}),
        (("P01/P01_ct.mha", "P01/P01_label.mha"), {"image:ct": "P01/P01_ct.mha", "mask:ct": "P01/P01_label.mha"}),
        (("P01/ct/scan.nii", "P01/ct/roi.nii"), {"image:ct": "P01/ct/scan.nii", "mask:ct": "P01/ct/roi.nii"}),
        (("P01_ct.nii.gz", "P01_ct_mask.nii.gz"), {"image:ct": "P01_ct.nii.gz", "mask:ct": "P01_ct_mask.nii.gz"}),
        (("P01.nii.gz", "P01_mask.nii.gz"), {"image:image": "P01.nii.gz", "mask:image": "P01_mask.nii.gz"}),
        (("P01/us.png", "P01/us_mask.png"), {"image:us": "P01/us.png", "mask:us": "P01/us_mask.png"}),
        (("P01.jpg", "P01_mask.png"), {"image:image": "P01.jpg", "mask:image": "P01_mask.png"}),
        (
            ("P01/ct.nii", "P01/ct_mask.nii", "P01/ct_preview.png"),
            {"image:ct": "P01/ct.nii", "mask:ct": "P01/ct_mask.nii"},
        ),
        (("P01_ct.nii.gz", "P01_mask.nii.gz"), {"image:ct": "P01_ct.nii.gz", "mask:ct": "P01_mask.nii.gz"}),
    ],
)
def test_usual_layouts(tmp_path: Path, names: tuple[str, ...], expected: dict[str, str]) -> None:
    """Folders by patient and flat folders give patient, image names and pairs."""
    assert rows(found(tmp_path, *names), tmp_path) == [{"patient": "P01", **expected}]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("images/{}_ct.nii.gz", "masks/{}_ct.nii.gz"), {"ct": 0}),
        (("images/{}.nrrd", "masks/{}_seg.nrrd"), {"image": 0}),
        (("imagesTr/{}_0000.nii.gz", "labelsTr/{}.nii.gz"), {"image": 0}),
        (("ct/{}.mha", "ct_masks/{}.mha", "pet/{}.mha", "pet_masks/{}.mha"), {"ct": 0, "pet": 2}),
    ],
)
def test_folders_of_images_beside_folders_of_masks(
    tmp_path: Path, names: tuple[str, ...], expected: dict[str, int]
) -> None:
    """What a folder's name says of its files holds for them: image or mask, and of which modality."""
    cases = found(tmp_path, *(name.format(patient) for patient in ("P01", "P02") for name in names))
    assert rows(cases, tmp_path) == [
        {"patient": patient}
        | {
            f"{kind}:{image}": names[first + shift].format(patient)
            for image, first in expected.items()
            for shift, kind in enumerate(("image", "mask"))
        }
        for patient in ("P01", "P02")
    ]


def test_image_names_are_told_from_patients_by_recurring(tmp_path: Path) -> None:
    """In a flat folder, what recurs with several patients is the image's name."""
    cases = found(
        tmp_path,
        *(f"case-{i}_{name}{end}.nii.gz" for i in (1, 2) for name in ("early", "late") for end in ("", "_mask")),
    )
    assert [row["patient"] for row in rows(cases, tmp_path)] == ["case-1", "case-2"]
    assert [column for column in cases.cases.columns if column.startswith("image:")] == ["image:early", "image:late"]


def test_numbers_are_patients(tmp_path: Path) -> None:
    """A number at the end belongs to the patient, not to the image."""
    cases = found(tmp_path, *(f"site{s}_{i}{end}.nii.gz" for s in "AB" for i in (1, 2) for end in ("", "_mask")))
    assert [row["patient"] for row in rows(cases, tmp_path)] == ["siteA_1", "siteA_2", "siteB_1", "siteB_2"]


def test_unplaced_files_are_listed(tmp_path: Path) -> None:
    """An image without a mask, a mask without an image and a folder without images are listed with the reason."""
    cases = found(
        tmp_path,
        "P01/ct.nii",
        "P01/ct_mask.nii",
        "P02/ct.nii",
        "P03/ct_mask.nii",
        "notes/readme.txt",
        "P01/a/ct_mask.nii.gz",
    )
    assert sorted(cases.unplaced) == [
        "P01/a/ct_mask.nii.gz: patient P01 has no image for it",
        "P02/ct.nii: patient P02 has no mask for it",
        "P03/ct_mask.nii: patient P03 has no image for it",
        "notes: holds no image that is read (NIfTI, NRRD, MHA, DICOM, PNG, JPG)",
    ]


def test_a_mask_that_fits_two_images_is_not_guessed(tmp_path: Path) -> None:
    """A nameless mask beside two images is listed, not given to one of them."""
    cases = found(tmp_path, "P01/ct.nii", "P01/mr.nii", "P01/mask.nii", "P02/ct.nii", "P02/ct_mask.nii")
    assert "the name does not say which one is meant" in cases.unplaced[0]


@pytest.mark.parametrize("names", [(), ("P01/ct.nii",), ("readme.txt",)])
def test_a_folder_without_pairs_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """A folder without a single pair is an error that shows the layouts that are understood."""
    with pytest.raises(TableError, match=r"no image with a mask was found.*Expected a folder for each patient"):
        found(tmp_path, *names)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """A folder that does not exist is named."""
    with pytest.raises(TableError, match="none: no such folder"):
        find_cases(tmp_path / "none")


def test_sarcoma_folder(shared_data: Path) -> None:
    """The real cohort: 26 patients with MR and PET, ten of them with CT."""
    cases = find_cases(shared_data / "sts").cases.set_index("patient").filter(like="STS_", axis=0)
    assert cases[["image:mr_t1", "mask:mr_t1", "mask:pet", "mask:ct"]].notna().sum().tolist() == [26, 26, 26, 10]


def test_dicom_folder(shared_data: Path) -> None:
    """DICOM series with an RTSTRUCT each are paired by their folders."""
    cases = find_cases(shared_data / "sts" / "dicom")
    assert rows(cases, shared_data / "sts" / "dicom")[0] == {
        "patient": "STS_008",
        "image:ct": "STS_008/CT/image",
        "mask:ct": "STS_008/CT/mask/RS.dcm",
        "image:mr_t1": "STS_008/MR_T1/image",
        "mask:mr_t1": "STS_008/MR_T1/mask/RS.dcm",
        "image:pet": "STS_008/PET/image",
        "mask:pet": "STS_008/PET/mask/RS.dcm",
    }
