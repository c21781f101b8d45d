"""A complete, plausible run folder made from drawn numbers: what the report is tested on, without running a study."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.explain import summary
from isthmus.habitat import NAMES
from isthmus.habitat.profile import PROFILE_COLUMNS
from isthmus.image import Image
from isthmus.image.crop import grey_png, label_png, read_mask_png
from isthmus.image.geometry import Geometry
from isthmus.stats.nomogram import level_axis, make_nomogram, number_axis, pretty
from isthmus.study.feature_maps import COLUMNS as MAP_COLUMNS
from isthmus.study.feature_maps import map_paths
from isthmus.study.habitat_pictures import COLUMNS as HABITAT_COLUMNS
from isthmus.study.habitat_pictures import SHARE_COLUMNS, habitat_paths
from isthmus.study.learning_curves import COLUMNS as CURVE_COLUMNS
from isthmus.study.network_pictures import COLUMNS as NETWORK_COLUMNS
from isthmus.study.network_pictures import network_paths
from isthmus.study.nomogram import nomogram_table
from isthmus.study.optimism import COLUMNS as OPTIMISM_COLUMNS
from isthmus.study.pictures import lesion_picture, write_pictures
from isthmus.study.sample_size import COLUMNS as SIZE_COLUMNS
from isthmus.study.store import RunFolder, write_bytes
from isthmus.table.clinical_settings import InferenceSettings
from isthmus.table.dictionary import ColumnSettings
from isthmus.table.regression import logistic_tables
from isthmus.validate.centres import COLUMNS as CENTRE_COLUMNS
from isthmus.validate.subgroups import COLUMNS as SUBGROUP_COLUMNS
from isthmus.validate.subgroups import METRICS

MODELS = ("lasso", "random-forest", "lightgbm")
FEATURES = (
    "original_shape_Sphericity",
    "original_shape_MeshVolume",
    "original_firstorder_Entropy",
    "original_firstorder_90Percentile",
    "original_glcm_JointEntropy",
    "original_glcm_Correlation",
    "original_glrlm_LongRunHighGrayLevelEmphasis",
    "original_glszm_SmallAreaLowGrayLevelEmphasis",
    "original_gldm_DependenceNonUniformityNormalized",
    "original_ngtdm_Coarseness",
    "original_ngtdm_Strength",
    "original_glszm_ZoneEntropy",
)
CLINICAL = ("age", "sex", "tumour_size_mm", "tsh")
NAN = float("nan")
VERDICT = "no leak seen; above what permuted outcomes give"
PLAN = """\
{cohort}
[validate]
splits = 2
test_share = 0.3
folds = 5
repeats = {repeats}
inner_folds = 5
seed = 1
threshold = "youden"
bootstrap = 2000
confidence = 0.95
{external}
[validate.decision_curve]
lowest = 0.05
highest = 0.6

[audit]
permutations = {permutations}

