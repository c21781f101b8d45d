"""Answers that several checklists share: each looks at the stored run and says what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.report.checklists._item import Answer, Answering, Facts, asked, no, not_applicable, partly, yes
from isthmus.report.facts import threshold_origin
from isthmus.study.segment_section import GIVEN

__all__ = [
    "acquired",
    "author",
    "baseline",
    "calibration",
    "centres",
    "characteristics",
    "class_imbalance",
    "clusters",
    "comparisons",
    "confounders",
    "controls",
    "default_settings",
    "discretisation",
    "eligibility",
    "explanation",
    "external",
    "extraction",
    "feature_classes",
    "feature_count",
    "feature_export",
    "flow",
    "heterogeneity",
    "ibsi_software",
    "image_types",
    "internal",
    "interval",
    "measures",
    "missing_data",
    "model_choice",
    "model_file",
    "model_steps",
    "outcome",
    "partition",
    "predictors",
    "preprocessing",
    "protocol",
    "radiomic_and_clinical",
    "recalibrated",
    "reduction",
    "redundancy",
    "resampling",
    "sample_size",
    "scaling",
    "segmentation",
    "segmentation_evaluated",
    "segmentation_reliability",
    "selected_statistics",
    "settings",
    "shift_between_sets",
    "software",
    "steps",
    "subgroups",
    "threshold",
    "unseen_input",
    "utility",
]  # fmt: skip

PLAN = "plan.lock.toml"


def author(note: str = "") -> Answering:
    """An item that only the author can answer."""
    return lambda _: asked(note)


def acquired(*columns: str, note: str = "") -> Answering:
    """What scanners say, where the headers hold it."""

    def answer(f: Facts) -> Answer:
        if not f.images:
            return asked("the features came ready; say what is known of the images")
        found = [value for column in columns if (value := f.scanned(column))]
        return (
            partly("acquisition.csv", "; ".join(found), note or "from the image headers; complete it")
            if found
            else asked(note)
        )

    return answer


# ---------------------------------------------------------------------- patients


def outcome(f: Facts) -> Answer:
    source = f.plan.get("cohort") or f.plan.get("table") or {}
    return partly(
        PLAN, f"outcome = {source.get('outcome')}, task = {f.task}", "say how, when and by whom it was assessed"
    )


def eligibility(f: Facts) -> Answer:
    source = f.plan.get("cohort") or f.plan.get("table") or {}
    rules = [*(source.get("include") or {}), *(source.get("exclude") or {})]
    lost = len(f.patients) - len(f.included)
    if rules:
        return partly(
            PLAN,
            f"rules {'; '.join(rules)}; {lost} patients excluded",
            "criteria applied before the case table are the author's",
        )
    return asked(
        "the plan has no include or exclude rule", "cases.csv", f"{lost} of {len(f.patients)} patients excluded"
    )


def flow(f: Facts) -> Answer:
    lost = len(f.patients) - len(f.included)
    return yes(
        "cases.csv", f"{len(f.patients)} patients, {len(f.included)} analysed, {lost} excluded with step and reason"
    )


def characteristics(f: Facts) -> Answer:
    if f.has("table1"):
        return yes("tables/table1.csv", f"{f.table('table1')['variable'].nunique()} variables, with missing values")
    return asked("the run has no clinical variables, so no table of the patients")


baseline = characteristics


def shift_between_sets(f: Facts) -> Answer:
    if not (f.external or f.internal):
        return not_applicable("no separate evaluation set")
    columns = list(f.table("table1").columns) if f.has("table1") else []
    if any(one.startswith("cohort: ") for one in columns):
        return yes("tables/table1.csv", "development and evaluation patients side by side")
    return no("cases.csv", "", "no variables to compare the sets by")


def centres(f: Facts) -> Answer:
    if len(f.centres) > 1:
        return yes("cases.csv", f"{len(f.centres)} centres")
    return asked("the case table names one centre at most", "cases.csv", f"{len(f.centres)} centre named")


def sample_size(f: Facts) -> Answer:
    if f.has("sample_size"):
        table = f.table("sample_size")
        row = (table[table["model"] == f.final] if (table["model"] == f.final).any() else table).iloc[0]
        return yes(
            "tables/sample_size.csv",
            f"{row['n']:.0f} patients, {row['events']:.0f} events, {row['candidates']:.0f} candidate parameters",
        )
    return asked(
        "no criterion was computed for this kind of outcome", "cases.csv", f"{len(f.included)} patients analysed"
    )


def missing_data(f: Facts) -> Answer:
    if f.said("clinical.missing") == "exclude":
        return yes(PLAN, "patients with missing clinical values excluded; other gaps by the steps of each model")
    if f.steps & {"impute", "drop_missing"}:
        return yes(PLAN, f"steps {', '.join(sorted(f.steps & {'drop_missing', 'impute'}))}, fitted in training folds")
    return asked("no step of the plan deals with missing values")


# ---------------------------------------------------------------------- images and features


def protocol(f: Facts) -> Answer:
    return acquired("vendor", "model", "kvp", "field_strength_t", "slice_thickness_mm", "kernel", "contrast_agent")(f)


def _of_images(f: Facts, answer: Answer) -> Answer:
    return answer if f.images else asked("the features came ready; say how they were computed")


def preprocessing(f: Facts) -> Answer:
    image = f.plan.get("image") or {}
    done = [
        key
        for key in ("register", "bias_field", "clip", "standardise")
        if image.get(key) or any(b.get(key) for b in f.blocks)
    ]
    return _of_images(f, yes(PLAN, f"[image]: {', '.join(done) or 'no change of intensities'}"))


def _setting(f: Facts, *keys: str) -> str:
    image = f.plan.get("image") or {}
    found = []
    for block in f.blocks:
        said = [f"{key} = {value}" for key in keys if (value := _of_block(block, key, image)) is not None]
        if said:
            found.append(f"{block['name']}: {', '.join(said)}")
    return "; ".join(found)


def resampling(f: Facts) -> Answer:
    return _of_images(
        f,
        yes(PLAN, _setting(f, "spacing_mm", "interpolation") if _setting(f, "spacing_mm") else "images not resampled"),
    )


def discretisation(f: Facts) -> Answer:
    said = _setting(f, "bin_width", "bin_count", "discretisation")
    return _of_images(f, yes(PLAN, said) if said else yes(PLAN, "as the profile has it"))


def image_types(f: Facts) -> Answer:
    names = sorted(
        {
            str(one.get("name")) if isinstance(one, dict) else str(one)
            for b in f.blocks
            for one in b.get("filters") or []
        }
    )
    return _of_images(f, yes(PLAN, f"filters {', '.join(names) or 'none'}"))


def _of_block(block: Mapping[str, Any], key: str, image: Mapping[str, Any]) -> Any:
    """A setting as a block says it, or [image]; of a block of supervoxels theirs, or that of their features."""
    if block.get("kind", "radiomics") == "radiomics":
        return block.get(key, image.get(key))
    parts = [block.get(part) or {} for part in ("supervoxels", "features")]
    return next((part[key] for part in parts if part.get(key) is not None), None)


def _measured_by(f: Facts) -> str:
    """The profiles of the blocks, and what is made of supervoxels."""
    every = {str(b.get("kind", "radiomics")) for b in f.blocks}
    kinds = every - {"radiomics", "deep"}
    profiles = {str(b.get("profile", "pyradiomics")) for b in f.blocks if b.get("kind", "radiomics") == "radiomics"}
    said = [f"profile {', '.join(sorted(profiles))}"] if profiles else []
    return "; ".join(
        [
            *said,
            *([f"{', '.join(sorted(kinds))} of supervoxels"] if kinds else []),
            *(["a frozen network"] if any(b.get("kind") == "deep" and not b.get("train") for b in f.blocks) else []),
            *(["a network trained in the folds"] if any(b.get("train") for b in f.blocks) else []),
        ]
    )


def extraction(*keys: str, note: str = "") -> Answering:
    """A setting of feature extraction, or that the profile fixes it."""

    def answer(f: Facts) -> Answer:
        return _of_images(f, yes(PLAN, _setting(f, *keys) or f"fixed by the {_measured_by(f)}", note))

    return answer


def software(f: Facts) -> Answer:
    versions = f.result.provenance.get("versions") or {}
    said = ", ".join(f"{key} {versions[key]}" for key in ("isthmus", "python", "scikit-learn") if key in versions)
    return yes("provenance.json", said)


def ibsi_software(f: Facts) -> Answer:
    if not f.images:
        return asked("the features came ready; name the software that computed them and whether it follows IBSI")
    known = total = 0
    for block in f.blocks:
        columns = f.result.blocks.get(block["name"])
        if columns is not None and "ibsi_compliant" in columns:
            total += len(columns)
            known += int((columns["ibsi_compliant"].str.lower() == "true").sum())
    return yes(PLAN, _measured_by(f) + (f"; {known} of {total} columns as IBSI defines them" if total else ""))


def _columns(f: Facts) -> tuple[str, int]:
    names = list(f.result.blocks)
    first = next((one for one in names if one != "clinical"), names[0] if names else "")
    return (f"features/{first}.columns.csv" if first else ""), sum(len(one) for one in f.result.blocks.values())


def feature_classes(f: Facts) -> Answer:
    file, _ = _columns(f)
    families = sorted(
        {str(one) for table in f.result.blocks.values() if "family" in table for one in table["family"]} - {""}
    )
    if not f.images:
        return asked("the features came ready; name their classes", file)
    return yes(file, ", ".join(families[:12]))


def feature_count(f: Facts) -> Answer:
    file, count = _columns(f)
    return yes(file, f"{count} columns in {len(f.result.blocks)} blocks") if file else asked()


def default_settings(f: Facts) -> Answer:
    return _of_images(f, yes(PLAN, "every setting, defaults resolved"))


def feature_export(f: Facts) -> Answer:
    file, count = _columns(f)
    return (
        partly(file, f"{count} columns; their values are in features/*.parquet", "say where they are shared")
        if file
        else asked()
    )


def segmentation(f: Facts) -> Answer:
    """Where the masks come from, as far as the run knows."""
    if not f.images:
        return asked("the features came ready")
    if not f.has("masks"):
        region = ", ".join(sorted({str(b.get("mask") or b.get("image")) for b in f.blocks}))
        return partly(PLAN, f"masks {region} of the case table", "say how they were drawn, and with which tool")
    parts = [f"{row['masks']} {row['origin']} ({row['method']})" for row in f.table("masks").to_dict("records")]
    said = f"masks: {', '.join(parts)}"
    if f.table("masks")["method"].eq(GIVEN).any():
        return partly("tables/masks.csv", said, "say how those of the case table were drawn")
    return yes("tables/masks.csv", said)


def segmentation_evaluated(f: Facts) -> Answer:
    """Was the network that drew masks judged on cases it had not seen?"""
    table = f.table("masks")
    judged = table[table["held_out_dice"].notna()] if len(table) else table
    if not len(judged):
        return asked("not applicable where masks were drawn by hand")
    row = judged.iloc[0]
    return yes(
        "tables/masks.csv",
        f"lesion Dice {row['held_out_dice']:.2f} on {int(row['held_out_cases'])} cases held out in its training",
    )


def segmentation_reliability(f: Facts) -> Answer:
    if f.has("reliability"):
        table = f.table("reliability")
        kept = int((table["kept"].astype(str).str.lower() == "true").sum())
        return yes("tables/reliability.csv", f"ICC of {len(table)} features, {kept} kept")
    return no(PLAN, "no [select] reliability", "features were not judged by repeated measurements")


def redundancy(f: Facts) -> Answer:
    found = f.steps & {
        "correlation",
        "correlation_relevance",
        "vif",
        "mrmr",
        "pca",
        "representatives",
        "near_zero_variance",
    }
    return yes(PLAN, f"steps {', '.join(sorted(found))}") if found else no(PLAN, "no step against redundancy")


def reduction(f: Facts) -> Answer:
    shrinking = {"lasso", "elastic_net", "lasso_cox"} & {str(m.get("estimator")) for m in f.plan.get("models", [])}
    chosen = f.steps - {"impute", "encode", "scale", "log", "winsorise", "drop_missing", "combat"}
    found = sorted(chosen | shrinking)
    return yes(PLAN, ", ".join(found)) if found else no(PLAN, "no reduction of dimensions")


def scaling(f: Facts) -> Answer:
    found = sorted(f.steps & {"scale", "log", "winsorise", "combat"})
    return yes(PLAN, f"steps {', '.join(found)}" if found else "no scaling")


def steps(f: Facts) -> Answer:
    return yes(PLAN, f"{len(f.plan.get('models', []))} models with their steps in order")


def class_imbalance(f: Facts) -> Answer:
    resampled = sorted(one for one in f.steps if "smote" in one or one in ("adasyn", "over_sample", "under_sample"))
    weighted = [m["name"] for m in f.plan.get("models", []) if m.get("class_weight")]
    if f.task == "survival":
        return not_applicable("a time to an event")
    said = (
        f"steps {', '.join(resampled)}"
        if resampled
        else f"class weights in {len(weighted)} models"
        if weighted
        else "no resampling and no weights"
    )
    return yes(PLAN, said, "inside training folds only" if resampled else "")


# ---------------------------------------------------------------------- models


def predictors(f: Facts) -> Answer:
    file, count = _columns(f)
    return (
        partly(file, f"{count} columns with their facts", "say how clinical predictors were measured")
        if file
        else asked()
    )


def partition(f: Facts) -> Answer:
    said = f"{f.validate.get('folds')} folds x {f.validate.get('repeats')} repeats, nested, grouped by patient"
    sets = ", ".join(f"{one} {count}" for one, count in f.included["split"].value_counts().sort_index().items() if one)
    return yes("cases.csv", f"{said}; patients: {sets}")


def model_steps(f: Facts) -> Answer:
    names = ", ".join(dict.fromkeys(str(m.get("estimator")) for m in f.plan.get("models", [])))
    return yes(PLAN, f"estimators {names}; steps, tuning and inner folds of each model")


def model_choice(f: Facts) -> Answer:
    named = f.said("report.final")
    return yes(
        PLAN,
        f"[report] final = {named}" if named else f"the first model declared ({f.final})",
        "named by the plan, not chosen by its result",
    )


def clusters(f: Facts) -> Answer:
    if f.has("centres"):
        return yes("tables/centres.csv", "each centre left out in turn")
    if "combat" in f.steps:
        return yes(PLAN, "ComBat over batches, inside the folds")
    if len(f.centres) > 1:
        return partly("cases.csv", f"{len(f.centres)} centres; no model of their differences")
    return not_applicable("one centre at most is named")


def heterogeneity(f: Facts) -> Answer:
    if f.has("centres"):
        return yes("tables/centres.csv", "AUC a centre, summary and prediction interval")
    return (
        no("cases.csv", f"{len(f.centres)} centres named", "no performance by centre")
        if len(f.centres) > 1
        else not_applicable("one centre at most is named")
    )


def confounders(f: Facts) -> Answer:
    found = [
        kind
        for kind, there in (
            ("tables/controls.csv", f.has("controls")),
            ("tables/harmonisation.csv", f.has("harmonisation")),
        )
        if there
    ]
    if "combat" in f.steps or f.has("logistic_multivariable") or found:
        file = found[0] if found else "tables/logistic_multivariable.csv" if f.has("logistic_multivariable") else PLAN
        return partly(
            file,
            "",
            "controls, harmonisation or multivariable adjustment are there; name the confounders of this question",
        )
    return asked("which confounders matter here?")


def measures(f: Facts) -> Answer:
    return yes("metrics.csv", f"{len(f.metrics)} measures of the final model on {', '.join(f.splits)}")


def interval(f: Facts) -> Answer:
    share = f.result.metrics["lower"].notna().sum()
    return yes("metrics.csv", f"{share} of {len(f.result.metrics)} rows with limits, each with its method")


def calibration(f: Facts) -> Answer:
    found = f.metrics & {"calibration_slope", "calibration_intercept", "ici", "o_e", "calibration_in_the_large"}
    return yes("metrics.csv", ", ".join(sorted(found))) if found else no("metrics.csv", "no measure of calibration")


def utility(f: Facts) -> Answer:
    curve = f.validate.get("decision_curve")
    if f.task in ("binary", "survival") and curve:
        return yes(
            PLAN, f"decision curve from {curve.get('lowest')} to {curve.get('highest')}, drawn from predictions.csv"
        )
    return no(PLAN, "", "net benefit is not drawn for this kind of outcome")


def comparisons(f: Facts) -> Answer:
    count = len(f.result.comparisons)
    if count:
        return yes("comparisons.csv", f"{count} tests of pairs of models, adjusted p-values")
    return no("metrics.csv", f"{len(f.result.models())} model", "models were not compared")


def radiomic_and_clinical(f: Facts) -> Answer:
    """Models with and without radiomics side by side."""
    sets = {frozenset(m.get("blocks") or f.result.blocks) for m in f.plan.get("models", [])}
    if f.clinical and len(sets) > 1:
        return yes("metrics.csv", f"models on {len(sets)} sets of blocks, with and without clinical predictors")
    if f.has("controls") and "clinical alone" in set(f.table("controls")["variant"].astype(str)):
        return partly("tables/controls.csv", "the clinical block alone as a control")
    return no(PLAN, f"{len(sets)} set of blocks", "radiomics was not compared with another kind of predictor")


def controls(f: Facts) -> Answer:
    table = f.table("controls")
    known = (
        [
            str(row["variant"])
            for row in table.to_dict("records")
            if row["kind"] == "control" and row["auc"] == row["auc"]
        ]
        if len(table)
        else []
    )
    return yes("tables/controls.csv", ", ".join(known)) if known else no(PLAN, "no control was run")


def explanation(f: Facts) -> Answer:
    if f.has("explanation"):
        return yes("tables/explanation.csv", "Shapley values of held-out patients, importance with intervals")
    if len(f.result.selected):
        return partly(
            "selected.csv", "coefficients or importances of the final model", "[explain] would add Shapley values"
        )
    return no(PLAN, "no [explain]")


def internal(f: Facts) -> Answer:
    if f.internal:
        return yes("metrics.csv", "internal test set")
    return no("metrics.csv", "cross-validation only", "no set of the same source was held apart from all choices")


def external(f: Facts) -> Answer:
    if f.external:
        count = int((f.included["split"] == "external").sum())
        return yes("metrics.csv", f"{count} external patients" if count else "numbers of another site")
    return no("metrics.csv", f"splits {', '.join(f.splits)}", "no external validation")


def threshold(f: Facts) -> Answer:
    if f.task == "binary":
        return partly(
            PLAN,
            f"threshold = {f.validate.get('threshold')}, {threshold_origin(f.result)}",
            "give the clinical reason",
        )
    if f.task == "survival":
        return partly(PLAN, f"risk_groups = {f.validate.get('risk_groups')}", "give the clinical reason")
    return yes(PLAN, "the most probable class; no threshold")


def subgroups(f: Facts) -> Answer:
    if f.has("subgroups"):
        return yes("tables/subgroups.csv", f"{f.table('subgroups')['subgroup'].nunique()} variables")
    return no(PLAN, "no [validate] subgroups", "performance in subgroups was not estimated")


def recalibrated(f: Facts) -> Answer:
    if f.has("recalibration"):
        return yes("tables/recalibration.csv", "calibration before and after")
    return not_applicable("no model was updated")


def model_file(f: Facts) -> Answer:
    if (f.result.folder / "model.isthmus").is_file():
        return partly(
            "model.isthmus",
            "the whole procedure as one file, opened without executing anything",
            "say where it is shared",
        )
    return no("metrics.csv", "", "the run holds no model file")


def selected_statistics(f: Facts) -> Answer:
    return (
        yes("selected.csv", f"{len(f.result.selected)} rows: frequency, coefficient or importance")
        if len(f.result.selected)
        else no()
    )


def settings(f: Facts) -> Answer:
    return partly(PLAN, "every setting, defaults resolved", "say where it is shared")


def unseen_input(f: Facts) -> Answer:
    if (f.result.folder / "model.isthmus").is_file():
        return partly(
            "model.isthmus", "ranges of the inputs and the handling of gaps are inside", "say what a user should do"
        )
    return asked()
