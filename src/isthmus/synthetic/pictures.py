"""A synthetic picture as a study gets it: PNG, its facts in a file beside it, and the mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Picture", "outline", "write_picture"]


class Picture(Protocol):
    """Grey values and mask, shape (rows, columns), and the side of a pixel in mm."""

    @property
    def values(self) -> NDArray[np.uint8]: ...
    @property
    def mask(self) -> NDArray[np.bool_]: ...
    @property
    def pixel_mm(self) -> float: ...


def outline(picture: Picture) -> NDArray[np.uint8]:
    """The mask as a picture: 255 inside."""
    return np.where(picture.mask, 255, 0).astype(np.uint8)


def write_picture(folder: Path, name: str, picture: Picture, *, modality: str, machine: str) -> tuple[str, str]:
    """`images/NAME.png` with `images/NAME.json` (pixel_spacing_mm, Modality, ManufacturersModelName), and `masks/NAME.png`.

    Returns
    -------
    (str, str)
        Image and mask, relative to the folder.
    """
    from PIL import Image as Pillow

    image, mask = f"images/{name}.png", f"masks/{name}.png"
    Pillow.fromarray(picture.values).save(folder / image)
    Pillow.fromarray(outline(picture)).save(folder / mask)
    facts = {"pixel_spacing_mm": picture.pixel_mm, "Modality": modality, "ManufacturersModelName": machine}
    (folder / image).with_suffix(".json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return image, mask
