"""Studies as people bring them: messy tables, several rows a patient, a second hospital. Numbers are checked, not only endings."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.study import Model, Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.data import label_of, prepare
from isthmus.study.recipes import RECIPES, recipe_text
from isthmus.study.run import audit_run, run_study
from isthmus.study.schema import plan_schema
from isthmus.synthetic import make_cohort
from study.tables import PLAN as PLAN_OF_TABLE
from study.tables import feature_table, write_study

QUICK = """
[[models]]
name = "m"
estimator = "logistic"
steps = ["impute", "encode", "scale", { name = "univariate", k = 2 }]
[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 100
%s
[audit]
permutations = 0
"""


def study(folder: Path, table: pd.DataFrame, text: str, validate: str = "") -> Path:
    """`cases.csv` and a quick plan in a folder; the path of the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "cases.csv", index=False)
    plan = folder / "plan.toml"
    plan.write_text('[cohort]\ntable = "cases.csv"\n' + text + QUICK % validate, encoding="utf-8")
    return plan


def run(plan: Path) -> Result:
    return run_study(Plan.read(plan), plan.parent / "run", workers=1)


def clinical_cases(patients: int = 60) -> pd.DataFrame:
    """Cases with clinical columns only, every cell text."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "patient": [f"Doe, {number:02d}" for number in range(patients)],
            "centre": np.where(np.arange(patients) % 3 == 2, "B", "A"),
            "nodes": rng.integers(0, 12, patients).astype(str),
            "age": rng.integers(20, 80, patients).astype(str),
            "grade": rng.choice(["I", "II", "III"], patients),
        }
    )


CLINICAL = 'outcome = "nodes > 5"\n[clinical]\ncolumns = ["age", "grade"]\n'


# ---------------------------------------------------------------------- several rows of a patient


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen synthetic patients in four file formats. Do not change them."""
    folder = tmp_path_factory.mktemp("images")
    make_cohort(folder, patients=16, seed=3, workers=2, formats=("nii.gz", "nii", "nrrd", "mha"))
    return folder


def two_views(images: Path) -> pd.DataFrame:
    """Twelve patients; the first four have a second view each (the lesions of the last four)."""
    table = pd.read_csv(images / "cases.csv", dtype="str")
    for column in ("image:ct", "mask:ct"):
        table[column] = [str(images / cell) for cell in table[column]]
    first = table.iloc[:12].assign(view="a", metastasis=[str(n % 2) for n in range(12)])
    second = first.iloc[:4].assign(view="b")
    second[["image:ct", "mask:ct"]] = table[["image:ct", "mask:ct"]].iloc[12:].to_numpy()
    return pd.concat([first, second], ignore_index=True).sample(frac=1, random_state=1)


VIEWS = 'outcome = "metastasis"\n[[features]]\nname = "ct"\nimage = "ct"\naggregate = "%s"\n'


@pytest.mark.parametrize("how", ["mean", "max", "largest"])
def test_rows_of_a_patient_become_one(how: str, images: Path, tmp_path: Path) -> None:
    """Mean and maximum of each feature, or all features of the row with the larger lesion; a failed row is left out."""
    table = two_views(images)
    broken = (table["patient"] == "P0003") & (table["view"] == "b")
    table.loc[broken, "mask:ct"] = "nowhere.nii.gz"
    data = prepare(Plan.read(study(tmp_path, table, VIEWS % how)), workers=1, store=None)
    features = data.features["ct"]
    rows = features.values.groupby(features.rows["patient"].to_numpy())
    if how == "largest":
        volume = "original_shape_VoxelVolume"
        expected = features.values.loc[rows[volume].idxmax().to_numpy()].set_axis(list(rows.groups), axis=0)
    else:
        expected = getattr(rows, how)()
    X, patients = data.matrix(["ct"], "train")
    assert list(patients) == [f"P{number:04d}" for number in range(1, 13)]
    assert (X.to_numpy() == expected.loc[patients.to_numpy()].to_numpy()).all()
    assert list(data.cases.loc[data.cases["status"] == "excluded", "row"]) == ["P0003/b"]


def test_predictions_of_a_patients_rows_are_averaged(images: Path, tmp_path: Path) -> None:
    """One prediction a patient, from every row; the model file gives the same bits."""
    plan = study(tmp_path, two_views(images), VIEWS % "predictions")
    result = run(plan)
    assert (result.predictions.groupby(["split", "patient"]).size() == 1).all()
    applied = Model.load(tmp_path / "run" / "model.isthmus").predict(tmp_path / "cases.csv", workers=1)
    train = result.predictions.query("split == 'train'").set_index("patient")["probability"]
    assert (applied.set_index("patient")["probability"].loc[train.index] == train).all()


