"""Slides with a known truth: tissue, resolution, ownership of nuclei, annotations."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from isthmus.errors import ImageReadError
from isthmus.pathology import PathologySettings, open_slide, read_outlines
from isthmus.pathology.annotation import inside
from isthmus.pathology.nuclei import learn_slide, nuclei_of_tile
from isthmus.pathology.tiles import tiles_of, tissue_of
from isthmus.pathology.tissue import find_tissue, focus, grey, otsu, pen
from isthmus.synthetic.slides import SlidePlan, paint, write_slide

pytest.importorskip("openslide")

PLAN = SlidePlan(rows=480, columns=560)
SETTINGS = PathologySettings.model_validate({"samples": 4, "sample": 200, "tissue": {"least_piece_um2": 2000}})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    path = tmp_path_factory.mktemp("slides") / "one.tif"
    return path, write_slide(path, PLAN)


def found(path: Path, settings: PathologySettings, **given: object) -> pd.DataFrame:
    slide = open_slide(path)
    tissue, _ = tissue_of(slide, settings.tissue)
    facts = learn_slide(slide, tissue, settings)
    tiles = tiles_of(slide, tissue, settings.mpp, settings.tile)
    each = [nuclei_of_tile(slide, tissue, tile, facts, settings, **given) for tile in tiles]  # type: ignore[arg-type]
    return pd.concat(each).sort_values(["y_um", "x_um"], ignore_index=True)


def test_every_planted_nucleus_is_found_once(written: tuple[Path, pd.DataFrame], everything: pd.DataFrame) -> None:
    """Within 2 um of its place, and nothing else is found, but for a few that overlap."""
    from scipy.spatial import cKDTree

    nuclei, truth = everything, written[1]
    near = cKDTree(nuclei[["x_um", "y_um"]]).query(truth[["x_um", "y_um"]])[0] < 2
    assert near.mean() > 0.97
    assert len(nuclei) == pytest.approx(len(truth), rel=0.03)


@pytest.fixture(scope="module")
def everything(written: tuple[Path, pd.DataFrame]) -> pd.DataFrame:
    return found(written[0], SETTINGS)


@pytest.mark.parametrize("tile", [240])
def test_the_tile_size_changes_no_nucleus(
    written: tuple[Path, pd.DataFrame], everything: pd.DataFrame, tile: int
) -> None:
    """Same nuclei, same bits of every feature, whatever the tiles."""
    other = found(written[0], SETTINGS.model_copy(update={"tile": tile}))
    pd.testing.assert_frame_equal(everything, other, check_exact=True)


def test_the_size_of_a_nucleus_does_not_depend_on_the_scanner(tmp_path: Path, everything: pd.DataFrame) -> None:
    """The same tissue scanned at 0.25 um is worked on at 0.5 um: areas within 5 %."""
    fine = tmp_path / "fine.tif"
    write_slide(fine, replace(PLAN, rows=960, columns=1120, mpp=0.25))
    once, twice = everything, found(fine, SETTINGS)
    assert twice["area"].median() == pytest.approx(once["area"].median(), rel=0.05)
    assert len(twice) == pytest.approx(len(once), rel=0.02)


def test_what_is_read_does_not_depend_on_the_rectangle(written: tuple[Path, pd.DataFrame]) -> None:
    slide = open_slide(written[0])
    whole = slide.read(0, 0, 340, 400, 0.7)
    np.testing.assert_array_equal(whole[37:150, 41:260], slide.read(37, 41, 113, 219, 0.7))


def test_resampling_keeps_the_mean(written: tuple[Path, pd.DataFrame]) -> None:
    slide = open_slide(written[0])
    coarse, fine = slide.read(0, 0, *slide.shape(4.0), 4.0), slide.read(0, 0, 480, 560, 0.5)
    assert coarse.mean() == pytest.approx(fine.mean(), abs=1.0)


def test_a_slide_without_micrometres_is_refused_unless_they_are_given(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.fromarray(paint(PLAN, 0, 0, 64, 64)).save(path)
    with pytest.raises(ImageReadError, match="micrometres per pixel"):
        open_slide(path)
    assert open_slide(path, mpp=0.5).mpp == 0.5


def test_an_annotation_restricts_the_nuclei(
    written: tuple[Path, pd.DataFrame], everything: pd.DataFrame, tmp_path: Path
) -> None:
    """The left half, with a hole: no nucleus outside, none in the hole, all others as before."""
    left, hole = (
        [[0, 0], [280, 0], [280, 480], [0, 480], [0, 0]],
        [[180, 180], [240, 180], [240, 260], [180, 260], [180, 180]],
    )
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [left, hole]},
        "properties": {"classification": {"name": "Tumor"}},
    }
    path = tmp_path / "drawn.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    outlines = read_outlines(path)
    some = found(written[0], SETTINGS, outlines=outlines)
    expected = everything[inside(outlines, everything[["x_px", "y_px"]].to_numpy())]
    pd.testing.assert_frame_equal(some, expected.reset_index(drop=True))
    assert 0 < len(some) < len(everything)


def test_asap_is_read(tmp_path: Path) -> None:
    path = tmp_path / "drawn.xml"
    path.write_text(
        '<ASAP_Annotations><Annotations><Annotation Type="Polygon" PartOfGroup="tumour"><Coordinates>'
        '<Coordinate Order="1" X="10" Y="0"/><Coordinate Order="0" X="0" Y="0"/><Coordinate Order="2" X="10" Y="10"/>'
        "</Coordinates></Annotation></Annotations></ASAP_Annotations>"
    )
    (outline,) = read_outlines(path)
    assert (outline.name, outline.ring.tolist()) == ("tumour", [[0, 0], [10, 0], [10, 10]])


def test_entities_in_xml_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "drawn.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(ImageReadError, match="document types"):
        read_outlines(path)


def test_the_reference_thumbnail_has_the_expected_threshold(shared_data: Path) -> None:
    """Otsu's threshold of its brightness is 140, and what is above it is the stored mask."""
    folder = shared_data / "pathology" / "wsi"
    rgb = np.asarray(Image.open(folder / "slide_thumbnail.png").convert("RGB"))
    expected = np.asarray(Image.open(folder / "slide_thumbnail_expected_otsu_mask.png").convert("L")) > 0
    assert otsu(grey(rgb)) == 140
    np.testing.assert_array_equal(grey(rgb) > 140, expected)


