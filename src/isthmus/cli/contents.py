"""What `isthmus --help` shows: the commands in the order of use, a line each, and an example of every one that has options."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

__all__ = ["CONTENTS", "EXAMPLES", "InFull", "InOrder"]

CONTENTS: dict[str, dict[str, str]] = {
    "A study": {
        "demo": "a whole study of synthetic patients, to look at first",
        "init": "write cases.csv and plan.toml for a folder of scans and masks",
        "check": "what is wrong with a plan and its data; runs nothing",
        "run": "the main job: features, models, external centre, report",
        "report": "write the report of a finished run again",
        "audit": "the same plan on shuffled outcomes: is the result real?",
        "recipes": "published studies as plans to start from",
        "schema": "the JSON Schema of a plan, for editors",
    },
    "A finished model": {
        "apply": "predict new patients, or validate at another hospital",
        "card": "what it is for, on whom it was built, what it is worth",
    },
    "Features": {
        "extract": "radiomics of one case or many, as .csv or .parquet",
        "maps": "features voxel by voxel, as NIfTI",
        "habitat": "heterogeneity inside lesions: supervoxels, iTED, ITHscore",
        "deep": "features of deep networks",
        "prepare": "one image as [image] of a plan would prepare it",
        "landmarks": "learn the standard scale of Nyul's method (MR)",
    },
    "Masks and readers": {
        "app": "all in the browser, without code, on this machine only",
        "segment": "make masks, and measure how far they agree",
        "review": "export decisions and masks of a review",
        "reading": "print the reading form, export its answers",
    },
    "Biology": {
        "pathology": "nuclei of stained slides",
        "protein": "which proteins differ between groups",
        "ihc": "graded stains between groups",
        "associate": "biology beside risk groups and image features",
    },
    "Around it": {
        "deidentify": "copy images without identities",
        "doctor": "versions, optional parts, a self-test of 580 IBSI values",
    },
}

EXAMPLES: dict[str, tuple[str, ...]] = {
    "isthmus": ("demo --patients 60 --out runs/demo", "init scans/", "run plan.toml --out runs/first"),
    "demo": ("demo --patients 60 --out runs/demo",),
    "init": ("init scans/ --out study/",),
    "check": ("check plan.toml",),
    "run": ("run plan.toml --out runs/first", "run plan.toml --out runs/first --resume"),
    "audit": ("audit runs/first --permutations 200 --power 0.75",),
    "report": ("report runs/first", "report runs/first --external elsewhere.json"),
    "recipes": ("recipes crit > plan.toml", "recipes crit --demo --out runs/crit"),
    "apply": ("apply runs/first/model.isthmus --cases new.csv --out predictions.csv",),
    "card": ("card runs/first/model.isthmus",),
    "extract": (
        "extract --image ct.nii.gz --mask mask.nii.gz --out features.csv",
        "extract --cases cases.csv --set bin_width=10 --out features.csv",
    ),
    "maps": ("maps --image ct.nii.gz --mask mask.nii.gz --features glcm_Contrast --out maps/",),
    "habitat": ("habitat --image ct.nii.gz --mask mask.nii.gz --out habitat/",),
    "prepare": ("prepare --image mr.nii.gz --mask mask.nii.gz --set standardise=z_score --out prepared/",),
    "landmarks": ("landmarks --cases cases.csv --image mr --out scale.json",),
    "app": ("app --cases cases.csv", "app --study studies/"),
    "protein": ("protein --table proteins.csv --groups groups.csv --out proteins/",),
    "ihc": ("ihc --table stains.csv --group risk --out stains/",),
    "associate": ("associate --table slides.csv --run runs/first --out biology/",),
    "deidentify": ("deidentify scans/ outside/ --secret secret.txt",),
    "deep extract": (
        "deep extract --image ct.nii.gz --mask mask.nii.gz --network resnet50 --weights w.pt --out deep.csv",
    ),
    "pathology nuclei": ("pathology nuclei --slide slide.svs --out nuclei/",),
    "segment grow": ("segment grow --image ct.nii.gz --inside=-12,40,88 --outside=-30,40,88 --out mask.nii.gz",),
    "segment assess": ("segment assess --reference a.nii.gz --prediction b.nii.gz --out agreement.csv",),
    "segment train": ("segment train --cases cases.csv --out lesion-net/",),
    "segment predict": ("segment predict --model lesion-net/ --cases new.csv --out masks/",),
    "review export": ("review export --cases cases.csv --out reviewed/",),
}


class InOrder(TyperGroup):
    """The top of the command line: commands by what they are for, and examples below the help of each."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One section for each purpose."""
        width = max(len(name) for name in self.commands)
        for title, lines in CONTENTS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", line) for name, line in lines.items()])

    def get_command(self, ctx: Any, name: str) -> Any:
        """The command, with its examples."""
        command = super().get_command(ctx, name)
        _exemplify(command, name)
        for part, inner in getattr(command, "commands", {}).items():
            _exemplify(inner, f"{name} {part}")
        return command

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Where to begin."""
        self.epilog = _epilog("isthmus")
        super().format_epilog(ctx, formatter)


class InFull(TyperGroup):
    """A group whose commands are described in whole sentences; click would cut them off at the end of the line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Name and description of each."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help or "") for name, command in self.commands.items()])


def _exemplify(command: Any, name: str) -> None:
    if command is not None and name in EXAMPLES:
        command.epilog = _epilog(name)


def _epilog(name: str) -> str:
    """Click keeps the line breaks of a paragraph behind a backspace."""
    return "\b\n" + "\n".join(["For example:", *(f"  isthmus {example}" for example in EXAMPLES[name])])
