"""Signals against hand-counted examples, and against a slow computation made another way."""

import math
import re
import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.signals import SIGNALS, Signals

Values = dict[str, float]


def measured(texts: list[str] | pa.Array) -> list[Values]:
    stage = Signals()
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    columns = stage.apply(pa.record_batch({"text": column}), stage.load({}))
    assert {name: array.type for name, array in columns.items()} == stage.adds
    assert all(array.null_count == 0 and len(array) == len(column) for array in columns.values())
    return pa.table(columns).to_pylist()


def one(text: str) -> Values:
    return measured([text])[0]


# --- the slow computation: a letter per character, then regular expressions over those letters ------------------------


def kind(char: str) -> str:
    name, category = unicodedata.name(char, ""), unicodedata.category(char)
    if char in "\t\n\v\f\r\x85" or category[0] == "Z":
        return "S"
    if category in ("Cc", "Cf") or 0xFE00 <= ord(char) <= 0xFE0F:
        return "I"
    if name.startswith("CJK UNIFIED IDEOGRAPH") or char in "々〇":
        return "H"
    if re.match(r"(HIRAGANA|KATAKANA|HALFWIDTH KATAKANA|KATAKANA-HIRAGANA).*(LETTER|MARK)", name):
        return "K"
    if name.startswith("HANGUL"):
        return "G"
    if category[0] == "L":
        return ("U" if category == "Lu" else "L") if "LATIN" in name else "A"
    if category[0] in "NM":
        return {"N": "D", "M": "M"}[category[0]]
    if category == "Co":
        return "Y"
    if 0x3000 <= ord(char) < 0x3040 or 0xFF00 <= ord(char) <= 0xFFEF or char == "・":
        return "W"
    return "P" if category[0] == "P" else "Y"


def windows(units: list[tuple[str, int]], weight: int) -> list[tuple[int, int]]:
    out = []
    for start in range(len(units)):
        total = 0
        for end in range(start, len(units)):
            total += units[end][1]
            if total >= weight:
                out.append((start, end + 1))
                break
    return out


def slowly(text: str) -> Values:
    text_kinds = "".join(kind(c) for c in text)
    counts = Counter(text_kinds)
    seen = [(c, k) for c, k in zip(text, text_kinds, strict=True) if k != "I"]
    chars = "".join(c for c, _ in seen)
    kinds = "".join(k for _, k in seen)
    visible = [c for c, k in seen if k != "S"]

    units: list[tuple[str, int]] = []
    spaced: list[str] = []
    alone = 0
    for match in re.finditer(r"[HK]|[GULADMPY]+", kinds):
        run, run_kinds = chars[match.start() : match.end()], match.group()
        if run_kinds in ("H", "K"):
            units.append((run, 1))
        elif re.search(r"[GULAD]", run_kinds):
            word = "".join(c for c, k in zip(run, run_kinds, strict=True) if k not in "PY")
            units.append((word, 2))
            spaced.append(word)
        else:
            before, after = kinds[: match.start()][-1:], kinds[match.end() :][:1]
            alone += before in ("", "S") and after in ("", "S")
    alpha = counts["H"] + counts["K"]
    alpha += sum(bool(re.search(r"[GULA]", "".join(kind(c) for c in word))) for word in spaced)

    covered: set[int] = set()
    met: set[tuple[str, ...]] = set()
    for start, end in windows(units, 10):
        gram = tuple(u for u, _ in units[start:end])
        covered |= set(range(start, end)) if gram in met else set()
        met.add(gram)
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for start, end in windows(units, 4):
        held = places.setdefault(tuple(u for u, _ in units[start:end]), [])
        if not held or start >= held[-1][1]:
            held.append((start, end))
    most = max((len(held) * sum(map(len, gram)) for gram, held in places.items() if len(held) > 1), default=0)
    unit_chars = sum(len(u) for u, _ in units)

    lines = []
    for start, line in ((m.start(), m.group()) for m in re.finditer(r"[^\n]+", chars)):
        line_kinds = kinds[start : start + len(line)]
        words = re.finditer(r"[^S]+", line_kinds)
        lines.append(" ".join(line[m.start() : m.end()] for m in words))
    lines = [line for line in lines if line]
    columns = [sum(2 if kind(c) in "HKGW" else 1 for c in line) for line in lines]
    again = [line for i, line in enumerate(lines) if line in lines[:i]]
    line_chars = sum(map(len, lines))

    english = [
        w.lower()
        for w in spaced
        if w.isascii() and w.lower() in ["the", "be", "to", "of", "and", "that", "have", "with"]
    ]
    chinese = [c for c in visible if c in "的是在了和一不有"]
    frequency = Counter(visible)
    entropy = -sum(n / len(visible) * math.log(n / len(visible)) for n in frequency.values())
    triples = re.findall("锟斤拷|烫烫烫|屯屯屯", chars)
    latin1 = re.findall("[\u00c2\u00c3][\u00a1-\u00bf]", chars)
    letters = sum(counts[k] for k in "HKGULA")
    words_count, tokens = len(units), len(units) + alone

    def share(part: float, whole: float) -> float:
        return round(part / whole * 4096) / 4096 if whole else 0.0

    def rate(part: float) -> float:
        return round(part * 1000 / len(text) * 4096) / 4096 if text else 0.0

    n = len(visible)
    return {
        "bytes": len(text.encode()), "chars": len(text), "words": words_count, "lines": len(lines),
        "stop_words_en": len(set(english)), "stop_chars_zh": len(set(chinese)),
        "longest_line_chars": max(map(len, lines), default=0), "replacement": text.count("\ufffd"),
        "mojibake_zh": len(triples), "mojibake_latin": len(latin1),
        "han_share": share(counts["H"], n), "han_word_share": share(counts["H"], words_count),
        "kana_share": share(counts["K"], n), "hangul_share": share(counts["G"], n),
        "latin_share": share(counts["L"] + counts["U"], n),
        "upper_share": share(counts["U"], counts["L"] + counts["U"]), "letter_share": share(letters, n),
        "digit_share": share(counts["D"], n), "punct_share": share(counts["P"] + counts["W"], n),
        "symbol_share": share(counts["Y"], n), "mean_word_chars": share(sum(map(len, spaced)), len(spaced)),
        "alpha_word_share": share(alpha, tokens), "hash_per_word": share(text.count("#"), tokens),
        "ellipsis_per_word": share(len(re.findall(r"…+|[.。]{3,}", chars)), tokens),
        "stop_word_share_en": share(len(english), len(spaced)), "stop_char_share_zh": share(len(chinese), counts["H"]),
        "mean_line_chars": share(line_chars, len(lines)), "lines_per_word": share(len(lines), words_count),
        "line_end_share": share(sum(line[-1] in ".?!\"')。！？；：…”’」』）》】．｡" for line in lines), len(lines)),
        "short_line_share": share(sum(c < 30 for c in columns), len(lines)),
        "bullet_line_share": share(sum(line[0] in "•‣◦▪▫■□●○◆◇▶►·-*–－" for line in lines), len(lines)),
        "ellipsis_line_share": share(sum(bool(re.search(r"(…|[.。]{3})$", line)) for line in lines), len(lines)),
        "dup_line_share": share(len(again), len(lines)),
        "dup_line_char_share": share(sum(map(len, again)), line_chars),
        "dup_ngram_char_share": share(sum(len(units[i][0]) for i in covered), unit_chars),
        "top_ngram_char_share": share(most, unit_chars), "distinct_char_share": share(len(frequency), n),
        "urls_per_1000": rate(text.count("://")), "braces_per_1000": rate(text.count("{") + text.count("}")),
        "replacement_per_1000": rate(text.count("\ufffd")), "mojibake_per_1000": rate(len(triples) + len(latin1)),
        "char_entropy": entropy,
    }  # fmt: skip