# ---------------------------------------------------------------------- masks, labels, formats


def test_a_mask_of_another_name_needs_no_image_of_that_name(images: Path, tmp_path: Path) -> None:
    """`mask = "ring"` reads mask:ring, with label:ring, and asks for neither image:ring nor mask:ct."""
    table = two_views(images).query("view == 'a'").drop(columns="view").rename(columns={"mask:ct": "mask:ring"})
    table["label:ring"] = ["1.0", *["1"] * 10, None]
    text = 'outcome = "metastasis"\n[[features]]\nname = "r"\nimage = "ct"\nmask = "ring"\n'
    plan = study(tmp_path, table, text)
    assert check_plan(plan, workers=1).exit_code == 0
    assert len(prepare(Plan.read(plan), workers=1, store=None).features["r"].values) == 12


def test_labels_as_a_spreadsheet_writes_them() -> None:
    """1.0 is the label 1; the name of an outline stays text, whatever digits it has."""
    assert [label_of(text) for text in ("1", "1.0", "GTV 1", "2b", "1.5")] == [1, 1, "GTV 1", "2b", "1.5"]


def test_file_formats_mix(images: Path, tmp_path: Path) -> None:
    """The same lesions as NIfTI, NRRD and MHA in one cohort give the same bits as in NIfTI alone."""
    make_cohort(tmp_path / "nii", patients=4, seed=3)
    tables = []
    for folder in (images, tmp_path / "nii"):
        table = pd.read_csv(folder / "cases.csv", dtype="str").iloc[:4].assign(metastasis=["0", "1", "0", "1"])
        for column in ("image:ct", "mask:ct"):
            table[column] = [
                str(folder / cell).replace("/", "\\" if folder == images else "/") for cell in table[column]
            ]
        plan = study(tmp_path / folder.name, table, VIEWS % "mean", "")
        plan.write_text(plan.read_text().replace("folds = 3", "folds = 2"))
        tables.append(prepare(Plan.read(plan), workers=1, store=None).features["ct"].values)
    assert {path.name.partition(".")[2] for path in (images / "images").iterdir()} >= {"nii.gz", "nii", "nrrd", "mha"}
    assert (tables[0].to_numpy() == tables[1].to_numpy()).all()


# ---------------------------------------------------------------------- outcome, rules, splits


def test_rules_and_a_derived_outcome_in_the_flow(tmp_path: Path) -> None:
    """Every row that leaves says by which rule, and a rule that a missing cell leaves open says that."""
    table = clinical_cases()
    table.loc[[3, 4], ["age", "nodes"]] = [["", "7"], ["50", ""]]
    rules = '[cohort.include]\n"over 30" = "age > 30"\n'
    cases = run(study(tmp_path, table, CLINICAL.replace("[clinical]", rules + "[clinical]"))).cases
    young = int((pd.to_numeric(table["age"]) <= 30).sum())
    counts = cases.loc[cases["status"] == "excluded", ["step", "reason"]].value_counts()
    assert counts.to_dict() == {
        ("include", "not included: over 30"): young,
        ("include", "cannot tell, a value is missing: over 30"): 1,
        ("outcome", "outcome 'nodes > 5' is missing"): 1,
    }


def test_what_made_the_outcome_is_no_predictor(tmp_path: Path) -> None:
    """Neither the column itself nor what derives from it."""
    for columns in ('columns = ["age", "nodes"]', 'columns = ["age"]\nderive = { many = "nodes > 3" }'):
        text = CLINICAL.replace('columns = ["age", "grade"]', columns)
        with pytest.raises(LeakageError, match="nodes.*made the outcome"):
            run(study(tmp_path, clinical_cases(), text))


def test_an_external_centre_with_one_class(tmp_path: Path) -> None:
    """`check` says it beforehand; the run says which numbers cannot be had, and still gives the others."""
    table = clinical_cases()
    table.loc[table["centre"] == "B", "nodes"] = "1"
    plan = study(tmp_path, table, CLINICAL, 'external = { centre = ["B"] }')
    assert "split external: all 20 patients are 'no'" in check_plan(plan).as_text()
    metrics = run(plan).metrics.query("split == 'external'").set_index("metric")
    assert "only one class" in metrics.loc["auc", "method"]
    assert np.isfinite(metrics.loc[["specificity", "brier"], "estimate"]).all()


def test_check_of_a_feature_table_counts_its_folds(tmp_path: Path) -> None:
    """What would stop the run stops the check."""
    table = feature_table()
    table.loc[table.index[table["outcome"] == 1][2:], "outcome"] = 0
    assert "fewer than folds = 3" in check_plan(write_study(tmp_path, table)).as_text()


