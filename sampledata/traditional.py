"""Simplified Chinese written in traditional characters, for the words that the grammar uses.

`grammars/traditional.tsv` lists pairs: single characters, and the words whose characters go another way than alone
(头发 becomes 頭髮, 发展 becomes 發展). The pairs were computed with OpenCC's `s2tw` over GB 2312 and over the
vocabulary of the grammar. Words that only come together across two slots of a template may be written wrongly, as
they often are on the web.
"""

import re
from functools import cache
from pathlib import Path


def to_traditional(text: str) -> str:
    characters, words, pattern = _table()
    pieces = []
    end = 0
    for match in pattern.finditer(text):
        pieces.append(text[end : match.start()].translate(characters))
        pieces.append(words[match[0]])
        end = match.end()
    pieces.append(text[end:].translate(characters))
    return "".join(pieces)


@cache
def _table() -> tuple[dict[int, str], dict[str, str], re.Pattern[str]]:
    source = (Path(__file__).parent / "grammars" / "traditional.tsv").read_text(encoding="utf-8")
    pairs = [line.split("\t") for line in source.splitlines() if line and not line.startswith("#")]
    characters = {ord(simple): traditional for simple, traditional in pairs if len(simple) == 1}
    words = {simple: traditional for simple, traditional in pairs if len(simple) > 1}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return characters, words, re.compile("|".join(map(re.escape, longest_first)))
