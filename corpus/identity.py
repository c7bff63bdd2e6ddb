"""Identity: what a step is, as a hash of everything that decides its rows, and nothing else.

A step's identity covers the stage's kind and revision, the parameters that differ from their defaults, the versions of
the libraries it uses, the digests of its assets, and the digests of the values it reads. Labels, paths of roots,
worker counts and stores never enter.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import xxhash

from corpus.stage import Stage

FORMAT = 1  # of tables, digests and records: another one makes every step another step
_NOT_IDENTITY = {"name", "only"}


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")


def sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


@cache
def _fields(kind: type[Stage]) -> tuple[tuple[str, Any], ...]:
    pairs = []
    for field in msgspec.structs.fields(kind):
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        pairs.append((field.name, default))
    return tuple(pairs)


def in_full(stage: Stage) -> dict[str, Any]:
    """Every parameter that identity may depend on, as a plain value. Names of assets are left to their digests."""
    assets = set(stage.assets)
    values = {}
    for name, _ in _fields(type(stage)):
        value = getattr(stage, name)
        named = (value,) if isinstance(value, str) else value
        if name in _NOT_IDENTITY or name in type(stage).guards or name in type(stage).spelled:
            continue
        if isinstance(named, tuple) and named and assets.issuperset(named):
            continue
        values[name] = msgspec.json.decode(canonical(value))  # as it will be read back from a record
    return values | msgspec.json.decode(canonical(stage.resolved))


def parameters(stage: Stage) -> dict[str, Any]:
    """Those that differ from their defaults."""
    defaults = dict(_fields(type(stage)))
    return {
        name: value
        for name, value in in_full(stage).items()
        if name not in defaults or getattr(stage, name) != defaults[name]
    }


@cache
def versions(distributions: tuple[str, ...]) -> dict[str, str]:
    return {name: version(name) for name in distributions}


class Definition(msgspec.Struct, frozen=True):
    """What a stage contributes to the identity of each of its steps."""

    kind: str
    revision: int
    parameters: dict[str, Any]
    uses: dict[str, str]
    assets: dict[str, str]  # parameter values are names; here: name -> sha256

    def identity(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "revision": self.revision,
            "parameters": self.parameters,
            "uses": self.uses,
            "assets": list(self.assets.values()),  # in the order in which the stage names them: which is which
        }


def define(stage: Stage, asset_digests: Mapping[str, str]) -> Definition:
    return Definition(
        kind=stage.kind,
        revision=type(stage).revision,
        parameters=parameters(stage),
        uses=versions(type(stage).uses),
        assets={name: asset_digests[name] for name in stage.assets},
    )


def step_id(definition: Definition, inputs: Mapping[str, Any]) -> str:
    """Hex sha256. `inputs` maps what is read to its digest."""
    return recorded_id(definition.identity(), inputs)


def recorded_id(definition: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """The same, from a definition as records keep it."""
    return sha256(canonical([FORMAT, dict(definition), dict(inputs)]))


def file_key(source: str, path: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{source}\0{path}".encode())


def partition_key(source: str, path: str, chunk: int) -> int:
    """64 bits from (source, path relative to its root, chunk number): a new file disturbs no other."""
    return xxhash.xxh3_64_intdigest(f"{source}\0{path}\0{chunk}".encode())


def child_partition_key(parent: int, label: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{parent:016x}\0{label}".encode())


def record_ids(source: str, path: str, first_record: int, count: int) -> pa.Array:
    """`id` of the records of a file: 8 bytes of the file's key, 8 bytes of the record's ordinal, big-endian."""
    ids = np.empty((count, 2), dtype=">u8")
    ids[:, 0] = file_key(source, path)
    ids[:, 1] = np.arange(first_record, first_record + count, dtype=np.uint64)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(ids.tobytes())])


def child_id(parent: bytes, start: int, end: int) -> bytes:
    """`id` of a part of a document: xxh3_128 of the parent's id and the span in bytes."""
    return xxhash.xxh3_128_digest(parent + start.to_bytes(8, "big") + end.to_bytes(8, "big"))
