"""Review of masks: who decided what about each mask, when, how long it took, and what changed; nothing is ever overwritten.

State is plain files below `<study>/review/`:

    settings.json           readers, adjudicators, seed, share of cases shown twice (written once, then yours)
    log.jsonl               one line a decision, only ever appended, each line holding the hash of the line before
    masks/<case>/<reader>/  every mask that was saved, numbered; the masks of the case table are only read
    drafts/<reader>/        drawings that are not saved yet, as they were a second after the last stroke
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

    from isthmus.app.settings import AppSettings

__all__ = ["router"]


def router(settings: AppSettings) -> APIRouter:
    """The addresses of this room."""
    from isthmus.app.review.api import make_router

    return make_router(settings)
