"""What voting, stacking and the best of several share: an estimator made of estimators."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError, did_you_mean
from isthmus.models.estimator import Array, Estimator
from isthmus.stats.seeds import child_seed
from isthmus.table.steps import Property, deal_folds

__all__ = ["DEFAULT_MEMBERS", "Ensemble"]

DEFAULT_MEMBERS = ("elastic_net", "random_forest", "lightgbm")

Member = str | Mapping[str, Any]


class Ensemble(Estimator):
    """Members are written as steps are: `"lasso"`, or `{ name = "random_forest", trees = 500 }`.

    Two members of the same kind tell each other apart by a `label`, which is the name of the estimator unless given.
    Settings of a member are tuned as `label.setting`.

    Attributes
    ----------
    fitted_ : dict
        Label -> fitted member, in order.
    """

    contribution = "importance"
    needs_groups: ClassVar[bool] = True
    members: Sequence[Member]
    folds: int  # of ensembles that deal inner folds
    random_state: int

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset().union(*(member.requires for member in self.make().values()))

    def check_settings(self) -> None:
        for label, member in self.make().items():
            try:
                member.check_settings()
            except PlanError as exc:
                raise PlanError(f"estimator '{self.name}', member '{label}': {exc}") from exc

    def make(self) -> dict[str, Estimator]:
        """Label -> unfitted member, each with a seed of its own."""
        return {label: self._make(label, name, settings) for label, name, settings in self._described()}

    def _described(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(label, name of the estimator, settings) of each member."""
        if isinstance(self.members, str) or not isinstance(self.members, Sequence) or not self.members:
            raise PlanError(
                f"estimator '{self.name}': members = {self.members!r}; expected a list of estimators, "
                'as ["lasso", { name = "random_forest", trees = 500 }]'
            )
        found = []
        for entry in self.members:
            settings = {"name": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, Mapping) else {}
            name = settings.pop("name", None)
            if not isinstance(name, str):
                raise PlanError(
                    f"estimator '{self.name}': member {entry!r}; expected the name of an estimator, or a table with "
                    "its name and settings"
                )
            found.append((str(settings.pop("label", name)), name, settings))
        labels = [label for label, _, _ in found]
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise PlanError(
                f"estimator '{self.name}': two members are called '{twice[0]}'; give each a label of its own, as "
                f'{{ name = "{twice[0]}", label = "second" }}'
            )
        return found

    def _make(self, label: str, name: str, settings: Mapping[str, Any]) -> Estimator:
        from isthmus.models.registry import ESTIMATORS

        where = f"estimator '{self.name}'"
        if name not in ESTIMATORS:
            raise PlanError(f"{where}: member '{name}' is not known.{did_you_mean(name, ESTIMATORS)}")
        known = list(inspect.signature(ESTIMATORS[name]).parameters)
        free = [key for key in known if key != "random_state"]
        for key in settings:
            if key not in free:
                raise PlanError(f"{where}, member '{label}': setting '{key}' is not known.{did_you_mean(key, free)}")
        seeded = {"random_state": child_seed(self.random_state, label)} if "random_state" in known else {}
        return ESTIMATORS[name](**settings, **seeded)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Own settings and, with `deep`, those of the members as `label__setting`."""
        own: dict[str, Any] = super().get_params(deep=False)
        if deep:
            own |= {
                f"{label}__{key}": value
                for label, member in self.make().items()
                for key, value in member.get_params().items()
                if key != "random_state"
            }
        return own

    def set_params(self, **params: Any) -> Self:
        """Change own settings, or a member's as `label__setting`."""
        own = super().get_params(deep=False)
        for key, value in params.items():
            label, _, setting = key.partition("__")
            if setting:
                self._set_member(label, setting, value)
            elif key in own:
                setattr(self, key, value)
            else:
                raise ValueError(f"Invalid parameter {key!r} for estimator {self}. Valid parameters are: {sorted(own)}")
        return self

    def _set_member(self, label: str, setting: str, value: Any) -> None:
        described = self._described()
        if label not in [known for known, _, _ in described]:
            raise ValueError(
                f"Invalid parameter {label!r} for estimator {self}. {[known for known, _, _ in described]}"
            )
        changed = []
        for known, name, settings in described:
            new = dict(settings)
            if known == label:
                member = self._make(label, name, settings).set_params(**{setting: value})
                own = "members" if "__" in setting else setting  # a setting of a member of the member is in its list
                new[own] = member.get_params(deep=False)[own]
            changed.append({"name": name, "label": known, **new})
        self.members = changed

    # -- fitted ---------------------------------------------------------------------------------------------------------

    def _fit_members(self, values: Array, events: NDArray[np.int64], groups: Any) -> dict[str, Estimator]:
        return {label: member.fit(values, events, groups=groups) for label, member in self.make().items()}

    def _member_risks(self, fitted: Mapping[str, Estimator], values: Array) -> Array:
        """Risk of each row (n) by each member (m), shape (n, m)."""
        return np.column_stack([member.predict_proba(values)[:, 1] for member in fitted.values()])

    def _out_of_fold(self, values: Array, events: NDArray[np.int64], groups: Any) -> tuple[Array, NDArray[Any]]:
        """Risk of each row by each member that did not learn from the row's fold, shape (n, m), and the fold of each row; folds keep the
        rows of a patient together."""
        patients = np.arange(len(events)) if groups is None else np.asarray(groups)
        folds = deal_folds(patients, events, folds=self.folds, seed=self.random_state)
        outside = np.empty((len(events), len(self.members)))
        for fold in np.unique(folds):
            held = folds == fold
            fitted = self._fit_members(values[~held], events[~held], patients[~held])
            outside[held] = self._member_risks(fitted, values[held])
        return outside, folds

    def _weighted_importance(self, weights: Array) -> Array:
        """Sum over the members of the weight times the column's share of all contributions."""
        total = np.zeros(self.n_features_in_)
        for weight, member in zip(weights, self.fitted_.values(), strict=True):
            size = np.abs(member.contributions())
            total += weight * (size / size.sum() if size.sum() > 0 else size)
        return total

    def concern(self) -> str:
        said = {label: member.concern() for label, member in self.fitted_.items()}
        return "; ".join(f"member '{label}': {text}" for label, text in said.items() if text)

    def to_files(self) -> dict[str, bytes]:
        """The files of the members, each with its number in front."""
        return {
            f"{number}-{name}": content
            for number, member in enumerate(self.fitted_.values(), start=1)
            for name, content in member.to_files().items()
        }

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        ensemble = cls(**settings)
        ensemble.fitted_ = cls._read_members(ensemble.make(), files)
        ensemble.n_features_in_ = next(iter(ensemble.fitted_.values())).n_features_in_
        return ensemble

    @staticmethod
    def _read_members(members: Mapping[str, Estimator], files: Mapping[str, bytes]) -> dict[str, Estimator]:
        """Label -> fitted member, of the files with its number in front."""
        fitted = {}
        for number, (label, member) in enumerate(members.items(), start=1):
            start = f"{number}-"
            own = {name.removeprefix(start): content for name, content in files.items() if name.startswith(start)}
            fitted[label] = type(member).from_files(member.get_params(deep=False), own).restore(None)
        return fitted
