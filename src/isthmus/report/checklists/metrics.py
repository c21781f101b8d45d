"""METRICS (Kocak and colleagues, Insights into Imaging 2024): 30 weighted items; an item whose condition the study does not meet leaves
the score."""

from __future__ import annotations

from isthmus.report.checklists import _answers as a
from isthmus.report.checklists._item import Answer, Answering, Checklist, Facts, Item, asked, no, not_applicable, yes

__all__ = ["CHECKLIST"]


def _guideline(_: Facts) -> Answer:
    return asked("the checklists of this folder help; say in the paper that one was followed", "plan.lock.toml")


def _whole(answering: Answering) -> Answering:
    """Items of METRICS are met or not: what is partly there is the author's to judge."""

    def answer(f: Facts) -> Answer:
        found = answering(f)
        return asked(found.note, found.file, found.value) if found.answer == "partly" else found

    return answer


def _multi_centre(f: Facts) -> Answer:
    if len(f.centres) > 1:
        return yes("cases.csv", f"{len(f.centres)} centres")
    return asked("the case table names one centre at most", "cases.csv", f"{len(f.centres)} centre named")


def _dimensionality(f: Facts) -> Answer:
    if f.has("sample_size"):
        table = f.table("sample_size")
        row = table[table["model"] == f.final].iloc[0] if (table["model"] == f.final).any() else table.iloc[0]
        said = (
            f"{row['candidates']:.0f} candidate parameters, {row['supported']:.0f} supported by {row['n']:.0f} patients"
        )
        return (
            yes("tables/sample_size.csv", said)
            if row["candidates"] <= row["supported"]
            else no("tables/sample_size.csv", said)
        )
    return asked(
        "compare the number of features with the number of patients", "cases.csv", f"{len(f.included)} patients"
    )


def _internal(f: Facts) -> Answer:
    found = a.internal(f)
    if found.answer == "yes":
        return found
    return asked(
        "every patient was tested in nested cross-validation, no set was held apart: say whether that is enough",
        "metrics.csv",
    )


def _uniparametric(f: Facts) -> Answer:
    images = {str(b.get("image")) for b in f.blocks}
    if f.images and len(images) == 1:
        return yes("plan.lock.toml", f"one image ({images.pop()})", "uni-parametric")
    return asked("several images: show what one alone gives, as a model of its block")


def _simple(f: Facts) -> Answer:
    table = f.table("controls")
    if len(table) and ((table["kind"] == "control") & table["auc"].notna()).any():
        return yes("tables/controls.csv", "the same study on volume or clinical predictors alone")
    simple = {"logistic", "firth", "cox", "decision_tree", "naive_bayes"} & {
        str(m.get("estimator")) for m in f.plan.get("models", [])
    }
    return (
        yes("metrics.csv", f"estimators {', '.join(sorted(simple))}")
        if simple
        else no("plan.lock.toml", "no simple model and no control")
    )


_DEEP = "no end-to-end deep learning in this version"
_ROWS: tuple[tuple[str, str, Answering, float], ...] = (
    ("Study design", "A guideline or checklist of radiomics was followed", _guideline, 0.0368),
    ("Study design", "Criteria of eligibility describe a representative population", a.eligibility, 0.0735),
    ("Study design", "The reference standard is of high quality and clearly defined", a.author(), 0.0919),
    ("Imaging data", "Several centres", _multi_centre, 0.0438),
    ("Imaging data", "The imaging can be had in practice", a.author(), 0.0292),
    ("Imaging data", "The imaging protocol is described", a.protocol, 0.0438),
    ("Imaging data", "The interval between imaging and reference standard is given", a.author(), 0.0292),
    ("Segmentation", "Segmentation is described clearly", a.segmentation, 0.0337),
    (
        "Segmentation",
        "An automated segmentation was formally evaluated",
        a.segmentation_evaluated,
        0.0225,
    ),
    ("Segmentation", "Test masks are by one reader or automated tool", a.author(), 0.0112),
    ("Image processing and features", "Image preparation is described", a.preprocessing, 0.0622),
    ("Image processing and features", "Standardised software was used for extraction", a.ibsi_software, 0.0311),
    ("Image processing and features", "Parameters of extraction are given", a.default_settings, 0.0415),
    ("Feature processing", "Features that are not robust were removed", a.segmentation_reliability, 0.0200),
    ("Feature processing", "Redundant features were removed", a.redundancy, 0.0200),
    ("Feature processing", "The number of features suits the number of patients", _dimensionality, 0.0300),
    (
        "Feature processing",
        "Robustness of end-to-end deep learning was assessed",
        lambda _: not_applicable(_DEEP),
        0.0200,
    ),
    ("Preparation for modelling", "Data were partitioned properly", a.partition, 0.0599),
    ("Preparation for modelling", "Confounders were handled", a.confounders, 0.0300),
    ("Metrics and comparison", "Suitable measures of performance", a.measures, 0.0352),
    ("Metrics and comparison", "Uncertainty was considered", a.interval, 0.0234),
    ("Metrics and comparison", "Calibration was assessed", a.calibration, 0.0176),
    ("Metrics and comparison", "Uni-parametric imaging, or proof that it is inferior", _uniparametric, 0.0117),
    (
        "Metrics and comparison",
        "Compared with a non-radiomic approach, or shown to add to it",
        a.radiomic_and_clinical,
        0.0293,
    ),
    ("Metrics and comparison", "Compared with a simple or classical model", _simple, 0.0176),
    ("Testing", "Internal testing", _internal, 0.0375),
    ("Testing", "External testing", a.external, 0.0749),
    ("Open science", "Data are available", a.author(), 0.0075),
    (
        "Open science",
        "Code is available",
        a.author("plan.lock.toml and the software's version repeat the analysis"),
        0.0075,
    ),
    ("Open science", "The model is available", a.model_file, 0.0075),
)
CHECKLIST = Checklist(
    "metrics",
    "METRICS",
    "metrics2024",
    tuple(
        Item(str(i), section, question, _whole(answer), weight)
        for i, (section, question, answer, weight) in enumerate(_ROWS, start=1)
    ),
    scoring="weights",
    note="Score: weights met over weights that apply, in percent. Items are met or not; what is not settled here "
    "counts as open.",
)
