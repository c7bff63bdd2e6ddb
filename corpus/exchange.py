"""Exchange: a global stage in rounds over sorted runs.

A stage declares its rounds; each names a method of the stage and is maths over arrays. Documents are numbered by
(partition key, living row): the *number* of a document is its place in that order over the whole scope.

    Emit    columns of a partition -> records, keyed by a hash; `doc` is the number
    Group   all records in order of key, as a stream of blocks, none of them empty -> records. A group may straddle
            blocks: the method keeps what it must remember between them
    Join    records keyed by a number, with the columns of the partition that holds it -> records
    Solve   all records, in one task, as often as it likes. The one place that may hold something per document
    Settle  records keyed by a number, with the columns of their partition -> the columns of the stage's table

Records flow from round to round through runs: tasks write sorted runs, the next round merges ranges of keys. Partitions
are bundled by the first bits of their keys, so a new partition touches one bundle; what a bundle emits is cached by the
identity of what it read, and numbers inside it count from its own first document. `Emit.combine` settles inside each
partition what can be settled there and sends one record of each kind on, so that a key which half of the corpus shares
stays small. It works on partitions, not on bundles, since bundles grow and shrink with the corpus: what a stage finds
must not depend on them.

Two records that are equal in all fields that a round sorts by must be equal in every field that a later round looks at.

Bounds, per task: Emit: three times the records of a bundle of 256k documents; merges: four times 64 MB; a writer: five
times 64 MB; Join and Settle: the columns of one partition besides. None depends on the size of the corpus; levels of
merging also use local disk, twice the records merged. Tasks and names of runs depend on record counts alone, never on
workers, so results are the same at any number of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np
import pyarrow as pa

from corpus import runs
from corpus.errors import LawError
from corpus.stage import Columns, Stage
from corpus.store import Blobs

BUNDLE_ROWS = 256 << 10
BUNDLE_PARTS = 64  # partitions at most, about: opening thousands of small ones is work to share
RANGE_BYTES = 256 << 20  # of records for one task of a Group
HASHES = 1 << 64
MOST_DOCUMENTS = 1 << 32  # numbers may be kept in 32 bits

Fields = tuple[tuple[str, str], ...]


class Emit(msgspec.Struct, frozen=True):
    method: str  # (batch, part) -> records, with `doc` counted from 0 in the batch
    reads: tuple[str, ...]
    fields: Fields
    sort: tuple[str, ...] = ("key", "doc")
    combine: str = ""  # (sorted records of a partition) -> records of the following Group
    keep: tuple[str, ...] = ("key",)  # after `combine`, of records equal in these fields the first is sent on


class Group(msgspec.Struct, frozen=True):
    method: str  # (blocks) -> iterator of records
    fields: Fields
    sort: tuple[str, ...] = ("key",)
    numbers: tuple[str, ...] = ("key",)  # fields that hold document numbers, where an Emit combines into this Group
    distinct: bool = False  # of records equal in the fields of `sort`, the next round sees one


class Join(msgspec.Struct, frozen=True):
    method: str  # (records, position of each record's document in the batch, batch, part) -> records
    reads: tuple[str, ...]
    fields: Fields
    sort: tuple[str, ...] = ("key",)


class Solve(msgspec.Struct, frozen=True):
    method: str  # (blocks(): a fresh iterator at each call, documents, tell: counts to report) -> iterator of records
    fields: Fields
    sort: tuple[str, ...] = ("key",)


class Settle(msgspec.Struct, frozen=True):
    method: str  # (records, position of each record's document in the batch, batch, part) -> columns
    reads: tuple[str, ...]


Round = Emit | Group | Join | Solve | Settle


class Part(msgspec.Struct, frozen=True):
    """A partition in the scope: its key, where it comes from, how many rows live, the number of the first of them."""

    key: int
    source: str
    priority: int
    rows: int
    first: int = 0


class Exchange(Stage, frozen=True, kw_only=True):
    """A global stage. Its struct holds parameters, its methods are the rounds."""

    rounds: ClassVar[tuple[Round, ...]] = ()


class Loader(msgspec.Struct, frozen=True):
    """How a worker reads columns of partitions. A plain value; `read` is implemented in `settle.py`."""

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        raise NotImplementedError


class Bundle(msgspec.Struct, frozen=True):
    number: int
    identity: str  # of what Emit reads
    parts: tuple[Part, ...]
    loader: Loader

    @property
    def first(self) -> int:
        return self.parts[0].first

    @property
    def end(self) -> int:
        return self.parts[-1].first + self.parts[-1].rows


class Flow(msgspec.Struct, frozen=True):
    """Runs between two rounds, and what they hold."""

    refs: tuple[runs.Ref, ...] = ()
    records: int = 0
    bytes: int = 0

    def join(self, other: "Flow") -> "Flow":
        return Flow(self.refs + other.refs, self.records + other.records, self.bytes + other.bytes)

    def shifted(self, by: int, fields: tuple[str, ...]) -> "Flow":
        return Flow(tuple(runs.Ref(ref.name, by, fields) for ref in self.refs), self.records, self.bytes)


class _Task(msgspec.Struct, frozen=True):
    blobs: Blobs
    stage: Exchange
    round: int
    prefix: str
    flow: Flow = Flow()
    low: int = 0
    high: int = HASHES
    bundle: Bundle | None = None
    documents: int = 0


def _dtype(fields: Fields) -> np.dtype:
    return np.dtype(list(fields))


def _read(bundle: Bundle, part: Part, names: tuple[str, ...]) -> pa.RecordBatch:
    batch = bundle.loader.read(part.key, names)
    if batch.num_rows != part.rows:
        raise LawError(f"partition {part.key:016x}: {batch.num_rows} rows, {part.rows} were alive when rounds began")
    return batch


def _emit(task: _Task) -> tuple[Flow, Flow]:
    """-> (keyed records, records of the combined Group). Counted from the bundle's first document; cached."""
    bundle, emit = task.bundle, task.stage.rounds[task.round]
    assert bundle is not None
    assert isinstance(emit, Emit)
    follower = task.stage.rounds[task.round + 1]
    done = f"{task.prefix}.done"
    if task.blobs.exists(done):
        return msgspec.json.decode(task.blobs.get(done), type=tuple[Flow, Flow])
    parts = [np.empty(0, _dtype(emit.fields))]
    writer = None
    if emit.combine:
        assert isinstance(follower, Group)
        name = f"{task.prefix}-combined"
        writer = runs.Writer(task.blobs, name, _dtype(follower.fields), follower.sort, follower.distinct)
    for part in bundle.parts:
        records = getattr(task.stage, emit.method)(_read(bundle, part, emit.reads), part)
        records["doc"] += records["doc"].dtype.type(part.first - bundle.first)
        if writer is not None:
            records = runs.sorted_records(records, emit.sort)
            writer.add(getattr(task.stage, emit.combine)(records))
            records = records[runs.differs(records, emit.keep)]
        parts.append(records)
    records = np.concatenate(parts)
    parts.clear()
    records = runs.sorted_records(records, emit.sort)
    combined = _written(writer) if writer is not None else Flow()
    name = f"{task.prefix}-keys.run"
    runs.write(task.blobs, name, records, emit.sort)
    keyed = Flow((runs.Ref(name),), len(records), records.nbytes)
    task.blobs.put(done, msgspec.json.encode((keyed, combined)))
    return keyed, combined


