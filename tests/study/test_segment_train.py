"""`isthmus segment train` and `predict`, end to end on small synthetic necks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from isthmus.cohort.reading import read_cohort
from isthmus.errors import PlanError, TableError, WeightsError
from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, read_labels, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.roi.origin import read_origin
from isthmus.segment.folder import SegmentationModel
from isthmus.study import Plan
from isthmus.study.check import check_plan
from isthmus.study.data import cohort_request, draw_study
from isthmus.study.segment_predict import PredictSettings, segment_predict
from isthmus.study.segment_section import origins_table
from isthmus.study.segment_train import segment_train
from isthmus.study.segmentation import SegmentTrainSettings, segment_train_settings
from isthmus.synthetic.neck import LABELS, make_neck_cohort

CPU = PredictSettings(device="cpu", mirror=False)


def settings(**more: object) -> SegmentTrainSettings:
    """Two folds of two epochs of two batches, in the plane: enough to write every file."""
    train = {"epochs": 2, "iterations": 2, "validation_iterations": 1, "device": "cpu", **more}
    return SegmentTrainSettings.model_validate(
        {"dims": 2, "folds": 2, "base_channels": 4, "configuration": {"patch": [1, 32, 32], "batch": 2}, "train": train}
    )


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_neck_cohort(tmp_path_factory.mktemp("necks"), patients=4, seed=3, pixel_mm=3.2, slice_mm=6.0)


@pytest.fixture(scope="module")
def model(cohort: Path) -> Path:
    return segment_train(
        cohort.parent / "model", settings(), cases=cohort, labels=cohort.parent / "labels.json", seed=5
    )


@pytest.fixture(scope="module")
def drawn(cohort: Path, model: Path) -> Path:
    out = cohort.parent / "drawn"
    segment_predict(model, out, CPU, cases=cohort)
    return out


def test_every_patient_is_held_out_once(cohort: Path, model: Path) -> None:
    """The folds of `folds.csv` hold every patient of the table exactly once."""
    folds = pd.read_csv(model / "folds.csv")
    assert sorted(folds["patient"]) == sorted(pd.read_csv(cohort)["patient"])


def test_no_network_was_trained_on_the_patients_it_is_judged_by(model: Path) -> None:
    """The hashes in a network's record are not those of its fold's patients."""
    opened, folds = SegmentationModel.open(model), pd.read_csv(model / "folds.csv", index_col="patient")["fold"]
    known = [opened.unseen_by(patient, "")[0] for patient in folds.index]
    assert [[fold.number for fold in able] for able in known] == [[fold] for fold in folds]


@pytest.fixture(scope="module")
def other_voxels(cohort: Path, model: Path) -> Path:
    """A model of the same cases, but that the voxels of those held out from fold 1 hold other values (air stays what tells HU)."""
    out = cohort.parent / "other_voxels"
    out.mkdir()
    rows, folds = pd.read_csv(cohort), pd.read_csv(model / "folds.csv", index_col="patient")["fold"]
    for column in ("image:ct", "mask:ct"):
        rows[column] = [str(cohort.parent / name) for name in rows[column]]
    for number in np.flatnonzero(rows["patient"].map(folds) == 1):
        image = read_image(Path(rows.loc[number, "image:ct"]))
        values = np.where(image.values > -500, 3 * image.values + 7, image.values).astype(np.int16)
        path = out / f"{number}.nii.gz"
        write_image(Image(values, image.geometry, "HU"), path)
        rows.loc[number, "image:ct"] = str(path)
    rows.to_csv(out / "cases.csv", index=False)
    return segment_train(
        out / "model", settings(), cases=out / "cases.csv", labels=cohort.parent / "labels.json", seed=5
    )


def _network(folder: Path, number: int) -> tuple[bytes, object]:
    """The bytes of a fold's network, and what it standardises by."""
    fold = SegmentationModel.open(folder).folds[number - 1]
    return fold.weights.read_bytes(), fold.intensities


def test_nothing_of_a_held_out_case_reaches_the_network_of_its_fold(model: Path, other_voxels: Path) -> None:
    """Other voxels in the held-out images: the same network to the byte, and the same intensities to standardise by."""
    assert _network(model, 1) == _network(other_voxels, 1)


