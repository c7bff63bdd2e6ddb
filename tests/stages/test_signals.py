"""Signals against hand-counted examples, and against a slow computation made another way."""

import math
import re
import unicodedata
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import han_pairs, known_words
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


class Unit(NamedTuple):
    """A word (w), a mark (m), or a character of a script without spaces (c)."""

    kind: str
    text: str  # without what is ignored
    start: int  # in the line
    end: int
    place: int  # among the characters that are not ignored


CLITIC = re.compile(rb"[sdmtSDMT](?![0-9A-Za-z])|([rR][eE]|[vV][eE]|[lL][lL])(?![0-9A-Za-z])")
SHORT_FORMS = known_words.ABBREVIATIONS


def cut(line: str) -> list[Unit]:
    """Words as the docstring of the kernel says, character by character."""
    units: list[Unit] = []
    word, start = "", 0
    place = 0
    for i, char in enumerate([*line, "\n"]):
        k = kind(char)
        if k == "I":
            continue
        place += 1
        rest = line[i + 1 :].encode()
        follows = rest[:1].decode("ascii", "ignore")
        letter = follows.isalnum() or (rest[:1] != b"" and 0xC3 <= rest[0] < 0xE0)
        joins = clitic = False
        follows_dot = rest[:1] == b"."
        if word and k not in "GULADM":
            if char == "." and letter:
                numbers = kind(word[-1]) == "D" and follows.isdigit()
                joins = numbers or not (kind(word[-1]) == "L" and "A" <= follows <= "Z")
            elif char == "." and follows_dot:
                joins = False
            elif char == ".":
                joins = word[-2:-1] == "." or (len(word) == 1 and kind(word) == "U") or word.lower() in SHORT_FORMS
            elif char in ",:":
                joins = kind(word[-1]) == "D" and follows.isdigit()
            elif char in "_@":
                joins = letter
            elif char in "'\u2019" and letter:
                clitic = bool(CLITIC.match(rest))
                joins = not clitic
        if k in "GULADM" or joins:
            start = start if word else i
            word += char
            continue
        if word:
            units.append(
                Unit("m" if len(word) == 1 and kind(word) == "M" else "w", word, start, end_of(line, start, word), 0)
            )
            word = ""
        if clitic:
            word, start = char, i
        elif k in "HK":
            units.append(Unit("c", char, i, i + 1, place))
        elif k != "S":
            if char in ".-" and units and units[-1].text.strip(char) == "" and units[-1].end == i:
                last = units.pop()
                units.append(Unit("m", last.text + char, last.start, i + 1, last.place))
            else:
                units.append(Unit("m", char, i, i + 1, place))
    return units


def end_of(line: str, start: int, word: str) -> int:
    """Where the word that begins at `start` ends, with what is ignored inside."""
    left, i = len(word), start
    while left:
        left -= kind(line[i]) != "I"
        i += 1
    return i


def grams(units: list[Unit], n: int) -> list[tuple[int, int]]:
    """First unit and unit behind of each n-gram: 7 n of weight."""
    heavy = [4 if unit.kind == "c" else 7 for unit in units]
    out = []
    for first in range(len(units)):
        for stop in range(first, len(units) + 1):
            if sum(heavy[first:stop]) >= 7 * n:
                out.append((first, stop))
                break
    return out


def top(units: list[Unit], n: int) -> int:
    found = Counter(tuple(u.text for u in units[a:b]) for a, b in grams(units, n))
    best, times = found.most_common(1)[0] if found else ((), 0)
    return times * (sum(map(len, best)) + n - 1) if times > 1 else 0


def dup(units: list[Unit], n: int) -> int:
    met: set[tuple[str, ...]] = set()
    total = passed = 0
    for first, stop in grams(units, n):
        if first >= passed:
            gram = tuple(u.text for u in units[first:stop])
            if gram in met:
                total, passed = total + sum(map(len, gram)), stop
            met.add(gram)
    return total