[report]
final = "{final}"
"""


def auc(y: np.ndarray, s: np.ndarray) -> float:
    """The area under the curve, by counting pairs."""
    difference = s[y == 1][:, None] - s[y == 0][None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean()) if difference.size else float("nan")


def make_run(
    folder: Path,
    *,
    models: tuple[str, ...] = MODELS,
    external: bool = True,
    table_one: bool = True,
    images: bool = True,
    null_study: bool = True,
    exclusions: bool = True,
    signal: float = 1.2,
    n_train: int = 56,
    n_external: int = 24,
    repeats: int = 5,
    prefix: str = "THY",
    values: bool = False,
) -> Path:
    """Write a run folder; each switch leaves a part out, as a smaller study would; `values` adds those of the blocks, pictures and maps."""
    rng = np.random.default_rng(20261120)
    folder = Path(folder)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "features").mkdir(exist_ok=True)

    cases = _cases(rng, n_train, n_external if external else 0, exclusions, images, prefix)
    cases.to_csv(folder / "cases.csv", index=False)
    kept = cases[cases["status"] == "included"]
    latent = pd.Series(rng.normal(size=len(kept)) + signal * kept["outcome"].to_numpy(), index=kept["patient"])

    predictions, thresholds = _predictions(rng, kept, latent, models, external, repeats)
    predictions.to_csv(folder / "predictions.csv", index=False)
    thresholds.to_csv(folder / "tables" / "thresholds.csv", index=False)
    metrics = _metrics(predictions, thresholds, models)
    metrics.to_csv(folder / "metrics.csv", index=False)

    rows = [
        (a, b, split, "DeLong", 0.4 + i, p, min(1.0, 2 * p), 0.1 + i / 50, 0.02 + i / 50, 0.18 + i / 50)
        for split in (["cv", "external"] if external else ["cv"])
        for i, (a, b, p) in enumerate(zip(models, models[1:], (0.0132, 0.00004), strict=False))
    ]
    columns = ["model_a", "model_b", "split", "test", "statistic", "p", "p_adjusted", "difference", "lower", "upper"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "comparisons.csv", index=False)

    _subgroups(predictions, models).to_csv(folder / "tables" / "subgroups.csv", index=False)
    sizes = [
        (m, n_train, 20, 0.35, 0.75, 0.15, 100 * (i + 1), 0.2, 2, 900, 700, 350, 900, 5, 4.0)
        for i, m in enumerate(models)
    ]
    pd.DataFrame(sizes, columns=SIZE_COLUMNS).to_csv(folder / "tables" / "sample_size.csv", index=False)

    centres = [(m, c, 20, 8, 0.8, 0.6, 0.9, "DeLong, logit scale") for m in models for c in ("A", "B", "all centres")]
    pd.DataFrame(centres, columns=CENTRE_COLUMNS).to_csv(folder / "tables" / "centres.csv", index=False)
    drawn = [(m, "auc", 0.9, 0.05, 0.85, 0.8, 0.83, 50, 0) for m in models]
    pd.DataFrame(drawn, columns=OPTIMISM_COLUMNS).to_csv(folder / "tables" / "optimism.csv", index=False)

    _audit(folder / "tables", models)
    _random_splits(folder / "tables", models)
    _harmonised(folder / "tables", models)
    _sizes(folder / "tables")
    if images:
        _masks(folder / "tables")

    both = images and table_one  # of several blocks a column's name begins with its block
    names = (FEATURES if images else ()) + (CLINICAL if table_one or not images else ())
    names = tuple(f"{'ct' if name in FEATURES else 'clinical'}.{name}" if both else name for name in names)
    selected = []
    for m, model in enumerate(models):
        frequency = np.sort(rng.integers(1, 26, size=len(names)) / 25)[::-1]
        for feature, freq in zip(names, frequency, strict=True):
            effect = float(rng.normal(scale=0.6))
            selected.append((model, feature, freq, effect if m == 0 else np.nan, np.nan if m == 0 else abs(effect)))
    columns = ["model", "feature", "frequency", "coefficient", "importance"]
    pd.DataFrame(selected, columns=columns).to_csv(folder / "selected.csv", index=False)

    explained = kept.loc[kept["split"] == "train", "patient"].astype(str).tolist()
    _explanation(np.random.default_rng(8), folder / "tables", models[-1], names, explained)
    if "/" not in models[0]:
        _lasso(folder / "tables", models[0])
    if "/" not in models[0]:
        _nomogram().to_csv(folder / "tables" / f"nomogram_{models[0]}.csv", index=False)

    columns = ["model", "stability", "lower", "upper", "selections", "columns", "smallest", "mean", "largest", "method"]
    index = [(m, 0.61, 0.52, 0.7, 25, len(names), 3, 6.4, 11, "Nogueira's index over 25 selections") for m in models]
    pd.DataFrame(index, columns=columns).to_csv(folder / "tables" / "stability.csv", index=False)
    columns = ["model", "category", "columns", "stability", "spearman_pca", "verdict"]
    umap = [("lasso", "glcm", 24, 0.43, 0.71, "depends on the seed and the order of the rows")]
    pd.DataFrame(umap, columns=columns).to_csv(folder / "tables" / "representatives.csv", index=False)

    if null_study:
        rows = [
            (m, _cv_auc(metrics, m), 0.497 + 0.005 * i, 0.35, 0.65, 1 / 21, 0.02, 20, VERDICT)
            for i, m in enumerate(models)
        ]
        columns = ["model", "auc", "null_mean", "null_lower", "null_upper", "p", "mcse", "permutations", "verdict"]
        pd.DataFrame(rows, columns=columns).to_csv(folder / "tables" / "null_study.csv", index=False)
        adjusted = [
            {"model": "lasso", "probability": which, "metric": metric, "estimate": 0.5}
            for which in ("before", "after")
            for metric in ("mean_probability", "prevalence", "calibration_slope", "calibration_in_the_large", "brier")
        ]
        pd.DataFrame(adjusted).to_csv(folder / "tables" / "recalibration.csv", index=False)
    notes = [
        ("cases.csv", "cases.csv: 87 rows x 9 columns, UTF-8, comma"),
        ("[clinical]", "tsh: missing for 5 of 87 patients"),
    ]
    pd.DataFrame(notes, columns=["block", "note"]).to_csv(folder / "tables" / "notes.csv", index=False)
    if table_one:
        odds = [("(intercept)", 0.2, 0.9, 1.1, 0.8, 1.6), ("age", 0.04, 0.013, 1.02, 1.01, 1.03)]
        frame = pd.DataFrame(odds, columns=["term", "coefficient", "p", "odds_ratio", "lower", "upper"])
        frame.assign(note=NAN).to_csv(folder / "tables" / "odds_ratios_clinical.csv", index=False)
        _table_one().to_csv(folder / "tables" / "table1.csv", index=False)
        for name, table in zip(("univariable", "multivariable"), _logistic(), strict=True):
            table.to_csv(folder / "tables" / f"logistic_{name}.csv", index=False)
        join = pd.DataFrame({"block": ["ct", "clinical"], "patients": [len(kept), len(kept) - 2], "missing": [0, 2]})
        join[0 if images else 1 :].to_csv(folder / "tables" / "join.csv", index=False)
    _blocks(folder, images, table_one)
    if values:
        _values(np.random.default_rng(11), folder, cases, latent, images, table_one)
    if values and images:
        _pictures(np.random.default_rng(12), folder, kept)
    if images:
        _acquisition(rng, kept).to_csv(folder / "acquisition.csv", index=False)
        _quality(kept).to_csv(folder / "quality.csv", index=False)
    _plan(folder, models, external, images, null_study, repeats, table_one)
    _provenance(folder)
    return folder


def _harmonised(folder: Path, models: tuple[str, ...]) -> None:
    """What [harmonise] and the reliability of [select] leave."""
    where = {"models": models[0], "batch": "centre"}
    measure = {
        "measure": "median Cohen's f",
        "before": 0.6,
        "after": 0.26,
        "no_effect": 0.23,
        "folds": 5,
        "rows_per_fold": 11.2,
    }
    pd.DataFrame([{**where, **measure}]).to_csv(folder / "harmonisation.csv", index=False)
    sites = [(models[0], "train", "centre", site, 28, 28, "known") for site in ("A", "B")]
    sites.append((models[0], "external", "centre", "Z", 20, 0, "left as it is"))
    columns = ["model", "split", "batch", "site", "rows", "training", "how"]
    pd.DataFrame(sites, columns=columns).to_csv(folder / "harmonisation_sites.csv", index=False)
    outcome = [("centre", site, label, 14, 0.1) for site in ("A", "B") for label in ("no", "yes")]
    pd.DataFrame(outcome, columns=["batch", "site", "class", "patients", "cramers_v"]).to_csv(
        folder / "harmonisation_outcome.csv", index=False
    )
    dots = [
        {**where, "when": when, "rows": rows, "site": site, "pc1": n - 1.0, "pc2": 1.0 - n, "share1": 0.3, "share2": 0.1}
        for when in ("before", "after") for rows in ("train", "test") for n, site in enumerate(("A", "B"))
    ]  # fmt: skip
    pd.DataFrame(dots).to_csv(folder / "harmonisation_picture.csv", index=False)
    judged = []
    for feature, value in (("steady", 0.95), ("shaky", 0.4)):
        row = {"models": models[0], "form": "2,1", "rule": "lower >= 0.75", "feature": feature, "icc": value}
        row |= {"lower": value - 0.1, "upper": value + 0.04, "cosine": value, "cases": 35, "kept": value > 0.9}
        row |= {f"{what}_{t:.2f}": value > 0.9 for what in ("lower", "icc") for t in (0.75, 0.8, 0.9)}
        judged.append({**row, "reason": "" if value > 0.9 else "low"})
    judged.append(
        {
            "models": models[0],
            "form": "2,1",
            "rule": "lower >= 0.75",
            "feature": "flat",
            "kept": False,
            "reason": "flat",
        }
    )
    pd.DataFrame(judged).to_csv(folder / "reliability.csv", index=False)


def _masks(folder: Path) -> None:
    """Where the masks of the cases come from, as a plan with [segment] leaves it."""
    rows = [
        ("manual", "case table", 60, 0, NAN, NAN, 38, 22),
        ("network", "plain_unet", 20, 2, 30, 0.82, 15, 5),
    ]
    names = ["origin", "method", "masks", "unseen_out_of_fold", "held_out_cases", "held_out_dice"]
    pd.DataFrame(rows, columns=[*names, "metastasis = no", "metastasis = yes"]).to_csv(
        folder / "masks.csv", index=False
    )


def _sizes(folder: Path) -> None:
    """What blocks measured on images, and one of iTED, leave."""
    beside = [("ct", "size", 0.95, 0.9, 0.99, 56, 9.0, NAN), ("ct", "texture", -0.2, -0.4, 0.1, 56, 1.0, NAN)]
    names = ["block", "feature", "rho", "lower", "upper", "n", "vif_volume", "vif"]
    pd.DataFrame(beside, columns=names).to_csv(folder / "volume_dependence.csv", index=False)
    row = {
        "block": "ited",
        "feature": "ited_firstorder_Mean",
        "n": 56,
        "above_zero": 0.4,
        "rho_volume": NAN,
        "rho": 0.3,
    }
    row |= {"rho_sd": 0.35, "partial": 0.1, "lower": -0.2, "upper": 0.4, "p": 0.5, "q": 0.9}
    pd.DataFrame([row]).to_csv(folder / "ited_added.csv", index=False)


def _random_splits(folder: Path, models: tuple[str, ...]) -> None:
    """Two splits and their mean, of every model."""
    rows = [
        (model, split, metric, 0.7, NAN if split != "mean" else 0.05, 0.6, 0.8, "a method")
        for model in models
        for split in ("1", "2", "mean")
        for metric in ("auc", "accuracy", "kappa")
    ]
    names = ["model", "split", "metric", "estimate", "sd", "lower", "upper", "method"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "random_splits.csv", index=False)


def _audit(folder: Path, models: tuple[str, ...]) -> None:
    """What `isthmus audit` leaves besides the null study."""
    control = {
        "kind": "control", "variant": "clinical alone", "model": models[0], "patients": 56, "auc": 0.6, "lower": 0.5,
        "upper": 0.7, "auc_study": 0.8, "difference": -0.2, "difference_lower": -0.3, "difference_upper": -0.1,
        "flips": NAN, "note": "",
    }  # fmt: skip
    pd.DataFrame([control]).to_csv(folder / "controls.csv", index=False)
    power = {
        "model": models[0], "planted_auc": 0.7, "auc": 0.66, "auc_lower": 0.6, "auc_upper": 0.7, "null_95": 0.62,
        "found": 0.6, "found_lower": 0.4, "found_upper": 0.8, "carriers": 3, "draws": 20,
    }  # fmt: skip
    pd.DataFrame([power]).to_csv(folder / "power.csv", index=False)
    rule = {"rule": "L4", "what": "one patient on both sides", "verdict": "cannot happen", "found": "folds by patient"}
    pd.DataFrame([rule]).to_csv(folder / "audit.csv", index=False)


def _subgroups(predictions: pd.DataFrame, models: tuple[str, ...]) -> pd.DataFrame:
    """Two levels of one subgroup on every unseen split; the second has too few patients."""
    rows = []
    for split in [s for s in dict.fromkeys(predictions["split"]) if s != "train"]:
        for model in models:
            for metric in METRICS:
                rows.append(("sex", "f", model, split, 40, 15, metric, 0.8, 0.6, 0.9, 0.05, -0.1, 0.2, "bootstrap"))
                rows.append(
                    ("sex", "m", model, split, 9, 3, metric, *[np.nan] * 6, "not estimated: 3 patients with the event")
                )
    return pd.DataFrame(rows, columns=SUBGROUP_COLUMNS)


def _cases(
    rng: np.random.Generator, n_train: int, n_external: int, exclusions: bool, images: bool, prefix: str
) -> pd.DataFrame:
    rows = []
    for i in range(n_train + n_external):
        external = i >= n_train
        outcome = int(i % 3 == 0)
        centre = "Harbour" if external else "Hill"
        rows.append((i, f"{prefix}-{i:04d}", centre, "external" if external else "train", "included", "", "", outcome))
    if exclusions:
        lost = [
            ("include", "not included: size > 1 cm"),
            ("include", "not included: size > 1 cm"),
            ("exclude", "excluded: earlier surgery"),
            ("read", "image truncated: 1048576 of 2097152 bytes. Copy the file again."),
            ("roi", "mask spacing (1.0, 0.7, 0.7) mm, image spacing (1.0, 0.8, 0.8) mm. They must match."),
            ("roi", "label 1 has no voxel: the mask holds 0 only. Draw the lesion, or name its label."),
            ("features", "ROI of 1 voxel: texture needs at least 2. Check the mask."),
        ]
        if not images:
            lost = lost[:3]
        for k, (step, reason) in enumerate(lost):
            external = k % 3 == 2 and n_external > 0
            place = ("Harbour", "external") if external else ("Hill", "train")
            number = n_train + n_external + k
            rows.append((number, f"{prefix}-{number:04d}", *place, "excluded", step, reason, int(rng.integers(2))))
    columns = ["row", "patient", "centre", "split", "status", "step", "reason", "outcome"]
    return pd.DataFrame(rows, columns=columns)


def _predictions(
    rng: np.random.Generator,
    kept: pd.DataFrame,
    latent: pd.Series,
    models: tuple[str, ...],
    external: bool,
    repeats: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, thresholds = [], []
    train = kept[kept["split"] == "train"].reset_index(drop=True)
    for m, model in enumerate(models):

        def risk(patients: pd.Series, noise: float) -> np.ndarray:
            score = latent.loc[patients].to_numpy() + rng.normal(scale=noise, size=len(patients))
            return 1 / (1 + np.exp(-(1.1 * score - 1.5)))

        for repeat in range(repeats):
            fold_of = np.empty(len(train), dtype=int)
            for value in (0, 1):
                where = np.flatnonzero(train["outcome"] == value)
                fold_of[rng.permutation(where)] = np.arange(len(where)) % 5
            for fold in range(5):
                part = train[fold_of == fold]
                thresholds.append((model, repeat, fold, 0.3 + 0.02 * rng.normal()))
                for patient, y, p in zip(part["patient"], part["outcome"], risk(part["patient"], 0.3 + m), strict=True):
                    rows.append((patient, model, "cv", repeat, fold, y, p))
        thresholds.append((model, np.nan, np.nan, 0.31))
        splits = [("train", 0.1)] + ([("external", 0.6 + m)] if external else [])
        for split, noise in splits:
            part = kept[kept["split"] == split]
            for patient, y, p in zip(part["patient"], part["outcome"], risk(part["patient"], noise), strict=True):
                rows.append((patient, model, split, np.nan, np.nan, y, p))
    columns = ["patient", "model", "split", "repeat", "fold", "outcome", "probability"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        thresholds, columns=["model", "repeat", "fold", "threshold"]
    )


def _cv_auc(metrics: pd.DataFrame, model: str) -> float:
    where = (metrics["model"] == model) & (metrics["split"] == "cv") & (metrics["metric"] == "auc")
    return float(metrics.loc[where, "estimate"].iloc[0])


def _metrics(predictions: pd.DataFrame, thresholds: pd.DataFrame, models: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for model in models:
        cut = float(thresholds[(thresholds["model"] == model) & thresholds["fold"].isna()]["threshold"].iloc[0])
        for split in dict.fromkeys(predictions["split"]):
            part = predictions[(predictions["model"] == model) & (predictions["split"] == split)]
            y, p = part["outcome"].to_numpy(), part["probability"].to_numpy()
            area = auc(y, p)
            n = part["patient"].nunique()
            half = 1.0 / np.sqrt(n)
            name = "bootstrap over patients" if split == "cv" else "DeLong"
            rows.append((model, split, "auc", area, max(0, area - half), min(1, area + half), name))
            if split == "cv":
                rows.append((model, split, "auc_pooled", area - 0.01, area - half, min(1, area + half), name))
            hit = p >= cut
            values = {
                "sensitivity": (hit[y == 1].mean(), "Wilson"),
                "specificity": ((~hit)[y == 0].mean(), "Wilson"),
                "ppv": (y[hit].mean(), "Wilson"),
                "npv": (1 - y[~hit].mean(), "Wilson"),
                "f1": (2 * (hit & (y == 1)).sum() / max(1, hit.sum() + y.sum()), "bootstrap over patients"),
                "accuracy": ((hit == y).mean(), "Wilson"),
                "brier": (np.mean((p - y) ** 2), "bootstrap over patients"),
                "calibration_slope": (0.72, "logistic recalibration"),
                "calibration_intercept": (0.11, "logistic recalibration"),
                "ici": (0.06, "bootstrap over patients"),
            }
            for metric, (value, method) in values.items():
                rows.append((model, split, metric, value, value - half, value + half, method))
            facts = {"n": n, "n_events": part.drop_duplicates("patient")["outcome"].sum(), "threshold": cut}
            rows += [(model, split, name, value, np.nan, np.nan, "count") for name, value in facts.items()]
            rows.append((model, split, "mcc", 0.31, np.nan, np.nan, "no interval: a bootstrap draw held one class"))
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"])


def _logistic() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Odds ratios of a number and a category, alone and together; of the second variable the model was not told."""
    rng = np.random.default_rng(5)
    values = pd.DataFrame({"age": rng.normal(50, 12, 90), "sex": rng.choice(["female", "male"], 90)})
    y = (rng.random(90) < 0.3).astype(int)
    dictionary = {"age": ColumnSettings(unit="years", per=10), "sex": ColumnSettings(levels=["female", "male"])}
    return logistic_tables(values, y, dictionary, InferenceSettings(columns=["age"]))


