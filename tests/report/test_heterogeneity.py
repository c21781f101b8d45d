"""Figures of one lesion: what they say, that texts fit, and that a picture of ultrasound and a lesion that cannot be cut are drawn, too."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from isthmus.habitat import Description, HeterogeneitySettings, describe
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.report.figures._overlay import label_colours
from isthmus.report.heterogeneity import CaseFigure, figures_of, lesion_figures
from isthmus.roi import Roi
from report.figures.paper import Paper, draw

Case = tuple[Image, Roi, Description, HeterogeneitySettings, str]


def settings(**parts: object) -> HeterogeneitySettings:
    quick = {"ited": {"resamples": 0}, "ith3d": {"resamples": 20, "clusters": 3}}
    return HeterogeneitySettings.model_validate(quick | parts)


def ct() -> Case:
    """An ellipsoid of two tissues in voxels of 2.5 x 0.8 x 0.8 mm."""
    shape, rng = (10, 36, 40), np.random.default_rng(1)
    k, j, i = np.indices(shape)
    inside = ((k - 4.5) / 4) ** 2 + ((j - 18) / 14) ** 2 + ((i - 20) / 16) ** 2 < 1
    values = np.where(inside, np.where(i > 20, 110, 60), 30) + rng.normal(0, 8, shape)
    geometry = Geometry(shape, (2.5, 0.8, 0.8))
    image, roi = Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(inside, geometry)
    asked = settings(ith2d={"clusters": [3, 6]})
    return image, roi, describe(image, roi, asked, patient="A"), asked, "A"


def ultrasound() -> Case:
    """A dark nodule with a bright part in speckle: one picture without a place in the patient."""
    from scipy.ndimage import gaussian_filter

    shape, rng = (90, 120), np.random.default_rng(3)
    j, i = np.indices(shape)
    inside = ((j - 45) / 22) ** 2 + ((i - 60) / 35) ** 2 < 1
    echo = np.where(inside, np.where(np.hypot(j - 45, i - 70) < 12, 110, 50), 130)
    speckle = np.hypot(*(gaussian_filter(rng.normal(size=shape), (0.8, 1.4)) for _ in range(2)))
    values = np.clip(echo * speckle / speckle.mean(), 0, 255).astype(np.int16)
    geometry = Geometry((1, *shape), (1.0, 0.2, 0.2), placed=False)
    image, roi = Image(values[None], geometry), Roi(inside[None], geometry)
    asked = settings(
        supervoxels={"spacing_mm": (0, 0.2, 0.2), "volume_mm3": 4.0, "smoothing_mm": 0.2},
        ith2d={"clusters": [3], "spacing_mm": 0.4},
    )
    return image, roi, describe(image, roi, asked, patient="nodule"), asked, "nodule"


def tiny() -> Case:
    """A lesion of eight voxels: no supervoxels, no clusters of pixels."""
    geometry = Geometry((4, 30, 30), (2.0, 1.0, 1.0))
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[1:3, 10:12, 10:12] = True
    image, roi = Image(np.arange(3600, dtype=np.int32).reshape(geometry.shape), geometry), Roi(mask, geometry)
    asked = settings(supervoxels={"spacing_mm": None}, ith2d={"clusters": [9]})
    return image, roi, describe(image, roi, asked), asked, ""


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {"ct": ct(), "ultrasound": ultrasound(), "tiny": tiny()}


def paper(figure: CaseFigure) -> Paper:
    return draw(SimpleNamespace(size=lambda _: figure.size, draw=lambda _, ax: figure.draw(ax)), {})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def papers(cases: dict[str, Case]) -> dict[tuple[str, str], Paper]:
    return {(name, figure.NAME): paper(figure) for name, case in cases.items() for figure in figures_of(*case)}


def words(paper: Paper) -> str:
    return "\n".join(text for text, _ in paper.texts)


def test_which_figures_there_are(papers: dict[tuple[str, str], Paper]) -> None:
    """Two, and one where no map of the slice could be made."""
    assert sorted(papers) == [
        ("ct", "heterogeneity"), ("ct", "multi_resolution"), ("tiny", "heterogeneity"), ("ultrasound", "heterogeneity"),
        ("ultrasound", "multi_resolution"),
    ]  # fmt: skip


def test_texts_can_be_read(papers: dict[tuple[str, str], Paper]) -> None:
    """None cut off, none on another, none below 6.5 points, at 170 mm."""
    for found in papers.values():
        assert (found.outside(), found.overlapping(), min(found.letters.values()) >= 6.5) == ([], [], True)
        assert found.width * 25.4 == pytest.approx(170)


def test_slice_orientation_and_window_are_said(papers: dict[tuple[str, str], Paper]) -> None:
    """Of CT the plane, the slice and HU; ultrasound has neither plane nor letters at its edges."""
    assert "A: axial slice 5 of 10; window −160 to 240 HU" in words(papers["ct", "heterogeneity"])
    flat = words(papers["ultrasound", "heterogeneity"])
    assert "nodule: 2-D image; window" in flat
    assert "axial" not in flat
    assert [text for text, _ in papers["ct", "heterogeneity"].texts].count("R") == 3
    assert [text for text, _ in papers["ultrasound", "heterogeneity"].texts].count("R") == 0


def test_scores_are_those_of_the_description(cases: dict[str, Case], papers: dict[tuple[str, str], Paper]) -> None:
    """With interval and what chance gives; each map with its score, their mean below."""
    values = cases["ct"][2].values
    low, high = values["ith3d_fragment_ci_lower"], values["ith3d_fragment_ci_upper"]
    expected = f"fragment: {values['ith3d_fragment']:.2f} (95 % CI {low:.2f} to {high:.2f})"
    assert expected in words(papers["ct", "heterogeneity"])
    maps = words(papers["ct", "multi_resolution"])
    assert f"K = 3: {values['ith2d_k3']:.2f}" in maps
    assert f"ITHscore 2-D: {values['ith2d']:.3f}, the mean over K = 3 and 6" in maps


def test_why_nothing_was_cut_is_said(papers: dict[tuple[str, str], Paper]) -> None:
    """The picture stands all the same."""
    assert "not known: region" in words(papers["tiny", "heterogeneity"])


def test_clusters_ascend_in_brightness_and_share_the_lesion(cases: dict[str, Case]) -> None:
    """Numbers of the figure are those of clusters.nii.gz."""
    image, roi, found, asked, name = cases["ct"]
    table = figures_of(image, roi, found, asked, name)[0].tables()["clusters"]
    assert (table["cluster"].tolist(), table["share"].sum()) == ([1, 2, 3], pytest.approx(1))
    assert table["mean_intensity"].is_monotonic_increasing
    np.testing.assert_allclose(
        table["share"], np.bincount(found.clusters[found.clusters > 0])[1:] / (found.clusters > 0).sum()
    )


def test_maps_of_the_slice_ascend_in_brightness(cases: dict[str, Case]) -> None:
    """Cluster 1 is the darkest at every number of clusters."""
    flat = cases["ct"][2].flat
    for count, labels in flat.maps.items():
        means = [float(flat.image.values[labels == c].mean()) for c in range(1, count + 1)]
        assert means == sorted(means)


def test_clusters_are_painted_where_they_lie(cases: dict[str, Case]) -> None:
    """In the picture of CT the left half of the lesion has the colour of its cluster, mixed with grey; the surroundings have none."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = figures_of(*cases["ct"])[0]
    page = Figure(figsize=figure.size, dpi=100)
    FigureCanvasAgg(page)
    figure.draw(page.add_axes((0, 0, 1, 1)))
    shown = page.axes[0].child_axes[2].images[0].get_array()
    saturation = shown.max(axis=2).astype(int) - shown.min(axis=2)
    assert saturation[0].max() == 0
    middle = shown[shown.shape[0] // 2, shown.shape[1] // 4]
    found = cases["ct"][2]
    k, j, i = (n // 2 for n in found.clusters.shape)
    colour = label_colours(3)[found.clusters[k, j, i // 2] - 1]
    assert np.argmax(middle) == np.argmax(colour)


def test_files_of_a_case(cases: dict[str, Case], small_pictures: None, tmp_path: Path) -> None:
    """svg, pdf, png and the numbers of both figures."""
    files = lesion_figures(*cases["ultrasound"][:4], tmp_path, "nodule")
    assert {path.name for path in files} == {
        f"{name}.{kind}" for name in ("heterogeneity", "multi_resolution") for kind in ("csv", "svg", "pdf", "png")
    }
    assert pd.read_csv(tmp_path / "multi_resolution.csv")["clusters"].tolist() == [3]
