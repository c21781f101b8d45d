"""Files and images in memory through SimpleITK: what the readers of single formats leave to it.

Only here (and in the other readers of this folder) does ITK's axis order exist: SimpleITK's sizes, spacings and
directions run x, y, z; its arrays are already (k, j, i).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.image.geometry import Geometry
from isthmus.image.io.checks import check_geometry, check_grid

__all__ = [
    "from_sitk_parts",
    "load_sitk",
    "quiet",
    "read",
    "read_channel",
    "to_sitk_parts",
    "write",
]


def load_sitk() -> Any:
    """SimpleITK, imported when first needed (it is large, and only partly typed)."""
    import SimpleITK

    return SimpleITK


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """ITK prints its warnings on stderr; what matters in them is checked and raised by us."""
    sitk = load_sitk()
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def read(path: Path) -> tuple[NDArray[Any], Geometry, dict[str, Any]]:
    """Voxels as stored, their grid, and no further facts."""
    sitk = load_sitk()
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with quiet():
        try:
            reader.ReadImageInformation()
            _check_header(reader.GetSize(), reader.GetNumberOfComponents(), path)
            image = reader.Execute()
        except RuntimeError as error:
            raise ImageReadError(_explain(error, path)) from error
    values, geometry = from_sitk_parts(image, path)
    return values, geometry, {}


def read_channel(path: Path, channel: int) -> tuple[NDArray[Any], Geometry]:
    """One of several numbers per voxel, such as the layers of a segmentation, and the grid; of one number per voxel, channel 0."""
    sitk = load_sitk()
    with quiet():
        try:
            image = sitk.ReadImage(str(path))
        except RuntimeError as error:
            raise ImageReadError(_explain(error, path)) from error
    channels = image.GetNumberOfComponentsPerPixel()
    if channel >= channels:
        raise ImageReadError(
            f"{path}: channel {channel} was asked for, and the file has {channels} (counted from 0). Set label_channel"
        )
    return from_sitk_parts(sitk.VectorIndexSelectionCast(image, channel) if channels > 1 else image, path)


def _check_header(size: tuple[int, ...], components: int, path: object) -> None:
    """One number per voxel, one volume (trailing dimensions of 1 are fine)."""
    if components != 1:
        raise ImageReadError(
            f"{path}: {components} numbers per voxel (colours, vectors or layers); one was expected. "
            "Of a mask, label_channel chooses one"
        )
    while len(size) > 3 and size[-1] == 1:
        size = size[:-1]
    check_grid(size if len(size) != 2 else (*size, 1), path)


def _explain(error: RuntimeError, path: Path) -> str:
    """ITK's message, without the names of its source files."""
    text = str(error)
    if "Unable to determine ImageIO reader" in text:
        return f"{path}: not a {path.suffix.lstrip('.').upper()} image, whatever its name says"
    if ("expected" in text and "received" in text) or "fread got only" in text:
        numbers = re.search(r"(expected \d+ bytes but received \d+|fread got only \d+ \S+ things, not \d+)", text)
        return f"{path}: truncated{f': {numbers.group(1)}' if numbers else ''}. Copy or export it again"
    if "Zero-valued spacing" in text:
        return f"{path}: a spacing of 0 mm; each must be > 0. Correct the header, or export the image again"
    lines = [line.strip() for line in text.splitlines() if line.strip() and "Exception thrown" not in line]
    return f"{path}: cannot be read as {path.suffix.lstrip('.').upper()}: {lines[-1] if lines else 'no reason given'}"


def from_sitk_parts(image: Any, source: object) -> tuple[NDArray[Any], Geometry]:
    """Array (a copy) and grid of a SimpleITK image."""
    sitk = load_sitk()
    _check_header(image.GetSize(), image.GetNumberOfComponentsPerPixel(), source)
    while image.GetDimension() > 3:
        image = image[..., 0]
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    values = sitk.GetArrayFromImage(image)
    geometry = Geometry(
        shape=values.shape,
        spacing_mm=image.GetSpacing()[::-1],
        origin_mm=image.GetOrigin(),
        direction=np.reshape(image.GetDirection(), (3, 3))[:, ::-1],
    )
    return values, check_geometry(geometry, source)


def to_sitk_parts(values: NDArray[Any], geometry: Geometry) -> Any:
    """A SimpleITK image (a copy) of an array and its grid."""
    sitk = load_sitk()
    assert geometry.direction is not None
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction[:, ::-1].ravel().tolist())
    return image


def write(values: NDArray[Any], geometry: Geometry, path: Path) -> None:
    """Write voxels and grid, compressed; the same input gives the same bytes."""
    sitk = load_sitk()
    with quiet():
        sitk.WriteImage(to_sitk_parts(values, geometry), str(path), useCompression=True)
