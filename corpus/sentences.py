"""Texts as the trainer of a tokenizer gets to see them: in sentences, short enough, each once.

With `han_chars` runs of ideographs are shown so many at a time. Text that was made by grammars, such as `sampledata`,
repeats its phrases far more often than people do, and whole ones would become pieces.
"""

import hashlib
import re
from collections.abc import Iterator

from corpus.tokenizer_training import LEVEL_1, PUNCTUATION, Training

_ENDS = re.compile(r"(?<=[。！？；])|\n")
_MARKS = "，。、；：？！…—·～“”‘’「」『』《》〈〉（）【】［］｛｝　％＋－×÷＝＜＞／＠＃＆＊￥°℃№§"


def required_chars(asked: Training) -> str:
    """Characters that become pieces whether or not the sample has them."""
    sets = {LEVEL_1: gb2312_level_1, PUNCTUATION: lambda: _MARKS}
    return "".join(sets[name]() for name in asked.required)


def gb2312_level_1() -> str:
    """The 3,755 most used ideographs, rows 16 to 55 of GB 2312-80: bytes B0A1 to D7F9."""
    codes = [bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return b"".join(code for code in codes if code <= b"\xd7\xf9").decode("gb2312")


class Sentences:
    """Cuts texts one after another; remembers by 16 bytes which sentences it has had."""

    def __init__(self, asked: Training) -> None:
        self.asked = asked
        self.seen: set[bytes] = set()
        self.run = re.compile(f"[\u4e00-\u9fff]{{{asked.han_chars + 1},}}")

    def of(self, text: str) -> Iterator[tuple[str, int]]:
        """-> (sentence, where runs of ideographs are cut) of a text; white space in front stays, for code."""
        for sentence in _ENDS.split(text):
            data = sentence.encode().strip()
            digest = hashlib.blake2b(data, digest_size=16).digest()
            if not data or (self.asked.distinct and digest in self.seen):
                continue
            if self.asked.distinct:
                self.seen.add(digest)
            yield sentence, digest[0] % self.asked.han_chars + 1 if self.asked.han_chars else 0

    def shown(self, sentence: str, phase: int) -> Iterator[str]:
        """A sentence in stretches: cut in its runs of ideographs after `phase` of them and after every `han_chars`
        from there, so that over the sentences every place of a phrase comes to be cut; and where it is too long."""
        start = 0
        for run in self.run.finditer(sentence) if phase else ():
            for cut in range(run.start() + phase, run.end(), self.asked.han_chars):
                yield from self._short(sentence[start:cut])
                start = cut
        yield from self._short(sentence[start:])

    def _short(self, stretch: str) -> Iterator[str]:
        most = self.asked.sentence_chars
        return (stretch[at : at + most] for at in range(0, len(stretch), most))