def check(text: str) -> None:
    ours, theirs = one(text), slowly(text)
    assert ours.keys() == theirs.keys() == SIGNALS.keys()
    assert ours.pop("char_entropy") == pytest.approx(theirs.pop("char_entropy"), abs=1 / 4096)
    assert ours == theirs


characters = st.sampled_from(
    "abzABéÉß0129 \u00a0\u3000\t\n\n\r.,'’-_#{}()…‥—“”!?;:/。，！？、《》・；：的是在了和一不有天地々国"
    "カメひらー가나жЖ😀→©\ufffd\u200b\u0007\u0301\ufeff²½Ã©Â¶锟斤拷烫屯•*𠀀Ａ１＃¥$"
)
pieces = st.sampled_from(
    ["the", "The", "have", "with", "cat", "it's", "42", "x1", " ", "  ", "\n", "\n", "...", "。。。", "……", "http://a.b",
     "的", "一二三四五六七八九十", "重复的句子。", "锟斤拷", "烫烫烫烫", "- ", "•", "—", "&", "Ã©", "{", "#", "，", "”"]
)  # fmt: skip
documents = st.one_of(
    st.text(characters, max_size=80),
    st.lists(pieces, max_size=80).map("".join),
    st.lists(pieces, max_size=80).map(" ".join),
    st.lists(st.sampled_from(["a b c d e f", "天地玄黄宇宙洪荒", "line two.", ""]), max_size=12).map("\n".join),
)


@settings(max_examples=400, deadline=None)
@given(documents)
def test_every_signal(text: str) -> None:
    check(text)


def test_every_signal_of_longer_texts() -> None:
    rng = np.random.default_rng(5)
    for seed in range(4):
        stock = ["the", "quick", "brown", "狐", "狸", "跳", "过", "lazy", "dog.", "。", "\n", "的", "…"][seed:]
        check(" ".join(rng.choice(stock, 1500)))
        check("".join(rng.choice(stock, 1500)))


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=10), st.data())
def test_batching_and_slices_change_nothing(texts: list[str], data: st.DataObject) -> None:
    column = pa.array(texts, pa.string())
    start = data.draw(st.integers(0, len(texts)))
    stop = data.draw(st.integers(start, len(texts)))
    assert measured(column.slice(start, stop - start)) == [one(text) for text in texts[start:stop]]


