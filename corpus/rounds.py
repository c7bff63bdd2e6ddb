"""The rounds of an Exchange, run: bundles of partitions, sorted runs between rounds, merges of ranges of keys.

Partitions are bundled by the first bits of their keys, so a new partition touches one bundle; what a bundle emits is
cached by the identity of what it read, and numbers inside it count from its own first document. `Emit.combine` settles
inside each partition what can be settled there and sends one record of each kind on, so that a key which half of the
corpus shares stays small. It works on partitions, not on bundles, since bundles grow and shrink with the corpus: what a
stage finds must not depend on them. `Emit.keep` alone works on bundles: the Group that follows must skip what is equal,
wherever it comes from.

Bounds, per task: Emit: three times the records of a bundle of 256k documents; merges: four times 64 MB; a writer: five
times 64 MB; Join and Settle: the columns of one partition besides. None depends on the size of the corpus; levels of
merging also use local disk, twice the records merged. Tasks and names of runs depend on record counts alone, never on
workers, so results are the same at any number of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from corpus import runs
from corpus.errors import LawError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Loader, Opener, Part, Round, Settle, Solve, dtype_of
from corpus.stage import Columns
from corpus.store import Blobs

BUNDLE_ROWS = 256 << 10
BUNDLE_PARTS = 64  # partitions at most, about: opening thousands of small ones is work to share
RANGE_BYTES = 256 << 20  # of records for one task of a Group
HASHES = 1 << 64
MOST_DOCUMENTS = 1 << 32  # numbers may be kept in 32 bits
_EMITTED = f"{runs.FORMAT}b"  # in the names of emitted runs, which outlive a build
_LEVEL = "level"  # in the names of merged runs
_PIECE = 1 << 16  # records that a Join is given at a time

_NOTHING = Opener()


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
    opener: Opener = _NOTHING


class _Made(msgspec.Struct, frozen=True):
    """What a task made: records of its round, records combined into another, counts to report."""

    flow: Flow
    combined: Flow = Flow()
    told: dict[str, int] = {}


def _method(stage: Exchange, one: Emit | Solve | Settle, opener: Opener) -> Callable[..., Any]:
    method: Callable[..., Any] = getattr(stage, one.method)
    return partial(method, model=opener.open()) if one.loads else method


def _read(bundle: Bundle, part: Part, names: tuple[str, ...]) -> pa.RecordBatch:
    batch = bundle.loader.read(part.key, names)
    if batch.num_rows != part.rows:
        raise LawError(f"partition {part.key:016x}: {batch.num_rows} rows, {part.rows} were alive when rounds began")
    return batch


def _emit(task: _Task) -> _Made:
    """Records count from the bundle's first document; what was emitted before is adopted."""
    bundle, emit = task.bundle, task.stage.rounds[task.round]
    assert bundle is not None
    assert isinstance(emit, Emit)
    done = f"{task.prefix}.done"
    if task.blobs.exists(done):
        return msgspec.json.decode(task.blobs.get(done), type=_Made)
    parts = [np.empty(0, dtype_of(emit.fields))]
    writer = None
    if emit.combine:
        into = task.stage.rounds[_into(task.stage, task.round)]
        assert isinstance(into, Group)
        name = f"{task.prefix}-combined"
        writer = runs.Writer(task.blobs, name, dtype_of(into.fields), into.sort, into.distinct)
    method = _method(task.stage, emit, task.opener)
    for part in bundle.parts:
        records = method(_read(bundle, part, emit.reads), part)
        if "doc" in (records.dtype.names or ()):
            records["doc"] += records["doc"].dtype.type(part.first - bundle.first)
        if writer is not None:
            records = runs.sorted_records(records, emit.sort)
            writer.add(getattr(task.stage, emit.combine)(records))
            records = runs.chosen(records, runs.differs(records, emit.keep)) if emit.keep else records
        parts.append(records)
    records = runs.together(parts)
    parts.clear()
    records = runs.sorted_records(records, emit.sort)
    if emit.keep and writer is None:
        records = runs.chosen(records, runs.differs(records, emit.keep))
    combined = _written(writer) if writer is not None else Flow()
    name = f"{task.prefix}-keys.run"
    runs.write(task.blobs, name, records, emit.sort)
    made = _Made(Flow((runs.Ref(name),), len(records), records.nbytes), combined)
    task.blobs.put(done, msgspec.json.encode(made))
    return made


def _into(stage: Exchange, number: int) -> int:
    """The round that the combined records of an Emit join."""
    emit = stage.rounds[number]
    assert isinstance(emit, Emit)
    return _index(stage, emit.into) if emit.into else number + 1


def _index(stage: Exchange, method: str) -> int:
    return [one.method for one in stage.rounds].index(method)


def _written(writer: runs.Writer) -> Flow:
    return Flow(writer.finish(), writer.records, writer.records * writer.dtype.itemsize)


