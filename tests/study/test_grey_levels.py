"""`isthmus check` helps to choose the width of the grey level bins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.features import PROFILES
from isthmus.image import Geometry, Image, LabelImage
from isthmus.image.io import write_image, write_labels
from isthmus.roi import Roi
from isthmus.study.check import check_plan
from isthmus.study.grey_levels import block_levels, odd_cases

GRID = Geometry((4, 10, 10), (1.0, 1.0, 1.0))


def counted(spans: list[float], width: float | None = 25.0, label: str = "FBS 25") -> pd.DataFrame:
    """Rows as an extraction makes them, for lesions with these ranges of intensity."""
    facts = {"patient": "P", "block": "ct", "lowest": 0.0, "bin_width": width, "discretisation": label}
    rows = [{"row": f"P{n}", **facts, "highest": span} for n, span in enumerate(spans)]
    frame = pd.DataFrame(rows)
    frame["levels"] = (frame["highest"] // (width or 10) + 1).astype(int)
    return frame


def study(folder: Path, block: str, spans: list[int]) -> Path:
    """A plan over lesions that hold every intensity from 0 to these."""
    rows = []
    for number, span in enumerate(spans):
        values = np.linspace(0, span, 400).round().reshape(GRID.shape).astype(np.int16)
        write_image(Image(values, GRID), folder / f"{number}.nii.gz")
        write_labels(LabelImage(np.ones(GRID.shape, np.uint8), GRID), folder / f"{number}_m.nii.gz")
        rows.append({"patient": f"P{number}", "y": number % 2, "image:ct": f"{number}.nii.gz"})
        rows[-1]["mask:ct"] = f"{number}_m.nii.gz"
    pd.DataFrame(rows).to_csv(folder / "cases.csv", index=False)
    (folder / "plan.toml").write_text(
        f'[cohort]\ntable = "cases.csv"\noutcome = "y"\n\n[[features]]\nname = "ct"\nimage = "ct"\n{block}\n\n'
        "[validate]\nfolds = 2\nrepeats = 1\n"
    )
    return folder / "plan.toml"


def test_levels_of_each_case_are_counted(tmp_path: Path) -> None:
    """Lesions from 0 to 100, 299 and 990 in bins of 10: 11, 30 and 100 levels."""
    (block,) = check_plan(study(tmp_path, "bin_width = 10.0", [100, 299, 990]), workers=1).grey_levels
    assert (block.smallest, block.median, block.largest, block.cases) == (11, 30, 100, 3)


def test_the_proposed_width_gives_what_it_says(tmp_path: Path) -> None:
    """Check the plan again with the width it proposed for 32: the median is 32 within the rounding of the width."""
    spans = [100, 299, 990]
    (block,) = check_plan(study(tmp_path, "bin_width = 10.0", spans), workers=1).grey_levels
    (tmp_path / "again").mkdir()
    plan = study(tmp_path / "again", f"bin_width = {block.bin_width_32}", spans)
    assert check_plan(plan, workers=1).grey_levels[0].median == pytest.approx(32, abs=2)


@pytest.mark.parametrize(("spans", "says"), [([50, 99, 120], "few"), ([5000, 6000], "many"), ([400, 800, 2000], "")])
def test_outside_the_rule_of_thumb_there_is_advice(spans: list[float], says: str) -> None:
    """16 to 128 levels in the median lesion need none."""
    (block,) = block_levels(counted(spans))
    assert block.advice.partition(":")[0] == says


def test_a_fixed_number_of_bins_has_no_width(tmp_path: Path) -> None:
    """The number is the level count of every lesion; advice speaks of bins."""
    (block,) = check_plan(study(tmp_path, "bin_count = 8", [100, 200]), workers=1).grey_levels
    assert (block.median, block.bin_width_32) == (8, None)
    assert "more bins" in block.advice


def test_a_case_with_hardly_any_level_is_named() -> None:
    """Fewer than 4, or more than 1,000: a note of that case."""
    notes = odd_cases(counted([10, 500, 30_000]))
    assert [(note.case, note.severity) for note in notes] == [("P0", "note"), ("P2", "note")]


def test_where_all_cases_are_odd_none_is_named() -> None:
    """The median says it; a case at the other end is still named."""
    assert [note.case for note in odd_cases(counted([30_000, 40_000, 10]))] == ["P2"]


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    """Both hold the counts and the proposed widths."""
    found = check_plan(study(tmp_path, "bin_width = 50.0", [100, 300]), workers=1)
    (block,) = found.as_dict()["grey_levels"]
    assert f"{block['smallest']} / {block['median']:g} / {block['largest']} per case" in found.as_text()
    assert f"bin_width = {block['bin_width_32']:g}" in found.as_text()


@pytest.mark.parametrize("profile", ["pyradiomics", "ibsi"])
def test_the_profile_counts_as_it_discretises(profile: str) -> None:
    """Levels counted for check equal those in the region's histogram: from the first to the last that occurs."""
    values = np.random.default_rng(2).normal(40, 60, GRID.shape).astype(np.float32)
    mask = np.random.default_rng(3).random(GRID.shape) < 0.4
    own = {"bin_width": 9.0} if profile == "pyradiomics" else {"discretisation": {"method": "fbs", "bin_width": 9.0}}
    module = PROFILES[profile]
    found = module.grey_levels(Image(values, GRID), Roi(mask, GRID), module.Settings(**own))
    inside = values[mask].astype(float)
    start = 9.0 * np.floor(inside.min() / 9.0) if profile == "pyradiomics" else inside.min()
    assert found.levels == int(np.floor((inside.max() - start) / 9.0)) + 1


def test_nothing_read_from_grey_levels_needs_none() -> None:
    """Shape alone: no count, and no advice."""
    image, roi = Image(np.zeros(GRID.shape, np.float32), GRID), Roi(np.ones(GRID.shape, bool), GRID)
    pyradiomics, ibsi = PROFILES["pyradiomics"], PROFILES["ibsi"]
    assert pyradiomics.grey_levels(image, roi, pyradiomics.Settings(families=["shape"])) is None
    assert ibsi.grey_levels(image, roi, ibsi.Settings(families=["morphology"])) is None
