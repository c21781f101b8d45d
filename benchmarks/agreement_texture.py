"""Agreement of `_core.texture` with PyRadiomics: two-dimensional, distances, weighting norms, asymmetric pairs, dependence cutoff.

    python benchmarks/agreement_texture.py --pyradiomics build/peer/bin/python

Random small regions, brain1 and breast1 under every setting; the peer runs in its own interpreter. Printed is the largest relative
difference of each setting and family (differences below 1e-12, and below 3e-7 for MCC and Imc2, which are square roots, count as none).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from isthmus import _core  # noqa: E402
from oracle.regions import Case, draws  # noqa: E402

SETTINGS: list[dict[str, Any]] = [
    {},
    *({"force2D": True, "force2Ddimension": axis} for axis in (0, 1, 2)),
    *({"distances": d} for d in ([1, 2], [2], [1, 3])),
    {"distances": [1, 2], "force2D": True, "force2Ddimension": 1},
    *({"weightingNorm": norm} for norm in ("manhattan", "euclidean", "infinity", "no_weighting")),
    {"weightingNorm": "euclidean", "force2D": True, "force2Ddimension": 2},
    {"symmetricalGLCM": False},
    {"symmetricalGLCM": False, "distances": [1, 2], "weightingNorm": "infinity"},
    *({"gldm_a": a} for a in (1, 2)),
    {"gldm_a": 1, "distances": [2], "force2D": True, "force2Ddimension": 0},
]
FAMILIES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")

PEER = """
import json, logging, sys
import numpy, SimpleITK, radiomics
from radiomics import featureextractor
radiomics.logger.setLevel(logging.CRITICAL)
folder, count, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
found = []
for n in range(count):
    data = numpy.load(f"{folder}/{n}.npz")
    image, mask = (SimpleITK.GetImageFromArray(data[name]) for name in ("values", "mask"))
    for picture in (image, mask):
        picture.SetSpacing([float(s) for s in data["spacing"][::-1]])
    rows = []
    for chosen in settings:
        extractor = featureextractor.RadiomicsFeatureExtractor(
            additionalInfo=False, binWidth=float(data["width"]), minimumROIDimensions=1, **chosen)
        extractor.disableAllFeatures()
        for family in ("glcm", "glrlm", "glszm", "gldm", "ngtdm"):
            extractor.enableFeatureClassByName(family)
        try:
            values = extractor.execute(image, mask, label=1)
            rows.append({name.replace("original_", ""): float(numpy.squeeze(value)) for name, value in values.items()})
        except Exception as error:
            rows.append({"error": repr(error)})
    found.append(rows)
json.dump(found, sys.stdout)
"""


def ours(case: Case, chosen: dict[str, Any]) -> dict[str, float]:
    """The same features from the core."""
    low, high, _ = _core.bounding_box(case.mask)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    cropped = Case(case.values[box], case.mask[box], case.spacing, case.width, case.kind)
    region, sample, edges = cropped.prepared()
    flat, weighted = chosen.get("force2D", False), "weightingNorm" in chosen
    directed = ("ZW7Z" if weighted else "JJUI") if flat else ("IAZD" if weighted else "ITBB")
    undirected = "62GR" if flat else "KOBO"
    requests = [(family, directed if family in ("glcm", "glrlm") else undirected) for family in FAMILIES]
    values = _core.texture(
        region,
        _core.digitise(sample, edges),
        requests,
        slice_axis=chosen.get("force2Ddimension", 0),
        distances=chosen.get("distances", [1]),
        symmetric=chosen.get("symmetricalGLCM", True),
        weighting=chosen.get("weightingNorm", "none"),
        alpha=chosen.get("gldm_a", 0),
        rules="pyradiomics",
        workspace=_core.Workspace(),
    )
    return {
        f"{family}_{name}": float(value)
        for family, row in zip(FAMILIES, values, strict=True)
        for name, value in zip(_core.feature_names(family), row, strict=True)
    }


def difference(name: str, value: float, expected: float) -> float:
    if math.isnan(value) and math.isnan(expected):
        return 0.0
    apart = abs(value - expected)
    none = 3e-7 if name.endswith(("MCC", "Imc2")) else 1e-12
    return 0.0 if apart < none else apart / abs(expected) if expected else math.inf


def real(data: Path, name: str) -> Case:
    from isthmus.image.io import read_image
    from isthmus.roi import read_roi

    image = read_image(data / "pyradiomics" / f"{name}_image.nrrd")
    roi = read_roi(data / "pyradiomics" / f"{name}_label.nrrd", image, label=1)
    return Case(np.asarray(image.values), np.asarray(roi.mask), image.geometry.spacing_mm, 25.0, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("ISTHMUS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--regions", type=int, default=44)
    options = parser.parse_args()
    cases = [case for case in draws(options.regions, seed=5) if case.kind not in ("many-levels", "outlier")]
    cases += [real(Path(options.data), name) for name in ("brain1", "breast1")]
    with tempfile.TemporaryDirectory() as folder:
        for n, case in enumerate(cases):
            facts = {"spacing": case.spacing, "width": case.width}
            values, mask = (
                np.pad(a, 1) for a in (case.values, case.mask.astype(np.uint8))
            )  # the peer wants a background
            np.savez(f"{folder}/{n}.npz", values=values, mask=mask, **facts)
        command = [options.pyradiomics, "-c", PEER, folder, str(len(cases)), json.dumps(SETTINGS)]
        theirs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for s, chosen in enumerate(SETTINGS):
        worst = dict.fromkeys(FAMILIES, (0.0, ""))
        refused = 0
        for case, rows in zip(cases, theirs, strict=True):
            if "error" in rows[s]:
                refused += 1
                continue
            found = ours(case, chosen)
            for name, expected in rows[s].items():
                apart = difference(name, found[name], expected)
                family = name.split("_")[0]
                if not apart <= worst[family][0]:
                    worst[family] = (apart, f"{name} {case.kind} {found[name]:.10g} {expected:.10g}")
        print(json.dumps(chosen), f"({len(cases) - refused} regions)" if refused else "")
        print("   ", "  ".join(f"{family} {size:.0e}" for family, (size, _) in worst.items()))
        for size, where in worst.values():
            if not size <= 1e-6:
                print("    DIFFERENT", where)


if __name__ == "__main__":
    main()
