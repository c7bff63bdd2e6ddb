"""Searching files for what a removal list names: tables column by column, anything else for what looks like an id or a
URL. A URL in the middle of a text is a mention: only values that are one are compared."""

import html
import re

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import tables
from corpus.id_order import joined
from corpus.keyed import Pair, find_pairs, find_urls, id_hashes
from corpus.opened import declared
from corpus.removal import Removal
from corpus.store import Blobs

_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-f]{32}(?![0-9a-fA-F])")
_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>\\]+")
_ALONE = re.compile(rb">\s*([A-Za-z][A-Za-z0-9+.-]*://[^<\s]+)\s*<")
_NOT_SEARCHED = ("text", "body", "content")  # documents, told by their rows; and a hash of text


class Search(msgspec.Struct, frozen=True):
    """`every`: the entries of the list and the keyed ids of what was removed, sorted."""

    removal: Removal
    every: Pair

    def ids(self, pair: Pair) -> np.ndarray:
        """bool: which of some ids, in halves, are of removed documents."""
        hi, lo = (np.ascontiguousarray(part, dtype=np.uint64) for part in pair)
        return find_pairs(id_hashes(self.removal.key, joined(hi, lo)), *self.every) >= 0

    def text(self, data: bytes) -> list[str]:
        """What there is in a file of JSON or the like."""
        return self._mentioned(_HEX.findall(data), _URL.findall(data))

    def page(self, data: bytes) -> list[str]:
        """What there is in HTML: ids anywhere, URLs that are all of an element."""
        return self._mentioned(_HEX.findall(data), [html.unescape(u.decode()).encode() for u in _ALONE.findall(data)])

    def details(self, values: pa.Array) -> list[str]:
        """What there is in words about rows: ids."""
        return self._mentioned(_HEX.findall(b"\n".join(v.encode() for v in values.drop_null().to_pylist())), [])

    def _mentioned(self, ids: list[bytes], urls: list[bytes]) -> list[str]:
        known = pa.array([bytes.fromhex(one.decode()) for one in sorted(set(ids))], pa.binary(16))
        hits = int((find_pairs(id_hashes(self.removal.key, known), *self.every) >= 0).sum())
        found = [f"names {hits:,} ids of removed documents"] if hits else []
        spelt = pa.array([one.decode(errors="replace") for one in sorted(set(urls))], pa.string())
        hits = len(np.unique(find_urls(self.removal.key, spelt, *self.removal.hashes())[0]))
        return [*found, f"names {hits:,} removed URLs"] if hits else found


class SearchTask(msgspec.Struct, frozen=True):
    store: Blobs
    search: Search
    names: tuple[str, ...]


def search_table(task: SearchTask) -> dict[str, list[str]]:
    """-> table -> what it holds"""
    found = {}
    for name in task.names:
        problems = _in_table(task.search, task.store.get(name))
        if problems:
            found[name] = problems
    return found


def _in_table(search: Search, data: bytes) -> list[str]:
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    found = []
    for field in file.schema_arrow:
        if field.name in _NOT_SEARCHED:
            continue
        if field.type == pa.binary(16):
            ids = declared(file.read([field.name], use_threads=False)[field.name]).drop_null()
            count = int((find_pairs(id_hashes(search.removal.key, ids), *search.every) >= 0).sum())
            found += [f"`{field.name}` holds {count:,} ids of removed documents"] if count else []
        elif field.type == pa.string():
            values = declared(file.read([field.name], use_threads=False)[field.name])
            count = len(np.unique(find_urls(search.removal.key, values, *search.removal.hashes())[0]))
            found += [f"`{field.name}` holds {count:,} removed URLs"] if count else []
            if field.name == "detail":  # names partners
                found += [f"`detail` {one}" for one in search.details(values)]
    return found


def search_files(task: SearchTask) -> dict[str, list[str]]:
    """-> file -> what it holds. Parquet files are of records, in a column `record`."""
    found = {}
    for name in task.names:
        data = task.store.get(name)
        if name.endswith(".parquet"):
            data = b"\n".join(tables.read(data, ["record"])["record"].to_pylist())
        problems = task.search.text(data)
        if problems:
            found[name] = problems
    return found
