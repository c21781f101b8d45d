"""Where a network looks: maps over a crop, and a check that they depend on what the network has learned.

Grad-CAM and Grad-CAM++ ask which places of a layer's maps raise the score of a class, occlusion which places the probability falls without,
attention which places the network itself weighs. None says why, and none is a boundary: the finest detail is that of the layer, or of the
patch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.deep.library import deterministic, load_torch
from isthmus.deep.networks import Layer, Network, build
from isthmus.errors import PlanError, did_you_mean
from isthmus.stats.seeds import child_seed

__all__ = ["METHODS", "RANDOMISATION", "Explanation", "Method", "explain", "randomisation_check", "with_places"]

Method = Literal["grad_cam", "grad_cam_plus_plus", "occlusion", "attention"]

METHODS: tuple[Method, ...] = get_args(Method)

RANDOMISATION = ("step", "modules", "to", "maps", "spearman", "ssim")
"""The columns of `randomisation_check`."""

_AT_A_TIME = 16
_SSIM_WINDOW = 7


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map over crops.

    Parameters
    ----------
    map : float32 array, shape (crops, *places)
        On the crops' grid, from 0 to 1, on one scale for all crops.
    low, high : float
        What 0 and 1 stand for: the map was `low + map * (high - low)`. Equal where the map is flat, which is then 0.
    method : str
    layer : str
        Whose maps they are; empty for occlusion.
    target : int
        The class that is explained; -1 where attention needs none.
    probability : tuple of float
        Of that class, for each crop, or for the sequence of them; empty where there is no class.
    """

    map: NDArray[np.float32]
    low: float
    high: float
    method: Method
    layer: str
    target: int
    probability: tuple[float, ...]

    @property
    def empty(self) -> bool:
        """Nothing in the crops is pointed at."""
        return not self.high > self.low


def explain(
    module: Any,
    network: Network,
    crops: NDArray[np.float32],
    *,
    method: Method = "grad_cam",
    layer: str | None = None,
    target: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
    fill: float | None = None,
) -> Explanation:
    """Where in crops a network sees a class.

    Parameters
    ----------
    module : torch.nn.Module
        The network with its weights; it is left as it was.
    network : Network
        Its row of the registry.
    crops : float32 array, shape (crops, channels, *places)
        Of one lesion, as `isthmus.deep.seen` gives them.
    method : str
        "grad_cam": the maps of a layer, each weighed by the mean gradient of the class's score (before softmax) over its places, summed,
        what is below 0 taken as 0 (Selvaraju et al., ICCV 2017). "grad_cam_plus_plus": weighed by the positive gradients, each by the share
        that Chattopadhyay et al. (WACV 2018, equation 19) give it, which assumes maps that are not negative. "occlusion": a patch of the
        crop is painted with `fill`; how much the probability of the class falls, averaged over the patches that cover a place, rises taken
        as 0 (Zeiler and Fergus, ECCV 2014). "attention": of a vision transformer the rollout of its layers' attention from the class token
        (Abnar and Zuidema, ACL 2020); of a network with convolutional block attention its gate over places, and of
        one that reads slices as a sequence times the weight of each slice.
    layer : str, optional
        Of the registry, for the gradients; unset, `network.explained`. Of attention the name of a CBAM module; unset, the last.
    target : int, optional
        The class; unset, the one most probable on average over the crops.
    patch, stride : int, optional
        Side of the occluded patch (an eighth of the crop in 2-D, a quarter in 3-D) and how far it moves (half of it).
    fill : float, optional
        Unset, the mean of each crop.

    Raises
    ------
    PlanError
        The network tells no classes apart, has no such layer or class, its layer has no places, or it has no attention.
    """
    torch = load_torch("an explanation")
    if method not in METHODS:
        raise PlanError(f"method {method!r} is not known.{did_you_mean(method, METHODS)}")
    if not network.explained and method != "attention":
        raise PlanError(f"network {network.name!r} tells no classes apart; only its attention can be shown")
    device = next(module.parameters()).device
    batch = torch.from_numpy(np.ascontiguousarray(crops)).to(device)
    with _as_it_is(module), deterministic():
        chosen, probability = -1, tuple[float, ...]()
        if network.explained:
            chosen, probability = _class_of(module, batch, network, target)
        if method == "attention":
            name, raw = _attention(module, network, batch, layer)
        elif method == "occlusion":
            name, raw = "", _occlusion(module, network, batch, chosen, patch, stride, fill)
        else:
            name, raw = _gradients(module, network, batch, chosen, layer, _WEIGHTS[method])
        if raw.shape[1:] != batch.shape[2:]:
            raw = _enlarged(raw, batch.shape[2:])
        found = raw.double().cpu().numpy()
    # of a class 0 means that nothing speaks for it; a gate or an attention has no such zero
    low = float(found.min()) if method == "attention" else 0.0
    high = float(found.max())
    if not np.isfinite(found).all():
        raise PlanError(f"{method}: the map is not a number somewhere; do the weights fit the range of the crop?")
    scaled = (found - low) / (high - low) if high > low else np.zeros_like(found)
    return Explanation(scaled.astype(np.float32), low, max(high, low), method, name, chosen, probability)


