"""Finished runs: found, opened, their tables and files read, and nothing beside them."""

from __future__ import annotations

import pytest

from app.client import client_of
from isthmus.app.settings import AppSettings
from isthmus.study.result import Result


@pytest.fixture
def client(finished):
    return client_of(AppSettings(study=finished.study))


@pytest.fixture
def run(client):
    return client.get("/api/results/runs").json()["runs"][0]


def test_runs_are_found_with_their_numbers(run, finished):
    """The list shows every model's headline number where it had not seen the patients, as metrics.csv has it."""
    metrics = Result.load(finished.run).metrics
    auc = metrics[(metrics["metric"] == "auc") & (metrics["split"] == "cv")].set_index("model")["estimate"]
    shown = {one["model"]: one["estimate"] for one in run["numbers"] if one["split"] == "Cross-validation"}
    assert shown == pytest.approx(auc.to_dict())


def test_a_run_is_opened_by_its_folder(client, finished):
    """As the start room's link does it."""
    assert client.post("/api/results/open", json={"run": str(finished.run)}).json()["title"] == "A small study"


def test_a_table_is_shown_whole(client, run, finished):
    """All rows and columns of predictions.csv."""
    table = client.post("/api/results/table", json={"run": run["key"], "file": "predictions.csv"}).json()
    expected = Result.load(finished.run).predictions
    assert (len(table["rows"]), table["columns"]) == (len(expected), list(expected.columns))


def test_a_file_is_downloaded_as_it_is(client, run, finished):
    """The model file's bytes."""
    answer = client.get(f"/api/results/file/{run['key']}/model.isthmus")
    assert answer.content == (finished.run / "model.isthmus").read_bytes()


@pytest.mark.parametrize(
    "name", ["../../hospital/cases.csv", "/etc/passwd", ".work/plan.sha256", "..%2f..%2fplan.toml", "tables"]
)
def test_nothing_beside_the_run_is_read(client, run, name):
    """Paths that lead out, the pieces of work, and folders are refused."""
    answer = client.post("/api/results/table", json={"run": run["key"], "file": name})
    assert answer.status_code in (403, 404)


def test_a_ticket_opens_the_report_once(client, run, finished):
    """In a frame without a header; a second use is refused."""
    address = client.post("/api/results/ticket", json={"run": run["key"], "file": "report.html"}).json()["address"]
    stranger = client_of(AppSettings(study=finished.study))
    first, second = (client.get(address, headers={"X-Isthmus-Token": ""}).status_code for _ in range(2))
    assert (first, second, stranger.get(address, headers={"X-Isthmus-Token": ""}).status_code) == (200, 401, 401)


def test_a_report_may_not_reach_the_application(client, run):
    """Its scripts run in a sandbox of no origin, without any host."""
    policy = client.get(f"/api/results/report/{run['key']}/report.html").headers["Content-Security-Policy"]
    assert ("sandbox allow-scripts" in policy, "allow-same-origin" in policy, "connect-src" in policy, "default-src 'none'" in policy) == (
        True, False, False, True,
    )  # fmt: skip


def test_a_run_outside_is_refused(client, tmp_path):
    """By its path nothing outside the folders is opened."""
    assert client.post("/api/results/open", json={"run": str(tmp_path)}).status_code == 403


def test_a_folder_without_a_run_is_refused(client, finished):
    """With what a run is."""
    answer = client.post("/api/results/open", json={"run": str(finished.study / "hospital")})
    assert (answer.status_code, "no finished run" in answer.json()["error"]["what"]) == (404, True)


def test_a_damaged_run_does_not_hide_the_others(finished, tmp_path):
    """It stands in the list with its trouble."""
    import shutil

    shutil.copytree(finished.run, tmp_path / "good", ignore=shutil.ignore_patterns("figures", "features"))
    shutil.copytree(tmp_path / "good", tmp_path / "bad")
    (tmp_path / "bad" / "metrics.csv").write_text("nonsense\n")
    found = client_of(AppSettings(study=tmp_path)).get("/api/results/runs").json()["runs"]
    assert sorted((one["folder"], "trouble" in one) for one in found) == [("bad", True), ("good", False)]
