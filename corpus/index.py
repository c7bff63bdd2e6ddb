"""Where each id and each URL is: sorted buckets, so that one look-up reads one object.

index/ids-<nnnnn>.parquet    id (binary 16), root (partition key), level (position of the step whose table has it), row;
                             sorted by a hash of the id
index/urls-<nnnnn>.parquet   hash (xxh3_64 of the URL), root, row; sorted

Dropped documents are in it too: their reasons are what `explain` is asked for. A bundle of partitions is collected into
one sorted run, a bucket reads its range of every run: memory is bounded by the entries of a bundle (about 2M).
"""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus import tables
from corpus.bundling import bundles, power_of_two
from corpus.errors import InputError
from corpus.id_order import halves, joined, order_of
from corpus.identity import canonical, sha256
from corpus.publish import read_table
from corpus.record import Table
from corpus.runs import sorted_records, together
from corpus.stage import Regroup
from corpus.store import Blobs

if TYPE_CHECKING:
    from corpus.build import Builder

FORMAT = 2  # of the runs
BUNDLE_ENTRIES = 2 << 20
BUCKET_ENTRIES = 1 << 20
_ENTRY = np.dtype([("key", "<u8"), ("hi", "<u8"), ("lo", "<u8"), ("root", "<u8"), ("row", "<u4"), ("level", "<u4")])
_KINDS = ("ids", "urls")
MARK = "packed/index.step"  # in the build directory: what the indices there were collected from


class CollectTask(msgspec.Struct, frozen=True):
    store: Blobs
    members: tuple[tuple[int, tuple[tuple[int, Table, bool], ...]], ...]  # root key, (level, table, has urls)
    buckets: int
    name: str  # of the run, kind apart


class BucketTask(msgspec.Struct, frozen=True):
    store: Blobs
    out: Blobs
    kind: str
    bucket: int
    buckets: int
    runs: tuple[str, ...]


def spread(hi: np.ndarray, lo: np.ndarray) -> np.ndarray:
    """What ids are sorted by and parted into buckets by: a hash, since all ids of one file begin with the same bits."""
    return order_of(hi, lo, 0)


def url_hash(url: str) -> int:
    return xxhash.xxh3_64_intdigest(url.encode())


