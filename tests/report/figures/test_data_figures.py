"""Figures of the data: their numbers against slow twins, and the outline against the mask."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from isthmus.image.crop import read_mask_png
from isthmus.report.figures import centres, clusters, families, feature_maps, icc, missingness, montage, patient_map
from isthmus.report.figures._canvas import pens
from isthmus.report.figures._matrix import matrix
from isthmus.report.figures._overlay import OUTLINE
from isthmus.report.figures._save import save_figure
from isthmus.study.result import Result
from report.quiet_result import quiet_result


def with_values(result: Result, values: pd.DataFrame) -> Result:
    """The result whose block `ct` has these values, by patient; families are what stands before the underscore."""
    facts = pd.DataFrame({"column": list(values.columns), "image": "ct", "filter": "original"})
    facts = facts.assign(family=[name.partition("_")[0] for name in values.columns])
    found = replace(result, blocks={"ct": facts})
    found._values["ct"] = values.rename_axis("patient").reset_index()
    return found


def small(count: int = 40) -> Result:
    """The quiet result with 20 training and 20 external patients."""
    result = quiet_result(Path("nowhere"))
    cases = result.cases[(result.cases.index < count // 2) | (result.cases.index >= 400 - count // 2)]
    return replace(result, cases=cases)


@pytest.fixture
def table() -> tuple[Result, pd.DataFrame]:
    """Six columns of two families, one with gaps."""
    result = small()
    rng = np.random.default_rng(6)
    patients = pd.Index(result.cases["patient"], name="patient")
    values = pd.DataFrame(
        rng.normal(size=(40, 6)), index=patients, columns=[f"{f}_{i}" for f in ("glcm", "shape") for i in range(3)]
    )
    values["glcm_1"] = values["glcm_0"] ** 3 + 0.01 * values["glcm_1"]
    values.loc[patients[:7], "shape_2"] = np.nan
    values.loc[patients[5:9], "shape_1"] = np.nan
    return with_values(result, values), values


def test_values_are_read_when_first_asked_for(full_run: Result) -> None:
    """A block's values, by patient, and nothing of a block the run does not hold."""
    assert (len(full_run.values("ct")), len(full_run.values("pet"))) == (len(full_run.cases), 0)


def test_a_patient_with_several_images_is_their_mean(table: tuple[Result, pd.DataFrame]) -> None:
    """Two rows of a patient are one, and who is not in the study is not in the matrix."""
    result, values = table
    twice = pd.concat(
        [values.reset_index(), (values + 2).reset_index().head(1), values.reset_index().tail(1).assign(patient="X")]
    )
    result._values["ct"] = twice
    seen = matrix(result).values
    assert (len(seen), seen.iloc[0, 0]) == (40, pytest.approx(values.iloc[0, 0] + 1))


# ---------------------------------------------------------------------- missingness


def test_missing_values_are_counted(table: tuple[Result, pd.DataFrame]) -> None:
    """Seven and four of forty, the most first; complete columns are not there."""
    found = missingness.data(table[0])["columns"]
    assert found[["column", "missing", "share"]].to_numpy().tolist() == [["shape_2", 7, 0.175], ["shape_1", 4, 0.1]]


def test_patterns_are_counted(table: tuple[Result, pd.DataFrame]) -> None:
    """Five lack the second column only, two both, two the other: each patient in one pattern."""
    found = missingness.data(table[0])["patterns"]
    counts = {(row["shape_2"], row["shape_1"]): row["patients"] for row in found.to_dict("records")}
    assert counts == {(1, 0): 5, (1, 1): 2, (0, 1): 2}


def test_nothing_missing_is_no_figure(table: tuple[Result, pd.DataFrame]) -> None:
    """A complete table has nothing to draw."""
    complete = with_values(table[0], table[1].fillna(0.0))
    assert not len(missingness.data(complete)["columns"])


# ---------------------------------------------------------------------- families and clusters


