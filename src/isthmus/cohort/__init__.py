"""Who is in the study, where their files are, which centre; exclusions as data."""

from isthmus.cohort.cohort import Cohort
from isthmus.cohort.reading import check_cohort, read_cohort
from isthmus.cohort.settings import CohortSettings

__all__ = ["Cohort", "CohortSettings", "check_cohort", "read_cohort"]
