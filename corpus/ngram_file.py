"""A backoff n-gram model as a file: one table of hashes that can be mapped into memory and asked by a kernel.

    bytes 0-7    `ngrams 1`
    8-15         length of the header, little-endian
    header       JSON, a `Header`
    table        from the next multiple of 64 bytes on: `Header.slots` entries of 8 bytes, little-endian

An entry is hash << 32 | surprisal << 16 | backoff: the low half of an n-gram's hash (1 for 0), the surprisal of its
last unit behind the others, and what it costs to fall back where it is the context; both in steps of 2**-10 bits, at
most 64 bits. The high half of the hash, times the number of places and shifted, is its place; what is there already
moves it behind. Entries lie in the order of their hashes and the last slot is free, so a search ends. Two n-grams are
taken for each other once in 2**32 comparisons.

The hash of an n-gram is made from its last unit to its first, so that of a longer one goes on from that of its end:
h = longer(START, last), h = longer(h, the one before), ... Units are well-mixed 64-bit hashes themselves, never 0.
"""

import hashlib
import struct
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numba import njit

from corpus.errors import InputError

STEPS = 1024  # of a bit
MOST = 0xFFFF
MOST_ORDER = 8
START = np.uint64(0x243F6A8885A308D3)
_FACTOR = np.uint64(0x9FB21C651E98DF25)
_HALF = np.uint64(32)
_MAGIC = b"ngrams 1"
_ALIGN = 64
_ROOM = 4 / 3  # places for each entry


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`units`: how a text becomes units, for the program that asks. `unknown`: surprisal, in steps, of a unit that was
    never learned from. `counts`: n-grams kept, by order; `least`: times that they must have occurred; `discounts`: of
    n-grams that count once, twice, and three times or more. `sha256` is that of the table."""

    order: int
    units: dict[str, int]
    vocabulary: int
    unknown: int
    counts: tuple[int, ...]
    least: tuple[int, ...]
    discounts: tuple[tuple[float, float, float], ...]
    places: int
    slots: int
    sha256: str


class Ngrams(NamedTuple):
    """What a kernel takes. `table` (slots,) uint64."""

    table: np.ndarray
    places: np.uint64
    order: int
    unknown: int


def longer(hash, unit):  # type: ignore[no-untyped-def]
    """Hash of an n-gram with one more unit before it; arrays of uint64, or single ones."""
    mixed = (hash ^ unit) * _FACTOR
    return mixed ^ (mixed >> _HALF)


longer_by_one = njit(cache=True, nogil=True, inline="always")(longer)


@njit(cache=True, nogil=True, inline="always")
def entry_of(table, places, hash):  # type: ignore[no-untyped-def]
    """The entry of an n-gram, 0 where there is none."""
    at = ((hash >> np.uint64(32)) * places) >> np.uint64(32)
    mark = hash & np.uint64(0xFFFFFFFF)
    mark = mark if mark != 0 else np.uint64(1)
    while True:
        entry = table[at]
        if entry == 0 or entry >> np.uint64(32) == mark:
            return entry
        at += np.uint64(1)


def save(
    path: Path,
    hashes: np.ndarray,
    surprisals: np.ndarray,
    backoffs: np.ndarray,
    *,
    order: int,
    units: dict[str, int],
    vocabulary: int,
    unknown: int,
    counts: tuple[int, ...],
    least: tuple[int, ...],
    discounts: tuple[tuple[float, float, float], ...],
) -> Header:
    """`hashes` (n,) uint64, `surprisals` and `backoffs` (n,) in steps, in any order."""
    ranked = np.argsort(hashes, kind="stable")
    hashes = hashes[ranked]
    places = int(len(hashes) * _ROOM) + 1
    number = np.arange(len(hashes), dtype=np.int64)
    wanted = ((hashes >> _HALF) * np.uint64(places) >> _HALF).astype(np.int64)
    at = np.maximum.accumulate(wanted - number) + number
    table = np.zeros(max(places, int(at[-1]) + 1) + 1, "<u8")
    mark = np.maximum(hashes & np.uint64(0xFFFFFFFF), np.uint64(1))
    table[at] = (
        mark << _HALF | surprisals[ranked].astype(np.uint64) << np.uint64(16) | backoffs[ranked].astype(np.uint64)
    )
    data = table.tobytes()
    header = Header(
        order=order,
        units=units,
        vocabulary=vocabulary,
        unknown=unknown,
        counts=counts,
        least=least,
        discounts=discounts,
        places=places,
        slots=len(table),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    head = msgspec.json.encode(header)
    with path.open("wb") as file:
        file.write(_MAGIC + struct.pack("<Q", len(head)) + head)
        file.write(bytes(-file.tell() % _ALIGN))
        file.write(data)
    return header


def load(path: Path) -> tuple[Header, Ngrams]:
    """The table is mapped, not read. InputError where the file is no such model, or not a whole one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
        if start[:8] != _MAGIC or len(start) < 16:
            raise _wrong(path, f"begins with {start[:8]!r}")
        length = struct.unpack("<Q", start[8:])[0]
        if length > size - 16:
            raise _wrong(path, f"has {size:,} bytes and a header of {length:,}")
        try:
            header = msgspec.json.decode(file.read(length), type=Header)
        except msgspec.DecodeError as error:
            raise _wrong(path, f"has a header that cannot be read: {error}") from None
    begin = -(-(16 + length) // _ALIGN) * _ALIGN
    if size != begin + 8 * header.slots or not 0 < header.places < header.slots:
        raise _wrong(path, f"has {size:,} bytes, not the {begin + 8 * header.slots:,} that its header names")
    if not 1 <= header.order <= MOST_ORDER:
        raise _wrong(path, f"is of order {header.order}, not of 1 to {MOST_ORDER}")
    table = np.memmap(path, "<u8", "r", begin, (header.slots,)).view(np.ndarray)
    if table[-1] != 0:
        raise _wrong(path, "has no free slot at its end")
    return header, Ngrams(table, np.uint64(header.places), header.order, header.unknown)


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"model `{path.name}` {what}. Expected one that `corpus perplexity train` wrote.")
