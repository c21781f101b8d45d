"""Writing in pixels is found beside the scan, on it, and standing still in a clip; a scan without writing is left nearly whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont

from cohort.deidentify.making import write_frame
from isthmus.cohort.deidentify import Settings, deidentify
from isthmus.cohort.deidentify.burnt_in import Box, find_writing
from isthmus.synthetic.ultrasound import MACHINES, Nodule, render_frame


@pytest.fixture(scope="module")
def scan() -> np.ndarray:
    """A thyroid on black, 240 x 320."""
    machine = dataclasses.replace(MACHINES["A"], rows=170, columns=220, pixel_mm=0.1)
    frame = np.zeros((240, 320), dtype=np.uint8)
    picture = render_frame(Nodule(size_mm=9, heterogeneity_db=2), machine, np.random.default_rng(3)).values
    frame[40:210, 50:270] = picture
    return frame


def written(frame: np.ndarray, at: tuple[int, int], text: str = "MUELLER, H 4711") -> tuple[np.ndarray, np.ndarray]:
    """The frame with a line of text whose upper left corner lies at (row, column), and the letters' pixels."""
    import matplotlib

    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    canvas = Image.fromarray(frame)
    ImageDraw.Draw(canvas).text(at[::-1], text, font=ImageFont.truetype(str(font), 15), fill=255)
    new = np.asarray(canvas)
    return new, np.abs(new.astype(int) - frame) > 60


def masked(boxes: list[Box], shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    for box in boxes:
        mask[box.slices] = True
    return mask


@pytest.mark.parametrize("at", [(6, 8), (220, 150), (100, 90), (160, 60)])
def test_a_name_is_found(scan: np.ndarray, at: tuple[int, int]) -> None:
    """Above, below and on the scan, every letter is covered."""
    frame, letters = written(scan, at)
    assert masked(find_writing(frame[None]), frame.shape)[letters].mean() > 0.95


def test_dark_letters_are_found() -> None:
    """Black on a bright page (a screen that was captured)."""
    page = np.full((120, 240), 230, dtype=np.uint8)
    frame, letters = written(255 - page, (50, 60))
    frame = 255 - frame
    assert masked(find_writing(frame[None]), frame.shape)[letters].mean() > 0.95


def test_a_scan_without_writing_stays(scan: np.ndarray) -> None:
    """Less than a tenth of it is masked for nothing."""
    assert masked(find_writing(scan[None]), scan.shape)[scan > 0].mean() < 0.1


def test_beside_stated_regions_everything_goes(scan: np.ndarray) -> None:
    """What the header does not call scan holds no pixel that differs from the background."""
    frame, _ = written(scan, (6, 8), "i")
    cover = masked(find_writing(frame[None], [Box(40, 50, 210, 270)]), frame.shape)
    assert not (frame[:40][~cover[:40]] > 8).any()


def test_what_stands_still_in_a_clip(scan: np.ndarray) -> None:
    """A mark too small for a row of letters is found because the tissue moves and it does not."""
    rng = np.random.default_rng(0)
    clip = np.stack(
        [np.where(scan > 0, np.clip(scan + rng.integers(-40, 40, scan.shape), 1, 180), 0) for _ in range(4)]
    )
    clip[:, 100:112, 120:123] = 240
    assert masked(find_writing(clip.astype(np.uint8)), scan.shape)[100:112, 120:123].all()


def test_a_frame_of_dicom(scan: np.ndarray, tmp_path: Path) -> None:
    """The name is gone from the pixels, the header says so, and the preview shows the result."""
    frame, letters = written(scan, (6, 8))
    write_frame(tmp_path / "in" / "us.dcm", frame, BurnedInAnnotation="YES")
    done = deidentify(tmp_path / "in", tmp_path / "out", secret=tmp_path / "secret")
    data = pydicom.dcmread(done.written[0])
    assert (data.pixel_array[letters] <= 8).all()
    assert (data.BurnedInAnnotation, data.DeidentificationMethodCodeSequence[1].CodeValue) == ("NO", "113101")
    preview = np.asarray(Image.open(done.previews[0]))
    assert (preview[letters].max(axis=-1) <= 8).mean() > 0.9


def test_said_to_be_written_on_and_not_looked_at(scan: np.ndarray, tmp_path: Path) -> None:
    """With masking switched off, a file that says names are burnt in is refused."""
    write_frame(tmp_path / "in" / "us.dcm", scan, BurnedInAnnotation="YES")
    done = deidentify(tmp_path / "in", tmp_path / "out", secret=tmp_path / "s", settings=Settings(burnt_in="none"))
    assert "BurnedInAnnotation" in done.refused[0][1]
