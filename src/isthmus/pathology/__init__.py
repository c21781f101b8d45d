"""From a stained slide to numbers: tissue, stains, nuclei, their features."""

from isthmus.pathology.annotation import Outline, read_outlines
from isthmus.pathology.matching import NucleiAgreement, compare_nuclei
from isthmus.pathology.nucleus import NUCLEAR_FEATURES, features_of_labels, nuclear_features
from isthmus.pathology.reference import cohort_colours, cohort_reference, density_quality
from isthmus.pathology.segmenter import Calibration, SegmenterSettings, calibrate, density, segment_nuclei
from isthmus.pathology.settings import PathologySettings
from isthmus.pathology.slide import Slide, open_slide
from isthmus.pathology.stain import RUIFROK, Stains, estimate_macenko, haematoxylin_density, normalise
from isthmus.pathology.tissue import Tissue, TissueSettings, find_tissue
from isthmus.pathology.vahadane import estimate_vahadane

__all__ = [
    "NUCLEAR_FEATURES",
    "RUIFROK",
    "Calibration",
    "NucleiAgreement",
    "Outline",
    "PathologySettings",
    "SegmenterSettings",
    "Slide",
    "Stains",
    "Tissue",
    "TissueSettings",
    "calibrate",
    "cohort_colours",
    "cohort_reference",
    "compare_nuclei",
    "density",
    "density_quality",
    "estimate_macenko",
    "estimate_vahadane",
    "features_of_labels",
    "find_tissue",
    "haematoxylin_density",
    "normalise",
    "nuclear_features",
    "open_slide",
    "read_outlines",
    "segment_nuclei",
]