def _written(writer: runs.Writer) -> Flow:
    return Flow(writer.finish(), writer.records, writer.records * writer.dtype.itemsize)


def _group(task: _Task) -> Flow:
    group = task.stage.rounds[task.round]
    assert isinstance(group, Group)
    writer = runs.Writer(task.blobs, task.prefix, _dtype(group.fields), group.sort, group.distinct)
    blocks = runs.merge(task.blobs, task.flow.refs, task.low, task.high)
    for out in getattr(task.stage, group.method)(blocks):
        writer.add(out)
    return _written(writer)


def _by_part(task: _Task) -> Iterator[tuple[Part, Iterator[np.ndarray]]]:
    assert task.bundle is not None
    opened = runs.opened(task.blobs, task.flow.refs)
    for part in task.bundle.parts:
        yield part, runs.merged(opened, part.first, part.first + part.rows)


def _join(task: _Task) -> Flow:
    join = task.stage.rounds[task.round]
    assert isinstance(join, Join)
    assert task.bundle is not None
    writer = runs.Writer(task.blobs, task.prefix, _dtype(join.fields), join.sort)
    for part, blocks in _by_part(task):
        batch = None
        for records in blocks:
            if batch is None:  # most partitions are asked for nothing
                batch = _read(task.bundle, part, join.reads)
            position = (records["key"] - np.uint64(part.first)).astype(np.int64)
            for begin in range(0, len(records), 1 << 16):
                piece = slice(begin, begin + (1 << 16))
                writer.add(getattr(task.stage, join.method)(records[piece], position[piece], batch, part))
    return _written(writer)


def _solve(task: _Task) -> tuple[Flow, dict[str, int]]:
    solve = task.stage.rounds[task.round]
    assert isinstance(solve, Solve)
    writer = runs.Writer(task.blobs, task.prefix, _dtype(solve.fields), solve.sort)

    opened = runs.opened(task.blobs, task.flow.refs)
    tell: dict[str, int] = {}
    for out in getattr(task.stage, solve.method)(lambda: runs.merged(opened), task.documents, tell):
        writer.add(out)
    return _written(writer), tell


def settled(stage: Exchange, blobs: Blobs, flow: Flow, bundle: Bundle) -> Iterator[tuple[Part, Columns]]:
    """The last round, for the partitions of a bundle."""
    before, settle = stage.rounds[-2:]
    assert isinstance(settle, Settle)
    assert not isinstance(before, Settle)
    nothing = np.empty(0, _dtype(before.fields))
    opened = runs.opened(blobs, flow.refs)
    for part in bundle.parts:
        records = [*runs.merged(opened, part.first, part.first + part.rows)]
        whole = np.concatenate(records) if records else nothing
        position = (whole["key"] - np.uint64(part.first)).astype(np.int64)
        batch = _read(bundle, part, settle.reads)
        yield part, getattr(stage, settle.method)(whole, position, batch, part)