# ---------------------------------------------------------------------- the second hospital


@pytest.fixture(scope="module")
def clinical_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study whose clinical columns lie in a second table. Do not change it."""
    folder = tmp_path_factory.mktemp("clinical")
    table = clinical_cases()
    table[["patient", "age", "grade"]].iloc[:50].to_csv(folder / "clinical.csv", index=False)
    text = CLINICAL.replace("columns =", 'table = "clinical.csv"\ncolumns =')
    run(study(folder, table[["patient", "centre", "nodes"]], text))
    return folder


def test_apply_takes_the_kinds_of_columns_from_the_model(clinical_run: Path) -> None:
    """Four patients with four grades, one of them new: still categories; a cell that is missing or new is said, not hidden."""
    from isthmus.study.apply import apply_model

    new = pd.DataFrame({"patient": list("abcd"), "age": ["50", "", "200", "40"], "grade": ["IV", "I", "II", "III"]})
    applied = apply_model(Model.load(clinical_run / "run" / "model.isthmus"), new)
    assert applied.predictions["probability"].notna().all()
    said = {(note.row, note.column): note.note for note in applied.notes.itertuples()}
    used = Model.load(clinical_run / "run" / "model.isthmus").used
    expected = {("b", "age"): "missing", ("c", "age"): "outside", ("a", "grade"): "never occurred"}
    assert {key for key in expected if key[1] in used} == set(said)
    assert all(expected[key] in text for key, text in said.items())


def test_apply_does_not_invent_who_is_not_in_the_clinical_table(clinical_run: Path) -> None:
    """The ten patients whom the study excluded have no prediction, the others the run's own bits."""
    applied = (
        Model.load(clinical_run / "run" / "model.isthmus").predict(clinical_run / "cases.csv").set_index("patient")
    )
    train = pd.read_csv(clinical_run / "run" / "predictions.csv").query("split == 'train'").set_index("patient")
    assert (applied.loc[train.index, "probability"] == train["probability"]).all()
    assert set(applied.loc[applied["probability"].isna(), "reason"]) == {"not in the clinical table"}
    assert int(applied["probability"].isna().sum()) == 10


def test_apply_says_which_columns_are_lacking(clinical_run: Path, tmp_path: Path) -> None:
    """Without the column and without the study's second table, the message names the column."""
    pd.DataFrame({"patient": ["a"], "age": ["50"]}).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(TableError, match=r"new.csv lacks the columns grade.*Add these columns to new.csv"):
        Model.load(clinical_run / "run" / "model.isthmus").predict(tmp_path / "new.csv")


def test_apply_to_nobody(clinical_run: Path) -> None:
    """A header alone is an error that says so."""
    with pytest.raises(TableError, match="a header but no row"):
        Model.load(clinical_run / "run" / "model.isthmus").predict(pd.DataFrame({"patient": [], "age": []}))


@pytest.fixture(scope="module")
def feature_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of a feature table with a rule of exclusion. Do not change it."""
    folder = tmp_path_factory.mktemp("features")
    plan = PLAN_OF_TABLE.replace("[validate]", '[table.exclude]\n"large" = "x1 > 1"\n[validate]').replace(
        "= 2\n", "= 0\n"
    )
    run(write_study(folder, plan=plan.replace("repeats = 0", "repeats = 1")))
    return folder


def test_apply_says_who_would_not_have_entered_the_study(feature_run: Path) -> None:
    """The study's rules are checked on new patients too; who breaks one is predicted and named."""
    from isthmus.study.apply import apply_model

    applied = apply_model(Model.load(feature_run / "run" / "model.isthmus"), feature_run / "features.csv")
    notes = applied.notes[applied.notes["note"].str.startswith("would not have entered the study")]
    table = feature_table().set_index("patient")
    assert sorted(notes["row"]) == sorted(table.index[table["x1"] > 1])
    assert applied.predictions["probability"].notna().all()


def test_apply_reads_the_models_columns_as_numbers(feature_run: Path) -> None:
    """A decimal comma in a column that the model takes is named with its patient; a remark in another column is no matter."""
    table = feature_table().astype({"x0": "str"}).assign(remark="hello")
    model = Model.load(feature_run / "run" / "model.isthmus")
    assert model.predict(table)["probability"].notna().all()
    table["x0"] = table["x0"].str.replace(".", ",")
    with pytest.raises(TableError, match=r"'x0': .*patient P000, '0,12.*use a decimal point"):
        model.predict(table)


