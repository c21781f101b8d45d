"""`isthmus pathology stains`: the stains of slides, their quality, and pictures of the slides brought to one reference."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import CaseError, PlanError, did_you_mean
from isthmus.pathology.nuclei import sample_places
from isthmus.pathology.reference import DensityQuality, cohort_colours, cohort_reference, density_quality, distance
from isthmus.pathology.reinhard import Colours, colours, transfer
from isthmus.pathology.settings import PathologySettings
from isthmus.pathology.slide import Slide
from isthmus.pathology.stain import BACKGROUND, Pixels, Stains, estimate_macenko, normalise
from isthmus.pathology.tiles import at_tissue, tiles_of
from isthmus.pathology.tissue import Mask, Tissue
from isthmus.pathology.vahadane import estimate_vahadane
from isthmus.study.pathology import SlideRow, each_slide, opened, write_picture
from isthmus.study.store import make_folder, write_bytes, write_table

__all__ = ["METHODS", "stains_to_folder"]

log = logging.getLogger("isthmus")

METHODS = ("macenko", "vahadane", "reinhard")
_FIELDS = 3
_STEP = 7  # one pixel in so many is enough for stains
Own = Stains | Colours


@dataclass(frozen=True, eq=False)
class _Learned:
    """Of one slide: what it is normalised by, and the quality of its densities."""

    own: Own
    quality: DensityQuality


def stains_to_folder(
    out: Path,
    rows: Sequence[SlideRow],
    settings: PathologySettings,
    *,
    method: str = "macenko",
    reference: Path | None = None,
    reference_mpp: float | None = None,
    tiles: bool = False,
) -> int:
    """Learn every slide's stains, choose the reference, bring every slide to it; how many slides failed.

    `stains.csv` has a row a slide, `reference.json` is what they were brought to (to be given as `reference` for slides that come later);
    a slide's folder (`out` itself for one) gets `before.png` and `after.png` (the whole slide), `fields.png` (places of its tissue, above
    as they are, below normalised), and with `tiles` every tile of its tissue, normalised, as `tiles/<number>.png`.

    Parameters
    ----------
    reference : Path, optional
        A slide, a picture, or an earlier `reference.json`; without it, the middle of these slides (`cohort_reference`).

    Raises
    ------
    PlanError
        The method is unknown, or the reference is of another method.
    CaseError, TableError
        As `each_slide`.
    """
    if method not in METHODS:
        raise PlanError(f"method {method!r}: expected one of {', '.join(METHODS)}.{did_you_mean(method, METHODS)}")
    given = None if reference is None else _given(reference, reference_mpp, settings, method)
    learned: dict[str, _Learned | CaseError] = {}
    for row in rows:
        try:
            slide, tissue, picture, _ = opened(row, settings)
            learned[row.name] = _learn(slide, tissue, picture, settings, method)
        except CaseError as exc:
            learned[row.name] = exc
    done = {row: found for row in rows if isinstance(found := learned[row.name], _Learned)}
    target = given if given is not None else _middle(done) if done else None

    def one(row: SlideRow, folder: Path) -> None:
        found = learned[row.name]
        if isinstance(found, CaseError):
            raise found
        assert target is not None
        _pictures(row, folder, settings, found.own, target, tiles)

    failed = each_slide(out, rows, one)
    assert target is not None  # every slide failed otherwise
    table = pd.DataFrame([_row(row, found, target) for row, found in done.items()])
    write_table(out / "stains.csv", table)
    nearest = str(table["slide"][int(table["distance"].to_numpy(float).argmin())])
    _write_reference(out / "reference.json", method, target, reference, [row.name for row in done], nearest)
    for name, doubts in zip(table["slide"], table["doubts"], strict=True):
        if doubts:
            log.warning("slide %s: optical densities are doubtful (%s)", name, doubts)
    return failed


# ---------------------------------------------------------------------- one slide


def _learn(slide: Slide, tissue: Tissue, picture: Pixels, settings: PathologySettings, method: str) -> _Learned:
    """From samples all over the tissue, once a slide: estimated anew on every tile, the differences between tiles would be lost."""
    pixels, on = [], []
    for place in sample_places(slide, tissue, settings):
        mask = _on_tissue(slide, tissue, settings.mpp, place)
        pixels.append(slide.read(*place, settings.mpp).reshape(-1, 3)[::_STEP])
        on.append(mask.ravel()[::_STEP])
    sample, inside = np.concatenate(pixels), np.concatenate(on)
    own: Own
    if method == "reinhard":
        own = colours(sample[inside][None])
    else:
        own = (estimate_macenko if method == "macenko" else estimate_vahadane)(sample[inside][None])
    glass = density_quality(picture, tissue.mask, BACKGROUND).glass
    return _Learned(own, replace(density_quality(sample[None], inside[None], BACKGROUND), glass=glass))


def _pictures(row: SlideRow, folder: Path, settings: PathologySettings, own: Own, target: Own, tiles: bool) -> None:
    slide, tissue, picture, _ = opened(row, settings)
    write_picture(folder / "before.png", picture)
    write_picture(folder / "after.png", _normalised(picture, own, target, tissue.mask))
    places = sample_places(slide, tissue, settings)
    chosen: list[tuple[int, int, int, int]] = [
        places[n] for n in np.unique(np.linspace(0, len(places) - 1, _FIELDS).astype(int))
    ]
    before = [slide.read(*place, settings.mpp) for place in chosen]
    after = [
        _normalised(rgb, own, target, _on_tissue(slide, tissue, settings.mpp, place))
        for rgb, place in zip(before, chosen, strict=True)
    ]
    write_picture(folder / "fields.png", np.concatenate([np.concatenate(before, 1), np.concatenate(after, 1)], 0))
    if tiles:
        make_folder(folder / "tiles")
        for tile in tiles_of(slide, tissue, settings.mpp, settings.tile):
            place = (tile.top, tile.left, tile.rows, tile.columns)
            mask = _on_tissue(slide, tissue, settings.mpp, place)
            moved = _normalised(slide.read(*place, settings.mpp), own, target, mask)
            write_picture(folder / "tiles" / f"{tile.number:06d}.png", moved)


def _on_tissue(slide: Slide, tissue: Tissue, mpp: float, place: tuple[int, int, int, int]) -> Mask:
    """Which pixels of a rectangle (top, left, rows, columns) at the working resolution lie on tissue."""
    top, left, rows, columns = place
    own = slide.working(mpp)
    y, x = ((np.arange(first, first + count) + 0.5) * own for first, count in ((top, rows), (left, columns)))
    points = np.column_stack([np.tile(x, rows), np.repeat(y, columns)])
    return np.asarray(at_tissue(tissue, points).reshape(rows, columns))


def _normalised(rgb: Pixels, own: Own, target: Own, mask: Mask) -> Pixels:
    if isinstance(own, Stains) and isinstance(target, Stains):
        return normalise(rgb, own, target)
    assert isinstance(own, Colours)
    assert isinstance(target, Colours)
    return transfer(rgb, own, target, mask)


# ---------------------------------------------------------------------- the reference


def _middle(done: dict[SlideRow, _Learned]) -> Own:
    """Of the cohort; a centre has one vote where the table names centres."""
    centres = [row.centre for row in done] if any(row.centre for row in done) else None
    owns = [found.own for found in done.values()]
    stained = [own for own in owns if isinstance(own, Stains)]
    if stained:
        return cohort_reference(stained, centres)
    return cohort_colours([own for own in owns if isinstance(own, Colours)], centres)


def _given(path: Path, mpp: float | None, settings: PathologySettings, method: str) -> Own:
    """Of a slide or a picture, or as an earlier run wrote it."""
    if path.suffix.lower() != ".json":
        slide, tissue, picture, _ = opened(SlideRow(path.stem, path, mpp), settings)
        return _learn(slide, tissue, picture, settings, method).own
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["method"] != method:
            raise PlanError(
                f"{path} is a reference for {said['method']}, not for {method}; say --method {said['method']}"
            )
        names = ("mean", "sd") if method == "reinhard" else ("vectors", "strongest")
        first, second = (np.asarray(said[name], dtype=np.float64) for name in names)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise PlanError(f"{path} is no reference.json of isthmus pathology stains: {exc!r}") from exc
    return Colours(first, second) if method == "reinhard" else Stains(first, second)


def _write_reference(path: Path, method: str, target: Own, given: Path | None, slides: list[str], nearest: str) -> None:
    from isthmus import __version__

    said: dict[str, Any] = {"isthmus": __version__, "method": method, "background": BACKGROUND}
    said["of"] = "the middle of the slides" if given is None else given.name
    said |= {"slides": slides, "nearest": nearest}
    said |= {name: values.tolist() for name, values in vars(target).items()}
    write_bytes(path, (json.dumps(said, indent=1) + "\n").encode())


def _row(row: SlideRow, found: _Learned, target: Own) -> dict[str, Any]:
    """Of `stains.csv`."""
    own, quality = found.own, found.quality
    cells: dict[str, Any] = {"patient": row.patient, "slide": row.name, "centre": row.centre}
    cells |= {f"density_{name}": value for name, value in vars(quality).items()}
    cells |= {"doubts": " ".join(quality.doubts), "distance": distance(own, target)}
    if isinstance(own, Stains):
        for stain, name in enumerate(("haematoxylin", "eosin")):
            cells |= {f"{name}_{channel}": own.vectors[n, stain] for n, channel in enumerate(("red", "green", "blue"))}
            cells[f"{name}_strongest"] = own.strongest[stain]
    else:
        for n, channel in enumerate("Lab"):
            cells |= {f"{channel}_mean": own.mean[n], f"{channel}_sd": own.sd[n]}
    return cells
