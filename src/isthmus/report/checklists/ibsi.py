"""The reporting items of IBSI (Zwanenburg and colleagues, Radiology 2020; reference manual, chapter 4): 1 to 76, asked in our own words."""

from __future__ import annotations

from isthmus.report.checklists import _answers as a
from isthmus.report.checklists._item import (
    Answer,
    Answering,
    Checklist,
    Facts,
    asked,
    items,
    not_applicable,
    partly,
    yes,
)

__all__ = ["CHECKLIST"]


def _only(modality: str, answering: Answering) -> Answering:
    """Items of one modality do not apply where the headers say that it is another."""

    def answer(f: Facts) -> Answer:
        if f.images and f.modality and f.modality != modality:
            return not_applicable(f"the images are {f.modality}")
        return answering(f)

    return answer


def _image(key: str, words: str) -> Answering:
    """A preparation that [image] may ask for."""

    def answer(f: Facts) -> Answer:
        if not f.images:
            return asked("the features came ready; say how they were computed")
        image = f.plan.get("image") or {}
        said = next((block[key] for block in f.blocks if block.get(key) is not None), image.get(key))
        return yes("plan.lock.toml", f"{key} = {said}" if said is not None and said is not False else f"no {words}")

    return answer


def _sampled(answering: Answering) -> Answering:
    """Items of interpolation, where images were resampled."""

    def answer(f: Facts) -> Answer:
        image = f.plan.get("image") or {}
        if f.images and not any(block.get("spacing_mm", image.get("spacing_mm")) for block in f.blocks):
            fixed = any(str(b.get("profile", "")).startswith("ibsi-") for b in f.blocks)
            return answering(f) if fixed else not_applicable("images were not resampled")
        return answering(f)

    return answer


def _drawn_on(f: Facts) -> Answer:
    pairs = "; ".join(f"{b['name']}: image {b['image']}, mask {b.get('mask') or b['image']}" for b in f.blocks)
    return yes("plan.lock.toml", pairs) if f.images else asked()


def _resegmented(f: Facts) -> Answer:
    keys = ("resegment_range", "outlier_sigma", "remove_outliers")
    said = [f"{b['name']}: {key} = {b[key]}" for b in f.blocks for key in keys if b.get(key) is not None]
    return yes("plan.lock.toml", "; ".join(said) or "none") if f.images else asked("the features came ready")


def _with_distance_zones(f: Facts) -> Answer:
    families = {str(one).lower() for table in f.result.blocks.values() if "family" in table for one in table["family"]}
    if f.images and "gldzm" not in families:
        return not_applicable("no features of distance zones were computed")
    return a.extraction("zone_norm")(f)