def test_a_network_standardises_by_what_it_was_trained_on(model: Path, other_voxels: Path) -> None:
    """Other voxels in the training images: both the intensities and the network are others."""
    ours, theirs = _network(model, 2), _network(other_voxels, 2)
    assert (ours[0] != theirs[0], ours[1] is not None and ours[1] != theirs[1]) == (True, True)


def test_each_network_of_an_ensemble_standardises_by_its_own_intensities() -> None:
    """One image in two units, read by one network with the intensities of either unit: the same probabilities."""
    from isthmus.segment.configuration import Configuration, Intensities
    from isthmus.segment.infer import predict_rows
    from isthmus.segment.networks import build

    shared = Configuration(
        network="plain_unet", dims=2, labels={"lesion": 1}, spacing_mm=(0, 1, 1), patch=(1, 16, 16), channels=(4, 8),
        kernels=((3, 3), (3, 3)), strides=((1, 1), (2, 2)),
    )  # fmt: skip
    module = build("plain_unet", shared.shape, seed=1).eval()
    image = np.random.default_rng(2).integers(-64, 64, (2, 16, 16)).astype(np.float32)
    units = Intensities(low=-32, high=32, mean=4, sd=16), Intensities(low=-128, high=128, mean=16, sd=64)
    ours = next(iter(predict_rows([module, module], image, shared, intensities=units))).lesions
    theirs = next(iter(predict_rows([module, module], 4 * image, shared, intensities=units))).lesions
    assert np.array_equal(ours[0].numpy(), theirs[1].numpy())


def test_training_cases_are_drawn_out_of_fold(drawn: Path) -> None:
    """Each by the one network that never saw it, and the table says so."""
    table = pd.read_csv(drawn / "predictions.csv")
    assert (list(table["seen"]), list(table["networks"])) == (["out_of_fold"] * 4, [1] * 4)


def test_masks_drawn_now_are_those_of_training(model: Path, drawn: Path) -> None:
    """The out-of-fold masks that training wrote, voxel by voxel, where nothing is cleaned and mirrored alike."""
    mirrored = drawn.parent / "mirrored"
    row = pd.read_csv(drawn / "predictions.csv").iloc[0]
    segment_predict(model, mirrored, PredictSettings(device="cpu"), cases=_one_row(drawn.parent / "cases.csv", 0))
    ours, theirs = (read_labels(folder / row["mask"]).values for folder in (mirrored, model / "out_of_fold"))
    largest = SegmentationModel.open(model).largest
    values = [LABELS[name] for name in LABELS if name not in largest]
    assert np.array_equal(np.where(np.isin(ours, values), ours, 0), np.where(np.isin(theirs, values), theirs, 0))


def _one_row(cases: Path, number: int) -> Path:
    path = cases.with_name(f"one{number}.csv")
    pd.read_csv(cases).iloc[[number]].to_csv(path, index=False)
    return path


def test_a_mask_lies_exactly_on_its_image(cohort: Path, drawn: Path) -> None:
    """Shape, spacing, origin and direction of the file read again."""
    row = pd.read_csv(drawn / "predictions.csv").iloc[0]
    image, mask = read_image(cohort.parent / Path(row["image"])), read_labels(drawn / row["mask"])
    assert np.array_equal(image.geometry.affine, mask.geometry.affine)


def test_a_mask_says_which_model_drew_it(model: Path, drawn: Path) -> None:
    """Its origin: a network, and the model's fingerprint."""
    row = pd.read_csv(drawn / "predictions.csv").iloc[0]
    origin = read_origin(drawn / row["mask"])
    said = None if origin is None else (origin.kind, origin.facts["model"])
    assert said == ("network", SegmentationModel.open(model).fingerprint)


def test_left_and_right_are_never_mirrored_where_labels_name_a_side(model: Path) -> None:
    """Axis 2 is not among the mirrored ones."""
    assert 2 not in json.loads((model / "configuration.json").read_text())["mirror"]


