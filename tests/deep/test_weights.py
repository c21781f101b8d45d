"""Weights are a record: what is loaded is what was named, or it is refused with the reason."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from isthmus.deep.layouts import as_trained, renamed
from isthmus.deep.networks import NETWORKS, build
from isthmus.deep.settings import WeightSettings
from isthmus.deep.weights import WeightsRecord, fingerprint, load, save
from isthmus.errors import WeightsError

ROW = NETWORKS["resnet10_narrow"]
TINY: dict[str, Any] = {"dims": 2, "size": 32}


def trained(channels: int = 1, seed: int = 7) -> Any:
    return build(ROW, 2, channels=channels, size=32, classes=5, seed=seed)


def file(folder: Path, module: Any, name: str = "weights.safetensors") -> Path:
    path = folder / name
    if path.suffix == ".safetensors":
        save(module, path)
    else:
        torch.save(module.state_dict() if hasattr(module, "state_dict") else module, path)
    return path


def loaded(path: Path, **said: Any) -> tuple[Any, WeightsRecord]:
    settings = WeightSettings(origin="file", path=str(path), source="a test", **said)
    return load(ROW, settings, base=Path(), **TINY)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.pth"])
def test_a_file_is_loaded_and_recorded(tmp_path: Path, name: str) -> None:
    """Every tensor of the body, the file's hash, and the fingerprint of what is now in the network."""
    import hashlib

    module = trained()
    path = file(tmp_path, module, name)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    found, record = loaded(path, sha256=sha256)
    assert (record.sha256, record.fingerprint, record.left_out) == (sha256, fingerprint(module, ("fc",)), ("fc",))
    assert all(torch.equal(found.state_dict()[k], v) for k, v in module.state_dict().items() if not k.startswith("fc"))


@pytest.mark.parametrize("wrapped", [False, True])
def test_wrappings_come_off(tmp_path: Path, wrapped: bool) -> None:
    """`module.` before every name, and a table `state_dict` around them with an epoch beside it."""
    module = trained()
    state: Any = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    path = file(tmp_path, {"epoch": 3, "state_dict": state} if wrapped else state, "w.tar")
    assert loaded(path)[1].fingerprint == fingerprint(module, ("fc",))


def test_the_wrong_hash(tmp_path: Path) -> None:
    """Another file than the one named is refused before it is read, with both hashes."""
    path = tmp_path / "w.pt"
    path.write_bytes(b"anything")
    with pytest.raises(
        WeightsError,
        match=f"(?s)SHA-256 is ee0874170b7f6f32b8c2ac9573c428d35b575270a66b757c2c0185d2bd09718d, expected {'0' * 64}",
    ):
        loaded(path, sha256="0" * 64)


class _Dangerous:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('code in a weights file was run')",))


def test_pickled_code(tmp_path: Path) -> None:
    """A file that would run code when it is read is refused, and the code is not run."""
    inside = {**trained().state_dict(), "extra": _Dangerous()}
    for path, write in (
        (tmp_path / "torch.pt", lambda path: torch.save(inside, path)),
        (tmp_path / "plain.pth", lambda path: path.write_bytes(pickle.dumps(inside))),
    ):
        write(path)
        with pytest.raises(WeightsError, match="holds pickled code, which would run"):
            loaded(path)


def test_a_whole_module_is_code(tmp_path: Path) -> None:
    """torch.save(module) holds classes, not only tensors."""
    path = tmp_path / "module.pt"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match="holds pickled code"):
        loaded(path)


def test_torchscript_is_code(tmp_path: Path) -> None:
    """A program archive is refused by what it is."""
    import zipfile

    path = tmp_path / "program.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("program/constants.pkl", b"")
        archive.writestr("program/data.pkl", b"")
    with pytest.raises(WeightsError, match="a TorchScript program"):
        loaded(path)


def test_another_architecture(tmp_path: Path) -> None:
    """The first missing and unexpected names are told, with shapes, and how many match."""
    other = build(NETWORKS["resnet18"], 2, channels=1, size=32)
    with pytest.raises(WeightsError) as told:
        loaded(file(tmp_path, other, "w.pt"))
    said = str(told.value)
    assert "does not hold the network 'resnet10_narrow' in layout 'plain': 12 of 72 tensors match" in said
    assert "unexpected (48): layer1.1.bn1.bias 64, layer1.1.bn1.num_batches_tracked scalar" in said
    assert "bn1.bias: file 64, network 8" in said


def test_missing_tensors(tmp_path: Path) -> None:
    """A file that lacks a layer is refused; one that lacks the classifier or batch counters is not."""
    state = trained().state_dict()
    lacking = {k: v for k, v in state.items() if not k.startswith("fc") and not k.endswith("num_batches_tracked")}
    loaded(file(tmp_path, lacking, "fine.pt"))
    with pytest.raises(WeightsError, match=r"missing \(1\): layer2.0.conv1.weight 16x8x3x3"):
        loaded(file(tmp_path, {k: v for k, v in lacking.items() if k != "layer2.0.conv1.weight"}, "short.pt"))


def test_another_number_of_dimensions(tmp_path: Path) -> None:
    """Weights of a volume network do not fit one of slices."""
    module = build(ROW, 3, channels=1, size=16)
    with pytest.raises(WeightsError, match="conv1.weight: file 8x1x7x7x7, network 8x1x7x7"):
        loaded(file(tmp_path, module))


