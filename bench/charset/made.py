"""Made samples: text of known languages in every charset that holds it, with right, missing and wrong declarations.

The texts are real (`lid/`, `zh/`, whole pages of `crawl/waddle_multilingual`); their bytes are ours. A piece is taken
only where the charset holds all of it: quotes, dashes and no-break spaces that it lacks become ASCII first, as editors
write them. Whole pages write what is missing as numeric references. Pieces with fewer than two characters beyond
ASCII say nothing about a charset and are left out.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from bench import inputs
from bench.charset.sample import Sample

LENGTHS = (20, 60, 200, 1000)  # characters
_LATIN1 = ("cp1252", "iso8859-15", "mac_roman")
_LATIN2 = ("cp1250", "iso8859-2", "cp852")
_CYRILLIC = ("cp1251", "koi8_r", "iso8859-5", "cp866", "mac_cyrillic", "cp855")
_BALTIC = ("cp1257", "iso8859-13", "iso8859-4")
# language -> ((file, its `lang` there), ...), codecs.
LANGUAGES: dict[str, tuple[tuple[tuple[str, str | None], ...], tuple[str, ...]]] = {
    "zh-Hans": (
        (
            ("zh/web_articles_skywork", None),
            ("zh/reviews_online_shopping", None),
            ("zh/tech_lctt", None),
            ("zh/laws", None),
            ("zh/shorttext_cystanford", None),
        ),
        ("gb18030", "gb2312", "hz"),
    ),
    "zh-Hant": ((("zh/debian_docs_trad", None), ("zh/poetry_tang_trad", None)), ("big5hkscs", "gb18030")),
    "yue": ((("lid/cantonese_cantomap", "yue"),), ("big5hkscs", "gb18030")),
    "lzh": ((("zh/classical", None),), ("gb18030",)),
    "ja": ((("lid/lingua_sentences", "ja"), ("lid/udhr_paragraphs", "jpn")), ("cp932", "euc_jp", "iso2022_jp")),
    "ko": ((("lid/lingua_sentences", "ko"), ("lid/udhr_paragraphs", "kor")), ("cp949", "johab", "iso2022_kr")),
    "ru": ((("lid/lingua_sentences", "ru"), ("lid/xquad_paragraphs", "ru")), _CYRILLIC),
    "uk": ((("lid/lingua_sentences", "uk"),), ("cp1251", "koi8_u", "iso8859-5")),
    "be": ((("lid/lingua_sentences", "be"),), ("cp1251", "iso8859-5")),
    "bg": ((("lid/lingua_sentences", "bg"),), ("cp1251", "iso8859-5", "mac_cyrillic")),
    "mk": ((("lid/lingua_sentences", "mk"),), ("cp1251", "iso8859-5")),
    "sr": ((("lid/lingua_sentences", "sr"),), ("cp1251", "iso8859-5")),
    "el": ((("lid/lingua_sentences", "el"), ("lid/xquad_paragraphs", "el")), ("cp1253", "iso8859-7")),
    "he": ((("lid/lingua_sentences", "he"),), ("cp1255", "iso8859-8")),
    "ar": ((("lid/lingua_sentences", "ar"), ("lid/xquad_paragraphs", "ar")), ("cp1256", "iso8859-6")),
    "fa": ((("lid/lingua_sentences", "fa"),), ("cp1256",)),
    "th": ((("lid/lingua_sentences", "th"), ("lid/xquad_paragraphs", "th")), ("cp874",)),
    "vi": ((("lid/lingua_sentences", "vi"), ("lid/xquad_paragraphs", "vi")), ("cp1258",)),
    "tr": ((("lid/lingua_sentences", "tr"), ("lid/xquad_paragraphs", "tr")), ("cp1254",)),
    "pl": ((("lid/lingua_sentences", "pl"),), _LATIN2),
    "cs": ((("lid/lingua_sentences", "cs"),), _LATIN2),
    "sk": ((("lid/lingua_sentences", "sk"),), _LATIN2),
    "hu": ((("lid/lingua_sentences", "hu"),), _LATIN2),
    "hr": ((("lid/lingua_sentences", "hr"),), _LATIN2),
    "sl": ((("lid/lingua_sentences", "sl"),), _LATIN2),
    "ro": ((("lid/lingua_sentences", "ro"), ("lid/xquad_paragraphs", "ro")), ("cp1250", "iso8859-2")),
    "lt": ((("lid/lingua_sentences", "lt"),), _BALTIC),
    "lv": ((("lid/lingua_sentences", "lv"),), _BALTIC),
    "et": ((("lid/lingua_sentences", "et"),), ("cp1257", "cp1252")),
    "de": ((("lid/lingua_sentences", "de"), ("lid/xquad_paragraphs", "de")), _LATIN1),
    "fr": ((("lid/lingua_sentences", "fr"),), _LATIN1),
    "es": ((("lid/lingua_sentences", "es"), ("lid/xquad_paragraphs", "es")), _LATIN1),
    "pt": ((("lid/lingua_sentences", "pt"),), _LATIN1),
    "it": ((("lid/lingua_sentences", "it"),), _LATIN1),
    "sv": ((("lid/lingua_sentences", "sv"),), _LATIN1),
    "da": ((("lid/lingua_sentences", "da"),), _LATIN1),
    "fi": ((("lid/lingua_sentences", "fi"),), _LATIN1),
    "is": ((("lid/lingua_sentences", "is"),), _LATIN1),
}
PAGES = {
    "Chinese": ("gb18030",),
    "Greek": ("cp1253", "iso8859-7"),
    "Polish": ("cp1250", "iso8859-2"),
    "Russian": ("cp1251", "koi8_r"),
    "English": ("cp1252",),
}
_WRONG = ("utf-8", "iso-8859-1", "gb2312", "big5")
_PLAIN = str.maketrans({
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": ",", "–": "-", "—": "-", "―": "-", "…": "...",
    "\xa0": " ", "«": '"', "»": '"', "\u2009": " ", "\u202f": " ", "ș": "ş", "ț": "ţ", "Ș": "Ş", "Ț": "Ţ",
})  # fmt: skip
_BROKEN = re.compile("[\x80-\x9f\ufffd]|ďż˝|ï¿½")  # what was read wrongly before it came here
_META = re.compile(r"<meta\b[^>]*\bcharset\s*=[^>]*>|<\?xml[^>]*\?>", re.IGNORECASE)


def samples(data: Path, pieces: int) -> Iterator[Sample]:
    """`pieces` of every length for every language and charset; a quarter as many whole pages."""
    for language, (sources, codecs) in LANGUAGES.items():
        texts = _texts(data, sources)
        for codec in codecs:
            for length in LENGTHS:
                encoded = _encoded(_pieces(texts, length), codec, pieces)
                for number, (text, body) in enumerate(encoded):
                    name = f"{language} {codec} {length} {number}"
                    for declared, label in _declarations(codec, number):
                        part = f"{length} characters, {declared}"
                        page = body if label is None else _wrapped(text, codec, label)
                        yield Sample(part, f"{language} {codec}", name, page, codec, declared)
    yield from _whole(data, max(1, pieces // 4))


def _declarations(codec: str, number: int) -> list[tuple[str, str | None]]:
    wrong = [label for label in _WRONG if not (label == "gb2312" and codec.startswith("gb"))]
    wrong = [label for label in wrong if not (label == "big5" and codec.startswith("big5"))]
    right = {"cp949": "euc-kr", "cp932": "shift_jis", "big5hkscs": "big5", "hz": "hz-gb-2312"}.get(codec, codec)
    return [("none", None), ("right", right.replace("_", "-")), ("wrong", wrong[number % len(wrong)])]


def _texts(data: Path, sources: tuple[tuple[str, str | None], ...]) -> list[str]:
    """Of every source a hundred thousand characters at most, in an order that follows from the text."""
    import orjson

    found = []
    for file, lang in sources:
        rows = [orjson.loads(line) for line in inputs.lines([data / f"{file}.jsonl.zst"])]
        own = [row["text"] for row in rows if lang is None or row["lang"] == lang]
        own.sort(key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        size = 0
        for text in own:
            if size > 100_000:
                break
            text = text[:5000]
            size += len(text)
            found.append(" ".join(text.split()))
    found.sort(key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return found


def _pieces(texts: list[str], length: int) -> Iterator[str]:
    """From the beginning of every text, filled up from the next ones."""
    for at, text in enumerate(texts):
        following = at
        while len(text) < length and following + 1 < len(texts):
            following += 1
            text += " " + texts[following]
        if len(text) >= length:
            yield text[:length]


def _encoded(pieces: Iterator[str], codec: str, wanted: int) -> Iterator[tuple[str, bytes]]:
    made = 0
    for text in pieces:
        if made == wanted:
            return
        if sum(c > "\x7f" for c in text) < 2 or _BROKEN.search(text):
            continue
        for written in (text, text.translate(_PLAIN), _combining(text) if codec == "cp1258" else text):
            try:
                body = written.encode(codec)
            except UnicodeEncodeError:
                continue
            if written.isascii():
                continue
            made += 1
            yield written, body
            break


def _combining(text: str) -> str:
    """Vietnamese as windows-1258 writes it: tone marks follow their vowel."""
    import unicodedata

    tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
    out = []
    for letter in text.translate(_PLAIN):
        parts = unicodedata.normalize("NFD", letter)
        own = [mark for mark in parts[1:] if mark in tones]
        rest = unicodedata.normalize("NFC", parts[0] + "".join(m for m in parts[1:] if m not in tones))
        out.append(rest + "".join(own))
    return "".join(out)


def _wrapped(text: str, codec: str, label: str) -> bytes:
    head = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={label}"></head><body><p>'
    return (head + text + "</p></body></html>").encode(codec)


def _whole(data: Path, wanted: int) -> Iterator[Sample]:
    """Pages of news sites, re-encoded with their declaration changed."""
    import orjson

    gold = {row["id"].strip("<>"): row["lang"] for row in map(orjson.loads, inputs.lines([_gold(data)]))}
    made: dict[tuple[str, str], int] = {}
    pages = sorted(bodies(data), key=lambda page: hashlib.sha256(page[0].encode()).digest())  # not one site's alone
    for number, (key, body) in enumerate(pages):
        language = gold[key]
        for codec in PAGES[language]:
            if made.get((language, codec), 0) >= wanted:
                continue
            made[language, codec] = made.get((language, codec), 0) + 1
            page = _META.sub("", body.decode("utf-8", "replace"))
            for declared, label in _declarations(codec, number):
                head = "" if label is None else f'<meta charset="{label}">'
                own = (head + page).encode(codec, "xmlcharrefreplace")
                yield Sample(f"whole pages, {declared}", f"{language} {codec}", key, own, codec, declared)


def _gold(data: Path) -> Path:
    return data / "crawl" / "waddle_multilingual.gold.jsonl.zst"


def bodies(data: Path) -> Iterator[tuple[str, bytes]]:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with (data / "crawl" / "waddle_multilingual.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            yield record.record_id.strip("<>"), record.reader.read()
