"""Habitats that a run keeps for its report: what they look like, shares by class, and pictures that lie where the tissue lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat import Habitats
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.crop import read_label_png, read_mask_png
from isthmus.image.io import write_image, write_labels
from isthmus.study import Plan
from isthmus.study.data import StudyData, prepare
from isthmus.study.habitat_pictures import COLUMNS, SHARE_COLUMNS, habitat_paths, write_habitats
from isthmus.study.pictures import write_pictures
from isthmus.study.store import RunFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients of one slice, as in ultrasound. The left part of a lesion is dark and even, the right bright and coarse; in half of the
    patients that is small. The last mask is too small to be cut."""
    folder, rng, rows = tmp_path_factory.mktemp("habitats"), np.random.default_rng(5), []
    geometry = Geometry((1, 60, 60), (1.0, 0.5, 0.5))
    j, i = np.indices(geometry.shape[1:])
    for n in range(6):
        mask = ((j - 30) ** 2 + (i - 30) ** 2 < 22**2) if n < 5 else (abs(j - 30) < 2) & (abs(i - 30) < 2)
        border = 30 if n % 2 else 42
        values = np.where(i < border, 50, 120) + np.where(i < border, 3, 18) * rng.normal(size=mask.shape)
        write_image(Image(values[None].astype(np.float32), geometry), folder / f"{n}.nii.gz")
        write_labels(LabelImage(mask[None].astype(np.uint8), geometry), folder / f"{n}_mask.nii.gz")
        rows.append((f"p{n}", n % 2, f"{n}.nii.gz", f"{n}_mask.nii.gz"))
    pd.DataFrame(rows, columns=["patient", "y", "image:us", "mask:us"]).to_csv(folder / "cases.csv", index=False)
    return folder


def plan_of(folder: Path, **report: Any) -> Plan:
    shared = {"image": "us", "aggregate": "largest"}
    document = {
        "cohort": {"table": "cases.csv", "outcome": "y"},
        "features": [
            {"name": "het", "kind": "habitat", **shared},
            {"name": "ith", "kind": "ithscore", "image": "us"},
            {"name": "ring", "kind": "habitat", "ring_mm": [0, 3], **shared},
        ],
        "habitat": {
            "supervoxels": {"spacing_mm": [0, 0, 0], "volume_mm3": 12.0, "smoothing_mm": 0.5},
            "features": {"bin_width": 10},
            "ith2d": {"clusters": [3]},
            "ith3d": {"clusters": 2, "resamples": 0, "permutations": 0},
        },
        "models": [{"name": "m", "estimator": "lasso"}],
        "validate": {"folds": 2},
        "report": report,
    }
    return Plan.parse(document, base=folder)


