"""A copy of a folder of images without what says whose they are.

`deidentify` walks a folder, `profile` holds the actions of DICOM's basic profile, `dataset` applies them to one DICOM file, `headers` to
NIfTI, NRRD, MetaImage and
pictures, `burnt_in` finds writing in pixels, `secret` makes the same pseudonyms, UIDs and date shifts of the same originals.
"""

from isthmus.cohort.deidentify.folder import Outcome, deidentify
from isthmus.cohort.deidentify.secret import Secret
from isthmus.cohort.deidentify.settings import Settings

__all__ = ["Outcome", "Secret", "Settings", "deidentify"]
