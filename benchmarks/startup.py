"""How long Isthmus takes to start, and how large its wheel is.

    python benchmarks/startup.py [--wheel dist/isthmus-....whl] [--isthmus .venv/bin/isthmus] [--repeats 7]

Promised: `import isthmus` under 0.3 s, `isthmus --help` under 1 s of processor time, the wheel under 20 MB. Ends with 1 where a promise
is broken. The least of the
repeats is taken: everything else is the machine's other work.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path

IMPORT_S, HELP_S, WHEEL_MB = 0.3, 1.0, 20.0


def cpu_seconds(command: list[str], repeats: int) -> float:
    """The least processor time of a command, its children included."""
    times = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--isthmus", type=Path, help="the command; its Python lies beside it (default: this Python's)")
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    python = str(given.isthmus.parent / "python") if given.isthmus else sys.executable
    bare = cpu_seconds([python, "-c", "pass"], given.repeats)
    measured = {
        "import isthmus (beyond Python's own start)": (
            cpu_seconds([python, "-c", "import isthmus"], given.repeats) - bare,
            IMPORT_S,
            "s",
        ),
        "isthmus --help": (cpu_seconds([python, "-m", "isthmus", "--help"], given.repeats), HELP_S, "s"),
    }
    if given.wheel:
        measured["wheel"] = (given.wheel.stat().st_size / 1e6, WHEEL_MB, "MB")
    for what, (value, most, unit) in measured.items():
        print(f"{what}: {value:.2f} {unit} (promised: under {most:g} {unit}){'' if value < most else '  BROKEN'}")
    return int(any(value >= most for value, most, _ in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
