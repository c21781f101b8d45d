"""DICOM's basic profile as `isthmus deidentify` holds it against a second transcription of the same table.

    python -m venv other && other/bin/pip install dicom-anonymizer
    python benchmarks/basic_profile.py other/lib/python3*/site-packages

The other one is `dicom-anonymizer` (2.1.0: PS3.15 table E.1-1, edition 2026c), from which only facts are taken: tag and action. Ends with
1 where an attribute is missing on either side or its action differs. What the code does with the actions is a matter of
`tests/cohort/deidentify/test_profile.py`.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from isthmus.cohort.deidentify.profile import table

WHERE = "dicomanonymizer/dicom_anonymization_databases/dicomfields_2026c.py"
IN_GROUPS = {(0x5000, 0xFF00), (0x6000, 0xFF00)}
"""Curves and overlays: the table's ranges of groups, which the code takes out whole."""


def theirs(packages: Path) -> tuple[dict[int, str], set[tuple[int, int]]]:
    """Action of each tag, as the standard writes it, and ranges: group and mask."""
    lists = {name: value for name, value in runpy.run_path(str(packages / WHERE)).items() if name.endswith("_TAGS")}
    actions: dict[int, str] = {}
    ranges = set()
    for name, tags in lists.items():
        if name == "ALL_TAGS":
            continue
        action = name.removesuffix("_TAGS").replace("_STAR", "*").replace("_", "/")
        for tag in tags:
            if len(tag) == 4:
                ranges.add((tag[0], tag[2]))
            else:
                actions[tag[0] << 16 | tag[1]] = action
    return actions, ranges


def main() -> int:
    other, ranges = theirs(Path(sys.argv[1]))
    ours = table()
    differ = [
        f"({tag >> 16:04X},{tag & 0xFFFF:04X}): {ours.get(tag, 'missing')} here, {other.get(tag, 'missing')} there"
        for tag in sorted({*ours, *other})
        if ours.get(tag) != other.get(tag)
    ]
    differ += [f"range {group:04X} {mask:04X}: not taken out here" for group, mask in sorted(ranges - IN_GROUPS)]
    print(f"{len(ours)} attributes here, {len(other)} there and {len(ranges)} ranges; {len(differ)} differences")
    print("\n".join(differ))
    return int(bool(differ))


if __name__ == "__main__":
    sys.exit(main())
