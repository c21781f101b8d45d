"""The case table: files, splits, rules and exclusions; every problem is named and the other cases go on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.cohort import Cohort, CohortSettings, check_cohort, read_cohort
from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.table.clinical_settings import ClinicalSettings

HEADER = "patient,centre,y,age,image:ct,mask:ct"
ROWS = tuple(f"P{i},{'AB'[i % 2]},{i // 2 % 2},{50 + i},P{i}/ct.nii,P{i}/mask.nii" for i in range(8))


def study(folder: Path, rows: Iterable[str] = ROWS, header: str = HEADER, files: Iterable[int] = range(8)) -> Path:
    """A case table with empty files where its paths lead."""
    for i in files:
        (folder / f"P{i}").mkdir(exist_ok=True)
        for name in ("ct.nii", "mask.nii"):
            (folder / f"P{i}" / name).write_bytes(b"")
    (folder / "cases.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return folder


def read(
    folder: Path, clinical: ClinicalSettings | None = None, external: tuple[str, ...] = (), **settings: Any
) -> Cohort:
    images = settings.pop("images", None)
    chosen = CohortSettings(**{"table": "cases.csv", "outcome": "y", **settings})
    return read_cohort(chosen, base=folder, clinical=clinical, images=images, external=external)


def changed(position: int, old: str, new: str) -> list[str]:
    rows = list(ROWS)
    assert old in rows[position]
    rows[position] = rows[position].replace(old, new)
    return rows


def test_paths_are_absolute(tmp_path: Path) -> None:
    """Paths relative to the table become absolute."""
    assert read(study(tmp_path)).rows.loc[0, "image:ct"] == str(tmp_path / "P0" / "ct.nii")


def test_root_and_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[cohort] root` may name $ISTHMUS_DATA, and paths start there."""
    data, plan = tmp_path / "data", tmp_path / "plan"
    data.mkdir()
    plan.mkdir()
    study(data).joinpath("cases.csv").rename(plan / "cases.csv")
    monkeypatch.setenv("ISTHMUS_DATA", str(data))
    assert read(plan, root="$ISTHMUS_DATA").rows.loc[0, "mask:ct"] == str(data / "P0" / "mask.nii")


def test_windows_paths(tmp_path: Path) -> None:
    """Backslashes in a table made on Windows lead to the same files."""
    folder = study(tmp_path, [row.replace("/", "\\") for row in ROWS])
    assert len(read(folder).rows) == 8


def test_rows_carry_their_facts(tmp_path: Path) -> None:
    """Row, patient, centre, split and paths stand in `rows`, the rest in `clinical`."""
    cohort = read(study(tmp_path))
    assert list(cohort.rows.columns) == ["row", "patient", "centre", "split", "image:ct", "mask:ct"]


def test_clinical_has_no_paths(tmp_path: Path) -> None:
    """`clinical` holds every column that is no path, as text."""
    assert read(study(tmp_path)).clinical.loc[0].to_dict() == {"patient": "P0", "centre": "A", "y": "0", "age": "50"}