def collect(task: CollectTask) -> None:
    """Make the two runs of a bundle, unless they are there."""
    if all(task.store.exists(f"{task.name}-{kind}.run") for kind in _KINDS):
        return
    ids: list[np.ndarray] = [np.empty(0, _ENTRY)]
    urls: list[np.ndarray] = [np.empty(0, _ENTRY)]
    for root, levels in task.members:
        for level, table, has_urls in levels:
            names = ["row", "id", *(["url"] if has_urls else [])]
            stored = read_table(task.store, table, names)
            entry = np.zeros(stored.num_rows, _ENTRY)
            entry["hi"], entry["lo"] = halves(tables.combine(stored["id"]))
            entry["key"] = spread(entry["hi"], entry["lo"])
            entry["root"], entry["level"], entry["row"] = root, level, tables.combine(stored["row"]).to_numpy()
            ids.append(entry)
            if has_urls:
                column = tables.combine(stored["url"])
                there = np.asarray(column.is_valid())
                found = entry[there].copy()
                found["hi"] = [url_hash(url) for url in pc.drop_null(column).to_pylist()]
                found["key"], found["lo"] = found["hi"], 0
                urls.append(found)
    for kind, parts in zip(_KINDS, (ids, urls), strict=True):
        entries = together(parts)
        if kind == "ids":  # a document that was not parted keeps its id: its first place is enough
            entries = sorted_records(entries, ("key", "hi", "lo", "level"))
            again = (entries["hi"][1:] == entries["hi"][:-1]) & (entries["lo"][1:] == entries["lo"][:-1])
            entries = entries[np.concatenate([[True], ~again])] if len(entries) else entries
        else:
            entries = sorted_records(entries, ("key", "root", "row"))
        edges = np.array([b * (1 << 64) // task.buckets for b in range(task.buckets)], dtype=np.uint64)
        bounds = np.append(np.searchsorted(entries["key"], edges), len(entries)).astype("<i8")
        body = [bounds.tobytes(), *([entries.view(np.uint8).data] if len(entries) else [])]
        task.store.put(f"{task.name}-{kind}.run", *body)
        del entries, body
        parts.clear()


def write_bucket(task: BucketTask) -> dict[str, Any]:
    parts = [np.empty(0, _ENTRY)]
    head = 8 * (task.buckets + 1)
    for run in task.runs:
        begin, end = np.frombuffer(task.store.get(run, 8 * task.bucket, 8 * task.bucket + 16), "<i8")
        size = _ENTRY.itemsize
        parts.append(np.frombuffer(task.store.get(run, head + int(begin) * size, head + int(end) * size), _ENTRY))
    entries = together(parts)
    entries = sorted_records(entries, ("key", "hi", "lo", "root", "level", "row"))
    columns: dict[str, pa.Array] = {"root": pa.array(entries["root"].copy()), "row": pa.array(entries["row"].copy())}
    if task.kind == "ids":
        columns["id"] = joined(entries["hi"], entries["lo"])
        columns["level"] = pa.array(entries["level"].astype(np.uint8))
    else:
        columns["hash"] = pa.array(entries["hi"].copy())
    data = tables.to_bytes(tables.canonical(columns))
    name = f"index/{task.kind}-{task.bucket:05d}.parquet"
    task.out.put(name, data)
    return {"path": name, "bytes": len(data), "sha256": sha256(data)}


def _plan(builder: "Builder") -> tuple[list[CollectTask], int]:
    """-> (bundles to collect, number of buckets)"""
    members: dict[int, tuple[tuple[int, Table, bool], ...]] = {}
    weights: dict[int, int] = {}
    for source, partitions in builder.partitions.items():
        steps = builder.graph.chains[source]
        for partition in partitions:
            levels = []
            for k, record in enumerate(partition.records):
                if k == 0 or isinstance(steps[k].stage, Regroup):
                    levels.append((k, record.table, k == 0 and "url" in steps[k].stored))
            members[partition.key] = tuple(levels)
            weights[partition.key] = partition.records[0].rows
    buckets = power_of_two(sum(weights.values()) / BUCKET_ENTRIES)
    tasks = []
    for keys in bundles(weights, BUNDLE_ENTRIES):
        parts = tuple((key, members[key]) for key in keys)
        identity = sha256(
            canonical([FORMAT, *([f"{k:016x}", [t.sha256 for _, t, _ in levels]] for k, levels in parts), buckets])
        )
        tasks.append(CollectTask(builder.store, parts, buckets, f"runs/index/{identity}"))
    return tasks, buckets


def run_names(builder: "Builder") -> set[str]:
    """The runs that the indices of this build are made from."""
    return {f"{task.name}-{kind}.run" for task in _plan(builder)[0] for kind in _KINDS}


def write(builder: "Builder", out: Blobs, earlier: dict[str, Any]) -> dict[str, Any]:
    """Write both indices of a build, unless those of the `earlier` manifest are the same. -> what the manifest says."""
    tasks, buckets = _plan(builder)
    collected = sha256(canonical([task.name for task in tasks]))
    before = earlier.get("index", {})
    written = out.get(MARK).decode() if out.exists(MARK) else ""
    if before.get("ids", {}).get("collected") == collected == written and all(
        out.exists(f["path"]) and out.size(f["path"]) == f["bytes"] for kind in _KINDS for f in before[kind]["files"]
    ):
        return {kind: before[kind] for kind in _KINDS}
    with builder.progress.task("index", len(tasks), "bundles") as bar:
        for _ in builder.executor.map(collect, tasks):
            bar.advance(1, "")
    jobs = [
        BucketTask(builder.store, out, kind, bucket, buckets, tuple(f"{t.name}-{kind}.run" for t in tasks))
        for kind in _KINDS
        for bucket in range(buckets)
    ]
    out.remove(MARK)
    done = dict(builder.executor.map(write_bucket, jobs))
    out.put(MARK, collected.encode())
    found: dict[str, Any] = {kind: {"buckets": buckets, "collected": collected, "files": []} for kind in _KINDS}
    for number, job in enumerate(jobs):
        found[job.kind]["files"].append(done[number])
    return found


def run_entries(store: Blobs, name: str) -> np.ndarray:
    """The entries of a run: its key, (hi, lo) of an id or (hash, 0) of a URL, root, row, level."""
    data = store.get(name)
    buckets = 1
    while 8 * (buckets + 1) < len(data):
        bounds = np.frombuffer(data, "<i8", buckets + 1)
        if 8 * (buckets + 1) + int(bounds[-1]) * _ENTRY.itemsize == len(data):
            return np.frombuffer(data, _ENTRY, int(bounds[-1]), 8 * (buckets + 1))
        buckets *= 2
    return np.empty(0, _ENTRY)


def parse_id(text: str) -> bytes:
    """An id from its hexadecimal digits. InputError where it is none."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 16:
        raise InputError(f"--id: got {text!r}. Expected 32 hexadecimal digits.")
    return data


def find_id(out: Blobs, manifest: dict[str, Any], identity: bytes) -> list[tuple[int, int, int]]:
    """(root key, level, row) of an id."""
    part = manifest["index"]["ids"]
    (key,) = spread(*halves(pa.array([identity], pa.binary(16)))).tolist()
    table = tables.read(out.get(part["files"][key * part["buckets"] >> 64]["path"]))
    hit = table.filter(pc.equal(table["id"], pa.scalar(identity, pa.binary(16))))
    return list(zip(*(hit[name].to_pylist() for name in ("root", "level", "row")), strict=True))


def find_url(out: Blobs, manifest: dict[str, Any], url: str) -> list[tuple[int, int]]:
    """(root key, row) of every record with this URL, or one whose hash collides with it."""
    part, key = manifest["index"]["urls"], url_hash(url)
    table = tables.read(out.get(part["files"][key * part["buckets"] >> 64]["path"]))
    hit = table.filter(pc.equal(table["hash"], pa.scalar(key, pa.uint64())))
    return list(zip(hit["root"].to_pylist(), hit["row"].to_pylist(), strict=True))
