"""What a study withstands: kills at random moments, and ten thousand cases.

    python benchmarks/faults.py kills --count 200 [--seed 1]
    python benchmarks/faults.py cases [--counts 1000 10000] [--seconds 600]
    python benchmarks/faults.py fuzz [--count 1000] [--seed 1]
    python benchmarks/faults.py whole [--counts 1000 10000] [--of table images]

`kills`: a small study (16 synthetic patients, 2 folds, null study, controls, report) is killed with SIGKILL at random moments, resumed,
often killed again while it resumes, and at last left to finish; every file must then be byte for byte that of a run nobody disturbed,
but for the log, `provenance.json` and the lines of the report that say when and by which command the run was made. Every fifth run works
with two processes; all of them are killed at once, as when a machine loses its power. Moments are drawn from the seed, three of four
before the report is begun (which takes longer than all else); which piece of work they meet depends on the machine's load, and is counted.
Ends with 1 where anything differs.

`cases`: how long `run` takes until the first case is measured, and how its memory grows with the cases (each 10 x 12 x 12 voxels, 107
features).

`fuzz`: so many damaged files of every format that is read (`tests/faults/fuzzing.py`), as a table.

`whole`: `check`, and a whole `run` with two models, clinical columns and the report, of a table of so many rows, or of so many images:
processor time of the main process, memory, size of the report's page.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib
import json
import math
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

QUICK = """
[[models]]
name = "combined"
blocks = ["clinical", "radiomics"]
estimator = "lasso"

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100