def test_without_a_centre_there_is_one(tmp_path: Path) -> None:
    """A table without a centre column has the one centre ''."""
    folder = study(tmp_path, header=HEADER.replace("centre", "site"))
    assert set(read(folder).rows["centre"]) == {""}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("P3/ct.nii", "P3/no.nii", "image:ct: no such file: .*no.nii"),
        ("P3/mask.nii", "P3/no.nii", "mask:ct: no such file: .*no.nii"),
        ("P3/ct.nii", "", "image:ct: no path in the table"),
        ("P3/mask.nii", "NA", "mask:ct: no path in the table"),
        ("P3/ct.nii", "empty", "image:ct: empty folder"),
    ],
)
def test_a_missing_file_excludes_its_case_only(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """One missing file excludes one case, with the path in the reason; the other seven go on."""
    (tmp_path / "empty").mkdir()
    cohort = read(study(tmp_path, changed(3, old, new)))
    assert len(cohort.rows) == 7
    assert cohort.exclusions[["row", "step"]].to_numpy().tolist() == [["P3", "files"]]
    assert cohort.exclusions["reason"].str.match(reason).all()


def test_images_nobody_asked_for_are_not_needed(tmp_path: Path) -> None:
    """A row without the PET stays, if only the CT is used."""
    folder = study(tmp_path, [f"{row},," for row in ROWS], header=f"{HEADER},image:pet,mask:pet")
    assert len(read(folder, images=["ct"]).rows) == 8


def test_rules_are_exclusions_with_their_label(tmp_path: Path) -> None:
    """Rules take rows out with label and step; a rule that cannot be decided says so."""
    cohort = read(
        study(tmp_path, changed(5, ",55,", ",,")),
        include={"adults over 50": "age > 50"},
        exclude={"oldest": "age >= 57"},
    )
    assert cohort.exclusions[["row", "step", "reason"]].to_numpy().tolist() == [
        ["P0", "include", "not included: adults over 50"],
        ["P5", "include", "cannot tell, a value is missing: adults over 50"],
        ["P7", "exclude", "excluded: oldest"],
    ]


def test_every_case_is_accounted_for(tmp_path: Path) -> None:
    """`cases` lists every row of the table once, included or excluded with step and reason."""
    cases = read(study(tmp_path, changed(3, "P3/ct.nii", "")), exclude={"oldest": "age >= 57"}).cases
    assert cases["status"].tolist() == ["included"] * 3 + ["excluded"] + ["included"] * 3 + ["excluded"]


def test_external_centre(tmp_path: Path) -> None:
    """All rows of an external centre are external."""
    cohort = read(study(tmp_path), external=("B",))
    assert cohort.rows.groupby("centre")["split"].unique().map(list).to_dict() == {"A": ["train"], "B": ["external"]}


def test_declared_splits(tmp_path: Path) -> None:
    """The table's own split is kept."""
    rows = [f"{row},{'external' if i > 5 else 'Internal' if i > 3 else 'train'}" for i, row in enumerate(ROWS)]
    assert (
        read(study(tmp_path, rows, f"{HEADER},split")).rows["split"].tolist()
        == ["train"] * 4 + ["internal"] * 2 + ["external"] * 2
    )


def test_several_rows_of_a_patient(tmp_path: Path) -> None:
    """With a view column a patient may have several rows, each with a name of its own."""
    rows = [
        f"{row.replace(f'P{i}', f'P{i // 2}', 1)},{'ab'[i % 2]}".replace(f",{'AB'[i % 2]},", ",A,")
        for i, row in enumerate(ROWS)
    ]
    cohort = read(study(tmp_path, rows, f"{HEADER},view"))
    assert cohort.rows["row"].tolist()[:3] == ["P0/a", "P0/b", "P1/a"]


@pytest.mark.parametrize(
    ("rows", "header", "settings", "error", "message"),
    [
        (
            [*ROWS, ROWS[0]],
            HEADER,
            {},
            TableError,
            "duplicate patients: patient P0 in rows 2, 10 .*a column view, lesion or timepoint",
        ),
        (changed(2, "P2,", ","), HEADER, {}, TableError, "no patient in row 4"),
        ([], HEADER, {}, TableError, "a header but no row"),
        (ROWS, HEADER, {"table": "none.csv"}, TableError, "none.csv: no such file"),
        (ROWS, HEADER, {"patient": "ID"}, PlanError, r"\[cohort\] patient: unknown column 'ID'"),
        (ROWS, HEADER, {"centre": "site"}, PlanError, r"\[cohort\] centre: unknown column 'site'"),
        (ROWS, HEADER, {"outcome": "metastasis"}, PlanError, "unknown column 'metastasis'"),
        (
            ROWS,
            HEADER,
            {"images": ["pet"]},
            PlanError,
            "unknown column 'image:pet'.* The table has: .*image:ct, mask:ct",
        ),
        (ROWS, HEADER, {"root": "$HOME/x"}, PlanError, r"\$HOME is not known"),
        (ROWS, HEADER, {"root": "nowhere"}, PlanError, "is not a folder"),
        (
            ROWS,
            HEADER,
            {"include": {"none": "age > 100"}},
            TableError,
            r"leave none of 8 rows: not included: none \(8\)",
        ),
        (ROWS, HEADER, {"exclude": {"typo": "aeg > 1"}}, PlanError, "exclude 'typo': .*Did you mean 'age'"),
        (ROWS, HEADER, {"exclude": {"bad": "age >"}}, PlanError, "exclude 'bad': .*position 6"),
        (changed(1, ",51,", ",5l,"), HEADER, {"exclude": {"old": "age > 70"}}, TableError, "row 3, patient P1, '5l'"),
        (ROWS, HEADER, {"exclude": {"events": "y == 1"}}, TableError, r"one class \('0': 4, '1': 0\)"),
        (changed(0, ",0,", ",2,"), HEADER, {}, TableError, r"'2' \(1 patient: P0\).*task = \"multiclass\""),
        ([row + ",test" for row in ROWS], f"{HEADER},split", {}, TableError, "row 2, patient P0 has split 'test'"),
        ([row + "," for row in ROWS], f"{HEADER},split", {}, TableError, "has no split"),
        (
            [r.replace(".nii", ".nrrd") for r in ROWS],
            HEADER,
            {},
            TableError,
            r"no case has all its files \(8 lack one\)",
        ),
        (ROWS, HEADER, {"external": ("C",)}, PlanError, r"unknown centre 'C'; .*'A' \(4 rows\), 'B' \(4 rows\)"),
    ],
)
def test_refusals(
    tmp_path: Path, rows: Iterable[str], header: str, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    """What cannot be read is refused with where, what came, what was expected and what to do."""
    with pytest.raises(error, match=message):
        read(study(tmp_path, rows, header), **settings)


def test_one_class_left_by_missing_files_is_refused(tmp_path: Path) -> None:
    """An outcome with both classes in the table, of which exclusions leave one, is refused with the count."""
    with pytest.raises(TableError, match=r"all 4 patients have one class \('0': 4, '1': 0\)"):
        read(study(tmp_path, files=(0, 1, 4, 5)))


def test_clinical_block_and_its_exclusions(tmp_path: Path) -> None:
    """The clinical block holds the patients in the study; those who lack a value leave with the reason."""
    cohort = read(
        study(tmp_path, changed(5, ",55,", ",,")), clinical=ClinicalSettings(columns=["age"], missing="exclude")
    )
    assert cohort.block is not None
    assert (list(cohort.block.values.index), cohort.exclusions["reason"].tolist()) == (
        ["P0", "P1", "P2", "P3", "P4", "P6", "P7"],
        ["missing: age"],
    )


def test_the_outcome_cannot_be_a_predictor(tmp_path: Path) -> None:
    """A clinical column that made the outcome is refused."""
    with pytest.raises(LeakageError, match="'age' made the outcome"):
        read(study(tmp_path), outcome="age > 53", clinical=ClinicalSettings(columns=["age"]))


def test_a_predictor_that_tells_the_outcome_is_noted(tmp_path: Path) -> None:
    """A clinical column that gives the outcome away is among the problems, as a note (rule L10)."""
    lines = [f"P{i:02d},{i % 2},{i % 2 + i / 100},{40 + 7 * i % 30}" for i in range(30)]
    (tmp_path / "cases.csv").write_text("\n".join(["patient,y,leak,age", *lines]), encoding="utf-8")
    cohort = read(tmp_path, clinical=ClinicalSettings(columns=["leak", "age"]))
    assert [problem.where for problem in cohort.problems if "rule L10" in problem.do] == ["leak"]


def test_check_finds_every_problem(tmp_path: Path) -> None:
    """`check_cohort` goes on after an error and names all of them, and the cases that lack a file."""
    folder = study(tmp_path, changed(3, "P3/ct.nii", "P3/no.nii"))
    settings = CohortSettings(table="cases.csv", outcome="yy", exclude={"x": "aeg > 1"})
    cohort, problems = check_cohort(settings, base=folder, clinical=ClinicalSettings(columns=["sex"]), external=["C"])
    found = [(problem.where, problem.severity) for problem in problems if problem.severity != "note"]
    assert (cohort, found) == (
        None,
        [
            ("[cohort] centre and split", "error"),
            ("[cohort] include and exclude", "error"),
            ("[cohort] outcome", "error"),
            ("case P3, row 5", "case"),
            ("[clinical]", "error"),
        ],
    )


def test_check_gives_the_cohort_when_it_can(tmp_path: Path) -> None:
    """Without an error `check_cohort` gives the same cohort as `read_cohort`."""
    settings = CohortSettings(table="cases.csv", outcome="y")
    cohort, _ = check_cohort(settings, base=study(tmp_path))
    assert cohort is not None
    pd.testing.assert_frame_equal(cohort.rows, read(tmp_path).rows)


def test_gbk_table_is_read_and_said(tmp_path: Path) -> None:
    """A case table in GBK with Chinese headers and cells is read, and the encoding is said."""
    text = "患者,中心,转移,年龄\n张三,一院,是,51\n李四,二院,否,60\n王五,一院,否,48\n"
    (tmp_path / "cases.csv").write_bytes(text.encode("gbk"))
    cohort = read(
        tmp_path, patient="患者", centre="中心", outcome="转移", positive="是", include={"成人": "年龄 >= 18"}
    )
    assert (cohort.encoding, set(cohort.rows["centre"]), cohort.outcome.n_events) == ("GB18030", {"一院", "二院"}, 1)


def test_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    """Shuffling the case table leaves rows, clinical columns, outcome and exclusions as they are."""
    first, second = tmp_path / "a", tmp_path / "b"
    rows = changed(3, "P3/ct.nii", "")
    for folder, order in ((first, range(8)), (second, np.random.default_rng(4).permutation(8))):
        folder.mkdir()
        study(folder, [rows[i] for i in order])
    one, two = (read(folder, root=str(first), exclude={"oldest": "age > 56"}) for folder in (first, second))
    pd.testing.assert_frame_equal(one.rows, two.rows)
    pd.testing.assert_frame_equal(one.clinical, two.clinical)
    pd.testing.assert_series_equal(one.outcome.values, two.outcome.values)
    pd.testing.assert_frame_equal(one.cases, two.cases)


def test_thyroid_cohort(shared_data: Path) -> None:
    """The thyroid table alone: 317 complete cases of the published model, every centre counted."""
    settings = CohortSettings(
        table=str(shared_data / "thyroid" / "tcga_thca_clinical.csv"),
        outcome="lymph_node_metastasis",
        centre="tissue_source_site",
    )
    clinical = ClinicalSettings(
        columns=["age_years", "sex", "length_cm"],
        derive={"multifocal": 'focality == "multifocal"', "extension": 'extrathyroidal_extension != "none"'},
        missing="exclude",
    )
    cohort = read_cohort(settings, base=Path(), clinical=clinical, external=["CE", "FE"])
    assert cohort.block is not None
    assert (len(cohort.block.values), len(cohort.exclusions), len(cohort.cases)) == (317, 58, 375)


def test_sarcoma_cohort(shared_data: Path, tmp_path: Path) -> None:
    """The sarcoma cohort with MR and PET: 26 patients, no exclusion, all files there."""
    outcome = pd.read_csv(shared_data / "sts" / "outcome.csv", dtype="str")
    for name, stem in (("mr", "MR_T1"), ("pet", "PET")):
        for kind in ("image", "mask"):
            outcome[f"{kind}:{name}"] = outcome["patient"] + f"/{stem}_{kind}.nii.gz"
    outcome.to_csv(tmp_path / "cases.csv", index=False)
    settings = CohortSettings(table="cases.csv", outcome="lung_metastasis", root=str(shared_data / "sts"))
    cohort = read_cohort(settings, base=tmp_path, images=["mr", "pet"])
    assert (len(cohort.rows), cohort.outcome.n_events, len(cohort.exclusions)) == (26, 10, 0)
