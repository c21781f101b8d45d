"""The plan: what will be done. The same object from TOML and from Python; frozen, and an unknown key is an error."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from isthmus.biology.settings import BiologySection
from isthmus.cohort.settings import CohortSettings
from isthmus.deep.settings import DeepSection, DeepSettings
from isthmus.errors import LeakageError, PlanError, did_you_mean, first_few
from isthmus.explain.settings import ExplainSettings
from isthmus.features.settings import PREPARE_KEYS, REGION_KEYS, FeatureBlock
from isthmus.filters.settings import FiltersSettings
from isthmus.habitat.settings import HabitatSection
from isthmus.harmonise.combat import refuse_outcome, unseen_message
from isthmus.harmonise.settings import HarmoniseSettings
from isthmus.image.prepare.settings import PrepareSettings
from isthmus.image.prepare.standardise import read_scale
from isthmus.image.settings import ImageSettings
from isthmus.models.settings import DEFAULT_MODELS, ModelSettings, StepSettings, default_models
from isthmus.pathology.settings import PathologySection
from isthmus.reading.form import Form, form_of
from isthmus.reading.settings import ReadingSettings
from isthmus.roi.settings import Label, RegionSettings, RoiSettings
from isthmus.segment.settings import SegmentSection
from isthmus.select.settings import ReliabilitySettings, SelectSettings
from isthmus.settings import Section
from isthmus.settings.messages import keys_of, setting_messages
from isthmus.study import toml
from isthmus.study.deep_blocks import check_deep, deep_settings
from isthmus.study.fusion import check_fusion, with_risk_steps
from isthmus.study.habitat_blocks import (
    PARTS,
    check_block,
    check_steps,
    habitat_settings,
    with_steps,
    with_value,
)
from isthmus.study.segment_section import check_segment
from isthmus.study.settings import ComputeSettings, RecipeSettings, ReportSettings
from isthmus.study.step_blocks import kept_to_blocks
from isthmus.table.clinical_settings import ClinicalSettings, InferenceSettings
from isthmus.table.dictionary import TIMES, ColumnSettings
from isthmus.table.expression import parse_expression
from isthmus.table.paths import resolve_path
from isthmus.table.settings import OutcomeSettings, TableSettings
from isthmus.validate.settings import (
    LEAST_FOR_POWER,
    AuditSettings,
    DecisionCurveSettings,
    ExternalSettings,
    IntervalSettings,
    ShiftSettings,
    ValidateSettings,
)

__all__ = ["Plan"]

Part = TypeVar("Part", bound=Section)

CLINICAL = "clinical"
TABLE = "table"
_NOT_IN_FILE_NAMES = '/\\:*?"<>|'
_CALLED_BEFORE = re.compile(r"pre[-_ ]?op", re.IGNORECASE)


class Plan(BaseModel):
    """One study, from scans or tables to validated models.

    Exactly one of `cohort` (a case table, with images or clinical columns) and `table` (a ready feature table) is given;
    every other section has defaults. `Plan.read` reads a file, `Plan.parse` a mapping; paths are relative to `base`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort: CohortSettings | None = None
    table: TableSettings | None = None
    image: ImageSettings = ImageSettings()
    roi: RoiSettings = RoiSettings()
    segment: SegmentSection | None = None
    filters: FiltersSettings = FiltersSettings()
    features: list[FeatureBlock] = []
    habitat: HabitatSection | None = None
    deep: DeepSection | None = None
    clinical: ClinicalSettings | None = None
    reading: ReadingSettings | None = None
    harmonise: HarmoniseSettings | None = None
    select: SelectSettings = SelectSettings()
    models: list[ModelSettings] = Field(default_factory=lambda: list(DEFAULT_MODELS))
    validate_: ValidateSettings = Field(default=ValidateSettings(), alias="validate")
    explain: ExplainSettings | None = None
    pathology: PathologySection | None = None
    biology: BiologySection | None = None
    audit: AuditSettings = AuditSettings()
    report: ReportSettings = ReportSettings()
    compute: ComputeSettings = ComputeSettings()

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    # ------------------------------------------------------------------ making one

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """Read a plan file; every error is a `PlanError` that names the section and the key."""
        path = Path(path)
        if path.is_dir():
            path = path / "plan.toml"
        try:
            text = path.read_text(encoding="utf-8-sig")  # Windows' editors put a mark in front
        except FileNotFoundError as exc:
            raise PlanError(f"{path}: no such plan file. `isthmus init FOLDER` writes one to start from.") from exc
        except UnicodeDecodeError as exc:
            raise PlanError(f"{path}: a plan is UTF-8 text; byte {exc.start} is not. Save it again as UTF-8.") from exc
        except OSError as exc:
            raise PlanError(f"{path}: cannot be read ({exc.strerror or exc}). Give the plan file.") from exc
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            raise PlanError(f"{path}: not valid TOML: {exc}. {toml.cure(text, exc)}") from exc
        return cls.parse(document, base=path.resolve().parent)

    @classmethod
    def parse(cls, document: Mapping[str, Any], *, base: str | Path = ".") -> Plan:
        """A plan from a mapping with the structure of the TOML file."""
        document = with_landmarks(document, Path(base))
        try:
            plan = cls.model_validate(_with_models(_with_likes(document)))
        except ValidationError as exc:
            raise PlanError("\n".join(setting_messages(exc, document, known_keys=_known_keys))) from exc
        plan._base = Path(base).resolve()
        _check_together(plan)
        return plan

    # ------------------------------------------------------------------ asking it

    @property
    def base(self) -> Path:
        """The folder relative paths start from."""
        return self._base

    @property
    def validation(self) -> ValidateSettings:
        return self.validate_

    @property
    def source(self) -> OutcomeSettings:
        """[cohort] or [table]: whichever the plan has."""
        source = self.cohort or self.table
        assert source is not None
        return source

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the feature blocks, in order."""
        names = [block.name for block in self.features]
        if self.table is not None:
            names.insert(0, TABLE)
        if self.clinical is not None:
            names.insert(0, CLINICAL)
        return tuple(names)

    def blocks_of(self, model: ModelSettings) -> tuple[str, ...]:
        """The blocks whose columns a model takes itself."""
        return tuple(model.blocks) or (() if model.risks else self.blocks)

    def reads(self, model: ModelSettings) -> tuple[str, ...]:
        """The blocks that a model needs of a patient: its own, and those of the models whose risks it takes."""
        needed = set(self.blocks_of(model)).union(*(self.reads(self.model(name)) for name in model.risks))
        return tuple(name for name in self.blocks if name in needed) if model.risks else self.blocks_of(model)

    def left_out(self, model: ModelSettings) -> frozenset[str]:
        """The clinical columns that are known too late for a model that says when it is used."""
        if self.clinical is None or model.when is None or CLINICAL not in self.blocks_of(model):
            return frozenset()
        last = TIMES.index(model.when)
        times = {name: self.clinical.time_of(name) for name in self.clinical.predictors}
        return frozenset(name for name, time in times.items() if time is not None and TIMES.index(time) > last)

    def model(self, name: str) -> ModelSettings:
        return next(model for model in self.models if model.name == name)

    @property
    def explaining(self) -> ExplainSettings | None:
        """[explain] with its models named; None where the plan has no such section."""
        if self.explain is None or self.explain.models:
            return self.explain
        return self.explain.model_copy(update={"models": [self.final]})

    @property
    def reading_form(self) -> Form:
        """The form that [reading] describes; the thyroid's where the plan says nothing."""
        return form_of(self.reading or ReadingSettings(form="thyroid"), self.base)

    @property
    def final(self) -> str:
        """The model that becomes `model.isthmus`."""
        return self.report.final or self.models[0].name

    def block_settings(self, block: FeatureBlock) -> Section:
        """What a block's values are measured with: the profile's settings, those of the supervoxels, or of the network."""
        if block.kind == "deep":
            return self.deep_settings(block)
        return self.habitat_settings(block) if block.of_supervoxels else self.profile_settings(block)

    def deep_settings(self, block: FeatureBlock) -> DeepSettings:
        """[deep] for one block of a frozen network: its defaults, then [deep], then the block's own tables."""
        return deep_settings(self, block)

    def habitat_settings(self, block: FeatureBlock) -> HabitatSection:
        """The parts of [habitat] for one block of supervoxels: their defaults, then [habitat], then the block's own tables."""
        return habitat_settings(self, block)

    def profile_settings(self, block: FeatureBlock) -> Section:
        """The profile's settings for one block: its defaults, then the parameter file, [image], [roi], [filters], the block's own keys."""
        from isthmus.features import PROFILES, read_parameters

        profile = PROFILES[block.profile]
        start = read_parameters(self.base / block.params).model_dump(exclude_unset=True) if block.params else {}
        shared = {
            key: value
            for section in (self.image, self.roi)
            for key, value in section.model_dump(exclude_none=True, by_alias=True).items()
            if key != "label" and key not in PREPARE_KEYS | REGION_KEYS
        }
        if self.filters.use is not None and "filters" in profile.Settings.model_fields:
            shared["filters"] = self.filters.use
        try:
            return profile.Settings.model_validate({**start, **shared, **block.overrides})
        except ValidationError as exc:
            known = [*profile.Settings.model_fields, *FeatureBlock.model_fields, *PREPARE_KEYS, *REGION_KEYS]
            said = {**start, **shared, **block.overrides}
            where = f"[[features]] {block.name!r}"
            if "filters" in shared and "filters" not in block.overrides and exc.errors()[0]["loc"][:1] == ("filters",):
                where = f"[filters] use, for {where}:"
            raise PlanError("\n".join(setting_messages(exc, said, known_keys=lambda _: known, where=where))) from exc

    def prepare_settings(self, block: FeatureBlock) -> PrepareSettings:
        """How the image of one block is prepared: [image], then the block's own keys.

        An image is not registered to itself: that step is for blocks whose mask was drawn on another image.
        """
        shared = self.image.model_dump(include=set(PrepareSettings.model_fields), exclude_unset=True, by_alias=True)
        said = {**shared, **block.preparation}
        if block.mask_name == block.image:
            said.pop("register", None)
        return _validated(PrepareSettings, said, PREPARE_KEYS, block)

    def region_settings(self, block: FeatureBlock) -> RegionSettings:
        """Which region of one block is made of the lesion: [roi], then the block's own keys."""
        shared = self.roi.model_dump(include=set(REGION_KEYS), exclude_unset=True)
        return _validated(RegionSettings, {**shared, **block.region}, REGION_KEYS, block)

    def label_of(self, block: FeatureBlock) -> Label:
        """Which label of the mask is the lesion, where the plan says it; the case table's `label:<name>` goes first."""
        named = getattr(self.block_settings(block), "label", None)  # by a parameter file
        return next((label for label in (block.label, named, self.roi.label) if label is not None), None)

    def changed(self, key: str, value: Any) -> Plan:
        """The plan with another value of one setting in every [[features]] block that has it; one number for spacing_mm is that of all
        axes. `PART.KEY` is a key of a part of [habitat]."""
        if key == "spacing_mm" and isinstance(value, int | float):
            value = [value] * 3
        blocks = [with_value(block, key, value) for block in self.features]
        plan = self.model_copy(update={"features": blocks})
        plan._base = self._base
        return plan

    # ------------------------------------------------------------------ writing it

    def document(self) -> dict[str, Any]:
        """The plan with every default resolved, as the TOML file would say it."""
        document = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        document["features"] = [
            {**_said(said, block), **self._settings_document(block)}
            for said, block in zip(document["features"], self.features, strict=True)
        ]  # what the parameter file said is written out
        if (
            self.cohort is not None
        ):  # centre and split columns are looked for, and must exist only where the plan names them
            unnamed = {"centre", "split"} - self.cohort.model_fields_set
            document["cohort"] = {name: value for name, value in document["cohort"].items() if name not in unnamed}
        if self.reading is not None:  # a model file has no form beside it
            document["reading"] = {
                "fields": [f.model_dump(mode="json", exclude_defaults=True) for f in self.reading_form.fields]
            }
        document["models"] = [self._resolved(model) for model in self.models]
        return {name: value for name, value in document.items() if value not in ([], {})}

    def _settings_document(self, block: FeatureBlock) -> dict[str, Any]:
        """What the profile's settings come to. A key that [image] knows too (resample_mask) stands here only where a parameter file set it:
        written out as a default, it would overrule [image]."""
        settings = self.block_settings(block).model_dump(mode="json", exclude_none=True)
        if block.kind == "deep":
            frozen = self.deep is not None and self.deep.train is not None and "train" not in settings
            return {**settings, "train": False} if frozen else settings
        if block.of_supervoxels:
            return {part: settings[part] for part in PARTS[block.kind]}
        return {key: value for key, value in settings.items() if key not in PREPARE_KEYS or value is True}

    def _resolved(self, model: ModelSettings) -> dict[str, Any]:
        """A model as the lock file says it: its blocks and steps named."""
        from isthmus.models.building import resolve

        steps = [step.model_dump(mode="json") for step in resolve(with_default_steps(self, model))]
        said = model.model_dump(mode="json", exclude_none=True)
        return {**said, "blocks": list(self.blocks_of(model)), "steps": [_short(step) for step in steps]}

    def dump(self) -> str:
        """`plan.lock.toml`: the plan with every default resolved."""
        return "# The plan with every default resolved, as it was carried out.\n" + toml.dump(self.document())


