"""What would make the result wrong, said by rules from the numbers of the run.

Each rule looks at the stored result and either stays silent or says one thing in plain words, with the numbers it
rests on. To add a rule, write the function and name it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from isthmus.report.facts import (
    candidates,
    estimate,
    final_model,
    horizon,
    measure,
    measure_name,
    model_settings,
    null_study,
    patient_predictions,
    patients,
    split_name,
    task,
    unseen_splits,
)
from isthmus.report.wording import capitalised, interval_text, number, p_value, plural, share
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["RULES", "Level", "ReportWarning", "warnings_for"]

Level = Literal["serious", "caution", "note"]
_LEVELS: tuple[Level, ...] = ("serious", "caution", "note")

MAX_EXCLUDED = 0.10
MAX_WIDTH = 0.20
MAX_GAP = 0.10
SLOPE = (0.80, 1.25)
MAX_PREVALENCE_SHIFT = 0.15
MIN_EVENTS_PER_CANDIDATE = 10
MIN_PERMUTATIONS = 100
MIN_SIGNAL = 0.6  # below this AUC there is nothing whose source could be asked for
SMALL_LOSS = 0.02
MAX_CHANGE = 0.05
MAX_FLIPS = 0.10
MAX_RANDOMISED = 0.5
MIN_EXTERNAL_CLASS = 100
"""An external validation needs at least 100 patients with and 100 without the outcome (Collins et al., Stat Med 2016)."""


@dataclass(frozen=True)
class ReportWarning:
    """One thing that may make the result wrong.

    Parameters
    ----------
    level : {"serious", "caution", "note"}
    text : str
        What it means, for a reader who is not a statistician.
    evidence : str
        The numbers it rests on.
    """

    level: Level
    text: str
    evidence: str


Found = Iterator[ReportWarning]


def warnings_for(result: Result) -> list[ReportWarning]:
    """Everything the rules have to say about a result, the serious first."""
    found = [warning for rule in RULES for warning in rule(result)]
    return sorted(found, key=lambda warning: _LEVELS.index(warning.level))


def no_better_than_chance(result: Result) -> Found:
    """The lower limit of an AUC reaches 0.5."""
    reached = [(split, area) for split, area in _unseen_auc(result) if area.lower <= 0.5]
    if reached:
        yield ReportWarning(
            "serious",
            f"The data do not show that the model is better than chance ({_places(reached)}).",
            _listed(measure_name(result), reached) + " The interval reaches 0.50.",
        )


def untrained_network(result: Result) -> Found:
    """Features of a network without weights are no deep features."""
    named = [
        block["name"]
        for block in result.plan.get("features", [])
        if block.get("kind") == "deep" and not block.get("train") and block["encoder"]["weights"]["origin"] == "random"
    ]
    if named:
        yield ReportWarning(
            "caution",
            "Features of an untrained network are in this study: a random projection of the image, not deep features.",
            f"{plural(len(named), 'block')}: {', '.join(named)}. Weights: random.",
        )


def maps_of_the_image(result: Result) -> Found:
    """Maps of a network that stay as they are when its weights are random."""
    table = result.tables.get("network_maps", pd.DataFrame(columns=["spearman"]))
    found = pd.to_numeric(table["spearman"], errors="coerce").dropna()
    if len(found) and found.mean() >= MAX_RANDOMISED:
        yield ReportWarning(
            "caution",
            "The maps of where the network looks hardly change when its weights are made random: they show edges and bright spots of the "
            "image, not what it has learned.",
            f"Rank correlation with the maps of random weights {number(float(found.mean()))}, mean of {plural(len(found), 'lesion')}; "
            f"expected below {number(MAX_RANDOMISED)}.",
        )


def wide_interval(result: Result) -> Found:
    """An AUC is known only roughly."""
    wide = [(split, area) for split, area in _unseen_auc(result) if area.upper - area.lower > MAX_WIDTH]
    if wide:
        widest = max(area.upper - area.lower for _, area in wide)
        yield ReportWarning(
            "caution",
            "The discrimination is known only roughly: another sample of the same size could give a very "
            "different value.",
            _listed(measure_name(result), wide) + f" The widest interval spans {number(widest)}.",
        )


def no_interval(result: Result) -> Found:
    """An AUC came without limits."""
    final = final_model(result)
    areas = [(split, estimate(result, final, split, measure(result))) for split in unseen_splits(result)]
    bare = [(split, area) for split, area in areas if area is not None and not _has_limits(area.lower, area.upper)]
    if bare:
        yield ReportWarning(
            "serious",
            f"The {measure_name(result)} has no interval, so nothing can be said about its precision.",
            "; ".join(f"{split_name(split)}: {area.method or 'no reason given'}" for split, area in bare) + ".",
        )


def few_events_per_candidate(result: Result) -> Found:
    """Too few events for the number of columns the model could choose from."""
    final = final_model(result)
    columns = candidates(result, final)
    smaller = _fewest(result)
    who = "patients with the event" if task(result) == "survival" else "patients in the smallest class"
    who = "patients in the smaller class" if task(result) == "binary" else who
    if columns and smaller / columns < MIN_EVENTS_PER_CANDIDATE:
        ratio = smaller / columns
        yield ReportWarning(
            "serious" if ratio < 1 else "caution",
            "There are few events for the number of variables the model could choose from, so what it "
            "chose may be chance.",
            f"{smaller} {who}, {columns} candidate columns: "
            f"{number(ratio, 2 if ratio < 10 else 0)} "
            f"per candidate, before selection (at least {MIN_EVENTS_PER_CANDIDATE} is the usual rule of thumb).",
        )


def more_than_n_supports(result: Result) -> Found:
    """The final model chose from more than Riley's criteria allow these patients."""
    table = result.tables.get("sample_size", pd.DataFrame())
    rows = table[table["model"] == final_model(result)] if len(table) else table
    if not len(rows):
        return
    row = rows.iloc[0]
    if row["candidates"] > row["supported"]:
        yield ReportWarning(
            "serious" if row["candidates"] > 10 * max(1, row["supported"]) else "caution",
            "There are fewer patients than a model with this many candidates needs, so its coefficients and its choice are "
            "unstable even where the cross-validated AUC is honest.",
            f"{row['candidates']:.0f} candidate parameters; {row['n']:.0f} patients support about {row['supported']:.0f} at an "
            f"anticipated AUC of {number(row['expected_auc'])}, and {row['needed']:,.0f} patients would be needed (Riley 2020).",
        )


