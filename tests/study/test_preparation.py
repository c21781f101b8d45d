"""Preparation through a plan: pictures, quality, exclusion by a check, registration of a second image, landmarks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.io import write_image, write_labels
from isthmus.study import Plan
from isthmus.study.data import case_files, plan_blocks
from isthmus.study.extraction import extract_cases
from isthmus.study.prepare import learn_landmarks, prepare_settings, prepare_to_folder
from isthmus.study.store import RunFolder


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Three patients: a fine MR with masks, and a coarse image that shows the same ball in another contrast."""
    draw = np.random.default_rng(3)
    rows = []
    for n in range(3):
        for name, shape, spacing in (("mr", (16, 40, 40), (3.0, 2.0, 2.0)), ("pet", (12, 20, 20), (4.0, 4.0, 4.0))):
            k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] / 2) * np.array(spacing)[
                :, None, None, None
            ]
            away = k**2 + (j / 1.2) ** 2 + i**2
            values = np.select([away < 100, away < 900], [300.0, 120.0], 10.0) * (n + 1) + draw.normal(0, 4, shape)
            geometry = Geometry(shape, spacing, tuple(-s * m / 2 for s, m in zip(spacing, shape, strict=True))[::-1])
            write_image(Image(values.astype(np.float32), geometry), tmp_path / f"{n}_{name}.nii.gz")
            if name == "mr":
                mask = LabelImage((away < 100).astype(np.uint8), geometry)
                write_labels(mask, tmp_path / f"{n}_mask.nii.gz")
        rows.append({"patient": f"P{n}", "y": n % 2, "image:mr": f"{n}_mr.nii.gz", "mask:mr": f"{n}_mask.nii.gz",
                     "image:pet": f"{n}_pet.nii.gz", "split": "external" if n == 2 else "train"})  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "cases.csv", index=False)
    return tmp_path


def plan_of(folder: Path, preparation: dict, **block: object) -> Plan:
    document = {
        "cohort": {"table": "cases.csv", "outcome": "y"},
        "image": preparation,
        "features": [{"name": "b", "image": "mr", "families": ["firstorder"], **block}],
    }
    return Plan.parse(document, base=folder)


def extracted(plan: Plan, folder: Path, store: RunFolder | None = None):
    from isthmus.cohort.rows import case_rows
    from isthmus.study.data import image_names, mask_names
    from isthmus.table.reading import read_frame

    rows = case_rows(
        read_frame(folder / "cases.csv"), images=image_names(plan, plan.features), masks=mask_names(plan, plan.features)
    )
    return extract_cases(case_files(rows), plan_blocks(plan), workers=1, store=store, quality=True)


def test_every_case_gets_a_picture_and_is_judged(cohort):
    """A step of preparation leaves a picture per case in the run's folder, and every case has every check."""
    store = RunFolder(cohort / "run")
    found = extracted(plan_of(cohort, {"standardise": "z_score"}), cohort, store)
    assert sorted(p.name for p in (cohort / "run" / "preparation").iterdir()) == ["P0_b.png", "P1_b.png", "P2_b.png"]
    assert found.quality.groupby("patient")["check"].nunique().eq(12).all()


def test_standardised_images_of_one_scale_give_one_mean(cohort):
    """Gains of 1, 2 and 3 are gone after the z-score: the lesions have one mean."""
    values = extracted(plan_of(cohort, {"standardise": "z_score"}), cohort).tables["b"].values
    mean = values["original_firstorder_Mean"]
    assert mean.max() / mean.min() < 1.05


def test_a_check_that_excludes_names_itself(cohort):
    """A case that fails a named check is an exclusion with the value and the limit; without the name it is only reported."""
    plan = plan_of(cohort, {"quality_exclude": ["volume"]})
    assert len(extracted(plan, cohort).exclusions) == 0
    small = LabelImage(
        np.eye(40, dtype=np.uint8)[None].repeat(16, 0) * 0, Geometry((16, 40, 40), (3.0, 2.0, 2.0), (-40, -40, -24))
    )
    values = small.values.copy()
    values[8, 20, 20:23] = 1
    write_labels(LabelImage(values, small.geometry), cohort / "0_mask.nii.gz")
    (reason,) = extracted(plan, cohort).exclusions["reason"]
    assert reason == "quality: volume = 36 mm3, expected >= 50 ([image] quality_exclude names this check)"


def test_a_mask_is_carried_to_the_registered_image(cohort):
    """The PET block takes the mask drawn on MR, moved by the registration; the note says by how much."""
    plan = plan_of(cohort, {"register": "rigid", "pictures": False}, image="pet", mask="mr")
    found = extracted(plan, cohort)
    assert len(found.exclusions) == 0
    assert found.notes["note"].str.contains("mask carried over from another image").sum() == 3
    assert found.volumes["b"].div(4 / 3 * np.pi * 1000 * 1.2).between(0.85, 1.15).all()


def test_registration_leaves_an_image_alone_whose_own_mask_it_is(cohort):
    """[image] register holds for all blocks, and means only those whose mask was drawn on another image."""
    plan = plan_of(cohort, {"register": "rigid"})
    assert plan.prepare_settings(plan.features[0]).register_ is None


def test_landmarks_are_learned_from_development_images_and_kept_in_the_plan(cohort):
    """External patients teach nothing, and the plan holds the numbers: it needs no file beside it any more."""
    assert learn_landmarks(cohort / "cases.csv", "mr", cohort / "scale.json") == 2
    plan = plan_of(cohort, {"standardise": {"name": "nyul", "landmarks": "scale.json"}})
    (cohort / "scale.json").unlink()
    again = Plan.parse(plan.document(), base=cohort)
    assert len(again.image.standardise.landmarks) == 11
    assert len(extracted(again, cohort).exclusions) == 0


def test_a_wrong_key_of_a_block_names_the_block(cohort):
    """What is wrong with a block's preparation says which block and key."""
    with pytest.raises(PlanError, match=r"\[\[features\]\] 'b'.*standardise"):
        plan_of(cohort, {}, standardise="zscore")


def test_prepare_writes_what_the_plan_would_use(cohort):
    """`isthmus prepare` writes image, mask, checks and picture of one case."""
    settings = prepare_settings({"clip": [0, 200]})
    written = prepare_to_folder(
        cohort / "out", image=cohort / "0_mr.nii.gz", mask=cohort / "0_mask.nii.gz", settings=settings
    )
    assert [path.name for path in written] == ["image.nii.gz", "mask.nii.gz", "quality.csv", "before_after.png"]
    assert all(path.stat().st_size > 0 for path in written)


def test_an_unknown_key_has_a_suggestion():
    """A misspelt key of `--set` is an error with the right one."""
    with pytest.raises(PlanError, match="Did you mean 'standardise'"):
        prepare_settings({"standardize": "z_score"})
