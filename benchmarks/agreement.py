"""Agreement with PyRadiomics on the sarcoma cohort: CT, MR and PET, several bin widths, native and resampled.

    python benchmarks/agreement.py --pyradiomics build/peer/bin/python

The peer runs in its own interpreter; the largest relative difference of each setting is printed, the feature that has it, and the
largest of all. Images are read in place from $ISTHMUS_DATA/sts or ../shared/data/sts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

MODALITIES = (("CT", 25.0), ("MR_T1", 25.0), ("PET", 0.25), ("PET", 0.1))
SPACINGS = (None, 2.0, 3.0)

PEER = """
import json, logging, sys
import radiomics
from radiomics import featureextractor
radiomics.logger.setLevel(logging.ERROR)
found = []
for case in json.load(sys.stdin):
    settings = {"binWidth": case["bin_width"], "additionalInfo": False}
    if case["spacing"]:
        settings["resampledPixelSpacing"] = [case["spacing"]] * 3
    values = featureextractor.RadiomicsFeatureExtractor(**settings).execute(case["image"], case["mask"])
    found.append({name: float(value) for name, value in values.items()})
json.dump(found, sys.stdout)
"""


def cases(root: Path, patients: int) -> list[dict[str, Any]]:
    """Image, mask and settings of every comparison."""
    found = []
    for folder in sorted(root.glob("STS_*"))[:patients]:
        for modality, width in MODALITIES:
            image = folder / f"{modality}_image.nii.gz"
            if image.is_file():
                mask = str(image).replace("_image", "_mask")
                common = {"image": str(image), "mask": mask, "bin_width": width, "what": f"{folder.name} {modality}"}
                found += [{**common, "spacing": spacing} for spacing in SPACINGS]
    return found


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyradiomics", required=True, help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument("--patients", type=int, default=6)
    options = parser.parse_args()
    named = os.environ.get("ISTHMUS_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    todo = cases(root / "sts", options.patients)
    peer = subprocess.run(
        [options.pyradiomics, "-c", PEER], input=json.dumps(todo), capture_output=True, text=True, check=True
    )
    import isthmus

    warnings.simplefilter("ignore")
    worst: list[tuple[float, str, str]] = []
    for case, theirs in zip(todo, json.loads(peer.stdout), strict=True):
        spacing = None if case["spacing"] is None else [case["spacing"]] * 3
        ours = isthmus.extract(case["image"], case["mask"], bin_width=case["bin_width"], spacing_mm=spacing)
        if set(ours.index) != set(theirs):
            sys.exit(f"{case['what']}: the engines do not compute the same features")
        difference = {name: abs(ours[name] - value) / max(abs(value), 1e-12) for name, value in theirs.items()}
        name = max(difference, key=lambda key: difference[key])
        setting = f"width {case['bin_width']:g}, " + ("native" if spacing is None else f"{case['spacing']:g} mm")
        worst.append((difference[name], name, f"{case['what']}, {setting}"))
        print(f"{case['what']:16} {setting:22} {difference[name]:.1e}  {name}")
    size, name, where = max(worst)
    print(
        f"\n{len(worst)} comparisons of {len(ours)} features; largest relative difference {size:.1e} ({name}, {where})"
    )


if __name__ == "__main__":
    main()
