"""Agreement with PyRadiomics: the same unchanged parameter file given to both engines, columns and values compared.

    python benchmarks/agreement.py --pyradiomics build/peer/bin/python [--sweep cohort] [--patients 26]

`--sweep files` (default): every setting of PyRadiomics, one parameter file each, on three images. `--sweep cohort`: the sarcoma cohort,
CT, MR and PET, several bin widths, native and resampled. The peer runs in its own interpreter (for LBP it needs scikit-image and
trimesh, too). Printed for each file: the number of columns, the largest relative difference and the feature that has it. Images are
read in place from $ISTHMUS_DATA or ../shared/data.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

MODALITIES = (("CT", 25.0), ("MR_T1", 25.0), ("PET", 0.25), ("PET", 0.1))
SPACINGS = (None, 2.0, 3.0)
IMAGES = {
    "brain1": ("pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd"),
    "breast1": ("pyradiomics/breast1_image.nrrd", "pyradiomics/breast1_label.nrrd"),
    "sts_003_ct": ("sts/STS_003/CT_image.nii.gz", "sts/STS_003/CT_mask.nii.gz"),
}
INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
NORMALISED = {"normalize": True, "normalizeScale": 100, "binWidth": 5}
TWO_MM = {"resampledPixelSpacing": [2, 2, 2]}
FILTERS: dict[str, Any] = {
    "Original": {},
    "LoG": {"sigma": [1.0, 3.0]},
    "Wavelet": {},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {},
}
FILES: dict[str, dict[str, Any]] = {
    "normalise": {"setting": NORMALISED},
    "normalise, outliers": {"setting": {**NORMALISED, "removeOutliers": 3}},
    "normalise, all filters": {"setting": NORMALISED, "imageType": FILTERS},
    "normalise, resample, all filters": {"setting": {**NORMALISED, **TWO_MM}, "imageType": FILTERS},
    "resegment absolute": {"setting": {"resegmentRange": [0, 500]}},
    "resegment from": {"setting": {"resegmentRange": [100], "resegmentShape": True}},
    "resegment relative": {"setting": {"resegmentRange": [0.3, 0.9], "resegmentMode": "relative"}},
    "resegment sigma, shape": {"setting": {"resegmentRange": [-1.5, 1.5], "resegmentMode": "sigma", "resegmentShape": True}},
    "resegment, resample, filters": {
        "setting": {**TWO_MM, "resegmentRange": [-2, 2], "resegmentMode": "sigma"},
        "imageType": FILTERS,
    },
    "bin count": {"setting": {"binCount": 32}},
    "distances": {"setting": {"distances": [1, 3]}},
    "asymmetric": {"setting": {"symmetricalGLCM": False}},
    **{f"weighting {norm}": {"setting": {"weightingNorm": norm}} for norm in ("euclidean", "manhattan", "infinity", "no_weighting")},
    "gldm_a": {"setting": {"gldm_a": 1}},
    "voxelArrayShift": {"setting": {"voxelArrayShift": 1000}},
    **{
        f"force2D {axis}": {
            "setting": {"force2D": True, "force2Ddimension": axis},
            "imageType": {"Original": {}, "Wavelet": {}},
            "featureClass": dict.fromkeys(("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm", "shape")),
        }
        for axis in (0, 1, 2)
    },
    "force2D, weighted": {
        "setting": {"force2D": True, "weightingNorm": "euclidean", "distances": [1, 2]},
        "featureClass": {"glcm": None, "glrlm": None},
    },
    "all filters": {"imageType": FILTERS},
    "pre-crop, all filters": {"setting": {"preCrop": True, "padDistance": 4}, "imageType": FILTERS},
    "resample, all filters": {"setting": TWO_MM, "imageType": FILTERS},
    "same spacing, all filters": {"setting": {"resampledPixelSpacing": [0, 0, 0]}, "imageType": FILTERS},
    "wavelet haar, two levels": {"imageType": {"Wavelet": {"wavelet": "haar", "level": 2}}},
    "wavelet db3, second level": {"imageType": {"Wavelet": {"wavelet": "db3", "start_level": 1}}},
    "gradient per voxel": {"imageType": {"Gradient": {"gradientUseSpacing": False}}},
    "settings of an image type": {
        "setting": {"binWidth": 25, "sigma": [2]},
        "imageType": {
            "LoG": {"binWidth": 5},
            "Wavelet": {"binCount": 16, "wavelet": "haar"},
            "Original": {"distances": [2], "gldm_a": 1},
            "Square": {"force2D": True},
            "Gradient": {"weightingNorm": "manhattan"},
        },
    },
    "named and deprecated features": {
        "imageType": {"Square": {}, "Original": {}},
        "featureClass": {
            "glcm": ["Idn", "Contrast", "Homogeneity1", "SumVariance"],
            "firstorder": ["StandardDeviation", "Mean", "10Percentile"],
            "shape": ["Compactness1", "Compactness2", "SphericalDisproportion", "Sphericity"],
            "gldm": [],
        },
    },
    "LBP": {
        "setting": {"binWidth": 1},
        "imageType": {"LBP2D": {}, "LBP3D": {"binWidth": 0.1, "lbp3DLevels": 3}},
    },
    "LBP, other settings": {
        "setting": {"binCount": 8},
        "imageType": {
            "LBP2D": {"lbp2DMethod": "default", "lbp2DRadius": 2, "force2Ddimension": 1},
            "LBP3D": {"lbp3DLevels": 2, "lbp3DIcosphereRadius": 1.5, "lbp3DIcosphereSubdivision": 0},
        },
    },
    **{name: {"setting": {**TWO_MM, "interpolator": name}} for name in INTERPOLATORS},
}  # fmt: skip

PEER = """
import json, logging, sys
import radiomics
from radiomics import featureextractor
radiomics.logger.setLevel(logging.CRITICAL)
found = []
for case in json.load(sys.stdin):
    extractor = featureextractor.RadiomicsFeatureExtractor(case["file"], additionalInfo=False)
    try:
        values = extractor.execute(case["image"], case["mask"])
        found.append({name: float(value) for name, value in values.items()})
    except Exception as error:
        found.append({"error": repr(error)})