def _check_together(plan: Plan) -> None:
    """What no single section can check."""
    if (plan.cohort is None) == (plan.table is None):
        raise PlanError("a plan has either [cohort] (a case table) or [table] (a ready feature table), and not both.")
    if plan.table is not None and plan.features:
        raise PlanError("[[features]] needs images, and [table] has none. Use [cohort] with image: columns instead.")
    if not plan.blocks:
        raise PlanError("nothing to model: the plan has no [[features]] and no [clinical] columns.")
    for what, names in (("[[features]]", plan.blocks), ("[[models]]", [model.name for model in plan.models])):
        _unique(f"{what} name", list(names))
        _file_names(what, names)
    curve = plan.validation.decision_curve
    if curve.lowest >= curve.highest:
        raise PlanError(
            f"[validate] decision_curve: lowest = {curve.lowest} is not below highest = {curve.highest}; exchange them."
        )
    if not plan.models:
        raise PlanError("[[models]] is empty. Leave it out for the default models.")
    for model in plan.models:
        for block in model.blocks:
            if block not in plan.blocks:
                raise PlanError(
                    f"[[models]] {model.name!r}: unknown block {block!r}.{did_you_mean(block, plan.blocks)}"
                )
    if plan.report.final is not None and plan.report.final not in [model.name for model in plan.models]:
        known = [model.name for model in plan.models]
        raise PlanError(
            f"[report] final = {plan.report.final!r}: no such model.{did_you_mean(plan.report.final, known)}"
        )
    if plan.report.recipe is not None:
        from isthmus.study.recipes import study_recipe

        study_recipe(plan.report.recipe.name)
    check_fusion(plan)
    _check_features(plan)
    check_segment(plan)
    _check_harmonise(plan)
    _check_reliability(plan)
    _check_models(plan)
    _check_clinical(plan)
    if plan.reading is not None:
        _ = plan.reading_form  # raises where it is none
    _check_audit(plan)
    _check_explain(plan)


