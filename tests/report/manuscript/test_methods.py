"""The drafted Methods and Results: every number is in a file, every reference exists, and the text is right for each kind of study."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest

from isthmus import deep, habitat, harmonise, models, select
from isthmus.filters import FILTERS as ALL_FILTERS
from isthmus.report.manuscript import draft, write_manuscript
from isthmus.report.manuscript.draft import FORMS
from isthmus.report.manuscript.phrases import ESTIMATORS, FILTERS, STEPS
from isthmus.report.references import parse
from isthmus.study.result import Result
from report.fake_run import make_run
from report.manuscript.reading import reread

ALL_STEPS = {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}
HOSTILE = '--> {0} <script>*x*</script> [@yy] \x0b=1+1"'
TASKS = ("multiclass", "ordinal", "survival")


@pytest.fixture(scope="session")
def runs(
    full_run: Result,
    multiclass_run: Result,
    ordinal_run: Result,
    survival_run: Result,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Result]:
    """One run of each kind of study."""
    few = make_run(
        tmp_path_factory.mktemp("ready") / "run",
        models=("a",), external=False, images=False, null_study=False, table_one=False, exclusions=False,
    )  # fmt: skip
    return {
        "binary": full_run,
        "ready": Result.load(few),
        "multiclass": multiclass_run,
        "ordinal": ordinal_run,
        "survival": survival_run,
    }


@pytest.fixture(scope="session")
def kits(runs: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The kit of each run, in a folder of its own."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in runs}
    for kind, folder in folders.items():
        write_manuscript(runs[kind], folder)
    return folders


KINDS = ("binary", "ready", *TASKS)


def _text(kit: Path) -> str:
    """What a reader sees: without the comments."""
    return re.sub(r"<!--.*?-->", "", (kit / "methods.md").read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_in_its_file(runs: dict[str, Result], kits: dict[str, Path], kind: str) -> None:
    """Each row of methods.trace.csv, read again from the file it names, gives what is printed."""
    run = runs[kind].folder
    table = pd.read_csv(kits[kind] / "methods.trace.csv", dtype="str", keep_default_na=False)
    wrong = [
        (row.printed, row.file, row.rows, row.column)
        for row in table.itertuples()
        if reread(run, row.file, json.loads(row.rows), row.column, row.form) != row.printed
    ]
    assert (wrong, len(table) > 20) == ([], True)


@pytest.mark.parametrize("kind", KINDS)
def test_results_hold_no_other_number(runs: dict[str, Result], kind: str) -> None:
    """Every digit of the Results is part of a traced number, of a name of the run or of a file's name."""
    made = draft(runs[kind])
    start = next(i for i, (level, text) in enumerate(made._parts) if level == 1 and text == "Results")
    marked = re.compile("[\ue000\ue002\ue004\ue006][^\ue000-\ue007]*[\ue001\ue003\ue005\ue007]")
    left = [marked.sub("", text) for _, text in made._parts[start:]]
    assert [text for text in left if re.search(r"\d", re.sub(r"Table 1|table1", "", text))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_references_are_those_cited(kits: dict[str, Path], kind: str) -> None:
    """references.bib holds what methods.md cites, all of it and nothing else."""
    cited = set(re.findall(r"@([a-z]+\d{4}[a-z]*|isthmus)\b", _text(kits[kind])))
    assert set(parse((kits[kind] / "references.bib").read_text("utf-8"))) == cited


@pytest.mark.parametrize("kind", KINDS)
def test_word_says_the_same(kits: dict[str, Path], kind: str) -> None:
    """The paragraphs of methods.docx are those of methods.md, with numbers in place of keys."""
    word = docx.Document(str(kits[kind] / "methods.docx"))
    paragraphs = [p.text for p in word.paragraphs if p.style.name == "Normal"]
    plain = [
        line
        for line in _text(kits[kind]).split("\n")
        if line and not line.startswith(("#", "---", "title:", "bibliography:"))
    ]

    def bare(text: str) -> str:
        return re.sub(r"\[[^\]]*\]|[\\*]", "", text)

    assert [bare(one) for one in paragraphs] == [bare(one) for one in plain]


@pytest.mark.parametrize("kind", KINDS)
def test_word_numbers_references_in_order(kits: dict[str, Path], kind: str) -> None:
    """The first reference is cited first, and each is listed once."""
    word = docx.Document(str(kits[kind] / "methods.docx"))
    cited = [
        int(n)
        for p in word.paragraphs
        if p.style.name == "Normal"
        for group in re.findall(r"\[((?:\d+, )*\d+)\]", p.text)
        for n in group.split(", ")
    ]
    listed = [int(p.text.split(".")[0]) for p in word.paragraphs if p.style.name == "Bibliography"]
    assert list(dict.fromkeys(cited)) == listed == list(range(1, len(listed) + 1))


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_whole(kits: dict[str, Path], kind: str) -> None:
    """No empty place, no doubled word or sign, no setting left open."""
    bad = re.compile(
        r"\bNone\b(?! of these)|\bnan\b|[{}]|\(\)|  |\.\.|,,| ,| \.(?!632)|\b(the|a|of|by|in|was|were|and) \1\b"
    )
    assert [found[0] for found in bad.finditer(_text(kits[kind]))] == []


@pytest.mark.parametrize("kind", TASKS)
def test_a_whole_plan_leaves_nothing_open(kits: dict[str, Path], kind: str) -> None:
    """Of a run of this version the author is asked for no setting."""
    assert "which the plan of this run does not state" not in _text(kits[kind])


@pytest.mark.parametrize(
    ("kind", "said", "unsaid"),
    [
        ("binary", "area under the receiver operating characteristic", "C-index"),
        ("binary", "External validation", "ready feature table"),
        ("ready", "ready feature table", "External validation"),
        ("ready", "ready feature table", "null study"),
        ("ready", "ready feature table", "Masks were read"),
        ("multiclass", "macro-averaged AUC", "threshold was fixed on"),
        ("ordinal", "ordinal C-index", "Youden"),
        ("survival", "Harrell's C-index", "Brier score summed"),
    ],
)
def test_each_kind_of_study(kits: dict[str, Path], kind: str, said: str, unsaid: str) -> None:
    """The text speaks of what the study has, and of nothing else."""
    text = _text(kits[kind])
    assert (said in text, unsaid in text) == (True, False)


def _steps_of(result: Result, steps: list[Any], estimator: str = "lasso", **more: Any) -> str:
    model = {"name": "m", "steps": steps, "estimator": estimator, **more}
    return draft(replace(result, plan={**result.plan, "models": [model], "report": {}})).markdown("T")


@pytest.mark.parametrize("step", sorted(ALL_STEPS))
def test_every_step_has_a_sentence_with_a_reference(full_run: Result, step: str) -> None:
    """A step by itself, with its defaults, is a clause that ends in a reference."""
    settings = {"base": {"name": "lasso"}} if step == "stability" else {}
    clause = re.search(r"in this order: \(a\) (.*?)\.( |$)", _steps_of(full_run, [{"name": step, **settings}]))
    assert clause
    assert re.search(r"\[@\w+", clause[1])


@pytest.mark.parametrize("estimator", sorted(models.ESTIMATORS))
def test_every_estimator_has_a_sentence_with_a_reference(full_run: Result, estimator: str) -> None:
    """An estimator with its defaults is a noun phrase with a reference."""
    said = re.search(r"The estimator of m was (.*)", _steps_of(full_run, [], estimator))
    assert said
    assert re.search(r"^(a|an|the|gradient) .*\[@\w+", said[1])


def test_no_phrase_is_of_nothing() -> None:
    """Phrases are of steps, estimators and filters that exist, and of all."""
    assert (set(STEPS), set(ESTIMATORS), set(FILTERS)) == (set(ALL_STEPS), set(models.ESTIMATORS), set(ALL_FILTERS))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"threshold": "prevalence"}, "equalled the prevalence"),
        ({"threshold": 0.2}, "fixed in the plan at a risk of 0.2"),
        ({"threshold": {"sensitivity": 0.9}}, "sensitivity of at least 0.9"),
        ({"threshold": {"cost_ratio": 5}}, "cost ratio of 5"),
        ({"scheme": "leave-one-centre-out"}, "each centre was left out in turn"),
        ({"scheme": "random-splits", "splits": 7}, "split at random 7 times"),
        ({"optimism": 200}, "200 bootstrap samples"),
        ({"prevalence": 0.1}, "prevalence of 0.1"),
        ({"intervals": {"proportion": "clopper-pearson"}}, "Clopper and Pearson"),
        ({"intervals": {"auc": "delong-logit"}}, "on the logit scale"),
        ({"intervals": {"bootstrap": "bca"}}, "bias-corrected and accelerated"),
        ({"adjust": "hommel"}, "Hommel's correction"),
        ({"adjust": "benjamini-yekutieli"}, "Benjamini and Yekutieli"),
        ({"subgroups": ["sex"], "subgroup_minimum": 12}, "at least 12 patients"),
        ({"repeats": 1}, "5 outer folds, stratified"),
        ({"lowest_specificity": 0.8}, "specificity is at least 0.8"),
        ({"risk_categories": [0.2, 0.5]}, "cut at risks of 0.2 and 0.5"),
    ],
)
def test_options_of_validation(full_run: Result, section: dict[str, Any], said: str) -> None:
    """Each option of [validate] is told."""
    plan = {**full_run.plan, "validate": {**full_run.plan["validate"], **section}}
    assert said in draft(replace(full_run, plan=plan)).markdown("T")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            {"tuning": {"C": [1]}, "search": {"method": "random", "draws": 7}},
            "random search [@bergstra2012] of 7 draws",
        ),
        (
            {"tuning": {"C": [1]}, "search": {"method": "optuna", "score": "brier"}},
            "Optuna [@akiba2019] inside the training patients, by the Brier",
        ),
        ({"tuning": {"C": [1]}, "search": {"one_se": True}}, "within one standard error"),
        ({"class_weight": "balanced"}, "carried back to the prevalence"),
        ({"calibration": "temperature"}, "temperature scaling"),
        ({"calibration": "isotonic"}, "isotonic regression"),
        ({"calibration": "intercept"}, "intercept of its risks"),
        ({"calibration": "logistic"}, "recalibrated by logistic"),
        ({"threshold": "prevalence"}, "the prevalence in training"),
    ],
)
def test_options_of_models(full_run: Result, model: dict[str, Any], said: str) -> None:
    """Tuning, weights, calibration and a threshold of its own are told."""
    assert said in _steps_of(full_run, ["impute"], **model)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"batch": ["centre", "kernel"]}, "nested"),
        ({"covariates": ["age"]}, "keeping differences due to age"),
        ({"unseen": "nearest"}, "most similar known one"),
        ({"unseen": "adopt"}, "unlabelled patients"),
        ({"unseen": "reference"}, "as if measured in the reference"),
        ({"mean_only": True}, "of means only"),
        ({"prior": "none"}, "no empirical Bayes shrinkage"),
        ({"protect_outcome": "training-only"}, "step (a) learned from the outcome"),
    ],
)
def test_options_of_harmonisation(full_run: Result, step: dict[str, Any], said: str) -> None:
    """Each option of ComBat is told, and that it saw the outcome when it did."""
    assert said in _steps_of(full_run, [{"name": "combat", **step}, "impute"])