def miscalibrated(result: Result) -> Found:
    """Predicted risks are too extreme or too timid."""
    slopes = [
        (split, slope)
        for split in unseen_splits(result)
        if (slope := estimate(result, final_model(result), split, "calibration_slope")) is not None
    ]
    for how, off in (
        ("too extreme: high risks too high, low risks too low", [(k, v) for k, v in slopes if v.estimate < SLOPE[0]]),
        ("too timid: they stay too close to the average", [(k, v) for k, v in slopes if v.estimate > SLOPE[1]]),
    ):
        if off:
            yield ReportWarning(
                "caution",
                f"The predicted risks are {how}. Read them as a ranking, not as percentages, until the "
                "model is recalibrated.",
                _listed("calibration slope", off) + " 1 is right.",
            )


def optimistic_training(result: Result) -> Found:
    """Performance on the training patients is far above that on unseen ones."""
    final = final_model(result)
    train, cv = estimate(result, final, "train", measure(result)), estimate(result, final, "cv", measure(result))
    if train and cv and train.estimate - cv.estimate > MAX_GAP:
        yield ReportWarning(
            "note",
            "The model fits its own training patients much better than unseen ones. Never quote the "
            "training value as its performance.",
            _listed(measure_name(result), [("train", train), ("cv", cv)]),
        )


def worse_elsewhere(result: Result) -> Found:
    """The value on outside patients is far from the cross-validated one."""
    final = final_model(result)
    cv = estimate(result, final, "cv", measure(result))
    for split in unseen_splits(result):
        other = estimate(result, final, split, measure(result))
        if cv is None or other is None or abs(cv.estimate - other.estimate) <= MAX_GAP:
            continue
        if other.estimate < cv.estimate:
            text = (
                "The model does worse on patients from outside: centres, scanners or patients differ, or it is chance."
            )
        else:
            text = "The model does better outside than inside: the outside patients may be easier, or it is chance."
        yield ReportWarning("caution", text, _listed(measure_name(result), [("cv", cv), (split, other)]))


def many_excluded(result: Result) -> Found:
    """More than a tenth of the patients left the study."""
    everyone = patients(result)
    out = int((everyone["status"] != "included").sum())
    if len(everyone) and out / len(everyone) > MAX_EXCLUDED:
        yield ReportWarning(
            "caution",
            "Many patients left the study. If they differ from the others, the result does not hold for all.",
            f"{share(out, len(everyone))} excluded; each is listed with its reason under Exclusions.",
        )


def one_centre(result: Result) -> Found:
    """All patients come from one place."""
    included = patients(result).query("status == 'included'")
    centres = sorted(set(included["centre"]) - {""})
    if len(centres) <= 1:
        yield ReportWarning(
            "caution",
            "All patients come from one centre. How the model does elsewhere is unknown.",
            f"Centre: {centres[0]}." if centres else "The case table names no centre.",
        )


