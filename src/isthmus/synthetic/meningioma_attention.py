"""The second study of meningiomas: the tumours of the first (`meningioma`), other patients, most of the grade in the tissue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from isthmus.synthetic.meningioma import make_meningioma

__all__ = ["ATTENTION_EFFECTS", "DEMO_SIZE", "SIZES", "STUDY_SIZE", "make_meningioma_attention"]

STUDY_SIZE: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"A": (520, 330), "B": (420, 262), "C": (310, 196), "E": (310, 198)}
)
"""Patients of low and of high grade at each centre: 1,560 and 986 as the study says; how many centres there are it does not say."""
DEMO_SIZE: Mapping[str, tuple[int, int]] = MappingProxyType({"A": (28, 18), "B": (24, 16), "E": (24, 16)})
SIZES = MappingProxyType({"full": STUDY_SIZE, "demo": DEMO_SIZE, "tiny": MappingProxyType({"A": (6, 5), "E": (4, 4)})})

ATTENTION_EFFECTS: Mapping[str, float] = MappingProxyType({"texture": 2.0, "outline": 0.5, "size": 0.3})
"""Planted log odds ratios per standard deviation."""

_APART = 7919  # of the seed: not the patients of the other study


def make_meningioma_attention(
    folder: str | Path,
    *,
    sizes: Mapping[str, tuple[int, int]] = DEMO_SIZE,
    seed: int = 1,
    signal: float = 1.0,
    workers: int = 1,
) -> Path:
    """Images, masks, the case table and the truth; parameters and files are those of `make_meningioma`."""
    return make_meningioma(
        folder, sizes=sizes, seed=seed + _APART, signal=signal, workers=workers, effects=ATTENTION_EFFECTS
    )