@contextmanager
def _as_it_is(module: Any) -> Iterator[None]:
    """In evaluation mode, its parameters without gradients; afterwards as before."""
    parameters = list(module.parameters())
    before = module.training, [one.requires_grad for one in parameters]
    module.eval()
    for one in parameters:
        one.requires_grad_(False)
    try:
        yield
    finally:
        module.train(before[0])
        for one, wanted in zip(parameters, before[1], strict=True):
            one.requires_grad_(wanted)


def _class_of(module: Any, batch: Any, network: Network, target: int | None) -> tuple[int, tuple[float, ...]]:
    """The class that is explained, and its probability for each crop."""
    torch = load_torch()
    with torch.inference_mode():
        shares = _in_parts(module, network, batch).double().softmax(1)
    if target is None:
        target = int(shares.mean(0).argmax())
    if not 0 <= target < shares.shape[1]:
        raise PlanError(
            f"class {target}: network {network.name!r} tells {shares.shape[1]} classes apart, 0 to {shares.shape[1] - 1}"
        )
    return target, tuple(map(float, shares[:, target]))


def _parts(network: Network, batch: Any) -> list[Any]:
    """Crops that go through the network together; the slices of a sequence as one."""
    return [batch[None]] if network.sequence else list(batch.split(_AT_A_TIME))


def _in_parts(module: Any, network: Network, batch: Any) -> Any:
    torch = load_torch()
    return torch.cat([module(piece) for piece in _parts(network, batch)])


def _enlarged(maps: Any, places: Any) -> Any:
    """Linear interpolation between the middles of a map's places, shape (crops, *places)."""
    functional = load_torch().nn.functional
    mode = {2: "bilinear", 3: "trilinear"}[maps.ndim - 1]
    return functional.interpolate(maps[:, None], size=tuple(places), mode=mode, align_corners=False)[:, 0]


# ---------------------------------------------------------------------- gradients of a layer