def _check_clinical(plan: Plan) -> None:
    """Predictors are known by the time a model is used, and what [clinical.inference] names exists."""
    clinical = plan.clinical
    if clinical is None:
        if any(model.when is not None for model in plan.models):
            raise PlanError(
                "[[models]] when: the plan has no [clinical] columns whose time could be told. Take it out."
            )
        return
    times = {name: clinical.time_of(name) for name in clinical.predictors}
    for model in plan.models:
        if CLINICAL not in plan.blocks_of(model):
            continue
        where = f"[[models]] {model.name!r}"
        unsaid = [name for name, time in times.items() if time is None]
        if model.when is not None and unsaid:
            raise PlanError(
                f"{where} when = {model.when!r}: {first_few(unsaid)} do not say when they are known. "
                f'Say it: [clinical.columns.{unsaid[0]}] when = "pre-operative" or "post-operative"'
            )
        later = [name for name, time in times.items() if time == TIMES[-1]]
        if model.when is None and later and _CALLED_BEFORE.search(model.name):
            raise LeakageError(
                f"{where} is called pre-operative but would see {first_few(later)}, known only after surgery. "
                'Hold it to its name: when = "pre-operative"; or give it another name.'
            )
        if plan.left_out(model) == set(times) and plan.blocks_of(model) == (CLINICAL,):
            raise PlanError(f"{where} when = {model.when!r}: no clinical column is known by then, so nothing is left.")
    known = clinical.predictors
    for name in clinical.inference.columns:
        if name not in known:
            raise PlanError(f"[clinical.inference] columns: {name!r} is no predictor.{did_you_mean(name, known)}")
    names = [model.name for model in plan.models]
    for name in clinical.inference.models:
        if name not in names:
            raise PlanError(f"[clinical.inference] models: {name!r} is no model.{did_you_mean(name, names)}")


