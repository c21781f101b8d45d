"""The commands. Each reads its arguments, calls the Python API and says what happened; nothing is computed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.biology import associate, ihc, protein
from isthmus.cli.contents import InOrder
from isthmus.cli.deep import deep
from isthmus.cli.deidentify import deidentify
from isthmus.cli.options import (
    CaseTable,
    ImageFile,
    Lesion,
    MaskFile,
    OneImage,
    OneMask,
    Out,
    Perturb,
    Root,
    Workers,
)
from isthmus.cli.outcome import DONE, EXCLUSIONS, WRONG, set_up_logging
from isthmus.cli.pathology import pathology
from isthmus.cli.reading import reading
from isthmus.cli.review import review
from isthmus.cli.segment import segment
from isthmus.cli.web import app as web_app

app = typer.Typer(
    name="isthmus",
    cls=InOrder,
    help="A whole radiomics study from one plan file: scans, masks and a table in; a validated, reported risk model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(deep)
app.add_typer(pathology)
app.add_typer(segment, name="segment")
app.add_typer(reading, name="reading")
app.add_typer(review, name="review")
for _command in (protein, ihc, associate, web_app, deidentify):
    app.command()(_command)

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
ProfileName = Annotated[
    str, typer.Option("--profile", help="Whose definitions: pyradiomics, ibsi, ...; a wrong name lists them all.")
]
PlanFile = Annotated[Path, typer.Argument(help="The plan (plan.toml).", metavar="PLAN")]


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
) -> None:
    if version:
        from isthmus import __version__

        print(__version__)
        raise typer.Exit(DONE)
    set_up_logging(verbose=verbose)


@app.command()
def demo(
    out: Out = Path("runs/demo"),
    patients: Annotated[int, typer.Option("--patients", min=24, help="Cases of the synthetic cohort.")] = 120,
    signal: Annotated[float, typer.Option("--signal", min=0, help="Strength of the planted signal; 0: none.")] = 1.0,
    workers: Workers = 0,
) -> None:
    """Make a synthetic two-centre cohort whose truth is known, run the whole study, print where the report is."""
    from isthmus.report import write_report
    from isthmus.study.demo import run_demo

    print(write_report(run_demo(out, patients=patients, signal=signal, workers=workers)).resolve())


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A folder of images and masks.", metavar="FOLDER")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where cases.csv and plan.toml go (default: FOLDER).")
    ] = None,
) -> None:
    """Look at a folder of images and masks; write cases.csv and a commented plan.toml to start from."""
    from isthmus.study.start import start_study

    for line in start_study(folder, out or folder):
        print(line)


@app.command()
def check(plan: PlanFile, workers: Workers = 0, as_json: AsJson = False) -> None:
    """Read plan and data, run nothing: every problem with its case, what was expected, what to do."""
    from isthmus.study.check import check_plan

    found = check_plan(plan, workers=workers)
    if as_json:
        print(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
    else:
        print(found.as_text())
    raise typer.Exit(found.exit_code)


@app.command()
def extract(
    out: Out,
    image: ImageFile = None,
    mask: MaskFile = None,
    cases: CaseTable = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label", help="Value in the mask, or name of an RTSTRUCT's ROI; 1+2: both as one; 1,2 or all: a row each."
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="Whose definitions: pyradiomics, ibsi ... (a wrong name lists all).")
    ] = "pyradiomics",
    params: Annotated[Path | None, typer.Option("--params", help="A PyRadiomics parameter file, unchanged.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the profile, [image] or [roi]: bin_width=0.25, ring_mm=[0,5].",
        ),
    ] = None,
    perturb: Perturb = None,
    root: Root = None,
    save_images: Annotated[
        Path | None,
        typer.Option("--save-images", help="A folder; it gets image, masks and response maps as they were measured."),
    ] = None,
    workers: Workers = 0,
) -> None:
    """Features of one case (--image, --mask) or of many (--cases), as .csv or .parquet with the facts of every column beside it."""
    from isthmus.study.extract import extract_to_file

    excluded = extract_to_file(
        out, image=image, mask=mask, cases=cases, label=label, profile=profile, params=params, settings=settings or [],
        perturb=perturb or [], root=root, save_images=save_images, workers=workers,
    )  # fmt: skip
    print(out)
    raise typer.Exit(EXCLUSIONS if excluded else DONE)


@app.command()
def habitat(
    out: Annotated[
        Path, typer.Option("--out", help="A folder; it gets features.csv, reasons.csv, label maps, figures.")
    ],
    image: ImageFile = None,
    mask: MaskFile = None,
    cases: CaseTable = None,
    label: Lesion = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="supervoxels.volume_mm3=200, features.bin_width=10, ited.variant=compat, ith3d.clusters=4.",
        ),
    ] = None,
    perturb: Perturb = None,
    root: Root = None,
    figures: Annotated[
        bool | None,
        typer.Option("--figures/--no-figures", help="Draw each lesion (default: of one case, not of many)."),
    ] = None,
    workers: Workers = 0,
) -> None:
    """Heterogeneity inside lesions: supervoxels, iTED and ITHscore of one case (--image, --mask) or of many (--cases)."""
    from isthmus.report.heterogeneity import lesion_figures
    from isthmus.study.heterogeneity import habitat_to_folder

    wanted = cases is None if figures is None else figures
    excluded = habitat_to_folder(
        out, image=image, mask=mask, cases=cases, label=label, settings=settings or [], perturb=perturb or [],
        root=root, workers=workers, draw=lesion_figures if wanted else None,
    )  # fmt: skip
    print(out / "features.csv")
    raise typer.Exit(EXCLUSIONS if excluded else DONE)


@app.command()
def prepare(
    image: OneImage,
    mask: OneMask,
    out: Out,
    label: Annotated[
        str | None, typer.Option("--label", help="Value in the mask, or name of an RTSTRUCT's ROI.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="The image the mask was drawn on, for register.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of [image]: clip=[-150,350], standardise=z_score."),
    ] = None,
) -> None:
    """Prepare one image as a plan's [image] would, to look at: the image, its mask, a before-and-after picture, the quality checks."""
    from isthmus.study.extract import key_value
    from isthmus.study.prepare import prepare_settings, prepare_to_folder

    given = prepare_settings(dict(key_value(text) for text in settings or []))
    for path in prepare_to_folder(out, image=image, mask=mask, label=label, reference=reference, settings=given):
        print(path)


