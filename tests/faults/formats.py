"""Further formats for the fuzz: annotations, tables, weights, records, the state a run keeps, requests to the application."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RNG = 3


def _labels(path: Path) -> Path:
    from PIL import Image

    labels = np.zeros((60, 70), dtype=np.uint8)
    labels[5:20, 5:25], labels[30:50, 30:60] = 1, 2
    if path.suffix == ".npy":
        np.save(path, labels)
    else:
        Image.fromarray(labels).save(path)
    return path


# ---- slides


def geojson(folder: Path) -> Path:
    square = [[10.5, 10.5], [40.0, 12.0], [42.0, 44.0], [9.0, 40.0], [10.5, 10.5]]
    hole = [[20, 20], [25, 20], [25, 25], [20, 20]]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [square, hole]},
            "properties": {"classification": {"name": "Tumor", "color": [200, 0, 0]}},
        },
        {
            "type": "Feature",
            "geometry": {"type": "MultiPolygon", "coordinates": [[square], [hole]]},
            "properties": {"name": "x"},
        },
    ]
    path = folder / "outlines.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def asap(folder: Path) -> Path:
    points = "".join(
        f'<Coordinate Order="{n}" X="{x}" Y="{y}" />' for n, (x, y) in enumerate([(1.5, 2), (30, 2), (30, 33), (2, 31)])
    )
    path = folder / "outlines.xml"
    path.write_text(
        '<?xml version="1.0"?><ASAP_Annotations><Annotations>'
        f'<Annotation Name="a" Type="Polygon" PartOfGroup="tumour" Color="#F4FA58"><Coordinates>{points}</Coordinates></Annotation>'
        "</Annotations></ASAP_Annotations>"
    )
    return path


def read_outlines(path: Path) -> object:
    from isthmus.pathology.annotation import inside, read_outlines

    return inside(read_outlines(path), np.array([[12.0, 12.0], [22.0, 22.0]]))


def hovernet(folder: Path) -> Path:
    nuclei = {
        str(n): {"contour": [[5 * n, 5], [5 * n + 4, 5], [5 * n + 4, 9], [5 * n, 9]], "type": n % 5}
        for n in range(1, 6)
    }
    path = folder / "nuclei.json"
    path.write_text(json.dumps({"mag": 40, "nuc": nuclei}))
    return path


def npy(folder: Path) -> Path:
    return _labels(folder / "nuclei.npy")


def read_nuclei(path: Path) -> object:
    from isthmus.pathology.importing import read_nuclei

    return read_nuclei(path, (60, 70))


def ome(folder: Path) -> Path:
    import tifffile

    pixels = np.random.default_rng(RNG).integers(0, 255, (128, 160, 3), dtype=np.uint8)
    path = folder / "slide.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        about = {"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
        writer.write(pixels, tile=(64, 64), compression="zlib", photometric="rgb", subifds=1, metadata=about)
        writer.write(pixels[::2, ::2], tile=(64, 64), compression="zlib", photometric="rgb", subfiletype=1)
    return path


# ---- tables


def xlsx(folder: Path) -> Path:
    path = folder / "cases.xlsx"
    table = pd.DataFrame(
        {
            "patient": [f"P{n:02d}" for n in range(20)],
            "outcome": [n % 2 for n in range(20)],
            "age": [40.5 + n for n in range(20)],
        }
    )
    table.to_excel(path, index=False)
    return path


def parquet(folder: Path) -> Path:
    path = folder / "cases.parquet"
    pd.DataFrame({"patient": [f"P{n:02d}" for n in range(20)], "outcome": [n % 2 for n in range(20)]}).to_parquet(path)
    return path


def read_frame(path: Path) -> object:
    from isthmus.table.reading import read_frame

    return read_frame(path)


def gmt(folder: Path) -> Path:
    path = folder / "sets.gmt"
    path.write_text("\n".join(f"SET_{n}\thttp://x\t" + "\t".join(f"G{m}" for m in range(n, n + 9)) for n in range(12)))
    return path


def read_gmt(path: Path) -> object:
    from isthmus.biology.gene_sets import read_gmt

    return read_gmt(path)


def proteins(folder: Path) -> Path:
    rng = np.random.default_rng(RNG)
    values = pd.DataFrame(np.exp2(rng.normal(20, 2, (25, 6))).round(), columns=[f"S{n}" for n in range(6)])
    values.insert(0, "protein", [f"Q{n:04d}" for n in range(25)])
    values.insert(1, "gene", [f"G{n}" for n in range(25)])
    values.to_csv(folder / "proteins.csv", index=False)
    (folder / "groups.csv").write_text("sample,group\n" + "\n".join(f"S{n},{'ab'[n % 2]}" for n in range(6)))
    return folder / "proteins.csv"


def read_proteins(path: Path) -> object:
    from isthmus.biology.proteins import read_protein_table

    return read_protein_table(path, path.parent / "groups.csv")


def seeds(folder: Path) -> Path:
    path = folder / "seeds.csv"
    path.write_text("case,x,y,z,inside\n" + "\n".join(f"p{n},{n}.5,2,3,{n % 2}" for n in range(8)))
    return path


def read_seeds(path: Path) -> object:
    from isthmus.image import Geometry
    from isthmus.segment import read_seeds

    return read_seeds(path, Geometry((10, 10, 10), (1, 1, 1)), case="p1")


def repeats(folder: Path) -> Path:
    path = folder / "repeats.csv"
    rows = [f"P{n:02d},{rater},{n}.5,{n + 0.25}" for n in range(10) for rater in ("A", "B")]
    path.write_text("patient,repeat,f1,f2\n" + "\n".join(rows))
    return path


def read_repeats(path: Path) -> object:
    from isthmus.select.repeats import read_repeats

    return read_repeats(path)


# ---- JSON that lies beside images, and records


def origin(folder: Path) -> Path:
    from isthmus.roi.origin import MaskOrigin, origin_path, write_origin

    (folder / "lesion.nii.gz").write_bytes(b"")
    write_origin(MaskOrigin.of(np.ones((2, 2, 2), dtype=bool), "network", seconds=1.5), folder / "lesion.nii.gz")
    return origin_path(folder / "lesion.nii.gz")


def read_origin(path: Path) -> object:
    from isthmus.roi.origin import read_origin

    found = read_origin(path.parent / "lesion.nii.gz")
    return found is None or found.sentence(np.ones((2, 2, 2), dtype=bool))


def sidecar(folder: Path) -> Path:
    (folder / "scan.nii.gz").write_bytes(b"")
    path = folder / "scan.json"
    path.write_text(
        json.dumps({"Manufacturer": "Maker", "MagneticFieldStrength": 3, "EchoTime": 0.012, "SeriesDescription": "t1"})
    )
    return path


def read_sidecar(path: Path) -> object:
    from isthmus.image.io.sidecar import read_sidecar

    return read_sidecar(path.parent / "scan.nii.gz")


def landmarks(folder: Path) -> Path:
    from isthmus.image.prepare.standardise import PERCENTILES, write_scale

    write_scale([float(n) for n in range(len(PERCENTILES))], folder / "scale.json", 5)
    return folder / "scale.json"


def read_landmarks(path: Path) -> object:
    from isthmus.image.prepare import read_scale

    return read_scale(path)


def form(folder: Path) -> Path:
    from isthmus.reading.form import form_text

    path = folder / "form.toml"
    path.write_text(form_text("thyroid"))
    return path


def read_form(path: Path) -> object:
    from isthmus.reading.form import read_form

    return read_form(path)


def record(folder: Path) -> Path:
    from isthmus.reading.form import read_form
    from isthmus.reading.record import ReadingRecord

    form = read_form("thyroid")
    held = ReadingRecord(folder / "reading", form)
    answers = {field.name: field.choices[0] for field in form.fields if field.choices}
    for case in ("C1", "C2", "C3"):
        held.save("AB", case, answers, seconds=12.5)
    return next(path for path in sorted((folder / "reading").rglob("*")) if path.is_file() and path.stat().st_size > 99)


def read_record(path: Path) -> object:
    from isthmus.reading.form import read_form
    from isthmus.reading.record import ReadingRecord

    held = ReadingRecord(path.parent, read_form("thyroid"))
    return held.readers(), held.done("AB"), held.own("AB", "C1"), held.signed("C2"), held.opened()


def review_log(folder: Path) -> Path:
    from isthmus.app.review.log import Log

    log = Log(folder / "log.jsonl")
    for n in range(6):
        log.append(lambda _held, n=n: {"case": f"C{n}", "reader": "AB", "decision": "accept", "time": "2026-01-01"})
    return folder / "log.jsonl"


def read_review_log(path: Path) -> object:
    from isthmus.app.review.log import Log

    return Log(path).read()


def review_settings(folder: Path) -> Path:
    from isthmus.app.review.settings import read_review_settings

    read_review_settings(folder, seed=1)
    return folder / "settings.json"


def read_review_settings(path: Path) -> object:
    from isthmus.app.review.settings import read_review_settings

    return read_review_settings(path.parent, seed=1)


# ---- weights


def _state() -> dict[str, Any]:
    import torch

    return {"conv.weight": torch.arange(72.0).reshape(8, 1, 3, 3), "conv.bias": torch.zeros(8)}


def safetensors(folder: Path) -> Path:
    from safetensors.torch import save_file

    save_file(_state(), folder / "net.safetensors")
    return folder / "net.safetensors"


def torch_file(folder: Path) -> Path:
    import torch

    torch.save({"state_dict": _state()}, folder / "net.pth")
    return folder / "net.pth"


def read_weights(path: Path) -> object:
    from isthmus.deep.weights import read_tensors

    return read_tensors(path.read_bytes(), path)


def checkpoint(folder: Path) -> Path:
    from isthmus.deep.checkpoint import write_checkpoint

    write_checkpoint(folder / "training.safetensors", _state(), {"mark": "m", "epoch": 3})
    return folder / "training.safetensors"


def read_checkpoint(path: Path) -> object:
    from isthmus.deep.checkpoint import read_checkpoint

    return read_checkpoint(path, "m", marked="its images")


# ---- what a run keeps


@functools.cache
def _study(folder: Path) -> tuple[Path, Path]:
    """A finished run of a small table, and its plan."""
    from isthmus.study import Plan
    from isthmus.study.run import run_study
    from study.tables import PLAN, feature_table, write_study

    short = PLAN[: PLAN.index('[[models]]\nname = "trees"')] + PLAN[PLAN.index("[validate]") :]
    short = short.replace("repeats = 2", "repeats = 1").replace("permutations = 2", "permutations = 0")
    short = short.replace("bootstrap = 200", "bootstrap = 100").replace("folds = 3", "folds = 2")
    plan = write_study(folder / "study", feature_table(40, 4), plan=short)
    run_study(Plan.read(plan), folder / "run", workers=1)
    return plan, folder / "run"


def of_run(name: str) -> Any:
    def make(folder: Path) -> Path:
        return _study(folder.parent / "finished")[1] / name  # one run for all of its files

    return make


def read_result(path: Path) -> object:
    from isthmus.study.result import Result

    run = next(parent for parent in path.parents if parent.name == "run")
    found = Result.load(run)
    return [found.values(block) for block in found.blocks], found.models()


VALUE = {"row": "P1", "values": [1.5, None, 2.25], "warnings": ["a", "b"]}


def piece(folder: Path) -> Path:
    from isthmus.study.store import RunFolder

    RunFolder(folder / "run").put("features", "abc", VALUE)
    return folder / "run" / ".work" / "features" / "abc.json"


def read_piece(path: Path) -> object:
    """A damaged piece of work is not done: never another value."""
    from isthmus.study.store import RunFolder

    found = RunFolder(path.parents[2]).get("features", path.stem)
    assert found in (None, VALUE)
    return found


# ---- the application


def request(folder: Path) -> Path:
    path = folder / "request.json"
    path.write_text(
        json.dumps({"table": "cases.csv", "path": ".", "columns": ["age"], "outcome": "outcome", "text": "[cohort]\n"})
    )
    (folder / "cases.csv").write_text("patient,outcome,age\n" + "\n".join(f"P{n},{n % 2},{n + 40}" for n in range(12)))
    return path


@functools.cache
def _client(folder: Path) -> Any:
    from app.client import client_of
    from isthmus.app.settings import AppSettings

    return client_of(AppSettings(study=folder))


def post(path: Path) -> object:
    """Every address of the room takes the body, and answers what it cannot do in words."""
    client, said = _client(path.parent), {}
    for address in ("browse", "look", "table", "plan", "read"):
        answer = client.post(
            f"/api/start/{address}", content=path.read_bytes(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code < 500, f"{address}: {answer.text[:300]}"
        assert answer.status_code == 200 or answer.json()["error"]["what"]
        said[address] = answer.status_code
    return said
