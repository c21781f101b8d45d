"""Descriptions word by word: what a list of technical and anatomical words knows stays, all else goes.

A free description (series, protocol, ROI, file name) is where names hide. Removing them all would leave a folder in which nobody finds
the venous phase.
"""

from __future__ import annotations

import re

__all__ = ["WORDS", "clean"]

WORDS = frozenset(
    """
    abdomen acetabulum acquisition adc adenoma adrenal air anat anatomical angio annotation anterior aorta apex arterial
    artery average avg ax axial b background ball biopsy bladder body bolus bone bowel brain breast bronchus bspline c cardiac
    carotid cavity cbct cea cecum cerebellum cervical cervix chest cisternal clavicle clivus coil colon color colour conc contour
    contrast cor cord coronal coronary corr corrected cortex cranial cropped csf ct cta ctac ctv cyst d dce deep delayed density
    derived dicom diffusion distal dixon doppler dose dti dual duct duodenum dwi dyn dynamic early echo edema enhanced enhancing
    epi esophagus external eye f18 fat fdg femur fine flair flash flow focus fov frame fs fse full functional fundus fused g
    gallbladder gd gland grade gray gre grey gtv gtvn gtvp gtvt guided h habitat haste head heart helical hepatic high hip
    hippocampus hu humerus ileum image img in index inferior inner insula intensity internal intestine iodine ir iso itv jejunum
    kernel kidney knee l label labels large larynx late lateral left lesion lesions level lge lightspeed liver lobe loc localiser
    localizer low lower lumbar lung lymph lymphnode lymphnodes m map mask masked mass mean medial mediastinum medium metastases
    metastasis mets middle mip ml mm mp mpr mprage mr mra mri mrs mucosa multi muscle myelin n nac nasopharynx native neck
    necrosis necrotic nerve nif node nodes nodule nodules non none normal nose nuclei oblique oedema oesophagus optic oral orbit
    organ original os outer outline ovary p pancreas pancreatic parathyroid parotid part patient pb pc pd pelvis perfusion
    peritumoral peritumour peritumoural pet petct phase pituitary plain plane planning pleura portal post posterior pre primary
    prone prostate protocol proximal pt ptv pulmonary q r radial raw rec recon reconstruction rectum ref reference region
    registered resampled right ring roi rois routine s sag sagittal sc scan scapula scout screening se sect section seg segment
    segmentation sequence series setup shoulder sinus skin skull slice slices small smooth soft space spect spgr spine spir
    spleen standard std sternum stir stomach structure structures sub subtraction superior supine survey suv suvbw swi t t1 t1c
    t1ce t1gd t1w t2 t2f t2w target te temporal test thick thin thoracic thorax thymus thyroid time tir tirm tissue tof tongue
    tonsil tra trace trachea trans transverse tse tumor tumors tumour tumours turbo tv ultrasound uncorrected unenhanced ungated
    upper us uterus v value values vein ven venous ventricle vertebra vessel vibe view voi volume w water wb weighted whole window
    with without wo wrist x xr y z zone
    """.split()  # noqa: SIM905 (a list to read)
)

_PART = re.compile(r"[^\W_]+|[\W_]+")
_DATE = re.compile(r"\d{1,4}([-./_])\d{1,2}\1\d{1,4}")
_SIZE = re.compile(r"\d{1,2}|\d{1,3}(mm|kv|hu|s|sec|min|ml|deg|d)|b\d{1,4}|[bhi]\d{2}[fhs]", re.ASCII)


def clean(text: str) -> str:
    """The text with its known words and short numbers; unchanged where all are known, empty where none is."""
    parts = _PART.findall(_DATE.sub(" ", text))
    if _DATE.search(text) is None and all(_known(part) for part in parts if part[0].isalnum()):
        return text
    kept: list[str] = []
    for part in parts:
        if not part[0].isalnum():
            if kept and kept[-1][-1].isalnum():
                kept.append("_" if "_" in part else " ")
        elif _known(part):
            kept.append(part)
    return "".join(kept).strip(" _")


def _known(part: str) -> bool:
    word = part.lower()
    return word in WORDS or _SIZE.fullmatch(word) is not None
