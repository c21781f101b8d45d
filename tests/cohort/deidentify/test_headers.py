"""NIfTI, NRRD, MetaImage and pictures keep voxels and grid and lose free text."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from cohort.deidentify.making import NAME, PLANTED, found_in
from image.making import lopsided, oblique
from isthmus.cohort.deidentify import deidentify
from isthmus.image import Image
from isthmus.image.io import read_image, write_image


def nifti(path: Path, kind: type) -> None:
    """A NIfTI whose every text field, and an extension, name the patient."""
    image = kind(lopsided(), np.diag([1.0, 2.0, 3.0, 1.0]))
    for field in ("descrip", "aux_file", "intent_name"):
        image.header[field] = NAME.split("^")[0].encode()
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", NAME.encode()))
    nibabel.save(image, path)


def nrrd(path: Path) -> None:
    write_image(Image(lopsided(), oblique()), path)
    head, blank, rest = path.read_bytes().partition(b"\n\n")
    path.write_bytes(head + f"\n# by {NAME}\ncontent: {NAME}\nPatient:={NAME}".encode() + blank + rest)


def metaimage(path: Path) -> None:
    write_image(Image(lopsided(), oblique()), path)
    path.write_bytes(path.read_bytes().replace(b"ElementDataFile", f"Comment = {NAME}\nElementDataFile".encode(), 1))


def png(path: Path) -> None:
    text = PngInfo()
    text.add_text("Patient", NAME, zip=True)
    Pillow.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64) // 2).save(path, pnginfo=text)


def jpeg(path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x9286] = NAME
    exif[0x010E] = NAME
    Pillow.fromarray(np.full((64, 64), 90, dtype=np.uint8)).save(path, exif=exif, comment=NAME.encode())


WRITERS = {
    "ct.nii": lambda path: nifti(path, nibabel.Nifti1Image),
    "ct.nii.gz": lambda path: nifti(path, nibabel.Nifti1Image),
    "mask.nii": lambda path: nifti(path, nibabel.Nifti2Image),
    "ct.nrrd": nrrd,
    "ct.mha": metaimage,
    "us.png": png,
    "us.jpg": jpeg,
}


@pytest.mark.parametrize("name", WRITERS)
def test_text_goes_voxels_stay(tmp_path: Path, name: str) -> None:
    """Nothing planted is left in the file or its path; values and grid are the same as before."""
    source = tmp_path / "in" / NAME.split("^")[0] / name
    source.parent.mkdir(parents=True)
    WRITERS[name](source)
    assert found_in(tmp_path / "in", PLANTED)
    done = deidentify(tmp_path / "in", tmp_path / "out", secret=tmp_path / "secret")
    assert (done.refused, found_in(tmp_path / "out", PLANTED)) == ([], [])
    with pytest.warns() if name.startswith("us") else _nothing():
        before, after = read_image(source), read_image(done.written[0])
    assert np.array_equal(before.values, after.values)
    assert np.array_equal(before.geometry.affine, after.geometry.affine)


class _nothing:
    """No warning is expected."""

    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("QXSMITH/ct.nii", "QXSMITH/ct_mask.nii"), ("ct.nii", "ct_mask.nii")),
        (("QXSMITH_ct.nii", "QXSMITH_mask.nii"), ("ct.nii", "mask.nii")),
        (("QXSMITH/t1 post/QXSMITH_t1.nii",), ("t1 post/t1.nii",)),
    ],
)
def test_names_of_files(tmp_path: Path, files: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """The first folder, or the start of a name, is the patient; of the rest, known words stay."""
    for file in files:
        (tmp_path / "in" / file).parent.mkdir(parents=True, exist_ok=True)
        nifti(tmp_path / "in" / file, nibabel.Nifti1Image)
    done = deidentify(tmp_path / "in", tmp_path / "out", secret=tmp_path / "secret")
    assert len(done.patients) == 1
    (patient,) = done.patients
    assert [f.relative_to(tmp_path / "out" / patient).as_posix() for f in done.written] == list(expected)


def test_two_files_of_one_new_name(tmp_path: Path) -> None:
    """The second is refused, not written over the first."""
    for name in ("ct_QXANNA.nii", "ct_QXBERT.nii"):
        (tmp_path / "in" / "P1").mkdir(parents=True, exist_ok=True)
        nifti(tmp_path / "in" / "P1" / name, nibabel.Nifti1Image)
    done = deidentify(tmp_path / "in", tmp_path / "out", secret=tmp_path / "secret")
    assert (len(done.written), len(done.refused)) == (1, 1)
    assert "already" in done.refused[0][1]
