"""Weights from a local file, and a record of what was loaded. The file's hash first, then its tensors, then how they cover the network;
nothing is downloaded and nothing in a file is executed."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isthmus.deep.layouts import as_trained, renamed
from isthmus.deep.library import load_torch, versions
from isthmus.deep.networks import Network, build
from isthmus.deep.settings import WeightSettings
from isthmus.errors import WeightsError

__all__ = ["WeightsRecord", "fingerprint", "load", "named", "read_tensors", "save", "tensors_of"]

_SAFE, _TORCH = (".safetensors",), (".pt", ".pth", ".bin", ".tar")
_WRAPPED = ("state_dict", "model_state_dict", "model", "net", "desc")  # the last: HoVer-Net's authors
_MOST_NAMES = 10
_LENGTH = 8  # bytes that say how long the head of a safetensors file is


@dataclass(frozen=True)
class WeightsRecord:
    """What was loaded into a network.

    Parameters
    ----------
    origin : str
        "file" or "random".
    network : str
    dims, channels : int
    file, sha256, layout, source, licence : str
        Empty for random weights.
    fingerprint : str
        SHA-256 over sorted names, types, shapes and bytes of every tensor of the network but its heads.
    matched : int
        Tensors that came from the file.
    left_out : tuple of str
        Modules of the file that the network does not need (heads).
    first_layer : str
        What was done to the input channels of the first layer.
    changed : tuple of str
        What was changed in the network to be the one the weights were trained in.
    seed : int
        Of random weights.
    trained_on : tuple of str
        SHA-256 of each patient's name whose crops trained the weights, where the file was written by isthmus.
    torch, monai : str
        Versions.
    """

    origin: str
    network: str
    dims: int
    channels: int
    file: str
    sha256: str
    layout: str
    source: str
    licence: str
    fingerprint: str
    matched: int
    left_out: tuple[str, ...]
    first_layer: str
    changed: tuple[str, ...]
    seed: int | None
    trained_on: tuple[str, ...]
    torch: str
    monai: str

    @property
    def in_words(self) -> str:
        """One line for a table."""
        if self.origin == "random":
            return f"untrained, seed {self.seed}"
        return f"{self.file} (sha256 {self.sha256[:12]}), {self.source or 'source not stated'}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def load(
    network: Network,
    settings: WeightSettings,
    *,
    dims: int,
    size: int,
    base: Path,
    classes: int = 1000,
    with_head: bool = False,
) -> tuple[Any, WeightsRecord]:
    """The network with its weights, in evaluation mode, and the record of them.

    Parameters
    ----------
    network : Network
    settings : WeightSettings
    dims : int
    size : int
        Of the crop, along a side.
    base : Path
        Where a relative path of the file starts.
    classes : int
        That the heads tell apart.
    with_head : bool
        Read the head from the file, too, for as many classes as it has there. Features need none.

    Raises
    ------
    WeightsError
        The file is not the one named, cannot be read without executing code, or does not hold this network, or not the head asked for.
    PlanError
        The network does not exist in so many dimensions or for crops of this size, or torch is not installed.
    """
    channels = settings.input.channels
    module = _built(network, settings, dims, size, classes)
    file = sha256 = ""
    matched, first_layer = 0, "as built"
    trained_on: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    if settings.origin == "file":
        path = base / str(settings.path)
        data = _read(path)
        sha256 = hashlib.sha256(data).hexdigest()
        if settings.sha256 is not None and sha256 != settings.sha256:
            raise WeightsError(
                f"{path}: the file's SHA-256 is {sha256}, expected {settings.sha256}. It is not the file that was named; "
                "get that one, or correct sha256"
            )
        file = path.name
        trained_on = _trained_on(data, path)
        state = renamed(read_tensors(data, path), network.name, settings.layout)
        if with_head:
            module = _built(network, settings, dims, size, _classes_of(network, state, path))
        changed = as_trained(module, network.name, settings.layout)
        state, first_layer = _first_layer(state, f"{network.first}.weight", channels, path)
        matched, left_out = _fill(module, network, state, path, settings.layout)
        if with_head:
            left_out = tuple(name for name in left_out if not _in(name, network.heads[:1]))
            _fill_head(module, network, state, path)
    record = WeightsRecord(
        origin=settings.origin,
        network=network.name,
        dims=dims,
        channels=channels,
        file=file,
        sha256=sha256,
        layout=settings.layout if file else "",
        source=settings.source,
        licence=settings.licence,
        fingerprint=fingerprint(module, network.heads),
        matched=matched,
        left_out=left_out,
        first_layer=first_layer,
        changed=changed,
        seed=None if file else settings.seed,
        trained_on=trained_on,
        **versions(),
    )
    return module, record


def _built(network: Network, settings: WeightSettings, dims: int, size: int, classes: int) -> Any:
    return build(network, dims, channels=settings.input.channels, size=size, classes=classes, seed=settings.seed)


def _classes_of(network: Network, state: Mapping[str, Any], path: Path) -> int:
    """How many classes the head in a file tells apart."""
    if not network.explained:
        raise WeightsError(f"{path}: network {network.name!r} has no head that tells classes apart")
    bias = state.get(f"{network.heads[0]}.bias")
    if bias is None or bias.ndim != 1:
        raise WeightsError(
            f"{path}: the file holds no head ({network.heads[0]}) of {network.name!r}, so it tells no classes apart. Give the file of a "
            "network trained to classify, with its last layer"
        )
    return int(bias.shape[0])


def _fill_head(module: Any, network: Network, state: Mapping[str, Any], path: Path) -> None:
    """Copy the head's tensors into the network."""
    torch = load_torch()
    for name, tensor in module.state_dict().items():
        if not _in(name, network.heads[:1]):
            continue
        if name not in state or state[name].shape != tensor.shape or not bool(torch.isfinite(state[name]).all()):
            raise WeightsError(
                f"{path}: the head's tensor {name} is missing, of another shape, or not numbers everywhere"
            )
        with torch.no_grad():
            tensor.copy_(state[name])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise WeightsError(
            f"{path}: the file of the weights cannot be read ({exc.strerror or exc}). Check the path"
        ) from exc