def horizon_from_data(result: Result) -> Found:
    """Survival: the plan named no horizon."""
    if task(result) == "survival" and result.plan.get("validate", {}).get("horizon") is None:
        yield ReportWarning(
            "note",
            "The time for which probabilities are given was not fixed in the plan but taken from the data.",
            f"{horizon(result):g}, the median time of the events in training; set [validate] horizon.",
        )


def no_external(result: Result) -> Found:
    """Nobody outside the training data was predicted."""
    if not any(split.startswith("external") for split in unseen_splits(result)):
        yield ReportWarning(
            "caution",
            "There is no external validation. Cross-validation says how the procedure does on more "
            "patients of the same kind, "
            "not how the model does in another hospital.",
            "No external patients in this run.",
        )


def small_external(result: Result) -> Found:
    """Too few external patients of one kind."""
    if "external" not in unseen_splits(result) or task(result) != "binary":
        return
    events, others = _predicted_classes(result, "external")
    if events + others == 0:  # another site sent estimates, no patients
        return
    if min(events, others) == 0:
        missing = "with" if events == 0 else "without"
        yield ReportWarning(
            "serious",
            f"The external set has no patient {missing} the outcome, so discrimination cannot be measured there.",
            f"{events} with, {others} without the outcome.",
        )
    elif min(events, others) < MIN_EXTERNAL_CLASS:
        yield ReportWarning(
            "caution" if min(events, others) < 20 else "note",
            "The external set is small: it can show a large failure, not confirm a good performance.",
            f"{events} with, {others} without the outcome; about {MIN_EXTERNAL_CLASS} of each are needed "
            "for a precise answer.",
        )


def prevalence_shift(result: Result) -> Found:
    """The outcome is much more or less common outside."""
    if "external" not in unseen_splits(result) or task(result) != "binary":
        return
    (events, others), (there, others_there) = _classes(result, "train"), _predicted_classes(result, "external")
    if not (events + others and there + others_there):
        return
    here, outside = events / (events + others), there / (there + others_there)
    if abs(here - outside) > MAX_PREVALENCE_SHIFT:
        yield ReportWarning(
            "caution",
            "The outcome is not equally common in the external centre: predictive values and calibration "
            "do not carry over.",
            f"{share(events, events + others)} in training, {share(there, there + others_there)} outside.",
        )


def unpredicted(result: Result) -> Found:
    """Included patients without a prediction."""
    final = final_model(result)
    included = patients(result).query("status == 'included'")
    for split in ("cv", "internal", "external"):
        if split not in unseen_splits(result):
            continue
        wanted = set(included.loc[included["split"] == ("train" if split == "cv" else split), "patient"].astype(str))
        predicted = set(patient_predictions(result, final, split)["patient"].astype(str))
        missing = wanted - predicted
        if predicted and missing:
            yield ReportWarning(
                "caution",
                "Some analysed patients have no prediction and are missing from the performance.",
                f"{split_name(split)}: {share(len(missing), len(wanted))}.",
            )


def null_study_off(result: Result) -> Found:
    """The null study was not run."""
    if not len(null_study(result)):
        yield ReportWarning(
            "note",
            "The null study was not run, so it is not shown that this procedure finds nothing where there is nothing.",
            "No null_study table; `isthmus audit RUN` adds it.",
        )


def fitting_warned(result: Result) -> Found:
    """Fitting the final model, or many of its folds, warned of something: separation, an empty model, dropped folds."""
    table = result.tables.get("fold_warnings", pd.DataFrame())
    for row in table.to_dict("records"):
        if row["model"] != final_model(result) or not (row["final"] or row["folds"] >= row["of"] / 4):
            continue
        where = f"{row['folds']} of {row['of']} folds" + (" and the final fit" if row["final"] else "")
        yield ReportWarning(
            "caution", f"Fitting the model warned: {row['warning']}", f"In {where}; tables/fold_warnings.csv."
        )


def null_study_inflated(result: Result) -> Found:
    """Shuffled outcomes still give an AUC above one half."""
    for row in null_study(result).to_dict("records"):
        if str(row["verdict"]).startswith("leak suspected"):
            yield ReportWarning(
                "serious",
                f"With shuffled outcomes the study of {row['model']} still finds something: information leaks into it. "
                "Do not use it.",
                f"{_null(result, row)}; the mean should be 0.50 within Monte-Carlo error ({number(row['mcse'], 3)}).",
            )


