"""Start without code: from a folder to a checked plan; what lies outside stays outside; one job at a time."""

from __future__ import annotations

import json
import time

import pandas as pd
import pytest

from app.client import client_of
from app.conftest import small_hospital
from isthmus.app.settings import AppSettings
from isthmus.app.start.jobs import FOLDER, Jobs
from isthmus.study import Plan


@pytest.fixture
def study(tmp_path):
    """A folder with scans and a table of patients beside them."""
    cases = small_hospital(tmp_path / "hospital", patients=6)
    table = pd.read_csv(cases, dtype="str")
    table.drop(columns=["image:ct", "mask:ct"]).to_csv(tmp_path / "hospital" / "clinic.csv", index=False)
    cases.unlink()
    return tmp_path


@pytest.fixture
def client(study):
    return client_of(AppSettings(study=study))


def choices(study, **more):
    table = study / "hospital" / "clinic.csv"
    said = {
        "images": str(study / "hospital"),
        "table": str(table),
        "patient": "patient",
        "outcome": "metastasis",
        "centre": "centre",
    }
    return {**said, "clinical": ["age_years"], "folds": 2, "repeats": 1, "permutations": 0, **more}


def finish(client, seconds=120):
    """The job's state once it ended."""
    until = time.monotonic() + seconds
    while (job := client.get("/api/start/job").json())["state"] in ("running", "stopping"):
        assert time.monotonic() < until, job
        time.sleep(0.2)
    return job


def test_a_folder_is_browsed_from_the_study(client, study):
    """The way leads from the study folder down; tables are shown."""
    said = client.post("/api/start/browse", json={"path": str(study / "hospital")}).json()
    assert ([one["shown"] for one in said["way"]][-1], [one["shown"] for one in said["tables"]]) == (
        "hospital",
        ["clinic.csv"],
    )


@pytest.mark.parametrize("path", ["/etc", "..", "hospital/../.."])
def test_nothing_outside_is_browsed(client, path):
    """Neither by an absolute path nor by dots."""
    assert client.post("/api/start/browse", json={"path": path}).status_code == 403


def test_a_link_that_leads_out_is_not_shown(client, study):
    """Nor can it be opened."""
    (study / "out").symlink_to("/etc")
    said = client.post("/api/start/browse", json={"path": str(study)}).json()
    opened = client.post("/api/start/browse", json={"path": str(study / "out")})
    assert ([one["shown"] for one in said["folders"]], opened.status_code) == (["hospital"], 403)


def test_scans_are_found(client, study):
    """Patients with an image and its mask, and the table beside them."""
    said = client.post("/api/start/look", json={"path": str(study / "hospital")}).json()
    assert (said["cases"], said["images"], [one["shown"] for one in said["tables"]]) == (6, ["image"], ["clinic.csv"])


def test_columns_are_guessed(client, study):
    """With the values a column of few has, for the choice of the event and of centres."""
    said = client.post("/api/start/table", json={"path": str(study / "hospital" / "clinic.csv")}).json()
    assert ({one["name"]: one["role"] for one in said["columns"]}["metastasis"], said["values"]["centre"]) == (
        "outcome",
        ["A", "B"],
    )


def test_the_plan_is_shown_before_it_is_written(client, study):
    """The preview writes nothing."""
    said = client.post("/api/start/plan", json={"name": "mine", "choices": choices(study)}).json()
    assert ("[cohort]" in said["plan"], (study / "mine").exists()) == (True, False)


def test_choices_that_make_no_study_say_why(client, study):
    """With the words of the plan's own check."""
    answer = client.post(
        "/api/start/plan", json={"name": "mine", "choices": choices(study, clinical=["age_years", "metastasis"])}
    )
    assert (answer.status_code, "cannot be a predictor" in answer.json()["error"]["what"]) == (422, True)


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".hidden"])
def test_a_study_has_a_name_and_no_path(client, study, name):
    """Nothing is written outside the study folder."""
    assert client.post("/api/start/write", json={"name": name, "choices": choices(study)}).status_code == 422