def _gradients(
    module: Any, network: Network, batch: Any, target: int, layer: str | None, weigh: Callable[[Any, Any], Any]
) -> tuple[str, Any]:
    """The weighed sum of a layer's maps, shape (crops, *places of the layer)."""
    torch = load_torch()
    name = layer or network.explained
    if name not in network.layers:
        raise PlanError(f"network {network.name!r} has no layer {name!r}.{did_you_mean(name, network.layers)}")
    place = network.layers[name]
    kept: list[Any] = []

    def cut(module: Any, inputs: Any, output: Any) -> Any:
        # a leaf of its own: what follows may change its copy in place, and nothing before it is differentiated
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()

    hook = module.get_submodule(place.module).register_forward_hook(cut)
    found = []
    try:
        for piece in _parts(network, batch):
            kept.clear()
            with torch.enable_grad():
                score = module(piece)[:, target].sum()
            (gradient,) = torch.autograd.grad(score, kept[0])
            maps, gradient = (with_places(one, place, batch.ndim - 2) for one in (kept[0].detach(), gradient))
            if maps.shape[2:].numel() == 1:
                raise PlanError(
                    f"the layer {name!r} of {network.name!r} has one place on crops of {batch.shape[-1]}: a map needs an earlier layer, or "
                    "larger crops"
                )
            found.append((weigh(maps, gradient) * maps).sum(1).relu())
    finally:
        hook.remove()
    return name, torch.cat(found)


def with_places(output: Any, place: Layer, dims: int) -> Any:
    """A layer's output, or its gradient, as (crops, channels, *places); tokens lie in a square or cube again."""
    if place.kind == "map_last":
        return output.movedim(-1, 1)
    if place.kind == "vector":
        raise PlanError(f"the layer {place.module!r} has no places; a map needs an earlier layer")
    return output if place.kind == "map" else _square(output[:, 1:].transpose(1, 2), dims)


def _square(tokens: Any, dims: int) -> Any:
    """Patches on one last axis as a square or a cube of them."""
    return tokens.reshape(*tokens.shape[:-1], *[round(tokens.shape[-1] ** (1 / dims))] * dims)


def _mean_gradient(maps: Any, gradient: Any) -> Any:
    return gradient.flatten(2).mean(2).reshape(*gradient.shape[:2], *[1] * (gradient.ndim - 2))


def _weighed_gradient(maps: Any, gradient: Any) -> Any:
    """Sum over places of alpha times the positive gradient, alpha = g^2 / (2 g^2 + g^3 sum(map)). The score's exponential, one factor
    for a whole crop, is left out: it changes no map from 0 to 1, and overflows."""
    torch = load_torch()
    shape = (*maps.shape[:2], *[1] * (maps.ndim - 2))
    below = 2 * gradient**2 + gradient**3 * maps.flatten(2).sum(2).reshape(shape)
    alpha = gradient**2 / torch.where(below != 0, below, torch.ones_like(below))
    return (alpha * gradient.relu()).flatten(2).sum(2).reshape(shape)


_WEIGHTS: dict[str, Callable[[Any, Any], Any]] = {
    "grad_cam": _mean_gradient,
    "grad_cam_plus_plus": _weighed_gradient,
}


# ---------------------------------------------------------------------- occlusion


