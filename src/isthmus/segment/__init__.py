"""How a mask is made and how far two of one lesion agree."""

from isthmus.segment.assess import MaskAgreement, compare_masks, modification
from isthmus.segment.grow import Seeds, grow, grow_recorded, read_seeds

__all__ = ["MaskAgreement", "Seeds", "compare_masks", "grow", "grow_recorded", "modification", "read_seeds"]
