"""Cohorts with a known truth: neck CT and thyroid ultrasound of several centres, with lesions whose risk is planted;
and lesions of known structure."""

from isthmus.synthetic.broken import SPOILS, spoil
from isthmus.synthetic.cohort import SyntheticCohort, make_case, make_cohort
from isthmus.synthetic.crit import SyntheticCrit, make_crit
from isthmus.synthetic.lvlnm import SyntheticLvlnm, make_lvlnm
from isthmus.synthetic.structured import STRUCTURES, StructuredLesion, make_structured_lesion
from isthmus.synthetic.truth import attainable_auc, draw_truth

__all__ = [
    "SPOILS",
    "STRUCTURES",
    "StructuredLesion",
    "SyntheticCohort",
    "SyntheticCrit",
    "SyntheticLvlnm",
    "attainable_auc",
    "draw_truth",
    "make_case",
    "make_cohort",
    "make_crit",
    "make_lvlnm",
    "make_structured_lesion",
    "spoil",
]
