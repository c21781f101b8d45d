"""Methods, first half: patients, outcome, images, features, clinical predictors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from isthmus.report.facts import cohort_settings, outcome_name, task
from isthmus.report.figures.class_roc import class_columns
from isthmus.report.manuscript.draft import Draft, author, cite, listed, name
from isthmus.report.manuscript.phrases import FILTERS
from isthmus.report.tables.masks import ORIGINS
from isthmus.study.segment_section import GIVEN

__all__ = ["write"]


def write(d: Draft) -> None:
    """From the patients to the table of predictors."""
    d.heading("Study design and patients")
    _patients(d)
    d.heading("Outcome")
    _outcome(d)
    if d.said("features"):
        d.heading("Imaging")
        _imaging(d)
        d.heading("Segmentation and regions of interest")
        _regions(d)
        d.heading("Image preparation and feature extraction")
        _preparation(d)
        for i, block in enumerate(d.said("features")):
            if block.get("kind") == "deep":
                _deep_block(d, i, block)
            else:
                _block(d, i, block)
    if d.said("table"):
        d.heading("Features")
        file = "features/table.columns.csv"
        count = f"The {d.number_of_rows(file)} predictors" if d.rows(file) else "The predictors"
        d.paragraph(
            f"{count} were read from a ready feature table; how they were measured is outside this analysis.",
            author("describe imaging, segmentation, preprocessing and the software of feature extraction"),
        )
    if d.said("clinical"):
        d.heading("Clinical predictors")
        _clinical(d)
    if d.rows("tables/table1.csv"):
        d.heading("Description of the patients")
        _described(d)


def _patients(d: Draft) -> None:
    centres = {row["centre"] for row in d.rows("cases.csv")} - {""}
    many = len([one for one in centres if isinstance(one, str)]) > 1
    where = f" from {d.distinct('cases.csv', 'centre')} centres" if many else ""
    d.paragraph(
        author(
            "design (retrospective or prospective), setting, dates of inclusion, treatments, ethics approval, "
            "consent, registration"
        ),
        f"The case table listed {d.patients()} patients{where}; patients were the unit of analysis.",
        *(_rules(d, kind) for kind in ("include", "exclude")),
    )
    external = (d.said("validate.external") or {}).get("centre")
    sets = {row["split"] for row in d.rows("cases.csv", status="included")}
    if "external" in sets and external:
        named = listed([name(one) for one in external])
        d.paragraph(
            f"The patients of {'centre' if len(external) == 1 else 'centres'} {named} were set aside for "
            f"external validation before any "
            "analysis and took part in no choice."
        )
    elif "external" in sets:
        d.paragraph(
            "Patients marked as external in the case table were set aside for external validation and took part "
            "in no choice."
        )
    if "internal" in sets:
        d.paragraph("Patients marked as internal test set in the case table were set aside and took part in no choice.")


def _rules(d: Draft, kind: str) -> str:
    rules = cohort_settings(d.result).get(kind) or {}
    if not rules:
        return ""
    named = listed([f"{name(label)} ({name(rule)})" for label, rule in rules.items()])
    return (
        f"Patients were included if they met: {named}."
        if kind == "include"
        else f"Patients were excluded for: {named}."
    )


def _outcome(d: Draft) -> None:
    said = cohort_settings(d.result)
    kind, outcome = task(d.result), name(outcome_name(d.result))
    if kind == "binary":
        positive = said.get("positive")
        event = f"; the value {name(positive)} was the event" if positive is not None else ""
        text = f"The outcome was {outcome}, a binary variable{event}."
    elif kind == "survival":
        text = (
            f"The outcome was the time to {outcome}: times were read from the column {name(said.get('time'))}, "
            f"and patients without the event "
            "were censored at the recorded time."
        )
    else:
        classes = listed([name(one) for one in class_columns(d.result)])
        text = f"The outcome was {outcome}, with the {'ordered ' if kind == 'ordinal' else ''}classes {classes}."
    if not str(said.get("outcome", "")).isidentifier():
        text += " It was derived from the case table by this expression, whose columns were barred from the predictors."
    if contrasts := said.get("contrasts"):
        text += f" Secondary contrasts were {listed([name(one) for one in contrasts])}."
    d.paragraph(
        text,
        author(
            "how, when and by whom the outcome was assessed, and whether they knew the predictors"
            + (", and the origin of time" if kind == "survival" else "")
        ),
    )


# ---------------------------------------------------------------------- images


_FACTS = {
    "slice_thickness_mm": ("slice thickness", " mm"),
    "kvp": ("tube voltage", " kV"),
    "tube_current_ma": ("tube current", " mA"),
    "field_strength_t": ("field strength", " T"),
    "repetition_time_ms": ("repetition time", " ms"),
    "echo_time_ms": ("echo time", " ms"),
    "flip_angle_deg": ("flip angle", " degrees"),
}


def _imaging(d: Draft) -> None:
    images = list(dict.fromkeys(block["image"] for block in d.said("features")))
    many = len(images) > 1
    d.paragraph(
        f"Features were measured on the {'images' if many else 'image'} {listed([name(one) for one in images])}."
    )
    asked = "modality, scanner, protocol, contrast agent, reconstruction, and the interval between imaging and outcome"
    for image in images:
        rows = d.rows("acquisition.csv", image=image)
        facts = [
            _range(d, column, image) for column in _FACTS if any(_number(row.get(column)) is not None for row in rows)
        ]
        counted = [
            f"{d.distinct('acquisition.csv', column, image=image)} {word if _several(rows, column) else word[:-1]}"
            for column, word in (
                ("vendor", "vendors"),
                ("model", "scanner models"),
                ("kernel", "reconstruction kernels"),
            )
            if any(isinstance(row.get(column), str) for row in rows)
        ]
        if facts or counted:
            d.paragraph(f"According to the image headers, {name(image)} came from {listed([*counted, *facts])}." if counted else
                        f"According to the image headers, {name(image)} had a {listed(facts)}.")  # fmt: skip
        else:
            d.paragraph(f"The files of {name(image)} held no acquisition parameters.")
    d.paragraph(author(asked))


def _range(d: Draft, column: str, image: str) -> str:
    word, unit = _FACTS[column]
    lowest, highest = (d.extreme("acquisition.csv", column, which, image=image) for which in ("smallest", "largest"))
    values = {_number(row.get(column)) for row in d.rows("acquisition.csv", image=image)} - {None}
    return f"{word} {lowest}{unit}" if len(values) == 1 else f"{word} {lowest} to {highest}{unit}"


def _several(rows: list[dict[Any, Any]], column: str) -> bool:
    return len({row.get(column) for row in rows if isinstance(row.get(column), str)}) > 1


def _number(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return None if math.isnan(found) else found


def _masks(d: Draft) -> list[str]:
    """Whose the masks were: of the case table, and of [segment]."""
    file = "tables/masks.csv"
    rows = d.rows(file)
    if not rows:
        return ["Masks were read from the files named in the case table."]
    texts = []
    for row in rows:
        given = {"origin": row["origin"], "method": row["method"]}
        count = d.cell(file, "masks", "d", **given)
        if row["method"] == GIVEN:
            texts.append(
                f"The masks of {count} cases were read from the files named in the case table ({ORIGINS[row['origin']]})."
            )
        elif row["origin"] == "network":
            text = f"The masks of {count} cases were drawn by a trained network ({name(row['method'])})"
            if d.known(file, "held_out_dice", **given):
                text += (
                    f"; in its own training its lesion Dice was {d.cell(file, 'held_out_dice', **given)} on average over "
                    f"{d.cell(file, 'held_out_cases', 'd', **given)} held-out cases"
                )
            texts.append(
                f"{text}. A case that had trained a network was drawn only by networks that had never seen its patient."
            )
        else:
            texts.append(f"The masks of {count} cases were grown from clicks by the method {name(row['method'])}.")
    return texts


def _regions(d: Draft) -> None:
    d.paragraph(
        *_masks(d),
        author("who drew them, with which tool, experience, blinding, and how a second reader was involved"),
    )
    for i, block in enumerate(d.said("features")):
        for key, path in ((key, _where(d, i, block, key, "roi")) for key in ("margin_mm", "ring_mm")):
            if path is None:
                continue
            if key == "margin_mm":
                grown = "shrunk" if float(d.said(path)) < 0 else "grown"
                d.paragraph(
                    f"For the block {name(block['name'])}, the lesion was {grown} by a margin of {d.setting(path)} mm."
                )
            else:
                d.paragraph(
                    f"For the block {name(block['name'])}, the tissue between {d.setting(f'{path}.0')} and "
                    f"{d.setting(f'{path}.1')} mm from the "
                    "lesion was measured."
                )


def _where(d: Draft, i: int, block: dict[str, Any], key: str, section: str) -> str | None:
    """The path at which the plan says a key of a block: its own, else that of the section."""
    if block.get(key) is not None:
        return f"features.{i}.{key}"
    return f"{section}.{key}" if d.said(f"{section}.{key}") is not None else None


def _step(said: str | dict[str, Any]) -> str:
    """Which step of the preparation: a block may say it by its name alone."""
    return said if isinstance(said, str) else str(said["name"])


def _preparation(d: Draft) -> None:
    done = []
    image = d.said("image") or {}
    for i, block in enumerate(d.said("features")):
        said = {**image, **block}
        where = f"for the block {name(block['name'])}, " if len(d.said("features")) > 1 else ""
        steps = []
        if said.get("register") and block.get("mask") not in (None, block["image"]):
            kind = _step(said["register"])
            steps.append(
                f"images were registered rigidly to the image the mask was drawn on{cite('lowekamp2013')}"
                if kind == "rigid"
                else "image and mask were taken to share the scanner's coordinates"
            )
        if said.get("bias_field"):
            steps.append(f"the bias field was corrected by N4{cite('tustison2010')}")
        path = _where(d, i, block, "clip", "image")
        if path is not None:
            steps.append(f"intensities were clipped to the window {d.setting(f'{path}.0')} to {d.setting(f'{path}.1')}")
        if said.get("standardise"):
            steps.append(_STANDARDISED[_step(said["standardise"])]())
        if block.get("normalise"):
            steps.append("intensities were normalised by the mean and standard deviation of the whole image")
        if steps:
            done.append(f"{where}{'; '.join(steps)}".strip())
    text = ". ".join(f"{one[0].upper()}{one[1:]}" for one in done)
    d.paragraph(
        f"{text}."
        if text
        else "Images were not registered, bias-corrected, clipped or standardised before feature extraction."
    )
    if excluded := image.get("quality_exclude"):
        checks = listed([name(str(one).replace("_", " ")) for one in excluded])
        d.paragraph(f"Images that failed the quality checks {checks} were excluded.")
    d.paragraph(f"Features were computed with Isthmus, version {d.version('isthmus')}{cite('isthmus')}." if
                _has_version(d) else f"Features were computed with Isthmus{cite('isthmus')}.")  # fmt: skip


_STANDARDISED: dict[str, Callable[[], str]] = {
    "z_score": lambda: "intensities were standardised to mean 0 and standard deviation 1 in each image",
    "nyul": lambda: f"intensities were mapped to a standard histogram scale{cite('nyul2000')}",
    "white_stripe": lambda: (
        f"intensities were standardised to the white matter peak (WhiteStripe){cite('shinohara2014')}"
    ),
}


def _has_version(d: Draft) -> bool:
    return bool((d.result.provenance.get("versions") or {}).get("isthmus"))


def _profile(profile: str) -> str:
    if profile == "pyradiomics":
        return f"with the definitions of PyRadiomics{cite('vangriethuysen2017')}"
    if profile == "sera215":
        return (
            f"as the 215 features of SERA by the definitions of the Image Biomarker Standardisation "
            f"Initiative (IBSI){cite('ashrafinia2019', 'zwanenburg2020')}"
        )
    if profile == "uptake":
        return "as ratios of the mean uptake of its regions over that of the reference region, and of its sides"
    if profile.startswith("ibsi"):
        return f"with the definitions of the Image Biomarker Standardisation Initiative (IBSI){cite('zwanenburg2020')}"
    return (
        f"by the feature set {name(profile)}, with the definitions of PyRadiomics and "
        f"IBSI{cite('vangriethuysen2017', 'zwanenburg2020')}"
    )


def _block(d: Draft, i: int, block: dict[str, Any]) -> None:
    if block.get("kind") in ("ited", "ithscore", "habitat"):
        d.paragraph(*_of_supervoxels(d, i, block))
        return
    file = f"features/{block['name']}.columns.csv"
    rows = d.rows(file)
    sentences = []
    if rows:
        families = len({row["family"] for row in rows})
        in_families = f" in {d.distinct(file, 'family')} families" if families > 1 else ""
        sentences.append(
            f"The block {name(block['name'])} held {d.number_of_rows(file)} features{in_families}, measured on "
            f"{name(block['image'])} "
            f"{_profile(block.get('profile', 'pyradiomics'))}."
        )
    if rows and "ibsi_compliant" in rows[0] and any(str(row["ibsi_compliant"]) for row in rows):
        sentences.append(
            f"By the software's own table, {_compliant(d, file, rows)} of them follow IBSI's definitions as computed."
        )
    if block.get("profile") == "uptake":  # read from the image as it is
        d.paragraph(*sentences)
        return
    sentences.append(_resampled(d, i, block))
    if block.get("resegment_range") is not None and len(block["resegment_range"]) == 2:
        ends = [d.setting(f"features.{i}.resegment_range.{k}") for k in (0, 1)]
        mode = block.get("resegment_mode", "absolute")
        how = {"sigma": " standard deviations around the mean", "relative": " of the largest intensity"}.get(mode, "")
        sentences.append(f"Regions were restricted to intensities from {ends[0]} to {ends[1]}{how}.")
    sentences.append(_discretised(d, i, block))
    filters = [one.get("name", "none") if isinstance(one, dict) else str(one) for one in block.get("filters") or []]
    if filters and filters != ["none"]:
        keys = ("whybra2024",) if set(filters) & _IBSI_FILTERS else ("vangriethuysen2017",)
        words = listed(list(dict.fromkeys(FILTERS.get(one, one) for one in filters)))
        also = ("ojala2002",) if any(one.startswith("lbp") for one in filters) else ()
        sentences.append(f"Features were measured on {words}{cite(*keys, *also)}.")
    elif filters:
        sentences.append("No image filter was applied.")
    cases = d.rows("cases.csv", status="included")
    if len(cases) > len({row["patient"] for row in cases}):
        sentences.append(f"{_AGGREGATED[block.get('aggregate', 'mean')]}.")
    d.paragraph(*sentences)


def _of_supervoxels(d: Draft, i: int, block: dict[str, Any]) -> list[str]:
    """How a lesion was cut, what was measured in its supervoxels, and what the block makes of it."""
    path = f"features.{i}"
    method = {"slic": f"by masked SLIC{cite('achanta2012')}", "kmeans": "by k-means", "growing": "by regional growing"}
    sentences = [
        f"For the block {name(block['name'])} every region on {name(block['image'])} was cut into supervoxels of about "
        f"{d.setting(f'{path}.supervoxels.volume_mm3')} mm3 (at least {d.setting(f'{path}.supervoxels.least_supervoxels')} of them, where "
        f"that leaves them {d.setting(f'{path}.supervoxels.minimum_voxels')} voxels or more) "
        f"{method[block['supervoxels']['method']]}, seeing nothing outside the region.",
    ]
    if block["supervoxels"].get("window"):
        low, high = (d.setting(f"{path}.supervoxels.window.{k}") for k in (0, 1))
        sentences.append(f"Intensities were clipped to {low} to {high} first.")
    counted = (
        f"a fixed number of {d.setting(f'{path}.features.bin_count')} bins"
        if block["features"].get("bin_count") is not None
        else f"a fixed bin width of {d.setting(f'{path}.features.bin_width')}"
    )
    sentences.append(
        f"In each supervoxel 93 first-order and texture features were measured with {counted}{cite('vangriethuysen2017')}."
    )
    if block["kind"] == "ithscore":
        sentences.append(
            "The supervoxels of a lesion were clustered by these features, and from how broken up the clusters lie in space its "
            f"heterogeneity score was computed, in three dimensions; and from the pixels of its largest slice in two{cite('li2022')}."
        )
    else:
        sentences.append(
            "What the models took from them was learned on training patients, as described for each model."
        )
    lost = d.rows("tables/notes.csv", block=block["name"])
    if any(str(row["note"]).startswith("no supervoxels") for row in lost):
        sentences.append("Lesions too small to be cut had missing values, never zero.")
    return sentences


def _deep_block(d: Draft, i: int, block: dict[str, Any]) -> None:
    """Which network, which layer, what it saw, and whose weights."""
    encoder, crop, path = block["encoder"], block["crop"], f"features.{i}"
    weights = encoder["weights"]
    trained = bool(block.get("train"))
    untrained = weights["origin"] == "random"
    what = "features of a random projection by an untrained network" if untrained else "features of a frozen network"
    pooled = {"avg": "averaged", "max": "maximum over places", "flatten": "flattened", "first": "class token"}
    how = f" ({pooled[encoder['pooling']]})" if encoder.get("pooling") else ""
    slices = {"largest": "the largest slice", "all": "all slices", None: "the volume"}
    seen = crop["slices"] if encoder["dims"] == 2 else None
    of = slices[seen] if seen in slices else f"the {d.setting(f'{path}.crop.slices')} largest slices"
    cells = "voxels" if encoder["dims"] == 3 else "pixels"
    margin = f" with a margin of {d.setting(f'{path}.crop.margin_mm')} mm" if crop["margin_mm"] else ""
    columns = f"features/{block['name']}.columns.csv"
    number = "" if trained else f" {d.number_of_rows(columns)}"
    what = "features of a network trained inside the folds" if trained else what
    sentences = [
        f"The block {name(block['name'])} held{number} {what}: the output of the layer "
        f"{name(encoder['layer'])}{how} of {name(encoder['network'])} in {d.setting(f'{path}.encoder.dims')} dimensions, on crops of "
        f"{d.setting(f'{path}.crop.size')} {cells} a side around the region of interest{margin}, taken from {of} of {name(block['image'])}."
    ]
    if trained:
        source = name(weights.get("source") or "") or author("where the weights were got")
        masked = (
            "from random numbers that had first learned, without the outcome, to say what was painted over in the crops of the same "
            "training patients,"
        )
        starts = {"random": "from random numbers", "pretrain": masked}
        start = starts.get(weights["origin"]) or f"from the weights of the file {name(weights['path'])} ({source})"
        sentences.append(
            f"Training started {start} and saw training patients only: at most {d.setting(f'{path}.train.epochs')} epochs, ended after "
            f"{d.setting(f'{path}.train.patience')} without a smaller loss on a share of {d.setting(f'{path}.train.validation')} of "
            "them that was held out, patient by patient."
        )
        if crop["combine"] == "attention":
            sentences.append(
                "Several crops of a patient were weighed by gated attention (Ilse et al., 2018) that was trained with the network."
            )
    elif untrained:
        sentences.append("The network was not trained: its weights were drawn at random.")
    else:
        source = name(weights["source"]) if weights["source"] else author("where the weights were got")
        sentences.append(
            f"Its weights were those of the file {name(weights['path'])} ({source}), and were not changed. (The SHA-256 of the file is in "
            "plan.lock.toml.)"
        )
    d.paragraph(*sentences)


_IBSI_FILTERS = {"mean", "log", "laws", "gabor", "wavelet", "simoncelli", "riesz_log", "riesz_simoncelli"}
_AGGREGATED = {
    "mean": "Several regions of one patient were averaged",
    "max": "Of several regions of one patient the largest value of each feature was taken",
    "largest": "Of several regions of one patient the largest one was taken",
    "predictions": "Of several regions of one patient the predictions were averaged",
}


def _compliant(d: Draft, file: str, rows: list[dict[Any, Any]]) -> str:
    value = next((str(row["ibsi_compliant"]) for row in rows if str(row["ibsi_compliant"]).lower() == "true"), "true")
    return d.number_of_rows(file, ibsi_compliant=value)


def _resampled(d: Draft, i: int, block: dict[str, Any]) -> str:
    path = _where(d, i, block, "spacing_mm", "image")
    if path is None:
        return "Images were not resampled."
    how = _where(d, i, block, "interpolation", "image")
    by = f" by {name(str(d.said(how)).replace('_', ' '))} interpolation" if how else ""
    sides = " x ".join(d.setting(f"{path}.{k}") for k in range(3))
    return f"Images were resampled to voxels of {sides} mm (slice, row, column){by}."


def _discretised(d: Draft, i: int, block: dict[str, Any]) -> str:
    path = f"features.{i}"
    if block.get("bin_count") is not None:
        return f"Intensities were discretised into a fixed number of {d.setting(f'{path}.bin_count')} bins."
    if block.get("bin_width") is not None:
        return f"Intensities were discretised with a fixed bin width of {d.setting(f'{path}.bin_width')}."
    said = block.get("discretisation")
    if isinstance(said, dict) and said.get("bin_count") is not None:
        return (
            f"Intensities were discretised into a fixed number of {d.setting(f'{path}.discretisation.bin_count')} bins."
        )
    if isinstance(said, dict) and said.get("bin_width") is not None:
        return (
            f"Intensities were discretised with a fixed bin width of {d.setting(f'{path}.discretisation.bin_width')}."
        )
    return ""


# ---------------------------------------------------------------------- clinical


def _clinical(d: Draft) -> None:
    file = "features/clinical.columns.csv"
    rows = d.rows(file)
    names = [name(row["column"]) for row in rows]
    shown = f": {listed(names)}" if 0 < len(names) <= 12 else ""
    first = f"The clinical candidate predictors were {d.number_of_rows(file)} columns{shown}." if rows else ""
    missing = d.said("clinical.missing")
    if missing == "exclude":
        handled = "Patients who lacked a clinical value were excluded."
    else:
        handled = "Missing clinical values were imputed inside the training data, as described for each model."
    later = [one for one in d.said("models") or [] if one.get("when")]
    times = [f"The model {name(one['name'])} used {one['when']} predictors only." for one in later]
    d.paragraph(first, handled, *times, author("how and when the clinical predictors were measured"))
    if d.rows("tables/logistic_univariable.csv"):
        _inference(d)


def _inference(d: Draft) -> None:
    path = "clinical.inference"
    firth = d.said(f"{path}.firth_below")
    sentences = [
        "Univariable and multivariable odds ratios of the clinical variables were estimated by logistic "
        "regression in development patients, with "
        f"profile-likelihood limits and likelihood-ratio tests{cite('venzon1988')}."
    ]
    if firth:
        sentences.append(
            f"Firth's method was used with fewer than {d.setting(f'{path}.firth_below')} events per parameter or "
            f"where the outcome was separated"
            f"{cite('firth1993', 'heinze2002')}."
        )
    if d.said(f"{path}.missing") == "multiple":
        sentences.append(
            "Missing values of these tables were imputed by chained equations with predictive mean matching and "
            "pooled by Rubin's rules"
            f"{cite('vanbuuren2011', 'rubin1987', 'barnard1999')}."
        )
    else:
        sentences.append("These tables are of patients with complete values.")
    if d.said(f"{path}.screening") is not None:
        sentences.append(
            f"Only variables with a univariable p-value below {d.setting(f'{path}.screening')} entered the "
            f"multivariable model, which biases its estimates."
        )
    sentences.append(
        f"The univariable p-values were adjusted by Benjamini and Hochberg's false discovery "
        f"rate{cite('benjamini1995')}."
    )
    d.paragraph(*sentences)


def _described(d: Draft) -> None:
    rows = d.rows("tables/table1.csv")
    tests = sorted({str(row["test"]) for row in rows if isinstance(row.get("test"), str) and row["test"]})
    compared = f"; groups were compared by these tests: {'; '.join(map(name, tests))}" if tests else ""
    spread = (
        f" Standardised mean differences are given beside the p-values{cite('austin2009')}." if "smd" in rows[0] else ""
    )
    d.paragraph(
        f"Table 1 describes the patients (tables/table1.docx){compared}. Its footnote says which test belongs to which variable.{spread}"
    )
