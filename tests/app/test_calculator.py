"""The calculator gives the number of `isthmus apply`, keeps nothing, and refuses in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.client import client_of
from isthmus.app.settings import AppSettings
from isthmus.app.uploads import Uploads
from isthmus.study.apply import apply_to_file
from isthmus.study.model import Model
from study.model_files import small_model

RAW = {"Content-Type": "application/octet-stream"}


def post_raw(client, address, content, **query):
    return client.post(f"/api/calculator/{address}", params=query, content=content, headers=RAW)


@pytest.fixture
def settings(finished):
    return AppSettings(study=finished.study, cases=finished.cases)


@pytest.fixture
def opened(settings, finished):
    """A client, and the small study's model as the page gets it."""
    client = client_of(settings)
    return client, client.post("/api/calculator/open", json={"path": str(finished.run / "model.isthmus")}).json()


def scan(finished, row):
    return {part: (finished.cases.parent / row[part]) for part in ("image:ct", "mask:ct")}


def send(client, files):
    key = ""
    for part, path in files.items():
        query = {"part": part, "name": path.name, "key": key}
        key = client.post("/api/calculator/upload", params=query, content=path.read_bytes(), headers=RAW).json()[
            "upload"
        ]
    return key


@pytest.mark.parametrize("patient", [0, 3])
def test_the_risk_is_that_of_apply(opened, finished, patient, tmp_path):
    """Clinical values and an uploaded scan give the probability, to the last digit, of the command on the same patient."""
    client, model = opened
    row = pd.read_csv(finished.cases, dtype="str").iloc[patient]
    upload = send(client, scan(finished, row))
    values = {name: row[name] for name in ("age_years", "extrathyroidal_extension")}
    risk = client.post("/api/calculator/risk", json={"model": model["key"], "values": values, "upload": upload}).json()
    apply_to_file(Model.load(finished.run / "model.isthmus"), finished.cases, tmp_path / "p.csv", workers=1)
    expected = (
        pd.read_csv(tmp_path / "p.csv", dtype={"patient": "str"})
        .set_index("patient")
        .loc[row["patient"], "probability"]
    )
    assert risk["probability"] == expected


def test_a_risk_comes_with_what_was_observed(opened, finished):
    """How often the event came at this risk, with limits that hold the estimate."""
    client, model = opened
    row = pd.read_csv(finished.cases, dtype="str").iloc[0]
    risk = client.post(
        "/api/calculator/risk", json={"model": model["key"], "upload": send(client, scan(finished, row))}
    ).json()
    assert risk["observed"]["lower"] < risk["observed"]["estimate"] < risk["observed"]["upper"]


def test_the_points_of_the_nomogram_give_the_risk(opened, finished):
    """Entered and measured inputs have their points, and the total read on the nomogram's own scale is the risk."""
    client, model = opened
    row = pd.read_csv(finished.cases, dtype="str").iloc[0]
    values = {name: row[name] for name in ("age_years", "extrathyroidal_extension")}
    asked = {"model": model["key"], "values": values, "upload": send(client, scan(finished, row))}
    risk = client.post("/api/calculator/risk", json=asked).json()
    table = pd.read_csv(finished.run / "tables" / "nomogram_both.csv")
    scale = table[table["part"] == "total"]
    slope, start = np.polyfit(scale["points"], scale["linear_predictor"], 1)
    assert 1 / (1 + np.exp(-(start + slope * risk["total"]))) == pytest.approx(risk["probability"], rel=1e-9)
    assert {one["name"] for one in risk["points"]} == {
        name.removeprefix("clinical.") for name in table["predictor"].dropna()
    }


def test_the_points_are_those_of_the_table(opened, finished):
    """A tick of the nomogram, entered: the points that the table prints for it; and they stand on the sheet."""
    client, model = opened
    row = pd.read_csv(finished.cases, dtype="str").iloc[0]
    table = pd.read_csv(finished.run / "tables" / "nomogram_both.csv")
    tick = table[table["predictor"] == "clinical.age_years"].iloc[1]
    asked = {
        "model": model["key"],
        "values": {"age_years": f"{tick['value']:g}"},
        "upload": send(client, scan(finished, row)),
    }
    risk = client.post("/api/calculator/risk", json=asked).json()
    earned = {one["name"]: one["points"] for one in risk["points"]}
    page = client.get(f"/api/calculator/sheet/{risk['key']}").text
    assert (earned["age_years"], f">{risk['total']:.1f}<" in page) == (pytest.approx(tick["points"], abs=1e-9), True)


def test_a_model_without_a_nomogram_has_no_points(settings, tmp_path):
    """A file that holds none: nothing is shown, and nothing is made up."""
    small_model().save(settings.study / "plain.isthmus")
    client = client_of(settings)
    model = client.post("/api/calculator/open", json={"path": str(settings.study / "plain.isthmus")}).json()
    values = {f"f{place}": "0.5" for place in range(4)}
    risk = client.post("/api/calculator/risk", json={"model": model["key"], "values": values}).json()
    (settings.study / "plain.isthmus").unlink()
    assert (risk["probability"] is not None, risk["points"], risk["total"]) == (True, [], None)