@app.command()
def landmarks(
    cases: Annotated[Path, typer.Option("--cases", help="A case table.")],
    image: Annotated[str, typer.Option("--image", help="The column: mr for image:mr.")],
    out: Annotated[Path, typer.Option("--out", help="Where the standard scale goes (.json).")],
    root: Root = None,
) -> None:
    """Learn the standard scale of Nyul's method from the development images of a case table."""
    from isthmus.study.prepare import learn_landmarks

    number = learn_landmarks(cases, image, out, root=root)
    print(f"{out}: learned from {number} images")


@app.command()
def maps(
    image: OneImage,
    mask: OneMask,
    out: Annotated[Path, typer.Option("--out", help="A folder; it gets one .nii.gz per map.")],
    label: Annotated[
        str | None, typer.Option("--label", help="Value in the mask, or name of an RTSTRUCT's ROI.")
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="Whose definitions: pyradiomics, ibsi ... (a wrong name lists all).")
    ] = "pyradiomics",
    params: Annotated[Path | None, typer.Option("--params", help="A PyRadiomics parameter file, unchanged.")] = None,
    features: Annotated[
        list[str] | None, typer.Option("--features", metavar="NAME", help="Only these: glcm_Contrast.")
    ] = None,
    families: Annotated[
        list[str] | None, typer.Option("--families", metavar="NAME", help="Only these: firstorder, glcm.")
    ] = None,
    kernel_radius: Annotated[
        int | None, typer.Option("--kernel-radius", help="Voxels to each side of the middle (default 1).")
    ] = None,
    unmasked_kernel: Annotated[
        bool, typer.Option("--unmasked-kernel", help="Kernels reach beyond the region.")
    ] = False,
    init_value: Annotated[
        float | None, typer.Option("--init-value", help="Outside the region (default 0; nan).")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the profile: bin_width=0.25.")
    ] = None,
    region_grid: Annotated[
        bool, typer.Option("--region-grid", help="Only the region's box, not the whole image.")
    ] = False,
    workers: Workers = 0,
) -> None:
    """Voxel-wise feature maps as NIfTI: every feature in a kernel that slides over the region."""
    from isthmus.study.maps import write_maps

    given: dict[str, Any] = {
        "features": tuple(features) if features else None,
        "families": tuple(families) if families else None,
        "kernel_radius": kernel_radius,
        "masked_kernel": False if unmasked_kernel else None,
        "initial_value": init_value,
    }
    for path in write_maps(
        out, image=image, mask=mask, label=label, profile=profile, params=params,
        given={key: value for key, value in given.items() if value is not None}, settings=settings or [],
        grid="region" if region_grid else "image", workers=workers,
    ):  # fmt: skip
        print(path)


