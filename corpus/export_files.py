"""The formats that documents are exported in: each takes tables of `export_rows.SCHEMA` and makes files of them.

parquet   Zstandard, plain types; a row group ends at 8,192 rows or 64 MiB of text
jsonl     `.jsonl.zst`, one frame with a checksum: id, text, source, metadata, as Dolma's, and meta.pile_set_name, the
          source again, as the Pile's
mds       MosaicML's StreamingDataset, written by its own library (`mosaicml-streaming`); strings, "" for null

The same rows give the same bytes, for one version of the library that writes. What is held is a row group.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from corpus.errors import InputError
from corpus.export_rows import SCHEMA
from corpus.pack import SPLITS
from corpus.store import Blobs

GROUP_ROWS = 8192
GROUP_BYTES = 64 << 20
MDS_BYTES = 64 << 20  # of a shard: the library's own default
_REPEATED = ["source", "language", "licence", "path"]
_ZSTD = 3


class Sink(Protocol):
    """Writes below a folder, and says when it is closed which files it made, relative to it. `versions`: of the
    libraries that decide the bytes."""

    @staticmethod
    def versions() -> list[str]: ...
    def write(self, table: pa.Table) -> None: ...
    def close(self) -> list[str]: ...


class ParquetSink:
    @staticmethod
    def versions() -> list[str]:
        return [f"pyarrow {pa.__version__}"]

    def __init__(self, folder: Path, source: str, split: str, number: int) -> None:
        self._name = f"data/{source}/{split}-{number:05d}.parquet"
        (folder / self._name).parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(
            folder / self._name,
            SCHEMA,
            compression="ZSTD",
            compression_level=_ZSTD,
            use_dictionary=_REPEATED,
            write_statistics=_REPEATED,
            store_schema=False,
        )
        self._held: list[pa.Table] = []
        self._rows = self._bytes = 0

    def write(self, table: pa.Table) -> None:
        for piece in _pieces(table):
            size = _text_bytes(piece)
            if self._rows and (self._rows + len(piece) > GROUP_ROWS or self._bytes + size > GROUP_BYTES):
                self._flush()
            self._held.append(piece)
            self._rows, self._bytes = self._rows + len(piece), self._bytes + size

    def _flush(self) -> None:
        group = pa.concat_tables(self._held).combine_chunks()
        self._writer.write_table(group, row_group_size=max(1, len(group)))
        self._held, self._rows, self._bytes = [], 0, 0

    def close(self) -> list[str]:
        if self._held:
            self._flush()
        self._writer.close()
        return [self._name]


def _text_bytes(table: pa.Table) -> int:
    return int(pc.sum(pc.binary_length(table["text"])).as_py() or 0)


def _pieces(table: pa.Table) -> Iterator[pa.Table]:
    """Cut so that each fits into a row group; a document that is larger is one of its own."""
    sizes = pc.fill_null(pc.binary_length(table["text"]), 0).to_numpy()
    ends = np.cumsum(sizes, dtype=np.int64)
    a = 0
    while a < len(sizes):
        before = int(ends[a - 1]) if a else 0
        b = max(a + 1, int(np.searchsorted(ends, before + GROUP_BYTES, side="right")))
        b = min(b, a + GROUP_ROWS)
        yield table.slice(a, b - a)
        a = b


class JsonlSink:
    @staticmethod
    def versions() -> list[str]:
        return [f"zstandard {zstandard.__version__}", f"orjson {orjson.__version__}"]

    def __init__(self, folder: Path, source: str, split: str, number: int) -> None:
        self._name = f"data/{source}/{split}-{number:05d}.jsonl.zst"
        (folder / self._name).parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = open(folder / self._name, "wb")  # noqa: SIM115 (closed by close)
        self._stream = zstandard.ZstdCompressor(_ZSTD, write_checksum=True).stream_writer(self._file, closefd=False)

    def write(self, table: pa.Table) -> None:
        for piece in _pieces(table):
            self._stream.write(b"".join(orjson.dumps(_line(row)) + b"\n" for row in piece.to_pylist()))

    def close(self) -> list[str]:
        self._stream.close()
        self._file.close()
        return [self._name]


def _line(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in SCHEMA.names if name not in ("id", "text", "source")}
    head = {name: row[name] for name in ("id", "text", "source")}
    return head | {"metadata": told, "meta": {"pile_set_name": row["source"]}}


class MdsSink:
    """A folder of shards below that of its split, with an index of its own: see `merged`."""

    @staticmethod
    def versions() -> list[str]:
        try:
            import streaming
        except ImportError as error:
            raise InputError(
                f"--format mds: MosaicML's library writes it, and is not here ({error}). mosaicml-streaming wants an "
                f"older numpy: give it an environment of its own, or export parquet."
            ) from error
        return [f"mosaicml-streaming {streaming.__version__}"]

    def __init__(self, folder: Path, source: str, split: str, number: int) -> None:
        from streaming import MDSWriter

        self._folder, self._name = folder, f"{split}/{source}-{number:05d}"
        columns = {field.name: "int" if pa.types.is_integer(field.type) else "str" for field in SCHEMA}
        self._writer = MDSWriter(out=str(folder / self._name), columns=columns, size_limit=MDS_BYTES, hashes=["sha256"])

    def write(self, table: pa.Table) -> None:
        for piece in _pieces(table):
            for row in piece.to_pylist():
                self._writer.write({n: _filled(v, SCHEMA.field(n).type) for n, v in row.items()})

    def close(self) -> list[str]:
        self._writer.finish()
        return sorted(
            p.relative_to(self._folder).as_posix() for p in (self._folder / self._name).rglob("*") if p.is_file()
        )


def _filled(value: Any, kind: pa.DataType) -> Any:
    return value if value is not None else -1 if pa.types.is_integer(kind) else ""


def merged(out: Blobs, files: Sequence[str]) -> dict[str, bytes]:
    """Of the indices of MDS folders: one for each split, which `StreamingDataset(local=…, split=…)` reads."""
    shards: dict[str, list[Any]] = {}
    for name in files:
        split, _, inside = name.partition("/")
        folder, _, file = inside.rpartition("/")
        if file == "index.json" and split in SPLITS and folder:
            for shard in orjson.loads(out.get(name))["shards"]:
                shard["raw_data"]["basename"] = f"{folder}/{shard['raw_data']['basename']}"
                shards.setdefault(split, []).append(shard)
    indices = {split: {"version": 2, "shards": own} for split, own in shards.items()}
    return {f"{split}/index.json": orjson.dumps(index, option=orjson.OPT_SORT_KEYS) for split, index in indices.items()}


SINKS: dict[str, type[ParquetSink | JsonlSink | MdsSink]] = {
    "parquet": ParquetSink,
    "jsonl": JsonlSink,
    "mds": MdsSink,
}
