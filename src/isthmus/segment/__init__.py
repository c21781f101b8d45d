"""How a mask is made and how far two of one lesion agree."""

from isthmus.segment.assess import MaskAgreement, compare_masks, modification
from isthmus.segment.grow import Seeds, grow, grow_recorded, read_seeds
from isthmus.segment.lesions import Lesion, LesionMatch, match_lesions

__all__ = [
    "Lesion",
    "LesionMatch",
    "MaskAgreement",
    "Seeds",
    "compare_masks",
    "grow",
    "grow_recorded",
    "match_lesions",
    "modification",
    "read_seeds",
]