def _table_one() -> pd.DataFrame:
    median = "median [q1, q3]"
    whitney = "Mann-Whitney"
    described = [
        ("age", "", "mean (sd)", 0, "49 (15)", "47 (14)", "54 (15)", "49 (15)", "50 (15)"),
        ("sex", "female", "n (%)", 0, "58 (72.0)", "40 (75.0)", "18 (67.0)", "40 (71.4)", "18 (75.0)"),
        ("sex", "male", "n (%)", NAN, "22 (28.0)", "13 (25.0)", "9 (33.0)", "16 (28.6)", "6 (25.0)"),
        ("tumour_size_mm", "", median, 2, "21 [14, 33]", "18 [12, 26]", "31 [21, 42]", "21 [14, 30]", "23 [15, 36]"),
        (
            "tsh",
            "",
            median,
            5,
            "1.9 [1.1, 2.8]",
            "1.8 [1.1, 2.7]",
            "2.0 [1.2, 2.9]",
            "1.9 [1.1, 2.8]",
            "1.9 [1.0, 2.7]",
        ),
    ]
    compared = [
        ("Welch t-test", 2.1, 0.0412, 0.48),
        ("chi-square", 0.6, 0.431, 0.19),
        ("", NAN, NAN, NAN),
        (whitney, 9.0, 4e-5, 0.81),
        (whitney, 3.0, 0.61, 0.07),
    ]
    rows = [left + right for left, right in zip(described, compared, strict=True)]
    columns = ["variable", "level", "summary", "missing", "overall", "0", "1", "cohort: train", "cohort: external"]
    return pd.DataFrame(rows, columns=[*columns, "test", "statistic", "p", "smd"])


