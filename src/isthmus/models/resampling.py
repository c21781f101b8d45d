"""Imbalanced classes: more rows of the rare class, or fewer of the common one, while fitting and never otherwise.

The methods are those of imbalanced-learn. They run on the training rows of a fold only, where `Pipeline` calls
`resample`; while predicting the step does nothing. What the estimator then learned is a world with another prevalence, so
the pipeline carries the probability back, and a model file does not hold the step.

Neighbours are sought on columns brought to mean 0 and sd 1 here, whatever stands before the step, and invented rows are
brought back; rows that were measured keep every bit.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import IsthmusWarning, PlanError, TableError, first_few, missing_extra
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Property, Resampler, numbers, split_context, text_columns

__all__ = [
    "Adasyn",
    "BorderlineSmote",
    "OverSample",
    "Smote",
    "SmoteEnn",
    "SmoteNc",
    "SmoteTomek",
    "SvmSmote",
    "UnderSample",
]

Codes = NDArray[np.int64]


def _imblearn() -> None:
    """Is imbalanced-learn there?"""
    try:
        import imblearn  # noqa: F401
    except ImportError as exc:
        raise missing_extra("this step", "imbalanced-learn", "ml") from exc


class _Drawn(Resampler):
    """Rows are drawn from those there are."""

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    @abstractmethod
    def _sampler(self) -> Any: ...

    def _resample(self, frame: pd.DataFrame, events: Codes, patients: NDArray[Any]) -> tuple[Any, Codes, NDArray[Any]]:
        sampler = self._sampler()
        sampler.fit_resample(np.zeros((len(events), 1)), events)
        chosen = np.asarray(sampler.sample_indices_)
        return frame.iloc[chosen], events[chosen], patients[chosen]


class OverSample(_Drawn):
    """Rows of the rarer classes are repeated at random until all classes are equally many.

    A repeated row stays its patient's, so folds made after this step keep copies together.

    Parameters
    ----------
    random_state : int
    """

    name = "over_sample"

    def _sampler(self) -> Any:
        _imblearn()
        from imblearn.over_sampling import RandomOverSampler

        return RandomOverSampler(random_state=self.random_state)


class UnderSample(_Drawn):
    """Rows of the commoner classes are left out at random until all classes are equally many.

    Parameters
    ----------
    random_state : int
    """

    name = "under_sample"

    def _sampler(self) -> Any:
        _imblearn()
        from imblearn.under_sampling import RandomUnderSampler

        return RandomUnderSampler(random_state=self.random_state)


class _Invented(Resampler):
    """Rows of the rarer classes are invented between neighbours until all classes are (about) equally many.

    Parameters
    ----------
    k_neighbors : int
        Among how many neighbours of its class a row finds its partner; with fewer rows in the class, all others there
        are (which is said).
    random_state : int
    """

    requires: ClassVar[frozenset[Property]] = frozenset({"numeric", "complete"})
    invents_rows: ClassVar[bool] = True

    def __init__(self, k_neighbors: int = 5, random_state: int = 0) -> None:
        self.k_neighbors = k_neighbors
        self.random_state = random_state

    def check_settings(self) -> None:
        k = self.k_neighbors
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise PlanError(f"step '{self.name}': k_neighbors = {k!r}; expected a whole number of 1 or more")

    @abstractmethod
    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        """The sampler of imbalanced-learn."""

    def _resample(self, frame: pd.DataFrame, events: Codes, patients: NDArray[Any]) -> tuple[Any, Codes, NDArray[Any]]:
        predictors, aside = split_context(frame)
        values = numbers(predictors, self.name)
        mean, sd = _centre(values)
        standard = (values - mean) / sd
        made, classes = self._invent(standard, events)
        new = made[len(values) :] * sd + mean
        rows = _joined(predictors, pd.DataFrame(new, columns=predictors.columns), aside)
        return self._cleaned(rows, made, classes, _owners(patients, len(new)))

    def _invent(self, standard: Array, events: Codes, categories: tuple[int, ...] = ()) -> tuple[Array, Codes]:
        """Real rows, then the invented ones, and their classes."""
        _imblearn()
        sampler = self._sampler(self._neighbours(events), categories)
        try:
            made, classes = sampler.fit_resample(standard, events)
        except (ValueError, RuntimeError) as exc:
            counts = np.bincount(events)
            raise TableError(
                f"step '{self.name}' cannot invent rows of these {len(events)} training rows (classes "
                f"{counts.tolist()}): {exc}. Use 'over_sample', or class_weight = 'balanced'."
            ) from exc
        return np.asarray(made, dtype=np.float64), np.asarray(classes, dtype=np.int64)

    def _neighbours(self, events: Codes) -> int:
        """How many neighbours there can be: at most one fewer than the rarest class has rows."""
        fewest = int(np.unique(events, return_counts=True)[1].min())
        if fewest < 2:
            raise TableError(
                f"step '{self.name}' needs at least 2 rows of each class to find a neighbour; the rarest class has {fewest} "
                "training row. Use 'over_sample', or class_weight = 'balanced'."
            )
        if fewest - 1 < self.k_neighbors:
            warnings.warn(
                f"step '{self.name}': the rarest class has {fewest} training rows, so each has {fewest - 1} neighbours instead "
                f"of k_neighbors = {self.k_neighbors}",
                IsthmusWarning,
                stacklevel=2,
            )
        return min(self.k_neighbors, fewest - 1)

    def _cleaned(
        self, rows: pd.DataFrame, standard: Array, classes: Codes, owners: NDArray[Any]
    ) -> tuple[Any, Codes, NDArray[Any]]:
        """What stays of real and invented rows: all."""
        return rows, classes, owners


class Smote(_Invented):
    """SMOTE (Chawla et al., JAIR 2002)."""

    name = "smote"

    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        from imblearn.over_sampling import SMOTE

        return SMOTE(k_neighbors=k, random_state=self.random_state)


class BorderlineSmote(_Invented):
    """Borderline-SMOTE 1 (Han et al., 2005): only from rows with many neighbours of another class."""

    name = "borderline_smote"

    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        from imblearn.over_sampling import BorderlineSMOTE

        return BorderlineSMOTE(k_neighbors=k, random_state=self.random_state)

    def _invent(self, standard: Array, events: Codes, categories: tuple[int, ...] = ()) -> tuple[Array, Codes]:
        return super()._invent(*_enough(standard, events, self.name, 11), categories)


class SvmSmote(_Invented):
    """SVM-SMOTE (Nguyen et al., 2011): from the support vectors of the rare class."""

    name = "svm_smote"

    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        from imblearn.over_sampling import SVMSMOTE

        return SVMSMOTE(k_neighbors=k, random_state=self.random_state)

    def _invent(self, standard: Array, events: Codes, categories: tuple[int, ...] = ()) -> tuple[Array, Codes]:
        return super()._invent(*_enough(standard, events, self.name, 11), categories)


class Adasyn(_Invented):
    """ADASYN (He et al., 2008): more rows where the rare class is hard to tell."""

    name = "adasyn"

    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        from imblearn.over_sampling import ADASYN

        return ADASYN(n_neighbors=k, random_state=self.random_state)


class SmoteEnn(Smote):
    """SMOTE, then rows whose 3 neighbours are not of their class are left out (Batista et al., 2004)."""

    name = "smote_enn"

    def _cleaned(
        self, rows: pd.DataFrame, standard: Array, classes: Codes, owners: NDArray[Any]
    ) -> tuple[Any, Codes, NDArray[Any]]:
        from imblearn.under_sampling import EditedNearestNeighbours

        return _kept(EditedNearestNeighbours(sampling_strategy="all"), self.name, rows, standard, classes, owners)


class SmoteTomek(Smote):
    """SMOTE, then pairs of nearest neighbours of different class are left out (Batista et al., 2003)."""

    name = "smote_tomek"

    def _cleaned(
        self, rows: pd.DataFrame, standard: Array, classes: Codes, owners: NDArray[Any]
    ) -> tuple[Any, Codes, NDArray[Any]]:
        from imblearn.under_sampling import TomekLinks

        return _kept(TomekLinks(sampling_strategy="all"), self.name, rows, standard, classes, owners)


class SmoteNc(_Invented):
    """SMOTE-NC (Chawla et al., 2002) for numbers and categories together; stands before 'encode'.

    The categories are the text columns: an invented row gets the category most of its neighbours have. After 'encode' a
    category is several 0/1 columns, of which an invented row could have none or two.
    """

    name = "smote_nc"
    requires: ClassVar[frozenset[Property]] = frozenset({"complete"})

    def _sampler(self, k: int, categories: tuple[int, ...]) -> Any:
        from imblearn.over_sampling import SMOTENC

        return SMOTENC(categorical_features=list(categories), k_neighbors=k, random_state=self.random_state)

    def _resample(self, frame: pd.DataFrame, events: Codes, patients: NDArray[Any]) -> tuple[Any, Codes, NDArray[Any]]:
        predictors, aside = split_context(frame)
        text = text_columns(predictors)
        numeric = [column for column in predictors.columns if column not in text]
        if not text or not numeric:
            raise TableError(
                "step 'smote_nc' needs text columns and numbers; here "
                + (
                    f"all columns are text ({first_few(text)}): use 'over_sample'"
                    if text
                    else "there is no text: use 'smote'"
                )
                + ". It stands before 'encode'."
            )
        values = numbers(predictors[numeric], self.name)
        mean, sd = _centre(values)
        levels = [sorted(set(predictors[column].astype(str))) for column in text]
        codes = [
            predictors[column].astype(str).map({label: code for code, label in enumerate(known)}).to_numpy(dtype=float)
            for column, known in zip(text, levels, strict=True)
        ]
        categories = tuple(range(len(numeric), len(numeric) + len(text)))
        made, classes = self._invent(np.column_stack([(values - mean) / sd, *codes]), events, categories)
        extra = made[len(values) :]
        new = pd.DataFrame(extra[:, : len(numeric)] * sd + mean, columns=numeric)
        for position, (column, known) in enumerate(zip(text, levels, strict=True), start=len(numeric)):
            new[column] = np.asarray(known, dtype=object)[extra[:, position].astype(int)]
        rows = _joined(predictors, new[list(predictors.columns)], aside)
        return rows, classes, _owners(patients, len(extra))


def _centre(values: Array) -> tuple[Array, Array]:
    constant = constant_columns(values)
    return np.where(constant, values[0], values.mean(axis=0)), np.where(constant, 1.0, values.std(axis=0))


def _joined(real: pd.DataFrame, new: pd.DataFrame, aside: pd.DataFrame | None) -> pd.DataFrame:
    """Real rows, then invented ones; what context a step after them wants to know of an invented row, nobody knows."""
    if aside is not None:
        real = pd.concat([real, aside], axis=1)
        new = pd.concat([new, pd.DataFrame(index=new.index, columns=aside.columns, dtype=object)], axis=1)
    if not len(new):
        return real
    same = {column: dtype for column, dtype in real.dtypes.items() if not pd.api.types.is_bool_dtype(dtype)}
    same = {column: dtype for column, dtype in same.items() if not pd.api.types.is_integer_dtype(dtype)}
    return pd.concat([real, new.astype(same)], ignore_index=True)


def _owners(patients: NDArray[Any], count: int) -> NDArray[Any]:
    """Invented rows belong to nobody: each has a name of its own."""
    return np.concatenate([patients.astype(str), [f"invented row {i}" for i in range(count)]]).astype(object)


def _kept(
    cleaner: Any, name: str, rows: pd.DataFrame, standard: Array, classes: Codes, owners: NDArray[Any]
) -> tuple[Any, Codes, NDArray[Any]]:
    before = np.unique(classes)
    cleaner.fit_resample(standard, classes)
    stay = np.sort(np.asarray(cleaner.sample_indices_))
    if len(np.unique(classes[stay])) < len(before):
        raise TableError(
            f"step '{name}' would leave out every row of a class: the classes overlap too much. Use 'smote'."
        )
    return rows.iloc[stay], classes[stay], owners[stay]


def _enough(standard: Array, events: Codes, name: str, least: int) -> tuple[Array, Codes]:
    if len(events) < least:
        raise TableError(f"step '{name}' needs at least {least} training rows; there are {len(events)}. Use 'smote'.")
    return standard, events