def _check_features(plan: Plan) -> None:
    if plan.habitat is not None and not any(block.of_supervoxels for block in plan.features):
        kinds = ", ".join(f'"{kind}"' for kind in PARTS)
        raise PlanError(
            f"[habitat] has no effect: no [[features]] block has one of the kinds {kinds}. Remove the section."
        )
    if plan.deep is not None and not any(block.kind == "deep" for block in plan.features):
        raise PlanError('[deep] has no effect: no [[features]] block has the kind "deep". Remove the section.')
    if not plan.features:
        if plan.filters.use is not None:
            raise PlanError("[filters] has no effect: the plan has no [[features]]. Remove the section.")
        return
    from isthmus.features import PROFILES

    for block in plan.features:
        if block.of_supervoxels or block.scores:
            check_block(plan, block)
        elif block.kind == "deep":
            check_deep(plan, block)
        elif block.profile not in PROFILES:
            raise PlanError(
                f"[[features]] {block.name!r}: unknown profile {block.profile!r}.{did_you_mean(block.profile, PROFILES)}"
            )
    _check_blocks(plan)
    profiles = {block.profile for block in plan.features if block.kind == "radiomics"}
    if plan.filters.use is not None and not any("filters" in PROFILES[name].Settings.model_fields for name in profiles):
        why = (
            f"profile {', '.join(sorted(profiles))} chooses its own response maps"
            if profiles
            else "no block measures radiomics features"
        )
        raise PlanError(f"[filters] has no effect: {why}. Remove the section.")


