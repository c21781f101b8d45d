"""The reading room: readers apart, the comparison, the measures and the table."""

from __future__ import annotations

import pandas as pd
import pytest

from app.client import client_of
from isthmus.app.settings import AppSettings
from isthmus.image.io import read_image
from isthmus.roi.measure import axial_diameter
from isthmus.roi.read import read_roi

FORM = """
[[reading.fields]]
name = "size"
question = "Size?"
choices = ["< 2 cm", ">= 2 cm"]
ordered = true
measured = "axial_diameter_mm"
cuts = [20]
"""


@pytest.fixture
def client(finished, tmp_path):
    (tmp_path / "reading.toml").write_text(FORM)
    return client_of(AppSettings(study=tmp_path, cases=finished.cases))


def save(client, reader, answer, **more):
    return client.post(
        "/api/reading/save", json={"reader": reader, "case": "P0001", "answers": {"size": answer}, **more}
    )


def test_the_form_is_that_of_the_study(client):
    """`reading.toml` in the study folder goes before the ready form."""
    assert [one["name"] for one in client.get("/api/reading/form").json()["fields"]] == ["size"]


def test_a_reader_sees_only_his_own(client):
    """Neither the list nor the case gives a word of what another answered."""
    save(client, "Ben", ">= 2 cm", signed=True)
    case = client.post("/api/reading/case", json={"reader": "Anna", "case": "P0001"}).json()
    listed = client.post("/api/reading/list", json={"reader": "Anna"}).text
    assert (case["answers"], ">= 2 cm" in listed, "Ben" in listed) == ({}, False, False)


def test_the_comparison_is_shut_to_who_has_not_signed(client):
    """Even where two others have."""
    for reader in ("Ben", "Cleo"):
        save(client, reader, ">= 2 cm", signed=True)
    assert client.post("/api/reading/compare", json={"reader": "Anna", "case": "P0001"}).status_code == 403


def test_the_comparison_names_what_differs(client):
    """Once both have signed."""
    save(client, "Anna", "< 2 cm", signed=True)
    save(client, "Ben", ">= 2 cm", signed=True)
    assert client.post("/api/reading/compare", json={"reader": "Anna", "case": "P0001"}).json()["differ"] == ["size"]


def test_the_export_holds_the_consensus(client, tmp_path):
    """One row, the agreed answer, and who agreed."""
    for reader, answer in (("Anna", "< 2 cm"), ("Ben", ">= 2 cm")):
        save(client, reader, answer, signed=True)
    client.post("/api/reading/compare", json={"reader": "Ben", "case": "P0001"})
    client.post("/api/reading/agree", json={"case": "P0001", "answers": {"size": ">= 2 cm"}, "by": ["Anna", "Ben"]})
    client.post("/api/reading/export", json={})
    table = pd.read_csv(tmp_path / "reading" / "export" / "reading.csv")
    assert table.iloc[0].tolist() == ["P0001", ">= 2 cm", "consensus: Anna, Ben"]


def test_what_is_measured_is_offered(client, finished):
    """The diameter of the mask, and the choice it falls into."""
    said = client.post("/api/reading/measure", json={"case": "P0001"}).json()["offered"]["size"]
    row = pd.read_csv(finished.cases).set_index("patient").loc["P0001"]
    image = read_image(finished.cases.parent / row["image:ct"])
    mm = axial_diameter(read_roi(finished.cases.parent / row["mask:ct"], image)).mm
    assert said == {"value": round(mm, 1), "answer": ">= 2 cm" if mm >= 20 else "< 2 cm"}


def test_a_slice_is_a_picture(client):
    """PNG of the asked slice."""
    query = {"case": "P0001", "image": "ct", "k": 5, "low": -125, "high": 225}
    assert client.get("/api/reading/slice", params=query).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "status"), [({"case": "P9"}, 404), ({"image": "pet"}, 404), ({"k": 999}, 404), ({"low": 300}, 422)]
)
def test_a_slice_that_is_not_there_is_refused(client, change, status):
    """Another case, image, slice or window."""
    query = {"case": "P0001", "image": "ct", "k": 5, "low": -125, "high": 225, **change}
    assert client.get("/api/reading/slice", params=query).status_code == status


def test_a_table_that_leads_out_is_refused(finished, tmp_path):
    """A case table whose paths leave the folders opens none of them."""
    table = tmp_path / "cases.csv"
    pd.DataFrame({"patient": ["P1"], "image:ct": ["/etc/passwd"], "mask:ct": ["/etc/passwd"]}).to_csv(
        table, index=False
    )
    answer = client_of(AppSettings(study=tmp_path, cases=table)).post(
        "/api/reading/case", json={"reader": "A", "case": "P1"}
    )
    assert answer.status_code == 403
