"""The synthetic cohort of the dedifferentiation study is what its text says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.synthetic.dedifferentiation import GROUPS, STUDY_SIZES, draw_patient, make_dedifferentiation_cohort


@pytest.fixture(scope="module")
def drawn() -> dict[str, list]:
    return {name: [draw_patient(name, np.random.default_rng([7, i])) for i in range(400)] for name in GROUPS}


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize(
    "finding", ["necrosis", "organ_invasion", "nodal_metastasis", "nodal_necrosis", "distant_metastasis"]
)
def test_findings_have_the_printed_shares(drawn, name, finding):
    """400 draws lie within four standard errors of the share."""
    share = GROUPS[name].shares[finding]
    found = np.mean([clinical[finding] == "present" for clinical, _ in drawn[name]])
    assert abs(found - share) <= 4 * np.sqrt(share * (1 - share) / 400) + 1e-12


@pytest.mark.parametrize("name", GROUPS)
def test_only_metastatic_nodes_are_necrotic(drawn, name):
    """No nodal finding without nodal metastasis."""
    assert not [c for c, _ in drawn[name] if c["nodal_necrosis"] == "present" and c["nodal_metastasis"] == "absent"]


def test_differentiated_carcinomas_are_larger_than_3_cm(drawn):
    """As the study chose them."""
    assert min(clinical["size_cm"] for name in ("PTC", "FTC") for clinical, _ in drawn[name]) > 3.0


def test_the_study_had_130_patients():
    """32, 58 and 40."""
    assert sum(STUDY_SIZES.values()) == 130


def test_a_patient_does_not_depend_on_the_others(tmp_path):
    """The same row and the same image in a cohort of one and of two."""
    alone = pd.read_csv(make_dedifferentiation_cohort(tmp_path / "one", sizes={"FTC": 1}))
    both = pd.read_csv(make_dedifferentiation_cohort(tmp_path / "two", sizes={"PTC": 1, "FTC": 1}))
    pd.testing.assert_frame_equal(alone, both[both["histology"] == "FTC"].reset_index(drop=True))
    path = alone["image:ct"].item()
    assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
