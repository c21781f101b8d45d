"""Methods: slides, stains and proteins beside the risk groups of a run."""

from __future__ import annotations

from isthmus.report.facts import final_model
from isthmus.report.manuscript.draft import Draft, cite, listed, name

__all__ = ["write"]


def write(d: Draft) -> None:
    """Slides, where the run measured them; then whose group, and how the tables were compared."""
    if d.said("pathology"):
        d.heading("Slides")
        _slides(d)
    if d.rows("tables/biology.csv"):
        d.heading("Biology beside the risk groups")
        _groups(d)
        _comparisons(d)


def _slides(d: Draft) -> None:
    spoiled = (
        ", and folds, air bubbles and ink were left out"
        if d.said("pathology.tissue.artefacts") is not False
        else "; folds, bubbles and ink were kept"
    )
    d.paragraph(
        f"Stained slides were read at {d.setting('pathology.mpp')} micrometres per pixel.",
        f"Tissue was told from glass by thresholds of brightness and colour{cite('otsu1979')}{spoiled}.",
        _nuclei(d),
        f"Of every nucleus 28 features of shape, outline, haematoxylin and texture were computed in micrometres; "
        f"{_stains(d)}.",
        "Features were summarised as one row a patient: mean and robust spread of each, density of the nuclei, and "
        "their multivariate dispersion.",
    )


def _nuclei(d: Draft) -> str:
    if d.said("pathology.segmenter") == "hovernet":
        return (
            f"Nuclei and their classes were found by HoVer-Net{cite('graham2019')}, with the weights of the file "
            f"{name(d.said('pathology.hovernet.path'))}."
        )
    return (
        "Nuclei were found without a trained network of pixels: regions cut out of the density of red at several thresholds were "
        "scored by shape, contrast and edges, and the best ones were kept."
    )


def _stains(d: Draft) -> str:
    how = d.said("pathology.stains")
    if how in ("macenko", "vahadane"):
        by = {"macenko": "macenko2009", "vahadane": "vahadane2016"}[how]
        return f"stain vectors were estimated once a slide{cite(by)}"
    return f"stain vectors were fixed{cite('ruifrok2001')}"


def _groups(d: Draft) -> None:
    model = d.said("biology.model") or final_model(d.result)
    halves = d.said("biology.groups") == "median"
    parted = "at the median risk of the compared patients" if halves else "by the model's own threshold"
    d.paragraph(
        f"Patients were put into a low and a high risk group by the risk of {name(model)}, {parted}.",
        "Risks were those of models that had not seen the patient: out-of-fold for development patients, of the final model "
        "for others.",
    )


def _comparisons(d: Draft) -> None:
    tables = list(dict.fromkeys(str(row["table"]) for row in d.rows("tables/biology.csv")))
    numbers = [one for one in tables if d.rows(f"tables/biology_{one}_groups.csv")]
    stains = [one for one in tables if d.rows(f"tables/biology_{one}_markers.csv")]
    fdr = d.setting("biology.fdr") if d.said("biology.fdr") is not None else "0.05"
    texts = []
    if numbers:
        each = listed([f"{d.number_of_rows(f'tables/biology_{one}_groups.csv')} of {name(one)}" for one in numbers])
        texts.append(
            f"Features ({each}) were compared between the groups by the Mann-Whitney test, with Hodges and Lehmann's shift and "
            f"Cliff's delta{cite('cliff1993')} (bootstrap intervals)."
        )
        if any(
            row["family"] == "prespecified" for one in numbers for row in d.rows(f"tables/biology_{one}_groups.csv")
        ):
            texts.append("Features named beforehand were a family of their own; all others were exploratory.")
    if stains:
        each = listed([f"{d.number_of_rows(f'tables/biology_{one}_markers.csv')} of {name(one)}" for one in stains])
        texts.append(
            f"Graded markers ({each}) were compared by the exact rank-sum test on their levels, with Cliff's delta{cite('cliff1993')}; "
            "trend tests, Fisher's exact test and proportional odds stand beside it."
        )
    if texts:
        texts.append(
            f"The false discovery rate of each family was held at {fdr}{cite('benjamini1995')}"
            + (
                f", and errors over all its tests were bounded by permutation of the largest statistic{cite('westfall1993')}."
                if numbers
                else "."
            )
        )
    paired = [one for one in numbers if d.rows(f"tables/biology_{one}_correlations.csv")]
    if paired:
        given = any(table.get("given") for table in d.said("biology.tables") or []) or d.said("pathology.given")
        texts.append(
            "The final model's selected features were correlated with them "
            f"(Spearman{', freed of named features' if given else ''}), adjusted in the same way, and the matrix was ordered by "
            "average linkage; blocks as wholes were compared by regularised canonical correlation against permutations."
        )
    left = [one for one in tables if one not in (*numbers, *stains)]
    if left:
        texts.append(f"{listed([name(one) for one in left])} could not be compared.")
    d.paragraph(*texts)
