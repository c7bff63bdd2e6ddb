"""Real documents of which no two are copies of each other.

Files of JSON lines with a field `text`, named relative to a folder. Documents of 300 to 20,000 characters are taken
whole; longer ones are cut on line ends into pieces of about 6,000. Documents stand in the order of a hash of their id
(file and place in it), so what is taken from a file does not depend on how it is sorted.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zstandard

from bench.dedup.truth import Simplify, shingles, units

SHORTEST_CHARS, LONGEST_CHARS, PIECE_CHARS = 300, 20_000, 6_000
ALIKE = 0.2  # share of the smaller shingle set that is found in an earlier document: the later one is left out

# File -> the most documents taken from it. Long documents are few: the set has to be deduplicated by slow peers, too.
ENGLISH = {
    "pile/openwebtext_bbc.jsonl.zst": 2400,
    "pile/hackernews.jsonl.zst": 1400,
    "pile/stackexchange_skeptics.jsonl.zst": 800,
    "pile/pubmed_abstracts.jsonl.zst": 800,
    "pile/openwebtext_nltk.jsonl.zst": 250,
    "pile/freelaw_scotus.jsonl.zst": 200,
    "pile/europarl.jsonl.zst": 150,
    "pile/wikipedia_en.jsonl.zst": 150,
}
CHINESE = {
    "zh/tech_lctt.jsonl.zst": 1450,
    "zh/wikipedia_cmrc.jsonl.zst": 1200,
    "zh/exam_c3.jsonl.zst": 1000,
    "zh/reviews_hotel.jsonl.zst": 600,
    "zh/laws.jsonl.zst": 500,
    "zh/web_articles_skywork.jsonl.zst": 300,
    "zh/wiki_oi.jsonl.zst": 200,
    "zh/history_modern_translation.jsonl.zst": 150,
    "zh/weekly_ruanyf.jsonl.zst": 60,
}
DEFAULT = {"en": ENGLISH, "zh": CHINESE}


class Original(NamedTuple):
    """`id` is the seed (unless 0), file, line and piece; `file` as it was named."""

    id: str
    file: str
    text: str


def order(name: str) -> bytes:
    """A hash that sorts by nothing that a document says."""
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))


def texts(path: Path) -> Iterator[str]:
    for line in lines(path):
        text = json.loads(line).get("text")
        if isinstance(text, str):
            yield text


def pieces(text: str) -> list[str]:
    """The text, or where it is too long, runs of its lines of about `PIECE_CHARS` characters."""
    if len(text) <= LONGEST_CHARS:
        return [text]
    found, held, size = [], [], 0
    for line in text.splitlines(keepends=True):
        held.append(line)
        size += len(line)
        if size >= PIECE_CHARS:
            found.append("".join(held))
            held, size = [], 0
    return [*found, "".join(held)]


def read(
    data: Path, files: dict[str, int], scale: float = 1.0, shortest_chars: int = SHORTEST_CHARS, seed: int = 0
) -> list[Original]:
    """Up to `scale` times the number of documents named for each file, in the order of their hashes: another seed takes
    others, and all that is made of them follows from their ids."""
    salt = f"{seed}:" if seed else ""
    taken = []
    for name, most in files.items():
        found = [
            Original(f"{salt}{name}:{line}:{number}", name, piece)
            for line, text in enumerate(texts(data / name))
            for number, piece in enumerate(pieces(text))
            if shortest_chars <= len(piece.strip()) <= LONGEST_CHARS
        ]
        taken += sorted(found, key=lambda original: order(original.id))[: max(1, round(most * scale))]
    return sorted(taken, key=lambda original: order(original.id))


def apart(found: list[Original], simplify: Simplify) -> list[Original]:
    """Those that share less than `ALIKE` of the smaller shingle set with each one taken before.

    Exact: an inverted index over all shingles, 64 bits of each, in memory.
    """
    sets = [shingles(units(original.text, simplify)) for original in found]
    sizes = np.array([len(own) for own in sets])
    owner = np.repeat(np.arange(len(sets)), sizes)
    key = np.fromiter((hash(run) for own in sets for run in own), np.int64, int(sizes.sum()))
    by_key = np.argsort(key, kind="stable")
    owner, edges = owner[by_key], np.flatnonzero(np.diff(key[by_key], prepend=0))
    shared: dict[tuple[int, int], int] = {}
    for start, end in zip(edges.tolist(), [*edges[1:].tolist(), len(owner)], strict=True):
        if end - start > 1:
            for earlier, later in combinations(owner[start:end].tolist(), 2):
                shared[earlier, later] = shared.get((earlier, later), 0) + 1
    close: dict[int, list[int]] = {}
    for (earlier, later), count in shared.items():
        if count >= ALIKE * min(sizes[earlier], sizes[later]):
            close.setdefault(later, []).append(earlier)
    kept: set[int] = set()
    for at in range(len(found)):
        if sizes[at] and not any(earlier in kept for earlier in close.get(at, ())):
            kept.add(at)
    return [original for at, original in enumerate(found) if at in kept]