def of_line(line: str, units: list[Unit]) -> dict[str, Any]:
    """What the rules about lines ask."""
    kinds = "".join(map(kind, line))
    first = next(i for i, k in enumerate(kinds) if k not in "SI")
    last = next(i for i in reversed(range(len(kinds))) if kinds[i] not in "SI")
    shown = kinds[first : last + 1]
    tokens = [m.span() for m in re.finditer(r"[^S]+", kinds) if m.group().strip("I")]
    runs = [kinds[a:b].lstrip("I") for a, b in tokens]
    longest = max(len(piece) for run in runs for piece in re.split("[HK]", run))
    spoken = " ".join(u.text.lower() if u.kind == "w" else "" if set(u.text) == {"-"} else "|" for u in units)
    spoken = f" {re.sub(' +', ' ', spoken).strip()} "
    words = [u for u in units if u.kind == "w"]
    opened, sentences = False, 0
    for unit in units:
        if unit.kind != "m" or kind(unit.text[0]) == "M":
            opened = True
        elif opened and unit.text in ".!?。！？．｡":
            sentences, opened = sentences + 1, False
    bullet = line[first] in "•‣◦▪▫■□●○◆◇▶►·-*–－"
    dots = re.search(r"[.。]*$", "".join(c for c, k in zip(line, kinds, strict=True) if k not in "SI"))[0]  # type: ignore[index]
    policy = re.search(r" ((privacy|cookie) policy|terms of use|uses? cookies|use of cookies) ", spoken)
    counter = (
        len(tokens) == 2 and bool(units) and units[0].kind == "w" and units[0].start == first
        and units[0].end - units[0].start == len(units[0].text)
        and not any(kind(c) in "GULA" for c in units[0].text)
        and bool(re.search(r" (likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|downloads|views"
                           r"|followers) $", spoken))
    )  # fmt: skip
    sign = len(words) > 1 and [w.text.lower() for w in words[:2]] == ["sign", "in"] and words[1].end - first == 7
    sign = sign and words[0].start == first and not re.match(r" sign \|", spoken)
    more = bool(re.search(r" read more [| ]*$", spoken)) and not any(
        u.kind == "c" for u in units[max(i for i, u in enumerate(units) if u.kind == "w") :]
    ) if words else False  # fmt: skip
    more |= line[: last + 1].endswith(("更多", "展开"))
    letters, upper = sum(k in "HKGULA" for k in shown), shown.count("U")
    javascript = any(w.text.lower() == "javascript" for w in words)
    cart = " items in cart " in spoken
    kept = len(tokens) >= 3 and longest <= 1000 and not javascript and not policy
    ellipsis = line[last] == "…" or (len(dots) >= 3 and line[last] in ".。" and tail(line, units) >= 3)
    return {
        "chars": last + 1 - first, "last": line[last], "tokens": len(tokens), "longest": longest,
        "columns": last + 1 - first + sum(k in "HKGW" for k in shown), "sentences": sentences + opened,
        "bullet": bullet, "policy": bool(policy), "javascript": javascript, "more": more, "lorem": len(re.findall(" lorem ipsum(?= )", spoken)), "ellipsis": ellipsis,
        "c4_any": kept, "c4": kept and line[last] in ".?!\"'" and tail(line, units) < 3,
        "refined": upper * 2 > letters or (set(shown) - set("SI")) == {"D"} or len(tokens) == 1 or counter
        or (len(tokens) <= 10 and (cart or sign or more)),
    }  # fmt: skip


def tail(line: str, units: list[Unit]) -> int:
    """Full stops at the end, as the walk counts them: those of one mark, ideographic ones in a row, a joined one."""
    count, place = 0, 0
    for unit in reversed(units):
        if not count and set(unit.text) == {"."}:
            return len(unit.text)
        if unit.text != "。" or (count and unit.place + 1 != place):
            break
        count, place = count + 1, unit.place
    return count


