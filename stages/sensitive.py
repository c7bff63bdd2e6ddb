"""Sensitive words: how much of a text is terms of word lists, by category.

reads text (string)
adds  <category>_hits (int32)      terms found, for each category of `lists`
      <category>_chars (int32)     their characters
      sensitive_distinct (int32)   different terms of all categories
      sensitive_longest (int32)    characters of the longest term found
      sensitive_share (float32)    characters of all terms among all characters, rounded to 2**-12
      sensitive_per_line (float32) different terms per line that is not empty (ChineseWebText, section 3.2: 0.5)

Terms are found folded (`stages/term_automaton.py`). A term that begins or ends with a Latin letter or a digit is found
as whole words only; others, such as Chinese ones, anywhere. Of terms that overlap, the one that ends first counts, and
of those that end together the longest. What terms mean depends on where they stand: novels, court reports, medicine
and talk about hatred are full of them. So this measures, and no pack has a rule for it. A manifest that adds one does
well to ask for several different terms:

    [[stage]]
    kind = "judge"
    packs = ["none"]
    [stage.override.none]
    max_sensitive_distinct = 9
    max_sensitive_per_line = 0.5

A list that ships is named by its file in `stages/sensitive_words/`; any other name is an asset: one term a line, `#`
before what is none.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numba import njit

from corpus.errors import InputError
from corpus.stage import Columns, Map
from stages import characters
from stages.characters import DIGIT, LATIN, LATIN_UPPER, TABLE_SIZE, decode
from stages.signals import rounded
from stages.spam_scan import is_word_at
from stages.term_automaton import Automaton, automaton, folded, letters, move_on

SHIPPED = Path(__file__).parent / "sensitive_words"
LONGEST = 60  # characters of a term: the kernel keeps as many positions
_RING = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_DISTINCT, _LONGEST_HIT, _CHARS, _LINES, _FIRST = range(5)  # columns of the kernel's table; then hits, characters


class Terms(NamedTuple):
    """`chars` (131072,) uint32: the letter of a code point, and its kind above 16 bits. `terms` (n, 4) int32: length in
    characters, category, whether it begins as a word, whether it ends as one."""

    chars: np.ndarray
    automaton: Automaton
    terms: np.ndarray


class Sensitive(Map, frozen=True, kw_only=True, tag="sensitive"):
    """`lists`: category -> list. ValueError where a category is no name of a column."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)

    lists: dict[str, str] = msgspec.field(
        default_factory=lambda: {"obscene_en": "ldnoobw-en.txt", "obscene_zh": "ldnoobw-zh.txt"}
    )

    def __post_init__(self) -> None:
        if not self.lists:
            raise ValueError("lists: got none. Expected one or more, as category = file")
        for name in self.lists:
            if not _NAME.match(name) or name == "sensitive":
                raise ValueError(f"lists.{name}: expected lower-case letters, digits and underscores: it names columns")

    @property
    def adds(self) -> dict[str, pa.DataType]:  # type: ignore[override]
        counts = {f"{name}_{what}": pa.int32() for name in self.lists for what in ("hits", "chars")}
        whole = {"sensitive_distinct": pa.int32(), "sensitive_longest": pa.int32()}
        return counts | whole | {"sensitive_share": pa.float32(), "sensitive_per_line": pa.float32()}

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(name for name in self.lists.values() if not (SHIPPED / name).is_file())

    def load(self, assets: Mapping[str, Path]) -> Terms:
        lists = [(name, assets.get(name, SHIPPED / name).read_text("utf-8")) for name in self.lists.values()]
        return prepared(lists)

    def apply(self, batch: pa.RecordBatch, model: Terms) -> Columns:
        text, bounds = characters.utf8(batch.column("text"))
        table = np.zeros((batch.num_rows, _FIRST + 2 * len(self.lists)), np.int64)
        _find(text, bounds, *model, table)
        columns: Columns = {}
        for place, name in enumerate(self.lists):
            for offset, what in enumerate(("hits", "chars")):
                columns[f"{name}_{what}"] = pa.array(table[:, _FIRST + 2 * place + offset].astype(np.int32))
        columns["sensitive_distinct"] = pa.array(table[:, _DISTINCT].astype(np.int32))
        columns["sensitive_longest"] = pa.array(table[:, _LONGEST_HIT].astype(np.int32))
        found = table[:, _FIRST + 1 :: 2].sum(axis=1)
        columns["sensitive_share"] = pa.array(rounded(found / np.maximum(table[:, _CHARS], 1)))
        columns["sensitive_per_line"] = pa.array(rounded(table[:, _DISTINCT] / np.maximum(table[:, _LINES], 1)))
        return columns


