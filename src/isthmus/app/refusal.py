"""A request that is not done, in words."""

from __future__ import annotations

from typing import Any

from isthmus.errors import IsthmusError

__all__ = ["Refusal"]


class Refusal(IsthmusError):
    """A request that is refused.

    Parameters
    ----------
    what : str
        What came.
    expected : str
        What was expected.
    do : str
        What the user can do about it.
    status : int
        The HTTP status.
    facts : mapping
        More for the page (the version that is there now, ...).
    """

    def __init__(self, what: str, expected: str = "", do: str = "", *, status: int = 400, **facts: Any) -> None:
        super().__init__("; ".join(part for part in (what, expected and f"expected {expected}", do) if part))
        self.what, self.expected, self.do, self.status, self.facts = what, expected, do, status, facts

    def body(self) -> dict[str, Any]:
        return {"error": {"what": self.what, "expected": self.expected, "do": self.do, **self.facts}}