def null_study_reaches(result: Result) -> Found:
    """Shuffled outcomes give as much as the study found."""
    for row in null_study(result).to_dict("records"):
        if row["model"] != final_model(result) or row["p"] <= 0.05:
            continue
        evidence = f"{_null(result, row)}; p = {p_value(row['p'])}."
        if row["permutations"] >= MIN_PERMUTATIONS:
            text = (
                f"Shuffled outcomes give a {measure_name(result)} like that of the study: what was found may be chance."
            )
            yield ReportWarning("serious", text, evidence)
        else:
            text = (
                f"Only {row['permutations']:.0f} shuffled outcomes were tried, too few to tell whether the result is chance. "
                "Try more: isthmus audit RUN."
            )
            yield ReportWarning("caution", text, evidence)


def _null(result: Result, row: dict[Hashable, Any]) -> str:
    limits = f"{number(row['null_lower'])} to {number(row['null_upper'])}"
    return (
        f"Shuffled outcomes: mean {measure_name(result)} {number(row['null_mean'], 3)} (95 % range {limits} "
        f"of {row['permutations']:.0f} permutations)"
    )


def unstable_selection(result: Result) -> Found:
    """No variable is chosen in at least half of the folds."""
    table = result.selected
    part = table[table["model"] == final_model(result)] if len(table) else table
    if len(part) and part["frequency"].max() < 0.5:
        top = part.sort_values("frequency", ascending=False).iloc[0]
        yield ReportWarning(
            "caution",
            "The model rests on other variables each time the patients change: its signature is not stable.",
            f"The most frequent, {top['feature']}, was chosen in {100 * top['frequency']:.0f} % of the folds.",
        )


def lost_in_joins(result: Result) -> Found:
    """Patients missing from a block."""
    wanted = model_settings(result, final_model(result)).get("blocks")
    for row in result.tables.get("join", pd.DataFrame()).to_dict("records"):
        if row["missing"] > 0 and (not wanted or row["block"] in wanted):
            yield ReportWarning(
                "note",
                f"Some patients have no values in the block {row['block']}.",
                f"{plural(int(row['missing']), 'patient')} missing, {row['patients']:.0f} present.",
            )


def screened_variables(result: Result) -> Found:
    """The variables of the multivariable table were chosen by their univariable p."""
    rule = result.plan.get("clinical", {}).get("inference", {}).get("screening")
    if rule is not None and "logistic_multivariable" in result.tables:
        yield ReportWarning(
            "caution",
            "The variables of the multivariable odds ratios were chosen by their univariable p-values, as many papers do: their "
            "intervals are too narrow, their p-values too small.",
            f"[clinical.inference] screening = {rule}; name the variables in advance instead: columns = [...].",
        )


def _variants(result: Result, kind: str) -> list[dict[Hashable, Any]]:
    """Controls, shifts or other settings of the final model that could be tried."""
    table = result.tables.get("controls", pd.DataFrame())
    if not len(table):
        return []
    part = table[(table["kind"] == kind) & (table["model"] == final_model(result)) & table["auc"].notna()]
    return part.to_dict("records")


def size_is_enough(result: Result) -> Found:
    """The volume of the lesion alone does as well, or its shuffled voxels do."""
    texts = {
        "volume alone": "The volume of the lesion alone does about as well as the model: it may have learnt size, not texture.",
        "shuffled voxels": (
            "With the voxels of the lesion shuffled the model does about as well: what it uses is size, outline or histogram, "
            "and not texture."
        ),
    }
    for row in _variants(result, "control"):
        if row["variant"] in texts and row["auc_study"] > MIN_SIGNAL and row["difference"] > -SMALL_LOSS:
            yield ReportWarning("caution", texts[row["variant"]], _variant(result, row))


def fragile_elsewhere(result: Result) -> Found:
    """Images of another scanner change the classes of many patients, or the AUC."""
    for row in _variants(result, "shift"):
        if row["flips"] > MAX_FLIPS or row["difference_upper"] < 0:
            yield ReportWarning(
                "caution",
                f"The model does not stand images as another scanner would make them ({row['variant']}).",
                f"{_variant(result, row)} {100 * row['flips']:.0f} % of the test patients change their class.",
            )


def hangs_on_a_setting(result: Result) -> Found:
    """Another setting of the extraction gives another result."""
    for row in _variants(result, "sensitivity"):
        if abs(row["difference"]) > MAX_CHANGE and not row["difference_lower"] < 0 < row["difference_upper"]:
            yield ReportWarning(
                "caution", f"The result hangs on a setting of the extraction ({row['variant']}).", _variant(result, row)
            )


