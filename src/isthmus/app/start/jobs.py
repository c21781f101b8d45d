"""One job at a time: `isthmus check` or `isthmus run` as a process of its own, whose log and state are files.

A browser that is reloaded finds the job again. When the application ends, the job is told to stop and keeps what is finished; should the
application be killed, its job lives on, and the next start knows by a lock that the job holds that it still runs.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Literal

from isthmus.app.refusal import Refusal
from isthmus.study.store import write_bytes

__all__ = ["Jobs"]

Kind = Literal["check", "run"]
FOLDER = ".isthmus-app"
_STEP = re.compile(r"(?:INFO|WARNING) (?P<what>.+?): (?P<done>\d+) of (?P<total>\d+)$")
_BEGUN = re.compile(r"(?:INFO|WARNING) (?P<what>.+?): (?P<total>\d+) to do$")
_ENDED = {0: "done", 1: "done", 2: "wrong", 3: "stopped"}
_PATIENCE = 10.0  # seconds between asking a job to stop and stopping it


class Jobs:
    """The job of one study folder; its files lie in `<study>/.isthmus-app`.

    Parameters
    ----------
    study : Path
    """

    def __init__(self, study: Path) -> None:
        self.folder = study / FOLDER
        self.study = study
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._held: IO[bytes] | None = None
        atexit.register(self.close)

    # ------------------------------------------------------------------ asking

    def state(self, lines: int = 200) -> dict[str, Any]:
        """What runs or ran last, and its state: "none", "running", "stopping", "done", "wrong" or "stopped"."""
        with self._lock:
            return self._state(lines)

    def _state(self, lines: int) -> dict[str, Any]:
        job = self._read()
        if job is None:
            return {"state": "none"}
        log = self._tail(self.folder / "log.txt")
        code = self._code(job)
        state = "running" if code is None else _ENDED.get(code, "wrong")
        if state == "done" and not self._is_whole(job):
            state = "wrong"  # Python's own way to fail is 1, too
        if state == "running" and job.get("stopping"):
            state = "stopping"
        shown = {**job, "state": state, "code": code, "log": log[-lines:], "progress": _progress(log)}
        if state == "wrong" or (state == "done" and job["kind"] == "check"):
            shown["result"] = self._result(job, log)
        if job["kind"] == "run":
            run = Path(job["out"])
            shown["report"] = (run / "report.html").is_file() and (run / "provenance.json").is_file()
        return shown

    def _is_whole(self, job: dict[str, Any]) -> bool:
        """Whether a job left what it is for."""
        if job["kind"] == "check":
            return "error" not in self._result(job, [])
        return (Path(job["out"]) / "provenance.json").is_file()

    def _result(self, job: dict[str, Any], log: list[str]) -> dict[str, Any]:
        """What `check --json` found; or the error a job ended with."""
        if job["kind"] == "check":
            with contextlib.suppress(OSError, json.JSONDecodeError):
                found: dict[str, Any] = json.loads((self.folder / "out.txt").read_text(encoding="utf-8"))
                return found
        said = [line for line in log if line.startswith("error: ")]
        return {
            "error": "\n".join(said[-1:]).removeprefix("error: ") or "it ended without saying why; the log may tell"
        }

    # ------------------------------------------------------------------ doing

    def begin(self, kind: Kind, plan: Path, out: Path | None, *, resume: bool) -> dict[str, Any]:
        """Start a job.

        Raises
        ------
        Refusal
            409: another one runs.
        """
        with self._lock:
            job = self._read()
            if job is not None and self._code(job) is None:
                raise Refusal(
                    f"a {job['kind']} is going on", "one job at a time", "wait for it, or stop it", status=409
                )
            self.folder.mkdir(exist_ok=True)
            command = [sys.executable, "-m", "isthmus", kind, str(plan)]
            command += ["--json"] if kind == "check" else ["--out", str(out), *(["--resume"] if resume else [])]
            self._hold()
            with (self.folder / "log.txt").open("wb") as log, (self.folder / "out.txt").open("wb") as answer:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=answer, stderr=log, start_new_session=True,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                    pass_fds=(self._held.fileno(),) if self._held is not None and os.name == "posix" else (),
                )  # fmt: skip
            self._release()
            begun = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            self._write(
                {
                    "kind": kind,
                    "plan": str(plan),
                    "out": str(out or ""),
                    "resume": resume,
                    "pid": self._process.pid,
                    "begun": begun,
                }
            )
            return self._state(50)

    def cancel(self) -> dict[str, Any]:
        """Ask the job to stop (as Ctrl-C does); one that does not within ten seconds is stopped.

        Raises
        ------
        Refusal
            409: nothing runs.
        """
        with self._lock:
            job = self._read()
            if job is None or self._code(job) is not None:
                raise Refusal("nothing runs", do="there is nothing to stop", status=409)
            self._write({**job, "stopping": True})
            _signal(job["pid"], signal.SIGTERM)
        threading.Thread(target=self._insist, args=(job["pid"], job["begun"]), daemon=True).start()
        return self.state()

    def _insist(self, pid: int, begun: str) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            time.sleep(0.2)
            with self._lock:
                job = self._read()
                if job is None or job["begun"] != begun or self._code(job) is not None:
                    return
        _signal(pid, signal.SIGKILL)

    def close(self) -> None:
        """The application ends: its job keeps what is finished and stops."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        if process.poll() is None:
            _signal(process.pid, signal.SIGKILL)
            process.wait()
        with self._lock:
            job = self._read()
            if job is not None:
                self._code(job)

    # ------------------------------------------------------------------ files

    def _read(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.folder / "job.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            return None
        return found

    def _write(self, job: dict[str, Any]) -> None:
        write_bytes(self.folder / "job.json", json.dumps(job, ensure_ascii=False).encode())

    def _code(self, job: dict[str, Any]) -> int | None:
        """How the job ended; None while it runs. Written down once it is known."""
        if "code" in job:
            return int(job["code"])
        process = self._process
        if process is not None and process.pid == job["pid"]:
            code = process.poll()
            if code is None:
                return None
        elif self._is_held():
            return None
        else:
            code = 3  # of an earlier start of the application, and gone: what is finished is kept
        code = 3 if code < 0 else code
        self._write({**job, "code": code, "ended": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")})
        job["code"] = code
        return code

    # A lock that the job inherits: while it is held the job lives, whoever asks. Where there is no such lock (Windows) a job of
    # an earlier start counts as stopped.

    def _hold(self) -> None:
        self._release()
        if os.name == "posix":
            import fcntl

            self._held = (self.folder / "lock").open("ab")
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()  # the job's own copy keeps the lock
            self._held = None

    def _is_held(self) -> bool:
        if os.name != "posix" or not (self.folder / "lock").is_file():
            return False
        import fcntl

        with (self.folder / "lock").open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    @staticmethod
    def _tail(path: Path, most: int = 400_000) -> list[str]:
        """The last lines of a file."""
        try:
            with path.open("rb") as stream:
                stream.seek(0, os.SEEK_END)
                stream.seek(max(stream.tell() - most, 0))
                return stream.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []


def _signal(pid: int, what: signal.Signals) -> None:
    """To the job, which takes its workers along; to all of them where it does not listen. One that is gone already is no trouble."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix" and what == signal.SIGKILL:
            os.killpg(pid, what)
        else:
            os.kill(pid, what)


def _progress(log: list[str]) -> dict[str, Any]:
    """The last thing that is counted, and how far it is."""
    found: dict[str, Any] = {}
    for line in log:
        step = _STEP.search(line) or _BEGUN.search(line)
        if step is not None:
            counts = step.groupdict()
            found = {"what": step["what"], "done": int(counts.get("done", 0) or 0), "total": int(step["total"])}
    return found