def pairs_of(text: str) -> tuple[int, int]:
    """Neighbours that stand in a word, and neighbours that could."""
    ranks, bits = han_pairs.table()
    found = [
        (ranks[ord(a)], ranks[ord(b)]) for a, b in pairwise(text) if "\u4e00" <= min(a, b) <= max(a, b) <= "\u9fff"
    ]
    found = [(a, b) for a, b in found if a and b]
    return sum(int(bits[a, b // 8]) >> b % 8 & 1 for a, b in found), len(found)


def slowly(text: str) -> Values:
    kinds = "".join(map(kind, text))
    counts = Counter(kinds)
    visible = [c for c, k in zip(text, kinds, strict=True) if k not in "SI"]
    whole, lines, paragraphs, gap = [], [], [[]], False  # type: ignore[var-annotated]
    for line in text.split("\n"):
        units = cut(line)
        if not set(map(kind, line)) - set("SI"):
            gap = True
            continue
        if gap and paragraphs[-1]:
            paragraphs.append([])
        gap = False
        whole += units
        lines.append((of_line(line, units), tuple(u.text for u in units)))
        paragraphs[-1].append(lines[-1])
    paragraphs = [p for p in paragraphs if p]
    facts = [fact for fact, _ in lines]

    words = [u.text for u in whole if u.kind == "w"]
    marks = sum(u.kind == "m" for u in whole)
    letters = [sum(kind(c) in "GULA" for c in word) for word in words]
    capitals = [sum(kind(c) == "U" for c in word) for word in words]
    characters = counts["H"] + counts["K"]
    weight = 7 * len(words) + 4 * characters
    english = [w for w in words if w.lower() in ("the", "be", "to", "of", "and", "that", "have", "with")]
    stops = "的年在月是和日了於·為有被人中为他與後也而由"
    shown = "".join(c for c, k in zip(text, kinds, strict=True) if k != "I")
    again = [fact["chars"] for i, (fact, units) in enumerate(lines) if units in [u for _, u in lines[:i]]]
    bodies = [tuple(u for _, units in p for u in units) for p in paragraphs]
    sizes = [sum(fact["chars"] for fact, _ in p) for p in paragraphs]
    twice = [sizes[i] for i, body in enumerate(bodies) if body in bodies[:i]]
    line_chars = sum(fact["chars"] for fact in facts)
    eights = [tuple(u.text for u in whole[a:b]) for a, b in grams(whole, 8)]
    frequency, vocabulary = Counter(visible), Counter(words)
    triples = re.findall("锟斤拷|烫烫烫|屯屯屯", text)
    latin1 = re.findall("(?<=[\u00c2\u00c3])[\u00a1-\u00bf]", re.sub("[\u00ad]", "", shown))
    longest = sorted((fact["chars"] for fact in facts), reverse=True)

    def share(part: float, whole: float) -> float:
        return round(part / whole * 4096) / 4096 if whole else 0.0

    def among_lines(*names: str) -> list[float]:
        return [share(sum(fact[name] for fact in facts), len(facts)) for name in names]

    def rate(part: float) -> float:
        return round(part * 1000 / len(text) * 4096) / 4096 if text else 0.0

    def entropy(found: Counter[str]) -> float:
        return -sum(n / found.total() * math.log(n / found.total()) for n in found.values())

    n = len(visible)
    bullets, ellipses, more, javascript, policy = among_lines("bullet", "ellipsis", "more", "javascript", "policy")
    return {
        "bytes": len(text.encode()), "chars": len(text), "words": weight // 7, "words_and_marks": (weight + 7 * marks) // 7,
        "lines": len(lines), "paragraphs": len(paragraphs), "sentences": sum(f["sentences"] for f in facts),
        "c4_sentences": sum(f["sentences"] for f in facts if f["c4"]),
        "c4_any_end_sentences": sum(f["sentences"] for f in facts if f["c4_any"]),
        "stop_words_en": len({w for w in english if w.islower()}), "stop_words_zh": len(set(visible) & set(stops)),
        "longest_line_chars": longest[0] if longest else 0, "third_line_chars": longest[2] if len(longest) > 2 else 0,
        "longest_word_chars": max((f["longest"] for f in facts), default=0), "lorem_ipsum": sum(f["lorem"] for f in facts),
        "braces": text.count("{") + text.count("}"), "replacement": text.count("\ufffd"),
        "mojibake_zh": len(triples), "mojibake_latin": len(latin1),
        "han_share": share(counts["H"], n), "han_word_share": share(counts["H"], len(words) + characters),
        "kana_share": share(counts["K"], n), "hangul_share": share(counts["G"], n),
        "latin_share": share(counts["L"] + counts["U"], n),
        "upper_share": share(counts["U"], counts["L"] + counts["U"]),
        "letter_share": share(sum(counts[k] for k in "HKGULA"), n), "digit_share": share(counts["D"], n),
        "punct_share": share(counts["P"] + counts["W"], n), "symbol_share": share(counts["Y"], n),
        "mean_word_chars": share(sum(map(len, words)), len(words)),
        "alpha_word_share": share(7 * sum(map(bool, letters)) + 4 * characters, weight + 7 * marks),
        "hash_per_word": share(7 * text.count("#"), weight + 7 * marks),
        "ellipsis_per_word": share(7 * ellipses_of(whole), weight + 7 * marks),
        "caps_word_share": share(sum(a == b > 0 for a, b in zip(letters, capitals, strict=True)), len(words)),
        "unique_word_share": share(len(vocabulary), len(words)), "stop_word_share_en": share(len(english), len(words)),
        "stop_char_share_zh": share(sum(c in stops for c in visible), counts["H"]),
        "mean_line_chars": share(line_chars, len(lines)), "lines_per_word": share(7 * len(lines), weight),
        "line_feeds_per_word": share(7 * text.count("\n"), weight + 7 * marks),
        "line_stop_share": share(sum(f["last"] in ".?!。！？．｡" for f in facts), len(lines)),
        "line_end_share": share(sum(f["last"] in ".?!\"')。！？；：…”’」』）》】．｡" for f in facts), len(lines)),
        "short_line_share": share(sum(f["columns"] <= 30 for f in facts), len(lines)),
        "bullet_line_share": bullets, "ellipsis_line_share": ellipses, "readmore_line_share": more,
        "javascript_line_share": javascript, "policy_line_share": policy,
        "refinedweb_word_share": share(sum(f["tokens"] for f in facts if f["refined"]), sum(f["tokens"] for f in facts)),
        "dup_line_share": share(len(again), len(lines)), "dup_line_char_share": share(sum(again), line_chars),
        "dup_paragraph_share": share(len(twice), len(paragraphs)),
        "dup_paragraph_char_share": share(sum(twice), line_chars),
        **{f"top_{n}gram_char_share": share(top(whole, n), len(text)) for n in (2, 3, 4)},
        **{f"dup_{n}gram_char_share": share(dup(whole, n), len(text)) for n in range(5, 11)},
        "repeat_8gram_share": share(sum(eights.count(gram) > 1 for gram in eights), len(eights)),
        "distinct_char_share": share(len(frequency), n),
        "known_pair_share": share(*pairs_of(text)),
        "long_numbers_per_1000": rate(
            sum(bool(re.fullmatch("[0-9]{7,12}", u.text)) and u.end - u.start == len(u.text) for u in whole)
        ),
        "bracketed_share": share(sum(len(m[1]) for m in re.finditer("【([^【】\n]*)】", text)), len(text)),
        "urls_per_1000": rate(text.count("://")), "braces_per_1000": rate(text.count("{") + text.count("}")),
        "replacement_per_1000": rate(text.count("\ufffd")), "mojibake_per_1000": rate(len(triples) + len(latin1)),
        "char_entropy": entropy(frequency), "unigram_entropy": entropy(vocabulary),
    }  # fmt: skip


def ellipses_of(units: list[Unit]) -> int:
    """Three full stops each; … in a row are one; 。 by threes, of those that stand in a row in one line."""
    total, ideographic, before = 0, 0, None
    for unit in units:
        adjacent = before is not None and before.text == unit.text and before.place + 1 == unit.place
        if set(unit.text) == {"."}:
            total += len(unit.text) // 3
        elif unit.text == "…":
            total += not adjacent
        ideographic = (ideographic + 1 if adjacent else 1) if unit.text == "。" else 0
        total += unit.text == "。" and ideographic % 3 == 0
        before = unit
    return total


def check(text: str) -> None:
    ours, theirs = one(text), slowly(text)
    assert ours.keys() == theirs.keys() == SIGNALS.keys()
    for entropy in ("char_entropy", "unigram_entropy"):
        assert ours.pop(entropy) == pytest.approx(theirs.pop(entropy), abs=1 / 4096)
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
    # the cat sat with | the dog & 9 rats ... | - end
    assert (values["words"], values["words_and_marks"], values["lines"], values["sentences"]) == (9, 12, 3, 3)
    assert values["stop_words_en"] == 2  # with, the; `The` is not asked for
    assert values["mean_word_chars"] == rounded((3 + 3 + 3 + 4 + 3 + 3 + 1 + 4 + 3) / 9)
    assert values["alpha_word_share"] == rounded(8 / 12)  # 9 is no letter; &, - and the dots are marks
    assert values["stop_word_share_en"] == rounded(3 / 9)
    assert values["ellipsis_per_word"] == rounded(1 / 12)
    assert values["ellipsis_line_share"] == values["line_end_share"] == rounded(1 / 3)
    assert values["bullet_line_share"] == rounded(1 / 3)
    assert values["mean_line_chars"] == rounded((16 + 19 + 5) / 3)
    assert values["line_feeds_per_word"] == rounded(3 / 12)
    assert values["longest_line_chars"] == 19
    assert values["upper_share"] == rounded(1 / 26)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, John's well-known U.S. firm.", "Don 't stop , John 's well - known U.S. firm ."),
        ("e.g. 3.5 of 1,000 at 10:30", "e.g. 3.5 of 1,000 at 10:30"),
        ("we'll rock'n'roll, o'clock", "we 'll rock'n'roll , o'clock"),
        ("I... yes", "I ... yes"),
        ("end.Next Mr. Smith is. J. Doe", "end . Next Mr. Smith is . J. Doe"),
        ("me@x.org foo_bar -- wait... what?!", "me@x.org foo_bar -- wait ... what ? !"),
        ("naïve café №5 C# (ok)", "naïve café № 5 C # ( ok )"),
        ("用iPhone拍的照片。", "用 iPhone 拍 的 照 片 。"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert [unit.text for unit in cut(text)] == words.split(" ")
    values = one(text)
    marks = [word for word in words.split(" ") if not any(map(str.isalnum, word))]
    spaced = [word for word in words.split(" ") if word not in marks and kind(word[0]) != "H"]
    han = sum(kind(c) == "H" for c in text)
    assert values["words_and_marks"] == (7 * len(spaced) + 7 * len(marks) + 4 * han) // 7
    assert values["mean_word_chars"] == rounded(sum(map(len, spaced)) / len(spaced))


def test_chinese_by_hand() -> None:
    values = one("我的书在家里。\n他说：“不是。”\n用iPhone拍")
    assert (values["bytes"], values["chars"]) == (59, 25)
    assert values["words"] == (7 * 1 + 4 * 12) // 7
    assert values["han_share"] == rounded(12 / 23)
    assert values["han_word_share"] == rounded(12 / 13)
    assert values["stop_words_zh"] == 4  # 的 在 他 是
    assert values["line_end_share"] == rounded(2 / 3)  # 。 and ” end a line, 拍 does not
    assert values["line_stop_share"] == rounded(1 / 3)
    assert values["punct_share"] == rounded(5 / 23)
    assert values["alpha_word_share"] == rounded((7 + 4 * 12) / (7 + 4 * 12 + 7 * 5))


def test_repetition_by_hand() -> None:
    # Nine characters are five words; what was met is stepped over, and the rest is too short.
    assert one("天地玄黄宇宙洪荒日" * 2)["dup_5gram_char_share"] == 0.5
    # Four characters are two words; a space between two words counts, as where words are joined by spaces.
    assert one("天地玄黄宇宙洪荒" * 2)["top_2gram_char_share"] == rounded(2 * (4 + 1) / 16)
    assert one("new york or new york")["top_2gram_char_share"] == rounded(2 * 8 / 20)
    assert one("Old men read big books. Old men read big books")["dup_5gram_char_share"] == rounded(18 / 46)
    assert one("Old men read big books. Old men read big books")["dup_6gram_char_share"] == 0
    assert one("one two three four five six seven")["dup_5gram_char_share"] == 0
    lines = one("same line\nother\n  same   line \n\n\nsame line\n\nsame line.")
    assert lines["dup_line_share"] == rounded(2 / 5)  # white space between words does not matter
    assert lines["dup_line_char_share"] == rounded((11 + 9) / (9 + 5 + 11 + 9 + 10))
    assert (lines["paragraphs"], lines["dup_paragraph_share"]) == (3, 0)
    assert one("a b\n\na b\n\nc")["dup_paragraph_share"] == rounded(1 / 3)


def test_rules_about_lines_by_hand() -> None:
    page = """Home
HELLO THERE FRIENDS OF MINE
3 likes
2024
Sign-in to see this page
You have no items in cart
Please read more...
We use cookies on this site. Please agree to our privacy policy.
This line has three words and ends well. And a second sentence!
Turn on JavaScript to see it all.
A line without an end
“它说。”
"""
    values = one(page)
    assert values["c4_sentences"] == 2  # of the line that ends well; "Please read more..." ends in an ellipsis
    assert values["c4_any_end_sentences"] == 7  # HELLO, Sign-in, items, read more, that line twice, no end
    refined = 1 + 5 + 2 + 1 + 5 + 6 + 3 + 1  # words of the first seven lines and of the last, which is one word
    assert values["refinedweb_word_share"] == rounded(refined / (refined + 12 + 12 + 7 + 5))
    assert values["policy_line_share"] == values["javascript_line_share"] == rounded(1 / 12)
    assert values["readmore_line_share"] == rounded(1 / 12)
    assert values["third_line_chars"] == 33


@pytest.mark.parametrize(
    ("signal", "text", "value"),
    [
        ("mojibake_zh", "锟斤拷锟斤拷烫烫烫烫", 3),
        ("mojibake_zh", "锟 斤拷, 烫烫", 0),
        ("mojibake_latin", "cafÃ© Â£5 SÃ£o Ãº São", 4),
        ("replacement", "a\ufffdb\ufffd", 2),
        ("urls_per_1000", "http://a https://b c:/d e://f", rounded(3000 / 29)),
        ("braces_per_1000", "{}{", 1000),
        ("hash_per_word", "# one #two", rounded(2 / 4)),
        ("kana_share", "カメラ・ひら々", rounded(5 / 7)),
        ("hangul_share", "한국 말", 1),
        ("digit_share", "1２③", 1),
        ("symbol_share", "😀→a", rounded(2 / 3)),
        ("char_entropy", "abcd", rounded(math.log(4))),
        ("char_entropy", "aaaa", 0),
        ("distinct_char_share", "a a\nb", rounded(2 / 3)),
        ("unigram_entropy", "a b A b", rounded(1.5 * math.log(2))),
        ("unique_word_share", "a b A b 中", rounded(3 / 4)),
        ("caps_word_share", "NASA and I 2 X9", rounded(3 / 5)),
        ("bracketed_share", "【公告】正文【\n】", rounded(2 / 9)),
        ("known_pair_share", "中國人民 银行kx人, 民", 1),  # traditional forms too; 国人 is a word of 国人皆知
        ("known_pair_share", "行银民人", 0),
        ("long_numbers_per_1000", "电话84122999 123456 1234567890123 028-82002298", rounded(2000 / 44)),
        ("lorem_ipsum", "Lorem ipsum dolor, lorem, ipsum", 1),
        ("repeat_8gram_share", "天地玄黄宇宙洪荒日月盈昃辰宿" * 2, rounded(2 / 15)),
        ("short_line_share", "十五个汉字正好是三十列所以算短\n十六个汉字是三十二列所以不算短行", 0.5),
        ("line_end_share", "a。\nb！\nc？\nd；\ne…\nf”\ng」\nh』\ni）\nj》\nk】\nl.\nm\nn,\no、\np", 0.75),
    ],
)
def test_by_hand(signal: str, text: str, value: float) -> None:
    assert one(text)[signal] == value


def test_golden() -> None:
    """Revision 3. If this fails and `Signals.revision` did not change: bump revision."""
    texts = [
        "The cat sat on the mat...\n" * 3,
        "天地玄黄，宇宙洪荒。\n日月盈昃，辰宿列张。",
        "Mix 混合 text 文本 http://x.y 锟斤拷",
    ]
    digest = xxhash.xxh3_64_hexdigest(repr([[*v.items()] for v in measured(texts)]).encode())
    assert (Signals.revision, digest) == (3, "dce0ac8aae512fa9")
