"""How much longer features of a frozen network take than the bare forward pass of the same module on the same crops.

On a processor: one thread, CPU time, in turn; on a GPU: wall time. Crops are in memory; cropping one lesion out of
an image in memory is timed apart.

    python benchmarks/deep.py [--networks resnet18 densenet121] [--crops 16] [--repeats 5]
"""

from __future__ import annotations

import argparse
import datetime
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from isthmus.deep import NETWORKS, DeepSettings, Encoder, seen
from isthmus.deep.library import versions
from isthmus.image import Geometry, Image
from isthmus.roi import Roi


def taken(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return clock() - start


def lesion(dims: int) -> tuple[Image, Roi]:
    """A box-shaped lesion of 40 mm in a volume of 1 mm."""
    geometry = Geometry((60, 200, 200), (1, 1, 1))
    values = np.random.default_rng(1).normal(size=geometry.shape).astype(np.float32)
    mask = np.zeros(geometry.shape, bool)
    mask[10:50, 80:120, 80:120] = True
    return Image(values, geometry), Roi(mask, geometry)


def measure(name: str, dims: int, crops: int, repeats: int) -> dict[str, Any]:
    document = {"encoder": {"network": name, "dims": dims, "weights": {"origin": "random"}}}
    settings = DeepSettings.model_validate(document)
    encoder = Encoder(settings)
    batch = np.random.default_rng(0).normal(size=(crops, 1, *[encoder.size] * dims)).astype(np.float32)
    step = settings.encoder.batch

    def bare() -> None:
        with torch.inference_mode():
            for start in range(0, crops, step):
                encoder.module(torch.from_numpy(batch[start : start + step]).to(encoder.device))
            if encoder.device != "cpu":
                torch.cuda.synchronize()

    clock = time.process_time if encoder.device == "cpu" else time.perf_counter
    hook = encoder.module.get_submodule(encoder._place.module)
    bare(), encoder.features(batch)
    times: dict[str, list[float]] = {"bare": [], "features": []}
    for _ in range(repeats):
        hooks = dict(hook._forward_hooks)
        hook._forward_hooks.clear()
        times["bare"].append(taken(bare, clock))
        hook._forward_hooks.update(hooks)
        times["features"].append(taken(lambda: encoder.features(batch), clock))
    one, all_of_it = (statistics.median(times[key]) for key in ("bare", "features"))
    image, roi = lesion(dims)
    cropping = statistics.median(taken(lambda: seen(image, roi, settings), clock) for _ in range(repeats))
    return {
        "network": name,
        "dims": dims,
        "size": encoder.size,
        "bare_s": one,
        "features_s": all_of_it,
        "more": all_of_it / one - 1,
        "crop_s": cropping,
        "device": encoder.device,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--networks", nargs="*", default=["resnet10_narrow", "resnet18", "densenet121", "efficientnet_b0"]
    )
    parser.add_argument("--dims", nargs="*", type=int, default=[2, 3])
    parser.add_argument("--crops", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    libraries = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(
        f"{datetime.date.today()}, {platform.processor() or platform.machine()}, {libraries}, {given.crops} crops a pass\n"
    )
    print("| network | dims | crop | device | bare pass, s | features, s | more | cropping one lesion, s |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    for name in given.networks:
        for dims in given.dims:
            if dims not in NETWORKS[name].dims:
                continue
            f = measure(name, dims, given.crops, given.repeats)
            print(
                f"| {name} | {dims} | {f['size']} | {f['device']} | {f['bare_s']:.3f} | {f['features_s']:.3f} | {f['more']:+.1%} "
                f"| {f['crop_s']:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