def prepared(lists: list[tuple[str, str]]) -> Terms:
    """Tables for lists of terms, each with its name. A term of two lists belongs to the first. InputError for a list
    without terms, and for a term that is too long."""
    found: dict[str, int] = {}
    for category, (name, text) in enumerate(lists):
        terms = [folded(line.strip()) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not terms:
            raise InputError(f"list of words `{name}`: no term in it. Expected one a line.")
        for term in terms:
            if len(term) > LONGEST:
                raise InputError(
                    f"list of words `{name}`: {term!r} has {len(term)} characters; {LONGEST} is the most. Remove it."
                )
            found.setdefault(term, category)
    letter = {char: number for number, char in enumerate(sorted(set("".join(found))), 1)}
    if len(letter) > 0xFFFF:
        raise InputError(f"lists of words: {len(letter)} different characters; 65,535 is the most")
    kind = characters.kinds()
    rows = np.zeros((len(found), 4), np.int32)
    for number, (term, category) in enumerate(found.items()):
        rows[number] = len(term), category, _is_word(term[0], kind), _is_word(term[-1], kind)
    chars = letters(letter) | kind.astype(np.uint32) << np.uint32(16)
    return Terms(chars, automaton(list(found), letter), rows)


def _is_word(char: str, kind: np.ndarray) -> bool:
    return ord(char) < TABLE_SIZE and kind[ord(char)] in (LATIN, LATIN_UPPER, DIGIT)


@njit(cache=True, nogil=True)
def _find(text, bounds, chars, automaton, terms, table):  # type: ignore[no-untyped-def]
    """Fill `table` (n, 4 + 2 categories) int64, zeros at entry: different terms, characters of the longest, characters
    of the text, its lines; hits and their characters by category."""
    moves, base, fail, _, ends, shorter = automaton
    met = np.full(terms.shape[0], -1, np.int64)  # in which document a term was met last

    after_word = np.zeros(_RING, np.bool_)  # and whether a letter or digit stands before
    for document in range(bounds.size - 1):
        out = table[document]
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        state = np.int64(0)
        place = 0  # characters so far
        taken = -1  # characters up to the end of the last hit
        word = False
        visible = False
        while at < end:
            code, width = decode(text, at, end)
            entry = chars[code] if code < TABLE_SIZE else np.uint32(0)
            kind = (entry >> np.uint32(16)) & np.uint32(15)
            letter = np.int64(entry & np.uint32(0xFFFF))

            after_word[place & (_RING - 1)] = word
            word = kind in (LATIN, LATIN_UPPER, DIGIT)
            at += width
            place += 1
            if code == 10:
                out[_LINES] += visible
                visible = False
            elif kind != 0:
                visible = True
            state = move_on(moves, base, fail, state, letter) if letter != 0 else np.int64(0)
            one = state if ends[state] >= 0 else np.int64(shorter[state])
            while one != 0:
                term = ends[one]
                size = np.int64(terms[term, 0])
                first = place - size
                begins = terms[term, 2] == 0 or not after_word[first & (_RING - 1)]
                if first >= taken and begins and (terms[term, 3] == 0 or not is_word_at(text, at, end, chars)):
                    taken = place
                    column = _FIRST + 2 * terms[term, 1]
                    out[column] += 1
                    out[column + 1] += size
                    out[_LONGEST_HIT] = max(out[_LONGEST_HIT], size)
                    if met[term] != document:
                        met[term] = document
                        out[_DISTINCT] += 1
                    break
                one = np.int64(shorter[one])
        out[_LINES] += visible
        out[_CHARS] = place
