"""The best of several models, chosen where none of them learned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError, did_you_mean
from isthmus.models.ensemble import DEFAULT_MEMBERS, Ensemble, Member
from isthmus.models.estimator import Array, check_number
from isthmus.models.json_text import read_json
from isthmus.stats.roc import auc

__all__ = ["BestOf"]

RULES = ("mean_less_sd", "mean")


class BestOf(Ensemble):
    """Of several members the one with the best AUC in inner folds of the training rows; fitted anew on all of them.

    What the choice costs is paid where the risks are judged: each outer fold chooses for itself, so out-of-fold risks are those of the
    whole procedure, and not of whichever member turned out best. The folds keep the rows of a patient together. The steps before the
    estimator are fitted once, on all training rows: after a supervised selection all members look a little too good.

    Parameters
    ----------
    members : list
        Estimators, each a name or a table `{ name = ..., setting = ... }`; of equals the first is taken.
    rule : {"mean_less_sd", "mean"}
        The mean of the folds' AUCs, less their standard deviation (ddof 1): high, and alike in all folds.
    folds : int
    random_state : int

    Attributes
    ----------
    chosen_ : str
        The member's label.
    means_, sds_ : dict
        Label -> of the folds' AUCs.
    """

    name = "best_of"

    def __init__(
        self,
        members: Sequence[Member] = DEFAULT_MEMBERS,
        rule: str = "mean_less_sd",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.members = members
        self.rule = rule
        self.folds = folds
        self.random_state = random_state

    def check_settings(self) -> None:
        super().check_settings()
        check_number(self.name, "folds", self.folds, least=2, whole=True)
        if self.rule not in RULES:
            raise PlanError(f"estimator 'best_of': rule = {self.rule!r}.{did_you_mean(str(self.rule), RULES)}")

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        outside, folds = self._out_of_fold(values, events, groups)
        areas: dict[str, list[float]] = {label: [] for label in self.make()}
        for fold in np.unique(folds):
            held = folds == fold
            if len(np.unique(events[held])) < 2:
                continue
            for label, risk in zip(areas, outside[held].T, strict=True):
                areas[label].append(auc(events[held], risk))
        self.means_ = {label: float(np.mean(found)) if found else 0.5 for label, found in areas.items()}
        self.sds_ = {label: float(np.std(found, ddof=1)) if len(found) > 1 else 0.0 for label, found in areas.items()}
        penalty = self.sds_ if self.rule == "mean_less_sd" else dict.fromkeys(areas, 0.0)
        self.chosen_ = max(areas, key=lambda label: self.means_[label] - penalty[label])
        self.fitted_ = {self.chosen_: self.make()[self.chosen_].fit(values, events, groups=groups)}

    def _risk(self, values: Array) -> Array:
        return self._member_risks(self.fitted_, values)[:, 0]

    def contributions(self) -> Array:
        return self._weighted_importance(np.ones(1))

    def to_files(self) -> dict[str, bytes]:
        state = {"chosen": self.chosen_, "means": self.means_, "sds": self.sds_}
        return {"best_of.json": json.dumps(state).encode(), **super().to_files()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        state = read_json(files["best_of.json"], "best_of.json")
        model.means_, model.sds_ = dict(state["means"]), dict(state["sds"])
        members = model.make()
        if state["chosen"] not in members:
            raise ModelFileError(f"best_of.json: the chosen member {state['chosen']!r} is none of {', '.join(members)}")
        model.chosen_ = str(state["chosen"])
        model.fitted_ = model._read_members({model.chosen_: members[model.chosen_]}, files)
        model.n_features_in_ = model.fitted_[model.chosen_].n_features_in_
        return model