@pytest.fixture(scope="module")
def completed(cohort: Path, model: Path) -> pd.DataFrame:
    """The table of a study of which the second row has no mask, after `--missing`."""
    out = cohort.parent / "completed"
    rows = pd.read_csv(cohort)
    rows.loc[1, "mask:ct"] = None
    rows.to_csv(cohort.with_name("gap.csv"), index=False)
    segment_predict(model, out, CPU.model_copy(update={"missing": True}), cases=cohort.with_name("gap.csv"))
    return pd.read_csv(out / "cases.csv")


def test_only_rows_without_a_mask_are_drawn(completed: pd.DataFrame, cohort: Path) -> None:
    """The others keep theirs, and every row's origin is told."""
    before = [str(cohort.parent / name) for name in pd.read_csv(cohort)["mask:ct"]]
    now = list(completed["mask:ct"])
    drawn = [
        name == f"{completed['patient'][1]}.nii.gz" if place == 1 else name == before[place]
        for place, name in enumerate(now)
    ]
    assert (drawn, list(completed["mask_origin"])) == ([True] * 4, ["unknown", "network", "unknown", "unknown"])


def test_a_row_that_names_a_mask_that_is_not_there_is_not_drawn(cohort: Path, model: Path, tmp_path: Path) -> None:
    """It is named instead: likelier misspelt than missing."""
    rows = pd.read_csv(cohort)
    rows.loc[1, "mask:ct"] = "masks/misspelt.nii.gz"
    rows.to_csv(cohort.with_name("misspelt.csv"), index=False)
    with pytest.raises(TableError, match=r"names files that are not there: .*misspelt\.nii\.gz"):
        segment_predict(
            model, tmp_path, CPU.model_copy(update={"missing": True}), cases=cohort.with_name("misspelt.csv")
        )


@pytest.fixture(scope="module")
def planned(cohort: Path, model: Path) -> tuple[Plan, Path]:
    """A plan with [segment] on a table of which the second row has no mask, and one of a stranger; what the run would draw."""
    rows = pd.read_csv(cohort).assign(y=[0, 1, 0, 1], split=["train", "external", "train", "train"])
    rows.loc[1, "mask:ct"] = None
    rows.to_csv(cohort.with_name("study.csv"), index=False)
    document = {
        "cohort": {"table": "study.csv", "outcome": "y"},
        "segment": {"model": model.name, "mirror": False, "device": "cpu"},
        "features": [{"name": "ct", "image": "ct", "profile": "pyradiomics", "label": 11}],
    }
    plan, run = Plan.parse(document, base=cohort.parent), cohort.parent / "run"
    draw_study(plan, run)
    return plan, run


def test_a_plan_draws_as_predict_does(planned: tuple[Plan, Path], drawn: Path, model: Path) -> None:
    """[segment] and `segment predict`: the same voxels, by the network that had never seen the patient, which the origin says."""
    row = pd.read_csv(planned[1] / "masks" / "masks.csv").iloc[1]
    ours, theirs = (read_labels(folder / row["mask"]).values for folder in (planned[1] / "masks", drawn))
    origin = read_origin(planned[1] / "masks" / row["mask"])
    assert origin is not None
    said = (row["seen"], origin.kind, origin.facts["model"])
    assert (np.array_equal(ours, theirs), said) == (
        True,
        ("out_of_fold", "network", SegmentationModel.open(model).fingerprint),
    )


def test_a_patient_of_a_test_set_who_trained_the_network_is_counted(planned: tuple[Plan, Path]) -> None:
    """His mask is by networks that never saw him, and the table of origins says that others of the model did."""
    plan, run = planned
    assert plan.cohort is not None
    cohort = read_cohort(plan.cohort, **cohort_request(plan))
    table = origins_table(plan, cohort.cases.set_index("row", drop=False), cohort.outcome, run).set_index("origin")
    assert table.loc["network", ["masks", "unseen_out_of_fold", "held_out_cases"]].tolist() == [1, 1, 4]


