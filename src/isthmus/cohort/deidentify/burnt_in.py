"""Writing in the pixels of a frame: where it lies, so that it can be masked.

Three searches, any of which is enough; what they find is masked as boxes.

- *Outside the scan.* A scanner writes beside its picture. The picture is what the header's ultrasound regions say, else the largest
  connected bright area; beside it
  everything that is not background goes, scales and logos included.
- *Letters.* Strokes stand out from their surroundings, letters have nearly one value each, are alike in height and stand in a row.
  Speckle and calcifications do not.
- *What stands still.* In a clip the tissue moves and writing does not.

It errs towards masking. It is a search, not a proof: look at the previews.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "find_writing", "luma"]

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Letter = tuple[int, int, int, int, float]

BACKGROUND = 8  # grey levels above the background's that count as something
DENSE = 0.5  # share of a neighbourhood that is not background, within the scan
SMALLEST_SCAN = 0.1  # of the frame
EDGE = 5  # pixels by which a scan is taken larger than it was found: its border is uneven
CONTRAST = 45  # grey levels by which a stroke differs from what surrounds it
LOWEST, TALLEST, WIDEST = 5, 64, 96  # pixels of one letter, or of several that touch
STROKE = 9  # pixels: wider than the stroke of the letters that are looked for
LEVELS = (250, 235, 220, 205, 190, 175, 160)  # grey: letters are brighter than one of them, what is around them is not
EVEN = 0.5  # share of a letter's pixels near its own brightest value
NEAR = 16  # grey levels: "near"
APART = 14  # grey levels by which letters of one row may differ
CLEAR = 50  # grey levels by which a row of letters is brighter than what is beside it
REST = 30  # grey levels below a row's by which letters beside it may be darker
REACH = 1.6  # heights: how far the next letter may stand from a row that was found
WORD = 4  # letters that are added to either side of a row at most
FEWEST = 3  # letters in a row
MARGIN = 3  # pixels around what is masked
STILL = 4  # grey levels by which writing in a clip may change (compression)
LARGEST_STILL = 0.5  # of the scan: more than that standing still is a frozen clip


class Box(NamedTuple):
    """Rows and columns, the ends not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def luma(pixels: NDArray[Any]) -> Grey:
    """Pixels as grey of 8 bits: the brightest of three channels (coloured writing is not dim), wider integers stretched."""
    grey = pixels.max(axis=-1) if pixels.ndim > 2 and pixels.shape[-1] in (3, 4) else pixels
    if grey.dtype == np.uint8:
        return np.ascontiguousarray(grey)
    low, high = float(grey.min()), float(grey.max())
    return np.asarray((grey - low) * (255.0 / max(high - low, 1.0)), dtype=np.uint8)


