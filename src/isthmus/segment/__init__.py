"""How a mask is made and how far two of one lesion agree."""

from isthmus.segment.assess import MaskAgreement, compare_masks, modification

__all__ = ["MaskAgreement", "compare_masks", "modification"]