def test_the_most_chosen_column_stands_for_its_family(table: tuple[Result, pd.DataFrame]) -> None:
    """A selected one first; of a family without one the column most like the others."""
    result, values = table
    chosen = pd.DataFrame([("one", "shape_1", 0.4, 0.2, np.nan)], columns=result.selected.columns)
    found = families.data(with_values(replace(result, selected=chosen), values))["tests"]
    train = values.iloc[:20][["glcm_0", "glcm_1", "glcm_2"]]
    typical = train.corr(method="spearman").abs().mean().idxmax()
    assert found.set_index("family")["feature"].to_dict() == {"shape": "shape_1", "glcm": typical}


def test_a_column_without_values_is_typical_of_nothing(table: tuple[Result, pd.DataFrame]) -> None:
    """Beside an empty column the others are compared as if it were not there."""
    result, values = table
    found = families.data(with_values(result, values.assign(glcm_9=np.nan, shape_9=np.inf)))["tests"]
    assert found["feature"].tolist() == families.data(with_values(result, values))["tests"]["feature"].tolist()


def test_p_is_that_of_training_rows(table: tuple[Result, pd.DataFrame]) -> None:
    """Mann-Whitney of the training patients of both groups, adjusted over two families by Benjamini and Hochberg."""
    result, values = table
    found = families.data(result)["tests"]
    train = values.iloc[:20]
    codes = result.cases["outcome"].to_numpy()[:20]
    expected = [
        stats.mannwhitneyu(*(train[name][codes == c].dropna() for c in (0, 1)), method="exact").pvalue
        for name in found["feature"]
    ]
    assert found["p"].tolist() == pytest.approx(expected)
    assert found["p_adjusted"].tolist() == pytest.approx(stats.false_discovery_control(expected))


def selected(result: Result, names: list[str]) -> Result:
    """The result whose final model rests on some columns."""
    rows = [("one", name, 1.0 - 0.1 * place, 0.5, np.nan) for place, name in enumerate(names)]
    return replace(result, selected=pd.DataFrame(rows, columns=result.selected.columns))


def test_correlations_are_those_of_training_rows(table: tuple[Result, pd.DataFrame]) -> None:
    """Spearman by pandas, of complete columns."""
    result = selected(table[0], ["glcm_0", "shape_0"])
    result._values["ct"] = table[1].reset_index()
    found = clusters.data(result)["correlation"].set_index("column")
    expected = table[1].iloc[:20][list(found.columns)].corr(method="spearman").abs()
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-12)


def test_a_partner_is_shown_beside_its_column(table: tuple[Result, pd.DataFrame]) -> None:
    """The cube of a chosen column says the same; the others do not."""
    result = selected(table[0], ["glcm_0", "shape_0"])
    result._values["ct"] = table[1].reset_index()
    found = clusters.data(result)["columns"].set_index("feature")
    assert found["kind"].to_dict() == {"glcm_0": "of the model", "glcm_1": "partner", "shape_0": "of the model"}
    assert found["cluster"]["glcm_0"] == found["cluster"]["glcm_1"] != found["cluster"]["shape_0"]


# ---------------------------------------------------------------------- places


def test_eta_squared_is_that_of_an_anova(table: tuple[Result, pd.DataFrame]) -> None:
    """Of all forty patients at two centres: 1 - within over total sum of squares, from the F of an ANOVA."""
    result = table[0]
    cases = result.cases.assign(centre=np.where(np.arange(40) % 3 == 0, "A", "B"))
    moved = with_values(replace(result, cases=cases), table[1].fillna(0.0))
    found = centres.data(moved)
    f = stats.f_oneway(*(part["pc1"] for _, part in found["centres"].groupby("place"))).statistic
    assert found["shares"]["eta1"].item() == pytest.approx(f / (f + 38))


def test_one_centre_is_no_figure(table: tuple[Result, pd.DataFrame]) -> None:
    """Where all were scanned at one place there is nothing to compare."""
    result = replace(table[0], cases=table[0].cases.assign(centre="A"))
    result._values["ct"] = table[1].reset_index()
    assert not len(centres.data(result)["centres"])


def test_the_map_has_every_patient_once_a_method(full_run: Result) -> None:
    """Principal components and the run's own map, of all who are in the study."""
    found = patient_map.data(full_run)["patient_map"].groupby("method")["patient"].agg(["size", "nunique"])
    assert found.to_numpy().tolist() == [[80, 80], [80, 80]]


