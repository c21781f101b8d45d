"""The review room: masks come back where they were, decisions are kept, readers do not see one another, nothing is lost."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cases import AFFINES, study_of
from app.client import client_of
from isthmus.app.review.boxed import BOX, unpack
from isthmus.app.settings import AppSettings
from isthmus.cli.app import app
from isthmus.cohort.rows import read_case_rows

GRID = "X-Isthmus-Grid"


class Page:
    """What the page does for one reader."""

    def __init__(self, client: TestClient, reader: str) -> None:
        self.client, self.reader = client, reader

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get("/api/review/list", params={"reader": self.reader}).json()["items"]
        return rows

    def key(self, name: str) -> str:
        return next(row["item"] for row in self.rows() if row["name"] == name)

    def open(self, name: str) -> dict[str, Any]:
        facts: dict[str, Any] = self._get("case", self.key(name)).json()
        return {**facts, "item": self.key(name)}

    def mask(self, item: str, which: str = "current") -> tuple[bytes, str]:
        answer = self._get("mask", item, which=which)
        return answer.content, answer.headers[BOX]

    def draw(self, facts: dict[str, Any], body: bytes, box: str, previous: str = "", **changes: str) -> Any:
        headers = {GRID: facts["grid"], BOX: box, "content-type": "application/octet-stream", **changes}
        params = {"reader": self.reader, "item": facts["item"], "base": facts["base"], "previous": previous}
        return self.client.put("/api/review/draft", params=params, content=body, headers=headers)

    def decide(self, facts: dict[str, Any], decision: str, **more: Any) -> Any:
        said = {"reader": self.reader, "item": facts["item"], "decision": decision, "base": facts["base"], **more}
        return self.client.post("/api/review/decide", json=said)

    def edit(self, name: str, box: str = "3,9,3,9,2,5", label: int = 1) -> Any:
        """Draw a box and save it as modified."""
        x0, x1, y0, y1, z0, z1 = map(int, box.split(","))
        facts = self.open(name)
        drawn = self.draw(facts, bytes([label]) * ((x1 - x0) * (y1 - y0) * (z1 - z0)), box).json()["fingerprint"]
        return self.decide(facts, "edited", drawn=drawn, seconds=12.5)

    def _get(self, path: str, item: str, **more: str) -> Any:
        return self.client.get(f"/api/review/{path}", params={"reader": self.reader, "item": item, **more})


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return study_of(tmp_path / "study", picture=True)


@pytest.fixture
def client(study: Path) -> TestClient:
    return client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123))


def _log(study: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (study / "review" / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("orientation", AFFINES)
def test_a_mask_saved_untouched_is_the_same(tmp_path: Path, orientation: str) -> None:
    """What goes to the page and comes back untouched is saved voxel for voxel, in every orientation."""
    study = study_of(tmp_path / "study", {"P1": orientation})
    page = Page(client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123)), "AB")
    facts = page.open("P1")
    body, box = page.mask(facts["item"])
    drawn = page.draw(facts, body, box).json()["fingerprint"]
    assert page.decide(facts, "flagged", drawn=drawn).status_code == 200
    assert page.client.get(
        "/api/review/export", params={"reader": "AB", "item": facts["item"], "kind": "nii.gz"}
    ).status_code == 200  # fmt: skip
    assert drawn == facts["base"]


@pytest.mark.parametrize("orientation", AFFINES)
def test_a_saved_mask_lies_where_the_image_lies(tmp_path: Path, orientation: str) -> None:
    """nibabel and SimpleITK read the saved NIfTI with exactly the source's geometry, and one more voxel where it was painted."""
    study = study_of(tmp_path / "study", {"P1": orientation})
    page = Page(client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123)), "AB")
    facts = page.open("P1")
    body, box = page.mask(facts["item"])
    x0, x1, y0, y1, z0, _ = map(int, box.split(","))
    wider = np.frombuffer(body, np.uint8).reshape(-1, y1 - y0, x1 - x0).copy()
    wider[0, 0, 0] = 1 if wider[0, 0, 0] == 0 else 0
    drawn = page.draw(facts, wider.tobytes(), box).json()["fingerprint"]
    assert page.decide(facts, "edited", drawn=drawn).status_code == 200
    saved = study / "review" / _log(study)[0]["mask_file"]
    image, mask = nib.load(study / "P1.nii.gz"), nib.load(saved)
    before = np.asarray(nib.load(study / "P1_mask.nii.gz").dataobj)
    np.testing.assert_array_equal(mask.affine, image.affine)
    a, b = sitk.ReadImage(str(study / "P1.nii.gz")), sitk.ReadImage(str(saved))
    assert (a.GetOrigin(), a.GetSpacing(), a.GetDirection()) == (b.GetOrigin(), b.GetSpacing(), b.GetDirection())
    changed = np.argwhere(np.asarray(mask.dataobj) != before)
    assert len(changed) == 1
    # the voxel that was painted is the one nearest to the viewer's right, posterior, inferior corner of the box
    corner = nib.as_closest_canonical(nib.Nifti1Image(before, image.affine))
    turned = nib.orientations.ornt_transform(nib.io_orientation(corner.affine), nib.io_orientation(image.affine))
    marked = np.zeros(corner.shape, np.uint8)
    marked[x0, y0, z0] = 1
    expected = nib.orientations.apply_orientation(marked, turned)
    np.testing.assert_array_equal(changed[0], np.argwhere(expected)[0])


