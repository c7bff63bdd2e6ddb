"""Bad pages made from good texts: what a crawl is full of, and what no rule or score should let through.

seo       phrases of search-engine spam around words of the text: as lines, run on, or between its sentences
shuffled  the words, Han characters and marks of the text in random order
mojibake  the text decoded by a wrong charset
menu      entries of navigation, with headings out of the text among them
links     titles out of the text, each with an address, a date or a count

Each text has a seed of its own, made from its content: the same text gives the same pages, whatever stands beside it.
A page is about as long as its text, which has 100 characters or more and is cut after 4,000.
"""

import hashlib
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

LEAST_CHARS, MOST_CHARS = 100, 4000

_HAN = re.compile("[\u4e00-\u9fff]")
_UNIT = re.compile("[\u4e00-\u9fff]|[^\\W\u4e00-\u9fff]+|[^\\w\\s]")
_SENTENCE = re.compile("[^。！？!?.\n]+[。！？!?.]*")
_PHRASES: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text("utf-8"))


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def is_chinese(text: str) -> bool:
    """Whether a tenth of the first 2,000 characters is Han."""
    return 10 * len(_HAN.findall(text[:2000])) > min(len(text), 2000)


def bad_pages(texts: Iterable[str], kinds: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """(kind, page): of each text one page of each of `kinds` (none: all), where it has words to make it of."""
    wanted = tuple(kinds) or tuple(KINDS)
    for text in texts:
        text = text[:MOST_CHARS]
        words = _words(text)
        if len(text) < LEAST_CHARS or len(words) < 10:
            continue
        for kind in wanted:
            yield kind, KINDS[kind](text, words, random.Random(digest(kind + text)))


def _words(text: str) -> list[str]:
    """Words of four letters or more, or runs of two to four Han characters between other characters and inside runs."""
    if is_chinese(text):
        runs = re.findall("[\u4e00-\u9fff]{2,}", text)
        return [run[at : at + 4] for run in runs for at in range(0, len(run) - 1, 4)]
    return re.findall(r"[^\W\d_]{4,20}", text)


def _titles(text: str) -> list[str]:
    most = 16 if is_chinese(text) else 50
    return [piece.strip()[:most] for piece in _SENTENCE.findall(text) if len(piece.strip()) > 4] or [text[:most]]


def _filled(size: int, piece: Callable[[], str], joint: str) -> str:
    parts: list[str] = []
    left = size
    while left > 0:
        parts.append(piece())
        left -= len(parts[-1]) + len(joint)
    return joint.join(parts)


def _seo(text: str, words: list[str], rng: random.Random) -> str:
    phrases = _PHRASES["seo_zh" if is_chinese(text) else "seo_en"]
    keys = rng.sample(words, min(len(words), rng.randint(1, 6)))
    own = rng.sample(phrases, rng.randint(6, len(phrases)))

    def phrase() -> str:
        return rng.choice(own).format(k=rng.choice(keys))

    layout = rng.randrange(3)
    if layout == 0:
        return _filled(len(text), phrase, "\n")
    if layout == 1:
        return _filled(len(text), phrase, rng.choice((" ", ",", "，", "、", "_", "-", "|")))
    sentences = [s.strip() for s in _SENTENCE.findall(text) if s.strip()]
    return "\n".join(s + " " + " ".join(phrase() for _ in range(rng.randint(2, 5))) for s in sentences)


def _shuffled(text: str, words: list[str], rng: random.Random) -> str:
    units = _UNIT.findall(text)
    rng.shuffle(units)
    return ("" if is_chinese(text) else " ").join(units)


def _mojibake(text: str, words: list[str], rng: random.Random) -> str:
    if not is_chinese(text):  # ASCII is the same in nearly every charset but the wide ones
        return text.encode("utf-16-le", "replace").decode("utf-16-be", "replace")
    right, wrong = rng.choice((("utf-8", "gb18030"), ("utf-8", "cp1252"), ("gb18030", "cp1252"), ("gb18030", "big5")))
    return text.encode(right, "replace").decode(wrong, "replace")


def _menu(text: str, words: list[str], rng: random.Random) -> str:
    entries = _PHRASES["menu_zh" if is_chinese(text) else "menu_en"]
    titles = _titles(text)

    def entry() -> str:
        pick = rng.random()
        return rng.choice(entries) if pick < 0.6 else rng.choice(words) if pick < 0.9 else rng.choice(titles)

    return _filled(min(len(text), 1500), entry, rng.choice(("\n", "\n", " | ", " > ", "  ")))


def _links(text: str, words: list[str], rng: random.Random) -> str:
    titles = _titles(text)
    host = f"www.{digest(text).hex()[:7]}.{rng.choice(('com', 'net', 'cn', 'org'))}"

    def line() -> str:
        number = rng.randrange(10**6)
        tail = (
            f"http://{host}/{number}.html",
            f"{host}/show-{number}.htm",
            f"[20{rng.randrange(10, 24)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}]",
            f"({number % 1000})",
        )
        return f"{rng.choice(titles)} {tail[rng.randrange(2) if rng.random() < 0.7 else 2 + rng.randrange(2)]}"

    return _filled(min(len(text), 3000), line, "\n")


KINDS: dict[str, Callable[[str, list[str], random.Random], str]] = {
    "seo": _seo,
    "shuffled": _shuffled,
    "mojibake": _mojibake,
    "menu": _menu,
    "links": _links,
}