def test_a_plan_that_reads_elsewhere_is_refused(client, study):
    """A plan in the folder may name a table outside; through the application it is not run."""
    (study / "plan.toml").write_text('[table]\npath = "/etc/passwd"\noutcome = "x"\n')
    assert client.post("/api/start/check", json={"plan": str(study / "plan.toml")}).status_code == 403


@pytest.fixture
def written(client, study):
    """The plan of a small study."""
    return client.post("/api/start/write", json={"name": "mine", "choices": choices(study)}).json()["plan"]


def test_the_plan_is_written_and_checked(client, written):
    """The check opens every scan as a process of its own and comes back with what it found."""
    client.post("/api/start/check", json={"plan": written})
    job = finish(client)
    assert (job["kind"], job["result"]["plan"], job["result"]["exit_code"] in (0, 2), len(job["result"]["problems"]) > 0) == (
        "check", written, True, True,
    )  # fmt: skip


def test_one_job_at_a_time(client, written):
    """A second one is refused while the first goes on."""
    client.post("/api/start/check", json={"plan": written})
    second = client.post("/api/start/run", json={"plan": written})
    client.post("/api/start/cancel", json={})
    finish(client)
    assert second.status_code == 409


def test_a_job_that_is_stopped_says_so(client, written):
    """And nothing of it is left running."""
    client.post("/api/start/check", json={"plan": written})
    client.post("/api/start/cancel", json={})
    assert finish(client)["state"] == "stopped"


def test_a_job_outlives_the_page_and_the_next_start_knows_it(study, written):
    """Another start of the application sees the job that goes on by the lock it holds, and that it ended."""
    first, second = Jobs(study), Jobs(study)
    first.begin("check", study / "mine" / "plan.toml", None, resume=False)
    going = second.state()["state"]
    assert first._process is not None
    first._process.wait(120)
    assert (going, second.state()["state"]) == ("running", "stopped")


def test_a_job_of_a_lost_application_can_be_gone_on_with(study, written):
    """A record that says "running", of a process that is no more, counts as stopped."""
    (study / FOLDER).mkdir()
    said = {
        "kind": "run",
        "plan": written,
        "out": str(study / "mine" / "runs" / "first"),
        "resume": False,
        "pid": 2**22 + 1,
        "begun": "",
    }
    (study / FOLDER / "job.json").write_text(json.dumps(said))
    assert Jobs(study).state()["state"] == "stopped"


def test_the_written_plan_is_the_one_shown(client, study, written):
    """And it is read as a plan with the chosen outcome."""
    assert Plan.read(written).source.outcome == "metastasis"


def test_progress_is_read_from_the_log(study):
    """The last thing that is counted."""
    from isthmus.app.start.jobs import _progress

    log = ["12:00:00 INFO features: 40 to do", "12:00:05 INFO features: 10 of 40", "12:00:06 INFO something else"]
    assert _progress(log) == {"what": "features", "done": 10, "total": 40}


@pytest.mark.slow
def test_a_run_is_stopped_and_gone_on_with(study):
    """Stopped in the middle, resumed, finished: the run folder holds a report, and the results room opens it."""
    cases = small_hospital(study / "more", patients=24)
    pd.read_csv(cases, dtype="str").to_csv(study / "more" / "table.csv", index=False)
    cases.unlink()
    client = client_of(AppSettings(study=study))
    said = choices(study, images=str(study / "more"), table=str(study / "more" / "table.csv"), models=["lasso"])
    plan = client.post("/api/start/write", json={"name": "whole", "choices": said}).json()["plan"]
    client.post("/api/start/run", json={"plan": plan})
    run = study / "whole" / "runs" / "first"
    until = time.monotonic() + 60
    while not (run / "run.log.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.1)
    client.post("/api/start/cancel", json={})
    stopped = finish(client)["state"]
    client.post("/api/start/run", json={"plan": plan, "resume": True})
    ended = finish(client, 300)
    opened = client.post("/api/results/open", json={"run": ended["out"]})
    assert (stopped, ended["state"], ended["report"], opened.status_code) == ("stopped", "done", True, 200)
