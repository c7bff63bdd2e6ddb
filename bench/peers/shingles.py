"""Our shingles made in Python, as somebody who feeds a MinHash library would make them.

Words in lower case without accents, single Han and kana characters; from each unit starts the least run that weighs
40, a word weighing 8 and a character 5. Rare compatibility characters fold otherwise than in `stages/key.py`, which
is why a small share of signatures differs.
"""

import re
import unicodedata

_HAN = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNITS = re.compile(f"([{_HAN}])|([^\\W_{_HAN}]+)")
_DROPPED = re.compile("['\u2019\u2018\u02bc\u0300-\u036f\u200b-\u200f\u2060\ufeff\u00ad]+")
WORDS, HAN = 5, 8


def shingles(text: str) -> list[str]:
    folded = text if text.isascii() else unicodedata.normalize("NFKD", text)
    folded = _DROPPED.sub("", folded.lower())
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)
    key: list[str] = []
    starts: list[int] = []
    weights: list[int] = []
    out: list[tuple[int, int]] = []
    at = weight = oldest = 0
    after_word = False
    for single, word in _UNITS.findall(folded):
        if word:
            if after_word:
                key.append(" ")
                at += 1
            own = HAN
        else:
            own = WORDS
        after_word = bool(word)
        unit = word or single
        key.append(unit)
        starts.append(at)
        weights.append(own)
        at += len(unit)
        weight += own
        while weight >= WORDS * HAN:
            out.append((starts[oldest], at))
            weight -= weights[oldest]
            oldest += 1
    whole = "".join(key)
    if not out:
        return [whole] if whole else []
    return [whole[start:end] for start, end in out]