def _blocks(folder: Path, images: bool, clinical: bool) -> None:
    facts = ["column", "image", "roi", "filter", "family", "feature"]
    if images:
        rows = [(name, "ct", "tumour", "original", *name.split("_")[1:]) for name in FEATURES]
        rows += [(f"original_glcm_Extra{i}", "ct", "tumour", "original", "glcm", f"Extra{i}") for i in range(95)]
        pd.DataFrame(rows, columns=facts).to_csv(folder / "features" / "ct.columns.csv", index=False)
    if clinical or not images:
        rows = [(name, "", "", "", "clinical", name) for name in CLINICAL]
        pd.DataFrame(rows, columns=facts).to_csv(folder / "features" / "clinical.columns.csv", index=False)


def _values(
    rng: np.random.Generator, folder: Path, cases: pd.DataFrame, latent: pd.Series, images: bool, clinical: bool
) -> None:
    """The blocks' values: groups of columns that say the same, a shift of the far centre, gaps in the clinical ones."""
    people = cases["patient"].astype(str)
    signal = latent.reindex(cases["patient"]).fillna(0.0).to_numpy()
    far = (cases["centre"] == "Harbour").to_numpy()
    if images:
        names = [*FEATURES, *(f"original_glcm_Extra{i}" for i in range(95))]
        own = rng.normal(size=(len(cases), 12))
        columns = {
            name: own[:, i % 12] * 10.0 ** (i % 4)
            + 0.3 * rng.normal(size=len(cases))
            + 0.4 * signal * (i % 3 == 0)
            + far * (i % 2)
            for i, name in enumerate(names)
        }
        pd.DataFrame({"patient": people, **columns}).to_parquet(folder / "features" / "ct.parquet", index=False)
    if clinical or not images:
        values = pd.DataFrame(
            {
                "patient": people, "age": rng.normal(50, 12, len(cases)), "sex": rng.choice(["f", "m"], len(cases)),
                "tumour_size_mm": rng.normal(20, 5, len(cases)), "tsh": rng.lognormal(0.5, 0.4, len(cases)),
            }
        )  # fmt: skip
        values.loc[rng.random(len(cases)) < 0.2, ["tsh", "sex"]] = None
        values.loc[rng.random(len(cases)) < 0.1, "tumour_size_mm"] = NAN
        values.to_parquet(folder / "features" / "clinical.parquet", index=False)