def test_a_network_trained_on_everybody_draws_nobody_as_unseen(planned: tuple[Plan, Path], model: Path) -> None:
    """One network on all cases: `check` and the run name the case and leave it out."""
    everyone = planned[1].parent / "everyone"
    shutil.copytree(model, everyone)
    record = json.loads((everyone / "training.json").read_text())
    known = sorted({name for fold in record["folds"] for name in fold["trained_on"]})
    record["folds"] = [{**record["folds"][0], "trained_on": known}]
    (everyone / "training.json").write_text(json.dumps(record))
    document = {**planned[0].document(), "segment": {"model": "everyone", "mirror": False, "device": "cpu"}}
    plan = Plan.parse(document, base=planned[0].base)
    draw_study(plan, planned[1].parent / "run2")
    row = pd.read_csv(planned[1].parent / "run2" / "masks" / "masks.csv").iloc[1]
    (plan.base / "everyone.toml").write_text(plan.dump())
    said = [
        problem.what
        for problem in check_plan(plan.base / "everyone.toml", workers=1).problems
        if problem.severity == "case"
    ]
    assert (pd.isna(row["mask"]), *("was trained on this case" in text for text in (row["reason"], *said))) == (
        True,
        True,
        True,
    )


def test_a_training_case_is_cleaned_by_a_choice_it_took_no_part_in(model: Path, tmp_path: Path) -> None:
    """The largest part helps the cases of one fold and harms those of the other: each is cleaned as the other fold's cases say."""
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    table = pd.read_csv(copy / "validation.csv")
    mine = table["fold"] == 1
    table["dice"], table["dice_largest"] = np.where(mine, 0.5, 0.8), np.where(mine, 0.9, 0.6)
    table.to_csv(copy / "validation.csv", index=False)
    opened = SegmentationModel.open(copy)
    assert [("lesion" in opened.largest_without(fold)) for fold in opened.folds] == [False, True]


def test_an_unseen_patient_is_drawn_by_all_networks(cohort: Path, model: Path, tmp_path: Path) -> None:
    """Another cohort's patient, under a new name."""
    other = make_neck_cohort(tmp_path / "other", patients=1, seed=9, pixel_mm=3.2, slice_mm=6.0)
    image = other.parent / pd.read_csv(other)["image:ct"][0]
    new = tmp_path / "stranger.nii.gz"
    new.write_bytes(image.read_bytes())
    segment_predict(model, tmp_path / "out", PredictSettings(device="cpu", mirror=False, uncertainty=True), image=new)
    row = pd.read_csv(tmp_path / "out" / "predictions.csv").iloc[0]
    assert (row["seen"], row["networks"], 0 <= row["confidence"] <= 1) == ("unseen", 2, True)


