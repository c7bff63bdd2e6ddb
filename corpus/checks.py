"""Checks of single files of a sealed build, and the sums by which files are compared: tasks of `corpus verify`.

A file is parsed only when its sha256 is right. What lies in several files and must agree (packed documents and
survivors, index entries and rows) is compared without bringing it together: each side is a sum over its entries, modulo
2**64, of a hash of the entry. Sums are equal, whatever the order, when the same entries are there equally often; that
others add up to the same by chance has a likelihood of 2**-64.
"""

import hashlib
from typing import Any

import msgspec
import numba as nb
import numpy as np
import pyarrow as pa

from corpus import tables
from corpus.findings import Finding
from corpus.id_order import halves, mix
from corpus.identity import canonical, recorded_id, sha256
from corpus.index import spread
from corpus.record import ScopeRecord
from corpus.store import Blobs

_BLOCK_BYTES = 8 << 20


class Sum(msgspec.Struct):
    """How many entries, and the sum of their hashes."""

    count: int = 0
    value: int = 0

    def add(self, hashes: np.ndarray) -> None:
        self.count += len(hashes)
        self.value = (self.value + int(hashes.sum(dtype=np.uint64))) & 0xFFFFFFFFFFFFFFFF

    def merge(self, other: "Sum") -> None:
        self.count += other.count
        self.value = (self.value + other.value) & 0xFFFFFFFFFFFFFFFF


def entries(*columns: np.ndarray | int) -> np.ndarray:
    """A hash of each tuple of integers: uint64[n]."""
    size = max(np.size(column) for column in columns)
    held = np.zeros(size, dtype=np.uint64)
    for column in columns:
        held = mix(held * np.uint64(0x9E3779B97F4A7C15) + np.asarray(column).astype(np.uint64) + np.uint64(1))
    return held


@nb.njit(cache=True, nogil=True)
def _fnv(tokens, starts, lengths, out):  # type: ignore[no-untyped-def]
    for i in range(starts.size):
        held = np.uint64(0xCBF29CE484222325)
        for j in range(starts[i], starts[i] + lengths[i]):
            held = (held ^ np.uint64(tokens[j])) * np.uint64(0x100000001B3)
        out[i] = held


