"""Heterogeneity of real lesions: every patient of the soft-tissue sarcoma cohort, MR and PET."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat import (
    ItedSettings,
    Ith2dSettings,
    Ith3dSettings,
    TextureSettings,
    cut,
    ited,
    ited_columns,
    ith2d,
    ith3d,
    measure_supervoxels,
)
from isthmus.image.io import read_image
from isthmus.roi import read_roi
from isthmus.study import Plan
from isthmus.study.run import run_study

BIN_WIDTHS = {"MR_T1": 10.0, "PET": 0.25}
QUICK = ["STS_003"]


def of_patient(folder: Path, modality: str) -> None:
    """93 finite values; a zero only where one component suffices, or each cluster is one piece."""
    image = read_image(folder / f"{modality}_image.nii.gz")
    roi = read_roi(folder / f"{modality}_mask.nii.gz", image)
    pieces = cut(image, roi)
    table = measure_supervoxels(pieces, TextureSettings(bin_width=BIN_WIDTHS[modality]), patient=folder.name)
    row = ited(table, ItedSettings(resamples=0))
    values = row[ited_columns(whole=False)]
    components = row[[f"{name}_k" for name in values.index]].to_numpy()
    assert (row.attrs["reasons"], int(values.isna().sum())) == ({}, 0), folder.name
    np.testing.assert_array_equal(values.to_numpy() == 0, components == 1, err_msg=folder.name)
    whole = ith3d(pieces, table, Ith3dSettings(most=4, starts=3, resamples=0, permutations=10)).values
    flat = ith2d(image, roi, Ith2dSettings(bin_width=BIN_WIDTHS[modality], clusters=(3, 6), starts=2))
    scores = [whole["ith3d_coherence"], whole["ith3d_fragment"], flat.score]
    assert all(0 <= score < 1 for score in scores), (folder.name, scores)
    assert (whole["ith3d_fragment"] == 0) == (whole["ith3d_pieces"] == 1), folder.name


@pytest.mark.parametrize("modality", BIN_WIDTHS)
@pytest.mark.parametrize("patient", QUICK)
def test_a_real_lesion(shared_data: Path, patient: str, modality: str) -> None:
    """One patient in every run."""
    of_patient(shared_data / "sts" / patient, modality)


@pytest.mark.slow
@pytest.mark.parametrize("modality", BIN_WIDTHS)
def test_every_patient(shared_data: Path, modality: str) -> None:
    """All 26: none missing, none zero by failure."""
    folders = sorted((shared_data / "sts").glob("STS_*"))
    assert len(folders) == 26
    for folder in folders:
        of_patient(folder, modality)


@pytest.mark.slow
def test_a_study_of_every_block(shared_data: Path, tmp_path: Path) -> None:
    """A plan with every kind of block on MR and PET of all 26: nobody is left out, nothing is missing, nothing zero by failure."""
    table = pd.read_csv(shared_data / "sts" / "outcome.csv", dtype="str")
    for name in BIN_WIDTHS:
        for what in ("image", "mask"):
            table[f"{what}:{name}"] = [f"{patient}/{name}_{what}.nii.gz" for patient in table["patient"]]
    table.to_csv(tmp_path / "cases.csv", index=False)
    kinds = ("radiomics", "ited", "ithscore", "habitat")
    features = [
        {"name": f"{kind} {name}", "kind": kind, "image": name, **_of(kind, name)}
        for name in BIN_WIDTHS
        for kind in kinds
    ]
    simple = {"steps": ["impute", "scale"], "estimator": "logistic", "settings": {"C": 0.01}, "threshold": 0.5}
    document = {
        "cohort": {"table": "cases.csv", "root": str(shared_data / "sts"), "outcome": "lung_metastasis"},
        "features": features,
        "habitat": {
            "ited": {"resamples": 0},
            "ith2d": {"clusters": [3, 6], "starts": 2},
            "ith3d": {"most": 4, "starts": 3, "resamples": 0, "permutations": 10},
            "cohort": {"clusters": 3, "starts": 3},
        },
        "models": [{"name": "all", **simple}],
        "validate": {"folds": 3, "repeats": 1, "bootstrap": 100},
        "audit": {"permutations": 0, "controls": []},
        "report": {"pictures": 0, "embedding": "none"},
    }
    run = run_study(Plan.parse(document, base=tmp_path), tmp_path / "run")
    assert (run.cases["status"] == "included").sum() == 26
    for name in BIN_WIDTHS:
        ited_of = run.values(f"ited {name}")
        values = ited_of[ited_columns(whole=False)]
        components = ited_of[[f"{column}_k" for column in values.columns]].to_numpy()
        assert int(values.isna().to_numpy().sum()) == 0, name
        np.testing.assert_array_equal(values.to_numpy() == 0, components == 1, err_msg=name)
        scores = run.values(f"ithscore {name}")
        assert scores[["ith3d_coherence", "ith3d_fragment", "ith2d", "ith2d_k3", "ith2d_k6"]].notna().all(axis=None), (
            name
        )
        assert (run.values(f"habitat {name}")["measured"] >= 5).all(), name
    used = set(run.selected.loc[run.selected["coefficient"].notna(), "feature"])
    assert {name.partition(".")[0] for name in used} == {block["name"] for block in features}
    assert run.predictions["probability"].notna().all()


def _of(kind: str, modality: str) -> dict[str, Any]:
    """How grey levels are counted in a block."""
    width = BIN_WIDTHS[modality]
    return (
        {"bin_width": width, "families": ["firstorder", "glcm"]}
        if kind == "radiomics"
        else {"features": {"bin_width": width}}
    )