def test_a_renamed_training_image_is_known_again(cohort: Path, model: Path, tmp_path: Path) -> None:
    """By its voxels: drawn out of fold, whatever it is called."""
    new = tmp_path / "stranger.nii.gz"
    new.write_bytes((cohort.parent / pd.read_csv(cohort)["image:ct"][0]).read_bytes())
    segment_predict(model, tmp_path / "out", CPU, image=new)
    assert pd.read_csv(tmp_path / "out" / "predictions.csv")["seen"][0] == "out_of_fold"


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(cohort: Path, model: Path) -> None:
    """Stopped after the first epoch of the first fold; the weights of all folds are those of the one never stopped."""
    from isthmus.segment import train as module

    out, real = cohort.parent / "stopped", module._write

    def stop(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    module._write = stop  # type: ignore[assignment]
    try:
        with pytest.raises(KeyboardInterrupt):
            segment_train(out, settings(), cases=cohort, labels=cohort.parent / "labels.json", seed=5)
    finally:
        module._write = real
    segment_train(out, settings(), cases=cohort, labels=cohort.parent / "labels.json", seed=5, resume=True)
    assert SegmentationModel.open(out).fingerprint == SegmentationModel.open(model).fingerprint


def test_a_stopped_training_is_not_written_over(cohort: Path, tmp_path: Path) -> None:
    """Neither in silence nor with other settings."""
    (tmp_path / "settings.json").write_text('{"seed": 1}')
    with pytest.raises(PlanError, match="--resume goes on"):
        segment_train(tmp_path, settings(), cases=cohort, labels=cohort.parent / "labels.json")


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """With what is missing."""
    with pytest.raises(PlanError, match=r"training\.json is missing"):
        segment_predict(tmp_path, tmp_path / "out", CPU, image=tmp_path / "x.nii.gz")


def test_weights_that_were_changed_are_refused(cohort: Path, model: Path, tmp_path: Path) -> None:
    """The checksum of the record decides."""
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    path = copy / "fold_1" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    opened = SegmentationModel.open(copy)
    with pytest.raises(WeightsError, match="the file was changed"):
        opened.module(opened.folds[0], "cpu")


def test_a_lesion_that_is_not_there_is_a_reason(cohort: Path, tmp_path: Path) -> None:
    """Every mask without the value 11: no case is left, and the first says why."""
    rows = pd.read_csv(cohort)
    for number, name in enumerate(rows["mask:ct"]):
        labels = read_labels(cohort.parent / name)
        path = tmp_path / f"{number}.nii.gz"
        write_labels(
            LabelImage(np.where(labels.values == 11, 0, labels.values).astype(np.uint8), labels.geometry), path
        )
        rows.loc[number, "mask:ct"] = str(path)
    rows["image:ct"] = [str(cohort.parent / name) for name in rows["image:ct"]]
    rows.to_csv(tmp_path / "cases.csv", index=False)
    with pytest.raises(TableError, match=r"the lesion \(lesion = 11\) is not in the mask"):
        segment_train(tmp_path / "out", settings(), cases=tmp_path / "cases.csv", labels=cohort.parent / "labels.json")


def test_folds_are_those_of_the_study(cohort: Path) -> None:
    """With the outcome and the seed, the first repeat's outer folds of [validate]."""
    from isthmus.study.extract import files_given
    from isthmus.study.segment_train import _folds
    from isthmus.validate.splits import outer_splits

    table = cohort.with_name("twelve.csv")
    rows = pd.DataFrame(
        {"patient": [f"P{n:02d}" for n in range(12)], "metastasis": [0, 1] * 6, "image:ct": "x", "mask:ct": "y"}
    )
    rows.to_csv(table, index=False)
    files = files_given(None, None, table, None, mask_name="image")
    dealt = _folds(files, table, "metastasis", 3, 7)
    splits = outer_splits(rows.set_index("patient")["metastasis"], folds=3, repeats=1, seed=7)
    assert dealt == {patient: split.fold for split in splits for patient in split.test}


def test_context_of_totalsegmentator_is_read_by_name(cohort: Path, tmp_path: Path) -> None:
    """One file a structure, merged under the lesion: the cohort's own label map again."""
    from isthmus.segment.labels import CONTEXT, TOTALSEGMENTATOR
    from isthmus.study.extract import files_given
    from isthmus.study.segmentation import Structures, read_case

    rows = pd.read_csv(cohort).iloc[:1]
    truth = read_labels(cohort.parent / rows["mask:ct"][0])
    folder = tmp_path / "totalseg" / str(rows["patient"][0])
    folder.mkdir(parents=True)
    for name, value in CONTEXT.items():
        structure = LabelImage((truth.values == value).astype(np.uint8), truth.geometry)
        write_labels(structure, folder / f"{TOTALSEGMENTATOR[name]}.nii.gz")
    case = files_given(None, None, _one_row(cohort, 0), None, mask_name="image")[0]
    _, labels = read_case(case, "ct", Structures(None, "lesion", "totalseg/{patient}", tmp_path))
    assert np.array_equal(labels, truth.values)


def test_an_unknown_setting_is_named(tmp_path: Path) -> None:
    """With the nearest known one."""
    with pytest.raises(PlanError, match="epochs"):
        segment_train_settings(settings=["train.epoch=3"])


def test_axes_run_along_the_patient_whatever_the_file_says() -> None:
    """A sagittal array turned and brought back is the same, and its rows run from feet to head."""
    from isthmus.segment.prepare import Axes

    values = np.arange(24).reshape(2, 3, 4)
    direction = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # k to the left, j to the feet, i backwards
    axes = Axes.of(Geometry((2, 3, 4), (1, 1, 1), direction=direction))
    turned = axes.to_patient(values)
    assert (turned.shape, np.array_equal(turned, values[:, ::-1].transpose(1, 2, 0)), np.array_equal(axes.back(turned), values)) == (
        (3, 4, 2), True, True,
    )  # fmt: skip
