"""One study seed, many independent children: no global random state anywhere."""

from __future__ import annotations

import hashlib

__all__ = ["child_seed"]


def child_seed(study_seed: int, *names: object) -> int:
    """A 32-bit seed for one stage, from the study's seed and the stage's name (model, repeat, fold ...).

    The same arguments give the same seed on every machine and for any number of workers.
    """
    text = "\x1f".join([str(study_seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