def token_hashes(tokens: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """FNV-1a over the ids of each document, spread: uint64[documents]."""
    out = np.empty(len(starts), dtype=np.uint64)
    _fnv(np.asarray(tokens), starts.astype(np.int64), lengths.astype(np.int64), out)
    return entries(out, lengths)


def packed_entries(ids: pa.Array, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    hi, lo = halves(ids)
    return entries(hi, lo, rows, tokens)


def file_digest(blobs: Blobs, name: str) -> tuple[int, str]:
    """-> (bytes, hex sha256), read in blocks. FileNotFoundError where it is missing."""
    size, digest = blobs.size(name), hashlib.sha256()
    for start in range(0, size, _BLOCK_BYTES):
        digest.update(blobs.get(name, start, min(start + _BLOCK_BYTES, size)))
    return size, digest.hexdigest()


def problem(blobs: Blobs, name: str, size: int, digest: str) -> str:
    """What is wrong with a file; "" where it is as it should be."""
    try:
        got, found = file_digest(blobs, name)
    except FileNotFoundError:
        return "is missing"
    if got != size:
        return f"has {got:,} bytes, expected {size:,}"
    return "" if found == digest else f"has sha256 {found}, expected {digest}"


class AssetTask(msgspec.Struct, frozen=True):
    store: Blobs
    digest: str


def check_asset(task: AssetTask) -> tuple[list[Finding], int]:
    name = f"assets/{task.digest}"
    try:
        size, found = file_digest(task.store, name)
    except FileNotFoundError:
        return [Finding(name, "is missing", True)], 0
    return ([] if found == task.digest else [Finding(name, f"has sha256 {found}", True)]), size


class IndexTask(msgspec.Struct, frozen=True):
    out: Blobs
    kind: str
    number: int
    buckets: int
    path: str
    bytes: int
    sha256: str


def check_index(task: IndexTask) -> tuple[list[Finding], Sum]:
    """One bucket of an index: digest, order, range. -> its entries as a sum."""
    wrong = problem(task.out, task.path, task.bytes, task.sha256)
    found = Sum()
    if wrong:
        return [Finding(task.path, wrong)], found
    table = tables.read(task.out.get(task.path))
    root, row = (table[name].to_numpy() for name in ("root", "row"))
    if task.kind == "ids":
        hi, lo = halves(tables.combine(table["id"]))
        key = spread(hi, lo)
        found.add(entries(hi, lo, root, row, table["level"].to_numpy()))
    else:
        hi, lo = table["hash"].to_numpy(), np.zeros(len(table), np.uint64)
        key = hi
        found.add(entries(hi, root, row))
    order = np.lexsort((row, root, lo, hi, key))
    findings = []
    if not np.array_equal(np.stack([key, hi, lo])[:, order], np.stack([key, hi, lo])):
        findings.append(Finding(task.path, "its entries are not sorted"))
    if len(key) and (int(key.min()) * task.buckets >> 64, int(key.max()) * task.buckets >> 64) != (task.number,) * 2:
        findings.append(Finding(task.path, "holds entries of another bucket"))
    return findings, found


class RecordsTask(msgspec.Struct, frozen=True):
    """A fold, or some loose records, of one folder of the store."""

    store: Blobs
    names: tuple[str, ...]


class _Step(msgspec.Struct, frozen=True):
    step: str


def check_records(task: RecordsTask) -> tuple[list[Finding], list[tuple[str, bytes, bytes]], int]:
    """-> (damaged folds, (file, step, sha256) of every record found, bytes)"""
    findings: list[Finding] = []
    found: list[tuple[str, bytes, bytes]] = []
    size = 0
    for name in task.names:
        try:
            data = task.store.get(name)
        except FileNotFoundError:
            continue  # reported by the caller, as missing
        size += len(data)
        last = name.rsplit("/", 1)[-1]
        if last.endswith(".json"):
            found.append((name, bytes.fromhex(last.removesuffix(".json")), hashlib.sha256(data).digest()))
            continue
        if last != f"fold-{sha256(data)}.parquet":
            findings.append(Finding(name, f"has sha256 {sha256(data)}, its name says another", True))
            continue
        for one in tables.read(data)["record"].to_pylist():
            step = msgspec.json.decode(one, type=_Step).step
            found.append((name, bytes.fromhex(step), hashlib.sha256(one).digest()))
    return findings, found, size


class ScopeTask(msgspec.Struct, frozen=True):
    store: Blobs
    name: str


class ScopeResult(msgspec.Struct):
    """The record of one run of a global stage. `away`: files of no use. `settled` sums (partition, step)."""

    findings: list[Finding]
    away: list[str] = []
    definition: dict[str, Any] = {}
    counts: dict[str, int] = {}
    settled: Sum = msgspec.field(default_factory=Sum)
    bytes: int = 0


def settled_entry(partition: np.ndarray | int, steps: list[str]) -> np.ndarray:
    return entries(partition, np.array([int(step[:16], 16) for step in steps], dtype=np.uint64))


def check_scope(task: ScopeTask) -> ScopeResult:
    """Such a record can be checked by itself: its name is the hash of what it says it is."""
    data = task.store.get(task.name)
    try:
        record = msgspec.json.decode(data, type=ScopeRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return ScopeResult([Finding(task.name, f"is not a record ({error})", True)], [task.name])
    found = []
    if canonical(record) != data:
        found.append("is not written as records are")
    identity = recorded_id(record.definition, {"scope": record.inputs})
    if record.step != identity or f"/{identity}.json" not in task.name:
        found.append("its identity is not the hash of its definition and inputs")
    result = ScopeResult([Finding(task.name, text, True) for text in found], [task.name] if found else [])
    table = record.settled
    wrong = "" if found else problem(task.store, table.name, table.bytes, table.sha256)
    if wrong:
        result.findings.append(Finding(table.name, wrong, True))
        result.away += [table.name, task.name]
    if not result.findings:
        listed = tables.read(task.store.get(table.name))
        result.settled.add(settled_entry(listed["partition"].to_numpy(), listed["step"].to_pylist()))
        result.definition, result.counts, result.bytes = record.definition, record.counts, len(data) + table.bytes
    return result
