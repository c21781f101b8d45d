"""Which combinations of settings a search tries, one after the other: it is told the score of each before it gives the next."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.errors import missing_extra
from isthmus.stats.seeds import child_seed

if TYPE_CHECKING:
    from isthmus.models.settings import ModelSettings

__all__ = ["Proposals", "proposals"]

Proposals = Generator[dict[str, Any], float, None]
"""Yields settings, is sent their score (larger is better; NaN: not possible)."""


def proposals(spec: ModelSettings, *, seed: int) -> Proposals:
    """The combinations of `tuning` in the order in which `search` tries them; none twice."""
    if spec.search is None or spec.search.method == "grid":
        return _grid(spec)
    if spec.search.method == "random":
        return _random(spec, spec.search.draws, seed)
    return _optuna(spec, spec.search.draws, seed)


def _grid(spec: ModelSettings) -> Proposals:
    values: list[Any] = list(spec.tuning.values())
    for combination in itertools.product(*values):
        yield dict(zip(spec.tuning, combination, strict=True))


def _random(spec: ModelSettings, draws: int, seed: int) -> Proposals:
    rng = np.random.default_rng(child_seed(seed, "search"))
    seen: set[str] = set()
    for _ in range(20 * draws):  # lists may hold fewer combinations than draws
        settings = {key: _drawn(values, rng) for key, values in spec.tuning.items()}
        if _name(settings) not in seen:
            seen.add(_name(settings))
            yield settings
        if len(seen) == draws:
            return


def _drawn(values: Any, rng: np.random.Generator) -> Any:
    if isinstance(values, list):
        return values[int(rng.integers(len(values)))]
    if values.whole and not values.log:
        return int(rng.integers(values.low, values.high + 1))
    if values.log:
        value = float(np.exp(rng.uniform(np.log(values.low), np.log(values.high))))
    else:
        value = float(rng.uniform(values.low, values.high))
    value = min(max(value, values.low), values.high)
    return round(value) if values.whole else value


def _optuna(spec: ModelSettings, draws: int, seed: int) -> Proposals:
    """Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), in memory; a repeat is not yielded again."""
    try:
        import optuna
    except ImportError as exc:
        raise missing_extra("search = { method = 'optuna' }", "optuna", "ml") from exc
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ranges = {key: _range(optuna, values) for key, values in spec.tuning.items()}
    sampler = optuna.samplers.TPESampler(seed=child_seed(seed, "search") % 2**32)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    known: dict[str, float] = {}
    for _ in range(draws):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of lists it says that they cannot be stored in a database; there is none
            trial = study.ask(ranges)
        settings = {
            key: values[trial.params[key]] if isinstance(values, list) else trial.params[key]
            for key, values in spec.tuning.items()
        }
        if _name(settings) not in known:
            known[_name(settings)] = yield settings
        score = known[_name(settings)]
        if np.isnan(score):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, score)


def _range(optuna: Any, values: Any) -> Any:
    if isinstance(values, list):
        return optuna.distributions.CategoricalDistribution(list(range(len(values))))
    kind = optuna.distributions.IntDistribution if values.whole else optuna.distributions.FloatDistribution
    return kind(values.low, values.high, log=values.log)


def _name(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True, default=str)
