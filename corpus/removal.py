"""Takedown: a list of documents that must not be in a build, applied where the reader makes its rows.

    [remove]
    list = "takedown.txt"   # relative to the manifest, or a URL; one entry a line, `#` begins a comment
    salt = "…"              # default: the seed of the manifest

An entry is the id of a record (32 hex digits), a URL, or `host:example.org` for all pages of a host and of the hosts
below it. A row that is named, under its id or its URL, becomes a tombstone: `drop` is `removed`, `id` is a keyed hash
of the id, the spans stay so that the reader's law holds, and every other column is null.

The list is known by its entries' hashes (see `keyed.py`) in the store and the build; messages name lines of it. Who
holds the salt can ask whether a given URL is in the list, but cannot read the list.

store: removals/lists/<digest>   the hashes of a list, sorted, 16 bytes each
build: index/removed.hashes      the same, named in the manifest
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.identity import canonical, sha256
from corpus.keyed import Key, Pair, find_pairs, find_urls, host_hashes, id_hashes, key_of, url_hashes
from corpus.stage import Columns
from corpus.store import Blobs, open_input

REMOVED = "removed"  # the drop code
SEALED = "index/removed.hashes"
PURGED = "packed/purged.step"  # in the build directory: see purge.py
_KEPT = ("span_start", "span_bytes")  # of a tombstone
_COMMENT = re.compile(r"(?:^|\s)#")
_ID = re.compile(r"[0-9a-fA-F]{32}\Z")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?\Z")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://[^\s/?#]+\S*\Z")


class Named(msgspec.Struct, frozen=True):
    """Rows that a list names. Parallel arrays: a row, and the hash of an entry that names it (several entries may)."""

    row: np.ndarray  # uint32
    hi: np.ndarray
    lo: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        return np.unique(self.row)

    def join(self, other: "Named") -> "Named":
        return Named(*(np.concatenate(pair) for pair in zip(self.parts, other.parts, strict=True)))

    def once(self) -> "Named":
        """Sorted, without repetitions."""
        order = np.lexsort((self.lo, self.hi, self.row))
        fresh = np.ones(len(order), dtype=bool)
        if len(order):
            fresh[1:] = np.any([np.diff(part[order]) != 0 for part in self.parts], axis=0)
        return self.of(order[fresh])

    def of(self, chosen: np.ndarray) -> "Named":
        return Named(*(part[chosen] for part in self.parts))

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.row, self.hi, self.lo


NOBODY = Named(np.empty(0, np.uint32), np.empty(0, np.uint64), np.empty(0, np.uint64))


class Removal(msgspec.Struct, frozen=True):
    """A list as workers get it: where its hashes lie, and what they are keyed with."""

    place: Blobs
    name: str
    digest: str  # of the key and the hashes
    key: Key

    def hashes(self) -> Pair:
        """All entries, sorted; read once per process."""
        return _hashes(self.place, self.name, self.digest)

    def match(self, ids: pa.Array, urls: pa.Array | None) -> Named:
        """Which rows are named, under their id or their URL."""
        hi, lo = self.hashes()
        if not len(hi):
            return NOBODY
        places = find_pairs(id_hashes(self.key, ids), hi, lo)
        rows = np.flatnonzero(places >= 0)
        places = places[rows]
        if urls is not None:
            more = find_urls(self.key, urls, hi, lo)
            rows, places = np.concatenate([rows, more[0]]), np.concatenate([places, more[1]])
        order = np.lexsort((places, rows))
        rows, places = rows[order], places[order]
        return Named(rows.astype(np.uint32), hi[places], lo[places])

    def hidden(self, identity: bytes) -> bytes:
        """The id that the tombstone of a record has."""
        return joined(*id_hashes(self.key, pa.array([identity], pa.binary(16))))

    def names_id(self, identity: bytes) -> bool:
        return len(self.match(pa.array([identity], pa.binary(16)), None).row) > 0

    def names_url(self, url: str) -> bool:
        """Whether the list has this URL, or its host."""
        return len(find_urls(self.key, pa.array([url], pa.string()), *self.hashes())[0]) > 0

    def lists(self, named: Named) -> np.ndarray:
        """bool: which of the entries that named a row are in this list."""
        return find_pairs((named.hi, named.lo), *self.hashes()) >= 0

    def entombed(self, columns: Columns, rows: np.ndarray) -> Columns:
        """The columns of a reader with tombstones in place of `rows`."""
        if not len(rows):
            return columns
        gone = np.zeros(len(columns["id"]), dtype=bool)
        gone[rows] = True
        mask = pa.array(gone)
        made = {}
        for name, array in columns.items():
            if name == "id":
                made[name] = self._hidden(array, rows)
            elif name == "drop":
                made[name] = pc.if_else(mask, pa.scalar(REMOVED, pa.string()), array)
            elif name in _KEPT:
                made[name] = array
            else:
                made[name] = pc.if_else(mask, pa.scalar(None, array.type), array)
        return made

    def _hidden(self, ids: pa.Array, rows: np.ndarray) -> pa.Array:
        data = np.frombuffer(ids.buffers()[1], ">u8")[2 * ids.offset : 2 * (ids.offset + len(ids))].reshape(-1, 2)
        data = data.copy()
        data[rows, 0], data[rows, 1] = id_hashes(self.key, ids.take(pa.array(rows)))
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(ids), [None, pa.py_buffer(data.tobytes())])

    def identity(self, rows: np.ndarray) -> str:
        """What tombstones in these rows add to the inputs of a read: nothing where there are none."""
        return sha256(canonical([self.key, rows.tolist()])) if len(rows) else ""


def joined(hi: np.ndarray, lo: np.ndarray) -> bytes:
    """Hashes as bytes, 16 each."""
    return np.stack([hi, lo], axis=1).astype(">u8").tobytes()


@cache
def _hashes(place: Blobs, name: str, digest: str) -> Pair:
    pairs = np.frombuffer(place.get(name), ">u8").reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def file_identity(key: Key, removed: Mapping[str, str]) -> str:
    """What a file's record depends on: partition -> `identity` of its tombstones. "" where there are none."""
    return sha256(canonical([key, sorted(removed.items())])) if removed else ""