class _Merge(msgspec.Struct, frozen=True):
    blobs: Blobs
    refs: tuple[runs.Ref, ...]
    target: str


def _merge(task: _Merge) -> int:
    return runs.merge_to_one(task.blobs, task.refs, task.target)


Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]


def run_rounds(
    stage: Exchange,
    blobs: Blobs,
    bundles: Sequence[Bundle],
    scratch: str,
    cache: str,
    map_: Map,
    say: Callable[[str, int], None],
) -> tuple[Flow, dict[str, int]]:
    """All rounds but the last. `scratch` and `cache` are prefixes of names: what lies under `scratch` may be removed
    afterwards. `say(round, records)` is told after each round. -> (records for Settle; records by round, and what a
    Solve told). LawError where there are more documents than numbers."""
    documents = bundles[-1].end if bundles else 0
    if documents > MOST_DOCUMENTS:
        raise LawError(
            f"`{stage.label}`: {documents:,} documents in one scope, {MOST_DOCUMENTS:,} at most. Split the scope."
        )
    flow, waiting = Flow(), Flow()
    counts: dict[str, int] = {}
    for number, one in enumerate(stage.rounds[:-1]):
        prefix = f"{scratch}/{number}-{one.method}"
        if isinstance(one, Emit):
            tasks = [_Task(blobs, stage, number, f"{cache}/{runs.FORMAT}-{b.identity}", bundle=b) for b in bundles]
            keyed, combined = Flow(), Flow()
            for index, (keys, pairs) in _ordered(map_, _emit, tasks):
                keyed = keyed.join(keys.shifted(bundles[index].first, ("doc",)))
                combined = combined.join(pairs.shifted(bundles[index].first, _numbers(stage.rounds[number + 1])))
            flow, waiting = keyed, combined
        else:
            flow = _levels(blobs, flow, prefix, map_)
            if isinstance(one, Group):
                ranges = max(1, -(-flow.bytes // RANGE_BYTES))
                span = documents if _keyed_by_number(stage, number) else HASHES
                edges = [span * i // ranges for i in range(ranges)] + [HASHES]
                tasks = [
                    _Task(blobs, stage, number, f"{prefix}/{i:05d}", flow, edges[i], edges[i + 1])
                    for i in range(ranges)
                ]
                found = [out for _, out in _ordered(map_, _group, tasks)]
            elif isinstance(one, Join):
                tasks = [_Task(blobs, stage, number, f"{prefix}/{b.number:05d}", flow, bundle=b) for b in bundles]
                found = [out for _, out in _ordered(map_, _join, tasks)]
            elif isinstance(one, Solve):
                tasks = [_Task(blobs, stage, number, f"{prefix}/0", flow, documents=documents)]
                found = []
                for _, (out, told) in _ordered(map_, _solve, tasks):
                    found.append(out)
                    counts |= told
            else:
                raise LawError(f"stage `{stage.label}`: Settle is the last round, not round {number}")
            flow, waiting = waiting, Flow()
            for out in found:
                flow = flow.join(out)
        counts[one.method] = flow.records + waiting.records
        say(one.method, counts[one.method])
    return _levels(blobs, flow, f"{scratch}/{len(stage.rounds) - 1}", map_), counts


def _keyed_by_number(stage: Exchange, number: int) -> bool:
    return not isinstance(stage.rounds[number - 1], Emit)


def _ordered(map_: Map, function: Callable[[Any], Any], tasks: Sequence[Any]) -> list[tuple[int, Any]]:
    return sorted(map_(function, tasks), key=lambda pair: pair[0])


def _numbers(one: Round) -> tuple[str, ...]:
    return one.numbers if isinstance(one, Group) else ()


def _levels(blobs: Blobs, flow: Flow, prefix: str, map_: Map) -> Flow:
    """Merge in levels until no more than FAN_IN runs are left."""
    level = 0
    while len(flow.refs) > runs.FAN_IN:
        groups = [flow.refs[i : i + runs.FAN_IN] for i in range(0, len(flow.refs), runs.FAN_IN)]
        tasks = [_Merge(blobs, refs, f"{prefix}/level{level}-{i:05d}.run") for i, refs in enumerate(groups)]
        records = sum(count for _, count in _ordered(map_, _merge, tasks))
        merged = tuple(runs.Ref(task.target) for task in tasks)
        flow, level = Flow(merged, records, flow.bytes * records // max(1, flow.records)), level + 1
    return flow


def numbered(parts: Mapping[int, Part]) -> list[Part]:
    """Parts in order of their keys, with the number of their first document."""
    result, first = [], 0
    for key in sorted(parts):
        result.append(msgspec.structs.replace(parts[key], first=first))
        first += parts[key].rows
    return result
