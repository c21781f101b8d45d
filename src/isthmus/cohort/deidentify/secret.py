"""Pseudonyms, UIDs and date shifts from a secret: the same original always gives the same, and nothing leads back without the secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path

from isthmus.errors import PrivacyError

__all__ = ["Secret"]

_BYTES = 32
_LONGEST_SHIFT_DAYS = 3650


class Secret:
    """A key of 32 bytes and what is derived from it with HMAC-SHA-256.

    Nobody who lacks the key can test whether a given name belongs to a pseudonym (a plain hash would let him try all names).
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _BYTES:
            raise PrivacyError(f"the secret has {len(key)} bytes; at least {_BYTES} are needed. Let isthmus make it")
        self._key = key

    @classmethod
    def of_file(cls, path: Path) -> Secret:
        """The secret of a file; where there is none, a new one is drawn and written there, readable by its owner only."""
        if path.exists():
            text = path.read_text(encoding="ascii", errors="replace").strip()
            try:
                return cls(bytes.fromhex(text))
            except ValueError as error:
                raise PrivacyError(
                    f"{path}: not a secret that isthmus wrote (64 hexadecimal digits were expected). Name another file"
                ) from error
        path.parent.mkdir(parents=True, exist_ok=True)
        key = secrets.token_bytes(_BYTES)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
        return cls(key)

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.new(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()

    def uid(self, uid: str) -> str:
        """Another UID, under 2.25 (made from a UUID), the same for the same original."""
        made = uuid.UUID(bytes=self._digest("uid", uid)[:16], version=4)
        return f"2.25.{made.int}"

    def pseudonym(self, patient: str) -> str:
        """`P-` and ten letters and digits."""
        return "P-" + base64.b32encode(self._digest("patient", patient)).decode("ascii")[:10]

    def short(self, text: str, length: int = 8) -> str:
        """A name for a file or folder."""
        return self._digest("name", text).hex()[:length]

    def shift_days(self, patient: str) -> int:
        """By how many days a patient's dates move: 1 to 3650 into the past."""
        return -1 - int.from_bytes(self._digest("dates", patient)[:8], "big") % _LONGEST_SHIFT_DAYS
