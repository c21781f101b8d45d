"""`isthmus pathology import`: nuclei of other programs are measured once each, with their classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from isthmus.errors import ImageReadError, PlanError
from isthmus.study.pathology import pathology_settings, slides_given
from isthmus.study.pathology_import import import_to_folder
from isthmus.synthetic.slides import SlidePlan, write_slide

pytest.importorskip("openslide")

SETTINGS = pathology_settings(settings=["tile=256", "samples=4", "sample=200", "tissue.least_piece_um2=2000"])


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A slide of 0.5 um per pixel, and octagons of 4 um on its planted nuclei."""
    path = tmp_path_factory.mktemp("import") / "one.tif"
    return path, write_slide(path, SlidePlan(rows=480, columns=560))


def _rings(truth: pd.DataFrame) -> list[np.ndarray]:
    angle = np.arange(8) * np.pi / 4
    around = 8 * np.column_stack([np.cos(angle), np.sin(angle)])
    return [np.array([x, y]) / 0.5 + around for x, y in truth[["x_um", "y_um"]].to_numpy(float)]


def _imported(slide: Path, nuclei: Path, out: Path) -> pd.DataFrame:
    import_to_folder(out, slides_given(slide, None), SETTINGS, nuclei=nuclei)
    return pd.read_parquet(out / "nuclei.parquet")


def test_geojson_outlines_are_nuclei_with_classes(slide: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    """Each outline once, though tiles of 256 pixels cut the slide; areas of the octagon."""
    path, truth = slide
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]},
         "properties": {"classification": {"name": "Tumor" if n % 2 else "Immune"}}}
        for n, ring in enumerate(_rings(truth))
    ]  # fmt: skip
    (tmp_path / "n.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = _imported(path, tmp_path / "n.geojson", tmp_path / "out")
    assert len(found) == pytest.approx(len(truth), rel=0.02)
    assert set(found["class"]) == {"Tumor", "Immune"}
    assert found["area"].median() == pytest.approx(2 * np.sqrt(2) * 16, rel=0.05)


def test_hovernet_json_names_the_classes_of_pannuke(slide: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    path, truth = slide
    nuclei = {
        str(n): {"contour": np.round(ring).astype(int).tolist(), "type": n % 6, "type_prob": 0.9}
        for n, ring in enumerate(_rings(truth))
    }
    (tmp_path / "n.json").write_text(json.dumps({"mag": None, "nuc": nuclei}))
    found = _imported(path, tmp_path / "n.json", tmp_path / "out")
    assert set(found["class"]) == {"none", "neoplastic", "inflammatory", "connective", "dead", "epithelial"}


def test_labels_and_outlines_of_the_same_nuclei_are_the_same_table(
    slide: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    """A picture of labels at the slide's own resolution, as StarDist writes it."""
    from isthmus.pathology.annotation import Outline
    from isthmus.pathology.importing import labels_of_outlines

    path, truth = slide
    rings = _rings(truth)
    labels = labels_of_outlines([Outline("", ring) for ring in rings], (480, 560))
    Image.fromarray(labels.astype(np.uint16)).save(tmp_path / "n.png")
    nuclei = {str(n): {"contour": (ring - 0.5).tolist(), "type": None} for n, ring in enumerate(rings)}
    (tmp_path / "n.json").write_text(json.dumps({"nuc": nuclei}))
    one, other = (_imported(path, tmp_path / name, tmp_path / name[2:]) for name in ("n.png", "n.json"))
    pd.testing.assert_frame_equal(one, other)


def test_a_slide_without_nuclei_is_refused(slide: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no file of nuclei"):
        import_to_folder(tmp_path, slides_given(slide[0], None), SETTINGS)


def test_nuclei_of_another_slide_are_told(slide: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    ring = [[90000, 90000], [90009, 90000], [90009, 90009]]
    (tmp_path / "n.json").write_text(json.dumps({"nuc": {"1": {"contour": ring, "type": 1}}}))
    with pytest.raises(ImageReadError, match="of this slide"):
        _imported(slide[0], tmp_path / "n.json", tmp_path / "out")