json.dump(found, sys.stdout)
"""


def cohort(root: Path, patients: int) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What is compared, image, mask and parameters: the sarcoma cohort."""
    found = []
    for folder in sorted((root / "sts").glob("STS_*"))[:patients]:
        for modality, width in MODALITIES:
            image = folder / f"{modality}_image.nii.gz"
            if not image.is_file():
                continue
            for spacing in SPACINGS:
                setting: dict[str, Any] = {"binWidth": width}
                if spacing is not None:
                    setting["resampledPixelSpacing"] = [spacing] * 3
                classes = dict.fromkeys(("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"))
                what = (
                    f"{folder.name} {modality}, width {width:g}, {'native' if spacing is None else f'{spacing:g} mm'}"
                )
                parameters = {"setting": setting, "featureClass": classes}
                found.append((what, str(image), str(image).replace("_image", "_mask"), parameters))
    return found


def files(root: Path, images: list[str], only: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What is compared, image, mask and parameters: every setting."""
    everything = dict.fromkeys(("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"))
    return [
        (f"{name}, {what}", str(root / IMAGES[name][0]), str(root / IMAGES[name][1]), {"featureClass": everything, **parameters})
        for name in images
        for what, parameters in FILES.items()
        if only in what
    ]  # fmt: skip


def apart(value: float, expected: float) -> float:
    """Relative difference; absolute ones below 1e-12, and two undefined values, count as none."""
    if math.isnan(value) or math.isnan(expected):
        return 0.0 if math.isnan(value) and math.isnan(expected) else math.inf
    difference = abs(value - expected)
    return 0.0 if difference < 1e-12 else difference / abs(expected) if expected else math.inf


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", required=True, help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument("--sweep", choices=("files", "cohort"), default="files")
    parser.add_argument("--patients", type=int, default=6, help="of the cohort")
    parser.add_argument("--images", nargs="+", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--only", default="", help="files whose name holds this text")
    options = parser.parse_args()
    named = os.environ.get("ISTHMUS_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    todo = cohort(root, options.patients) if options.sweep == "cohort" else files(root, options.images, options.only)
    import isthmus

    warnings.simplefilter("ignore")
    worst: list[tuple[float, str, str]] = []
    total = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for number, (_, image, mask, parameters) in enumerate(todo):
            file = Path(folder) / f"{number}.json"
            file.write_text(json.dumps(parameters))
            cases.append({"file": str(file), "image": image, "mask": mask})
        peer = subprocess.run(
            [options.pyradiomics, "-W", "ignore", "-c", PEER],
            input=json.dumps(cases),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        for (what, *_), case, theirs in zip(todo, cases, json.loads(peer.stdout), strict=True):
            if "error" in theirs:
                print(f"{what:50} PyRadiomics stopped: {theirs['error'][:80]}")
                continue
            ours = isthmus.extract(case["image"], case["mask"], params=case["file"])
            if list(ours.index) != list(theirs):
                wrong += 1
                print(f"{what:50} OTHER COLUMNS: {len(ours)} against {len(theirs)}")
                continue
            difference = {name: apart(float(ours[name]), value) for name, value in theirs.items()}
            name = max(difference, key=lambda key: difference[key])
            worst.append((difference[name], name, what))
            total += len(theirs)
            wrong += sum(value > 1e-6 for value in difference.values())
            print(f"{what:50} {len(theirs):5} columns  {difference[name]:.1e}  {name}")
    size, name, where = max(worst)
    print(
        f"\n{len(worst)} comparisons, {total} values; more than 1e-6 apart: {wrong}; largest relative difference {size:.1e} "
        f"({name}; {where})"
    )


if __name__ == "__main__":
    main()