# ---------------------------------------------------------------------- reliability


def test_reliability_falls_and_is_counted_by_family() -> None:
    """Features in the order of their ICC; of each family how many were kept."""
    rows = [
        ("m", "2,1", "icc >= 0.75", f"glcm_{i}", v, v - 0.1, v + 0.02, v >= 0.75) for i, v in enumerate((0.3, 0.9, 0.8))
    ]
    rows.append(("m", "2,1", "icc >= 0.75", "shape_0", np.nan, np.nan, np.nan, False))
    table = pd.DataFrame(rows, columns=["models", "form", "rule", "feature", "icc", "lower", "upper", "kept"])
    result = with_values(small(), pd.DataFrame(columns=["glcm_0", "glcm_1", "glcm_2", "shape_0"]))
    found = icc.data(replace(result, tables={"reliability": table}))
    assert found["icc"]["feature"].tolist() == ["glcm_1", "glcm_2", "glcm_0"]
    assert found["families"][["family", "features", "kept", "median"]].to_numpy().tolist() == [["glcm", 3, 2, 0.8]]


# ---------------------------------------------------------------------- pictures


def drawn(figure: Any, data: dict[str, pd.DataFrame]) -> np.ndarray:
    """The figure as pixels, 300 dpi."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with pens():
        page = Figure(figsize=figure.size(data), dpi=300)
        canvas = FigureCanvasAgg(page)
        figure.draw(data, page.add_axes((0.0, 0.0, 1.0, 1.0)))
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def test_the_outline_is_around_the_mask(full_run: Result) -> None:
    """Painted pixels of the first tile lie on the edges of the mask: their box is the box of the mask in the tile."""
    data = montage.data(full_run)
    pixels = drawn(montage, data)
    colour = np.array([int(OUTLINE[place : place + 2], 16) for place in (1, 3, 5)])
    wide = pixels.shape[1] / montage.COLUMNS
    painted = (np.abs(pixels - colour) < 30).all(axis=2)[: int(1.3 * wide), : int(wide)]
    rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
    first = data["montage"].iloc[0]
    mask = read_mask_png(base64.b64decode(first["mask"]))
    tall, broad = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    tile = (montage._TILE - 0.04) * 300 / max(mask.shape)  # pixels of the drawing a pixel of the picture
    expected = ((tall[-1] - tall[0] + 1) * tile, (broad[-1] - broad[0] + 1) * tile)
    assert (rows[-1] - rows[0], columns[-1] - columns[0]) == pytest.approx(expected, abs=6)


def test_one_window_for_all_where_the_image_has_a_unit(full_run: Result) -> None:
    """Tiles in HU share black and white."""
    found = montage.data(full_run)["montage"]
    assert (found["quantity"].unique().tolist(), found["black"].nunique(), found["white"].nunique()) == (["HU"], 1, 1)


def test_both_groups_are_shown(full_run: Result) -> None:
    """Eight pictures, the patients without the outcome first."""
    codes = montage.data(full_run)["montage"]["code"].tolist()
    assert codes == sorted(codes)
    assert set(codes) == {0, 1}


def test_pictures_that_are_gone_are_no_figure(full_run: Result, tmp_path: Path) -> None:
    """A run folder whose pictures were deleted has a report without them."""
    moved = replace(full_run, folder=tmp_path)
    assert not len(montage.data(moved)["montage"])
    assert not len(feature_maps.data(moved)["feature_maps"])


def test_two_equal_lesions_share_no_id(full_run: Result, tmp_path: Path) -> None:
    """A picture that occurs twice in a figure has no id, which would stand twice on the page."""
    table = full_run.tables["pictures"].head(1)
    twice = replace(full_run, tables=full_run.tables | {"pictures": pd.concat([table, table])})
    drawing = save_figure(montage, twice, tmp_path)
    assert drawing is not None
    ids = re.findall(r'\sid="([^"]+)"', drawing.svg)
    assert (drawing.svg.count("<image"), len(ids)) == (2, len(set(ids)))