def _check_harmonise(plan: Plan) -> None:
    """The blocks exist, and external centres are not refused by the step that would meet them."""
    said = plan.harmonise
    if said is None:
        return
    for block in said.blocks:
        if block not in plan.blocks:
            raise PlanError(f"[harmonise] blocks: unknown block {block!r}.{did_you_mean(block, plan.blocks)}")
    for name in said.models:
        if name not in [model.name for model in plan.models]:
            known = [model.name for model in plan.models]
            raise PlanError(f"[harmonise] models: no model {name!r}.{did_you_mean(name, known)}")
    if not said.blocks and set(plan.blocks) == {CLINICAL}:
        raise PlanError("[harmonise] has nothing to do: the plan has clinical columns only. Remove the section.")
    refuse_outcome(said.covariates, [*parse_expression(plan.source.outcome).columns, plan.source.time or ""])
    batches = [said.batch] if isinstance(said.batch, str) else said.batch
    external = plan.validation.external
    if said.unseen != "refuse" or "centre" not in batches:
        return
    if plan.validation.scheme == "leave-one-centre-out":
        raise PlanError(
            "[harmonise] and [validate] scheme = 'leave-one-centre-out': every centre is new in its turn, and "
            f"{unseen_message('centre', ['that is left out'], ['the others'])}"
        )
    if external is not None:
        raise PlanError(
            f"[harmonise] and [validate] external: {unseen_message('centre', external.centre, ['the others'])}"
        )


def _check_reliability(plan: Plan) -> None:
    said = plan.select.reliability
    if said is not None:
        for block in repeated_blocks(plan, said.repeats):
            if block not in plan.blocks:
                raise PlanError(f"[select] reliability: unknown block {block!r}.{did_you_mean(block, plan.blocks)}")


def _check_blocks(plan: Plan) -> None:
    """Every key of a block is a setting of its profile, of the preparation or of the region."""
    for block in plan.features:
        plan.block_settings(block)
        plan.prepare_settings(block)
        plan.region_settings(block)


