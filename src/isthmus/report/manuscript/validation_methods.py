"""Methods, third part: validation, measures, tests, what was asked of the result, software."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from isthmus.report.facts import confidence, horizon, measure_name, null_study, task, threshold_origin
from isthmus.report.manuscript import biology_methods
from isthmus.report.manuscript.draft import Draft, cite, listed, name
from isthmus.report.manuscript.phrases import ADJUSTMENTS

__all__ = ["TESTS", "write"]


def write(d: Draft) -> None:
    """From the folds to the software."""
    d.heading("Validation")
    _validation(d)
    d.heading({"survival": "Risk groups", "binary": "Decision threshold"}.get(task(d.result), "Classification"))
    d.paragraph(_decisions(d))
    d.heading("Performance measures and intervals")
    {"binary": _binary, "survival": _survival}.get(task(d.result), _classes)(d)
    if len(d.result.comparisons):
        d.heading("Comparison of models")
        _comparisons(d)
    _robustness(d)
    if d.said("explain") or any(file.startswith("nomogram_") for file in d.result.tables):
        d.heading("Explanation")
        _explanation(d)
    biology_methods.write(d)
    d.heading("Software and reporting")
    _software(d)


# ---------------------------------------------------------------------- validation


def _validation(d: Draft) -> None:
    repeats = d.said("validate.repeats")
    repeated = (
        f", repeated {d.setting('validate.repeats')} times with other partitions" if repeats and repeats > 1 else ""
    )
    d.paragraph(
        f"Internal validation was by nested cross-validation with {d.setting('validate.folds')} outer "
        f"folds{repeated}, stratified by outcome; all rows of a "
        f"patient stayed in one fold{cite('varma2006')}.",
        f"Choices inside the training part of a fold were made by {d.setting('validate.inner_folds')} inner folds.",
        "The estimates thus belong to the whole procedure; the final model was the same procedure fitted on all "
        "development patients.",
        f"The random seed was {d.setting('validate.seed')}.",
    )
    sets = {row["split"] for row in d.rows("cases.csv", status="included")} & {"internal", "external"}
    if sets:
        words = listed(
            [f"{one} test patients" if one == "internal" else "external patients" for one in sorted(sets, reverse=True)]
        )
        d.paragraph(f"The final model and its {_carried(d)} were applied unchanged to the {words}.")
    if d.said("validate.scheme") == "leave-one-centre-out":
        d.paragraph(
            "Besides, each centre was left out in turn (internal-external validation), and the AUCs were "
            "summarised on the logit scale by a random-effects "
            f"model with the interval of Hartung and Knapp and a prediction interval for a new "
            f"centre{cite('steyerberg2016', 'hartung2001')}."
        )
    if d.said("validate.scheme") == "random-splits":
        d.paragraph(
            f"Besides, the patients {'of development and internal test set ' if 'internal' in sets else ''}were split at random "
            f"{d.setting('validate.splits')} times with a share of {d.setting('validate.test_share')} as test part, stratified by outcome; "
            f"all choices were made again on each training part, and metrics were averaged over the splits with the interval of Nadeau "
            f"and Bengio{cite('nadeau2003')}."
        )
    if d.said("validate.optimism"):
        d.paragraph(
            f"Optimism was estimated by repeating the whole procedure on {d.setting('validate.optimism')} "
            f"bootstrap samples of patients "
            f"(Harrell's correction and the .632+ estimator){cite('harrell1996', 'efron1997')}."
        )


def _carried(d: Draft) -> str:
    return {"survival": "cut of the risk groups", "binary": "threshold"}.get(task(d.result), "rule of classification")


def _decisions(d: Draft) -> str:
    if task(d.result) == "survival":
        rule = d.said("validate.risk_groups") or "median"
        cut = {
            "median": "at the median",
            "tertiles": "at the tertiles",
            "maximal": "where the log-rank statistic was largest",
        }[rule]
        time = (
            f" Models gave the probability of the event by time "
            f"{d.cell('metrics.csv', 'estimate', 'g', metric='horizon')}"
            f"{'' if d.said('validate.horizon') else ', the median event time of the development patients'}."
            if horizon(d.result) == horizon(d.result)
            else ""
        )
        return (
            f"Risk groups were cut {cut} of the out-of-fold risks of the training patients, and the cuts were "
            f"carried over unchanged.{time}"
        )
    if task(d.result) != "binary":
        return "Every patient was assigned the class with the highest probability; no threshold was chosen."
    rule = d.said("validate.threshold") or "youden"
    path = "validate.threshold"
    if rule == "youden":
        how = f"maximised Youden's index in training predictions{cite('youden1950')}"
    elif rule == "prevalence":
        how = "equalled the prevalence among the training patients"
    elif isinstance(rule, dict) and "cost_ratio" in rule:
        how = (
            f"followed from a stated cost ratio of {d.setting(f'{path}.cost_ratio')} (false negative to false positive)"
        )
    elif isinstance(rule, dict):
        key = next(iter(rule))
        how = f"gave a {key} of at least {d.setting(f'{path}.{key}')} in training predictions"
    else:
        how = f"was fixed in the plan at a risk of {d.setting(path)}"
    if threshold_origin(d.result) == "fixed in the plan":
        return f"The decision threshold {how}. It was the same in every fold and set of patients; no patient took part in its choice."
    return (
        f"The decision threshold {how}. It was fixed on predictions of training patients, in each fold anew, and "
        f"carried over unchanged to "
        "the patients held out; it was never chosen on the patients it was judged on."
    )


# ---------------------------------------------------------------------- measures


def _level(d: Draft) -> str:
    return (
        f"{d.setting('validate.confidence', 'percent')} %"
        if d.said("validate.confidence")
        else f"{100 * confidence(d.result):.0f} %"
    )


def _drawn(d: Draft) -> str:
    bias = d.said("validate.intervals.bootstrap") == "bca"
    draws = f" ({d.setting('validate.bootstrap')} draws)" if d.said("validate.bootstrap") else ""
    return (
        f"the bootstrap over patients{draws}, {'bias-corrected and accelerated' if bias else 'percentile'} "
        f"limits{cite('efron1987' if bias else 'efron1993')}"
    )


def _binary(d: Draft) -> None:
    logit = " on the logit scale" if d.said("validate.intervals.auc") == "delong-logit" else ""
    exact = d.said("validate.intervals.proportion") == "clopper-pearson"
    proportions = f"Clopper and Pearson's{cite('clopper1934')}" if exact else f"Wilson's{cite('wilson1927')}"
    d.paragraph(
        "Discrimination was measured by the area under the receiver operating characteristic curve (AUC), in "
        "cross-validation as the mean of the AUCs of "
        "the folds, and by the area under the precision-recall curve.",
        f"The partial AUC is that where specificity is at least {d.setting('validate.lowest_specificity')}, "
        f"standardised{cite('mcclish1989')}."
        if d.said("validate.lowest_specificity") is not None
        else "",
        "At the threshold, sensitivity, specificity, predictive values, accuracy and related measures were computed.",
        f"Calibration was described by the calibration slope, intercept and in-the-large, the ratio of observed "
        f"to expected events and the integrated calibration index{cite('vancalster2016', 'austin2019')}; overall "
        f"accuracy by the Brier score{cite('brier1950')}; clinical utility by net benefit over thresholds from "
        f"{d.setting('validate.decision_curve.lowest')} to "
        f"{d.setting('validate.decision_curve.highest')}, the range that the plan fixed{cite('vickers2006')}."
        if d.said("validate.decision_curve")
        else f"Calibration was described by slope and intercept{cite('vancalster2016')}, accuracy by the Brier "
        f"score{cite('brier1950')}.",
    )
    d.paragraph(
        f"Intervals at the {_level(d)} level were DeLong's{logit}{cite('delong1988')} for AUCs of single sets of "
        f"predictions, {proportions} for proportions, and by "
        f"{_drawn(d)} for AUCs in cross-validation and the other measures.",
        f"In cross-validation a corrected resampled t interval of the AUC is also given{cite('nadeau2003')}; the "
        f"bootstrap there takes the fitted models as fixed.",
        "The exact method of every interval stands beside it in metrics.csv.",
        f"Predictive values are also given for a prevalence of {d.setting('validate.prevalence')}{cite('mercaldo2007')}."
        if d.said("validate.prevalence")
        else "",
    )


def _classes(d: Draft) -> None:
    ordinal = task(d.result) == "ordinal"
    first = (
        "Discrimination was measured by the ordinal C-index: of two patients of different classes, how often the "
        "one of the higher class had the higher "
        "expected class."
        if ordinal
        else "Discrimination was measured by the macro-averaged AUC of each class against the rest, in "
        "cross-validation as the mean of the folds, and by Hand "
        f"and Till's M{cite('hand2001till')}."
    )
    agreement = f" and the quadratically weighted kappa{cite('cohen1968')}" if ordinal else ""
    d.paragraph(
        first,
        f"Classification was measured by balanced accuracy (mean sensitivity over the classes), Matthews' "
        f"correlation for several classes{cite('gorodkin2004')}"
        f"{agreement}; the probabilities by the Brier score summed over the classes{cite('brier1950')} and by "
        f"calibration of each class against the rest"
        f"{cite('vancalster2016')}.",
        f"Intervals at the {_level(d)} level were DeLong's{cite('delong1988')} for AUCs of single classes, "
        f"Wilson's{cite('wilson1927')} for proportions, and by {_drawn(d)} "
        "otherwise; the method of every interval stands beside it in metrics.csv.",
    )


def _survival(d: Draft) -> None:
    d.paragraph(
        f"Discrimination was measured by Harrell's C-index, in cross-validation as the mean of the "
        f"folds{cite('harrell1996')}, by Uno's C-index{cite('uno2011')} and by "
        f"time-dependent AUCs weighted for censoring{cite('blanche2013')}"
        + (f", besides the horizon at {d.setting('validate.times')}." if d.said("validate.times") else "."),
        f"Probabilities at the horizon were judged by the Brier score weighted for censoring{cite('gerds2006')}, "
        f"the index of prediction accuracy"
        f"{cite('kattan2018')}, the ratio of observed (Kaplan-Meier{cite('kaplan1958')}) to expected events, and "
        f"calibration by pseudo-values{cite('austin2020')}.",
        f"Clinical utility was described by net benefit at the horizon, with censoring handled by "
        f"Kaplan-Meier{cite('vickers2008')}.",
        f"Risk groups were compared by the log-rank test{cite('mantel1966')} and the hazard ratio of a Cox "
        f"model{cite('cox1972')}.",
        f"Intervals at the {_level(d)} level were by the infinitesimal jackknife for the C-index of single sets "
        f"of predictions, by Wald's and Greenwood's methods where "
        f"these apply, and by {_drawn(d)} otherwise; the method of every interval stands beside it in metrics.csv.",
        f"The assumption of proportional hazards was tested by scaled Schoenfeld residuals{cite('grambsch1994')}."
        if any(one.startswith("hazard_ratios_") for one in d.result.tables)
        else "",
    )


TESTS = (
    ("corrected resampled t", "the corrected resampled t-test over the folds", ("nadeau2003",)),
    ("DeLong", "DeLong's test", ("delong1988",)),
    ("McNemar", "McNemar's test of correct decisions", ("mcnemar1947",)),
    ("bootstrap", "the paired bootstrap over patients", ("efron1993",)),
    ("net benefit", "differences in net benefit", ("vickers2006",)),
    ("NRI", "the net reclassification index", ("pencina2008", "hilden2014")),
    ("IDI", "the integrated discrimination improvement", ("pencina2008", "hilden2014")),
    (
        "added value",
        "a likelihood-ratio test of the added value of one model's linear predictor beside the other's",
        ("vancalster2016",),
    ),
    ("5 x 2", "the combined F test of five times two-fold cross-validation", ("alpaydin1999",)),
)


def _comparisons(d: Draft) -> None:
    seen = " | ".join(dict.fromkeys(str(row["test"]) for row in d.rows("comparisons.csv")))
    words = [
        f"{what}{'' if key == 'added value' else cite(*keys)}"
        for key, what, keys in TESTS
        if key.lower() in seen.lower()
    ]
    how = d.said("validate.adjust") or "holm"
    adjusted, key = (*ADJUSTMENTS.get(how, (how,)), "")[:2]
    ref = cite(key) if key else ""
    corrected = "p_adjusted" in d.rows("comparisons.csv")[0]
    d.paragraph(
        f"Pairs of models were compared on the same patients by {listed(words)}." if words else "",
        f"The categories of reclassification, named in the plan, were cut at risks of {d.setting('validate.risk_categories')}."
        if d.said("validate.risk_categories")
        else "",
        f"For each test and set of patients the p-values were adjusted over the pairs of models by {adjusted}{ref}."
        if corrected
        else "",
        "Reclassification indices can be positive for models that add nothing, and are given beside the other "
        "measures only."
        if "NRI" in seen or "IDI" in seen
        else "",
        "All tests were two-sided.",
    )


# ---------------------------------------------------------------------- what was asked of the result


def _robustness(d: Draft) -> None:
    audit = d.said("audit") or {}
    texts: list[str] = []
    if subgroups := d.said("validate.subgroups"):
        texts.append(
            f"The final model was judged in subgroups by {listed([name(one) for one in subgroups])}, where at "
            f"least {d.setting('validate.subgroup_minimum')} patients of "
            "each class that a measure needs were present; no p-values were computed for subgroups."
        )
    if len(null_study(d.result)):
        count = d.cell("tables/null_study.csv", "permutations", "d", model=str(null_study(d.result)["model"].iloc[0]))
        texts.append(
            f"In a null study the whole procedure was repeated, with one round of cross-validation, on {count} permutations of "
            f"the outcome; the p-value is the share of outcomes, the true one included, on which it reached the study's own "
            f"{measure_name(d.result)}{cite('ojala2010')}."
        )
    kinds = {str(row["kind"]) for row in d.rows("tables/controls.csv") if _judged(row)}
    if "control" in kinds:
        done = list(
            dict.fromkeys(str(r["variant"]) for r in d.rows("tables/controls.csv", kind="control") if _judged(r))
        )
        texts.append(
            f"As negative controls, the study was repeated on less: "
            f"{listed([name(one) for one in done])}{cite('welch2019')}."
        )
    if "shift" in kinds:
        texts.append(
            f"Test images were disturbed, as another scanner might, to see how far predictions "
            f"hold{cite('zwanenburg2019')}."
        )
    if "sensitivity" in kinds:
        texts.append("In sensitivity analyses, the study was repeated with other settings of feature extraction.")
    if audit.get("power") and d.rows("tables/power.csv"):
        texts.append(
            "Signals of known strength were planted in the study's own predictors, to see what a study of this "
            "size can find."
        )
    if texts:
        d.heading("Checks of the result")
        d.paragraph(*texts)


def _judged(row: dict[Hashable, Any]) -> bool:
    """A variant that the data allowed has numbers."""
    return not math.isnan(float(row.get("auc", math.nan)))


def _explanation(d: Draft) -> None:
    texts = []
    if d.said("explain"):
        texts.append(
            "Predictions of held-out patients were explained by Shapley values against the training patients of "
            "their fold, exactly for linear models and trees and by "
            f"sampling otherwise{cite('lundberg2017', 'lundberg2020', 'strumbelj2014')}; importance is the "
            f"{measure_name(d.result)} lost when a column is shuffled{cite('breiman2001')}."
        )
        if d.said("explain.curves"):
            texts.append(
                f"Partial dependence{cite('friedman2001')} and accumulated local effects{cite('apley2020')} were "
                f"drawn for the leading features."
            )
    nomograms = [one.removeprefix("nomogram_") for one in d.result.tables if one.startswith("nomogram_")]
    if nomograms:
        texts.append(
            f"A nomogram of {listed([name(one) for one in nomograms])} was made from the model's own "
            f"coefficients{cite('iasonos2008')}."
        )
    d.paragraph(*texts)


_PACKAGES = {
    "numpy": ("NumPy", "harris2020"),
    "scipy": ("SciPy", "virtanen2020"),
    "pandas": ("pandas", "mckinney2010"),
    "scikit-learn": ("scikit-learn", "pedregosa2011"),
    "statsmodels": ("statsmodels", "seabold2010"),
    "lightgbm": ("LightGBM", "ke2017"),
    "SimpleITK": ("SimpleITK", "lowekamp2013"),
}


def _software(d: Draft) -> None:
    versions = {k: v for k, v in (d.result.provenance.get("versions") or {}).items() if v != "not installed"}
    estimators = {str(model.get("estimator")) for model in d.said("models") or []}
    used = {
        key: word
        for key, word in _PACKAGES.items()
        if key in versions
        and (key != "lightgbm" or "lightgbm" in estimators)
        and (key != "SimpleITK" or d.said("features"))
    }
    words = [f"{word} {d.version(key)}{cite(ref)}" for key, (word, ref) in used.items()]
    python = f" under Python {d.version('python')}" if "python" in versions else ""
    own = f"Isthmus {d.version('isthmus')}{cite('isthmus')}" if "isthmus" in versions else f"Isthmus{cite('isthmus')}"
    d.paragraph(
        f"The analysis was done with {own}{python}{f', using {listed(words)}' if words else ''}.",
        "The locked plan (plan.lock.toml) holds every setting, and provenance.json the hashes of all inputs.",
    )
    forms = [
        f"TRIPOD+AI{cite('tripodai2024')}",
        f"CLEAR{cite('clear2023')}",
        f"METRICS{cite('metrics2024')}",
        f"the radiomics quality score{cite('lambin2017')}",
    ]
    if d.said("features"):
        forms.append(f"the reporting items of IBSI{cite('zwanenburg2020')}")
    d.paragraph(
        f"Answers to {listed(forms)} are in the folder checklists, where items that only the authors can answer "
        f"are marked."
    )
