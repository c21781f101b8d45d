"""One case made ready: image and mask read (the mask carried over where it was drawn on another image), quality judged, image prepared,
and the region made of the lesion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from isthmus.errors import CaseError
from isthmus.image import Image
from isthmus.image.prepare import PrepareSettings, carry_over, find_transform, prepare
from isthmus.image.quality import QualityResult, assess_quality
from isthmus.roi import Roi
from isthmus.roi.disturb import Disturbance, disturb
from isthmus.roi.perturb import MARGIN_MM, Perturbation, perturb
from isthmus.roi.settings import Label, RegionSettings

__all__ = ["Prepared", "prepare_case", "region_of"]


@dataclass(frozen=True)
class Prepared:
    """The image as features see it, the lesion on its grid, and what the quality checks of the unprepared image found."""

    image: Image
    roi: Roi
    quality: tuple[QualityResult, ...]


def prepare_case(
    image_path: Path,
    mask_path: Path,
    label: Label,
    settings: PrepareSettings,
    *,
    reading: Mapping[str, Any] | None = None,
    reference: Path | None = None,
    picture: Path | None = None,
    title: str = "",
    judge: bool = True,
    contents: Mapping[Path, bytes] = MappingProxyType({}),
) -> Prepared:
    """Read and prepare one case.

    Parameters
    ----------
    image_path, mask_path : Path
    label : int, str, tuple of them, or None
    settings : PrepareSettings
    reading : mapping, optional
        How `read_roi` takes masks on other grids and with several channels.
    reference : Path, optional
        The image the mask was drawn on, where `settings.register_` says that it is another.
    picture : Path, optional
        Where the before-and-after picture goes, when a step is asked for.
    title : str
        What stands over the picture; default: the image's path.
    judge : bool
        Whether the quality checks are made; those that exclude always are.
    contents : mapping of Path to bytes
        Files that were read already, for their hashes.

    Raises
    ------
    CaseError
        Reading, registration or a step of the preparation fails, or a quality check that excludes is not passed.
    """
    from isthmus.image.io import read_image
    from isthmus.roi import read_roi

    def image_at(path: Path) -> Image:
        spacing, colour = settings.pixel_spacing_mm, settings.allow_colour
        return read_image(path, pixel_spacing_mm=spacing, allow_colour=colour, data=contents.get(path))

    def roi_on(image: Image) -> Roi:
        how = dict(reading or {})
        how["resample"] = settings.resample_mask or how.get("resample", False)
        return read_roi(mask_path, image, label=label, data=contents.get(mask_path), **how)

    image = image_at(image_path)
    drawn_on: Image | None = None
    if settings.register_ is None:
        roi = roi_on(image)
    else:
        if reference is None:
            raise CaseError("register needs the image the mask was drawn on; give it with --reference")
        drawn_on = image_at(reference)
        transform = find_transform(image, drawn_on, settings.register_)
        roi, drawn_on = _carried(roi_on(drawn_on), drawn_on, image, transform)
    quality = tuple(assess_quality(image, roi.mask)) if judge or settings.quality_exclude else ()
    _refuse(quality, settings)
    prepared = prepare(image, roi.mask, settings)
    if picture is not None and settings.changes and settings.pictures:
        from isthmus.image.prepare.picture import draw_before_and_after

        draw_before_and_after(image, prepared, roi.mask, picture, title=title or str(image_path), reference=drawn_on)
    return Prepared(prepared, roi, quality)


def region_of(
    prepared: Prepared,
    region: RegionSettings,
    *,
    organ: Path | None = None,
    perturbation: Perturbation | None = None,
    disturbance: Disturbance | None = None,
    contents: Mapping[Path, bytes] = MappingProxyType({}),
) -> tuple[Image, Roi]:
    """The image and the region that features are measured on: the case perturbed, a margin or a ring made of its lesion, the image
    disturbed.

    Parameters
    ----------
    prepared : Prepared
    region : RegionSettings
    organ : Path, optional
        The mask that a ring is clipped to.
    perturbation : Perturbation, optional
    disturbance : Disturbance, optional
        Of the image that is measured; shuffling is within the region.
    contents : mapping of Path to bytes
        Files that were read already.

    Raises
    ------
    CaseError
        Nothing is left of the region, or the image is not a number in it.
    """
    image, roi = prepared.image, prepared.roi
    if perturbation is not None:
        if organ is not None:
            raise CaseError(
                "a region clipped to an organ cannot be perturbed: the organ would not move with it. Leave `within` out"
            )
        reach = 0.0 if region.ring_mm is None else region.ring_mm[1]
        image, roi = perturb(image, roi, perturbation, margin_mm=reach + MARGIN_MM)
    if region.changes:
        image, roi = _region(image, roi, region, organ, contents)
    return (image, roi) if disturbance is None else disturb(image, roi, disturbance)


def _region(
    image: Image, roi: Roi, region: RegionSettings, organ: Path | None, contents: Mapping[Path, bytes]
) -> tuple[Image, Roi]:
    """The margin or ring of a lesion."""
    from isthmus.roi import read_roi
    from isthmus.roi.read import check_values
    from isthmus.roi.region import grown, ring

    within = None if organ is None else read_roi(organ, image, label=region.within_label, data=contents.get(organ)).mask
    if region.margin_mm:
        roi = grown(roi, region.margin_mm, within if region.ring_mm is None else None)
    if region.ring_mm is not None:
        roi = ring(roi, *region.ring_mm, within=within)
    check_values(image, roi)
    return image, roi


def _carried(roi: Roi, drawn_on: Image, image: Image, transform: Any) -> tuple[Roi, Image]:
    """The lesion and the image it was drawn on, both on the grid of `image`."""
    from isthmus.image.prepare.register import moved_image
    from isthmus.roi.read import check_values

    mask, notes = carry_over(roi.mask, roi.geometry, image.geometry, transform)
    moved = Roi(mask, image.geometry, roi.name, roi.source, (*roi.notes, *notes))
    check_values(image, moved)
    return moved, moved_image(image, drawn_on, transform)


def _refuse(quality: tuple[QualityResult, ...], settings: PrepareSettings) -> None:
    """Exclude a case for the checks that the plan named beforehand."""
    failed = [q for q in quality if q.check in settings.quality_exclude and q.passed is False]
    if failed:
        found = "; ".join(f"{q.check} = {q.value:.4g} {q.unit}".strip() + f", expected {q.limit}" for q in failed)
        raise CaseError(f"quality: {found} ([image] quality_exclude names this check)")
    unknown = [q.check for q in quality if q.check in settings.quality_exclude and np.isnan(q.value) and q.limit]
    if unknown:
        raise CaseError(
            f"quality: {', '.join(unknown)} cannot be judged here (too little tissue around the lesion), and "
            "[image] quality_exclude asks for it"
        )