def test_empty_and_null() -> None:
    empty, null, blank = measured(pa.array(["", None, " \n\t\u3000\n"], pa.string()))
    assert set(empty.values()) == {0}
    assert null == empty
    assert {name: value for name, value in blank.items() if value} == {"bytes": 7, "chars": 5}


# --- by hand ----------------------------------------------------------------------------------------------------------


def rounded(value: float) -> float:
    return round(value * 4096) / 4096


def test_english_by_hand() -> None:
    values = one("The cat sat with\nthe dog & 9 rats...\n- end\n")
    assert (values["words"], values["lines"], values["stop_words_en"]) == (9, 3, 2)
    assert values["mean_word_chars"] == rounded((3 + 3 + 3 + 4 + 3 + 3 + 1 + 4 + 3) / 9)
    assert values["alpha_word_share"] == rounded(8 / 11)  # 9 is no letter; & and - stand alone
    assert values["stop_word_share_en"] == rounded(3 / 9)
    assert values["ellipsis_per_word"] == rounded(1 / 11)
    assert values["ellipsis_line_share"] == values["line_end_share"] == rounded(1 / 3)
    assert values["bullet_line_share"] == rounded(1 / 3)
    assert values["mean_line_chars"] == rounded((16 + 19 + 5) / 3)
    assert values["longest_line_chars"] == 19
    assert values["upper_share"] == rounded(1 / 26)


def test_chinese_by_hand() -> None:
    values = one("我的书在家里。\n他说：“不是。”\n用iPhone拍")
    assert (values["bytes"], values["chars"], values["words"]) == (59, 25, 13)
    assert values["han_share"] == rounded(12 / 23)
    assert values["han_word_share"] == rounded(12 / 13)
    assert values["stop_chars_zh"] == 4
    assert values["line_end_share"] == rounded(2 / 3)  # 。 and ” end a line, 拍 does not
    assert values["punct_share"] == rounded(5 / 23)
    assert values["alpha_word_share"] == 1


def test_repetition_by_hand() -> None:
    # Ten characters, twice: the second ten are one window seen before.
    assert one("天地玄黄宇宙洪荒日月" * 2)["dup_ngram_char_share"] == 0.5
    # The window of four that covers most occurs twice without overlap.
    assert one("天地玄黄宇宙洪荒日月" * 2)["top_ngram_char_share"] == rounded(8 / 20)
    assert one("哈" * 12)["top_ngram_char_share"] == 1
    # Five words, twice; punctuation and line breaks between words do not matter.
    assert one("Old men read big books.\nOld men (read) big books")["dup_ngram_char_share"] == 0.5
    assert one("one two three four five six seven")["dup_ngram_char_share"] == 0
    lines = one("same line\nother\n  same   line \nsame line.")
    assert lines["dup_line_share"] == 0.25
    assert lines["dup_line_char_share"] == rounded(9 / 33)


@pytest.mark.parametrize(
    ("signal", "text", "value"),
    [
        ("mojibake_zh", "锟斤拷锟斤拷烫烫烫烫", 3),
        ("mojibake_zh", "锟 斤拷, 烫烫", 0),
        ("mojibake_latin", "cafÃ© Â£5 São", 2),
        ("replacement", "a\ufffdb\ufffd", 2),
        ("urls_per_1000", "http://a https://b c:/d e://f", rounded(3000 / 29)),
        ("braces_per_1000", "{}{", 1000),
        ("hash_per_word", "# one #two", rounded(2 / 3)),
        ("kana_share", "カメラ・ひら々", rounded(5 / 7)),
        ("hangul_share", "한국 말", 1),
        ("digit_share", "1２③", 1),
        ("symbol_share", "😀→a", rounded(2 / 3)),
        ("char_entropy", "abcd", rounded(math.log(4))),
        ("char_entropy", "aaaa", 0),
        ("distinct_char_share", "a a\nb", rounded(2 / 3)),
        ("short_line_share", "十五个汉字正好是三十列所以不算短行\n十四个汉字是二十八列所以算是", 0.5),
        ("line_end_share", "a。\nb！\nc？\nd；\ne…\nf”\ng」\nh』\ni）\nj》\nk】\nl.\nm\nn,\no、\np", 0.75),
    ],
)
def test_by_hand(signal: str, text: str, value: float) -> None:
    assert one(text)[signal] == value


def test_golden() -> None:
    """Revision 1. If this fails and `Signals.revision` did not change: bump revision."""
    texts = [
        "The cat sat on the mat...\n" * 3,
        "天地玄黄，宇宙洪荒。\n日月盈昃，辰宿列张。",
        "Mix 混合 text 文本 http://x.y 锟斤拷",
    ]
    digest = xxhash.xxh3_64_hexdigest(repr([[*v.items()] for v in measured(texts)]).encode())
    assert (Signals.revision, digest) == (1, "75972ee10f9b0112")
