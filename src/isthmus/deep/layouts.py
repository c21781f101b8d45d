"""Names that other libraries give the parameters of a network, as small maps to ours.

Each map is a list of patterns and what they become, tried in turn on every name; a name that none fits stays. `plain` is our own naming,
which `isthmus` writes: MONAI's for its networks, torchvision's for AlexNet and Inception-v3, our own for ViT and Swin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from isthmus.deep.library import load_torch
from isthmus.errors import WeightsError

__all__ = ["LAYOUTS", "as_trained", "renamed"]

State = dict[str, Any]
Rules = Sequence[tuple[str, str | Callable[[re.Match[str]], str]]]

_KEEP: Rules = ()
_COMPUTED = (
    "relative_position_index",
    "attn_mask",
)  # tables that files of Swin keep beside the weights; they follow from the sizes


def renamed(state: Mapping[str, Any], network: str, layout: str) -> State:
    """Tensors under our names.

    Raises
    ------
    WeightsError
        The layout does not know this network, or two names of the file become one.
    """
    known = LAYOUTS[layout]
    if network not in known:
        there = [name for name in LAYOUTS if network in LAYOUTS[name]]
        raise WeightsError(
            f"layout = {layout!r} is not known for the network {network!r}; known for it: {', '.join(there)}"
        )
    rules = known[network]
    table = rules(state) if callable(rules) else rules
    found: State = {}
    for name, tensor in state.items():
        if network == "swin_t" and name.endswith(_COMPUTED):
            continue
        ours = _name(name, table)
        if ours in found:
            raise WeightsError(f"layout = {layout!r}: two tensors of the file become {ours!r}; is it another layout?")
        found[ours] = tensor
    if layout == "monai" and network == "vit_b_16":
        return _monai_vit(found)
    return found


def _name(name: str, rules: Rules) -> str:
    for pattern, new in rules:
        replaced, count = re.subn(pattern, new, name)
        if count:
            return replaced
    return name


# ---------------------------------------------------------------------- torchvision

_DENSE: Rules = (
    (r"^(features\..*denselayer\d+)\.(norm|conv)\.?([12])\.", r"\1.layers.\2\3."),
    (r"^classifier\.", "class_layers.out."),
)


def _mbconv(match: re.Match[str]) -> str:
    """The name of a part of an inverted bottleneck of torchvision: the first of each network has no expansion."""
    stage, block, part, rest = int(match[1]), int(match[2]), int(match[3]), match[4]
    parts = ("depthwise", "squeeze", "project") if stage == 1 else ("expand", "depthwise", "squeeze", "project")
    norms = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    what = parts[part]
    before = f"_blocks.{stage - 1}.{sum(_REPEATS[: stage - 1]) + block}."
    if what == "squeeze":
        return before + rest.replace("fc1", "_se_reduce").replace("fc2", "_se_expand")
    if rest.startswith("0."):
        return f"{before}_{what}_conv.{rest[2:]}"
    return f"{before}{norms[what]}.{rest[2:]}"


_REPEATS = (1, 2, 2, 3, 3, 4, 1)

_EFFICIENT: Rules = (
    (r"^features\.0\.0\.", "_conv_stem."),
    (r"^features\.0\.1\.", "_bn0."),
    (r"^features\.8\.0\.", "_conv_head."),
    (r"^features\.8\.1\.", "_bn1."),
    (r"^features\.(\d+)\.(\d+)\.block\.(\d+)\.(.*)$", _mbconv),
    (r"^classifier\.1\.", "_fc."),
)

_VIT: Rules = (
    (r"^conv_proj\.", "patch."),
    (r"^encoder\.pos_embedding$", "positions"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.", r"blocks.\1.norm\2."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_", r"blocks.\1.qkv."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.", r"blocks.\1.projection."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_1|0)\.", r"blocks.\1.mlp.0."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:linear_2|3)\.", r"blocks.\1.mlp.2."),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
)


def _swin_stage(match: re.Match[str]) -> str:
    """torchvision numbers the stages 1, 3, 5, 7 and the merging layers between them 2, 4, 6."""
    number, rest = int(match[1]), match[2]
    if number % 2 == 0:
        return f"merging.{number // 2 - 1}.{rest}"
    return f"stages.{number // 2}.{_swin_part(rest)}"


def _swin_part(rest: str) -> str:
    for theirs, ours in (
        ("attn.relative_position_bias_table", "bias"),
        ("attn.qkv.", "qkv."),
        ("attn.proj.", "projection."),
        ("mlp.3.", "mlp.2."),
        ("mlp.fc1.", "mlp.0."),
        ("mlp.fc2.", "mlp.2."),
    ):
        rest = rest.replace(theirs, ours)
    return rest


_SWIN: Rules = (
    (r"^features\.0\.0\.", "patch."),
    (r"^features\.0\.2\.", "patch_norm."),
    (r"^features\.(\d+)\.(.*)$", _swin_stage),
)

# ---------------------------------------------------------------------- timm

_TIMM_EFFICIENT_PARTS = {
    "conv_pw": "_expand_conv",
    "conv_dw": "_depthwise_conv",
    "conv_pwl": "_project_conv",
    "se.conv_reduce": "_se_reduce",
    "se.conv_expand": "_se_expand",
    "bn1": "_bn0",
    "bn2": "_bn1",
    "bn3": "_bn2",
}
# the first stage does not expand: its parts move up by one
_TIMM_FIRST_PARTS = {**_TIMM_EFFICIENT_PARTS, "conv_pw": "_project_conv", "bn1": "_bn1", "bn2": "_bn2"}


def _timm_mbconv(match: re.Match[str]) -> str:
    stage, block, part, rest = int(match[1]), int(match[2]), match[3], match[4]
    parts = _TIMM_FIRST_PARTS if stage == 0 else _TIMM_EFFICIENT_PARTS
    return f"_blocks.{stage}.{sum(_REPEATS[:stage]) + block}.{parts[part]}.{rest}"


_TIMM_EFFICIENT: Rules = (
    (r"^conv_stem\.", "_conv_stem."),
    (r"^bn1\.", "_bn0."),
    (r"^conv_head\.", "_conv_head."),
    (r"^bn2\.", "_bn1."),
    (r"^blocks\.(\d+)\.(\d+)\.(conv_\w+|bn\d|se\.conv_\w+)\.(.*)$", _timm_mbconv),
    (r"^classifier\.", "_fc."),
)
_TIMM_VIT: Rules = (
    (r"^patch_embed\.proj\.", "patch."),
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "positions"),
    (r"^blocks\.(\d+)\.attn\.qkv\.", r"blocks.\1.qkv."),
    (r"^blocks\.(\d+)\.attn\.proj\.", r"blocks.\1.projection."),
    (r"^blocks\.(\d+)\.mlp\.fc1\.", r"blocks.\1.mlp.0."),
    (r"^blocks\.(\d+)\.mlp\.fc2\.", r"blocks.\1.mlp.2."),
)
_TIMM_SWIN: Rules = (
    (r"^patch_embed\.proj\.", "patch."),
    (r"^patch_embed\.norm\.", "patch_norm."),
    (r"^layers\.(\d+)\.downsample\.(.*)$", lambda m: f"merging.{int(m[1]) - 1}.{m[2]}"),
    (r"^layers\.(\d+)\.blocks\.(.*)$", lambda m: f"stages.{m[1]}.{_swin_part(m[2])}"),
    (r"^head\.fc\.", "head."),
)

# ---------------------------------------------------------------------- RadImageNet: layers by their position

_RAD_RESNET: Rules = (
    (r"^backbone\.0\.", "conv1."),
    (r"^backbone\.1\.", "bn1."),
    (r"^backbone\.([4-7])\.(.*)$", lambda m: f"layer{int(m[1]) - 3}.{m[2]}"),
)
_RAD_DENSE: Rules = (
    (r"^backbone\.0\.(.*denselayer\d+)\.(norm|conv)([12])\.", r"features.\1.layers.\2\3."),
    (r"^backbone\.0\.", "features."),
)
_INCEPTION_ORDER = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"),
    *(f"Mixed_{n}" for n in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")),
)


def _rad_inception(state: Mapping[str, Any]) -> Rules:
    """The published file was saved without the auxiliary head, which shifts the last three blocks against the authors' example."""
    order = list(_INCEPTION_ORDER)
    if any(name.startswith("backbone.15.conv0.") for name in state):
        order.insert(15, "AuxLogits")
    return ((r"^backbone\.(\d+)\.", lambda m: f"{order[int(m[1])]}." if int(m[1]) < len(order) else m[0]),)