def read_tensors(data: bytes, path: Path) -> dict[str, Any]:
    """The tensors of a weights file by name; `module.` before every name and a table `state_dict` around them are taken off.

    Raises
    ------
    WeightsError
        Another kind of file, a damaged one, or one that holds more than tensors.
    """
    torch = load_torch()
    if path.suffix in _SAFE:
        import safetensors.torch

        try:
            found: Any = safetensors.torch.load(data)
        except Exception as exc:
            raise WeightsError(f"{path}: not a safetensors file, or a damaged one ({exc})") from exc
    elif path.suffix in _TORCH:
        found = _unpickled(torch, data, path)
    else:
        raise WeightsError(
            f"{path}: weights are read from {', '.join(_SAFE + _TORCH)}, not from {path.suffix or 'a file without ending'!r}"
        )
    for name in _WRAPPED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
            break
    if (
        not isinstance(found, Mapping)
        or not found
        or not all(isinstance(value, torch.Tensor) for value in found.values())
    ):
        raise WeightsError(
            f"{path}: expected a state dict (names and tensors), came {_described(found, torch)}. Save module.state_dict() alone"
        )
    names = [str(name) for name in found]
    prefix = "module." if all(name.startswith("module.") for name in names) else ""
    return {str(name).removeprefix(prefix): tensor for name, tensor in found.items()}