def _pictures(rng: np.random.Generator, folder: Path, kept: pd.DataFrame) -> None:
    """Small pictures of eight lesions, two textures mapped, and the map of patients."""
    store, pictures = RunFolder(folder), []
    for row, patient in kept[["row", "patient"]].astype(str).head(8).itertuples(index=False):
        values = rng.normal(40, 10, size=(3, 30, 36))
        mask = np.zeros(values.shape, dtype=bool)
        mask[1, 8:20, 10:24] = mask[2, 9:12, 11:14] = True
        geometry = Geometry((3, 30, 36), (3.0, 0.8, 0.8), (0.0, 0.0, 0.0))
        image = Image(np.where(mask, values + 60, values), geometry, quantity="HU")
        pictures.append({"row": row, "patient": patient, "block": "ct", "image": "ct", **lesion_picture(image, mask)})
    write_pictures(store, pictures, [one["row"] for one in pictures])
    maps = []
    for one in pictures[:2]:
        mask = read_mask_png(base64.b64decode(one["mask"]))
        pixels, low, high = grey_png(np.where(mask, rng.normal(0.5, 0.1, mask.shape), NAN))
        for kind, path in map_paths("ct", one["row"]).items():
            content = {"pixels": one["pixels"], "mask": one["mask"], "map": pixels}[kind]
            write_bytes(folder / path, base64.b64decode(content))
        facts = {"column": "original_glcm_Correlation", "weight": 0.7, "weight_kind": "coefficient", "kernel_radius": 1}
        maps.append({**one, **facts, "map_low": low, "map_high": high})
    pd.DataFrame(maps).reindex(columns=MAP_COLUMNS).to_csv(folder / "tables" / "feature_maps.csv", index=False)
    _habitats(rng, folder, pictures)
    _network(folder, pictures)
    places = kept[["patient"]].assign(method="tsne", columns=107, components=50, share=0.97)
    places = places.assign(x=rng.normal(size=len(kept)), y=rng.normal(size=len(kept)))
    places.to_csv(folder / "tables" / "patient_map.csv", index=False)


