"""A case by its number, and a failing one as a file: a line of JSON, then the bytes."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.fuzz import archives, pages
from bench.fuzz.pages import Page
from corpus.stage import Ledger
from stages.read_warc import ReadWarc

MOST_RECORD_BYTES = 400_000


class Pool(NamedTuple):
    """What is mutated: pages, and raw records."""

    pages: list[Page]
    records: list[bytes]


class Archive(NamedTuple):
    path: str
    stored: bytes
    reader: ReadWarc


def pool(data: Path) -> Pool:
    """Every response of the archives in `crawl`, of MOST_RECORD_BYTES at most, and other records as they are."""
    found = Pool([], [])
    reader = ReadWarc()
    for path in sorted((data / "crawl").rglob("*.?arc.gz")):
        with path.open("rb") as stream:
            for chunk in reader.cut(stream, path.name, Ledger()):
                columns = reader.parse(chunk)
                rows = zip(*(columns[n].to_pylist() for n in ("body", "http_charset", "mime", "url")), strict=True)
                for record, row in zip(chunk.payload.records(), rows, strict=True):
                    if 0 < len(record) <= MOST_RECORD_BYTES:
                        found.records.append(bytes(record))
                        if row[0]:
                            found.pages.append(Page(*row))
    return found


def page(seed: int, number: int, given: Pool) -> Page:
    return pages.mutated(random.Random(f"page {seed} {number}"), given.pages)


def archive(seed: int, number: int, given: Pool) -> Archive:
    """The reader's bounds are chosen with the file: tight ones meet records that are too long."""
    chance = random.Random(f"archive {seed} {number}")
    reader = ReadWarc(
        partition_rows=chance.choice((1, 7, 65_536)),
        partition_bytes=chance.choice((5000, 64 << 20)),
        max_record_bytes=chance.choice((600, 20_000, 64 << 20)),
        max_ratio=chance.choice((3, 400)),
        max_decoded_bytes=chance.choice((100_000, 1 << 40)),
        max_body_bytes=chance.choice((1000, 64 << 20)),
    )
    return Archive(*archives.mutated(chance, given.records), reader)


def save(folder: Path, seed: int, number: int, case: Page | Archive, why: str) -> Path:
    """-> the file, whose first line says what the case is and why it is kept."""
    head: dict[str, Any] = {"seed": seed, "case": number, "why": why}
    if isinstance(case, Page):
        data, head["page"] = case.body, case[1:]
    else:
        data, head["archive"], head["reader"] = case.stored, case.path, msgspec.to_builtins(case.reader)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed}-{'page' if isinstance(case, Page) else 'archive'}-{number}.case"
    path.write_bytes(json.dumps(head).encode() + b"\n" + data)
    return path


def load(path: Path) -> Page | Archive:
    line, _, data = path.read_bytes().partition(b"\n")
    head = json.loads(line)
    if "page" in head:
        return Page(data, *head["page"])
    return Archive(head["archive"], data, msgspec.convert(head["reader"], ReadWarc))


def numbers(part: Sequence[int], block: int) -> list[range]:
    """Blocks of a range [begin, end)."""
    begin, end = part
    return [range(at, min(at + block, end)) for at in range(begin, end, block)]
