"""Reading the case table: rows, files, rules, outcome and clinical block; every problem named, none silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.cohort.cohort import KEYS, Cohort
from isthmus.cohort.rows import check_patients, path_cells, row_ids
from isthmus.cohort.settings import CohortSettings
from isthmus.errors import PlanError, TableError, first_few
from isthmus.table.admission import admit, splits
from isthmus.table.clinical import (
    ClinicalBlock,
    JoinLoss,
    clinical_block,
    join_clinical,
    read_clinical,
)
from isthmus.table.clinical_settings import ClinicalSettings
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.expression import unknown_column
from isthmus.table.outcome import Outcome
from isthmus.table.outcomes import DerivedOutcome, check_classes, contrasts, derive_outcome
from isthmus.table.paths import resolve_path
from isthmus.table.problem import Findings, Problem
from isthmus.table.reading import TextTable, read_frame
from isthmus.table.suspicion import numbered, suspects

__all__ = ["check_cohort", "read_cohort"]

_PATHS = ("image:", "mask:", "label:")


def read_cohort(
    settings: CohortSettings,
    *,
    base: Path,
    clinical: ClinicalSettings | None = None,
    images: Sequence[str] | None = None,
    masks: Sequence[str] | None = None,
    optional: Sequence[str] = (),
    external: Sequence[str] = (),
) -> Cohort:
    """The cohort that a plan describes.

    Parameters
    ----------
    settings : CohortSettings
        The section [cohort].
    base : Path
        The plan's folder, where its paths start.
    clinical : ClinicalSettings, optional
        The section [clinical].
    images : sequence of str, optional
        The images that the plan's blocks use; a row that lacks one is excluded. By default every image of the table.
    masks : sequence of str, optional
        The masks that go with them; by default those of the images' names.
    optional : sequence of str
        Those of them that a row may lack, as [segment] will draw them; one that is named must be there all the same.
    external : sequence of str
        Centres that no choice may touch.

    Raises
    ------
    PlanError, TableError, LeakageError
        The first error; `check_cohort` gives all of them.
    """
    cohort = _Reading(settings, base, clinical, images, masks, optional, external, Findings(strict=True)).read()
    assert cohort is not None
    return cohort


def check_cohort(
    settings: CohortSettings,
    *,
    base: Path,
    clinical: ClinicalSettings | None = None,
    images: Sequence[str] | None = None,
    masks: Sequence[str] | None = None,
    optional: Sequence[str] = (),
    external: Sequence[str] = (),
) -> tuple[Cohort | None, list[Problem]]:
    """The cohort, if it can be read, and every problem on the way (what `isthmus check` prints)."""
    findings = Findings(strict=False)
    cohort = _Reading(settings, base, clinical, images, masks, optional, external, findings).read()
    return (None if findings.failed else cohort), findings.problems


class _Reading:
    """One reading of a case table, step by step; an error in one step does not keep the next from being checked."""

    def __init__(
        self,
        settings: CohortSettings,
        base: Path,
        clinical: ClinicalSettings | None,
        images: Sequence[str] | None,
        masks: Sequence[str] | None,
        optional: Sequence[str],
        external: Sequence[str],
        findings: Findings,
    ) -> None:
        self.settings = settings
        self.base = base
        self.clinical_settings = clinical
        self.asked = images
        self.asked_masks = masks
        self.optional = frozenset(f"mask:{name}" for name in optional)
        self.external = external
        self.findings = findings

    def read(self) -> Cohort | None:
        table = self._table()
        if table is None:
            return None
        frame = table.frame
        patients = frame[self.settings.patient]
        everyone = self._everyone(frame, patients)
        rows = everyone["row"]
        left_out = [self._admitted(frame, patients, rows)]
        derived = self._outcome(frame, patients, rows, left_out)
        images = self._images(frame)
        columns = self._path_columns(frame, images)
        files = self._files(frame, columns)
        left_out.append(self._lacking_files(frame, files, columns, patients, rows, left_out))
        joined, block, loss = self._clinical(frame, patients, rows, derived)
        if block is not None:
            left_out.append(block.exclusions)
        if derived is None or everyone.empty:
            return None
        out = exclusion_frame(left_out).drop_duplicates("row", ignore_index=True)
        kept = ~rows.isin(out["row"])
        outcome = self._outcome_of(derived.outcome, patients[kept])
        if outcome is None:
            return None
        if block is not None:
            training = pd.Index(sorted(set(patients[kept & (everyone["split"] == "train")])))
            self.findings.problems += suspects(block.values, outcome, training)
            self.findings.problems += numbered(block.values, outcome, training)
        facts = pd.concat([everyone, frame[[key for key in KEYS if key in frame.columns]], files], axis=1)
        inside = [name for name in joined.columns if not name.startswith(_PATHS)]
        return Cohort(
            rows=facts[kept].reset_index(drop=True),
            clinical=joined.loc[kept, inside].reset_index(drop=True),
            outcome=outcome,
            barred=derived.barred,
            exclusions=out,
            problems=tuple(self.findings.problems),
            images=images,
            everyone=everyone.reset_index(drop=True),
            encoding=table.encoding,
            block=None if block is None else block.restricted(outcome.patients),
            loss=loss,
        )

    def _table(self) -> TextTable | None:
        """The table itself, sorted by row id so that the order in the file changes nothing."""
        with self.findings.at("[cohort] table"):
            table = read_frame(resolve_path(self.settings.table, self.base), encoding=self.settings.encoding)
            rows, columns = table.frame.shape
            said = ", ".join(filter(None, (table.encoding, table.separator)))
            self.findings.note(table.path.name, f"{rows} rows x {columns} columns, {said}")
            for note in table.notes:
                self.findings.note(table.path.name, note)
            frame = table.frame
            if self.settings.patient not in frame.columns:
                raise unknown_column(self.settings.patient, frame.columns, where="[cohort] patient")
            if frame.empty:
                raise TableError(f"{table.path}: a header but no row; expected one row a patient")
            check_patients(frame, self.settings.patient, table.path)
            order = row_ids(frame, self.settings.patient).sort_values(kind="stable").index
            return TextTable(frame.loc[order], table.encoding, table.path, table.separator, table.notes)
        return None

    def _everyone(self, frame: pd.DataFrame, patients: pd.Series[Any]) -> pd.DataFrame:
        """Row, patient, centre, split of every row."""
        rows = row_ids(frame, self.settings.patient)
        centre = self.settings.centre if self._has(frame, "centre") else None
        split = self.settings.split if self._has(frame, "split") else None
        with self.findings.at("[cohort] centre and split"):
            everyone = splits(frame, patients, rows, centre=centre, split=split, external=self.external)
            if centre is not None and frame[centre].isna().any():
                unnamed = patients[frame[centre].isna()]
                self.findings.note(f"column {centre!r}", f"no centre for {first_few(unnamed)}", do="fill it in")
            return everyone
        plain = {"row": rows, "patient": patients, "centre": "", "split": "train"}
        return pd.DataFrame(plain, dtype="str")

    def _has(self, frame: pd.DataFrame, key: str) -> bool:
        """Whether the table has the centre or split column; one that the plan names itself must exist."""
        name = getattr(self.settings, key)
        if name in frame.columns:
            return True
        if key in self.settings.model_fields_set:
            with self.findings.at(f"[cohort] {key}"):
                raise unknown_column(name, frame.columns, where=f"[cohort] {key}")
        return False

    def _admitted(self, frame: pd.DataFrame, patients: pd.Series[Any], rows: pd.Series[Any]) -> pd.DataFrame:
        with self.findings.at("[cohort] include and exclude"):
            out = admit(frame, self.settings, patients, rows)
            if len(out) == len(frame):
                raise TableError(
                    f"the rules of inclusion and exclusion leave none of {len(frame)} rows: "
                    + "; ".join(
                        f"{reason} ({count})" for reason, count in out["reason"].value_counts(sort=False).items()
                    )
                )
            return out
        return exclusion_frame()

    def _outcome(
        self, frame: pd.DataFrame, patients: pd.Series[Any], rows: pd.Series[Any], left_out: list[pd.DataFrame]
    ) -> DerivedOutcome | None:
        """The outcome of those whom the rules admit."""
        inside = ~rows.isin(left_out[0]["row"])
        with self.findings.at("[cohort] outcome"):
            derived = derive_outcome(frame[inside], self.settings, patients[inside], rows[inside])
            contrasts(derived.outcome, self.settings)  # wrong names are found now, not after hours
            left_out.append(derived.exclusions)
            return derived
        return None

    def _images(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """The images to read: those asked for, else every one of the table."""
        if self.asked is not None:
            return tuple(dict.fromkeys(self.asked))
        return tuple(name.removeprefix("image:") for name in frame.columns if name.startswith("image:"))

    def _path_columns(self, frame: pd.DataFrame, images: tuple[str, ...]) -> list[str]:
        """The columns with the paths of images and masks, as far as the table has them."""
        masks = images if self.asked_masks is None else self.asked_masks
        usable = []
        for kind, name in [*(("image", name) for name in images), *(("mask", name) for name in dict.fromkeys(masks))]:
            if f"{kind}:{name}" in self.optional and f"{kind}:{name}" not in frame.columns:
                continue
            with self.findings.at(f"{kind} {name!r}"):
                if f"{kind}:{name}" not in frame.columns:
                    raise unknown_column(f"{kind}:{name}", frame.columns, where="case table")
                usable.append(f"{kind}:{name}")
        return usable

    def _files(self, frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
        """Absolute paths of images and masks, and the masks' labels."""
        root = self.base
        with self.findings.at("[cohort] root"):
            table_folder = resolve_path(self.settings.table, self.base).parent
            root = table_folder if self.settings.root is None else resolve_path(self.settings.root, self.base)
            if self.settings.root is not None and not root.is_dir():
                raise PlanError(f"[cohort] root = {self.settings.root!r}: {root} is not a folder")
        return path_cells(frame, columns, root)

    def _lacking_files(
        self,
        frame: pd.DataFrame,
        files: pd.DataFrame,
        columns: list[str],
        patients: pd.Series[Any],
        rows: pd.Series[Any],
        left_out: list[pd.DataFrame],
    ) -> pd.DataFrame:
        """Rows without a cell or a file for an image that is needed; the others go on."""
        already = set(exclusion_frame(left_out)["row"])
        reasons: dict[Any, str] = {}
        reviewed = {
            column: frame[name].dropna().to_dict()
            for column in columns
            if column.startswith("mask:") and (name := f"review:{column.removeprefix('mask:')}") in frame.columns
        }
        cells = dict(zip(files.index, files[columns].itertuples(index=False, name=None), strict=True))
        for index, row in rows.items():
            if row in already:
                continue
            named = zip(columns, cells[index], strict=True)
            lacking = [
                what
                for column, path in named
                if (what := _lacking(column, path, reviewed.get(column, {}).get(index), column in self.optional))
                is not None
            ]
            if lacking:
                reasons[index] = "; ".join(lacking)
                do = "correct the path, or [cohort] root; the other cases go on"
                self.findings.note(
                    f"case {row}, row {index}",
                    reasons[index],
                    expected="a file or DICOM folder",
                    do=do,
                    severity="case",
                    case=row,
                )
        out = pd.Index(list(reasons), dtype=rows.index.dtype)
        with self.findings.at("[cohort] files"):
            if reasons and len(reasons) + len(already) == len(frame):
                raise TableError(
                    f"no case has all its files ({len(reasons)} lack one); the first: {next(iter(reasons.values()))}. "
                    "Check [cohort] root and the paths in the case table"
                )
        return exclusions(rows[out], patients[out], "files", pd.Series(reasons, index=out, dtype="str"))

    def _clinical(
        self, frame: pd.DataFrame, patients: pd.Series[Any], rows: pd.Series[Any], derived: DerivedOutcome | None
    ) -> tuple[pd.DataFrame, ClinicalBlock | None, JoinLoss | None]:
        """The clinical columns, joined where there is a second table, and the block of predictors."""
        settings = self.clinical_settings
        if settings is None:
            return frame, None, None
        joined, loss, block = frame, None, None
        with self.findings.at("[clinical]"):
            table = read_clinical(settings, base=self.base)
            if table is not None:
                joined, loss = join_clinical(frame, patients, table, settings)
                self.findings.note("[clinical]", str(loss))
            block = clinical_block(
                joined,
                settings,
                derived.barred if derived is not None else frozenset(),
                patients,
                rows=rows,
                known=None if loss is None else frozenset(loss.matched),
            )
            for note in block.notes:
                self.findings.note("[clinical]", note)
        return joined, block, loss

    def _outcome_of(self, outcome: Outcome, patients: pd.Series[Any]) -> Outcome | None:
        """The outcome of the patients who are left."""
        with self.findings.at("[cohort] outcome"):
            left = outcome.values[outcome.values.index.isin(patients)]
            if left.empty:
                raise TableError("no patient is left after all exclusions; see the exclusions for the reasons")
            restricted = outcome.restricted(left.index)
            check_classes(restricted)
            return restricted
        return None


def _lacking(column: str, path: Any, review: str | None, optional: bool) -> str | None:
    """What is wrong with a cell of a path column, or None. `review`: what became of a mask in the review application; one that does not
    stand is not simply missing."""
    if pd.isna(path):
        if review is not None:
            return f"{column}: {review} in the review"
        return None if optional else f"{column}: no path in the table"
    where = Path(path)
    if not where.exists():
        return f"{column}: no such file: {path}"
    if where.is_dir() and not any(where.iterdir()):
        return f"{column}: empty folder: {path}"
    return None
