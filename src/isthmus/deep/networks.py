"""The networks a plan can name: one row each, with its layers that become features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from isthmus.deep.library import load_torch
from isthmus.errors import PlanError, did_you_mean

__all__ = ["NETWORKS", "Kind", "Layer", "Network", "build", "get_network", "parameter_count"]

Kind = Literal["map", "map_last", "tokens", "vector"]


@dataclass(frozen=True)
class Layer:
    """Where features are read.

    Parameters
    ----------
    module : str
        Whose output it is.
    kind : str
        "map": (batch, channels, *places); "map_last": (batch, *places, channels); "tokens": (batch, class token and patches, channels);
        "vector": (batch, channels).
    """

    module: str
    kind: Kind = "map"


@dataclass(frozen=True)
class Network:
    """One row of the registry.

    Parameters
    ----------
    name : str
    build : function
        From (dims, channels, classes, size) to the module, with random parameters.
    dims : tuple of int
        Spatial dimensions there is one for.
    size : mapping
        Pixels or voxels along a side of the crop unless said, by dims.
    smallest : int
        The least of them.
    layers : mapping
        Names to layers, from early to late.
    default : str
        The layer that is read unless said.
    first : str
        The first convolution, whose input channels are the image's.
    heads : tuple of str
        Modules that only classify; a file need not hold them, and features cannot be read from them.
    reference : str
    published : int, optional
        Parameters of the 2-D network for 3 channels and 1,000 classes.
    fixed_size : bool
        The parameters depend on the crop's size.
    explained : str
        The layer whose maps explain a class unless said; empty where the network tells no classes apart.
    sequence : bool
        It reads a lesion's slices in their order, (sequences, slices, channels, *places) and how many of the slices there are.
    attends : tuple of str and int, optional
        The modules in a row whose last map attention can weigh before it is pooled, and the channels of that map.
    """

    name: str
    build: Callable[[int, int, int, int], Any]
    dims: tuple[int, ...]
    size: Mapping[int, int]
    smallest: int
    layers: Mapping[str, Layer]
    default: str
    first: str
    heads: tuple[str, ...]
    reference: str
    published: int | None = None
    fixed_size: bool = False
    explained: str = ""
    sequence: bool = False
    attends: tuple[str, int] | None = None

    @property
    def attended(self) -> Network:
        """The same network with attention over channels and places (CBAM) at the end of its body, which starts untrained like a head.

        Raises
        ------
        PlanError
            It has attention of its own, or no such place.
        """
        if self.attends is None:
            can = ", ".join(row.name for row in NETWORKS.values() if row.attends)
            raise PlanError(f"attention = true: network {self.name!r} has none to add. It can be added to {can}")
        place, channels = self.attends

        def made(dims: int, inputs: int, classes: int, size: int) -> Any:
            from isthmus.deep.nets.cbam import CBAM

            module = self.build(dims, inputs, classes, size)
            module.get_submodule(place).add_module("attention", CBAM(dims, channels))
            return module

        return replace(self, build=made, heads=(*self.heads, f"{place}.attention"), attends=None)

    @property
    def reconstructs(self) -> bool:
        """Does it give the crop again, instead of classes?"""
        return "decoder" in self.heads


def get_network(name: str) -> Network:
    """The row of a network.

    Raises
    ------
    PlanError
        There is none of this name.
    """
    if name not in NETWORKS:
        raise PlanError(f"network {name!r} is not known.{did_you_mean(name, NETWORKS)}")
    return NETWORKS[name]


def build(network: Network, dims: int, *, channels: int, size: int, classes: int = 1000, seed: int | None = 42) -> Any:
    """The module in evaluation mode, its random parameters drawn from `seed` (of the world's random state, where None).

    Raises
    ------
    PlanError
        There is no such network in so many dimensions, or the crop is too small for it.
    """
    torch = load_torch(f"network {network.name!r}")
    if dims not in network.dims:
        there = " and ".join(f"{n}-D" for n in network.dims)
        raise PlanError(f"network {network.name!r} exists in {there}, not in {dims}-D")
    if size < network.smallest:
        raise PlanError(
            f"network {network.name!r} needs crops of at least {network.smallest} pixels along a side, came {size}"
        )
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return network.build(dims, channels, classes, size).eval()


def parameter_count(module: Any) -> int:
    """Numbers that training can change."""
    return sum(parameter.numel() for parameter in module.parameters())


# ---------------------------------------------------------------------- how each is built


def _alexnet(dims: int, channels: int, classes: int, size: int) -> Any:
    from isthmus.deep.nets.alexnet import AlexNet

    return AlexNet(channels, classes)


def _inception(dims: int, channels: int, classes: int, size: int) -> Any:
    from isthmus.deep.nets.inception import InceptionV3

    return InceptionV3(channels, classes)


def _densenet(dims: int, channels: int, classes: int, size: int) -> Any:
    from monai.networks.nets.densenet import DenseNet121

    return DenseNet121(dims, channels, classes)


def _resnet(block: str, depths: tuple[int, ...], widths: tuple[int, ...]) -> Callable[[int, int, int, int], Any]:
    def made(dims: int, channels: int, classes: int, size: int) -> Any:
        from monai.networks.nets.resnet import ResNet

        # these three make MONAI's network the published one
        published: dict[str, Any] = {"conv1_t_stride": 2, "bias_downsample": False, "shortcut_type": "B"}
        return ResNet(block, list(depths), list(widths), dims, channels, num_classes=classes, **published)

    return made


def _efficientnet(dims: int, channels: int, classes: int, size: int) -> Any:
    from monai.networks.nets.efficientnet import EfficientNet

    # stacks of the paper's Table 1: repeats, kernel, stride, expansion, channels in and out, squeezed share
    stacks = (
        "r1_k3_s11_e1_i32_o16_se0.25",
        "r2_k3_s22_e6_i16_o24_se0.25",
        "r2_k5_s22_e6_i24_o40_se0.25",
        "r3_k3_s22_e6_i40_o80_se0.25",
        "r3_k5_s11_e6_i80_o112_se0.25",
        "r4_k5_s22_e6_i112_o192_se0.25",
        "r1_k3_s11_e6_i192_o320_se0.25",
    )
    return EfficientNet(list(stacks), dims, channels, classes, image_size=size)


def _vit(dims: int, channels: int, classes: int, size: int) -> Any:
    from isthmus.deep.nets.vit import VisionTransformer

    if size % 16:
        raise PlanError(f"network 'vit_b_16' cuts the crop into patches of 16; size = {size} is no multiple of 16")
    return VisionTransformer(dims, size, 16, channels, classes)


def _swin(dims: int, channels: int, classes: int, size: int) -> Any:
    from isthmus.deep.nets.swin import SwinTransformer

    return SwinTransformer(dims, channels, classes)


def _autoencoder(code: int, variational: bool) -> Callable[[int, int, int, int], Any]:
    def made(dims: int, channels: int, classes: int, size: int) -> Any:
        from isthmus.deep.nets.autoencoder import AttentionAutoencoder, VariationalAutoencoder

        if size % 16:
            raise PlanError(f"an autoencoder halves the crop four times; size = {size} is no multiple of 16")
        return (VariationalAutoencoder if variational else AttentionAutoencoder)(dims, size, channels, code)

    return made


def _slice_lstm(dims: int, channels: int, classes: int, size: int) -> Any:
    from isthmus.deep.nets.slice_lstm import SliceLSTM

    return SliceLSTM(channels, classes)


# ---------------------------------------------------------------------- the rows


def _rows() -> tuple[Network, ...]:
    both = MappingProxyType({2: 224, 3: 64})
    stages = {f"layer{n}": Layer(f"layer{n}") for n in (1, 2, 3, 4)}
    residual: dict[str, Any] = {
        "dims": (2, 3),
        "smallest": 32,
        "layers": MappingProxyType({**stages, "avgpool": Layer("avgpool")}),
        "default": "avgpool",
        "first": "conv1",
        "heads": ("fc",),
        "explained": "layer4",
    }
    widths = (64, 128, 256, 512)
    mixed = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
    return (
        Network(
            name="alexnet",
            build=_alexnet,
            dims=(2,),
            size=MappingProxyType({2: 224}),
            smallest=63,
            layers=MappingProxyType(
                {
                    "features": Layer("features"),
                    "avgpool": Layer("avgpool"),
                    "fc6": Layer("classifier.2", "vector"),
                    "fc7": Layer("classifier.5", "vector"),
                }
            ),
            default="fc7",
            first="features.0",
            heads=("classifier.6",),
            explained="features",
            attends=("features", 256),
            reference="Krizhevsky, arXiv:1404.5997",
            published=61_100_840,
        ),
        Network(
            name="densenet121",
            build=_densenet,
            dims=(2, 3),
            size=both,
            smallest=32,
            layers=MappingProxyType(
                {
                    **{f"block{n}": Layer(f"features.denseblock{n}") for n in (1, 2, 3, 4)},
                    "last_layer": Layer("features.denseblock4.denselayer16.layers"),
                    "features": Layer("class_layers.relu"),
                    "avgpool": Layer("class_layers.pool"),
                }
            ),
            default="avgpool",
            first="features.conv0",
            heads=("class_layers.out",),
            explained="features",
            attends=("features", 1024),
            reference="Huang et al., CVPR 2017",
            published=7_978_856,
        ),
        Network(
            name="efficientnet_b0",
            build=_efficientnet,
            dims=(2, 3),
            size=both,
            smallest=32,
            layers=MappingProxyType(
                {**{f"stage{n}": Layer(f"_blocks.{n - 1}") for n in range(1, 8)}, "avgpool": Layer("_avg_pooling")}
            ),
            default="avgpool",
            first="_conv_stem",
            heads=("_fc",),
            explained="stage7",
            attends=("_blocks.6", 320),
            reference="Tan and Le, ICML 2019",
            published=5_288_548,
        ),
        Network(
            name="inception_v3",
            build=_inception,
            dims=(2,),
            size=MappingProxyType({2: 299}),
            smallest=75,
            layers=MappingProxyType(
                {**{f"mixed_{n}": Layer(f"Mixed_{n}") for n in mixed}, "avgpool": Layer("avgpool")}
            ),
            default="avgpool",
            first="Conv2d_1a_3x3.conv",
            heads=("fc", "AuxLogits"),
            explained="mixed_7c",
            reference="Szegedy et al., CVPR 2016",
            published=27_161_264,
        ),
        *(
            Network(
                name=name,
                build=_resnet(block, depths, wide),
                attends=("layer4", 2048 if block == "bottleneck" else 512),
                size=both,
                reference="He et al., CVPR 2016",
                published=count,
                **residual,
            )
            for name, block, depths, wide, count in (
                ("resnet18", "basic", (2, 2, 2, 2), widths, 11_689_512),
                ("resnet34", "basic", (3, 4, 6, 3), widths, 21_797_672),
                ("resnet50", "bottleneck", (3, 4, 6, 3), widths, 25_557_032),
            )
        ),
        Network(
            name="resnet10_narrow",
            build=_resnet("basic", (1, 1, 1, 1), (8, 16, 32, 64)),
            size=MappingProxyType({2: 64, 3: 32}),
            attends=("layer4", 64),
            reference="an eighth of the width of ResNet-10; to be trained on small cohorts",
            **{**residual, "smallest": 16, "explained": "layer3"},
        ),
        *(
            Network(
                name=f"autoencoder_{code}{kind}",
                build=_autoencoder(code, bool(kind)),
                dims=(2, 3),
                size=MappingProxyType({2: 64, 3: 32}),
                smallest=16,
                layers=MappingProxyType({"encoder": Layer("encoder"), "code": Layer("code", "vector")}),
                default="code",
                first="encoder.0",
                heads=("expand", "decoder", "spread") if kind else ("expand", "decoder"),
                reference="convolutional, attention after Woo et al., ECCV 2018; to be trained on the study's images",
                fixed_size=True,
            )
            for code in (128, 256)
            for kind in ("", "_variational")
        ),
        Network(
            name="cnn_lstm",
            build=_slice_lstm,
            dims=(2,),
            size=MappingProxyType({2: 64}),
            smallest=16,
            layers=MappingProxyType({"attention": Layer("attention", "vector"), "slices": Layer("slices")}),
            default="attention",
            first="slices.0",
            heads=("head",),
            reference="convolutions, LSTM and attention over a lesion's slices; to be trained on the study's images",
            explained="slices",
            sequence=True,
        ),
        Network(
            name="swin_t",
            build=_swin,
            dims=(2, 3),
            size=both,
            smallest=32,
            layers=MappingProxyType(
                {
                    **{f"stage{n + 1}": Layer(f"stages.{n}", "map_last") for n in range(4)},
                    "norm": Layer("norm", "map_last"),
                    "avgpool": Layer("avgpool"),
                }
            ),
            default="avgpool",
            first="patch",
            heads=("head",),
            explained="norm",
            reference="Liu et al., ICCV 2021",
            published=28_288_354,
        ),
        Network(
            name="vit_b_16",
            build=_vit,
            dims=(2, 3),
            size=both,
            smallest=16,
            layers=MappingProxyType(
                {
                    **{f"block{n + 1}": Layer(f"blocks.{n}", "tokens") for n in range(12)},
                    "norm": Layer("norm", "tokens"),
                }
            ),
            default="norm",
            first="patch",
            heads=("head",),
            explained="block11",
            reference="Dosovitskiy et al., ICLR 2021",
            published=86_567_656,
            fixed_size=True,
        ),
    )


NETWORKS: Mapping[str, Network] = MappingProxyType({row.name: row for row in _rows()})
