"""What a case goes through, and the laws that are checked on the way."""

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

import stages
from bench.fuzz.pages import Page
from corpus.assets import find
from corpus.stage import Columns, Ledger, Map
from stages.read_warc import ReadWarc

# Those of a crawl's chain that rewrite or measure a text, in its order; what is not registered is left out.
CHAIN = ("Extract", "Repair", "Spam", "Pii", "Convert", "Normalise", "Lid")
MOST_TEXT = 4  # bytes of text from a byte of page; a page of half-width kana or of GBK grows by half


class LawError(Exception):
    """A law does not hold."""


def chain(names: Sequence[str] = CHAIN) -> list[tuple[Map, Any]]:
    """The stages with their defaults, and their models."""
    found = [getattr(stages, name)() for name in names if hasattr(stages, name)]
    return [(stage, stage.load({name: find(name) for name in stage.assets})) for stage in found]


def columns_of(pages: Sequence[Page]) -> Columns:
    body, charset, mime, url = (list(values) for values in zip(*pages, strict=True))
    return {
        "body": pa.array(body, pa.binary()),
        "http_charset": pa.array(charset, pa.string()),
        "mime": pa.array(mime, pa.string()),
        "url": pa.array(url, pa.string()),
    }


def applied(stage: Map, model: Any, columns: Columns) -> Columns:
    """What the stage adds, of the declared types, a valid value for each row."""
    rows = len(columns["body"])
    batch = pa.record_batch([columns[name] for name in stage.reads], names=list(stage.reads))
    added = stage.apply(batch, model)
    if set(added) - {"drop", "detail"} != set(stage.adds):
        raise LawError(f"{stage.kind}: adds {sorted(added)}, declares {sorted(stage.adds)}")
    for name, kind in stage.adds.items():
        if added[name].type != kind or len(added[name]) != rows:
            raise LawError(
                f"{stage.kind}: {name} is {added[name].type} of {len(added[name])}, declared {kind} of {rows}"
            )
        added[name].validate(full=True)
    if "text" in added and added["text"].null_count:
        raise LawError(f"{stage.kind}: a text is null")
    return added


def fate(columns: Columns, row: int) -> str:
    """Kept, or why there is no text. LawError where there is no reason."""
    text, body = columns["text"][row].as_py(), columns["body"][row].as_py()
    if len(text) > MOST_TEXT * len(body) + 64:
        raise LawError(f"{len(text)} characters of text from {len(body)} bytes")
    if columns["blocks_kept"][row].as_py() > columns["blocks"][row].as_py():
        raise LawError("more blocks kept than there are")
    if not 0 <= columns["main_share"][row].as_py() <= 1:
        raise LawError("main_share is no share")
    if text:
        return "kept"
    if columns["charset_source"][row].as_py() == "none":
        return "empty page" if not body else "undecodable"
    return "no main text" if columns["blocks"][row].as_py() else "no text in the page"


def rows_agree(stage: Map, model: Any, columns: Columns, added: Columns, row: int) -> None:
    """A row alone gives what it gave in its batch."""
    alone = applied(stage, model, {name: values.slice(row, 1) for name, values in columns.items()})
    for name in stage.adds:
        if not alone[name].equals(added[name].slice(row, 1)) and not _same(alone[name][0], added[name][row]):
            raise LawError(f"{stage.kind}: {name} of row {row} depends on the rest of its batch")


def _same(one: pa.Scalar, other: pa.Scalar) -> bool:
    return repr(one.as_py()) == repr(other.as_py())  # NaN is NaN


def read(path: str, stored: bytes, reader: ReadWarc) -> Counter[str]:
    """Rows of a file by what became of them. LawError where a byte is not accounted for."""
    ledger, fates, spans, end = Ledger(), Counter[str](), 0, 0
    for chunk in reader.cut(io.BytesIO(stored), path, ledger):
        columns = reader.parse(chunk)
        for name, kind in reader.adds.items():
            if columns[name].type != kind or len(columns[name]) != chunk.records:
                raise LawError(f"warc: {name} is {columns[name].type} of {len(columns[name])}, declared {kind}")
            columns[name].validate(full=True)
        rows = zip(*(columns[name].to_pylist() for name in ("span_start", "span_bytes", "drop")), strict=True)
        for row, (start, size, drop) in enumerate(rows):
            if start < end or size < 0:
                raise LawError(f"warc: a record begins at {start}, before {end}")
            end, spans = start + size, spans + size
            if (drop is None) != columns["body"][row].is_valid:
                raise LawError(f"warc: drop {drop!r}, and its body is {'' if drop else 'not '}there")
            fates[drop or "kept"] += 1
    if spans + ledger.skipped_bytes != ledger.decoded_bytes:
        raise LawError(f"warc: {spans} bytes in records and {ledger.skipped_bytes} skipped, of {ledger.decoded_bytes}")
    if not ledger.file_bytes == len(stored) == ledger.framed_bytes + ledger.lost_bytes:
        raise LawError(f"warc: {ledger.framed_bytes} bytes framed, {ledger.lost_bytes} lost, of {len(stored)}")
    return fates
