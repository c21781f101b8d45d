"""Segmentation networks side by side: Dice of cases that were held out, and the AUC that follows from features of their masks.

Three steps, so that the middle one can run on a machine with a GPU and without readers of images:

    python benchmarks/segmentation.py prepare --data neck --out neck.npz [--patients 60]     (or --data sts: MR T1 of data/sts)
    python benchmarks/segmentation.py run neck.npz --out results [--networks cbam_unet unet ...] [--dims 2 3] [--epochs 40 | --minutes 0.5]
    python benchmarks/segmentation.py judge neck.npz results

and, apart from them, the memory that drawing takes: `python benchmarks/segmentation.py memory`.

`run` needs torch, MONAI and what `isthmus.segment` imports (pydantic, pandas, scipy, scikit-learn), not the core, SimpleITK, pydicom
or nibabel. It writes one JSON and one .npz of masks a network; finished ones are not repeated. `judge` measures features of the masks with
the engine, compares networks, and prints the tables.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import logging
import os
import platform
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np

log = logging.getLogger("isthmus")

SPACING = {"neck": (3.0, 1.5, 1.5), "sts": (4.0, 2.0, 2.0)}
NETWORKS = ("cbam_unet", "plain_unet", "unet", "attention_unet", "dynunet", "swin_unetr", "swin_unet", "medt")
SEED = 1
LEAST_VOXELS = 8
"""A mask of no more is an empty one: there is nothing to measure."""


def without_core() -> None:
    """`isthmus` imports its core early and training never calls it: where it was not built, a stand-in that refuses to compute."""
    if importlib.util.find_spec("isthmus._core") is None:

        class Absent(types.ModuleType):
            def __getattr__(self, name: str) -> Any:
                if name.startswith("__"):
                    raise AttributeError(name)

                def refuse(*_given: object, **_named: object) -> None:
                    raise RuntimeError(f"the compiled core is not here ({name})")

                return refuse

        sys.modules["isthmus._core"] = Absent("isthmus._core")


# ---------------------------------------------------------------------- prepare


def prepare(given: argparse.Namespace) -> None:
    """All cases in one file: images on one spacing (int16, or float16 in units of the image's own spread), labels, patients, outcome."""
    rows, arrays = (_necks if given.data == "neck" else _sarcomas)(given)
    names = {"neck": ["thyroid", "lesion"], "sts": ["lesion"]}[given.data]
    values = {"neck": {"thyroid": 1, "lesion": 11}, "sts": {"lesion": 1}}[given.data]
    about = {"data": given.data, "spacing_mm": SPACING[given.data], "labels": {n: values[n] for n in names}, "rows": rows,
             "normalisation": "ct" if given.data == "neck" else "z_score"}  # fmt: skip
    np.savez_compressed(given.out, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    print(f"{given.out}: {len(rows)} cases, {given.out.stat().st_size / 2**20:.1f} MiB")


def _necks(given: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from isthmus.synthetic.neck import make_neck_case
    from isthmus.synthetic.truth import draw_truth

    truth: Any = draw_truth(given.patients, centres=("A",), signal=2.0, seed=SEED, null=False).to_dict("records")
    rows, arrays = [], {}
    for number, patient in enumerate(truth):
        case = make_neck_case(patient, number, seed=SEED, pixel_mm=SPACING["neck"][1], slice_mm=SPACING["neck"][0])
        arrays[f"image{number}"] = case.values
        arrays[f"labels{number}"] = np.where(np.isin(case.labels, (1, 11)), case.labels, 0).astype(np.uint8)
        rows.append({"patient": patient["patient"], "outcome": int(patient["outcome"])})
    return rows, arrays


def _sarcomas(given: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    import pandas as pd

    from isthmus.image.io import read_image, read_labels
    from isthmus.image.resample import interpolate, resampled_geometry

    root = Path(os.environ.get("ISTHMUS_DATA", "../shared/data")) / "sts"
    outcome = pd.read_csv(root / "outcome.csv", index_col="patient")["lung_metastasis"]
    rows, arrays = [], {}
    for number, folder in enumerate(sorted(root.glob("STS_*"))):
        image, mask = read_image(folder / "MR_T1_image.nii.gz"), read_labels(folder / "MR_T1_mask.nii.gz")
        new = resampled_geometry(image.geometry, SPACING["sts"])
        values = interpolate(image.values, image.geometry, new, "linear")
        inside = interpolate((mask.values > 0).astype(np.float32), image.geometry, new, "linear") >= 0.5
        arrays[f"image{number}"] = (values / max(float(np.std(values)), 1e-6)).astype(np.float16)
        arrays[f"labels{number}"] = inside.astype(np.uint8)
        rows.append({"patient": folder.name, "outcome": int(outcome[folder.name])})
    return rows, arrays


def read(path: Path) -> tuple[dict[str, Any], list[Any], list[Any]]:
    with np.load(path) as held:
        about = json.loads(bytes(held["about"]))
        images = [held[f"image{n}"] for n in range(len(about["rows"]))]
        labels = [held[f"labels{n}"] for n in range(len(about["rows"]))]
    return about, images, labels


# ---------------------------------------------------------------------- run


def run(given: argparse.Namespace) -> None:
    """Cross-validate every network; one JSON a network and number of dimensions."""
    without_core()
    import torch

    from isthmus.segment.networks import NETWORKS as ROWS

    if given.device == "cpu":
        torch.set_num_threads(1)
    about, images, labels = read(given.file)
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.networks:
        if name not in ROWS:
            print(f"{name}: not in the registry, left out", flush=True)
            continue
        for dims in given.dims:
            target = given.out / f"{about['data']}-{name}-{dims}d.json"
            if dims not in ROWS[name].dims or target.exists():
                continue
            try:
                found, masks = cross_validate(name, dims, about, images, labels, given)
            except Exception as exc:  # one network that fails must not cost the others their turn
                print(f"{name} {dims}-D failed: {type(exc).__name__}: {str(exc)[:300]}", flush=True)
                continue
            np.savez_compressed(
                target.with_suffix(".npz"), **{f"mask{n}": np.packbits(mask) for n, mask in masks.items()}
            )
            target.write_text(json.dumps(found, indent=1) + "\n")
            print(line(found), flush=True)


def cross_validate(
    name: str, dims: int, about: dict[str, Any], images: list[Any], labels: list[Any], given: argparse.Namespace
) -> tuple[dict[str, Any], dict[int, Any]]:
    """The held-out Dice of every case, and its mask."""
    import torch

    from isthmus.segment.infer import predict_rows
    from isthmus.segment.networks import build
    from isthmus.segment.tidy import overlap
    from isthmus.segment.train import SegmentLearning, train

    device = given.device if given.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    order = np.random.default_rng(SEED).permutation(len(images))
    fold_of = {int(case): place % given.folds for place, case in enumerate(order)}
    learning = SegmentLearning.model_validate(
        {"epochs": given.epochs, "iterations": given.iterations, "minutes": given.minutes, "device": device, "momentum": given.momentum,
         "learning_rate": given.learning_rate, "validation_iterations": 0, "foreground": 0.5}
    )  # fmt: skip
    dice: dict[int, float] = {}
    masks: dict[int, Any] = {}
    trained_s, drawn_s, epochs, parameters, patch, batch = 0.0, 0.0, [], 0, (), 0
    for fold in range(given.folds):
        learned = [n for n in range(len(images)) if fold_of[n] != fold]
        configuration = _configuration(
            name, dims, about, [images[n] for n in learned], [labels[n] for n in learned], given
        )
        cases = {n: _case(n, about, images[n], labels[n], configuration) for n in range(len(images))}
        module = build(name, configuration.shape, seed=SEED + fold)
        parameters, patch, batch = sum(p.numel() for p in module.parameters()), configuration.patch, configuration.batch
        clock = time.perf_counter()
        trained = train(module, [cases[n] for n in learned], [], configuration, learning, seed=SEED + fold)
        trained_s, epochs = trained_s + time.perf_counter() - clock, [*epochs, len(trained.curve)]
        clock = time.perf_counter()
        for n in (n for n in range(len(images)) if fold_of[n] == fold):
            pieces = [
                piece.probabilities.argmax(0).cpu().numpy()
                for piece in predict_rows(
                    [trained.module], cases[n].image, configuration, device=device, mirror=given.mirror
                )
            ]
            masks[n] = np.concatenate(pieces) == configuration.lesion_class
            dice[n] = overlap(labels[n] == about["labels"]["lesion"], masks[n])
        drawn_s += time.perf_counter() - clock
    return {
        "data": about["data"], "network": name, "dims": dims, "parameters": parameters, "patch": patch, "batch": batch,
        "folds": given.folds, "epochs": epochs, "iterations": given.iterations, "device": _machine(device),
        "torch": torch.__version__, "train_s": round(trained_s, 1), "predict_s": round(drawn_s, 1),
        "dice": [dice[n] for n in range(len(images))], "date": str(datetime.date.today()),
    }, masks  # fmt: skip


def _machine(device: str) -> str:
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else f"CPU, {platform.machine()}"


def _configuration(
    name: str, dims: int, about: dict[str, Any], images: list[Any], labels: list[Any], given: argparse.Namespace
) -> Any:
    """Derived from the training cases of the fold; the spacing is the file's."""
    from isthmus.segment.configuration import CaseFacts, derive, for_training

    facts = [
        CaseFacts(image.shape, tuple(about["spacing_mm"]), image[mask > 0].astype(np.float32))
        for image, mask in zip(images, labels, strict=True)
    ]
    said: dict[str, Any] = {"spacing_mm": (0.0 if dims == 2 else about["spacing_mm"][0], *about["spacing_mm"][1:])}
    if given.patch:
        said["patch"] = [1, *given.patch[-2:]] if dims == 2 else given.patch
    if given.batch:
        said["batch"] = given.batch * (4 if dims == 2 else 1)
    derived = derive(
        facts, about["labels"], network=name, dims=dims, normalisation=about["normalisation"], memory_gb=given.memory_gb,
        base_channels=given.base_channels, given=said,
    )  # fmt: skip
    return for_training(derived, facts)


def _case(number: int, about: dict[str, Any], image: Any, labels: Any, configuration: Any) -> Any:
    """A training case; the file's grid is the network's."""
    from isthmus.segment.prepare import foreground
    from isthmus.segment.sample import TrainingCase

    values = image.astype(np.float32)
    if configuration.normalisation == "z_score":
        inside = values[values != 0]
        values = (values - inside.mean()) / max(float(inside.std()), 1e-8)
    classes = np.zeros(labels.shape, np.uint8)
    for place, structure in enumerate(configuration.names, start=1):
        classes[labels == about["labels"][structure]] = place
    return TrainingCase(
        str(number), about["rows"][number]["patient"], values.astype(np.float32), classes, foreground(classes, number)
    )


# ---------------------------------------------------------------------- judge


def interval(values: Any) -> tuple[float, float]:
    """95 % of the mean, patients drawn with replacement 2,000 times."""
    rng = np.random.default_rng(SEED)
    values = np.asarray(values)
    means = values[rng.integers(len(values), size=(2000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


HEAD = (
    "| data | network | dims | parameters | lesion Dice (95 %) | median | train, s | draw, s | device |\n"
    "| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |"
)


def line(found: dict[str, Any]) -> str:
    low, high = interval(found["dice"])
    return (
        f"| {found['data']} | {found['network']} | {found['dims']} | {found['parameters']:,} "
        f"| {np.mean(found['dice']):.3f} ({low:.3f} to {high:.3f}) | {np.median(found['dice']):.3f} "
        f"| {found['train_s']:.0f} | {found['predict_s']:.0f} | {found['device']} |"
    )


def judge(given: argparse.Namespace) -> None:
    """The table of Dice; paired differences from the CBAM network; the AUC of features of every network's masks and of the true ones."""
    about, images, labels = read(given.file)
    results = [json.loads(path.read_text()) for path in sorted(given.results.glob(f"{about['data']}-*.json"))]
    print(HEAD)
    for found in sorted(results, key=lambda one: -float(np.mean(one["dice"]))):
        print(line(found))
    outcome = np.array([row["outcome"] for row in about["rows"]])
    truth = [mask == about["labels"]["lesion"] for mask in labels]
    print("\n| masks | AUC of their features (95 %) | AUC minus that of the true masks (95 %) |\n| --- | --- | --- |")
    reference = scores(images, truth, about, outcome)
    print(f"| true | {area(reference, outcome)} | |")
    for found in results:
        path = given.results / f"{about['data']}-{found['network']}-{found['dims']}d.npz"
        with np.load(path) as held:
            masks = [
                np.unpackbits(held[f"mask{n}"], count=image.size).reshape(image.shape).astype(bool)
                for n, image in enumerate(images)
            ]
        label = f"{found['network']} {found['dims']}-D"
        empty = sum(mask.sum() <= LEAST_VOXELS for mask in masks)
        if empty == len(masks):
            print(f"| {label} | no lesion was drawn in any case | |", flush=True)
            continue
        mine = scores(images, masks, about, outcome)
        print(
            f"| {label} ({empty} empty) | {area(mine, outcome)} | {difference(mine, reference, outcome)} |",
            flush=True,
        )


def scores(images: list[Any], masks: list[Any], about: dict[str, Any], outcome: Any) -> Any:
    """Out-of-fold risks of a ridge logistic regression on the 107 features of each mask; an empty mask has the mean of every feature."""
    import pandas as pd
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import isthmus

    spacing = tuple(about["spacing_mm"])
    rows = []
    for image, mask in zip(images, masks, strict=True):
        values = image.astype(np.float32)
        rows.append(
            isthmus.extract((values, spacing), (mask.astype(np.uint8), spacing), profile="pyradiomics").astype(float)
            if mask.sum() > LEAST_VOXELS
            else pd.Series(dtype=float)
        )
    table = pd.DataFrame(rows).apply(pd.to_numeric, errors="coerce").dropna(axis=1, how="all")
    model = make_pipeline(
        SimpleImputer(keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.01, max_iter=2000, class_weight="balanced"),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    return cross_val_predict(model, table.to_numpy(), outcome, cv=folds, method="decision_function")


def _drawn(outcome: Any) -> Any:
    """Patients with replacement, so that both classes are there."""
    rng = np.random.default_rng(SEED)
    while True:
        rows = rng.integers(len(outcome), size=len(outcome))
        if 0 < outcome[rows].sum() < len(rows):
            yield rows


def area(risk: Any, outcome: Any) -> str:
    from itertools import islice

    from sklearn.metrics import roc_auc_score

    drawn = [roc_auc_score(outcome[rows], risk[rows]) for rows in islice(_drawn(outcome), 1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{roc_auc_score(outcome, risk):.3f} ({low:.3f} to {high:.3f})"


def difference(risk: Any, other: Any, outcome: Any) -> str:
    from itertools import islice

    from sklearn.metrics import roc_auc_score

    def apart(rows: Any) -> float:
        return float(roc_auc_score(outcome[rows], risk[rows]) - roc_auc_score(outcome[rows], other[rows]))

    low, high = np.percentile([apart(rows) for rows in islice(_drawn(outcome), 1000)], [2.5, 97.5])
    return f"{apart(np.arange(len(outcome))):+.3f} ({low:+.3f} to {high:+.3f})"


# ---------------------------------------------------------------------- memory


def memory(given: argparse.Namespace) -> None:
    """The peak of `isthmus segment predict` on a large CT with twelve classes, and on one of half the slices, a process each."""
    import subprocess

    for slices in (given.slices // 2, given.slices):
        subprocess.run([sys.executable, __file__, "one", str(given.folder), str(slices)], check=True)


def one_volume(given: argparse.Namespace) -> None:
    """Draw a CT of 512 x 512 pixels by a small untrained network, from file to file; print the process's peak."""
    import resource

    import torch

    from isthmus.deep.weights import save
    from isthmus.image import Geometry, Image
    from isthmus.image.io import write_image
    from isthmus.segment.configuration import CaseFacts, derive, for_training
    from isthmus.segment.folder import FILES, fold_folder
    from isthmus.segment.networks import build
    from isthmus.study.segment_predict import PredictSettings, segment_predict
    from isthmus.synthetic.neck import LABELS

    torch.set_num_threads(1)
    folder: Path = given.folder
    spacing = (1.0, 0.8, 0.8)
    facts = [CaseFacts((given.slices, 512, 512), spacing, np.linspace(-100, 300, 50).astype(np.float32))]
    said = {"patch": [32, 256, 256], "batch": 2}
    configuration = for_training(derive(facts, LABELS, network="unet", base_channels=4, given=said), facts)
    path = fold_folder(folder, 1) / FILES["weights"]
    path.parent.mkdir(parents=True, exist_ok=True)
    sha256 = save(build("unet", configuration.shape), path)
    (folder / FILES["configuration"]).write_text(configuration.to_json())
    (folder / FILES["record"]).write_text(json.dumps({"folds": [{"fold": 1, "sha256": sha256, "trained_on": []}]}))
    (folder / FILES["tidy"]).write_text("{}")
    geometry = Geometry((given.slices, 512, 512), spacing)
    ramp = (np.add.outer(np.arange(512), np.arange(512)) % 400 - 100).astype(np.int16)
    write_image(Image(np.broadcast_to(ramp, geometry.shape), geometry, "HU"), folder / "ct.nii.gz")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    clock = time.process_time()
    settings = PredictSettings(overlap=given.overlap, mirror=False, device="cpu", uncertainty=True)
    segment_predict(folder, folder / "out", settings, image=folder / "ct.nii.gz")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{given.slices} slices: peak {peak:.2f} GiB ({before:.2f} before), {time.process_time() - clock:.0f} s of CPU",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    one = steps.add_parser("prepare")
    one.add_argument("--data", choices=["neck", "sts"], required=True)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--patients", type=int, default=60, help="of the synthetic necks")
    one.set_defaults(step=prepare)
    two = steps.add_parser("run")
    two.add_argument("file", type=Path)
    two.add_argument("--out", type=Path, required=True)
    two.add_argument("--networks", nargs="*", default=list(NETWORKS))
    two.add_argument("--dims", nargs="*", type=int, default=[2, 3])
    two.add_argument("--folds", type=int, default=5)
    two.add_argument("--epochs", type=int, default=12)
    two.add_argument("--iterations", type=int, default=10, help="batches an epoch")
    two.add_argument("--minutes", type=float, help="of each training, at most")
    two.add_argument("--learning-rate", type=float, default=0.05)
    two.add_argument("--momentum", type=float, default=0.95)
    two.add_argument("--base-channels", type=int, default=8)
    two.add_argument("--patch", nargs=3, type=int, help="voxels; unset: from the data")
    two.add_argument("--batch", type=int, help="of volumes; four times as many slices. Unset: from the data")
    two.add_argument("--memory-gb", type=float, default=8.0)
    two.add_argument("--mirror", action="store_true", help="average over mirrorings")
    two.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    two.set_defaults(step=run)
    three = steps.add_parser("judge")
    three.add_argument("file", type=Path)
    three.add_argument("results", type=Path)
    three.set_defaults(step=judge)
    four = steps.add_parser("memory", help=memory.__doc__)
    four.add_argument("--folder", type=Path, default=Path("/tmp/segmentation-memory"))
    four.add_argument("--slices", type=int, default=600)
    four.set_defaults(step=memory)
    five = steps.add_parser("one", help=one_volume.__doc__)
    five.add_argument("folder", type=Path)
    five.add_argument("slices", type=int)
    five.add_argument("--overlap", type=float, default=0.0)
    five.set_defaults(step=one_volume)
    given = parser.parse_args()
    given.step(given)


if __name__ == "__main__":
    main()
