"""Every figure: registered, drawn from a stored result, with numbers that can be checked by hand."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.subset import Options

from isthmus.report import figures
from isthmus.report.figures import (
    FIGURES,
    calibration,
    clinical_impact,
    confusion,
    curves,
    decision_curve,
    flow,
    importance,
    lasso_path,
    null_study,
    predictions,
    radar,
    risk_waterfall,
    roc,
    selected,
    shap_dependence,
    shap_patients,
)
from isthmus.report.figures._canvas import colours, fonts_without_layout
from isthmus.report.figures._save import inline_svg, save_figure
from isthmus.study.result import Result
from report.figures.paper import Paper, draw
from report.quiet_result import quiet_result, with_metric


def test_every_module_is_registered() -> None:
    """A module in the folder that is not in the mapping would never be drawn."""
    names = {module.name for module in pkgutil.iter_modules(figures.__path__) if not module.name.startswith("_")}
    assert names == set(FIGURES)


def run_for(name: str, request: pytest.FixtureRequest) -> Result:
    """A run of the kind of outcome that the figure is of."""
    tasks = getattr(FIGURES[name], "TASKS", ("binary",))
    return request.getfixturevalue("full_run" if "binary" in tasks else f"{tasks[0]}_run")


@pytest.mark.parametrize("name", FIGURES)
def test_files_of_a_figure(request: pytest.FixtureRequest, small_pictures: None, tmp_path: Path, name: str) -> None:
    """A figure leaves svg, png, pdf and the numbers behind it."""
    drawing = save_figure(FIGURES[name], run_for(name, request), tmp_path)
    assert {path.suffix for path in drawing.files if path.stat().st_size} == {".svg", ".png", ".pdf", ".csv"}


@pytest.fixture(scope="module")
def paper_of(request: pytest.FixtureRequest) -> Callable[[str], Paper]:
    """Every figure drawn once for all that is asked of the drawing."""
    drawn: dict[str, Paper] = {}

    def paper(name: str) -> Paper:
        if name not in drawn:
            drawn[name] = draw(FIGURES[name], FIGURES[name].data(run_for(name, request)))
        return drawn[name]

    return paper


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_a_column(paper_of: Callable[[str], Paper], name: str) -> None:
    """85 mm, or 170 mm: what journals print."""
    assert min(abs(25.4 * paper_of(name).width - column) for column in (85, 170)) < 0.5


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_fits_on_a_page(paper_of: Callable[[str], Paper], name: str) -> None:
    """A page of A4 has 247 mm for a figure and its caption."""
    assert 25.4 * paper_of(name).height < 247


@pytest.mark.parametrize("name", FIGURES)
def test_labels_stay_on_the_paper(paper_of: Callable[[str], Paper], name: str) -> None:
    """No text of a figure is cut off at its edge."""
    assert paper_of(name).outside() == []


@pytest.mark.parametrize("name", FIGURES)
def test_labels_do_not_cover_one_another(paper_of: Callable[[str], Paper], name: str) -> None:
    """No text lies on another."""
    assert paper_of(name).overlapping() == []


@pytest.mark.parametrize("name", FIGURES)
def test_text_can_be_read_in_print(paper_of: Callable[[str], Paper], name: str) -> None:
    """At the width of its column no text is below 6.5 points."""
    assert {text: size for text, size in paper_of(name).letters.items() if size < 6.5} == {}


@pytest.mark.parametrize("name", FIGURES)
def test_lines_can_be_seen_in_print(paper_of: Callable[[str], Paper], name: str) -> None:
    """No line is below half a point."""
    assert min(paper_of(name).lines, default=1.0) >= 0.5


def test_the_same_data_give_the_same_bytes(quiet: Result, printed: None, tmp_path: Path) -> None:
    """A figure saved again, its fonts as journals want them, is equal in every file to the last byte."""
    one, two = (save_figure(predictions, quiet, tmp_path / name) for name in "ab")
    assert [a.name for a, b in zip(one.files, two.files, strict=True) if a.read_bytes() != b.read_bytes()] == []


def test_a_pdf_has_truetype_fonts(quiet: Result, printed: None, tmp_path: Path) -> None:
    """Journals refuse fonts of type 3."""
    drawing = save_figure(predictions, quiet, tmp_path)
    pdf = next(path for path in drawing.files if path.suffix == ".pdf").read_bytes()
    assert (b"/Type3" in pdf, b"/FontFile2" in pdf) == (False, True)


def test_fonts_of_a_pdf_are_cut_without_layout() -> None:
    """A font's rules of joining and placing letters are no part of a pdf, and other users of the library keep their own settings."""
    with fonts_without_layout():
        inside = Options().drop_tables
    assert ({"GPOS", "GSUB"} <= set(inside), "GPOS" in Options().drop_tables) == (True, False)


