"""Checkpoints: `OUT/checkpoints/step-00000060/`, complete or not there at all.

A checkpoint is written under a name ending in `.partial` and renamed when everything is on disk, so whatever carries
the final name is complete. It holds weights and both Adam moments, sharded as torch.distributed.checkpoint does (it
can be read back by any number of processes), and `state.json`: how far training got, what it must be resumed with,
and size and sha256 of each file.

torch keeps its index of the shards as a pickle. It is read with a closed list of the few types that belong there, and
only tensors are stored, so that a checkpoint from elsewhere can be wrong but cannot run code.
"""

import os
import pickle
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import Metadata
from torch.distributed.checkpoint.state_dict_loader import load as load_tensors
from torch.distributed.checkpoint.state_dict_saver import save as save_tensors

from corpus.errors import VerifyError
from trainer.config import Model
from trainer.manifest import file_sha256
from trainer.world import World

_NAME = re.compile(r"step-(\d{8,})")
_DCP = "torch.distributed.checkpoint"
_INDEX_TYPES = {
    *((f"{_DCP}.metadata", name) for name in ("Metadata", "MetadataIndex", "StorageMeta", "_MEM_FORMAT_ENCODING")),
    *((f"{_DCP}.metadata", name) for name in ("TensorStorageMetadata", "TensorProperties", "ChunkStorageMetadata")),
    (f"{_DCP}.filesystem", "_StorageInfo"),
    *(("torch", name) for name in ("Size", "float32", "float64")),
    ("torch.serialization", "_get_layout"),
    ("pathlib", "PosixPath"),
    ("pathlib._local", "PosixPath"),  # where Python 3.13 keeps it
}


class Identity(msgspec.Struct, frozen=True):
    """What a checkpoint belongs to. `manifest` is the digest of the build's manifest; `seed` orders data and draws
    weights. Resuming with anything else would not be the same run."""

    manifest: str
    seed: int
    sequence: int
    vocab_size: int
    precision: str
    model: Model


class Progress(msgspec.Struct, frozen=True):
    """step: steps taken; updates: those that changed weights (the others were not finite); consumed_samples: the whole
    state of the data reader. Losses are kept for the summary: the first, and the last few, of steps that were
    finite."""

    step: int = 0
    updates: int = 0
    consumed_samples: int = 0
    first_loss: float | None = None
    recent_losses: tuple[float, ...] = ()


class State(msgspec.Struct, frozen=True):
    """state.json. `files`: name -> (bytes, sha256)."""

    identity: Identity
    progress: Progress
    files: dict[str, tuple[int, str]]


def prepare(optimizer: torch.optim.Optimizer) -> None:
    """Give every parameter its Adam moments now instead of at the first update, so that they can be loaded into."""
    for parameter in _parameters(optimizer):
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }


def save(
    root: Path, world: World, decoder: nn.Module, optimizer: torch.optim.Optimizer, state: State, keep: int
) -> Path:
    """Write a checkpoint and delete all but the newest `keep`. Called by every process."""
    final = root / f"step-{state.progress.step:08d}"
    partial = final.with_name(f"{final.name}.partial")
    if world.leads:
        root.mkdir(parents=True, exist_ok=True)
        for stray in root.glob("*.partial"):  # of a run that was killed while writing or deleting
            shutil.rmtree(stray)
        partial.mkdir()
    world.gather(None)
    save_tensors(_tensors(decoder, optimizer), storage_writer=FileSystemWriter(partial))
    mine = [path for path in partial.iterdir() if path.name.startswith(f"__{world.seat.rank}_")]
    if world.leads:
        mine.append(partial / ".metadata")
    files = {path.name: (path.stat().st_size, file_sha256(path)) for path in mine}
    for other in world.gather(files):
        files |= other
    if world.leads:
        complete = msgspec.structs.replace(state, files=dict(sorted(files.items())))
        with open(partial / "state.json", "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(complete)))
            file.flush()
            os.fsync(file.fileno())
        _sync(partial)
        partial.rename(final)
        _sync(root)
        for old in _complete(root)[:-keep]:
            shutil.rmtree(old.rename(old.with_name(f"{old.name}.partial")))
    world.gather(None)
    return final


def newest(root: Path, world: World) -> Path | None:
    """The complete checkpoint of the latest step, if there is one. VerifyError when processes see different ones."""
    complete = _complete(root)
    found = complete[-1] if complete else None
    seen = world.gather(found and found.name)
    if len(set(seen)) > 1:
        raise VerifyError(
            f"{root}: expected all processes to see one newest checkpoint, got {sorted(set(map(str, seen)))}; "
            "--out must be storage that all machines share"
        )
    return found


def load(
    path: Path, world: World, decoder: nn.Module, optimizer: torch.optim.Optimizer, identity: Identity
) -> Progress:
    """Read a checkpoint into the model and the optimizer, which must have been through `prepare`.

    VerifyError when a file differs from what was written, or when the checkpoint belongs to something else.
    """
    try:
        state = msgspec.json.decode((path / "state.json").read_bytes(), type=State)
    except (OSError, msgspec.DecodeError) as error:
        raise VerifyError(f"{path / 'state.json'}: {error}; {_remedy(path)}") from error
    _same(path, state.identity, identity)
    world.together(lambda: _verify(path, state, world))
    index = world.together(lambda: _read_index(path / ".metadata"))
    load_tensors(_tensors(decoder, optimizer), storage_reader=_Reader(path, index))
    for parameter in _parameters(optimizer):
        optimizer.state[parameter]["step"].fill_(state.progress.updates)
    return state.progress


def _verify(path: Path, state: State, world: World) -> None:
    """Check this process's share of the files."""
    for name, (size, sha256) in list(state.files.items())[world.seat.local_rank :: world.seat.local_size]:
        file = path / name
        if not file.is_file() or file.stat().st_size != size:
            got = f"{file.stat().st_size} bytes" if file.is_file() else "no such file"
            raise VerifyError(f"{file}: expected {size} bytes, got {got}; {_remedy(path)}")
        digest = file_sha256(file)
        if digest != sha256:
            raise VerifyError(f"{file}: expected sha256 {sha256}, got {digest}; {_remedy(path)}")


def _same(path: Path, saved: Identity, ours: Identity) -> None:
    for field in Identity.__struct_fields__:
        was, now = getattr(saved, field), getattr(ours, field)
        if was != now:
            raise VerifyError(
                f"{path}: expected {field} {now}, got a checkpoint with {field} {was}; "
                f"resume with the same value, or train elsewhere with --out, or remove {path.parent}"
            )


def _remedy(path: Path) -> str:
    return f"remove {path} to go on from the checkpoint before it"


def _complete(root: Path) -> list[Path]:
    """Complete checkpoints by step, oldest first."""
    found = [(int(match[1]), path) for path in root.glob("step-*") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _parameters(optimizer: torch.optim.Optimizer) -> Iterable[torch.Tensor]:
    return (parameter for group in optimizer.param_groups for parameter in group["params"])


def _tensors(decoder: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Everything that is stored, by name; the tensors are the live ones, and are loaded into."""
    tensors: dict[str, Any] = {}
    for name, parameter in decoder.named_parameters():
        tensors[f"model.{name}"] = parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment]
    return tensors


def _sync(directory: Path) -> None:
    """Make names in a directory durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _INDEX_TYPES:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


class _Reader(FileSystemReader):
    """Reads tensors by an index that was read before, and reads no other."""

    def __init__(self, path: Path, index: Metadata) -> None:
        super().__init__(path)
        self._index = index

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        return self._index


def _read_index(path: Path) -> Metadata:
    try:
        with open(path, "rb") as file:
            index: Metadata = _Unpickler(file).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise VerifyError(f"{path}: expected an index of tensors, got {error}; do not use this checkpoint") from error
    return index
