"""A small form for tests."""

from pathlib import Path
from typing import Any

from isthmus.reading.form import Form, form_of
from isthmus.reading.settings import ReadingSettings

__all__ = ["FIELDS", "form"]

FIELDS: list[dict[str, Any]] = [
    {"name": "margin", "question": "Margin?", "choices": ["sharp", "blurred"], "ordered": True},
    {"name": "organs", "question": "Organs?", "kind": "several", "choices": ["trachea", "larynx"]},
    {"name": "mm", "question": "Size?", "kind": "number", "unit": "mm", "range": (1.0, 250.0), "required": False},
    {"name": "why", "question": "Why blurred?", "kind": "text", "show": {"field": "margin", "answers": ["blurred"]}},
]


def form(**more: Any) -> Form:
    return form_of(ReadingSettings.model_validate({"fields": FIELDS, **more}), base=Path())
