"""Pictures and maps a run keeps: of whom, that names are harmless, the same bytes for any workers, and that a failure costs no case."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.features.maps import KernelSettings, feature_maps, kernel_and_settings
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.crop import read_grey_png, read_mask_png
from isthmus.image.io import write_image, write_labels
from isthmus.roi import Roi
from isthmus.study import Plan, extraction
from isthmus.study.compute import one_thread
from isthmus.study.data import StudyData, cohort_of, prepare
from isthmus.study.feature_maps import write_feature_maps
from isthmus.study.patient_map import embed, write_patient_map
from isthmus.study.pictures import choose, write_pictures
from isthmus.study.store import RunFolder

NAMES = ("../../x", "<script>", "A", "A+mask", "a b", "é/ü")
COLUMN = "original_glcm_Contrast"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients with names nobody should have, an image each; the lesion is a box of noise."""
    folder, rng, rows = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5), []
    geometry = Geometry((6, 24, 24), (3.0, 1.0, 1.0))
    for n, name in enumerate(NAMES):
        mask = np.zeros(geometry.shape, dtype=np.uint8)
        mask[2:4, 6:14, 8:15] = mask[3, 14:16, 8:12] = 1
        values = rng.normal(100, 30, geometry.shape).astype(np.float32)
        write_image(Image(values, geometry), folder / f"{n}.nii.gz")
        write_labels(LabelImage(mask, geometry), folder / f"{n}_mask.nii.gz")
        rows.append((name, n % 2, "AB"[n // 3], f"{n}.nii.gz", f"{n}_mask.nii.gz"))
    columns = ["patient", "y", "centre", "image:ct", "mask:ct"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "cases.csv", index=False)
    return folder


def plan_of(folder: Path, **report: Any) -> Plan:
    features = [
        {"name": "b", "image": "ct", "families": ["firstorder", "glcm"]},
        {"name": "c", "image": "ct", "families": ["glcm"]},
    ]
    document = {
        "cohort": {"table": "cases.csv", "outcome": "y"},
        "features": features,
        "models": [{"name": "m", "estimator": "lasso"}],
        "validate": {"folds": 2},
        "report": report,
    }
    return Plan.parse(document, base=folder)


def made(folder: Path, out: Path, workers: int = 1, **report: Any) -> tuple[StudyData, RunFolder]:
    """The data of a study, its pictures and maps written."""
    store, plan = RunFolder(out), plan_of(folder, **report)
    data = prepare(plan, workers=workers, store=store)
    write_pictures(store, data.pictures, list(data.cases["row"]))
    final = SimpleNamespace(
        selected={f"b.{COLUMN}": 0.5, "b.original_firstorder_Mean": -2.0}, weight_kind="coefficient"
    )
    write_feature_maps(plan, data, final, store, workers)
    return data, store


def files(store: RunFolder) -> dict[str, bytes]:
    found = [*sorted((store.path / "pictures").rglob("*.png")), *sorted((store.path / "tables").glob("*.csv"))]
    return {str(path.relative_to(store.path)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def one(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyData, RunFolder]:
    """Made by one process."""
    return made(folder, tmp_path_factory.mktemp("one") / "run")


def test_first_of_each_group_and_centre(folder: Path) -> None:
    """Without and with the outcome in turn, and the second patient of a group from the other centre."""
    cohort = cohort_of(plan_of(folder), None)
    chosen = cohort.rows.set_index("row").loc[choose(cohort, 4)]
    codes = cohort.outcome.values[chosen["patient"]].tolist()
    assert (codes, chosen["centre"].tolist()) == ([0, 1, 0, 1], ["A", "A", "B", "B"])


def test_blocks_that_look_alike_have_one_picture(one: tuple[StudyData, RunFolder]) -> None:
    """Two blocks of one image and mask: the first is shown."""
    assert {picture["block"] for picture in one[0].pictures} == {"b"}


def test_names_stay_inside_the_folder(one: tuple[StudyData, RunFolder]) -> None:
    """Twelve pictures and masks, six of maps, for names with slashes and pluses; none anywhere else."""
    assert len(list((one[1].path / "pictures" / "b").glob("*.png"))) == 2 * len(NAMES) + 3 * 2
    assert not list(one[1].path.parent.glob("*.png"))


def test_the_picture_is_the_slice(one: tuple[StudyData, RunFolder], folder: Path) -> None:
    """Voxels under the mask of the first picture are those of the file's largest slice."""
    from isthmus.image.io import read_image

    picture = next(picture for picture in one[0].pictures if picture["patient"] == NAMES[0])
    values = read_grey_png(base64.b64decode(picture["pixels"]), picture["low"], picture["high"])
    mask = read_mask_png(base64.b64decode(picture["mask"]))
    plane = read_image(folder / "0.nii.gz").values[3].astype(float)
    expected = np.concatenate([plane[6:14, 8:15].ravel(), plane[14:16, 8:12].ravel()])
    np.testing.assert_allclose(np.sort(values[mask]), np.sort(expected), atol=0.01)


def test_two_workers_give_the_same_bytes(one: tuple[StudyData, RunFolder], folder: Path, tmp_path: Path) -> None:
    """Pictures, maps and their tables."""
    assert files(made(folder, tmp_path / "run", workers=2)[1]) == files(one[1])


def test_taken_from_the_store_they_are_the_same(one: tuple[StudyData, RunFolder], folder: Path) -> None:
    """A run that is continued has the same pictures, also when the files were lost."""
    before = files(one[1])
    for path in (one[1].path / "pictures").rglob("*.png"):
        path.unlink()
    assert files(made(folder, one[1].path)[1]) == before


def test_none_are_kept_where_none_are_wanted(folder: Path, tmp_path: Path) -> None:
    """`pictures = 0` takes away what an earlier run left, and there are no maps."""
    made(folder, tmp_path / "run")
    assert files(made(folder, tmp_path / "run", pictures=0)[1]) == {}


def test_a_failure_is_a_note(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lesion that cannot be drawn stays in the study."""

    def fails(*_: Any) -> None:
        raise ValueError("no paint")

    monkeypatch.setattr(extraction, "lesion_picture", fails)
    data, _ = made(folder, tmp_path / "run")
    assert (data.pictures, len(data.outcome.values)) == ((), 6)
    assert data.notes["note"].str.contains("ValueError: no paint").sum() == 6


# ---------------------------------------------------------------------- maps


def test_the_texture_with_the_most_weight_is_mapped(one: tuple[StudyData, RunFolder]) -> None:
    """A texture before a first-order feature of more weight; the first patient of each group."""
    table = pd.read_csv(one[1].path / "tables" / "feature_maps.csv")
    assert table[["patient", "column"]].to_numpy().tolist() == [[NAMES[0], COLUMN], [NAMES[1], COLUMN]]


def test_a_slice_of_the_map_is_the_map() -> None:
    """Computed in the largest slice only, values are those of the whole map, bit for bit, and elsewhere there are none."""
    rng = np.random.default_rng(1)
    geometry = Geometry((5, 12, 12), (2.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[1:4, 3:9, 2:9] = mask[2, 9, 2:5] = True
    image, roi = Image(rng.normal(100, 40, geometry.shape), geometry), Roi(mask, geometry, "r")
    settings, _ = kernel_and_settings(
        "pyradiomics", {"features": ["glcm_Contrast", "firstorder_Mean"], "bin_width": 20}
    )
    kernel = KernelSettings(initial_value=float("nan"))
    whole = dict(feature_maps(image, roi, settings, kernel))
    for name, made_once in feature_maps(image, roi, settings, kernel, largest_slice=True):
        expected = np.where(made_once.at, whole[name].region.values, np.nan)
        np.testing.assert_array_equal(made_once.region.values, expected)
        assert made_once.at.sum() == mask[2].sum()


def test_the_map_lies_on_its_slice(folder: Path, tmp_path: Path) -> None:
    """The mean in a cube, mapped, is the mean of the voxels of the region around each voxel of the picture's mask."""
    from isthmus.image.io import read_image, read_labels

    store, plan = RunFolder(tmp_path / "run"), plan_of(folder)
    data = prepare(plan, workers=1, store=store)
    write_pictures(store, data.pictures, list(data.cases["row"]))
    final = SimpleNamespace(selected={"b.original_firstorder_Mean": 1.0}, weight_kind="coefficient")
    write_feature_maps(plan, data, final, store, 1)
    row = pd.read_csv(store.path / "tables" / "feature_maps.csv").iloc[0]
    path = next(path for path in (store.path / "pictures" / "b").glob("*+map.png") if path.name.startswith(".._.._x"))
    found = read_grey_png(path.read_bytes(), row["map_low"], row["map_high"])
    values = read_image(folder / "0.nii.gz").values.astype(float)
    mask = read_labels(folder / "0_mask.nii.gz").values == 1
    expected = []
    for j, i in np.argwhere(mask[3]):
        cube = (slice(2, 5), slice(j - 1, j + 2), slice(i - 1, i + 2))
        expected.append(values[cube][mask[cube]].mean())
    np.testing.assert_allclose(found[np.isfinite(found)], expected, atol=0.01)


# ---------------------------------------------------------------------- the map of patients


def test_the_map_of_patients_is_the_same_twice() -> None:
    """t-SNE of the same scores and seed: the same bits; two groups far apart do not mix."""
    scores = np.random.default_rng(0).normal(size=(24, 5)) + 40 * (np.arange(24) % 2)[:, None]
    first, again = (one_thread(lambda rows: embed(rows, "tsne", 3), scores) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    away = np.linalg.norm(first[:, None] - first[None], axis=2) + 1e9 * np.eye(24)
    assert (away.argmin(axis=1) % 2 == np.arange(24) % 2).all()


def test_few_patients_have_no_map(one: tuple[StudyData, RunFolder], folder: Path) -> None:
    """Six patients are no landscape; nothing is written, nothing stops."""
    write_patient_map(plan_of(folder), one[0], one[1])
    assert not (one[1].path / "tables" / "patient_map.csv").exists()