def _check_audit(plan: Plan) -> None:
    """[audit] asks for nothing that the plan's models and blocks do not have."""
    known = [model.name for model in plan.models]
    for name in plan.audit.models:
        if name not in known:
            raise PlanError(f"[audit] models: no model {name!r}.{did_you_mean(name, known)}")
    if not plan.features and (plan.audit.sensitivity or plan.audit.shift != ShiftSettings()):
        raise PlanError("[audit] shift and sensitivity measure images again, and the plan has no [[features]].")
    if plan.audit.power is not None and plan.audit.permutations < LEAST_FOR_POWER:
        raise PlanError(
            f"[audit] permutations = {plan.audit.permutations}: power needs at least {LEAST_FOR_POWER}, to say what chance reaches."
        )
    for key, values in plan.audit.sensitivity.items():
        if not values:
            raise PlanError(f"[audit] sensitivity: {key} has no values; give a list, such as {key} = [1, 2]")
        if key.partition(".")[0] in ("ited", "cohort") and "." in key:
            raise PlanError(
                f"[audit] sensitivity: {key} is a setting of a step and not of what is measured. Tune it in [[models]]."
            )
        for value in values:
            if plan.features and plan.changed(key, value).features == plan.features:
                raise PlanError(
                    f"[audit] sensitivity: {key} = {value!r} changes no block. Another value, or a key that a block has."
                )
            try:
                _check_blocks(plan.changed(key, value))
            except PlanError as exc:
                raise PlanError(f"[audit] sensitivity: {key} = {value!r}: {exc}") from exc


def _check_explain(plan: Plan) -> None:
    """[explain] names models of the plan, and the outcome is one it can explain."""
    if plan.explain is not None and plan.source.task == "multiclass":
        raise PlanError(
            "[explain] explains one number of a prediction (a risk, the expected one of ordered classes, the risk score of a time "
            "to event); unordered classes have none. Take the section out, or study one class against the others."
        )
    known = [model.name for model in plan.models]
    for name in plan.explain.models if plan.explain else []:
        if name not in known:
            raise PlanError(f"[explain] models: no model {name!r}.{did_you_mean(name, known)}")


def _check_models(plan: Plan) -> None:
    """Every step, estimator and setting exists, and the steps stand in an order the leakage contract allows."""
    from isthmus.models.building import check_model
    from isthmus.stats.threshold import choose_threshold
    from isthmus.study.evaluate import STEPS

    choose_threshold([0, 1], [0.2, 0.8], plan.validation.threshold)  # refuses an unknown rule
    _check_outcome(plan)
    for model in plan.models:
        complete = with_default_steps(plan, model)
        check_model(complete, task=plan.source.task, steps=STEPS)
        check_steps(plan, complete)
        if model.threshold is not None:
            try:
                choose_threshold([0, 1], [0.2, 0.8], model.threshold)
            except PlanError as exc:
                raise PlanError(str(exc).replace("[validate]", f"[[models]] {model.name!r}")) from exc


