"""`isthmus deep explain`: where a network looks in one lesion, as maps on the image's grid."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep import seen
from isthmus.deep.crop import on_image
from isthmus.deep.encoder import crop_size, one_torch_thread
from isthmus.deep.explain import METHODS, Explanation, Method, explain, randomisation_check
from isthmus.deep.weights import load
from isthmus.errors import PlanError, did_you_mean
from isthmus.image import Image
from isthmus.image.io import write_image
from isthmus.roi import Roi
from isthmus.study.data import label_of
from isthmus.study.deep import DeepExtractSettings
from isthmus.study.store import make_folder

__all__ = ["MapOfCase", "explain_to_folder"]

log = logging.getLogger("isthmus")


@dataclass(frozen=True, eq=False)
class MapOfCase:
    """One map, ready to be drawn.

    Parameters
    ----------
    found : Explanation
    volume : float32 array, shape (k, j, i)
        The map on the image's grid, NaN outside what the network saw.
    untrained : bool
        The network's weights are random.
    """

    found: Explanation
    volume: NDArray[np.float32]
    untrained: bool


Draw = Callable[[Image, Roi, Sequence[MapOfCase], tuple[float, float] | None, Path, str], Any]
"""What draws the maps into a folder: `isthmus.report.network_maps.network_maps`; the report stands above this room."""


def explain_to_folder(
    out: Path,
    settings: DeepExtractSettings,
    *,
    image: Path,
    mask: Path,
    label: str | None = None,
    methods: Sequence[str] = ("grad_cam",),
    layer: str | None = None,
    target: int | None = None,
    classes: int = 2,
    check: bool = False,
    draw: Draw | None = None,
) -> list[Path]:
    """Write `<method>.nii.gz` for each method, `explanation.json`, and, with `check`, `randomisation.csv`; the files.

    Parameters
    ----------
    layer, target
        As of `isthmus.deep.explain.explain`; the layer is for the gradients.
    classes : int
        That a network of random weights tells apart; a file says so itself.
    draw : function, optional
        Called with the maps, after they are written.

    Raises
    ------
    PlanError
        A method is unknown, or the network cannot be explained so.
    WeightsError
        The weights are refused, or hold no head.
    CaseError
        The lesion cannot be read or cropped.
    """
    from isthmus.study.preparation import prepare_case, region_of

    if out.exists() and not out.is_dir():
        raise PlanError(f"--out {out} is a file; expected a folder")
    wanted = _methods(methods)
    encoder, crop = settings.deep.encoder, settings.deep.crop
    network = encoder.row
    size = crop_size(network, encoder.dims, crop)
    trained = encoder.weights.origin == "file"
    with one_torch_thread():
        module, record = load(
            network, encoder.weights, dims=encoder.dims, size=size, base=Path(), classes=classes,
            with_head=trained and bool(network.explained),
        )  # fmt: skip
        given = None if label is None else label_of(label)
        prepared = prepare_case(image, mask, given, settings.image, judge=False)
        shown, roi = region_of(prepared, settings.roi)
        crops = seen(shown, roi, settings.deep)
        maps = []
        tables = []
        for method in wanted:
            own = layer if method.startswith("grad_cam") else None
            found = explain(module, network, crops, method=method, layer=own, target=target)
            if found.empty:
                log.warning("%s: the map is flat; nothing in the crop speaks for class %d", method, found.target)
            maps.append(MapOfCase(found, on_image(found.map, roi, crop, dims=encoder.dims), not trained))
            if check:
                table = randomisation_check(module, network, crops, method=method, layer=own, target=target)
                tables.append(table.assign(method=method))
    make_folder(out)
    files = []
    for one in maps:
        files.append(out / f"{one.found.method}.nii.gz")
        write_image(Image(one.volume, shown.geometry), files[-1])
    facts = {
        "network": network.name,
        "dims": encoder.dims,
        "size": size,
        "called": "explanation of a trained network" if trained else "explanation of an untrained network",
        "weights": record.as_dict(),
        "crop": crop.model_dump(mode="json"),
        "maps": [_facts(one.found) for one in maps],
    }
    files.append(out / "explanation.json")
    files[-1].write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if tables:
        joined = pd.concat(tables, ignore_index=True)
        files.append(out / "randomisation.csv")
        joined[["method", *[name for name in joined if name != "method"]]].to_csv(files[-1], index=False)
    if draw is not None:
        files += draw(shown, roi, maps, crop.window, out, image.name)
    return files


def _methods(named: Sequence[str]) -> list[Method]:
    for name in named:
        if name not in METHODS:
            raise PlanError(f"--method {name!r} is not known.{did_you_mean(name, METHODS)}")
    return [method for method in METHODS if method in named]


def _facts(found: Explanation) -> dict[str, Any]:
    return {
        "method": found.method,
        "layer": found.layer,
        "target": found.target if found.target >= 0 else None,
        "probability": list(found.probability),
        "low": found.low,
        "high": found.high,
        "flat": found.empty,
    }