def _habitats(rng: np.random.Generator, folder: Path, pictures: list[dict[str, Any]]) -> None:
    """Three habitats of a lesion and two of its ring: what they look like, and pictures of the lesions of `pictures`."""
    profiles, shares, rows = [], [], []
    for block, region, count in (("het", "lesion", 3), ("ring", "ring of 0 to 5 mm around the lesion", 2)):
        ranks = dict(zip(("firstorder_Mean", *NAMES[30:41]), range(1, 13), strict=True))
        for habitat in range(1, count + 1):
            about = {"block": block, "habitat": habitat, "supervoxels": 40, "patients": 30, "share": 1 / count}
            for name in NAMES:
                middle = float(rng.normal())
                profiles.append({**about, "feature": name, "median": middle, "q1": middle - 0.5, "q3": middle + 0.5, "eta_squared": 0.5,
                                 "rank": ranks.get(name, NAN)})  # fmt: skip
            for split, outcome in (("train", 0), ("train", 1), ("external", 0), ("external", 1)):
                share = float(rng.uniform(0.2, 0.5))
                shares.append(
                    (block, habitat, split, outcome, 20, share, share - 0.1, share + 0.1, "bootstrap over patients")
                )
        for one in pictures:
            mask = read_mask_png(base64.b64decode(one["mask"]))
            j, i = np.indices(mask.shape)
            pieces = np.where(mask, 1 + j // 5 + 8 * (i // 6), 0)
            maps = {"supervoxels": pieces, "habitats": np.where(mask, 1 + pieces % count, 0)}
            if block == "het":
                maps["clusters"] = np.where(mask, 1 + pieces % 2, 0)
            files = {kind: label_png(labels.astype(np.int32)) for kind, labels in maps.items()}
            files |= {"pixels": one["pixels"], "mask": one["mask"]}
            for kind, path in habitat_paths(block, one["row"]).items():
                if kind in files:
                    write_bytes(folder / path, base64.b64decode(files[kind]))
            facts = {
                "region": region,
                "slices": 3,
                "plane": "axial",
                "left": "R",
                "top": "A",
                "unit": "mm",
                "supervoxels": 40,
            }
            rows.append({**one, **facts, "block": block, "clusters": 2 if block == "het" else NAN, "habitats": count})
    rows.append(
        {**{key: pictures[0][key] for key in ("row", "patient", "image")}, "block": "het", "note": "no picture"}
    )
    tables = folder / "tables"
    pd.DataFrame(profiles)[["block", *PROFILE_COLUMNS]].to_csv(tables / "habitats.csv", index=False)
    pd.DataFrame(shares, columns=SHARE_COLUMNS).to_csv(tables / "habitat_shares.csv", index=False)
    pd.DataFrame(rows).reindex(columns=HABITAT_COLUMNS).to_csv(tables / "habitat_pictures.csv", index=False)


def _network(folder: Path, pictures: list[dict[str, Any]]) -> None:
    """Maps of a network over the lesions of `pictures`, and its learning curves in two folds and the final fit."""
    rows = []
    for number, one in enumerate(pictures):
        mask = read_mask_png(base64.b64decode(one["mask"]))
        j, i = np.indices(mask.shape)
        values = np.exp(-((j - 20 - number) ** 2 + (i - 25) ** 2) / 200)
        values[:2] = NAN
        mapped, low, high = grey_png(values)
        files = {"pixels": one["pixels"], "mask": one["mask"], "map": mapped}
        for kind, path in network_paths("net", one["row"]).items():
            write_bytes(folder / path, base64.b64decode(files[kind]))
        facts = {"model": "lasso", "block": "net", "network": "resnet10_narrow", "trained": "without the training patients shown",
                 "unseen": number != 1, "method": "grad_cam", "layer": "layer3", "target": 1, "probability": 0.3 + 0.05 * number,
                 "slices": 3, "plane": "axial", "left": "R", "top": "A", "unit": "mm", "map_low": low, "map_high": high,
                 "gradient": 0.0 if number == 2 else 0.1,
                 "share_in_lesion": 0.5, "lesion_share": 0.4, "spearman": 0.1, "ssim": 0.2}  # fmt: skip
        rows.append({**one, **facts})
    rows.append({**{key: pictures[0][key] for key in ("row", "patient", "image")}, "block": "net", "note": "no map"})
    pd.DataFrame(rows).reindex(columns=NETWORK_COLUMNS).to_csv(folder / "tables" / "network_maps.csv", index=False)
    curves = []
    for model in ("lasso", "random-forest"):
        for repeat, fold in ((1, 1), (1, 2), (NAN, NAN)):
            for epoch in range(1, 6):
                training, validation = 0.7 / epoch, 0.8 - 0.1 * epoch + 0.02 * epoch**2 + 0.01 * np.nan_to_num(fold)
                curves.append(
                    (
                        model,
                        "net",
                        "network net",
                        repeat,
                        fold,
                        "training",
                        epoch,
                        training,
                        validation,
                        0.6,
                        epoch == 3,
                    )
                )
    pd.DataFrame(curves, columns=CURVE_COLUMNS).to_csv(folder / "tables" / "learning_curves.csv", index=False)


def _explanation(rng: np.random.Generator, folder: Path, model: str, names: tuple[str, ...], who: list[str]) -> None:
    """The tables of [explain], summarised from folds drawn at random."""
    folds = []
    for fold in range(5):
        patients = who[fold::5]
        values = rng.normal(size=(len(patients), len(names)))
        folds.append(
            {
                "scale": "log odds",
                "method": "exact, sum of one-column terms",
                "error": 2e-16,
                "base": -1.0,
                "patients": patients,
                "features": list(names),
                "values": values.tolist(),
                "shap": (values * rng.normal(size=len(names))).tolist(),
                "importance": rng.normal(0.02, 0.02, size=len(names)).tolist(),
            }
        )
    clusters = {name: 1 + i // 2 for i, name in enumerate(names)}
    pd.DataFrame([summary.overview(model, folds)]).to_csv(folder / "explanation.csv", index=False)
    table = summary.features(folds, clusters, ratio=0.25, confidence=0.95)
    table.to_csv(folder / f"explanation_{model}.csv", index=False)
    families = {"glcm": [name for name in names if "glcm" in name]}
    groups = summary.groups(folds, clusters, families)
    groups.to_csv(folder / f"explanation_groups_{model}.csv", index=False)
    vimp = [(model, "glcm", 0.031, 0.012), (model, "glszm", 0.004, 0.001)]
    columns = ["model", "group", "importance", "importance_whole_forest"]
    pd.DataFrame(vimp, columns=columns).to_csv(folder / "importance_of_groups.csv", index=False)
    values = summary.values(folds, [(1, fold + 1) for fold in range(5)])
    values.to_csv(folder / f"shap_{model}.csv", index=False)
    x = np.linspace(-2, 2, 9)
    curves = [
        pd.DataFrame(
            {
                "feature": name,
                "kind": kind,
                "x": x,
                "estimate": level + 0.1 * x,
                "lower": level - 0.1,
                "upper": level + 0.1,
            }
        )
        for name in table["feature"].head(4)
        for kind, level in (("partial dependence", 0.4), ("local effects", 0.0))
    ]
    pd.concat(curves).to_csv(folder / f"curves_{model}.csv", index=False)


def _lasso(folder: Path, model: str) -> None:
    """A path of twelve features that enter one after the other, and a deviance with a smallest value."""
    penalty = np.geomspace(0.2, 0.004, 30)
    size = np.clip(1 - penalty[:, None] / np.geomspace(0.18, 0.006, len(FEATURES)), 0, None)
    size *= np.where(np.arange(len(FEATURES)) % 2, -0.4, 0.6)
    path = pd.DataFrame(size, columns=list(FEATURES)).assign(penalty=penalty)
    path = path.melt("penalty", var_name="feature", value_name="coefficient")
    path.to_csv(folder / f"lasso_path_{model}.csv", index=False)
    score = 1.0 + 0.1 * (np.log(penalty) - np.log(0.02)) ** 2
    cv = pd.DataFrame({"penalty": penalty, "measure": "deviance", "score": score, "standard_error": 0.05})
    cv["nonzero"] = (size != 0).sum(axis=1)
    best = int(score.argmin())
    cv["mark"] = ["min" if i == best else "1se" if i == 13 else "" for i in range(len(cv))]
    cv.assign(used=cv.index == best).to_csv(folder / f"lasso_cv_{model}.csv", index=False)


def _nomogram() -> pd.DataFrame:
    """Points of a few predictors; names long, an axis short, levels close together, gaps."""
    axes = [
        number_axis("age", 0.05, pretty(21, 88), missing=2.6),
        number_axis("original_gldm_DependenceNonUniformityNormalized", -31.0, pretty(0.031, 0.113)),
        number_axis("tsh", 0.002, pretty(0.2, 9)),
        level_axis("sex", {"female": 0.0, "male": 0.4}),
        level_axis(
            "histology", {"papillary": 0.0, "follicular": 0.12, "oncocytic": 0.2, "poorly differentiated": 0.31}
        ),
    ]
    return nomogram_table(make_nomogram(axes, -3.0))


def _quality(kept: pd.DataFrame) -> pd.DataFrame:
    """Three checks of every image: a limit that nine break, one that all keep, and one without a limit."""
    rows = []
    for i, patient in enumerate(kept["patient"]):
        spacing = 6.5 - i / 100 if i < 9 else 3.0
        rows.append((i, patient, "ct", "slice_spacing", spacing, "mm", "<= 5", spacing <= 5))
        rows.append((i, patient, "ct", "volume", 900.0 + i, "mm3", ">= 50", True))
        rows.append((i, patient, "ct", "anisotropy", NAN if i == 0 else spacing, "", "", NAN))
    return pd.DataFrame(rows, columns=["row", "patient", "block", "check", "value", "unit", "limit", "passed"])


def _acquisition(rng: np.random.Generator, kept: pd.DataFrame) -> pd.DataFrame:
    far = (kept["centre"] == "Harbour").to_numpy()
    return pd.DataFrame(
        {
            "row": kept["row"],
            "patient": kept["patient"],
            "centre": kept["centre"],
            "image": "ct",
            "vendor": np.where(far, "Northlight", "Acme Imaging"),
            "model": np.where(far, "NL-64", "Scan 2"),
            "kvp": np.where(far, 100, rng.choice([100, 120], size=len(kept))),
            "kernel": np.where(far, "sharp", "standard"),
            "slice_thickness_mm": np.where(far, 3.0, rng.choice([1.0, 1.25], size=len(kept))),
        }
    )


def _plan(
    folder: Path,
    models: tuple[str, ...],
    external: bool,
    images: bool,
    null_study: bool,
    repeats: int,
    clinical: bool,
) -> None:
    if images:
        cohort = '[cohort]\ntable = "cases.csv"\noutcome = "metastasis"\ntask = "binary"\n'
        cohort += '[cohort.include]\n"size > 1 cm" = "tumour_size_mm > 10"\n'
        cohort += '[[features]]\nname = "ct"\nimage = "ct"\nprofile = "pyradiomics"\nbin_width = 25.0\n'
        if clinical:
            cohort += '[clinical]\ncolumns = ["age", "sex", "tumour_size_mm", "tsh"]\n'
    else:
        cohort = '[table]\npath = "features.csv.gz"\nid = "ID"\noutcome = "metastasis"\ntask = "binary"\n'
    for model in models:
        quoted = json.dumps(model)
        blocks = json.dumps((["ct"] if images else []) + (["clinical"] if clinical or not images else []))
        cohort += (
            f'[[models]]\nname = {quoted}\nblocks = {blocks}\nsteps = ["impute", "scale", "correlation", "lasso"]\n'
        )
        cohort += 'estimator = "logistic"\n'
    text = PLAN.format(
        cohort=cohort,
        repeats=repeats,
        external='[validate.external]\ncentre = ["Harbour"]' if external else "",
        permutations=20 if null_study else 0,
        final="\0",
    )
    (folder / "plan.lock.toml").write_text(text.replace('"\0"', json.dumps(models[0])), encoding="utf-8")


def _provenance(folder: Path) -> None:
    facts = {
        "isthmus": "0.1.0",
        "command": ["run", "plan.toml", "--out", "run"],
        "versions": {"python": "3.11.2", "numpy": "2.3.1", "scikit-learn": "1.8.0"},
        "seed": 1,
        "inputs": {"plan.toml": "5f" * 32, "cases.csv": "a7" * 32},
        "machine": {"system": "Linux", "processor": "x86_64", "cores": 2},
        "started": "2026-11-20T09:00:00+00:00",
        "ended": "2026-11-20T09:04:12+00:00",
    }
    (folder / "provenance.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