def test_nothing_to_draw_is_no_figure(quiet: Result, tmp_path: Path) -> None:
    """Without a null study there is no figure of it, and no file."""
    assert save_figure(null_study, replace(quiet, tables={}), tmp_path) is None


def test_ids_of_an_inlined_figure_are_its_own() -> None:
    """Two figures on one page cannot share an id."""
    text = '<?xml version="1.0"?><svg width="100pt"><g id="a"/><use xlink:href="#a"/><g clip-path="url(#a)"/></svg>'
    head = '<svg role="img" aria-label="T" style="max-width: 183px" width="100pt">'
    expected = head + '<g id="f-a"/><use xlink:href="#f-a"/><g clip-path="url(#f-a)"/></svg>'
    assert inline_svg(text, "f", "T") == expected


def test_a_model_keeps_its_colour() -> None:
    """A model's colour depends on its place in the plan only."""
    assert colours(["a", "b"])["a"] == colours(["a"])["a"]


# ---------------------------------------------------------------------- the numbers behind each figure


def test_flow_counts(quiet: Result) -> None:
    """400 found, 10 not included, 5 unreadable, 385 analysed, split into training and external."""
    number = np.arange(400)
    step = np.select([number < 10, number < 15], ["include", "read"], "")
    cases = quiet.cases.assign(status=np.where(step == "", "included", "excluded"), step=step, reason=step)
    table = flow.data(replace(quiet, cases=cases))["flow"].groupby(["stage", "name"], sort=False)["patients"].sum()
    expected = [
        ("found", "Patients in the case table", 400),
        ("excluded", "include", 10),
        ("excluded", "read", 5),
        ("included", "Analysed", 385),
        ("split", "train", 185),
        ("split", "external", 200),
    ]
    assert [(*key, count) for key, count in table.items()] == expected


def test_flow_is_per_centre(quiet: Result) -> None:
    """Each box knows the patients of every centre."""
    table = flow.data(quiet)["flow"]
    found = table[table["stage"] == "found"]
    assert dict(zip(found["centre"], found["patients"], strict=True)) == {"A": 200, "B": 200}


def test_flow_counts_reasons(quiet: Result) -> None:
    """The reasons of a step are counted, the most frequent first."""
    cases = quiet.cases.copy()
    cases.loc[:2, ["status", "step"]] = ["excluded", "roi"]
    cases.loc[:2, "reason"] = ["empty", "other grid", "empty"]
    table = flow.data(replace(quiet, cases=cases))["reasons"]
    assert table.to_numpy().tolist() == [["roi", "empty", 2], ["roi", "other grid", 1]]


def test_roc_curve_keeps_the_mean_of_the_fold_aucs() -> None:
    """The area under the averaged curve is the mean of the fold AUCs: 1 and 0.75 give 0.875."""
    result = quiet_result(Path())
    rows = pd.DataFrame(
        {
            "patient": list("abcdefgh"),
            "model": "one",
            "split": "cv",
            "repeat": 0,
            "fold": [0, 0, 0, 0, 1, 1, 1, 1],
            "outcome": [0, 0, 1, 1, 0, 0, 1, 1],
            "probability": [0.1, 0.2, 0.3, 0.4, 0.1, 0.3, 0.2, 0.4],
        }
    )
    curve = roc.data(replace(result, predictions=rows))["curves"]
    assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(0.875)


def test_roc_legend_has_intervals(quiet: Result) -> None:
    """The legend names AUC and interval of each model on each split, from metrics.csv."""
    assert set(roc.data(quiet)["legend"]["auc"]) == {"0.85 (0.80 to 0.90)"}


