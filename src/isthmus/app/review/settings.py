"""How a review is set up: `review/settings.json`, written with its defaults when the review begins, then the user's to edit."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from isthmus.app.review.masks import replace_file
from isthmus.errors import PlanError
from isthmus.settings import Section
from isthmus.settings.messages import keys_of, setting_messages

__all__ = ["REASONS", "ReviewSettings", "read_review_settings"]

REASONS = {
    "wrong_lesion": "another structure than the lesion",
    "missed_part": "a part of the lesion is missing",
    "leak": "it runs into neighbouring tissue",
    "several_lesions": "several lesions, one was expected",
    "image_quality": "the image is not good enough (motion, metal, noise)",
    "wrong_series": "another series or phase than planned",
    "no_lesion": "there is no lesion",
    "other": "something else (comment)",
}


class ReviewSettings(Section):
    """readers, adjudicators: names; with none, anybody reads and nobody adjudicates.

    repeat_share: share of the cases that each reader sees a second time, not told which. seed: of the order, and of the choice of those
    cases. reasons: code and sentence of each reason to reject. idle_seconds: a pause longer than this is not working time.
    acceptable_dice: at least this much overlap with the proposal counts as acceptable.
    """

    readers: tuple[str, ...] = ()
    adjudicators: tuple[str, ...] = ()
    repeat_share: float = Field(0.0, ge=0, le=1)
    seed: int = 1
    reasons: dict[str, str] = Field(default_factory=lambda: dict(REASONS))
    idle_seconds: float = Field(30.0, gt=0)
    acceptable_dice: float = Field(0.9, ge=0, le=1)

    @model_validator(mode="after")
    def _nobody_twice(self) -> ReviewSettings:
        both = sorted(set(self.readers) & set(self.adjudicators))
        if both:
            raise ValueError(
                f"{', '.join(both)} cannot be reader and adjudicator: an adjudicator sees both readers' masks"
            )
        return self


def read_review_settings(folder: Path, *, seed: int) -> ReviewSettings:
    """The settings of the review in this folder; the file is written where there is none.

    Raises
    ------
    PlanError
        The file is no JSON, or has a key or value that is not known.
    """
    path = folder / "settings.json"
    if not path.is_file():
        made = ReviewSettings(seed=seed)
        replace_file(path, (json.dumps(made.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode())
        return made
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PlanError(f"{path}: no JSON ({error}); correct it, or delete it to begin with the defaults") from error
    try:
        return ReviewSettings.model_validate(document)
    except ValidationError as error:
        told = setting_messages(
            error, document, known_keys=lambda place: keys_of(ReviewSettings, place), where=str(path)
        )
        raise PlanError("; ".join(told)) from error