# ---------------------------------------------------------------------- MONAI


_MONAI_VIT: Rules = (
    (r"^patch_embedding\.patch_embeddings\.", "patch."),
    (r"^patch_embedding\.position_embeddings$", "positions"),
    (r"^cls_token$", "class_token"),
    (r"^blocks\.(\d+)\.attn\.qkv\.", r"blocks.\1.qkv."),
    (r"^blocks\.(\d+)\.attn\.out_proj\.", r"blocks.\1.projection."),
    (r"^blocks\.(\d+)\.mlp\.linear1\.", r"blocks.\1.mlp.0."),
    (r"^blocks\.(\d+)\.mlp\.linear2\.", r"blocks.\1.mlp.2."),
    (r"^classification_head(?:\.0)?\.", "head."),
)


def _monai_vit(state: State) -> State:
    """MONAI gives the class token no position, its layers norms they do not use, and its attention often no bias: all are 0 here."""
    torch = load_torch()
    found = {name: tensor for name, tensor in state.items() if ".norm_cross_attn." not in name}
    if "positions" in found and "class_token" in found:
        found["positions"] = torch.cat([torch.zeros_like(found["class_token"]), found["positions"]], 1)
    for name in [name for name in found if name.endswith(".qkv.weight")]:
        found.setdefault(name.removesuffix("weight") + "bias", torch.zeros(len(found[name])))
    return found