class Opened(msgspec.Struct, frozen=True):
    """A list as the driver has it: also the line of each entry, in the order of the hashes."""

    removal: Removal
    place: str
    lines: np.ndarray


def open_list(place: str, salt: str, store: Blobs) -> Opened:
    """Read a list and leave its hashes in the store. RecipeError, with file and line, for what is no entry."""
    try:
        with open_input(place) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = "there is no such list" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise RecipeError(f"{place}: {what}. $.remove.list names it, relative to the manifest.") from None
    ids: dict[bytes, int] = {}
    urls: dict[str, int] = {}
    hosts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        entry = _COMMENT.split(line, maxsplit=1)[0].strip()
        if not entry:
            continue
        if _ID.match(entry):
            ids.setdefault(bytes.fromhex(entry), number)
        elif entry.startswith("host:") and _HOST.match(entry[5:].strip().lower()):
            hosts.setdefault(entry[5:].strip().lower().rstrip("."), number)
        elif _URL.match(entry):
            urls.setdefault(entry, number)
        else:  # the entry itself is not shown: messages end up in logs
            raise RecipeError(
                f"{place}, line {number}: neither an id (32 hexadecimal digits), nor a URL (http://…), nor host:NAME "
                f"(ASCII; other names in their xn-- form). Nothing was built. Mend that line, or begin it with #."
            )
    key = key_of(salt)
    found = [
        (id_hashes(key, pa.array(list(ids), pa.binary(16))), ids.values()),
        (url_hashes(key, pa.array(list(urls), pa.string())), urls.values()),
        (host_hashes(key, pa.array(list(hosts), pa.string())), hosts.values()),
    ]
    hi, lo = (np.concatenate([pair[side] for pair, _ in found]) for side in (0, 1))
    lines = np.array([number for _, numbers in found for number in numbers], np.int64)
    order = np.lexsort((lines, lo, hi))
    hi, lo, lines = hi[order], lo[order], lines[order]
    fresh = np.ones(len(hi), dtype=bool)  # of entries that are compared as one, the first line counts
    fresh[1:] = (hi[1:] != hi[:-1]) | (lo[1:] != lo[:-1])
    hi, lo, lines = hi[fresh], lo[fresh], lines[fresh]
    data = joined(hi, lo)
    digest = sha256(key.hex.encode() + data)
    name = f"removals/lists/{digest}"
    if not store.exists(name):
        store.put(name, data)
    return Opened(Removal(store, name, digest, key), place, lines)


def seal_list(out: Blobs, removal: Removal) -> dict[str, Any]:
    """Put the hashes of a list into a build directory. -> what the manifest says of them"""
    data = removal.place.get(removal.name)
    out.put(SEALED, data)
    file = {"path": SEALED, "bytes": len(data), "sha256": sha256(data)}
    return {"key": removal.key.hex, "list": removal.digest, "entries": len(data) // 16, "files": [file]}


def sealed_list(out: Blobs, manifest: Mapping[str, Any]) -> Removal | None:
    """The list that a build was sealed with; None where it had none."""
    part = manifest["index"].get("removed")
    return Removal(out, part["files"][0]["path"], part["list"], Key(part["key"])) if part else None
