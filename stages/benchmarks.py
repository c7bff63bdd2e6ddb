"""Benchmarks whose items must not be learned from: what a manifest says of them, and the texts of their items.

A benchmark is one or more files, assets like a model: found by name beside the manifest or in `$CORPUS_ASSETS`, known
by digest. JSON lines may be compressed (`.gz`, `.zst`) and are held whole while they are read. A record (a line of
JSON, a row of Parquet) is an **item**; its texts are the strings under `fields`. A field may name a place inside
objects (`choices.text`) and may hold a list: each string in it is a text of its own, since nobody says that a page has
the question and the answers in one piece. Items are numbered from 0, on through the files.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import InputError, RecipeError
from corpus.stage import Ledger
from stages.decompress import Loss, decode
from stages.members import Block, Limits

_NAME = re.compile(r"[a-z0-9-]+\Z")
_LIMITS = Limits(ratio=1000, decoded_bytes=1 << 30)  # a bomb is no benchmark


class Benchmark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[stage.benchmark]]` of a manifest. `licence` (SPDX) and `origin` (where it was got) are kept for the reader.
    RecipeError where a name is no name, or there is no file or no field."""

    name: str
    files: tuple[str, ...]
    fields: tuple[str, ...] = ("text",)
    format: Literal["jsonl", "parquet"] = "jsonl"
    licence: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise RecipeError(f".benchmark.name: got {self.name!r}. Expected lower-case letters, digits and hyphens.")
        for field in ("files", "fields"):
            if not getattr(self, field):
                raise RecipeError(f".benchmark.{field}: benchmark {self.name!r} has none. Name one or more.")


def items(benchmark: Benchmark, assets: Mapping[str, Path]) -> Iterator[list[str]]:
    """The texts of each item, in order; none where a record has no string in any field. InputError where a file cannot
    be read, or where no record of it has one of the fields."""
    for name in benchmark.files:
        found = set()
        for number, record in enumerate(_records(benchmark, name, assets[name])):
            if not isinstance(record, dict):
                raise InputError(
                    f"benchmark file `{name}`, record {number}: not an object. Expected {_fields(benchmark)}."
                )
            texts: list[str] = []
            for field in benchmark.fields:
                own = [*_strings(record, field.split("."))]
                texts += own
                if own:
                    found.add(field)
            yield texts
        for field in benchmark.fields:
            if field not in found:
                raise InputError(
                    f"benchmark file `{name}`: no record has a text in `{field}`. Correct `fields` of benchmark "
                    f"`{benchmark.name}` in the manifest."
                )


def _fields(benchmark: Benchmark) -> str:
    return "one with " + ", ".join(f"`{field}`" for field in benchmark.fields)


def _records(benchmark: Benchmark, name: str, path: Path) -> Iterator[Any]:
    if benchmark.format == "parquet":
        try:
            with pq.ParquetFile(path) as table:
                columns = sorted({field.split(".")[0] for field in benchmark.fields} & set(table.schema_arrow.names))
                for batch in table.iter_batches(columns=columns, use_threads=False):
                    yield from batch.to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"benchmark file `{name}`: cannot be read as parquet: {error}") from error
        return
    for number, line in enumerate(_decoded(name, path).split(b"\n")):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise InputError(f"benchmark file `{name}`, line {number + 1}: not JSON ({error}).") from None


def _decoded(name: str, path: Path) -> bytes:
    """The whole file: an item that was lost to damage would not be looked for."""
    blocks = []
    with path.open("rb") as stored:
        for event in decode(stored, name, Ledger(), _LIMITS):
            if isinstance(event, Loss):
                raise InputError(
                    f"benchmark file `{name}`: {event.drop}: {event.reason}. Get it again from its origin."
                )
            if isinstance(event, Block):
                blocks.append(event.data)
    return b"".join(blocks)


def _strings(value: Any, way: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _strings(one, way)
    elif isinstance(value, dict) and way:
        yield from _strings(value.get(way[0]), way[1:])
    elif isinstance(value, str) and not way:
        yield value
