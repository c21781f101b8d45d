"""The command starts a server on this machine alone, says where, and ends cleanly."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.app.launch import launch
from isthmus.app.settings import AppSettings
from isthmus.errors import PlanError, TableError


def test_start_and_stop(tmp_path: Path) -> None:
    """`isthmus app` prints an address that opens; Ctrl-C ends it with code 0 and without a traceback."""
    command = [sys.executable, "-m", "isthmus", "app", "--no-browser", "--study", str(tmp_path)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        host, query = next(
            found.groups() for line in lines if (found := re.search(r"http://(127\.0\.0\.1:\d+)(/\?token=\S+)", line))
        )
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("GET", query)
        entrance = connection.getresponse().status
        connection.close()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert entrance == 303
    assert (process.returncode, "Traceback" in rest, "stopped" in rest) == (0, False, True)


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """A port that another program holds is named, with what to do."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(PlanError, match="choose another"):
        launch(AppSettings(study=tmp_path), port=held.getsockname()[1], browser=False)


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    """A case table that is not there is an error before anything starts."""
    with pytest.raises(TableError, match="no such file"):
        AppSettings(study=tmp_path, cases=tmp_path / "cases.csv")
