"""Inputs: JSON lines (`.jsonl`, `.gz`, `.zst`) and gzipped WARC, cut to a size, read the same way for every side."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

WARM_UP_DOCUMENTS = 20
WARM_UP_CHARS = 20_000  # of each
_STEP_BYTES = 1 << 16


class Page(NamedTuple):
    body: bytes
    http_charset: str | None
    mime: str | None


def is_warc(path: Path) -> bool:
    return ".warc" in path.name


def opened(path: Path) -> BinaryIO:
    """The decompressed bytes of a file."""
    if path.suffix == ".zst":
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True))
    return io.BufferedReader(gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def lines(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with opened(path) as stream:
            yield from stream


def documents(path: Path) -> list[str]:
    """The text of every line that has one."""
    import orjson

    return [text for line in lines([path]) if isinstance(text := orjson.loads(line).get("text"), str)]


def text_bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def pages(path: Path) -> list[Page]:
    """Every HTML response of a WARC, transfer and content encodings undone."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    found = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            mime = record.http_content_type or None
            if mime is None or "html" in mime:
                found.append(Page(record.reader.read(), record.http_charset, mime))
    return found


def cut(paths: Sequence[Path], limit_bytes: int | None, folder: Path) -> tuple[Path, Path]:
    """One file with about `limit_bytes` of text (of a WARC: decompressed bytes) from the beginnings of all `paths`,
    of each in proportion to its size, or with all of it; and one for warming up. -> (input, warm-up)."""
    folder.mkdir(parents=True, exist_ok=True)
    warc = is_warc(paths[0])
    whole, small = (folder / f"{name}.{'warc.gz' if warc else 'jsonl.zst'}" for name in ("input", "warm_up"))
    records = _members if warc else _sized_lines
    chosen = _beginnings(paths, records, limit_bytes)
    if warc:
        _write(whole, chosen)
        _write(small, (raw for raw, _ in islice(_members(whole), WARM_UP_DOCUMENTS)))
    else:
        _compress(whole, chosen)
        _compress(small, (_head(line) for line in islice(lines([whole]), WARM_UP_DOCUMENTS)))
    return whole, small


Sized = Iterator[tuple[bytes, int]]  # a record as stored, and how much it counts


def _beginnings(paths: Sequence[Path], records: Callable[[Path], Sized], limit: int | None) -> Iterator[bytes]:
    sizes = [0 if limit is None else sum(size for _, size in records(path)) for path in paths]
    for path, own in zip(paths, sizes, strict=True):
        left = None if limit is None else limit * own / max(1, sum(sizes))
        for record, size in records(path):
            if left is not None:
                if left <= 0:
                    break
                left -= size
            yield record


def _sized_lines(path: Path) -> Sized:
    return ((line, _text_size(line)) for line in lines([path]))


def _text_size(line: bytes) -> int:
    import orjson

    text = orjson.loads(line).get("text")
    return len(text.encode()) if isinstance(text, str) else 0


def _head(line: bytes) -> bytes:
    """The same document with the beginning of its text."""
    import orjson

    document = orjson.loads(line)
    return orjson.dumps(document | {"text": document["text"][:WARM_UP_CHARS]}) if _text_size(line) else line


def _compress(path: Path, items: Iterator[bytes]) -> None:
    import zstandard

    with path.open("wb") as file, zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file) as out:
        for item in items:
            out.write(item if item.endswith(b"\n") else item + b"\n")


def _write(path: Path, items: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(items)


def _members(path: Path) -> Sized:
    """Gzip members."""
    stored = memoryview(path.read_bytes())
    at = 0
    while at < len(stored):
        begin, size = at, 0
        inflater = zlib.decompressobj(31)
        while not inflater.eof:
            piece = stored[at : at + _STEP_BYTES]
            if not piece:
                raise ValueError(f"{path.name}: its last gzip member is not complete")
            size += len(inflater.decompress(piece))
            at += len(piece) - len(inflater.unused_data)
        yield bytes(stored[begin:at]), size


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