def _unpickled(torch: Any, data: bytes, path: Path) -> Any:
    """A file of torch.save, of which only tensors, numbers, text and plain containers are read."""
    if any(name.endswith("/constants.pkl") for name in _entries(data, path)):
        raise WeightsError(
            f"{path}: a TorchScript program, which is code; expected tensors only. Save module.state_dict() instead"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickles; they are refused below
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as exc:
        said = str(exc)
        if "Weights only load failed" in said or "Unsupported" in said or "GLOBAL" in said:
            what = next((line.strip() for line in said.splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
            raise WeightsError(
                f"{path}: the file holds pickled code, which would run when it is read; it was not read. {what[:200]} "
                "Save module.state_dict() alone, best as .safetensors"
            ) from exc
        raise WeightsError(
            f"{path}: not a file of torch.save, or a damaged one ({said.splitlines()[0][:200]})"
        ) from exc


def _entries(data: bytes, path: Path) -> list[str]:
    """Of a zip archive; none of another file."""
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            return []
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as exc:
        raise WeightsError(f"{path}: a damaged file of torch.save ({exc}). Copy it again") from exc


def _described(found: Any, torch: Any) -> str:
    if isinstance(found, Mapping):
        other = [
            f"{name} ({type(value).__name__})" for name, value in found.items() if not isinstance(value, torch.Tensor)
        ]
        return f"a table with {', '.join(other[:5])}" if other else "an empty table"
    return f"a {type(found).__name__}"


def _first_layer(state: dict[str, Any], name: str, channels: int, path: Path) -> tuple[dict[str, Any], str]:
    """The first layer for as many channels as the images have: one of 3 is summed for 1; nothing else is guessed."""
    tensor = state.get(name)
    if tensor is None or tensor.ndim < 3 or tensor.shape[1] == channels:
        return state, "as in the file"
    if channels == 1 and tensor.shape[1] == 3:
        return {**state, name: tensor.sum(1, keepdim=True)}, "summed over the file's 3 channels"
    raise WeightsError(
        f"{path}: the first layer ({name}) takes {tensor.shape[1]} channels; expected {channels}. Say input = {{ channels = "
        f"{tensor.shape[1]} }} where that is 1 or 3"
    )


def _fill(module: Any, network: Network, state: dict[str, Any], path: Path, layout: str) -> tuple[int, tuple[str, ...]]:
    """Copy tensors into the network; all but its heads must be there with the right shape, and nothing else."""
    torch = load_torch()
    own = module.state_dict()
    body = {name: tensor for name, tensor in own.items() if not _in(name, network.heads)}
    given = {name: tensor for name, tensor in state.items() if not _in(name, network.heads)}
    counters = {name for name in body if name.endswith(".num_batches_tracked")}  # old files do not have them
    missing = sorted(set(body) - set(given) - counters)
    unexpected = sorted(set(given) - set(body))
    shapes = sorted(name for name in set(body) & set(given) if body[name].shape != given[name].shape)
    if missing or unexpected or shapes:
        matched = len(set(body) & set(given)) - len(shapes)
        raise WeightsError(
            "\n".join(
                [
                    f"{path}: does not hold the network {network.name!r} in layout {layout!r}: {matched} of {len(body)} tensors match",
                    *_listed("missing", [f"{name} {_shape(body[name])}" for name in missing]),
                    *_listed("unexpected", [f"{name} {_shape(given[name])}" for name in unexpected]),
                    *_listed(
                        "of another shape",
                        [f"{name}: file {_shape(given[name])}, network {_shape(body[name])}" for name in shapes],
                    ),
                    "Check network, dims, layout and the size of the crop",
                ]
            )
        )
    for name, tensor in given.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: the tensor {name} holds values that are not numbers; the file is damaged")
    with torch.no_grad():
        for name, tensor in given.items():
            own[name].copy_(tensor)
    return len(given), tuple(sorted({name.rpartition(".")[0] for name in state if name not in given}))


def _in(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in modules)


def _shape(tensor: Any) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _listed(what: str, names: list[str]) -> list[str]:
    """The first ten of a kind."""
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return [f"  {what} ({len(names)}): {', '.join(names[:_MOST_NAMES])}{more}"]


def fingerprint(module: Any, leave: tuple[str, ...] = ()) -> str:
    """SHA-256 over sorted names, types, shapes and bytes of a module's tensors, without those of the modules in `leave`."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if _in(name, leave) or name.endswith(".num_batches_tracked"):
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def named(patient: str) -> str:
    """What stands for a patient in a file of weights."""
    return hashlib.sha256(patient.encode()).hexdigest()


def _trained_on(data: bytes, path: Path) -> tuple[str, ...]:
    """The patients a file of isthmus says its weights were trained on; `data` is a whole safetensors file already read or not."""
    if path.suffix not in _SAFE or len(data) < _LENGTH:
        return ()
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    try:
        said = json.loads(data[_LENGTH:end]).get("__metadata__", {}).get("trained_on", "[]")
        return tuple(map(str, json.loads(said)))
    except (ValueError, AttributeError, TypeError):
        return ()  # what is wrong with the file is told when its tensors are read


def tensors_of(module: Any) -> dict[str, Any]:
    """A module's tensors as a file can hold them."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def save(module: Any, path: Path, *, trained_on: Iterable[str] = ()) -> str:
    """Write a module's tensors as a safetensors file of layout `plain`; its SHA-256.

    `trained_on` names the patients whose crops trained it (those held out, too): a study that holds one of them refuses the file. Their
    names are kept as hashes.
    """
    load_torch()
    import safetensors.torch

    patients = sorted({named(str(patient)) for patient in trained_on})
    data = safetensors.torch.save(
        tensors_of(module), metadata={"trained_on": json.dumps(patients)} if patients else None
    )
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