@dataclass
class Made:
    data: StudyData
    store: RunFolder
    step: Habitats

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.store.path / "tables" / f"{name}.csv")


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The data of a study, and the habitats of a final model with the step of the lesion, but none of the ring."""
    store, plan = RunFolder(tmp_path_factory.mktemp("out")), plan_of(folder)
    data = prepare(plan, workers=1, store=store)
    write_pictures(store, data.pictures, list(data.cases["row"]))
    step = Habitats(clusters=2, starts=3, block="het")
    X, _ = data.matrix(["het", "ith", "ring"], "train", context=step.context)
    step.fit(X[list(step.context)])
    final: Any = SimpleNamespace(pipeline=SimpleNamespace(makers=[("habitat het", step)]))
    write_habitats(plan, data, {plan.final: final}, store)
    return Made(data, store, step)


def label_map(made: Made, row: str, kind: str, block: str = "het") -> np.ndarray:
    content = (made.store.path / habitat_paths(block, row)[kind]).read_bytes()
    return read_mask_png(content) if kind == "mask" else read_label_png(content)


def test_one_row_a_lesion_and_region(made: Made) -> None:
    """Lesion and ring of six patients; what cannot be cut has a note and no files."""
    found = made.table("habitat_pictures")
    assert found.columns.tolist() == COLUMNS
    assert found.groupby("block", sort=False)["row"].nunique().to_dict() == {"het": 6, "ring": 6}
    assert found["region"].unique().tolist() == ["lesion", "ring of 0 to 3 mm around the lesion"]
    small = found[(found["row"] == "p5") & (found["block"] == "het")].iloc[0]
    assert "supervoxel" in small["note"]
    assert not (made.store.path / habitat_paths("het", "p5")["supervoxels"]).exists()


def test_maps_are_there_where_a_block_wants_them(made: Made) -> None:
    """Clusters and habitats of the lesion; the ring, whose step the final model has not, and which no ITHscore is asked of, has neither."""
    files = {
        block: {kind for kind, path in habitat_paths(block, "p0").items() if (made.store.path / path).exists()}
        for block in ("het", "ring")
    }
    assert files["het"] == {"pixels", "mask", "supervoxels", "clusters", "habitats"}
    assert files["ring"] == {"pixels", "mask", "supervoxels"}


def test_labels_fill_the_lesion(made: Made) -> None:
    """Every voxel of the mask is in one supervoxel, every supervoxel in one habitat and one cluster, and nothing lies outside."""
    mask = label_map(made, "p0", "mask")
    supervoxels = label_map(made, "p0", "supervoxels")
    np.testing.assert_array_equal(supervoxels > 0, mask)
    for kind in ("clusters", "habitats"):
        labels = label_map(made, "p0", kind)
        np.testing.assert_array_equal(labels > 0, mask)
        for piece in np.unique(supervoxels[mask]):
            assert len(np.unique(labels[supervoxels == piece])) == 1


@pytest.mark.parametrize("row", ["p0", "p1", "p2", "p3"])
def test_a_habitat_is_the_same_tissue_in_every_patient(made: Made, row: str) -> None:
    """The leftmost and the rightmost voxels of each lesion: the same two habitats in all, the ones the step assigned."""
    habitats = label_map(made, row, "habitats")
    columns = np.flatnonzero(habitats.any(axis=0))
    middle = habitats.shape[0] // 2
    dark, bright = habitats[middle, columns[0] + 2], habitats[middle, columns[-1] - 2]
    table = made.table("habitats")
    means = table[table["feature"] == "firstorder_Mean"].set_index("habitat")["median"]
    assert (dark, bright) == (means.idxmin(), means.idxmax())


def test_ring_leaves_the_lesion_out(made: Made) -> None:
    """In the middle of the ring there is no supervoxel."""
    ring = label_map(made, "p0", "supervoxels", "ring")
    assert ring[ring.shape[0] // 2, ring.shape[1] // 2] == 0
    assert (ring > 0).any()


def test_shares_are_means_of_fractions(made: Made) -> None:
    """Of patients with each outcome, with an interval around; they add up to 1; a patient without habitats is in none."""
    found = made.table("habitat_shares")
    assert found.columns.tolist() == SHARE_COLUMNS
    X, who = made.data.matrix(["het"], "train", context=made.step.context)
    made_columns = made.step.make(X[list(made.step.context)]).set_axis(who.to_numpy())
    own = found[found["outcome"] == 1].set_index("habitat")
    expected = made_columns.loc[["p1", "p3"], "het.habitat_1_fraction"].mean()
    assert (own["share"][1], own["patients"][1]) == (pytest.approx(expected), 2)
    assert found.groupby("outcome")["share"].sum().tolist() == pytest.approx([1, 1])
    known = found.dropna(subset=["lower"])
    assert ((known["lower"] <= known["share"]) & (known["share"] <= known["upper"])).all()


def test_another_run_gives_the_same_bytes(folder: Path, made: Made, tmp_path: Path) -> None:
    """From the store and anew."""
    files = sorted((made.store.path / "pictures").rglob("*+habitat*.png"))
    before = {path: path.read_bytes() for path in files}
    final: Any = SimpleNamespace(pipeline=SimpleNamespace(makers=[("habitat het", made.step)]))
    for store in (made.store, RunFolder(tmp_path)):
        write_habitats(plan_of(folder), made.data, {plan_of(folder).final: final}, store)
        again = {path: (store.path / path.relative_to(made.store.path)).read_bytes() for path in files}
        assert again == before


def test_no_block_of_supervoxels_is_no_table(made: Made, tmp_path: Path) -> None:
    """And what an earlier run left goes."""
    store = RunFolder(tmp_path)
    store.write("tables/habitats.csv", pd.DataFrame({"a": [1]}))
    plan: Any = SimpleNamespace(features=[])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("isthmus.study.habitat_pictures.plan_blocks", lambda _: ())
        write_habitats(plan, made.data, {}, store)
    assert not (tmp_path / "tables" / "habitats.csv").exists()