def _group(task: _Task) -> _Made:
    group = task.stage.rounds[task.round]
    assert isinstance(group, Group)
    writer = runs.Writer(task.blobs, task.prefix, dtype_of(group.fields), group.sort, group.distinct)
    tell: dict[str, int] = {}
    blocks = runs.merge(task.blobs, task.flow.refs, task.low, task.high)
    for out in getattr(task.stage, group.method)(blocks, tell):
        writer.add(out)
    return _Made(_written(writer), told=tell)


def _fields(stage: Exchange, method: str) -> Fields:
    one = stage.rounds[_index(stage, method)]
    assert not isinstance(one, Settle)
    return one.fields


def _by_part(task: _Task) -> Iterator[tuple[Part, Iterator[np.ndarray]]]:
    assert task.bundle is not None
    opened = runs.opened(task.blobs, task.flow.refs)
    for part in task.bundle.parts:
        yield part, runs.merged(opened, part.first, part.first + part.rows)


def _pieces(blocks: Iterator[np.ndarray], together: tuple[str, ...]) -> Iterator[np.ndarray]:
    """Blocks cut to pieces of 64Ki records; where records stay together, each piece ends where a new set begins."""
    held: list[np.ndarray] = []
    for block in blocks:
        for begin in range(0, len(block), _PIECE):
            piece = block[begin : begin + _PIECE]
            if not together:
                yield piece
                continue
            last = np.flatnonzero(runs.differs(piece, together))[-1]  # the first of the last set, which may go on
            if held and all(held[0][name][0] == piece[name][0] for name in together) and not last:
                held.append(piece)
                continue
            yield np.concatenate([*held, piece[:last]])
            held = [piece[last:]]
    if held:
        yield np.concatenate(held)


def _join(task: _Task) -> _Made:
    join = task.stage.rounds[task.round]
    assert isinstance(join, Join)
    assert task.bundle is not None
    writer = runs.Writer(task.blobs, task.prefix, dtype_of(join.fields), join.sort, join.distinct)
    for part, blocks in _by_part(task):
        batch = None
        for records in _pieces(blocks, join.together):
            if not len(records):
                continue
            if batch is None:  # most partitions are asked for nothing
                batch = _read(task.bundle, part, join.reads)
            position = (records["key"] - np.uint64(part.first)).astype(np.int64)
            for out in _several(getattr(task.stage, join.method)(records, position, batch, part)):
                writer.add(out)
    return _Made(_written(writer))


