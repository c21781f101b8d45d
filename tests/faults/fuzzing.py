"""Files damaged at random, and what reading them does: `python fuzzing.py FORMAT,FORMAT|all COUNT SEED FOLDER`, in a process that may die.

Every damaged file must be accepted or refused by an error of this package, in one line that names the file, within the time. Prints a
JSON object a format: counts, and every fault with the number that makes it again.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import logging
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from faults import formats
from isthmus.errors import IsthmusError

__all__ = ["FORMATS", "Outcome", "fuzz"]

SECONDS = 20.0  # of CPU for one file: the machines of tests are shared
WORDS = [
    b"nan",
    b"-1",
    b"1e308",
    b"0",
    b"",
    b"\x00",
    b"99999999999",
    b"inf",
    b"[",
    b'"',
    b"\xff\xfe",
    b"../../etc",
    b"true",
    b"-0.0",
]


@dataclass
class Outcome:
    """What happened to the files of one format."""

    accepted: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


@dataclass(frozen=True)
class Format:
    """A good file and how it is read."""

    make: Callable[[Path], Path]  # the file to damage, in a folder with all that reading needs
    read: Callable[[Path], object]
    text: bool = False
    named: bool = True  # the message names the file
    quiet: bool = True  # nothing is printed; of damaged TIFF directories, libtiff prints a line


def fuzz(name: str, count: int, seed: int, folder: Path) -> Outcome:
    """Damage the format's good file `count` times and read it."""
    one = FORMATS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path = one.make(folder)
    whole, outcome = path.read_bytes(), Outcome()
    one.read(path)  # the good file is read
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        path.write_bytes(_damaged(whole, rng, text=one.text))
        start = time.process_time()
        try:
            with _limited(SECONDS), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one.read(path)
            outcome.accepted += 1
        except IsthmusError as error:
            outcome.refused += 1
            if trouble := _unclear(str(error), path, named=one.named):
                outcome.faults.append(f"{number}: {trouble}: {error}")
        except BaseException as error:  # whatever it is, it is a fault; the run of damaged files goes on
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome.faults.append(
                f"{number}: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            )
        outcome.slowest_s = max(outcome.slowest_s, time.process_time() - start)
    path.write_bytes(whole)
    return outcome


def _unclear(message: str, path: Path, *, named: bool) -> str:
    """Why a message does not help, or nothing."""
    if "Traceback" in message:
        return "a traceback"
    if (
        named
        and path.name not in message
        and path.stem.split(".")[0] not in message
        and path.parent.name not in message
    ):
        return "the file is not named"
    if len(message) > 2000:
        return f"{len(message)} characters"
    return ""


@contextlib.contextmanager
def _limited(seconds: float) -> Any:
    def stop(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"not read within {seconds:.0f} s")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _damaged(data: bytes, rng: np.random.Generator, *, text: bool) -> bytes:
    """The bytes with one to three wrongs; of a compressed file half the time those inside."""
    if data[:2] == b"\x1f\x8b" and rng.random() < 0.5:
        return gzip.compress(_damaged(gzip.decompress(data), rng, text=text), 1)
    for _ in range(rng.integers(1, 4)):
        data = _WRONGS[rng.integers(len(_WRONGS))](bytearray(data), rng, text)
    return data


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Headers stand first: half the places lie in the first kilobyte."""
    reach = min(len(data), 1024) if rng.random() < 0.5 else len(data)
    return int(rng.integers(max(reach, 1)))


def _overwrite(data: bytearray, rng: np.random.Generator, text: bool) -> bytes:
    for _ in range(rng.integers(1, 9)):
        if data:
            data[_place(data, rng)] = rng.choice(list(b"0123456789 -.ae=[]\"',\n")) if text else rng.integers(256)
    return bytes(data)


def _cut(data: bytearray, rng: np.random.Generator, _text: bool) -> bytes:
    return bytes(data[: _place(data, rng)])


def _remove(data: bytearray, rng: np.random.Generator, _text: bool) -> bytes:
    at = _place(data, rng)
    return bytes(data[:at] + data[at + int(rng.integers(1, 65)) :])


def _insert(data: bytearray, rng: np.random.Generator, text: bool) -> bytes:
    at = _place(data, rng)
    more = WORDS[rng.integers(len(WORDS))] if text or rng.random() < 0.3 else rng.bytes(int(rng.integers(1, 65)))
    return bytes(data[:at] + more + data[at:])


def _repeat(data: bytearray, rng: np.random.Generator, _text: bool) -> bytes:
    at, size = _place(data, rng), int(rng.integers(1, 257))
    return bytes(data[: at + size] + data[at:])


def _fill(data: bytearray, rng: np.random.Generator, _text: bool) -> bytes:
    at, size = _place(data, rng), int(rng.integers(1, 65))
    data[at : at + size] = (b"\xff" if rng.random() < 0.5 else b"\x00") * len(data[at : at + size])
    return bytes(data)


def _number(data: bytearray, rng: np.random.Generator, text: bool) -> bytes:
    """Another number where one stands (text), or four bytes of an extreme one."""
    if not text:
        at = _place(data, rng)
        extreme = [b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x00\x00\xc0\x7f", b"\x01\x00\x00\x00"][rng.integers(4)]
        return bytes(data[:at] + extreme + data[at + 4 :])
    import re

    found = list(re.finditer(rb"[A-Za-z_]+|-?\d+(\.\d+)?", bytes(data)))
    if not found:
        return bytes(data)
    match = found[rng.integers(len(found))]
    return bytes(data[: match.start()] + WORDS[rng.integers(len(WORDS))] + data[match.end() :])


_WRONGS = [_overwrite, _cut, _remove, _insert, _repeat, _fill, _number]


# ---- the formats


def _image(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from image.making import oblique
        from isthmus.image import Image
        from isthmus.image.io import write_image

        values = np.random.default_rng(3).integers(-1000, 1000, (6, 7, 8)).astype(np.int16)
        write_image(Image(values, oblique(values.shape)), folder / f"scan{suffix}")
        return folder / f"scan{suffix}"

    return make


def _read_image(path: Path) -> object:
    from isthmus.image.io import read_acquisition, read_image

    read_acquisition(path)
    return read_image(path)


def _series(folder: Path) -> Path:
    from image.making import write_series

    write_series(folder)
    return folder / "slice07.dcm"


def _read_series(path: Path) -> object:
    return _read_image(path.parent)


def _reference(folder: Path) -> Any:
    """The image that masks lie on."""
    from image.io.test_segmentation import series

    return series(folder / "ct")


def _rtstruct(folder: Path) -> Path:
    from image.making import in_patient, write_rtstruct

    image = _reference(folder)
    outline = [(0.5, 0.5), (0.5, 3.4), (2.6, 3.4), (2.6, 0.5)]
    return write_rtstruct(
        folder / "contours.dcm", {"GTV": [(in_patient(image.geometry, k, outline), {}) for k in (1, 2, 3)]}
    )


def _seg(folder: Path) -> Path:
    from image.io.test_segmentation import blob, slices, write_seg

    _reference(folder)
    return write_seg(folder / "segments.dcm", slices(folder / "ct"), blob())


@functools.cache
def _image_below(folder: Path) -> Any:
    from isthmus.image.io import read_image

    return read_image(folder / "ct")


def _read_mask(path: Path) -> object:
    from isthmus.roi import read_roi

    return read_roi(path, _image_below(path.parent), name="case7")


def _png(folder: Path) -> Path:
    from PIL import Image

    Image.fromarray(np.random.default_rng(3).integers(0, 255, (40, 50)).astype(np.uint8)).save(folder / "frame.png")
    return folder / "frame.png"


def _read_png(path: Path) -> object:
    from isthmus.image.io import read_image

    return read_image(path, pixel_spacing_mm=0.1)


def _csv(folder: Path) -> Path:
    path = folder / "cases.csv"
    rows = [f"P{i:02d},{'AB'[i % 2]},{i % 2},{40 + i}.5,{'FM'[i % 2]}" for i in range(30)]
    path.write_text("patient,centre,outcome,age_years,sex\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def _read_csv(path: Path) -> object:
    from isthmus.cohort import CohortSettings, read_cohort
    from isthmus.table.clinical_settings import ClinicalSettings

    return read_cohort(
        CohortSettings(table=path.name, outcome="outcome"),
        base=path.parent,
        clinical=ClinicalSettings(columns=["age_years", "sex"]),
    )


def _plan(folder: Path) -> Path:
    from isthmus.synthetic.plan import plan_text

    path = folder / "plan.toml"
    path.write_text(
        plan_text(["A", "B"], clinical=["age_years", "sex"], numeric=["age_years"], seed=1), encoding="utf-8"
    )
    return path


def _read_plan(path: Path) -> object:
    from isthmus.study import Plan

    return Plan.read(path)


def _parameters(folder: Path) -> Path:
    path = folder / "Params.yaml"
    path.write_text(
        "imageType:\n  Original: {}\n  LoG:\n    sigma: [1.0, 2.0]\n  Wavelet: {binWidth: 10}\nfeatureClass:\n  shape:\n  firstorder: []\n"
        "  glcm: ['Contrast', 'JointEntropy']\nsetting:\n  normalize: true\n  normalizeScale: 100\n  interpolator: 'sitkBSpline'\n"
        "  resampledPixelSpacing: [1, 1, 3]\n  binWidth: 25\n  label: 1\n  voxelArrayShift: 300\n  force2D: false\n",
        encoding="utf-8",
    )
    return path


def _read_parameters(path: Path) -> object:
    from isthmus.features import read_parameters

    return read_parameters(path)


def _model(folder: Path) -> Path:
    from study.model_files import small_model

    small_model().save(folder / "model.isthmus")
    return folder / "model.isthmus"


def _read_model(path: Path) -> object:
    from isthmus.study import Model
    from study.model_files import rows

    return Model.load(path).predict(rows()[0].reset_index().head(3))


def _slide(folder: Path) -> Path:
    from isthmus.synthetic.slides import SlidePlan, write_slide

    write_slide(folder / "slide.tif", SlidePlan(rows=256, columns=320, margin_um=10.0))
    return folder / "slide.tif"


def _read_slide(path: Path) -> object:
    from isthmus.pathology import open_slide

    return open_slide(path, mpp=0.5).read(0, 0, 64, 64, 0.5)


FORMATS = {
    "nifti": Format(_image(".nii"), _read_image),
    "nifti-gz": Format(_image(".nii.gz"), _read_image),
    "nrrd": Format(_image(".nrrd"), _read_image),
    "metaimage": Format(_image(".mha"), _read_image),
    "dicom": Format(_series, _read_series),
    "rtstruct": Format(_rtstruct, _read_mask, named=False),  # a mask's messages name the case
    "seg": Format(_seg, _read_mask, named=False),
    "png": Format(_png, _read_png),
    "sidecar": Format(formats.sidecar, formats.read_sidecar, text=True),
    "mask-origin": Format(formats.origin, formats.read_origin, text=True),
    "landmarks": Format(formats.landmarks, formats.read_landmarks, text=True),
    "seeds": Format(formats.seeds, formats.read_seeds, text=True),
    "csv": Format(_csv, _read_csv, text=True, named=False),  # the message names row, patient and column
    **({"xlsx": Format(formats.xlsx, formats.read_frame)} if find_spec("openpyxl") else {}),  # no dependency
    "parquet": Format(formats.parquet, formats.read_frame),
    "repeats": Format(formats.repeats, formats.read_repeats, text=True, named=False),
    "plan": Format(_plan, _read_plan, text=True, named=False),  # the command line names the file, the message the key
    "parameters": Format(_parameters, _read_parameters, text=True),
    "model": Format(_model, _read_model),
    "safetensors": Format(formats.safetensors, formats.read_weights),
    "pth": Format(formats.torch_file, formats.read_weights),
    "checkpoint": Format(formats.checkpoint, formats.read_checkpoint),
    "slide": Format(_slide, _read_slide, quiet=False),
    "ome-tiff": Format(formats.ome, _read_slide, quiet=False),
    "geojson": Format(formats.geojson, formats.read_outlines, text=True),
    "asap": Format(formats.asap, formats.read_outlines, text=True),
    "hovernet": Format(formats.hovernet, formats.read_nuclei, text=True),
    "npy": Format(formats.npy, formats.read_nuclei),
    "gmt": Format(formats.gmt, formats.read_gmt, text=True),
    "proteins": Format(formats.proteins, formats.read_proteins, text=True, named=False),
    "form": Format(formats.form, formats.read_form, text=True),
    "reading-record": Format(formats.record, formats.read_record, text=True),
    "review-log": Format(formats.review_log, formats.read_review_log, text=True),
    "review-settings": Format(formats.review_settings, formats.read_review_settings, text=True),
    "piece-of-work": Format(formats.piece, formats.read_piece, text=True),
    "run-plan": Format(formats.of_run("plan.lock.toml"), formats.read_result, text=True),
    "run-provenance": Format(formats.of_run("provenance.json"), formats.read_result, text=True),
    "run-table": Format(formats.of_run("predictions.csv"), formats.read_result, text=True),
    "run-columns": Format(formats.of_run("features/table.columns.csv"), formats.read_result, text=True),
    "run-features": Format(formats.of_run("features/table.parquet"), formats.read_result),
    "request": Format(formats.request, formats.post, text=True, named=False),
}


def main() -> None:
    logging.disable(logging.CRITICAL)
    names, count, seed, folder = sys.argv[1].split(","), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    shutil.rmtree(folder, ignore_errors=True)
    for name in FORMATS if names == ["all"] else names:
        print(json.dumps({"format": name, **vars(fuzz(name, count, seed, folder / name))}), flush=True)


if __name__ == "__main__":
    main()