x = a.extraction
CHECKLIST = Checklist(
    "ibsi",
    "IBSI reporting items",
    "zwanenburg2020",
    (
        *items("Patient",
            ("1", "Region that was imaged?", a.author()),
            ("2", "Preparation of the patient?", a.author()),
            ("3", "Radioactive tracer and its dose?", _only("PT", a.author())),
            ("4", "Contrast agent?", a.acquired("contrast_agent", "phase")),
            ("5", "Comorbidities that bear on the image?", a.author()),
        ),
        *items("Acquisition",
            ("6", "Protocol?", a.acquired("series")),
            ("7", "Scanner: maker and model?", a.acquired("vendor", "model")),
            ("8", "Modality?", a.acquired("modality")),
            ("9", "Static or dynamic scan?", a.author()),
            ("10", "Calibration of the scanner?", a.author()),
            ("11", "Instructions to the patient?", a.author()),
            ("12", "Motion and its correction?", a.author()),
            ("13", "Duration of the scan?", a.author()),
            ("14", "CT: tube voltage?", _only("CT", a.acquired("kvp"))),
            ("15", "CT: tube current?", _only("CT", a.acquired("tube_current_ma"))),
            ("16", "PET: time of flight?", _only("PT", a.author())),
            ("17", "MR: receiver coil?", _only("MR", a.author())),
            ("18", "MR: sequence?", _only("MR", a.acquired("series"))),
            ("19", "MR: repetition time?", _only("MR", a.acquired("repetition_time_ms"))),
            ("20", "MR: echo time?", _only("MR", a.acquired("echo_time_ms"))),
            ("21", "MR: echo train length?", _only("MR", a.author())),
            ("22", "MR: inversion time?", _only("MR", a.author())),
            ("23", "MR: flip angle?", _only("MR", a.acquired("flip_angle_deg"))),
            ("24", "MR: type of acquisition?", _only("MR", a.author())),
            ("25", "MR: traversal of k-space?", _only("MR", a.author())),
            ("26", "MR: number of averages?", _only("MR", a.author())),
            ("27", "MR: field strength?", _only("MR", a.acquired("field_strength_t"))),
        ),
        *items("Reconstruction",
            ("28", "Size of pixels in the plane?", a.author("in the headers of the images")),
            ("29", "Slice thickness?", a.acquired("slice_thickness_mm")),
            ("30", "Distance between slices?", a.author("in the headers of the images")),
            ("31", "CT: kernel, iterative reconstruction, exposure?", _only("CT", a.acquired("kernel"))),
            ("32", "PET: method of reconstruction?", _only("PT", a.author())),
            ("33", "PET: point spread function?", _only("PT", a.author())),
            ("34", "PET: corrections?", _only("PT", a.author())),
            ("35", "MR: method of reconstruction?", _only("MR", a.author())),
            ("36", "Diffusion: b-values?", _only("MR", a.author())),
        ),
        *items("Registration and conversion",
            ("37", "Registration?", _image("register", "registration")),
            ("38", "PET: conversion to SUV?", _only("PT", a.author())),
            ("39", "Diffusion: computation of ADC?", _only("MR", a.author())),
            ("40", "Other conversions?", a.author()),
        ),
        *items("Preparation of the image",
            ("41", "Anti-aliasing?", a.author("none is applied by the software beyond the interpolation named")),
            ("42", "Suppression of noise?", a.image_types),
            ("43", "PET: smoothing after reconstruction?", _only("PT", a.author())),
            ("44", "MR: skull stripping?", _only("MR", a.author())),
            ("45", "MR: correction of the bias field?", _only("MR", _image("bias_field", "such correction"))),
            ("46", "Normalisation of intensities?", _image("standardise", "standardisation of intensities")),
            ("47", "Other preparation?", _image("clip", "clipping of intensities")),
        ),
        *items("Segmentation",
            ("48a", "How were regions drawn?", a.segmentation),
            ("48b", "By how many experts, and how were they combined?", a.author()),
            ("48c", "With which software?", a.author()),
            ("48d", "On which images?", _drawn_on),
            ("49", "How were contours turned into masks?", a.author("masks were read; contours of RTSTRUCT were filled")),
        ),
        *items("Interpolation",
            ("50a", "Method of interpolation?", _sampled(x("interpolation"))),
            ("50b", "Alignment of the grid?", _sampled(x("grid"))),
            ("50c", "Dimensions of the grid?", _sampled(x("spacing_mm"))),
            ("50d", "Extrapolation beyond the image?", _sampled(x("pad_distance"))),
            ("51", "Size of voxels after interpolation?", _sampled(x("spacing_mm"))),
            ("52", "Rounding of intensities?", _sampled(x("rounding"))),
            ("53", "Interpolation of the mask?", _sampled(x("mask_interpolation", "resample_mask"))),
            ("54", "From which part on does a voxel belong to the mask?", _sampled(x("mask_threshold"))),
        ),
        *items("Intensities",
            ("55", "Re-segmentation: range and outliers?", _resegmented),
            ("56a", "Method of discretisation?", a.discretisation),
            ("56b", "Number or width of bins?", a.discretisation),
            ("56c", "Lowest intensity of the first bin?", x("voxel_array_shift", "discretisation")),
            ("57", "Image filters?", a.image_types),
        ),
        *items("Feature computation",
            ("58", "Which features?", a.feature_count),
            ("59", "Compliance with IBSI?", a.ibsi_software),
            ("60", "Robustness of features?", a.segmentation_reliability),
            ("61", "Software and version?", a.software),
            ("62", "Aggregation of texture matrices?", x("aggregations", "slice_axis")),
            ("63", "Weighting by distance?", x("weighting", "distance_weighting")),
            ("64", "Symmetry of the co-occurrence matrix?", x("symmetric_glcm")),
            ("65", "Distance of the co-occurrence matrix?", x("distances")),
            ("66", "Linkage of size zones?", x("linkage")),
            ("67", "Linkage of distance zones?", _with_distance_zones),
            ("68", "Norm of the distance of zones?", _with_distance_zones),
            ("69", "NGTDM: distance?", x("distances")),
            ("70", "NGLDM: distance?", x("distances")),
            ("71", "NGLDM: coarseness?", x("ngldm_alpha", "gldm_alpha")),
        ),
        *items("Modelling",
            ("72", "Modelling reported as TRIPOD asks?", lambda _: partly("plan.lock.toml", "", "see tripod_ai in this folder")),
            ("73", "Compared with known factors?", a.radiomic_and_clinical),
            ("74", "Multicollinearity?", a.redundancy),
            ("75", "Is the model available?", a.model_file),
            ("76", "Are the data available?", a.feature_export),
        ),
    ),
    note="Asked in our own words; items of another modality do not apply.",
)  # fmt: skip
