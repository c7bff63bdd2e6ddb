"""Benchmark items planted into real documents, and where: the truth, before any system has seen them.

Each item is planted once, each document holds one. An item stands between two lines or, `inline`, inside one. Units are
counted by the plain Python of `bench/dedup/truth.py`; an item that is planted as a whole has 13 or more.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import xxhash
from opencc import OpenCC

from bench import inputs
from bench.dedup import edits
from bench.dedup.mirror import MIRRORS
from bench.dedup.truth import HAN_RANGES, units

UNITS, LEAST = 13, 8  # of a gram, of a short item
MANY, COMMON = 12, 10  # documents that hold one common item, and how many such items
LEAST_CHARS, MOST_CHARS = {"en": 1500, "zh": 900}, 20_000  # of a document
LINE_CHARS = {"en": 40, "zh": 18}
ITEMS = {
    "en": ("lambada_test", "gsm8k_test", "anli_r3_dev", "piqa_valid"),
    "zh": (
        "c3_m_test",
        "cmmlu_test",
        "fewclue_chid_test_public",
        "fewclue_csl_test_public",
        "fewclue_tnews_test_public",
        "fewclue_eprstmt_test_public",
    ),
}
HOSTS = {
    "en": ("openwebtext_bbc", "stackexchange_skeptics", "hackernews", "freelaw_scotus", "europarl", "github"),
    "zh": ("tech_lctt", "weekly_ruanyf", "wiki_oi", "manpages_zh", "laws", "web_articles_skywork"),
}
FOLDERS = {"en": "pile", "zh": "zh"}

FIELDS = {"piqa_valid": ("text", "goal")}  # of records; others have their texts in `text`
_PIECES = re.compile(f"[{HAN_RANGES}]|[^ {HAN_RANGES}]+| +")
_BETWEEN_HAN = re.compile(f"(?<=[{HAN_RANGES}])(?=[{HAN_RANGES}])")

Edit = Callable[[str, random.Random], str]


class Planted(msgspec.Struct, frozen=True):
    """An item in document number `row` of its language, at bytes start to end, and the units that it has there."""

    language: str
    kind: str
    row: int
    start: int
    end: int
    units: int


def _as_is(text: str, rng: random.Random) -> str:
    return text


def _wrapped(width: int) -> Edit:
    """A line end where a line is full: between words, or beside any character of Chinese."""

    def wrap(text: str, rng: random.Random) -> str:
        made, line = "", 0
        for piece in _PIECES.findall(text):
            if line + len(piece) > width:
                made, line = made.rstrip(" ") + "\n", 0
                piece = piece.lstrip(" ")
            made, line = made + piece, line + len(piece)
        return made

    return wrap


def _spread(text: str, rng: random.Random) -> str:
    return _BETWEEN_HAN.sub(" ", text)


def _first_half(text: str, rng: random.Random) -> str:
    if " " in text and text.isascii():
        words = text.split(" ")
        return " ".join(words[: (len(words) + 1) // 2])
    return text[: (len(text) + 1) // 2]


def _edited(part: float, language: str, vocabulary: list[str]) -> Edit:
    material = edits.Material(language, vocabulary, [])

    def edit(text: str, rng: random.Random) -> str:
        return edits.share(part)(text, material, rng)

    return edit


def _mirrored(name: str) -> Edit:
    convert = OpenCC(name).convert
    return lambda text, rng: convert(text)


def kinds(language: str, vocabulary: list[str]) -> dict[str, Edit]:
    """Ways to change an item; those that begin with `inline` are planted inside a line."""
    wrap = _wrapped(LINE_CHARS[language])
    common = {
        "verbatim": _as_is,
        "inline": _as_is,
        "other punctuation": edits.repunctuated,
        "other white space": edits.respaced,
        "other line breaks": wrap,
    }
    own: dict[str, Edit] = {"other case": edits.recased, "full width": edits.widened}
    if language == "zh":
        own = {"spaces between characters": _spread}
        own |= {f"traditional, {name}": _mirrored(name) for name in MIRRORS}
        own |= {"traditional, words of Taiwan": _mirrored("s2twp")}
    edited = {f"{part:.0%} edited": _edited(part, language, vocabulary) for part in (0.05, 0.1)}
    return common | own | {"first half": _first_half} | edited


def plant(data: Path, language: str, each: int) -> tuple[list[str], list[Planted]]:
    """`each`: items of a kind. -> documents with an item each, and the truth"""
    rng = random.Random(f"decontamination {language}")
    items = _shuffled(_items(data, language), rng)
    hosts = iter(_hosts(data, language))
    vocabulary = [
        word for text in items[-500:] for word in (text.split() if language == "en" else text) if word.isalnum()
    ]
    long = iter([item for item in items if len(units(item)) >= UNITS])
    shorts = [item for item in _items(data, language, last=True) if LEAST <= len(units(item)) < UNITS]
    short = iter(_shuffled([item for item in shorts if "\n" not in item.strip()], rng))
    documents: list[str] = []
    truth: list[Planted] = []

    def put(kind: str, text: str, inline: bool) -> None:
        host = next(hosts)
        place = _place(host, inline, language)
        gap = "" if inline and language == "zh" else " " if inline else "\n"
        before = f"{host[:place].rstrip()}{gap}"
        documents.append(f"{before}{text}{gap}{host[place:].lstrip()}")
        start = len(before.encode())
        truth.append(Planted(language, kind, len(documents) - 1, start, start + len(text.encode()), len(units(text))))

    for kind, edit in kinds(language, vocabulary).items():
        for _ in range(each):
            put(kind, edit(next(long).strip(), rng), kind == "inline")
    for _ in range(COMMON):
        item = next(long).strip()
        for _ in range(MANY):
            put(f"in {MANY} documents", item, False)
    alone = (item.strip() for item in short if not any(item.strip() in text for text in documents))
    for kind in ("short, a line of its own", "short, inside a line"):
        for item in islice(alone, each):
            put(kind, item, kind.endswith("inside a line"))
    return documents, truth


def _items(data: Path, language: str, last: bool = False) -> list[str]:
    """Texts of the first field of each item, or of its last one."""
    found = []
    for name in ITEMS[language]:
        field = FIELDS.get(name, ("text",))[-1 if last else 0]
        found += [json.loads(line)[field] for line in inputs.lines([data / "bench" / f"{name}.jsonl.zst"])]
    return list(dict.fromkeys(found))


def _shuffled(items: list[str], rng: random.Random) -> list[str]:
    return rng.sample(items, len(items))


def _hosts(data: Path, language: str) -> Iterator[str]:
    """Documents in the order of their hashes."""
    found = set()
    for name in HOSTS[language]:
        for text in inputs.documents(data / FOLDERS[language] / f"{name}.jsonl.zst"):
            if len(text) >= LEAST_CHARS[language]:
                found.add(text[:MOST_CHARS])
    yield from sorted(found, key=lambda text: xxhash.xxh3_64_intdigest(text.encode()))


def _place(host: str, inline: bool, language: str) -> int:
    """Where the item goes: the line end, or if `inline` the space or character, that is nearest behind the middle."""
    middle = len(host) // 2
    if not inline:
        at = host.find("\n", middle, len(host) * 3 // 4)
        return at + 1 if at >= 0 else middle
    at = host.find(" ", middle) if language == "en" else middle
    return at + 1 if at >= 0 else middle
