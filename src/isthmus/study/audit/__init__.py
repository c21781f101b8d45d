"""Whether the result can be believed: the null study, controls, shift and sensitivity, planted signals, and the leakage rules."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from isthmus.study.audit.power import power_study
from isthmus.study.audit.rules import Study, audit_rules
from isthmus.study.audit.variants import run_variants
from isthmus.study.data import StudyData
from isthmus.study.evaluate import Candidate, mean_auc, null_study
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder
from isthmus.validate.null_study import summarise_null
from isthmus.validate.outcomes import for_outcome
from isthmus.validate.results import FoldResult

__all__ = ["write_audit"]


def write_audit(
    plan: Plan, data: StudyData, candidates: Sequence[Candidate], folds: dict[str, list[FoldResult]], store: RunFolder, *, workers: int,
    scheduler: str | None = None,
) -> None:  # fmt: skip
    """Everything [audit] asks for, into `RUN/tables/`: null_study, null_permutations, controls, power, audit."""
    settings, outcome = plan.audit, data.outcome_of("train")
    validation = for_outcome(plan.validation, outcome)
    null = pd.DataFrame(columns=["model", "permutation", "auc"])
    if settings.permutations:
        null = null_study(
            candidates, outcome, data.centre[outcome.patients], validation, permutations=settings.permutations, store=store,
            workers=workers, scheduler=scheduler,
        )  # fmt: skip
        observed = pd.DataFrame([{"model": model, "auc": mean_auc(results)} for model, results in folds.items()])
        store.write("tables/null_permutations.csv", null)
        store.write("tables/null_study.csv", summarise_null(observed, null))
    variants = run_variants(plan, data, store=store, workers=workers, scheduler=scheduler)
    if len(variants):
        store.write("tables/controls.csv", variants)
    if settings.power is not None:
        found = power_study(
            candidates,
            outcome,
            validation,
            settings.power,
            null=null,
            store=store,
            workers=workers,
            scheduler=scheduler,
        )
        store.write("tables/power.csv", found)
    store.write("tables/audit.csv", audit_rules(Study(plan, data, folds, null)))
