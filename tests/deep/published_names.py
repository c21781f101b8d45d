"""The names of parameters in files of torchvision, timm and RadImageNet, written down from their architectures; heads left out.

They were compared with the libraries themselves (docs/evidence/deep-networks.md says when and with which versions).
"""

from __future__ import annotations

from collections.abc import Callable

_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_BOTH = ("weight", "bias")


def _norm(name: str) -> list[str]:
    return [f"{name}.{part}" for part in _NORM]


def _linear(name: str) -> list[str]:
    return [f"{name}.{part}" for part in _BOTH]


def resnet(blocks: tuple[int, ...], convolutions: int) -> list[str]:
    names = ["conv1.weight", *_norm("bn1")]
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            before = f"layer{stage}.{block}"
            for n in range(1, convolutions + 1):
                names += [f"{before}.conv{n}.weight", *_norm(f"{before}.bn{n}")]
            if block == 0 and (stage > 1 or convolutions == 3):
                names += [f"{before}.downsample.0.weight", *_norm(f"{before}.downsample.1")]
    return names


def densenet(prefix: str = "features") -> list[str]:
    names = [f"{prefix}.conv0.weight", *_norm(f"{prefix}.norm0"), *_norm(f"{prefix}.norm5")]
    for block, count in enumerate((6, 12, 24, 16), 1):
        for layer in range(1, count + 1):
            before = f"{prefix}.denseblock{block}.denselayer{layer}"
            for n in (1, 2):
                names += [*_norm(f"{before}.norm{n}"), f"{before}.conv{n}.weight"]
        if block < 4:
            names += [*_norm(f"{prefix}.transition{block}.norm"), f"{prefix}.transition{block}.conv.weight"]
    return names


_REPEATS = (1, 2, 2, 3, 3, 4, 1)


def efficientnet_torchvision() -> list[str]:
    names = []
    for place in (0, 8):
        names += [f"features.{place}.0.weight", *_norm(f"features.{place}.1")]
    for stage, count in enumerate(_REPEATS, 1):
        for block in range(count):
            before = f"features.{stage}.{block}.block"
            parts = 0
            for _ in range(1 if stage == 1 else 2):  # expansion, then one filter a channel
                names += [f"{before}.{parts}.0.weight", *_norm(f"{before}.{parts}.1")]
                parts += 1
            names += [*_linear(f"{before}.{parts}.fc1"), *_linear(f"{before}.{parts}.fc2")]
            names += [f"{before}.{parts + 1}.0.weight", *_norm(f"{before}.{parts + 1}.1")]
    return names


def efficientnet_timm() -> list[str]:
    names = ["conv_stem.weight", *_norm("bn1"), "conv_head.weight", *_norm("bn2")]
    for stage, count in enumerate(_REPEATS):
        for block in range(count):
            before = f"blocks.{stage}.{block}"
            convolutions = ("conv_dw", "conv_pw") if stage == 0 else ("conv_pw", "conv_dw", "conv_pwl")
            for n, name in enumerate(convolutions, 1):
                names += [f"{before}.{name}.weight", *_norm(f"{before}.bn{n}")]
            names += [*_linear(f"{before}.se.conv_reduce"), *_linear(f"{before}.se.conv_expand")]
    return names


def vit_torchvision() -> list[str]:
    names = ["class_token", *_linear("conv_proj"), "encoder.pos_embedding", *_linear("encoder.ln")]
    for n in range(12):
        before = f"encoder.layers.encoder_layer_{n}"
        names += [f"{before}.self_attention.in_proj_weight", f"{before}.self_attention.in_proj_bias"]
        for part in ("ln_1", "self_attention.out_proj", "ln_2", "mlp.0", "mlp.3"):
            names += _linear(f"{before}.{part}")
    return names


def vit_timm() -> list[str]:
    names = ["cls_token", "pos_embed", *_linear("patch_embed.proj"), *_linear("norm")]
    for n in range(12):
        for part in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"):
            names += _linear(f"blocks.{n}.{part}")
    return names


def _swin_block(before: str, hidden: tuple[str, str]) -> list[str]:
    names = [f"{before}.attn.relative_position_bias_table"]
    for part in ("norm1", "attn.qkv", "attn.proj", "norm2", *hidden):
        names += _linear(f"{before}.{part}")
    return names


