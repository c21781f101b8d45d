"""Plain arrays as bytes, and back without executing anything and without believing what the bytes say of their size."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError

__all__ = ["arrays_to_bytes", "bytes_to_arrays", "read_npz"]

_MOST_BYTES = 512 * 2**20
_MOST_ARRAYS = 64
_TYPES = frozenset({"<f8", "<f4", "<i8", "<i4", "|b1"})


def arrays_to_bytes(**arrays: NDArray[np.float64]) -> bytes:
    """An .npz file; the same arrays give the same bytes."""
    held = io.BytesIO()
    np.savez_compressed(held, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    return held.getvalue()


def read_npz(content: bytes, file: str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by name: numbers only, and as many of them as are really there.

    Raises
    ------
    ModelFileError
        Damaged, not numbers, or an array that says it is larger than its bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_ARRAYS:
                raise ModelFileError(f"{file} holds {len(entries)} arrays; expected at most {_MOST_ARRAYS}. Refused")
            left = _MOST_BYTES
            arrays = {}
            for entry in entries:
                with archive.open(entry) as stream:
                    held = stream.read(left + 1)
                left -= len(held)
                if left < 0:
                    raise ModelFileError(f"{file} unpacks to more than {_MOST_BYTES} bytes. Refused")
                arrays[entry.filename.removesuffix(".npy")] = _array(held, f"{file}: {entry.filename}")
    except (ValueError, KeyError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as exc:
        raise ModelFileError(f"{file} is damaged ({type(exc).__name__}: {exc})") from exc
    return arrays


def _array(content: bytes, name: str) -> NDArray[Any]:
    """One array of numpy's own format, version 1."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ModelFileError(f"{name} is not of numpy's format 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    body = content[stream.tell() :]
    if dtype.str not in _TYPES or any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(body):
        raise ModelFileError(f"{name} says {dtype} of shape {shape}, and has {len(body)} bytes. Refused")
    flat = np.frombuffer(body, dtype=dtype)
    return np.ascontiguousarray(flat.reshape(shape, order="F" if fortran else "C"))


def bytes_to_arrays(content: bytes, file: str, **dimensions: int) -> dict[str, NDArray[np.float64]]:
    """The arrays of these names, each float64 with this number of dimensions.

    Raises
    ------
    ModelFileError
        Damaged, an array is missing, or it is not what it should be.
    """
    held = read_npz(content, file)
    missing = [name for name in dimensions if name not in held]
    if missing:
        raise ModelFileError(f"{file} is damaged (no {', '.join(missing)})")
    arrays = {name: held[name] for name in dimensions}
    for name, array in arrays.items():
        if array.dtype != np.float64 or array.ndim != dimensions[name] or not np.isfinite(array).all():
            raise ModelFileError(
                f"{file}: '{name}' holds {array.dtype} of shape {array.shape}; "
                f"expected finite numbers in {dimensions[name]} dimension(s). The file is damaged"
            )
    return arrays
