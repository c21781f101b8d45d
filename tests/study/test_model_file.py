"""A model file that came from anywhere: what is damaged, altered or forged is refused with the reason."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isthmus.errors import ModelFileError
from isthmus.study import Model
from isthmus.study import sealed as sealed_module
from isthmus.study.sealed import open_sealed, seal, sha256
from study.model_files import rows, small_model


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small model file."""
    path = tmp_path_factory.mktemp("model") / "m.isthmus"
    small_model().save(path)
    return path.read_bytes()


def load(content: bytes, folder: Path, **options: str) -> Model:
    path = folder / "came.isthmus"
    path.write_bytes(content)
    return Model.load(path, **options)


def reseal(content: bytes) -> bytes:
    """As somebody would who alters a file on purpose: the seal fits again."""
    return content[:-64] + sha256(content[:-64]).encode()


def forged(written: bytes, change, name: str = "manifest.json") -> bytes:
    """The file with one JSON inside changed, checksums and seal put right."""
    files = open_sealed(written)
    held = json.loads(files[name])
    found = change(held)
    files[name] = (json.dumps(held if found is None else found)).encode()
    return packed(files)


def packed(files: dict[str, bytes]) -> bytes:
    manifest = json.loads(files["manifest.json"])
    if isinstance(manifest, dict):
        manifest["checksums"] = {name: sha256(c) for name, c in files.items() if name != "manifest.json"}
        files = {**files, "manifest.json": json.dumps(manifest).encode()}
    return seal(files)


def test_the_file_is_a_function_of_the_model(written, tmp_path):
    """Write, read, write: the same bytes."""
    load(written, tmp_path).save(tmp_path / "again.isthmus")
    assert (tmp_path / "again.isthmus").read_bytes() == written


def test_predictions_survive_the_file(written, tmp_path):
    """What was read predicts the bits of what was written."""
    X, _ = rows()
    assert np.array_equal(load(written, tmp_path).predict_rows(X), small_model().predict_rows(X))


def test_no_byte_can_be_flipped(written):
    """Every single byte of the file is under the seal: one flipped bit anywhere is refused."""
    accepted = []
    held = bytearray(written)
    for place in range(len(held)):
        held[place] ^= 1 << (place % 8)
        try:
            open_sealed(bytes(held))
            accepted.append(place)
        except ModelFileError:
            pass
        held[place] ^= 1 << (place % 8)
    assert accepted == []


