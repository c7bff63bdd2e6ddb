"""What a tokenizer makes of texts: counted by group of texts, in a form that adds up, and probes that need no texts.

Nothing is taken on trust: every text is encoded as a build would encode it, decoded, and compared with itself. Marks
that a text spells out must not become the mark.
"""

import re
from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np
import pyarrow as pa

from corpus.tokenizer import Tokenizer

_BATCH = 256  # texts encoded at a time
_EXAMPLES = 5  # differences that are shown
_AROUND = 24  # characters on either side of one

# Texts that tokenizers of the field are known to change, or to encode as what they are not.
PROBES = {
    "U+2581, with which SentencePiece writes a space": "a\u2581b \u2581\u2581",
    "full-width punctuation and letters, which NFKC folds": "，。！？：；（）ＡＢＣ　１２３",
    "ligatures, fractions, circled numbers": "ﬁ ½ ① ㎏ ㈱",
    "line ends and tabs": "\n\n\r\n\ta\n \n",
    "spaces in front, behind, many": "  a   b    ",
    "control characters": "\x00\x01\x07\x1b\x7f\x85",
    "no-break, zero-width and ideographic spaces": "\u00a0\u200b\u3000\u2028\ufeff",
    "combining marks, in either order": "e\u0301 é q\u0323\u0307 q\u0307\u0323",
    "emoji of several code points": "👩\u200d💻 🇨🇳 ☺️",
    "rare ideographs and private use": "𠀋 𪚥 㐂 \ue000",
    "other scripts": "العربية हिन्दी ไทย 한국어 Ελληνικά",
    "the last code point and U+FFFD": "\U0010ffff\ufffd",
    "names of bytes and marks": "<0x0A><unk><s></s><pad>[UNK]",
    "digits": "12345678901234567890 3.14159 ١٢٣",
    "code": "def f(x):\n\treturn {'a': [x]}  # end\n",
}


class Figures(msgspec.Struct):
    """Counts over texts. `spelled`: tokens that are single bytes of what is in no piece; `lost_bytes`: of characters
    that did not come back, `gained_bytes`: of characters that came instead, `changed`: texts to which that happened."""

    documents: int = 0
    text_bytes: int = 0
    characters: int = 0
    tokens: int = 0
    unknown: int = 0
    spelled: int = 0
    changed: int = 0
    lost_bytes: int = 0
    gained_bytes: int = 0

    def add(self, other: "Figures") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Difference(msgspec.Struct, frozen=True):
    """Where a text and what came back part first."""

    what: str
    text: str
    back: str


class Measured(msgspec.Struct):
    """`groups`: (source, language) -> figures. `counts`: int64[vocab_size], how often each id was met. `marks`: mark ->
    [times that it is spelled out in texts, texts]."""

    groups: dict[tuple[str, str], Figures]
    counts: np.ndarray
    marks: dict[str, list[int]]
    differences: list[Difference]


