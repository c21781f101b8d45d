"""Plain float64 arrays as bytes, and back without executing anything."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError

__all__ = ["arrays_to_bytes", "bytes_to_arrays"]


def arrays_to_bytes(**arrays: NDArray[np.float64]) -> bytes:
    """An .npz file; the same arrays give the same bytes."""
    held = io.BytesIO()
    np.savez_compressed(held, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    return held.getvalue()


def bytes_to_arrays(content: bytes, file: str, **dimensions: int) -> dict[str, NDArray[np.float64]]:
    """The arrays of these names, each float64 with this number of dimensions.

    Raises
    ------
    ModelFileError
        Damaged, an array is missing, or it is not what it should be.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: np.ascontiguousarray(stored[name]) for name in dimensions}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as exc:
        raise ModelFileError(f"{file} is damaged ({type(exc).__name__}: {exc})") from exc
    for name, array in arrays.items():
        if array.dtype != np.float64 or array.ndim != dimensions[name] or not np.isfinite(array).all():
            raise ModelFileError(
                f"{file}: '{name}' holds {array.dtype} of shape {array.shape}; "
                f"expected finite numbers in {dimensions[name]} dimension(s). The file is damaged"
            )
    return arrays
