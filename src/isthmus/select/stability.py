"""Keep the columns that another selector chooses again and again when it sees half of the patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, did_you_mean
from isthmus.select._shared import check_number
from isthmus.stats.seeds import child_seed
from isthmus.table.steps import Array, Selector

__all__ = ["StabilitySelector"]


class StabilitySelector(Selector):
    """Columns whose frequency of selection over half-samples of the patients reaches the threshold.

    A half-sample holds half of the patients of each class, with all their rows. If no column reaches the threshold, the
    most frequent one stays (ties: the earlier one), so that a fold without signal still has a model.

    Parameters
    ----------
    base : str or dict
        The selector: a name, or a table with its settings, as in the steps of a model. Default: the first ten columns to
        enter the LASSO path.
    samples : int
    threshold : float in (0, 1]
    random_state : int

    Attributes
    ----------
    frequency_ : array, shape (p,)

    References
    ----------
    Meinshausen and Bühlmann, J R Stat Soc B 2010;72:417.
    """

    name = "stability"
    kind = "supervised"
    needs_groups: ClassVar[bool] = True
    learned = ("frequency_",)

    def __init__(
        self,
        base: str | dict[str, Any] | None = None,
        samples: int = 100,
        threshold: float = 0.6,
        random_state: int = 0,
    ) -> None:
        self.base = base
        self.samples = samples
        self.threshold = threshold
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "samples", self.samples, least=2, whole=True)
        check_number(self.name, "threshold", self.threshold, least=1e-6, most=1)
        self._selector(0).check_settings()

    def complexity(self) -> tuple[float, ...]:
        return (-float(self.threshold),)

    def _selector(self, seed: int) -> Selector:
        """The unfitted base selector."""
        from isthmus.select.registry import STEPS

        base: Any = {"name": "lasso", "k": 10} if self.base is None else self.base
        described = {"name": base} if isinstance(base, str) else base
        if not isinstance(described, Mapping) or "name" not in described:
            raise PlanError(f"step '{self.name}': base = {self.base!r}; expected a selector's name or {{ name = ... }}")
        settings = dict(described)
        name = settings.pop("name")
        known = {key: step for key, step in STEPS.items() if issubclass(step, Selector) and key != self.name}
        if name not in known:
            raise PlanError(f"step '{self.name}': base {name!r} is no selector.{did_you_mean(str(name), known)}")
        step = known[name]()
        free = sorted(set(step.get_params()) - {"random_state"})
        unknown = [key for key in settings if key not in free]
        if unknown:
            raise PlanError(
                f"step '{self.name}': base '{name}' has no setting {unknown[0]!r}.{did_you_mean(unknown[0], free)}"
            )
        seeded = {"random_state": child_seed(seed, name)} if "random_state" in step.get_params() else {}
        return known[name](**settings, **seeded)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        frame = pd.DataFrame(values, columns=list(names))
        patients = np.arange(len(outcome)) if groups is None else np.asarray(groups)
        counts = np.zeros(len(names))
        for sample in range(self.samples):
            seed = child_seed(self.random_state, "sample", sample)
            rows = _half(patients, outcome, seed)
            base = self._selector(seed)
            given = {"groups": patients[rows]} if getattr(base, "needs_groups", False) else {}
            base.fit(frame.iloc[rows], outcome[rows], **given)
            counts += np.array([name not in base.dropped_ for name in names])
        self.frequency_: Array = counts / self.samples
        keep = self.frequency_ >= self.threshold
        if not keep.any():
            keep[int(np.argmax(self.frequency_))] = True
        return {
            name: f"chosen in {self.frequency_[index]:.0%} of {self.samples} half-samples, not in {self.threshold:.0%}"
            for index, name in enumerate(names)
            if not keep[index]
        }


def _half(patients: NDArray[Any], outcome: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """The rows of half of the patients of each class (at least one)."""
    unique, first, where = np.unique(patients.astype(str), return_index=True, return_inverse=True)
    classes = outcome[first]
    rng = np.random.default_rng(seed)
    drawn = np.zeros(len(unique), dtype=bool)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        drawn[rng.permutation(members)[: max(1, len(members) // 2)]] = True
    return np.flatnonzero(drawn[where])
