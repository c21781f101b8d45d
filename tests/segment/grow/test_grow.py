"""From clicks to a mask on the image's grid: boxes, holes, bridges, what is refused, and the record of how it was made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import ImageReadError, PlanError, TableError
from isthmus.image.geometry import Geometry
from isthmus.image.image import Image
from isthmus.image.io import read_image, read_labels, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import origin_path, read_origin
from isthmus.roi.read import read_roi
from isthmus.segment import Seeds, grow, grow_recorded, read_seeds
from isthmus.study.grow import grow_cases, grow_to_file

OBLIQUE = np.array([[0.0, 0.6, 0.8], [0.0, -0.8, 0.6], [1.0, 0.0, 0.0]])
GEOMETRY = Geometry((12, 30, 28), (2.5, 1.0, 0.8), (11.0, -40.0, 7.5), OBLIQUE)
AT, FAR = (6, 15, 14), (6, 2, 2)


def block(thick: int = 6) -> Image:
    values = np.zeros(GEOMETRY.shape, np.float32)
    values[3:9, 15 - thick : 15 + thick, 14 - thick : 14 + thick] = 50
    return Image(values, GEOMETRY)


def point(voxel: tuple[int, int, int]) -> list[float]:
    return (GEOMETRY.affine @ [*voxel, 1.0])[:3].tolist()


def test_points_are_the_voxels_they_lie_in() -> None:
    """LPS millimetres on an oblique grid, up to nearly half a voxel beside the centre."""
    shift = OBLIQUE @ (np.array(GEOMETRY.spacing_mm) * 0.49)
    seeds = Seeds.at_points([point(AT), (np.array(point(AT)) + shift).tolist()], [point(FAR)], geometry=GEOMETRY)
    assert seeds.as_dict() == {"inside": [list(AT)] * 2, "outside": [list(FAR)]}


@pytest.mark.parametrize("names", ["x,y,z", "k,j,i"])
def test_seeds_are_read_from_a_table(tmp_path: Path, names: str) -> None:
    """Points or voxels; 0 is outside; rows of another case are not this one's."""
    places = [point(v) if names == "x,y,z" else v for v in (AT, FAR, (1, 1, 1))]
    rows = [f"{case},{','.join(map(str, p))},{side}" for case, p, side in zip("aab", places, (1, 0, 1), strict=True)]
    (tmp_path / "seeds.csv").write_text("\n".join([f"case,{names},inside", *rows]))
    seeds = read_seeds(tmp_path / "seeds.csv", GEOMETRY, case="a")
    assert seeds.as_dict() == {"inside": [list(AT)], "outside": [list(FAR)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2", "expected x, y, z"), ("k,j,i,inside\n1,2,3,2", "row 2: numbers for k, j, i and 0 or 1")],
)
def test_a_table_that_holds_no_seeds_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """With the column or the row."""
    (tmp_path / "seeds.csv").write_text(text)
    with pytest.raises(TableError, match=message):
        read_seeds(tmp_path / "seeds.csv", GEOMETRY)


def test_the_mask_stays_in_the_box() -> None:
    """And is on the image's grid."""
    found = grow(
        block(), Seeds.at_voxels([AT]), method="region", within=5.0, box=(slice(4, 8), slice(0, 30), slice(10, 20))
    )
    expected = np.zeros(GEOMETRY.shape, bool)
    expected[4:8, 9:21, 10:20] = True
    np.testing.assert_array_equal(found, expected)


def test_the_mask_stays_near_the_clicks() -> None:
    """`reach_mm` is in millimetres along every axis."""
    image = Image(np.zeros(GEOMETRY.shape, np.float32), GEOMETRY)
    found = np.argwhere(grow(image, Seeds.at_voxels([AT]), method="region", within=1.0, reach_mm=5.0))
    assert (found.min(0).tolist(), found.max(0).tolist()) == ([4, 10, 7], [8, 20, 21])


@pytest.mark.parametrize("fill", [True, False])
def test_holes_are_filled_when_asked(fill: bool) -> None:
    """A dark core belongs to the lesion, or not."""
    values = block().values.copy()
    values[5:7, 14:16, 13:15] = 0
    found = grow(Image(values, GEOMETRY), Seeds.at_voxels([(4, 15, 14)]), method="region", within=5.0, fill_holes=fill)
    assert found[5, 14, 13] == fill


def test_thin_bridges_are_cut() -> None:
    """What hangs on the click only by a thread goes, the lesion keeps its volume."""
    values = block(4).values.copy()
    values[5, 15, 18:24] = 50
    values[3:9, 10:20, 22:28] = 50
    image, seeds = Image(values, GEOMETRY), Seeds.at_voxels([AT])
    whole = grow(image, seeds, method="region", within=5.0)
    cut = grow(image, seeds, method="region", within=5.0, open_mm=1.2)
    assert whole[5, 15, 26]
    assert not cut[5, 15, 26]
    assert cut.sum() == pytest.approx(6 * 8 * 8, rel=0.15)


def test_a_click_outside_stays_outside() -> None:
    """Also in the middle of what was found, of every method."""
    seeds = Seeds.at_voxels([AT], [(6, 15, 17)])
    for method in ("region", "threshold", "confidence", "chan_vese", "geodesic", "growcut"):
        found = grow(block(), seeds, method=method)
        assert (found[AT], found[6, 15, 17]) == (True, False), method


@pytest.mark.parametrize(
    ("seeds", "settings", "message"),
    [
        ([(6, 15, 99)], {}, r"the seed at voxel \(6, 15, 99\) \(k, j, i\) lies outside the image"),
        ([AT], {"method": "growcot"}, "method 'growcot' is not known.*growcut"),
        ([AT], {"radius": 3.0}, "radius"),
        ([AT], {"method": "threshold", "rule": "fixed"}, "give lower, upper, or both"),
        ([AT], {"box": (slice(0, 3), slice(0, 30), slice(0, 28))}, "lies outside the box"),
        ([AT], {"box": (slice(0, 13), slice(0, 30), slice(0, 28))}, "does not lie in the image"),
    ],
)
def test_what_cannot_be_done_is_refused(seeds: list[tuple[int, int, int]], settings: dict, message: str) -> None:
    """Seeds, methods, settings, boxes; with what was expected."""
    with pytest.raises(PlanError, match=message):
        grow(block(), Seeds.at_voxels(seeds), **settings)


def test_no_seed_inside_is_refused() -> None:
    """A click outside alone says nothing of the lesion."""
    with pytest.raises(PlanError, match="click at least once in the lesion"):
        Seeds.at_voxels([], [AT])


def test_values_that_are_no_numbers_are_refused() -> None:
    """In the box; elsewhere they do not matter."""
    values = block().values.copy()
    values[0, 0, 0] = np.nan
    image = replace(block(), values=values)
    with pytest.raises(ImageReadError, match="NaN or infinite in the box"):
        grow(image, Seeds.at_voxels([AT]))
    assert grow(image, Seeds.at_voxels([AT]), box=(slice(1, 12), slice(1, 30), slice(1, 28))).any()


def test_the_origin_says_how(tmp_path: Path) -> None:
    """Method, every setting with its value, seeds, box, versions, and the mask it belongs to."""
    mask, origin = grow_recorded(block(), Seeds.at_voxels([AT], [FAR]), method="region", within=5.0)
    said = json.loads(json.dumps(origin.as_dict()))
    assert (said["kind"], said["method"], said["seeds"]["outside"]) == ("semi-automatic", "region", [list(FAR)])
    assert said["settings"]["within"] == 5.0
    assert said["settings"]["fill_holes"] is True
    assert said["versions"]["numpy"] == np.__version__
    assert origin.sentence(mask) == "the mask is semi-automatic (region)"


def test_a_file_is_written_on_the_images_grid_and_its_origin_is_noted(tmp_path: Path) -> None:
    """Read back as a lesion, the mask says that it is semi-automatic; changed by hand, that it was."""
    write_image(block(), tmp_path / "p1.nii.gz")
    out = tmp_path / "masks" / "p1.nii.gz"
    told = grow_to_file(
        tmp_path / "p1.nii.gz", out, inside=[",".join(map(str, point(AT)))], method="region", settings=["within=5"], label=3
    )  # fmt: skip
    assert told == origin_path(out) == tmp_path / "masks" / "p1.origin.json"
    image, labels = read_image(tmp_path / "p1.nii.gz"), read_labels(out)
    assert labels.geometry.difference(image.geometry) is None
    assert labels.labels() == {3: 6 * 12 * 12}
    assert read_roi(out, image, label=3).notes == ("the mask is semi-automatic (region)",)
    changed = labels.values.copy()
    changed[3] = 0
    write_labels(LabelImage(changed, labels.geometry), out)
    assert read_roi(out, image, label=3).notes == ("the mask was semi-automatic (region) and has been changed since",)


def test_an_origin_that_cannot_be_read_is_told_and_the_mask_used(tmp_path: Path) -> None:
    """It costs the record, not the case."""
    write_labels(LabelImage((block().values > 0).astype(np.uint8), GEOMETRY), tmp_path / "m.nii.gz")
    (tmp_path / "m.origin.json").write_text("[]")
    (note,) = read_roi(tmp_path / "m.nii.gz", block()).notes
    assert "not a mask's origin" in note
    (tmp_path / "m.origin.json").unlink()
    assert read_origin(tmp_path / "m.nii.gz") is None


def test_clicks_and_box_in_voxels(tmp_path: Path) -> None:
    """Both corners of the box belong to it."""
    write_image(block(), tmp_path / "p1.nii.gz")
    grow_to_file(
        tmp_path / "p1.nii.gz", tmp_path / "m.nii.gz", inside=["6,15,14"], voxels=True, box="4,0,0,7,29,27", method="region",
        settings=["within=5"],
    )  # fmt: skip
    assert sorted(np.unique(np.nonzero(read_labels(tmp_path / "m.nii.gz").values)[0])) == [4, 5, 6, 7]
    with pytest.raises(PlanError, match="--box '1,2': 6 numbers"):
        grow_to_file(tmp_path / "p1.nii.gz", tmp_path / "m.nii.gz", inside=["6,15,14"], voxels=True, box="1,2")


def test_a_table_of_cases(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mask and its origin a row; one whose click finds nothing is told, the others go on."""
    for name in ("p1", "p2"):
        write_image(block(), tmp_path / f"{name}.nii.gz")
    (tmp_path / "cases.csv").write_text("patient,image:mr\np1,p1.nii.gz\np2,p2.nii.gz\n")
    (tmp_path / "seeds.csv").write_text("case,k,j,i\np1,6,15,14\np2,6,15,99\n")
    out = tmp_path / "masks"
    given = {"method": "region", "settings": ["within=5"], "label": 2}
    assert grow_cases(tmp_path / "cases.csv", tmp_path / "seeds.csv", out, **given) == 1
    table = pd.read_csv(out / "grown.csv").set_index("row")
    assert table.loc["p1", ["mask", "voxels"]].tolist() == ["p1.nii.gz", 864]
    assert "lies outside the image" in table.loc["p2", "reason"]
    assert "case p2: the seed at voxel" in caplog.text
    assert read_labels(out / "p1.nii.gz").labels() == {2: 864}
    assert read_origin(out / "p1.nii.gz") is not None
    (tmp_path / "seeds.csv").write_text("k,j,i\n6,15,14\n")
    with pytest.raises(TableError, match="a column case is needed"):
        grow_cases(tmp_path / "cases.csv", tmp_path / "seeds.csv", out)
