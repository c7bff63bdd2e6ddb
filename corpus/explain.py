"""Explain: the life of one document, by id or by URL.

What every stage wrote about it, where it was dropped and by what, which document it duplicates, what became of its
parts, and where its tokens lie. One index bucket, one file of records and one table per stage are read, and as much for
each document that deduplication names, whatever the size of the build.
"""

from typing import Any

import msgspec
import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from corpus import index
from corpus.errors import InputError
from corpus.graph import Graph, Partition
from corpus.kin import Family, Kin, Values
from corpus.opened import Build, Place, Tables
from corpus.progress import printable
from corpus.removal import REMOVED, sealed_list
from corpus.replay import replay
from corpus.stage import Account, Map, Regroup
from corpus.store import Blobs

_PREVIEW = 300  # characters of text
_CUT = 80  # characters of any other value
_ITEMS = 8  # of a list
_MANY = 12  # values of one stage: more are told without the empty ones
_RARE = 0.5  # similarity on rare shingles below which pages of one template stay
_PARTS = 200  # of a document, followed to their ends
_ROWS = 500  # of an account that are shown; --json lists all

# What deduplication writes, told in words; and what tells where a row is, told at the top.
_TWINS = ("cluster", "cluster_size", "partner", "similarity", "rare_similarity", "relation", "url_partner")
_ORIGIN = ("id", "row", "drop", "detail", "text", "url", "parents", "span_start", "span_bytes")


class Twin(msgspec.Struct, frozen=True):
    """What deduplication found of a document that is like another, or that leads others.

    relation      to its partner: exact, near, template, apart, url; None where it was like nothing better
    kept          whether it stayed
    partner       the document that it was compared with, which stays, but where the relation is `apart`
    similarity    to the partner: Jaccard, of all shingles; `rare_similarity` of those that no template explains
    best          the document that its cluster is named by, the best of it; it may be this one
    cluster_size  0 where it is in no cluster
    left          of the best: how many left for it; None for others, and where that cannot be told from the cluster
    """

    relation: str | None
    kept: bool
    partner: Kin | None = None
    similarity: float | None = None
    rare_similarity: float | None = None
    best: Kin | None = None
    cluster_size: int = 0
    left: int | None = None


class Visit(msgspec.Struct):
    """A document at one stage: what the stage wrote, whether it dropped the document, and what it says to that."""

    stage: str
    kind: str
    values: dict[str, str]
    drop: str | None = None
    detail: str | None = None
    twin: Twin | None = None
    accounts: list[Account] = []


class Life(msgspec.Struct):
    """A document, or a part of one, from where it began. `visits` of a part begin behind the stage that cut it.

    fate    packed | dropped | kept (the build has no shards, or the document became its `parts`)
    record  ordinal in the input file; `span` is its (start, bytes) there, as the reader counts
    bytes   of a part: its bytes in the text of the document that it was cut from
    """

    id: str
    source: str
    path: str
    record: int
    span: tuple[int, int] | None
    url: str | None
    fate: str = "kept"
    bytes: tuple[int, int] | None = None
    visits: list[Visit] = []
    parts: list["Life"] = []
    unshown_parts: int = 0
    place: Place | None = None
    text: str | None = None


def explain(
    out: Blobs, store: Blobs, url: str | None = None, id: str | None = None, graph: Graph | None = None
) -> list[Life]:
    """Lives of the document with this id (32 hex digits), or of every record with this URL, by source and path.

    The life of a part begins with the document that it was cut from. With `graph`, the dataset manifest with the roots
    of its sources, the document goes through its chain again from the raw record, and stages say what they did with it.
    InputError where nothing has the id or URL, or the input file is missing or has changed.
    """
    if (url is None) == (id is None):
        raise InputError("Give one of --url and --id.")
    build = Build(out, store)
    lives = []
    if id is not None:
        for root, level, row in index.find_id(out, build.manifest, index.parse_id(id)):
            seen = Tables(store, build.partition(root))
            lives.append(_begin(build, seen, level, row))
            if graph is not None:
                _account(build, graph, seen.partition, lives[-1])
        if not lives:
            lives = _taken_down(build, index.parse_id(id))
        if not lives:
            raise InputError(f"{out.root}: no document has the id {id}. Look a page up with --url.")
    else:
        for root, row in index.find_url(out, build.manifest, str(url)):
            seen = Tables(store, build.partition(root))
            found = seen.values(0, row, ["url"])
            if found and found["url"] == url:  # not one whose hash is the same
                lives.append(_begin(build, seen, 0, row))
                if graph is not None:
                    _account(build, graph, seen.partition, lives[-1])
        removal = sealed_list(out, build.manifest)
        if not lives and removal is not None and removal.names_url(str(url)):
            raise InputError(
                f"{out.root}: taken down: the removal list of this build names this URL, or its host. What the input "
                f"held under it was removed; nothing of it is in the build."
            )
        if not lives:
            raise InputError(
                f"{out.root}: no record has the URL {url}. It is compared letter by letter: scheme, capitals and a "
                f"trailing slash count."
            )
    return sorted(lives, key=lambda life: (life.source, life.path, life.record))