def _with_models(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with the default models of its outcome, where it names none and the outcome is not binary."""
    source = document.get("cohort", document.get("table"))
    task = source.get("task") if isinstance(source, Mapping) else None
    if "models" in document or task not in ("multiclass", "ordinal", "survival"):
        return document
    return {**document, "models": [model.model_dump(exclude_unset=True) for model in default_models(task)]}


def _with_likes(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with every `like` of its models written out: what a model does not say is said by the one it names."""
    models = document.get("models")
    if not isinstance(models, list) or not any(isinstance(m, Mapping) and "like" in m for m in models):
        return document
    said = {m["name"]: m for m in models if isinstance(m, Mapping) and isinstance(m.get("name"), str)}
    made = []
    for model in models:
        if not isinstance(model, Mapping) or "like" not in model:
            made.append(model)
            continue
        where, pattern = f"[[models]] {model.get('name')!r} like = {model['like']!r}", said.get(model["like"])
        if pattern is None:
            raise PlanError(f"{where}: no such model.{did_you_mean(str(model['like']), said)}")
        if "like" in pattern:
            raise PlanError(f"{where}: that model is itself like {pattern['like']!r}; name that one.")
        made.append({**pattern, **{key: value for key, value in model.items() if key != "like"}})
    return {**document, "models": made}


def _check_outcome(plan: Plan) -> None:
    """Settings of one kind of outcome have no effect on another, and are refused there."""
    task, default = plan.source.task, ValidateSettings()
    # compared with the defaults, because a lock file says every one of them
    for name in ("horizon", "times", "risk_groups"):
        if getattr(plan.validation, name) != getattr(default, name) and task != "survival":
            raise PlanError(f'[validate] {name} belongs to task = "survival", the task is {task!r}; take it out.')
    if any(time <= 0 for time in plan.validation.times):
        raise PlanError("[validate] times: a time after baseline is above 0.")
    if task == "binary":
        return
    from isthmus.validate.scoring import MEASURES

    for name in ("prevalence", "risk_categories", "subgroups", "scheme", "optimism"):
        if getattr(plan.validation, name) not in (getattr(default, name), "random-splits"):
            raise PlanError(f'[validate] {name} belongs to task = "binary", the task is {task!r}; take it out.')
    if plan.audit.power is not None:
        raise PlanError(f"[audit] power plants a signal in a binary outcome, the task is {task!r}; take it out.")
    for model in plan.models:
        score = "auc" if model.search is None else model.search.score
        for name, said in (("calibration", model.calibration), ("class_weight", model.class_weight)):
            if said is not None:
                raise PlanError(f'[[models]] {model.name!r}: {name} belongs to task = "binary", the task is {task!r}.')
        if score != "auc":
            raise PlanError(
                f'[[models]] {model.name!r}: search score = {score!r} belongs to task = "binary"; leave it out, and the '
                f"{MEASURES[task]} is compared."
            )
    if plan.validation.threshold != default.threshold or any(model.threshold is not None for model in plan.models):
        instead = "risk_groups" if task == "survival" else "the most probable class is called"
        raise PlanError(f'threshold belongs to task = "binary", the task is {task!r} ({instead}); take it out.')


def _validated(model: type[Part], said: Mapping[str, Any], keys: Iterable[str], block: FeatureBlock) -> Part:
    """The settings of one part of a block; what is wrong with them names the block and the key."""
    try:
        return model.model_validate(said)
    except ValidationError as exc:
        messages = setting_messages(exc, said, known_keys=lambda _: sorted(keys), where=f"[[features]] {block.name!r}")
        raise PlanError("\n".join(messages)) from exc


def with_landmarks(document: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The document with the numbers of every landmarks file in place of its name: a plan and a model file need no file beside them."""

    def resolved(section: Any) -> Any:
        step = section.get("standardise") if isinstance(section, Mapping) else None
        if not isinstance(step, Mapping) or not isinstance(step.get("landmarks"), str):
            return section
        scale = list(read_scale(resolve_path(step["landmarks"], base)))
        return {**section, "standardise": {**step, "landmarks": scale}}

    found = dict(document)
    if "image" in found:
        found["image"] = resolved(found["image"])
    if isinstance(found.get("features"), list):
        found["features"] = [resolved(block) for block in found["features"]]
    return found


def with_default_steps(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the steps of [select] where it names none of its own, and those that [harmonise] and the reliability of
    [select] put in, the reference levels of [clinical], and in front the steps of blocks that learn; each on the blocks of its own."""
    if model.steps is None and plan.select.steps is not None and not model.risks:
        model = model.model_copy(update={"steps": plan.select.steps})
    model = with_risk_steps(model)
    return kept_to_blocks(plan, with_steps(plan, referred(plan, reliable(plan, harmonised(plan, model)))))


def repeated_blocks(plan: Plan, repeats: str | Mapping[str, str]) -> dict[str, str]:
    """Block -> its table of repeats; one table without a block belongs to the only block with features."""
    if not isinstance(repeats, str):
        return dict(repeats)
    features = [name for name in plan.blocks if name != CLINICAL]
    if len(features) != 1:
        raise PlanError(
            f"[select] reliability: repeats names one table, and the study has the blocks {', '.join(features) or 'of [clinical] only'}. "
            'Say whose it is: repeats = { BLOCK = "FILE" }.'
        )
    return {features[0]: repeats}


def reliable(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the step `reliability` in front (and `volume_correlation` behind it, where asked for), unless it names that step
    itself or has none of the repeated blocks."""
    from isthmus.models.building import resolve

    said = plan.select.reliability
    if said is None:
        return model
    steps = resolve(model)
    repeated = [name for name in plan.blocks_of(model) if name in repeated_blocks(plan, said.repeats)]
    if any(step.name == "reliability" for step in steps) or not repeated:
        return model
    put = [StepSettings.model_validate(step) for step in said.steps(repeated if len(plan.blocks) > 1 else None)]
    named = {step.name for step in steps}
    return model.model_copy(update={"steps": [*(step for step in put if step.name not in named), *steps]})


def harmonised(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the step of [harmonise]: after `impute`, unless it names that step itself or has none of the blocks."""
    from isthmus.models.building import resolve

    said = plan.harmonise
    if said is None or (said.models and model.name not in said.models):
        return model
    wanted = said.blocks or [name for name in plan.blocks if name != CLINICAL]
    blocks = [name for name in plan.blocks_of(model) if name in wanted]
    steps = resolve(model)
    if not blocks or any(step.name == said.method for step in steps):
        return model
    step = StepSettings.model_validate(said.step(blocks if len(plan.blocks) > 1 else None))
    after = next((place for place, one in enumerate(steps, start=1) if one.name == "impute"), 0)
    return model.model_copy(update={"steps": [*steps[:after], step, *steps[after:]]})


def referred(plan: Plan, model: ModelSettings) -> ModelSettings:
    """The model with the reference levels of [clinical] where it encodes."""
    reference = _references(plan, model)
    if not reference:
        return model
    from isthmus.models.building import resolve

    steps = [
        StepSettings.model_validate({"name": "encode", "reference": reference, **step.settings})
        if step.name == "encode" and CLINICAL in step.settings.get("blocks", [CLINICAL])
        else step
        for step in resolve(model)
    ]
    return model.model_copy(update={"steps": steps})


def _references(plan: Plan, model: ModelSettings) -> dict[str, str]:
    """Column of the design matrix -> declared reference level, of the clinical categories of a model."""
    if plan.clinical is None or CLINICAL not in plan.blocks_of(model):
        return {}
    gone = plan.left_out(model)
    prefix = f"{CLINICAL}." if len(plan.blocks) > 1 else ""
    levels = {name: column.reference_level for name, column in plan.clinical.columns.items()}
    return {
        f"{prefix}{name}": level
        for name, level in levels.items()
        if level is not None and name in plan.clinical.predictors and name not in gone
    }


def _said(document: dict[str, Any], block: FeatureBlock) -> dict[str, Any]:
    """A block without what is written out beside it (the parameter file) or does not belong to its kind (the profile)."""
    gone = {"params"} if block.kind == "radiomics" else {"params", "profile"}
    return {name: value for name, value in document.items() if name not in gone}


def _short(step: dict[str, Any]) -> str | dict[str, Any]:
    """A step without settings is its name."""
    return step["name"] if len(step) == 1 else step


def _file_names(what: str, names: Iterable[str]) -> None:
    """Blocks and models give files of the run their names."""
    for name in names:
        if name.strip(". ") != name or not name or any(sign in _NOT_IN_FILE_NAMES or ord(sign) < 32 for sign in name):
            raise PlanError(
                f"{what} name = {name!r}: the name becomes part of file names. "
                f"Leave out {' '.join(_NOT_IN_FILE_NAMES)}, and a space or full stop at the ends."
            )


def _unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlanError(f"{what}: {', '.join(map(repr, twice))} occurs twice; names must differ.")


# ---------------------------------------------------------------------- errors in the user's words


def _known_keys(location: list[Any]) -> list[str]:
    """The keys of the section or of the table inside it that an unknown key was found in."""
    if not location:
        return [field.alias or name for name, field in Plan.model_fields.items()]
    sections: dict[str, type[BaseModel]] = {
        "cohort": CohortSettings, "table": TableSettings, "image": ImageSettings, "roi": RoiSettings,
        "segment": SegmentSection, "filters": FiltersSettings,
        "features": FeatureBlock, "habitat": HabitatSection, "deep": DeepSection, "biology": BiologySection,
        "pathology": PathologySection, "clinical": ClinicalSettings, "reading": ReadingSettings,
        "harmonise": HarmoniseSettings, "select": SelectSettings, "models": ModelSettings, "validate": ValidateSettings,
        "audit": AuditSettings, "report": ReportSettings, "report.recipe": RecipeSettings, "compute": ComputeSettings,
        "select.reliability": ReliabilitySettings,
        "clinical.inference": InferenceSettings, "validate.external": ExternalSettings, "validate.decision_curve": DecisionCurveSettings,
        "validate.intervals": IntervalSettings,
    }  # fmt: skip
    if location[:2] == ["clinical", "columns"] and len(location) == 3:
        return list(ColumnSettings.model_fields)
    if location[0] in ("habitat", "deep", "biology", "pathology", "reading"):
        return keys_of(sections[location[0]], [part for part in location[1:] if isinstance(part, str)])
    section = sections.get(".".join(part for part in location if isinstance(part, str)))
    return list(section.model_fields) if section is not None else []