def test_a_picture_is_saved_as_a_picture(client: TestClient, study: Path) -> None:
    """An ultrasound mask stays PNG with its own numbers."""
    assert Page(client, "AB").edit("US1", "20,40,10,20,0,1", label=255).status_code == 200
    from isthmus.image.io import read_image, read_labels

    line = _log(study)[0]
    with pytest.warns(UserWarning, match="how large"):
        shape = read_image(study / "US1.png").geometry.shape
    saved = read_labels(study / "review" / line["mask_file"])
    assert (saved.geometry.shape, saved.labels(), line["metrics"]["unit"]) == (shape, {255: 200}, "px")


def test_the_original_is_never_written(client: TestClient, study: Path) -> None:
    """Whatever is decided, every file of the study outside `review` keeps its bytes."""
    before = {path: _hash(path) for path in study.iterdir() if path.is_file()}
    page = Page(client, "AB")
    page.edit("P1")
    page.edit("P1", "0,2,0,2,0,2")
    page.decide(page.open("P2"), "accepted")
    assert {path: _hash(path) for path in study.iterdir() if path.is_file()} == before


def test_every_save_is_a_new_file(client: TestClient, study: Path) -> None:
    """Two saves leave two files, and the log names both."""
    page = Page(client, "AB")
    page.edit("P1")
    first = study / "review" / _log(study)[0]["mask_file"]
    kept = _hash(first)
    page.edit("P1", "0,2,0,2,0,2")
    assert [Path(line["mask_file"]).name for line in _log(study)] == ["first-v0001.nii.gz", "first-v0002.nii.gz"]
    assert _hash(first) == kept


def test_a_decision_is_one_line(client: TestClient, study: Path) -> None:
    """A line holds who, when, what, how long, before and after, and the measures."""
    Page(client, "AB").edit("P1")
    line = _log(study)[0]
    assert (line["reader"], line["case"], line["decision"], line["seconds"]) == ("AB", "P1", "edited", 12.5)
    assert line["mask_before"] != line["mask_after"]
    assert set(line["metrics"]) >= {"dice", "hd95_mm", "volume_difference_percent"}


def test_the_dice_of_the_log_is_that_of_the_files(client: TestClient, study: Path) -> None:
    """The measure in the log equals one computed from the two files by their definition."""
    Page(client, "AB").edit("P1")
    line = _log(study)[0]
    a = np.asarray(nib.load(study / "P1_mask.nii.gz").dataobj) == 1
    b = np.asarray(nib.load(study / "review" / line["mask_file"]).dataobj) == 1
    assert line["metrics"]["dice"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()), abs=1e-6)


def test_a_reader_does_not_see_the_other(client: TestClient, study: Path) -> None:
    """What one reader decided and drew shows nowhere in what the other is answered."""
    one, two = Page(client, "first"), Page(client, "second")
    two_before = (two.rows(), two.open("P1"), two.mask(two.key("P1")))
    one.edit("P1")
    assert (two.rows(), two.open("P1"), two.mask(two.key("P1"))) == two_before


def test_no_answer_holds_the_outcome(client: TestClient) -> None:
    """The outcome of the case table is in no answer of the room."""
    page = Page(client, "AB")
    key = page.key("P1")
    answers = [page._get(path, key).text for path in ("list", "case", "measure", "table")]
    assert "metastasis" not in "".join(answers)


