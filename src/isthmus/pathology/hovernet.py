"""Nuclei of six classes by HoVer-Net (Graham et al., Medical Image Analysis 2019), with the weights of a file that the user has.

The network (MONAI's) says of every pixel whether it lies in a nucleus, how far it is from its nucleus' centre, across and down (-1 to 1
from border to border), and its class. `instances` makes nuclei of that: where the two distances jump, one nucleus ends and
another begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus import _core
from isthmus.errors import WeightsError, first_few
from isthmus.pathology.stain import Pixels
from isthmus.settings import Section

__all__ = ["PANNUKE", "HoverMaps", "HoverNet", "HoverNetSettings", "instances", "load_hovernet"]

PANNUKE = ("none", "neoplastic", "inflammatory", "connective", "dead", "epithelial")
"""Classes of PanNuke, the background first; the last one is epithelium that is not neoplastic."""

_LARGEST_UM = 60.0  # a nucleus in the halo of a tile
_JUMP_SIGMA = 1.5  # pixels: of the derivative that sees where the distances jump


class HoverNetSettings(Section):
    """[pathology.hovernet]: the file of the weights and the network they are for.

    Parameters
    ----------
    path : Path
        .safetensors or a state dict of torch.save, with the names of MONAI's `HoVerNet` (also with `module.`, `model.`, `network.`, `net.`
        before all of them); every tensor must be there.
    sha256 : str, optional
        Of the file; another file is refused.
    source, licence : str
        Where the file comes from, and under which licence: kept in `facts.json`.
    mode : str
        `fast` (256 pixels in, 164 out) or `original` (270 in, 80 out).
    classes : tuple of str
        Names of the classes of the weights, the background first.
    mpp : float
        Resolution the weights were trained at, um per pixel; `[pathology] mpp` must be the same.
    least_probability : float
        A pixel of at least this probability lies in a nucleus.
    rise : float
        Share of its height that a summit must rise above the pass to a neighbour to be a nucleus of its own.
    least_area : int
        Pixels.
    batch : int
        Windows at a time.
    device : str
        `auto`: a GPU where there is one.
    """

    path: Path
    sha256: str | None = None
    source: str = ""
    licence: str = ""
    mode: Literal["fast", "original"] = "fast"
    classes: Annotated[tuple[str, ...], Field(min_length=2)] = PANNUKE
    mpp: Annotated[float, Field(gt=0)] = 0.25
    least_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.35
    least_area: Annotated[int, Field(ge=1)] = 30
    batch: Annotated[int, Field(ge=1)] = 16
    device: Literal["auto", "cpu", "cuda"] = "auto"


@dataclass(frozen=True, eq=False)
class HoverMaps:
    """What the network says of every pixel: `nucleus` (j, i) probability, `across` and `down` (j, i) distances, `classes` (class, j, i)."""

    nucleus: NDArray[np.float32]
    across: NDArray[np.float32]
    down: NDArray[np.float32]
    classes: NDArray[np.float32]


def instances(maps: HoverMaps, settings: HoverNetSettings) -> tuple[NDArray[np.int32], list[str], NDArray[np.float64]]:
    """Labels 1 ... n of the nuclei, the class and the mean probability of each.

    The relief is high where a pixel is near the centre of its nucleus (1 - max |distance|) and low where a distance falls instead of
    rising (from +1 of one nucleus to -1 of the next); its basins are the nuclei. The class is the one that most probability of the nucleus'
    pixels says, the background aside. Nothing depends on the extremes of the picture: the same place gives the same nuclei in any tile.
    """
    from scipy import ndimage

    mask = np.ascontiguousarray(maps.nucleus >= settings.least_probability)
    peak = 2 / (_JUMP_SIGMA * np.sqrt(2 * np.pi))  # slope of a smoothed jump from 1 to -1
    falls = [
        np.maximum(-ndimage.gaussian_filter(plane, _JUMP_SIGMA, order=order, truncate=3.0), 0) / peak
        for plane, order in ((maps.across, (0, 1)), (maps.down, (1, 0)))
    ]
    # outside the nuclei the distances are 0: what falls there is no neighbour's border
    jump = np.where(mask, np.minimum(np.maximum(*falls), 1), 1)
    inner = 1 - np.minimum(np.maximum(np.abs(maps.across), np.abs(maps.down)), 1)
    relief = ndimage.gaussian_filter((inner * (1 - jump) * mask).astype(np.float32), 1.0, truncate=3.0)
    labels = _core.basins(np.ascontiguousarray(relief, dtype=np.float32), mask, 0.0, settings.rise)
    area = np.bincount(labels.ravel())
    keep = area >= settings.least_area
    keep[0] = False
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    labels = np.asarray(number[labels])
    count = int(labels.max(initial=0))
    sums = np.stack([np.bincount(labels.ravel(), plane.ravel().astype(float), count + 1)[1:] for plane in maps.classes])
    best = sums[1:].argmax(axis=0) + 1 if count else np.empty(0, int)
    inside = np.bincount(labels.ravel(), maps.nucleus.ravel().astype(float), count + 1)[1:] / np.maximum(
        np.bincount(labels.ravel(), minlength=count + 1)[1:], 1
    )
    return labels, [settings.classes[n] for n in best], inside


class HoverNet:
    """A loaded network.

    Attributes
    ----------
    record : dict
        File, its SHA-256, source, licence, tensors matched, device, versions.
    reach : int
        Pixels around a tile that can have a say in its nuclei.
    """

    def __init__(self, module: Any, settings: HoverNetSettings, device: str, record: dict[str, Any]) -> None:
        self._module, self.settings, self.device, self.record = module, settings, device, record
        self.size, self.out = (256, 164) if settings.mode == "fast" else (270, 80)
        self.reach = self.size + int(np.ceil(_LARGEST_UM / settings.mpp)) + int(3 * _JUMP_SIGMA) + 4

    def predict(self, rgb: Pixels, top: int = 0, left: int = 0) -> HoverMaps:
        """Maps of a picture that begins at (top, left) of the slide; windows lie on one grid of the slide, whatever the tiles are."""
        from isthmus.deep.library import load_torch

        torch = load_torch()
        rows, columns = rgb.shape[:2]
        edge = (self.size - self.out) // 2
        windows = list(_windows(rows, top, self.out, edge, self.size, columns, left))
        far = max(-min(corner for window in windows for corner in window), 0)
        behind = max(max(j for j, _ in windows) + self.size - rows, max(i for _, i in windows) + self.size - columns, 0)
        padded = np.pad(rgb, ((far, behind), (far, behind), (0, 0)), mode="symmetric")
        maps = np.zeros((3 + len(self.settings.classes), rows, columns), np.float32)
        for start in range(0, len(windows), self.settings.batch):
            some = windows[start : start + self.settings.batch]
            batch = np.stack([padded[j + far : j + far + self.size, i + far : i + far + self.size] for j, i in some])
            tensor = torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2))).to(self.device).float() / 255
            with torch.no_grad():
                said = {getattr(key, "value", key): value.float() for key, value in self._module(tensor).items()}
                nucleus = said["nucleus_prediction"].softmax(1)[:, 1:2]
                classes = said["type_prediction"].softmax(1)
                found = torch.cat([nucleus, said["horizontal_vertical"], classes], 1).cpu().numpy()
            for (j, i), planes in zip(some, found, strict=True):
                y, x = j + edge, i + edge
                here = np.s_[:, max(y, 0) : min(y + self.out, rows), max(x, 0) : min(x + self.out, columns)]
                there = np.s_[:, max(-y, 0) : min(self.out, rows - y), max(-x, 0) : min(self.out, columns - x)]
                maps[here] = planes[there]
        return HoverMaps(maps[0], maps[1], maps[2], maps[3:])


def _windows(rows: int, top: int, out: int, edge: int, size: int, columns: int, left: int) -> Iterator[tuple[int, int]]:
    """Upper left corners, in the picture, of the windows whose answers cover it; answers lie at multiples of `out` of the slide."""
    for j in range(-(top % out), rows, out):
        for i in range(-(left % out), columns, out):
            yield j - edge, i - edge


def _monai_names(state: dict[str, Any], path: Path) -> dict[str, Any]:
    """The tensors without a name of the whole before theirs, as training programs add it."""
    if any(name.startswith("decoder.") and ".u3." in name for name in state):
        raise WeightsError(
            f"{path}: has the names of the authors' code or of TIAToolbox (decoder.np.u3 ...), and is no file for MONAI's HoVerNet. Run it "
            "there, and measure its nuclei with isthmus pathology import"
        )
    for prefix in ("model.", "network.", "net.", "_orig_mod."):
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _fitting(state: dict[str, Any], settings: HoverNetSettings) -> str:
    """What the shapes of a file say of its classes and its mode, where the settings say otherwise."""
    classes = state.get("type_prediction.output_features.decoderblock4.conv.weight")
    kernel = state.get("nucleus_prediction.decoder_blocks.decoderblock1.conva.weight")
    said = []
    if classes is not None and classes.shape[0] != len(settings.classes):
        said.append(f"the file has {classes.shape[0]} classes with the background")
    mode = None if kernel is None else {3: "fast", 5: "original"}.get(int(kernel.shape[-1]))
    if mode is not None and mode != settings.mode:
        said.append(f'it is of mode = "{mode}"')
    return "; " + ", and ".join(said) if said else "; check mode and classes"


@lru_cache(maxsize=1)
def load_hovernet(settings: HoverNetSettings) -> HoverNet:
    """The network with the weights of the file, in evaluation mode; loaded once a process.

    Raises
    ------
    WeightsError
        The file is not the one named, cannot be read without executing code, or does not hold all of this network and nothing else.
    PlanError
        The extra `deep` is not installed.
    """
    from isthmus.deep.library import best_device, load_torch, versions
    from isthmus.deep.weights import read_tensors

    torch = load_torch("HoVer-Net")
    from monai.networks.nets import HoVerNet  # type: ignore[attr-defined]

    path = settings.path
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise WeightsError(
            f"{path}: the file of the weights cannot be read ({exc.strerror or exc}). Check the path"
        ) from exc
    sha256 = hashlib.sha256(data).hexdigest()
    if settings.sha256 is not None and sha256 != settings.sha256:
        raise WeightsError(
            f"{path}: the file's SHA-256 is {sha256}, expected {settings.sha256}. It is not the file that was named"
        )
    state = _monai_names(read_tensors(data, path), path)
    module = HoVerNet(mode=settings.mode, in_channels=3, out_classes=len(settings.classes))
    own = module.state_dict()
    needed = {name for name in own if not name.endswith(".num_batches_tracked")}
    wrong = sorted(name for name in needed & set(state) if state[name].shape != own[name].shape)
    missing, other = sorted(needed - set(state)), sorted(set(state) - set(own))
    if wrong or missing or other:
        kinds = (("missing", missing), ("unexpected", other), ("of another shape", wrong))
        said = "; ".join(f"{len(names)} {what} ({first_few(names)})" for what, names in kinds if names)
        raise WeightsError(
            f"{path}: does not hold HoVer-Net ({settings.mode}, {len(settings.classes)} classes): "
            f"{len(needed) - len(missing) - len(wrong)} of {len(needed)} tensors match; {said}. "
            f"Names are those of MONAI's HoVerNet{_fitting(state, settings)}"
        )
    broken = [name for name in needed if not bool(torch.isfinite(state[name]).all())]
    if broken:
        raise WeightsError(f"{path}: {first_few(broken)} hold values that are not numbers; the file is damaged")
    module.load_state_dict({**own, **state})
    device = best_device() if settings.device == "auto" else settings.device
    module.eval().requires_grad_(False).to(device)
    record = {
        "network": f"HoVer-Net, {settings.mode}",
        "file": path.name,
        "sha256": sha256,
        "source": settings.source,
        "licence": settings.licence,
        "matched": len(needed),
        "of": len(needed),
        "classes": list(settings.classes),
        "device": device,
        **versions(),
    }
    return HoverNet(module, settings, device, record)