class Measure:
    """Adds texts up. Memory: 8 bytes for each id, and one batch of texts with its ids."""

    def __init__(self, model: Tokenizer) -> None:
        self.model = model
        self.spelled = model.spelled()
        nothing = {mark: [0, 0] for mark in model.special if mark}
        self.firsts = re.compile(f"[{re.escape(''.join({mark[0] for mark in nothing}))}]") if nothing else None
        self.lengths = sorted({len(mark) for mark in nothing})
        self.found = Measured({}, np.zeros(model.vocab_size, np.int64), nothing, [])

    def add(self, source: str, language: str, texts: list[str]) -> None:
        for at in range(0, len(texts), _BATCH):
            self._add(source, language, texts[at : at + _BATCH])

    def _add(self, source: str, language: str, texts: list[str]) -> None:
        ids, counts = self.model.encode(pa.array(texts, pa.string()))
        own = self.found.groups.setdefault((source, language), Figures())
        own.documents += len(texts)
        own.text_bytes += sum(len(text.encode()) for text in texts)
        own.characters += sum(map(len, texts))
        own.tokens += len(ids)
        own.unknown += int((ids == self.model.unknown).sum()) if self.model.unknown is not None else 0
        own.spelled += int(self.spelled[ids].sum())
        self.found.counts += np.bincount(ids, minlength=self.model.vocab_size)
        ends = np.cumsum(counts)
        for text, end, count in zip(texts, ends.tolist(), counts.tolist(), strict=True):
            part = ids[end - count : end]
            self._compare(source, text, part, own)
            self._look_for_marks(text)

    def _compare(self, source: str, text: str, ids: np.ndarray, own: Figures) -> None:
        back = self.model.decode(ids)
        if back == text:
            return
        had, has = Counter(text), Counter(back)
        own.changed += 1
        own.lost_bytes += _bytes(had - has)
        own.gained_bytes += _bytes(has - had)
        if len(self.found.differences) < _EXAMPLES:
            self.found.differences.append(difference(source, text, back))

    def _look_for_marks(self, text: str) -> None:
        """Some tokenizers have a thousand marks: looked up where one may begin, not one after another."""
        found: Counter[str] = Counter()
        for first in self.firsts.finditer(text) if self.firsts else ():
            at = first.start()
            found.update(text[at : at + length] for length in self.lengths)
        for mark in found.keys() & self.found.marks.keys():
            self.found.marks[mark][0] += found[mark]
            self.found.marks[mark][1] += 1


def difference(what: str, text: str, back: str) -> Difference:
    """The first place where `back` is not `text`, with what stands around it."""
    ends = (i for i, (one, other) in enumerate(zip(text, back)) if one != other)
    at = next(ends, min(len(text), len(back)))
    begin = max(0, at - _AROUND)
    return Difference(what, text[begin : at + _AROUND], back[begin : at + _AROUND])


def _bytes(counts: Counter[str]) -> int:
    return sum(len(character.encode()) * times for character, times in counts.items())


class Probe(msgspec.Struct, frozen=True):
    """`lost`: whether the text came back another. `made`: times that it became a mark's id."""

    what: str
    tokens: int
    lost: bool
    made: int
    difference: Difference | None


def probes(model: Tokenizer) -> list[Probe]:
    """Texts that are hard, then each mark spelled out within text."""
    texts = PROBES | {f"the mark {mark} in text": f"a {mark}b{mark}\n" for mark in model.special if mark}
    return [_probe(model, what, text) for what, text in texts.items()]


def _probe(model: Tokenizer, what: str, text: str) -> Probe:
    ids, _ = model.encode(pa.array([text]))
    back = model.decode(ids)
    made = int(np.isin(ids, list(model.special.values())).sum())
    return Probe(what, len(ids), back != text, made, None if back == text else difference(what, text, back))


class Piece(msgspec.Struct, frozen=True):
    """A piece as it may be shown, its length, and how often texts had it."""

    id: int
    text: str
    characters: int
    times: int


def longest(pieces: Iterable[bytes], counts: np.ndarray, most: int, han: bool) -> list[Piece]:
    """The longest pieces, of equal ones the commonest; with `han`, those with the most ideographs. What a corpus is
    full of shows here: spam, menus, names of sites."""
    found = []
    for number, piece in enumerate(pieces):
        text = piece.decode(errors="replace")
        length = sum(map(_is_han, text)) if han else len(text)
        if length > 1:
            found.append((-length, -int(counts[number]), number, text))
    return [Piece(number, text, -length, -times) for length, times, number, text in sorted(found)[:most]]


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


def script(text: str) -> str:
    """What a text is mostly written in, where nobody says its language: han, latin, or other."""
    counts = Counter("han" if _is_han(c) else "latin" if c < "\u0250" else "other" for c in text[:4096] if c.isalpha())
    # An ideograph says about what three letters say.
    counts["han"] *= 3
    return max(("latin", "han", "other"), key=lambda name: counts[name]) if counts.total() else "other"