[audit]
permutations = 1
"""
# the log, and who ran when with what; everything else must be the same
MAY_DIFFER = ("run.log.jsonl", "provenance.json")
MAY_DIFFER_IN_THE_REPORT = re.compile(
    rb'<th scope="row">(command|started|ended|seconds|workers)</th>\s*<td>.*?</td>', re.DOTALL
)
# what the last line of the log says was being done; the first that fits
STAGES = (
    ("cases.csv:", "reading"), ("features:", "features"), ("what n supports", "folds"), ("folds", "folds"), ("  ", "folds"),
    ("model.isthmus", "report"), ("null study", "audit"), ("control", "audit"), ("", "tables"),
)  # fmt: skip


@dataclass
class Tally:
    """What was done to the runs, and what came of it."""

    kills: int = 0
    while_resuming: int = 0
    runs: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def make_study(folder: Path, patients: int = 16) -> Path:
    """A synthetic cohort with a plan that takes seconds."""
    from isthmus.synthetic import make_cohort

    make_cohort(folder, patients=patients, seed=3)
    plan = folder / "plan.toml"
    text = plan.read_text()
    plan.write_text(text[: text.index("[[models]]")] + QUICK)
    return plan


def start(arguments: Sequence[object], said: Path, modules: Path | None = None) -> int:
    """`isthmus ARGUMENTS` in a copy of this process, head of a group of its own; what it prints goes into the file `said`."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    with said.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    code = 70
    try:
        from isthmus.cli.app import app
        from isthmus.cli.outcome import run_command

        sys.argv = ["isthmus", *map(str, arguments)]
        code = run_command(app)
        if modules is not None:
            modules.write_text(json.dumps([name for name in sys.modules if name != "__main__"]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finish(child: int) -> int:
    """The exit code of a child that is left alone; minus the signal where one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_after(child: int, seconds: float) -> int:
    """Kill the whole group of a child after some time; its exit code, -9 where it was still there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(min(0.005, max(end - time.monotonic(), 0)))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    return finish(child)


def import_all(modules: Path) -> None:
    """Import what a whole run imports, so that copies of this process need not: the kills then meet work, not imports."""
    for name in json.loads(modules.read_text()):
        with contextlib.suppress(Exception):  # some are made by their packages, and come with them
            importlib.import_module(name)


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run that must not depend on what happened to it."""
    files = (path for path in sorted(run.rglob("*")) if path.is_file())
    named = {str(path.relative_to(run)): path for path in files}
    return {
        name: MAY_DIFFER_IN_THE_REPORT.sub(b"", path.read_bytes()) if name == "report.html" else path.read_bytes()
        for name, path in named.items()
        if not name.startswith(".work") and name not in MAY_DIFFER
    }


def differences(run: Path, undisturbed: dict[str, bytes]) -> list[str]:
    """The files of a run that are missing, too many, or other than they should be."""
    found = contents(run)
    return sorted(name for name in {*found, *undisturbed} if found.get(name) != undisturbed.get(name))


def stage(run: Path, skip: int) -> str:
    """What was being done when the run ended, by its log after the first `skip` bytes."""
    log = run / "run.log.jsonl"
    lines = log.read_bytes()[skip:].decode(errors="replace").splitlines() if log.is_file() else []
    if not lines:
        return "start"
    with contextlib.suppress(json.JSONDecodeError):
        message = json.loads(lines[-1])["message"]
        return next(name for beginning, name in STAGES if message.startswith(beginning))
    return "half a line of the log"


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def kills(folder: Path, count: int, seed: int, minutes: float = float("inf")) -> Tally:
    """Disturb runs of a small study until `count` kills have met a living run, or the time is over."""
    plan, said, draw, tally = make_study(folder / "study"), folder / "said.txt", random.Random(seed), Tally()
    over = time.monotonic() + 60 * minutes
    code = finish(start(["run", plan, "--out", folder / "undisturbed", "--workers", 1], said, folder / "modules.json"))
    if code:
        raise SystemExit(f"the undisturbed run ended with {code}: {said.read_text()}")
    import_all(folder / "modules.json")
    began = time.time()
    if finish(start(["run", plan, "--out", folder / "again", "--workers", 1], said)):
        raise SystemExit(f"the undisturbed run failed when it was repeated: {said.read_text()}")
    whole = time.time() - began
    before_the_report = (folder / "again" / "provenance.json").stat().st_mtime - began
    undisturbed = contents(folder / "undisturbed")
    tally.wrong += [f"two undisturbed runs: {name}" for name in differences(folder / "again", undisturbed)]
    while tally.kills < count and time.monotonic() < over:
        tally.runs += 1
        out = folder / f"run{tally.runs}"
        arguments = ["run", plan, "--out", out, "--workers", 2 if tally.runs % 5 == 0 else 1]
        code = -signal.SIGKILL
        for attempt in range(min(draw.choice((1, 3, 6, 10)), count - tally.kills)):
            skip = size(out / "run.log.jsonl")
            resumed = ["--resume"] if attempt else []
            moment = draw.uniform(0, before_the_report) if draw.random() < 0.75 else draw.uniform(0, whole)
            code = kill_after(start([*arguments, *resumed], said), moment)
            if code != -signal.SIGKILL:
                break
            tally.kills += 1
            tally.while_resuming += attempt > 0
            tally.stages[stage(out, skip)] += 1
        if code == -signal.SIGKILL:
            code = finish(start([*arguments, "--resume"], said))
        if code:
            tally.wrong.append(f"run {tally.runs}: ended with {code}: {said.read_text()[-2000:]}")
        else:
            tally.wrong += [f"run {tally.runs}: {name}" for name in differences(out, undisturbed)]
        if not tally.wrong:
            shutil.rmtree(out)
        print(f"{tally.kills} kills, {tally.runs} runs, {len(tally.wrong)} differences", file=sys.stderr, flush=True)
    return tally


def report_kills(tally: Tally, seed: int) -> None:
    print(f"{tally.kills} kills ({tally.while_resuming} while resuming) of {tally.runs} runs, seed {seed}")
    print("killed while at: " + ", ".join(f"{name} {n}" for name, n in sorted(tally.stages.items())))
    print(f"files that differ from the undisturbed run: {len(tally.wrong)}")
    for line in tally.wrong:
        print(f"  {line}")


# ---------------------------------------------------------------------- many cases

MANY = """
[cohort]
table = "cases.csv"
outcome = "event"

[[features]]
name = "ct"
image = "ct"
bin_width = 25

[[models]]
name = "image"
blocks = ["ct"]
estimator = "logistic"

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100

[audit]
permutations = 0

[report]
pictures = 0
"""


def make_many(folder: Path, count: int) -> Path:
    """A table of `count` cases, each a small image with noise of its own; all share one mask."""
    import numpy as np

    from isthmus.image import Geometry, Image, LabelImage
    from isthmus.image.io import write_image, write_labels

    folder.mkdir(parents=True)
    geometry = Geometry((10, 12, 12), (1.0, 1.0, 1.0))
    draw = np.random.default_rng(5)
    mask = np.zeros((10, 12, 12), dtype=np.uint8)
    mask[2:8, 3:9, 3:9] = 1
    write_labels(LabelImage(mask, geometry), folder / "mask.nii")
    lines = ["patient,event,image:ct,mask:ct"]
    for number in range(count):
        values = draw.normal(40, 20 + 10 * (number % 2), mask.shape).astype(np.float32)
        write_image(Image(values, geometry), folder / f"{number}.nii")
        lines.append(f"P{number:05d},{int(draw.random() < 0.3 + 0.4 * (number % 2))},{number}.nii,mask.nii")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    (folder / "plan.toml").write_text(MANY)
    return folder / "plan.toml"


def resident_mb(process: int) -> float:
    """The memory a process holds now."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


@dataclass
class Many:
    """How a run of many cases went: when the first was measured, and the memory after so many cases."""

    cases: int
    first_s: float = float("nan")
    memory_mb: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    code: int = -1
    said: str = ""


def many_cases(folder: Path, count: int, *, seconds: float) -> Many:
    """`isthmus run --shard 1/1`, which extracts only, for at most `seconds`; looked at four times a second."""
    plan, said, out, found = make_many(folder / "cases", count), folder / "said.txt", folder / "run", Many(count)
    import isthmus.study.run  # noqa: F401  a copy of this process need not import it

    began = time.monotonic()
    child = start(["run", plan, "--out", out, "--shard", "1/1", "--workers", 1], said)
    marks = [1, *(count * tenth // 10 for tenth in range(1, 11))]
    while time.monotonic() < began + seconds:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            found.code = os.waitstatus_to_exitcode(status)
            break
        pieces = out / ".work" / "features"
        done = sum(1 for _ in os.scandir(pieces)) if pieces.is_dir() else 0
        while marks and done >= marks[0]:
            found.memory_mb[marks[0]] = resident_mb(child)
            found.seconds[marks[0]] = time.monotonic() - began
            marks.pop(0)
        time.sleep(0.05 if done == 0 else 0.25)
    else:
        os.killpg(child, signal.SIGKILL)
        finish(child)
    found.first_s = found.seconds.get(1, float("nan"))
    found.said = said.read_text()
    return found


def report_many(found: Many) -> None:
    print(f"{found.cases} cases: the first is measured after {found.first_s:.1f} s")
    for cases, memory in found.memory_mb.items():
        print(f"  after {cases:6d}: {memory:7.1f} MB, {found.seconds[cases]:6.1f} s")


# ---------------------------------------------------------------------- damaged files


def fuzz(count: int, seed: int) -> int:
    """Read damaged files of every format and print what came of them; 1 where anything but an answer in one line did."""
    tests = Path(__file__).resolve().parents[1] / "tests"
    path = os.pathsep.join([str(tests), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(tests / "faults" / "fuzzing.py"), "all", str(count), str(seed), folder]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
        )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    print("| format | opened | refused | faults | longest, processor time |\n| --- | --- | --- | --- | --- |")
    for one in found:
        faults = len(one["faults"])
        print(
            f"| {one['format']} | {one['accepted']} | {one['refused']} | {faults} | {1000 * one['slowest_s']:.1f} ms |"
        )
    for one in found:
        for line in one["faults"]:
            print(f"{one['format']} {line}")
    if done.returncode:
        print(f"the process ended with {done.returncode} after {found[-1]['format'] if found else 'nothing'}")
    return int(bool(done.returncode or any(one["faults"] for one in found)))


# ---------------------------------------------------------------------- whole studies of many cases

WHOLE = """
[[models]]
name = "lasso"
estimator = "lasso"

[[models]]
name = "forest"
estimator = "lightgbm"
settings = { rounds = 50 }

[validate]
folds = 5
repeats = 1
inner_folds = 3
bootstrap = 500
external = { centre = ["C"] }

[audit]
permutations = 2
"""
TABLE = (
    """
[table]
path = "features.csv"
id = "patient"
outcome = "event"
centre = "centre"
"""
    + WHOLE
)
IMAGES = (
    """
[cohort]
table = "cases.csv"
outcome = "event"
centre = "centre"

[[features]]
name = "ct"
image = "ct"
bin_width = 25
"""
    + WHOLE
)


def make_whole(folder: Path, count: int, kind: str) -> Path:
    """The plan of a study of so many rows, two of three in the centres that are trained on."""
    import numpy as np
    import pandas as pd

    if kind == "images":
        make_many(folder, count)
        table = pd.read_csv(folder / "cases.csv")
        table.insert(1, "centre", np.array(["A", "B", "C"])[np.arange(count) % 3])
        table.to_csv(folder / "cases.csv", index=False)
        (folder / "plan.toml").write_text(IMAGES)
        return folder / "plan.toml"
    folder.mkdir(parents=True)
    draw = np.random.default_rng(5)
    values = draw.normal(size=(count, 100))
    table = pd.DataFrame(values, columns=[f"feature_{n:03d}" for n in range(100)])
    table.insert(0, "patient", [f"P{n:05d}" for n in range(count)])
    table.insert(1, "centre", np.array(["A", "B", "C"])[np.arange(count) % 3])
    table.insert(2, "event", (values[:, 0] + draw.normal(size=count) > 0).astype(int))
    table.to_csv(folder / "features.csv", index=False)
    (folder / "plan.toml").write_text(TABLE)
    return folder / "plan.toml"


def measured(arguments: Sequence[object], said: Path) -> tuple[int, float, float, float]:
    """A command to its end: exit code, seconds until it said something, processor time, largest memory in MB."""
    began = time.monotonic()
    child, first = start(arguments, said), float("nan")
    while True:
        gone, status, used = os.wait4(child, os.WNOHANG)
        if math.isnan(first) and said.is_file() and said.stat().st_size:
            first = time.monotonic() - began
        if gone:
            return os.waitstatus_to_exitcode(status), first, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        time.sleep(0.05)


def whole_study(folder: Path, count: int, kind: str) -> None:
    """Check and run, and say what it took."""
    plan, out = make_whole(folder / "study", count, kind), folder / "run"
    for arguments in (["check", plan], ["run", plan, "--out", out, "--workers", 1]):
        said = folder / f"{arguments[0]}.txt"
        code, first, processor, memory = measured(arguments, said)
        lines = said.read_text().splitlines()
        print(
            f"{count} {kind}: {arguments[0]}: exit code {code}, first words after {first:.1f} s, {processor:.0f} s of processor time, "
            f"{memory:.0f} MB, {len(lines)} lines",
            flush=True,
        )
        if code not in (0, 1):
            print("\n".join(lines[-20:]))
            return
    page = out / "report.html"
    files = {path: path.stat().st_size for path in out.rglob("*") if path.is_file() and ".work" not in path.parts}
    print(
        f"  report.html {page.stat().st_size / 1e6:.1f} MB; the folder {sum(files.values()) / 1e6:.1f} MB in {len(files)} files"
    )
    for path, size_ in sorted(files.items(), key=lambda one: -one[1])[:5]:
        print(f"    {path.relative_to(out)} {size_ / 1e6:.1f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    killing = commands.add_parser("kills")
    killing.add_argument("--count", type=int, default=200)
    killing.add_argument("--seed", type=int, default=1)
    killing.add_argument("--minutes", type=float, default=float("inf"), help="begin no further run after this long")
    many = commands.add_parser("cases")
    many.add_argument("--counts", type=int, nargs="+", default=[1000, 10000])
    many.add_argument("--seconds", type=float, default=600, help="stop each after this long")
    fuzzing = commands.add_parser("fuzz")
    fuzzing.add_argument("--count", type=int, default=1000)
    fuzzing.add_argument("--seed", type=int, default=1)
    whole = commands.add_parser("whole")
    whole.add_argument("--counts", type=int, nargs="+", default=[1000, 10000])
    whole.add_argument("--of", nargs="+", default=["table", "images"], choices=["table", "images"])
    whole.add_argument("--keep", type=Path, help="leave the studies and their runs in this folder")
    given = parser.parse_args()
    print(f"{dt.date.today()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    if given.command == "cases":
        for count in given.counts:
            with tempfile.TemporaryDirectory() as folder:
                report_many(many_cases(Path(folder), count, seconds=given.seconds))
        return 0
    if given.command == "fuzz":
        return fuzz(given.count, given.seed)
    if given.command == "whole":
        for kind in given.of:
            for count in given.counts:
                with tempfile.TemporaryDirectory() as folder:
                    whole_study((given.keep or Path(folder)) / f"{kind}-{count}", count, kind)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tally = kills(Path(folder), given.count, given.seed, given.minutes)
    report_kills(tally, given.seed)
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