def test_roc_point_is_the_fixed_threshold(quiet: Result) -> None:
    """The circle stands at 1 - specificity and sensitivity."""
    point = roc.data(quiet)["points"].iloc[0]
    assert (point["fpr"], point["tpr"]) == pytest.approx((0.25, 0.80))


def test_roc_without_a_class_has_no_curve(quiet: Result) -> None:
    """One class cannot be ranked; the other splits are still drawn."""
    table = quiet.predictions
    one = replace(quiet, predictions=table[(table["split"] != "external") | (table["outcome"] == 0)])
    assert set(roc.data(one)["curves"]["split"]) == {"cv"}


def test_calibration_groups_of_known_predictions(quiet: Result) -> None:
    """Two predictions, 0.25 never and 0.75 always with the outcome, are two groups of 100."""
    groups = calibration.data(quiet)["groups"].query("split == 'cv'")
    assert groups[["predicted", "observed", "n"]].to_numpy().tolist() == [[0.25, 0.0, 100.0], [0.75, 1.0, 100.0]]


def test_calibration_histogram_counts_every_patient(quiet: Result) -> None:
    """The strip below the curve holds 100 events and 100 others."""
    strip = calibration.data(quiet)["histogram"].query("split == 'external'")
    assert (strip["events"].sum(), strip["others"].sum()) == (100, 100)


def test_decision_curve_of_a_perfect_model(quiet: Result) -> None:
    """At a threshold between the two predictions the net benefit is the prevalence, 0.5."""
    curves = decision_curve.data(quiet)["curves"]
    at = curves[(curves["model"] == "one") & (curves["split"] == "cv") & (curves["threshold"] == 0.3)]
    assert at["net_benefit"].item() == pytest.approx(0.5)


def test_decision_curve_treating_all(quiet: Result) -> None:
    """Treating all at threshold 0.2 gives 0.5 - 0.5 * 0.25 = 0.375."""
    curves = decision_curve.data(quiet)["curves"]
    at = curves[(curves["kind"] == "treat_all") & (curves["split"] == "cv") & (curves["threshold"] == 0.2)]
    assert at["net_benefit"].item() == pytest.approx(0.375)


def test_decision_curve_keeps_to_the_plan(quiet: Result) -> None:
    """The range of thresholds is the one the plan fixed."""
    thresholds = decision_curve.data(quiet)["curves"]["threshold"]
    assert (thresholds.min(), thresholds.max()) == (0.1, 0.3)


def test_selected_final_model_first(quiet: Result) -> None:
    """The final model stands first, and keeps its place in the plan for its colour."""
    table = selected.data(replace(quiet, plan=quiet.plan | {"report": {"final": "two"}}))["selected"]
    assert table[["model", "place"]].iloc[0].tolist() == ["two", 1]


def test_selected_keeps_sign_and_kind(quiet: Result) -> None:
    """A coefficient keeps its sign, an importance its name."""
    table = selected.data(quiet)["selected"]
    assert table[["effect", "kind"]].to_numpy().tolist() == [
        [0.7, "coefficient"],
        [-0.2, "coefficient"],
        [12.0, "importance"],
    ]


def test_predictions_final_threshold(quiet: Result) -> None:
    """The line is drawn at the threshold carried to new patients."""
    assert predictions.data(quiet)["thresholds"]["threshold"].tolist() == [0.5, 0.5]


def test_stacked_dots_do_not_cover_one_another() -> None:
    """Three equal risks get three heights."""
    assert len(set(predictions.stacked(np.array([0.5, 0.5, 0.5])))) == 3


def test_null_study_takes_the_interval_of_the_study(quiet: Result) -> None:
    """The study's AUC comes with its cross-validated interval."""
    row = null_study.data(quiet)["null_study"].iloc[0]
    assert (row["auc"], row["lower"], row["upper"]) == (0.85, 0.80, 0.90)


def test_unjudged_null_study_is_not_drawn(quiet: Result) -> None:
    """A null study of one permutation has no range: no figure, no crash."""
    table = quiet.tables["null_study"].assign(null_mean=np.nan, null_lower=np.nan, null_upper=np.nan, p=np.nan)
    spoilt = replace(quiet, tables=quiet.tables | {"null_study": table})
    assert not len(null_study.data(spoilt)["null_study"])


