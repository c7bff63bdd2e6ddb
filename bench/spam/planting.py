"""Lines of spam of every family, and genuine articles to plant them in. Everything is drawn by seed."""

import hashlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from stages import spam_lexicon as lexicon

SEPARATORS = (" ", "|", "_", ",", "、", " | ", "/", "，", "-", "")
MARKS = "*-.·★"
ARTICLES = ("web_articles_skywork", "exam_c3", "tech_lctt", "wikipedia_cmrc", "laws", "history_modern_translation")
LINES = 400  # of each family


def texts(path: Path, half: int) -> list[str]:
    """Texts of one half of the documents of a file."""
    return [record["text"] for record in records(path) if digest(record["text"])[0] % 2 == half]


def records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        for line in io.TextIOWrapper(stream, "utf-8", newline="\n"):
            yield json.loads(line)


def listed(path: Path) -> list[str]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        return [line for line in dict.fromkeys(stream.read().decode().split("\n")) if line.strip()]


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def is_held_out(term: str) -> bool:
    return digest(lexicon.folded(term))[1] % 2 == 1


def known_half() -> lexicon.Lexicon:
    """The shipped lexicon as if no term that is held out had ever been seen."""
    terms = [t for t in lexicon.read_terms(lexicon.TERMS.read_text("utf-8")) if not is_held_out(t.text)]
    parts = {part for term in terms for at in range(len(term.text)) for part in (term.text[at], term.text[at : at + 2])}
    points = lexicon.read_pairs(lexicon.PAIRS.read_text("utf-8"))
    return lexicon.built(terms, {part: value for part, value in points.items() if part in parts})


def articles(data: Path, half: int, rng: random.Random) -> list[str]:
    found = []
    for name in ARTICLES:
        some = [text for text in texts(data / "zh" / f"{name}.jsonl.zst", half) if len(text) > 150]
        found += rng.sample(some, min(100, len(some)))
    rng.shuffle(found)
    return found


def families(data: Path, half: int, rng: random.Random) -> dict[str, list[str]]:
    """Lines of spam by family. `(held out)`: of terms that `known_half` does not know."""
    lists = data / "lists"
    porn = listed(lists / "konsheng__porn_a.txt.zst") + listed(lists / "konsheng__porn_b.txt.zst")
    named = {
        "konsheng porn": list(dict.fromkeys(porn)),
        "konsheng ads": listed(lists / "konsheng__ads.txt.zst"),
        "ldnoobw zh": listed(lists / "ldnoobw__zh.txt.zst"),
    }
    english = listed(lists / "ldnoobw__en.txt.zst")
    own: dict[str, list[str]] = {}
    for term in lexicon.read_terms(lexicon.TERMS.read_text("utf-8")):
        if term.weight and not term.text.isascii():
            own.setdefault(f"shipped {lexicon.CATEGORIES[term.category]}", []).append(term.text)
    made = {name: [_joined(terms, rng) for _ in range(LINES)] for name, terms in named.items()}
    made["ldnoobw en"] = [
        rng.choice((" ", ", ", " | ")).join(rng.sample(english, rng.randint(4, 12))) for _ in range(LINES)
    ]
    porn_terms = [term for term in named["konsheng porn"] if not term.isascii()]
    made["konsheng porn, spaced"] = [" ".join(" ".join(t) for t in rng.sample(porn_terms, 6)) for _ in range(LINES)]
    made["konsheng porn, marked"] = [
        " ".join(rng.choice(MARKS).join(t) for t in rng.sample(porn_terms, 6)) for _ in range(LINES)
    ]
    made["addresses"] = _addresses(listed(lists / "konsheng__illegal_urls.txt.zst"), rng)
    made["hosts"] = _addresses(listed(lists / "ut1__blacklists_gambling_domains.txt.zst"), rng)
    for name, terms in (named | own).items():
        made[f"{name} (held out)"] = [_joined([t for t in terms if is_held_out(t)], rng) for _ in range(LINES)]
    sms = records(data / "quality" / "zh_spam_sms.jsonl.zst")
    made["sms advertisements"] = sorted(
        {" ".join(one["text"].split()) for one in sms if one["label"] == "spam" and digest(one["text"])[0] % 2 == half}
    )
    return made


def _joined(terms: list[str], rng: random.Random) -> str:
    return rng.choice(SEPARATORS).join(rng.sample(terms, min(rng.randint(4, 12), len(terms))))


def _addresses(hosts: list[str], rng: random.Random) -> list[str]:
    return [
        rng.choice((" ", " | ")).join(
            rng.choice(("http://", "www.", "")) + host for host in rng.sample(hosts, rng.randint(3, 8))
        )
        for _ in range(LINES)
    ]
