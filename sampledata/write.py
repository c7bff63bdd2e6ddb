"""The files themselves: Zstandard JSON lines, gzip WARCs, the ground truth and the summary."""

import json
import platform
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import zstandard

from sampledata import render, warc
from sampledata.damage import cut_member, decompresses, flip_byte
from sampledata.plan import Entry, plan
from sampledata.randomness import fingerprint, source

_CRAWLED = datetime(2021, 1, 15, tzinfo=UTC)
_TRUNCATED_BODY_BYTES = 1500


class FileSummary(msgspec.Struct, frozen=True):
    """records: lines or WARC records; text_bytes: of the texts, or of the bodies of pages; bytes: of the file."""

    records: int
    text_bytes: int
    bytes: int


class Summary(msgspec.Struct, frozen=True):
    """What was made. `python` belongs to it: sources and docstrings come from that version."""

    seed: int
    scale: float
    python: str
    documents: int
    text_bytes: int
    files: dict[str, FileSummary]
    planted: dict[str, int]


class GroundTruth:
    """Where every record lies, and what was planted."""

    def __init__(self) -> None:
        self.places: dict[str, dict[str, object]] = {}
        self.rows: list[tuple[str, dict[str, object], str]] = []  # entry, facts, original

    def add(self, entry: Entry, place: dict[str, object], facts: Iterable[dict[str, object]]) -> None:
        self.places[entry.name] = place
        for fact in facts:
            copied = entry.of.name if entry.of and fact["kind"] == entry.kind else ""
            self.rows.append((entry.name, fact, copied))

    def lines(self) -> Iterable[dict[str, object]]:
        for name, fact, copied in self.rows:
            row = {"kind": fact["kind"], "id": name, **self.places[name]}
            row |= {key: value for key, value in fact.items() if key != "kind"}
            if copied:
                row["original"] = {"id": copied, **self.places[copied]}
            yield row


def generate(directory: Path, seed: int, scale: float = 1.0) -> Summary:
    """Write a sample corpus into `directory`: `pile/`, `zh/`, `crawl/`, `planted.jsonl` and `summary.json`.

    seed and scale decide every byte, for one version of Python and of zlib and Zstandard. `scale` multiplies the
    number of documents (about 17,000 at 1); what is planted never vanishes. Files there already are replaced.
    """
    if not scale > 0:
        raise ValueError(f"scale must be above 0 (got {scale})")
    truth = GroundTruth()
    files: dict[str, FileSummary] = {}
    documents = 0
    for name, entries in plan(seed, scale).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        documents += len(entries)
        write = _write_warc if name.endswith(".warc.gz") else _write_lines
        files[name] = write(path, name, entries, seed, truth)
    planted: Counter[str] = Counter()
    with (directory / "planted.jsonl").open("wb") as out:
        for row in truth.lines():
            planted[str(row["kind"])] += 1
            out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    summary = Summary(
        seed=seed,
        scale=scale,
        python=platform.python_version(),
        documents=documents,
        text_bytes=sum(file.text_bytes for file in files.values()),
        files=files,
        planted=dict(sorted(planted.items())),
    )
    (directory / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    return summary


def _write_lines(path: Path, name: str, entries: list[Entry], seed: int, truth: GroundTruth) -> FileSummary:
    subset = name.removesuffix(".jsonl.zst")
    text_bytes = 0
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    with path.open("wb") as file, compressor.stream_writer(file, closefd=False) as out:
        for number, entry in enumerate(entries):
            line = render.line(seed, entry, subset)
            out.write(line.line + b"\n")
            text_bytes += line.text_bytes
            truth.add(entry, {"file": name, "record": number}, [line.facts] if line.facts else [])
    return FileSummary(len(entries), text_bytes, path.stat().st_size)


def _write_warc(path: Path, name: str, entries: list[Entry], seed: int, truth: GroundTruth) -> FileSummary:
    """Files with an even number hold requests too. `record` counts all records of the file from 0."""
    with_requests = int(path.name.split("-")[1].split(".")[0]) % 2 == 0
    text_bytes = 0
    with path.open("wb") as out:
        info = warc.info_record(path.name, fingerprint(seed, name), _date(fingerprint(seed, name)))
        offset, records = out.write(warc.member(info)), 1
        for entry in entries:
            page, identity = render.page(seed, entry), fingerprint(seed, entry.name)
            date = _date(identity)
            if with_requests:
                asked = fingerprint(seed, entry.name + "/request")
                offset += out.write(warc.member(warc.request_record(page, asked, date, identity)))
                records += 1
            keep = _TRUNCATED_BODY_BYTES if entry.kind == "truncated-http" else None
            member = warc.member(warc.response_record(page, identity, date, keep_bytes=keep))
            member = _damaged(member, entry, seed)
            place = {"file": name, "record": records, "url": page.url, "offset": offset, "length": len(member)}
            truth.add(entry, place, render.page_facts(seed, entry))
            offset += out.write(member)
            records += 1
            text_bytes += len(page.body)
    return FileSummary(records, text_bytes, path.stat().st_size)


def _damaged(member: bytes, entry: Entry, seed: int) -> bytes:
    if entry.kind in ("truncated-member", "short-member"):
        member = cut_member(member)
    elif entry.kind == "flipped-byte":
        member = flip_byte(member, source(seed, entry.name + "/damage"))
    else:
        return member
    if decompresses(member):
        raise ValueError(f"{entry.name} was to be damaged ({entry.kind}) and still decompresses")
    return member


def _date(identity: bytes) -> str:
    seconds = int.from_bytes(identity[16:20]) % (14 * 86_400)
    return (_CRAWLED + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