# ---------------------------------------------------------------------- which network has which

_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet10_narrow")
_OURS = (
    *_RESNETS,
    "autoencoder_128",
    "autoencoder_128_variational",
    "autoencoder_256",
    "autoencoder_256_variational",
    "alexnet",
    "cnn_lstm",
    "densenet121",
    "efficientnet_b0",
    "inception_v3",
    "swin_t",
    "vit_b_16",
)

LAYOUTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "plain": dict.fromkeys(_OURS, _KEEP),
        "monai": {
            **dict.fromkeys((*_RESNETS, "densenet121", "efficientnet_b0"), _KEEP),
            "vit_b_16": _MONAI_VIT,
        },
        "torchvision": {
            **dict.fromkeys((*_RESNETS[:3], "alexnet", "inception_v3"), _KEEP),
            "densenet121": _DENSE,
            "efficientnet_b0": _EFFICIENT,
            "swin_t": _SWIN,
            "vit_b_16": _VIT,
        },
        "timm": {
            **dict.fromkeys((*_RESNETS[:3], "inception_v3"), _KEEP),
            "densenet121": _DENSE,
            "efficientnet_b0": _TIMM_EFFICIENT,
            "swin_t": _TIMM_SWIN,
            "vit_b_16": _TIMM_VIT,
        },
        "radimagenet": {"resnet50": _RAD_RESNET, "densenet121": _RAD_DENSE, "inception_v3": _rad_inception},
        "medicalnet": dict.fromkeys(_RESNETS[:3], _KEEP),
    }
)


# ---------------------------------------------------------------------- where the same names stand for another computation


def as_trained(module: Any, network: str, layout: str) -> tuple[str, ...]:
    """Make a module what the weights of a layout were trained in, where the same names stand for another computation; what was changed."""
    if network == "efficientnet_b0" and layout in ("torchvision", "timm"):
        return _symmetric_padding(module)
    if layout == "medicalnet":
        return _dilated(module, network)
    if network == "vit_b_16" and layout == "monai":
        return _wider_epsilon(module)
    return ()


def _symmetric_padding(module: Any) -> tuple[str, ...]:
    """MONAI pads as TensorFlow does, more on the far side where a stride is 2, and adds 1e-3 to variances; the others do not."""
    from torch import nn

    for block in module.modules():
        for name in ("_conv_stem", "_depthwise_conv"):
            layer = getattr(block, name, None)
            if layer is not None:
                layer.padding = tuple(size // 2 for size in layer.kernel_size)
                setattr(block, f"{name}_padding", nn.Identity())
        if isinstance(block, nn.modules.batchnorm._BatchNorm):
            block.eps = 1e-5
    return ("padding is the same on both sides", "batch norm adds 1e-5")


def _dilated(module: Any, network: str) -> tuple[str, ...]:
    """MedicalNet's last two stages keep the resolution of the second and look further instead; 18 and 34 pad channels for shortcuts."""
    from torch import nn

    from isthmus.deep.nets.shortcut import PaddedShortcut

    for stage, dilation in ((module.layer3, 2), (module.layer4, 4)):
        for part in stage.modules():
            if isinstance(part, nn.Conv3d):
                part.stride = (1, 1, 1)
                if part.kernel_size == (3, 3, 3):
                    part.dilation = part.padding = (dilation,) * 3
    changed: tuple[str, ...] = ("layer3 and layer4 are dilated by 2 and 4 instead of strided",)
    if network != "resnet50":
        for number, stage in enumerate((module.layer1, module.layer2, module.layer3, module.layer4)):
            block = stage[0]
            if block.downsample is not None:
                del block.downsample
                block.downsample = PaddedShortcut(block.conv2.out_channels, 2 if number == 1 else 1)
        changed += ("shortcuts pad channels (type A)",)
    return changed


def _wider_epsilon(module: Any) -> tuple[str, ...]:
    from torch import nn

    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            part.eps = 1e-5
    return ("layer norm adds 1e-5",)
