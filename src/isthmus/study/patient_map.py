"""A map of the patients: those with similar features lie close together. A picture, not a test."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.stats.components import principal_components
from isthmus.stats.seeds import child_seed
from isthmus.study.compute import one_thread
from isthmus.study.data import StudyData
from isthmus.study.plan import Plan
from isthmus.study.store import RunFolder
from isthmus.table.steps import without_context
from isthmus.validate.results import FittedModel

__all__ = ["COLUMNS", "check_embedding", "embed", "write_patient_map"]

log = logging.getLogger("isthmus")

COLUMNS = ["method", "patient", "x", "y", "columns", "components", "share"]

LEAST, MOST, KEPT = 10, 2000, 50
"""Patients below and above whom there is no map, and the principal components it is made of."""


def check_embedding(plan: Plan) -> None:
    """Refuse, before anything is computed, a map that cannot be made.

    Raises
    ------
    PlanError
        `[report] embedding = "umap"` without the package.
    """
    from importlib.util import find_spec

    if plan.report.embedding == "umap" and find_spec("umap") is None:
        raise PlanError(
            "[report] embedding = 'umap' needs the extra `ml`: pip install \"isthmus[ml]\"; or choose embedding = 'tsne'."
        )


def write_patient_map(plan: Plan, data: StudyData, store: RunFolder, final: FittedModel | None = None) -> None:
    """`tables/patient_map.csv`: where each patient lies, from the numbers of the final model's blocks.

    Those that its steps make of supervoxels are made by `final`.
    """
    path = store.path / "tables" / "patient_map.csv"
    path.unlink(missing_ok=True)
    method = plan.report.embedding
    if method == "none":
        return
    parts = []
    spec, makers = (
        plan.model(plan.final),
        [] if final is None or plan.model(plan.final).risks else final.pipeline.makers,
    )
    for split in dict.fromkeys(data.split):
        context = [name for _, step in makers for name in step.context]
        X, who = data.matrix(plan.reads(spec), split, context=context, without=plan.left_out(spec))
        for _, step in makers:
            X = step.transform(X)
        named = without_context(X).select_dtypes("number")
        numbers = named.to_numpy(dtype=np.float64)
        finite = pd.DataFrame(np.where(np.isfinite(numbers), numbers, np.nan), columns=named.columns)
        parts.append(finite.groupby(who.to_numpy()).mean())
    values = pd.concat(parts).sort_index()
    if not LEAST <= len(values) <= MOST or values.shape[1] < 2:
        log.info("no map of patients: it takes %d to %d patients and two columns of numbers", LEAST, MOST)
        return
    learn = (data.split.loc[values.index] == "train").to_numpy()

    def place(method: str) -> tuple[NDArray[np.float64], int, int, float]:
        found = principal_components(values.to_numpy(), learn, KEPT)
        kept = int(min(found.scores.shape[1], learn.sum() - 1))
        seed = child_seed(plan.validation.seed, "patient map") % 2**32
        return embed(found.scores[:, :kept], method, seed), found.columns, kept, float(found.share[:kept].sum())

    places, columns, kept, share = one_thread(place, method)
    table = pd.DataFrame(
        {"method": method, "patient": values.index, "x": places[:, 0], "y": places[:, 1], "columns": columns,
         "components": kept, "share": share}
    )  # fmt: skip
    store.write("tables/patient_map.csv", table[COLUMNS])


def embed(scores: NDArray[np.float64], method: str, seed: int) -> NDArray[np.float64]:
    """Two coordinates of each row by t-SNE (van der Maaten 2008; perplexity 30, at most a third of the rows) or UMAP (McInnes 2018)."""
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(scores) - 1) / 3)
        found: Any = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed, n_jobs=1)
        return np.asarray(found.fit_transform(scores), dtype=np.float64)
    import warnings

    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neighbours = min(15, len(scores) - 1)
        reducer = umap.UMAP(n_neighbors=neighbours, min_dist=0.1, random_state=seed, n_jobs=1, init="pca")
        return np.asarray(reducer.fit_transform(scores), dtype=np.float64)