def test_images_are_deleted_when_the_risk_is_there(opened, finished, monkeypatch):
    """Nothing of the upload is left, and its key opens nothing."""
    client, model = opened
    homes = []
    begin = Uploads.begin
    monkeypatch.setattr(Uploads, "begin", lambda self: homes.append(self) or begin(self))
    upload = send(client, scan(finished, pd.read_csv(finished.cases, dtype="str").iloc[1]))
    client.post("/api/calculator/risk", json={"model": model["key"], "upload": upload})
    assert not list(homes[0]._home.iterdir())


def test_images_are_deleted_when_there_is_no_risk(opened, finished, monkeypatch):
    """A value that cannot be leaves no file behind either."""
    client, model = opened
    homes = []
    begin = Uploads.begin
    monkeypatch.setattr(Uploads, "begin", lambda self: homes.append(self) or begin(self))
    upload = send(client, scan(finished, pd.read_csv(finished.cases, dtype="str").iloc[1]))
    answer = client.post(
        "/api/calculator/risk", json={"model": model["key"], "upload": upload, "values": {"age_years": "200"}}
    )
    assert (answer.status_code, list(homes[0]._home.iterdir())) == (422, [])


def test_the_form_knows_the_dictionary(opened):
    """Labels, units and what may be chosen are those of the plan."""
    inputs = {one["name"]: one for one in opened[1]["form"]["inputs"]}
    age, extension = inputs["age_years"], inputs["extrathyroidal_extension"]
    assert (age["label"], age["unit"], extension["choices"]) == ("Age", "years", ["no", "yes"])


def test_a_value_outside_the_training_range_is_told(opened, finished):
    """The note names the input by its label and the range."""
    client, model = opened
    upload = send(client, scan(finished, pd.read_csv(finished.cases, dtype="str").iloc[0]))
    risk = client.post(
        "/api/calculator/risk", json={"model": model["key"], "upload": upload, "values": {"age_years": "119"}}
    ).json()
    assert any(note.startswith("Age = 119 is outside the training range") for note in risk["notes"])


def test_the_sheet_holds_the_risk_and_no_script(opened, finished):
    """One page with the percentage, the line on use, and what was typed as text."""
    client, model = opened
    upload = send(client, scan(finished, pd.read_csv(finished.cases, dtype="str").iloc[0]))
    asked = {"model": model["key"], "upload": upload, "note": "<script>alert(1)</script>"}
    risk = client.post("/api/calculator/risk", json=asked).json()
    page = client.get(f"/api/calculator/sheet/{risk['key']}").text
    assert (f"{100 * risk['probability']:.1f} %" in page, "Research use only" in page, "<script" in page) == (
        True,
        True,
        False,
    )


def test_a_model_can_be_sent(tmp_path, settings):
    """A file from elsewhere is opened as one of the folder is."""
    small_model().save(tmp_path / "m.isthmus")
    sent = post_raw(client_of(settings), "upload-model", (tmp_path / "m.isthmus").read_bytes(), name="m.isthmus")
    assert [one["name"] for one in sent.json()["form"]["inputs"]] == ["f0", "f1", "f2", "f3", "male"]


def test_what_is_no_model_is_refused(settings):
    """With the reason of the model file."""
    answer = client_of(settings).post(
        "/api/calculator/upload-model", params={"name": "m.isthmus"}, content=b"PK nothing", headers=RAW
    )
    assert (answer.status_code, "error" in answer.json()) == (422, True)


@pytest.mark.parametrize("name", ["scan.exe", "../../etc/x.nii", "x" * 200 + ".nii", ".nii"])
def test_names_that_are_no_images_are_refused_or_harmless(settings, name):
    """A wrong ending or an endless name is refused; a path is cut to its last part."""
    answer = client_of(settings).post(
        "/api/calculator/upload", params={"part": "image:ct", "name": name}, content=b"x", headers=RAW
    )
    assert answer.status_code == (200 if name.endswith("x.nii") and "/" in name else 400)


def test_an_upload_is_cut_off_at_its_limit(finished):
    """More than the limit, over all files of one question, is refused."""
    client = client_of(AppSettings(study=finished.study, largest_upload=1000))
    key = post_raw(client, "upload", b"x" * 900, part="image:ct", name="a.nii").json()["upload"]
    assert post_raw(client, "upload", b"x" * 900, part="mask:ct", name="a.nii", key=key).status_code == 413


def test_a_model_outside_the_folders_is_refused(settings, tmp_path):
    """By its path nothing outside can be opened."""
    small_model().save(tmp_path / "m.isthmus")
    assert (
        client_of(settings).post("/api/calculator/open", json={"path": str(tmp_path / "m.isthmus")}).status_code == 403
    )


def test_a_scan_that_lacks_is_asked_for(opened):
    """A model that measures images says so."""
    client, model = opened
    said = client.post("/api/calculator/risk", json={"model": model["key"], "values": {}}).json()["error"]["what"]
    assert "image:ct, mask:ct is lacking" in said
