"""How a mask was made: `<mask>.origin.json` beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MaskError
from isthmus.settings.versions import versions_of
from isthmus.table.writing import write_bytes

__all__ = ["MaskOrigin", "OriginKind", "mask_sha256", "origin_kind", "origin_path", "read_origin", "write_origin"]

OriginKind = Literal["manual", "semi-automatic", "network", "edited"]

_PACKAGES = ("isthmus", "numpy", "scipy", "SimpleITK")


@dataclass(frozen=True, eq=False)
class MaskOrigin:
    """Where a mask comes from.

    Parameters
    ----------
    kind : str
        "manual", "semi-automatic", "network", or "edited": one of the others, changed by a reader.
    mask_sha256 : str
        Of the mask's voxels (not of the file), so that a later change shows.
    facts : mapping
        method, settings, seeds, versions, seconds, ...: whatever the maker knows, as JSON can hold it.
    """

    kind: OriginKind
    mask_sha256: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    @classmethod
    def of(cls, mask: NDArray[np.bool_], kind: OriginKind, **facts: Any) -> MaskOrigin:
        """The origin of a mask made now, with the versions that made it."""
        made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return cls(kind, mask_sha256(mask), {**facts, "versions": versions_of(_PACKAGES), "made": made})

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.facts, "mask_sha256": self.mask_sha256}

    def sentence(self, mask: NDArray[np.bool_] | None = None) -> str:
        """For notes and reports: what kind of mask it is, by which method, and whether it has changed since."""
        by = f" ({self.facts['method']})" if self.facts.get("method") else ""
        if mask is not None and mask_sha256(mask) != self.mask_sha256:
            return f"the mask was {self.kind}{by} and has been changed since"
        return f"the mask is {self.kind}{by}"


def mask_sha256(mask: NDArray[np.bool_]) -> str:
    """Of shape and voxels."""
    digest = hashlib.sha256(repr(mask.shape).encode())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()


def origin_path(mask: str | Path) -> Path:
    """`lesion.origin.json` for `lesion.nii.gz`, `lesion.nrrd`, ..."""
    path = Path(mask)
    name = path.name.removesuffix(".gz")
    return path.with_name(name.removesuffix(Path(name).suffix) + ".origin.json")


def write_origin(origin: MaskOrigin, mask: str | Path) -> Path:
    """Write the origin beside a mask file; where."""
    path = origin_path(mask)
    write_bytes(path, (json.dumps(origin.as_dict(), indent=1, ensure_ascii=False) + "\n").encode())
    return path


def read_origin(mask: str | Path) -> MaskOrigin | None:
    """The origin beside a mask file, or None where there is no such file.

    Raises
    ------
    MaskError
        The file is there and is none.
    """
    path = origin_path(mask)
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        kind, digest = facts.pop("kind"), facts.pop("mask_sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise MaskError(f"{path}: not a mask's origin ({error!r}). Remove the file, or write the mask again") from error
    if kind not in get_args(OriginKind):
        raise MaskError(f"{path}: kind {kind!r}; expected one of {', '.join(get_args(OriginKind))}")
    return MaskOrigin(kind, digest, facts)


def origin_kind(mask: str | Path | None) -> str:
    """The kind that the origin beside a mask says; "unknown" where there is no origin, or a damaged one."""
    try:
        origin = None if mask is None else read_origin(mask)
    except MaskError:
        return "unknown"
    return "unknown" if origin is None else origin.kind
