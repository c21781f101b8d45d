"""The examples run on real data, and give what their folders promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import isthmus
from isthmus.report import write_report
from isthmus.study import Plan, Result
from isthmus.study.run import run_study

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"validate": {"folds": 5, "repeats": 1, "inner_folds": 3, "bootstrap": 200}, "audit": {"permutations": 0}}


def quick(name: str, **sections: object) -> Plan:
    """An example's plan with one repeat and no null study."""
    import tomllib

    folder = ROOT / "examples" / name
    document = tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))
    external = document.get("validate", {}).get("external")
    document |= QUICK | sections
    if external and "validate" not in sections:
        document["validate"] = {**QUICK["validate"], "external": external}
    document["report"] = {"title": "test"}
    return Plan.parse(document, base=folder)


@pytest.mark.parametrize("name", ["sts", "thyroid", "radmlbench"])
def test_the_plan_is_whole(name: str) -> None:
    """Each example's plan is accepted as it lies."""
    assert Plan.read(ROOT / "examples" / name / "plan.toml").blocks


def test_thyroid_equals_r(shared_data: Path, tmp_path: Path) -> None:
    """The clinical model on all 317 complete cases has the coefficients of R's glm."""
    result = run_study(quick("thyroid", validate=QUICK["validate"]), tmp_path / "run", workers=1)
    ours = result.tables["odds_ratios_clinical"].set_index("term")["coefficient"]
    expected = pd.read_csv(shared_data / "thyroid" / "tcga_thca_lnm_logistic_expected.csv").set_index("term")["coef"]
    names = {"age_years": "age_years", "length_cm": "length_cm", "multifocal": 'I(focality == "multifocal")TRUE'}
    names |= {
        "extension": 'I(extrathyroidal_extension != "none")TRUE',
        "(intercept)": "(Intercept)",
        "sex=male": "sexmale",
    }
    assert (result.tables["odds_ratios_clinical"]["n"] == 317).all()
    np.testing.assert_allclose(
        ours[list(names)].to_numpy(), expected[list(names.values())].to_numpy(dtype=float), rtol=1e-5
    )


def test_thyroid_keeps_its_external_centre_apart(shared_data: Path, tmp_path: Path) -> None:
    """Table 1, logistic model, external centre, report, from the clinical table alone."""
    result = run_study(quick("thyroid"), tmp_path / "run", workers=1)
    external = result.metrics.query("model == 'clinical' and split == 'external' and metric == 'auc'").iloc[0]
    assert 0.5 < external["lower"] < external["estimate"] < external["upper"] < 1
    assert set(result.cases.query("split == 'external' and status == 'included'")["centre"]) == {"DJ"}
    assert len(result.tables["table1"]) > 5
    assert write_report(result).is_file()


def test_sts_from_images_to_report(shared_data: Path, tmp_path: Path) -> None:
    """26 sarcomas, PET alone and one repeat: every patient is measured and predicted, and the interval is honestly wide."""
    import tomllib

    document = tomllib.loads((ROOT / "examples" / "sts" / "plan.toml").read_text(encoding="utf-8"))
    pet = {"features": [document["features"][1]], "models": [document["models"][1]]}
    result = run_study(quick("sts", **pet), tmp_path / "run", workers=2)
    assert (result.cases["status"] == "included").sum() == 26
    row = result.metrics.query("split == 'cv' and metric == 'auc'").iloc[0]
    assert row["upper"] - row["lower"] > 0.2
    assert write_report(result).is_file()


@pytest.mark.slow
def test_sts_whole(shared_data: Path, tmp_path: Path) -> None:
    """The sarcoma example as it lies: MR and PET, ten repeats, null study, report."""
    result = run_study(Plan.read(ROOT / "examples" / "sts" / "plan.toml"), tmp_path / "run")
    assert isinstance(result, Result)
    null = result.tables["null_study"]
    assert (null["null_mean"] < 0.5 + 3 * null["mcse"]).all()
    assert write_report(result).is_file()


@pytest.mark.parametrize("table", ["HNSCC", "Head-Neck-Radiomics-HN1"])
def test_a_radiomics_table_without_images(table: str, shared_data: Path, tmp_path: Path) -> None:
    """The statistical half alone on a public table, near the honest baseline (HNSCC 0.73 by LASSO, sd 0.03)."""
    plan = quick(
        "radmlbench",
        table={"path": f"$ISTHMUS_DATA/radmlbench/datasets/{table}.csv.gz", "id": "ID", "outcome": "Target"},
    )
    plan = plan.model_copy(update={"models": plan.models[:1]})
    result = run_study(plan, tmp_path / "run", workers=1)
    auc = result.metrics.query("split == 'cv' and metric == 'auc'").iloc[0]["estimate"]
    assert 0.55 < auc < 0.90


@pytest.mark.parametrize(("folder", "name"), [("CT", "CT"), ("MR_T1", "MR_T1")])
def test_dicom_with_rtstruct_equals_nifti(folder: str, name: str, shared_data: Path) -> None:
    """The same patient as DICOM series with RTSTRUCT and as NIfTI gives the same features."""
    series = shared_data / "sts" / "dicom" / "STS_008" / folder
    structures = next(
        path for path in sorted(series.parent.rglob("*")) if path.is_file() and is_structure(path, folder)
    )
    from_dicom = isthmus.extract(series_of(series), structures)
    nifti = shared_data / "sts" / "STS_008"
    from_nifti = isthmus.extract(nifti / f"{name}_image.nii.gz", nifti / f"{name}_mask.nii.gz")
    np.testing.assert_allclose(from_dicom.to_numpy(), from_nifti.to_numpy(), rtol=1e-5, atol=1e-9)


def series_of(folder: Path) -> Path:
    """The folder that holds the slices."""
    inner = [path for path in folder.iterdir() if path.is_dir()]
    slices = [path for path in inner if len(list(path.iterdir())) > 3]
    return slices[0] if slices else folder


def is_structure(path: Path, folder: str) -> bool:
    """Is this file the RTSTRUCT of this image?"""
    import pydicom

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
    except pydicom.errors.InvalidDicomError:
        return False
    if header.get("Modality") != "RTSTRUCT":
        return False
    return any(str(item.ROIName).endswith(folder) for item in header.StructureSetROISequence)
