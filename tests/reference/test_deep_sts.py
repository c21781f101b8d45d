"""A 3-D network trained inside the folds on real lesions: PET of the soft-tissue sarcoma cohort, fused with radiomics, to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.report.html import write_report
from isthmus.study import Plan
from isthmus.study.run import run_study

SIMPLE: dict[str, Any] = {"estimator": "logistic", "settings": {"C": 0.1}, "threshold": 0.5}
PLAN: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "lung_metastasis"},
    "features": [
        {"name": "radiomics", "image": "PET", "families": ["shape", "firstorder", "glcm"], "bin_width": 0.25},
        {"name": "net", "kind": "deep", "image": "PET", "train": True},
    ],
    "deep": {
        "encoder": {"network": "resnet10_narrow", "dims": 3, "weights": {"origin": "random"}},
        "crop": {"size": 32, "margin_mm": 5},
        "train": {"epochs": 10, "patience": 5, "batch": 4},
    },
    "models": [
        {"name": "fused", "steps": ["impute", "scale", {"name": "pca", "components": 4}], **SIMPLE},
        {"name": "radiomics", "blocks": ["radiomics"], "steps": ["impute", "scale", {"name": "pca", "components": 4}], **SIMPLE},
        {"name": "end to end", "blocks": ["net"], "steps": [{"name": "network", "block": "net", "makes": "score", "folds": 3},
                                                           "impute", "scale"], **SIMPLE},
    ],
    "validate": {"folds": 3, "repeats": 1, "bootstrap": 200},
    "audit": {"permutations": 0, "controls": []},
    "report": {"final": "fused", "pictures": 4, "embedding": "none"},
}  # fmt: skip


@pytest.mark.slow
def test_every_patient_through_a_3d_network(shared_data: Path, tmp_path: Path) -> None:
    """All 26 are predicted by every model, each network has a curve in every fold, and the report shows where the network looks."""
    table = pd.read_csv(shared_data / "sts" / "outcome.csv", dtype="str")
    for what in ("image", "mask"):
        table[f"{what}:PET"] = [f"{shared_data}/sts/{patient}/PET_{what}.nii.gz" for patient in table["patient"]]
    table.to_csv(tmp_path / "cases.csv", index=False)
    result = run_study(Plan.parse(PLAN, base=tmp_path), tmp_path / "run", workers=2)
    counts = result.predictions[result.predictions["split"] == "cv"].groupby("model")["patient"].nunique()
    assert counts.to_dict() == {"fused": 26, "radiomics": 26, "end to end": 26}
    curves = result.tables["learning_curves"]
    assert curves.groupby("model")["fold"].nunique().to_dict() == {"end to end": 3, "fused": 3}
    maps = result.tables["network_maps"]
    assert maps["note"].isna().all(), maps["note"]
    assert maps["unseen"].all()
    assert 'id="figure-network_maps"' in write_report(result).read_text(encoding="utf-8")