def find_writing(frames: Grey, regions: Sequence[Box] = ()) -> list[Box]:
    """Boxes that hold writing.

    Parameters
    ----------
    frames : array, uint8
        Shape (frame, j, i).
    regions : sequence of Box
        The scan's areas by the header; empty where it states none.

    Returns
    -------
    list of Box
        Rows from the top; they may overlap.
    """
    brightest = frames.max(axis=0)
    scan = _stated(brightest.shape, regions) if regions else _largest_area(brightest)
    found = _outside(brightest, scan)
    for frame in frames[:: max(len(frames) // 3, 1)][
        :3
    ]:  # letters do not come and go within a clip; three looks are enough
        for sign in (1, -1):
            found |= _letters(frame, sign)
    if len(frames) > 1:
        found |= _still(frames, scan)
    return _boxes(found)


def _stated(shape: tuple[int, ...], regions: Sequence[Box]) -> Mask:
    scan = np.zeros(shape, dtype=bool)
    for region in regions:
        scan[region.slices] = True
    return scan


def _level(frame: Grey) -> int:
    """The background's grey: the commonest value along the border."""
    border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    return int(np.bincount(border, minlength=256).argmax())


def _largest_area(frame: Grey) -> Mask:
    """The scan: the largest area that is not background, its gaps filled; everything where there is no background."""
    from scipy import ndimage

    something = np.abs(frame.astype(np.int16) - _level(frame)) > BACKGROUND
    solid = ndimage.uniform_filter(something.astype(np.float32), 15) > DENSE  # writing is thin
    labels, count = ndimage.label(solid)
    if count == 0:
        return np.ones(frame.shape, dtype=bool)
    largest = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    if largest.mean() < SMALLEST_SCAN:
        return np.ones(frame.shape, dtype=bool)  # no scan on a background: letters only
    return np.asarray(
        ndimage.binary_dilation(_spanned(largest) | _spanned(largest.T).T, np.ones((3, 3)), iterations=EDGE)
    )


def _spanned(area: Mask) -> Mask:
    """Every row of an area filled from its first to its last pixel: shadows are part of a scan."""
    before = np.logical_or.accumulate(area, axis=1)
    after = np.logical_or.accumulate(area[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(before & after)


def _outside(frame: Grey, scan: Mask) -> Mask:
    """What is not background beside the scan, letters joined to words."""
    from scipy import ndimage

    something = (np.abs(frame.astype(np.int16) - _level(frame)) > BACKGROUND) & ~scan
    return np.asarray(ndimage.binary_closing(np.pad(something, 12), np.ones((3, 15), dtype=bool))[12:-12, 12:-12])


def _letters(frame: Grey, sign: int) -> Mask:
    """Rows of letters, bright ones (sign 1) or dark ones (-1)."""
    from scipy import ndimage

    values = frame if sign > 0 else 255 - frame
    strokes = values.astype(np.int16) - ndimage.grey_opening(values, size=(STROKE, STROKE)) > CONTRAST
    found = np.zeros(frame.shape, dtype=bool)
    for level in LEVELS:  # from the brightest down: what surrounds letters is darker than they are, how much is unknown
        lit = strokes & (values >= level)
        around = ~ndimage.binary_dilation(lit)
        for row in _rows(_alike(values, lit)):
            if _contrast(row, values, around) >= CLEAR:
                found[_extended(row, strokes & (values >= _value(row) - REST))] = True
    return found


def _contrast(row: list[Letter], values: Grey, around: Mask) -> float:
    """By how much letters are brighter than what is two pixels beside them: speckle fades out, writing ends."""
    found = []
    for top, left, bottom, right, value in row:
        place = slice(max(top - 2, 0), bottom + 2), slice(max(left - 2, 0), right + 2)
        beside = values[place][around[place]]
        found.append(value - float(np.median(beside)) if beside.size else 0.0)
    return float(np.median(found))


def _value(row: list[Letter]) -> float:
    return float(np.median([letter[4] for letter in row]))


def _extended(row: list[Letter], strokes: Mask) -> tuple[slice, slice]:
    """The place of a row, with what is written on as brightly to its left and right: a letter may touch something bright, or be a full
    stop."""
    top, bottom = min(letter[0] for letter in row), max(letter[2] for letter in row)
    left, right = min(letter[1] for letter in row), max(letter[3] for letter in row)
    reach = int(REACH * np.median([letter[2] - letter[0] for letter in row]))
    written = np.flatnonzero(strokes[top:bottom].sum(axis=0) >= 2)
    for _ in range(WORD):
        near = written[(written >= left - reach) & (written < right + reach)]
        wider = (min(left, int(near.min())), max(right, int(near.max()) + 1)) if near.size else (left, right)
        if wider == (left, right):
            break
        left, right = wider
    return slice(top, bottom), slice(left, right)


def _alike(values: Grey, strokes: Mask) -> list[Letter]:
    """Areas of the size of letters, of nearly one value: where they lie, and that value."""
    from scipy import ndimage

    labels, _ = ndimage.label(strokes, np.ones((3, 3)))
    letters = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not (LOWEST <= height <= TALLEST and 1 <= width <= WIDEST):
            continue
        inside = values[rows, columns][labels[rows, columns] == number]
        top = float(np.percentile(inside, 90))
        if len(inside) >= LOWEST and np.mean(inside >= top - NEAR) >= EVEN:
            letters.append((rows.start, columns.start, rows.stop, columns.stop, top))
    return letters


def _rows(letters: list[Letter]) -> list[list[Letter]]:
    """Letters that stand in a row, at least `FEWEST` of them: alike in height and value, close to one another."""
    waiting = sorted(letters, key=lambda letter: letter[1])
    rows: list[list[Letter]] = []
    for letter in waiting:
        for row in rows:
            if _follows(row[-1], letter) or (len(row) > 1 and _follows(row[-2], letter)):
                row.append(letter)
                break
        else:
            rows.append([letter])
    return [row for row in rows if len(row) >= FEWEST and _on_one_line(row)]


def _follows(one: Letter, other: Letter) -> bool:
    heights = one[2] - one[0], other[2] - other[0]
    overlap = min(one[2], other[2]) - max(one[0], other[0])
    gap = other[1] - one[3]
    return (
        max(heights) <= 2.2 * min(heights)
        and overlap >= 0.55 * min(heights)
        and -2 <= gap <= 1.3 * max(heights)
        and abs(one[4] - other[4]) <= APART
    )


def _on_one_line(row: list[Letter]) -> bool:
    """Letters share a line: their feet, or their heads, lie within a third of their height."""
    height = float(np.median([letter[2] - letter[0] for letter in row]))
    spread = min(float(np.std([letter[2] for letter in row])), float(np.std([letter[0] for letter in row])))
    return spread <= max(0.2 * height, 1.0)


def _still(frames: Grey, scan: Mask) -> Mask:
    """Bright pixels that no frame changes, where the scan around them does."""
    from scipy import ndimage

    change = frames.max(axis=0).astype(np.int16) - frames.min(axis=0)
    still = (change <= STILL) & scan & (frames[0] > _level(frames[0]) + CONTRAST)
    if still.sum() > LARGEST_STILL * max(int(scan.sum()), 1):
        return np.zeros(scan.shape, dtype=bool)
    kept = ndimage.binary_opening(still, np.ones((2, 1))) | ndimage.binary_opening(still, np.ones((1, 2)))
    return np.asarray(ndimage.binary_closing(kept, np.ones((3, 9))))


def _boxes(found: Mask) -> list[Box]:
    from scipy import ndimage

    if not found.any():
        return []
    rows, columns = found.shape
    labels, _ = ndimage.label(found, np.ones((3, 3)))
    return [
        Box(
            max(j.start - MARGIN, 0),
            max(i.start - MARGIN, 0),
            min(j.stop + MARGIN, rows),
            min(i.stop + MARGIN, columns),
        )
        for j, i in ndimage.find_objects(labels)
    ]