def test_readers_see_cases_in_different_orders(tmp_path: Path) -> None:
    """The order is drawn for each reader, and is the same the next day."""
    study = study_of(tmp_path / "study", {f"P{n}": "LPS" for n in range(8)})
    settings = AppSettings(study=study, cases=study / "cases.csv", port=8123)
    orders = [[row["name"] for row in Page(client_of(settings), reader).rows()] for reader in ("A", "B", "A")]
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]


def test_a_stale_version_is_refused(client: TestClient, study: Path) -> None:
    """A second window that does not know the first one's save is refused; its drawing stays as a draft."""
    page = Page(client, "AB")
    old = page.open("P1")
    page.edit("P1")
    drawn = page.draw(old, b"\1", "0,1,0,1,0,1").json()["fingerprint"]
    answer = page.decide(old, "edited", drawn=drawn)
    assert (answer.status_code, len(_log(study))) == (409, 1)
    assert page.mask(old["item"], "draft") == (b"\1", "0,1,0,1,0,1")


def test_two_windows_do_not_overwrite_each_other(client: TestClient) -> None:
    """A draft that another window has kept meanwhile is not replaced unseen."""
    page = Page(client, "AB")
    facts = page.open("P1")
    page.draw(facts, b"\1", "0,1,0,1,0,1")
    assert page.draw(facts, b"\1", "1,2,0,1,0,1").status_code == 409
    assert page.mask(facts["item"], "draft")[1] == "0,1,0,1,0,1"