def test_missing_estimate_does_not_stop_a_figure(quiet: Result) -> None:
    """An AUC that could not be computed leaves a dash in the legend."""
    spoilt = with_metric(quiet, "cv", "auc", estimate=np.nan)
    assert "–" in set(roc.data(spoilt)["legend"]["auc"])


# ---------------------------------------------------------------------- figures of models and predictions


def counted(result: Result) -> dict[tuple[str, str, str], float]:
    table = confusion.data(result)["confusion"]
    return {(r.split, r.true, r.called): r.n for r in table.itertuples()}


def test_confusion_counts_a_perfect_model(quiet: Result) -> None:
    """A model that gives 0.25 without and 0.75 with the outcome errs in nobody at 0.5: 100 and 100."""
    counts = counted(quiet)
    assert [counts["external", t, c] for t in ("without", "with") for c in ("without", "with")] == [100, 0, 0, 100]


def test_confusion_agrees_with_a_slow_count(full_run: Result) -> None:
    """In cross-validation: every prediction against the threshold of its repeat and fold, counted one by one, over the repeats."""
    cuts = {
        (m, r, f): t
        for m, r, f, t in full_run.thresholds.dropna()[["model", "repeat", "fold", "threshold"]].itertuples(index=False)
    }
    rows = full_run.predictions[(full_run.predictions["model"] == "lasso") & (full_run.predictions["split"] == "cv")]
    called = sum(
        r.outcome == 1 and r.probability >= cuts["lasso", float(r.repeat), float(r.fold)] for r in rows.itertuples()
    )
    assert counted(full_run)["cv", "with", "with"] == called / rows["repeat"].nunique()


def test_confusion_of_classes_is_the_table_of_the_run(multiclass_run: Result) -> None:
    """Every patient of every class is in the matrix once."""
    table = confusion.data(multiclass_run)["confusion"].query("split == 'cv'")
    rows = multiclass_run.predictions.query("split == 'cv'")
    assert table["n"].sum() == pytest.approx(rows["patient"].nunique())


def test_long_names_of_classes_fit_under_their_cells(multiclass_run: Result) -> None:
    """Words below one another: none is cut off or lies on another, and two names stay two."""
    table = confusion.data(multiclass_run)["confusion"]
    long = ["Non-Demented", "Very Mild Demented", "Mild Demented", "Moderate Demented"]
    names = dict(zip(dict.fromkeys(table["true"]), long, strict=False))
    paper = draw(
        confusion, {"confusion": table.assign(true=table["true"].map(names), called=table["called"].map(names))}
    )
    assert (paper.outside(), paper.overlapping()) == ([], [])


def test_impact_of_a_perfect_model(quiet: Result) -> None:
    """At a threshold of 0.3 half of the patients are called, and all of these have the outcome."""
    table = clinical_impact.data(quiet)["curves"].query("split == 'external' and threshold == 0.3")
    assert table["per_1000"].tolist() == [500, 500]


def test_impact_agrees_with_a_slow_count(full_run: Result) -> None:
    """Patients counted one by one at every threshold, the mean over repeats being a patient's risk."""
    rows = full_run.predictions.query("model == 'lasso' and split == 'cv'")
    risks = {p: (part["outcome"].iloc[0], part["probability"].mean()) for p, part in rows.groupby("patient")}
    table = clinical_impact.data(full_run)["curves"].query("split == 'cv'")
    slow = [
        1000 * sum(p >= r.threshold and (r.kind == "high risk" or y == 1) for y, p in risks.values()) / len(risks)
        for r in table.itertuples()
    ]
    assert table["per_1000"].tolist() == pytest.approx(slow)


def test_impact_holds_its_interval(full_run: Result) -> None:
    """Every count lies between its limits."""
    table = clinical_impact.data(full_run)["curves"]
    assert ((table["lower"] <= table["per_1000"] + 1e-9) & (table["per_1000"] <= table["upper"] + 1e-9)).all()


def test_waterfall_is_risk_minus_threshold(quiet: Result) -> None:
    """Risks of 0.25 and 0.75 at a threshold of 0.5 are margins of -0.25 and 0.25, the largest first."""
    table = risk_waterfall.data(quiet)["waterfall"].query("split == 'external'")
    assert table["margin"].tolist() == pytest.approx([0.25] * 100 + [-0.25] * 100)


