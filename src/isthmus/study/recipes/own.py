"""What somebody with patients of his own changes in a recipe's plan, in words: read from the plan itself."""

from __future__ import annotations

from isthmus.study.recipes.facts import wrapped

__all__ = ["on_your_own_patients"]

_FILE_OF_WEIGHTS = f'"{"0" * 64}"'
_ADVICE = (
    (
        "(train, internal",
        "Column split: `train` for patients to learn from, `internal` (same hospital) and `external` (another one) for patients who are "
        "tested once. Without that column every patient learns and is tested in turn, by cross-validation.",
    ),
    (
        "external = { centre",
        "[validate] external: the centre that is kept for testing, as your column `centre` calls it. With one centre only, delete "
        "the line.",
    ),
    (
        "readers.csv",
        "readers.csv: patients whose region two readers have drawn, two rows a patient. Without a second reader delete "
        "the line `reliability`, or measure shifted and grown outlines in their place (docs/how-to/reliability.md).",
    ),
    (
        'unseen = "adopt"',
        "[harmonise]: the column that says where, or on which scanner, a patient was imaged. With one scanner only, delete the section.",
    ),
    (
        _FILE_OF_WEIGHTS,
        "Weights of a network: a file that you have, and its SHA-256 in place of the zeros (docs/how-to/deep-features.md). Without one "
        'origin = "random" stands there alone: such features are a control, unless a section says that the network is trained.',
    ),
    (
        "[clinical",
        "[clinical]: the columns of your own table, all known before the outcome is.",
    ),
)
"""Words of a plan and what to do about them."""


def on_your_own_patients(text: str) -> str:
    """Advice for the plan of a recipe, an item a line or more.

    Parameters
    ----------
    text : str
        The plan.
    """
    items = [
        "Cases: one row a patient in the table that [cohort] names; files by their path from that table (docs/how-to/case-table.md).",
        *(advice for words, advice in _ADVICE if words in text),
        "Lengths are in millimetres, in the order slices, rows, columns; windows of CT in HU.",
        "Keep the names of the models: by them your numbers stand beside the printed ones.",
        "`isthmus check plan.toml` says what is still wrong, `isthmus run plan.toml --out runs/first` computes and writes the report.",
        "Every key: docs/reference/plan.md; every step: docs/reference/steps.md; every estimator: docs/reference/estimators.md.",
    ]
    return "\n".join(
        line for one in ("On your own patients:", *(f"  - {item}" for item in items)) for line in wrapped(one)
    )