def test_concurrent_saves_are_all_kept(client: TestClient, study: Path) -> None:
    """Eight readers save the same case at the same time: eight lines, an unbroken chain, eight files."""
    answers: list[int] = []

    def save(reader: str) -> None:
        answers.append(Page(client, reader).edit("P1").status_code)

    threads = [threading.Thread(target=save, args=(f"reader {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (study / "review" / "log.jsonl").read_bytes().splitlines()
    assert answers == [200] * 8
    chain = ["0" * 64, *(hashlib.sha256(line).hexdigest() for line in lines)]
    assert [json.loads(line)["previous"] for line in lines] == chain[:-1]
    assert len({json.loads(line)["mask_file"] for line in lines}) == 8


def test_a_torn_line_is_told_and_survived(client: TestClient, study: Path) -> None:
    """A line that a crash cut short is reported; the decisions before and after it count."""
    page = Page(client, "AB")
    page.decide(page.open("P1"), "accepted")
    with (study / "review" / "log.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "case": "P')
    page.decide(page.open("P2"), "accepted")
    answer = client.get("/api/review/list", params={"reader": "AB"}).json()
    assert "line 2: cut short" in answer["faults"][0]
    assert {row["name"] for row in answer["items"] if row["status"] == "accepted"} == {"P1", "P2"}


def test_a_changed_line_is_told(client: TestClient, study: Path) -> None:
    """Whoever edits the log later is found out by the chain."""
    page = Page(client, "AB")
    for name in ("P1", "P2"):
        page.decide(page.open(name), "accepted")
    log = study / "review" / "log.jsonl"
    log.write_text(log.read_text(encoding="utf-8").replace('"accepted"', '"rejected"', 1), encoding="utf-8")
    assert "does not follow" in client.get("/api/review/list", params={"reader": "AB"}).json()["faults"][0]


@pytest.mark.parametrize(
    ("box", "body", "changes"),
    [
        ("0,2,0,1,0,1", b"\1", {}),
        ("0,1,0,1,0,99", b"\1" * 99, {}),
        ("-1,1,0,1,0,1", b"\1\1", {}),
        ("x", b"\1", {}),
        ("0,1,0,1,0,1", b"\1", {GRID: "another"}),
    ],
)
def test_a_mask_of_another_shape_is_refused(client: TestClient, box: str, body: bytes, changes: dict[str, str]) -> None:
    """Bytes, box or grid of another image are no mask of this one."""
    page = Page(client, "AB")
    assert page.draw(page.open("P1"), body, box, **changes).status_code == 422


def test_a_body_larger_than_the_image_is_refused(client: TestClient) -> None:
    """More bytes than the image has voxels are not even taken."""
    page = Page(client, "AB")
    assert page.draw(page.open("P1"), bytes(1_000_000), "0,1,0,1,0,1").status_code == 413


def test_accept_refuses_a_changed_mask(client: TestClient) -> None:
    """Accept means: as it is."""
    page = Page(client, "AB")
    facts = page.open("P1")
    drawn = page.draw(facts, b"\1", "0,1,0,1,0,1").json()["fingerprint"]
    assert page.decide(facts, "accepted", drawn=drawn).status_code == 409


def test_reject_wants_a_reason(client: TestClient) -> None:
    """A rejection without reason and comment is refused; with one it is kept."""
    page = Page(client, "AB")
    facts = page.open("P1")
    assert page.decide(facts, "rejected").status_code == 422
    assert page.decide(facts, "rejected", reasons=["leak"], comment="into the vein").status_code == 200


def test_a_draft_outlives_the_server(client: TestClient, study: Path) -> None:
    """What was drawn a second ago is there again after everything was killed."""
    page = Page(client, "AB")
    page.draw(page.open("P1"), b"\1\1", "4,6,0,1,0,1")
    again = Page(client_of(AppSettings(study=study, cases=study / "cases.csv", port=8124)), "AB")
    assert again.open("P1")["draft"] is not None
    assert again.mask(again.key("P1"), "draft") == (b"\1\1", "4,6,0,1,0,1")


def test_repeats_and_adjudication(tmp_path: Path) -> None:
    """A share comes twice, unnamed and not marked; the adjudicator sees both readers' masks; the tables hold both agreements."""
    study = study_of(tmp_path / "study", {f"P{n}": "LPS" for n in range(4)})
    (study / "review").mkdir()
    rules = {"readers": ["A", "B"], "adjudicators": ["C"], "repeat_share": 0.5, "seed": 7}
    (study / "review" / "settings.json").write_text(json.dumps(rules))
    client = client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123))
    assert client.get("/api/review/list", params={"reader": "D"}).status_code == 403
    for number, reader in enumerate("AB"):
        page = Page(client, reader)
        rows = page.rows()
        assert [row["name"] for row in rows] == [f"No. {n}" for n in range(1, 7)]
        for row in rows:
            page.edit(row["name"], f"{number},6,{row['number'] % 2},6,0,3")
    judge = Page(client, "C")
    facts = judge.open("P0")
    sides = [judge.mask(facts["item"], which) for which in ("current", "proposal")]
    assert sides[0] != sides[1]
    assert judge.decide(facts, "accepted").status_code == 200
    answer = client.get("/api/review/table").json()
    assert answer["rows"] == {"decisions": 13, "agreement": 4 + 2 * 2, "masks": 4}
    masks = (study / "review" / "masks.csv").read_text().splitlines()
    assert sum("to adjudicate" in line for line in masks) == 3


def test_slicer_and_itksnap(client: TestClient, study: Path, tmp_path: Path) -> None:
    """A .seg.nrrd goes out with named segments and comes in again; SimpleITK places it where the image lies; ITK-SNAP's names are read."""
    page = Page(client, "AB")
    facts = page.open("P3")
    names = b'    1   255    0    0        1  1  1    "lesion"\n    2     0  255    0        1  1  1    "node, left"\n'
    where = {"reader": "AB", "item": facts["item"]}
    kind = {"content-type": "application/octet-stream"}
    told = client.post("/api/review/import", params={**where, "name": "labels.txt"}, content=names, headers=kind)
    assert told.json()["labels"] == {"1": "lesion", "2": "node, left"}
    file = tmp_path / "out.seg.nrrd"
    file.write_bytes(client.get("/api/review/export", params={**where, "kind": "seg.nrrd"}).content)
    image, mask = sitk.ReadImage(str(study / "P3.nii.gz")), sitk.ReadImage(str(file))
    np.testing.assert_allclose(mask.GetOrigin(), image.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(mask.GetDirection(), image.GetDirection(), atol=1e-6)
    assert mask.GetMetaData("Segment1_Name") == "node, left"
    back = client.post(
        "/api/review/import", params={**where, "name": "in.seg.nrrd"}, content=file.read_bytes(), headers=kind
    )
    assert back.json() == {"fingerprint": facts["base"], "labels": {"1": "lesion", "2": "node, left"}}


def test_a_label_file_of_another_grid_is_refused(client: TestClient, study: Path) -> None:
    """A mask drawn on another series is not taken, and the answer says why."""
    page = Page(client, "AB")
    facts = page.open("P1")
    answer = client.post(
        "/api/review/import",
        params={"reader": "AB", "item": facts["item"], "name": "other.nii.gz"},
        content=(study / "P2_mask.nii.gz").read_bytes(),
        headers={"content-type": "application/octet-stream"},
    )
    assert answer.status_code == 422
    assert "another grid" in answer.json()["error"]["what"]


def test_grown_from_clicks(client: TestClient) -> None:
    """A click in the bright lesion grows the lesion."""
    page = Page(client, "AB")
    facts = page.open("P1")
    body, box = page.mask(facts["item"])
    x0, x1, y0, y1, z0, z1 = map(int, box.split(","))
    lesion = np.argwhere(np.frombuffer(body, np.uint8).reshape(z1 - z0, y1 - y0, x1 - x0) == 1)
    z, y, x = (lesion[len(lesion) // 2] + (z0, y0, x0)).tolist()
    said = {"inside": [[x, y, z]], "method": "threshold", "settings": {"rule": "fixed", "lower": 200}}
    answer = client.post("/api/review/grow", json={"reader": "AB", "item": facts["item"], **said})
    grown = unpack(answer.content, answer.headers[BOX], tuple(facts["shape"]))
    np.testing.assert_array_equal(grown == 1, unpack(body, box, tuple(facts["shape"])) == 1)


@pytest.mark.parametrize("path", ["../outside.nii.gz", "/etc/passwd", "link.nii.gz"])
def test_a_table_cannot_lead_outside(study: Path, path: str) -> None:
    """A path of the case table that leaves the study folder and --root is refused, through a link as well."""
    (study.parent / "outside.nii.gz").write_bytes((study / "P1.nii.gz").read_bytes())
    (study / "link.nii.gz").symlink_to(study.parent / "outside.nii.gz")
    (study / "cases.csv").write_text(f"patient,image:ct,mask:ct\nX,{path},P1_mask.nii.gz\n")
    page = Page(client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123)), "AB")
    answer = page._get("case", page.key("X"))
    assert answer.status_code == 403
    assert "outside the study" in answer.json()["error"]["what"]


def test_a_plan_goes_on_with_the_masks_that_stand(study: Path, client: TestClient, tmp_path: Path) -> None:
    """The exported case table names the masks that stand: of an edited one the new file, of an accepted one the old, of a rejected none."""
    page = Page(client, "AB")
    page.edit("P1", "4,6,0,1,0,1")
    assert page.decide(page.open("P2"), "accepted").status_code == 200
    assert page.decide(page.open("P3"), "rejected", comment="a vessel").status_code == 200
    out = tmp_path / "reviewed"
    assert (
        CliRunner().invoke(app, ["review", "export", "--cases", str(study / "cases.csv"), "--out", str(out)]).exit_code
        == 0
    )
    rows = read_case_rows(out / "cases.csv").set_index("row")
    log = [json.loads(line) for line in (study / "review" / "log.jsonl").read_text().splitlines()]
    edited = next(line["mask_file"] for line in log if line["mask_file"])
    image = next(name for name in rows.columns if name.startswith("mask:"))
    assert [None if pd.isna(cell) else Path(cell) for cell in rows.loc[["P1", "P2", "P3"], image]] == [
        study / "review" / edited, study / "P2_mask.nii.gz", None,
    ]  # fmt: skip


def test_tables_from_the_page(study: Path, client: TestClient) -> None:
    """The page's archive holds the four tables."""
    page = Page(client, "AB")
    page.edit("P1", "4,6,0,1,0,1")
    data = client.get("/api/review/tables", params={"reader": "AB"}).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["decisions.csv", "agreement.csv", "masks.csv", "cases.csv"]


def test_grow_sees_the_values_of_the_image(tmp_path: Path) -> None:
    """A threshold in the units of a float image (SUV, fractions) marks what lies above it, though the viewer is sent scaled numbers."""
    study = study_of(tmp_path / "study", {"P1": "LPS"})
    image = nib.load(study / "P1.nii.gz")
    values = np.asarray(image.dataobj, dtype=np.float32) / 100
    nib.save(nib.Nifti1Image(values, image.affine), study / "P1.nii.gz")
    page = Page(client_of(AppSettings(study=study, cases=study / "cases.csv", port=8123)), "AB")
    facts = page.open("P1")
    at = np.argwhere(values > 3)[0]  # the file runs left and posterior, the viewer right and anterior
    click = [int(n) for n in (values.shape[0] - 1 - at[0], values.shape[1] - 1 - at[1], at[2])]
    said = {
        "reader": "AB",
        "item": facts["item"],
        "inside": [click],
        "method": "threshold",
        "settings": {"rule": "fixed", "lower": 2.5},
    }
    answer = page.client.post("/api/review/grow", json=said)
    shape = tuple(facts["shape"])
    assert unpack(answer.content, answer.headers[BOX], shape).sum() == np.count_nonzero(values > 2.5)