@app.command()
def run(
    plan: PlanFile,
    out: Annotated[Path, typer.Option("--out", help="A new folder for all the run leaves behind.")],
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in that folder.")] = False,
    workers: Workers = 0,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a Dask scheduler.")] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="K/N: extract only the K-th of N parts of the cases.")
    ] = None,
) -> None:
    """The main job: check, extract, validate, test on external centres, report."""
    from isthmus.report import write_report
    from isthmus.study import Plan
    from isthmus.study.run import excluded_by_error, run_shard, run_study

    if shard is not None:
        run_shard(Plan.read(plan), out, shard, workers=workers or None)
        print(f"shard {shard}: features are kept in {out}; collect them with: isthmus run {plan} --out {out} --resume")
        return
    result = run_study(Plan.read(plan), out, resume=resume, workers=workers or None, scheduler=scheduler)
    print(write_report(result).resolve())
    raise typer.Exit(EXCLUSIONS if excluded_by_error(result) else DONE)


@app.command()
def audit(
    run_folder: Annotated[Path, typer.Argument(help="The folder of a finished run.", metavar="RUN")],
    permutations: Annotated[int, typer.Option("--permutations", min=1, help="Permuted outcomes.")] = 200,
    power: Annotated[
        list[float] | None, typer.Option("--power", metavar="AUC", help="An AUC to plant; give it several times.")
    ] = None,
    workers: Workers = 0,
) -> None:
    """The null study: the same plan on permuted outcomes. An honest study gives AUC 0.5 there. With --power: what this study can find."""
    from isthmus.report import write_report
    from isthmus.study.run import audit_run

    result = audit_run(run_folder, permutations=permutations, power=power or (), workers=workers or None)
    print(result.tables["null_study"].to_string(index=False))
    if "power" in result.tables:
        print(result.tables["power"].to_string(index=False))
    print(write_report(result).resolve())


@app.command()
def report(
    run_folder: Annotated[Path, typer.Argument(help="The folder of a finished run.", metavar="RUN")],
    external: Annotated[
        list[Path] | None, typer.Option("--external", metavar="FILE", help="Numbers another site sent.")
    ] = None,
) -> None:
    """Write the report again from the stored result, without images."""
    from isthmus.report import write_report
    from isthmus.study import Result
    from isthmus.study.external import merge_external

    if external:
        merge_external(run_folder, external)
    print(write_report(Result.load(run_folder)).resolve())


