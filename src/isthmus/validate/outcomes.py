"""What the settings of validation come to for the outcome at hand."""

from __future__ import annotations

import numpy as np

from isthmus.table.outcome import Outcome
from isthmus.validate.settings import ValidateSettings

__all__ = ["for_outcome"]


def for_outcome(settings: ValidateSettings, outcome: Outcome) -> ValidateSettings:
    """Survival without a horizon in the plan: the median time of the events of the development patients.

    A horizon should be named in the plan, before the data are seen; the default is there so that a first run works, and
    the report says which it was.
    """
    if outcome.task != "survival" or settings.horizon is not None:
        return settings
    assert outcome.time is not None
    times = outcome.time.to_numpy(dtype=np.float64)[outcome.values.to_numpy() == 1]
    return settings.model_copy(update={"horizon": float(np.quantile(times, 0.5))})
