"""How far repeated measurements agree: intraclass correlation, kappa, concordance, limits of agreement, partitions."""

from __future__ import annotations

from isthmus.stats.agreement.icc import FORMS, Icc, icc, icc_class
from isthmus.stats.agreement.kappa import Kappa, cohen_kappa, fleiss_kappa
from isthmus.stats.agreement.pairs import BlandAltman, bland_altman, cosine_similarity, lin_ccc
from isthmus.stats.agreement.partitions import adjusted_rand_index, variation_of_information
from isthmus.stats.agreement.within_subject import WithinSubject, within_subject

__all__ = [
    "FORMS",
    "BlandAltman",
    "Icc",
    "Kappa",
    "WithinSubject",
    "adjusted_rand_index",
    "bland_altman",
    "cohen_kappa",
    "cosine_similarity",
    "fleiss_kappa",
    "icc",
    "icc_class",
    "lin_ccc",
    "variation_of_information",
    "within_subject",
]
