"""From plan to content: the record or the page of an entry, with what the ground truth should say about it."""

import json
from typing import NamedTuple

from sampledata import chinese, english, pages
from sampledata.damage import BROKEN, MOJIBAKE, near_copy
from sampledata.documents import Record, document, meta
from sampledata.english import Piece
from sampledata.foreign import foreign
from sampledata.plan import Entry
from sampledata.randomness import source
from sampledata.sites import foreign_encoding, site
from sampledata.warc import Page


class Line(NamedTuple):
    """line: bytes without the line end; text_bytes: of its text; facts: for the ground truth."""

    line: bytes
    text_bytes: int
    facts: dict[str, object]


def line(seed: int, entry: Entry, subset: str) -> Line:
    """The JSON line of `entry` in a file of `subset`."""
    record, facts = _record(seed, entry, subset)
    text_bytes = len(record.text.encode())
    if entry.kind in BROKEN:
        return Line(BROKEN[entry.kind](record.as_object()), text_bytes, facts)
    return Line(json.dumps(record.as_object(), ensure_ascii=False).encode(), text_bytes, facts)


def page(seed: int, entry: Entry) -> Page:
    """The page of `entry`."""
    name, number = entry.name, entry.site
    match entry.kind:
        case "exact-duplicate":
            assert entry.of is not None
            return pages.mirrored(page(seed, entry.of), seed, number)
        case "near-duplicate":
            assert entry.of is not None
            return pages.plain_page(seed, name, number, _text_of(seed, entry.of))
        case "spam":
            return pages.spam_page(seed, name, number)
        case "foreign":
            return pages.foreign_page(seed, name, number, entry.how, _turn(entry))
        case "mojibake":
            return pages.mojibake_page(seed, name, number, MOJIBAKE[entry.how])
        case "short":
            return pages.short_page(seed, name, number)
        case "empty":
            return pages.empty_page(seed, name, number)
        case "link-list":
            return pages.link_page(seed, name, number)
        case "not-found" | "redirect" | "image" | "text-file":
            return pages.other_answer(seed, name, number, entry.kind)
        case _:  # plain, or damaged on its way to the file
            return pages.plain_page(seed, name, number)


def page_facts(seed: int, entry: Entry) -> list[dict[str, object]]:
    """What the ground truth says about a page: its planted kind, and its encoding if that is not UTF-8, declared."""
    facts: list[dict[str, object]] = []
    if entry.kind != "plain":
        facts.append(_kind(entry))
    encoding = site(seed, entry.site).encoding
    if entry.kind == "foreign":
        facts[0]["codec"] = foreign_encoding(entry.how, _turn(entry)).codec
    if entry.kind in ("plain", "near-duplicate", "spam", "link-list") and (encoding.fault or encoding.codec != "utf-8"):
        declared: dict[str, object] = {"codec": encoding.codec, "header": encoding.header, "meta": encoding.meta}
        facts.append({"kind": encoding.fault or "charset"} | declared)
    return facts


def _kind(entry: Entry) -> dict[str, object]:
    facts: dict[str, object] = {"kind": entry.kind}
    if entry.how:
        facts["how"] = entry.how
    return facts


def _turn(entry: Entry) -> int:
    """Which of its kind a planted page is."""
    return int(entry.name.rpartition("-")[2])


def _text_of(seed: int, original: Entry) -> Piece:
    """The text that a page or a record of the news shows."""
    if original.site >= 0:
        return pages.piece(source(seed, original.name), site(seed, original.site))
    title, *paragraphs = document(seed, original.name).text.split("\n\n")
    return Piece(title, paragraphs)


def _record(seed: int, entry: Entry, subset: str) -> tuple[Record, dict[str, object]]:
    if entry.kind == "plain":
        return document(seed, entry.name), {}
    rng = source(seed, entry.name)
    about = meta(subset, entry.name)
    facts = _kind(entry)
    language = "zh" if subset.startswith("zh/") else "en"
    match entry.kind:
        case "exact-duplicate":
            assert entry.of is not None
            return Record(document(seed, entry.of.name).text, about), facts
        case "near-duplicate":
            assert entry.of is not None
            original = _record(seed, entry.of, subset)[0].text
            copy, similarity, made = near_copy(original, rng, entry.how)
            return Record(copy, about), facts | {"how": made, "jaccard": round(similarity, 4)}
        case "spam":
            return Record((chinese if entry.how == "zh" else english).spam(rng).text, about), facts
        case "mojibake":
            return Record(MOJIBAKE[entry.how](chinese.news(rng).text), about), facts
        case "foreign":
            return Record(foreign(rng, entry.how).text, about), facts
        case "short":
            return Record(
                rng.choice(("谢谢。", "同上", "顶！") if entry.how == "zh" else ("Thanks.", "See above.", "ok")), about
            ), facts
        case "empty":
            return Record("", about), facts
        case "blank":
            return Record(" \n\n\t　 \n", about), facts
        case "link-list":
            links = [f"http://www.site{rng.randint(1, 999)}.example/{rng.getrandbits(32):08x}.html" for _ in range(30)]
            return Record("\n".join(links), about), facts
        case _:
            genre = chinese.encyclopedia if language == "zh" else english.article
            return Record(genre(rng).text, about), facts