def _taken_down(build: Build, identity: bytes) -> list[Life]:
    """The life of a record that was removed: where it was, and nothing of what it said. Empty for any other."""
    removal = sealed_list(build.out, build.manifest)
    if removal is None:
        return []
    lives = []
    for root, level, row in index.find_id(build.out, build.manifest, removal.hidden(identity)):
        life = _begin(build, Tables(build.store, build.partition(root)), level, row)
        life.id = identity.hex()
        lives.append(life)
    if not lives and removal.names_id(identity):
        raise InputError(
            f"{build.out.root}: taken down: the removal list of this build names this id. No record has it: what its "
            f"file held was removed, or its file is not read any more."
        )
    return lives


def _account(build: Build, graph: Graph, partition: Partition, life: Life) -> None:
    """Ask the row-local stages on the life's way, up to where it is cut in parts, what they did with it."""
    row = life.record - int(partition.records[0].inputs["first_record"])
    with replay(build, graph, partition) as walk:
        for k, visit in enumerate(life.visits):
            step = walk.steps[k]
            if isinstance(step.stage, Regroup):
                break
            if not isinstance(step.stage, Map) or type(step.stage).account is Map.account:
                continue
            place = int(np.searchsorted(walk.rows(k), row))
            values = {name: walk.column(name, k)[place].as_py() for name in step.stage.reads}
            visit.accounts = step.stage.account(values, walk.load(step))


def _begin(build: Build, seen: Tables, level: int, row: int) -> Life:
    """The life of the record that the row of `level` comes from. Of its parts, only those on the way to that row."""
    way = {level: row}
    while level:
        row = int(seen.parents(level)[0][row])
        level = seen.level(level - 1)
        way[level] = row
    return _follow(build, seen, 0, row, way)


def origin(partition: Partition, row: int) -> tuple[str, str, int]:
    """-> (source, path of the input file, ordinal of the record in it) of a reader's row"""
    return partition.source, partition.path, int(partition.records[0].inputs["first_record"]) + row


def _follow(build: Build, seen: Tables, level: int, row: int, way: dict[int, int]) -> Life:
    first = seen.ancestor(row, level)
    source, path, record = origin(seen.partition, first)
    start = seen.values(0, first, ["span_start", "span_bytes", "url"]) or {}
    span = (start["span_start"], start["span_bytes"]) if "span_start" in start else None
    identity = seen.column(level, "id")[row].as_py()
    life = Life(identity.hex(), source, path, record, span, start.get("url"))
    labels, last = build.labels(source), level
    for k in range(level + (level > 0), len(seen.records)):
        if "parents" in seen.records[k].columns:
            _part(build, seen, life, k, row, way)
            break
        values = seen.values(k, row)
        if values is None:
            break
        last = k
        life.visits.append(_visit(build, identity, labels[k], seen.records[k].kind, values))
        if values["drop"] is not None:
            life.fate = "dropped"
            break
    text = seen.text(row, level, last + 1)
    life.text = None if text is None else text[:_PREVIEW]
    if life.fate != "dropped" and not life.parts:
        life.place = build.place(source, identity)
        life.fate = "packed" if life.place is not None else "kept"
    return life


def _part(build: Build, seen: Tables, life: Life, k: int, row: int, way: dict[int, int]) -> None:
    """What a Regroup made of the document. A whole one goes on under its own id, as its only part."""
    parents, start, end = seen.parents(k)
    children = [int(child) for child in (parents == row).nonzero()[0]]
    wanted = [child for child in children if way.get(k, child) == child]
    count = f"{len(children)} part{'s' * (len(children) != 1)}"
    life.visits.append(Visit(build.labels(life.source)[k], seen.records[k].kind, {"made": count}))
    life.unshown_parts = len(children) - len(wanted[:_PARTS])
    for child in wanted[:_PARTS]:
        part = _follow(build, seen, k, child, way)
        part.bytes = (int(start[child]), int(end[child]))
        life.parts.append(part)


