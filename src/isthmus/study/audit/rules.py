"""The rules of the leakage contract (L1 to L13), one by one, for this study: what could go wrong, why it cannot here, or what was found.

Most rules hold because a plan has no words to break them; for those the answer names what was fitted where, so that a reader can check.
The others are looked at in the data, and what is found is for the reader to judge. `docs/explanation/leakage.md` explains each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from isthmus.models.building import make_steps
from isthmus.models.settings import ModelSettings
from isthmus.study.data import StudyData
from isthmus.study.evaluate import STEPS
from isthmus.study.plan import Plan, with_default_steps
from isthmus.table.steps import Step
from isthmus.validate.nested import FoldResult
from isthmus.validate.scoring import MEASURES

__all__ = ["COLUMNS", "RULES", "audit_rules"]

COLUMNS = ["rule", "what", "verdict", "found"]

CANNOT, CLEAR, LOOK, UNUSED = "cannot happen", "nothing found", "look at this", "not used"

Folds = dict[str, list[FoldResult]]


@dataclass(frozen=True, eq=False)
class Study:
    """What the rules look at."""

    plan: Plan
    data: StudyData
    folds: Folds
    null: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def models(self) -> list[ModelSettings]:
        return [with_default_steps(self.plan, model) for model in self.plan.models]

    def steps(self, *, kind: str | None = None, room: str | None = None) -> dict[str, list[str]]:
        """Model -> the names of its steps of a kind, or from a room."""
        from isthmus.models.building import resolve

        found: dict[str, list[str]] = {}
        for model in self.models:
            for step in resolve(model):
                made: type[Step] = STEPS[step.name]
                if (kind is None or made.kind == kind) and (room is None or f".{room}." in f"{made.__module__}."):
                    found.setdefault(model.name, []).append(step.name)
        return found

    @property
    def fits(self) -> int:
        """Outer folds of one model."""
        return self.plan.validation.folds * self.plan.validation.repeats


Answer = tuple[str, str]  # verdict, what was found


def audit_rules(study: Study) -> pd.DataFrame:
    """One row a rule: `rule`, `what` could go wrong, `verdict` (cannot happen, nothing found, look at this, not used), what was `found`."""
    rows = []
    for name, (what, rule) in RULES.items():
        verdict, found = rule(study)
        rows.append({"rule": name, "what": what, "verdict": verdict, "found": found})
    return pd.DataFrame(rows, columns=COLUMNS)


def _listed(found: dict[str, list[str]]) -> str:
    return "; ".join(f"{model}: {', '.join(names)}" for model, names in found.items())


def _selection(study: Study) -> Answer:
    found = study.steps(kind="supervised", room="select")
    if not found:
        return UNUSED, "no model selects by the outcome"
    return CANNOT, f"fitted anew on the training rows of each of {study.fits} folds ({_listed(found)})"


def _learned_without_outcome(study: Study) -> Answer:
    found = study.steps(kind="unsupervised")
    if not found:
        return UNUSED, "no model has such a step"
    return CANNOT, f"fitted anew on the training rows of each of {study.fits} folds ({_listed(found)})"


def _resampling(study: Study) -> Answer:
    found = study.steps(room="resample")
    if not found:
        return UNUSED, "no rows are made or left out"
    return (
        CANNOT,
        f"after the split, in training rows only; the risk is carried back to their prevalence ({_listed(found)})",
    )


def _patients_on_both_sides(study: Study) -> Answer:
    names = study.data.split.index.astype(str)
    alike = pd.Series(names, index=names).str.strip().str.casefold().str.replace(r"[\s_\-]+", "", regex=True)
    twins = [sorted(group.index) for _, group in alike.groupby(alike) if len(group) > 1]
    if twins:
        shown = "; ".join(" and ".join(pair) for pair in twins[:5])
        return (
            LOOK,
            f"names that differ in case, blanks or dashes only may be one patient: {shown} ({len(twins)} in all)",
        )
    return CANNOT, f"patients are dealt to folds, not rows; no two of the {len(names)} names are alike"


def _threshold(study: Study) -> Answer:
    if study.plan.source.task in ("multiclass", "ordinal"):
        return UNUSED, "no threshold: every patient is called the most probable class"
    if study.plan.source.task == "survival":
        return (
            CANNOT,
            f"risk groups are cut on inner predictions of the training rows of each fold ({study.plan.validation.risk_groups})",
        )
    rules = [model.threshold or study.plan.validation.threshold for model in study.models]
    fixed = [isinstance(rule, float) or (isinstance(rule, dict) and "cost_ratio" in rule) for rule in rules]
    in_plan = sorted({str(rule) for rule, said in zip(rules, fixed, strict=True) if said})
    learned = sorted({str(rule) for rule, said in zip(rules, fixed, strict=True) if not said})
    texts = [f"fixed in the plan ({', '.join(in_plan)})"] if in_plan else []
    texts += [f"fixed on inner predictions of the training rows of each fold ({', '.join(learned)})"] if learned else []
    return CANNOT, "; ".join(texts)


def _tuning(study: Study) -> Answer:
    tuned = [model.name for model in study.models if any(result.trials for result in study.folds.get(model.name, []))]
    nested = (
        f"inner cross-validation of {study.plan.validation.inner_folds} folds in the training rows"
        if tuned
        else "no model is tuned"
    )
    said = f"{nested} ({', '.join(tuned)})" if tuned else nested
    if len(study.models) == 1:
        return CANNOT, said
    best = _best_of_many(study)
    return (
        CANNOT,
        f"{said}; {len(study.models)} models are all reported, the final one ({study.plan.final}) is named in the plan.{best}",
    )


def _best_of_many(study: Study) -> str:
    """What quoting the best of the models would add where there is nothing to find."""
    if not {"model", "permutation", "auc"} <= set(study.null.columns) or study.null["permutation"].nunique() < 2:
        return ""
    measure = MEASURES[study.plan.source.task]
    best = study.null.groupby("permutation")["auc"].max().mean()
    return f" Quoting the best of them would show a mean {measure} of {best:.2f} where there is nothing to find"


def _seed(study: Study) -> Answer:
    settings = study.plan.validation
    said = f"seed {settings.seed} is written in the plan; {settings.repeats} repeats of {settings.folds} folds are averaged"
    if settings.repeats == 1:
        return (
            LOOK,
            f"seed {settings.seed} is written in the plan, with one repeat of {settings.folds} folds: the result hangs on one way of "
            "dealing patients to folds; use more repeats",
        )
    means = {
        model: pd.Series([r.auc for r in results]).groupby([r.repeat for r in results]).mean()
        for model, results in study.folds.items()
    }
    spread = "; ".join(f"{model} {values.min():.3f} to {values.max():.3f}" for model, values in means.items())
    return CLEAR, f"{said}. Mean {MEASURES[study.plan.source.task]} of the single repeats: {spread}"


def _external(study: Study) -> Answer:
    counts = study.data.split.value_counts()
    outside = int(counts.get("external", 0))
    if not outside:
        return UNUSED, "no external patients"
    centres = sorted(set(study.data.centre[study.data.patients("external")]))
    return (
        CANNOT,
        f"{outside} external patients ({', '.join(map(str, centres))}) are in no design matrix that a model is fitted on",
    )


def _harmonisation(study: Study) -> Answer:
    found = study.steps(room="harmonise")
    if not found:
        return UNUSED, "no harmonisation"
    fitted = f"fitted on training rows of each fold ({_listed(found)})"
    transductive = [
        model.name
        for model in study.models
        for step in make_steps(model, seed=0, steps=STEPS)
        if getattr(step, "unseen", None) == "adopt"
    ]
    if transductive:
        return LOOK, (
            f"{fitted}; {', '.join(transductive)}: a centre never seen is estimated from the patients who are to be predicted, "
            "without their outcome (transductive)"
        )
    return CANNOT, f"{fitted}; tables/harmonisation_outcome.csv has the outcome by centre and Cramér's V"


def _tells_the_outcome(study: Study) -> Answer:
    notes = study.data.notes
    found = notes[notes["note"].str.contains("(rule L10)", regex=False)] if len(notes) else notes
    if len(found):
        return LOOK, "; ".join(dict.fromkeys(found["note"].head(5)))
    return CLEAR, "no predictor tells the outcome alone (AUC 0.99) or runs along with the patients' numbers"


def _near_duplicates(study: Study) -> Answer:
    notes = study.data.notes
    found = notes[notes["note"].str.contains("almost the same features", regex=False)] if len(notes) else notes
    if len(found):
        return (
            LOOK,
            f"{len(found)} pairs of patients have almost the same features: {'; '.join(found['patient'].head(5))}",
        )
    return CLEAR, "no two patients have almost the same features (cosine above 0.9999)"


def _calibration(study: Study) -> Answer:
    used = [model.name for model in study.models if getattr(model, "calibration", None) not in (None, "none")]
    if not used:
        return UNUSED, "no model is recalibrated"
    return CANNOT, f"the map is fitted on inner out-of-fold risks of training rows ({', '.join(used)})"


def _repeats_of_test_patients(study: Study) -> Answer:
    found = {model: names for model, names in study.steps(room="select").items() if "reliability" in names}
    if not found:
        return UNUSED, "no reliability filter"
    return (
        CANNOT,
        f"the filter leaves out the repeats of every patient of the study who is not in its training rows ({', '.join(found)})",
    )


RULES: dict[str, tuple[str, Callable[[Study], Answer]]] = {
    "L1": ("features selected on all patients", _selection),
    "L2": ("scaling, imputation, encoding or reduction fitted on all patients", _learned_without_outcome),
    "L3": ("rows made or left out before the split", _resampling),
    "L4": ("one patient on both sides of a split", _patients_on_both_sides),
    "L5": ("threshold chosen on the patients it judges", _threshold),
    "L6": ("settings or model chosen on the folds that are reported", _tuning),
    "L7": ("split chosen by its result", _seed),
    "L8": ("external patients used for a choice", _external),
    "L9": ("harmonisation over training and test patients, or with the outcome", _harmonisation),
    "L10": ("a predictor made from the outcome, or after it", _tells_the_outcome),
    "L11": ("the same scan under two names", _near_duplicates),
    "L12": ("calibration fitted on test patients", _calibration),
    "L13": ("reliability judged on test patients' repeats", _repeats_of_test_patients),
}
"""Rule -> what could go wrong, and the function that looks."""