def test_totals_say_why_they_cannot_be_had(feature_run: Path) -> None:
    """One class only at the second hospital: the reason is the message."""
    from isthmus.study.apply import apply_model, totals

    model = Model.load(feature_run / "run" / "model.isthmus")
    applied = apply_model(model, feature_table().query("outcome == 1"))
    with pytest.raises(TableError, match=r"--aggregate-only needs the outcome.*have one class"):
        totals(model, applied)


def test_a_null_study_belongs_to_its_data(tmp_path: Path) -> None:
    """After the table has changed, the audit is refused and names what changed."""
    plan = write_study(tmp_path)
    run_study(Plan.read(plan), tmp_path / "run", workers=1)
    feature_table(seed=1).to_csv(tmp_path / "features.csv", index=False)
    with pytest.raises(TableError, match=r"changed since the run: features\.csv"):
        audit_run(tmp_path / "run", permutations=2, workers=1)


# ---------------------------------------------------------------------- plans with slips of the pen

PLAN = {
    "cohort": {"table": "cases.csv", "outcome": "y"},
    "features": [{"name": "r", "image": "ct"}],
    "models": [{"name": "m", "estimator": "lasso"}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cohort": 3}, r"^cohort: expected a section, written \[cohort\] .*\(came: 3\)$"),
        ({"features": {"name": "r"}}, r"^features: expected a section, written \[\[features\]\]"),
        ({"validate": {"folds": "three"}}, r"^\[validate\] folds: expected a whole number \(came: 'three'\)$"),
        ({"validate": {"threshold": {"sensitivity": "high"}}}, r"^\[validate\] threshold\.sensitivity: expected a number"),
        ({"validate": {"threshold": [0.9]}}, r"^\[validate\] threshold: expected text in quotes or a number or a table"),
        ({"validate": {"external": {"centre": ["B"], "x": 1}}}, r"^\[validate\] external: unknown key 'x'\. Known: centre"),
        ({"validate": {"decision_curve": {"lowest": 0.6, "highest": 0.1}}}, r"^\[validate\] decision_curve: .*exchange"),
        ({"cohort": {"table": "c.csv"}}, r"^\[cohort\] 'outcome' is missing"),
        ({"models": [{"name": "m", "steps": [{"k": 3}]}]}, r"^\[\[models\]\] number 1 'steps.name' is missing"),
        ({"models": [{"name": "../m"}]}, r"^\[\[models\]\] name = '\.\./m': the name becomes part of file names"),
        ({"features": [{"name": "r", "image": "ct", "spacing_mm": [1, 1]}]}, r"'r' spacing_mm: expected more values"),
        ({"features": [{"name": "r", "image": "ct", "binwidth": 1}]}, r"'r' unknown key 'binwidth'. Did you mean 'bin_width'"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_line(change: dict[str, object], message: str) -> None:
    """Section, key, what came, what was expected: in the words of TOML."""
    with pytest.raises(PlanError, match=message) as caught:
        Plan.parse({**PLAN, **change})
    assert len(str(caught.value).splitlines()) == 1


def test_a_plan_from_a_windows_editor(tmp_path: Path) -> None:
    """A byte order mark in front is no mistake; UTF-16 is, and says how to save it."""
    path = study(tmp_path, clinical_cases(), CLINICAL)
    path.write_bytes(path.read_text().encode("utf-8-sig"))
    assert Plan.read(path).blocks == ("clinical",)
    path.write_bytes(path.read_text(encoding="utf-8-sig").encode("utf-16"))
    with pytest.raises(PlanError, match="Save it again as UTF-8"):
        Plan.read(path)


def test_check_names_an_unknown_variable_as_a_problem(tmp_path: Path) -> None:
    """A root with another variable than $ISTHMUS_DATA is a line of the check, so --json stays JSON."""
    found = check_plan(study(tmp_path, clinical_cases(), 'root = "$HOME/x"\n' + CLINICAL))
    assert "$ISTHMUS_DATA is the only variable" in json.dumps(found.as_dict())
    assert found.exit_code == 2


def test_the_schema_knows_what_plans_say() -> None:
    """Every key of every recipe is in the schema, the profiles' keys are among those of a block, a misspelt one is not."""
    schema = plan_schema()
    block = schema["$defs"]["FeatureBlock"]
    assert {"bin_width", "spacing_mm", "aggregate"} <= set(block["properties"])
    assert block["additionalProperties"] is False
    for name in RECIPES:
        for section, content in tomllib.loads(recipe_text(name)).items():
            reference = json.dumps(schema["properties"][section])
            part = next(part for title, part in schema["$defs"].items() if f'#/$defs/{title}"' in reference)
            for entry in content if isinstance(content, list) else [content]:
                assert set(entry) <= set(part["properties"]), (name, section)