def _visit(build: Build, identity: bytes, label: str, kind: str, values: dict[str, Any]) -> Visit:
    like = "url_partner" in values or "relation" in values
    hidden = (*_ORIGIN, *_TWINS) if like else _ORIGIN
    hashes = {f"{n}_of" for n in values}  # of texts in which spans were found
    visit = Visit(label, kind, {n: brief(v) for n, v in values.items() if n not in hidden and n not in hashes})
    visit.drop, visit.detail = values["drop"], values["detail"]
    if like:
        visit.twin = _twin(build, identity, label, values)
    return visit


def _twin(build: Build, identity: bytes, label: str, values: dict[str, Any]) -> Twin | None:
    cluster, partner = values.get("cluster"), values.get("partner") or values.get("url_partner")
    relation = values.get("relation") or ("url" if partner is not None else None)
    if partner is None and cluster is None:
        return None
    family = Family(build)
    leads = cluster == identity and values["drop"] is None

    def kin(one: bytes | None, left: bool = False) -> Kin | None:
        """A document that stays, or left, and is of this cluster unless the two are pages of a template."""

        def fits(own: Values) -> bool:
            return (own.get("drop") is not None) == left and (
                relation == "template" or one != cluster or own.get("cluster") == cluster
            )

        found = family.find(one, label, fits) if one is not None else None
        return found.kin if found is not None else Kin(one.hex()) if one is not None else None

    twin = Twin(
        relation,
        values["drop"] is None,
        kin(partner, left=relation == "apart"),
        values.get("similarity"),
        values.get("rare_similarity"),
        Kin(identity.hex()) if leads else kin(cluster),
        values.get("cluster_size") or 0,
    )
    apart = build.manifest["exchanges"].get(label, {}).get("apart", 0)  # they count as of a cluster, and stay
    if leads and not apart:
        twin = msgspec.structs.replace(twin, left=twin.cluster_size - 1)
    return twin


def brief(value: Any) -> str:
    """A value of a table in a few characters: long strings are cut, bytes are hexadecimal, floats are rounded."""
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 16 else f"{value[:12].hex()}… ({len(value)} bytes)"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and {"start", "end"} <= value[0].keys():
            return _spans(value)
        head = ", ".join(brief(item) for item in value[:_ITEMS])
        return f"[{head}]" if len(value) <= _ITEMS else f"[{head}, …] ({len(value):,} items)"
    if isinstance(value, dict):
        return ", ".join(f"{name} {brief(item)}" for name, item in value.items())
    text = "null" if value is None else str(value)
    return text if len(text) <= _CUT else f"{text[:_CUT]}… ({len(text):,} characters)"


def _spans(spans: list[dict[str, Any]]) -> str:
    """Spans of a text, such as marked ones (`stages/marked.py`): how much, and where the first are."""
    size = sum(span["end"] - span["start"] for span in spans)
    told = [_span(span) for span in spans[:_ITEMS]]
    more = ["…"] if len(spans) > _ITEMS else []
    return f"{len(spans):,} span{'s' * (len(spans) != 1)} of {size:,} bytes ({'; '.join(told + more)})"


def _span(span: dict[str, Any]) -> str:
    """A marked span, one that is cut for a benchmark, or a passage of an item (`stages/contamination.py`)."""
    place = f"at {span['start']:,} to {span['end']:,}"
    if "item" in span:
        grams, documents = (f"{span[n]:,} {n[:-1]}{'s' * (span[n] != 1)}" for n in ("grams", "documents"))
        return f"{span['benchmark']} item {span['item']} {place}: {grams}, in {documents}: “{span['gram']}”"
    if "benchmark" in span:
        return f"{span['kind']} {place}, for {span['benchmark']}"
    return f"{span['kind']} {place}, as in {span['documents']:,}"


def show(lives: list[Life]) -> RenderableType:
    """For a terminal."""
    return Group(*(_life(life, None) for life in lives))


def _life(life: Life, parent: Life | None) -> RenderableType:
    lines: list[RenderableType] = [_head(life, parent)]
    stages = Table.grid(padding=(0, 2))
    for visit in life.visits:
        stages.add_row(Text(f"  {visit.stage}", style="cyan"), _stage(visit, life.id))
    if life.place is not None:
        place = f"{life.place.shard}, tokens {life.place.start:,} to {life.place.stop:,} ({life.place.split})"
        stages.add_row(Text("  packed", style="green"), Text(printable(place), style="green"))
    elif life.fate == "kept" and not life.parts:
        stages.add_row(Text("  kept", style="green"), Text("alive at the end of the chain, in no shard"))
    lines.append(stages)
    lines += [_told(visit.stage, account) for visit in life.visits for account in visit.accounts]
    for part in life.parts:
        lines.append(Padding(_life(part, life), (0, 0, 0, 4), expand=False))
    if life.unshown_parts:
        lines.append(Text(f"    and {life.unshown_parts:,} other part{'s' * (life.unshown_parts != 1)}", style="dim"))
    if life.text is not None and not life.parts:
        text = "\n".join(printable(line) for line in life.text.replace("\u3000", " ").split("\n") if line.strip())
        end = "…" if len(life.text) == _PREVIEW else ""
        lines.append(Padding(Text(text + end, style="dim"), (0, 0, 1, 2), expand=False))
    return Group(*lines)


