"""Write docs/reference/features.md from the features' own definitions: `python docs/make_features.py`.

A test fails when the page is not what this module writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from isthmus.features import ibsi
from isthmus.features._spec import FeatureSpec
from isthmus.features.profiles.pyradiomics.vocabulary import DEPRECATED, MODULES, REMOVED

PAGE = Path(__file__).parent / "reference" / "features.md"

# IBSI's family, and PyRadiomics' classes of the same features
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Morphology and shape", "morphology", ("shape",)),
    ("Shape in one slice", "", ("shape2D",)),
    ("Local intensity", "local_intensity", ()),
    ("Intensity statistics and first order", "intensity_statistics", ("firstorder",)),
    ("Intensity histogram", "intensity_histogram", ("firstorder",)),
    ("Intensity-volume histogram", "intensity_volume_histogram", ()),
    ("Grey level co-occurrence", "glcm", ("glcm",)),
    ("Grey level run length", "glrlm", ("glrlm",)),
    ("Grey level size zone", "glszm", ("glszm",)),
    ("Grey level distance zone", "gldzm", ()),
    ("Neighbourhood grey tone difference", "ngtdm", ("ngtdm",)),
    ("Grey level dependence", "ngldm", ("gldm",)),
)

HEAD = """# Every feature

Made by `docs/make_features.py` from the definitions in the code; do not edit.

Two vocabularies: IBSI's short names (profile `ibsi` and its configurations) and PyRadiomics' names (profile `pyradiomics`). Features of
one IBSI code stand in one row; where PyRadiomics' number is another, the last column says why
([all differences](../explanation/pyradiomics-and-ibsi.md)). In a file the column of a feature is

- `pyradiomics`: response map, class, name: `original_glcm_Contrast`, `wavelet-LLH_firstorder_Mean`;
- `ibsi`: the short name, for textures with its [aggregation](../explanation/dimensions.md) behind it, and the response map in front
  unless it is the image itself: `stat_mean`, `cm_contrast_3d_avg`.

"intensity" is the unit of the image (HU, SUV). A feature is NaN where it is undefined, and one warning names it. *named* marks features
PyRadiomics computes only when they are named (`features = ["shape_Compactness1"]`). Profiles of a fixed count choose from these two, and
[say what they add](counted-profiles.md).
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *_overview(), *(line for section in SECTIONS for line in _section(*section)), *_tail()])


def _overview() -> Iterator[str]:
    yield "| family | `ibsi` | `pyradiomics` |"
    yield "| --- | --- | --- |"
    counted: set[str] = set()
    for title, family, classes in SECTIONS:
        ours = len(ibsi.FAMILIES[family].FEATURES) if family else 0
        theirs = [f"{len(MODULES[name].FEATURES)} (`{name}`)" for name in classes if name not in counted]
        counted.update(classes)
        where = f"{ours} (`{family}`)" if family else ""
        yield f"| [{title}](#{_anchor(title)}) | {where} | {', '.join(theirs)} |"
    total = sum(len(module.FEATURES) for module in ibsi.FAMILIES.values())
    default = sum(len(module.FEATURES) for name, module in MODULES.items() if name != "shape2D")
    yield f"| together, without aggregations | {total} | {default} in space; `shape2D` in its place for one slice |"
    yield ""


def _section(title: str, family: str, classes: tuple[str, ...]) -> Iterator[str]:
    ours: tuple[FeatureSpec, ...] = ibsi.FAMILIES[family].FEATURES if family else ()
    theirs = {(name, spec.name): spec for name in classes for spec in _their_specs(name)}
    yield f"## {title}\n"
    yield from _symbols(ibsi.FAMILIES[family] if family else MODULES[classes[0]])
    undefined = getattr(ibsi.FAMILIES[family], "UNDEFINED", "") if family else ""
    if undefined:
        yield f"All features of `ibsi` here are {undefined}.\n"
    yield "| name | `ibsi` | IBSI code | `pyradiomics` | formula | unit | without a value, and differences |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    used = set()
    for spec in ours:
        twin = next((key for key, their in theirs.items() if spec.ibsi and _same(spec, their)), None)
        used.add(twin)
        yield _row(spec, twin, theirs.get(twin) if twin else None)
    for key, their in theirs.items():
        # those of a class that have their twin in another family stand there
        elsewhere = any(_same(spec, their) for module in ibsi.FAMILIES.values() for spec in module.FEATURES)
        if key not in used and not (elsewhere and their.ibsi):
            yield _row(None, key, their)
    yield ""


def _their_specs(name: str) -> Iterable[FeatureSpec]:
    named = [spec for key, (spec, _, _) in DEPRECATED.items() if key.split("_")[0] == name]
    return (*MODULES[name].FEATURES, *named)


def _same(one: FeatureSpec, other: FeatureSpec) -> bool:
    return (one.ibsi, one.parameter) == (other.ibsi, other.parameter)


def _row(ours: FeatureSpec | None, key: tuple[str, str] | None, theirs: FeatureSpec | None) -> str:
    spec = ours or theirs
    assert spec is not None
    said = [spec.limit] if spec.limit else []
    if ours is not None and theirs is not None:
        limit = theirs.limit if theirs.limit != ours.limit else ""
        if limit or theirs.differs:
            said.append(f"`pyradiomics`: {', '.join(filter(None, (limit, theirs.differs)))}")
    pyradiomics = ""
    if key is not None:
        pyradiomics = f"`{key[0]}_{key[1]}`" + (" *named*" if "_".join(key) in DEPRECATED else "")
    tag = f"`{ours.tag}`" if ours else ""
    return f"| {spec.name} | {tag} | {spec.ibsi} | {pyradiomics} | {_formula(spec.formula)} | {spec.unit} | {'; '.join(said)} |"


def _formula(latex: str) -> str:
    """LaTeX for a table: a bar would end the cell."""
    barred = latex.replace(r"\|", r"\Vert ").replace(r"\Vert  ", r"\Vert ").replace("|", r"\vert ")
    return f"${barred}$"


def _symbols(module: ModuleType) -> Iterator[str]:
    """What the formulas' symbols mean, from the family's own description."""
    text = re.sub(r":math:`(.*?)`", r"$\1$", (module.__doc__ or "").strip())
    yield text.replace("``", "`") + "\n"


def _tail() -> Iterator[str]:
    yield "## Names PyRadiomics has removed\n"
    yield "They are accepted in a parameter file, with a warning, and give no column: each equals another feature.\n"
    yield "| name | equals |"
    yield "| --- | --- |"
    for name, equal in REMOVED.items():
        yield f"| `{name}` | {f'`{equal}`' if '_' in equal else equal} |"
    yield ""


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