@pytest.mark.parametrize(
    "spoil",
    [lambda c: c[:-1], lambda c: c[: len(c) // 2], lambda c: c + b"\n", lambda c: b"#!/bin/sh\n" + c, lambda c: b"", lambda c: c[:4]],
    ids=["one byte short", "half", "a line behind", "a script in front", "empty", "four bytes"],
)  # fmt: skip
def test_cut_off_or_lengthened(written, tmp_path, spoil):
    """A truncated file, garbage behind or in front: refused in words."""
    with pytest.raises(ModelFileError, match=r"seal|not a model file"):
        load(spoil(written), tmp_path)


def test_a_script_in_front_with_a_seal_that_fits(written, tmp_path):
    """Bytes before the zip are refused whoever sealed them."""
    with pytest.raises(ModelFileError, match=r"does not begin|directory is not where"):
        load(reseal(b"PK\x03\x04" + b"x" * 40 + written), tmp_path)


def zipped(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    """A sealed zip of any entries, also such as `seal` would not write."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
        archive.comment = b"0" * 64
    return reseal(buffer.getvalue())


def _link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("manifest.json")
    entry.external_attr = 0o120777 << 16
    return entry


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([("../x", b"")], "no path"),
        ([("/etc/x", b"")], "no path"),
        ([("a/b.json", b"")], "no path"),
        ([("..\\x", b"")], "no path"),
        ([("C:x", b"")], "no path"),
        ([("folder/", b"")], "no path"),
        ([(".hidden", b"")], "no path"),
        ([("a", b""), ("a", b"")], "twice"),
        ([(_link(), b"/etc/passwd")], "a link"),
        ([(f"f{i}", b"") for i in range(300)], "at most 256"),
        ([("manifest.json", b"\0" * 60_000_000)], "zip bomb"),
    ],
    ids=["up", "absolute", "folder", "backslash", "drive", "entry of a folder", "hidden", "twice", "link", "many", "bomb"],
)  # fmt: skip
def test_entries_no_model_has(tmp_path, entries, why):
    """Paths, links, doubles, too many and too much: refused though the seal fits, and nothing is written."""
    with pytest.raises(ModelFileError, match=why):
        load(zipped(*entries), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["came.isthmus"]


def test_a_bomb_that_lies_about_its_size(tmp_path):
    """The size is counted while reading: a header that says 10 bytes does not help the bomb in."""
    content = bytearray(zipped(("manifest.json", b"\0" * 60_000_000)))
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 10)
    content[22:26] = struct.pack("<I", 10)
    with pytest.raises(ModelFileError, match="damaged inside|zip bomb"):
        load(reseal(bytes(content)), tmp_path)


def test_a_file_too_large_is_not_read(written, tmp_path, monkeypatch):
    """The size is asked before the content is."""
    monkeypatch.setattr(sealed_module, "MOST_BYTES", 100)
    with pytest.raises(ModelFileError, match="at most 100"):
        load(written, tmp_path)


def test_another_file_than_the_one_published(written, tmp_path):
    """With the published SHA-256 another file is refused, the right one read."""
    assert load(written, tmp_path, fingerprint=sha256(written).upper()).fingerprint == sha256(written)
    with pytest.raises(ModelFileError, match="another file than the one"):
        load(written, tmp_path, fingerprint="0" * 64)


def set_(*path, value):
    def change(held):
        for key in path[:-1]:
            held = held[key]
        held[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (set_("format", value=3), "format 3; this version reads format 2"),
        (set_("format", value="2"), "format 2; this version"),
        (set_("blocks", 0, "kind", value="habitat"), "its blocks are not those of its plan"),
        (set_("blocks", 0, "kind", value="biology"), "block 'table' is of the kind 'biology'"),
        (set_("blocks", 0, "state", value={"x": 1}), "has learned something"),
        (set_("extra", value=1), "extra"),
        (set_("model", value=None), "model: Input should be a valid string"),
        (set_("outcome", "task", value="guess"), "outcome.task"),
        (set_("inputs", 0, "quantiles", 3, value="nan"), "finite number"),
        (set_("inputs", 0, "quantiles", 3, value="0x1p+99999"), r"quantiles.3|do not fit|damaged"),
        (set_("inputs", 0, "quantiles", value=["0x1p+0"]), "23 quantiles"),
        (set_("inputs", value=[]), "inputs"),
        (set_("plan", value={"run": "rm -rf"}), "run"),
        (set_("plan", "models", 0, "name", value="other"), "its plan has no model of this name"),
        (set_("trial", 0, 0, value=(0.123).hex()), "for its trial rows"),
        (set_("trial", value=[]), "for its trial rows"),
        (set_("threshold", value="__import__('os')"), "threshold"),
        (lambda held: [held], "expected an object"),
    ],
)  # fmt: skip
def test_a_forged_manifest(written, tmp_path, change, why):
    """Sealed again after a change, the manifest is still refused where it says what cannot be."""
    with pytest.raises(ModelFileError, match=why):
        load(forged(written, change), tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"format": 2, "x": NaN}', "NaN where a number belongs"),
        (b'{"format": 2, "x": 1e999}', "where a number belongs"),
        (b'{"format": ' + b"9" * 10_000 + b"}", "where a number belongs|valid JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"format": 2, "format": 2}', "occurs twice"),
        (b"\xff\xfe", "valid JSON"),
        (b"", "valid JSON"),
    ],
    ids=["NaN", "infinite", "endless", "deep list", "deep object", "key twice", "no text", "empty"],
)  # fmt: skip
def test_a_manifest_that_is_no_sane_json(tmp_path, text, why):
    """NaN, infinite and endless numbers, bottomless nesting: refused, not a crash."""
    with pytest.raises(ModelFileError, match=why):
        load(seal({"manifest.json": text}), tmp_path)


def test_a_file_that_the_manifest_does_not_name(written, tmp_path):
    """One more file inside, or one less: refused with the lists of both."""
    files = open_sealed(written)
    with pytest.raises(ModelFileError, match="its manifest names"):
        load(seal({**files, "extra.py": b"print(1)"}), tmp_path)
    with pytest.raises(ModelFileError, match="its manifest names"):
        load(seal({name: held for name, held in files.items() if name != "novelty.npz"}), tmp_path)


def test_an_unknown_type(written, tmp_path):
    """An estimator or step that is not on the list is named and refused."""

    def change(held):
        held["estimator"]["name"] = "os.system"

    with pytest.raises(ModelFileError, match="'os.system' is not trusted"):
        load(forged(written, change, "pipeline.json"), tmp_path)


def _huge_array() -> bytes:
    """An .npz whose header promises a terabyte."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (137438953472,), }"
    head += b" " * (118 - len(head)) + b"\n"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("centre.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"\0" * 8)
    return held.getvalue()


def _objects() -> bytes:
    held = io.BytesIO()
    np.savez(held, centre=np.array([{"a": 1}], dtype=object))
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [(_huge_array(), "has 8 bytes. Refused"), (_objects(), "Refused|damaged"), (b"PK\x03\x04", "damaged"), (b"", "damaged")],
    ids=["a terabyte", "objects", "cut off", "empty"],
)  # fmt: skip
def test_forged_arrays(written, tmp_path, content, why):
    """An array that promises more than it holds allocates nothing; objects are not read."""
    with pytest.raises(ModelFileError, match=why):
        load(packed({**open_sealed(written), "novelty.npz": content}), tmp_path)


def test_an_input_without_weight_plays_no_part():
    """Of a LASSO the inputs behind the coefficients that are not 0; of principal components all of them."""
    lasso = replace(small_model("lasso"), pipeline=copy.deepcopy(small_model("lasso").pipeline))
    lasso.pipeline.steps[-1][1].coef_[2] = 0.0
    assert lasso.used == set(lasso.columns) - {"f2"}
    assert small_model("logistic", "impute", "scale", "pca").used == set(lasso.columns)