def test_radar_moves_mcc_to_its_scale(full_run: Result) -> None:
    """Matthews' coefficient of 0.31 stands at 0.655."""
    table = radar.data(full_run)["radar"]
    assert table.loc[table["metric"] == "(MCC + 1) / 2", "value"].unique() == pytest.approx([0.655])


def test_radar_stays_between_0_and_1(full_run: Result) -> None:
    """Every axis goes from 0 to 1."""
    assert radar.data(full_run)["radar"]["value"].between(0, 1).all()


def test_bars_of_a_patient_lead_to_the_prediction(full_run: Result) -> None:
    """From the base every bar begins where the last ended, and the last ends at the prediction."""
    found = shap_patients.data(full_run)
    gaps = []
    for told in found["patients"].to_dict("records"):
        bars = found["bars"][found["bars"]["kind"] == told["kind"]]
        ends = bars["start"] + bars["shap"]
        gaps += np.abs(np.r_[told["base"], ends] - np.r_[bars["start"], told["prediction"]]).tolist()
    assert max(gaps) < 1e-9


def test_patients_taken_apart_are_what_they_are_called(full_run: Result) -> None:
    """A true positive has the outcome and a risk above the threshold, and so on."""
    told = shap_patients.data(full_run)["patients"].set_index("kind")
    called = (told["probability"] >= told["threshold"]).astype(int)
    assert (called == told["outcome"]).to_dict() == {
        "True positive": True,
        "True negative": True,
        "Surest error": False,
    }


def test_run_without_bases_has_no_patients_taken_apart(full_run: Result) -> None:
    """An old run did not keep the base of its Shapley values: no figure, no crash."""
    tables = {n: t.drop(columns="base") if n.startswith("shap_") else t for n, t in full_run.tables.items()}
    assert not len(shap_patients.data(replace(full_run, tables=tables))["bars"])


def test_dependence_shows_each_patient_once(full_run: Result) -> None:
    """A dot a patient and feature, whatever the number of repeats."""
    table = shap_dependence.data(full_run)["dependence"]
    assert not table.duplicated(["feature", "patient"]).any()


def test_importance_takes_the_interval_of_the_run(full_run: Result) -> None:
    """Importance and limits are those of explanation_<model>.csv."""
    shown = importance.data(full_run)["importance"].query("kind == 'feature'").set_index("name")
    table = full_run.tables["explanation_lightgbm"].set_index("feature").loc[shown.index]
    assert shown[["importance", "lower", "upper"]].astype(float).to_numpy() == pytest.approx(
        table[["importance", "lower", "upper"]].to_numpy()
    )


def test_local_effects_are_moved_to_the_mean_risk(full_run: Result) -> None:
    """Both curves of a feature have the same mean, 0.4."""
    table = curves.data(full_run)["curves"]
    assert table.groupby(["feature", "kind"])["estimate"].mean().to_numpy() == pytest.approx(0.4)


def test_path_names_the_features_of_the_chosen_penalty(full_run: Result) -> None:
    """The features named are those with the largest coefficients at the penalty used."""
    found = lasso_path.data(full_run)
    used = found["cv"].loc[found["cv"]["used"], "penalty"].item()
    at = found["path"][np.isclose(found["path"]["penalty"], used)]
    assert at.loc[at["shown"], "coefficient"].abs().min() > at.loc[~at["shown"], "coefficient"].abs().max()


def test_path_of_a_cox_model(survival_run: Result) -> None:
    """The LASSO of a time to event has a path too, judged by the partial likelihood."""
    assert set(lasso_path.data(survival_run)["cv"]["measure"]) == {"partial-likelihood deviance"}


def test_the_path_of_an_empty_model_is_drawn(full_run: Result, tmp_path: Path) -> None:
    """With the largest penalty chosen no feature has a weight; the path below it is still shown."""
    cv = full_run.tables["lasso_cv_lasso"]
    empty = replace(
        full_run, tables={**full_run.tables, "lasso_cv_lasso": cv.assign(used=cv["penalty"] == cv["penalty"].max())}
    )
    drawn = save_figure(lasso_path, empty, tmp_path)
    assert drawn is not None
    assert "others" in drawn.svg