def test_three_channels_are_summed_for_one(tmp_path: Path) -> None:
    """The first layer for grey images is the sum over the file's channels, and this is recorded: the same as the image three times."""
    module = trained(channels=3)
    path = file(tmp_path, module)
    one, record = loaded(path)
    three, _ = loaded(path, input={"channels": 3})
    grey = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(one.layer1(one.conv1(grey)), three.layer1(three.conv1(grey.expand(-1, 3, -1, -1))))
    assert record.first_layer == "summed over the file's 3 channels"


def test_channels_are_never_invented(tmp_path: Path) -> None:
    """A file for grey images does not become one for three channels."""
    with pytest.raises(WeightsError, match=r"takes 1 channels; expected 3"):
        loaded(file(tmp_path, trained()), input={"channels": 3})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.h5", b"", "weights are read from .safetensors, .pt"),
        ("w.safetensors", b"rubbish", "not a safetensors file"),
        ("w.pt", b"rubbish", "not a file of torch.save|holds pickled code"),
    ],
)
def test_what_is_no_weights_file(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """The reason is said, in one line."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=said):
        loaded(tmp_path / name)


def test_numbers_that_are_none(tmp_path: Path) -> None:
    """A damaged tensor is named."""
    state = trained().state_dict()
    state["layer3.0.conv2.weight"][0, 0, 0, 0] = float("nan")
    with pytest.raises(WeightsError, match="layer3.0.conv2.weight holds values that are not numbers"):
        loaded(file(tmp_path, state, "w.pt"))


def test_a_layout_that_a_network_does_not_have(tmp_path: Path) -> None:
    """The known ones are listed."""
    with pytest.raises(WeightsError, match="known for it: plain, monai"):
        loaded(file(tmp_path, trained()), layout="timm")


@pytest.mark.parametrize(
    "wrong",
    [{"origin": "file"}, {"origin": "random", "path": "w.pt"}, {"origin": "file", "path": "w.pt", "sha256": "abc"}, {}],
    ids=str,
)
def test_settings_that_do_not_fit(wrong: dict[str, Any]) -> None:
    """A file needs a path, random weights have none, a hash has 64 digits, and the origin is never guessed."""
    with pytest.raises(ValidationError):
        WeightSettings(**wrong)


def test_medicalnet_looks_further_instead_of_smaller() -> None:
    """Its last two stages keep an eighth of the resolution and look 2 and 4 voxels apart; shortcuts have no parameters."""
    module = build(ROW, 3, channels=1, size=32)
    changed = as_trained(module, ROW.name, "medicalnet")
    with torch.inference_mode():
        x = module.layer2(module.layer1(module.maxpool(module.bn1(module.conv1(torch.rand(1, 1, 32, 32, 32))))))
        deep = module.layer4(module.layer3(x))
    assert (x.shape[2:], deep.shape[2:]) == ((4, 4, 4), (4, 4, 4))
    assert [s[0].conv2.dilation for s in (module.layer2, module.layer3, module.layer4)] == [(n,) * 3 for n in (1, 2, 4)]
    assert (len(changed), any(".downsample." in name for name in module.state_dict())) == (2, False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_medicalnet_files(tmp_path: Path, name: str) -> None:
    """Files with `module.` before every name, without a classifier, and for 18 and 34 layers without shortcuts' parameters."""
    row = NETWORKS[name]
    state = {
        f"module.{key}": tensor
        for key, tensor in build(row, 3, channels=1, size=32).state_dict().items()
        if not key.startswith("fc") and (name == "resnet50" or ".downsample." not in key)
    }
    torch.save({"state_dict": state}, tmp_path / "m.pth")
    settings = WeightSettings(origin="file", path=str(tmp_path / "m.pth"), layout="medicalnet")
    assert load(row, settings, dims=3, size=32, base=Path())[1].matched == len(state)


def test_monai_vit() -> None:
    """MONAI's class token has no position and its attention often no bias: both become 0, the norms it does not use are left out."""
    found = renamed(
        {
            "cls_token": torch.ones(1, 1, 6),
            "patch_embedding.position_embeddings": torch.ones(1, 4, 6),
            "patch_embedding.patch_embeddings.weight": torch.ones(6, 1, 2, 2),
            "blocks.3.attn.qkv.weight": torch.ones(18, 6),
            "blocks.3.attn.out_proj.bias": torch.ones(6),
            "blocks.3.mlp.linear2.weight": torch.ones(6, 4),
            "blocks.3.norm_cross_attn.weight": torch.ones(6),
        },
        "vit_b_16",
        "monai",
    )
    kept = {"class_token", "positions", "patch.weight", "blocks.3.mlp.2.weight", "blocks.3.projection.bias"}
    assert set(found) == {*kept, "blocks.3.qkv.weight", "blocks.3.qkv.bias"}
    assert (found["positions"][0, :, 0].tolist(), found["blocks.3.qkv.bias"].tolist()) == ([0, 1, 1, 1, 1], [0] * 18)


def test_efficientnet_of_others_pads_symmetrically() -> None:
    """What torchvision and timm call the same network pads both sides alike and adds 1e-5 to variances; MONAI's does not."""
    module = build(NETWORKS["efficientnet_b0"], 2, channels=1, size=32)
    before = module._conv_stem_padding.padding
    as_trained(module, "efficientnet_b0", "timm")
    assert (tuple(before), module._conv_stem.padding, module._bn0.eps) == ((0, 1, 0, 1), (1, 1), 1e-5)