def _variant(result: Result, row: dict[Hashable, Any]) -> str:
    limits = f"{number(row['difference_lower'])} to {number(row['difference_upper'])}"
    return (
        f"{capitalised(str(row['variant']))}: {measure_name(result)} {number(row['auc'])}, "
        f"this study on the same folds {number(row['auc_study'])}; difference {number(row['difference'])} ({limits})."
    )


def odd_data(result: Result) -> Found:
    """A leakage rule asks the reader to look at something."""
    table = result.tables.get("audit", pd.DataFrame())
    for row in table[table["verdict"] == "look at this"].to_dict("records") if len(table) else []:
        yield ReportWarning("caution", f"Rule {row['rule']}: look for {row['what']}.", f"{row['found']}.")


def masks_of_several_origins(result: Result) -> Found:
    """Masks by hand and by a program in one study: a model can learn how a lesion was drawn."""
    table = result.tables.get("masks")
    if table is None or table["origin"].nunique() < 2:
        return
    classes = [column for column in table.columns if " = " in column]
    parts = [
        f"{row['origin']}: {', '.join(f'{int(row[name])} of {int(table[name].sum())} with {name}' for name in classes)}"
        for row in table.groupby("origin", as_index=False)[classes].sum().to_dict("records")
    ]
    yield ReportWarning(
        "caution",
        "The masks were not all drawn in one way. If how a mask was drawn goes with the outcome, a model may have learned the drawing and "
        'not the lesion; with subgroups = ["mask_origin"] the report shows whether it does as well on either.',
        f"{'; '.join(parts)}.",
    )


def unseen_trained_the_network(result: Result) -> Found:
    """Patients of a test set trained the network that drew the masks, in other folds."""
    table = result.tables.get("masks")
    count = 0 if table is None or not len(table) else int(table["unseen_out_of_fold"].sum())
    if count:
        yield ReportWarning(
            "caution",
            "Internal or external test patients had trained networks of the model that drew the masks. Their own masks are by networks "
            "that never saw them, but the model as a whole is not unknown to their centre: train it on development patients only.",
            f"{plural(count, 'case')} of test sets drawn out of fold.",
        )


RULES: tuple[Callable[[Result], Found], ...] = (
    no_better_than_chance,
    no_interval,
    null_study_inflated,
    null_study_reaches,
    odd_data,
    size_is_enough,
    few_events_per_candidate,
    more_than_n_supports,
    wide_interval,
    miscalibrated,
    worse_elsewhere,
    fragile_elsewhere,
    hangs_on_a_setting,
    small_external,
    prevalence_shift,
    no_external,
    one_centre,
    masks_of_several_origins,
    unseen_trained_the_network,
    untrained_network,
    maps_of_the_image,
    many_excluded,
    unpredicted,
    fitting_warned,
    horizon_from_data,
    unstable_selection,
    optimistic_training,
    lost_in_joins,
    screened_variables,
    null_study_off,
)
"""The rules, most important first."""


def _places(found: Sequence[tuple[str, Interval]]) -> str:
    return ", ".join(split_name(split).lower() for split, _ in found)


def _listed(what: str, found: Sequence[tuple[str, Interval]]) -> str:
    """`Cross-validation: AUC 0.81 (0.70 to 0.92, DeLong); external centre: AUC ...`"""
    parts = [f"{split_name(split).lower()}: {what} {interval_text(value)}, {value.method}" for split, value in found]
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def _has_limits(lower: float, upper: float) -> bool:
    return bool(np.isfinite(lower) and np.isfinite(upper))


def _unseen_auc(result: Result) -> Iterator[tuple[str, Interval]]:
    final = final_model(result)
    for split in unseen_splits(result):
        area = estimate(result, final, split, measure(result))
        if area is not None and _has_limits(area.lower, area.upper):
            yield split, area


def _classes(result: Result, split: str) -> tuple[int, int]:
    """Included patients of a split with and without the outcome."""
    included = patients(result).query("status == 'included'")
    outcome = pd.to_numeric(included.loc[included["split"] == split, "outcome"], errors="coerce")
    return int((outcome == 1).sum()), int((outcome == 0).sum())


def _fewest(result: Result) -> int:
    """Development patients of the smallest class; of a time to event those with the event."""
    included = patients(result).query("status == 'included' and split == 'train'")
    counts = pd.to_numeric(included["outcome"], errors="coerce").value_counts()
    if task(result) == "survival":
        return int(counts.get(1, 0))
    return int(counts.min()) if len(counts) > 1 else 0


def _predicted_classes(result: Result, split: str) -> tuple[int, int]:
    rows = patient_predictions(result, final_model(result), split)
    return int((rows["outcome"] == 1).sum()), int((rows["outcome"] == 0).sum())
