"""CLEAR (Kocak and colleagues, Insights into Imaging 2023): 58 items, asked in our own short words."""

from __future__ import annotations

from isthmus.report.checklists import _answers as a
from isthmus.report.checklists._item import Answer, Checklist, Facts, asked, items, partly, yes

__all__ = ["CHECKLIST"]


def _non_radiomic(f: Facts) -> Answer:
    if f.clinical:
        columns = f.result.blocks.get("clinical")
        count = len(columns) if columns is not None else 0
        return yes("features/clinical.columns.csv", f"{count} clinical columns")
    return asked("the plan has no [clinical] block")


def _followed(_: Facts) -> Answer:
    return partly("plan.lock.toml", "", "this folder answers several; say in the paper which one was followed")


def _ready(f: Facts) -> Answer:
    if f.has("nomogram_" + f.final):
        return partly(f"tables/nomogram_{f.final}.csv", "a nomogram", "say where the ready tool is found")
    return a.model_file(f)


CHECKLIST = Checklist(
    "clear",
    "CLEAR",
    "clear2023",
    (
        *items("Title and abstract",
            ("1", "Does the title show the subject and radiomics?", a.author()),
            ("2", "Structured abstract with the essentials?", a.author()),
            ("3", "Keywords?", a.author()),
        ),
        *items("Introduction",
            ("4", "Scientific and clinical background?", a.author()),
            ("5", "Why radiomics for this question?", a.author()),
            ("6", "Aims?", a.author()),
        ),
        *items("Study design",
            ("7", "Was a reporting checklist followed?", _followed),
            ("8", "Ethics approval and consent?", a.author()),
            ("9", "How was the sample size reached?", a.sample_size),
            ("10", "Nature of the study (retrospective or prospective, kind of task)?", a.author()),
            ("11", "Criteria of eligibility?", a.eligibility),
            ("12", "Flow chart of the pipeline?", a.flow),
        ),
        *items("Data",
            ("13", "Source of the data?", a.author()),
            ("14", "Overlap with earlier publications?", a.author()),
            ("15", "How were data split, and leakage prevented?", a.partition),
            ("16", "Imaging protocol?", a.protocol),
            ("17", "Non-radiomic predictors defined?", _non_radiomic),
            ("18", "Reference standard?", a.outcome),
        ),
        *items("Segmentation",
            ("19", "How were regions drawn?", a.segmentation),
            ("20", "By whom, with which experience?", a.author()),
        ),
        *items("Preprocessing",
            ("21", "Details of image preparation?", a.preprocessing),
            ("22", "Resampling and its parameters?", a.resampling),
            ("23", "Discretisation and its parameters?", a.discretisation),
            ("24", "Which images features were measured on (original, filtered)?", a.image_types),
        ),
        *items("Feature extraction",
            ("25", "Software, its version, and IBSI compliance?", a.ibsi_software),
            ("26", "Feature classes?", a.feature_classes),
            ("27", "How many features?", a.feature_count),
            ("28", "Statement on default settings?", a.default_settings),
        ),
        *items("Data preparation",
            ("29", "Missing data?", a.missing_data),
            ("30", "Class imbalance?", a.class_imbalance),
            ("31", "Reliability of the segmentation (features)?", a.segmentation_reliability),
            ("32", "Scaling of features?", a.scaling),
            ("33", "Reduction of dimensions?", a.reduction),
        ),
        *items("Modelling",
            ("34", "Algorithms?", a.model_steps),
            ("35", "Training and tuning?", a.model_steps),
            ("36", "Confounders?", a.confounders),
            ("37", "How was the final model chosen?", a.model_choice),
        ),
        *items("Evaluation",
            ("38", "How was it tested (internal, external)?", a.partition),
            ("39", "Which measures, and why?", a.measures),
            ("40", "Uncertainty of the measures?", a.interval),
            ("41", "Statistical comparison of models?", a.comparisons),
            ("42", "Against non-radiomic and combined models?", a.radiomic_and_clinical),
            ("43", "Explanation of the model?", a.explanation),
        ),
        *items("Results",
            ("44", "Baseline table?", a.baseline),
            ("45", "Flow of patients?", a.flow),
            ("46", "Statistics of the selected features?", a.selected_statistics),
            ("47", "Performance of all models?", a.measures),
            ("48", "Against other approaches?", a.comparisons),
        ),
        *items("Discussion",
            ("49", "Overview of the findings?", a.author()),
            ("50", "Beside earlier work?", a.author()),
            ("51", "What it means in practice?", a.author()),
            ("52", "Strengths and limitations?", a.author("the report lists what would make the result wrong")),
        ),
        *items("Open science",
            ("53", "Are images shared?", a.author()),
            ("54", "Are features shared?", a.feature_export),
            ("55", "Are the settings shared?", a.settings),
            ("56", "Is the code shared?", a.settings),
            ("57", "Is the model shared?", a.model_file),
            ("58", "Is there a ready tool (calculator)?", _ready),
        ),
    ),
    note="Asked in our own words. Fill the official form from it.",
)  # fmt: skip