def test_pen_is_no_tissue() -> None:
    rgb = np.full((60, 80, 3), 245, dtype=np.uint8)
    rgb[10:50, 5:40] = [200, 120, 170]
    rgb[10:50, 50:60] = [30, 90, 60]
    tissue = find_tissue(rgb, 8.0)
    assert pen(rgb)[:, 50:60].any()
    assert not tissue.mask[:, 45:].any()
    assert tissue.mask[20:40, 10:35].all()


def test_two_pieces_are_two(written: tuple[Path, pd.DataFrame]) -> None:
    rgb = np.full((80, 120, 3), 245, dtype=np.uint8)
    rgb[10:60, 5:40] = rgb[10:60, 60:110] = [200, 120, 170]
    assert find_tissue(rgb, 8.0).pieces == 2


def test_glass_has_no_tissue() -> None:
    assert not find_tissue(np.full((60, 60, 3), 245, dtype=np.uint8), 8.0).mask.any()


def test_a_blurred_nucleus_has_less_focus() -> None:
    from scipy import ndimage

    sharp = paint(PLAN, 150, 150, 200, 200)
    everything = np.ones((200, 200), dtype=np.int32)
    assert focus(ndimage.gaussian_filter(sharp, (4, 4, 0)), everything)[0] < 0.5 * focus(sharp, everything)[0]


def test_tiles_cover_the_tissue_once(written: tuple[Path, pd.DataFrame]) -> None:
    slide = open_slide(written[0])
    tissue, _ = tissue_of(slide, SETTINGS.tissue)
    covered = np.zeros(slide.shape(0.5), dtype=int)
    for tile in tiles_of(slide, tissue, 0.5, 200):
        covered[tile.top : tile.top + tile.rows, tile.left : tile.left + tile.columns] += 1
    assert covered.max() == 1


@pytest.mark.parametrize(("at", "said"), [(4, "values, more than"), (0, "entries, more than")])
def test_a_directory_larger_than_its_file(tmp_path: Path, at: int, said: str) -> None:
    """OpenSlide would ask for that much memory, and end the process where it cannot be had."""
    from isthmus.pathology.tiff import check_tiff

    entry = struct.pack("<HHQQ", 256, 3, 2**45 if at else 1, 0)
    content = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", 1 if at else 2**40) + entry + bytes(8)
    (tmp_path / "a.svs").write_bytes(content)
    with pytest.raises(ImageReadError, match=said):
        check_tiff(tmp_path / "a.svs")


def test_a_cut_off_slide_is_told_in_one_line(
    written: tuple[Path, pd.DataFrame], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a file that stops in its middle no other program's words reach the user."""
    path = tmp_path / "cut.tif"
    for length in (200, 4000):
        path.write_bytes(written[0].read_bytes()[:length])
        with pytest.raises(ImageReadError, match="is the file whole"):
            open_slide(path)
    assert caplog.text == ""
