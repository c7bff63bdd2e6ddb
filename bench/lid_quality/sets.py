"""Labelled texts, in rows: what a row is called, what a tool must say about it, and its texts.

Rows take at most `MOST` texts of a file, in the order of a hash of the text, so that slow peers finish. `half` splits
every row by another bit of that hash: what was looked at while the stage was written, and what was not.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

MOST = 1500
SHORT_CHARS, FROM_CHARS = 6, 20  # short strings: the first six characters of paragraphs of 20 or more

# Labels that mean the same. Chinese in every form is one language here; `Row.label` asks for more.
SAME = {
    "nb": "no", "nn": "no", "yue": "zh", "wuu": "zh", "lzh": "zh", "cmn": "zh", "zh-Hans": "zh", "zh-Hant": "zh",
    "iw": "he", "bs": "sh", "hr": "sh", "sr": "sh", "arz": "ar", "fil": "tl", "jw": "jv", "in": "id", "azb": "az",
    "als": "sq", "mo": "ro", "ckb": "ku", "pnb": "pa",
}  # fmt: skip

# UDHR names its languages in its own way; these are the ones that lid.176 knows, and the Chinese ones.
UDHR_CHINESE = {
    "cmn_hans": "zh-Hans", "cmn_hant": "zh-Hant", "yue": "yue", "cmn_hans_beijing": "", "cmn_hans_guiyang": "",
    "cmn_hans_harbin": "", "cmn_hans_nanjing": "", "cmn_hans_tianjin": "", "cjy": "", "wuu": "", "gan": "", "hak": "",
    "hsn": "", "nan": "",
}  # fmt: skip
# Files of Chinese text: what their documents should be labelled.
CHINESE = {
    "reviews_online_shopping": "zh-Hans", "reviews_hotel": "zh-Hans", "shorttext_cystanford": "zh-Hans",
    "exam_c3": "zh-Hans", "web_articles_skywork": "zh-Hans", "wikipedia_cmrc": "zh-Hans", "laws": "zh-Hans",
    "history_modern_translation": "zh-Hans", "weekly_ruanyf": "zh-Hans", "tech_lctt": "zh-Hans", "wiki_oi": "zh-Hans",
    "manpages_zh": "zh-Hans", "debian_docs_trad": "zh-Hant", "fortunes_zh": "", "poetry_tang_trad": "zh-Hant|lzh",
}  # fmt: skip
# Among the classics these are novels in the spoken language of their time.
VERNACULAR = ("三遂平妖传", "儒林外史", "三刻拍案惊奇", "初刻拍案惊奇", "喻世明言", "南北史演义", "五灯会元")


class Row(NamedTuple):
    """`language`: what is right, in the terms of `SAME`; `label`: finer, several with | between, "" where open."""

    name: str
    language: str
    label: str
    texts: list[str]
    halves: list[int]


def rows(data: Path) -> list[Row]:
    udhr = _by_language(data / "lid" / "udhr_paragraphs.jsonl.zst", "lang")
    found = []
    for name, label in (*UDHR_CHINESE.items(), ("jpn", "ja"), ("kor", "ko")):
        texts = [text for text in udhr.get(name, []) if len(text) >= FROM_CHARS]
        language = {"jpn": "ja", "kor": "ko"}.get(name, "zh")
        short = [text[:SHORT_CHARS] for text in texts]
        if name in ("cmn_hans", "cmn_hant", "yue", "jpn", "kor"):
            found.append(_row(f"short strings, UDHR {name}", language, "", short))
        found.append(_row(f"UDHR {name}", language, label, texts))
    found.append(_row("cantomap", "zh", "yue", _texts(data / "lid" / "cantonese_cantomap.jsonl.zst")))
    for name, label in CHINESE.items():
        found.append(_row(f"zh/{name}", "zh", label, _texts(data / "zh" / f"{name}.jsonl.zst")))
    novels, classics = [], []
    for record in _records(data / "zh" / "classical.jsonl.zst"):
        novel = any(name in record["meta"]["source"] for name in VERNACULAR)
        (novels if novel else classics).append(record["text"])
    found += [_row("zh/classical", "zh", "lzh", classics), _row("zh/classical, novels", "zh", "", novels)]
    for name in ("reviews_online_shopping", "poetry_tang_trad"):
        lines = [text[:SHORT_CHARS] for text in _texts(data / "zh" / f"{name}.jsonl.zst") if len(text) >= FROM_CHARS]
        found.append(_row(f"short strings, zh/{name}", "zh", "", lines))
    for file in ("xquad_paragraphs", "lingua_sentences"):
        for language, texts in sorted(_by_language(data / "lid" / f"{file}.jsonl.zst", "lang").items()):
            finer = "zh-Hans" if language == "zh" else ""
            found.append(_row(f"{file.split('_')[0]} {language}", SAME.get(language, language), finer, texts))
    for language, texts in sorted(_by_language(data / "lid" / "udhr_paragraphs.jsonl.zst", "bcp47").items()):
        if len(language) == 2 and language not in ("zh", "ja", "ko"):
            found.append(_row(f"UDHR {language}", SAME.get(language, language), "", texts))
    return [row for row in found if row.texts]


def _row(name: str, language: str, label: str, texts: list[str]) -> Row:
    digests = sorted((hashlib.sha256(text.encode()).digest(), text) for text in dict.fromkeys(texts) if text.strip())
    chosen = digests[:MOST]
    return Row(name, language, label, [text for _, text in chosen], [digest[-1] & 1 for digest, _ in chosen])


def _records(path: Path) -> Iterator[dict]:
    with path.open("rb") as stream:
        for line in io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)):
            yield json.loads(line)


def _texts(path: Path) -> list[str]:
    return [record["text"] for record in _records(path)]


def _by_language(path: Path, field: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in _records(path):
        found.setdefault(record[field], []).append(record["text"])
    return found