@app.command()
def apply(
    model: Annotated[Path, typer.Argument(help="A model file (model.isthmus).", metavar="MODEL")],
    cases: Annotated[Path, typer.Option("--cases", help="A case table, or a feature table.")],
    out: Out,
    root: Root = None,
    aggregate_only: Annotated[
        bool, typer.Option("--aggregate-only", help="Write totals only, no patient row.")
    ] = False,
    fingerprint: Annotated[
        str | None, typer.Option("--sha256", help="What the file's makers published; another file is refused.")
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            "--weights", metavar="FILE", help="A file of weights that the model's network needs, known by its hash."
        ),
    ] = None,
    workers: Workers = 0,
) -> None:
    """Predict with a model file, or validate it on another site's patients."""
    from isthmus.study import Model
    from isthmus.study.apply import apply_to_file

    failed = apply_to_file(
        Model.load(model, fingerprint=fingerprint),
        cases,
        out,
        root=root,
        aggregate_only=aggregate_only,
        workers=workers,
        weights=weights or (),
    )
    print(out)
    raise typer.Exit(EXCLUSIONS if failed else DONE)


@app.command()
def card(model: Annotated[Path, typer.Argument(help="A model file (model.isthmus).", metavar="MODEL")]) -> None:
    """What a model file is for, on whom it was built, what it is worth; and the file's SHA-256."""
    from isthmus.study import Model
    from isthmus.study.card import plain_text

    held = Model.load(model)
    print(plain_text(held.card))
    print(f"SHA-256 of the file: {held.fingerprint}")


@app.command()
def schema() -> None:
    """The plan's JSON Schema, for editors."""
    from isthmus.study.schema import plan_schema

    print(json.dumps(plan_schema(), indent=1))


@app.command()
def recipes(
    name: Annotated[
        str | None, typer.Argument(help="Print this recipe as a plan to edit, the facts of its study in front.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Run it on its synthetic cohort instead.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="With --demo or --cohort: as many patients as the study.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="With --demo: the run folder.")] = None,
    cohort: Annotated[
        Path | None,
        typer.Option(
            "--cohort", help="Only write the synthetic cohort and its plan into this folder, to check and run."
        ),
    ] = None,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """List the recipes, print one as a plan to edit, or run one on its synthetic cohort."""
    from isthmus.study.recipes import (
        RECIPES,
        STUDIES,
        facts_of,
        recipe_with_facts,
        run_recipe_demo,
        write_recipe_cohort,
    )

    if cohort is not None:
        from isthmus.errors import PlanError

        if name is None or demo:
            raise PlanError(
                "isthmus recipes --cohort: say which recipe, without --demo: isthmus recipes NAME --cohort FOLDER"
            )
        print(write_recipe_cohort(name, cohort, full=full, workers=workers).resolve())
    elif demo:
        from isthmus.errors import PlanError
        from isthmus.report import write_report

        if name is None or out is None:
            raise PlanError("isthmus recipes --demo: say which recipe and where: isthmus recipes NAME --demo --out RUN")
        print(write_report(run_recipe_demo(name, out, full=full, workers=workers)).resolve())
    elif name is not None and as_json and name in STUDIES:
        print(json.dumps(facts_of(name).model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False))
    elif name is not None:
        print(recipe_with_facts(name), end="")
    elif as_json:
        print(json.dumps(dict(RECIPES), indent=1))
    else:
        for key, title in RECIPES.items():
            print(f"{key:24} {title}")
            if key in STUDIES:
                facts = facts_of(key)
                print(f"{'':24} {facts.study.short}; needs {facts.needs.modality}")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, CPU features, optional parts present, a five-second self-test against IBSI values."""
    from isthmus.study.doctor import examine

    found: dict[str, Any] = examine()
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        for section, values in found.items():
            print(f"{section}:")
            for key, value in values.items():
                print(f"  {key:24} {value}")
    raise typer.Exit(DONE if found["self-test"]["passed"] == found["self-test"]["values"] else WRONG)