def swin_torchvision() -> list[str]:
    names = [*_linear("features.0.0"), *_linear("features.0.2"), *_linear("norm")]
    for stage, count in enumerate((2, 2, 6, 2)):
        for block in range(count):
            before = f"features.{2 * stage + 1}.{block}"
            names += [*_swin_block(before, ("mlp.0", "mlp.3")), f"{before}.attn.relative_position_index"]
        if stage < 3:
            names += [f"features.{2 * stage + 2}.reduction.weight", *_linear(f"features.{2 * stage + 2}.norm")]
    return names


def swin_timm() -> list[str]:
    names = [*_linear("patch_embed.proj"), *_linear("patch_embed.norm"), *_linear("norm")]
    for stage, count in enumerate((2, 2, 6, 2)):
        for block in range(count):
            names += _swin_block(f"layers.{stage}.blocks.{block}", ("mlp.fc1", "mlp.fc2"))
        if stage > 0:
            before = f"layers.{stage}.downsample"
            names += [f"{before}.reduction.weight", *_linear(f"{before}.norm")]
    return names


def alexnet() -> list[str]:
    places = [*(f"features.{n}" for n in (0, 3, 6, 8, 10)), "classifier.1", "classifier.4"]
    return [name for place in places for name in _linear(place)]


_PARTS = {
    "5": (
        "branch1x1 branch5x5_1 branch5x5_2 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3 branch_pool",
        "5b 5c 5d",
    ),
    "6a": ("branch3x3 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3", "6a"),
    "6": (
        "branch1x1 branch7x7_1 branch7x7_2 branch7x7_3 branch7x7dbl_1 branch7x7dbl_2 branch7x7dbl_3 branch7x7dbl_4 "
        "branch7x7dbl_5 branch_pool",
        "6b 6c 6d 6e",
    ),
    "7a": ("branch3x3_1 branch3x3_2 branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4", "7a"),
    "7": (
        "branch1x1 branch3x3_1 branch3x3_2a branch3x3_2b branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3a branch3x3dbl_3b branch_pool",
        "7b 7c",
    ),
}


def inception(places: dict[str, str] | None = None) -> list[str]:
    """`places`: other names of the blocks."""
    blocks = {f"Conv2d_{n}": [""] for n in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")}
    for parts, where in _PARTS.values():
        blocks |= {f"Mixed_{n}": [f".{part}" for part in parts.split()] for n in where.split()}
    names = []
    for block, parts in blocks.items():
        for part in parts:
            before = (places or {}).get(block, block) + part
            names += [f"{before}.conv.weight", *_norm(f"{before}.bn")]
    return names


def radimagenet_resnet50() -> list[str]:
    moved = {"conv1": "backbone.0", "bn1": "backbone.1", **{f"layer{n}": f"backbone.{n + 3}" for n in (1, 2, 3, 4)}}
    return [f"{moved[name.split('.')[0]]}.{name.partition('.')[2]}" for name in resnet((3, 4, 6, 3), 3)]


_ORDER = "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 - Conv2d_3b_1x1 Conv2d_4a_3x3 - " + " ".join(
    f"Mixed_{n}" for n in ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]
)


def radimagenet_inception() -> list[str]:
    """As published: saved without the auxiliary head."""
    return inception({block: f"backbone.{n}" for n, block in enumerate(_ORDER.split())})


PUBLISHED: dict[tuple[str, str], Callable[[], list[str]]] = {
    ("torchvision", "alexnet"): alexnet,
    ("torchvision", "densenet121"): densenet,
    ("torchvision", "efficientnet_b0"): efficientnet_torchvision,
    ("torchvision", "inception_v3"): inception,
    ("torchvision", "resnet18"): lambda: resnet((2, 2, 2, 2), 2),
    ("torchvision", "resnet34"): lambda: resnet((3, 4, 6, 3), 2),
    ("torchvision", "resnet50"): lambda: resnet((3, 4, 6, 3), 3),
    ("torchvision", "swin_t"): swin_torchvision,
    ("torchvision", "vit_b_16"): vit_torchvision,
    ("timm", "densenet121"): densenet,
    ("timm", "efficientnet_b0"): efficientnet_timm,
    ("timm", "inception_v3"): inception,
    ("timm", "resnet50"): lambda: resnet((3, 4, 6, 3), 3),
    ("timm", "swin_t"): swin_timm,
    ("timm", "vit_b_16"): vit_timm,
    ("radimagenet", "resnet50"): radimagenet_resnet50,
    ("radimagenet", "densenet121"): lambda: densenet("backbone.0"),
    ("radimagenet", "inception_v3"): radimagenet_inception,
}