@pytest.mark.parametrize("step", ["z_score", {"name": "z_score"}])
def test_a_block_prepared_in_its_own_way(full_run: Result, step: str | dict[str, Any]) -> None:
    """What a block says beside [image] is told, by its name alone or with its settings."""
    blocks = [{**block, "standardise": step} for block in full_run.plan["features"]]
    text = draft(replace(full_run, plan=full_run.plan | {"features": blocks})).markdown("T")
    assert "standardised to mean 0 and standard deviation 1 in each image" in text


def test_hostile_names_are_text(full_run: Result) -> None:
    """A model's name cannot end a comment, open a tag, cite or format."""
    metrics = full_run.metrics.assign(model=full_run.metrics["model"].replace("lasso", HOSTILE))
    plan = {**full_run.plan, "models": [{**full_run.plan["models"][0], "name": HOSTILE}], "report": {"final": HOSTILE}}
    text = draft(replace(full_run, metrics=metrics, plan=plan)).markdown(HOSTILE)
    outside = re.sub(r"<!--.*?-->", "", text.split("---\n", 2)[2], flags=re.DOTALL)
    assert ("<script" in outside.replace("\\<", ""), "[@yy" in outside, " *x" in outside, "-->" in outside) == (
        False,
    ) * 4


def test_another_site_is_named_as_text(full_run: Result) -> None:
    """The name that another site gave itself stands in a heading and is escaped there."""
    sent = full_run.metrics[full_run.metrics["split"] == "external"].assign(split="external (<b>*B*)")
    text = draft(replace(full_run, metrics=pd.concat([full_run.metrics, sent]))).markdown("T")
    assert "of another site (External: \\<b\\>\\*B\\*)" in text


def test_an_old_run_asks_instead_of_inventing(full_run: Result) -> None:
    """A plan that does not say a setting leaves its place to the author."""
    text = draft(replace(full_run, plan={**full_run.plan, "validate": {}})).markdown("T")
    assert "[Author: validate.folds, which the plan of this run does not state]" in text


def test_the_same_bytes(full_run: Result, tmp_path: Path) -> None:
    """Twice the kit is twice the same files."""
    for where in ("a", "b"):
        (tmp_path / where).mkdir()
        write_manuscript(full_run, tmp_path / where)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    different = [one for one in files if (tmp_path / "a" / one).read_bytes() != (tmp_path / "b" / one).read_bytes()]
    assert (different, len(files) > 10) == ([], True)


def test_forms_are_known(runs: dict[str, Result]) -> None:
    """Every form that occurs is one that is documented."""
    found = {one.form for result in runs.values() for _, one in draft(result).traces()}
    assert found <= set(FORMS)
