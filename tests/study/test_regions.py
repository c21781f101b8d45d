"""Several labels, rings and perturbations through `isthmus extract` and through a plan."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import CaseError, PlanError
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.io import write_image, write_labels
from isthmus.study import Plan
from isthmus.study.data import case_files, image_names, mask_names, plan_blocks
from isthmus.study.extract import extract_to_file
from isthmus.study.extraction import extract_cases

FEW = ('families=["firstorder"]',)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two lesions (labels 1 and 2) in an organ, with an air cavity beside it."""
    geometry = Geometry((16, 40, 40), (2.0, 1.0, 1.0))
    k, j, i = np.indices(geometry.shape) - np.array([8, 20, 20])[:, None, None, None]
    first = (2 * k) ** 2 + j**2 + (i + 8) ** 2 < 30
    second = (2 * k) ** 2 + j**2 + (i - 8) ** 2 < 20
    organ = np.abs(j) < 12
    values = np.select([first, second, organ], [100, 60, 40], -1000).astype(np.int16)
    write_image(Image(values, geometry), tmp_path / "ct.nii.gz")
    write_labels(LabelImage((first + 2 * second).astype(np.uint8), geometry), tmp_path / "mask.nii.gz")
    write_labels(LabelImage(organ.astype(np.uint8), geometry), tmp_path / "organ.nii.gz")
    row = {"patient": "P", "y": 1, "image:ct": "ct.nii.gz", "mask:ct": "mask.nii.gz", "mask:organ": "organ.nii.gz"}
    pd.DataFrame([row]).to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path


def rows(folder: Path, label: str | None, **given: object) -> pd.DataFrame:
    out = folder / "f.csv"
    extract_to_file(
        out, image=folder / "ct.nii.gz", mask=folder / "mask.nii.gz", label=label,
        **{"settings": FEW, "workers": 1, **given},
    )  # fmt: skip
    return pd.read_csv(out)


def test_all_labels_are_a_row_each(folder):
    """`--label all` gives one row per label, named by it."""
    found = rows(folder, "all")
    assert found["row"].tolist() == ["ct/1", "ct/2"]
    assert found["original_firstorder_Mean"].tolist() == [100, 60]


def test_several_labels_as_one_lesion(folder):
    """`--label 1+2` is the union."""
    both, each = rows(folder, "1+2"), rows(folder, "1,2")
    energy = "original_firstorder_Energy"
    assert both[energy].item() == pytest.approx(each[energy].sum())


def test_a_label_that_is_not_there_is_named(folder):
    """A label the mask lacks is an error that lists those it has."""
    with pytest.raises(CaseError, match=r"no voxel has label 7; labels present: 1 .* 2 "):
        rows(folder, "7")


@pytest.mark.parametrize("region", [{"ring_mm": [0, 9]}, {"margin_mm": 9}])
def test_a_region_is_clipped_to_the_organ(folder, region):
    """Through a plan: a ring, or a lesion grown, inside the organ holds organ tissue only; without it there is air."""
    settings = {"name": "b", "image": "ct", "families": ["firstorder"], "label": [1, 2]}
    document = {"cohort": {"table": "cases.csv", "outcome": "y"}, "roi": region}
    lowest = []
    for within in ({}, {"within": "organ"}):
        plan = Plan.parse({**document, "features": [{**settings, **within}]}, base=folder)
        assert Plan.parse(plan.document(), base=folder).document() == plan.document()
        from isthmus.cohort.rows import case_rows
        from isthmus.table.reading import read_frame

        table = case_rows(
            read_frame(folder / "cases.csv"),
            images=image_names(plan, plan.features),
            masks=mask_names(plan, plan.features),
        )
        found = extract_cases(case_files(table), plan_blocks(plan), workers=1)
        assert found.exclusions.empty, found.exclusions["reason"].tolist()
        lowest.append(found.tables["b"].values["original_firstorder_Minimum"].item())
    assert lowest == [-1000, 40]


def test_perturbed_rows_stand_beside_the_case(folder):
    """`--perturb` adds a row per perturbation, each with its name, and the case as drawn comes first."""
    found = rows(folder, "1", perturb=["rotations_deg=[-5,5]", "volumes=[0.1]"])
    assert found["perturbation"].tolist() == ["as drawn", "rotation -5, volume +0.1", "rotation 5, volume +0.1"]
    assert found["original_firstorder_Mean"].nunique() == 3


def test_margins_are_settings_like_others(folder):
    """A lesion shrunk by 1 mm holds its own tissue only."""
    assert rows(folder, "1", settings=(*FEW, "margin_mm=-1"))["original_firstorder_Range"].item() == 0


@pytest.mark.parametrize(
    ("settings", "says"), [("ring_mm=[5,2]", "the second larger"), ("rign_mm=[0,5]", "Did you mean 'ring_mm'")]
)
def test_wrong_regions_are_named(folder, settings, says):
    """A wrong ring and a misspelt key say what was expected."""
    with pytest.raises(PlanError, match=says):
        rows(folder, "1", settings=(settings,))


def test_a_misspelt_perturbation_is_named(folder):
    """A perturbation that does not exist is an error with the nearest one."""
    with pytest.raises(PlanError, match="Did you mean 'rotations_deg'"):
        rows(folder, "1", perturb=["rotation_deg=[5]"])


def test_blocks_of_one_image_and_mask_share_them(folder, monkeypatch):
    """Lesion, rim and ring of one case: the image is read once."""
    import isthmus.image.io as reading

    read = []
    whole = reading.read_image
    monkeypatch.setattr(reading, "read_image", lambda path, **how: read.append(path) or whole(path, **how))
    common = {"image": "ct", "families": ["firstorder"]}
    blocks = [
        {"name": "a", **common},
        {"name": "b", "ring_mm": [0, 3], **common},
        {"name": "c", "bin_width": 5, **common},
    ]
    plan = Plan.parse({"cohort": {"table": "cases.csv", "outcome": "y"}, "features": blocks}, base=folder)
    from isthmus.cohort.rows import read_case_rows
    from isthmus.study.data import case_files

    found = extract_cases(case_files(read_case_rows(folder / "cases.csv")), plan_blocks(plan), workers=1)
    assert found.exclusions.empty
    assert len(read) == 1
