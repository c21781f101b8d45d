"""How far repeated measurements agree: intraclass correlation, kappa, concordance, limits of agreement."""

from __future__ import annotations

from isthmus.stats.agreement.icc import FORMS, Icc, icc
from isthmus.stats.agreement.kappa import Kappa, cohen_kappa, fleiss_kappa
from isthmus.stats.agreement.pairs import BlandAltman, bland_altman, cosine_similarity, lin_ccc
from isthmus.stats.agreement.within_subject import WithinSubject, within_subject

__all__ = [
    "FORMS",
    "BlandAltman",
    "Icc",
    "Kappa",
    "WithinSubject",
    "bland_altman",
    "cohen_kappa",
    "cosine_similarity",
    "fleiss_kappa",
    "icc",
    "lin_ccc",
    "within_subject",
]