def _occlusion(
    module: Any, network: Network, batch: Any, target: int, patch: int | None, stride: int | None, fill: float | None
) -> Any:
    """How much the probability falls where a patch is painted over, shape (crops, *places)."""
    torch = load_torch()
    places = batch.shape[2:]
    side = patch or max(min(places) // (8 if len(places) == 2 else 4), 1)
    step = stride or max(side // 2, 1)
    if not 1 <= side <= min(places) or step < 1 or step > side:
        raise PlanError(
            f"occlusion: patch = {side}, stride = {step} on crops of {min(places)}; 1 <= stride <= patch <= crop"
        )
    starts = [[*range(0, size - side, step), size - side] for size in places]
    boxes = [
        tuple(slice(start, start + side) for start in corner)
        for corner in np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, len(places)).tolist()
    ]
    covered = torch.zeros(tuple(places), dtype=torch.float64)
    for box in boxes:
        covered[box] += 1
    found = []
    with torch.inference_mode():
        for place, crop in enumerate(batch):
            paint = float(crop.mean()) if fill is None else fill
            # of a sequence one slice is painted, and all are seen
            whole, at = (batch, (place,)) if network.sequence else (crop, ())
            before = module(whole[None]).double().softmax(1)[0, target].cpu()
            fallen = torch.zeros_like(covered)
            for first in range(0, len(boxes), _AT_A_TIME):
                some = boxes[first : first + _AT_A_TIME]
                painted = whole.repeat(len(some), *[1] * whole.ndim)
                for number, box in enumerate(some):
                    painted[(number, *at, slice(None), *box)] = paint
                after = module(painted).double().softmax(1)[:, target].cpu()
                for box, left in zip(some, after, strict=True):
                    fallen[box] += before - left
            found.append((fallen / covered).relu())
    return torch.stack(found)


# ---------------------------------------------------------------------- attention


def _attention(module: Any, network: Network, batch: Any, layer: str | None) -> tuple[str, Any]:
    from isthmus.deep.nets.cbam import CBAM
    from isthmus.deep.nets.vit import VisionTransformer

    if isinstance(module, VisionTransformer):
        if layer is not None:
            raise PlanError("attention of a vision transformer goes through all of its layers; leave layer out")
        return "rollout", _rollout(module, network, batch)
    gates = [name for name, part in module.named_modules() if isinstance(part, CBAM)]
    if not gates:
        raise PlanError(
            f"network {network.name!r} has no attention over the whole crop; use grad_cam, grad_cam_plus_plus or occlusion"
        )
    name = layer or gates[-1]
    if name not in gates:
        raise PlanError(f"network {network.name!r} has no attention {name!r}; it has {', '.join(gates)}")
    gate = _seen_by(module, network, f"{name}.spatial", batch).sigmoid()[:, 0]
    if network.sequence:
        # a slice that does not matter is not looked at, wherever its gate is open
        weight = _seen_by(module, network, "attention.score", batch)[0, :, 0].softmax(0)
        gate = gate * weight[:, None, None]
    return name, gate


def _rollout(module: Any, network: Network, batch: Any) -> Any:
    """From the class token to the patches: the product of every layer's attention, averaged over its heads and with the identity."""
    torch = load_torch()
    joint: Any = None
    for number, block in enumerate(module.blocks):
        inner = _seen_by(module, network, f"blocks.{number}.qkv", batch)
        count, tokens, width = inner.shape
        query, key, _ = inner.reshape(count, tokens, 3, block.heads, width // (3 * block.heads)).permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1).mean(1)
        weights = (weights + torch.eye(tokens, device=weights.device)) / 2
        joint = weights if joint is None else weights @ joint
    return _square(joint[:, 0, 1:], batch.ndim - 2)


def _seen_by(module: Any, network: Network, name: str, batch: Any) -> Any:
    """The output of one module for the whole batch."""
    torch = load_torch()
    kept: list[Any] = []
    hook = module.get_submodule(name).register_forward_hook(lambda *call: kept.append(call[-1].clone()))
    try:
        with torch.inference_mode():
            _in_parts(module, network, batch)
    finally:
        hook.remove()
    return torch.cat(kept)


# ---------------------------------------------------------------------- does the map depend on what was learned?


def randomisation_check(
    module: Any,
    network: Network,
    crops: NDArray[np.float32],
    *,
    method: Method = "grad_cam",
    layer: str | None = None,
    target: int | None = None,
    steps: int = 8,
    draws: int = 3,
    seed: int = 42,
) -> pd.DataFrame:
    """The map while the weights are made random, from the head down to the first layer (Adebayo et al., NeurIPS 2018).

    A map that stays as it was shows the image, not what the network has learned. Randomised weights are those of an untrained network.

    Parameters
    ----------
    module, network, crops, method, layer, target
        As of `explain`; the class stays that of the trained network.
    steps : int
        In how many parts the layers below the head are made random.
    draws : int
        How many networks of random weights: one may by chance look where the trained one does.
    seed : int
        Of the random weights.

    Returns
    -------
    DataFrame
        Columns `RANDOMISATION`. Step 0 is the network as it is; `modules`: how many have random weights, from the head down `to` this one;
        `maps`: how many maps, a crop and a draw each, are not flat before and now; `spearman`, `ssim`: rank correlation and structural
        similarity (Wang et al. 2004, windows of 7) with the map of step 0, mean over these, NaN where there are none.
    """
    torch = load_torch("the randomisation check")
    with _as_it_is(module):
        original = explain(module, network, crops, method=method, layer=layer, target=target)
    chosen = original.target if original.target >= 0 else None
    names = [name for name, part in module.named_modules() if list(part.parameters(recurse=False))]
    heads = [name for name in names if any(name == one or name.startswith(f"{one}.") for one in network.heads)]
    body = [name for name in names if name not in heads][::-1]
    parts = [part.tolist() for part in np.array_split(np.asarray(body, dtype=object), max(min(steps, len(body)), 1))]
    parts = [part for part in [heads[::-1], *parts] if part]
    compared: list[list[tuple[float, float]]] = [[] for _ in parts]
    for draw in range(draws):
        changed = _copied(module)
        # seeds of its own: the network may have been trained from the weights that the bare seed gives
        drawn = build(
            network,
            crops.ndim - 2,
            channels=crops.shape[1],
            size=crops.shape[-1],
            classes=_classes(module, network),
            seed=child_seed(seed, f"randomised {draw}"),
        )
        new = drawn.state_dict()
        for part, pairs in zip(parts, compared, strict=True):
            with torch.no_grad():
                for key, tensor in changed.state_dict().items():
                    if key.rpartition(".")[0] in part and key in new:
                        tensor.copy_(new[key])
            now = explain(changed, network, crops, method=method, layer=layer, target=chosen)
            pairs.extend(_alike(original.map, now.map))
    first = _alike(original.map, original.map)
    rows = [(0, 0, "", *_means(first))]
    done = 0
    for step, (part, found) in enumerate(zip(parts, compared, strict=True), 1):
        done += len(part)
        rows.append((step, done, part[-1] or "the network's own", *_means(found)))
    return pd.DataFrame(rows, columns=list(RANDOMISATION))


def _copied(module: Any) -> Any:
    """A copy without what others have hooked to it (an `Encoder` reads its layer so)."""
    hooks = [(part, part._forward_hooks) for part in module.modules()]
    try:
        for part, own in hooks:
            part._forward_hooks = type(own)()
        return deepcopy(module)
    finally:
        for part, own in hooks:
            part._forward_hooks = own


def _classes(module: Any, network: Network) -> int:
    """How many the head of a module tells apart."""
    if not network.explained:
        return 2
    head = module.get_submodule(network.heads[0])
    return int(next(iter(head.parameters())).shape[0])


def _alike(first: NDArray[np.float32], second: NDArray[np.float32]) -> list[tuple[float, float]]:
    """Rank correlation and structural similarity of each pair of maps that are not flat."""
    from monai.metrics.regression import compute_ssim_and_cs
    from scipy.stats import spearmanr

    torch = load_torch()
    dims, found = first.ndim - 1, []
    window = [min(_SSIM_WINDOW, *first.shape[1:])] * dims
    for pair in zip(first, second, strict=True):
        if all(np.ptp(map_) > 0 for map_ in pair):
            one, other = (torch.from_numpy(map_[None, None].astype(np.float64)) for map_ in pair)
            ssim, _ = compute_ssim_and_cs(one, other, dims, window, [1.5] * dims, 1.0, "uniform")
            found.append((float(spearmanr(pair[0].ravel(), pair[1].ravel()).statistic), float(ssim.mean())))
    return found


def _means(pairs: list[tuple[float, float]]) -> tuple[int, float, float]:
    if not pairs:
        return 0, float("nan"), float("nan")
    ranks, ssim = np.mean(pairs, axis=0).tolist()
    return len(pairs), min(ranks, 1.0), min(ssim, 1.0)  # the last bits of a map beside itself
