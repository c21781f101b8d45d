"""Unpacking streams: the same bytes and the same refusals with libdeflate and without."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from isthmus.errors import ImageReadError
from isthmus.image.io import inflate

PATH = Path("scan.nii.gz")
DATA = np.random.default_rng(1).integers(0, 40, 300_000).astype(np.uint8).tobytes()


@pytest.fixture(params=["libdeflate", "zlib"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test with the wheel and without it."""
    if request.param == "zlib":
        monkeypatch.setattr(inflate, "_libdeflate", None)
    elif inflate._libdeflate is None:
        pytest.skip("the wheel `deflate` is not installed")
    return str(request.param)


def zlib_must_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reaches zlib fails."""
    monkeypatch.setattr(inflate, "_stream", lambda *_: pytest.fail("zlib was asked"))


def test_gzip() -> None:
    """A gzip gives back what went in."""
    assert inflate.gunzipped(gzip.compress(DATA), PATH) == DATA


def test_libdeflate_is_used(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is installed, libdeflate does the work."""
    if engine == "libdeflate":
        zlib_must_not_work(monkeypatch)
    assert inflate.gunzipped(gzip.compress(DATA, mtime=0), PATH) == DATA


def test_view() -> None:
    """A part of a larger buffer, as behind a NRRD header."""
    assert inflate.gunzipped(memoryview(b"header" + gzip.compress(DATA))[6:], PATH) == DATA


@pytest.mark.parametrize("parts", [2, 3])
def test_equal_members(parts: int) -> None:
    """Several members of one content and one length are all unpacked."""
    assert inflate.gunzipped(gzip.compress(DATA) * parts, PATH) == DATA * parts


def test_first_like_last() -> None:
    """A first member like the last, with another between them (blocks of zeros at both ends)."""
    zeros = bytes(65280)
    parts = [zeros, DATA, zeros]
    assert inflate.gunzipped(b"".join(map(gzip.compress, parts)), PATH) == b"".join(parts)


def test_bytes_behind_the_stream() -> None:
    """Padding behind the last member is passed over."""
    assert inflate.gunzipped(gzip.compress(DATA) + bytes(512), PATH) == DATA


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_one_stream(pack: object) -> None:
    """A zlib or gzip stream of a known length."""
    assert inflate.inflated(pack(DATA), len(DATA), PATH) == DATA  # type: ignore[operator]


@pytest.mark.parametrize("size", [10, 2 * len(DATA)])
def test_wrong_length_promised(size: int) -> None:
    """A header that promises another length: what is there comes back, the reader compares."""
    assert inflate.inflated(zlib.compress(DATA), size, PATH) == DATA


@pytest.mark.parametrize("keep", [20, 0.5, -1, -9])
def test_truncated(keep: float) -> None:
    """A stream that ends early is refused."""
    data = gzip.compress(DATA)
    data = data[: int(keep * len(data))] if isinstance(keep, float) else data[:keep]
    with pytest.raises(ImageReadError, match=r"scan\.nii\.gz: the compressed file ends too early.*truncated"):
        inflate.gunzipped(data, PATH)


def test_every_flipped_bit_is_found() -> None:
    """A flipped bit anywhere in the data is an error: the checksum at the end is always read."""
    data = gzip.compress(DATA, mtime=0)
    generator = np.random.default_rng(2)
    for _ in range(20):
        wrong = bytearray(data)
        wrong[int(generator.integers(10, len(data)))] ^= 1 << int(generator.integers(8))
        with pytest.raises(ImageReadError, match="damaged|too early"):
            inflate.gunzipped(bytes(wrong), PATH)


def test_wrong_checksum() -> None:
    """A stream whose checksum is another's is refused, with zlib's words."""
    data = bytearray(gzip.compress(DATA))
    data[-5] ^= 1
    with pytest.raises(ImageReadError, match="damaged .*incorrect data check"):
        inflate.gunzipped(bytes(data), PATH)
