"""The plan of the synthetic study: what a person would write, with a reason at every key."""

from __future__ import annotations

import json
from collections.abc import Sequence

__all__ = ["OUTCOME", "plan_text"]

OUTCOME = "metastasis"


def plan_text(centres: Sequence[str], *, clinical: Sequence[str], numeric: Sequence[str], seed: int) -> str:
    """The text of `plan.toml`: the first centre trains, the others are external.

    Parameters
    ----------
    centres : sequence of str
    clinical : sequence of str
        Columns of the clinical block.
    numeric : sequence of str
        Those of them that hold numbers.
    seed : int
        Of the study's random numbers.
    """
    external = ""
    if len(centres) > 1:
        names = json.dumps(list(centres[1:]), ensure_ascii=False)
        external = f"external = {{ centre = {names} }}       # no choice of any kind sees these patients\n"
    return f"""\
# A study in one file: distant metastasis of thyroid cancer, from neck CT and the clinical table.
# The patients are synthetic, so the right answer is known: it lies in truth.csv, which this plan does not read.
#
#     isthmus check plan.toml
#     isthmus run plan.toml --out run

[cohort]
table = "cases.csv"                     # one row a patient; paths in it are relative to it
outcome = "{OUTCOME}"                  # 1: metastasis within the follow-up, 0: none

[[features]]
name = "radiomics"                      # the block's name, used by the models below
image = "ct"                            # columns image:ct and mask:ct of the case table
profile = "pyradiomics"                 # the 107 features of the original image, as PyRadiomics defines them
bin_width = 25                          # Hounsfield units per grey level

[clinical]
columns = {json.dumps(list(clinical))}
numeric = {json.dumps(list(numeric))}   # a word in them is an error, not a category

[[models]]
name = "clinical"                       # what is known without the image: the model to beat
blocks = ["clinical"]
estimator = "logistic"

[[models]]
name = "radiomics"
blocks = ["radiomics"]
estimator = "lasso"

[[models]]
name = "combined"                       # does the image add to what is known?
blocks = ["clinical", "radiomics"]
estimator = "lasso"

[validate]
folds = 5                               # everything that learns is fitted on four fifths and judged on the fifth
repeats = 5                             # ... in five different divisions
seed = {seed}
{external}
[report]
title = "Distant metastasis of thyroid cancer (synthetic cohort)"
final = "combined"                      # becomes model.isthmus
"""
