"""Small cases to review: volumes in every orientation whose mask is lopsided, so that a flip or a swap shows."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

__all__ = ["AFFINES", "study_of", "write_case"]

_TURN = np.radians(25)
_OBLIQUE = np.array(
    [[np.cos(_TURN), -np.sin(_TURN), 0], [np.sin(_TURN), np.cos(_TURN), 0], [0, 0, 1]]
) @ np.array([[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]])  # fmt: skip


def _affine(matrix: NDArray[np.float64], spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = matrix * np.array(spacing)
    affine[:3, 3] = (-31.25, 17.5, 101.3)
    return affine


AFFINES = {
    "RAS": _affine(np.diag([1.0, 1.0, 1.0]), (0.7, 0.8, 2.5)),
    "LPS": _affine(np.diag([-1.0, -1.0, 1.0]), (0.7, 0.8, 2.5)),
    "LAS": _affine(np.diag([-1.0, 1.0, 1.0]), (0.7, 0.8, 2.5)),
    "PSR": _affine(np.array([[0.0, 0, 1], [-1, 0, 0], [0, 1, 0]]), (0.7, 0.8, 2.5)),
    "oblique": _affine(_OBLIQUE, (0.7, 0.8, 2.5)),
}


def write_case(
    folder: Path, name: str, affine: NDArray[np.float64], shape: tuple[int, int, int] = (24, 20, 10)
) -> None:
    """`<name>.nii.gz` and `<name>_mask.nii.gz`: a bright blob in noise, labels 1 and 2."""
    rng = np.random.default_rng(3)
    values = rng.normal(40, 12, shape)
    values[:2] = -1000
    mask = np.zeros(shape, np.uint8)
    a, b, c = (n // 3 for n in shape)
    mask[a : a + 6, b : b + 4, c : c + 3] = 1
    mask[a, b, c + 3 : c + 4] = 1
    mask[a + 8 : a + 10, b : b + 2, c] = 2
    values[mask == 1] += 300
    nib.save(nib.Nifti1Image(values.astype(np.int16), affine), folder / f"{name}.nii.gz")
    nib.save(nib.Nifti1Image(mask, affine), folder / f"{name}_mask.nii.gz")


def write_picture(folder: Path, name: str) -> None:
    """An ultrasound frame as PNG and its mask as PNG (0 and 255)."""
    rng = np.random.default_rng(4)
    pixels = rng.integers(20, 120, (48, 64)).astype(np.uint8)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:22, 30:50] = 255
    mask[22:26, 30:36] = 255
    Pillow.fromarray(pixels).save(folder / f"{name}.png")
    Pillow.fromarray(mask).save(folder / f"{name}_mask.png")


def study_of(folder: Path, names: dict[str, str] | None = None, *, picture: bool = False) -> Path:
    """A study folder with a case table (an outcome among its columns); `names`: case -> orientation."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["patient,image:ct,mask:ct,confidence,mask_origin,metastasis"]
    for number, (name, orientation) in enumerate((names or {"P1": "LPS", "P2": "RAS", "P3": "oblique"}).items()):
        write_case(folder, name, AFFINES[orientation])
        lines.append(f"{name},{name}.nii.gz,{name}_mask.nii.gz,{0.9 - 0.1 * number:.1f},network,{number % 2}")
    if picture:
        write_picture(folder, "US1")
        lines.append("US1,US1.png,US1_mask.png,0.5,manual,1")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