def _several(made: np.ndarray | Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    if isinstance(made, np.ndarray):
        yield made
    else:
        yield from made


def _solve(task: _Task) -> _Made:
    solve = task.stage.rounds[task.round]
    assert isinstance(solve, Solve)
    writer = runs.Writer(task.blobs, task.prefix, dtype_of(solve.fields), solve.sort, solve.distinct)

    opened = runs.opened(task.blobs, task.flow.refs)
    tell: dict[str, int] = {}
    for out in _method(task.stage, solve, task.opener)(lambda: runs.merged(opened), task.documents, tell):
        writer.add(out)
    return _Made(_written(writer), told=tell)


def settled(
    stage: Exchange, blobs: Blobs, flow: Flow, bundle: Bundle, opener: Opener = _NOTHING
) -> Iterator[tuple[Part, Columns]]:
    """The last round, for the partitions of a bundle."""
    settle = stage.rounds[-1]
    assert isinstance(settle, Settle)
    nothing = np.empty(0, dtype_of(_fields(stage, _takes(stage, len(stage.rounds) - 1)[0])))
    opened = runs.opened(blobs, flow.refs)
    method = _method(stage, settle, opener)
    for part in bundle.parts:
        records = [*runs.merged(opened, part.first, part.first + part.rows)]
        whole = np.concatenate(records) if records else nothing
        position = (whole["key"] - np.uint64(part.first)).astype(np.int64)
        batch = _read(bundle, part, settle.reads)
        yield part, method(whole, position, batch, part)


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
    opener: Opener = _NOTHING,
) -> tuple[Flow, dict[str, int]]:
    """All rounds but the last. `scratch` and `cache` are prefixes of names: what lies under `scratch` may be removed
    afterwards; records that no later round takes are removed here. `say(round, records)` is told after each round.
    -> (records for Settle; records by round, and what rounds told: added up, but for names in `largest`).
    LawError where there are more documents than numbers."""
    documents = bundles[-1].end if bundles else 0
    if documents > MOST_DOCUMENTS:
        raise LawError(
            f"`{stage.label}`: {documents:,} documents in one scope, {MOST_DOCUMENTS:,} at most. Split the scope."
        )
    flows: dict[str, Flow] = {}
    counts: dict[str, int] = {}

    def taken(number: int) -> Flow:
        whole = Flow()
        names = _takes(stage, number)
        if len({(_fields(stage, name), stage.rounds[_index(stage, name)].sort) for name in names}) > 1:
            raise LawError(f"stage `{stage.label}`: `{stage.rounds[number].method}` takes records of two kinds")
        for name in names:
            whole = whole.join(flows[name])
        return _levels(blobs, whole, f"{scratch}/{number}-{stage.rounds[number].method}", map_)

    for number, one in enumerate(stage.rounds[:-1]):
        prefix = f"{scratch}/{number}-{one.method}"
        tasks: list[_Task]
        if isinstance(one, Emit):
            tasks = [
                _Task(blobs, stage, number, f"{cache}/{_EMITTED}-{b.identity}-{one.method}", bundle=b, opener=opener)
                for b in bundles
            ]
            keyed, combined = Flow(), Flow()
            into = _into(stage, number)
            for index, made in _ordered(map_, _emit, tasks):
                keyed = keyed.join(made.flow.shifted(bundles[index].first, _documents(one)))
                combined = combined.join(made.combined.shifted(bundles[index].first, _numbers(stage.rounds[into])))
            flows[one.method] = keyed
            if one.combine:
                name = stage.rounds[into].method
                flows[name] = flows.get(name, Flow()).join(combined)
        else:
            if isinstance(one, Settle):
                raise LawError(f"stage `{stage.label}`: Settle is the last round, not round {number}")
            flow = taken(number)
            function: Callable[[Any], Any]
            if isinstance(one, Group):
                ranges = max(1, -(-flow.bytes // RANGE_BYTES))
                span = documents if one.numbered else HASHES
                edges = [span * i // ranges for i in range(ranges)] + [HASHES]
                tasks = [
                    _Task(blobs, stage, number, f"{prefix}/{i:05d}", flow, edges[i], edges[i + 1])
                    for i in range(ranges)
                ]
                function = _group
            elif isinstance(one, Join):
                tasks = [_Task(blobs, stage, number, f"{prefix}/{b.number:05d}", flow, bundle=b) for b in bundles]
                function = _join
            else:
                tasks = [_Task(blobs, stage, number, f"{prefix}/0", flow, documents=documents, opener=opener)]
                function = _solve
            for _, made in _ordered(map_, function, tasks):
                flows[one.method] = flows.get(one.method, Flow()).join(made.flow)
                for name, count in made.told.items():
                    largest = max(counts.get(name, 0), count)
                    counts[name] = largest if name.startswith("largest") else counts.get(name, 0) + count
            flows.setdefault(one.method, Flow())
            _remove(blobs, (ref.name for ref in flow.refs if ref.name.startswith(f"{prefix}/{_LEVEL}")))
        counts[one.method] = flows[one.method].records
        say(one.method, counts[one.method])
        _remove_taken(stage, blobs, flows, number, scratch)
    return taken(len(stage.rounds) - 1), counts


def _takes(stage: Exchange, number: int) -> tuple[str, ...]:
    """Names of the rounds whose records a round takes."""
    one = stage.rounds[number]
    return () if isinstance(one, Emit) else one.of or (stage.rounds[number - 1].method,)


def _remove_taken(stage: Exchange, blobs: Blobs, flows: dict[str, Flow], number: int, scratch: str) -> None:
    """Remove the runs under `scratch` that no round after this one takes."""
    needed = {name for later in range(number + 1, len(stage.rounds)) for name in _takes(stage, later)}
    for name in [name for name in flows if name not in needed]:
        _remove(blobs, (ref.name for ref in flows.pop(name).refs if ref.name.startswith(f"{scratch}/")))


def _remove(blobs: Blobs, names: Iterable[str]) -> None:
    for name in names:
        blobs.remove(name)


def _ordered(map_: Map, function: Callable[[Any], Any], tasks: Sequence[Any]) -> list[tuple[int, Any]]:
    return sorted(map_(function, tasks), key=lambda pair: pair[0])


def _documents(one: Emit) -> tuple[str, ...]:
    return ("doc",) if "doc" in dict(one.fields) else ()


def _numbers(one: Round) -> tuple[str, ...]:
    return one.numbers if isinstance(one, Group) else ()


def _levels(blobs: Blobs, flow: Flow, prefix: str, map_: Map) -> Flow:
    """Merge in levels until no more than FAN_IN runs are left."""
    level = 0
    while len(flow.refs) > runs.FAN_IN:
        groups = [flow.refs[i : i + runs.FAN_IN] for i in range(0, len(flow.refs), runs.FAN_IN)]
        tasks = [_Merge(blobs, refs, f"{prefix}/{_LEVEL}{level}-{i:05d}.run") for i, refs in enumerate(groups)]
        records = sum(count for _, count in _ordered(map_, _merge, tasks))
        merged = tuple(runs.Ref(task.target) for task in tasks)
        _remove(blobs, (ref.name for ref in flow.refs if level))
        flow, level = Flow(merged, records, flow.bytes * records // max(1, flow.records)), level + 1
    return flow


def numbered(parts: Mapping[int, Part]) -> list[Part]:
    """Parts in order of their keys, with the number of their first document."""
    result, first = [], 0
    for key in sorted(parts):
        result.append(msgspec.structs.replace(parts[key], first=first))
        first += parts[key].rows
    return result
