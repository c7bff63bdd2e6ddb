"""Big and tiny inputs for tests of scale: one file of any size, and many files of five documents.

Paragraphs are written once and recombined by a seeded choice per document, so the time goes into compression and the
memory stays that of the paragraphs.
"""

import json
from pathlib import Path

import zstandard

from sampledata import books, english
from sampledata.documents import SUBSETS
from sampledata.randomness import source

_PARAGRAPHS = 6000  # about 3 MB
_FEW_PARAGRAPHS = 400
_DOCUMENT_PARAGRAPHS = (3, 18)
_BLOCK_BYTES = 1 << 20


def stream_pile(path: Path, seed: int, size_bytes: int) -> int:
    """Write one `.jsonl.zst` at `path`, a single frame with checksum, of `size_bytes` decompressed bytes or up to one
    document more. Returns the number of documents. Documents differ, and share paragraphs with others."""
    if size_bytes < 1:
        raise ValueError(f"size_bytes must be at least 1 (got {size_bytes})")
    paragraphs = _pool(seed, _PARAGRAPHS)
    endings = [
        json.dumps({"pile_set_name": s.set_name}).encode() for name, s in SUBSETS.items() if name.startswith("pile/")
    ]
    written = count = pending = 0
    block: list[bytes] = []
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    with path.open("wb") as file, compressor.stream_writer(file, closefd=False) as out:
        while written < size_bytes:
            rng = source(seed, f"stream/{count}")
            chosen = rng.choices(paragraphs, k=rng.randint(*_DOCUMENT_PARAGRAPHS))
            line = b'{"text": "Document %d\\n\\n%b", "meta": %b}\n' % (
                count,
                b"\\n\\n".join(chosen),
                endings[count % len(endings)],
            )
            block.append(line)
            written += len(line)
            pending += len(line)
            count += 1
            if pending >= _BLOCK_BYTES:
                out.write(b"".join(block))
                block.clear()
                pending = 0
        out.write(b"".join(block))
    return count


def tiny_files(directory: Path, count: int, seed: int) -> int:
    """Write `count` files `tiny-NNNNNN.jsonl` of about five short documents each. Returns the number of documents."""
    directory.mkdir(parents=True, exist_ok=True)
    paragraphs = _pool(seed, _FEW_PARAGRAPHS)
    total = 0
    for number in range(count):
        rng = source(seed, f"tiny/{number}")
        lines = []
        for document in range(rng.randint(4, 6)):
            body = b"\\n\\n".join(rng.choices(paragraphs, k=rng.randint(1, 3)))
            lines.append(
                b'{"text": "Note %d-%d\\n\\n%b", "meta": {"pile_set_name": "Tiny"}}\n' % (number, document, body)
            )
        total += len(lines)
        (directory / f"tiny-{number:06}.jsonl").write_bytes(b"".join(lines))
    return total


def _pool(seed: int, size: int) -> list[bytes]:
    """Distinct paragraphs, as the inside of JSON strings."""
    pool: dict[str, None] = {}
    number = 0
    while len(pool) < size:
        rng = source(seed, f"pool/{number}")
        piece = (english.article, books.scene, english.abstract, english.question)[number % 4](rng)
        pool.update(dict.fromkeys(p for p in piece.paragraphs if len(p) > 120))
        number += 1
    return [json.dumps(p, ensure_ascii=False)[1:-1].encode() for p in list(pool)[:size]]