def _told(stage: str, account: Account) -> RenderableType:
    title = Text(printable(f"{stage}: {account.title}"))
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in account.rows[0] if account.rows else ():
        table.add_column(Text(printable(name)), style="dim" if name != "text" else "", overflow="fold")
    for row in account.rows[:_ROWS]:
        table.add_row(*(Text(printable(value[:_PREVIEW])) for value in row.values()))
    left = len(account.rows) - _ROWS
    more = [Text(f"and {left:,} more; --json lists all", style="dim")] if left > 0 else []
    return Padding(Group(table, *more), (1, 0, 1, 2), expand=False)


def _head(life: Life, parent: Life | None) -> Text:
    if parent is not None:
        if life.id == parent.id:
            return Text("whole, goes on under its id", style="bold")
        return Text(
            f"part {life.id}, bytes {life.bytes[0]:,} to {life.bytes[1]:,}" if life.bytes else life.id, style="bold"
        )
    head = Text(printable(life.url or life.id), style="bold")
    head.append(
        f"\nid {life.id}, record {life.record:,} of {printable(life.source)}: {printable(life.path)}", "not bold dim"
    )
    if life.span is not None:
        head.append(f", {life.span[1]:,} bytes from {life.span[0]:,}", "not bold dim")
    return head


def _stage(visit: Visit, own: str) -> Text:
    empty = [name for name, value in visit.values.items() if value in ("0", "null")]
    brisk = len(visit.values) > _MANY  # many signals are 0: they are named by their number
    told = [f"{name} {value}" for name, value in visit.values.items() if not (brisk and name in empty)]
    if brisk and empty:
        told.append(f"{len(empty)} others 0 or null")
    lines = [printable(", ".join(told))] if told else []
    if visit.twin is not None:
        lines += map(printable, _in_words(visit.twin, own))
    text = Text("\n".join(lines))
    if visit.drop == REMOVED:
        text.append("\n" if lines else "").append("taken down: its text and URL are kept nowhere", "red")
    elif visit.drop is not None:
        text.append("\n" if lines else "").append("dropped: ", "red")
        text.append(printable(visit.drop + (f" ({visit.detail})" if visit.detail else "")), "red")
    elif not lines:
        text.append("passed", style="dim")
    return text


def _in_words(twin: Twin, own: str) -> list[str]:
    """Of the document with the id `own`."""
    partner, lines = _where(twin.partner), []
    alike = f"{twin.similarity or 0:.3f}"
    rare = f"{twin.rare_similarity or 0:.3f}"
    if twin.relation == "url":
        lines.append(f"has the URL of {partner}")
    elif twin.relation == "exact":
        lines.append(f"exact copy of {partner}")
    elif twin.relation == "near":
        lines.append(f"near duplicate of {partner}: similarity {alike} on all shingles, {rare} on rare ones")
        if (twin.rare_similarity or 0) < _RARE:
            lines.append("what sets the two apart is errors, or stands around many texts: no content of their own")
    elif twin.relation == "template":
        lines.append(
            f"one of a template: kept although it is {alike} like {partner}, since it is {rare} on rare shingles"
        )
    elif twin.relation == "apart":
        lines.append(f"kept although it is {alike} like {partner}, which left: it is not like the one that stays")
    if twin.best is None:
        return lines
    cluster = f"cluster of {twin.cluster_size:,}"
    if not twin.kept or twin.best != Kin(own):
        same = twin.partner is not None and twin.best.id == twin.partner.id
        return [*lines, f"{cluster}; {'that one' if same else _where(twin.best)} is the best of them"]
    left = f"{twin.cluster_size - 1:,} left for it" + (", or were told apart from it" if twin.left is None else "")
    return [*lines, f"{cluster}; it is the best of them, {left}"]


def _where(kin: Kin | None) -> str:
    if kin is None:
        return ""
    known = [f"build {kin.build}" if kin.build else "", kin.source, kin.path, kin.url]
    place = ", ".join(part for part in known if part)
    return f"{kin.id} ({place})" if place else kin.id
