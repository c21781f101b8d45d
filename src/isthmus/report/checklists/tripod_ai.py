"""TRIPOD+AI (Collins and colleagues, BMJ 2024): 52 sub-items of 27 items, asked in our own short words."""

from __future__ import annotations

from isthmus.report.checklists import _answers as a
from isthmus.report.checklists._item import Answer, Checklist, Facts, asked, items, partly, yes

__all__ = ["CHECKLIST"]


def _prepared(f: Facts) -> Answer:
    return a.preprocessing(f) if f.images else a.steps(f)


def _title(f: Facts) -> Answer:
    return asked("the report's own title is a start", "plan.lock.toml", str(f.said("report.title") or "no title"))


def _data_sources(f: Facts) -> Answer:
    count = len(f.result.provenance.get("inputs") or {})
    return partly(
        "provenance.json", f"hashes of {count} inputs", "say where the data come from and whom they represent"
    )


def _updating(f: Facts) -> Answer:
    calibrated = [m["name"] for m in f.plan.get("models", []) if m.get("calibration")]
    return yes(
        "plan.lock.toml",
        f"{len(calibrated)} models recalibrated inside training folds" if calibrated else "no model was updated",
    )


def _evaluation(f: Facts) -> Answer:
    where = (
        "external and internal patients"
        if f.external and f.internal
        else "external patients"
        if f.external
        else "held-out patients"
    )
    return yes("predictions.csv", f"predictions of {where}, by the model as it was fitted")


def _counts(f: Facts) -> Answer:
    rows = f.result.metrics
    counted = rows[rows["metric"].isin(["n", "n_events"]) & (rows["model"] == f.final)]
    said = ", ".join(f"{row['split']} {row['metric']} {row['estimate']:.0f}" for row in counted.to_dict("records"))
    return yes("metrics.csv", said)


def _fairness(f: Facts) -> Answer:
    return (
        partly("tables/subgroups.csv", "performance in subgroups", "say why these groups")
        if f.has("subgroups")
        else asked("[validate] subgroups estimates performance by group")
    )


def _limits(f: Facts) -> Answer:
    if f.has("audit"):
        return partly(
            "tables/audit.csv",
            f"{len(f.table('audit'))} rules of the leakage contract",
            "the report lists what would make the result wrong",
        )
    return asked("the report lists what would make the result wrong")


def _performance(f: Facts) -> Answer:
    said = f"{len(f.metrics)} measures of the final model with their limits"
    return (
        yes("tables/subgroups.csv", f"{said}, and in subgroups")
        if f.has("subgroups")
        else partly("metrics.csv", said, "not in subgroups")
    )


CHECKLIST = Checklist(
    "tripod_ai",
    "TRIPOD+AI",
    "tripodai2024",
    (
        *items("Title and abstract",
            ("1", "Does the title say that a prediction model is developed or evaluated, in whom and for which outcome?", _title),
            ("2", "Is there a structured abstract (TRIPOD+AI for abstracts)?", a.author("the Results of methods.md hold its numbers")),
        ),
        *items("Introduction",
            ("3a", "Medical context, why a model is needed, and which models exist?", a.author()),
            ("3b", "In whom, where in the care pathway and by whom would it be used?", a.author()),
            ("3c", "Known inequalities in health between groups?", a.author()),
            ("4", "Aims: development, evaluation or both?", a.author()),
        ),
        *items("Methods: data",
            ("5a", "Sources of the data of development and evaluation, and whether they are representative?", _data_sources),
            ("5b", "Dates of inclusion and end of follow-up?", a.author("dates are not among the inputs of a run")),
            ("6a", "Setting, and number and place of the centres?", a.centres),
            ("6b", "Criteria of eligibility?", a.eligibility),
            ("6c", "Treatments received, and how they were dealt with?", a.author()),
            ("7", "Preparation and quality control of the data, alike across groups?", _prepared),
        ),
        *items("Methods: outcome and predictors",
            ("8a", "What is predicted, over which time, how assessed?", a.outcome),
            ("8b", "Who assessed an outcome that needs judgement?", a.author()),
            ("8c", "Was the assessment blind to the predictors?", a.author()),
            ("9a", "Why these candidate predictors?", a.predictors),
            ("9b", "All predictors defined, with how and when they were measured?", a.predictors),
            ("9c", "Who assessed predictors that need judgement (masks)?", a.author()),
        ),
        *items("Methods: analysis",
            ("10", "How was the sample size reached, and is it enough?", a.sample_size),
            ("11", "How were missing data handled?", a.missing_data),
            ("12a", "How were the data used (development, evaluation, partition)?", a.partition),
            ("12b", "How were predictors handled (form, scaling, standardisation)?", a.scaling),
            ("12c", "Type of model, all steps, tuning and internal validation?", a.model_steps),
            ("12d", "How were differences between clusters (centres) handled?", a.clusters),
            ("12e", "Which measures of performance, and why?", a.measures),
            ("12f", "Any updating of the model (recalibration)?", _updating),
            ("12g", "How were predictions computed in the evaluation?", _evaluation),
            ("13", "Class imbalance: what was done, and recalibration after it?", a.class_imbalance),
            ("14", "What was done for fairness?", _fairness),
            ("15", "Output of the model, and reason for its thresholds?", a.threshold),
            ("16", "Differences between the data of development and evaluation?", a.shift_between_sets),
            ("17", "Ethics approval and consent?", a.author()),
        ),
        *items("Open science",
            ("18a", "Funding?", a.author()),
            ("18b", "Conflicts of interest?", a.author()),
            ("18c", "Is there a protocol?", a.author("plan.lock.toml says what was done")),
            ("18d", "Registration?", a.author()),
            ("18e", "Are the data available?", a.feature_export),
            ("18f", "Is the code available?", a.settings),
        ),
        *items("Patient involvement", ("19", "Were patients and the public involved?", a.author())),
        *items("Results",
            ("20a", "Flow of participants, with the outcome and follow-up?", a.flow),
            ("20b", "Characteristics by source and group, with missing data?", a.characteristics),
            ("20c", "Distribution of predictors in evaluation against development?", a.shift_between_sets),
            ("21", "Participants and events in every analysis?", _counts),
            ("22", "The full model, or access to it?", a.model_file),
            ("23a", "Performance with intervals, in subgroups too?", _performance),
            ("23b", "Differences in performance between clusters?", a.heterogeneity),
            ("24", "Results of an updated model?", a.recalibrated),
        ),
        *items("Discussion",
            ("25", "Interpretation, fairness included, beside earlier studies?", a.author()),
            ("26", "Limitations and their effect?", _limits),
            ("27a", "What to do with poor or missing input at use?", a.unseen_input),
            ("27b", "What must a user be able to do?", a.author()),
            ("27c", "Next steps of research?", a.author()),
        ),
    ),
    note="Asked in our own words; the numbering was written from the published statement. Fill the official form from it.",
)  # fmt: skip
