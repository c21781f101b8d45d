"""The model card: what a model is for, on whom it was built, what it is worth and where it may fail, for people.

Written once, into the model file, from the plan and the tables of the run; every number is one of theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.study.manifest import predictors_of

__all__ = ["model_card", "plain_text"]

_SHOWN = {
    "auc": "AUC", "macro_auc": "AUC, mean of the classes", "ordinal_c": "Ordinal C-index", "c_index": "C-index (Harrell)",
    "uno_c": "C-index (Uno)", "pr_auc": "Area under precision-recall", "sensitivity": "Sensitivity",
    "specificity": "Specificity", "ppv": "Positive predictive value", "npv": "Negative predictive value",
    "accuracy": "Accuracy", "brier": "Brier score", "calibration_slope": "Calibration slope (1: right)",
    "calibration_in_the_large": "Calibration-in-the-large (0: right)", "o_e": "Observed/expected (1: right)", "ici": "ICI",
    "n": "Patients", "n_events": "With the event",
}  # fmt: skip
_SPLITS = {"cv": "Cross-validation", "internal": "Internal test set", "external": "External centre"}
_KEEPS_ROWS = {
    "knn": "every training patient's (standardised) values", "svm": "the (standardised) values of many training patients",
}  # fmt: skip
_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")
_MOST_INPUTS = 60


def plain_text(text: str) -> str:
    """Text that a terminal only shows: no control characters."""
    return _CONTROL.sub("?", text)


def model_card(
    manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], used: Collection[str], versions: Mapping[str, str]
) -> str:
    """The card as Markdown.

    Parameters
    ----------
    manifest : mapping
        What the model file says (`study.manifest`).
    tables : mapping
        Of the run, by name: sample_size, subgroups, null_study, where there are such.
    used : collection of str
        The inputs that play a part.
    versions : mapping
        Python and the packages that made the model.
    """
    outcome, training = manifest["outcome"], manifest["training"]
    own = {name: table[table["model"] == manifest["model"]] for name, table in tables.items() if "model" in table}
    performance = pd.DataFrame(
        manifest["performance"], columns=["model", "split", "metric", "estimate", "lower", "upper", "method"]
    )
    parts = [
        f"# Model card: {_cell(manifest['model'])}",
        f"**{manifest['use']}** Made by Isthmus {manifest['isthmus']}, format {manifest['format']}.",
        "## Intended use\n\n" + _intended(manifest),
        "## Outcome\n\n" + _outcome(manifest),
        "## Patients it was built on\n\n" + _patients(training, outcome),
        "## Inputs\n\n" + _inputs(manifest, used),
        "## Performance\n\n" + _performance(performance),
        *_subgroups(own.get("subgroups")),
        "## Checks against self-deception\n\n" + _null(own.get("null_study")),
        "## Limitations\n\n" + "\n".join(f"- {line}" for line in _limitations(manifest, performance, own)),
        "## Software\n\n" + ", ".join(f"{name} {number}" for name, number in versions.items() if number != "not installed"),
        "## Using it\n\n"
        "`isthmus apply MODEL --cases cases.csv --out predictions.csv` (offline; nothing in the file is executed). Compare "
        "`sha256sum MODEL` with what its makers published. The licence is the makers' to state; none is implied.",
    ]  # fmt: skip
    return plain_text("\n\n".join(parts)) + "\n"


def _intended(manifest: Mapping[str, Any]) -> str:
    plan = manifest["plan"]
    spec = next(one for one in plan["models"] if one["name"] == manifest["model"])
    title = (plan.get("report") or {}).get("title")
    when = spec.get("when")
    kinds = dict.fromkeys(("features", "ited", "ithscore", "habitat", "deep"), "images with a mask")
    kinds |= {"clinical": "clinical data", "table": "a ready table of features"}
    needs = " and ".join(dict.fromkeys(kinds[block["kind"]] for block in manifest["blocks"]))
    return (
        (f"Study: {_cell(title)}. " if title else "")
        + f"A {spec['estimator'].replace('_', ' ')} model that predicts {_cell(manifest['outcome']['name'])} from {needs}"
        + (f", at the time: {when}" if when else "")
        + ". For validation and further research in patients like those below; not for decisions about a patient."
    )


def _outcome(manifest: Mapping[str, Any]) -> str:
    outcome = manifest["outcome"]
    classes = [_cell(name) for name in outcome["classes"]]
    if outcome["task"] == "binary":
        threshold = float.fromhex(manifest["threshold"])
        return (
            f"`{_cell(outcome['name'])}`: the probability is that of {classes[1]} (against {classes[0]}). From {threshold:.4g} on a "
            "patient is called positive; the threshold was fixed on training patients and is never estimated again."
        )
    if outcome["task"] == "survival":
        cuts = ", ".join(f"{float.fromhex(cut):.4g}" for cut in manifest.get("cuts", []))
        return (
            f"Time to `{_cell(outcome['name'])}`: the probability is that of the event by {manifest.get('horizon')} (the unit of the "
            f"study's times). Risk groups are cut at {cuts or 'no value'}, fixed on training patients."
        )
    order = "ordered classes" if outcome["task"] == "ordinal" else "classes"
    return f"`{_cell(outcome['name'])}`, {order}: {', '.join(classes)}. A patient is called the most probable one."


def _patients(training: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    classes = ", ".join(f"{_cell(name)}: {count}" for name, count in training["classes"].items())
    centres = ", ".join(_cell(name) for name in training["centres"]) or "not said"
    share = f", {100 * training['prevalence']:.1f} %" if outcome["task"] == "binary" else ""
    events = f", {training['events']} with the event{share}" if outcome["task"] in ("binary", "survival") else ""
    return f"{training['patients']} patients{events} ({classes}); centres: {centres}."


def _inputs(manifest: Mapping[str, Any], used: Collection[str]) -> str:
    items = sorted(predictors_of(manifest), key=lambda item: item["column"] not in used)
    playing = sum(item["column"] in used for item in items)
    rows = ["| Input | Unit | Trained on | Missing |", "| --- | --- | --- | --- |"]
    for item in [item for item in items if item["column"] in used][:_MOST_INPUTS]:
        total = item["n"] + item["missing"]
        rows.append(
            f"| {_cell(item['column'])} | {_cell(item['unit']) or '-'} | {_range(item)} | {100 * item['missing'] / max(total, 1):.0f} % |"
        )
    more = (
        f"\n\n{playing - _MOST_INPUTS} more inputs that play a part are in `manifest.json`."
        if playing > _MOST_INPUTS
        else ""
    )
    return (
        f"The table must have {len(items)} columns or the images they are computed from; {playing} of them play a part "
        "(of numbers: range, and in brackets the middle nine tenths of training patients):\n\n"
        + "\n".join(rows)
        + more
        + _weights(manifest)
    )


def _weights(manifest: Mapping[str, Any]) -> str:
    """The files of weights that whoever applies the model needs."""
    lines = []
    for block in manifest["blocks"]:
        if block["kind"] == "deep":
            if block["state"].get("train") is not None:
                continue  # trained in the study: it is in this file
            encoder = block["state"]["encoder"]
            said = encoder["weights"]
            where = f", {_cell(said['source'])}" if said.get("source") else ""
            lines.append(
                f"- `{block['name']}`: {encoder['network']}, layer {encoder['layer']}: "
                + (
                    f"SHA-256 `{said['sha256']}`{where}"
                    if said["origin"] == "file"
                    else "untrained; a random projection"
                )
            )
    return (
        "\n\nNetworks and the files of their weights, which this file does not hold:\n\n" + "\n".join(lines)
        if lines
        else ""
    )


def _range(item: Mapping[str, Any]) -> str:
    if item["kind"] == "category":
        return ", ".join(f"{_cell(name)} ({count})" for name, count in item["categories"].items()) or "no value"
    if not item["quantiles"]:
        return "no value"
    at = [float.fromhex(q) for q in item["quantiles"]]
    return f"{at[0]:.4g} to {at[-1]:.4g} [{at[2]:.4g} to {at[-3]:.4g}]"


def _performance(table: pd.DataFrame) -> str:
    splits = [split for split in _SPLITS if (table["split"] == split).any()]
    if not splits:
        return "Not estimated."
    found = {(one["split"], one["metric"]): one for one in table.to_dict("records")}
    rows = ["| | " + " | ".join(_SPLITS[split] for split in splits) + " |", "| --- " * (len(splits) + 1) + "|"]
    for metric, words in _SHOWN.items():
        cells = [_estimate(found[(split, metric)]) if (split, metric) in found else "" for split in splits]
        if any(cells):
            rows.append(f"| {words} | " + " | ".join(cells) + " |")
    return (
        "Estimate (confidence interval), on patients that the model, or the model of the fold, had not seen.\n\n"
        + "\n".join(rows)
    )


def _estimate(row: Mapping[Any, Any]) -> str:
    estimate, lower, upper = (
        float(row[name]) if row[name] is not None else math.nan for name in ("estimate", "lower", "upper")
    )
    if not math.isfinite(estimate):
        return "not computed"
    if not math.isfinite(lower):
        return f"{estimate:.4g}"
    return f"{estimate:.2f} ({lower:.2f} to {upper:.2f})"


def _subgroups(table: pd.DataFrame | None) -> list[str]:
    if table is None or not len(table):
        return []
    columns = [
        name
        for name in ("split", "subgroup", "variable", "level", "group", "metric", "n", "estimate", "lower", "upper")
        if name in table
    ]
    first = table[table["metric"] == table["metric"].iloc[0]] if "metric" in table else table
    rows = ["| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
    for one in first[columns].to_dict("records"):
        rows.append("| " + " | ".join(_number(one[name]) for name in columns) + " |")
    return ["## Subgroups\n\n" + "\n".join(rows)]


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float | np.floating) else _cell(value)


def _null(table: pd.DataFrame | None) -> str:
    if table is None or not len(table):
        return "No null study was made: the procedure was not tried on permuted outcomes."
    one = table.iloc[0]
    return (
        f"The same procedure on {int(one['permutations'])} permuted outcomes reached {one['null_mean']:.2f} on average (95 % of them "
        f"{one['null_lower']:.2f} to {one['null_upper']:.2f}); on the real outcome "
        f"{one['auc']:.2f}, p = {one['p']:.3g}. Verdict: {_cell(one['verdict'])}."
    )


_HELD_OF_IMAGES = {
    "supervoxels": "Some predictors are made of the supervoxels inside a lesion (their blocks are in `manifest.json`); the file holds no "
    "supervoxel of a patient, but quartiles of each of their features over the supervoxels of all training patients together.",
    "crops": "Some predictors are made by a network trained on crops of the training patients' images. The file holds the network, no crop "
    "of a patient, and quartiles of the grey of all their crops together. A network can remember single patients: share the file only as "
    "you may share their data.",
}


def _limitations(manifest: Mapping[str, Any], performance: pd.DataFrame, own: Mapping[str, pd.DataFrame]) -> list[str]:
    training, found = manifest["training"], []
    splits = set(performance["split"])
    if "external" not in splits:
        found.append(
            "No patient of another centre has been predicted in the study: how it does elsewhere is not known."
        )
    if len(training["centres"]) < 2:
        found.append("Built in one centre (or centres are not said): scanners and habits of others are not in it.")
    events = performance[(performance["split"] == "external") & (performance["metric"] == "n_events")]["estimate"]
    if len(events) and events.iloc[0] < 100:
        found.append(
            f"External validation rests on {events.iloc[0]:.0f} patients with the event; at least 100 are advised."
        )
    sizes = own.get("sample_size")
    if sizes is not None and len(sizes):
        one = sizes.iloc[0]
        if one.get("events_per_candidate", math.inf) < 10:
            found.append(
                f"{one['events_per_candidate']:.1f} events for each of {one['candidates']:.0f} candidate predictors: "
                "few, so that chance had a say."
            )
        if one.get("needed", 0) > one["n"]:
            found.append(
                f"{one['n']:.0f} patients, where {one['needed']:.0f} would have been needed (Riley's criteria)."
            )
    for split in ("cv", "external"):
        slope = performance[(performance["split"] == split) & (performance["metric"] == "calibration_slope")]
        for row in slope.dropna(subset=["lower", "upper"]).to_dict("records"):
            if not row["lower"] <= 1 <= row["upper"]:
                words = "too extreme" if row["estimate"] < 1 else "not extreme enough"
                found.append(f"{_SPLITS[split]}: risks are {words} (calibration slope {row['estimate']:.2f}).")
    absent = [
        item["column"] for item in predictors_of(manifest) if item["missing"] > 0.2 * (item["n"] + item["missing"])
    ]
    if absent:
        found.append(
            f"More than a fifth is missing of {len(absent)} inputs in training: {', '.join(map(_cell, absent[:5]))}."
        )
    spec = next(one for one in manifest["plan"]["models"] if one["name"] == manifest["model"])
    if spec["estimator"] in _KEEPS_ROWS:
        found.append(
            f"The file holds {_KEEPS_ROWS[spec['estimator']]}: share it only as you may share those patients' data."
        )
    kinds = {item["kind"] for item in manifest["inputs"]}
    found += [text for kind, text in _HELD_OF_IMAGES.items() if kind in kinds]
    found.append(
        "The file holds, of each numeric input, quantiles with the smallest and largest training value, and of each category its counts."
    )
    return found


def _cell(value: Any) -> str:
    """Text from somebody's table inside Markdown: on one line, no cell borders, no markup."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", text) if re.search(r"[\\|`<>\[\]*]", text) else text
